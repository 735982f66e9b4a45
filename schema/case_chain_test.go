package schema_test

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"tombolo/doc"
	"tombolo/schema"
)

// asNumber makes a number of a text, and back.
var asNumber = schema.Lens[string, int]{
	Rev:  1,
	Up:   func(s string, _ *int) (int, error) { n, _ := strconv.Atoi(s); return n, nil },
	Down: func(n int, _ string) (string, error) { return strconv.Itoa(n), nil },
}

// TestCase16TwoLensesOverOne: two lenses that each take one field of what a third one made give it both their values at once.
func TestCase16TwoLensesOverOne(t *testing.T) {
	s, v := small(t,
		schema.V(1, schema.Object(schema.Root, schema.String("fullName"), schema.Table("rows", "Row")), schema.Object("Row", schema.String("fullName"))),
		schema.V(2, schema.Group(schema.Root, splitName), schema.Group("Row", splitName)),
		schema.V(3, schema.Map(schema.Root, "first", "x", asNumber), schema.Map(schema.Root, "last", "y", asNumber),
			schema.Map("Row", "first", "x", asNumber), schema.Map("Row", "last", "y", asNumber)))
	d := docOf(t, 1)
	for n := range int64(3) {
		row := object{"x": n + 1, "y": n + 2}
		set(t, v(3), d, "x", n+1, "y", n+2, "rows", object{"r": row})
		full := fmt.Sprint(n+1, " ", n+2)
		want(t, "version 1", get(t, v(1), d, "fullName"), full)
		want(t, "version 1", get(t, v(1), d, "rows"), object{"r": object{"fullName": full}})
		want(t, "version 2", get(t, v(2), d, "last"), fmt.Sprint(n+2))
		set(t, v(1), d, "fullName", "7 8", "rows", object{"r": object{"fullName": "7 8"}})
		want(t, "version 3", get(t, v(3), d, "x"), 7)
		want(t, "version 3", get(t, v(3), d, "rows"), object{"r": object{"x": 7, "y": 8}})
		set(t, v(2), d, "first", "9")
		want(t, "version 1", get(t, v(1), d, "fullName"), "9 8")
		want(t, "version 3", get(t, v(3), d, "x"), 9)
	}
	unchanged(t, d, "settling", func() { settle(t, s, d) })
}

// TestCase28SmallStories: after every story of one edit beside two by newer versions, settling once makes all versions agree, and settling again does nothing.
func TestCase28SmallStories(t *testing.T) {
	edits := map[string]func(d *doc.Doc){
		"v3 archive":      func(d *doc.Doc) { update(t, view3, d, func(i *issue3) { i.Archived = true }) },
		"v3 state doing":  func(d *doc.Doc) { update(t, view3, d, func(i *issue3) { i.State = "doing" }) },
		"v3 state todo":   func(d *doc.Doc) { update(t, view3, d, func(i *issue3) { i.State = "todo" }) },
		"v3 state done":   func(d *doc.Doc) { update(t, view3, d, func(i *issue3) { i.State = "done" }) },
		"v2 status doing": func(d *doc.Doc) { update(t, view2, d, func(i *issue2) { i.Status = "doing" }) },
		"v2 archive":      func(d *doc.Doc) { update(t, view2, d, func(i *issue2) { i.Status = "archived" }) },
		"v1 done":         func(d *doc.Doc) { update(t, view1, d, func(i *issue1) { i.Done = !i.Done }) },
	}
	for name1, edit1 := range edits {
		for name2, edit2 := range edits {
			for name3, edit3 := range edits {
				for _, actor := range []byte{1, 9} {
					a, b := docOf(t, actor), docOf(t, 5)
					edit1(a)
					edit2(b)
					edit3(b)
					share(t, a, b)
					sameViews(t, issues0, a, b)
					before := shownBy(t, issues0, 3, a)
					settle(t, issues0, a)
					if settle(t, issues0, a) {
						t.Errorf("%s beside %s and %s: settling twice wrote twice", name1, name2, name3)
					}
					if after := shownBy(t, issues0, 3, a); after != before {
						t.Errorf("%s beside %s and %s: settling changed\n%s\nto\n%s", name1, name2, name3, before, after)
					}
					one, two, three := read(t, view1, a), read(t, view2, a), read(t, view3, a)
					status := three.State
					if three.Archived {
						status = "archived"
					}
					if two.Status != status || one.Done != (status == "done" || status == "archived") {
						t.Errorf("%s beside %s and %s: done %v, status %s, state %s, archived %v", name1, name2, name3, one.Done, two.Status, three.State, three.Archived)
					}
				}
			}
		}
	}
}

