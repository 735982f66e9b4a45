package schematest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"tombolo/doc"
	"tombolo/schema"
)

// plainCounts is what fleets did.
type plainCounts struct {
	saves, refused, late, resolved, places int
}

func plainFleet(t *testing.T, p *schema.Plain, o PlainOptions) {
	var sum plainCounts
	for seed := o.From; seed < o.From+o.Seeds; seed++ {
		steps := make([]int, o.Steps)
		for i := range steps {
			steps[i] = i
		}
		f, err := plainPlay(p, o, seed, steps)
		if err != nil {
			steps = plainShrink(steps, func(steps []int) bool { _, err := plainPlay(p, o, seed, steps); return err != nil })
			f, err = plainPlay(p, o, seed, steps)
			t.Fatalf("seed %d: %v\nthe shortest history that still fails:\n  %s\nagain: go test -run '%s' -from %d -seeds 1",
				seed, err, strings.Join(f.told, "\n  "), t.Name(), seed)
		}
		sum.saves += f.saves
		sum.refused += f.refused
		sum.late += f.late
		sum.resolved += f.resolved
		sum.places += f.places
	}
	t.Logf("seeds %d to %d, %d steps each: %d saves, %d refused by newer versions, %d late edits seen, %d taken in, %d places",
		o.From, o.From+o.Seeds-1, o.Steps, sum.saves, sum.refused, sum.late, sum.resolved, sum.places)
}

// plainShrink leaves steps out as long as the rest fails.
func plainShrink(steps []int, fails func([]int) bool) []int {
	for size := len(steps) / 2; size > 0; size /= 2 {
		for i := 0; i+size <= len(steps); {
			if less := slices.Delete(slices.Clone(steps), i, i+size); fails(less) {
				steps = less
			} else {
				i += size
			}
		}
	}
	return steps
}

// plainRun is one fleet.
type plainRun struct {
	plainCounts
	p     *schema.Plain
	o     PlainOptions
	peers []*plainPeer
	same  map[string]string // what versions see at heads
	told  []string

	saved   map[string]int  // tokens, and how often the newest version saw each when it was saved
	gone    map[string]bool // those that a save took away which knew them
	took    map[string]bool // those that came in from a late edit
	notHere map[string]bool // those that the newest version does not keep
}

type plainPeer struct {
	name    string
	version int
	d       *doc.Doc
	h       *schema.PlainHandle
	seen    *plainSeen // what it knows; nil before loading
}

// plainPlay plays some steps, and then lets all devices meet.
func plainPlay(p *schema.Plain, o PlainOptions, seed int, steps []int) (*plainRun, error) {
	f := &plainRun{p: p, o: o, same: map[string]string{}, saved: map[string]int{}, gone: map[string]bool{}, took: map[string]bool{}, notHere: map[string]bool{}}
	rng := rand.New(rand.NewPCG(uint64(seed), 0))
	legacy := rng.IntN(len(o.Legacy)+1) - 1
	for i := range max(3, p.Newest()+1) {
		d, err := plainBegin(p, o, -1, rng)
		if err != nil {
			return f, err
		}
		defer func() { f.peers[i].d.Close() }()
		f.peers = append(f.peers, &plainPeer{name: string(rune('A' + i)), version: 1 + rng.IntN(p.Newest()), d: d})
		f.reopen(f.peers[i])
	}
	if legacy >= 0 {
		if _, err := f.peers[0].d.Edit(doc.Note{}, o.Legacy[legacy]); err != nil {
			return f, err
		}
	}
	for _, n := range steps {
		if err := f.step(n, rand.New(rand.NewPCG(uint64(seed), uint64(n)+1))); err != nil {
			return f, fmt.Errorf("step %d: %w", n, err)
		}
	}
	return f, f.end(rng)
}

func (f *plainRun) tell(format string, args ...any) {
	f.told = append(f.told, fmt.Sprintf(format, args...))
}

// reopen is a start of the program.
func (f *plainRun) reopen(x *plainPeer) {
	x.h, x.seen = f.p.At(x.version).Open(schema.Of(x.d, nil)), nil
}

func (f *plainRun) step(n int, rng *rand.Rand) error {
	x := f.peers[rng.IntN(len(f.peers))]
	switch k := rng.IntN(100); {
	case k < 15:
		f.tell("%d %s loads at version %d", n, x.name, x.version)
		return f.load(x)
	case k < 55:
		return f.edit(n, x, rng)
	case k < 82:
		return f.sync(n, x, f.peers[rng.IntN(len(f.peers))], rng)
	case k < 90:
		x.version = min(f.p.Newest(), 1+rng.IntN(f.p.Newest()+1))
		f.tell("%d %s is now version %d", n, x.name, x.version)
		f.reopen(x)
	case k < 94:
		f.tell("%d %s restarts", n, x.name)
		changes, err := x.d.Changes()
		if err != nil {
			return err
		}
		old := x.d
		if x.d, err = doc.Load(old.ID(), changes, plainRandom{rng}); err != nil {
			return err
		}
		old.Close()
		f.reopen(x)
	default:
		return f.resolve(n, rng)
	}
	return nil
}

// load reads at a peer's version, and compares with what others saw who had the same changes.
func (f *plainRun) load(x *plainPeer) error {
	s, err := plainLoad(x.h, x.d)
	x.seen = nil
	if errors.Is(err, schema.ErrNewerWriter) {
		return nil
	}
	if err != nil {
		return err
	}
	f.late += len(s.report.Late)
	if err := f.agree(x.d, x.version, s.text()); err != nil {
		return err
	}
	if x.seen = &s; s.report.Future > 0 {
		x.seen = nil
	}
	return nil
}

