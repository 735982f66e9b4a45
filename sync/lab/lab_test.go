package lab_test

import (
	"fmt"
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
//	link A B   cut A B   crash NAME             full NAME   free NAME
//	step N               let N things happen    settle               let everything happen, then check what must hold
//	want NAME JSON       the note on that device's disk
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
			"peer":    each(func(l *lab.Lab, n string) { l.Add(n, false) }),
			"reader":  each(func(l *lab.Lab, n string) { l.Add(n, true) }),
			"crash":   each(func(l *lab.Lab, n string) { l.Crash(n) }),
			"demote":  each(func(l *lab.Lab, n string) { l.Role(n, true) }),
			"promote": each(func(l *lab.Lab, n string) { l.Role(n, false) }),
			"keep":    each(func(l *lab.Lab, n string) { l.Keep(n) }),
			"restore": each(func(l *lab.Lab, n string) { l.Restore(n) }),
			"flap":    verb(2, func(l *lab.Lab, a []string) error { l.Flap(a[0], a[1]); return nil }),
			"full":    each(func(l *lab.Lab, n string) { l.Disk(n, true) }),
			"free":    each(func(l *lab.Lab, n string) { l.Disk(n, false) }),
			"link":    verb(2, func(l *lab.Lab, a []string) error { l.Link(a[0], a[1]); return nil }),
			"cut":     verb(2, func(l *lab.Lab, a []string) error { l.Cut(a[0], a[1]); return nil }),
			"set":     verb(3, func(l *lab.Lab, a []string) error { return l.Edit(a[0], "note", a[1], a[2]) }),
			"append":  verb(3, func(l *lab.Lab, a []string) error { return l.Append(a[0], "note", a[1], a[2]) }),
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
	rapid.Check(t, func(rt *rapid.T) {
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
		steps := rapid.IntRange(1, 60).Draw(rt, "steps")
		for i := range steps {
			switch rapid.SampledFrom([]string{"edit", "edit", "edit", "edit", "burst", "link", "link", "flap", "cut", "crash", "full", "free", "demote", "promote", "keep", "restore", "run", "run", "run", "settle"}).Draw(rt, "do") {
			case "edit":
				item := fmt.Sprint(i)
				if l.Append(someone("who"), rapid.SampledFrom([]string{"one", "two", "three"}).Draw(rt, "document"), "items", item) == nil {
					acked[item] = true
				}
			case "burst": // an answer of many parts
				who := someone("who")
				for j := range rapid.IntRange(6, 20).Draw(rt, "n") {
					if item := fmt.Sprint(i, ".", j); l.Append(who, "one", "items", item) == nil {
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
		first := ""
		for i, n := range names {
			var all strings.Builder
			for _, d := range []string{"one", "two", "three"} {
				s, err := l.JSON(n, d)
				if err != nil {
					rt.Fatal(err)
				}
				all.WriteString(s)
			}
			if i == 0 {
				first = all.String()
			}
			if all.String() != first {
				rt.Fatalf("%s has %s, %s has %s", n, all.String(), names[0], first)
			}
			for item := range acked {
				if c := strings.Count(all.String(), fmt.Sprintf("%q", item)); c > 1 || c == 0 && !restored {
					rt.Fatalf("%s has the acknowledged item %s %d times in %s", n, item, c, all.String())
				}
			}
		}
	})
}

func settle(rt *rapid.T, l *lab.Lab) {
	if err := l.Settle(); err != nil {
		rt.Fatal(err)
	}
	if err := l.Check(); err != nil {
		rt.Fatal(err)
	}
}