// TestCase17StaleValueAgain is the one story in which an older version is not heard: edits that were made apart left its field stale, it changes that field, and
// then writes the stale value back. For newer versions nobody has touched the field then. Settling makes all agree.
func TestCase17StaleValueAgain(t *testing.T) {
	a, b := docOf(t, 9), docOf(t, 1)
	update(t, view3, a, func(i *issue3) { i.State = "done" })
	for _, status := range []string{"doing", "todo", "doing", "todo"} { // the first alone writes done, the last wins the status
		update(t, view2, b, func(i *issue2) { i.Status = status })
	}
	share(t, a, b)
	shows := func(what string, done bool, status, state string) {
		t.Helper()
		for _, d := range []*doc.Doc{a, b} {
			one, two, three := read(t, view1, d).Done, read(t, view2, d).Status, read(t, view3, d).State
			if one != done || two != status || three != state {
				t.Errorf("%s: done %v, status %s, state %s; want %v, %s, %s", what, one, two, three, done, status, state)
			}
		}
	}
	shows("stale", true, "todo", "todo")
	update(t, view1, a, func(i *issue1) { i.Done = false })
	share(t, a, b)
	shows("changed", false, "todo", "todo")
	update(t, view1, a, func(i *issue1) { i.Done = true })
	share(t, a, b)
	shows("the stale value again", true, "todo", "todo")
	if !settle(t, issues(), a) {
		t.Error("nothing was stale")
	}
	share(t, a, b)
	shows("settled", false, "todo", "todo")
	update(t, view1, b, func(i *issue1) { i.Done = true })
	share(t, a, b)
	shows("after that the older version is heard", true, "done", "done")
}

// TestCase09LongText: a text whose echo is a hash is one text for newer versions, whatever each of them writes in it before they meet.
func TestCase09LongText(t *testing.T) {
	a, b := docOf(t, 1), docOf(t, 2)
	update(t, view1, a, func(i *issue1) { i.Body = long })
	share(t, a, b)
	for _, s := range []string{"1", "2", "3"} {
		update(t, view2, a, func(i *issue2) { i.Body = s + i.Body })
	}
	update(t, view3, b, func(i *issue3) { i.Body += "!" })
	update(t, view3, b, func(i *issue3) { i.Body += "?" })
	share(t, a, b)
	sameViews(t, issues(), a, b)
	if got := read(t, view2, a).Body; got != "321"+long+"!?" {
		t.Errorf("the body is %q", got)
	}
	update(t, view1, a, func(i *issue1) { i.Body = "No" })
	share(t, a, b)
	if got := read(t, view3, b).Body; got != "No" {
		t.Errorf("after an edit by version 1 the body is %q", got)
	}
}

