package tombolo

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	gosync "sync"
	"time"

	"tombolo/doc"
	"tombolo/doc/gate"
	"tombolo/persist"
	"tombolo/sync"
)

// A document whose records do not make the document they should is set aside: its bytes stay where they are, and what can be read of it begins a
// log of its own under the same name. Until that has everything which the old header names, the document is quarantined: programs get a
// DamagedError, while devices that have the missing changes bring them by ordinary sync, to which this device says what it has left. What was made
// here after the damaged place, and nowhere else, comes out of the old records as soon as the gap before it is closed.

// DamagedError reports a quarantined document: a part of it does not read on this device's disk. Nothing of it is overwritten. It heals by itself
// when a device that has the rest is connected; [Engine.Accept] goes on without the rest.
type DamagedError struct {
	URL   doc.URL
	Since time.Time // when it was found
	Why   string    // what does not read
}

func (e *DamagedError) Error() string {
	return fmt.Sprintf("document %s is damaged on this device's disk (%s); it heals when a device that has it is connected, "+
		"a backup brings it back, and accepting it goes on with what could be read", e.URL, e.Why)
}

// keyDamaged, a space and a document lead to a damageRecord.
const keyDamaged = "damaged/"

type damageRecord struct {
	Since  int64    `cbor:"1,keyasint"` // Unix milliseconds
	Why    string   `cbor:"2,keyasint"`
	Healed bool     `cbor:"3,keyasint,omitempty"` // nothing is waited for
	Kept   []uint64 `cbor:"4,keyasint,omitempty"` // numbers of what is aside and not waited for; all, in a healed record of an earlier version
}

func damagedKey(key sync.Key) []byte {
	return slices.Concat([]byte(keyDamaged), key.Space[:], key.Doc[:])
}

// patient is a document that was set aside.
type patient struct {
	asides   []persist.Aside // what it waits for; without any it is well. Written with the document's mu and the ward's held
	kept     []persist.Aside // what it does not wait for, and nobody knows to be in it; likewise
	since    time.Time
	why      string
	compared bool // another device has exactly what is here now
}

// ward is all patients.
type ward struct {
	mu       gosync.RWMutex
	patients map[sync.Key]*patient
}

// openWard reads what is set aside.
func (e *Engine) openWard(ctx context.Context) error {
	e.ward.patients = map[sync.Key]*patient{}
	records := map[sync.Key]damageRecord{}
	for a, err := range e.log.Asides(ctx) {
		if err != nil {
			return err
		}
		key := sync.Key{Space: a.Name.Space, Doc: a.Name.Doc}
		p := e.ward.patients[key]
		if p == nil {
			p = &patient{since: e.now(), why: "its records do not read"}
			e.ward.patients[key] = p
			raw, err := e.log.Settings().Get(ctx, damagedKey(key))
			var r damageRecord
			switch {
			case err == nil && decodeRecord(raw, &r) == nil:
				p.since, p.why = time.UnixMilli(r.Since), r.Why
				records[key] = r
			case err != nil && !errors.Is(err, persist.ErrNotFound):
				return err
			}
		}
		if r := records[key]; slices.Contains(r.Kept, a.Num) || r.Healed && len(r.Kept) == 0 {
			p.kept = append(p.kept, a)
		} else {
			p.asides = append(p.asides, a)
		}
	}
	return nil
}

// keepPatient writes what is known of a patient beside its records.
func (e *Engine) keepPatient(ctx context.Context, key sync.Key, p *patient) error {
	r := damageRecord{Since: p.since.UnixMilli(), Why: p.why, Healed: len(p.asides) == 0}
	for _, a := range p.kept {
		r.Kept = append(r.Kept, a.Num)
	}
	return e.log.Settings().Put(ctx, damagedKey(key), encodeRecord(r))
}

// patient is a document that is quarantined, or nil.
func (e *Engine) patient(key sync.Key) *patient {
	e.ward.mu.RLock()
	defer e.ward.mu.RUnlock()
	if p := e.ward.patients[key]; p != nil && len(p.asides) > 0 {
		return p
	}
	return nil
}

