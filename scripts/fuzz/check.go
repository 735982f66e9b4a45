package main

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/automerge/automerge-go"

	"tombolo/doc/gate"
)

// The kinds of findings. Each fails a run.
const (
	aborted    = "abort"      // the process ended
	hung       = "hang"       // it did not go on
	unloadable = "unloadable" // what was saved does not load, or loads to something else
	refused    = "refused"    // an honest change was not admitted
	unapplied  = "unapplied"  // the core does not have what was admitted
	differs    = "difference" // two readers see different values
)

// fault is a finding without the case it belongs to; nil is none.
type fault struct{ kind, detail string }

func faultf(kind, format string, args ...any) *fault {
	return &fault{kind, fmt.Sprintf(format, args...)}
}

// outcome is what became of a case.
type outcome struct {
	verdicts []error // of the gate, for each input; nil is admitted
	admitted []gate.Change
	faults   []*fault
	slowest  time.Duration // that the gate took for one input
}

// run puts a case to the gate, and to the core what the gate admits. atCore is called before the core sees anything.
func (t *trial) run(atCore func()) outcome {
	var out outcome
	past := t.past
	if past.gate == nil {
		if f := t.prepare(); f != nil {
			out.faults = append(out.faults, f)
			return out
		}
	}
	a := past.gate
	start := a.len()
	for i, in := range t.inputs {
		began := time.Now()
		c, err := a.add(in.raw)
		out.slowest = max(out.slowest, time.Since(began))
		out.verdicts = append(out.verdicts, err)
		switch {
		case err == nil && in.refused:
			out.faults = append(out.faults, faultf(differs, "input %d is admitted and must not be", i))
		case err == nil:
			out.admitted = append(out.admitted, c)
		case t.honest && !errors.Is(err, gate.ErrKnown):
			out.faults = append(out.faults, faultf(refused, "input %d: %v", i, err))
		}
	}
	if len(out.admitted) > 0 {
		atCore()
		if f := t.check(a, start, out.admitted); f != nil {
			out.faults = append(out.faults, f)
		}
		a.set.Truncate(start)
	}
	if (len(out.admitted) > 0 || t.rng.IntN(16) == 0) && !bytes.Equal(a.value(), past.value) {
		out.faults = append(out.faults, faultf(differs, "the operation set kept a trace: %s", apart(past.value, a.value())))
		past.gate = nil
	}
	return out
}

// prepare brings the gate to where the case begins. The changes are honest.
func (t *trial) prepare() *fault {
	a := newAdmission()
	for _, i := range t.past.keep {
		if _, err := a.set.Add(t.seed.parsed[i]); err != nil {
			return faultf(refused, "change %d of the document itself: %v", i, err)
		}
	}
	t.past.gate, t.past.value = a, a.value()
	return nil
}

// check feeds the core with what was admitted from position start on and compares it with the operation set in every way we have.
func (t *trial) check(a *admission, start int, admitted []gate.Change) *fault {
	d, bad := t.load()
	if bad != nil {
		return bad
	}
	for i, c := range admitted {
		if err := applied(d, c.Raw); err != nil {
			return faultf(unapplied, "%v", err)
		}
		if err := a.keeps(start+i, c); err != nil {
			return faultf(differs, "the operation set does not give the change back: %v", err)
		}
	}
	want, heads := a.value(), a.set.Graph().Heads()
	if bad := same(d, want, heads, unapplied); bad != nil {
		return bad
	}
	if t.rng.IntN(2) == 0 { // else what was saved is loaded after a local edit only
		if d, bad = reloaded(d, admitted, want, heads); bad != nil {
			return bad
		}
	}
	if t.rng.IntN(3) == 0 {
		if bad := t.otherOrder(admitted, want, heads); bad != nil {
			return bad
		}
	}
	if t.rng.IntN(3) == 0 {
		then, err := a.valueAt(t.headsBefore())
		if err != nil || !bytes.Equal(then, t.past.value) {
			return faultf(differs, "the operation set at older heads (%v): %s", err, apart(t.past.value, then))
		}
	}
	if t.rng.IntN(2) == 0 {
		return t.draft(a, d)
	}
	return t.goOn(a, d)
}

// reloaded is the document saved and loaded, which has the changes it had, bit for bit.
func reloaded(d *automerge.Doc, admitted []gate.Change, want []byte, heads []gate.Hash) (*automerge.Doc, *fault) {
	l, bad := reload(d, want, heads)
	if bad != nil {
		return nil, bad
	}
	for _, c := range admitted {
		ch, err := l.Change(automerge.ChangeHash(c.Hash))
		if err != nil || !bytes.Equal(ch.Save(), c.Raw) {
			return nil, faultf(unloadable, "a change comes back with other bytes after saving and loading (%v)", err)
		}
	}
	return l, nil
}

