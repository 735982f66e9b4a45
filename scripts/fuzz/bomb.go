package main

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"sync"

	"tombolo/doc/gate"
)

// bomb is a chunk of about 2 MB that inflates to 2 GiB.
var bomb = sync.OnceValue(func() []byte {
	const pieces, size = 128, 16 << 20
	var out bytes.Buffer
	w, _ := flate.NewWriter(&out, flate.BestCompression) // the level is valid
	_, _ = w.Write(make([]byte, size))                   // a bytes.Buffer takes everything
	_ = w.Flush()                                        // to a whole byte, so that the piece can be repeated
	piece := bytes.Clone(out.Bytes())
	out.Reset()
	for range pieces {
		out.Write(piece)
	}
	out.Write([]byte{1, 0, 0, 0xff, 0xff}) // the last block, empty
	return wrap(make([]byte, 4), out.Bytes())
})

// smallBomb inflates to just more than a change may have.
var smallBomb = sync.OnceValue(func() []byte { return wrap(make([]byte, 4), squeeze(make([]byte, gate.MaxChangeBytes+1))) })

// manyRows is a change of a few bytes with n operations, each of which sets one key of the root.
func manyRows(c *change, n int64) []byte {
	run := func(value ...byte) []byte { return append(appendInt(nil, n), value...) }
	s := &spelled{change: *c, table: []string{c.actor}}
	s.columns = []column{
		{colKeyString, run(1, 'k')},
		{colInsert, binary.AppendUvarint(nil, uint64(n))},
		{colAction, run(actSet)},
		{colValueMeta, run(typeNull)},
		{colPredCount, run(0)},
	}
	return frame(s.body())
}