// agree checks that a version sees the same wherever the changes are the same.
func (f *plainRun) agree(d *doc.Doc, version int, text string) error {
	key := fmt.Sprint(version, d.Heads())
	if was, ok := f.same[key]; ok && was != text {
		return fmt.Errorf("version %d sees two things in the same changes:\n%s\n%s", version, was, text)
	}
	f.same[key] = text
	return nil
}

// edit changes what a peer knows, which others may have changed since.
func (f *plainRun) edit(n int, x *plainPeer, rng *rand.Rand) error {
	if x.seen == nil || rng.IntN(2) == 0 {
		if err := f.load(x); err != nil || x.seen == nil {
			return err
		}
	}
	token := plainToken(n)
	next := f.o.Edit(rng, x.version, plainClone(x.seen.value), token)
	f.tell("%d %s saves at version %d, with %s", n, x.name, x.version, token)
	return f.save(x, next, nil)
}

// save saves, and notes what came and went.
func (f *plainRun) save(x *plainPeer, next any, late []schema.LateEdit) error {
	was, is := plainFound(x.seen.value), plainFound(next)
	err := x.h.Resolve(context.Background(), next, late...)
	switch {
	case errors.Is(err, schema.ErrNewerWriter):
		f.refused++
		x.seen = nil
		return nil
	case plainRefused(err):
		return nil
	case err != nil:
		return err
	}
	f.saves++
	if err := plainStable(x.h, x.d); err != nil {
		return err
	}
	if err := f.load(x); err != nil {
		return err
	}
	here := plainFound(x.seen.value)
	newest, report, err := f.p.Load(schema.Of(x.d, nil))
	if err != nil {
		return err
	}
	there := plainFound(newest, plainAfter(report))
	for token := range is {
		if was[token] > 0 {
			continue
		}
		if here[token] == 0 {
			return fmt.Errorf("what Save took is not in what Load gives: %s", token)
		}
		if f.saved[token] > 0 || f.notHere[token] {
			f.took[token] = true
			continue
		}
		f.saved[token], f.notHere[token] = max(1, there[token]), there[token] == 0
	}
	for token := range was {
		if is[token] == 0 {
			f.gone[token] = true
		}
	}
	return nil
}

func plainAfter(r schema.PlainReport) []any {
	var out []any
	for _, e := range r.Late {
		out = append(out, e.After)
	}
	return out
}

// resolve takes late edits in. One device does it: two that do it at once would have everything twice.
func (f *plainRun) resolve(n int, rng *rand.Rand) error {
	x := f.peers[0]
	if err := f.load(x); err != nil || x.seen == nil || len(x.seen.report.Late) == 0 {
		return err
	}
	late := x.seen.report.Late
	if rng.IntN(3) == 0 {
		late = late[:1]
	}
	next := plainClone(x.seen.value)
	for _, e := range late {
		next = e.MergeInto(next)
	}
	f.tell("%d %s takes in %d late edits at version %d", n, x.name, len(late), x.version)
	saves := f.saves
	if err := f.save(x, next, late); err != nil || f.saves == saves {
		return err
	}
	f.resolved += len(late)
	for _, e := range x.seen.report.Late {
		if slices.ContainsFunc(late, func(l schema.LateEdit) bool { return l.Place == e.Place }) {
			return fmt.Errorf("the late edit of %s is reported again after it was resolved", e.Place)
		}
	}
	return nil
}

// sync gives some of what one peer has to another one: any beginning of it, in the order in which it was written.
func (f *plainRun) sync(n int, from, to *plainPeer, rng *rand.Rand) error {
	var raw [][]byte
	changes, err := from.d.Changes()
	if err != nil {
		return err
	}
	has, err := to.d.Changes()
	if err != nil {
		return err
	}
	known := map[string]bool{}
	for _, c := range has {
		known[string(c)] = true
	}
	for _, c := range changes {
		if !known[string(c)] {
			raw = append(raw, c)
		}
	}
	if rng != nil && rng.IntN(3) == 0 {
		raw = raw[:rng.IntN(len(raw)+1)]
	}
	f.tell("%d %s gets %d changes of %s", n, to.name, len(raw), from.name)
	_, err = to.d.Apply(raw...)
	return err
}

// end lets all meet, and asks where everything is.
func (f *plainRun) end(rng *rand.Rand) error {
	for range 2 {
		for _, x := range f.peers[1:] {
			if err := errors.Join(f.sync(-1, x, f.peers[0], nil), f.sync(-1, f.peers[0], x, nil)); err != nil {
				return err
			}
		}
	}
	first := f.peers[0].d
	for _, x := range f.peers {
		for n := 1; n <= f.p.Newest(); n++ {
			text, err := plainLook(f.p.At(n), x.d)
			if err != nil {
				return err
			}
			if err := f.agree(first, n, text); err != nil {
				return err
			}
		}
	}
	whole, err := first.Get("")
	if err != nil {
		return err
	}
	if in, ok := whole.(map[string]any)["$plain"].(map[string]any); ok {
		for k := range in {
			if strings.Contains(k, "@") {
				f.places++
			}
		}
	}
	value, report, err := f.p.Load(schema.Of(first, nil))
	if err != nil {
		return err
	}
	shown, late, stored := plainFound(value), plainFound(plainAfter(report)...), plainFound(whole)
	for token, times := range f.saved {
		switch {
		case f.gone[token]:
		case stored[token] == 0:
			return fmt.Errorf("%s is lost: no place has it any more, and nobody took it away who knew it", token)
		case f.notHere[token]:
		case shown[token]+late[token] == 0:
			return fmt.Errorf("%s is neither in the data nor in a late edit, and nobody took it away who knew it", token)
		case shown[token] > times && !f.took[token]:
			return fmt.Errorf("%s is there %d times and not %d", token, shown[token], times)
		}
	}
	return nil
}
