package schema_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"tombolo/doc"
	"tombolo/schema"
)

// oneWay counts words in its version 2, from which there is no way back.
func oneWay(t testing.TB) (*schema.Schema, func(int) *schema.View[object]) {
	return small(t,
		schema.V(1, schema.Object(schema.Root, schema.String("text"), schema.Int("n"), schema.Text("prose"))),
		schema.V(2, schema.Map(schema.Root, "text", "length", schema.Lens[string, int]{
			Rev: 1,
			Up:  func(old string, _ *int) (int, error) { return len(old), nil },
		}), schema.RequireWriter(2)),
		schema.V(3, schema.Add(schema.Root, schema.Int("m"))))
}

// TestCase22OldWriterOffline: a version that may not write any more reads on; what it wrote before it knew is taken over by the newer ones.
func TestCase22OldWriterOffline(t *testing.T) {
	s, v := oneWay(t)
	old := s.At(1)
	a, b := docOf(t, 1), docOf(t, 2)
	set(t, v(1), a, "text", "four")
	share(t, a, b)
	set(t, v(2), b, "n", int64(1))
	if m, _ := b.Marks(); m.MinWriter != 2 {
		t.Fatalf("the first edit by version 2 did not require it: %+v", m)
	}
	set(t, v(1), a, "text", "eleven char", "n", int64(2)) // the marker has not arrived
	if st, err := old.Inspect(a); err != nil || !st.Writable || st.Why != nil {
		t.Error("before the marker: ", st, err)
	}
	share(t, a, b)
	for _, d := range []*doc.Doc{a, b} {
		if got := get(t, v(2), d, "length"); got != int64(11) {
			t.Errorf("version 2 shows %v of what version 1 wrote meanwhile", got)
		}
	}
	unchanged(t, a, "version 1", func() {
		o, report, err := v(1).Read(a)
		if err != nil || !report.Stale || o["text"] != "eleven char" {
			t.Error("version 1 reads", o, report, err)
		}
		if _, report, _ := v(2).Read(a); report.Stale {
			t.Error("version 2 is told that it is stale")
		}
		ctx, d := context.Background(), schema.Of(a, nil)
		_, settled := old.Settle(ctx, d)
		for what, err := range map[string]error{
			"Update": trySet(v(1), a, "n", int64(3)), "Splice": v(1).Text(d, "prose").Splice(ctx, 0, 0, "x"), "Settle": settled,
		} {
			e, ok := errors.AsType[*schema.VersionError](err)
			if !ok || *e != (schema.VersionError{Have: 1, Need: 2}) || !errors.Is(err, schema.ErrNewerWriter) {
				t.Errorf("%s by version 1 gives %v", what, err)
			}
		}
		st, err := old.Inspect(a)
		if err != nil || st.Writable || st.Seen != 2 || st.MinWriter != 2 || st.Have != 1 || !errors.Is(st.Why, schema.ErrNewerWriter) {
			t.Error("Inspect says", st, err)
		}
	})
	set(t, v(2), a, "length", int64(3))
	set(t, v(3), b, "m", int64(1))
	share(t, a, b)
	if one, two := get(t, v(1), a, "text"), get(t, v(2), b, "length"); one != "eleven char" || two != int64(3) {
		t.Errorf("after an edit by version 2: version 1 shows %v, version 2 %v", one, two)
	}
	sameViews(t, s, a, b)
}

// forks are two definitions of version 2, the second with a version 3.
func forks() (ours, theirs *schema.Schema) {
	v1 := schema.V(1, schema.Object(schema.Root, schema.String("x"), schema.Int("n")))
	return schema.MustNew(app, v1, schema.V(2, schema.Rename(schema.Root, "x", "y"))),
		schema.MustNew(app, v1, schema.V(2, schema.Rename(schema.Root, "x", "z")), schema.V(3, schema.Add(schema.Root, schema.Int("m"))))
}

