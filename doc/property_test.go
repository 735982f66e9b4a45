package doc_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"tombolo/doc"
)

// k keys that differ take k operations, of n that a map or struct has.
func TestFewOperationsForFields(t *testing.T) {
	type inner struct{ A, B, C int64 }
	type outer struct {
		A, B, C int64
		In      inner
		Opt     *string
		Times   []inner
	}
	draw := func(rt *rapid.T, was outer) (next outer, k int) {
		next = was
		next.Times = slices.Clone(was.Times)
		fields := []*int64{&next.A, &next.B, &next.C, &next.In.A, &next.In.B, &next.In.C}
		for i := range next.Times {
			fields = append(fields, &next.Times[i].A, &next.Times[i].B, &next.Times[i].C)
		}
		for _, f := range fields {
			if rapid.IntRange(0, 3).Draw(rt, "change") == 0 {
				*f, k = *f+1, k+1
			}
		}
		if rapid.Bool().Draw(rt, "opt") {
			s := rapid.StringN(0, 3, -1).Draw(rt, "s")
			if next.Opt = &s; was.Opt == nil || *was.Opt != s {
				k++
			}
		}
		return next, k
	}
	scalar := rapid.SampledFrom([]any{nil, true, false, int64(1), int64(2), 1.5, "", "x", []byte{1}, noon})
	flat := rapid.MapOfN(rapid.StringMatching("[a-h]"), scalar, 0, 8)
	rapid.Check(t, func(rt *rapid.T) {
		d := open(t, doc.ID{1})
		v := outer{Times: []inner{{A: 100}, {A: 200}, {A: 300}}}
		operations(rt, d, "v", v)
		m := flat.Draw(rt, "map")
		operations(rt, d, "m", m)
		for range 3 {
			next, k := draw(rt, v)
			if n := operations(rt, d, "v", next); n != k {
				rt.Fatalf("%d operations for %d fields: %+v to %+v", n, k, v, next)
			}
			v = next

			other, differ := flat.Draw(rt, "next map"), 0
			for key := range other {
				if old, ok := m[key]; !ok || !doc.Equal(old, other[key]) {
					differ++
				}
			}
			for key := range m {
				if _, ok := other[key]; !ok {
					differ++
				}
			}
			if n := operations(rt, d, "m", other); n != differ {
				rt.Fatalf("%d operations for %d keys: %v to %v", n, differ, m, other)
			}
			m = other
		}
	})
}

// changed draws k insertions, deletions and (where fresh has them) replacements in a sequence of different elements.
func changed[E any](rt *rapid.T, seq []E, replace bool, fresh func() E) (out []E, k int) {
	out = slices.Clone(seq)
	for k = range rapid.IntRange(1, 8).Draw(rt, "edits") {
		at := rapid.IntRange(0, len(out)).Draw(rt, "at")
		switch op := rapid.IntRange(0, 2).Draw(rt, "edit"); {
		case at == len(out) || op == 0:
			out = slices.Insert(out, at, fresh())
		case op == 1 || !replace:
			out = slices.Delete(out, at, at+1)
		default:
			out[at] = fresh()
		}
	}
	return out, k + 1
}

// k elements inserted, deleted or replaced in a list take at most k operations, likewise k characters inserted or deleted in a text: whatever
// the length.
func TestFewOperationsForSequences(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		d := open(t, doc.ID{1})
		next := 0
		list := make([]int, rapid.IntRange(0, 60).Draw(rt, "length"))
		fresh := func() int { next++; return next }
		for i := range list {
			list[i] = fresh()
		}
		text := []rune(rapid.StringOfN(rapid.RuneFrom([]rune("ab é😀")), 0, 60, -1).Draw(rt, "text"))
		operations(rt, d, "list", list)
		operations(rt, d, "text", doc.Text(text))
		for range 3 {
			other, k := changed(rt, list, true, fresh)
			if n := operations(rt, d, "list", other); n > k {
				rt.Fatalf("%d operations for %d edits: %v to %v", n, k, list, other)
			}
			list = other
			body, k := changed(rt, text, false, func() rune { return rapid.RuneFrom([]rune("abxé😀")).Draw(rt, "rune") })
			if n := operations(rt, d, "text", string(body)); n > k {
				rt.Fatalf("%d operations for %d edits: %q to %q", n, k, string(text), string(body))
			}
			text = body
			if got, err := doc.Get[[]int](d, "list"); err != nil || !slices.Equal(got, list) {
				rt.Fatalf("the list is %v, %v; want %v", got, err, list)
			}
			if got, err := doc.Get[string](d, "text"); err != nil || got != string(text) {
				rt.Fatalf("the text is %q, %v; want %q", got, err, string(text))
			}
		}
	})
}

