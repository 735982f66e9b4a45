package doc_test

import (
	"crypto/rand"
	"errors"
	"fmt"
	"math"
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tombolo/doc"
)

// Whatever a snapshot is asked, it answers as the document does, errors included.
func TestSnapshotReadsAsTheDocument(t *testing.T) {
	keys := []string{"a", "b", "$c", "", "0", "~/"}
	var value func(depth int) *rapid.Generator[any]
	value = func(depth int) *rapid.Generator[any] {
		return rapid.Custom(func(t *rapid.T) any {
			kinds := 11
			if depth == 0 {
				kinds = 9
			}
			switch rapid.IntRange(0, kinds).Draw(t, "kind") {
			case 0:
				return nil
			case 1:
				return rapid.Bool().Draw(t, "bool")
			case 2:
				return rapid.Int64().Draw(t, "int")
			case 3:
				return rapid.Float64().Draw(t, "float")
			case 4:
				return rapid.String().Draw(t, "string")
			case 5:
				return doc.Text(rapid.String().Draw(t, "text"))
			case 6:
				return doc.Counter(rapid.Int64().Draw(t, "counter"))
			case 7:
				return rapid.SliceOf(rapid.Byte()).Draw(t, "bytes")
			case 8:
				return time.UnixMilli(rapid.Int64Range(-1e15, 1e15).Draw(t, "time")).UTC()
			case 9:
				return uint64(math.MaxInt64) + 1 + rapid.Uint64Range(0, 9).Draw(t, "uint")
			case 10:
				return rapid.SliceOfN(value(depth-1), 0, 3).Draw(t, "list")
			}
			return rapid.MapOfN(rapid.SampledFrom(keys[:3]), value(depth-1), 0, 3).Draw(t, "map")
		})
	}
	rapid.Check(t, func(t *rapid.T) {
		d, err := doc.Load(doc.ID{1}, [][]byte{doc.Genesis(doc.ID{1}, "app")}, rand.Reader)
		must(t, err)
		root := rapid.MapOfN(rapid.SampledFrom(keys[:3]), value(3), 0, 3).Draw(t, "root")
		if _, err := d.Edit(doc.Note{}, func(tx *doc.Tx) error { return tx.Put(root) }); err != nil {
			t.Fatal(err)
		}
		for k := range root {
			if rapid.Bool().Draw(t, "remove") { // containers are hidden then
				if _, err := d.Edit(doc.Note{}, func(tx *doc.Tx) error { return tx.Remove(doc.Pointer{k}.String()) }); err != nil {
					t.Fatal(err)
				}
			}
		}
		data, err := d.Snapshot()
		if err != nil {
			t.Fatal(err)
		}
		s, err := doc.ParseSnapshot(data)
		if err != nil {
			t.Fatal(err)
		}
		for range 10 {
			path := doc.Pointer(rapid.SliceOfN(rapid.SampledFrom(append(keys, "1", "-", "x", "$m")), 0, 4).Draw(t, "path")).String()
			v, want := d.Get(path)
			w, err := s.Get(path)
			if fmt.Sprint(err) != fmt.Sprint(want) || !equalValues(v, w) {
				t.Fatalf("Get(%q): %#v, %v; the document says %#v, %v", path, w, err, v, want)
			}
			j, want := d.JSON(path)
			k, err := s.JSON(path)
			if fmt.Sprint(err) != fmt.Sprint(want) || string(j) != string(k) {
				t.Fatalf("JSON(%q): %s, %v; the document says %s, %v", path, k, err, j, want)
			}
			var x, y any
			want, err = d.Read(path, &x), s.Read(path, &y)
			if fmt.Sprint(err) != fmt.Sprint(want) || !equalValues(x, y) {
				t.Fatalf("Read(%q): %#v, %v; the document says %#v, %v", path, y, err, x, want)
			}
			destroy(w) // what a reader does to it is his own
		}
		h, _ := d.Hash()
		if g, err := s.Hash(); err != nil || g != h {
			t.Fatalf("another hash, %v", err)
		}
	})
}

func equalValues(a, b any) bool {
	x, errA := doc.EncodeJSON(a)
	y, errB := doc.EncodeJSON(b)
	return errA == nil && errB == nil && string(x) == string(y) && reflect.TypeOf(a) == reflect.TypeOf(b)
}

func destroy(v any) {
	switch v := v.(type) {
	case map[string]any:
		for _, e := range v {
			destroy(e)
		}
		clear(v)
	case []any:
		for i := range v {
			destroy(v[i])
			v[i] = "destroyed"
		}
	case []byte:
		clear(v)
	}
}

// A value that JSON would give back otherwise makes no snapshot, and what is none is refused.
func TestSnapshotIsExact(t *testing.T) {
	d := open(t, doc.ID{1})
	_, err := d.Edit(doc.Note{}, func(tx *doc.Tx) error { return tx.Set("/list", []any{map[string]any{"n": uint64(5)}}) })
	must(t, err)
	if v, err := d.Get("/list/0/n"); err != nil || v != uint64(5) {
		t.Fatalf("an unsigned number reads as %T %v, %v: then it is exact, and this test needs another inexact value", v, v, err)
	}
	if _, err := d.Snapshot(); !errors.Is(err, doc.ErrInexact) {
		t.Errorf("a snapshot with an unsigned number: %v", err)
	}
	must(t, d.Close())
	if _, err := d.Snapshot(); !errors.Is(err, doc.ErrClosed) {
		t.Errorf("of a closed document: %v", err)
	}
	for _, data := range []string{"", "[]", "{", `{"$unknown":null}`} {
		if _, err := doc.ParseSnapshot([]byte(data)); err == nil {
			t.Errorf("%q is a snapshot", data)
		}
	}
}
