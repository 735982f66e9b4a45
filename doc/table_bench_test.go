package doc_test

import (
	"fmt"
	"testing"

	"tombolo/doc"
	"tombolo/doc/pack"
)

// A row costs its values and 20 bytes of ID, and one with a given ID also a change for itself and for each container in it.
func BenchmarkTableBytes(b *testing.B) {
	rows := map[string]func(i int) any{
		"flat": func(i int) any { return flatRow{fmt.Sprint("task ", i), i%2 == 0, int64(i), "none"} },
		"text": func(i int) any { return textRow{fmt.Sprint("task ", i), []string{}} },
	}
	for _, name := range []string{"flat", "text"} {
		for _, given := range []bool{false, true} {
			for _, together := range []bool{false, true} {
				b.Run(fmt.Sprintf("%s/given=%v/oneEdit=%v", name, given, together), func(b *testing.B) {
					var raw, packed int
					for b.Loop() {
						raw, packed = bytesOf(b, given, together, rows[name])
					}
					b.ReportMetric(float64(raw)/benchRows, "rawB/row")
					b.ReportMetric(float64(packed)/benchRows, "packedB/row")
				})
			}
		}
	}
}

type flatRow struct {
	Title string `doc:"title"`
	Done  bool   `doc:"done"`
	Rank  int64  `doc:"rank"`
	Owner string `doc:"owner"`
}

type textRow struct {
	Title string   `doc:"title,text"`
	Tags  []string `doc:"tags"`
}

const benchRows = 1000

func bytesOf(b *testing.B, given, together bool, row func(i int) any) (raw, packed int) {
	d := open(b, doc.ID{1})
	defer d.Close()
	flat, text := doc.MustTable[flatRow]("/t"), doc.MustTable[textRow]("/t")
	create := func(tx *doc.Tx, i int) (err error) {
		id := ""
		if given {
			id = fmt.Sprintf("given ID no. %07d", i) // as long as the others
		}
		switch rec := row(i).(type) {
		case flatRow:
			_, err = flat.Create(tx, id, rec)
		case textRow:
			_, err = text.Create(tx, id, rec)
		}
		return err
	}
	if together {
		editAt(b, d, 0, func(tx *doc.Tx) error {
			for i := range benchRows {
				must(b, create(tx, i))
			}
			return nil
		})
	} else {
		for i := range benchRows {
			editAt(b, d, i, func(tx *doc.Tx) error { return create(tx, i) })
		}
	}
	changes, err := d.Changes()
	must(b, err)
	p, err := pack.New().Pack(changes)
	must(b, err)
	for _, c := range changes {
		raw += len(c)
	}
	return raw, len(p)
}

// bigTable is a table of 10,000 records.
func bigTable(b *testing.B) (*doc.Doc, string) {
	b.Helper()
	d := open(b, doc.ID{1})
	flat, id := doc.MustTable[flatRow]("/t"), ""
	editAt(b, d, 0, func(tx *doc.Tx) (err error) {
		for i := range 10_000 {
			id, err = flat.Create(tx, "", flatRow{fmt.Sprint("task ", i), false, int64(i), "none"})
			must(b, err)
		}
		return nil
	})
	return d, id
}

func BenchmarkTableList(b *testing.B) {
	d, _ := bigTable(b)
	flat := doc.MustTable[flatRow]("/t")
	b.ReportAllocs()
	for b.Loop() {
		recs, err := flat.List(d)
		must(b, err)
		if len(recs) != 10_000 {
			b.Fatal(len(recs))
		}
	}
}

// Beside BenchmarkTableList: the same values without records.
func BenchmarkTableRead(b *testing.B) {
	d, _ := bigTable(b)
	b.ReportAllocs()
	for b.Loop() {
		_, err := doc.Get[map[string]flatRow](d, "/t")
		must(b, err)
	}
}

func BenchmarkTableGet(b *testing.B) {
	d, id := bigTable(b)
	flat := doc.MustTable[flatRow]("/t")
	b.ReportAllocs()
	for b.Loop() {
		_, err := flat.Get(d, id)
		must(b, err)
	}
}

// One edit of one record, and what changed: it follows the record and not the table.
func BenchmarkTableUpdate(b *testing.B) {
	d, id := bigTable(b)
	flat := doc.MustTable[flatRow]("/t")
	b.ReportAllocs()
	for b.Loop() {
		e := editAt(b, d, 1, func(tx *doc.Tx) error {
			return flat.Update(tx, id, func(rec *flatRow) error { rec.Done = !rec.Done; return nil })
		})
		recs, err := flat.Changed(d, e.Changes)
		must(b, err)
		if len(recs) != 1 {
			b.Fatal(len(recs))
		}
	}
}
