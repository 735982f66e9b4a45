package schematest

import (
	"context"
	"errors"
	"slices"
	"strings"

	"tombolo/doc"
	"tombolo/schema"
)

// edit is one change by one device.
type edit struct {
	n       int
	version int
	past    bits // without itself
	// quiet says that it made rows or other containers and nothing else. These are changes that follow from the document alone: they have neither a past
	// nor marks, and others may make the same.
	quiet bool
}

func (e *edit) before(other *edit) bool { return other.past.has(e.n) }

func (e *edit) beside(other *edit) bool { return e != other && !e.before(other) && !other.before(e) }

// bits is a set of small numbers.
type bits []uint64

func (b bits) has(n int) bool { return n/64 < len(b) && b[n/64]&(1<<(n%64)) != 0 }

func (b *bits) add(n int) {
	for len(*b) <= n/64 {
		*b = append(*b, 0)
	}
	(*b)[n/64] |= 1 << (n % 64)
}

// edit makes a random change at a peer's version, and checks that it did what it says and nothing else.
func (r *run) edit(p *peer, n int) error {
	was, err := r.look(p)
	if err != nil {
		return err
	}
	old := r.sh.s.At(p.version)
	status, err := old.Inspect(p.d)
	if err != nil {
		return err
	}
	before, heads := p.d.Len(), headsOf(p.d)
	sc := &script{r: r, rng: r.rng("edit", n), n: n, version: p.version}
	view, want := r.sh.views[p.version], clone(was.views[p.version]).(tree)
	if e, ok := sc.edit(want); ok {
		err = view.Text(schema.Of(p.d, nil), e.path...).Splice(context.Background(), e.at, e.del, e.s)
	} else {
		err = view.Update(context.Background(), schema.Of(p.d, nil), "", func(m *tree) error {
			sc.write(*m)
			want = clone(*m).(tree)
			return nil
		})
	}
	r.log("%3d  peer %d (v%d) %s%s", n, p.n, p.version, strings.Join(sc.said, ", "), suffix(err))
	switch {
	case err == nil && (!status.Writable || status.MinWriter > p.version):
		return broken("refusal", "peer %d wrote at version %d, where it must not: %v", p.n, p.version, status.Why)
	case err == nil:
	case p.d.Len() != before || headsOf(p.d) != heads:
		return broken("failure", "peer %d: an edit failed and wrote something: %v", p.n, err)
	case !status.Writable && (errors.Is(err, schema.ErrNewerWriter) || errors.Is(err, schema.ErrForked)),
		errors.Is(err, doc.ErrRecordDeleted), refused(err):
		r.totals.Refused++
		return nil
	default:
		return broken("failure", "peer %d (v%d) %s: %v", p.n, p.version, strings.Join(sc.said, ", "), err)
	}
	p.now = nil
	now, err := r.look(p)
	if err != nil {
		return err
	}
	if !r.covers(now.views[p.version], want, p.version, sc) {
		return broken("putget", "peer %d (v%d) %s, and reads something else:\n%s", p.n, p.version, strings.Join(sc.said, ", "), diffOf(want, now.views[p.version]))
	}
	if p.d.Len() == before {
		return nil
	}
	r.totals.Edits++
	e := &edit{n: len(r.edits), version: p.version, past: slices.Clone(p.seen)}
	r.edits = append(r.edits, e)
	last, err := p.d.Entry(p.d.Graph().At(p.d.Len() - 1))
	if err != nil {
		return err
	}
	if e.quiet = last.Structural; e.quiet {
		e.past = nil
	}
	r.of[last.Hash] = append(r.of[last.Hash], e.n)
	p.seen.add(e.n)
	if err := r.alone(was, now, sc); err != nil {
		return err
	}
	if err := r.marked(p); err != nil {
		return err
	}
	r.note(e, was, now, sc)
	return r.lensed(p, was, now, sc)
}

// marked checks that a document says which versions wrote it, and the least one that may.
func (r *run) marked(p *peer) error {
	return p.d.Content(func(c doc.Content) error {
		m := c.Marks()
		said := map[int]bool{}
		for _, w := range schema.Written(m) {
			said[w.Version] = !w.Forked
		}
		least := 0
		for _, e := range r.edits {
			if p.seen.has(e.n) && !e.quiet {
				if !said[e.version] {
					return broken("marks", "version %d wrote, and the document's marks do not say so", e.version)
				}
				least = max(least, r.sh.least[e.version])
			}
		}
		if m.MinWriter < least || m.MinWriter > least && !r.later {
			return broken("marks", "the least version that may write is %d by the document's marks, and should be %d", m.MinWriter, least)
		}
		return nil
	})
}

func suffix(err error) string {
	if err == nil {
		return ""
	}
	return " (refused: " + err.Error() + ")"
}

// refused says whether a value was not accepted by the field's own rules.
func refused(err error) bool {
	if step, ok := errors.AsType[*schema.StepError](err); ok {
		return step.Func == "Check"
	}
	_, wrong := errors.AsType[*schema.ValueError](err)
	return wrong
}

// covers says whether a view shows what a program wrote into it. Rows that it made have more fields than it gave.
func (r *run) covers(got, want tree, version int, sc *script) bool {
	ok := true
	wanted := map[string]unit{}
	for u := range r.sh.units(version, want) {
		wanted[u.name] = u
	}
	for u := range r.sh.units(version, got) {
		w, there := wanted[u.name]
		delete(wanted, u.name)
		if !there {
			return false
		}
		made := sc.units[u.name] != nil && sc.units[u.name].created
		for _, p := range r.sh.places[version][u.typ] {
			v := get(w.m, p.path)
			if p.info.Kind != schema.KindTable && (!made || v != nil) {
				ok = ok && doc.Equal(get(u.m, p.path), v)
			}
		}
	}
	return ok && len(wanted) == 0
}

// alone checks that an edit changed what it was to change, and what lenses connect with that, and nothing else in any version.
func (r *run) alone(was, now *snapshot, sc *script) error {
	for v := 1; v <= r.sh.newest; v++ {
		for _, name := range sortedKeys(now.units[v]) {
			u, touched := now.units[v][name], sc.units[name]
			old, there := was.units[v][name]
			if !there {
				if touched == nil || !touched.created {
					return broken("aside", "it made %s appear in version %d", name, v)
				}
				continue
			}
			k := r.sh.kin[u.typ]
			for _, p := range r.sh.places[v][u.typ] {
				if p.info.Kind == schema.KindTable || touched != nil && touched.classes[k.class[p.slot]] {
					continue
				}
				if a, b := get(old.m, p.path), get(u.m, p.path); !doc.Equal(a, b) {
					return broken("aside", "it changed %s of %q in version %d from %s to %s", strings.Join(p.path, "."), name, v, show(a), show(b))
				}
			}
		}
		for name := range was.units[v] {
			if _, there := now.units[v][name]; !there && !sc.deletes(name) {
				return broken("aside", "it made %s vanish in version %d", name, v)
			}
		}
	}
	return nil
}
