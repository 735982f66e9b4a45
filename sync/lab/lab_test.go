package lab_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"pgregory.net/rapid"

	"tombolo/sync/lab"
)

// Each story is a file of testdata, in verbs over one lab:
//
//	peer NAME…           add devices            reader NAME…         add devices that may only read
//	demote NAME  promote NAME   make a device a reader, a writer again; each device learns it in its own time
//	keep NAME  restore NAME     copy a device's disk, crash it and put the copy back      flap A B   replace a connection
//	set NAME KEY VALUE   edit the note          append NAME LIST V   add to a list of the note
//	delete NAME  undelete NAME  purge NAME   mark the note as deleted, or not; drop it when it is
//	link A B   cut A B   crash NAME             full NAME   free NAME
//	step N               let N things happen    settle               let everything happen, then check what must hold
//	want NAME JSON       the note on that device's disk
//	deleted NAME  gone NAME     the note is there and deleted; it was purged
//	quiet                nothing waits to happen
func TestStories(t *testing.T) {
	verb := func(args int, fn func(l *lab.Lab, a []string) error) func(*testscript.TestScript, bool, []string) {
		return func(ts *testscript.TestScript, neg bool, a []string) {
			if args >= 0 && len(a) != args {
				ts.Fatalf("want %d arguments", args)
			}
			err := fn(ts.Value("lab").(*lab.Lab), a)
			if neg && err == nil {
				ts.Fatalf("it worked")
			}
			if !neg {
				ts.Check(err)
			}
		}
	}
	each := func(fn func(l *lab.Lab, name string)) func(*testscript.TestScript, bool, []string) {
		return verb(-1, func(l *lab.Lab, a []string) error {
			for _, name := range a {
				fn(l, name)
			}
			return nil
		})
	}
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Setup: func(env *testscript.Env) error {
			env.Values["lab"] = lab.New(1)
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"peer":     each(func(l *lab.Lab, n string) { l.Add(n, false) }),
			"reader":   each(func(l *lab.Lab, n string) { l.Add(n, true) }),
			"crash":    each(func(l *lab.Lab, n string) { l.Crash(n) }),
			"demote":   each(func(l *lab.Lab, n string) { l.Role(n, true) }),
			"promote":  each(func(l *lab.Lab, n string) { l.Role(n, false) }),
			"keep":     each(func(l *lab.Lab, n string) { l.Keep(n) }),
			"restore":  each(func(l *lab.Lab, n string) { l.Restore(n) }),
			"flap":     verb(2, func(l *lab.Lab, a []string) error { l.Flap(a[0], a[1]); return nil }),
			"delete":   verb(1, func(l *lab.Lab, a []string) error { return l.Delete(a[0], "note", true) }),
			"undelete": verb(1, func(l *lab.Lab, a []string) error { return l.Delete(a[0], "note", false) }),
			"purge":    verb(1, func(l *lab.Lab, a []string) error { return l.Purge(a[0], "note") }),
			"deleted": verb(1, func(l *lab.Lab, a []string) error {
				if deleted, err := l.Deleted(a[0], "note"); err != nil || !deleted {
					return fmt.Errorf("the note is not deleted (%v)", err)
				}
				return nil
			}),
			"gone": verb(1, func(l *lab.Lab, a []string) error {
				if !l.Gone(a[0], "note") {
					return errors.New("the note is not purged")
				}
				return nil
			}),
			"quiet": verb(0, func(l *lab.Lab, _ []string) error {
				if l.Step() {
					return errors.New("something waited to happen")
				}
				return nil
			}),
			"full":   each(func(l *lab.Lab, n string) { l.Disk(n, true) }),
			"free":   each(func(l *lab.Lab, n string) { l.Disk(n, false) }),
			"link":   verb(2, func(l *lab.Lab, a []string) error { l.Link(a[0], a[1]); return nil }),
			"cut":    verb(2, func(l *lab.Lab, a []string) error { l.Cut(a[0], a[1]); return nil }),
			"set":    verb(3, func(l *lab.Lab, a []string) error { return l.Edit(a[0], "note", a[1], a[2]) }),
			"append": verb(3, func(l *lab.Lab, a []string) error { return l.Append(a[0], "note", a[1], a[2]) }),
			"step": verb(1, func(l *lab.Lab, a []string) error {
				var n int
				if _, err := fmt.Sscan(a[0], &n); err != nil {
					return err
				}
				for range n {
					l.Step()
				}
				return nil
			}),
			"settle": verb(0, func(l *lab.Lab, _ []string) error {
				if err := l.Settle(); err != nil {
					return err
				}
				return l.Check()
			}),
			"want": verb(-1, func(l *lab.Lab, a []string) error {
				got, err := l.JSON(a[0], "note")
				if want := strings.Join(a[1:], " "); err == nil && got != want {
					err = fmt.Errorf("the note on %s is %s", a[0], got)
				}
				return err
			}),
		},
	})
}

// Whatever happens, in whatever order: once it has stopped, linked devices have the same, and everything acknowledged is there.
func TestConvergence(t *testing.T) {
	actions := []string{"edit", "edit", "edit", "edit", "burst", "link", "link", "flap", "cut", "crash", "full", "free", "demote", "promote", "keep", "restore", "delete", "undelete", "purge", "purge", "run", "run", "run", "settle"}
	rapid.Check(t, func(rt *rapid.T) { story(rt, actions, "one", "two", "three") })
}

