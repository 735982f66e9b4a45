package doc_test

import (
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"tombolo/doc"
	"tombolo/doc/core"
	"tombolo/doc/gate"
	"tombolo/doc/opset"
)

// user is a document with one user's stack.
type user struct {
	t fataler
	*doc.Doc
	u *doc.Undo
}

func newUser(t testing.TB) user { return user{t, open(t, doc.ID{7}), doc.NewUndo(0)} }

func (u user) edit(fn func(tx *doc.Tx) error) {
	u.t.Helper()
	e, err := u.Edit(doc.Note{Time: noon}, fn)
	must(u.t, err)
	u.u.Did(e)
}

func (u user) undo() doc.Edited {
	u.t.Helper()
	e, err := u.Doc.Undo(u.u, doc.Note{Message: "undo"})
	must(u.t, err)
	return e
}

func (u user) redo() doc.Edited {
	u.t.Helper()
	e, err := u.Doc.Redo(u.u, doc.Note{Message: "redo"})
	must(u.t, err)
	return e
}

// fill writes, or not, something of each kind at paths that genPath draws.
func fill(rt *rapid.T, d *doc.Doc) {
	start := map[string]any{
		"a": []any{[]any{1, doc.Text("abc")}, map[string]any{"a": doc.Counter(1), "b": []any{doc.Text("xyz")}}, "s", 5},
		"b": map[string]any{"a": map[string]any{"b": doc.Text("ab"), "0": nil}, "b": doc.Counter(2)},
		"é": doc.Text("one two"),
	}
	if rapid.Bool().Draw(rt, "filled") {
		_, err := d.Edit(doc.Note{}, func(tx *doc.Tx) error { return tx.Put(start) })
		must(rt, err)
	}
}

// One user alone: undo goes back to each value before, redo to each value after, in any order of both.
func TestUndoAlone(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		d, u := open(t, doc.ID{1}), doc.NewUndo(0)
		fill(rt, d)
		values, at := []string{jsonOf(rt, d)}, 0
		move := func(by int) {
			do := d.Undo // of the document as it is open now
			if by > 0 {
				do = d.Redo
			}
			e, err := do(u, doc.Note{})
			must(rt, err)
			at += by
			if len(e.Changes) == 0 { // a step without effect is gone for good
				values = slices.Delete(values, max(at, at-by), max(at, at-by)+1)
				at = min(at, at-by)
			}
			if got := jsonOf(rt, d); got != values[at] {
				rt.Fatalf("after step %d of %d by %d it is\n%s, was\n%s", at, len(values)-1, by, got, values[at])
			}
		}
		for range rapid.IntRange(1, 15).Draw(rt, "edits") {
			switch rapid.SampledFrom([]string{"edit", "edit", "edit", "edit", "undo", "undo", "redo", "reopen"}).Draw(rt, "what") {
			case "reopen":
				again, err := doc.Load(d.ID(), all(rt, d), rand.Reader)
				must(rt, err)
				must(rt, d.Close())
				d = again
			case "edit":
				e, err := d.Edit(doc.Note{Time: noon}, func(tx *doc.Tx) error {
					for range rapid.IntRange(1, 3).Draw(rt, "operations") {
						if err := undoable(rt, tx); err != nil {
							return err
						}
					}
					return nil
				})
				if err == nil && len(e.Changes) > 0 {
					u.Did(e)
					at++
					values = append(values[:at:at], jsonOf(rt, d))
				}
			case "undo":
				if u.CanUndo() {
					move(-1)
				}
			case "redo":
				if u.CanRedo() {
					move(1)
				}
			}
		}
		for range 2 {
			for u.CanUndo() {
				move(-1)
			}
			for u.CanRedo() {
				move(1)
			}
		}
		again, err := doc.Load(d.ID(), all(rt, d), zeros{})
		must(rt, err)
		if jsonOf(rt, again) != jsonOf(rt, d) {
			rt.Fatal("loaded again it differs")
		}
		agreesWithTheCore(rt, d)
	})
}

// agreesWithTheCore has the Rust core read the document: what was brought back is there as well.
func agreesWithTheCore(t fataler, d *doc.Doc) {
	t.Helper()
	c, err := core.FromChanges(all(t, d), core.Options{})
	must(t, err)
	defer c.Close()
	theirs, err := c.Value()
	must(t, err)
	s := opset.New()
	for _, raw := range all(t, d) {
		c, err := gate.Parse(raw)
		must(t, err)
		_, err = s.Add(c)
		must(t, err)
	}
	if ours := s.Now().Map(opset.Root); !doc.Equal(ours, theirs) {
		t.Fatalf("the core reads\n%v, here it is\n%v", theirs, ours)
	}
}

