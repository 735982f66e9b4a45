package opset_test

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/automerge/automerge-go"
	"pgregory.net/rapid"

	"tombolo/doc/core"
	"tombolo/doc/gate"
	"tombolo/doc/opset"
	"tombolo/doc/value"
)

// writer is a device of the core's that edits at random.
type writer struct {
	d *automerge.Doc
}

func newWriter(rt *rapid.T, from *automerge.Doc, n int) writer {
	d := automerge.New()
	if from != nil {
		var err error
		if d, err = from.Fork(); err != nil {
			rt.Fatal(err)
		}
	}
	if err := d.SetActorID(fmt.Sprintf("%032x", n)); err != nil {
		rt.Fatal(err)
	}
	return writer{d}
}

func drawScalar(rt *rapid.T) any {
	return rapid.SampledFrom([]any{
		nil, true, false, int64(-1), int64(math.MinInt64), uint64(math.MaxUint64), uint64(0), 0.0, 1.5, math.Inf(1), "", "x", "é😀",
		[]byte{0, 255},
		time.UnixMilli(-1), time.UnixMilli(1 << 40),
	}).Draw(rt, "scalar")
}

// edit does one random thing somewhere in the document.
func (w writer) edit(rt *rapid.T) {
	key := rapid.SampledFrom([]string{"a", "b", "c"}).Draw(rt, "key")
	at := w.d.Path(key)
	v, err := at.Get()
	if err != nil {
		rt.Fatal(err)
	}
	fresh := func() any {
		switch rapid.IntRange(0, 5).Draw(rt, "kind") {
		case 0:
			return automerge.NewMap()
		case 1:
			return automerge.NewList()
		case 2:
			return automerge.NewText(rapid.SampledFrom([]string{"", "ab", "é😀z"}).Draw(rt, "text"))
		case 3:
			return automerge.NewCounter(rapid.Int64().Draw(rt, "n"))
		}
		return drawScalar(rt)
	}
	switch v.Kind() {
	case automerge.KindMap:
		err = v.Map().Set(key, fresh())
		if rapid.Bool().Draw(rt, "delete") {
			err = v.Map().Delete(rapid.SampledFrom([]string{"a", "b", "c"}).Draw(rt, "gone"))
		}
	case automerge.KindList:
		l := v.List()
		i := rapid.IntRange(0, l.Len()).Draw(rt, "index")
		switch rapid.IntRange(0, 3).Draw(rt, "what") {
		case 0:
			if i < l.Len() {
				err = l.Delete(i)
			}
		case 1:
			if i < l.Len() {
				err = l.Set(i, fresh())
			}
		default:
			err = l.Insert(i, fresh())
		}
	case automerge.KindText:
		t := v.Text()
		i := rapid.IntRange(0, t.Len()).Draw(rt, "index")
		err = t.Splice(i, rapid.IntRange(0, t.Len()-i).Draw(rt, "del"), rapid.SampledFrom([]string{"", "x", "yé", "😀"}).Draw(rt, "insert"))
	case automerge.KindCounter:
		err = v.Counter().Inc(rapid.Int64().Draw(rt, "by"))
	default:
		err = at.Set(fresh())
	}
	if err == nil && rapid.IntRange(0, 9).Draw(rt, "drop") == 0 {
		err = w.d.RootMap().Delete(key)
	}
	if err != nil {
		rt.Fatal(err)
	}
}

func (w writer) commit(rt *rapid.T) {
	at := time.UnixMilli(rapid.Int64Range(-5, 5).Draw(rt, "time"))
	if _, err := w.d.Commit(rapid.SampledFrom([]string{"", "why", "é"}).Draw(rt, "message"), automerge.CommitOptions{Time: &at}); err != nil && err.Error() != "Commit is empty" {
		rt.Fatal(err)
	}
}

