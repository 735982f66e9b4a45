package tombolo

import (
	"context"
	"errors"
	"fmt"
	"slices"
	gosync "sync"
	"sync/atomic"
	"time"

	"tombolo/doc"
	"tombolo/doc/gate"
	"tombolo/persist"
	"tombolo/sync"
)

// document is what the engine holds in memory of one document while someone uses it or peers talk about it: its operations, and the changes on
// their way to the disk. Changes of peers are checked against the operations before they are kept, whether someone has the document open or not.
//
// Memory may be ahead of the disk by what is in unsaved, and only by that: peers and watchers hear of a change when it is durable. When
// an append fails, everything in memory is given up and read again from disk at the next use.
type document struct {
	e   *Engine
	key sync.Key

	mu       gosync.Mutex
	full     *doc.Doc    // nil until read
	graph    *gate.Graph // of full
	durable  int         // the first so many changes of graph are on disk
	heads    []doc.Hash  // of those
	unsaved  []*save     // on their way to the disk, in order
	saving   bool        // a goroutine waits for them
	jobs     []any       // takes and finds from the core, in order
	working  bool        // a goroutine works on them
	handles  int
	holds    int          // how many need it in memory: handles, goroutines, calls; guarded by the engine's docsMu
	rested   time.Time    // when the last of them let go; guarded by the engine's docsMu
	size     atomic.Int64 // bytes full takes, as of the last read or save; 0 while it is not there
	watchers map[*watcher]struct{}
	heir     *document // the document of another space that took this one's changes, handles and watchers over
	meta     meta
	loose    uint64 // raw bytes not yet packed
}

// save is one append under way: an edit made here, or changes a peer sent.
type save struct {
	pending       *persist.Pending
	before, after []doc.Hash
	len           int // changes in the document after it
	changes       [][]byte
	by            *Handle    // whose undo knows it; nil for what no handle changed
	took          *sync.Took // set for a peer's changes: the answer to the core, to be completed
	share         *peerLoad  // the peer's share of memory, nil for an edit made here
	weight        int        // bytes that count against it
	done          chan struct{}
	err           error // valid once done is closed
}

func (d *document) name() persist.Name {
	return persist.Name{Space: d.key.Space, Doc: d.key.Doc}
}

// read brings the document into memory. One that is not on disk yet is empty. Called with mu held.
func (d *document) read(ctx context.Context) error {
	if d.full != nil {
		return nil
	}
	if err := d.settled(ctx); err != nil { // what is on its way to the disk must be there before it can be read
		return err
	}
	if d.full != nil {
		return nil
	}
	if err := d.readLog(ctx); isDamage(err) {
		return d.setAside(ctx, err)
	} else if err != nil {
		return err
	}
	if d.graph.Len() == 0 && d.e.patient(d.key) != nil { // the process ended before what was salvaged was on disk
		return d.startOver()
	}
	return nil
}

// readLog is read without regard to damage: see isDamage. Called with mu held.
func (d *document) readLog(ctx context.Context) error {
	header, err := d.e.log.Header(ctx, d.name())
	if err != nil && !errors.Is(err, persist.ErrNotFound) {
		return err
	}
	var changes [][]byte
	if err == nil {
		for raw, err := range d.e.log.Changes(ctx, d.name(), 1) {
			if err != nil {
				return fmt.Errorf("read document %s: %w", d.key.Doc.Short(), err)
			}
			changes = append(changes, raw)
		}
	}
	full, err := doc.New(d.key.Doc, d.e.opts.Rand)
	if err != nil {
		return err
	}
	applied, err := full.Apply(changes...)
	if err == nil && len(applied.Missing) > 0 {
		err = &gate.MissingError{Missing: applied.Missing}
	}
	if err != nil {
		return unsoundError{fmt.Errorf("read document %s: %w", d.key.Doc.Short(), err)}
	}
	d.full = full
	d.full.Limit(d.e.opts.MaxDocument)
	d.size.Store(int64(d.full.Size()))
	d.graph = d.full.Graph()
	d.durable, d.heads, d.loose = d.graph.Len(), d.graph.Heads(), header.Loose
	if !slices.Equal(d.heads, hashes(header.Heads)) {
		d.discard()
		return unsoundError{fmt.Errorf("read document %s: its changes do not lead to the heads in its header", d.key.Doc.Short())}
	}
	if d.meta, err = decodeMeta(header.Meta); err != nil {
		return fmt.Errorf("read document %s: %w", d.key.Doc.Short(), err)
	}
	return nil
}

func hashes(in []persist.Hash) []doc.Hash {
	out := make([]doc.Hash, len(in))
	for i, h := range in {
		out[i] = h
	}
	return out
}

func plainHashes(in []doc.Hash) []persist.Hash {
	out := make([]persist.Hash, len(in))
	for i, h := range in {
		out[i] = h
	}
	return out
}

// discard gives up what is in memory; what is known of the disk stays true. Called with mu held.
func (d *document) discard() {
	if d.full != nil {
		d.full.Close()
	}
	d.size.Store(0)
	d.graph, d.full = nil, nil
}

