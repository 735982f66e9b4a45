package tombolo_test

import (
	"bytes"
	"path/filepath"
	"slices"
	"testing"

	"tombolo"
	"tombolo/doc"
	"tombolo/doc/pack"
	"tombolo/persist"
	"tombolo/persist/badgerstore"
)

// changesIn are the changes that a closed device has of a document, in whatever space.
func changesIn(t *testing.T, dir string, id doc.ID) (out [][]byte) {
	t.Helper()
	s, err := badgerstore.Open(filepath.Join(dir, "store"), nil)
	must(t, err)
	log, err := persist.OpenLog(t.Context(), s, pack.New())
	must(t, err)
	for name := range log.Docs() {
		if name.Doc == id {
			for raw, err := range log.Changes(t.Context(), name, 1) {
				must(t, err)
				out = append(out, raw)
			}
		}
	}
	must(t, log.Close())
	must(t, s.Close())
	return out
}

// A document of a layout to come goes wherever others go, byte by byte.
func TestLayoutToComeIsCopied(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	e := open(t, dir, tombolo.Options{Offline: true})
	u := doc.URL{Space: e.Home().ID(), Doc: doc.NamedID("later", "plans")}
	changes := laidOut(t, u, 2)
	must(t, e.Put(t.Context(), u, changes...))
	_, err := e.Compact(t.Context(), nil)
	must(t, err)
	b := backedUp(t, e, tombolo.BackupOptions{})
	must(t, e.Close())
	if r, err := tombolo.VerifyBackup(t.Context(), bytes.NewReader(b), nil); err != nil || r.Documents != 1 {
		t.Errorf("verified: %+v, %v", r, err)
	}
	if d, err := tombolo.Examine(t.Context(), dir, nil, tombolo.Attending{}); err != nil || !d.Sound || d.Documents != 1 {
		t.Errorf("examined: %+v, %v", d, err)
	}
	had := changesIn(t, dir, u.Doc)
	if len(had) != 2 || !slices.EqualFunc(had, changes, bytes.Equal) {
		t.Fatalf("compacted: %d changes", len(had))
	}
	as, _ := restored(t, b, tombolo.RestoreOptions{})
	to, f := fork(t, dir, tombolo.ForkOptions{})
	if len(f.Documents) != 1 || f.Documents[0].State != tombolo.StateReadOnly || f.Documents[0].Problem == "" {
		t.Errorf("the fork has %+v", f.Documents)
	}
	alone := t.TempDir()
	e = open(t, alone, tombolo.Options{Offline: true})
	u.Space = e.Home().ID()
	r, err := e.RestoreDocument(t.Context(), bytes.NewReader(b), u)
	if err != nil || r.Changes != 2 || len(r.Heads) != 1 {
		t.Errorf("restored: %+v, %v", r, err)
	}
	if r, err = e.RestoreDocument(t.Context(), bytes.NewReader(b), u); err == nil {
		t.Errorf("restored over a document that is here: %+v", r)
	}
	must(t, e.Close())
	for what, dir := range map[string]string{"the original": dir, "a restored device": as, "a fork": to, "a device it is restored to": alone} {
		if !slices.EqualFunc(changesIn(t, dir, u.Doc), changes, bytes.Equal) {
			t.Errorf("%s has other bytes", what)
		}
	}
}
