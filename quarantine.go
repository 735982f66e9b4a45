package tombolo

import (
	"context"
	"errors"
	"fmt"
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
	Since  int64  `cbor:"1,keyasint"` // Unix milliseconds
	Why    string `cbor:"2,keyasint"`
	Healed bool   `cbor:"3,keyasint,omitempty"` // what is aside is kept and not waited for
}

func damagedKey(key sync.Key) []byte {
	return slices.Concat([]byte(keyDamaged), key.Space[:], key.Doc[:])
}

// patient is a document that was set aside.
type patient struct {
	asides   []persist.Aside
	since    time.Time
	why      string
	healed   bool
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
				p.since, p.why, p.healed = time.UnixMilli(r.Since), r.Why, r.Healed
			case err != nil && !errors.Is(err, persist.ErrNotFound):
				return err
			}
		}
		p.asides = append(p.asides, a)
	}
	return nil
}

// keep writes what is known of a patient beside its records.
func (e *Engine) keepPatient(ctx context.Context, key sync.Key, p *patient) error {
	r := damageRecord{Since: p.since.UnixMilli(), Why: p.why, Healed: p.healed}
	return e.log.Settings().Put(ctx, damagedKey(key), encodeRecord(r))
}

// patient is a document that is quarantined, or nil.
func (e *Engine) patient(key sync.Key) *patient {
	e.ward.mu.RLock()
	defer e.ward.mu.RUnlock()
	if p := e.ward.patients[key]; p != nil && !p.healed {
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
		if !p.healed {
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
	if p == nil || p.healed {
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
	d.e.core.mu.Lock()
	delete(d.e.core.versions, d.key)
	d.e.core.mu.Unlock()
	d.e.step(sync.Lost{Key: d.key})
	return d.startOver()
}

// renew writes a document that is whole in memory once more, since its log does not read. Called with mu held and nothing on its way to the disk.
func (d *document) renew(ctx context.Context, cause error) error {
	changes, err := d.full.Changes()
	if err != nil {
		return err
	}
	m := d.meta
	if err := d.quarantine(ctx, cause); err != nil {
		return err
	}
	d.durable, d.heads, d.loose = 0, nil, 0
	d.submit(&save{changes: changes}, &m) // then it is healed
	return nil
}

// quarantine has the log begin anew, and remembers what was there. Called with mu held and nothing on its way to the disk.
func (d *document) quarantine(ctx context.Context, cause error) error {
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
	p.since, p.why, p.healed, p.compared = d.e.now(), why.Error(), false, false
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
		for raw, err := range d.e.log.Salvage(ctx, a.Num, last) {
			if err != nil {
				return 0, err
			}
			applied, err := d.full.Apply(raw)
			if err != nil {
				continue // it reads, and is not what it was
			}
			for _, c := range applied.New {
				s.changes = append(s.changes, c.Raw)
			}
		}
	}
	if len(s.changes) > 0 {
		d.submit(s, d.marks())
	}
	return len(s.changes), nil
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
		d.e.opts.Log.Warn("a document is whole again, and what was set aside could not be removed", "doc", d.key.Doc.Short(), "err", err)
		return
	}
	d.e.opts.Log.Info("a damaged document is whole again", "doc", d.key.Doc.Short(), "changes", d.durable)
	d.tell(Event{Changes: d.durable, Remote: true})
	d.e.news()
}

// discharge ends a quarantine. What was set aside goes where everything in it is known to be in the document; else it is kept.
func (e *Engine) discharge(ctx context.Context, key sync.Key, p *patient) error {
	e.ward.mu.Lock()
	p.healed = true
	e.ward.mu.Unlock()
	if slices.ContainsFunc(p.asides, func(a persist.Aside) bool { return a.Header == nil }) {
		return e.keepPatient(ctx, key, p)
	}
	for _, a := range p.asides {
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
	e.ward.mu.Lock()
	p := e.ward.patients[key]
	news := p != nil && !p.healed
	if news {
		p.compared = true
	}
	e.ward.mu.Unlock()
	if news {
		e.enqueue(key, healJob{})
	}
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
	moved := &patient{since: p.since, why: p.why, healed: p.healed}
	if err := e.keepPatient(ctx, to, moved); err != nil {
		return err
	}
	for _, a := range p.asides {
		a, err := e.log.RenameAside(ctx, a, persist.Name{Space: to.Space, Doc: to.Doc})
		if err != nil {
			return err
		}
		moved.asides = append(moved.asides, a)
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
	p := e.patient(key)
	if p == nil {
		return fmt.Errorf("%s is not quarantined", u)
	}
	d := e.hold(key)
	defer e.release(d)
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.read(ctx); err != nil {
		return fmt.Errorf("accept %s: %w", u, err)
	}
	if err := d.settled(ctx); err != nil {
		return fmt.Errorf("accept %s: %w", u, err)
	}
	e.ward.mu.Lock()
	p.healed = true
	e.ward.mu.Unlock()
	if err := e.keepPatient(ctx, key, p); err != nil {
		e.ward.mu.Lock()
		p.healed = false
		e.ward.mu.Unlock()
		return fmt.Errorf("accept %s: %w", u, err)
	}
	e.news()
	return nil
}