// load is the core's document before the inputs: saved and loaded, or from its changes.
func (t *trial) load() (*automerge.Doc, *fault) {
	past := t.past
	if fromChanges := t.rng.IntN(2) == 0; fromChanges || past.saved == nil {
		d := automerge.New()
		if len(past.raws) > 0 {
			if err := applied(d, past.raws); err != nil {
				return nil, faultf(unapplied, "the document itself: %v", err)
			}
		}
		if past.saved == nil {
			past.saved = d.Save()
		}
		if fromChanges {
			return d, nil
		}
	}
	d, err := automerge.Load(past.saved)
	if err != nil {
		return nil, faultf(unloadable, "the document itself: %v", err)
	}
	return d, nil
}

func (t *trial) headsBefore() []gate.Hash {
	return slices.SortedFunc(slices.Values(t.past.view.heads), gate.Hash.Compare)
}

// otherOrder gives the core the same changes in another order, all at once.
func (t *trial) otherOrder(admitted []gate.Change, want []byte, heads []gate.Hash) *fault {
	var all []gate.Change
	for _, i := range t.past.keep {
		all = append(all, t.seed.parsed[i])
	}
	if len(all) > 200 {
		return nil
	}
	all = append(all, admitted...)
	d := automerge.New()
	var raws []byte
	for _, i := range (forger{t.rng}).causalOrder(all) {
		raws = append(raws, all[i].Raw...)
	}
	if err := applied(d, raws); err != nil {
		return faultf(unapplied, "in another order: %v", err)
	}
	return same(d, want, heads, differs)
}

// goOn edits a copy as its next user would: that change must be admitted too, and the document must still load.
func (t *trial) goOn(a *admission, d *automerge.Doc) *fault {
	f, err := d.Fork()
	if err != nil {
		return faultf(unloadable, "fork: %v", err)
	}
	actor := []byte(forger{t.rng}.actor())
	if len(actor) == 0 || len(actor) > 64 {
		actor = []byte("somebody")
	}
	if err := f.SetActorID(hex.EncodeToString(actor)); err != nil {
		return faultf(unapplied, "take an actor: %v", err)
	}
	if err := (editor{t.rng}).edit(f, 1+t.rng.IntN(4)); err != nil {
		return faultf(unapplied, "edit: %v", err)
	}
	own := coreHeads(f)
	if len(own) != 1 {
		return faultf(unapplied, "%d heads after a local edit", len(own))
	}
	ch, err := f.Change(automerge.ChangeHash(own[0]))
	if err != nil {
		return faultf(unapplied, "the change of a local edit: %v", err)
	}
	if _, err := a.add(ch.Save()); err != nil {
		return faultf(refused, "a local edit on top: %v\n%s", err, tell(ch.Save()))
	}
	want, heads := a.value(), a.set.Graph().Heads()
	if bad := same(f, want, heads, unapplied); bad != nil {
		return faultf(bad.kind, "after a local edit: %s\n%s", bad.detail, tell(ch.Save()))
	}
	_, bad := reload(f, want, heads)
	return bad
}

// same says whether the core has these heads and shows this value.
func same(d *automerge.Doc, want []byte, heads []gate.Hash, kind string) *fault {
	if have := coreHeads(d); !slices.Equal(have, heads) {
		return faultf(kind, "the core has %d heads that are not the %d of the gate", len(have), len(heads))
	}
	have, err := coreValue(d)
	if err != nil {
		return faultf(differs, "the core cannot read its document: %v", err)
	}
	if !bytes.Equal(have, want) {
		return faultf(differs, "the core shows what the operation set does not: %s", apart(want, have))
	}
	return nil
}

// reload saves and loads.
func reload(d *automerge.Doc, want []byte, heads []gate.Hash) (*automerge.Doc, *fault) {
	l, err := automerge.Load(d.Save())
	if err != nil {
		return nil, faultf(unloadable, "%v", err)
	}
	if bad := same(l, want, heads, unloadable); bad != nil {
		return nil, faultf(unloadable, "after saving and loading: %s", bad.detail)
	}
	return l, nil
}

// apart shows where two values begin to differ.
func apart(want, have []byte) string {
	i := 0
	for i < min(len(want), len(have)) && want[i] == have[i] {
		i++
	}
	part := func(b []byte) []byte { return b[min(len(b), max(0, i-40)):min(len(b), i+40)] }
	return fmt.Sprintf("wanted …%s… have …%s…", part(want), part(have))
}
