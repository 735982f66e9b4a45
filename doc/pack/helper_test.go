package pack_test

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"fmt"
	"testing"
	"time"

	"github.com/automerge/automerge-go"
)

// failer is what tests, benchmarks and rapid checks have in common.
type failer interface {
	Helper()
	Fatal(...any)
}

func check(t failer, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// writer makes d write under a fixed actor, so that its changes are the same bytes in every run.
func writer(t failer, d *automerge.Doc, actor int) *automerge.Doc {
	t.Helper()
	check(t, d.SetActorID(fmt.Sprintf("%032x", actor)))
	return d
}

func commit(t failer, d *automerge.Doc) {
	t.Helper()
	at := time.UnixMilli(1_700_000_000)
	_, err := d.Commit("", automerge.CommitOptions{Time: &at})
	check(t, err)
}

// set commits one value under a key.
func set(t failer, d *automerge.Doc, key string, v any) {
	t.Helper()
	check(t, d.Path(key).Set(v))
	commit(t, d)
}

// saved are all changes of a document, in a causal order.
func saved(t failer, d *automerge.Doc) (out [][]byte) {
	t.Helper()
	cs, err := d.Changes()
	check(t, err)
	for _, c := range cs {
		out = append(out, c.Save())
	}
	return out
}

// typed is the history of someone who types, one change a letter, with a correction and a jump now and then.
func typed(t testing.TB, n int) [][]byte {
	t.Helper()
	d := writer(t, automerge.New(), 1)
	set(t, d, "text", automerge.NewText(""))
	const words = "the sea gives and the sea takes away what the wind has left on the bar of sand between us "
	text, at, length := d.Path("text").Text(), 0, 0
	for i := range n - 1 {
		if i%37 == 36 {
			at = i * 7919 % (length + 1)
		}
		if i%11 == 10 && at > 0 {
			at, length = at-1, length-1
			check(t, text.Delete(at, 1))
		} else {
			check(t, text.Insert(at, words[i%len(words):i%len(words)+1]))
			at, length = at+1, length+1
		}
		commit(t, d)
	}
	return saved(t, d)
}

// deflated is a change as the core may store a large one.
func deflated(t failer, raw []byte) []byte {
	t.Helper()
	_, n := binary.Uvarint(raw[9:])
	var z bytes.Buffer
	w, err := flate.NewWriter(&z, flate.BestCompression)
	check(t, err)
	_, err = w.Write(raw[9+n:])
	check(t, err)
	check(t, w.Close())
	out := append(append([]byte(nil), raw[:8]...), 2)
	return append(binary.AppendUvarint(out, uint64(z.Len())), z.Bytes()...)
}