// TestCase20Panics: a function that panics, with whatever value, is a function that fails.
func TestCase20Panics(t *testing.T) {
	for _, with := range []any{"text", errInjected, 7} {
		_, v := small(t,
			schema.V(1, schema.Object(schema.Root, schema.String("a"), schema.String("b"), schema.Int("n", schema.Check(1, func(n int) error {
				if n == 13 {
					panic(with)
				}
				return nil
			})))),
			schema.V(2,
				schema.Map(schema.Root, "a", "up", schema.Lens[string, string]{
					Rev: 1,
					Up: func(s string, _ *string) (string, error) {
						if s == "bad" {
							panic(with)
						}
						return s, nil
					},
					Down: func(s, _ string) (string, error) { return s, nil },
				}),
				schema.Map(schema.Root, "b", "down", schema.Lens[string, string]{
					Rev:  1,
					Up:   func(s string, _ *string) (string, error) { return s, nil },
					Down: func(string, string) (string, error) { panic(with) },
				})))
		d := docOf(t, 1)
		set(t, v(1), d, "a", "bad")
		o, report, err := v(2).Read(d)
		if err != nil || len(report.Invalid) != 1 || report.Invalid[0].Path != "/up" || o["up"] != nil {
			t.Errorf("reading gives %v, %v, %v", o, report, err)
		}
		unchanged(t, d, "a panic", func() {
			for field, function := range map[string]string{"up": "Up", "down": "Down"} {
				e, ok := errors.AsType[*schema.StepError](trySet(v(2), d, field, "x"))
				if !ok || e.Func != function || !strings.Contains(e.Error(), fmt.Sprint(with)) {
					t.Errorf("%s gives %v", function, e)
				}
			}
			if e, ok := errors.AsType[*schema.ValueError](trySet(v(2), d, "n", int64(13))); !ok || e.Path != "/n" || !strings.Contains(e.Error(), fmt.Sprint(with)) {
				t.Errorf("Check gives %v", e)
			}
		})
		set(t, v(2), d, "n", int64(14))
	}
}

// TestCase16ChainRepaired: an edit of the newest version makes all versions below agree again, also where what the one below it shows did not change.
func TestCase16ChainRepaired(t *testing.T) {
	for _, more := range []int{0, 1, 2, 3} { // whose write of done counts
		a, b := docOf(t, 1), docOf(t, 2)
		update(t, view3, a, func(i *issue3) { i.State = "done" })
		share(t, a, b)
		update(t, view3, a, func(i *issue3) { i.State = "todo" })
		for n := range more {
			update(t, view3, a, func(i *issue3) { i.Priority = n + 10 })
			update(t, view3, a, func(i *issue3) { i.State = []string{"done", "todo"}[n%2] })
		}
		update(t, view3, b, func(i *issue3) { i.Archived = true })
		share(t, a, b)
		update(t, view3, a, func(i *issue3) { i.State = "doing" })
		one, two, three := read(t, view1, a), read(t, view2, a), read(t, view3, a)
		if !three.Archived || three.State != "doing" || two.Status != "archived" || !one.Done {
			t.Errorf("%d: done %v, status %s, state %s, archived %v", more, one.Done, two.Status, three.State, three.Archived)
		}
	}
}

// TestCase20ResultDoesNotFit: what a function of a step returns must fit the field it is for, as if the program had written it.
func TestCase20ResultDoesNotFit(t *testing.T) {
	same := schema.Lens[string, string]{
		Rev:  1,
		Up:   func(s string, _ *string) (string, error) { return s, nil },
		Down: func(s, _ string) (string, error) { return s, nil },
	}
	_, v := small(t,
		schema.V(1, schema.Object(schema.Root, schema.String("wide"), schema.String("narrow", schema.Enum("a", "b")))),
		schema.V(2, schema.Map(schema.Root, "wide", "up", same, schema.Enum("a", "b"), schema.Default("b")), schema.Map(schema.Root, "narrow", "down", same)))
	d := docOf(t, 1)
	set(t, v(1), d, "wide", "c", "narrow", "a")
	o, report, err := v(2).Read(d)
	if err != nil || o["up"] != "b" || len(report.Invalid) != 1 || report.Invalid[0].Path != "/up" || !errors.Is(report.Invalid[0].Err, schema.ErrStep) {
		t.Errorf("Up gave c: %v, %+v, %v", o, report, err)
	}
	unchanged(t, d, "a result that does not fit", func() {
		e, ok := errors.AsType[*schema.StepError](trySet(v(2), d, "down", "c"))
		if !ok || e.Func != "Down" || !strings.Contains(e.Error(), "narrow") {
			t.Errorf("Down gave c: %v", e)
		}
	})
}
