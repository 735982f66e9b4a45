package schematest

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tombolo/doc"
	"tombolo/schema"
)

// RecordPlain writes a document of a released version for [RunPlain]: its changes to dir/v<version>/<name>.changes. A file that is there already is an error: what
// was released does not change.
func RecordPlain(t *testing.T, dir string, version int, name string, changes [][]byte) {
	t.Helper()
	if err := plainRecord(dir, version, name, changes); err != nil {
		t.Fatal(err)
	}
}

func plainRecord(dir string, version int, name string, changes [][]byte) error {
	var out []byte
	for _, c := range changes {
		out = append(binary.AppendUvarint(out, uint64(len(c))), c...)
	}
	return plainWrite(filepath.Join(dir, fmt.Sprintf("v%d", version), name+".changes"), out)
}

// plainWrite writes a new file.
func plainWrite(path string, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Close())
}

// plainChanges reads what plainRecord wrote.
func plainChanges(path string) (out [][]byte, err error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	for len(data) > 0 {
		n, size := binary.Uvarint(data)
		if size <= 0 || n > uint64(len(data)-size) {
			return nil, fmt.Errorf("%s is damaged: take it from the release again", path)
		}
		out = append(out, data[size:size+int(n)])
		data = data[size+int(n):]
	}
	return out, nil
}

func plainRecorded(t *testing.T, p *schema.Plain, o PlainOptions) {
	for n := 1; n <= p.Newest(); n++ {
		files, err := filepath.Glob(filepath.Join(o.Fixtures, fmt.Sprintf("v%d", n), "*.changes"))
		if err != nil {
			t.Fatal(err)
		}
		if len(files) == 0 && updating() {
			if files, err = plainNew(p, o, n); err != nil {
				t.Fatal(err)
			}
		}
		if len(files) == 0 {
			say := t.Errorf
			if n == p.Newest() {
				say = t.Logf // it may not be released yet
			}
			say("version %d has no recorded documents: when it is released, run this test with -update, and commit %s", n, o.Fixtures)
		}
		for _, file := range files {
			if err := plainReplay(p, o, n, file); err != nil {
				t.Errorf("%s: %v", file, err)
			}
		}
	}
}

// plainNew records documents that a version writes: from nothing, from data without a version, and one with a late edit by the version before.
func plainNew(p *schema.Plain, o PlainOptions, n int) (files []string, err error) {
	for legacy := -1; legacy <= len(o.Legacy); legacy++ {
		rng := rand.New(rand.NewPCG(uint64(n), uint64(legacy+1)))
		name, begin := fmt.Sprintf("legacy%d", legacy), legacy
		switch {
		case legacy == len(o.Legacy) && n == 1:
			return files, nil
		case legacy == len(o.Legacy):
			name, begin = "late", -1
		case legacy < 0:
			name = "fresh"
		}
		d, err := plainBegin(p, o, begin, rng)
		if err != nil {
			return nil, err
		}
		defer d.Close()
		if name == "late" {
			if err = plainSaved(p, o, d, n-1, rng); err == nil {
				err = plainMissed(p, o, d, n, rng)
			}
		} else {
			err = plainSaved(p, o, d, n, rng)
		}
		if err != nil {
			return nil, err
		}
		changes, err := d.Changes()
		if err != nil {
			return nil, err
		}
		if err := plainRecord(o.Fixtures, n, name, changes); err != nil {
			return nil, err
		}
		files = append(files, filepath.Join(o.Fixtures, fmt.Sprintf("v%d", n), name+".changes"))
	}
	return files, nil
}

// plainMissed has a version save on another device, while the one before goes on here; then both meet here.
func plainMissed(p *schema.Plain, o PlainOptions, d *doc.Doc, n int, rng *rand.Rand) error {
	changes, err := d.Changes()
	if err != nil {
		return err
	}
	other, err := doc.Load(d.ID(), changes, plainRandom{rng})
	if err != nil {
		return err
	}
	defer other.Close()
	if err := errors.Join(plainSaved(p, o, other, n, rng), plainSaved(p, o, d, n-1, rng)); err != nil {
		return err
	}
	if changes, err = other.Changes(); err != nil {
		return err
	}
	_, err = d.Apply(changes...)
	return err
}

// plainReplay reads a recorded document at each version and compares; then it saves at the newest.
func plainReplay(p *schema.Plain, o PlainOptions, n int, file string) error {
	changes, err := plainChanges(file)
	if err != nil {
		return err
	}
	rng := rand.New(rand.NewPCG(1, 1))
	d, err := doc.Load(doc.NamedID(p.App(), "plain"), changes, plainRandom{rng})
	if err != nil {
		return err
	}
	defer d.Close()
	for m := 1; m <= p.Newest(); m++ {
		got, err := plainLook(p.At(m), d)
		if err != nil {
			return fmt.Errorf("version %d: %w", m, err)
		}
		path := fmt.Sprintf("%s.as-v%d.json", strings.TrimSuffix(file, ".changes"), m)
		want, err := os.ReadFile(path)
		if errors.Is(err, os.ErrNotExist) && updating() {
			want, err = []byte(got+"\n"), plainWrite(path, []byte(got+"\n"))
		}
		if errors.Is(err, os.ErrNotExist) {
			if m == p.Newest() {
				continue // it may not be released yet
			}
			return fmt.Errorf("how version %d reads it is not recorded: run this test with -update, and look at %s", m, path)
		}
		if err != nil {
			return err
		}
		if got != strings.TrimSuffix(string(want), "\n") {
			return fmt.Errorf("version %d reads it otherwise than when it was released: released functions must not change, a new version corrects them\ngot  %s\nwant %s", m, got, want)
		}
	}
	return plainKeeps(p, o, d, rng)
}

// plainKeeps saves at the newest version and checks that everything of older ones is as it was.
func plainKeeps(p *schema.Plain, o PlainOptions, d *doc.Doc, rng *rand.Rand) error {
	before, err := plainOthers(d, p.Newest())
	if err != nil {
		return err
	}
	h := p.Open(schema.Of(d, nil))
	s, err := plainLoad(h, d)
	if err != nil {
		return err
	}
	if err := h.Save(context.Background(), o.Edit(rng, p.Newest(), plainClone(s.value), plainToken(99))); err != nil && !plainRefused(err) {
		return err
	}
	if err := plainStable(h, d); err != nil {
		return err
	}
	after, err := plainOthers(d, p.Newest())
	if err == nil && !doc.Equal(before, after) {
		err = fmt.Errorf("a save changed what older versions have: %v\nwas %v", after, before)
	}
	return err
}

// plainOthers is what a document holds, without what is of a version.
func plainOthers(d *doc.Doc, version int) (any, error) {
	whole, err := d.Get("")
	if err != nil {
		return nil, err
	}
	root := whole.(map[string]any)
	in, _ := root["$plain"].(map[string]any)
	for k := range in {
		if own := fmt.Sprintf("v%d", version); k == own || strings.HasPrefix(k, own+"@") {
			delete(in, k)
		}
	}
	if len(in) == 0 {
		delete(root, "$plain")
	}
	return root, nil
}
