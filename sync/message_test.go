package sync_test

import (
	"bytes"
	"encoding/hex"
	"flag"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"tombolo/doc"
	"tombolo/sync"
)

var update = flag.Bool("update", false, "write testdata/frames.golden anew: only for a new version of the protocol")

// samples has one message of each kind, in the order of their numbers.
func samples() []any {
	h := heads("a", "b")
	return []any{
		sync.Hello{Min: 1, Max: 1, Name: "Büro", Spaces: []sync.Offer{{Token: [16]byte{1, 2}, Members: [8]byte{3}}}},
		sync.Members{Space: home, Records: [][]byte{{1}, []byte("two")}},
		sync.Summary{Space: home, Count: 300, Sum: hash("sum")},
		sync.List{Space: home, Items: []sync.Item{{Doc: id(1), Hash: [16]byte{9}}}, Last: true},
		sync.Have{Space: home, Doc: id(1), Heads: h, Sample: h[:1]},
		sync.Delta{Space: home, Doc: id(1), Part: []byte("part"), Cont: true, Last: true, Heads: h, Sample: h[:1]},
		sync.Push{Space: home, Doc: id(1), Changes: [][]byte{[]byte("change")}, Pack: []byte("pack"), Heads: h},
		sync.Durable{Space: home, Doc: id(1), Heads: h},
		sync.Ranges{Space: home, Sums: []byte("two eights' sums")},
		sync.Gone{Space: home, Docs: []doc.ID{id(1), id(2)}},
	}
}

// What is on the wire stays as it is.
func TestFramesGolden(t *testing.T) {
	const file = "testdata/frames.golden"
	var got strings.Builder
	for _, m := range samples() {
		fmt.Fprintf(&got, "%s %x\n", strings.ToLower(reflect.TypeOf(m).Name()), sync.Encode(m))
	}
	if *update {
		if err := os.WriteFile(file, []byte(got.String()), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got.String() != string(want) {
		t.Fatalf("frames differ from %s; devices in the field read those:\n%s", file, got.String())
	}
	for i, line := range strings.Split(strings.TrimSpace(string(want)), "\n") {
		_, code, _ := strings.Cut(line, " ")
		frame, err := hex.DecodeString(code)
		if err != nil {
			t.Fatal(err)
		}
		if m, err := sync.Decode(frame); err != nil || !reflect.DeepEqual(m, samples()[i]) {
			t.Fatalf("%s: %+v, %v", line, m, err)
		}
	}
}

func genBytes(n int) *rapid.Generator[[]byte] { return rapid.SliceOfN(rapid.Byte(), 1, n) }

func genHeads() *rapid.Generator[[]doc.Hash] {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) doc.Hash { return hash(rapid.String().Draw(t, "h")) }), 1, 5)
}

func genMessage(t *rapid.T) any {
	space := doc.SpaceID{rapid.Byte().Draw(t, "space")}
	name := id(rapid.IntRange(0, 1<<20).Draw(t, "doc"))
	hs, flag := genHeads().Draw(t, "heads"), rapid.Bool().Draw(t, "flag")
	some := rapid.SliceOfN(genBytes(20), 1, 5).Draw(t, "some")
	switch rapid.IntRange(1, 10).Draw(t, "kind") {
	case 10:
		return sync.Gone{Space: space, Docs: []doc.ID{name}}
	case 9:
		return sync.Ranges{Space: space, Sums: some[0]}
	case 1:
		return sync.Hello{Min: 0, Max: 1, Name: rapid.String().Draw(t, "name"), Spaces: []sync.Offer{{Token: [16]byte(hs[0][:16])}}}
	case 2:
		return sync.Members{Space: space, Records: some}
	case 3:
		return sync.Summary{Space: space, Count: rapid.Uint64().Draw(t, "count"), Sum: hs[0]}
	case 4:
		return sync.List{Space: space, Items: []sync.Item{{Doc: name, Hash: [16]byte(hs[0][:16])}}, Last: flag}
	case 5:
		return sync.Have{Space: space, Doc: name, Heads: hs, Sample: hs}
	case 6:
		return sync.Delta{Space: space, Doc: name, Part: some[0], Cont: flag, Last: !flag, Heads: hs, Sample: hs}
	case 7:
		return sync.Push{Space: space, Doc: name, Changes: some, Pack: some[0], Heads: hs}
	}
	return sync.Durable{Space: space, Doc: name, Heads: hs}
}

func TestMessagesRoundTrip(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		m := genMessage(rt)
		got, err := sync.Decode(sync.Encode(m))
		if err != nil || !reflect.DeepEqual(got, m) {
			rt.Fatalf("%+v came back as %+v, %v", m, got, err)
		}
	})
}

