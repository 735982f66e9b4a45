package tombolo

import (
	"context"
	"fmt"
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
// Memory may be ahead of the disk by what is in unsaved and waiting, and only by that: peers and watchers hear of a change when it is durable. When
// an append fails, everything in memory is given up and read again from disk at the next use.
type document struct {
	e         *Engine
	key       sync.Key
	ephemeral bool // it has no disk, see Never

	mu       gosync.Mutex
	full     *doc.Doc    // nil until read
	graph    *gate.Graph // of full
	durable  int         // the first so many changes of graph are on disk
	heads    []doc.Hash  // of those
	unsaved  []*save     // on their way to the disk, in order
	saving   bool        // a goroutine waits for them
	waiting  *save       // edits that are to be saved together, behind unsaved; nil for none
	jobs     []any       // takes and finds from the core, in order
	working  bool        // a goroutine works on them
	handles  int
	holds    int          // how many need it in memory: handles, goroutines, calls; guarded by the engine's docsMu
	rested   time.Time    // when the last of them let go; guarded by the engine's docsMu
	touched  atomic.Int64 // when it was last saved, Unix nanoseconds; 0 when it was packed since
	size     atomic.Int64 // bytes full takes, as of the last read or save; 0 while it is not there
	watchers map[*watcher]struct{}
	heir     *document // the document of another space that took this one's changes, handles and watchers over
	meta     meta
	standing standing      // what its marks mean for this program; of full
	loose    uint64        // raw bytes not yet packed
	packing  gosync.Mutex  // one at a time packs it
	tidying  atomic.Int32  // how many times it is to be packed beside its other work
	bytes    int           // raw bytes of its changes, since they were read
	fromPeer bool          // a peer brought its first change since the engine was opened
	loading  chan struct{} // closed when the goroutine that reads it has ended; nil while none does
	value    *doc.Snapshot // what it holds, while it is being read; nil at other times
	behind   atomic.Bool   // value is there
	cached   doc.Hash      // the HeadsHash of the value on disk; zero if none is known of
}

// save is one append under way: an edit made here, or changes a peer sent.
type save struct {
	pending       *persist.Pending
	before, after []doc.Hash
	len           int // changes in the document after it
	changes       [][]byte
	by            map[*Handle]int // whose undo knows it, and how many edits of each; nil for what no handle changed
	took          *sync.Took      // set for a peer's changes: the answer to the core, to be completed
	share         *peerLoad       // the peer's share of memory, nil for an edit made here
	weight        int             // bytes that count against it
	d             *document
	wait          pause // while it is the document's waiting
	done          chan struct{}
	err           error // valid once done is closed
}

func (d *document) name() persist.Name {
	return persist.Name{Space: d.key.Space, Doc: d.key.Doc}
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
	d.graph, d.full, d.value = nil, nil, nil
	d.behind.Store(false)
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

// settled waits until nothing is on its way to the disk, and sends what waits there. Called with mu held, which it gives up while it waits.
func (d *document) settled(ctx context.Context) error {
	for {
		d.send()
		if len(d.unsaved) == 0 {
			return nil
		}
		if err := d.await(ctx, d.unsaved[len(d.unsaved)-1].done); err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
}

// submit sends new changes, which graph has already, on their way to the disk, behind those that wait. Called with mu held.
func (d *document) submit(s *save, m *meta) *save {
	d.send()
	s.begin(d)
	return d.append(s, m)
}

// begin notes which document a save is of, and the version it leads to. Called with mu held.
func (s *save) begin(d *document) {
	if s.done == nil {
		s.d, s.done = d, make(chan struct{})
	}
	s.after, s.len = d.graph.Heads(), d.graph.Len()
}

// append gives a save to the log. Called with mu held.
func (d *document) append(s *save, m *meta) *save {
	app := persist.Append{
		After:     uint64(s.len - len(s.changes)),
		Changes:   s.changes,
		Heads:     plainHashes(s.after),
		HeadsHash: doc.HeadsHash(d.key.Doc, s.after),
	}
	if m == nil {
		m = d.marks()
	}
	if m != nil {
		d.meta, app.Meta = *m, m.encode()
	}
	for _, raw := range s.changes {
		d.loose += uint64(len(raw))
		d.bytes += len(raw)
	}
	if app.After == 0 {
		d.fromPeer = s.took != nil
	}
	if d.ephemeral {
		d.kept(s)
		return s
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
	for {
		if len(d.unsaved) == 0 && d.waiting != nil && d.waiting.wait.over {
			d.send()
		}
		if len(d.unsaved) == 0 {
			break
		}
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
	count, bytes := 0, 0
	for _, s := range group {
		count += len(s.changes)
		for _, raw := range s.changes {
			bytes += len(raw)
		}
	}
	if count > 0 {
		d.touched.Store(d.e.now().UnixNano())
		d.e.debug(debugPersist, fmt.Sprintf("saved %s", bytesText(bytes)), "doc", d.key.Doc.Short())
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
	if w := d.unwait(); w != nil {
		group = append(group, w)
	}
	d.e.opts.Log.Error("changes could not be made durable", "doc", d.key.Doc.Short(), "err", err)
	d.e.refused(err)
	heads := d.heads
	d.discard()
	for _, s := range group {
		if s.pending != nil {
			<-s.pending.Done() // those behind it fail too, being out of step; the next read must not race with them
		}
		s.err = err
		for h, edits := range s.by {
			h.lose(edits, err)
		}
		if s.took != nil {
			took := *s.took
			took.Before, took.After, took.Err = heads, heads, err
			d.e.step(took)
		}
		d.e.giveBack(s)
		close(s.done)
	}
	if isDamage(err) { // it is set aside now, not when somebody reads it next
		d.e.work.Go(func() { d.e.check(d.name()) })
	}
}
