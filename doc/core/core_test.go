//go:build cgo && (linux || darwin) && (amd64 || arm64)

package core_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"tombolo/doc/core"
	"tombolo/doc/gate"
)

// memoryBox is a box that can be made to fail.
type memoryBox struct {
	noted         []core.Entry
	open          int
	before, after error
}

func (b *memoryBox) Before(what core.Entry) error {
	if b.before == nil {
		b.noted = append(b.noted, what)
		b.open++
	}
	return b.before
}

func (b *memoryBox) After(core.Entry) error {
	b.open--
	return b.after
}

// TestBoxIsAsked shows that whatever comes from outside is noted while the core has it, and nothing else is.
func TestBoxIsAsked(t *testing.T) {
	raws := history(t, 0, 4)
	box := new(memoryBox)
	opts := core.Options{Box: box, Doc: [16]byte{1}, Space: [16]byte{2}, From: "alice"}
	d, err := core.FromChanges(raws[:2], opts)
	must(t, err)
	defer d.Close()
	must(t, d.Add(raws[1], raws[2]))
	must(t, d.Add(raws[1], raws[2])) // known: the core is not asked
	if d.Add(raws[0][:40]) == nil {
		t.Fatal("a cut change was admitted")
	}
	saved, err := d.Save()
	must(t, err)
	loaded, err := core.Load(saved, opts)
	must(t, err)
	must(t, loaded.Close())
	var want []core.Entry
	for _, pieces := range [][][]byte{raws[:2], raws[1:3], {saved}} {
		want = append(want, core.Entry{Doc: opts.Doc, Space: opts.Space, Hash: core.Digest(pieces...), From: "alice"})
	}
	if !slices.Equal(box.noted, want) || box.open != 0 {
		t.Errorf("noted %v, %d still open, want %v", box.noted, box.open, want)
	}
	if _, ok := errors.AsType[*core.Error](d.Give([]byte("garbage"))); ok || box.open != 0 {
		t.Error("a note stays after garbage")
	}
}

func TestBoxFails(t *testing.T) {
	raws := history(t, 0, 3)
	box := new(memoryBox)
	opts := core.Options{Box: box}
	d, err := core.FromChanges(raws[:1], opts)
	must(t, err)
	defer d.Close()
	saved, err := d.Save()
	must(t, err)
	before := stateOf(t, d)

	box.before = errors.New("the disk is full")
	if err := d.Add(raws[1]); !errors.Is(err, box.before) || !before.equal(stateOf(t, d)) {
		t.Errorf("Add without a note: %v", err)
	}
	if _, err := core.Load(saved, opts); !errors.Is(err, box.before) {
		t.Errorf("Load without a note: %v", err)
	}
	if _, err := core.FromChanges(raws, opts); !errors.Is(err, box.before) {
		t.Errorf("FromChanges without a note: %v", err)
	}
	box.before, box.after = nil, errors.New("the disk is gone")
	if err := d.Add(raws[1]); !errors.Is(err, box.after) || len(stateOf(t, d).changes) != 2 {
		t.Errorf("Add with a note that stays: %v", err)
	}
	if _, err := core.Load(saved, opts); !errors.Is(err, box.after) {
		t.Errorf("Load with a note that stays: %v", err)
	}
	box.after = nil
	must(t, d.Add(raws...))
}

// TestSameDocument takes random histories through every door: the same changes, heads and value come out, and the same bytes.
func TestSameDocument(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		base := author(rt, 0)
		raws := [][]byte{commit(rt, base)}
		docs := [][][]byte{raws}
		for n := range rapid.IntRange(0, 12).Draw(rt, "changes") {
			d := author(rt, n+1)
			var past [][]byte
			for range rapid.IntRange(1, 3).Draw(rt, "parents") {
				for _, raw := range rapid.SampledFrom(docs).Draw(rt, "past") {
					if !slices.ContainsFunc(past, func(p []byte) bool { return bytes.Equal(p, raw) }) {
						past = append(past, raw)
					}
				}
			}
			must(rt, d.LoadIncremental(bytes.Join(past, nil)))
			key := rapid.SampledFrom([]string{"a", "b", "ü"}).Draw(rt, "key")
			if rapid.Bool().Draw(rt, "delete") {
				_ = d.RootMap().Delete(key) // may be no key yet
			} else {
				must(rt, d.RootMap().Set(key, rapid.String().Draw(rt, "value")))
			}
			raw := commit(rt, d)
			raws = append(raws, raw)
			docs = append(docs, append(past, raw))
		}
		a, err := core.FromChanges(raws, core.Options{})
		must(rt, err)
		defer a.Close()
		saved, err := a.Save()
		must(rt, err)
		b, err := core.Load(saved, core.Options{})
		must(rt, err)
		defer b.Close()
		changes, err := b.Changes()
		must(rt, err)
		c, err := core.FromChanges(changes, core.Options{})
		must(rt, err)
		defer c.Close()
		split := rapid.IntRange(0, len(raws)-1).Draw(rt, "split")
		e, err := core.Load(slices.Concat(bytes.Join(raws[:1], nil), bytes.Join(raws[1:], nil)), core.Options{})
		must(rt, err)
		defer e.Close()
		must(rt, e.Add(raws[split:]...))
		want := stateOf(t, a)
		if !slices.EqualFunc(want.changes, raws, bytes.Equal) {
			rt.Fatal("the changes come back otherwise")
		}
		for i, d := range []*core.Doc{b, c, e} {
			got := stateOf(t, d)
			if !slices.Equal(got.heads, want.heads) || fmt.Sprint(got.value) != fmt.Sprint(want.value) || len(got.changes) != len(want.changes) {
				rt.Fatalf("way %d gives %v, want %v", i, got, want)
			}
		}
	})
}

