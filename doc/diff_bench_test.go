package doc_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"tombolo/doc"
)

// One edit in a large document: the patches, and how many times longer reading the whole value takes.
func BenchmarkPatches(b *testing.B) {
	row := func(i int) map[string]any {
		return map[string]any{"title": fmt.Sprint("record ", i), "done": i%2 == 0, "count": int64(i), "by": "Ann"}
	}
	for _, c := range []struct {
		name  string
		start func(tx *doc.Tx, part int) error // a tenth of the document
		edit  func(tx *doc.Tx) error
	}{
		{"map of 10,000 records", func(tx *doc.Tx, part int) error {
			if part == 0 {
				if err := tx.Set("v", map[string]any{}); err != nil {
					return err
				}
			}
			for i := range 1000 {
				if err := tx.Set(fmt.Sprintf("/v/key%d%03d", part, i), row(i)); err != nil {
					return err
				}
			}
			return nil
		}, func(tx *doc.Tx) error { return tx.Set("/v/key5000/count", -1) }},
		{"list of 10,000 maps", func(tx *doc.Tx, part int) error {
			for i := range 1000 {
				if err := tx.List("v").Append(row(i)); err != nil {
					return err
				}
			}
			return nil
		}, func(tx *doc.Tx) error { return tx.Set("/v/5000/count", -1) }},
		{"text of 100,000 characters", func(tx *doc.Tx, part int) error {
			return tx.Text("v").Splice(0, 0, strings.Repeat("0123456789", 1000))
		}, func(tx *doc.Tx) error { return tx.Text("v").Splice(50_000, 0, "x") }},
	} {
		b.Run(c.name, func(b *testing.B) {
			d := open(b, doc.ID{1})
			for part := range 10 {
				edit(b, d, func(tx *doc.Tx) error { return c.start(tx, part) })
			}
			edit(b, d, c.edit)
			began, reads := time.Now(), 0
			for ; reads < 20; reads++ {
				_, err := d.Get("")
				must(b, err)
			}
			read := time.Since(began) / time.Duration(reads)
			b.ReportAllocs()
			for b.Loop() {
				if got, _, err := d.PatchesSince(d.Len() - 1); err != nil || len(got) != 1 {
					b.Fatal(got, err)
				}
			}
			b.ReportMetric(float64(read)/(float64(b.Elapsed())/float64(b.N)), "reads")
		})
	}
}

// Ten thousand changes: what a device shows that was away.
func BenchmarkPatchesOfManyChanges(b *testing.B) {
	d := open(b, doc.ID{1})
	edit(b, d, func(tx *doc.Tx) error { return tx.Text("text").Splice(0, 0, strings.Repeat("x", 10_000)) })
	n := d.Len()
	for i := range 10_000 {
		edit(b, d, func(tx *doc.Tx) error { return tx.Text("text").Splice(i*7919%10_000, 1, "y") })
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := d.PatchesSince(n); err != nil {
			b.Fatal(err)
		}
	}
}