// What one user undoes never takes away what the other wrote, and all devices agree.
func TestUndoKeepsWhatOthersWrote(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		a, b := open(t, doc.ID{1}), open(t, doc.ID{1})
		u := doc.NewUndo(0)
		fill(rt, a)
		merge(rt, a, b)
		n := 0
		for range rapid.IntRange(1, 12).Draw(rt, "steps") {
			switch rapid.SampledFrom([]string{"a", "a", "b", "b", "undo", "merge"}).Draw(rt, "what") {
			case "a":
				e, err := a.Edit(doc.Note{}, func(tx *doc.Tx) error {
					for range rapid.IntRange(1, 3).Draw(rt, "operations") {
						if err := undoable(rt, tx); err != nil {
							return err
						}
					}
					return nil
				})
				if err == nil {
					u.Did(e)
				}
			case "b": // only adds, and only what nobody else writes
				n++
				path := genPath(0).Draw(rt, "path")
				mark := fmt.Sprintf("b%d", n)
				b.Edit(doc.Note{}, func(tx *doc.Tx) error {
					v, err := tx.Get(path)
					if err != nil {
						return err
					}
					switch v := v.(type) {
					case map[string]any:
						return tx.Set(path+"/"+mark, mark)
					case []any:
						return tx.List(path).Insert(rapid.IntRange(0, len(v)).Draw(rt, "at"), mark)
					case doc.Text:
						return tx.Text(path).Splice(0, 0, string(rune('一'+n)))
					}
					return nil
				})
			case "undo":
				do, can, redo := a.Undo, u.CanUndo(), false
				if rapid.Bool().Draw(rt, "again") {
					do, can, redo = a.Redo, u.CanRedo(), true
				}
				before := marksOf(jsonOf(rt, a), n)
				if !can {
					continue
				}
				_, err := do(u, doc.Note{})
				must(rt, err)
				if after := marksOf(jsonOf(rt, a), n); !redo { // a redo removes again what its user removed
					for _, m := range before {
						if !slices.Contains(after, m) {
							rt.Fatalf("undo took %q of the other user: %s", m, jsonOf(rt, a))
						}
					}
				}
			case "merge":
				merge(rt, a, b)
			}
		}
		merge(rt, a, b)
	})
}

// marksOf are those of the marks that the other user wrote that a value shows.
func marksOf(json string, n int) []string {
	var out []string
	for i := 1; i <= n; i++ {
		for _, m := range []string{fmt.Sprintf(`"b%d"`, i), string(rune('一' + i))} {
			if strings.Contains(json, m) {
				out = append(out, m)
			}
		}
	}
	return out
}

