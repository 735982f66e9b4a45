package pack_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"tombolo/doc/gate"
	"tombolo/doc/pack"
)

// forged is a pack put together by hand: only the digest is right.
type forged struct {
	count, raw uint64
	external   []gate.Hash
	changes    [][]byte // for the digest
	payload    []byte
}

func (f forged) bytes() []byte {
	digest := sha256.New()
	for _, c := range f.changes {
		h := sha256.Sum256(c[8:])
		digest.Write(h[:])
	}
	enc, err := zstd.NewWriter(nil)
	if err != nil {
		panic(err)
	}
	return append(f.head(digest.Sum(nil)[:8]), enc.EncodeAll(f.payload, nil)...)
}

func (f forged) head(check []byte) []byte {
	b := []byte{1}
	for _, n := range []uint64{f.count, f.raw, uint64(len(f.external))} {
		b = binary.AppendUvarint(b, n)
	}
	for _, e := range f.external {
		b = append(b, e[:]...)
	}
	return append(b, check...)
}

// two is a forged pack of the first two changes of a history that is right in every way.
func two(t failer) forged {
	run := merged(t)[:2]
	var f forged
	f.count, f.changes = 2, run
	for i, raw := range run {
		f.raw += uint64(len(raw))
		body := raw[10+lengthOver127(raw):]
		rest := body[1+32*int(body[0]):]
		f.payload = binary.AppendUvarint(f.payload, uint64(len(rest)))
		f.payload = append(f.payload, body[0])
		if i > 0 {
			f.payload = append(f.payload, 1)
		}
		f.payload = append(f.payload, rest...)
	}
	return f
}

func lengthOver127(raw []byte) int {
	_, n := binary.Uvarint(raw[9:])
	return n - 1
}

