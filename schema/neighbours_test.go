package schema_test

import (
	"fmt"
	"testing"

	"tombolo/doc"
	"tombolo/schema"
)

// Of two changes made apart, the one whose operations are numbered higher wins in each place. So what belongs together must be won together, however many
// operations come before it on either side: both edits of one group count.
func apartPadded(t *testing.T, begin func(t *testing.T, d *doc.Doc), a, b func(*issue3), want func(issue3) bool) {
	t.Helper()
	s := issues()
	v3 := schema.MustBind[issue3](s, 3)
	for padA := range 8 {
		for padB := range 8 {
			t.Run(fmt.Sprint(padA, "/", padB), func(t *testing.T) {
				first, second := newDoc(t), newDoc(t)
				begin(t, first)
				merge(t, first, second)
				for n := range padA {
					update(t, v3, first, func(i *issue3) { i.Priority = 10 + n })
				}
				for n := range padB {
					update(t, v3, second, func(i *issue3) { i.Priority = 20 + n })
				}
				update(t, v3, first, a)
				update(t, v3, second, b)
				merge(t, first, second)
				if got := read(t, v3, first); !want(got) {
					t.Errorf("both show state %q, archived %v", got.State, got.Archived)
				}
			})
		}
	}
}

// A field of a chain and its echo are won together.
func TestEchoOfAChainBesideItsField(t *testing.T) {
	v3 := schema.MustBind[issue3](issues(), 3)
	begin := func(t *testing.T, d *doc.Doc) {
		update(t, v3, d, func(i *issue3) { i.State = "doing" })
		update(t, v3, d, func(i *issue3) { i.State = "todo" })
	}
	apartPadded(t, begin, func(i *issue3) { i.Archived = true }, func(i *issue3) { i.State = "doing" },
		func(got issue3) bool { return got.Archived && got.State == "doing" })
}

// What an old field held when an epoch began does not win against what was written into it in that epoch.
func TestBeginningIsNoEcho(t *testing.T) {
	v2, v3 := schema.MustBind[issue2](issues(), 2), schema.MustBind[issue3](issues(), 3)
	begin := func(t *testing.T, d *doc.Doc) {
		update(t, v3, d, func(i *issue3) { i.State = "todo"; i.Priority = 5 })
		update(t, v3, d, func(i *issue3) { i.State = "doing" })
		update(t, v2, d, func(i *issue2) { i.Status = "archived" }) // which the newer ones take over apart
	}
	apartPadded(t, begin, func(i *issue3) { i.State = "todo" }, func(i *issue3) { i.Archived = false },
		func(got issue3) bool { return !got.Archived && got.State == "todo" })
}
