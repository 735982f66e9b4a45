package tombolo_test

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tombolo"
	"tombolo/doc"
	"tombolo/persist/memstore"
)

// couple is two paired engines that have a document each has edited.
func couple(t *testing.T) (a, b *tombolo.Engine, dir string, u doc.URL) {
	t.Helper()
	dir = t.TempDir()
	a, b = open(t, dir, tombolo.Options{Name: "a"}), open(t, t.TempDir(), tombolo.Options{Name: "b"})
	pair(t, a, b, false)
	h, err := a.Home().Create(t.Context(), map[string]any{"n": 1})
	must(t, err)
	u = h.URL()
	must(t, h.Close())
	arrives(t, b, u)
	return a, b, dir, u
}

// logged is a log, and what was said in it.
func logged() (*slog.Logger, *bytes.Buffer) {
	var out bytes.Buffer
	return slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelWarn})), &out
}

// TestStoreLost removes the store: the device is the same one, knows its peers, and has its documents back from them.
func TestStoreLost(t *testing.T) {
	a, _, dir, u := couple(t)
	self, home := a.Self(), a.Home().ID()
	must(t, a.Close())
	must(t, os.RemoveAll(filepath.Join(dir, "store")))
	log, said := logged()
	a = open(t, dir, tombolo.Options{Log: log, Name: "another"})
	if a.Self() != self || a.Home().ID() != home {
		t.Errorf("it is %v in %v now, was %v in %v", a.Self(), a.Home().ID(), self, home)
	}
	if !strings.Contains(said.String(), "the store had lost memberships") {
		t.Errorf("nothing was said: %s", said)
	}
	h := arrives(t, a, u)
	if got := text(t, h); got != `{"n":1}` {
		t.Errorf("the document came back as %s", got)
	}
	must(t, h.Close())
	must(t, a.Close())
	if d, found := examined(t, dir); d.Sound || !strings.Contains(found, "the store was empty") {
		t.Errorf("found %s", found)
	}
	if d := repaired(t, dir); !d.Sound || len(d.Repaired) != 1 {
		t.Errorf("repaired: %+v", d)
	}
}

// TestMembersCopyFollows looks into the copy by losing the store after each thing that changes it.
func TestMembersCopyFollows(t *testing.T) {
	owner := open(t, t.TempDir(), tombolo.Options{Name: "owner"})
	dir := t.TempDir()
	e := open(t, dir, tombolo.Options{Name: "e"})
	joined := pair(t, owner, e, true) // e's home is gone, and must not come back
	must(t, e.Close())
	must(t, os.RemoveAll(filepath.Join(dir, "store")))
	e = open(t, dir, tombolo.Options{})
	if spaces := e.Spaces(); len(spaces) != 1 || e.Home().ID() != joined.Space.ID() || e.Self().Name != "e" {
		t.Errorf("%d spaces, home %v, name %q", len(spaces), e.Home().ID(), e.Self().Name)
	}
}

// TestMembersCopyDamaged is written again from the store; without the store it is not taken for nothing.
func TestMembersCopyDamaged(t *testing.T) {
	dir := t.TempDir()
	e := open(t, dir, tombolo.Options{Offline: true})
	must(t, e.Close())
	path := filepath.Join(dir, "memberships")
	whole, err := os.ReadFile(path)
	must(t, err)
	flipped := bytes.Clone(whole)
	flipped[len(flipped)/2] ^= 4
	for _, bad := range [][]byte{flipped, whole[:len(whole)-1], {}, make([]byte, len(whole))} {
		must(t, os.WriteFile(path, bad, 0o600))
		log, said := logged()
		must(t, open(t, dir, tombolo.Options{Offline: true, Log: log}).Close())
		if !strings.Contains(said.String(), "did not read and is written again") {
			t.Errorf("nothing was said: %s", said)
		}
		if now, err := os.ReadFile(path); err != nil || !bytes.Equal(now, whole) {
			t.Errorf("it was not written again: %v", err)
		}
	}
	must(t, os.Remove(path))
	must(t, open(t, dir, tombolo.Options{Offline: true}).Close())
	if now, err := os.ReadFile(path); err != nil || !bytes.Equal(now, whole) {
		t.Errorf("it was not made again: %v", err)
	}

	must(t, os.WriteFile(path, flipped, 0o600))
	must(t, os.RemoveAll(filepath.Join(dir, "store")))
	if _, err := tombolo.Open(t.Context(), dir, &tombolo.Options{Offline: true}); err == nil || !strings.Contains(err.Error(), "memberships does not read") {
		t.Errorf("opened with neither: %v", err)
	}
	if now, err := os.ReadFile(path); err != nil || !bytes.Equal(now, flipped) {
		t.Errorf("the damaged copy was altered: %v", err)
	}
}

// TestMembersCopyOfAnother is refused where it would count, and otherwise written over.
func TestMembersCopyOfAnother(t *testing.T) {
	dir, other := t.TempDir(), t.TempDir()
	for _, d := range []string{dir, other} {
		must(t, open(t, d, tombolo.Options{Offline: true}).Close())
	}
	foreign, err := os.ReadFile(filepath.Join(other, "memberships"))
	must(t, err)
	must(t, os.WriteFile(filepath.Join(dir, "memberships"), foreign, 0o600))
	must(t, open(t, dir, tombolo.Options{Offline: true}).Close())
	must(t, os.WriteFile(filepath.Join(dir, "memberships"), foreign, 0o600))
	must(t, os.RemoveAll(filepath.Join(dir, "store")))
	if _, err := tombolo.Open(t.Context(), dir, &tombolo.Options{Offline: true}); err == nil || !strings.Contains(err.Error(), "belongs to another device") {
		t.Errorf("opened with another device's memberships: %v", err)
	}
}

// TestMembersCopyNotBesideForeignStore: what an embedder's store hides does not stand in the open beside it.
func TestMembersCopyNotBesideForeignStore(t *testing.T) {
	dir := t.TempDir()
	must(t, open(t, dir, tombolo.Options{Offline: true, Store: memstore.New()}).Close())
	if _, err := os.Stat(filepath.Join(dir, "memberships")); err == nil {
		t.Error("there is a copy")
	}
}
