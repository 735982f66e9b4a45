package main

import (
	"crypto/rand"
	"fmt"
	"os"
	"runtime"
	"time"

	"github.com/automerge/automerge-go"

	"tombolo/doc"
	"tombolo/doc/gate"
	"tombolo/doc/opset"
	"tombolo/internal/trace"
)

// maxEdits is how much of a long trace is replayed.
const maxEdits = 50_000

func benchDoc(report func(row)) error {
	tr, err := trace.Load(os.Getenv("TOMBOLO_TRACE"))
	if err != nil {
		return err
	}
	changes, err := typed(tr)
	if err != nil {
		return err
	}
	for _, f := range []func(*trace.Trace, [][]byte, func(row)) error{applying, loading, writing} {
		if err := f(tr, changes, report); err != nil {
			return err
		}
	}
	if err := redrawing(report); err != nil {
		return err
	}
	return updating(report)
}

// typed is the trace as changes of one operation each, after the one that makes the text.
func typed(tr *trace.Trace) ([][]byte, error) {
	d, err := doc.New(doc.ID{1}, rand.Reader)
	if err != nil {
		return nil, err
	}
	if _, err := d.Edit(doc.Note{}, func(tx *doc.Tx) error { return tx.Set("t", doc.Text("")) }); err != nil {
		return nil, err
	}
	for i, t := range tr.Txns {
		if i == maxEdits {
			break
		}
		if _, err := d.Edit(doc.Note{}, func(tx *doc.Tx) error {
			for _, p := range t.Patches {
				if err := tx.Text("t").Splice(p.At, p.Remove, p.Insert); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			return nil, err
		}
	}
	return d.Changes()
}

// applying compares what a change from elsewhere costs here, from its bytes to its place in the document, with the core's part alone.
func applying(_ *trace.Trace, changes [][]byte, report func(row)) error {
	var failed error
	fail := func(err error) {
		if err != nil {
			failed = err
		}
	}
	ours := func() float64 {
		s := opset.New()
		return micros(len(changes), func() {
			for _, raw := range changes {
				c, err := gate.Parse(raw)
				if err == nil {
					_, err = s.Add(c)
				}
				fail(err)
			}
		})
	}
	core := func(batch int) func() float64 {
		return func() float64 {
			d := automerge.New()
			defer runtime.GC()
			return micros(len(changes), func() {
				for at := 0; at < len(changes); at += batch {
					var all []byte
					for _, raw := range changes[at:min(at+batch, len(changes))] {
						all = append(all, raw...)
					}
					fail(d.LoadIncremental(all))
				}
			})
		}
	}
	report(row{Work: fmt.Sprintf("check and apply one of %d typed changes", len(changes)), Unit: "µs", Ours: median(ours), Beside: median(core(1)), Name: "core's apply alone", Goal: 1})
	report(row{Work: "the same beside the core's apply of 1,000 at once", Unit: "µs", Ours: median(ours), Beside: median(core(1000)), Name: "core's apply alone", Goal: 1})
	return failed
}

// loading compares reading a document from its changes with the core's reading of its own compact file.
func loading(_ *trace.Trace, changes [][]byte, report func(row)) error {
	d, err := doc.Load(doc.ID{1}, changes, rand.Reader)
	if err != nil {
		return err
	}
	saved, err := d.Save(nil)
	if err != nil {
		return err
	}
	var failed error
	ours := median(func() float64 {
		return micros(1000, func() {
			if _, err := doc.Load(doc.ID{1}, changes, rand.Reader); err != nil {
				failed = err
			}
		})
	})
	beside := median(func() float64 {
		defer runtime.GC()
		return micros(1000, func() {
			if _, err := automerge.Load(saved); err != nil {
				failed = err
			}
		})
	})
	report(row{Work: "until readable: all changes, checked", Unit: "ms", Ours: ours, Beside: beside, Name: "core's Load of its file", Goal: 3})
	return failed
}

// writing compares an edit, until its bytes are there, with the core's.
func writing(tr *trace.Trace, changes [][]byte, report func(row)) error {
	n := min(5000, len(tr.Txns))
	var failed error
	fail := func(err error) {
		if err != nil {
			failed = err
		}
	}
	ours := median(func() float64 {
		d, err := doc.New(doc.ID{1}, rand.Reader)
		fail(err)
		_, err = d.Edit(doc.Note{}, func(tx *doc.Tx) error { return tx.Set("t", doc.Text("")) })
		fail(err)
		return micros(n, func() {
			for _, t := range tr.Txns[:n] {
				_, err := d.Edit(doc.Note{}, func(tx *doc.Tx) error {
					return tx.Text("t").Splice(t.Patches[0].At, t.Patches[0].Remove, t.Patches[0].Insert)
				})
				fail(err)
			}
		})
	})
	beside := median(func() float64 {
		d := automerge.New()
		fail(d.Path("t").Set(automerge.NewText("")))
		return micros(n, func() {
			text := d.Path("t").Text()
			for _, t := range tr.Txns[:n] {
				fail(text.Splice(t.Patches[0].At, t.Patches[0].Remove, t.Patches[0].Insert))
				h, err := d.Commit("", automerge.CommitOptions{AllowEmpty: true})
				fail(err)
				c, err := d.Change(h)
				fail(err)
				if c != nil {
					_ = c.Save()
				}
			}
		})
	})
	report(row{Work: "type one character, bytes ready", Unit: "µs", Ours: ours, Beside: beside, Name: "core: splice, commit, save", Goal: 1})
	return failed
}

type record struct {
	Title  string   `doc:"title"`
	Done   bool     `doc:"done"`
	Due    int      `doc:"due"`
	Labels []string `doc:"labels"`
}

type app struct {
	Records []record `doc:"records"`
	Title   string   `doc:"title"`
}

func filled(n int) (*doc.Doc, *app, error) {
	d, err := doc.New(doc.ID{2}, rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	a := &app{Title: "before"}
	for i := range n {
		a.Records = append(a.Records, record{Title: fmt.Sprint("record ", i), Due: i, Labels: []string{"a", "b"}})
	}
	if _, err := d.Apply(doc.Genesis(d.ID(), "bench")); err != nil {
		return nil, nil, err
	}
	_, err = d.Edit(doc.Note{}, func(tx *doc.Tx) error { return tx.Put(a) })
	return d, a, err
}

// redrawing compares the patches of one edit with reading everything again.
func redrawing(report func(row)) error {
	d, a, err := filled(10_000)
	if err != nil {
		return err
	}
	var failed error
	const edits = 20
	ours := median(func() float64 {
		total := 0.0
		for i := range edits {
			before := d.Len()
			path := fmt.Sprintf("/records/%d/due", (i*797)%len(a.Records))
			if _, err := d.Edit(doc.Note{Time: time.Unix(1, 0)}, func(tx *doc.Tx) error { return tx.Set(path, before) }); err != nil {
				failed = err
			}
			total += micros(edits, func() {
				ps, _, err := d.PatchesSince(before)
				if err == nil && len(ps) != 1 {
					err = fmt.Errorf("%d patches for one edit", len(ps))
				}
				if err != nil {
					failed = err
				}
			})
		}
		return total
	})
	beside := median(func() float64 {
		return micros(1, func() {
			if _, err := d.Get(""); err != nil {
				failed = err
			}
		})
	})
	report(row{Work: "patches of one edit among 10,000 records", Unit: "µs", Ours: ours, Beside: beside, Name: "reading everything", Goal: 1.0 / 50})
	return failed
}

// updating compares what updating one field from a struct allocates in a large document and in a small one: the difference is the same.
func updating(report func(row)) error {
	allocated := func(n int) (float64, error) {
		d, a, err := filled(n)
		if err != nil {
			return 0, err
		}
		return median(func() float64 {
			a.Records[n/2].Due++
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			if _, e := d.Edit(doc.Note{}, func(tx *doc.Tx) error { return tx.Put(a) }); e != nil {
				err = e
			}
			runtime.ReadMemStats(&after)
			return float64(after.TotalAlloc - before.TotalAlloc)
		}), err
	}
	large, err := allocated(10_000)
	if err != nil {
		return err
	}
	small, err := allocated(10)
	if err != nil {
		return err
	}
	report(row{Work: "update one field from a struct of 10,000 records, allocated", Unit: "B", Ours: large, Beside: small, Name: "of 10 records", Goal: 2})
	return nil
}
