package storetest_test

import (
	"bytes"
	"context"
	"encoding/gob"
	"errors"
	"io"
	"iter"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"tombolo/persist"
	"tombolo/persist/memstore"
	"tombolo/persist/storetest"
)

// liars are stores that break a promise of persist.Store, and a case of the
// suite that must notice.
var liars = []struct {
	name   string
	caught string // "" for the honest one
	open   func(*fileStore) persist.Store
}{
	{"honest", "", func(s *fileStore) persist.Store { return s }},

	{"loses every 7th batch", "model", func(s *fileStore) persist.Store {
		return rewriter{s, func(b *persist.Batch) []persist.Op {
			if s.count++; s.count%7 == 0 {
				return nil
			}
			return all(b)
		}}
	}},
	{"loses the last entry of a batch", "get", func(s *fileStore) persist.Store {
		return rewriter{s, func(b *persist.Batch) []persist.Op { ops := all(b); return ops[:max(len(ops)-1, min(len(ops), 1))] }}
	}},
	{"loses an entry of batches of six", "model", func(s *fileStore) persist.Store {
		return rewriter{s, func(b *persist.Batch) []persist.Op {
			if ops := all(b); len(ops) != 6 {
				return ops
			}
			return all(b)[1:]
		}}
	}},
	{"loses deletions", "get", func(s *fileStore) persist.Store {
		return rewriter{s, func(b *persist.Batch) []persist.Op {
			return slices.DeleteFunc(all(b), func(op persist.Op) bool { return op.Delete })
		}}
	}},
	{"half a batch", "get", func(s *fileStore) persist.Store {
		return rewriter{s, func(b *persist.Batch) []persist.Op { ops := all(b); return ops[:(len(ops)+1)/2] }}
	}},
	{"batches in two steps", "all or nothing", func(s *fileStore) persist.Store { return halves{s} }},
	{"half of a refused batch", "refused whole", func(s *fileStore) persist.Store { return careless{s} }},
	{"batches backwards", "later entry wins", func(s *fileStore) persist.Store {
		return rewriter{s, func(b *persist.Batch) []persist.Op { ops := all(b); slices.Reverse(ops); return ops }}
	}},
	{"batches by key, first wins", "later entry wins", func(s *fileStore) persist.Store {
		return rewriter{s, func(b *persist.Batch) []persist.Op {
			ops := all(b)
			slices.SortStableFunc(ops, func(x, y persist.Op) int { return bytes.Compare(x.Key, y.Key) })
			return slices.CompactFunc(ops, func(x, y persist.Op) bool { return bytes.Equal(x.Key, y.Key) })
		}}
	}},
	{"puts before deletions", "later entry wins", func(s *fileStore) persist.Store {
		return rewriter{s, func(b *persist.Batch) []persist.Op {
			ops := all(b)
			slices.SortStableFunc(ops, func(x, y persist.Op) int { return kind(x) - kind(y) })
			return ops
		}}
	}},
	{"cuts large values", "sizes", func(s *fileStore) persist.Store {
		return rewriter{s, func(b *persist.Batch) []persist.Op {
			ops := all(b)
			for i := range ops {
				ops[i].Value = ops[i].Value[:min(len(ops[i].Value), 1<<16)]
			}
			return ops
		}}
	}},
	{"stale gets", "read your writes", func(s *fileStore) persist.Store { return &cached{fileStore: s, seen: map[string][]byte{}} }},
	{"stale lists", "read your writes", func(s *fileStore) persist.Store { return &behind{fileStore: s} }},
	{"no snapshot", "snapshot", func(s *fileStore) persist.Store { return unsteady{s} }},
	{"one copy for all", "copies", func(s *fileStore) persist.Store { return &sharing{fileStore: s, given: map[string][]byte{}} }},
	{"deaf to contexts", "contexts", func(s *fileStore) persist.Store { return deaf{s} }},
	{"open after Close", "closed", func(s *fileStore) persist.Store { return unending{s} }},
	{"forgets all at Close", "reopened", func(s *fileStore) persist.Store { return atClose{s, func(b []byte) []byte { return nil }} }},
	{"forgets the last batch at Close", "reopened", func(s *fileStore) persist.Store {
		return atClose{s, func(b []byte) []byte { return b[:len(b)-min(s.last, len(b))] }}
	}},
	{"durable from Close on", "killed", func(s *fileStore) persist.Store { s.late = true; return s }},
	{"a batch behind on disk", "killed", func(s *fileStore) persist.Store { s.behind = true; return s }},
}

