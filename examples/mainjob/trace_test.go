package main

import (
	"strings"
	"testing"
)

// The history that comes with the project leads to the text that it says it ends with.
func TestShippedHistory(t *testing.T) {
	tr, err := loadTrace("")
	if err != nil {
		t.Fatal(err)
	}
	var text []rune
	for i, txn := range tr.Txns {
		for _, p := range txn.Patches {
			if p.at < 0 || p.remove < 0 || p.at+p.remove > len(text) {
				t.Fatalf("edit %d is outside the text", i)
			}
			text = append(text[:p.at:p.at], append([]rune(p.insert), text[p.at+p.remove:]...)...)
		}
	}
	if string(text) != tr.End || !strings.HasPrefix(tr.End, "# Tombolo") {
		t.Errorf("the history ends with %.60q", string(text))
	}
}

func TestTraceErrors(t *testing.T) {
	for path, want := range map[string]string{"no such file": "TOMBOLO_TRACE", "trace.go": "read the trace"} {
		if _, err := loadTrace(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", path, err)
		}
	}
}
