package main

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"
)

// A command may tell as often as it likes: what is shown is a few steps a second, and each beginning and end.
func TestTell(t *testing.T) {
	now := time.Unix(1, 0)
	var stderr bytes.Buffer
	var shown []string
	p := &peer{
		err: &stderr, now: func() time.Time { return now },
		progress: func(doing string, done, total uint64) { shown = append(shown, fmt.Sprint(doing, done, "/", total)) },
	}
	work := func() {
		for i := range uint64(10) {
			p.tell("pack", i+1, 10)
			now = now.Add(progressEvery / 2)
		}
		for i := range uint64(3) {
			p.tell("flush", i, 0)
		}
		p.tell("flush", 2, 0)
		p.toldAll()
	}
	work()
	if want := []string{"pack1/10", "pack3/10", "pack5/10", "pack7/10", "pack9/10", "pack10/10", "flush0/0"}; !slices.Equal(shown, want) {
		t.Errorf("a person sees %q, want %q", shown, want)
	}
	p.json, p.told = true, told{}
	work()
	const want = `{"progress":{"doing":"pack","done":1,"total":10}}
{"progress":{"doing":"pack","done":3,"total":10}}
{"progress":{"doing":"pack","done":5,"total":10}}
{"progress":{"doing":"pack","done":7,"total":10}}
{"progress":{"doing":"pack","done":9,"total":10}}
{"progress":{"doing":"pack","done":10,"total":10}}
{"progress":{"doing":"flush","done":0,"total":0}}
{"progress":{"doing":"flush","done":2,"total":0}}
`
	if stderr.String() != want {
		t.Errorf("a program sees\n%swant\n%s", stderr.String(), want)
	}
	if len(shown) != 7 {
		t.Errorf("with --json a person sees %q as well", shown)
	}
}

// What was held back is shown before something else begins.
func TestTellBeforeTheNext(t *testing.T) {
	var stderr bytes.Buffer
	p := &peer{err: &stderr, json: true, now: func() time.Time { return time.Unix(1, 0) }}
	p.tell("read", 1, 0)
	p.tell("read", 7, 0)
	p.tell("write", 1, 0)
	if got := stderr.String(); strings.Count(got, "\n") != 3 || !strings.Contains(got, `"read","done":7`) {
		t.Errorf("got\n%s", got)
	}
}

// What is printed stays on the screen: the bar is gone before it.
func TestProgressBarMakesWay(t *testing.T) {
	var screen bytes.Buffer
	bar := &progressBar{out: &screen, shown: true}
	out := bar.under(&screen)
	for round := range uint64(2) {
		bar.Set("edits on disk", round+1, 0)
		bar.Set("packed", 5, 10)
		bar.Set("packed", 6, 12)
		if _, err := io.WriteString(out, "done\n"); err != nil {
			t.Fatal(err)
		}
		if !strings.HasSuffix(screen.String(), "done\n") {
			t.Errorf("the screen ends in %q", screen.String())
		}
	}
	bar.Set("packed", 12, 12)
	if bar.all != nil {
		t.Error("the bar is still there when all is done")
	}
	bar.Close()

	hidden := &progressBar{out: &screen}
	screen.Reset()
	hidden.Set("edits on disk", 1, 0)
	hidden.Close()
	if screen.Len() > 0 {
		t.Errorf("without a terminal it wrote %q", screen.String())
	}
}