// TestCase23TwoDefinitions: a document that was written with another definition of a version is read, passed on, and not written.
func TestCase23TwoDefinitions(t *testing.T) {
	ours, theirs := forks()
	for by, writer := range map[int]*schema.Schema{2: theirs.At(2), 3: theirs} {
		a, b := docOf(t, 1), docOf(t, 2)
		set(t, whole(t, ours, 1), a, "x", "hello")
		share(t, a, b)
		set(t, whole(t, writer, by), b, "n", int64(7))
		share(t, a, b)
		unchanged(t, a, "our version 2", func() {
			o, _, err := whole(t, ours, 2).Read(a)
			if err != nil || o["y"] != "hello" || o["n"] != int64(7) {
				t.Error("reading gives", o, err)
			}
			ctx, d := context.Background(), schema.Of(a, nil)
			_, settled := ours.Settle(ctx, d)
			for what, err := range map[string]error{"Update": trySet(whole(t, ours, 2), a, "n", int64(1)), "Settle": settled} {
				e, ok := errors.AsType[*schema.ForkedError](err)
				if !ok || !errors.Is(err, schema.ErrForked) || e.Version != 2 {
					t.Fatalf("written by version %d: %s gives %v", by, what, err)
				}
				if e.Ours != fmt.Sprintf("%x", ours.Fingerprint(2)) || e.Theirs != fmt.Sprintf("%x", theirs.Fingerprint(2)) {
					t.Errorf("the error names %s and %s", e.Ours, e.Theirs)
				}
			}
			st, err := ours.Inspect(a)
			if err != nil || st.Writable || !slices.Equal(st.Forked, []int{2}) || st.Seen != by {
				t.Error("Inspect says", st, err)
			}
		})
		set(t, whole(t, ours, 1), a, "x", "version 1 is the same for both")
		set(t, whole(t, writer, by), b, "n", int64(8))
		share(t, a, b)
		if got := get(t, whole(t, writer, by), b, "z"); got != "version 1 is the same for both" {
			t.Error("the other program shows", got)
		}
		if got := get(t, whole(t, ours, 2), a, "n"); got != int64(8) {
			t.Error("ours shows", got)
		}
	}
}

// TestCase23BothWrote: where both definitions wrote before they met, both programs read all of it, neither writes, and changes go on to pass.
func TestCase23BothWrote(t *testing.T) {
	ours, theirs := forks()
	a, b := docOf(t, 1), docOf(t, 2)
	set(t, whole(t, ours, 2), a, "y", "left")
	set(t, whole(t, theirs, 3), b, "n", int64(3))
	share(t, a, b)
	for s, d := range map[*schema.Schema]*doc.Doc{ours: a, theirs: b} {
		unchanged(t, d, "a forked version", func() {
			if err := trySet(whole(t, s, 2), d, "n", int64(1)); !errors.Is(err, schema.ErrForked) {
				t.Error(err)
			}
		})
	}
	marks, err := a.Marks()
	if err != nil {
		t.Fatal(err)
	}
	writers := schema.Written(marks)
	want(t, "written by", writers, []schema.Writer{
		{Version: 2, Print: ours.Fingerprint(2), Forked: true}, {Version: 3, Print: theirs.Fingerprint(3)},
	})
	if get(t, whole(t, ours, 2), b, "n") != int64(3) || get(t, whole(t, theirs, 3), a, "z") != "left" {
		t.Error("the two do not read each other")
	}
	set(t, whole(t, ours, 1), a, "n", int64(4))
	if c := copyOf(t, a, 9); hashOf(t, c) != hashOf(t, a) {
		t.Error("a third device holds something else")
	}
}

