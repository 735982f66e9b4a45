package gate_test

import (
	"bytes"
	"compress/flate"
	"errors"
	"runtime"
	"testing"

	"tombolo/doc/gate"
)

// gibibyte is a deflated chunk of about a megabyte whose body is a gibibyte of zeros.
func gibibyte(t testing.TB) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := flate.NewWriter(&out, flate.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(make([]byte, 1<<20)); err != nil {
		t.Fatal(err)
	}
	if err := w.Flush(); err != nil { // what follows refers to zeros only, wherever it stands
		t.Fatal(err)
	}
	return frame(2, nil, bytes.Repeat(out.Bytes(), 1<<10))
}

// A small change that stands for a gibibyte is refused before much of it exists.
func TestBomb(t *testing.T) {
	raw := gibibyte(t)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := gate.Parse(raw)
	runtime.ReadMemStats(&after)
	limit, ok := errors.AsType[*gate.LimitError](err)
	if !ok || limit.What != "bytes" {
		t.Fatalf("a bomb of %d bytes: %v", len(raw), err)
	}
	if took := after.TotalAlloc - before.TotalAlloc; took > 8*gate.MaxChangeBytes {
		t.Errorf("refusing it took %d MiB", took>>20)
	}
}

func BenchmarkBomb(b *testing.B) {
	raw := gibibyte(b)
	b.ReportAllocs()
	b.ReportMetric(float64(len(raw)), "bytes")
	for b.Loop() {
		if _, err := gate.Parse(raw); err == nil {
			b.Fatal("admitted")
		}
	}
}