// TestLiars runs the suite against each liar in a process of its own.
func TestLiars(t *testing.T) {
	for _, liar := range liars {
		t.Run(liar.name, func(t *testing.T) {
			t.Parallel()
			cases := "" // all of them for the honest one
			if liar.caught != "" {
				cases = "/^" + strings.ReplaceAll(liar.caught, " ", "_") + "$"
			}
			cmd := exec.Command(os.Args[0], "-test.run=^TestLiar$"+cases, "-test.v", "-test.timeout=2m")
			cmd.Env = append(os.Environ(), liarEnv+"="+liar.name)
			out, err := cmd.CombinedOutput()
			if liar.caught == "" {
				if err != nil || !bytes.Contains(out, []byte("\nPASS")) {
					t.Fatalf("an honest store fails: %v\n%s", err, out)
				}
				return
			}
			failed := "--- FAIL: TestLiar/" + strings.ReplaceAll(liar.caught, " ", "_") + " ("
			if err == nil || !bytes.Contains(out, []byte(failed)) {
				t.Fatalf("passes %q (%v)\n%s", liar.caught, err, out)
			}
			t.Logf("caught by %q", liar.caught)
		})
	}
}

const liarEnv = "TOMBOLO_STORETEST_LIAR"

// TestLiar is the suite against one liar, which TestLiars names.
func TestLiar(t *testing.T) {
	name := os.Getenv(liarEnv)
	for _, liar := range liars {
		if liar.name == name {
			storetest.RunDurable(t, func(t *testing.T, dir string) persist.Store {
				return liar.open(openFile(t, dir))
			})
			return
		}
	}
	t.Skip("run by TestLiars")
}

// fileStore is a small honest store: in memory, and in a file of batches.
type fileStore struct {
	*memstore.Store
	mu    sync.Mutex
	f     *os.File
	last  int // bytes of the last batch
	count int // of batches, for those who lie now and then

	late    bool         // write at Close
	behind  bool         // write each batch with the next one
	waiting bytes.Buffer // what late and behind have not written
	once    sync.Once
	err     error
}

func openFile(t *testing.T, dir string) *fileStore {
	f, err := os.OpenFile(filepath.Join(dir, "batches"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	s := &fileStore{Store: memstore.New(), f: f}
	for {
		var ops []persist.Op
		if err := gob.NewDecoder(&exact{f}).Decode(&ops); errors.Is(err, io.EOF) {
			return s
		} else if err != nil {
			t.Fatal(err)
		}
		if err := s.Store.Apply(context.Background(), batchOf(ops)); err != nil {
			t.Fatal(err)
		}
	}
}

// exact keeps gob from reading ahead.
type exact struct{ io.Reader }

func (e *exact) ReadByte() (byte, error) {
	var b [1]byte
	_, err := io.ReadFull(e, b[:])
	return b[0], err
}

func (s *fileStore) Apply(ctx context.Context, b *persist.Batch) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.Store.Apply(ctx, b); err != nil {
		return err
	}
	var out bytes.Buffer
	if err := gob.NewEncoder(&out).Encode(all(b)); err != nil {
		return err
	}
	s.last = out.Len()
	switch {
	case s.late:
		s.waiting.Write(out.Bytes())
		return nil
	case s.behind:
		_, err := s.waiting.WriteTo(s.f)
		s.waiting = out
		return err
	}
	_, err := out.WriteTo(s.f)
	return err
}

func (s *fileStore) Close() error {
	s.once.Do(func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		_, err := s.waiting.WriteTo(s.f)
		s.err = errors.Join(err, s.Store.Close(), s.f.Close())
	})
	return s.err
}

func all(b *persist.Batch) []persist.Op { return slices.Collect(b.Ops()) }

func kind(op persist.Op) int {
	if op.Delete {
		return 1
	}
	return 0
}

func batchOf(ops []persist.Op) *persist.Batch {
	b := &persist.Batch{}
	for _, op := range ops {
		if op.Delete {
			b.Delete(op.Key)
		} else {
			b.Put(op.Key, op.Value)
		}
	}
	return b
}

