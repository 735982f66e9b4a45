package interop_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"tombolo/doc"
	"tombolo/doc/gate"
)

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// TestFixturesAreMade makes the fixtures again. Compressed changes are compared unpacked, since releases of Node compress differently.
func TestFixturesAreMade(t *testing.T) {
	dir := t.TempDir()
	node(t, "make.mjs", dir)
	for _, name := range fixtures {
		for _, ext := range []string{".automerge", ".json", ".changes"} {
			got, err := os.ReadFile(filepath.Join(dir, name+ext))
			must(t, err)
			want := read(t, name+ext)
			if ext == ".changes" {
				got, want = plain(t, got), plain(t, want)
			}
			if !bytes.Equal(got, want) {
				t.Errorf("%s%s is not what make.mjs makes; run 'node doc/interop/js/make.mjs' and look at the difference", name, ext)
			}
		}
	}
}

// TestEveryKind has JavaScript read what Go wrote, edit it, and Go read and edit that.
func TestEveryKind(t *testing.T) {
	id := doc.NamedID("interop", "every kind")
	a, b := open(t, id, 1), open(t, id, 2)
	edit(t, a, func(tx *doc.Tx) error { return tx.Put(everyKind()) })
	merge(t, a, b)
	edit(t, a, func(tx *doc.Tx) error {
		return errors.Join(
			tx.Text("body").Splice(2, 3, "αβγ𝄞"),
			tx.List("items").Insert(1, "from a"),
			tx.Add("stock", 5),
			tx.Set("title", "set by a"),
			tx.Remove("old"),
			tx.Remove("olds"),
		)
	})
	edit(t, b, func(tx *doc.Tx) error {
		return errors.Join(
			tx.Text("body").Splice(4, 0, "👩‍🚀"),
			tx.List("items").Append(map[string]any{"from": "b"}),
			tx.Add("stock", -2),
			tx.Set("title", "set by b"),
			tx.Remove("/items/0"),
		)
	})
	merge(t, a, b)
	check(t, a)

	theirs := saved(t, a)
	edited := filepath.Join(t.TempDir(), "edited.automerge")
	want := answers(t, node(t, "check.mjs", "--edit", edited, theirs))
	file, err := os.ReadFile(edited)
	must(t, err)
	changes, err := doc.ReadSaved(file, nil)
	must(t, err)
	applied, err := a.Apply(changes...)
	must(t, err)
	if len(applied.New) != 2 || len(applied.Missing) != 0 {
		t.Fatalf("%d new changes and %d missing, want the two that JavaScript made", len(applied.New), len(applied.Missing))
	}
	if c := applied.New[0]; c.Message != "written in JavaScript" || c.Time != noon.Unix() {
		t.Errorf("the change says %q at %d", c.Message, c.Time)
	}
	wantSaid(t, a, want[0])

	edit(t, a, func(tx *doc.Tx) error {
		return errors.Join(
			tx.Text("body").Splice(1, 6, "over marks and a block"),
			tx.Add("/js/counter", 10),
			tx.Set("/js/float", int64(1)),
			tx.Set("/js/text", "rewritten"),
			tx.Remove("/js/list/0"),
		)
	})
	edit(t, b, func(tx *doc.Tx) error { return tx.Text("body").Splice(0, 4, "meanwhile") })
	merge(t, a, b)
	check(t, a)
}

// TestRandomDocuments has JavaScript read documents that several devices wrote, apart and together.
func TestRandomDocuments(t *testing.T) {
	node(t, "--version") // skips early
	const documents = 20
	var docs []*doc.Doc
	for seed := range byte(documents) {
		docs = append(docs, random(t, seed))
	}
	check(t, docs...)
}

// TestRandomFromJavaScript reads what JavaScript made at random: marks, blocks, nested values, many actors.
func TestRandomFromJavaScript(t *testing.T) {
	dir := t.TempDir()
	const documents = 30
	node(t, "random.mjs", dir, "0", strconv.Itoa(documents))
	for seed := range documents {
		t.Run(strconv.Itoa(seed), func(t *testing.T) {
			file := filepath.Join(dir, strconv.Itoa(seed))
			line, err := os.ReadFile(file + ".json")
			must(t, err)
			want := answers(t, string(line))[0]
			run, err := os.ReadFile(file + ".changes")
			must(t, err)
			wantSaid(t, load(t, frames(t, run), 1), want)
			saved, err := os.ReadFile(file + ".automerge")
			must(t, err)
			changes, err := doc.ReadSaved(saved, nil)
			must(t, err)
			wantSaid(t, load(t, changes, 1), want)
		})
	}
}