// TestCase24OldPeer: a device of version 1 that loads, edits, stores and passes on what version 3 wrote takes nothing away from it.
func TestCase24OldPeer(t *testing.T) {
	a := everyPlace(t, issues())
	before, _, err := view3.Read(a)
	if err != nil {
		t.Fatal(err)
	}
	old := issues().At(1)
	v1 := schema.MustBind[issue1](old, 1)
	b := copyOf(t, a, 5)
	stored, err := b.Get("")
	if err != nil {
		t.Fatal(err)
	}
	update(t, v1, b, func(i *issue1) {
		i.Color, i.Title, i.Tags, i.Votes, i.Settings.Theme = "red", "Bug!", append(i.Tags, "z"), i.Votes+1, "light"
		i.Todos["t1"], i.Todos["t3"] = todo1{Text: "look!", Ticked: true}, todo1{Text: "new"}
	})
	now, err := b.Get("")
	if err != nil {
		t.Fatal(err)
	}
	for key, v := range stored.(map[string]any) {
		switch key {
		case "color", "title", "tags", "votes", "settings", "todos":
		default:
			if !doc.Equal(v, now.(map[string]any)[key]) {
				t.Errorf("version 1 changed %s from %v to %v", key, v, now.(map[string]any)[key])
			}
		}
	}
	c := copyOf(t, copyOf(t, b, 6), 7) // stored and passed on
	before.Name, before.Tags, before.Votes, before.Theme = "Bug!", append(before.Tags, "z"), before.Votes+1, "light"
	before.Todos["t1"], before.Todos["t3"] = todo3{Text: "look!", Ticked: true, Notes: "twice"}, todo3{Text: "new"}
	want(t, "version 3", read(t, view3, c), before)
}

// TestCase30Downgrade: one device goes from version 3 to 1 and back, and each version edits.
func TestCase30Downgrade(t *testing.T) {
	s := issues()
	d := everyPlace(t, s)
	seen := shownBy(t, s, 3, d)
	unchanged(t, d, "going down and up", func() {
		for i, version := range []int{3, 1, 2, 1, 3} {
			d = copyOf(t, d, byte(10+i))
			at := s.At(version)
			shownBy(t, at, version, d)
			if st, err := at.Inspect(d); err != nil || !st.Writable || st.Seen != 3 || st.Have != version {
				t.Errorf("version %d: %+v, %v", version, st, err)
			}
		}
	})
	if again := shownBy(t, s, 3, d); again != seen {
		t.Errorf("version 3 shows\n%s\ninstead of\n%s", again, seen)
	}
	d = copyOf(t, d, 20)
	update(t, schema.MustBind[issue1](s.At(1), 1), d, func(i *issue1) { i.FullName, i.Body = "Zoe Bell", "Old words" })
	d = copyOf(t, d, 21)
	if got := read(t, view3, d); got.First != "Zoe" || got.Last != "Bell" || got.Body != "Old words" || got.State != "doing" || !got.Archived {
		t.Errorf("version 3 shows %+v", got)
	}
	update(t, view3, d, func(i *issue3) { i.Archived = false })
	if got := read(t, schema.MustBind[issue1](s.At(1), 1), copyOf(t, d, 22)); got.Done || got.FullName != "Zoe Bell" {
		t.Errorf("version 1 shows %+v", got)
	}
}

// TestCase05ReadingWritesNothing: opening, reading, upgrading, inspecting and asking for anything writes no byte.
func TestCase05ReadingWritesNothing(t *testing.T) {
	s := issues()
	for _, d := range []*doc.Doc{docOf(t, 1), everyPlace(t, s)} {
		unchanged(t, d, "reading", func() {
			for version := 1; version <= 3; version++ {
				at := s.At(version)
				loaded := copyOf(t, d, 9)
				for v := 1; v <= version; v++ {
					shownBy(t, at, v, d)
					if err := try(whole(t, at, v), loaded, func(*object) {}); err != nil {
						t.Fatal(err)
					}
					if _, err := at.Validate(v, contentOf(t, d)); err != nil {
						t.Fatal(err)
					}
				}
				if _, err := at.Inspect(d); err != nil {
					t.Fatal(err)
				}
				if _, err := at.Conflicts(d); err != nil {
					t.Fatal(err)
				}
				old, err := d.At(d.Heads()[:1])
				if err != nil {
					t.Fatal(err)
				}
				shownBy(t, at, version, old)
				if !slices.EqualFunc(changesOf(t, d), changesOf(t, loaded), bytes.Equal) {
					t.Fatal("a program that loads and changes nothing wrote something")
				}
			}
			if _, err := view3.Path("todos", "t1", "notes"); err != nil {
				t.Fatal(err)
			}
		})
	}
}
