package doc_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tombolo/doc"
	"tombolo/doc/gate"
)

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// open is a document with its genesis.
func open(t testing.TB, id doc.ID) *doc.Doc {
	t.Helper()
	d, err := doc.New(id, rand.Reader)
	must(t, err)
	_, err = d.Apply(doc.Genesis(id, "test"))
	must(t, err)
	t.Cleanup(func() { d.Close() })
	return d
}

// fataler is a test, or one check of a property.
type fataler interface {
	Helper()
	Fatal(...any)
	Fatalf(string, ...any)
}

func must(t fataler, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func edit(t testing.TB, d *doc.Doc, fn func(*doc.Tx) error) [][]byte {
	t.Helper()
	e, err := d.Edit(doc.Note{Message: "test", Time: noon}, fn)
	must(t, err)
	var raws [][]byte
	for _, c := range e.Changes {
		raws = append(raws, c.Raw)
	}
	return raws
}

func wantJSON(t fataler, d *doc.Doc, want string) {
	t.Helper()
	got, err := d.JSON("")
	must(t, err)
	if string(got) != want {
		t.Fatalf("the document is %s, want %s", got, want)
	}
}

// merge gives each document the changes of the other.
func merge(t fataler, a, b *doc.Doc) {
	t.Helper()
	for _, p := range [][2]*doc.Doc{{a, b}, {b, a}} {
		got, err := p[1].Apply(all(t, p[0])...)
		must(t, err)
		if len(got.Missing) > 0 {
			t.Fatalf("missing %v", got.Missing)
		}
	}
	if !slices.Equal(a.Heads(), b.Heads()) {
		t.Fatal("different heads after exchanging everything")
	}
	ha, err := a.Hash()
	must(t, err)
	hb, err := b.Hash()
	must(t, err)
	if ha != hb {
		t.Fatal("equal heads, different values")
	}
}

func all(t fataler, d *doc.Doc) [][]byte {
	t.Helper()
	var raws [][]byte
	for i := range d.Len() {
		raw, err := d.Change(d.Graph().At(i))
		must(t, err)
		raws = append(raws, raw)
	}
	return raws
}

func TestContainersMadeApartMerge(t *testing.T) {
	id := doc.NamedID("test", "shared")
	a, b := open(t, id), open(t, id)
	edit(t, a, func(tx *doc.Tx) error { return tx.List("items").Append("a1", "a2") })
	edit(t, b, func(tx *doc.Tx) error { return tx.List("/items").Append("b1") })
	edit(t, a, func(tx *doc.Tx) error {
		return tx.Put(map[string]any{"items": []any{"a1", "a2"}, "deep": map[string]any{"er": map[string]any{"a": 1}}, "body": doc.Text("Ann")})
	})
	edit(t, b, func(tx *doc.Tx) error {
		return tx.Set("/deep", map[string]any{"er": map[string]any{"b": 2}})
	})
	edit(t, b, func(tx *doc.Tx) error { return tx.Text("body").Splice(0, 0, "Bob") })
	merge(t, a, b)
	items, err := a.Get("/items")
	must(t, err)
	if len(items.([]any)) != 3 {
		t.Errorf("items: %v, want all three", items)
	}
	got, err := a.JSON("/deep")
	must(t, err)
	if string(got) != `{"er":{"a":1,"b":2}}` {
		t.Errorf("deep: %s", got)
	}
	body, err := a.Get("/body")
	must(t, err)
	if s := string(body.(doc.Text)); !strings.Contains(s, "Ann") || !strings.Contains(s, "Bob") {
		t.Errorf("body: %q, want both words", s)
	}
}

// A removed container is hidden, comes back when used again, and what another device adds meanwhile is not lost.
func TestRemovedContainersHideAndReturn(t *testing.T) {
	id := doc.ID{7}
	a, b := open(t, id), open(t, id)
	edit(t, a, func(tx *doc.Tx) error {
		return tx.Put(map[string]any{"title": "x", "items": []any{"1"}, "in": map[string]any{"text": doc.Text("t"), "n": 1}})
	})
	merge(t, a, b)
	edit(t, a, func(tx *doc.Tx) error { return tx.Remove("/items") })
	edit(t, a, func(tx *doc.Tx) error { return tx.Remove("/in") })
	wantJSON(t, a, `{"title":"x"}`)
	if _, err := a.Get("/items"); err == nil {
		t.Error("a removed list can be read")
	}
	if _, err := a.Edit(doc.Note{}, func(tx *doc.Tx) error { return tx.Remove("/items") }); err == nil {
		t.Error("a removed list can be removed again")
	}
	edit(t, b, func(tx *doc.Tx) error { return tx.List("items").Append("2") })
	merge(t, a, b)
	wantJSON(t, a, `{"items":["2"],"title":"x"}`)

	edit(t, a, func(tx *doc.Tx) error { return tx.Remove("/items") })
	edit(t, a, func(tx *doc.Tx) error { return tx.Set("/items", []any{}) })
	wantJSON(t, a, `{"items":[],"title":"x"}`)
	edit(t, a, func(tx *doc.Tx) error { return tx.Put(map[string]any{"in": map[string]any{}}) })
	wantJSON(t, a, `{"in":{}}`)
	edit(t, a, func(tx *doc.Tx) error { return tx.Set("/in/text", doc.Text("new")) })
	wantJSON(t, a, `{"in":{"text":{"$text":"new"}}}`)
}

// A list over which a string was written is made again in the ordinary way.
func TestReplacedContainerCanBeMadeAgain(t *testing.T) {
	d := open(t, doc.ID{1})
	edit(t, d, func(tx *doc.Tx) error { return tx.Set("/x", []any{1}) })
	edit(t, d, func(tx *doc.Tx) error { return tx.Set("/x", "text") })
	edit(t, d, func(tx *doc.Tx) error { return tx.Remove("/x") })
	edit(t, d, func(tx *doc.Tx) error { return tx.Set("/x", []any{2}) })
	wantJSON(t, d, `{"x":[2]}`)
	edit(t, d, func(tx *doc.Tx) error { return tx.Set("/x", map[string]any{"k": []any{}}) })
	wantJSON(t, d, `{"x":{"k":[]}}`)
}

func TestFailedEditLeavesNothing(t *testing.T) {
	d := open(t, doc.ID{2})
	edit(t, d, func(tx *doc.Tx) error { return tx.Set("/n", 1) })
	heads := d.Heads()
	boom := errors.New("boom")
	_, err := d.Edit(doc.Note{}, func(tx *doc.Tx) error {
		must(t, tx.Set("/n", 2))
		must(t, tx.Set("/list", []any{"x"})) // commits what came before: it must go as well
		must(t, tx.Set("/n", 3))
		return boom
	})
	if !errors.Is(err, boom) {
		t.Fatalf("got %v", err)
	}
	if !slices.Equal(d.Heads(), heads) {
		t.Error("heads moved")
	}
	wantJSON(t, d, `{"n":1}`)

	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic was swallowed")
			}
		}()
		d.Edit(doc.Note{}, func(tx *doc.Tx) error { must(t, tx.Set("/n", 4)); panic("boom") })
	}()
	wantJSON(t, d, `{"n":1}`)
	edit(t, d, func(tx *doc.Tx) error { return tx.Set("/n", 5) })
	wantJSON(t, d, `{"n":5}`)
	var kept *doc.Tx
	edit(t, d, func(tx *doc.Tx) error { kept = tx; return nil })
	for _, err := range []error{kept.Set("/n", 6), kept.Remove("/n"), kept.Patch([]byte(`[]`)), kept.List("l").Append(1), kept.Add("/n", 1)} {
		if err == nil {
			t.Error("a transaction works after its end")
		}
	}
}

