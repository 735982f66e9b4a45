package mirror_test

import (
	"context"
	"fmt"
	"testing"

	"tombolo"
	"tombolo/doc"
	"tombolo/mirror"
	"tombolo/persist/memstore"
)

// BenchmarkLoad merges one edit of the place into a document of 1,000 changes: with nothing else new in the document, and with one change
// that the writer of the place had not seen.
func BenchmarkLoad(b *testing.B) {
	for _, meanwhile := range []bool{false, true} {
		b.Run(fmt.Sprintf("meanwhile=%t", meanwhile), func(b *testing.B) {
			h, p, m := benchMirror(b)
			ctx := context.Background()
			n := 0
			for b.Loop() {
				b.StopTimer()
				check(b, m.Save(ctx))
				n++
				p.Put(fmt.Appendf(nil, `{"n":%d}`, n))
				if meanwhile {
					check(b, h.Change(ctx, "", func(tx *doc.Tx) error { return tx.Set("/m", n) }))
				}
				b.StartTimer()
				check(b, m.Load(ctx))
			}
		})
	}
}

// BenchmarkIdle is a look at a place where nothing is new, with nothing to save.
func BenchmarkIdle(b *testing.B) {
	_, _, m := benchMirror(b)
	check(b, m.Save(context.Background()))
	for b.Loop() {
		check(b, m.Save(context.Background()))
	}
}

func check(b *testing.B, err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

func benchMirror(b *testing.B) (*tombolo.Handle, *mirror.Memory, *mirror.Mirror) {
	ctx := context.Background()
	e, err := tombolo.Open(ctx, b.TempDir(), &tombolo.Options{Offline: true, Store: memstore.New()})
	check(b, err)
	b.Cleanup(func() { check(b, e.Close()) })
	h, err := e.Home().Create(ctx, map[string]any{"n": 0})
	check(b, err)
	for i := range 1000 {
		check(b, h.Change(ctx, "", func(tx *doc.Tx) error { return tx.Set("/m", i) }))
	}
	p := &mirror.Memory{}
	m, err := mirror.New(h, p, nil)
	check(b, err)
	b.Cleanup(func() { check(b, m.Close()) })
	return h, p, m
}
