package doc_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"math"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"tombolo/doc"
)

type m = map[string]any

func set(path string, v any) func(*doc.Tx) error {
	return func(tx *doc.Tx) error { return tx.Set(path, v) }
}

func remove(path string) func(*doc.Tx) error {
	return func(tx *doc.Tx) error { return tx.Remove(path) }
}

// A transaction that is over writes nothing, not even the name.
func TestNameAfterTheEnd(t *testing.T) {
	d := open(t, doc.ID{1})
	var kept *doc.Tx
	edit(t, d, func(tx *doc.Tx) error { kept = tx; return nil })
	if err := kept.SetName("late"); err == nil {
		t.Error("the name was set after the end")
	}
	if m, _ := d.Marks(); m.Name != "" {
		t.Errorf("the name is %q", m.Name)
	}
}

// Taking the last element out of a container that was removed and came back leaves it empty, not away.
func TestRemovingFromWhatCameBack(t *testing.T) {
	a, b := open(t, doc.ID{1}), open(t, doc.ID{1})
	edit(t, a, set("", m{"l": []any{1}, "m": m{"k": 1}}))
	merge(t, a, b)
	edit(t, a, set("", m{}))
	edit(t, b, func(tx *doc.Tx) error { return tx.List("l").Append(2) })
	edit(t, b, set("/m/x", 1))
	merge(t, a, b)
	wantJSON(t, a, `{"l":[2],"m":{"x":1}}`)
	edit(t, a, remove("/l/0"))
	edit(t, a, remove("/m/x"))
	wantJSON(t, a, `{"l":[],"m":{}}`)
}

// What is hidden is not there: nothing can be written into it before it is made again, whatever kind it had.
func TestHiddenIsNotThere(t *testing.T) {
	d := open(t, doc.ID{1})
	edit(t, d, set("", m{"l": []any{1}, "m": m{"k": 1, "in": m{}}, "t": doc.Text("x")}))
	edit(t, d, set("", m{}))
	for _, fn := range []func(*doc.Tx) error{
		set("/m/k", 1),
		set("/m/in/k", 1),
		set("/l/-", 1),
		func(tx *doc.Tx) error { return tx.List("/m/l").Append(1) },
		func(tx *doc.Tx) error { return tx.Patch([]byte(`[{"op":"add","path":"/l/-","value":1}]`)) },
		func(tx *doc.Tx) error { return tx.Patch([]byte(`[{"op":"add","path":"/l/0","value":1}]`)) },
		func(tx *doc.Tx) error { return tx.Patch([]byte(`[{"op":"add","path":"/m/k","value":1}]`)) },
		func(tx *doc.Tx) error { return tx.Patch([]byte(`[{"op":"replace","path":"/l","value":1}]`)) },
	} {
		_, err := d.Edit(doc.Note{}, fn)
		if _, ok := errors.AsType[*doc.PathError](err); !ok {
			t.Errorf("got %v", err)
		}
	}
	wantJSON(t, d, `{}`)
	edit(t, d, func(tx *doc.Tx) error { return tx.Text("l").Splice(0, 0, "text") })
	edit(t, d, func(tx *doc.Tx) error { return tx.List("m").Append(1) })
	edit(t, d, set("/t", "plain"))
	wantJSON(t, d, `{"l":{"$text":"text"},"m":[1],"t":"plain"}`)
}

// A map that replaced another one holds what is written into it, deep or empty.
func TestReplacedMaps(t *testing.T) {
	d := open(t, doc.ID{1})
	edit(t, d, set("/x", m{"t": doc.Text("a"), "k": m{"l": []any{}}}))
	edit(t, d, remove("/x/t"))
	edit(t, d, remove("/x/k"))
	edit(t, d, set("/x", "scalar"))
	edit(t, d, set("/x", m{"t": doc.Text(""), "k": m{"l": []any{}}}))
	wantJSON(t, d, `{"x":{"k":{"l":[]},"t":{"$text":""}}}`)
	edit(t, d, set("/x/new", m{"deep": m{"er": []any{1}}}))
	edit(t, d, func(tx *doc.Tx) error { return tx.List("/x/list").Append("e") })
	wantJSON(t, d, `{"x":{"k":{"l":[]},"list":["e"],"new":{"deep":{"er":[1]}},"t":{"$text":""}}}`)
}

