//go:build cgo && (linux || darwin) && (amd64 || arm64)

package core_test

import (
	"bytes"
	"compress/flate"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/automerge/automerge-go"

	"tombolo/doc/core"
	"tombolo/doc/gate"
)

type failer interface {
	Helper()
	Fatal(...any)
}

func must(t failer, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// author is a document of the binding, for writing, with a fixed actor.
func author(t failer, n int) *automerge.Doc {
	t.Helper()
	d := automerge.New()
	must(t, d.SetActorID(fmt.Sprintf("%032x", n+1)))
	return d
}

// commit ends a change at a fixed time, in the seconds other Automerge libraries use.
func commit(t failer, d *automerge.Doc) []byte {
	t.Helper()
	at := time.UnixMilli(1_700_000_000)
	h, err := d.Commit("edit", automerge.CommitOptions{Time: &at, AllowEmpty: true})
	must(t, err)
	c, err := d.Change(h)
	must(t, err)
	return c.Save()
}

// history is n changes by one author, each setting a key and typing a letter.
func history(t failer, actor, n int) [][]byte {
	t.Helper()
	d := author(t, actor)
	text := automerge.NewText("")
	must(t, d.RootMap().Set("text", text))
	var out [][]byte
	for i := range n {
		must(t, d.RootMap().Set(fmt.Sprintf("k%d", i%7), int64(i)))
		must(t, text.Insert(i/2, "x"))
		out = append(out, commit(t, d))
	}
	return out
}

// crown is a history that many authors went on from, each for themselves: a document with so many heads.
func crown(t failer, heads int) [][]byte {
	t.Helper()
	base := author(t, 0)
	must(t, base.RootMap().Set("list", automerge.NewList()))
	must(t, base.RootMap().Set("title", "everybody's"))
	out := [][]byte{commit(t, base)}
	saved := base.Save()
	for i := range heads {
		d, err := automerge.Load(saved)
		must(t, err)
		must(t, d.SetActorID(fmt.Sprintf("%032x", i+2)))
		must(t, d.Path("list").List().Append(fmt.Sprintf("from %d", i)))
		must(t, d.RootMap().Set("title", fmt.Sprintf("by %d", i)))
		out = append(out, commit(t, d))
	}
	return out
}

func fromChanges(t testing.TB, raws ...[]byte) *core.Doc {
	t.Helper()
	d, err := core.FromChanges(raws, core.Options{})
	must(t, err)
	t.Cleanup(func() { d.Close() })
	return d
}

// state is all that a document holds, to compare it with later.
type state struct {
	changes [][]byte
	heads   []gate.Hash
	value   any
}

func stateOf(t testing.TB, d *core.Doc) (s state) {
	t.Helper()
	var err error
	s.changes, err = d.Changes()
	must(t, err)
	s.heads, err = d.Heads()
	must(t, err)
	s.value, err = d.Value()
	must(t, err)
	return s
}

func (s state) equal(o state) bool {
	return slices.EqualFunc(s.changes, o.changes, bytes.Equal) && slices.Equal(s.heads, o.heads) && fmt.Sprint(s.value) == fmt.Sprint(o.value)
}

// reframed is a change chunk around body, with the right checksum.
func reframed(body []byte) []byte {
	hashed := append(binary.AppendUvarint([]byte{1}, uint64(len(body))), body...)
	sum := sha256.Sum256(hashed)
	return append(append([]byte("\x85\x6f\x4a\x83"), sum[:4]...), hashed...)
}

// body is what a change chunk has within its frame.
func body(raw []byte) []byte {
	_, n := binary.Uvarint(raw[9:])
	return bytes.Clone(raw[9+n:])
}

// deflated is a change as it may travel: compressed.
func deflated(t testing.TB, raw []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := flate.NewWriter(&out, flate.BestCompression)
	must(t, err)
	_, err = w.Write(body(raw))
	must(t, err)
	must(t, w.Close())
	b := append(bytes.Clone(raw[:8]), 2)
	return append(binary.AppendUvarint(b, uint64(out.Len())), out.Bytes()...)
}

// Types of values in a change, as the low four bits say them.
const (
	typeInt     = 4
	typeCounter = 8
)

// emptyKey is a change that sets the empty key of the root map to 7, which the binding cannot write and other libraries can.
func emptyKey(valueType byte) []byte {
	meta, raw := []byte{0x7f, 1<<4 | valueType}, []byte{7}
	columns := []struct {
		spec    uint64
		content []byte
	}{{0x15, []byte{0x7f, 0}}, {0x34, []byte{1}}, {0x42, []byte{0x7f, 1}}, {0x56, meta}, {0x57, raw}, {0x70, []byte{0x7f, 0}}}
	b := append([]byte{0, 16}, bytes.Repeat([]byte{7}, 16)...)
	b = append(b, 1, 1, 0, 0, 0, byte(len(columns)))
	for _, c := range columns {
		b = append(b, byte(c.spec), byte(len(c.content)))
	}
	for _, c := range columns {
		b = append(b, c.content...)
	}
	return reframed(b)
}
