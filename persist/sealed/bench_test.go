package sealed_test

import (
	"crypto/rand"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"tombolo/persist"
	"tombolo/persist/memstore"
	"tombolo/persist/sealed"
)

// BenchmarkAppend makes changes of 110 bytes durable on Badger, each writer to
// a document of its own, plain and sealed. Half of the bytes are random: so a
// plain store makes them smaller by as much as it does real changes (1.7 times).
func BenchmarkAppend(b *testing.B) {
	change := make([]byte, 110)
	rand.Read(change[:55])
	for _, writers := range []int{1, 64} {
		for _, kind := range []string{"plain", "sealed"} {
			b.Run(fmt.Sprintf("writers=%d/%s", writers, kind), func(b *testing.B) {
				s := openBadger(b, b.TempDir())
				if kind == "sealed" {
					s = sealed.New(s, newKeys(b))
				}
				b.Cleanup(func() { s.Close() })
				l := openLog(b, s)
				var left atomic.Int64
				left.Store(int64(b.N))
				b.ResetTimer()
				var wg sync.WaitGroup
				for w := range writers {
					wg.Go(func() {
						for last := uint64(0); left.Add(-1) >= 0; last++ {
							a := persist.Append{After: last, Changes: [][]byte{change}, Heads: make([]persist.Hash, 1)}
							if _, err := l.Append(ctx, doc(w), a); err != nil {
								b.Error(err)
								return
							}
						}
					})
				}
				wg.Wait()
			})
		}
	}
}

// BenchmarkApply is what sealing costs without a disk: a record of a change and
// a header.
func BenchmarkApply(b *testing.B) {
	keys := newKeys(b)
	for _, kind := range []string{"plain", "sealed"} {
		b.Run(kind, func(b *testing.B) {
			var s persist.Store = memstore.New()
			if kind == "sealed" {
				s = sealed.New(s, keys)
			}
			defer s.Close()
			batch := &persist.Batch{}
			batch.Put([]byte("r123456781234567812"), make([]byte, 120))
			batch.Put([]byte("d1234567812345678123456781234567"), make([]byte, 100))
			b.ReportAllocs()
			for b.Loop() {
				if err := s.Apply(ctx, batch); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkOpen reads the headers of 10,000 documents; check adds them up.
func BenchmarkOpen(b *testing.B) {
	const docs = 10_000
	for _, kind := range []string{"plain", "sealed", "check"} {
		b.Run(kind, func(b *testing.B) {
			s := openBadger(b, b.TempDir())
			var whole *sealed.Store
			if kind != "plain" {
				whole = sealed.New(s, newKeys(b))
				s = whole
			}
			defer s.Close()
			l := openLog(b, s)
			var last *persist.Pending
			for i := range docs {
				last = l.Submit(doc(i), persist.Append{Changes: [][]byte{[]byte("change")}, Heads: make([]persist.Hash, 1)})
			}
			if _, err := last.Wait(ctx); err != nil {
				b.Fatal(err)
			}
			l.Close()
			for b.Loop() {
				if kind != "check" {
					openLog(b, s).Close()
				} else if err := whole.Check(ctx); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