func TestNoOpMakesNoChange(t *testing.T) {
	d := open(t, doc.ID{3})
	v := map[string]any{"s": "x", "t": doc.Text("héllo"), "l": []any{1, 2.5, nil, true}, "c": doc.Counter(4), "b": []byte{0, 1}, "w": noon}
	edit(t, d, func(tx *doc.Tx) error { return tx.Put(v) })
	if raws := edit(t, d, func(tx *doc.Tx) error { return tx.Put(v) }); len(raws) != 0 {
		t.Errorf("writing the same value made %d changes", len(raws))
	}
	if raws := edit(t, d, func(tx *doc.Tx) error {
		return tx.Put(map[string]any{"s": "x", "t": "héllo", "l": []any{1, 2.5, nil, true}, "c": 4, "b": []byte{0, 1}, "w": noon})
	}); len(raws) != 0 {
		t.Error("a plain string over an equal text, or a number over an equal counter, made a change")
	}
}

func TestCountersAndTextsMerge(t *testing.T) {
	a, b := open(t, doc.ID{4}), open(t, doc.ID{4})
	edit(t, a, func(tx *doc.Tx) error {
		return tx.Put(map[string]any{"c": doc.Counter(10), "t": doc.Text("the fox")})
	})
	merge(t, a, b)
	edit(t, a, func(tx *doc.Tx) error { return tx.Add("c", 5) })
	edit(t, b, func(tx *doc.Tx) error { return tx.Set("c", 8) }) // 2 less
	edit(t, a, func(tx *doc.Tx) error { return tx.Set("t", "the quick fox") })
	edit(t, b, func(tx *doc.Tx) error { return tx.Text("t").Splice(7, 0, " jumps") })
	merge(t, a, b)
	wantJSON(t, a, `{"c":{"$counter":13},"t":{"$text":"the quick fox jumps"}}`)
}

