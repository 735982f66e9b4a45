package doc_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"tombolo/doc"
)

// Texts and lists much longer than a block of the operation index hold what was written, wherever it was written.
func TestLongSequences(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	d := open(t, doc.ID{1})
	var text []rune
	for range 3000 {
		edit(t, d, func(tx *doc.Tx) error {
			at := random.IntN(len(text) + 1)
			if random.IntN(3) == 0 {
				at = len(text)
			}
			del := min(random.IntN(3), len(text)-at)
			s := []rune("añ😀xyz")[:random.IntN(6)]
			text = slices.Replace(text, at, at+del, s...)
			return tx.Text("t").Splice(at, del, string(s))
		})
		got, err := d.Get("t")
		must(t, err)
		if got != doc.Text(text) {
			t.Fatalf("the text is other than what was written, at %d characters", len(text))
		}
	}
}
