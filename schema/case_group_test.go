package schema_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"tombolo/doc"
	"tombolo/schema"
)

// named is two devices that have an issue of "Ann Lee", by version 1.
func named(t *testing.T) (a, b *doc.Doc) {
	t.Helper()
	a, b = docOf(t, 1), docOf(t, 2)
	update(t, view1, a, func(i *issue1) { i.FullName = "Ann Lee" })
	share(t, a, b)
	return a, b
}

// wantName wants all versions on all devices to show a name.
func wantName(t *testing.T, first, last string, docs ...*doc.Doc) {
	t.Helper()
	for i, d := range docs {
		one, two, three := read(t, view1, d), read(t, view2, d), read(t, view3, d)
		full := strings.TrimSpace(first + " " + last)
		if one.FullName != full || two.FullName != full || three.First != first || three.Last != last {
			t.Errorf("device %d shows %q, %q and %q %q; want %q %q", i, one.FullName, two.FullName, three.First, three.Last, first, last)
		}
	}
}

// TestCase14OldEditsBeforeNew: the newer version edits what the older one wrote.
func TestCase14OldEditsBeforeNew(t *testing.T) {
	a, b := named(t)
	update(t, view3, b, func(i *issue3) { i.Last = "Quinn" })
	share(t, a, b)
	wantName(t, "Ann", "Quinn", a, b)
}

// TestCase14OldEditsAfterNew: the older version edits what the newer one wrote.
func TestCase14OldEditsAfterNew(t *testing.T) {
	a, b := named(t)
	update(t, view3, b, func(i *issue3) { i.Last = "Quinn" })
	share(t, a, b)
	update(t, view1, a, func(i *issue1) { i.FullName = "Zoe Bell" })
	share(t, a, b)
	wantName(t, "Zoe", "Bell", a, b)
	update(t, view3, b, func(i *issue3) { i.First = "Zoë" })
	share(t, a, b)
	wantName(t, "Zoë", "Bell", a, b)
}

// TestCase14OldEditsBesideNew: of two edits made at the same time one counts as a whole, in all versions and on all devices. Which one follows from the
// changes: the one with more operations before it.
func TestCase14OldEditsBesideNew(t *testing.T) {
	a, b := named(t)
	update(t, view1, a, func(i *issue1) { i.FullName = "Zoe Bell" })
	update(t, view3, b, func(i *issue3) { i.Last = "Quinn" })
	share(t, a, b)
	wantName(t, "Ann", "Quinn", a, b)

	a, b = named(t)
	for _, color := range []string{"red", "green", "blue", "white", "black", "grey", "pink", "brown"} {
		update(t, view1, a, func(i *issue1) { i.Color = color })
	}
	update(t, view1, a, func(i *issue1) { i.FullName = "Zoe Bell" })
	update(t, view3, b, func(i *issue3) { i.Last = "Quinn" })
	share(t, a, b)
	wantName(t, "Zoe", "Bell", a, b)
	lost, err := issues().Conflicts(a)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(lost, func(c schema.Conflict) bool { return c.Path == "/last" && c.Value == "Quinn" && c.Epoch != "" }) {
		t.Errorf("the edit that lost is not listed: %+v", lost)
	}
}

// TestCase15NewFieldsApart: newer versions that edit different fields of a group at the same time keep both edits.
func TestCase15NewFieldsApart(t *testing.T) {
	a, b := named(t)
	update(t, view3, a, func(i *issue3) { i.First = "Zoe" })
	update(t, view3, b, func(i *issue3) { i.Last = "Quinn" })
	share(t, a, b)
	for _, d := range []*doc.Doc{a, b} {
		if got := read(t, view3, d); got.First != "Zoe" || got.Last != "Quinn" {
			t.Errorf("version 3 shows %q %q", got.First, got.Last)
		}
		if full := read(t, view1, d).FullName; full != "Zoe Lee" && full != "Ann Quinn" {
			t.Errorf("version 1 shows %q, which is none of what the two made", full)
		}
	}
	if changed, err := issues().Settle(context.Background(), schema.Of(a, nil)); err != nil || !changed {
		t.Fatal(changed, err)
	}
	share(t, a, b)
	wantName(t, "Zoe", "Quinn", a, b)
}

// TestCase15NewFieldsApartAlways is that for every story of newer versions alone.
func TestCase15NewFieldsApartAlways(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := newFleet(t, 3)
		f.run("state", "archived", "first", "last")
		d := f.peers[0].d
		for field, got := range flat(f, d, 3) {
			if groupOf[field] != "" && groupOf[field] != "body" {
				f.checkGroup(groupOf[field], field, 3, got)
			}
		}
	})
}