func TestUndoBesideOthers(t *testing.T) {
	set := func(path string, v any) func(*doc.Tx) error {
		return func(tx *doc.Tx) error { return tx.Set(path, v) }
	}
	remove := func(path string) func(*doc.Tx) error {
		return func(tx *doc.Tx) error { return tx.Remove(path) }
	}
	splice := func(at, del int, s string) func(*doc.Tx) error {
		return func(tx *doc.Tx) error { return tx.Text("t").Splice(at, del, s) }
	}
	add := func(by int64) func(*doc.Tx) error {
		return func(tx *doc.Tx) error { return tx.Add("n", by) }
	}
	for _, c := range []struct {
		name       string
		start      map[string]any
		mine       func(*doc.Tx) error
		theirs     func(*doc.Tx) error
		apart      bool // theirs does not know of mine
		done, undo string
		redo       string // "" for the same as done
	}{
		{"typing with somebody typing inside", map[string]any{"t": doc.Text("ab")}, splice(1, 0, "xyz"), splice(2, 0, "-"), false, `{"t":{"$text":"ax-yzb"}}`, `{"t":{"$text":"a-b"}}`, ""},
		{"deleting with somebody typing inside", map[string]any{"t": doc.Text("abcd")}, splice(1, 2, ""), splice(2, 0, "-"), true, `{"t":{"$text":"a-d"}}`, `{"t":{"$text":"ab-cd"}}`, ""},
		{"both delete the same", map[string]any{"t": doc.Text("abcd")}, splice(1, 2, ""), splice(1, 1, ""), true, `{"t":{"$text":"ad"}}`, `{"t":{"$text":"acd"}}`, ""},
		{"counter", map[string]any{"n": doc.Counter(10)}, add(5), add(2), true, `{"n":{"$counter":17}}`, `{"n":{"$counter":12}}`, ""},
		{"counter incremented after it was replaced", map[string]any{"n": doc.Counter(10)}, set("n", "x"), add(2), true, `{"n":"x"}`, `{"n":{"$counter":12}}`, ""},
		{"written over since", map[string]any{"k": 1}, set("k", 2), set("k", 3), false, `{"k":3}`, `{"k":3}`, ""},
		{"removed since", map[string]any{"k": 1}, set("k", 2), remove("k"), false, `{}`, `{}`, ""},
		{"removed by both", map[string]any{"k": 1}, remove("k"), remove("k"), true, `{}`, `{}`, ""},
		{"removed here, written there", map[string]any{"k": 1}, remove("k"), set("k", 3), true, `{"k":3}`, `{"k":3}`, ""},
		{"record deleted that another edited", map[string]any{"l": []any{map[string]any{"a": 1, "b": 1}}}, remove("/l/0"), set("/l/0/b", 2), true, `{"l":[]}`, `{"l":[{"a":1,"b":2}]}`, ""},
		{"table row deleted that another edited", map[string]any{"t": map[string]any{"r": map[string]any{"a": 1}}}, remove("/t/r"), set("/t/r/b", 2), true, `{"t":{"r":{"b":2}}}`, `{"t":{"r":{"a":1,"b":2}}}`, ""},
		{"new list with another's element", map[string]any{}, set("l", []any{"a"}), set("/l/-", "b"), false, `{"l":["a","b"]}`, `{"l":["b"]}`, ""},
		{"new record with another's key", map[string]any{"l": []any{}}, set("/l/-", map[string]any{"a": 1, "m": map[string]any{"c": 1}}), set("/l/0/m/b", 2), false, `{"l":[{"a":1,"m":{"b":2,"c":1}}]}`, `{"l":[{"m":{"b":2}}]}`, ""},
		{"new container", map[string]any{}, set("m", map[string]any{"x": []any{}}), set("k", 1), false, `{"k":1,"m":{"x":[]}}`, `{"k":1}`, ""},
		{"removed containers", map[string]any{"m": map[string]any{"x": []any{1, 2}}}, remove("m"), set("k", 1), true, `{"k":1}`, `{"k":1,"m":{"x":[1,2]}}`, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, b := newUser(t), newUser(t)
			edit(t, a.Doc, func(tx *doc.Tx) error { return tx.Put(c.start) })
			merge(t, a.Doc, b.Doc)
			a.edit(c.mine)
			if !c.apart {
				merge(t, a.Doc, b.Doc)
			}
			edit(t, b.Doc, c.theirs)
			merge(t, a.Doc, b.Doc)
			wantJSON(t, a.Doc, c.done)
			a.undo()
			wantJSON(t, a.Doc, c.undo)
			merge(t, a.Doc, b.Doc)
			if a.u.CanRedo() {
				a.redo()
			}
			wantJSON(t, a.Doc, c.done)
			merge(t, a.Doc, b.Doc)
			agreesWithTheCore(t, a.Doc)
		})
	}
}

// Of two values written apart one is shown; who undoes that one sees the other.
func TestUndoOfConflict(t *testing.T) {
	a, b := newUser(t), newUser(t)
	a.edit(func(tx *doc.Tx) error { return tx.Set("k", "a") })
	b.edit(func(tx *doc.Tx) error { return tx.Set("k", "b") })
	merge(t, a.Doc, b.Doc)
	shown, other := a, "b"
	if v, _ := a.Get("k"); v == "b" {
		shown, other = b, "a"
	}
	shown.undo()
	wantJSON(t, shown.Doc, `{"k":"`+other+`"}`)
	merge(t, a.Doc, b.Doc)
	if cs, err := a.Conflicts("k"); err != nil || len(cs) != 1 {
		t.Errorf("%v, %v", cs, err)
	}
	shown.redo()
	merge(t, a.Doc, b.Doc)
	if v, _ := a.Get("k"); v == other {
		t.Error("redo has no effect")
	}
}

// Two users who deleted the same and both want it back get it once.
func TestUndoByBoth(t *testing.T) {
	a, b := newUser(t), newUser(t)
	edit(t, a.Doc, func(tx *doc.Tx) error { return tx.Put(map[string]any{"t": doc.Text("abc"), "l": []any{1, 2, 3}}) })
	merge(t, a.Doc, b.Doc)
	for _, u := range []user{a, b} {
		u.edit(func(tx *doc.Tx) error {
			return errors.Join(tx.Text("t").Splice(1, 1, ""), tx.List("l").Delete(1, 1))
		})
	}
	a.undo() // before they meet
	b.undo()
	merge(t, a.Doc, b.Doc)
	wantJSON(t, a.Doc, `{"l":[1,2,3],"t":{"$text":"abc"}}`)
}