// The largest message of each kind fits a frame.
func TestWorstFramesFit(t *testing.T) {
	many := make([]doc.Hash, sync.MaxHeads)
	for i := range many {
		many[i] = hash(fmt.Sprint(i))
	}
	items := make([]sync.Item, sync.ListBatch)
	for i := range items {
		items[i] = sync.Item{Doc: id(i), Hash: [16]byte(many[0][:16])}
	}
	tiny := make([][]byte, sync.MaxPush) // a push is bounded by the bytes of its changes; no change is that small
	for i := range tiny {
		tiny[i] = []byte{0xff}
	}
	for _, m := range []any{
		sync.Hello{Min: 1, Max: 1, Name: strings.Repeat("x", sync.MaxName), Spaces: make([]sync.Offer, sync.MaxSpaces)},
		sync.List{Space: home, Items: items, Last: true},
		sync.Have{Space: home, Doc: id(1), Heads: many, Sample: many[:sync.MaxSample]},
		sync.Delta{Space: home, Doc: id(1), Part: make([]byte, sync.MaxPart), Cont: true, Last: true, Heads: many, Sample: many[:sync.MaxSample]},
		sync.Push{Space: home, Doc: id(1), Changes: tiny, Heads: many},
		sync.Push{Space: home, Doc: id(1), Changes: [][]byte{make([]byte, sync.MaxPush)}, Heads: many},
		sync.Durable{Space: home, Doc: id(1), Heads: many},
		sync.Ranges{Space: home, Sums: make([]byte, 8*sync.MaxRanges)},
		sync.Gone{Space: home, Docs: make([]doc.ID, sync.GoneBatch)},
	} {
		frame := sync.Encode(m)
		if len(frame) > sync.MaxFrame {
			t.Errorf("%T takes %d bytes, %d are allowed", m, len(frame), sync.MaxFrame)
		}
		if _, err := sync.Decode(frame); err != nil {
			t.Errorf("%T: %v", m, err)
		}
	}
}

func TestFramesThatAreRefused(t *testing.T) {
	for frame, want := range map[string]string{
		"":                                          "update this program",
		"\x02\x82\x01\x80":                          "update this program",
		"\x01":                                      "malformed frame",
		"\x01\x82\x18\x63\x80":                      "unknown kind 99",
		"\x01\x82\x04\x81\x01":                      "malformed message of kind 4",
		"\x01\x82\x01\x81\x01":                      "hello of 1 parts",
		"\x01\x82\x01\x01":                          "malformed message of kind 1",
		"\x01\x82\x01\x84\x60\x01":                  "malformed frame",
		"\x01\x82\x01\x84\xf5\x01\x60\x80":          "malformed message of kind 1",
		"\x01\x82\x01\x84\x01\x60\x60\x80":          "malformed message of kind 1",
		"\x01\x82\x01\x84\x01\x01\x01\x80":          "malformed message of kind 1",
		"\x01\x82\x01\x84\x01\x01\x60\x01":          "malformed message of kind 1",
		"\x01\x82\x01\x9f\x01\xff":                  "malformed frame", // indefinite length
		"\x01" + strings.Repeat("\x81", 40):         "malformed frame",
		"\x01" + strings.Repeat("x", sync.MaxFrame): "the limit is",
	} {
		if m, err := sync.Decode([]byte(frame)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.20q: %+v, %v; want an error with %q", frame, m, err, want)
		}
	}
}

// A hello may grow at its end: what this version knows of it still counts.
func TestHelloOfLaterVersions(t *testing.T) {
	grown := func(versions string) any {
		m, err := sync.Decode([]byte("\x01\x82\x01\x86" + versions + "\x61x\x80\x18\x63\x60"))
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	if m := grown("\x01\x02").(sync.Hello); m.Max != 2 || m.Name != "x" {
		t.Errorf("of a version that meets: %+v", m)
	}
	if m := grown("\x02\x03").(sync.Hello); m.Min != 2 || m.Max != 3 {
		t.Errorf("of a version that does not: %+v", m)
	}
}

// No frame of a stranger panics, and what can be read is written as it was.
func FuzzDecode(f *testing.F) {
	for _, m := range samples() {
		f.Add(sync.Encode(m))
	}
	f.Fuzz(func(t *testing.T, frame []byte) {
		m, err := sync.Decode(frame)
		if err != nil {
			return
		}
		again := sync.Encode(m)
		m2, err := sync.Decode(again)
		if err != nil && len(again) <= sync.MaxFrame {
			t.Fatalf("what was read cannot be read again: %v", err)
		}
		if err == nil && (!reflect.DeepEqual(m, m2) || !bytes.Equal(again, sync.Encode(m2))) {
			t.Fatalf("%+v became %+v", m, m2)
		}
	})
}
