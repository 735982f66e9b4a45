package sealed_test

import (
	"bytes"
	"testing"

	"pgregory.net/rapid"

	"tombolo/persist"
	"tombolo/persist/sealed"
)

func TestHide(t *testing.T) {
	mine, other := newKeys(t), newKeys(t)
	rapid.Check(t, func(t *rapid.T) {
		data := rapid.SliceOfN(rapid.Byte(), 0, 200).Draw(t, "data")
		place := rapid.String().Draw(t, "place")
		hidden := mine.Hide(place, data)
		if len(data) > 8 && bytes.Contains(hidden, data) {
			t.Fatal("the data stands in what hides it")
		}
		if !sealed.IsHidden(hidden) || sealed.IsHidden(hidden[:20]) || sealed.IsHidden([]byte("\x08\x01\x12\x40 and what else an identity in the open has")) {
			t.Fatal("what is hidden cannot be told from what is not")
		}
		if !bytes.Equal(hidden, mine.Hide(place, data)) {
			t.Fatal("the same data is hidden in two ways")
		}
		before := bytes.Clone(hidden)
		got, err := mine.Reveal(place, hidden)
		if !bytes.Equal(hidden, before) {
			t.Fatal("revealing altered what it was given")
		}
		if err != nil || !bytes.Equal(got, data) {
			t.Fatalf("revealed %x, %v; want %x", got, err, data)
		}
		flipped := bytes.Clone(hidden)
		flipped[rapid.IntRange(0, len(hidden)-1).Draw(t, "at")] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit")
		for what, reveal := range map[string]func() ([]byte, error){
			"another place": func() ([]byte, error) { return mine.Reveal(place+"x", hidden) },
			"other keys":    func() ([]byte, error) { return other.Reveal(place, hidden) },
			"a flipped bit": func() ([]byte, error) { return mine.Reveal(place, flipped) },
			"half of it":    func() ([]byte, error) { return mine.Reveal(place, hidden[:len(hidden)/2]) },
			"in the open":   func() ([]byte, error) { return mine.Reveal(place, data) },
		} {
			if _, err := reveal(); err == nil {
				t.Fatalf("revealed with %s", what)
			}
		}
	})
	_, err := mine.Reveal("identity", []byte("plain"))
	wantErr(t, err, persist.ErrAltered)

	// A record is none of these, and none of these is a record.
	if _, err := mine.Reveal("f", entryOf(t, mine)); err == nil {
		t.Fatal("a record was taken for what is kept beside the store")
	}
}

// entryOf returns a sealed record of the key "f".
func entryOf(t *testing.T, keys *sealed.Keys) []byte {
	t.Helper()
	_, inner := filled(t, keys)
	v, err := inner.Get(ctx, []byte("f"))
	wantNothing(t, err)
	return v
}
