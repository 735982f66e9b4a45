package doc_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"tombolo/doc"
)

// genPath draws paths that often meet: few keys, some of them awkward, indexes and "-".
func genPath(least int) *rapid.Generator[string] {
	token := rapid.SampledFrom([]string{"a", "b", "a/b", "~", "é", "0", "1", "-", "$text"})
	return rapid.Map(rapid.SliceOfN(token, least, 3), func(p []string) string { return doc.Pointer(p).String() })
}

// genTree draws values that hold few keys, so that kinds replace each other.
func genTree(depth int) *rapid.Generator[any] {
	leaf := rapid.SampledFrom([]any{nil, true, int64(1), int64(-7), uint64(1 << 63), 0.0, 1.5, "", "x", "ab😀c", doc.Text(""), doc.Text("ab😀c"), doc.Counter(0), doc.Counter(5), []byte{}, noon})
	if depth == 0 {
		return leaf
	}
	inner := rapid.Deferred(func() *rapid.Generator[any] { return genTree(depth - 1) })
	return rapid.OneOf(leaf, rapid.SliceOfN(inner, 0, 3).AsAny(), rapid.Map(genTreeMap(depth-1), func(m map[string]any) any { return m }))
}

func genTreeMap(depth int) *rapid.Generator[map[string]any] {
	return rapid.MapOfN(rapid.SampledFrom([]string{"a", "b", "a/b", "~", "é", "0", "-", "$text"}), genTree(depth), 0, 3)
}

// step is one operation of a transaction, with what must read back afterwards.
func step(rt *rapid.T, tx *doc.Tx) error {
	if rapid.IntRange(0, 7).Draw(rt, "seed") > 0 {
		return undoable(rt, tx)
	}
	path, v := genPath(0).Draw(rt, "path"), genTree(2).Draw(rt, "value")
	_, nothing := tx.Get(path)
	if err := tx.Seed(path, v); err != nil || nothing == nil {
		return err // where it is there already, it may have been written to
	}
	return reads(rt, tx, path, v)
}

// undoable is step for what an undo takes back.
func undoable(rt *rapid.T, tx *doc.Tx) error {
	path := genPath(0).Draw(rt, "path")
	switch op := rapid.SampledFrom([]string{"set", "set", "put", "remove", "add", "replace", "append", "insert", "splice", "inc", "name"}).Draw(rt, "op"); op {
	case "set", "put":
		v := genTree(2).Draw(rt, "value")
		if op == "put" {
			path, v = "", any(genTreeMap(2).Draw(rt, "map"))
		}
		if err := tx.Set(path, v); err != nil {
			return err
		}
		if p, err := doc.ParsePointer(path); err != nil || len(p) > 0 && p[len(p)-1] == "-" {
			return err // it may have appended
		}
		return reads(rt, tx, path, v)
	case "remove":
		if err := tx.Remove(path); err != nil {
			return err
		}
		p, _ := doc.ParsePointer(path)
		parent, err := tx.Get(p[:len(p)-1].String())
		if err != nil {
			rt.Fatalf("after removing %s what held it is away: %v", path, err)
		}
		if m, ok := parent.(map[string]any); ok && m[p[len(p)-1]] != nil {
			rt.Fatalf("%s was removed and is there", path)
		}
		return nil
	case "add", "replace":
		b, err := doc.EncodeJSON(genTree(1).Draw(rt, "value"))
		if err != nil {
			rt.Fatal(err)
		}
		name, _ := doc.EncodeJSON(path)
		_, before := tx.Get(path)
		err = tx.Patch(fmt.Appendf(nil, `[{"op":%q,"path":%s,"value":%s}]`, op, name, b))
		if op == "replace" && before != nil && err == nil {
			rt.Fatalf("replaced nothing at %s", path)
		}
		return err
	case "append":
		return tx.List(path).Append(genTree(1).Draw(rt, "value"))
	case "insert":
		return tx.List(path).Insert(rapid.IntRange(-1, 3).Draw(rt, "at"), genTree(1).Draw(rt, "value"))
	case "splice":
		return tx.Text(path).Splice(rapid.IntRange(-1, 4).Draw(rt, "at"), rapid.IntRange(0, 3).Draw(rt, "del"), rapid.SampledFrom([]string{"", "x", "é😀"}).Draw(rt, "text"))
	case "inc":
		return tx.Add(path, rapid.Int64().Draw(rt, "by"))
	}
	return tx.SetName("n")
}

// reads compares what reads back with what was written.
func reads(rt *rapid.T, tx *doc.Tx, path string, want any) error {
	got, err := tx.Get(path)
	if err != nil {
		rt.Fatalf("%s was written and cannot be read: %v", path, err)
	}
	if !readsBack(got, want) {
		x, _ := doc.EncodeJSON(got)
		y, _ := doc.EncodeJSON(want)
		rt.Fatalf("at %q\nwrote %s\nread  %s", path, y, x)
	}
	return nil
}

// Whatever is written, in whatever order two devices merge: no panic, a failed edit leaves no trace, what was written reads back,
// and equal heads are equal values. A document loaded from its changes is the same as well.
func TestEverythingAtOnce(t *testing.T) {
	boom := errors.New("boom")
	rapid.Check(t, func(rt *rapid.T) {
		a, b := open(t, doc.ID{1}), open(t, doc.ID{1})
		for range rapid.IntRange(1, 12).Draw(rt, "edits") {
			d := rapid.SampledFrom([]*doc.Doc{a, b}).Draw(rt, "device")
			before, heads := jsonOf(rt, d), d.Heads()
			_, err := d.Edit(doc.Note{Time: noon}, func(tx *doc.Tx) error {
				for range rapid.IntRange(1, 3).Draw(rt, "operations") {
					if err := step(rt, tx); err != nil {
						return err
					}
				}
				if rapid.IntRange(0, 9).Draw(rt, "fail") == 0 {
					return boom
				}
				return nil
			})
			if err != nil && (jsonOf(rt, d) != before || !slices.Equal(d.Heads(), heads)) {
				rt.Fatalf("a failed edit (%v) changed\n%s to\n%s", err, before, jsonOf(rt, d))
			}
			if pe, ok := errors.AsType[*doc.PathError](err); err != nil && !ok && !errors.Is(err, boom) {
				rt.Fatalf("an error of another kind: %v (%v)", err, pe)
			}
			if rapid.IntRange(0, 3).Draw(rt, "merge") == 0 {
				merge(rt, a, b)
			}
		}
		merge(rt, a, b)
		again, err := doc.Load(a.ID(), all(rt, a), zeros{})
		if err != nil || jsonOf(rt, again) != jsonOf(rt, a) {
			rt.Fatalf("loaded again it differs: %v", err)
		}
	})
}

// zeros is the source of the actor of a document that writes nothing.
type zeros struct{}

func (zeros) Read(b []byte) (int, error) { clear(b); return len(b), nil }

func jsonOf(rt *rapid.T, d *doc.Doc) string {
	b, err := d.JSON("")
	if err != nil {
		rt.Fatal(err)
	}
	return string(b)
}
