package tombolo_test

import (
	"bytes"
	"context"
	"iter"
	"slices"
	"strings"
	"testing"

	"tombolo"
	"tombolo/persist"
	"tombolo/persist/backup"
	"tombolo/persist/memstore"
)

// A backup cannot fill the memory of who checks it, or takes one document of it.
func TestBackupTakesLittleMemory(t *testing.T) {
	e, urls := device(t, t.TempDir(), tombolo.Options{})
	saved := backedUp(t, e, tombolo.BackupOptions{})
	defer tombolo.BackupLimits(1<<20, 100_000)() // the last document has a million bytes
	check := func() (tombolo.BackupReport, error) {
		return tombolo.VerifyBackup(t.Context(), bytes.NewReader(saved), nil)
	}
	report, err := check()
	must(t, err)
	if len(report.Damaged) != 1 || report.Damaged[0].URL != urls[2] || !strings.Contains(report.Damaged[0].Why, "fits in memory") {
		t.Errorf("it finds %+v", report.Damaged)
	}
	if _, err := e.RestoreDocument(t.Context(), bytes.NewReader(saved), urls[2]); err == nil || !strings.Contains(err.Error(), "fits in memory") {
		t.Errorf("restored: %v", err)
	}
	if _, err := e.RestoreDocument(t.Context(), bytes.NewReader(saved), urls[0]); err != nil {
		t.Error(err)
	}
	tombolo.BackupLimits(1<<20, 100) // which their records have, too
	if report, err := check(); err != nil || len(report.Damaged) != 3 {
		t.Errorf("it finds %+v, %v", report.Damaged, err)
	}
	tombolo.BackupLimits(200, 100_000)
	if _, err := check(); err == nil || !strings.Contains(err.Error(), "fits in memory") {
		t.Errorf("verified: %v", err)
	}
}

// A header that stands where nobody looks for one any more is no whole backup.
func TestVerifyHeaderBehindRecords(t *testing.T) {
	e, _ := device(t, t.TempDir(), tombolo.Options{})
	var b bytes.Buffer
	_, err := backup.Write(t.Context(), &b, &disordered{stored(t, backedUp(t, e, tombolo.BackupOptions{}))}, backup.Head{}, nil)
	must(t, err)
	if _, err := tombolo.VerifyBackup(t.Context(), &b, nil); err == nil || !strings.Contains(err.Error(), "behind records") {
		t.Errorf("verified: %v", err)
	}
}

// disordered is a store that lists its last entries first.
type disordered struct{ persist.Store }

func (d *disordered) List(ctx context.Context, prefix []byte) iter.Seq2[persist.Entry, error] {
	return func(yield func(persist.Entry, error) bool) {
		var all []persist.Entry
		for e, err := range d.Store.List(ctx, prefix) {
			if err != nil {
				yield(e, err)
				return
			}
			all = append(all, e)
		}
		for _, e := range slices.Backward(all) {
			if !yield(e, nil) {
				return
			}
		}
	}
}

// stored is a store with what a backup has.
func stored(t *testing.T, file []byte) persist.Store {
	t.Helper()
	a, err := backup.NewReader(bytes.NewReader(file))
	must(t, err)
	defer a.Close()
	s := memstore.New()
	for entry, err := range a.Entries(t.Context()) {
		must(t, err)
		b := &persist.Batch{}
		b.Put(entry.Key, entry.Value)
		must(t, s.Apply(t.Context(), b))
	}
	return s
}