// In whatever order the changes of three devices come, once or again, the same value comes of it.
func TestMergeCommutes(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		docs := []*doc.Doc{open(t, doc.ID{1}), open(t, doc.ID{1}), open(t, doc.ID{1})}
		for range rapid.IntRange(1, 10).Draw(rt, "edits") {
			d := rapid.SampledFrom(docs).Draw(rt, "device")
			d.Edit(doc.Note{Time: noon}, func(tx *doc.Tx) error { // that it may fail is another test's business
				for range rapid.IntRange(1, 3).Draw(rt, "operations") {
					step(rt, tx) // and so is this
				}
				return nil
			})
			if rapid.IntRange(0, 3).Draw(rt, "merge") == 0 {
				_, err := d.Apply(all(rt, rapid.SampledFrom(docs).Draw(rt, "from"))...)
				must(rt, err)
			}
		}
		var changes [][][]byte
		for _, d := range docs {
			changes = append(changes, all(rt, d))
		}
		var want string
		for i, order := range [][]int{{0, 1, 2}, {2, 1, 0}, {1, 0, 2, 1, 0}, {0, 2, 1}} {
			d := open(t, doc.ID{1})
			for _, at := range order {
				applied, err := d.Apply(changes[at]...)
				if err != nil || len(applied.Missing) > 0 {
					rt.Fatalf("in order %v: %v, %v", order, applied.Missing, err)
				}
			}
			if got := jsonOf(rt, d) + fmt.Sprint(d.Heads()); i == 0 {
				want = got
			} else if got != want {
				rt.Fatalf("in order %v it is\n%s, not\n%s", order, got, want)
			}
		}
	})
}

// What changed in one document, written as a JSON Patch with splices for its texts, makes the same changes in another one.
func TestPatchesAsJSONPatch(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		a := open(t, doc.ID{1})
		operations(rt, a, "", genTreeMap(2).Draw(rt, "start"))
		b, err := doc.Load(a.ID(), all(rt, a), sevens{})
		must(rt, err)
		for range rapid.IntRange(1, 3).Draw(rt, "edits") {
			seen := a.Len()
			a.Edit(doc.Note{}, func(tx *doc.Tx) error { // that it may fail is another test's business
				for range rapid.IntRange(1, 4).Draw(rt, "operations") {
					step(rt, tx) // and so is this
				}
				return nil
			})
			patches, _, err := a.PatchesSince(seen)
			must(rt, err)
			_, err = b.Edit(doc.Note{}, func(tx *doc.Tx) error {
				for _, p := range patches {
					if err := asJSONPatch(tx, p); err != nil {
						return fmt.Errorf("%v: %w", p, err)
					}
				}
				return nil
			})
			must(rt, err)
			if have, want := tree(rt, b), tree(rt, a); !readsBack(have, want) {
				rt.Fatalf("patches %v\ngive %v\nwant %v", patches, have, want)
			}
		}
	})
}

func asJSONPatch(tx *doc.Tx, p doc.Patch) error {
	if p.Kind == doc.PatchSplice {
		return tx.Text(p.Path.String()).Splice(p.At, utf8.RuneCountInString(string(p.Old.(doc.Text))), string(p.New.(doc.Text)))
	}
	path, err := doc.EncodeJSON(p.Path.String())
	if err != nil {
		return err
	}
	v, err := doc.EncodeJSON(p.New)
	if err != nil {
		return err
	}
	return tx.Patch(fmt.Appendf(nil, `[{"op":%q,"path":%s,"value":%s}]`, p.Kind, path, v))
}

// An edit that fails or panics leaves no trace, to the byte: what is written afterwards is what a document writes that never saw it.
func TestFailedEditsLeaveNoTrace(t *testing.T) {
	boom := errors.New("boom")
	rapid.Check(t, func(rt *rapid.T) {
		d, twin := open(t, doc.ID{1}), open(t, doc.ID{1})
		for _, p := range []**doc.Doc{&d, &twin} {
			same, err := doc.Load(doc.ID{1}, all(rt, *p), sevens{}) // with one actor: they never meet
			must(rt, err)
			*p = same
		}
		for range rapid.IntRange(1, 5).Draw(rt, "edits") {
			v := genTreeMap(2).Draw(rt, "value")
			for _, p := range []*doc.Doc{d, twin} {
				_, err := p.Edit(doc.Note{Time: noon}, func(tx *doc.Tx) error { return tx.Put(v) })
				must(rt, err)
			}
			panics := rapid.Bool().Draw(rt, "panics")
			func() {
				defer func() {
					if r := recover(); (r != nil) != panics || r != nil && r != boom {
						panic(r)
					}
				}()
				_, err := d.Edit(doc.Note{Time: noon}, func(tx *doc.Tx) error {
					for range rapid.IntRange(1, 4).Draw(rt, "operations") {
						step(rt, tx) // whether it can be done or not
					}
					if panics {
						panic(boom)
					}
					return boom
				})
				if !errors.Is(err, boom) {
					rt.Fatal(err)
				}
			}()
			if !slices.EqualFunc(all(rt, d), all(rt, twin), bytes.Equal) || jsonOf(rt, d) != jsonOf(rt, twin) || d.Len() != twin.Len() {
				rt.Fatalf("the failed edit left something:\n%s\n%s", jsonOf(rt, d), jsonOf(rt, twin))
			}
		}
	})
}
