package tombolo

import (
	"errors"
	"slices"
	gosync "sync"
	"time"

	"tombolo/doc"
	"tombolo/p2p"
	"tombolo/sync"
)

// coreState is the sync core and what it told. One lock holds it all; nothing that waits happens under it.
type coreState struct {
	mu       gosync.Mutex
	core     *sync.Core
	versions map[sync.Key][32]byte // HeadsHash of each document here, as the core knows it
	acks     map[sync.Key]map[sync.PeerID]ack
	unkept   map[ackKey]bool           // acknowledgements that are not in the store as they are here
	met      map[sync.PeerID]string    // names peers gave themselves
	load     map[sync.PeerID]*peerLoad // bytes of each connected peer that are in memory and not on disk
	traffic  map[sync.PeerID]*traffic
	timer    *time.Timer
	news     chan struct{} // closed and replaced by tell
	compared uint64        // comparisons with peers that have ended
}

// ack is what a peer said to have of a document on its disk.
type ack struct {
	hash  [32]byte
	heads []doc.Hash // nil where it said only that it has what is here
	since time.Time
}

// peerLoad bounds what one peer may have in memory.
type peerLoad struct {
	bytes int
	less  *gosync.Cond
}

// traffic counts the bytes of frames exchanged with a peer since the start.
type traffic struct{ sent, received uint64 }

func (c *coreState) count(p sync.PeerID) *traffic {
	t := c.traffic[p]
	if t == nil {
		t = &traffic{}
		c.traffic[p] = t
	}
	return t
}

// maxLoad is how many bytes of changes of one peer may wait for the disk before its frames wait in the network.
const maxLoad = 8 << 20

func (e *Engine) openCore() {
	c := &e.core
	c.core = sync.New(sync.Options{Self: sync.PeerID(e.identity.ID()), Name: e.deviceName(), Codec: e.codec})
	c.versions = map[sync.Key][32]byte{}
	c.acks = map[sync.Key]map[sync.PeerID]ack{}
	c.unkept = map[ackKey]bool{}
	c.met = map[sync.PeerID]string{}
	c.load = map[sync.PeerID]*peerLoad{}
	c.traffic = map[sync.PeerID]*traffic{}
	c.news = make(chan struct{})
	for name, slim := range e.log.Docs() {
		key := sync.Key{Space: name.Space, Doc: name.Doc}
		c.versions[key] = slim.HeadsHash
		c.core.Know(key, slim.HeadsHash)
	}
}

// step gives the core an event and carries out its effects, none of which waits.
func (e *Engine) step(ev sync.Event) {
	c := &e.core
	c.mu.Lock()
	defer c.mu.Unlock()
	switch ev := ev.(type) {
	case sync.Received:
		c.count(ev.Peer).received += uint64(len(ev.Frame))
	case sync.Sent:
		c.count(ev.Peer).sent += uint64(ev.N)
	}
	switch ev := ev.(type) { // before the step: acknowledgements in its effects compare with it
	case sync.Changed:
		c.versions[ev.Key] = doc.HeadsHash(ev.Key.Doc, ev.After)
		if len(ev.Before) == 0 {
			e.begunHere(ev.Key)
		}
	case sync.Purged:
		c.forget(ev.Key)
	case sync.Lost:
		delete(c.versions, ev.Key)
		e.setCompared(ev.Key, false)
	case sync.Took:
		if len(ev.After) > 0 {
			c.versions[ev.Key] = doc.HeadsHash(ev.Key.Doc, ev.After)
		}
	}
	fx := c.core.Step(e.now(), ev)
	e.debugSync(ev, fx)
	for _, t := range fx.Take {
		job := takeJob{Take: t, share: c.load[t.Peer]}
		if job.share != nil {
			job.share.bytes += weight(t)
		}
		e.enqueue(t.Key, job)
	}
	for _, f := range fx.Find {
		e.enqueue(f.Key, f)
	}
	for _, o := range fx.Send {
		if err := e.node.Send(p2p.PeerID(o.Peer), o.Frame); err != nil && !errors.Is(err, p2p.ErrNotConnected) {
			e.node.Drop(p2p.PeerID(o.Peer), err)
		}
	}
	for _, l := range fx.Learn {
		e.work.Go(func() { e.learn(l) })
	}
	for _, t := range fx.Tell {
		e.work.Go(func() { e.tellMembers(t) })
	}
	for _, m := range fx.Met {
		c.met[m.Peer] = m.Name
	}
	for _, d := range fx.Drop {
		e.opts.Log.Warn("a peer was disconnected", "peer", p2p.PeerID(d.Peer).Short(), "err", d.Reason)
		e.node.Drop(p2p.PeerID(d.Peer), errors.New(d.Reason))
	}
	e.acknowledge(fx.Acks)
	compared := c.core.Compared()
	switch ev.(type) {
	case sync.PeerUp, sync.PeerDown, sync.Changed, sync.Took, sync.Purged:
		c.tell()
	default:
		if len(fx.Acks) > 0 || compared != c.compared {
			c.tell()
		}
	}
	c.compared = compared
	e.wakeAt(fx.Wake)
}