// rewriter applies something else than what it was given.
type rewriter struct {
	*fileStore
	rewrite func(*persist.Batch) []persist.Op
}

func (r rewriter) Apply(ctx context.Context, b *persist.Batch) error {
	if err := b.Check(); err != nil {
		return err
	}
	return r.fileStore.Apply(ctx, batchOf(r.rewrite(b)))
}

// halves writes the halves of a batch one after the other.
type halves struct{ *fileStore }

func (h halves) Apply(ctx context.Context, b *persist.Batch) error {
	if err := b.Check(); err != nil {
		return err
	}
	ops := all(b)
	if err := h.fileStore.Apply(ctx, batchOf(ops[:len(ops)/2])); err != nil {
		return err
	}
	runtime.Gosched() // readers get their turn, as they do sooner or later anyway
	return h.fileStore.Apply(ctx, batchOf(ops[len(ops)/2:]))
}

// careless writes entry by entry, up to the one that is refused.
type careless struct{ *fileStore }

func (c careless) Apply(ctx context.Context, b *persist.Batch) error {
	if b.Check() == nil {
		return c.fileStore.Apply(ctx, b)
	}
	for _, op := range all(b) {
		if err := c.fileStore.Apply(ctx, batchOf([]persist.Op{op})); err != nil {
			return err
		}
	}
	return b.Check()
}

// cached never forgets what Get once gave.
type cached struct {
	*fileStore
	mu   sync.Mutex
	seen map[string][]byte
}

func (c *cached) Get(ctx context.Context, key []byte) ([]byte, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if v, ok := c.seen[string(key)]; ok && ctx.Err() == nil {
		return slices.Clone(v), nil
	}
	v, err := c.fileStore.Get(ctx, key)
	if err == nil {
		c.seen[string(key)] = slices.Clone(v)
	}
	return v, err
}

// behind lists what there was before the last batch, as a replica does.
type behind struct {
	*fileStore
	before []persist.Entry
}

func (b *behind) Apply(ctx context.Context, batch *persist.Batch) error {
	var before []persist.Entry
	for e, err := range b.fileStore.List(ctx, nil) {
		if err != nil {
			return err
		}
		before = append(before, e)
	}
	b.before = before
	return b.fileStore.Apply(ctx, batch)
}

func (b *behind) List(ctx context.Context, prefix []byte) iter.Seq2[persist.Entry, error] {
	return func(yield func(persist.Entry, error) bool) {
		for _, e := range b.before {
			if bytes.HasPrefix(e.Key, prefix) && !yield(e, nil) {
				return
			}
		}
	}
}

// unsteady reads each value when its turn comes.
type unsteady struct{ *fileStore }

func (u unsteady) List(ctx context.Context, prefix []byte) iter.Seq2[persist.Entry, error] {
	return func(yield func(persist.Entry, error) bool) {
		for e, err := range u.fileStore.List(ctx, prefix) {
			if err == nil {
				if e.Value, err = u.Get(ctx, e.Key); errors.Is(err, persist.ErrNotFound) {
					continue
				}
			}
			if !yield(e, err) {
				return
			}
		}
	}
}

// sharing gives everyone the same bytes.
type sharing struct {
	*fileStore
	mu    sync.Mutex
	given map[string][]byte
}

func (s *sharing) Get(ctx context.Context, key []byte) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if v, ok := s.given[string(key)]; ok {
		return v, ctx.Err()
	}
	v, err := s.fileStore.Get(ctx, key)
	if err == nil {
		s.given[string(key)] = v
	}
	return v, err
}

// deaf goes on when a context has ended.
type deaf struct{ *fileStore }

func (d deaf) Get(_ context.Context, key []byte) ([]byte, error) {
	return d.fileStore.Get(context.Background(), key)
}

func (d deaf) List(_ context.Context, prefix []byte) iter.Seq2[persist.Entry, error] {
	return d.fileStore.List(context.Background(), prefix)
}

// unending stays open.
type unending struct{ *fileStore }

func (unending) Close() error { return nil }

// atClose spoils its file when it is closed.
type atClose struct {
	*fileStore
	spoil func([]byte) []byte
}

func (a atClose) Close() error {
	name := a.f.Name()
	if err := a.fileStore.Close(); err != nil {
		return err
	}
	b, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	return os.WriteFile(name, a.spoil(b), 0o600)
}