// quarantined are the documents that wait for what they lack.
func (e *Engine) quarantined() []sync.Key {
	e.ward.mu.RLock()
	defer e.ward.mu.RUnlock()
	var out []sync.Key
	for key, p := range e.ward.patients {
		if len(p.asides) > 0 {
			out = append(out, key)
		}
	}
	return out
}

// damaged is a DamagedError where a document is quarantined.
func (e *Engine) damaged(key sync.Key) error {
	e.ward.mu.RLock()
	defer e.ward.mu.RUnlock()
	p := e.ward.patients[key]
	if p == nil || len(p.asides) == 0 {
		return nil
	}
	return &DamagedError{URL: doc.URL{Space: key.Space, Doc: key.Doc}, Since: p.since, Why: p.why}
}

// unsoundError says that records which read well do not make the document.
type unsoundError struct{ error }

func (e unsoundError) Unwrap() error { return e.error }

// isDamage tells damage, which stays, from a disk that does not answer just now and from data of a newer program.
func isDamage(err error) bool {
	_, torn := errors.AsType[*persist.DamagedError](err)
	_, unsound := errors.AsType[unsoundError](err)
	return torn || unsound
}

// setAside quarantines the document, whose log does not read, and begins a new one with what can be read. Called with mu held and nothing on its
// way to the disk.
func (d *document) setAside(ctx context.Context, cause error) error {
	if err := d.quarantine(ctx, cause); err != nil {
		return err
	}
	d.e.step(sync.Lost{Key: d.key})
	return d.startOver()
}

// renew writes a document that is whole in memory once more, since its log does not read. Called with mu held and nothing on its way to the disk.
func (d *document) renew(ctx context.Context, cause error) error {
	changes, err := d.full.Changes()
	if err != nil {
		return err
	}
	m, well := d.meta, d.e.patient(d.key) == nil
	if err := d.quarantine(ctx, cause); err != nil {
		return err
	}
	d.e.setCompared(d.key, well) // also where the header does not read: nothing is missing
	d.durable, d.heads, d.loose = 0, nil, 0
	d.submit(&save{changes: changes}, &m) // then it is healed
	return nil
}

// quarantine has the log begin anew, and remembers what was there. Called with mu held and nothing on its way to the disk.
func (d *document) quarantine(ctx context.Context, cause error) error {
	ctx = context.WithoutCancel(ctx) // once it is aside, that must be known here, whoever found the damage
	num := uint64(0)
	if _, err := d.e.log.Header(ctx, d.name()); isDamage(err) {
		if num, err = d.orphan(ctx); err != nil {
			return err
		}
	}
	aside, err := d.e.log.SetAside(ctx, d.name(), num)
	if err != nil {
		return fmt.Errorf("set a damaged document aside (%w): %w", cause, err)
	}
	why := cause
	if torn, ok := errors.AsType[*persist.DamagedError](cause); ok {
		why = fmt.Errorf("change %d: %s", torn.Seq, torn.What)
	}
	d.e.ward.mu.Lock()
	p := d.e.ward.patients[d.key]
	if p == nil {
		p = &patient{}
		d.e.ward.patients[d.key] = p
	}
	p.asides = append(p.asides, aside)
	p.since, p.why, p.compared = d.e.now(), why.Error(), false
	d.e.ward.mu.Unlock()
	d.e.opts.Log.Error("a document is damaged and set aside; it heals when a device that has it is connected", "doc", d.key.Doc.Short(), "err", cause)
	if err := d.e.keepPatient(ctx, d.key, p); err != nil {
		d.e.opts.Log.Warn("why a document is set aside is known until the end of this process only", "doc", d.key.Doc.Short(), "err", err)
	}
	return nil
}

// startOver makes the document one without changes, and gives it what can be salvaged. Called with mu held.
func (d *document) startOver() error {
	full, err := doc.New(d.key.Doc, d.e.opts.Rand)
	if err != nil {
		return err
	}
	full.Limit(d.e.opts.MaxDocument)
	d.full, d.graph = full, full.Graph()
	d.durable, d.heads, d.loose, d.meta = 0, nil, 0, meta{}
	_, err = d.salvage(d.e.run)
	return err
}

