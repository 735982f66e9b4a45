package persist_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"tombolo/persist"
)

// benchLog opens a log on Badger.
func benchLog(b *testing.B) *persist.Log {
	s := openBadger(b, b.TempDir())
	b.Cleanup(func() { s.Close() })
	return openLog(b, s)
}

// BenchmarkAppend makes changes of 110 bytes durable, each writer to a document
// of its own.
func BenchmarkAppend(b *testing.B) {
	change := make([]byte, 110)
	for _, writers := range []int{1, 64} {
		b.Run(fmt.Sprintf("writers=%d", writers), func(b *testing.B) {
			l := benchLog(b)
			var left atomic.Int64
			left.Store(int64(b.N))
			b.ResetTimer()
			var wg sync.WaitGroup
			for w := range writers {
				wg.Go(func() {
					for last := uint64(0); left.Add(-1) >= 0; last++ {
						if _, err := l.Append(ctx, doc(w), adding(last, change)); err != nil {
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

// BenchmarkOpen reads the headers of 10,000 documents and lists them.
func BenchmarkOpen(b *testing.B) {
	const docs = 10_000
	s := openBadger(b, b.TempDir())
	defer s.Close()
	l := openLog(b, s)
	var last *persist.Pending
	for i := range docs {
		last = l.Submit(doc(i), adding(0, []byte("change")))
	}
	if _, err := last.Wait(ctx); err != nil {
		b.Fatal(err)
	}
	l.Close()
	for b.Loop() {
		l := openLog(b, s)
		n := 0
		for range l.Docs() {
			n++
		}
		if n != docs {
			b.Fatalf("%d documents", n)
		}
		l.Close()
	}
}

// BenchmarkChanges reads 10,000 changes of 110 bytes back.
func BenchmarkChanges(b *testing.B) {
	for _, packed := range []bool{false, true} {
		b.Run(fmt.Sprintf("packed=%v", packed), func(b *testing.B) {
			l := benchLog(b)
			all := make([][]byte, 10_000)
			for i := range all {
				all[i] = make([]byte, 110)
			}
			mustAppend(b, l, doc(1), adding(0, all...))
			if packed {
				mustPack(b, l, doc(1))
			}
			for b.Loop() {
				n := 0
				for _, err := range l.Changes(ctx, doc(1), 1) {
					if err != nil {
						b.Fatal(err)
					}
					n++
				}
				if n != len(all) {
					b.Fatalf("%d changes", n)
				}
			}
		})
	}
}
