package tombolo

import (
	"context"
	"fmt"
	"maps"
	"time"

	"tombolo/doc"
	"tombolo/persist"
	"tombolo/sync"
)

// What peers said to have on their disks is kept, so that the status is true of devices that are away when this one starts again. It is
// written now and then and at closing: losing some of it only means asking again.

// keyAck and a space, a document and a peer ID lead to an ackRecord.
const keyAck = "ack/"

type ackRecord struct {
	Hash  [32]byte `cbor:"1,keyasint"`
	Heads []byte   `cbor:"2,keyasint,omitempty"` // 32 bytes each
	Since int64    `cbor:"3,keyasint"`           // Unix milliseconds
}

// ackKey names one acknowledgement.
type ackKey struct {
	key  sync.Key
	peer sync.PeerID
}

func (k ackKey) bytes() []byte {
	b := append([]byte(keyAck), k.key.Space[:]...)
	b = append(b, k.key.Doc[:]...)
	return append(b, k.peer...)
}

func (e *Engine) openAcks(ctx context.Context) error {
	for entry, err := range e.log.Settings().List(ctx, []byte(keyAck)) {
		if err != nil {
			return err
		}
		rest := entry.Key[len(keyAck):]
		var r ackRecord
		if err := decodeRecord(entry.Value, &r); err != nil || len(rest) < 32 || len(r.Heads)%32 != 0 {
			e.opts.Log.Warn("a device will be asked again what it has", "err", errCodec)
			continue
		}
		key := sync.Key{Space: doc.SpaceID(rest[:16]), Doc: doc.ID(rest[16:32])}
		a := ack{hash: r.Hash, since: time.UnixMilli(r.Since)}
		for h := r.Heads; len(h) > 0; h = h[32:] {
			a.heads = append(a.heads, doc.Hash(h[:32]))
		}
		e.core.put(ackKey{key, sync.PeerID(rest[32:])}, a)
	}
	return nil
}

// put takes note of an acknowledgement.
func (c *coreState) put(k ackKey, a ack) {
	of := c.acks[k.key]
	if of == nil {
		of = map[sync.PeerID]ack{}
		c.acks[k.key] = of
	}
	of[k.peer] = a
}

// keepAcks writes the acknowledgements that changed since the last time.
func (e *Engine) keepAcks(ctx context.Context) error {
	c := &e.core
	c.mu.Lock()
	changed := c.unkept
	c.unkept = map[ackKey]bool{}
	var batches []*persist.Batch
	for k := range changed {
		if len(batches) == 0 || batches[len(batches)-1].Bytes() > persist.MaxBatch/2 {
			batches = append(batches, &persist.Batch{})
		}
		b := batches[len(batches)-1]
		a, ok := c.acks[k.key][k.peer]
		if !ok {
			b.Delete(k.bytes())
			continue
		}
		r := ackRecord{Hash: a.hash, Since: a.since.UnixMilli()}
		for _, h := range a.heads {
			r.Heads = append(r.Heads, h[:]...)
		}
		b.Put(k.bytes(), encodeRecord(r))
	}
	c.mu.Unlock()
	for _, b := range batches {
		if err := e.log.Settings().Apply(ctx, b); err != nil {
			c.mu.Lock()
			maps.Copy(c.unkept, changed) // the next call tries again
			c.mu.Unlock()
			return fmt.Errorf("keep what other devices have: %w", err)
		}
	}
	return nil
}
