package mirror_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tombolo/mirror"
)

// A file is replaced as a whole, keeps its mode and its link, and has its state beside it.
func TestFile(t *testing.T) {
	h := document(t, map[string]any{"n": 1})
	dir := t.TempDir()
	path := filepath.Join(dir, "notes.json")
	p := mirror.File(path)
	m := newMirror(t, h, p, nil)
	must(t, m.Save(t.Context()))
	if got := mode(t, path); got != 0o600 {
		t.Errorf("a new file has mode %o", got)
	}
	must(t, os.Chmod(path, 0o640))
	real := filepath.Join(dir, "real.json")
	must(t, os.Rename(path, real))
	must(t, os.Symlink("real.json", path))
	set(t, h, "/n", 2)
	must(t, m.Save(t.Context()))
	shows(t, mirror.File(real), `{"n":2}`)
	if got := mode(t, path); got != 0o640 {
		t.Errorf("the file has mode %o", got)
	}
	if target, err := os.Readlink(path); err != nil || target != "real.json" {
		t.Errorf("the link leads to %q, %v", target, err)
	}
	names := list(t, dir)
	if names != ".notes.json.tombolo notes.json real.json" {
		t.Errorf("the directory has %s", names)
	}

	must(t, m.Close())
	must(t, os.WriteFile(path, []byte(`{"n":3}`), 0o600))
	must(t, newMirror(t, h, p, nil).Load(t.Context()))
	wants(t, h, `{"n":3}`)
}

func mode(t *testing.T, path string) os.FileMode {
	t.Helper()
	info, err := os.Stat(path)
	must(t, err)
	return info.Mode().Perm()
}

func list(t *testing.T, dir string) string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	must(t, err)
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return strings.Join(names, " ")
}

// Every place says whether it has what it had, and writes over nothing else.
func TestPlaces(t *testing.T) {
	file := filepath.Join(t.TempDir(), "x.json")
	web := serve(t)
	remote, err := mirror.URL(web.URL+"/x.json", nil)
	must(t, err)
	for _, c := range []struct {
		p      mirror.Place
		remove func()
	}{
		{mirror.File(file), func() { must(t, os.Remove(file)) }},
		{remote, func() { web.put(nil) }},
		{new(mirror.Memory), nil},
	} {
		p := c.p
		remove := c.remove
		if memory, ok := p.(*mirror.Memory); ok {
			remove = func() { memory.Put(nil) }
		}
		t.Run(p.Name(), func(t *testing.T) {
			write := func(data, tag string) (string, error) { return p.Write(t.Context(), []byte(data), tag) }
			if _, _, err := p.Read(t.Context(), ""); !errors.Is(err, mirror.ErrNotThere) {
				t.Errorf("read nothing: %v", err)
			}
			if _, err := write("a", "x"); !errors.Is(err, mirror.ErrChanged) {
				t.Errorf("write over something where there is nothing: %v", err)
			}
			first, err := write("a", "")
			must(t, err)
			data, tag, err := p.Read(t.Context(), "")
			if must(t, err); string(data) != "a" || first != tag {
				t.Errorf("read %q at %q, written at %q", data, tag, first)
			}
			if _, _, err := p.Read(t.Context(), tag); !errors.Is(err, mirror.ErrUnchanged) {
				t.Errorf("read what is known: %v", err)
			}
			if _, err := write("b", ""); !errors.Is(err, mirror.ErrChanged) {
				t.Errorf("write where nothing should be: %v", err)
			}
			second, err := write("b", tag)
			must(t, err)
			if _, err := write("c", tag); !errors.Is(err, mirror.ErrChanged) || second == tag {
				t.Errorf("write over something else: %v", err)
			}
			remove()
			if _, _, err := p.Read(t.Context(), second); !errors.Is(err, mirror.ErrNotThere) {
				t.Errorf("read what was removed: %v", err)
			}
			if _, err := write("c", second); !errors.Is(err, mirror.ErrChanged) {
				t.Errorf("write over what was removed: %v", err)
			}
		})
	}
}

// A file whose time says nothing yet is read again: it may have been written twice in one tick of the clock. Later its time is enough.
func TestSameTime(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x")
	p := mirror.File(path)
	for _, c := range []struct {
		at     time.Time
		notice bool
	}{{time.Now(), true}, {time.Now().Add(time.Hour), true}, {time.Now().Add(-time.Hour), false}} {
		write := func(s string) {
			must(t, os.WriteFile(path, []byte(s), 0o600))
			must(t, os.Chtimes(path, c.at, c.at))
		}
		write("a")
		_, tag, err := p.Read(t.Context(), "")
		must(t, err)
		write("b")
		if _, _, err := p.Read(t.Context(), tag); (err == nil) != c.notice {
			t.Errorf("at %v: %v", c.at, err)
		}
	}
}

// What is no file, or too large a one, is an error and stays.
func TestNoFile(t *testing.T) {
	h := document(t, map[string]any{"n": 1})
	dir := t.TempDir()
	large := filepath.Join(dir, "large.json")
	must(t, os.WriteFile(large, nil, 0o600))
	must(t, os.Truncate(large, mirror.MaxBytes+1))
	must(t, os.Symlink("loop.json", filepath.Join(dir, "loop.json")))
	for path, want := range map[string]string{
		dir:                                 "is not a file",
		large:                               "more than 64 MiB",
		filepath.Join(dir, "loop.json"):     "too many levels",
		filepath.Join(dir, "not", "x.json"): "no such file",
		filepath.Join(large, "x.json"):      "not a directory",
	} {
		p := mirror.File(path)
		m := newMirror(t, h, p, &mirror.Options{State: new(mirror.Memory).State()})
		if err := m.Save(t.Context()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("save to %s: %v", path, err)
		}
		if _, err := p.Write(t.Context(), nil, "x"); err == nil {
			t.Errorf("%s was written", path)
		}
	}
	m := newMirror(t, h, mirror.File(filepath.Join(dir, "x.json")), &mirror.Options{State: mirror.StateFile(dir)})
	if err := m.Save(t.Context()); err == nil || !strings.Contains(err.Error(), "is a directory") {
		t.Errorf("a state that cannot be read: %v", err)
	}
	m = newMirror(t, h, mirror.File(filepath.Join(dir, "x.json")), &mirror.Options{State: mirror.StateFile(filepath.Join(dir, "no", "state"))})
	if err := m.Save(t.Context()); err == nil || !strings.Contains(err.Error(), "keep what was mirrored") {
		t.Errorf("a state that cannot be written: %v", err)
	}
	if _, err := os.Stat(filepath.Join(dir, "x.json")); err == nil {
		t.Error("saved without state")
	}
}

// A file that others replace at the last moment is not overwritten, and nothing is left over.
func TestLastMoment(t *testing.T) {
	h := document(t, map[string]any{"n": 1})
	dir := t.TempDir()
	path := filepath.Join(dir, "x.json")
	p := &place{Place: mirror.File(path)}
	m := newMirror(t, h, p, &mirror.Options{State: new(mirror.Memory).State()})
	must(t, m.StartAutoLoad(t.Context(), nil))
	p.beforeWrite = func() { must(t, os.WriteFile(path, []byte(`{"m":1}`), 0o600)) }
	must(t, m.Save(t.Context()))
	wants(t, h, `{"m":1,"n":1}`)
	shows(t, p, `{"m":1,"n":1}`)
	if names := list(t, dir); names != "x.json" {
		t.Errorf("the directory has %s", names)
	}
}
