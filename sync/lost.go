package sync

// Lost says that this device does not have a document any more: its disk did not give it back. Sessions that share the space end, with
// nobody to blame, since peers would go on from what they believe to be here; the next ones compare again and bring back what is missing.
type Lost struct{ Key Key }

func (Lost) event() {}

func (c *Core) lost(ev Lost) {
	c.Forget(ev.Key)
	for _, s := range c.sorted() {
		if s.links[ev.Key.Space] != nil && !s.dropped {
			s.dropped = true
			c.fx.Drop = append(c.fx.Drop, Dropped{Peer: s.peer, Reason: "connecting again, for a part of a document that this device lost or gave up", Blameless: true})
		}
	}
}