func TestApplyTellsTheTruth(t *testing.T) {
	a := open(t, doc.ID{5})
	first := edit(t, a, func(tx *doc.Tx) error { return tx.Set("/n", 1) })
	second := edit(t, a, func(tx *doc.Tx) error { return tx.Set("/n", 2) })
	b := open(t, doc.ID{5})
	got, err := b.Apply(second...)
	must(t, err)
	if len(got.New) != 0 || len(got.Missing) != 1 {
		t.Errorf("applied %d with a missing dependency, missing %v", len(got.New), got.Missing)
	}
	for _, raw := range [][]byte{nil, []byte("garbage"), first[0][:20], append(bytes.Clone(first[0]), 0)} {
		if _, err := b.Apply(raw); err == nil {
			t.Errorf("took %x", raw)
		}
	}
	flipped := bytes.Clone(first[0])
	flipped[len(flipped)-1] ^= 1
	if _, err := b.Apply(first[0], flipped); err == nil {
		t.Error("took a flipped byte")
	}
	if b.Len() != 1 {
		t.Errorf("%d changes after refusals, want the genesis only", b.Len())
	}
	got, err = b.Apply(first[0], first[0], second[0])
	must(t, err)
	if len(got.New) != 2 {
		t.Errorf("applied %d, want 2", len(got.New))
	}
	if _, err := b.Apply(a.MustSave(t)); !errors.Is(err, gate.ErrDocument) {
		t.Errorf("a whole document: %v", err)
	}
	if _, err := b.Change(doc.Hash{}); !errors.Is(err, doc.ErrUnknownChange) {
		t.Errorf("unknown change: %v", err)
	}
}

func TestLoad(t *testing.T) {
	a := open(t, doc.ID{6})
	for i := range 20 {
		edit(t, a, func(tx *doc.Tx) error { return tx.Set(fmt.Sprintf("/k%d", i%3), i) })
	}
	for i := range 20 {
		edit(t, a, func(tx *doc.Tx) error { return tx.Text("t").Splice(i, 0, "é") })
	}
	changes := all(t, a)
	b, err := doc.Load(a.ID(), changes, rand.Reader)
	must(t, err)
	if !slices.Equal(a.Heads(), b.Heads()) {
		t.Error("other heads")
	}
	merge(t, a, b)
	if _, err := doc.Load(a.ID(), changes[1:], rand.Reader); err == nil {
		t.Error("loaded without the genesis")
	}
}

// An .automerge file made of a document gives the same changes back.
func TestSaved(t *testing.T) {
	a := open(t, doc.ID{6})
	edit(t, a, func(tx *doc.Tx) error { return tx.Set("", m{"l": []any{1, "x"}, "t": doc.Text("é")}) })
	saved, err := a.Save(nil)
	must(t, err)
	changes, err := doc.ReadSaved(saved, nil)
	must(t, err)
	b, err := doc.Load(a.ID(), changes, rand.Reader)
	must(t, err)
	if !slices.Equal(a.Heads(), b.Heads()) {
		t.Error("other heads")
	}
	if _, err := doc.ReadSaved([]byte("x"), nil); err == nil {
		t.Error("read what is no document")
	}
}

func TestMarksAreHidden(t *testing.T) {
	d := open(t, doc.ID{9})
	edit(t, d, func(tx *doc.Tx) error { return tx.SetName("shopping") })
	m, err := d.Marks()
	must(t, err)
	if want := (doc.Marks{App: "test", Name: "shopping", Layout: 1}); !reflect.DeepEqual(m, want) {
		t.Errorf("marks: %+v", m)
	}
	wantJSON(t, d, `{}`)
	for _, fn := range []func(*doc.Tx) error{
		func(tx *doc.Tx) error { return tx.Set("/$m", 1) },
		func(tx *doc.Tx) error { return tx.Set("/$m/app", "x") },
		func(tx *doc.Tx) error { return tx.Remove("/$m") },
		func(tx *doc.Tx) error { return tx.Put(map[string]any{"$m": 1}) },
		func(tx *doc.Tx) error { return tx.Patch([]byte(`[{"op":"add","path":"/$m","value":1}]`)) },
	} {
		if _, err := d.Edit(doc.Note{}, fn); err == nil {
			t.Error("the marks can be written")
		}
	}
	edit(t, d, func(tx *doc.Tx) error { return tx.Put(map[string]any{}) })
	if m, _ := d.Marks(); m.Name != "shopping" {
		t.Error("emptying the document took its name")
	}
}

