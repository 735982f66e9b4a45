package doc_test

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"tombolo/doc"
)

func TestHeadsHash(t *testing.T) {
	a, b := doc.Hash{1}, doc.Hash{2}
	if doc.HeadsHash(doc.ID{1}, []doc.Hash{a, b}) != doc.HeadsHash(doc.ID{1}, []doc.Hash{b, a}) {
		t.Error("the order of heads counts")
	}
	seen := map[[32]byte]bool{}
	for _, h := range [][32]byte{
		doc.HeadsHash(doc.ID{1}, nil), doc.HeadsHash(doc.ID{2}, nil), doc.HeadsHash(doc.ID{1}, []doc.Hash{a}), doc.HeadsHash(doc.ID{1}, []doc.Hash{a, b}),
	} {
		if seen[h] {
			t.Error("two versions with one hash")
		}
		seen[h] = true
	}
}

func TestNewID(t *testing.T) {
	id, err := doc.NewID(bytes.NewReader(bytes.Repeat([]byte{7}, 16)))
	if err != nil || id != doc.ID(bytes.Repeat([]byte{7}, 16)) || len(id.String()) != 26 {
		t.Errorf("%v, %v", id, err)
	}
	if _, err := doc.NewID(bytes.NewReader(make([]byte, 15))); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a source that ends: %v", err)
	}
}

// A transaction reads its own writes, and what it writes into nested lists changes as little as possible.
func TestEditReadsItsWrites(t *testing.T) {
	d := open(t, doc.ID{1})
	edit(t, d, func(tx *doc.Tx) error {
		must(t, tx.Set("rows", []any{[]any{int64(1), int64(2)}, []any{int64(3)}, map[string]any{"k": "v"}}))
		v, err := tx.Get("/rows/0/1")
		if !doc.Equal(v, int64(2)) {
			t.Errorf("it reads %v, %v", v, err)
		}
		return err
	})
	before := d.Len()
	edit(t, d, func(tx *doc.Tx) error {
		return tx.Set("rows", []any{[]any{int64(1), int64(2)}, []any{int64(3), int64(4)}, map[string]any{"k": "w"}})
	})
	wantJSON(t, d, `{"rows":[[1,2],[3,4],{"k":"w"}]}`)
	if d.Len() != before+1 {
		t.Errorf("%d changes for one edit", d.Len()-before)
	}
	edit(t, d, func(tx *doc.Tx) error {
		return tx.Set("rows", []any{map[string]any{"k": "w"}, []any{int64(1), int64(2)}})
	})
	wantJSON(t, d, `{"rows":[{"k":"w"},[1,2]]}`)
}
