package interop_test

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"tombolo/doc"
	"tombolo/doc/gate"
)

// fixtures are the documents in testdata.
var fixtures = []string{
	"actors", "authors", "blocks", "conflicts", "counters", "deep", "deletions", "histories", "keys", "large", "numbers", "past", "pasted",
	"rich-text", "typed", "types", "unicode",
}

// deflated is the type of a compressed change, which stands in its ninth byte.
const deflated = 2

// said is what the JavaScript library says about a document.
type said struct {
	Heads []doc.Hash
	Value json.RawMessage
}

// TestFixtures opens each document from its changes.
func TestFixtures(t *testing.T) {
	for _, name := range fixtures {
		t.Run(name, func(t *testing.T) {
			want := fixture(t, name)
			d := load(t, frames(t, read(t, name+".changes")), 1)
			wantSaid(t, d, want)
		})
	}
}

// TestSavedFixtures reads the saved documents, and finds in each the changes that lie beside it.
func TestSavedFixtures(t *testing.T) {
	for _, name := range fixtures {
		t.Run(name, func(t *testing.T) {
			changes, err := doc.ReadSaved(read(t, name+".automerge"), nil)
			must(t, err)
			if got, want := hashes(t, changes), hashes(t, frames(t, read(t, name+".changes"))); !slices.Equal(got, want) {
				t.Errorf("%d changes in the saved document are not the %d beside it", len(got), len(want))
			}
			wantSaid(t, load(t, changes, 1), fixture(t, name))
		})
	}
}

// TestFixturesSavedAgain saves each document and opens that.
func TestFixturesSavedAgain(t *testing.T) {
	for _, name := range fixtures {
		t.Run(name, func(t *testing.T) {
			saved, err := load(t, frames(t, read(t, name+".changes")), 1).Save(nil)
			must(t, err)
			changes, err := doc.ReadSaved(saved, nil)
			must(t, err)
			wantSaid(t, load(t, changes, 1), fixture(t, name))
		})
	}
}

// TestFixturesEdited edits each document, which has no genesis of ours, and merges that with an edit made apart.
func TestFixturesEdited(t *testing.T) {
	for _, name := range fixtures {
		t.Run(name, func(t *testing.T) {
			changes := frames(t, read(t, name+".changes"))
			a, b := load(t, changes, 1), load(t, changes, 2)
			edit(t, a, func(tx *doc.Tx) error {
				return tx.Set("/from a", map[string]any{"list": []any{int64(1), doc.Text("é")}})
			})
			edit(t, b, func(tx *doc.Tx) error { return tx.Set("/from b", doc.Counter(2)) })
			merge(t, a, b)
			for path, want := range map[string]string{"/from a": `{"list":[1,{"$text":"é"}]}`, "/from b": `{"$counter":2}`} {
				if got, err := b.JSON(path); err != nil || string(got) != want {
					t.Errorf("%s is %s (%v), want %s", path, got, err, want)
				}
			}
		})
	}
}

// TestFixturesCover looks at what the fixtures are for.
func TestFixturesCover(t *testing.T) {
	files, err := filepath.Glob("testdata/*")
	must(t, err)
	if len(files) != 3*len(fixtures) {
		t.Errorf("testdata has %d files, want three for each of %d documents: list new ones in fixtures", len(files), len(fixtures))
	}
	small := 0
	for _, raw := range frames(t, read(t, "large.changes")) {
		if raw[8] == deflated {
			small++
		}
	}
	if small < 2 {
		t.Errorf("%d deflated changes in large, want at least 2", small)
	}
	empty := false
	for _, raw := range frames(t, read(t, "histories.changes")) {
		c, err := gate.Parse(raw)
		must(t, err)
		empty = empty || c.Ops == 0
	}
	if !empty {
		t.Error("histories has no empty change")
	}
	actors := load(t, frames(t, read(t, "actors.changes")), 1).Graph().Actors()
	if actors < 20 {
		t.Errorf("actors has %d, want at least 20", actors)
	}
}

// load is a document of changes, each of which the gate takes by itself. Its actor follows from seed.
func load(t testing.TB, changes [][]byte, seed byte) *doc.Doc {
	t.Helper()
	for i, raw := range changes {
		if _, err := gate.Parse(raw); err != nil {
			t.Fatalf("change %d: %v", i, err)
		}
	}
	d, err := doc.Load(doc.NamedID("interop", "fixture"), changes, source(seed))
	must(t, err)
	t.Cleanup(func() { d.Close() })
	return d
}

// wantSaid compares a document with what the JavaScript library says about it.
func wantSaid(t testing.TB, d *doc.Doc, want said) {
	t.Helper()
	if got := d.Heads(); !slices.Equal(got, want.Heads) {
		t.Errorf("the heads are %v, in JavaScript %v", got, want.Heads)
	}
	got, err := d.JSON("")
	must(t, err)
	if !bytes.Equal(got, want.Value) {
		at := 0
		for at < min(len(got), len(want.Value)) && got[at] == want.Value[at] {
			at++
		}
		t.Errorf("the value differs from byte %d on:\n%.300s\nin JavaScript\n%.300s", at, got[max(0, at-40):], want.Value[max(0, at-40):])
	}
}

func fixture(t testing.TB, name string) said {
	t.Helper()
	var s said
	must(t, json.Unmarshal(read(t, name+".json"), &s))
	return s
}

func read(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	must(t, err)
	return b
}

// hashes names changes, sorted.
func hashes(t testing.TB, changes [][]byte) []doc.Hash {
	t.Helper()
	var out []doc.Hash
	for _, raw := range changes {
		c, err := gate.Parse(raw)
		must(t, err)
		out = append(out, c.Hash)
	}
	slices.SortFunc(out, doc.Hash.Compare)
	return out
}

// join makes the run of changes that frames splits.
func join(changes [][]byte) []byte {
	var b []byte
	for _, raw := range changes {
		b = append(binary.AppendUvarint(b, uint64(len(raw))), raw...)
	}
	return b
}

// frames splits a run of changes, as README.md describes it.
func frames(t testing.TB, run []byte) [][]byte {
	t.Helper()
	changes, err := split(run)
	must(t, err)
	return changes
}

func split(run []byte) ([][]byte, error) {
	var changes [][]byte
	for len(run) > 0 {
		n, width := binary.Uvarint(run)
		if width <= 0 || n > uint64(len(run)-width) {
			return nil, errors.New("the run of changes is cut short: make the fixtures again")
		}
		run = run[width:]
		changes = append(changes, run[:n:n])
		run = run[n:]
	}
	return changes, nil
}

func TestSplitCutShort(t *testing.T) {
	run := join([][]byte{{1, 2, 3}, make([]byte, 300)})
	whole, err := split(run)
	if err != nil || len(whole) != 2 || len(whole[1]) != 300 {
		t.Fatalf("%d changes, %v", len(whole), err)
	}
	for n := range run {
		if got, err := split(run[:n]); err == nil && n != 0 && n != 4 {
			t.Errorf("the first %d bytes are %d changes", n, len(got))
		}
	}
}

// source is a random source that gives the same bytes for the same seed.
func source(seed byte) *rand.ChaCha8 { return rand.NewChaCha8([32]byte{seed}) }

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
