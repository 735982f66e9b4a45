package lab

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"tombolo/doc"
	"tombolo/sync"
)

// graves is what a device remembers of documents that it has purged, until they are there again and it is decided whether they are deleted.
type graves map[doc.ID]grave

type grave struct {
	heads []doc.Hash
	doc.Deletion
}

// returned is work: a document that had been purged is there again, as completely as a peer has it.
type returned struct{ id doc.ID }

// Delete marks a document as deleted on a device that has it, or takes that back. It fails where that changes nothing.
func (l *Lab) Delete(name, document string, deleted bool) error {
	d, id := l.devices[name], doc.NamedID("lab", document)
	was, err := l.Deleted(name, document)
	if err != nil || was == deleted || len(d.disk[id]) == 0 {
		return fmt.Errorf("it is so, or not there (%w)", err)
	}
	at := time.Time{}
	if deleted {
		at = l.now
	}
	return d.edit(document, func(tx *doc.Tx) error { return tx.SetDeleted(at) })
}

// Deleted says whether a device has a document and it is deleted.
func (l *Lab) Deleted(name, document string) (bool, error) {
	del, err := l.devices[name].deletion(doc.NamedID("lab", document))
	return !del.Time.IsZero(), err
}

// Purge drops a deleted document from a device's disk.
func (l *Lab) Purge(name, document string) error {
	d, id := l.devices[name], doc.NamedID("lab", document)
	del, err := d.deletion(id)
	if err != nil || del.Time.IsZero() || d.full {
		return fmt.Errorf("it is not deleted, or the disk is full (%w)", err)
	}
	d.graves[id] = grave{heads: d.graph(id).Heads(), Deletion: del}
	d.purged[id] = true
	delete(d.disk, id)
	delete(d.graphs, id)
	for _, acks := range d.beliefs {
		delete(acks, id)
	}
	d.step(sync.Purged{Key: key(id), HeadsHash: doc.HeadsHash(id, d.graves[id].heads)})
	return nil
}

// Gone says whether a device has purged a document and not got it again.
func (l *Lab) Gone(name, document string) bool {
	return l.devices[name].gone(doc.NamedID("lab", document))
}

func (d *device) gone(id doc.ID) bool {
	_, ok := d.graves[id]
	return ok && len(d.disk[id]) == 0
}

func (d *device) deletion(id doc.ID) (doc.Deletion, error) {
	if len(d.disk[id]) == 0 {
		return doc.Deletion{}, nil
	}
	full, err := doc.Load(id, d.disk[id], actors{d.lab})
	if err != nil {
		return doc.Deletion{}, err
	}
	defer full.Close()
	return full.Deletion()
}

// bury tells the core at a start what was purged.
func (d *device) bury() {
	for id, g := range d.graves {
		if d.gone(id) {
			d.core.Bury(key(id), doc.HeadsHash(id, g.heads))
		}
	}
}

// back takes note that a document which was purged is there, exactly as a peer has it.
func (d *device) back(id doc.ID) {
	if _, ok := d.graves[id]; ok && !d.gone(id) && !d.due[id] {
		d.due[id] = true
		d.work = append(d.work, returned{id})
	}
}

// retry takes up what a full disk or a reader's role kept from being done.
func (d *device) retry() {
	for _, id := range slices.SortedFunc(maps.Keys(d.due), func(a, b doc.ID) int { return slices.Compare(a[:], b[:]) }) {
		d.work = append(d.work, returned{id})
	}
}

// revive deletes a document again that comes from a device which has not heard of its deletion, and else leaves it as it came.
func (d *device) revive(w returned) {
	g, ok := d.graves[w.id]
	if !ok || d.gone(w.id) {
		delete(d.due, w.id)
		return
	}
	if missing := d.graph(w.id).Missing(g.By); len(missing) > 0 {
		if d.readers[d.name] || d.full {
			return
		}
		if err := d.editID(w.id, func(tx *doc.Tx) error { return tx.SetDeleted(g.Time) }); err != nil {
			panic(errors.Join(errors.New("lab: a document cannot be deleted again"), err))
		}
	}
	delete(d.graves, w.id)
	delete(d.due, w.id)
}