// Removing the first container needs the map of removed ones; that makes no second change of the edit.
func TestPutIsOneChange(t *testing.T) {
	for name, fn := range map[string]func(*doc.Tx) error{
		"put": set("", m{"z": 1, "new": []any{1}}),
		"set": set("/in", m{"z": 1, "new": []any{1}}),
		"patch": func(tx *doc.Tx) error {
			return tx.Patch([]byte(`[{"op":"replace","path":"/a","value":2},{"op":"remove","path":"/l"},{"op":"add","path":"/new","value":[1]}]`))
		},
	} {
		d := open(t, doc.ID{1})
		edit(t, d, set("", m{"a": 1, "in": m{"a": 1, "l": []any{1}}, "l": []any{1}}))
		e, err := d.Edit(doc.Note{Message: "mine"}, fn)
		must(t, err)
		mine := 0
		for _, c := range e.Changes {
			if bytes.Contains(c.Raw, []byte("mine")) {
				mine++
			}
		}
		if mine != 1 {
			t.Errorf("%s: %d changes", name, mine)
		}
	}
}

// In a document without genesis nothing can be hidden: what is removed is deleted.
func TestRemoveWithoutGenesis(t *testing.T) {
	d, err := doc.New(doc.ID{1}, rand.Reader)
	must(t, err)
	edit(t, d, set("", m{"l": []any{1}, "m": m{"k": []any{}}, "n": 1}))
	edit(t, d, remove("/l"))
	edit(t, d, set("", m{"n": 1}))
	wantJSON(t, d, `{"n":1}`)
}

func TestNumberEdges(t *testing.T) {
	d := open(t, doc.ID{1})
	edit(t, d, set("", m{"c": doc.Counter(1), "f": 0.0, "l": []any{0.0, doc.Counter(math.MinInt64)}}))
	edit(t, d, func(tx *doc.Tx) error {
		must(t, tx.Set("c", uint(8)))
		must(t, tx.Set("f", math.Copysign(0, -1)))
		must(t, tx.Set("/l/0", math.Copysign(0, -1)))
		return tx.Set("/l/1", math.MaxInt64)
	})
	wantJSON(t, d, `{"c":{"$counter":8},"f":-0.0,"l":[-0.0,{"$counter":{"$int":"9223372036854775807"}}]}`)
	edit(t, d, set("c", uint64(math.MaxUint64)))
	if v, _ := d.Get("c"); v != uint64(math.MaxUint64) {
		t.Errorf("c is %v", v)
	}
	if raws := edit(t, d, set("f", math.Copysign(0, -1))); len(raws) != 0 {
		t.Error("-0.0 over -0.0 is a change")
	}
}

// The zero time of a note is 1970, as its comment says.
func TestNoteWithoutTime(t *testing.T) {
	d := open(t, doc.ID{1})
	for _, at := range []time.Time{{}, noon, time.Unix(-1, 0)} {
		e, err := d.Edit(doc.Note{Time: at}, func(tx *doc.Tx) error { return tx.Set("n", at.Unix()) })
		must(t, err)
		want := at.Unix()
		if at.IsZero() {
			want = 0
		}
		if got := e.Changes[0].Time; got != want {
			t.Errorf("%v: the change says %d", at, got)
		}
	}
}

// A document nested as deep as it may be is written in reasonable time: it was the fourth power of the depth.
func TestDeepMaps(t *testing.T) {
	d := open(t, doc.ID{1})
	v := any(int64(1))
	for range 300 {
		v = m{"k": v}
	}
	start := time.Now()
	edit(t, d, set("", v))
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("it took %v", took)
	}
	got, err := d.Get("")
	must(t, err)
	if !doc.Equal(got, v) {
		t.Error("it reads something else")
	}
}

