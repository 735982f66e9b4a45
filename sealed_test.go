package tombolo_test

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tombolo"
	"tombolo/doc"
	"tombolo/persist"
	"tombolo/persist/badgerstore"
	"tombolo/persist/sealed"
)

// secret stands in the value, a key and the name of a document.
const secret = "Zebrafinch-7731"

func writeSecret(t *testing.T, e *tombolo.Engine) doc.URL {
	t.Helper()
	h, err := e.Home().Open(t.Context(), "name "+secret)
	must(t, err)
	defer h.Close()
	must(t, h.Change(t.Context(), "message "+secret, func(tx *doc.Tx) error { return tx.Set("key "+secret, "value "+secret) }))
	return h.URL()
}

// What a program writes through a sealed store stands in no file below it; through a plain one it does, so the search can find it.
func TestNothingInPlainText(t *testing.T) {
	for name, hide := range map[string]bool{"plain": false, "sealed": true} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			store, err := badgerstore.Open(filepath.Join(dir, "records"), nil)
			must(t, err)
			var under persist.Store = store
			if hide {
				keys, err := sealed.Create(dir, sealed.NewRecoveryKey())
				must(t, err)
				under = sealed.New(store, keys)
			}
			e, err := tombolo.Open(t.Context(), dir, &tombolo.Options{Store: under, Offline: true})
			must(t, err)
			u := writeSecret(t, e)
			must(t, e.Close())
			found := false
			must(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
				if err != nil || !d.Type().IsRegular() {
					return err
				}
				b, err := os.ReadFile(path)
				found = found || bytes.Contains(b, []byte(secret)) || bytes.Contains(b, u.Doc[:])
				return err
			}))
			if found == hide {
				t.Errorf("a secret stands in the files: %v", found)
			}
		})
	}
}

// Somebody puts an older version of one record back: the next opening says so.
func TestOlderRecordIsNoticed(t *testing.T) {
	d := newDisk()
	keys, err := sealed.Create(t.TempDir(), sealed.NewRecoveryKey())
	must(t, err)
	dir := t.TempDir()
	begin := func(opts tombolo.Options) *tombolo.Engine {
		opts.Store, opts.Offline = sealed.New(d, keys), true
		e, err := tombolo.Open(t.Context(), dir, &opts)
		must(t, err)
		return e
	}
	e := begin(tombolo.Options{})
	u := writeSecret(t, e)
	var b persist.Batch
	for entry, err := range d.List(t.Context(), []byte("d")) { // headers
		must(t, err)
		b.Put(entry.Key, entry.Value)
	}
	h, err := e.Document(t.Context(), u)
	must(t, err)
	set(t, h, "/late", 1)
	must(t, h.Close())
	must(t, e.Close())

	log, heard := listen()
	must(t, begin(tombolo.Options{Log: log}).Close())
	for len(heard) > 0 {
		if line := <-heard; strings.Contains(line, "as it was left") {
			t.Errorf("a store that nobody touched: %s", line)
		}
	}
	must(t, d.Store.Apply(t.Context(), &b))
	e = begin(tombolo.Options{Log: log})
	heard.says(t, "the store is not as it was left")
	if _, err := e.Document(t.Context(), u); err == nil { // its changes were packed since: the header does not fit them
		t.Error("the older header was taken for the document's own")
	}
	must(t, e.Close())
}
