package schematest

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tombolo/doc"
	"tombolo/schema"
)

// Fixtures reads the documents that released versions left in o.Fixtures, as every version: dir/v<n>/<name>.changes must show what
// dir/v<n>/<name>.as-v<m>.json says, in canonical JSON. Then it edits a copy at each version and loads it again, and nothing else may have moved.
//
// With -update it writes what new versions show of old documents, and for the newest version, if it has no document yet, one with random
// edits by all versions so far. [Record] adds the documents that an application finds worth keeping. What is there is never written again.
func Fixtures(t *testing.T, s *schema.Schema, o Options) {
	t.Helper()
	o = o.withDefaults(s)
	sh, err := shapeOf(s)
	if err != nil {
		t.Fatal(err)
	}
	for v := 1; v <= s.Newest(); v++ {
		names, err := filepath.Glob(filepath.Join(versionDir(o.Fixtures, v), "*.changes"))
		if err != nil {
			t.Fatal(err)
		}
		if len(names) == 0 && v == s.Newest() && updating() {
			names = append(names, generate(t, sh, o))
		}
		if len(names) == 0 {
			t.Logf("there is no document by version %d: call schematest.Record(t, schema, %q, %q, document) in a test of the release of version %d, or run this test with -update "+
				"at that release, and add the files to the repository", v, o.Fixtures, "name", v)
		}
		for _, name := range names {
			base := strings.TrimSuffix(name, ".changes")
			t.Run(fmt.Sprintf("v%d/%s", v, filepath.Base(base)), func(t *testing.T) { fixture(t, sh, o, base) })
		}
	}
}

func versionDir(dir string, version int) string {
	return filepath.Join(dir, fmt.Sprintf("v%d", version))
}

// Record keeps a document as one that the newest version of s wrote, under dir, with what each version shows of it. It does so with -update alone, and
// only if there is none of that name yet. Call it in the application's own tests, with documents that are like those of users, and run
// these with -update before the version is released. dir is Options.Fixtures; "" stands for its default.
func Record(t *testing.T, s *schema.Schema, dir, name string, d *doc.Doc) {
	t.Helper()
	if dir == "" {
		dir = Options{}.withDefaults(s).Fixtures
	}
	base := filepath.Join(versionDir(dir, s.Newest()), name)
	if _, err := os.Stat(base + ".changes"); err == nil || !updating() {
		return
	}
	sh, err := shapeOf(s)
	if err != nil {
		t.Fatal(err)
	}
	if err := record(sh, base, d); err != nil {
		t.Fatal(err)
	}
	t.Logf("%s.changes is written; add it and its views to the repository", base)
}

func record(sh *shape, base string, d *doc.Doc) error {
	changes, err := d.Changes()
	if err != nil {
		return err
	}
	if err := create(base+".changes", frame(d.ID(), changes)); err != nil {
		return err
	}
	for v := 1; v <= sh.newest; v++ {
		view, err := shownAs(sh, d, v)
		if err != nil {
			return err
		}
		if err := create(asPath(base, v), view); err != nil {
			return err
		}
	}
	return nil
}

func asPath(base string, version int) string { return fmt.Sprintf("%s.as-v%d.json", base, version) }

// shownAs is a document at a version in canonical JSON.
func shownAs(sh *shape, d *doc.Doc, version int) ([]byte, error) {
	view, err := sh.read(d, version)
	if err != nil {
		return nil, err
	}
	json, err := doc.EncodeJSON(view)
	return append(json, '\n'), err
}

