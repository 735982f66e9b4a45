package pack_test

import (
	"fmt"
	"testing"
)

// cut splits a run into packs of about so many bytes of plain changes.
func cut(run [][]byte, size int) (out [][][]byte) {
	from, sum := 0, 0
	for i, c := range run {
		if sum += len(c); sum >= size || i == len(run)-1 {
			out = append(out, run[from:i+1])
			from, sum = i+1, 0
		}
	}
	return out
}

// The metrics are per change of one byte typed (111 bytes raw): its share of the pack, and the time to write or read it.
func BenchmarkTyped(b *testing.B) {
	run := typed(b, 20_000)
	for _, size := range []int{8 << 10, 64 << 10, 1 << 20} {
		packs, total := [][]byte{}, 0
		runs := cut(run, size)
		for _, r := range runs {
			packs = append(packs, roundTrip(b, r))
			total += len(packs[len(packs)-1])
		}
		perChange := func(b *testing.B) {
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(run)), "ns/change")
			b.ReportMetric(float64(total)/float64(len(run)), "B/change")
		}
		b.Run(fmt.Sprintf("pack/%dKiB", size>>10), func(b *testing.B) {
			for b.Loop() {
				for _, r := range runs {
					_, err := codec.Pack(r)
					check(b, err)
				}
			}
			perChange(b)
		})
		b.Run(fmt.Sprintf("unpack/%dKiB", size>>10), func(b *testing.B) {
			for b.Loop() {
				for _, p := range packs {
					_, err := codec.Unpack(p)
					check(b, err)
				}
			}
			perChange(b)
		})
	}
}
