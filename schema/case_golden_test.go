package schema_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"tombolo/doc"
	"tombolo/schema"
)

// layout1 is a schema that uses every kind of key of storage layout 1. Never change it: the documents in testdata/layout1 were written with it. What else
// is to be recorded is a further version, with further documents.
func layout1() *schema.Schema {
	return schema.MustNew(app,
		schema.V(1,
			schema.Object(schema.Root,
				schema.Text("title"), schema.String("body"), schema.String("fullName"), schema.Bool("done"), schema.String("owner"), schema.Int("size"),
				schema.Float("weight"), schema.Time("due"), schema.Bytes("image"), schema.Counter("votes"), schema.Set("labels"), schema.String("color"),
				schema.List("tags", schema.String("")), schema.List("line", schema.Nested("", "Point")), schema.Table("todos", "Todo"), schema.Nested("settings", "Settings")),
			schema.Object("Point", schema.Int("x"), schema.Int("y")),
			schema.Object("Todo", schema.Text("text"), schema.Bool("done"), schema.String("memo"), schema.Nested("place", "Place"), schema.Table("parts", "Part")),
			schema.Object("Part", schema.Text("name"), schema.Counter("count")),
			schema.Object("Place", schema.Bool("public"), schema.Set("names")),
			schema.Object("Settings", schema.String("theme", schema.Default("light")), schema.Nested("home", "Place"))),
		schema.V(2,
			schema.Rename(schema.Root, "title", "name"), schema.Hoist(schema.Root, "settings.theme", "theme"), schema.Remove(schema.Root, "color"),
			schema.Map(schema.Root, "done", "status", doneStatus, schema.Enum("todo", "doing", "done", "archived")),
			schema.Map("Todo", "done", "status", doneStatus), schema.Map("Place", "public", "private", turned),
			schema.TextFromString(schema.Root, "body"), schema.TextFromString("Todo", "memo"), schema.Add("Todo", schema.Text("notes"))),
		schema.V(3,
			schema.Group(schema.Root, splitName), schema.Group(schema.Root, statusState), schema.Wrap(schema.Root, "owner", "owners"),
			schema.Add(schema.Root, schema.Int("color"), schema.Table("log", "Entry")), schema.Object("Entry", schema.Time("at"), schema.Text("what")),
			schema.Plunge(schema.Root, "size", "settings.home.size"), schema.RequireWriter(1+1)))
}

var long = strings.Repeat("It fails often. ", 4) // longer than what an echo repeats

// layoutDocs are the recorded documents, and who writes them: one change for each member of the list, by the actor of its number.
var layoutDocs = map[string][]func(t *testing.T, s *schema.Schema, d *doc.Doc){
	apart:      nil, // see layoutChanges
	"version1": {layoutBy1},
	"version2": {layoutBy2},
	"version3": {layoutBy3},
	"upgraded": {layoutBy1, layoutBy2, layoutBy3},
	"answered": {layoutBy2, layoutBy3, func(t *testing.T, s *schema.Schema, d *doc.Doc) {
		set(t, whole(t, s, 2), d, "fullName", "Zoe Bell", "status", "done", "owner", "zoe", "body", doc.Text("No"), "size", int64(8))
	}, func(t *testing.T, s *schema.Schema, d *doc.Doc) {
		set(t, whole(t, s, 3), d, "last", "Quinn", "archived", true, "body", doc.Text("No!"), "todos", object{})
	}},
}

// apart is a document that devices of all versions edited without knowing of each other, after version 1 began it.
const apart = "apart"

func layoutBy1(t *testing.T, s *schema.Schema, d *doc.Doc) {
	set(t, whole(t, s, 1), d, "title", doc.Text("Bug 🐛"), "body", long, "fullName", "Ann Lee", "done", true, "owner", "ann", "size", int64(-7), "weight", 1.5,
		"due", time.UnixMilli(1_700_000_000_123).UTC(), "image", []byte{0, 1, 255}, "votes", doc.Counter(2), "labels", object{"a": true, "b": true}, "color", "red",
		"tags", []any{"x", "", "y"}, "line", []any{object{"x": int64(1), "y": int64(2)}, object{"x": int64(3), "y": int64(4)}},
		"settings", object{"theme": "dark", "home": object{"public": true, "names": object{"h": true}}},
		"todos", object{
			"t1": object{
				"text": doc.Text("look"), "done": true, "memo": "short", "place": object{"public": false, "names": object{"n": true}},
				"parts": object{"p": object{"name": doc.Text("part"), "count": doc.Counter(1)}},
			},
			"t2": object{"text": doc.Text("gone")},
		})
}

func layoutBy2(t *testing.T, s *schema.Schema, d *doc.Doc) {
	set(t, whole(t, s, 2), d, "name", doc.Text("Bug 🐞"), "body", doc.Text(long+"!"), "status", "doing", "theme", "blue", "votes", doc.Counter(5), "fullName", "Ann Q Lee",
		"settings", object{"home": object{"private": true}},
		"todos", object{"t1": object{"status": "archived", "memo": doc.Text("shorter"), "notes": doc.Text("twice"), "place": object{"private": false}}})
}