// salvage adds to the document what its old records give and it does not have, and says how many changes that are. Called with mu held.
func (d *document) salvage(ctx context.Context) (int, error) {
	p := d.e.patient(d.key)
	if p == nil {
		return 0, nil
	}
	s := &save{before: d.graph.Heads()}
	for _, a := range p.asides {
		last := uint64(0)
		if a.Header != nil {
			if last = a.Header.Last; last == 0 {
				continue
			}
		}
		if err := d.gather(s, d.e.log.Salvage(ctx, a.Num, last)); err != nil {
			return 0, err
		}
	}
	if len(s.changes) > 0 {
		d.submit(s, d.marks())
	}
	return len(s.changes), nil
}

// gather adds changes that the document does not have, as many as fit it, to the document and to s. After an error nothing of the document is in
// memory, which must not be ahead of the disk. Called with mu held.
func (d *document) gather(s *save, changes iter.Seq2[[]byte, error]) error {
	for raw, err := range changes {
		if err != nil {
			d.discard()
			return err
		}
		applied, err := d.full.Apply(raw)
		if err != nil {
			continue // it reads, and is not what it was
		}
		for _, c := range applied.New {
			s.changes = append(s.changes, c.Raw)
		}
	}
	return nil
}

// orphan finds the records of a document whose header does not read: those that begin with its genesis. 0 where there are none.
func (d *document) orphan(ctx context.Context) (uint64, error) {
	nums, err := d.e.log.Orphans(ctx)
	if err != nil {
		return 0, err
	}
	for _, num := range nums {
		full, err := doc.New(d.key.Doc, d.e.opts.Rand)
		if err != nil {
			return 0, err
		}
		for raw, err := range d.e.log.Salvage(ctx, num, 0) {
			if err != nil {
				return 0, err
			}
			_, _ = full.Apply(raw) // of another document, or damaged: then the genesis is not there
		}
		if marks, err := full.Marks(); err == nil && full.Graph().Has(gate.HashOf(doc.Genesis(d.key.Doc, marks.App))) {
			return num, nil
		}
	}
	return 0, nil
}

// healJob asks whether a quarantined document has everything by now.
type healJob struct{}

