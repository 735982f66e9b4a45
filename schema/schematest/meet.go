package schematest

import (
	"context"
	"errors"
	"slices"

	"tombolo/doc"
	"tombolo/schema"
)

// meet gives all peers everything.
func (r *run) meet() error {
	for _, hub := range []bool{true, false} {
		for _, p := range r.peers[1:] {
			from, to := p, r.peers[0]
			if !hub {
				from, to = to, from
			}
			changes, err := from.d.Changes()
			if err != nil {
				return err
			}
			got, err := to.d.Apply(changes...)
			if err != nil || len(got.Missing) > 0 {
				return broken("sync", "peer %d refuses the changes of peer %d: %v, missing %v", to.n, from.n, err, got.Missing)
			}
			to.now = nil
			for _, c := range got.New {
				for _, e := range r.of[c.Hash] {
					to.seen.add(e)
				}
			}
		}
	}
	r.log("     all peers meet")
	hash, err := r.peers[0].d.Hash()
	if err != nil {
		return err
	}
	for _, p := range r.peers {
		if headsOf(p.d) != headsOf(r.peers[0].d) {
			return broken("divergence", "peer %d has other changes after all met", p.n)
		}
		if h, err := p.d.Hash(); err != nil || h != hash {
			r.totals.Divergences++
			return broken("divergence", "peer %d has the same changes and another value: %v", p.n, err)
		}
		if _, err := r.look(p); err != nil {
			return err
		}
	}
	for v := 1; v <= r.sh.newest; v++ { // the newest program shows older versions as older programs do
		got, _, err := r.sh.later[v].Read(r.peers[0].d)
		if err != nil || !doc.Equal(got, r.peers[0].now.views[v]) {
			return broken("divergence", "the newest program shows another version %d than a program of that version: %v\n%s", v, err, diffOf(r.peers[0].now.views[v], got))
		}
	}
	return nil
}

// settle has all peers repair what older versions see, apart, until nobody has anything to do. The newest view is not to change by it.
func (r *run) settle() error {
	newest := r.peers[0].now.views[r.sh.newest]
	for round := range 4 {
		wrote := false
		for _, p := range r.peers {
			n := p.d.Len()
			changed, err := r.sh.s.Settle(context.Background(), schema.Of(p.d, nil))
			if errors.Is(err, schema.ErrStep) || err == nil && changed != (p.d.Len() > n) {
				return broken("settling", "peer %d: changed is %v, with %d new changes: %v", p.n, changed, p.d.Len()-n, err)
			} else if err != nil {
				return err
			}
			wrote = wrote || changed
			p.now = nil
			if again, err := r.sh.s.Settle(context.Background(), schema.Of(p.d, nil)); err != nil || again {
				return broken("settling", "peer %d has something to settle again: %v", p.n, err)
			}
		}
		r.log("     all peers settle")
		if err := r.meet(); err != nil {
			return err
		}
		if got := r.peers[0].now.views[r.sh.newest]; !doc.Equal(got, newest) {
			return broken("settling", "it changed the newest view:\n%s", diffOf(newest, got))
		}
		if !wrote {
			return r.settled(r.peers[0])
		}
		if round == 3 {
			break
		}
	}
	return broken("settling", "it does not come to an end")
}

// settled checks that older versions show what newer ones do, after all settled: as far as no older version wrote last, whose values newer ones
// show as Up has them.
func (r *run) settled(p *peer) error {
	now, err := r.look(p)
	if err != nil {
		return err
	}
	for _, name := range sortedKeys(now.units[r.sh.newest]) {
		u := now.units[r.sh.newest][name]
		k := r.sh.kin[u.typ]
		for _, s := range sortedKeys(k.lens) {
			l := k.lens[s]
			c := &court{r: r, p: p, name: name, typ: u.typ, k: k, now: now, all: r.touches[name][k.class[s]]}
			news, complete := c.several(l.Version, l.news)
			olds, visible := c.several(l.Version-1, l.olds)
			if l.OneWay || s != l.news[0] || !complete || !visible || len(c.all) == 0 {
				continue
			}
			down, err := l.Down(news, olds)
			if err == nil && alike(down, olds) {
				continue
			}
			old := slices.ContainsFunc(c.previous(l), func(prev []any) bool {
				up, err := l.Up(olds, prev)
				return err == nil && doc.Equal(up, news)
			})
			if !old {
				return broken("settling", "%q of version %d shows %s, and of version %d %s; Down of %s gives %s (%v)",
					name, l.Version, show(news), l.Version-1, show(olds), l.Step, show(down), err)
			}
		}
	}
	return nil
}