func TestUnknownChange(t *testing.T) {
	d := fromChanges(t, history(t, 0, 2)...)
	if _, err := d.Change(gate.Hash{1}); !errors.Is(err, core.ErrUnknownChange) {
		t.Errorf("an unknown change: %v", err)
	}
	if _, err := d.Heads(); err != nil {
		t.Errorf("the document is gone: %v", err)
	}
}

func TestEmptyDocument(t *testing.T) {
	d := fromChanges(t)
	saved, err := d.Save()
	must(t, err)
	e, err := core.Load(saved, core.Options{})
	must(t, err)
	defer e.Close()
	if got := stateOf(t, e); len(got.changes)+len(got.heads) != 0 || fmt.Sprint(got.value) != "map[]" {
		t.Errorf("an empty document came back as %v", got)
	}
}

func TestLoad(t *testing.T) {
	raws := crown(t, 3)
	d := fromChanges(t, raws[:2]...)
	saved, err := d.Save()
	must(t, err)
	want := stateOf(t, fromChanges(t, raws...))
	for name, file := range map[string][]byte{
		"a document and changes":          slices.Concat(saved, raws[2], raws[3]),
		"a document and deflated changes": slices.Concat(saved, deflated(t, raws[2]), deflated(t, raws[3])),
		"a change twice":                  slices.Concat(saved, raws[2], raws[1], raws[2], raws[3]),
		"changes only":                    bytes.Join(raws, nil),
	} {
		e, err := core.Load(file, core.Options{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got := stateOf(t, e); !slices.Equal(got.heads, want.heads) || fmt.Sprint(got.value) != fmt.Sprint(want.value) {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
		must(t, e.Close())
	}
	unknown := slices.Concat(saved, raws[2])
	unknown[len(saved)+8] = 3
	other := author(t, 1) // the same actor and number as one of the crown's
	must(t, other.RootMap().Set("x", "y"))
	flipped := bytes.Clone(saved)
	flipped[len(flipped)-1] ^= 1
	for name, c := range map[string]struct {
		file []byte
		says string
	}{
		"nothing":              {nil, "empty"},
		"another file":         {[]byte("%PDF-1.7 and so on"), "not an Automerge document"},
		"a cut file":           {saved[:len(saved)-1], "cut short"},
		"a cut head":           {saved[:7], "not an Automerge document"},
		"a length without end": {append(bytes.Clone(saved[:9]), bytes.Repeat([]byte{0xff}, 11)...), "cut short"},
		"garbage behind":       {slices.Concat(saved, []byte("garbage")), fmt.Sprintf("at byte %d", len(saved))},
		"a flipped bit":        {flipped, "damaged"},
		"an unknown chunk":     {unknown, "type 3"},
		"a malformed change":   {slices.Concat(saved, reframed([]byte{1, 2, 3})), "malformed"},
		"orphans":              {slices.Concat(raws[2], raws[3]), ""},
		"a number twice":       {slices.Concat(bytes.Join(raws, nil), commit(t, other)), ""},
		"a bad document":       {slices.Concat([]byte("\x85\x6f\x4a\x83\x6e\x34\x0b\x9c"), []byte{0, 0}), ""},
	} {
		_, err := core.Load(c.file, core.Options{})
		if err == nil || !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), "older copy") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func BenchmarkFromChanges(b *testing.B) {
	raws := history(b, 0, 1000)
	b.ReportAllocs()
	for b.Loop() {
		d, err := core.FromChanges(raws, core.Options{})
		must(b, err)
		must(b, d.Close())
	}
}

func BenchmarkLoad(b *testing.B) {
	d := fromChanges(b, history(b, 0, 1000)...)
	saved, err := d.Save()
	must(b, err)
	b.ReportAllocs()
	for b.Loop() {
		d, err := core.Load(saved, core.Options{})
		must(b, err)
		must(b, d.Close())
	}
}

func BenchmarkValue(b *testing.B) {
	d := fromChanges(b, records(b, 1000)...)
	b.ReportAllocs()
	for b.Loop() {
		_, err := d.Value()
		must(b, err)
	}
}
