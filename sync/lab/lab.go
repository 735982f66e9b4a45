package lab

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"time"

	"tombolo/doc"
	"tombolo/sync"
)

// Lab is a set of devices and the links between them.
type Lab struct {
	rng     *rand.Rand
	now     time.Time
	devices map[string]*device
	links   map[[2]string]*link
	readers map[string]bool
	later   []func() // news about roles on their way to devices, in order
	Steps   int      // taken so far
	Frames  int      // delivered so far
	Bytes   int      // in those frames
}

// link is one connection: two queues of frames. Cut, it loses both.
type link struct {
	queue map[string][][]byte // by the receiving device
}

// Space is the one space all devices of a lab share.
var Space = doc.SpaceID{1}

// New is an empty lab. Everything random in it comes from seed.
func New(seed uint64) *Lab {
	return &Lab{
		rng:     rand.New(rand.NewPCG(seed, 2)),
		now:     time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC),
		devices: map[string]*device{},
		links:   map[[2]string]*link{},
		readers: map[string]bool{},
	}
}

// Add puts a device into the lab. A reader takes changes and may not make any.
func (l *Lab) Add(name string, reader bool) {
	l.readers[name] = reader
	l.devices[name] = newDevice(l, name)
	for _, d := range l.devices { // whoever is there knows who is there
		d.readers[name] = reader
		l.devices[name].readers[d.name] = l.readers[d.name]
	}
}

// Fill gives every device n documents in which nothing is written yet, as if they had been shared before.
func (l *Lab) Fill(n int) {
	for _, d := range l.devices {
		for i := range n {
			id := doc.NamedID("lab", fmt.Sprint("old ", i))
			d.disk[id] = [][]byte{doc.Genesis(id, "lab")}
		}
		d.kept, d.dug = d.disk.clone(), maps.Clone(d.graves)
		d.restart()
	}
}

// Role makes a device a reader, or a writer again. Every device, that one too, learns of it at a time of its own.
func (l *Lab) Role(name string, reader bool) {
	l.readers[name] = reader
	for _, n := range l.Devices() {
		l.later = append(l.later, func() { l.devices[n].learn(name) })
	}
}

// Restore crashes a device and puts its disk back to what it was at the latest Keep, or to nothing. What only it had is lost.
func (l *Lab) Restore(name string) {
	d := l.devices[name]
	d.disk, d.graves = d.kept.clone(), maps.Clone(d.dug)
	if d.graves == nil {
		d.graves = graves{}
	}
	l.Crash(name)
	for _, other := range l.devices {
		delete(other.beliefs, name) // they were true when they were told
	}
}

// Keep copies a device's disk, for Restore.
func (l *Lab) Keep(name string) {
	d := l.devices[name]
	d.kept, d.dug = d.disk.clone(), maps.Clone(d.graves)
}

// Devices are the names of all devices, sorted.
func (l *Lab) Devices() []string { return slices.Sorted(maps.Keys(l.devices)) }

func pair(a, b string) [2]string {
	if a > b {
		a, b = b, a
	}
	return [2]string{a, b}
}

// Link connects two devices; connected ones stay as they are.
func (l *Lab) Link(a, b string) {
	if a == b || l.links[pair(a, b)] != nil {
		return
	}
	l.links[pair(a, b)] = &link{queue: map[string][][]byte{}}
	for _, p := range [][2]string{{a, b}, {b, a}} {
		l.devices[p[0]].step(sync.PeerUp{Peer: sync.PeerID(p[1]), Spaces: l.devices[p[0]].grants(p[1])})
	}
}

// Cut disconnects two devices. Frames under way are lost.
func (l *Lab) Cut(a, b string) {
	if l.links[pair(a, b)] == nil {
		return
	}
	delete(l.links, pair(a, b))
	l.devices[a].step(sync.PeerDown{Peer: sync.PeerID(b)})
	l.devices[b].step(sync.PeerDown{Peer: sync.PeerID(a)})
}

// Flap is a connection that is replaced by another before either side noticed that it broke. Frames under way are lost.
func (l *Lab) Flap(a, b string) {
	if l.links[pair(a, b)] != nil {
		delete(l.links, pair(a, b))
		l.Link(a, b)
	}
}

// Crash cuts a device off and takes away everything but its disk.
func (l *Lab) Crash(name string) {
	for _, p := range l.pairs() {
		if p[0] == name || p[1] == name {
			l.Cut(p[0], p[1])
		}
	}
	l.devices[name].restart()
}

