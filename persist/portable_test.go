package persist_test

import (
	"slices"
	"testing"

	"tombolo/persist"
	"tombolo/persist/memstore"
)

// TestPortable looks at the keys that a log writes as a copy of its store does.
func TestPortable(t *testing.T) {
	store := memstore.New()
	name := persist.Name{Space: [16]byte{1}, Doc: [16]byte{2}}
	b := &persist.Batch{}
	b.Put(persist.HeaderKey(name), []byte("h"))
	setting := persist.SettingEntry([]byte("home"), []byte("s"))
	b.Put(setting.Key, setting.Value)
	for _, k := range []string{"f", "n", "c12345678k12", "g12345678", "r\x00\x00\x00\x00\x00\x00\x00\x05firstnumpp", "rshort", "dshort", "q"} {
		b.Put([]byte(k), nil)
	}
	if err := store.Apply(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	var letters []byte
	for e, err := range store.List(t.Context(), nil) {
		if err != nil {
			t.Fatal(err)
		}
		if persist.Portable(e.Key) {
			letters = append(letters, e.Key[0])
		}
		if got, ok := persist.HeaderOf(e.Key); ok != (len(e.Key) == 33) || ok && got != name {
			t.Errorf("key %q is the header of %v, %v", e.Key, got, ok)
		}
		if num, ok := persist.RecordOf(e.Key); ok != (len(e.Key) == 19) || ok && num != 5 {
			t.Errorf("key %q is a record of %d, %v", e.Key, num, ok)
		}
		if s, ok := persist.SettingOf(e.Key); ok != (e.Key[0] == 'x') || ok && string(s) != "home" {
			t.Errorf("key %q is the setting %q, %v", e.Key, s, ok)
		}
		if persist.IsFormat(e.Key) != (string(e.Key) == "f") {
			t.Errorf("key %q: IsFormat", e.Key)
		}
	}
	if !slices.Equal(letters, []byte("ddfnqrrx")) {
		t.Errorf("portable are %q", letters)
	}
	if persist.Portable(nil) {
		t.Error("an empty key is portable")
	}
}
