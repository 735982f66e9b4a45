package main

import (
	"bytes"
	"strings"
	"testing"
)

func TestCompare(t *testing.T) {
	for _, c := range []struct {
		r     row
		holds bool
		line  string
	}{
		{row{Work: "w", Unit: "B", Ours: 1, Beside: 2, Name: "floor", Goal: 0.5}, true, "ratio 0.5"},
		{row{Work: "w", Ours: 3, Beside: 2, Name: "floor", Goal: 1}, false, "MISSED"},
		{row{Work: "w", Skipped: "no disk"}, false, "skipped: no disk"},
	} {
		got := c.r.compare()
		if line := strings.ReplaceAll(got.line(), "\t", " "); got.Holds != c.holds || !strings.Contains(line, c.line) {
			t.Errorf("%+v: %s", got, line)
		}
	}
}

func TestUsage(t *testing.T) {
	for _, args := range [][]string{nil, {"nothing"}, {"doc", "more"}, {"doc", "-fast"}} {
		if err := run(args, &bytes.Buffer{}); err == nil {
			t.Errorf("%q was accepted", args)
		}
	}
}
