package main

import (
	"errors"
	"math/rand/v2"
	"testing"
	"time"
)

// The checks must be able to fail.
func TestHolds(t *testing.T) {
	n := &node{name: "a"}
	for _, c := range []struct {
		text string
		owed int
		lost int
	}{
		{"", 0, 0},
		{"abc", 0, 0},
		{"abc", 3, 0},
		{"abc", 5, 2},
		{"abd", 2, 1},
		{"bc", 0, 1},
	} {
		lost := 0
		if e, ok := errors.AsType[*lostError](n.holds(c.text, "a", c.owed)); ok {
			lost = e.n
		}
		if lost != c.lost {
			t.Errorf("of %d edits %q is there, and %d are said to be lost, not %d", c.owed, c.text, lost, c.lost)
		}
	}
}

func TestShareOut(t *testing.T) {
	for _, c := range []struct {
		kills int
		only  string
		want  [5]int
	}{
		{200, "", [...]int{60, 40, 40, 30, 30}},
		{8, "", [...]int{4, 1, 1, 1, 1}},
		{1, "", [...]int{1, 0, 0, 0, 0}},
		{30, "backup,restore", [...]int{0, 0, 0, 15, 15}},
		{7, "packing", [...]int{0, 7, 0, 0, 0}},
	} {
		got, err := shareOut(c.kills, c.only)
		if err != nil || [5]int(got) != c.want {
			t.Errorf("%d kills of %q: %v (%v), want %v", c.kills, c.only, got, err, c.want)
		}
	}
	for _, only := range []string{"nothing", "append,nothing"} {
		if got, err := shareOut(1, only); err == nil {
			t.Errorf("a story that is not there gets %v", got)
		}
	}
}

// A window narrows to what was seen, and widens while all kills hit.
func TestWindow(t *testing.T) {
	w := window(time.Second)
	w.learn(false, 100*time.Millisecond)
	if w != window(100*time.Millisecond) {
		t.Errorf("after a kill that came too late it is %s", time.Duration(w))
	}
	w.learn(true, 0)
	if w <= window(100*time.Millisecond) {
		t.Errorf("after a kill that hit it is %s", time.Duration(w))
	}
	random := rand.New(rand.NewPCG(1, 0))
	for range 100 {
		if at := w.pick(random); at < 0 || at >= time.Duration(w) {
			t.Errorf("%s is not within %s", at, time.Duration(w))
		}
	}
}