func TestValuesThatCannotBeStored(t *testing.T) {
	d := open(t, doc.ID{10})
	deep := any("x")
	for range 1100 {
		deep = []any{deep}
	}
	for _, v := range []any{
		"\xff", doc.Text("\xff"),
		map[string]any{"": 1},
		map[string]any{"\xff": 1},
		map[float64]any{},
		make(chan int), 1i,
		doc.Unknown{},
		deep, time.Date(300000000, 1, 1, 0, 0, 0, 0, time.UTC),
		[]any{map[string]any{"a": "\xff"}},
	} {
		_, err := d.Edit(doc.Note{}, func(tx *doc.Tx) error { return tx.Set("/v", v) })
		if _, ok := errors.AsType[*doc.ValueError](err); !ok {
			t.Errorf("%T: %v", v, err)
		}
	}
	wantJSON(t, d, `{}`)
}

func TestPathErrors(t *testing.T) {
	d := open(t, doc.ID{11})
	edit(t, d, func(tx *doc.Tx) error {
		return tx.Put(map[string]any{"s": "x", "l": []any{1}, "t": doc.Text("abc"), "a/b~c": 1})
	})
	if v, err := d.Get("/a~1b~0c"); err != nil || v != int64(1) {
		t.Errorf("escaped key: %v, %v", v, err)
	}
	for _, fn := range []func(*doc.Tx) error{
		func(tx *doc.Tx) error { return tx.Set("/no/way", 1) },
		func(tx *doc.Tx) error { return tx.Set("/s/x", 1) },
		func(tx *doc.Tx) error { return tx.Set("/l/5", 1) },
		func(tx *doc.Tx) error { return tx.Set("/l/01", 1) },
		func(tx *doc.Tx) error { return tx.Set("/l/x", 1) },
		func(tx *doc.Tx) error { return tx.Set("/~2", 1) },
		func(tx *doc.Tx) error { return tx.Set("", 1) },
		func(tx *doc.Tx) error { return tx.Remove("") },
		func(tx *doc.Tx) error { return tx.Remove("/no") },
		func(tx *doc.Tx) error { return tx.Remove("/l/1") },
		func(tx *doc.Tx) error { return tx.Add("/s", 1) },
		func(tx *doc.Tx) error { return tx.List("s").Append(1) },
		func(tx *doc.Tx) error { return tx.List("l").Insert(2, 1) },
		func(tx *doc.Tx) error { return tx.List("l").Insert(-1, 1) },
		func(tx *doc.Tx) error { return tx.Text("l").Splice(0, 0, "x") },
		func(tx *doc.Tx) error { return tx.Text("t").Splice(4, 0, "x") },
		func(tx *doc.Tx) error { return tx.Text("t").Splice(-1, 0, "x") },
		func(tx *doc.Tx) error { return tx.Text("t").Splice(2, 2, "x") },
		func(tx *doc.Tx) error { return tx.Text("t").Splice(0, math.MaxInt, "x") },
	} {
		_, err := d.Edit(doc.Note{}, fn)
		if _, ok := errors.AsType[*doc.PathError](err); !ok {
			t.Errorf("got %v", err)
		}
	}
	wantJSON(t, d, `{"a/b~c":1,"l":[1],"s":"x","t":{"$text":"abc"}}`)
}

// Whatever two devices write and however they merge, they end with one value; and what a device just wrote it reads back.
func TestPutReadsBackAndMerges(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		a, b := open(t, doc.ID{12}), open(t, doc.ID{12})
		for range rapid.IntRange(1, 6).Draw(rt, "steps") {
			d := rapid.SampledFrom([]*doc.Doc{a, b}).Draw(rt, "device")
			v := genMap(2).Draw(rt, "value")
			edit(t, d, func(tx *doc.Tx) error { return tx.Put(v) })
			got, err := d.Get("")
			must(t, err)
			if !readsBack(got, v) {
				x, _ := doc.EncodeJSON(got)
				y, _ := doc.EncodeJSON(v)
				rt.Fatalf("read back %s\nwrote     %s", x, y)
			}
			if rapid.Bool().Draw(rt, "merge") {
				merge(t, a, b)
			}
		}
		merge(t, a, b)
	})
}

// readsBack says whether what was written is read: exactly, but that a text stays one under a plain string, and a counter under a
// whole number.
func readsBack(got, wrote any) bool {
	switch g := got.(type) {
	case doc.Text:
		if s, ok := wrote.(string); ok {
			return string(g) == s
		}
	case doc.Counter:
		if n, ok := wrote.(int64); ok {
			return int64(g) == n
		}
	case []any:
		w, ok := wrote.([]any)
		return ok && slices.EqualFunc(g, w, readsBack)
	case map[string]any:
		w, ok := wrote.(map[string]any)
		return ok && maps.EqualFunc(g, w, readsBack)
	}
	return doc.Equal(got, wrote)
}
