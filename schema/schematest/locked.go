package schematest

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tombolo/schema"
)

// lock is what is written down of a released version.
type lock struct {
	Version     int                      `json:"version"`
	Fingerprint string                   `json:"fingerprint"`
	Steps       []string                 `json:"steps"`
	Layout      map[string][]lockedField `json:"layout"` // by object type
}

type lockedField struct {
	Name    string        `json:"name"`
	Kind    string        `json:"kind"`
	Object  string        `json:"object,omitempty"`
	Elem    *lockedField  `json:"elem,omitempty"`
	Enum    []string      `json:"enum,omitempty"`
	Default string        `json:"default,omitempty"`
	Stored  string        `json:"stored"`
	Head    string        `json:"head,omitempty"`
	Lens    string        `json:"lens,omitempty"`
	Inside  []lockedField `json:"inside,omitempty"`
}

func lockOf(s *schema.Schema, version int) lock {
	print := s.Fingerprint(version)
	l := lock{Version: version, Fingerprint: hex.EncodeToString(print[:]), Steps: s.Steps(version), Layout: map[string][]lockedField{}}
	for typ, fields := range s.Describe(version) {
		l.Layout[typ] = lockFields(fields)
	}
	return l
}

func lockFields(fields []schema.FieldInfo) []lockedField {
	out := make([]lockedField, len(fields))
	for i, f := range fields {
		out[i] = lockedField{Name: f.Name, Kind: f.Kind.String(), Object: f.Object, Enum: f.Enum, Stored: f.Storage, Head: f.Head, Inside: lockFields(f.Inside)}
		if f.Default != nil {
			out[i].Default = show(f.Default)
		}
		if f.Group != "" {
			out[i].Lens = fmt.Sprintf("%s/%d", f.Group, f.Out)
		}
		if f.Elem != nil {
			out[i].Elem = &lockFields([]schema.FieldInfo{*f.Elem})[0]
		}
	}
	return out
}

func (l lock) encode() ([]byte, error) {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	err := enc.Encode(l)
	return out.Bytes(), err
}

func lockPath(dir string, version int) string {
	return filepath.Join(dir, fmt.Sprintf("v%d.lock.json", version))
}

// released says whether a version is written down, and so must not change.
func released(dir string, version int) bool {
	_, err := os.Stat(lockPath(dir, version))
	return err == nil
}

// Locked compares each version with what dir/v<n>.lock.json says of it: its fingerprint, steps and storage. With -update it writes the files of
// versions that have none. A file that is there is never written again: the version is released, and what differs belongs into a version of its own.
func Locked(t *testing.T, s *schema.Schema, dir string) {
	t.Helper()
	for v := 1; v <= s.Newest(); v++ {
		now, err := lockOf(s, v).encode()
		if err != nil {
			t.Fatal(err)
		}
		path := lockPath(dir, v)
		then, err := os.ReadFile(path)
		switch {
		case errors.Is(err, fs.ErrNotExist) && updating():
			if err := create(path, now); err != nil {
				t.Fatal(err)
			}
			t.Logf("version %d is written down in %s; add the file to the repository", v, path)
		case errors.Is(err, fs.ErrNotExist) && v == s.Newest():
			t.Logf("version %d is not written down yet: run this test with -update when you release it", v)
		case errors.Is(err, fs.ErrNotExist):
			t.Errorf("version %d has a successor and is not written down in %s: run this test of the release of version %d with -update, and add the file", v, path, v)
		case err != nil:
			t.Fatal(err)
		case !bytes.Equal(then, now):
			t.Error(changed(v, path, string(then), string(now)))
		}
	}
}

// changed says what is different in a released version and what to do.
func changed(version int, path, then, now string) string {
	what := fmt.Sprintf("version %d was released and has changed: programs with the old and the new definition cannot edit the same documents. "+
		"Take the change back, and make it as steps of a version of its own", version)
	var a, b lock
	if json.Unmarshal([]byte(then), &a) == nil && json.Unmarshal([]byte(now), &b) == nil && a.Fingerprint == b.Fingerprint {
		what = fmt.Sprintf("version %d is declared as it was released and stores or shows its fields otherwise: this is a fault of package schema", version)
	}
	return fmt.Sprintf("%s (%s):\n%s", what, path, lineDiff(then, now))
}

// create writes a file that is not there yet.
func create(path string, data []byte) error {
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

// lineDiff is the lines that only one of two texts has, in order.
func lineDiff(a, b string) string {
	x, y := strings.Split(a, "\n"), strings.Split(b, "\n")
	common := make([][]int, len(x)+1) // length of the longest common part of x[i:] and y[j:]
	for i := range common {
		common[i] = make([]int, len(y)+1)
	}
	for i := len(x) - 1; i >= 0; i-- {
		for j := len(y) - 1; j >= 0; j-- {
			if x[i] == y[j] {
				common[i][j] = common[i+1][j+1] + 1
			} else {
				common[i][j] = max(common[i+1][j], common[i][j+1])
			}
		}
	}
	var out []string
	for i, j := 0, 0; i < len(x) || j < len(y); {
		switch {
		case i < len(x) && j < len(y) && x[i] == y[j]:
			i, j = i+1, j+1
		case j == len(y) || i < len(x) && common[i+1][j] >= common[i][j+1]:
			out = append(out, "- "+x[i])
			i++
		default:
			out = append(out, "+ "+y[j])
			j++
		}
	}
	return strings.Join(out, "\n")
}
