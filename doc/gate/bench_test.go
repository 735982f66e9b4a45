package gate_test

import (
	"fmt"
	"runtime"
	"testing"

	"tombolo/doc/gate"
)

func BenchmarkParse(b *testing.B) {
	var raws [][]byte
	var bytes int
	for _, c := range history(b) {
		raws = append(raws, c.Save())
		bytes += len(raws[len(raws)-1])
	}
	b.SetBytes(int64(bytes / len(raws)))
	i := 0
	for b.Loop() {
		if _, err := gate.Parse(raws[i%len(raws)]); err != nil {
			b.Fatal(err)
		}
		i++
	}
}

// BenchmarkAdd is the linear case; the metric is what one change keeps in memory, with 16 bytes of actor for all.
func BenchmarkAdd(b *testing.B) {
	const n = 100_000
	var cs []gate.Change
	for i := range n {
		cs = append(cs, link(i))
	}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	g := gate.NewGraph()
	for _, c := range cs {
		mustAdd(b, g, c)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	runtime.KeepAlive(g)
	for b.Loop() {
		g := gate.NewGraph()
		for _, c := range cs {
			mustAdd(b, g, c)
		}
	}
	b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/n, "B/change")
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/change")
}

// BenchmarkAddAfterRest: a writer adds again after others added 100,000 changes; the walk for its previous change is the cost.
func BenchmarkAddAfterRest(b *testing.B) {
	const n = 100_000
	g := chain(b, n)
	mustAdd(b, g, change(-1, "resting", 1, 1))
	for i := n; i < 2*n; i++ {
		c := link(i)
		if i == n {
			c = change(i, "0123456789abcdef", n+1, n+1, hashOf(n-1), hashOf(-1))
		}
		mustAdd(b, g, c)
	}
	c := change(-2, "resting", 2, 2*n+1, hashOf(2*n-1))
	for b.Loop() {
		mustAdd(b, g, c)
		b.StopTimer()
		g.Truncate(2*n + 1)
		b.StartTimer()
	}
}

func BenchmarkSince(b *testing.B) {
	const n = 100_000
	g := chain(b, n)
	for _, behind := range []int{0, 1, 1000, n} {
		var known []gate.Hash
		if behind < n {
			known = []gate.Hash{hashOf(n - 1 - behind)}
		}
		b.Run(fmt.Sprintf("behind=%d", behind), func(b *testing.B) {
			for b.Loop() {
				if got := g.Since(known); len(got) != behind {
					b.Fatal(len(got))
				}
			}
		})
	}
}

// BenchmarkManyHeads: a hundred thousand changes side by side must not make each other dear.
func BenchmarkManyHeads(b *testing.B) {
	const n = 100_000
	for b.Loop() {
		g := gate.NewGraph()
		for i := range n {
			mustAdd(b, g, change(i, fmt.Sprintf("writer %9d", i), 1, 1))
		}
		for i := range n {
			mustAdd(b, g, change(n+i, fmt.Sprintf("writer %9d", i), 2, 2, hashOf(i)))
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/(2*n), "ns/change")
}
