package doc_test

import (
	"fmt"
	"math"
	"net/netip"
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tombolo/doc"
	"tombolo/doc/value"
)

// celsius is stored in tenths.
type celsius struct{ tenths int64 }

func (c celsius) MarshalDoc() (any, error) { return c.tenths, nil }

func (c *celsius) UnmarshalDoc(v any) (err error) {
	n, ok := v.(int64)
	if !ok {
		err = fmt.Errorf("a temperature is a whole number, not %T", v)
	}
	c.tenths = n
	return err
}

type base struct {
	Name string    `doc:"name"`
	When time.Time `doc:"when"`
}

type row struct {
	Title string           `doc:"title,text"`
	Votes int64            `doc:"votes,counter"`
	Rows  []row            `doc:"rows,omitempty"`
	By    map[string]*row  `doc:"by,omitempty"`
	Tags  doc.Set[string]  `doc:"tags,omitempty"`
	Cells map[int32]string `doc:"cells"`
}

// rich has a field of every sort.
type rich struct {
	base
	Bool  bool
	I8    int8
	I64   int64
	U64   uint64
	F32   float32
	F64   float64
	Str   string
	Body  string `doc:",text"`
	T     doc.Text
	C     doc.Counter
	Hits  int16 `doc:"hits,counter"`
	Raw   []byte
	Sum   [4]byte
	Took  time.Duration
	Opt   *int64
	Maybe string `doc:",omitempty"`
	List  []string
	Place [2]float64
	Rows  []row
	Any   any
	Ints  doc.Set[int]
	ByA   map[netip.Addr]bool
	Temp  celsius
}

var (
	anyText  = rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"", "\x00", "a\x00b", "\U0010ffff", "e\u0301", "👩‍👩‍👧", "~/~1", "$text"}))
	anyInt   = rapid.OneOf(rapid.Int64(), rapid.SampledFrom([]int64{math.MinInt64, math.MaxInt64, 0, 1<<53 + 1}))
	anyUint  = rapid.OneOf(rapid.Uint64(), rapid.SampledFrom([]uint64{0, math.MaxInt64 + 1, math.MaxUint64}))
	anyFloat = rapid.OneOf(rapid.Float64(), rapid.SampledFrom([]float64{0, math.Copysign(0, -1), math.NaN(), math.Inf(1), math.Inf(-1)}))
	anyTime  = rapid.Map(anyInt, func(ms int64) time.Time { return time.UnixMilli(ms).UTC() })
)

func anyRow(depth int) *rapid.Generator[row] {
	return rapid.Custom(func(t *rapid.T) row {
		r := row{
			Title: anyText.Draw(t, "title"), Votes: anyInt.Draw(t, "votes"), Tags: doc.SetOf(rapid.SliceOfN(anyKey, 0, 2).Draw(t, "tags")...),
			Cells: rapid.MapOfN(rapid.Int32(), anyText, 0, 2).Draw(t, "cells"),
		}
		if depth > 0 {
			r.Rows = rapid.SliceOfN(anyRow(depth-1), 0, 2).Draw(t, "rows")
			r.By = rapid.MapOfN(anyKey, rapid.Ptr(anyRow(depth-1), true), 0, 2).Draw(t, "by")
		}
		return r
	})
}

var anyKey = anyText.Filter(func(s string) bool { return s != "" })

var anyRich = rapid.Custom(func(t *rapid.T) rich {
	v := rich{
		base: base{anyText.Draw(t, "name"), anyTime.Draw(t, "when")},
		Bool: rapid.Bool().Draw(t, "bool"), I8: rapid.Int8().Draw(t, "i8"), I64: anyInt.Draw(t, "i64"), U64: anyUint.Draw(t, "u64"),
		F32: rapid.Float32().Draw(t, "f32"), F64: anyFloat.Draw(t, "f64"),
		Str: anyText.Draw(t, "str"), Body: anyText.Draw(t, "body"), T: doc.Text(anyText.Draw(t, "t")),
		C: doc.Counter(anyInt.Draw(t, "c")), Hits: rapid.Int16().Draw(t, "hits"),
		Raw: rapid.SliceOfN(rapid.Byte(), 0, 20).Draw(t, "raw"), Took: time.Duration(anyInt.Draw(t, "took")),
		Opt: rapid.Ptr(anyInt, true).Draw(t, "opt"), Maybe: anyText.Draw(t, "maybe"),
		List: rapid.SliceOfN(anyText, 0, 5).Draw(t, "list"), Rows: rapid.SliceOfN(anyRow(1), 0, 3).Draw(t, "rows"),
		Any:  genTree(2).Draw(t, "any"),
		Ints: doc.SetOf(rapid.SliceOfN(rapid.Int(), 0, 3).Draw(t, "ints")...),
		ByA:  map[netip.Addr]bool{}, Temp: celsius{anyInt.Draw(t, "temp")},
	}
	for i := range v.Sum {
		v.Sum[i] = rapid.Byte().Draw(t, "sum")
	}
	for i := range v.Place {
		v.Place[i] = rapid.SampledFrom([]float64{1, 2, 3, math.NaN()}).Draw(t, "place")
	}
	for _, b := range rapid.SliceOfN(rapid.Byte(), 0, 3).Draw(t, "addresses") {
		v.ByA[netip.AddrFrom4([4]byte{10, 0, 0, b})] = b%2 == 0
	}
	return v
})

