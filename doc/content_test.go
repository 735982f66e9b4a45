package doc_test

import (
	"errors"
	"reflect"
	"testing"

	"pgregory.net/rapid"

	"tombolo/doc"
	"tombolo/doc/value"
)

// decoded is what a content holds.
func decoded(t fataler, content func(func(doc.Content) error) error) (out any, marks doc.Marks) {
	t.Helper()
	must(t, content(func(c doc.Content) error {
		if c.ID != (doc.ID{1}) {
			t.Fatalf("it is document %s", c.ID)
		}
		marks = c.Marks()
		return value.Decode(c.Root, &out)
	}))
	return out, marks
}

// Content gives what Get gives, from wherever a document can be read.
func TestContent(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		d := open(t, doc.ID{1})
		first := genTreeMap(2).Draw(rt, "first")
		edit(t, d, func(tx *doc.Tx) error { return errors.Join(tx.SetName("n"), tx.Put(first)) })
		then, err := d.At(d.Heads())
		must(rt, err)
		second := genTree(2).Draw(rt, "second")
		if got, _ := decoded(rt, d.Content); !doc.Equal(got, first) {
			rt.Fatalf("the document: %v, want %v", got, first)
		}
		edit(t, d, func(tx *doc.Tx) error {
			must(rt, tx.Set("new", second))
			first["new"] = second
			got, _ := decoded(rt, tx.Content)
			if !doc.Equal(got, first) {
				rt.Fatalf("the transaction: %v, want %v", got, first)
			}
			return nil
		})
		want, err := then.Get("")
		must(rt, err)
		got, marks := decoded(rt, then.Content)
		if !doc.Equal(got, want) || marks.Name != "n" {
			rt.Fatalf("the version: %v, %+v; want %v", got, marks, want)
		}
		snap, err := d.Snapshot()
		if errors.Is(err, doc.ErrInexact) {
			return
		}
		must(rt, err)
		s, err := doc.ParseSnapshot(snap)
		must(rt, err)
		got, marks = decoded(rt, func(fn func(doc.Content) error) error { return fn(s.Content(doc.ID{1}, doc.Marks{Name: "x"})) })
		if !doc.Equal(got, first) || marks.Name != "x" {
			rt.Fatalf("the snapshot: %v, %+v; want %v", got, marks, first)
		}
	})
}

// The content is what Get gives: neither the marks nor what was removed are there.
func TestContentEdges(t *testing.T) {
	d := open(t, doc.ID{1})
	edit(t, d, set("/a", m{"list": []any{1}}))
	edit(t, d, remove("/a/list"))
	wantJSON(t, d, `{"a":{}}`)
	if got, _ := decoded(t, d.Content); !reflect.DeepEqual(got, m{"a": m{}}) {
		t.Errorf("it holds %v", got)
	}
	boom := errors.New("boom")
	if err := d.Content(func(c doc.Content) error {
		if _, ok, err := c.Root.Field("$m"); ok || err != nil {
			t.Errorf("the marks are in the content: %v", err)
		}
		return boom
	}); !errors.Is(err, boom) {
		t.Error(err)
	}
	if got := (doc.Content{}).Marks(); !reflect.DeepEqual(got, doc.Marks{}) {
		t.Errorf("marks of nothing: %+v", got)
	}
	var into struct {
		M any `doc:"$m"`
	}
	if err := d.Read("", &into); err != nil || into.M != nil {
		t.Errorf("a struct reads the marks: %v, %v", into.M, err)
	}
}

// Looking at fields where they lie takes memory for each level, however many there are.
func TestContentAllocates(t *testing.T) {
	d := open(t, doc.ID{1})
	edit(t, d, func(tx *doc.Tx) error { return tx.Put(records(100)) })
	n := 0
	got := testing.AllocsPerRun(20, func() {
		must(t, d.Content(func(c doc.Content) error {
			return c.Root.Each(func(_ string, row value.Source) error {
				f, ok, err := row.Field("count")
				if ok {
					n += int(f.Int())
				}
				return err
			})
		}))
	})
	if got > 10 || n == 0 {
		t.Errorf("100 records take %v allocations", got)
	}
}

// One field of each of 1,000 records, by Content and by Read.
func BenchmarkContent(b *testing.B) {
	d := open(b, doc.ID{1})
	edit(b, d, func(tx *doc.Tx) error { return tx.Put(records(1000)) })
	b.Run("content", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			must(b, d.Content(func(c doc.Content) error {
				return c.Root.Each(func(_ string, row value.Source) error {
					_, _, err := row.Field("count")
					return err
				})
			}))
		}
	})
	b.Run("read", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			var out map[string]struct{ Count int64 }
			must(b, d.Read("", &out))
		}
	})
}