// drawDocument makes a document of several writers that fork and merge.
func drawDocument(rt *rapid.T) *automerge.Doc {
	ws := []writer{newWriter(rt, nil, 1)}
	for range rapid.IntRange(1, 25).Draw(rt, "steps") {
		w := ws[rapid.IntRange(0, len(ws)-1).Draw(rt, "writer")]
		switch rapid.IntRange(0, 5).Draw(rt, "step") {
		case 0:
			if len(ws) < 4 {
				ws = append(ws, newWriter(rt, w.d, 100-len(ws)))
			}
		case 1:
			if o := ws[rapid.IntRange(0, len(ws)-1).Draw(rt, "other")]; o.d != w.d {
				if _, err := w.d.Merge(o.d); err != nil {
					rt.Fatal(err)
				}
			}
		default:
			for range rapid.IntRange(1, 4).Draw(rt, "edits") {
				w.edit(rt)
			}
			w.commit(rt)
		}
	}
	for _, w := range ws[1:] {
		if _, err := ws[0].d.Merge(w.d); err != nil {
			rt.Fatal(err)
		}
	}
	return ws[0].d
}

// changesOf are the changes of a document in a random causal order.
func changesOf(rt *rapid.T, d *automerge.Doc) [][]byte {
	all, err := d.Changes()
	if err != nil {
		rt.Fatal(err)
	}
	random := rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, "order"), 0))
	var out [][]byte
	have := map[automerge.ChangeHash]bool{}
	for len(all) > 0 {
		var ready []int
		for i, c := range all {
			if !slices.ContainsFunc(c.Dependencies(), func(h automerge.ChangeHash) bool { return !have[h] }) {
				ready = append(ready, i)
			}
		}
		i := ready[random.IntN(len(ready))]
		have[all[i].Hash()] = true
		out = append(out, all[i].Save())
		all = slices.Delete(all, i, i+1)
	}
	return out
}

func add(t rapid.TB, s *opset.Set, raws ...[]byte) {
	t.Helper()
	for _, raw := range raws {
		c, err := gate.Parse(raw)
		if err != nil {
			t.Fatalf("parse: %v", err)
		}
		if _, err := s.Add(c); err != nil {
			t.Fatalf("add: %v", err)
		}
	}
}

func coreValue(t rapid.TB, raws [][]byte) any {
	t.Helper()
	c, err := core.FromChanges(raws, core.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	v, err := c.Value()
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// Whatever several writers of the core's did, in whatever order their changes come: the value is the core's, at the end and at every version on the way;
// every change comes back byte for byte; and taking changes back leaves what was before.
func TestAgreesWithTheCore(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		raws := changesOf(rt, drawDocument(rt))
		if len(raws) == 0 {
			return
		}
		opset.SetBlockSize(rapid.SampledFrom([]int{2, 3, 512}).Draw(rt, "block"))
		s := opset.New()
		var values []map[string]any
		var heads [][]gate.Hash
		for i, raw := range raws {
			add(rt, s, raw)
			got, want := s.Now().Map(opset.Root), coreValue(rt, raws[:i+1])
			if !value.Equal(any(got), want) {
				rt.Fatalf("after change %d\nhere %v\ncore %v", i, got, want)
			}
			if err := s.Consistent(); err != nil {
				rt.Fatal(err)
			}
			values = append(values, got)
			heads = append(heads, s.Graph().Heads())
		}
		for i := range raws {
			back, err := s.Change(i)
			if err != nil || !bytes.Equal(back, raws[i]) {
				rt.Fatalf("change %d came back as %x, not %x (%v)", i, back, raws[i], err)
			}
			v, err := s.At(heads[i])
			if err != nil {
				rt.Fatal(err)
			}
			for _, v := range []opset.View{v, s.Before(i + 1)} {
				if got := v.Map(opset.Root); !value.Equal(any(got), any(values[i])) {
					rt.Fatalf("at version %d\nread %v\nwas  %v", i, got, values[i])
				}
			}
		}
		for i := len(raws) - 1; i > 0; i-- {
			s.Truncate(i)
			if err := s.Consistent(); err != nil {
				rt.Fatal(err)
			}
			if got := s.Now().Map(opset.Root); !value.Equal(any(got), any(values[i-1])) {
				rt.Fatalf("truncated to %d\nread %v\nwas  %v", i, got, values[i-1])
			}
		}
		add(rt, s, raws[1:]...)
		if got := s.Now().Map(opset.Root); !value.Equal(any(got), any(values[len(values)-1])) {
			rt.Fatalf("added again it is %v, was %v", got, values[len(values)-1])
		}
	})
}
