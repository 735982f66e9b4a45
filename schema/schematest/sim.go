package schematest

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"

	"tombolo/doc"
)

// peer is a device.
type peer struct {
	n       int
	version int
	d       *doc.Doc
	seen    bits      // the edits it has
	now     *snapshot // of the document as it is; nil where that is to be read
}

// snapshot is a document as every version shows it.
type snapshot struct {
	heads string
	views []tree
	units []map[string]unit // by version and name
}

// violation is a promise that did not hold.
type violation struct {
	kind string // one word
	text string
}

func (v *violation) Error() string { return v.kind + ": " + v.text }

func broken(kind, format string, args ...any) *violation {
	return &violation{kind, fmt.Sprintf(format, args...)}
}

// run is one simulation.
type run struct {
	sh    *shape
	o     Options
	seed  int
	focus focus
	id    doc.ID
	later bool // the document was edited before
	peers []*peer
	edits []*edit
	of    map[doc.Hash][]int // the edits that a change is
	raws  map[doc.Hash][]byte
	met   map[string]*snapshot // by heads

	touches map[string]map[slot][]*touch    // by unit and class
	lives   map[string]map[slot]*population // by unit and slot
	rows    map[string]*rowLife             // by the name of the row's unit
	used    map[slot][]any                  // values that were written
	rivals  map[[2]*touch]bool

	totals Totals
	log    func(format string, args ...any)
}

func newRun(sh *shape, o Options, seed int) *run {
	r := &run{
		sh: sh, o: o, seed: seed, focus: sh.focus(seed), of: map[doc.Hash][]int{}, raws: map[doc.Hash][]byte{}, met: map[string]*snapshot{},
		touches: map[string]map[slot][]*touch{}, lives: map[string]map[slot]*population{}, rows: map[string]*rowLife{}, used: map[slot][]any{}, rivals: map[[2]*touch]bool{},
		log: func(string, ...any) {},
	}
	r.id = doc.NamedID(sh.s.App(), fmt.Sprintf("fleet %d", seed))
	return r
}

// focus is a class of slots that a run edits more than others.
type focus struct {
	typ   string
	class slot
}

// focus gives every second run a class that lenses connect, one after the other.
func (sh *shape) focus(seed int) focus {
	var all []focus
	for _, typ := range sortedKeys(sh.kin) {
		k := sh.kin[typ]
		for _, s := range sortedKeys(k.class) {
			if s == k.class[s] && k.connected(s) {
				all = append(all, focus{typ, s})
			}
		}
	}
	if seed%2 == 0 || len(all) == 0 {
		return focus{}
	}
	return all[seed/2%len(all)]
}

// random is a source for one purpose of one step; an actor made of it is nobody else's.
func (r *run) random(purpose string, n int) io.Reader {
	return rand.NewChaCha8(r.sum(purpose, n))
}

func (r *run) rng(purpose string, n int) *rand.Rand {
	return rand.New(rand.NewChaCha8(r.sum(purpose, n)))
}

func (r *run) sum(purpose string, n int) [32]byte {
	b := binary.BigEndian.AppendUint64(nil, uint64(r.seed))
	return sha256.Sum256(append(binary.BigEndian.AppendUint64(b, uint64(n)), purpose...))
}

// open makes the peers, each with a document of its own.
func (r *run) open() error {
	for i, v := range r.o.Fleet {
		d, err := doc.New(r.id, r.random("actor", i))
		if err != nil {
			return err
		}
		if _, err := d.Apply(doc.Genesis(r.id, r.sh.s.App())); err != nil {
			return err
		}
		r.peers = append(r.peers, &peer{n: i, version: v, d: d})
	}
	return nil
}

func (r *run) close() {
	for _, p := range r.peers {
		p.d.Close()
	}
}

// play runs steps, brings all peers together, and says what did not hold.
func (r *run) play(steps []step) error {
	defer r.close()
	if err := r.open(); err != nil {
		return err
	}
	for _, s := range steps {
		p := r.peers[s.peer]
		var err error
		switch s.action {
		case doEdit:
			err = r.edit(p, s.n)
		case doSync:
			rng := r.rng("sync", s.n)
			for _, to := range r.peers {
				if err == nil && (to.n == s.other || s.other < 0 && to != p) {
					err = r.sync(p, to, rng, s.n)
				}
			}
		case doMove:
			err = r.move(p, s.n)
		case doRestart:
			err = r.restart(p, s.n)
		}
		if err != nil {
			return fmt.Errorf("step %d: %w", s.n, err)
		}
	}
	if p := r.peers[r.seed%len(r.peers)]; r.seed%3 == 0 { // what a device knows so far must be right, too
		if err := r.judge(p); err != nil {
			return fmt.Errorf("before all peers met, on peer %d: %w", p.n, err)
		}
	}
	if err := r.meet(); err != nil {
		return err
	}
	r.totals = Totals{Edits: r.totals.Edits, Refused: r.totals.Refused, OpeningWrites: r.totals.OpeningWrites} // what shows in the end counts
	if err := r.judge(r.peers[0]); err != nil {
		return err
	}
	if r.seed%2 == 0 {
		return r.settle()
	}
	return nil
}

