package gate_test

import (
	"encoding/binary"
	"fmt"
	"runtime"
	"testing"

	"tombolo/doc/gate"
)

// typed is a change that writes n characters, at a new place every 2,000.
func typed(b *testing.B, n int) []byte {
	actor := []byte("0123456789abcdef")
	c := gate.Change{Deps: []gate.Hash{hashOf(0)}, Actor: actor, Others: [][]byte{[]byte("another writer's")}, Seq: 3, StartOp: 100}
	ops := make([]gate.Op, n)
	for i := range ops {
		ops[i] = gate.Op{
			Obj: gate.OpRef{Counter: 1, Actor: 1}, Seq: true, Elem: gate.OpRef{Counter: uint32(99 + i)}, Insert: true,
			Action: gate.ActSet, Type: gate.TypeString, Value: []byte{byte('a' + i%26)},
		}
		if i%2000 == 0 {
			ops[i].Elem = gate.OpRef{Counter: 50, Actor: 1}
		}
	}
	return encode(b, c, ops...)
}

// perOp runs f on changes of one and of many operations.
func perOp(b *testing.B, f func(c gate.Change)) {
	for _, n := range []int{1, 10_000} {
		c, err := gate.Parse(typed(b, n))
		if err != nil {
			b.Fatal(err)
		}
		b.Run(fmt.Sprintf("ops=%d", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				f(c)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/operation")
		})
	}
}

func BenchmarkParse(b *testing.B) {
	perOp(b, func(c gate.Change) {
		if _, err := gate.Parse(c.Raw); err != nil {
			b.Fatal(err)
		}
	})
}

func BenchmarkOperations(b *testing.B) {
	perOp(b, func(c gate.Change) {
		for range c.Operations() {
		}
	})
}

// BenchmarkEncode includes reading the operations.
func BenchmarkEncode(b *testing.B) {
	perOp(b, func(c gate.Change) {
		if _, err := gate.Encode(c, c.Operations()); err != nil {
			b.Fatal(err)
		}
	})
}

// BenchmarkParseBomb is the dearest change for its bytes: as many operations as are allowed, in a hundred bytes.
func BenchmarkParseBomb(b *testing.B) {
	run := func(spec uint64, v ...byte) column { return col(spec, append(sleb(gate.MaxOps), v...)...) }
	f := good()
	f.columns = with(run(0x15, 1, 'k'), col(0x34, binary.AppendUvarint(nil, gate.MaxOps)...), run(0x42, 1), run(0x56, 2), run(0x70, 0))
	raw := f.chunk()
	for b.Loop() {
		if _, err := gate.Parse(raw); err != nil {
			b.Fatal(err)
		}
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
