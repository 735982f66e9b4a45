//go:build cgo && (linux || darwin) && (amd64 || arm64)

package core_test

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/automerge/automerge-go"

	"tombolo/doc/core"
	"tombolo/doc/gate"
	"tombolo/doc/value"
)

// Each trap of the binding that was ever met is a test below, or is kept out by the surface:
//
//	Apply(changes...)                    TestSurface, TestAddTakesWhatItIsGiven
//	three or more hashes                 TestSurface (no call takes them), TestStress (many heads)
//	LoadIncremental returns nil          TestAddReportsWhatTheCoreSwallows, TestSwallowedIsFound, TestLoad
//	LoadChanges                          TestSurface, TestIncrementsAreChanges
//	ReceiveMessage, checksums            TestSurface, TestChecksums
//	duplicate actor and sequence         TestDuplicateSequence
//	orphans                              TestOrphans
//	implicit commits                     TestReadingWritesNothing
//	aliasing of Path                     TestSurface
//	Go panics                            TestPanicsAreErrors
//	numbers, strings, values             TestValuesAreKept, TestEmptyKey; writing: TestSurface
//	positions in texts                   TestSurface
//	times in milliseconds                TestTimesOfChanges
//	locks, handles, Merge                TestSurface, TestConcurrentUse
//	deep nesting                         TestDeepNesting
//	conflicts                            TestConflict
//	documents that Save makes unloadable TestSameDocument, TestDuplicateSequence
//	aborts                               TestDeathIsNamed, TestGateStopsKiller, TestAcceptedByTheCoreOnly
//	C memory                             account_test.go

// TestSurface keeps out what the binding cannot do safely. Each of these has no place here:
// applying change objects, hashes to fork or list since, loading changes by themselves, sync messages, commits and actors, handles and
// paths with their aliasing and their panics, every write (numbers turned into floats, values that become empty maps, silent clamping of
// positions in a text), and merge with its deadlocks.
func TestSurface(t *testing.T) {
	want := map[string]string{
		"Add":     "func(*core.Doc, ...[]uint8) error",
		"Change":  "func(*core.Doc, gate.Hash) ([]uint8, error)",
		"Changes": "func(*core.Doc) ([][]uint8, error)",
		"Close":   "func(*core.Doc) error",
		"Heads":   "func(*core.Doc) ([]gate.Hash, error)",
		"Save":    "func(*core.Doc) ([]uint8, error)",
		"Value":   "func(*core.Doc) (interface {}, error)",
	}
	forTests := []string{"Expect", "Forget", "Fork", "Give", "Panic"}
	for m := range reflect.TypeFor[*core.Doc]().Methods() {
		if got := m.Type.String(); want[m.Name] != got && !slices.Contains(forTests, m.Name) {
			t.Errorf("%s is %s, want %q: say in traps_test.go why it is safe", m.Name, got, want[m.Name])
		}
	}
}

// Apply(changes[0]) of the binding applies all of them.
func TestAddTakesWhatItIsGiven(t *testing.T) {
	raws := history(t, 0, 5)
	d := fromChanges(t, raws[0])
	for i, raw := range raws {
		must(t, d.Add(raw)) // the first is known, and skipped
		if got := stateOf(t, d).changes; !slices.EqualFunc(got, raws[:i+1], bytes.Equal) {
			t.Fatalf("after change %d it has %d", i, len(got))
		}
	}
}

// LoadIncremental of the binding returns nil on nearly anything.
func TestAddReportsWhatTheCoreSwallows(t *testing.T) {
	raws := history(t, 0, 3)
	flipped := bytes.Clone(raws[2])
	flipped[len(flipped)-1] ^= 1
	unknown := bytes.Clone(raws[2])
	unknown[8] = 3
	for name, bad := range map[string][]byte{
		"a flipped byte":    flipped,
		"a cut chunk":       raws[2][:len(raws[2])-5],
		"garbage":           []byte("nothing that anybody wrote"),
		"an unknown chunk":  unknown,
		"a second chunk":    append(bytes.Clone(raws[2]), raws[2]...),
		"nothing":           {},
		"a whole document":  nil, // filled in below
		"a gap before this": nil,
	} {
		d := fromChanges(t, raws[:2]...)
		switch name {
		case "a whole document":
			saved, err := d.Save()
			must(t, err)
			bad = saved
		case "a gap before this":
			d, bad = fromChanges(t, raws[0]), raws[2]
		}
		before := stateOf(t, d)
		if err := d.Add(bad); err == nil {
			t.Errorf("%s: no error", name)
		} else if _, ok := errors.AsType[*core.Error](err); ok {
			t.Errorf("%s: it came to the core: %v", name, err)
		}
		if !before.equal(stateOf(t, d)) {
			t.Errorf("%s: the document changed", name)
		}
		must(t, d.Add(raws...))
	}
}

