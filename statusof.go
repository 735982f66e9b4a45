package tombolo

import (
	"context"
	"errors"
	"iter"
	"slices"

	"tombolo/doc"
	"tombolo/persist"
	"tombolo/sync"
)

// News is closed at the next thing that a [Status] would tell: a document came or changed, a peer acknowledged something, connected or
// left. It is also closed when the engine closes. Take it before looking, so that nothing slips between.
func (e *Engine) News() <-chan struct{} {
	if e.isClosed() != nil {
		return e.closed
	}
	e.core.mu.Lock()
	defer e.core.mu.Unlock()
	return e.core.news
}

// Status says where everything stands: this device, its spaces and their members, connections and documents.
func (e *Engine) Status(ctx context.Context) (Status, error) {
	if err := e.use(); err != nil {
		return Status{}, err
	}
	defer e.work.Done()
	s := Status{
		Device:    e.Self(),
		Addrs:     append([]string{}, e.Addrs()...), // lists are never null in JSON
		Store:     e.storeStatus(),
		Spaces:    e.spaceStatus(),
		Peers:     e.peerStatus(),
		Documents: []DocumentStatus{},
	}
	e.mem.mu.Lock()
	s.Paused = e.mem.paused
	e.mem.mu.Unlock()
	for name := range e.names() {
		d, err := e.documentStatus(ctx, name)
		if errors.Is(err, ErrNotFound) {
			continue // it moved or went while we looked
		}
		if err != nil {
			return Status{}, err
		}
		s.Documents = append(s.Documents, d)
	}
	return s, nil
}

func (e *Engine) documentStatus(ctx context.Context, name persist.Name) (DocumentStatus, error) {
	info, err := e.info(ctx, name)
	if err != nil {
		return DocumentStatus{}, err
	}
	s := DocumentStatus{
		URL: info.URL.String(), App: info.App, Name: info.Name, Changes: info.Changes, Heads: info.Heads,
		State: info.State, Problem: info.Problem, Deleted: info.Deleted, Schema: info.Schema, MinWriter: info.MinWriter,
	}
	key := sync.Key{Space: name.Space, Doc: name.Doc}
	here := doc.HeadsHash(name.Doc, info.Heads)
	self := DeviceStatus{Device: e.Self(), Self: true, Connected: true, Heads: info.Heads, Durable: info.State != StateQuarantined}
	s.Devices = append(s.Devices, self)
	connected := e.connected()
	for _, m := range e.members(name.Space) {
		if m.Peer == self.Peer {
			continue
		}
		d := DeviceStatus{Device: m.Device, Connected: connected[m.Peer]}
		e.core.mu.Lock()
		a, ok := e.core.acks[key][sync.PeerID(m.Peer)]
		e.core.mu.Unlock()
		if ok {
			d.Heads, d.Since, d.Durable = a.heads, a.since, a.hash == here && len(info.Heads) > 0
		}
		if d.Durable {
			d.Heads = info.Heads
		}
		s.Devices = append(s.Devices, d)
	}
	return s, nil
}

// connected is the set of peers there is a connection to.
func (e *Engine) connected() map[string]bool {
	set := map[string]bool{}
	if e.node != nil {
		for _, p := range e.node.Peers() {
			set[string(p.Peer)] = p.Connected
		}
	}
	return set
}

func (e *Engine) peerStatus() []PeerStatus {
	out := []PeerStatus{}
	if e.node == nil {
		for _, m := range e.everyone() {
			out = append(out, PeerStatus{Device: m, Error: ErrOffline.Error()})
		}
		return out
	}
	for _, p := range e.node.Peers() {
		e.core.mu.Lock()
		bytes := *e.core.count(sync.PeerID(p.Peer))
		e.core.mu.Unlock()
		out = append(out, PeerStatus{
			Device:    Device{Peer: string(p.Peer), Name: e.nameOf(sync.PeerID(p.Peer))},
			Sent:      bytes.sent,
			Received:  bytes.received,
			Connected: p.Connected,
			Since:     p.Since,
			Addr:      p.Addr,
			Error:     p.LastError,
		})
	}
	return out
}

// info is what a document's header says, with its marks read from the document where the header's are out of date.
func (e *Engine) info(ctx context.Context, name persist.Name) (Info, error) {
	key := sync.Key{Space: name.Space, Doc: name.Doc}
	header, err := e.log.Header(ctx, name)
	ill := e.damaged(key)
	if isDamage(err) { // nobody has used it since
		ill = &DamagedError{URL: doc.URL{Space: name.Space, Doc: name.Doc}, Since: e.now(), Why: "its header does not read"}
	}
	if broken, ok := errors.AsType[*DamagedError](ill); ok {
		return Info{URL: broken.URL, Changes: header.Last, Heads: hashes(header.Heads), State: StateQuarantined, Problem: broken.Why}, nil
	}
	if errors.Is(err, persist.ErrNotFound) {
		return Info{}, ErrNotFound
	}
	var m meta
	_, newer := errors.AsType[*persist.TooNewError](err)
	if err == nil {
		m, err = decodeMeta(header.Meta)
		newer = err != nil
	}
	if newer { // one such document does not keep the others from being listed
		return Info{URL: doc.URL{Space: name.Space, Doc: name.Doc}, State: StateReadOnly, Problem: err.Error()}, nil
	}
	if err != nil {
		return Info{}, err
	}
	if m.Stale {
		m, err = e.refreshMarks(ctx, key)
		if err != nil && e.damaged(key) != nil {
			return e.info(ctx, name) // reading it found that
		}
		if err != nil {
			return Info{}, err
		}
	}
	info := Info{
		URL:     doc.URL{Space: name.Space, Doc: name.Doc},
		App:     m.App,
		Name:    m.Name,
		Changes: header.Last,
		Heads:   hashes(header.Heads),
		State:   e.state(key),
		Deleted: m.deletedAt(),
	}
	e.addSchema(&info, m)
	return info, nil
}

// state is where a document that reads stands.
func (e *Engine) state(key sync.Key) string {
	if e.mayWrite(key.Space) != nil {
		return StateReadOnly
	}
	if e.isLoading(key) {
		return StateLoading
	}
	return StateReady
}

// names are the documents of this device: those in the log in the order of their spaces and IDs, then those of which nothing could be read.
func (e *Engine) names() iter.Seq[persist.Name] {
	return func(yield func(persist.Name) bool) {
		var extra []persist.Name
		for _, key := range e.quarantined() {
			extra = append(extra, persist.Name{Space: key.Space, Doc: key.Doc})
		}
		for name := range e.log.Docs() {
			extra = slices.DeleteFunc(extra, func(n persist.Name) bool { return n == name })
			if !yield(name) {
				return
			}
		}
		for _, name := range extra {
			if !yield(name) {
				return
			}
		}
	}
}

// refreshMarks reads a document's marks and keeps them in its header, so that listing does not have to read it again.
func (e *Engine) refreshMarks(ctx context.Context, key sync.Key) (meta, error) {
	d := e.hold(key)
	defer e.release(d)
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.read(ctx); err != nil {
		return meta{}, err
	}
	if err := e.damaged(key); err != nil {
		return meta{}, err
	}
	marks, err := d.full.Marks()
	if err != nil {
		return meta{}, err
	}
	m := metaOf(marks)
	if m != d.meta && len(d.unsaved) == 0 && d.e.room() == nil {
		d.submit(&save{before: d.graph.Heads()}, &m)
	}
	return m, nil
}