// look reads a peer's document at every version. That writes nothing, and documents with the same heads look the same.
func (r *run) look(p *peer) (*snapshot, error) {
	if p.now != nil {
		return p.now, nil
	}
	n := p.d.Len()
	views, err := r.sh.readAll(p.d)
	if err != nil {
		return nil, broken("reading", "peer %d: %v", p.n, err)
	}
	if p.d.Len() != n {
		r.totals.OpeningWrites++
		return nil, broken("writing", "peer %d: reading made a change", p.n)
	}
	now := &snapshot{heads: headsOf(p.d), views: views, units: make([]map[string]unit, len(views))}
	for v := 1; v < len(views); v++ {
		now.units[v] = map[string]unit{}
		for u := range r.sh.units(v, views[v]) {
			now.units[v][u.name] = u
		}
	}
	p.now = now
	known := r.met[now.heads]
	if known == nil {
		r.met[now.heads] = now
		return now, nil
	}
	for v := 1; v < len(views); v++ {
		if !doc.Equal(known.views[v], views[v]) {
			r.totals.Divergences++
			return nil, broken("divergence", "peer %d shows another version %d than a peer with the same changes:\n%s", p.n, v, diffOf(known.views[v], views[v]))
		}
	}
	return now, nil
}

func headsOf(d *doc.Doc) string {
	var out []byte
	for _, h := range d.Heads() {
		out = append(out, h[:]...)
	}
	return string(out)
}

// sync gives changes of one peer to another: all of them, or some that one could have received so far.
func (r *run) sync(from, to *peer, rng *rand.Rand, n int) error {
	g, had := from.d.Graph(), to.d.Graph()
	keep := [...]int{100, 100, 50, 80}[rng.IntN(4)]
	var send [][]byte
	sent := map[doc.Hash]bool{}
	for pos := range g.Len() {
		h := g.At(pos)
		if had.Has(h) || rng.IntN(100) >= keep {
			continue
		}
		if slices.ContainsFunc(g.Deps(pos), func(dep doc.Hash) bool { return !had.Has(dep) && !sent[dep] }) {
			continue
		}
		sent[h] = true
		raw := r.raws[h]
		if raw == nil {
			var err error
			if raw, err = from.d.Change(h); err != nil {
				return err
			}
			r.raws[h] = raw
		}
		send = append(send, raw)
	}
	r.log("%3d  peer %d gives peer %d %d changes", n, from.n, to.n, len(send))
	if len(send) == 0 {
		return nil
	}
	got, err := to.d.Apply(send...)
	if err != nil {
		return broken("sync", "peer %d refuses the changes of peer %d: %v", to.n, from.n, err)
	}
	if len(got.New) != len(send) || len(got.Missing) > 0 {
		return broken("sync", "peer %d took %d of %d changes of peer %d", to.n, len(got.New), len(send), from.n)
	}
	to.now = nil
	for _, c := range got.New {
		for _, e := range r.of[c.Hash] {
			to.seen.add(e)
		}
	}
	if rng.IntN(3) == 0 {
		_, err = r.look(to)
	}
	return err
}

// move makes a peer run another version of the program. The first one stays what it is for ever.
func (r *run) move(p *peer, n int) error {
	if p.n == 0 {
		return nil
	}
	rng := r.rng("move", n)
	to := min(p.version+1, r.sh.newest)
	if rng.IntN(4) == 0 {
		to = 1 + rng.IntN(r.sh.newest)
	}
	r.log("%3d  peer %d goes from version %d to %d", n, p.n, p.version, to)
	p.version = to
	return r.untouched(p, func() error {
		p.now = nil
		_, err := r.look(p)
		if err == nil {
			_, err = r.sh.s.At(to).Inspect(p.d)
		}
		return err
	})
}

// restart closes a peer's document and loads what it stored.
func (r *run) restart(p *peer, n int) error {
	r.log("%3d  peer %d starts again", n, p.n)
	return r.untouched(p, func() error {
		changes, err := p.d.Changes()
		if err != nil {
			return err
		}
		d, err := doc.Load(r.id, changes, r.random("restart", n))
		if err != nil {
			return broken("loading", "peer %d: %v", p.n, err)
		}
		p.d.Close()
		p.d, p.now = d, nil
		_, err = r.look(p)
		return err
	})
}

// untouched demands that a peer has the same changes before and after.
func (r *run) untouched(p *peer, fn func() error) error {
	n, heads := p.d.Len(), headsOf(p.d)
	if err := fn(); err != nil {
		return err
	}
	if p.d.Len() != n || headsOf(p.d) != heads {
		r.totals.OpeningWrites++
		return broken("writing", "peer %d: opening, reading or upgrading made %d changes", p.n, p.d.Len()-n)
	}
	return nil
}

// kindOf is what kind of promise an error says is broken; "" for none.
func kindOf(err error) string {
	if v, ok := errors.AsType[*violation](err); ok {
		return v.kind
	}
	if err != nil {
		return "error"
	}
	return ""
}
