package schematest_test

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"tombolo/doc"
	"tombolo/schema"
	"tombolo/schema/schematest"
)

// What the tests of this package say of a schema that is wrong can only be seen from outside: TestChild runs them, in a process of its own.

const (
	childCase = "SCHEMATEST_CASE"
	childDir  = "SCHEMATEST_DIR"
)

var calls int // of impure functions

// oneLens is a schema in two versions with one lens.
func oneLens(up func(int64, *string) (string, error)) *schema.Schema {
	l := schema.Lens[int64, string]{Rev: 1, Up: up, Down: func(string, int64) (int64, error) { return 0, nil }}
	return schema.MustNew("one lens",
		schema.V(1, schema.Object(schema.Root, schema.Text("title"), schema.Int("n"))),
		schema.V(2, schema.Map(schema.Root, "n", "s", l)),
	)
}

var childCases = map[string]func(t *testing.T, o schematest.Options){
	"all":       func(t *testing.T, o schematest.Options) { schematest.Run(t, issues("issues"), o) },
	"strict":    func(t *testing.T, o schematest.Options) { schematest.Run(t, strict(), o) },
	"released":  func(t *testing.T, o schematest.Options) { schematest.Run(t, issues("issues").At(3), o) },
	"unlocked":  func(t *testing.T, o schematest.Options) { schematest.Locked(t, issues("issues"), o.Fixtures) },
	"fixtures":  func(t *testing.T, o schematest.Options) { schematest.Fixtures(t, issues("issues"), o) },
	"otherwise": func(t *testing.T, o schematest.Options) { schematest.Locked(t, issues("other issues"), o.Fixtures) },
	"impure": func(t *testing.T, o schematest.Options) {
		schematest.Laws(t, oneLens(func(int64, *string) (string, error) { calls++; return strings.Repeat("x", calls%7), nil }), o)
	},
	"partial": func(t *testing.T, o schematest.Options) {
		schematest.Laws(t, oneLens(func(n int64, _ *string) (string, error) {
			if n == 7 {
				return "", errors.New("seven is not supported")
			}
			return "x", nil
		}), o)
	},
	"panic": func(t *testing.T, o schematest.Options) {
		schematest.Laws(t, oneLens(func(n int64, _ *string) (string, error) { return strings.Repeat("x", int(min(n, 3))), nil }), o)
	},
	"fleet": func(t *testing.T, o schematest.Options) {
		schematest.Fleet(t, oneLens(func(int64, *string) (string, error) { calls++; return strings.Repeat("x", calls%7), nil }), o)
	},
	"unknown": func(t *testing.T, o schematest.Options) {
		o.Fleet = []int{1, 5}
		schematest.Fleet(t, strict(), o)
	},
	"record": func(t *testing.T, o schematest.Options) {
		d, err := doc.New(doc.ID{1}, bytes.NewReader(make([]byte, 16)))
		if err == nil {
			_, err = d.Apply(doc.Genesis(d.ID(), "issues"))
		}
		if err == nil {
			err = schema.MustBind[map[string]any](issues("issues"), 4).Update(t.Context(), schema.Of(d, nil), "", func(m *map[string]any) error {
				(*m)["first"] = "Ann"
				return nil
			})
		}
		if err != nil {
			t.Fatal(err)
		}
		schematest.Record(t, issues("issues"), o.Fixtures, "ann", d)
	},
}

func TestChild(t *testing.T) {
	run := childCases[os.Getenv(childCase)]
	if run == nil {
		t.Skip("it is for the other tests of this file")
	}
	run(t, schematest.Options{Fixtures: os.Getenv(childDir), Seeds: 8})
}

// child runs a case and checks that it fails or does not, and what it says.
func child(t *testing.T, name, dir string, args []string, fails bool, says ...string) {
	t.Helper()
	cmd := exec.Command(os.Args[0], append([]string{"-test.run=^TestChild$", "-test.v"}, args...)...)
	cmd.Env = append(os.Environ(), childCase+"="+name, childDir+"="+dir)
	out, err := cmd.CombinedOutput()
	if _, exit := errors.AsType[*exec.ExitError](err); err != nil && !exit {
		t.Fatal(err)
	}
	if (err != nil) != fails {
		t.Fatalf("%s %v: %v\n%s", name, args, err, out)
	}
	for _, s := range says {
		if !strings.Contains(string(out), s) {
			t.Errorf("%s %v does not say %q:\n%s", name, args, s, out)
		}
	}
}

