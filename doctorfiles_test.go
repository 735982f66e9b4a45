package tombolo_test

import (
	"context"
	"errors"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tombolo"
	"tombolo/persist"
)

// A copy of a directory is noticed although the doctor had to put its identity back.
func TestRepairedCloneIsNoticed(t *testing.T) {
	_, clone, _ := cloned(t)
	must(t, os.WriteFile(filepath.Join(clone, "identity.key"), make([]byte, 68), 0o600))
	_, err := tombolo.Repair(t.Context(), clone, nil, tombolo.RepairOptions{})
	if _, ok := errors.AsType[*tombolo.CopiedError](err); !ok {
		t.Errorf("repairing it: %v", err)
	}
}

// What the doctor puts aside of an identity that others could read is secret from then on.
func TestRepairedIdentityIsSecret(t *testing.T) {
	dir, urls := alone(t, 1)
	path := filepath.Join(dir, "identity.key")
	must(t, os.Chmod(path, 0o644))
	repaired(t, dir)
	for _, file := range []string{path, path + ".damaged-1"} {
		if st, err := os.Stat(file); err != nil || st.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", file, st, err)
		}
	}
	numbered(t, dir, urls)
}

// What an interrupted repair left is named, and removed by the next.
func TestRepairInterrupted(t *testing.T) {
	dir, _ := alone(t, 1)
	must(t, os.Mkdir(filepath.Join(dir, "store.salvage"), 0o700))
	if d, found := examined(t, dir); !d.Sound || !strings.Contains(found, "interrupted") {
		t.Errorf("found %s", found)
	}
	if d := repaired(t, dir); len(d.Findings) > 0 {
		t.Errorf("repaired: %+v", d)
	}
}

// The copy of the identity is as secret as the identity.
func TestIdentityCopyIsSecret(t *testing.T) {
	dir, _ := alone(t, 0)
	path := filepath.Join(dir, "identity.copy")
	must(t, os.Chmod(path, 0o644))
	must(t, os.WriteFile(path+".new", nil, 0o644))
	must(t, open(t, dir, tombolo.Options{Offline: true}).Close())
	st, err := os.Stat(path)
	must(t, err)
	if st.Mode().Perm() != 0o600 {
		t.Errorf("its mode is %v", st.Mode())
	}
}

// busy calls a function before documents are read.
type busy struct {
	*disk
	before func()
}

func (b *busy) List(ctx context.Context, prefix []byte) iter.Seq2[persist.Entry, error] {
	if b.before != nil && len(prefix) > 0 && prefix[0] == 'r' {
		b.before()
	}
	return b.disk.List(ctx, prefix)
}

// The doctor comes to an end with a document that is edited all the time.
func TestExamineWhileEdited(t *testing.T) {
	s := &busy{disk: newDisk()}
	e := open(t, t.TempDir(), tombolo.Options{Store: s, Offline: true})
	h, err := e.Home().Create(t.Context(), nil)
	must(t, err)
	defer h.Close()
	n := 0
	s.before = func() { n++; set(t, h, "/n", n) }
	defer func() { s.before = nil }()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	d, err := e.Examine(ctx, tombolo.Attending{})
	if err != nil || !d.Sound || d.Documents != 1 {
		t.Errorf("it finds %+v, %v", d, err)
	}
}