// The same with little else than deletions of one document.
func TestDeletions(t *testing.T) {
	actions := []string{"edit", "edit", "delete", "delete", "undelete", "purge", "purge", "link", "link", "cut", "cut", "crash", "run", "run", "settle", "full", "free", "demote", "promote"}
	rapid.Check(t, func(rt *rapid.T) { story(rt, actions, "one") })
}

// story lets things happen and then come to rest.
func story(rt *rapid.T, actions []string, documents ...string) {
	l := lab.New(rapid.Uint64().Draw(rt, "seed"))
	names := []string{"alice", "bob", "carol", "dora"}[:rapid.IntRange(2, 4).Draw(rt, "devices")]
	reader := rapid.IntRange(0, 5).Draw(rt, "reader") // often none
	for i, n := range names {
		l.Add(n, i > 1 && i == reader)
	}
	someone := func(what string) string { return rapid.SampledFrom(names).Draw(rt, what) }
	if rapid.IntRange(0, 9).Draw(rt, "many") == 0 {
		l.Fill(150) // enough to be compared by ranges
	}
	acked := map[string]bool{}
	restored := false
	deleted, undeleted, purged := map[string]bool{}, map[string]bool{}, map[string]bool{}
	steps := rapid.IntRange(1, 60).Draw(rt, "steps")
	for i := range steps {
		switch rapid.SampledFrom(actions).Draw(rt, "do") {
		case "edit":
			item := fmt.Sprint(i)
			if l.Append(someone("who"), rapid.SampledFrom(documents).Draw(rt, "document"), "items", item) == nil {
				acked[item] = true
			}
		case "delete":
			if d := rapid.SampledFrom(documents).Draw(rt, "document"); l.Delete(someone("who"), d, true) == nil {
				deleted[d] = true
			}
		case "undelete":
			if d := rapid.SampledFrom(documents).Draw(rt, "document"); l.Delete(someone("who"), d, false) == nil {
				undeleted[d] = true
			}
		case "purge":
			if d := rapid.SampledFrom(documents).Draw(rt, "document"); l.Purge(someone("who"), d) == nil {
				purged[d] = true
			}
		case "burst": // an answer of many parts
			who := someone("who")
			for j := range rapid.IntRange(6, 20).Draw(rt, "n") {
				if item := fmt.Sprint(i, ".", j); l.Append(who, documents[0], "items", item) == nil {
					acked[item] = true
				}
			}
		case "flap":
			l.Flap(someone("a"), someone("b"))
		case "demote":
			l.Role(someone("who"), true)
		case "promote":
			l.Role(someone("who"), false)
		case "keep":
			l.Keep(someone("who"))
		case "restore":
			l.Restore(someone("who"))
			restored = true
		case "link":
			l.Link(someone("a"), someone("b"))
		case "cut":
			l.Cut(someone("a"), someone("b"))
		case "crash":
			l.Crash(someone("who"))
		case "full":
			l.Disk(someone("who"), true)
		case "free":
			l.Disk(someone("who"), false)
		case "run":
			for range rapid.IntRange(1, 30).Draw(rt, "n") {
				l.Step()
			}
		case "settle":
			settle(rt, l)
		}
	}
	for i, a := range names {
		l.Disk(a, false)
		for _, b := range names[:i] {
			l.Link(a, b)
		}
	}
	settle(rt, l)
	for _, a := range names { // what readers made while they were writers comes out when they are again
		l.Role(a, false)
	}
	settle(rt, l)
	found := map[string]string{} // each document, as everyone has it who has it
	for _, n := range names {
		for _, d := range documents {
			if l.Gone(n, d) {
				continue
			}
			s, err := l.JSON(n, d)
			if err != nil {
				rt.Fatal(err)
			}
			if other, ok := found[d]; ok && s != other && !(purged[d] && (s == "" || other == "")) {
				rt.Fatalf("%s has %s, another has %s", n, s, other)
			}
			found[d] = max(found[d], s)
			is, err := l.Deleted(n, d)
			if err != nil || s != "" && deleted[d] && !undeleted[d] && !restored && !is {
				rt.Fatalf("%s was deleted, and on %s it is not (%v)", d, n, err)
			}
		}
	}
	all := strings.Join(slices.Collect(maps.Values(found)), "")
	for item := range acked {
		if c := strings.Count(all, fmt.Sprintf("%q", item)); c > 1 || c == 0 && !restored && len(purged) == 0 {
			rt.Fatalf("the acknowledged item %s is there %d times in %s", item, c, all)
		}
	}
}

func settle(rt *rapid.T, l *lab.Lab) {
	if err := l.Settle(); err != nil {
		rt.Fatal(err)
	}
	if err := l.Check(); err != nil {
		rt.Fatal(err)
	}
}

// A document that begins on one device while the comparison is under way, and that the other has just purged, is asked for by nobody: it is sent.
func TestBegunWhilePurged(t *testing.T) {
	for seed := range uint64(20) {
		for steps := range 16 {
			l := lab.New(seed)
			l.Add("alice", false)
			l.Add("bob", false)
			l.Fill(150) // enough to be compared by ranges, which takes some steps
			must(t, l.Append("bob", "one", "items", "bob's"))
			l.Link("alice", "bob")
			for range steps {
				l.Step()
			}
			must(t, l.Append("alice", "one", "items", "alice's"))
			must(t, l.Delete("bob", "one", true))
			must(t, l.Purge("bob", "one"))
			must(t, l.Settle())
			if err := l.Check(); err != nil {
				t.Errorf("seed %d, %d steps: %v", seed, steps, err)
			}
		}
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