// heal ends the quarantine of a document that has everything its old headers name. Where a header was lost, nobody knows what it named: then another
// device must have exactly what is here.
func (d *document) heal(ctx context.Context) {
	p := d.e.patient(d.key)
	if p == nil {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.read(ctx); err != nil {
		return // the next change of a peer tries again
	}
	if n, err := d.salvage(ctx); err != nil || n > 0 {
		return // when they are on disk, this is asked again
	}
	if err := d.settled(ctx); err != nil || d.full == nil || d.graph.Len() == 0 || d.durable != d.graph.Len() {
		return
	}
	for _, a := range p.asides {
		if a.Header == nil && !d.e.isCompared(p) {
			return
		}
		if a.Header != nil && slices.ContainsFunc(a.Header.Heads, func(h persist.Hash) bool { return !d.graph.Has(h) }) {
			return
		}
	}
	if err := d.e.discharge(ctx, d.key, p); err != nil {
		d.e.opts.Log.Warn("what was set aside of a document that is whole again could not be removed; the next start tries again", "doc", d.key.Doc.Short(), "err", err)
	}
	d.e.opts.Log.Info("a damaged document is whole again", "doc", d.key.Doc.Short(), "changes", d.durable)
	d.tell(Event{Changes: d.durable, Remote: true})
	d.e.news()
}

// discharge ends a quarantine. What was set aside goes where everything in it is known to be in the document; else it is kept.
func (e *Engine) discharge(ctx context.Context, key sync.Key, p *patient) error {
	e.ward.mu.Lock()
	var whole []persist.Aside
	for _, a := range p.asides {
		if a.Header != nil {
			whole = append(whole, a)
		} else {
			p.kept = append(p.kept, a)
		}
	}
	p.asides = nil
	all := len(p.kept) == 0
	if all {
		p.kept = whole
	}
	e.ward.mu.Unlock()
	if all {
		return e.dropAsides(ctx, key)
	}
	if err := e.keepPatient(ctx, key, p); err != nil {
		return err
	}
	for _, a := range whole {
		if err := e.log.DropAside(ctx, a); err != nil {
			return err
		}
	}
	return nil
}

// dropAsides deletes what is kept aside of a document that waits for nothing.
func (e *Engine) dropAsides(ctx context.Context, key sync.Key) error {
	e.ward.mu.RLock()
	p := e.ward.patients[key]
	e.ward.mu.RUnlock()
	if p == nil {
		return nil
	}
	for _, a := range p.kept {
		if err := e.log.DropAside(ctx, a); err != nil {
			return err
		}
	}
	e.ward.mu.Lock()
	delete(e.ward.patients, key)
	e.ward.mu.Unlock()
	return e.log.Settings().Delete(ctx, damagedKey(key))
}

// comparedWith takes note that another device has exactly what this one has of a document. Called with the core's lock held.
func (e *Engine) comparedWith(key sync.Key) {
	if e.setCompared(key, true) {
		e.enqueue(key, healJob{})
	}
}

// setCompared says whether all that there is of a quarantined document is known to be here. It reports false for any other document.
func (e *Engine) setCompared(key sync.Key, yes bool) bool {
	e.ward.mu.Lock()
	defer e.ward.mu.Unlock()
	p := e.ward.patients[key]
	if p == nil || len(p.asides) == 0 {
		return false
	}
	p.compared = yes
	return true
}

func (e *Engine) isCompared(p *patient) bool {
	e.ward.mu.RLock()
	defer e.ward.mu.RUnlock()
	return p.compared
}

// movePatient has what was set aside of a document follow it to another space.
func (e *Engine) movePatient(ctx context.Context, from, to sync.Key) error {
	e.ward.mu.RLock()
	p := e.ward.patients[from]
	e.ward.mu.RUnlock()
	if p == nil {
		return nil
	}
	moved := &patient{since: p.since, why: p.why}
	e.ward.mu.RLock()
	if there := e.ward.patients[to]; there != nil {
		moved.asides, moved.kept = slices.Clone(there.asides), slices.Clone(there.kept)
	}
	e.ward.mu.RUnlock()
	moved.asides, moved.kept = append(moved.asides, p.asides...), append(moved.kept, p.kept...)
	if err := e.keepPatient(ctx, to, moved); err != nil {
		return err
	}
	for _, asides := range [][]persist.Aside{moved.asides, moved.kept} {
		for i, a := range asides {
			if a.Name.Space == to.Space {
				continue
			}
			var err error
			if asides[i], err = e.log.RenameAside(ctx, a, persist.Name{Space: to.Space, Doc: to.Doc}); err != nil {
				return err
			}
		}
	}
	e.ward.mu.Lock()
	delete(e.ward.patients, from)
	e.ward.patients[to] = moved
	e.ward.mu.Unlock()
	return e.log.Settings().Delete(ctx, damagedKey(from))
}

// Accept ends the quarantine of a document: what could be read of it is the document from now on, and what was set aside is kept and not waited for.
// Devices that have more still bring it. An error where the document is not quarantined.
func (e *Engine) Accept(ctx context.Context, u doc.URL) error {
	if err := e.use(); err != nil {
		return err
	}
	defer e.work.Done()
	key := sync.Key{Space: u.Space, Doc: u.Doc}
	d := e.hold(key)
	defer e.release(d)
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.read(ctx); err != nil { // it finds damage that a list only noticed
		return fmt.Errorf("accept %s: %w", u, err)
	}
	if err := d.settled(ctx); err != nil {
		return fmt.Errorf("accept %s: %w", u, err)
	}
	p := e.patient(key)
	if p == nil {
		return fmt.Errorf("%s is not quarantined; there is nothing to accept", u)
	}
	if d.full == nil {
		return fmt.Errorf("accept %s: what could be read could not be written, the log says why; try again", u)
	}
	e.ward.mu.Lock()
	asides, kept := p.asides, p.kept
	p.asides, p.kept = nil, slices.Concat(kept, asides)
	e.ward.mu.Unlock()
	if err := e.keepPatient(ctx, key, p); err != nil {
		e.ward.mu.Lock()
		p.asides, p.kept = asides, kept
		e.ward.mu.Unlock()
		return fmt.Errorf("accept %s: %w", u, err)
	}
	d.tell(Event{Changes: d.durable, Remote: true})
	e.news()
	return nil
}
