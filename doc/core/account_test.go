//go:build cgo && (linux || darwin) && (amd64 || arm64)

package core_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/automerge/automerge-go"

	"tombolo/doc/core"
)

// How many documents TestStress makes; 10,000 take some ten seconds with -race.
var stress = flag.Int("stress", 10_000, "documents that TestStress makes")

// lacks skips a test that this machine cannot run. CI must be able to run all.
func lacks(t testing.TB, format string, args ...any) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf(format, args...)
	}
	t.Skipf(format, args...)
}

// cBytes is the C heap in use, or the end of the test where that cannot be known.
func cBytes(t testing.TB) int64 {
	t.Helper()
	n, ok := core.CBytes()
	if !ok {
		lacks(t, "skipped: needs Linux with glibc, which tells the size of the C heap")
	}
	return n
}

// settled collects until ok holds: finalizers run some time after a collection, in a goroutine of the runtime.
func settled(ok func() bool) bool {
	for range 200 {
		runtime.GC()
		if ok() {
			return true
		}
		runtime.Gosched()
	}
	return false
}

// collect gives finalizers a chance, where nothing says when they are done.
func collect() {
	for range 10 {
		runtime.GC()
		runtime.Gosched()
	}
}

// onlyPaced switches off the collections that come of themselves.
func onlyPaced(t testing.TB) {
	t.Helper()
	percent := debug.SetGCPercent(-1)
	t.Cleanup(func() { debug.SetGCPercent(percent) })
}

// typed is one change in which somebody writes a text of n letters.
func typed(t testing.TB, n int) [][]byte {
	t.Helper()
	a := author(t, 0)
	must(t, a.RootMap().Set("text", automerge.NewText(strings.Repeat("words ", n/6+1)[:n])))
	return [][]byte{commit(t, a)}
}

// records is one change with n records of four fields.
func records(t testing.TB, n int) [][]byte {
	t.Helper()
	a := author(t, 0)
	list := automerge.NewList()
	must(t, a.RootMap().Set("records", list))
	for i := range n {
		must(t, list.Append(map[string]any{"name": fmt.Sprint("name ", i), "n": int64(i), "done": false, "tag": nil}))
	}
	return [][]byte{commit(t, a)}
}

// TestEstimate compares what documents are accounted with to what they take of the C heap.
func TestEstimate(t *testing.T) {
	for name, raws := range map[string][][]byte{
		"nothing":             nil,
		"one change":          history(t, 0, 1),
		"2,000 changes":       history(t, 0, 2000),
		"20 heads":            crown(t, 20),
		"12,000 letters":      typed(t, 12_000),
		"1,000 records":       records(t, 1000),
		"one string of 1 MiB": {bigString(t, 1<<20)},
	} {
		const copies = 10
		collect()
		before, accounted := cBytes(t), core.InUse()
		var docs []*core.Doc
		for range copies {
			docs = append(docs, fromChanges(t, raws...))
		}
		accounted = (core.InUse() - accounted) / copies
		collect()
		taken := (cBytes(t) - before) / copies
		t.Logf("%-20s takes %9d bytes, accounted with %9d: %.2f", name, taken, accounted, float64(accounted)/float64(taken))
		if accounted < taken*6/10 || accounted > taken*5/2 {
			t.Errorf("%s: accounted with %d bytes, takes %d", name, accounted, taken)
		}
		for _, d := range docs {
			must(t, d.Close())
		}
	}
}

func bigString(t testing.TB, n int) []byte {
	t.Helper()
	a := author(t, 0)
	must(t, a.RootMap().Set("s", strings.Repeat("s", n)))
	return commit(t, a)
}

// TestCloseFreesAtOnce: the memory is back when Close returns, without any collection.
func TestCloseFreesAtOnce(t *testing.T) {
	d := fromChanges(t, typed(t, 50_000)...)
	in, c := core.InUse(), cBytes(t)
	must(t, d.Close())
	if freed := c - cBytes(t); freed < 10<<20 {
		t.Errorf("closing a text of 50,000 letters freed %d bytes", freed)
	}
	if freed := in - core.InUse(); freed < 10<<20 {
		t.Errorf("the account fell by %d bytes", freed)
	}
	must(t, d.Close())
}