func TestHalfACharacter(t *testing.T) {
	for _, s := range []string{`"\ud800"`, `"\udc00x"`, `"\ud800\ud800"`, `"\ud83dx\ude00"`, `{"\uD800":1}`, `"\\\ud800"`, `"\ud800\\udc00"`} {
		if v, err := doc.DecodeJSON([]byte(s)); err == nil {
			t.Errorf("%s is read as %q", s, v)
		}
	}
	for s, want := range map[string]string{`"\ud83d\ude00"`: "😀", `"\\ud800"`: `\ud800`, `"\uFFFD"`: "\ufffd", `"a\"\u00e9"`: `a"é`} {
		if v, err := doc.DecodeJSON([]byte(s)); err != nil || v != want {
			t.Errorf("%s: %q, %v", s, v, err)
		}
	}
}

// RFC 6902 section 4.6 compares numbers by value.
func TestPatchTestsNumbersByValue(t *testing.T) {
	d := open(t, doc.ID{1})
	edit(t, d, set("", m{"f": 1.0, "i": 1, "l": []any{m{"x": 2.0}}, "c": doc.Counter(3), "big": uint64(math.MaxUint64)}))
	for patch, ok := range map[string]bool{
		`[{"op":"test","path":"/f","value":1},{"op":"test","path":"/i","value":1.0},{"op":"test","path":"/l","value":[{"x":2}]},{"op":"test","path":"/c","value":3}]`: true,
		`[{"op":"test","path":"/f","value":1.5}]`:                      false,
		`[{"op":"test","path":"/i","value":"1"}]`:                      false,
		`[{"op":"test","path":"/big","value":18446744073709551616.0}]`: false,
	} {
		raws := 0
		e, err := d.Edit(doc.Note{}, func(tx *doc.Tx) error { return tx.Patch([]byte(patch)) })
		if raws = len(e.Changes); (err == nil) != ok || raws != 0 {
			t.Errorf("%s: %v, %d changes", patch, err, raws)
		}
	}
}

// A patch happens as a whole or not at all, also where the function that applied it goes on after its error.
func TestHalfAPatch(t *testing.T) {
	d := open(t, doc.ID{1})
	edit(t, d, set("n", 1))
	for patch, ok := range map[string]bool{
		`[{"op":"replace","path":"/n","value":2},{"op":"remove","path":"/no"}]`: false,
		`[{"op":"remove","path":"/no"},{"op":"add","path":"/l","value":[]}]`:    true, // nothing was written before
		`[{"op":"test","path":"/n","value":2}]`:                                 true,
	} {
		_, err := d.Edit(doc.Note{}, func(tx *doc.Tx) error {
			tx.Patch([]byte(patch))
			return nil
		})
		if (err == nil) != ok {
			t.Errorf("%s: %v", patch, err)
		}
		wantJSON(t, d, `{"n":1}`)
	}
}

// A type of bytes is bytes, whatever its name; it was a list of numbers.
func TestNamedBytes(t *testing.T) {
	type blob []byte
	d := open(t, doc.ID{1})
	edit(t, d, set("b", blob{1, 2}))
	wantJSON(t, d, `{"b":{"$bytes":"AQI="}}`)
}

// What a message shows of a long value is whole characters.
func TestMessagesAreUTF8(t *testing.T) {
	d := open(t, doc.ID{1})
	edit(t, d, set("s", strings.Repeat("é", 100)))
	_, err := d.Edit(doc.Note{}, func(tx *doc.Tx) error { return tx.Patch([]byte(`[{"op":"test","path":"/s","value":1}]`)) })
	if err == nil || !utf8.ValidString(err.Error()) {
		t.Errorf("%q", err)
	}
}
