package sync

import "tombolo/doc"

// Lost says that this device has less of a document than it had: its disk did not give back all of it. Sessions that share the space end, with
// nobody to blame, since peers would go on from what they believe to be here; the next ones compare again and bring back what is missing.
type Lost struct {
	Key   Key
	After []doc.Hash // durable heads now; none where nothing is left
}

func (Lost) event() {}

func (c *Core) lost(ev Lost) {
	if len(ev.After) == 0 {
		c.Forget(ev.Key)
	} else {
		c.Know(ev.Key, doc.HeadsHash(ev.Key.Doc, ev.After))
	}
	for _, s := range c.sorted() {
		if s.links[ev.Key.Space] != nil && !s.dropped {
			s.dropped = true
			c.fx.Drop = append(c.fx.Drop, Dropped{Peer: s.peer, Reason: "this device lost a part of a document: connecting again", Blameless: true})
		}
	}
}
