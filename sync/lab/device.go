package lab

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"tombolo/doc"
	"tombolo/doc/gate"
	"tombolo/doc/pack"
	"tombolo/sync"
)

// device is an engine in small: a disk, a core, and work that takes time.
type device struct {
	lab     *Lab
	name    string
	disk    disk
	graves  graves // on the disk too
	kept    disk   // older copies of both
	dug     graves
	purged  map[doc.ID]bool // what it ever purged
	full    bool
	readers map[string]bool // devices that may only read, as far as this one knows

	core    *sync.Core
	graphs  map[doc.ID]*gate.Graph
	work    []any // sync.Take, sync.Find and returned, in order
	wake    time.Time
	due     map[doc.ID]bool                // documents that are back, see returned
	beliefs map[string]map[doc.ID]sync.Ack // what each peer said to have on its disk
	dropped string                         // why it hung up on someone
}

// disk is the raw changes of each document in the order in which they came: all that a crash leaves.
type disk map[doc.ID][][]byte

func (d disk) clone() disk {
	out := disk{}
	for id, raws := range d {
		out[id] = slices.Clone(raws)
	}
	return out
}

func newDevice(l *Lab, name string) *device {
	d := &device{lab: l, name: name, disk: disk{}, graves: graves{}, purged: map[doc.ID]bool{}, readers: map[string]bool{}}
	d.restart()
	return d
}

// restart begins again from the disk.
func (d *device) restart() {
	d.core = sync.New(sync.Options{Self: sync.PeerID(d.name), Name: d.name, Codec: packs})
	d.graphs, d.work, d.wake = map[doc.ID]*gate.Graph{}, nil, time.Time{}
	d.due, d.beliefs = map[doc.ID]bool{}, map[string]map[doc.ID]sync.Ack{}
	for id := range d.disk {
		d.core.Know(key(id), doc.HeadsHash(id, d.graph(id).Heads()))
	}
	d.bury()
}

// grants is what this device shares with another, as far as it knows.
func (d *device) grants(peer string) []sync.Grant {
	return []sync.Grant{{Space: Space, Secret: [32]byte{7}, Give: !d.readers[d.name], Accept: !d.readers[peer]}}
}

// learn takes news about a device's role.
func (d *device) learn(name string) {
	d.readers[name] = d.lab.readers[name]
	for _, peer := range d.lab.Devices() {
		if d.lab.links[pair(d.name, peer)] != nil {
			d.step(sync.Granted{Peer: sync.PeerID(peer), Spaces: d.grants(peer)})
		}
	}
	d.retry()
}

func key(id doc.ID) sync.Key { return sync.Key{Space: Space, Doc: id} }

// graph is the index of a document's changes, read from disk when it is not in memory.
func (d *device) graph(id doc.ID) *gate.Graph {
	g := d.graphs[id]
	if g == nil {
		g = gate.NewGraph()
		if _, missing, err := gate.Admit(g, d.disk[id]); err != nil || missing != nil {
			panic(fmt.Sprintf("lab: the disk of %s has a bad log: %v", d.name, err))
		}
		d.graphs[id] = g
	}
	return g
}

// step gives the core an event and carries its effects out; what takes time is put in the queue.
func (d *device) step(ev sync.Event) {
	fx := d.core.Step(d.lab.now, ev)
	d.wake = fx.Wake
	for _, t := range fx.Take {
		d.work = append(d.work, t)
	}
	for _, f := range fx.Find {
		d.work = append(d.work, f)
	}
	for _, a := range fx.Acks {
		if d.beliefs[string(a.Peer)] == nil {
			d.beliefs[string(a.Peer)] = map[doc.ID]sync.Ack{}
		}
		if a.Same {
			a.Heads = d.graph(a.Key.Doc).Heads()
		}
		d.beliefs[string(a.Peer)][a.Key.Doc] = a
		if slices.Equal(a.Heads, d.graph(a.Key.Doc).Heads()) {
			d.back(a.Key.Doc)
		}
	}
	for _, o := range fx.Send {
		if ln := d.lab.links[pair(d.name, string(o.Peer))]; ln != nil {
			ln.queue[string(o.Peer)] = append(ln.queue[string(o.Peer)], o.Frame)
		}
	}
	for _, drop := range fx.Drop {
		peer := string(drop.Peer)
		linked := d.lab.links[pair(d.name, peer)] != nil
		d.lab.Cut(d.name, peer)
		switch agree := maps.Equal(d.readers, d.lab.devices[peer].readers); {
		case drop.Blameless || !agree: // devices that do not agree about who may write can disappoint each other, until they do
			if linked {
				d.lab.later = append(d.lab.later, func() { d.lab.Link(d.name, peer) })
			}
		default:
			d.dropped = drop.Reason
		}
	}
}

// oneWork does the oldest work of one document, chosen at random: work on one document stays in order.
func (d *device) oneWork() {
	first := map[doc.ID]bool{}
	var choices []int
	for i, w := range d.work {
		if id := docOf(w); !first[id] {
			first[id] = true
			choices = append(choices, i)
		}
	}
	i := choices[d.lab.rng.IntN(len(choices))]
	w := d.work[i]
	d.work = slices.Delete(d.work, i, i+1)
	switch w := w.(type) {
	case sync.Take:
		d.step(d.take(w))
	case sync.Find:
		d.step(d.find(w))
	case returned:
		d.revive(w)
	}
}

func docOf(w any) doc.ID {
	switch w := w.(type) {
	case sync.Take:
		return w.Key.Doc
	case sync.Find:
		return w.Key.Doc
	}
	return w.(returned).id
}