// random is what three devices make of a document, by seed.
func random(t *testing.T, seed byte) *doc.Doc {
	r := rand.New(rand.NewPCG(uint64(seed), 1))
	id := doc.NamedID("interop", fmt.Sprint("random ", seed))
	devices := []*doc.Doc{open(t, id, 3*seed), open(t, id, 3*seed+1), open(t, id, 3*seed+2)}
	for range 30 {
		i := r.IntN(len(devices))
		d := devices[i]
		if r.IntN(4) == 0 {
			merge(t, d, devices[(i+1)%len(devices)])
			continue
		}
		edit(t, d, func(tx *doc.Tx) error {
			for range 1 + r.IntN(5) {
				if err := step(tx, r); err != nil {
					return fmt.Errorf("seed %d: %w", seed, err)
				}
			}
			return nil
		})
	}
	merge(t, devices[0], devices[1])
	merge(t, devices[0], devices[2])
	return devices[0]
}

// step writes something somewhere.
func step(tx *doc.Tx, r *rand.Rand) error {
	body, err := tx.Get("body")
	if _, ok := errors.AsType[*doc.PathError](err); err != nil && !ok {
		return err
	}
	text, _ := body.(doc.Text)
	length := len([]rune(string(text)))
	switch r.IntN(7) {
	case 0:
		at := r.IntN(length + 1)
		return tx.Text("body").Splice(at, r.IntN(length-at+1)/2, word(r))
	case 1:
		return tx.Text("body").Splice(length, 0, word(r)+" ")
	case 2:
		return tx.List("items").Append(anything(r, 2))
	case 3:
		if _, err := tx.Get("/items/0"); err == nil {
			return tx.Remove("/items/0")
		}
		return tx.List("items").Insert(0, anything(r, 1))
	case 4:
		if v, err := tx.Get("count"); err == nil {
			if _, ok := v.(doc.Counter); ok {
				return tx.Add("count", r.Int64N(200)-100)
			}
		}
		return tx.Set("count", doc.Counter(r.Int64N(100)))
	default:
		key := doc.Pointer{keys[r.IntN(len(keys))]}.String()
		if _, err := tx.Get(key); err == nil && r.IntN(3) == 0 {
			return tx.Remove(key)
		}
		return tx.Set(key, anything(r, 3))
	}
}

var keys = []string{"a", "b", "é", "e\u0301", "😀", "\uffff", "$k", "$$", "/", "~1", "0", "-", "\x00", "\"\\\n\u2028", "constructor", "toString", " "}

func word(r *rand.Rand) string {
	return []string{"", "plain", "é", "e\u0301", "😀👍🏼", "漢字", "\x00\x1f\u007f", "\ufeff\uffff\U0010ffff", "\"\\\n", "𝄞x"}[r.IntN(10)]
}

// anything is a value of any kind, containers up to a depth.
func anything(r *rand.Rand, depth int) any {
	n := 12
	if depth > 0 {
		n = 14
	}
	switch r.IntN(n) {
	case 0:
		return nil
	case 1:
		return r.IntN(2) == 0
	case 2:
		return int64(r.Uint64()) >> r.IntN(64)
	case 3:
		return r.Uint64() >> r.IntN(64)
	case 4:
		return math.Float64frombits(r.Uint64())
	case 5:
		return []float64{0, math.Copysign(0, -1), 1, 1e20, 1e21, 1e-6, 1e-7, math.MaxFloat64, 5e-324, math.Inf(-1)}[r.IntN(10)]
	case 6, 7:
		return word(r)
	case 8, 9:
		return doc.Text(word(r))
	case 10:
		return []any{[]byte(word(r)), doc.Counter(r.Int64() >> r.IntN(64))}[r.IntN(2)]
	case 11:
		return time.UnixMilli(r.Int64N(2e15) - 1e15).UTC()
	case 12:
		l := make([]any, r.IntN(4))
		for i := range l {
			l[i] = anything(r, depth-1)
		}
		return l
	default:
		m := map[string]any{}
		for range r.IntN(4) {
			m[keys[r.IntN(len(keys))]] = anything(r, depth-1)
		}
		return m
	}
}

