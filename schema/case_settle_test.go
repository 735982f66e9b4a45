package schema_test

import (
	"context"
	"testing"

	"pgregory.net/rapid"

	"tombolo/doc"
	"tombolo/schema"
)

func settle(t failer, s *schema.Schema, d *doc.Doc) bool {
	t.Helper()
	n := d.Len()
	changed, err := s.Settle(context.Background(), schema.Of(d, nil))
	if err != nil {
		t.Fatal(err)
	}
	if changed != (d.Len() > n) {
		t.Fatalf("Settle says %v and made %d changes", changed, d.Len()-n)
	}
	return changed
}

// TestCase28Settle: settling makes older versions agree, changes nothing for the newest one, and ends, also if all devices do it at once.
func TestCase28Settle(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := newFleet(t)
		f.run()
		before := shownBy(f, issues0, 3, f.peers[0].d)
		for round := 0; ; round++ {
			some := false
			for _, p := range f.peers {
				if settle(f, issues0, p.d) {
					some = true
					if settle(f, issues0, p.d) {
						f.Fatal("settling twice wrote twice", f.story())
					}
				}
			}
			share(f, f.peers[0].d, f.peers[1].d, f.peers[2].d, f.peers[3].d)
			if !some {
				break
			}
			if round == 2 {
				f.Fatal("settling does not end")
			}
		}
		d := f.peers[0].d
		if after := shownBy(f, issues0, 3, d); after != before {
			f.Fatalf("settling changed the newest view from\n%s\nto\n%s", before, after)
		}
		two, three := flat(f, d, 2), flat(f, d, 3)
		status := three["state"]
		if three["archived"] == "true" {
			status = "archived"
		}
		if two["status"] != status || flat(f, d, 1)["done"] != map[bool]string{true: "true", false: "false"}[status == "done" || status == "archived"] {
			f.Fatalf("after settling: done %s, status %s, state %s, archived %s%s", flat(f, d, 1)["done"], two["status"], three["state"], three["archived"], f.story())
		}
		if flat(f, d, 1)["body"] != three["body"] {
			f.Fatalf("after settling: version 1 shows the body %q, version 3 %q", flat(f, d, 1)["body"], three["body"])
		}
		var docs []*doc.Doc
		for _, p := range f.peers {
			docs = append(docs, p.d)
		}
		sameViews(f, issues0, docs...)
	})
}

// stale is two devices after newer versions edited both halves of a name at the same time.
func stale(t *testing.T) (a, b *doc.Doc) {
	a, b = named(t)
	update(t, view3, a, func(i *issue3) { i.First = "Zoe" })
	update(t, view3, b, func(i *issue3) { i.Last = "Quinn" })
	share(t, a, b)
	return a, b
}

// TestCase28SameOnAllDevices: devices that settle apart write the same, which then shows in old versions.
func TestCase28SameOnAllDevices(t *testing.T) {
	a, b := stale(t)
	if !settle(t, issues(), a) || !settle(t, issues(), b) {
		t.Fatal("nothing was stale")
	}
	share(t, a, b)
	wantName(t, "Zoe", "Quinn", a, b)
	if settle(t, issues(), a) {
		t.Error("something is stale after all settled")
	}
}

// TestCase28Weight: settling is an edit. Beside an edit that an older version makes at the same time, one of the two counts, in all versions.
func TestCase28Weight(t *testing.T) {
	a, b := stale(t)
	if !settle(t, issues(), a) {
		t.Fatal("nothing was stale")
	}
	update(t, view1, b, func(i *issue1) { i.Color = "red" })
	update(t, view1, b, func(i *issue1) { i.Color = "blue" })
	update(t, view1, b, func(i *issue1) { i.FullName = "Kim Bell" })
	share(t, a, b)
	wantName(t, "Kim", "Bell", a, b) // it has more operations before it

	a, b = stale(t)
	update(t, view1, b, func(i *issue1) { i.FullName = "Kim Bell" })
	for _, theme := range []string{"a", "b", "c"} {
		update(t, view3, a, func(i *issue3) { i.Theme = theme })
	}
	if !settle(t, issues(), a) {
		t.Fatal("nothing was stale")
	}
	share(t, a, b)
	wantName(t, "Zoe", "Quinn", a, b)
}

// TestCase28NothingStale: where nothing is stale, or an older version wrote last, settling writes nothing.
func TestCase28NothingStale(t *testing.T) {
	a, b := named(t)
	unchanged(t, a, "settling", func() { settle(t, issues(), a) })
	update(t, view3, b, func(i *issue3) { i.First, i.Archived, i.Body = "Zoe", true, "text" })
	unchanged(t, b, "settling", func() { settle(t, issues(), b) })
	update(t, view1, b, func(i *issue1) { i.FullName, i.Done, i.Body = "Kim", false, "other" })
	unchanged(t, b, "settling", func() { settle(t, issues(), b) })
	empty := docOf(t, 3)
	unchanged(t, empty, "settling", func() { settle(t, issues(), empty) })
}