// tell wakes everyone who waits for [Engine.News]. Called with mu held.
func (c *coreState) tell() {
	close(c.news)
	c.news = make(chan struct{})
}

// enqueue gives a job of the core to its document.
func (e *Engine) enqueue(key sync.Key, job any) {
	d := e.hold(key)
	defer e.release(d)
	d.enqueue(job)
}

// acknowledge takes note of what peers have on their disks. Called with the core's lock held.
func (e *Engine) acknowledge(acks []sync.Ack) {
	c := &e.core
	for _, a := range acks {
		n := ack{hash: c.versions[a.Key], since: e.now()}
		if !a.Same {
			n.hash, n.heads = doc.HeadsHash(a.Key.Doc, a.Heads), a.Heads
		}
		if n.hash == c.versions[a.Key] {
			e.comparedWith(a.Key)
			e.cameBack(a.Key)
			e.deletionCame(a.Key)
		}
		k := ackKey{a.Key, a.Peer}
		if old, ok := c.acks[a.Key][a.Peer]; ok && old.hash == n.hash {
			continue // since then
		}
		c.put(k, n)
		c.unkept[k] = true
	}
}

func (e *Engine) wakeAt(t time.Time) {
	c := &e.core
	if c.timer != nil {
		c.timer.Stop()
		c.timer = nil
	}
	if t.IsZero() || e.isClosed() != nil {
		return
	}
	c.timer = time.AfterFunc(max(0, t.Sub(e.now())), func() {
		if e.use() == nil {
			defer e.work.Done()
			e.step(sync.Tick{})
		}
	})
}

// stopCore ends the timer and lets frames in that wait for room, so that the transport can end.
func (e *Engine) stopCore() {
	e.core.mu.Lock()
	defer e.core.mu.Unlock()
	if e.core.timer != nil {
		e.core.timer.Stop()
	}
	for _, l := range e.core.load {
		l.less.Broadcast()
	}
	if e.core.news != nil { // nil when Open failed before
		e.core.tell()
	}
}

// peerUp begins a session. The transport calls it before the peer's first frame.
func (e *Engine) peerUp(p p2p.PeerID) {
	grants := e.grants(p)
	c := &e.core
	c.mu.Lock()
	c.load[sync.PeerID(p)] = &peerLoad{less: gosync.NewCond(&c.mu)}
	c.mu.Unlock()
	e.opts.Log.Info("connected", "peer", e.nameOf(sync.PeerID(p)))
	e.step(sync.PeerUp{Peer: sync.PeerID(p), Spaces: grants})
	if now := e.grants(p); !slices.Equal(now, grants) { // the members changed before there was a session to tell
		e.step(sync.Granted{Peer: sync.PeerID(p), Spaces: now})
	}
}

func (e *Engine) peerDown(p p2p.PeerID, err error) {
	c := &e.core
	c.mu.Lock()
	delete(c.load, sync.PeerID(p))
	c.mu.Unlock()
	e.opts.Log.Info("disconnected", "peer", e.nameOf(sync.PeerID(p)), "err", err)
	e.step(sync.PeerDown{Peer: sync.PeerID(p)})
}

// frame takes a frame in, and returns when this peer's share of memory has room for the next: the network then holds it back.
func (e *Engine) frame(p p2p.PeerID, frame []byte) {
	e.step(sync.Received{Peer: sync.PeerID(p), Frame: frame})
	c := &e.core
	c.mu.Lock()
	defer c.mu.Unlock()
	for l := c.load[sync.PeerID(p)]; l != nil && l.bytes > maxLoad && e.isClosed() == nil; {
		l.less.Wait()
	}
}

// giveBack gives a peer's share of memory back when its changes are on disk, or refused.
func (e *Engine) giveBack(s *save) {
	if s.share == nil {
		return
	}
	e.core.mu.Lock()
	defer e.core.mu.Unlock()
	s.share.bytes -= s.weight
	s.share.less.Broadcast()
}