func everyKind() map[string]any {
	return map[string]any{
		"title": "a string", "body": doc.Text("written together: e\u0301 😀"), "items": []any{"one", doc.Text("two"), int64(3)},
		"stock": doc.Counter(10), "old": "goes", "olds": []any{"hidden, not deleted"},
		"kinds": map[string]any{
			"nil": nil, "true": true, "false": false, "int": int64(-5), "uint": uint64(5), "float": 2.0, "minus zero": math.Copysign(0, -1),
			"max": int64(math.MaxInt64), "min": int64(math.MinInt64), "max uint": uint64(math.MaxUint64), "NaN": math.NaN(), "inf": math.Inf(1),
			"bytes": []byte{0, 0xff}, "no bytes": []byte{}, "time": noon.Add(123 * time.Millisecond), "early": time.UnixMilli(-1).UTC(),
			"counter": doc.Counter(math.MinInt32), "empty": map[string]any{}, "none": []any{}, "no text": doc.Text(""),
			"deep": []any{[]any{map[string]any{"a": []any{doc.Text("t")}}}}, "$text": "a key with a mark", "\x00": "NUL\x00", "😀": "\uffff",
		},
	}
}

// check has JavaScript read documents, as saved and as single changes, and compares.
func check(t *testing.T, docs ...*doc.Doc) {
	t.Helper()
	var files []string
	for _, d := range docs {
		changes, err := d.Changes()
		must(t, err)
		run := filepath.Join(t.TempDir(), "go.changes")
		must(t, os.WriteFile(run, join(changes), 0o600))
		files = append(files, saved(t, d), run)
	}
	said := answers(t, node(t, append([]string{"check.mjs"}, files...)...))
	if len(said) != len(files) {
		t.Fatalf("%d answers about %d files", len(said), len(files))
	}
	for i, s := range said {
		wantSaid(t, docs[i/2], s)
	}
}

// saved is a document in a file.
func saved(t *testing.T, d *doc.Doc) string {
	t.Helper()
	b, err := d.Save(nil)
	must(t, err)
	file := filepath.Join(t.TempDir(), "go.automerge")
	must(t, os.WriteFile(file, b, 0o600))
	return file
}

// node runs a program of the folder js. Without Node or the library the test is skipped, except in CI, where setup has installed both.
func node(t *testing.T, args ...string) string {
	t.Helper()
	program, err := exec.LookPath("node")
	if err == nil {
		_, err = os.Stat("js/node_modules/@automerge/automerge/package.json")
	}
	if err != nil {
		message := fmt.Sprintf("Node or the JavaScript library is missing (%v): run scripts/setup", err)
		if os.Getenv("CI") == "true" {
			t.Fatal(message)
		}
		t.Skip(message)
	}
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Dir = "js"
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("node %.200s: %v\n%s", strings.Join(args, " "), err, stderr.String())
	}
	return stdout.String()
}

// answers reads the lines of check.mjs.
func answers(t *testing.T, lines string) []said {
	t.Helper()
	var out []said
	for line := range strings.Lines(lines) {
		var s said
		must(t, json.Unmarshal([]byte(line), &s))
		out = append(out, s)
	}
	return out
}

// plain joins the changes of a run, the deflated ones unpacked.
func plain(t *testing.T, run []byte) []byte {
	t.Helper()
	changes := frames(t, run)
	for i, raw := range changes {
		if raw[8] == deflated {
			c, err := gate.Parse(raw)
			must(t, err)
			changes[i] = c.Raw
		}
	}
	return join(changes)
}

// open is a document with its genesis, whose actor follows from seed.
func open(t *testing.T, id doc.ID, seed byte) *doc.Doc {
	t.Helper()
	d, err := doc.Load(id, [][]byte{doc.Genesis(id, "interop")}, source(seed))
	must(t, err)
	t.Cleanup(func() { d.Close() })
	return d
}

func edit(t *testing.T, d *doc.Doc, fn func(*doc.Tx) error) {
	t.Helper()
	_, err := d.Edit(doc.Note{Message: "made in Go", Time: noon}, fn)
	must(t, err)
}

// merge gives each document the changes of the other.
func merge(t *testing.T, a, b *doc.Doc) {
	t.Helper()
	for _, pair := range [][2]*doc.Doc{{a, b}, {b, a}} {
		changes, err := pair[0].Changes()
		must(t, err)
		applied, err := pair[1].Apply(changes...)
		must(t, err)
		if len(applied.Missing) > 0 {
			t.Fatalf("missing %v", applied.Missing)
		}
	}
}