// Disk fills a device's disk, so that nothing can be written, or frees it.
func (l *Lab) Disk(name string, full bool) {
	l.devices[name].full = full
	l.devices[name].retry()
}

// Edit sets a key of a document on a device, which creates the document if it has none. It fails on a full disk and for readers.
func (l *Lab) Edit(name, document, key, value string) error {
	return l.devices[name].edit(document, func(tx *doc.Tx) error { return tx.Set(key, value) })
}

// Append adds a value to a list of a document on a device.
func (l *Lab) Append(name, document, list, value string) error {
	return l.devices[name].edit(document, func(tx *doc.Tx) error { return tx.List(list).Append(value) })
}

// JSON is a document as a device has it on its disk; "" if it has none.
func (l *Lab) JSON(name, document string) (string, error) {
	return l.devices[name].json(document)
}

func (l *Lab) pairs() [][2]string {
	return slices.SortedFunc(maps.Keys(l.links), func(a, b [2]string) int { return slices.Compare(a[:], b[:]) })
}

// Step does one thing that is waiting, chosen at random: deliver a frame, or finish a piece of a device's work. It reports false
// when nothing waits.
func (l *Lab) Step() bool {
	var waiting []func()
	for _, p := range l.pairs() {
		for _, to := range p {
			if ln := l.links[p]; len(ln.queue[to]) > 0 {
				from := p[0]
				if from == to {
					from = p[1]
				}
				waiting = append(waiting, func() { l.deliver(ln, from, to) })
			}
		}
	}
	for _, name := range l.Devices() {
		if d := l.devices[name]; len(d.work) > 0 {
			waiting = append(waiting, d.oneWork)
		}
	}
	if len(l.later) > 0 {
		waiting = append(waiting, func() {
			news := l.later[0]
			l.later = l.later[1:]
			news()
		})
	}
	if len(waiting) == 0 {
		return false
	}
	l.Steps++
	waiting[l.rng.IntN(len(waiting))]()
	return true
}

func (l *Lab) deliver(ln *link, from, to string) {
	frame := ln.queue[to][0]
	ln.queue[to] = ln.queue[to][1:]
	l.Frames++
	l.Bytes += len(frame)
	l.devices[from].step(sync.Sent{Peer: sync.PeerID(to), N: len(frame)})
	l.devices[to].step(sync.Received{Peer: sync.PeerID(from), Frame: frame})
}

// maxSteps bounds a settling: a protocol that talks for ever is a failure too.
const maxSteps = 200_000

// Settle lets everything that waits happen, timers included, until nothing is left.
func (l *Lab) Settle() error {
	for i := 0; ; i++ {
		if i > maxSteps {
			return fmt.Errorf("still talking after %d steps", maxSteps)
		}
		if l.Step() {
			continue
		}
		due := l.due()
		if due.IsZero() {
			return nil
		}
		l.now = due
		for _, name := range l.Devices() {
			d := l.devices[name]
			if !d.wake.IsZero() && !d.wake.After(l.now) {
				d.step(sync.Tick{})
			}
		}
	}
}

func (l *Lab) due() time.Time {
	var due time.Time
	for _, d := range l.devices {
		if !d.full && !d.wake.IsZero() && (due.IsZero() || d.wake.Before(due)) {
			due = d.wake
		}
	}
	return due
}

// Check says what keeps the lab from being in the state that every run must reach once it has settled: linked devices have the
// same documents, every acknowledged edit is there, and what a device believes another to have on its disk is what it has.
func (l *Lab) Check() error {
	for _, p := range l.pairs() {
		a, b := l.devices[p[0]], l.devices[p[1]]
		if a.full || b.full {
			continue
		}
		var err error
		switch {
		case l.readers[p[0]] && l.readers[p[1]]: // readers send nothing, also to each other
		case l.readers[p[0]]:
			err = a.covers(b)
		case l.readers[p[1]]:
			err = b.covers(a)
		default:
			err = errors.Join(a.covers(b), b.covers(a), a.knows(b), b.knows(a))
		}
		if err != nil {
			return fmt.Errorf("%s and %s are linked and have settled: %w", a.name, b.name, err)
		}
	}
	for _, name := range l.Devices() {
		d := l.devices[name]
		if err := d.checkBeliefs(); err != nil {
			return err
		}
		if d.dropped != "" {
			return fmt.Errorf("%s hung up on an honest peer: %s", name, d.dropped)
		}
	}
	return nil
}
