package gate_test

import (
	"bytes"
	"cmp"
	"compress/flate"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
	"slices"
	"testing"
	"time"

	"github.com/automerge/automerge-go"

	"tombolo/doc/gate"
)

// form is a change to be spelled out, rightly or wrongly.
type form struct {
	deps    [][]byte
	actor   []byte
	seq     uint64
	startOp uint64
	time    []byte // signed LEB128
	message string
	others  [][]byte
	columns []column
	trailer []byte
}

type column struct {
	spec    uint64
	content []byte
}

// good is a change that sets "k" of the root map to true.
func good() form {
	return form{
		actor: bytes.Repeat([]byte{7}, 16), seq: 1, startOp: 1, time: []byte{0},
		columns: []column{
			{0x15, []byte{0x7f, 1, 'k'}}, {0x34, []byte{1}}, {0x42, []byte{0x7f, 1}}, {0x56, []byte{0x7f, 2}}, {0x70, []byte{0x7f, 0}},
		},
	}
}

func (f form) body() []byte {
	u := binary.AppendUvarint
	b := u(nil, uint64(len(f.deps)))
	b = append(b, bytes.Join(f.deps, nil)...)
	b = append(u(b, uint64(len(f.actor))), f.actor...)
	b = append(u(u(b, f.seq), f.startOp), f.time...)
	b = append(u(b, uint64(len(f.message))), f.message...)
	b = u(b, uint64(len(f.others)))
	for _, o := range f.others {
		b = append(u(b, uint64(len(o))), o...)
	}
	b = u(b, uint64(len(f.columns)))
	for _, c := range f.columns {
		b = u(u(b, c.spec), uint64(len(c.content)))
	}
	for _, c := range f.columns {
		b = append(b, c.content...)
	}
	return append(b, f.trailer...)
}

func (f form) chunk() []byte { return frame(1, f.body(), f.body()) }

// frame puts a chunk of one kind around stored, with the checksum of the plain change with this body.
func frame(kind byte, body, stored []byte) []byte {
	sum := sha256.Sum256(append(binary.AppendUvarint([]byte{1}, uint64(len(body))), body...))
	b := append([]byte("\x85\x6f\x4a\x83"), sum[:4]...)
	b = binary.AppendUvarint(append(b, kind), uint64(len(stored)))
	return append(b, stored...)
}

func deflate(b []byte) []byte {
	var out bytes.Buffer
	w, err := flate.NewWriter(&out, flate.BestCompression)
	if err != nil {
		panic(err)
	}
	if _, err := w.Write(b); err != nil {
		panic(err)
	}
	if err := w.Close(); err != nil {
		panic(err)
	}
	return out.Bytes()
}

// history is a real document of several writers that fork and merge, as the core saves its changes.
func history(t testing.TB) []*automerge.Change {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	d := automerge.New()
	must(d.SetActorID(fmt.Sprintf("%032x", 1)))
	must(d.Path("list").Set(automerge.NewList()))
	must(d.Path("text").Set(automerge.NewText("hello wörld")))
	must(d.Path("count").Set(automerge.NewCounter(1)))
	for i := range 12 {
		must(d.Path("list").List().Append(map[string]any{"i": i, "f": 1.5, "b": []byte{1, 2}, "n": nil, "u": uint64(7), "ok": true}))
		must(d.Path("text").Text().Insert(0, "ab"))
		must(d.Path("count").Counter().Inc(2))
		if i%3 == 0 {
			must(d.Path("list", 0).Delete())
		}
		at := time.UnixMilli(int64(i-3) * 1000)
		_, err := d.Commit(fmt.Sprintf("edit %d ü", i), automerge.CommitOptions{Time: &at})
		must(err)
		if i%4 == 3 {
			f, err := d.Fork()
			must(err)
			must(f.SetActorID(fmt.Sprintf("%032x", 100+i)))
			must(f.Path("text").Text().Delete(0, 1))
			_, err = f.Commit("apart")
			must(err)
			must(d.Path("x").Set(int64(-i)))
			_, err = d.Commit("here")
			must(err)
			_, err = d.Merge(f)
			must(err)
		}
	}
	must(d.Path("text").Text().Append(string(bytes.Repeat([]byte("long "), 2000))))
	_, err := d.Commit("much")
	must(err)
	cs, err := d.Changes()
	must(err)
	return cs
}

// hashOf makes a hash of a number, for graphs whose changes need no bytes.
func hashOf(n int) gate.Hash { return sha256.Sum256(binary.AppendUvarint(nil, uint64(n))) }

// change is a change without bytes, for graphs.
func change(n int, actor string, seq, startOp uint64, deps ...gate.Hash) gate.Change {
	deps = slices.SortedFunc(slices.Values(deps), gate.Hash.Compare)
	return gate.Change{Hash: hashOf(n), Deps: deps, Actor: []byte(actor), Seq: seq, StartOp: startOp, Ops: 1}
}

func hexOf(b []byte) string { return fmt.Sprintf("%x", b) }

// bodyOf takes the frame off a chunk.
func bodyOf(chunk []byte) []byte {
	_, n := binary.Uvarint(chunk[9:])
	return chunk[9+n:]
}

// inflated is what a deflated body holds, as far as it can be read.
func inflated(b []byte) []byte {
	out, _ := io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(b)), gate.MaxChangeBytes+1))
	return out
}

// sleb spells a signed LEB128 number.
func sleb(v int64) (out []byte) {
	for {
		b := byte(v & 0x7f)
		v >>= 7
		if v == 0 && b&0x40 == 0 || v == -1 && b&0x40 != 0 {
			return append(out, b)
		}
		out = append(out, b|0x80)
	}
}

// col is a column of these bytes.
func col(spec uint64, content ...byte) column { return column{spec, content} }

// with are the columns of good, with others in their place or beside them; an empty one takes the old one away.
func with(cols ...column) []column {
	out := slices.DeleteFunc(good().columns, func(c column) bool {
		return slices.ContainsFunc(cols, func(n column) bool { return n.spec == c.spec })
	})
	for _, c := range cols {
		if len(c.content) > 0 {
			out = append(out, c)
		}
	}
	slices.SortFunc(out, func(a, b column) int { return cmp.Compare(a.spec, b.spec) })
	return out
}