func layoutBy3(t *testing.T, s *schema.Schema, d *doc.Doc) {
	set(t, whole(t, s, 3), d, "first", "Anna ", "state", "todo", "archived", true, "owners", object{"bob": true, "eve": true}, "color", int64(5),
		"settings", object{"home": object{"size": int64(9), "private": false}},
		"log", object{"e": object{"at": time.UnixMilli(1_700_000_001_000).UTC(), "what": doc.Text("seen")}},
		"todos", object{"t1": object{"notes": doc.Text("thrice"), "memo": doc.Text("long"), "parts": object{"q": object{"name": doc.Text("other"), "count": doc.Counter(3)}}}})
}

// layoutChanges are the changes of a recorded document as they are made now.
func layoutChanges(t *testing.T, s *schema.Schema, name string) [][]byte {
	d := docOf(t, 100)
	if name == apart {
		layoutBy1(t, s, d)
		docs := []*doc.Doc{copyOf(t, d, 101), copyOf(t, d, 102), copyOf(t, d, 103)}
		set(t, whole(t, s, 1), docs[0], "fullName", "Zoe Bell", "done", false, "owner", "zoe", "body", "No", "votes", doc.Counter(1), "labels", object{"c": true})
		layoutBy2(t, s, docs[1])
		layoutBy3(t, s, docs[2])
		for _, from := range docs {
			pass(t, from, d, from.Len())
		}
		return changesOf(t, d)
	}
	for i, write := range layoutDocs[name] {
		d = copyOf(t, d, byte(i+1))
		write(t, s, d)
	}
	return changesOf(t, d)
}

// TestCase31GoldenLayout: documents that were recorded at layout 1 open for ever, show what they showed in every version, and are written again as the same bytes.
func TestCase31GoldenLayout(t *testing.T) {
	s := layout1()
	for name := range layoutDocs {
		t.Run(name, func(t *testing.T) {
			recorded(t, name+".changes", func() []byte { return framed(layoutChanges(t, s, name)) })
			changes := unframed(t, name+".changes")
			if !slices.EqualFunc(changes, layoutChanges(t, s, name), bytes.Equal) {
				t.Errorf("the same edits by the same actors are other bytes now than when they were recorded: devices that edit apart will not merge as they did")
			}
			d, err := doc.Load(doc.NamedID(app, "test"), changes, bytes.NewReader(make([]byte, 16)))
			if err != nil {
				t.Fatal(err)
			}
			for v := 1; v <= s.Newest(); v++ {
				file := fmt.Sprintf("%s.as-v%d.json", name, v)
				shown := shownBy(t, s, v, d)
				recorded(t, file, func() []byte { return []byte(shown + "\n") })
				if want := string(readLayout(t, file)); shown+"\n" != want {
					t.Errorf("version %d shows\n%s\nand showed\n%s", v, shown, want)
				}
			}
			unchanged(t, d, "editing nothing", func() {
				for v := 2; v <= s.Newest(); v++ {
					set(t, whole(t, s, v), d)
				}
			})
		})
	}
}

// TestCase31Complete: the recorded documents have every kind of key that layout 1 knows, and each file belongs to one of them.
func TestCase31Complete(t *testing.T) {
	keys := map[string]bool{}
	for name := range layoutDocs {
		for _, c := range unframed(t, name+".changes") {
			for _, key := range []string{"^fullName~3.1@", "cur~3.1", "~3.1@", "first~3.1@", "=done~2.5@", "+last~3.1@", "^body~2.7@", "body~2.7@", "^public~2.6@", "^memo~2.8@", "status~2.4@", "state~3.2@", "color~3", "^owner~3.3", "v/1/", "v/2/", "v/3/", "min/2", "owners", "log"} {
				keys[key] = keys[key] || bytes.Contains(c, []byte(key))
			}
		}
	}
	for key, there := range keys {
		if !there {
			t.Errorf("no recorded document has a key with %q", key)
		}
	}
	files, err := filepath.Glob("testdata/layout1/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		name, _, _ := strings.Cut(filepath.Base(file), ".")
		if _, ok := layoutDocs[name]; !ok {
			t.Errorf("%s belongs to no document of this test; recorded documents are never taken away", file)
		}
	}
}

// recorded makes a file that is not there yet, if the tests are asked to. One that is there is never written again.
func recorded(t *testing.T, file string, content func() []byte) {
	t.Helper()
	path := filepath.Join("testdata", "layout1", file)
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) || flag.Lookup("update").Value.String() != "true" {
		return
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, content(), 0o644); err != nil {
		t.Fatal(err)
	}
}

func readLayout(t *testing.T, file string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", "layout1", file))
	if err != nil {
		t.Fatalf("%v\nTo record a document, add it to layoutDocs and run: go test ./schema -run Case31 -update. It writes new files only; what is recorded stays as it is.", err)
	}
	return b
}

// framed is changes in one file: before each its length.
func framed(changes [][]byte) []byte {
	var out []byte
	for _, c := range changes {
		out = append(binary.AppendUvarint(out, uint64(len(c))), c...)
	}
	return out
}

func unframed(t *testing.T, file string) (changes [][]byte) {
	t.Helper()
	for b := readLayout(t, file); len(b) > 0; {
		n, size := binary.Uvarint(b)
		if size <= 0 || n > uint64(len(b)-size) {
			t.Fatalf("%s is cut off", file)
		}
		changes, b = append(changes, b[size:size+int(n)]), b[size+int(n):]
	}
	return changes
}
