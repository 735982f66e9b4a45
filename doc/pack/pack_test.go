package pack_test

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/automerge/automerge-go"
	"pgregory.net/rapid"

	"tombolo/doc/gate"
	"tombolo/doc/pack"
)

var update = flag.Bool("update", false, "write testdata anew")

var codec = pack.New()

// TestRoundTrip packs the histories of several writers who fork and merge, cut at random, and reads them back.
func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		docs := []*automerge.Doc{writer(t, automerge.New(), 1)}
		set(t, docs[0], "text", automerge.NewText(""))
		for i := range rapid.IntRange(0, 40).Draw(t, "steps") {
			at := rapid.IntRange(0, len(docs)-1).Draw(t, "writer")
			d := docs[at]
			switch rapid.SampledFrom([]string{"type", "set", "fork", "merge"}).Draw(t, "step") {
			case "type":
				check(t, d.Path("text").Text().Insert(0, rapid.StringMatching(`[a-zä]{1,30}`).Draw(t, "typed")))
				commit(t, d)
			case "set":
				set(t, d, rapid.SampledFrom([]string{"a", "b"}).Draw(t, "key"), int64(i))
			case "fork":
				f, err := d.Fork()
				check(t, err)
				docs = append(docs, writer(t, f, 2+i))
			case "merge":
				if other := rapid.IntRange(0, len(docs)-1).Draw(t, "other"); other != at {
					_, err := d.Merge(docs[other])
					check(t, err)
				}
			}
		}
		changes := saved(t, docs[0])
		cut := rapid.IntRange(0, len(changes)-1).Draw(t, "cut")
		for _, run := range [][][]byte{changes[:cut], changes[cut:]} {
			if len(run) > 0 {
				roundTrip(t, run)
			}
		}
	})
}

// roundTrip packs a run of plain changes and checks everything that can be read from the pack.
func roundTrip(t failer, run [][]byte) []byte {
	t.Helper()
	p, err := codec.Pack(run)
	check(t, err)
	got, err := codec.Unpack(p)
	check(t, err)
	if !slices.EqualFunc(got, run, bytes.Equal) {
		t.Fatal("the changes came back changed")
	}
	inside, size, outside := map[gate.Hash]bool{}, 0, map[gate.Hash]bool{}
	for _, raw := range run {
		c, err := gate.Parse(raw)
		check(t, err)
		for _, d := range c.Deps {
			if !inside[d] {
				outside[d] = true
			}
		}
		inside[c.Hash] = true
		size += len(raw)
	}
	count, raw, external, err := pack.Info(p)
	check(t, err)
	if count != len(run) || raw != size || len(external) != len(outside) {
		t.Fatal(fmt.Sprintf("the head says %d changes, %d bytes, %d outside; want %d, %d, %d", count, raw, len(external), len(run), size, len(outside)))
	}
	for _, h := range external {
		if !outside[h] {
			t.Fatal("the head lists a change nobody builds on")
		}
	}
	return p
}

func TestDeflatedIsStoredPlain(t *testing.T) {
	run := typed(t, 5)
	want := roundTrip(t, run)
	mixed := slices.Clone(run)
	mixed[0], mixed[3] = deflated(t, run[0]), deflated(t, run[3])
	got, err := codec.Pack(mixed)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("deflated changes give another pack: %v", err)
	}
}

// The largest change there may be fits into a pack, with others.
func TestLargestChange(t *testing.T) {
	d := writer(t, automerge.New(), 1)
	set(t, d, "small", true)
	set(t, d, "large", bytes.Repeat([]byte("0123456789abcdef"), gate.MaxChangeBytes/16-32))
	set(t, d, "small", false)
	roundTrip(t, saved(t, d))
}

// Equal runs give equal packs, whoever packs them, also at the same time.
func TestDeterministic(t *testing.T) {
	run := typed(t, 2000)
	want := roundTrip(t, run)
	var wg sync.WaitGroup
	other := pack.New()
	for i := range 4 {
		c := codec
		if i%2 == 0 {
			c = other
		}
		wg.Go(func() {
			for range 5 {
				p, err := c.Pack(run)
				if err != nil || !bytes.Equal(p, want) {
					t.Errorf("another pack: %v", err)
				}
				if got, err := c.Unpack(p); err != nil || !slices.EqualFunc(got, run, bytes.Equal) {
					t.Errorf("other changes: %v", err)
				}
			}
		})
	}
	wg.Wait()
}

// TestGolden reads what an earlier build wrote. The head is compared byte by byte; the compressed part may differ between releases of
// the compressor, and is only read.
func TestGolden(t *testing.T) {
	run := merged(t)
	path := filepath.Join("testdata", "pack1.bin")
	now := roundTrip(t, run[2:])
	if *update {
		check(t, os.WriteFile(path, now, 0o644))
	}
	golden, err := os.ReadFile(path)
	check(t, err)
	got, err := codec.Unpack(golden)
	if err != nil || !slices.EqualFunc(got, run[2:], bytes.Equal) {
		t.Errorf("the golden pack reads differently: %v", err)
	}
	const head = 1 + 1 + 2 + 1 + 2*32 + 8
	if !bytes.Equal(golden[:head], now[:head]) {
		t.Errorf("the head changed:\n%x\n%x", golden[:head], now[:head])
	}
}

// merged is a short history of two writers: begin, two apart, then a merge and more; from the third change on it builds on two outside.
func merged(t failer) [][]byte {
	t.Helper()
	a := writer(t, automerge.New(), 1)
	set(t, a, "k", "begin")
	b, err := a.Fork()
	check(t, err)
	set(t, writer(t, b, 2), "k", "there")
	set(t, a, "k", "here")
	_, err = a.Merge(b)
	check(t, err)
	for i := range 4 {
		set(t, a, "k", int64(i))
	}
	return saved(t, a)
}

func TestPackRefuses(t *testing.T) {
	run := merged(t)
	for name, c := range map[string]struct {
		run  [][]byte
		want error
	}{
		"nothing":   {nil, pack.ErrEmpty},
		"too many":  {make([][]byte, pack.MaxCount+1), pack.ErrTooLarge},
		"twice":     {[][]byte{run[0], run[1], run[0]}, pack.ErrOrder},
		"backwards": {[][]byte{run[1], run[0]}, pack.ErrOrder},
		"document":  {[][]byte{run[0], writer(t, automerge.New(), 1).Save()}, gate.ErrDocument},
	} {
		if _, err := codec.Pack(c.run); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := codec.Pack([][]byte{run[0], []byte("garbage")}); !is[*gate.FormError](err) {
		t.Errorf("garbage: %v", err)
	}
	d := writer(t, automerge.New(), 1)
	for i := range 2 {
		set(t, d, "large", bytes.Repeat([]byte{byte(i)}, pack.MaxRaw/2))
	}
	if _, err := codec.Pack(saved(t, d)); !errors.Is(err, pack.ErrTooLarge) {
		t.Errorf("too large: %v", err)
	}
}

func is[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}