// unload gives up what is in memory of a document that nobody uses.
func (d *document) unload() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.e.docsMu.Lock()
	unused := d.holds == 0 // who takes hold of it now has to wait for mu, and then reads it again
	d.e.docsMu.Unlock()
	if unused {
		d.discard()
	}
}

// settled waits until nothing is on its way to the disk. Called with mu held, which it gives up while it waits.
func (d *document) settled(ctx context.Context) error {
	for len(d.unsaved) > 0 {
		last := d.unsaved[len(d.unsaved)-1]
		d.mu.Unlock()
		select {
		case <-last.done:
		case <-ctx.Done():
		}
		d.mu.Lock()
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	return nil
}

// submit sends new changes, which graph has already, on their way to the disk. Called with mu held.
func (d *document) submit(s *save, m *meta) *save {
	s.after, s.len, s.done = d.graph.Heads(), d.graph.Len(), make(chan struct{})
	app := persist.Append{
		After:     uint64(s.len - len(s.changes)),
		Changes:   s.changes,
		Heads:     plainHashes(s.after),
		HeadsHash: doc.HeadsHash(d.key.Doc, s.after),
	}
	if m != nil {
		d.meta, app.Meta = *m, m.encode()
	}
	for _, raw := range s.changes {
		d.loose += uint64(len(raw))
	}
	s.pending = d.e.log.Submit(d.name(), app)
	d.unsaved = append(d.unsaved, s)
	if !d.saving {
		d.saving = true
		d.e.holdToo(d)
		d.e.work.Go(d.save)
	}
	return s
}

// save waits for the disk and then spreads the news, in the order of submission; appends that became durable together are spread
// together. A failed one takes all behind it along, since they build on it.
func (d *document) save() {
	defer d.e.release(d)
	d.mu.Lock()
	defer d.mu.Unlock()
	for len(d.unsaved) > 0 {
		first := d.unsaved[0]
		d.mu.Unlock()
		_, err := first.pending.Wait(context.Background())
		d.mu.Lock()
		if err != nil {
			d.failed(err)
			continue
		}
		d.saved()
	}
	d.saving = false
}

// saved spreads the first append, which is durable, and those behind it that are durable as well and of the same kind.
func (d *document) saved() {
	n := 1
	for n < len(d.unsaved) && d.unsaved[0].took == nil && d.unsaved[n].took == nil {
		if !d.unsaved[n].isDurable() {
			break // its turn comes
		}
		n++
	}
	group := d.unsaved[:n]
	d.unsaved = d.unsaved[n:]
	last := group[n-1]
	d.durable, d.heads = last.len, last.after
	if d.full != nil {
		d.size.Store(int64(d.full.Size()))
	}
	count := 0
	for _, s := range group {
		count += len(s.changes)
	}
	if group[0].took != nil {
		took := *group[0].took
		took.Before, took.After, took.New = group[0].before, last.after, bounded(group[0].changes)
		d.e.step(took)
	} else if count > 0 {
		var changes [][]byte
		for _, s := range group {
			changes = append(changes, s.changes...)
		}
		d.e.step(sync.Changed{Key: d.key, Before: group[0].before, After: last.after, Changes: bounded(changes)})
	}
	for _, s := range group {
		d.e.giveBack(s)
		close(s.done)
	}
	if count > 0 {
		d.tell(Event{Changes: count, Remote: group[0].took != nil})
	}
	if d.e.patient(d.key) != nil {
		d.enqueue(healJob{})
	}
	if d.loose > packAbove {
		d.loose = 0 // until the next read tells; packing twice does no harm
		d.e.tidy(d)
	}
}

// packAbove is how many raw bytes of loose changes a document gathers before they are packed, as docs/format.md says.
const packAbove = 64 << 10

// bounded leaves changes out that are too many to keep at hand: the core then asks for them when a peer needs them.
func bounded(changes [][]byte) [][]byte {
	size := 0
	for _, raw := range changes {
		size += len(raw)
	}
	if size > sync.MaxPush {
		return nil
	}
	return changes
}

// isDurable reports whether an append has reached the disk by now.
func (s *save) isDurable() bool {
	select {
	case <-s.pending.Done():
		_, err := s.pending.Wait(context.Background())
		return err == nil
	default:
		return false
	}
}

// failed gives up everything that is not on disk.
func (d *document) failed(err error) {
	group := d.unsaved
	d.unsaved = nil
	d.e.opts.Log.Error("changes could not be made durable", "doc", d.key.Doc.Short(), "err", err)
	d.e.refused(err)
	heads := d.heads
	d.discard()
	for _, s := range group {
		<-s.pending.Done() // those behind it fail too, being out of step; the next read must not race with them
		s.err = err
		if s.by != nil {
			s.by.undo = doc.NewUndo(0) // some of its steps never were
		}
		if s.took != nil {
			took := *s.took
			took.Before, took.After, took.Err = heads, heads, err
			d.e.step(took)
		}
		d.e.giveBack(s)
		close(s.done)
	}
}