var errFull = errors.New("the disk is full")

func (d *device) take(t sync.Take) sync.Took {
	g := d.graph(t.Key.Doc)
	took := sync.Took{Take: t, Before: g.Heads()}
	took.After = took.Before
	raws := t.Changes
	if t.Pack != nil {
		if raws, took.Bad = packs.Unpack(t.Pack); took.Bad != nil {
			return took
		}
	}
	fresh, missing, err := gate.Admit(g, raws)
	took.Bad, took.Missing = err, missing
	if len(fresh) > 0 && d.full {
		g.Truncate(g.Len() - len(fresh))
		took.Err = errFull
		return took
	}
	for _, c := range fresh {
		d.disk[t.Key.Doc] = append(d.disk[t.Key.Doc], c.Raw)
		took.New = append(took.New, c.Raw)
	}
	took.After = g.Heads()
	if t.Tail != nil {
		took.Missing = append(took.Missing, g.Missing(t.Tail.Heads)...)
	}
	return took
}

var packs = pack.New()

// find gives a few changes at a time, so that answers in several parts are common.
func (d *device) find(f sync.Find) sync.Found {
	g := d.graph(f.Key.Doc)
	found := sync.Found{Find: f, Heads: g.Heads(), Sample: g.Sample()}
	if f.Stand {
		return found
	}
	lacks := g.Since(f.Known)
	lacks = slices.DeleteFunc(lacks, func(pos int) bool { return uint64(pos) < f.From })
	if len(lacks) > 5 {
		found.Next = uint64(lacks[5])
		lacks = lacks[:5]
	}
	var raws [][]byte
	for _, pos := range lacks {
		raws = append(raws, d.disk[f.Key.Doc][pos])
	}
	if len(raws) > 0 {
		p, err := packs.Pack(raws)
		found.Packs, found.Err = [][]byte{p}, err
	}
	return found
}

func (d *device) edit(document string, fn func(*doc.Tx) error) error {
	if d.readers[d.name] {
		return errors.New("a reader does not write")
	}
	if d.full {
		return errFull
	}
	return d.editID(doc.NamedID("lab", document), fn)
}

func (d *device) editID(id doc.ID, fn func(*doc.Tx) error) error {
	if d.gone(id) {
		return errors.New("it was purged here")
	}
	g := d.graph(id)
	before := g.Heads()
	disk := d.disk[id]
	if len(disk) == 0 {
		before, disk = nil, [][]byte{doc.Genesis(id, "lab")}
	}
	full, err := doc.Load(id, disk, actors{d.lab})
	if err != nil {
		return err
	}
	defer full.Close()
	edited, err := full.Edit(doc.Note{Time: d.lab.now}, fn)
	if err != nil {
		return err
	}
	news := disk[len(d.disk[id]):]
	for _, c := range edited.Changes {
		news = append(news, c.Raw)
	}
	if len(news) == 0 {
		return nil
	}
	d.disk[id] = append(d.disk[id], news...)
	if _, missing, err := gate.Admit(g, news); err != nil || missing != nil {
		return fmt.Errorf("an own edit is refused: %v, missing %v", err, missing)
	}
	d.step(sync.Changed{Key: key(id), Before: before, After: g.Heads(), Changes: news})
	return nil
}

// actors gives random bytes that follow from the lab's seed.
type actors struct{ lab *Lab }

var _ io.Reader = actors{}

func (a actors) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = byte(a.lab.rng.Uint32())
	}
	return len(b), nil
}

func (d *device) json(document string) (string, error) {
	id := doc.NamedID("lab", document)
	if len(d.disk[id]) == 0 {
		return "", nil
	}
	full, err := doc.Load(id, d.disk[id], actors{d.lab})
	if err != nil {
		return "", err
	}
	defer full.Close()
	b, err := full.JSON("")
	return string(b), err
}

// covers says what of another device's documents this one lacks.
func (d *device) covers(other *device) error {
	for id := range other.disk {
		if d.gone(id) && (d.readers[d.name] || slices.Equal(d.graves[id].heads, other.graph(id).Heads())) {
			continue // a reader may have had more than the other, who does not learn of it
		}
		if missing := d.graph(id).Missing(other.graph(id).Heads()); len(missing) > 0 {
			return fmt.Errorf("%s lacks %v of %s, which %s has", d.name, missing, id.Short(), other.name)
		}
	}
	return nil
}

// knows says of which document this device does not know that the other has all of it on its disk.
func (d *device) knows(other *device) error {
	for id := range d.disk {
		if other.gone(id) {
			continue // see checkBeliefs
		}
		ack, ok := d.beliefs[other.name][id]
		if !ok || !slices.Equal(ack.Heads, d.graph(id).Heads()) {
			return fmt.Errorf("%s does not know that %s has all of %s on its disk", d.name, other.name, id.Short())
		}
	}
	return nil
}

// checkBeliefs compares what this device was told about others' disks with those disks.
func (d *device) checkBeliefs() error {
	for peer, acks := range d.beliefs {
		for id, ack := range acks {
			if d.lab.devices[peer].purged[id] && d.lab.links[pair(d.name, peer)] == nil {
				continue // it was true when it was told
			}
			if missing := d.lab.devices[peer].graph(id).Missing(ack.Heads); len(missing) > 0 {
				return fmt.Errorf("%s believes that %s has %v of %s on its disk, and it has not", d.name, peer, missing, id.Short())
			}
		}
	}
	return nil
}
