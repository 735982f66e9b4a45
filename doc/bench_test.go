package doc_test

import (
	"crypto/rand"
	"fmt"
	"strings"
	"testing"

	"tombolo/doc"
)

func records(n int) map[string]any {
	m := map[string]any{}
	for i := range n {
		m[fmt.Sprintf("key%04d", i)] = map[string]any{"title": fmt.Sprint("record ", i), "done": i%2 == 0, "count": int64(i)}
	}
	return m
}

func BenchmarkEdit(b *testing.B) {
	for name, c := range map[string]struct {
		start map[string]any
		edit  func(n int) func(*doc.Tx) error
	}{
		"one key": {nil, func(n int) func(*doc.Tx) error {
			return func(tx *doc.Tx) error { return tx.Set("n", int64(n)) }
		}},
		"one key of 1000": {records(1000), func(n int) func(*doc.Tx) error {
			return func(tx *doc.Tx) error { return tx.Set("/key0500/count", int64(-n-1)) }
		}},
		"splice in 100,000 characters": {map[string]any{"body": doc.Text(strings.Repeat("0123456789", 10_000))}, func(n int) func(*doc.Tx) error {
			return func(tx *doc.Tx) error { return tx.Text("body").Splice(50_000, 0, "x") }
		}},
	} {
		b.Run(name, func(b *testing.B) {
			d := open(b, doc.ID{1})
			if c.start != nil {
				edit(b, d, func(tx *doc.Tx) error { return tx.Put(c.start) })
			}
			n := 0
			for b.Loop() {
				edit(b, d, c.edit(n))
				n++
			}
		})
	}
}

// Put of a map of 1,000 records in which one value differs: finding the difference is most of it.
func BenchmarkPutDifference(b *testing.B) {
	d := open(b, doc.ID{1})
	m := records(1000)
	edit(b, d, func(tx *doc.Tx) error { return tx.Put(m) })
	n := int64(0)
	for b.Loop() {
		n--
		m["key0500"].(map[string]any)["count"] = n
		if got := edit(b, d, func(tx *doc.Tx) error { return tx.Put(m) }); len(got) != 1 || len(got[0]) > 1000 {
			b.Fatalf("%d changes", len(got))
		}
	}
}

func BenchmarkApply(b *testing.B) {
	from, to := open(b, doc.ID{1}), open(b, doc.ID{1})
	n := int64(0)
	for b.Loop() {
		b.StopTimer()
		n++
		raws := edit(b, from, func(tx *doc.Tx) error { return tx.Set("n", n) })
		b.StartTimer()
		if got, err := to.Apply(raws...); err != nil || len(got.New) != 1 {
			b.Fatal(got, err)
		}
	}
}

func BenchmarkJSON(b *testing.B) {
	d := open(b, doc.ID{1})
	edit(b, d, func(tx *doc.Tx) error { return tx.Put(records(1000)) })
	for b.Loop() {
		if _, err := d.JSON(""); err != nil {
			b.Fatal(err)
		}
	}
}

// Loading 5,000 changes from the log.
func BenchmarkLoad(b *testing.B) {
	d := open(b, doc.ID{1})
	for i := range 5000 {
		edit(b, d, func(tx *doc.Tx) error { return tx.Set(fmt.Sprint("k", i%100), int64(i)) })
	}
	changes := all(b, d)
	for b.Loop() {
		got, err := doc.Load(doc.ID{1}, changes, rand.Reader)
		must(b, err)
		must(b, got.Close())
	}
}