// What came to the core and was not taken is found by comparing heads, whatever LoadIncremental said.
func TestSwallowedIsFound(t *testing.T) {
	raws := history(t, 0, 4)
	flipped := bytes.Clone(raws[3])
	flipped[len(flipped)-1] ^= 1
	for name, c := range map[string]struct {
		expected [][]byte
		given    []byte
	}{
		"garbage":      {raws[2:3], []byte("garbage that the core skips")},
		"one of two":   {raws[2:4], raws[2]},
		"half of two":  {raws[2:4], slices.Concat(raws[2], flipped)},
		"one too many": {raws[2:3], slices.Concat(raws[2], raws[3])},
	} {
		d := fromChanges(t, raws[:2]...)
		must(t, d.Expect(c.expected...))
		err := d.Give(c.given)
		if e, ok := errors.AsType[*core.Error](err); !ok || e.Op == "" || errors.Unwrap(e) == nil {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := d.Heads(); !errors.Is(err, core.ErrClosed) {
			t.Errorf("%s: afterwards the document is open: %v", name, err)
		}
	}
	// Half of a batch can be in when the core reports an error.
	other := author(t, 0)
	must(t, other.RootMap().Set("other", true))
	d := fromChanges(t, raws[:2]...)
	err := d.Give(slices.Concat(raws[2], commit(t, other)))
	if e, ok := errors.AsType[*core.Error](err); !ok || !strings.Contains(e.Error(), "duplicate seq") {
		t.Errorf("a number twice: %v", err)
	}
	// The trap itself is still there: a nil for garbage.
	if err := fromChanges(t, raws[:2]...).Give([]byte("garbage that the core skips")); err != nil {
		t.Errorf("the core now reports garbage itself: %v", err)
	}
}

// LoadChanges of the binding wants the whole history, from the first change on.
func TestIncrementsAreChanges(t *testing.T) {
	raws := history(t, 0, 6)
	d := fromChanges(t, raws[:3]...)
	must(t, d.Add(raws[3:]...))
	if !stateOf(t, d).equal(stateOf(t, fromChanges(t, raws...))) {
		t.Error("a history in two parts is another document")
	}
}

// ReceiveMessage of the binding takes a change with a wrong checksum.
func TestChecksums(t *testing.T) {
	a := author(t, 0)
	must(t, a.RootMap().Set("k", "hello"))
	raw := commit(t, a)
	wrong := bytes.Replace(raw, []byte("hello"), []byte("jello"), 1)
	if bytes.Equal(raw, wrong) {
		t.Fatal("the value is not where it was expected")
	}
	_, err := core.FromChanges([][]byte{wrong}, core.Options{})
	if _, ok := errors.AsType[*gate.FormError](err); !ok {
		t.Errorf("one letter changed: %v", err)
	}
	saved, err := fromChanges(t, raw).Save()
	must(t, err)
	saved[len(saved)-3] ^= 1
	if _, err := core.Load(saved, core.Options{}); err == nil {
		t.Error("a file with a flipped bit: no error")
	}
}

// Two contents for one actor and number split a document for ever, and in the core's waiting room they make it unloadable.
func TestDuplicateSequence(t *testing.T) {
	raws := history(t, 0, 3)
	other := author(t, 0)
	must(t, other.RootMap().Set("other", true))
	double := commit(t, other)
	fine := history(t, 5, 2)

	d := fromChanges(t, raws...)
	before := stateOf(t, d)
	err := d.Add(fine[0], double, fine[1])
	if e, ok := errors.AsType[*gate.SequenceError](err); !ok || e.Seq != 1 || e.Holder == (gate.Hash{}) {
		t.Errorf("another change 1 of the same actor: %v", err)
	}
	if !before.equal(stateOf(t, d)) {
		t.Error("a part of the refused batch went in")
	}
	must(t, d.Add(fine...))

	// Both with dependencies missing: nobody waits in the core.
	must(t, other.RootMap().Set("other", false))
	orphan := commit(t, other)
	if err := d.Add(raws[2], orphan); err == nil {
		t.Error("an orphan with a number that is taken: no error")
	}
	saved, err := d.Save()
	must(t, err)
	loaded, err := core.Load(saved, core.Options{})
	must(t, err)
	must(t, loaded.Close())
}

// Changes with missing dependencies are kept by the core without bound, and written by Save.
func TestOrphans(t *testing.T) {
	raws := history(t, 0, 200)
	d := fromChanges(t, raws[0])
	saved, err := d.Save()
	must(t, err)
	for range 2 {
		err := d.Add(raws[2:]...)
		if e, ok := errors.AsType[*gate.MissingError](err); !ok || len(e.Missing) == 0 {
			t.Errorf("orphans: %v", err)
		}
	}
	again, err := d.Save()
	must(t, err)
	if !bytes.Equal(saved, again) {
		t.Errorf("Save has %d bytes after orphans, %d before", len(again), len(saved))
	}
	// A file that somebody else filled with them is refused, not silently cut.
	if _, err := core.Load(slices.Concat(saved, raws[5], raws[6]), core.Options{}); err == nil {
		t.Error("a file with orphans: no error")
	}
}

// Heads, Save, Changes and others of the binding commit what is pending. Here nothing ever is, and reading changes nothing.
func TestReadingWritesNothing(t *testing.T) {
	d := fromChanges(t, crown(t, 7)...)
	before := stateOf(t, d)
	first, err := d.Save()
	must(t, err)
	_, err = d.Change(before.heads[0])
	must(t, err)
	second, err := d.Save()
	must(t, err)
	if !bytes.Equal(first, second) || !before.equal(stateOf(t, d)) {
		t.Error("reading changed the document")
	}
}

// The binding panics on a nil document, and on much else.
func TestPanicsAreErrors(t *testing.T) {
	for name, d := range map[string]*core.Doc{"nil": nil, "zero": {}} {
		_, err := d.Heads()
		if !errors.Is(err, core.ErrClosed) || !errors.Is(d.Add(), core.ErrClosed) || d.Close() != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	d := fromChanges(t, history(t, 0, 1)...)
	if e, ok := errors.AsType[*core.Error](d.Panic()); !ok {
		t.Errorf("a panic became %v", e)
	}
	if _, err := d.Value(); !errors.Is(err, core.ErrClosed) {
		t.Errorf("after a panic the document is open: %v", err)
	}
}

// Numbers and strings come back as they are in the document: whole ones in 64 bits, 0 and null without an error.
func TestValuesAreKept(t *testing.T) {
	a := author(t, 0)
	at := time.Date(2024, 2, 29, 12, 0, 0, 123e6, time.UTC)
	want := map[string]any{
		"big": int64(1<<60 + 1), "least": int64(math.MinInt64), "most": uint64(math.MaxUint64), "zero": uint64(0), "none": int64(0),
		"f": 1.5, "inf": math.Inf(-1), "nul": "a\x00b", "empty": "", "null": nil, "yes": true, "no": false, "bytes": []byte{0, 255},
		"at": at, "epoch": time.UnixMilli(0).UTC(), "\x00": "key", "counter": value.Counter(-3), "text": value.Text("é👍🏼"), "blank": value.Text(""),
		"list": []any{value.Counter(5), value.Text("in a list"), []any{}, map[string]any{}, nil},
	}
	for k, v := range want {
		must(t, a.RootMap().Set(k, forBinding(v)))
	}
	got := stateOf(t, fromChanges(t, commit(t, a))).value
	if !value.Equal(got, want) {
		t.Errorf("got %v\nwant %v", got, want)
	}
	for k, v := range want {
		if g := got.(map[string]any)[k]; reflect.TypeOf(g) != reflect.TypeOf(v) {
			t.Errorf("%q is a %T, want a %T", k, g, v)
		}
	}
	if nan := author(t, 1); nan.RootMap().Set("nan", math.NaN()) == nil {
		got := stateOf(t, fromChanges(t, commit(t, nan))).value
		if f, ok := got.(map[string]any)["nan"].(float64); !ok || !math.IsNaN(f) {
			t.Errorf("NaN came back as %v", got)
		}
	}
}

// forBinding is a value as the binding takes it.
func forBinding(v any) any {
	switch v := v.(type) {
	case value.Text:
		return automerge.NewText(string(v))
	case value.Counter:
		return automerge.NewCounter(int64(v))
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = forBinding(e)
		}
		return out
	}
	return v
}

// The binding refuses an empty key in writing; other libraries write it.
func TestEmptyKey(t *testing.T) {
	for valueType, want := range map[byte]any{typeInt: int64(7), typeCounter: value.Counter(7)} {
		got := stateOf(t, fromChanges(t, emptyKey(valueType))).value
		if !value.Equal(got, map[string]any{"": want}) {
			t.Errorf("got %v, want %v under the empty key", got, want)
		}
	}
}

// The binding reads and writes the time of a change in milliseconds, everybody else in seconds. Here times are only in the bytes.
func TestTimesOfChanges(t *testing.T) {
	raw := history(t, 0, 1)[0]
	c, err := gate.Parse(raw)
	must(t, err)
	if want := int64(1_700_000_000); c.Time != want {
		t.Fatalf("the change has time %d, want %d", c.Time, want)
	}
	d := fromChanges(t, deflated(t, raw))
	if got := stateOf(t, d).changes; !slices.EqualFunc(got, [][]byte{raw}, bytes.Equal) {
		t.Error("a change came back with other bytes")
	}
	if got, err := d.Change(c.Hash); err != nil || !bytes.Equal(got, raw) {
		t.Errorf("a single change came back with other bytes, or %v", err)
	}
}

// Handles of the binding are not locked, readers block each other, and merging two ways deadlocks.
func TestConcurrentUse(t *testing.T) {
	raws := crown(t, 12)
	d := fromChanges(t, raws[:3]...)
	c, err := gate.Parse(raws[0])
	must(t, err)
	calls := []func() error{
		func() error { _, err := d.Save(); return err },
		func() error { _, err := d.Value(); return err },
		func() error { _, err := d.Changes(); return err },
		func() error { _, err := d.Heads(); return err },
		func() error { _, err := d.Change(c.Hash); return err },
		func() error { return d.Add(raws...) },
	}
	var wg sync.WaitGroup
	for i := range 6 {
		wg.Go(func() {
			for j := range 30 {
				if err := calls[(i+j)%len(calls)](); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	for _, call := range append(calls, d.Close, d.Close) {
		wg.Go(func() {
			for range 10 {
				if err := call(); err != nil && !errors.Is(err, core.ErrClosed) {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	for i, call := range calls {
		if err := call(); !errors.Is(err, core.ErrClosed) {
			t.Errorf("call %d on a closed document: %v", i, err)
		}
	}
}

func TestDeepNesting(t *testing.T) {
	for depth, fits := range map[int]bool{core.MaxDepth: true, core.MaxDepth + 1: false} {
		a := author(t, 0)
		m := a.RootMap()
		for range depth {
			inner := automerge.NewMap()
			must(t, m.Set("in", inner))
			m = inner
		}
		d := fromChanges(t, commit(t, a))
		_, err := d.Value()
		if _, ok := errors.AsType[*core.Error](err); ok == fits {
			t.Errorf("%d levels: %v", depth, err)
		}
	}
}

// Of concurrent values everybody sees the same winner.
func TestConflict(t *testing.T) {
	raws := crown(t, 9)
	back := slices.Clone(raws)
	slices.Reverse(back[1:])
	a, b := stateOf(t, fromChanges(t, raws...)), stateOf(t, fromChanges(t, back...))
	if !slices.Equal(a.heads, b.heads) || len(a.heads) != 9 || fmt.Sprint(a.value) != fmt.Sprint(b.value) {
		t.Errorf("one order gives %v, the other %v", a.value, b.value)
	}
	if !slices.IsSortedFunc(a.heads, gate.Hash.Compare) {
		t.Errorf("the heads are not sorted: %v", a.heads)
	}
}