// TestReachesTheBinding fails when a new version of the binding keeps its C results elsewhere: then memory waits for finalizers.
func TestReachesTheBinding(t *testing.T) {
	a := author(t, 0)
	must(t, a.RootMap().Set("k", "v"))
	commit(t, a)
	changes, err := a.Changes()
	must(t, err)
	v, err := a.RootMap().Get("k")
	must(t, err)
	for _, of := range []any{a, changes[0], v} {
		if !core.Frees(of) {
			t.Errorf("the C memory behind a %T cannot be reached any more: adapt resultOf", of)
		}
	}
	for _, of := range []any{nil, 3, &struct{}{}, &struct{ item *int }{}, a.RootMap(), (*automerge.Doc)(nil), &struct {
		item *struct{ result *struct{ other int } }
	}{}} {
		if core.Frees(of) {
			t.Errorf("something was found in a %T", of)
		}
	}
}

// TestForgottenAreCollected: documents that nobody closed, or whose memory could not be reached, do not pile up.
func TestForgottenAreCollected(t *testing.T) {
	raws := typed(t, 4000) // 2 MB of C memory
	onlyPaced(t)
	for name, giveUp := range map[string]func(*core.Doc){"not closed": func(*core.Doc) {}, "not reached": (*core.Doc).Forget} {
		in, c := core.InUse(), cBytes(t)
		var peak int64
		for range 150 {
			d, err := core.FromChanges(raws, core.Options{})
			must(t, err)
			giveUp(d)
			peak = max(peak, cBytes(t)-c)
		}
		t.Logf("%s: peak %d MiB above what was there", name, peak>>20)
		if peak > 4*core.CollectEvery {
			t.Errorf("%s: %d MiB of C memory waited, collections should come every %d MiB", name, peak>>20, core.CollectEvery>>20)
		}
		if !settled(func() bool { return core.InUse() <= in && cBytes(t) <= c+1<<20 }) {
			t.Errorf("%s: at the end there are %d bytes in use and %d accounted, more than before", name, cBytes(t)-c, core.InUse()-in)
		}
	}
}

// TestMemoryGoesBack: what is closed leaves the process, not only the heap.
func TestMemoryGoesBack(t *testing.T) {
	raws := typed(t, 40_000) // 20 MB of C memory
	var docs []*core.Doc
	for range 8 {
		docs = append(docs, fromChanges(t, raws...))
	}
	before := resident(t)
	for _, d := range docs {
		must(t, d.Close())
	}
	if back := before - resident(t); back < core.CollectEvery {
		t.Errorf("%d MiB went back to the system, want more than %d", back>>20, core.CollectEvery>>20)
	}
}

// resident is the memory of the process that is in RAM, in bytes.
func resident(t testing.TB) int64 {
	t.Helper()
	statm, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		lacks(t, "skipped: needs Linux's /proc/self/statm: %v", err)
	}
	var size, pages int64
	_, err = fmt.Sscan(string(statm), &size, &pages)
	must(t, err)
	return pages * int64(os.Getpagesize())
}

// TestReadingIsOwed: what the binding keeps to itself while it reads counts towards the next collection.
func TestReadingIsOwed(t *testing.T) {
	a := author(t, 0)
	noise := make([]byte, 256<<10)
	rand.NewChaCha8([32]byte{}).Read(noise)
	must(t, a.RootMap().Set("noise", noise))
	must(t, a.RootMap().Set("text", automerge.NewText(strings.Repeat("text", 2000))))
	must(t, a.RootMap().Set("count", automerge.NewCounter(1)))
	for i := range 100 {
		must(t, a.RootMap().Set(fmt.Sprint("map", i), map[string]any{}))
	}
	d := fromChanges(t, commit(t, a))
	runtime.GC()
	onlyPaced(t)
	for name, read := range map[string]func() error{
		"Save":    func() error { _, err := d.Save(); return err },
		"Value":   func() error { _, err := d.Value(); return err },
		"Changes": func() error { _, err := d.Changes(); return err },
	} {
		c, owed := cBytes(t), core.Owed()
		for range 30 {
			must(t, read())
		}
		c, owed = cBytes(t)-c, core.Owed()-owed
		t.Logf("%s: %d KiB wait, %d KiB are owed", name, c>>10, owed>>10)
		if c > owed+owed/4+64<<10 {
			t.Errorf("%s: %d bytes wait for a collection, %d are owed", name, c, owed)
		}
	}
}