// TestCase17OldValueAgain: an older version that writes back an earlier value is heard each time.
func TestCase17OldValueAgain(t *testing.T) {
	a, b := named(t)
	update(t, view3, b, func(i *issue3) { i.First = "Anna" })
	share(t, a, b)
	wantName(t, "Anna", "Lee", a, b)
	update(t, view1, a, func(i *issue1) { i.FullName = "Ann Lee" }) // as before Anna
	share(t, a, b)
	wantName(t, "Ann", "Lee", a, b)
	update(t, view1, a, func(i *issue1) { i.FullName = "Anna Lee" }) // as version 3 left it
	share(t, a, b)
	wantName(t, "Anna", "Lee", a, b)
	update(t, view3, b, func(i *issue3) { i.Last = "Bell" })
	share(t, a, b)
	wantName(t, "Anna", "Bell", a, b)
	update(t, view1, a, func(i *issue1) { i.FullName = "Ann Lee" })
	share(t, a, b)
	wantName(t, "Ann", "Lee", a, b)
}

// TestCase17ThereAndBack: what an older version cannot say comes back when it takes its own edit back.
func TestCase17ThereAndBack(t *testing.T) {
	a, b := named(t)
	update(t, view2, b, func(i *issue2) { i.Status = "doing" })
	share(t, a, b)
	for _, step := range []struct {
		done bool
		want string
	}{{true, "done"}, {false, "doing"}, {true, "done"}} {
		update(t, view1, a, func(i *issue1) { i.Done = step.done })
		share(t, a, b)
		if got := read(t, view2, b).Status; got != step.want {
			t.Fatalf("after done = %v version 2 shows %q, want %q", step.done, got, step.want)
		}
	}
	update(t, view2, b, func(i *issue2) { i.Status = "archived" })
	share(t, a, b)
	for _, step := range []struct {
		done bool
		want string
	}{{false, "todo"}, {true, "archived"}} {
		update(t, view1, a, func(i *issue1) { i.Done = step.done })
		share(t, a, b)
		if got := read(t, view2, b).Status; got != step.want {
			t.Fatalf("after done = %v version 2 shows %q, want %q", step.done, got, step.want)
		}
	}
}

// TestCase18UnlawfulLens: where Down loses something, the newer version reads back what it wrote, and the older one what Down made of it.
func TestCase18UnlawfulLens(t *testing.T) {
	a, b := named(t)
	for _, n := range []names{{"é ", ""}, {" ", " "}, {"Ann Mary", "Lee"}, {"", "Lee"}, {"", ""}, {"a\tb", " c "}} {
		update(t, view3, b, func(i *issue3) { i.First, i.Last = n.First, n.Last })
		share(t, a, b)
		got, old := read(t, view3, a), read(t, view1, a)
		if got.First != n.First || got.Last != n.Last {
			t.Errorf("version 3 wrote %q and reads %q %q", n, got.First, got.Last)
		}
		if want := strings.TrimSpace(n.First + " " + n.Last); old.FullName != want {
			t.Errorf("version 3 wrote %q, version 1 reads %q", n, old.FullName)
		}
		update(t, view1, a, func(i *issue1) { i.Color += "x" }) // another field
		share(t, a, b)
		if got := read(t, view3, b); got.First != n.First || got.Last != n.Last {
			t.Errorf("after an edit of another field, version 3 reads %q %q of %q", got.First, got.Last, n)
		}
		unchanged(t, b, "settling", func() {
			if changed, err := issues().Settle(context.Background(), schema.Of(b, nil)); changed || err != nil {
				t.Error(changed, err)
			}
		})
	}
}

// TestCase17EarlierEpoch: an older version that writes back what an earlier edit of newer versions began with does not bring that edit back.
func TestCase17EarlierEpoch(t *testing.T) {
	a, b := named(t)
	update(t, view3, b, func(i *issue3) { i.First = "Anna" })
	share(t, a, b)
	for _, name := range []string{"Zoe Bell", "Ann Lee"} {
		update(t, view1, a, func(i *issue1) { i.FullName = name })
		share(t, a, b)
		update(t, view3, b, func(i *issue3) { i.Last = "Quinn" })
		share(t, a, b)
		first, _, _ := strings.Cut(name, " ")
		wantName(t, first, "Quinn", a, b)
	}
}

// TestCase17Before: Up gets what the newer version held, and so keeps what the older one cannot say.
func TestCase17Before(t *testing.T) {
	a, b := named(t)
	update(t, view3, b, func(i *issue3) { i.State = "doing" })
	share(t, a, b)
	update(t, view2, a, func(i *issue2) { i.Status = "archived" })
	share(t, a, b)
	if got := read(t, view3, b); got.State != "doing" || !got.Archived {
		t.Errorf("version 3 shows %s, archived: %v", got.State, got.Archived)
	}
	update(t, view3, b, func(i *issue3) { i.Archived = false })
	share(t, a, b)
	if got := read(t, view2, a).Status; got != "doing" {
		t.Errorf("version 2 shows %s", got)
	}
}