func TestUndoSteps(t *testing.T) {
	d := open(t, doc.ID{1})
	u := doc.NewUndo(2)
	if _, err := d.Undo(u, doc.Note{}); !errors.Is(err, doc.ErrNoStep) {
		t.Errorf("an empty stack: %v", err)
	}
	if _, err := d.Redo(u, doc.Note{}); !errors.Is(err, doc.ErrNoStep) {
		t.Errorf("an empty stack: %v", err)
	}
	u.Did(doc.Edited{})
	if u.CanUndo() || u.CanRedo() {
		t.Error("an edit without changes is a step")
	}
	var joined doc.Edited
	for i := range 4 {
		e, err := d.Edit(doc.Note{}, func(tx *doc.Tx) error { return tx.Set("k", i) })
		must(t, err)
		if i < 2 {
			u.Did(e)
		} else {
			joined.Changes = append(joined.Changes, e.Changes...)
		}
	}
	u.Did(joined)
	for _, want := range []string{`{"k":1}`, `{"k":0}`} {
		_, err := d.Undo(u, doc.Note{})
		must(t, err)
		wantJSON(t, d, want)
	}
	if u.CanUndo() || !u.CanRedo() {
		t.Error("the oldest step should have been dropped for the limit")
	}
	_, err := d.Redo(u, doc.Note{})
	must(t, err)
	e, err := d.Edit(doc.Note{}, func(tx *doc.Tx) error { return tx.Set("k", "new") })
	must(t, err)
	if u.Did(e); u.CanRedo() {
		t.Error("a new edit leaves a redo")
	}
	if _, err := open(t, doc.ID{1}).Undo(u, doc.Note{}); !errors.Is(err, doc.ErrUnknownChange) || !u.CanUndo() {
		t.Errorf("another document: %v", err)
	}
	must(t, d.Close())
	if _, err := d.Undo(u, doc.Note{}); !errors.Is(err, doc.ErrClosed) || !u.CanUndo() {
		t.Errorf("closed: %v", err)
	}
}

func TestTakeBack(t *testing.T) {
	d := open(t, doc.ID{1})
	edit(t, d, func(tx *doc.Tx) error { return tx.Put(map[string]any{"a": 1, "l": []any{"x"}}) })
	edit(t, d, func(tx *doc.Tx) error {
		return errors.Join(tx.Set("a", 2), tx.Set("/l/0", "y"), tx.List("l").Append("z"))
	})
	taken := d.Heads()[0]
	edit(t, d, func(tx *doc.Tx) error { return tx.Set("a", 3) })
	e, err := d.TakeBack(doc.Note{Message: "take back"}, taken)
	must(t, err)
	wantJSON(t, d, `{"a":3,"l":["x"]}`)
	if len(e.Changes) != 1 || e.Changes[0].Message != "take back" {
		t.Errorf("%v", e.Changes)
	}
	for _, nothing := range [][]doc.Hash{nil, {gate.HashOf(doc.Genesis(d.ID(), "test"))}} {
		e, err := d.TakeBack(doc.Note{}, nothing...)
		if must(t, err); len(e.Changes) > 0 {
			t.Errorf("%v taken back by %v", nothing, e.Changes)
		}
	}
	wantJSON(t, d, `{"a":3,"l":["x"]}`)
	if _, err := d.TakeBack(doc.Note{}, doc.Hash{1}); !errors.Is(err, doc.ErrUnknownChange) {
		t.Errorf("an unknown change: %v", err)
	}
}

// An element that was removed from a list before the list was comes back in the copy of the list, in its place.
func TestUndoInACopy(t *testing.T) {
	for _, path := range []string{"/in/0", "/in/0/k"} {
		u := newUser(t)
		var inner any = []any{"a", "b", "c", []any{"d"}}
		if path != "/in/0" {
			inner = map[string]any{"k": inner}
		}
		u.edit(func(tx *doc.Tx) error { return tx.Set("in", []any{inner}) })
		start, err := u.Doc.JSON("")
		must(t, err)
		u.edit(func(tx *doc.Tx) error { return tx.List(path).Delete(3, 1) })
		u.edit(func(tx *doc.Tx) error { return tx.List(path).Delete(1, 1) })
		u.edit(func(tx *doc.Tx) error { return tx.List(path).Delete(0, 1) })
		last, err := u.Doc.JSON("")
		must(t, err)
		u.edit(func(tx *doc.Tx) error { return tx.Remove("/in/0") })
		for range 4 {
			u.undo()
		}
		wantJSON(t, u.Doc, string(start))
		for range 3 {
			u.redo()
		}
		wantJSON(t, u.Doc, string(last))
		u.redo()
		wantJSON(t, u.Doc, `{"in":[]}`)
		agreesWithTheCore(t, u.Doc)
	}
}