// TestStress makes many documents of 1 to 20 heads in every way there is, in several goroutines, and closes nine in ten. It runs in a
// process of its own in which malloc keeps no freed chunks per thread: those, up to 230 KiB a thread, count as in use.
func TestStress(t *testing.T) {
	const tunables = "GLIBC_TUNABLES=glibc.malloc.tcache_count=0"
	if !slices.Contains(os.Environ(), tunables) {
		cmd := exec.Command(os.Args[0], "-test.run=^TestStress$", "-test.v", fmt.Sprint("-stress=", *stress))
		cmd.Env = append(os.Environ(), tunables)
		out, err := cmd.CombinedOutput()
		t.Logf("%s", out)
		must(t, err)
		return
	}
	type kind struct {
		raws  [][]byte
		saved []byte
		more  []byte
	}
	var kinds []kind
	for heads := 1; heads <= 20; heads++ {
		raws := crown(t, heads+1)
		k := kind{raws: raws[:heads+1], more: raws[heads+1]}
		var err error
		k.saved, err = fromChanges(t, k.raws...).Save()
		must(t, err)
		kinds = append(kinds, k)
	}
	in, c := core.InUse(), cBytes(t)
	if !settled(func() bool { now := cBytes(t); still := now >= c; c = now; return still }) {
		t.Log("the C heap did not come to rest before")
	}
	var next, peak atomic.Int64
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for n := next.Add(1); n <= int64(*stress); n = next.Add(1) {
				k := kinds[n%int64(len(kinds))]
				d, err := one(n, k.raws, k.saved, k.more)
				if err != nil {
					t.Error(err)
					return
				}
				if n%10 != 0 {
					must(t, d.Close())
				}
				if n%50 == 0 {
					now, _ := core.CBytes()
					for was := peak.Load(); now > was && !peak.CompareAndSwap(was, now); was = peak.Load() {
					}
				}
			}
		})
	}
	wg.Wait()
	t.Logf("%d documents: the C heap had %d KiB before, %d KiB at most", *stress, c>>10, peak.Load()>>10)
	if above := peak.Load() - c; above > 4*core.CollectEvery {
		t.Errorf("the C heap grew by %d MiB at most, collections should come every %d MiB", above>>20, core.CollectEvery>>20)
	}
	// 64 KiB on top: results that the binding hides wait while their 8 bytes of Go memory share a block with something alive; and threads.
	if !settled(func() bool { return core.InUse() <= in && cBytes(t) <= c+c/10+64<<10 }) {
		t.Errorf("afterwards the C heap has %d bytes, %d before; accounted %d and %d", cBytes(t), c, core.InUse(), in)
	}
	t.Logf("afterwards %d KiB", cBytes(t)>>10)
}

// one makes the n-th document, and looks at it.
func one(n int64, raws [][]byte, saved, more []byte) (d *core.Doc, err error) {
	switch n % 3 {
	case 0:
		d, err = core.FromChanges(raws, core.Options{})
	case 1:
		d, err = core.Load(saved, core.Options{})
	case 2:
		var first *core.Doc
		if first, err = core.FromChanges(raws, core.Options{}); err != nil {
			return nil, err
		}
		if d, err = first.Fork(); err == nil {
			err = first.Close()
		}
	}
	if err != nil {
		return nil, err
	}
	if err := d.Add(more); err != nil {
		return nil, err
	}
	heads, err := d.Heads()
	if err == nil && len(heads) != len(raws) {
		err = fmt.Errorf("%d heads, want %d", len(heads), len(raws))
	}
	if err != nil {
		return nil, err
	}
	switch n % 4 {
	case 0:
		_, err = d.Save()
	case 1:
		_, err = d.Value()
	case 2:
		_, err = d.Changes()
	case 3:
		err = d.Add(raws...)
	}
	return d, err
}
