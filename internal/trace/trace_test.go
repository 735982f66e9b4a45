package trace_test

import (
	"strings"
	"testing"

	"tombolo/internal/trace"
)

// The history that comes with the project leads to the text that it says it ends with.
func TestShippedHistory(t *testing.T) {
	tr, err := trace.Load("")
	if err != nil {
		t.Fatal(err)
	}
	var text []rune
	for i, txn := range tr.Txns {
		for _, p := range txn.Patches {
			if p.At < 0 || p.Remove < 0 || p.At+p.Remove > len(text) {
				t.Fatalf("edit %d is outside the text", i)
			}
			text = append(text[:p.At:p.At], append([]rune(p.Insert), text[p.At+p.Remove:]...)...)
		}
	}
	if string(text) != tr.End || !strings.HasPrefix(tr.End, "# Tombolo") {
		t.Errorf("the history ends with %.60q", string(text))
	}
}

func TestTraceErrors(t *testing.T) {
	for path, want := range map[string]string{"no such file": "TOMBOLO_TRACE", "trace.go": "read the trace"} {
		if _, err := trace.Load(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", path, err)
		}
	}
}
