package tombolo

import (
	"context"
	"time"

	"tombolo/doc"
	"tombolo/p2p"
	"tombolo/persist"
	"tombolo/sync"
)

// BackupLimits sets what is taken into memory of a backup, in bytes, and gives a function that sets it back.
func BackupLimits(headers, changes int64) (undo func()) {
	h, c := maxHeaders, maxChanges
	maxHeaders, maxChanges = headers, changes
	return func() { maxHeaders, maxChanges = h, c }
}

// Raw is the bytes of a change.
func (h *Handle) Raw(hash doc.Hash) ([]byte, error) {
	return query(h, func(full *doc.Doc) ([]byte, error) { return full.Change(hash) })
}

// Scrub checks the records of a document, as the engine does on its own after a while.
func (e *Engine) Scrub(u doc.URL) { e.check(persist.Name{Space: u.Space, Doc: u.Doc}) }

// Utter has an engine that went bad send a change of a document that it has, whatever the change is, to the peers it is connected to.
func (e *Engine) Utter(ctx context.Context, u doc.URL, raw []byte, hash doc.Hash) error {
	h, err := e.Document(ctx, u)
	if err != nil {
		return err
	}
	heads := h.Heads()
	e.step(sync.Changed{Key: sync.Key{Space: u.Space, Doc: u.Doc}, Before: heads, After: []doc.Hash{hash}, Changes: [][]byte{raw}})
	return h.Close()
}

// Allow has an engine expect another one, and dial it, as if it were a member of a space: for devices that have none in common.
func (e *Engine) Allow(other *Engine) error {
	return e.node.Allow(p2p.PeerID(other.identity.ID()), other.Addrs())
}

// Connected waits until there is a connection to another engine, and both have said hello.
func (e *Engine) Connected(ctx context.Context, other *Engine) error {
	return e.awaitPeer(ctx, other, func(p PeerStatus) bool { return p.Connected && p.Received > 0 && p.Sent > 0 })
}

// Refused waits until an attempt to reach another engine has failed.
func (e *Engine) Refused(ctx context.Context, other *Engine) error {
	return e.awaitPeer(ctx, other, func(p PeerStatus) bool { return !p.Connected && p.Error != "" })
}

func (e *Engine) awaitPeer(ctx context.Context, other *Engine, ok func(PeerStatus) bool) error {
	tick := time.NewTicker(10 * time.Millisecond) // a failed attempt is no news
	defer tick.Stop()
	for {
		for _, p := range e.peerStatus() {
			if p.Peer == other.Self().Peer && ok(p) {
				return nil
			}
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// Put gives an engine changes of a document, as another device would.
func (e *Engine) Put(ctx context.Context, u doc.URL, changes ...[]byte) error {
	_, err := e.addChanges(ctx, sync.Key{Space: u.Space, Doc: u.Doc}, changes)
	return err
}
