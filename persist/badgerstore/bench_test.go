package badgerstore_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"

	"tombolo/persist"
	"tombolo/persist/badgerstore"
)

// BenchmarkApply writes a change of 110 bytes and a header of 200, durably, as
// an append does; one batch of 64 such appends is what the committer makes of
// a busy moment.
func BenchmarkApply(b *testing.B) {
	for _, appends := range []int{1, 64} {
		b.Run(fmt.Sprint(appends), func(b *testing.B) {
			s, err := badgerstore.Open(b.TempDir(), nil)
			if err != nil {
				b.Fatal(err)
			}
			defer s.Close()
			value := make([]byte, 200)
			random := rand.NewChaCha8([32]byte{2})
			n := 0
			for b.Loop() {
				batch := &persist.Batch{}
				for range appends {
					random.Read(value)
					batch.Put(fmt.Appendf(nil, "r/%012d", n), value[:110])
					batch.Put(fmt.Appendf(nil, "d/%04d", n%1000), value)
					n++
				}
				if err := s.Apply(context.Background(), batch); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkOpen opens and closes a store of 64 MB of packs and headers, which
// is all read before Badger may.
func BenchmarkOpen(b *testing.B) {
	dir := b.TempDir()
	s, err := badgerstore.Open(dir, nil)
	if err != nil {
		b.Fatal(err)
	}
	value := make([]byte, 8<<10)
	random := rand.NewChaCha8([32]byte{3})
	for i := range 64 << 20 / len(value) / 64 {
		batch := &persist.Batch{}
		for j := range 64 {
			random.Read(value)
			batch.Put(fmt.Appendf(nil, "r/%06d", i*64+j), value)
		}
		if err := s.Apply(context.Background(), batch); err != nil {
			b.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		b.Fatal(err)
	}
	b.SetBytes(64 << 20)
	for b.Loop() {
		s, err := badgerstore.Open(dir, nil)
		if err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
}