var update = []string{"-update"}

// The path of a schema: three versions are released, then a fourth one.
func TestRelease(t *testing.T) {
	dir := t.TempDir()
	child(t, "released", dir, nil, true, "version 1 has a successor and is not written down", "version 3 is not written down yet", "there is no document by version 3")
	child(t, "released", dir, update, false, "version 3 is written down", filepath.Join("v3", "generated.changes"))
	kept := files(t, dir)
	child(t, "released", dir, nil, false)
	child(t, "all", dir, nil, false, "version 4 is not written down yet", "generated.as-v4.json is not there yet")
	child(t, "all", dir, update, false, "version 4 is written down", "generated.as-v4.json is written")
	child(t, "record", dir, update, false, "ann.changes is written")
	child(t, "record", dir, update, false)
	child(t, "all", dir, nil, false, "v4/ann")
	now := files(t, dir)
	for name, data := range kept {
		if now[name] != data {
			t.Errorf("%s was written again", name)
		}
	}
	if !strings.Contains(now[filepath.Join("v4", "ann.as-v1.json")], `"fullName":"Ann"`) {
		t.Errorf("Ann as version 1 sees her: %s", now[filepath.Join("v4", "ann.as-v1.json")])
	}
}

// A version that older ones must not write beside has documents, too.
func TestStrictRelease(t *testing.T) {
	dir := t.TempDir()
	child(t, "strict", dir, update, false, "version 3 is written down")
	child(t, "strict", dir, nil, false, "v3/generated")
}

// What was released and differs now is a failure that says what differs and what to do; -update does not take it over.
func TestChangedRelease(t *testing.T) {
	dir := t.TempDir()
	child(t, "unlocked", dir, nil, true, "version 1 has a successor and is not written down")
	child(t, "all", dir, update, false)
	kept := files(t, dir)
	for _, args := range [][]string{nil, update} {
		child(t, "otherwise", dir, args, true, "version 1 was released and has changed", `-   "fingerprint": "`, `+   "fingerprint": "`, "a version of its own")
	}
	write(t, filepath.Join(dir, "v2.lock.json"), strings.Replace(kept["v2.lock.json"], `"stored": "/title"`, `"stored": "/titel"`, 1))
	child(t, "unlocked", dir, update, true, "a fault of package schema", "/titel")

	view := filepath.Join(dir, "v4", "generated.as-v2.json")
	write(t, view, strings.Replace(kept[filepath.Join("v4", "generated.as-v2.json")], `"priority":`, `"urgency":`, 1))
	for _, args := range [][]string{nil, update} {
		child(t, "fixtures", dir, args, true, "shows something else as version 2", "/priority", "/urgency")
	}
	if err := os.Remove(view); err != nil {
		t.Fatal(err)
	}
	child(t, "fixtures", dir, nil, true, "generated.as-v2.json is missing")
	changes := filepath.Join(dir, "v4", "generated.changes")
	write(t, changes, kept[filepath.Join("v4", "generated.changes")][:200])
	child(t, "fixtures", dir, nil, true, "the file is cut off")
	write(t, changes, "tombolo")
	child(t, "fixtures", dir, nil, true, "binary file")
}

func TestBadLenses(t *testing.T) {
	child(t, "impure", "", nil, true, "it must depend on its arguments alone")
	child(t, "partial", "", nil, true, "seven is not supported, with [7]", "Options.Samples")
	child(t, "panic", "", nil, true, "panic: strings: negative Repeat count", "with [-1]")
}

// A failure of the fleet has all that is needed to see it again.
func TestFleetTells(t *testing.T) {
	child(t, "fleet", "", nil, true, "the shortest history found (", "repeat it with: go test -run '^TestChild$' -from ", "seeds, ", "peer 0 ")
	child(t, "fleet", "", []string{"-from=3", "-seeds=1"}, true, "seed 3: ")
	child(t, "unknown", "", nil, true, "Options.Fleet has version 5, and the schema has versions 1 to 3")
}

func files(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		name, _ := filepath.Rel(dir, path)
		out[name] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func write(t *testing.T, path, data string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(data), 0o600); err != nil {
		t.Fatal(err)
	}
}