// generate records a document with random edits by all versions so far.
func generate(t *testing.T, sh *shape, o Options) string {
	t.Helper()
	r := newRun(sh, o, sh.newest)
	defer r.close()
	if err := r.open(); err != nil {
		t.Fatal(err)
	}
	const edits = 40
	for n := range edits {
		err := r.edit(r.peers[n%len(r.peers)], n)
		if err == nil && n%8 == 7 {
			err = r.meet()
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := r.meet(); err != nil {
		t.Fatal(err)
	}
	base := filepath.Join(versionDir(o.Fixtures, sh.newest), "generated")
	if err := record(sh, base, r.peers[0].d); err != nil {
		t.Fatal(err)
	}
	t.Logf("%s.changes is written; add it and its views to the repository", base)
	return base + ".changes"
}

// fixture checks one document.
func fixture(t *testing.T, sh *shape, o Options, base string) {
	data, err := os.ReadFile(base + ".changes")
	if err != nil {
		t.Fatal(err)
	}
	id, changes, err := unframe(data)
	if err != nil {
		t.Fatalf("%s.changes: %v", base, err)
	}
	for v := 1; v <= sh.newest; v++ {
		d, err := doc.Load(id, changes, fixed{})
		if err != nil {
			t.Fatal(err)
		}
		now, err := shownAs(sh, d, v)
		if err != nil {
			t.Fatal(err)
		}
		path := asPath(base, v)
		then, err := os.ReadFile(path)
		switch {
		case errors.Is(err, fs.ErrNotExist) && updating():
			if err := create(path, now); err != nil {
				t.Fatal(err)
			}
			t.Logf("%s is written; see whether it is right, and add it to the repository", path)
		case errors.Is(err, fs.ErrNotExist) && !released(o.Fixtures, v):
			t.Logf("%s is not there yet: run this test with -update when you release version %d", path, v)
		case errors.Is(err, fs.ErrNotExist):
			t.Errorf("%s is missing: run this test with -update of a program that is known to be right", path)
		case err != nil:
			t.Fatal(err)
		case !bytes.Equal(bytes.TrimSpace(then), bytes.TrimSpace(now)):
			was, err := doc.DecodeJSON(bytes.TrimSpace(then))
			if err != nil {
				t.Fatalf("%s: %v", path, err)
			}
			is, err := doc.DecodeJSON(bytes.TrimSpace(now))
			if err != nil {
				t.Fatal(err)
			}
			t.Errorf("%s.changes shows something else as version %d than %s says:\n%s", base, v, path, diffOf(was, is))
		}
		if err := edited(sh, o, v, d); err != nil {
			t.Errorf("%s.changes, edited as version %d: %v", base, v, err)
		}
	}
}

// edited makes random edits at a version, each of which may move nothing else, and loads the document again.
func edited(sh *shape, o Options, version int, d *doc.Doc) error {
	r := newRun(sh, o, version)
	r.id, r.later = d.ID(), true
	p := &peer{version: version, d: d}
	r.peers = []*peer{p}
	defer r.close()
	const edits = 25
	for n := range edits {
		if err := r.edit(p, n); err != nil {
			return err
		}
	}
	was, err := r.look(p)
	if err != nil {
		return err
	}
	if err := r.restart(p, edits); err != nil {
		return err
	}
	for v := 1; v <= sh.newest; v++ {
		if !doc.Equal(was.views[v], p.now.views[v]) {
			return broken("loading", "version %d shows something else after loading:\n%s", v, diffOf(was.views[v], p.now.views[v]))
		}
	}
	return nil
}

// The file of a document's changes: a line, the ID in 16 bytes, and each change after its length as uvarint.
const fixtureLine = "tombolo changes 1\n"

func frame(id doc.ID, changes [][]byte) []byte {
	out := append([]byte(fixtureLine), id[:]...)
	for _, c := range changes {
		out = append(binary.AppendUvarint(out, uint64(len(c))), c...)
	}
	return out
}

func unframe(data []byte) (id doc.ID, changes [][]byte, err error) {
	rest, ok := bytes.CutPrefix(data, []byte(fixtureLine))
	if !ok || len(rest) < len(id) {
		return id, nil, errors.New("this is no file of changes; see that the repository keeps it as a binary file (*.changes binary in .gitattributes)")
	}
	rest = rest[copy(id[:], rest):]
	for len(rest) > 0 {
		n, size := binary.Uvarint(rest)
		if size <= 0 || n > uint64(len(rest)-size) {
			return id, nil, errors.New("the file is cut off")
		}
		changes = append(changes, rest[size:size+int(n)])
		rest = rest[size+int(n):]
	}
	return id, changes, nil
}