// stored is a Go value as a document holds it.
func stored(t fataler, v any) any {
	t.Helper()
	out, err := value.Marshal(v)
	must(t, err)
	return out
}

// holds checks that a document has a rich at a path, by struct and as a whole.
func holds(t fataler, r doc.Reader, path string, want rich) {
	t.Helper()
	got, err := doc.Get[rich](r, path)
	must(t, err)
	tree, err := doc.Get[any](r, path)
	must(t, err)
	w := stored(t, want)
	if fields := tree.(map[string]any); path == "" { // what a struct does not have stays
		delete(fields, "deep")
		delete(fields, "list")
	}
	if !readsBack(stored(t, got), w) || !readsBack(tree, w) {
		t.Fatalf("at %q\nwrote %+v\nread  %+v\nas    %v", path, want, got, tree)
	}
	if got.F64 != want.F64 && !math.IsNaN(want.F64) || !reflect.DeepEqual(got.ByA, want.ByA) || got.Temp != want.Temp || !got.When.Equal(want.When) {
		t.Fatalf("at %q\nwrote %+v\nread  %+v", path, want, got)
	}
}

// A struct that is written, over nothing or over another one, is read again: in the transaction, after it, at its heads, from the changes,
// from an .automerge file, and on another device. Writing what is there writes nothing.
func TestStructsInDocuments(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		a, b := open(t, doc.ID{1}), open(t, doc.ID{1})
		path := rapid.SampledFrom([]string{"", "v", "/deep/er", "/list/0"}).Draw(rt, "path")
		_, err := a.Edit(doc.Note{}, func(tx *doc.Tx) error {
			must(rt, tx.Set("deep", map[string]any{}))
			return tx.Set("list", []any{nil})
		})
		must(rt, err)
		for range rapid.IntRange(1, 3).Draw(rt, "times") {
			v := anyRich.Draw(rt, "struct")
			_, err := a.Edit(doc.Note{}, func(tx *doc.Tx) error {
				must(rt, tx.Set(path, v))
				holds(rt, tx, path, v)
				return nil
			})
			must(rt, err)
			holds(rt, a, path, v)
			heads := a.Heads()
			writesNothing(rt, a, path, v)
			got, err := doc.Get[rich](a, path)
			must(rt, err)
			writesNothing(rt, a, path, got)

			merge(rt, a, b)
			holds(rt, b, path, v)
			then, err := b.At(heads)
			must(rt, err)
			holds(rt, then, path, v)
			again, err := doc.Load(a.ID(), all(rt, a), zeros{})
			must(rt, err)
			holds(rt, again, path, v)
		}
		v, err := doc.Get[rich](a, path)
		must(rt, err)
		saved, err := a.Save(nil)
		must(rt, err)
		changes, err := doc.ReadSaved(saved, nil)
		must(rt, err)
		again, err := doc.Load(a.ID(), changes, zeros{})
		must(rt, err)
		holds(rt, again, path, v)
		if !slices.Equal(again.Heads(), a.Heads()) {
			rt.Fatal("saved and read, it has other heads")
		}
	})
}

// writesNothing checks that writing what is there makes no change.
func writesNothing(t fataler, d *doc.Doc, path string, v any) {
	t.Helper()
	if n := operations(t, d, path, v); n != 0 {
		t.Fatalf("writing what is there takes %d operations", n)
	}
}

// operations is how many operations it takes to write a value over what is at a path.
func operations(t fataler, d *doc.Doc, path string, v any) (n int) {
	t.Helper()
	made, err := d.Edit(doc.Note{}, func(tx *doc.Tx) error { return tx.Set(path, v) })
	must(t, err)
	for _, c := range made.Changes {
		e, err := d.Entry(c.Hash)
		must(t, err)
		n += e.Ops
	}
	return n
}

// Whatever two devices write, first apart and then with a common past, they end with one value that still is such a struct; and what they write in
// different fields is all in it.
func TestStructsMerge(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		a, b := open(t, doc.ID{1}), open(t, doc.ID{1})
		for range rapid.IntRange(1, 3).Draw(rt, "rounds") {
			for _, d := range []*doc.Doc{a, b} {
				v := anyRich.Draw(rt, "struct")
				v.Any, v.Hits = nil, 0 // what adds up may outgrow a small field
				operations(rt, d, "v", v)
			}
			merge(rt, a, b)
			if _, err := doc.Get[rich](a, "v"); err != nil {
				rt.Fatalf("after the merge: %v", err)
			}
		}
		was, err := doc.Get[rich](a, "v")
		must(rt, err)
		mine, other := was, was
		mine.Str, mine.Place[0] = "by a", 8
		other.Bool, other.Place[1] = !was.Bool, 9
		operations(rt, a, "v", mine)
		operations(rt, b, "v", other)
		merge(rt, a, b)
		got, err := doc.Get[rich](a, "v")
		must(rt, err)
		if got.Str != "by a" || got.Bool == was.Bool || got.Place != [2]float64{8, 9} {
			rt.Fatalf("the merge lost a field: %+v", got)
		}
	})
}