func TestUnpackRefuses(t *testing.T) {
	if got, err := codec.Unpack(two(t).bytes()); err != nil || !slices.EqualFunc(got, merged(t)[:2], bytes.Equal) {
		t.Fatalf("the pack that the others are made from does not read: %v", err)
	}
	edit := func(f func(*forged)) []byte { p := two(t); f(&p); return p.bytes() }
	second := func(f *forged) int { // where the second change begins in the payload
		size, n := binary.Uvarint(f.payload)
		return n + 1 + int(size)
	}
	reference := func(f *forged, to byte) {
		_, n := binary.Uvarint(f.payload[second(f):])
		f.payload[second(f)+n+1] = to
	}
	stranger := gate.Hash{1, 2, 3}
	plain := two(t)
	bomb := forged{count: 1, raw: 100, payload: make([]byte, 1<<20)}
	for name, c := range map[string]struct {
		pack []byte
		want string // part of the reason
	}{
		"empty":               {nil, "empty"},
		"only a codec":        {[]byte{1}, "ends too early"},
		"endless number":      {append([]byte{1}, bytes.Repeat([]byte{0xff}, 20)...), "ends too early"},
		"no check":            {plain.head(nil), "ends too early"},
		"more outside":        {[]byte{1, 1, 50, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x07, 1, 2, 3}, "ends too early"},
		"no changes":          {edit(func(f *forged) { f.count = 0 }), "claims 0 changes"},
		"too many changes":    {edit(func(f *forged) { f.count, f.raw = pack.MaxCount+1, pack.MaxRaw }), "claims 262145"},
		"too many bytes":      {edit(func(f *forged) { f.raw = pack.MaxRaw + 1 }), "claims 2 changes"},
		"tiny changes":        {edit(func(f *forged) { f.raw = 37 }), "claims 2 changes of 37"},
		"no frame":            {plain.head(make([]byte, 8)), "no readable head"},
		"not a frame":         {append(plain.head(make([]byte, 8)), "neither zstd nor else"...), "no readable head"},
		"skippable frame":     {append(plain.head(make([]byte, 8)), 0x50, 0x2a, 0x4d, 0x18, 0, 0, 0, 0), "no readable head"},
		"frame without size":  {append(plain.head(make([]byte, 8)), streamed(t, plain.payload)...), "does not inflate"},
		"bomb":                {bomb.bytes(), "larger than the changes"},
		"second frame":        {append(plain.bytes(), two(t).bytes()[len(plain.head(make([]byte, 8))):]...), "does not inflate"},
		"frame cut":           {plain.bytes()[:len(plain.bytes())-1], "does not inflate"},
		"wide window":         {append(forged{count: 1, raw: pack.MaxRaw}.head(make([]byte, 8)), wide(t)...), "does not inflate"},
		"false length":        {edit(func(f *forged) { f.payload[0] = 0xff }), "change 1: its lengths"},
		"false deps":          {edit(func(f *forged) { _, n := binary.Uvarint(f.payload); f.payload[n] = 0x7f }), "change 1: it does not fit"},
		"no payload":          {edit(func(f *forged) { f.payload = f.payload[:second(f)] }), "change 2: it does not fit"},
		"reference for rest":  {edit(func(f *forged) { f.payload[second(f)]++; f.raw++ }), "change 2: it ends too early"},
		"less raw":            {edit(func(f *forged) { f.raw-- }), "change 2: it does not fit"},
		"more raw":            {edit(func(f *forged) { f.raw++ }), "more or less"},
		"more payload":        {edit(func(f *forged) { f.payload = append(f.payload, 0) }), "more or less"},
		"builds on itself":    {edit(func(f *forged) { reference(f, 0) }), "not there"},
		"outside, not listed": {edit(func(f *forged) { reference(f, 2) }), "not there"},
		"outside, not used":   {edit(func(f *forged) { f.external = []gate.Hash{stranger} }), "does not build on"},
		"outside, not in turn": {edit(func(f *forged) {
			f.external = []gate.Hash{stranger, stranger}
			reference(f, 3)
		}), "not there"},
		"inside as outside": {edit(func(f *forged) {
			f.external = []gate.Hash{sha256.Sum256(f.changes[0][8:])}
			reference(f, 2)
		}), "as one outside"},
		"other changes": {edit(func(f *forged) { f.payload[len(f.payload)-1] ^= 1 }), "not those it was made of"},
	} {
		_, err := codec.Unpack(c.pack)
		e, ok := errors.AsType[*pack.FormError](err)
		if !ok || !strings.Contains(e.Reason, c.want) || !strings.Contains(err.Error(), e.Reason) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

// streamed is a frame that does not say how large its content is.
func streamed(t failer, content []byte) []byte {
	var out bytes.Buffer
	w, err := zstd.NewWriter(&out)
	check(t, err)
	for _, b := range [][]byte{content, bytes.Repeat(content, 1<<20/len(content)+1)} {
		_, err = w.Write(b)
		check(t, err)
	}
	check(t, w.Close())
	return out.Bytes()
}

// wide is a frame that asks for a window of 8 MiB.
func wide(t failer) []byte {
	w, err := zstd.NewWriter(nil, zstd.WithWindowSize(8<<20), zstd.WithSingleSegment(false))
	check(t, err)
	return w.EncodeAll(make([]byte, 16<<20), nil)
}

func TestUnknownCodecIsNamed(t *testing.T) {
	p := two(t).bytes()
	p[0] = 2
	if _, err := codec.Unpack(p); !errors.Is(err, pack.ErrCodec) {
		t.Errorf("Unpack: %v", err)
	}
	if _, _, _, err := pack.Info(p); !errors.Is(err, pack.ErrCodec) {
		t.Errorf("Info: %v", err)
	}
}

// FuzzUnpack: nothing makes reading panic, and what is read survives another round when the gate takes it.
func FuzzUnpack(f *testing.F) {
	golden, err := os.ReadFile(filepath.Join("testdata", "pack1.bin"))
	check(f, err)
	f.Add(golden, false)
	seed := two(f)
	f.Add(seed.bytes(), false)
	f.Add(seed.payload, true)
	f.Fuzz(func(t *testing.T, b []byte, asPayload bool) {
		if asPayload { // past the compression, where the fuzzer cannot see
			s := seed
			s.payload = b
			b = s.bytes()
		}
		count, raw, _, infoErr := pack.Info(b)
		run, err := codec.Unpack(b)
		if err != nil {
			return
		}
		size := 0
		for _, c := range run {
			size += len(c)
		}
		if infoErr != nil || count != len(run) || raw != size {
			t.Fatalf("the head says %d changes, %d bytes, %v; it holds %d, %d", count, raw, infoErr, len(run), size)
		}
		again, err := codec.Pack(run)
		if err != nil {
			return // well-formed changes are the gate's business
		}
		if got, err := codec.Unpack(again); err != nil || !slices.EqualFunc(got, run, bytes.Equal) {
			t.Fatalf("the second round differs: %v", err)
		}
	})
}
