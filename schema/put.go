package schema

import (
	"cmp"
	"slices"

	"tombolo/doc"
)

// settleGroups plans the fields of groups that are to change and the groups that are to be lowered, the newest group first: what its Down gives may be
// fields of an older one.
func (t *target) settleGroups() error {
	for {
		var g *group
		for _, p := range t.pending {
			g = newer(g, p.n.group)
		}
		for _, s := range t.stale {
			g = newer(g, s)
		}
		if g == nil {
			return nil
		}
		news := t.take(g)
		t.stale = slices.DeleteFunc(t.stale, func(s *group) bool { return s == g })
		err := error(nil)
		if news != nil {
			err = t.group(g, news)
		} else {
			err = t.refresh(g)
		}
		if err != nil {
			return err
		}
	}
}

func newer(g, h *group) *group {
	if g == nil || h.compare(g) > 0 {
		return h
	}
	return g
}

// refresh plans what older versions see of a group, where that is stale. Where an older version wrote last, nothing is.
func (t *target) refresh(g *group) error {
	e, err := t.u.eval(g)
	if err != nil || e.err != nil || !e.fresh || g.oneWay {
		return err
	}
	return t.lower(g, e, e.epoch, e.values)
}

// take gives what is to change of a group, by new field, and nil where nothing is.
func (t *target) take(g *group) []*pending {
	var news []*pending
	t.pending = slices.DeleteFunc(t.pending, func(p pending) bool {
		if p.n.group != g {
			return false
		}
		if news == nil {
			news = make([]*pending, len(g.news))
		}
		news[p.n.out] = &p
		return true
	})
	return news
}

// compare orders groups by when they came.
func (g *group) compare(h *group) int {
	return cmp.Or(cmp.Compare(g.version, h.version), cmp.Compare(len(g.id), len(h.id)), cmp.Compare(g.id, h.id))
}

// group plans new values of a group: an epoch where none is there or an older version wrote last, the values, and what older versions are to see
// of them, with its echo.
func (t *target) group(g *group, news []*pending) error {
	e, err := t.u.eval(g)
	if err != nil {
		return err
	}
	if e.err != nil {
		return e.err
	}
	for i, n := range g.olds {
		if !e.fresh && t.fickle(e.olds[i], n, t.u.path, joined(g.holder, n.name)...) {
			return refuse(t.u.path.pointer(joined(g.holder, n.name)...), nil, "%w", errFickle)
		}
	}
	if err := t.has(g.holder); err != nil {
		return err
	}
	epoch, err := t.epoch(g, e)
	if err != nil {
		return err
	}
	values := slices.Clone(e.values)
	for i, p := range news {
		if p == nil {
			continue
		}
		values[i] = p.v
		v := p.v
		if s, ok := v.(string); ok && g.text {
			v = doc.Text(s)
		}
		t.key(g, epoch.news[i], v)
		t.puts = append(t.puts, p.echo...)
	}
	return t.lower(g, e, epoch, values)
}

// key plans a value under a key of a group's map.
func (t *target) key(g *group, key string, v any) { t.puts = append(t.puts, t.keyPut(g, key, v)) }

func (t *target) keyPut(g *group, key string, v any) put {
	return put{t.place(joined(g.holder, key)...), assign, v}
}

// epoch is the epoch to write into. It is begun where an older version wrote last.
func (t *target) epoch(g *group, e *eval) (*epoch, error) {
	if e.fresh {
		return e.epoch, nil
	}
	epoch, err := g.next(e)
	if err != nil {
		return nil, err
	}
	t.key(g, g.keys.cur, epoch.name)
	if g.text {
		path := t.place(joined(g.holder, epoch.news[0])...)
		there, err := t.u.keyed(g.holder, epoch.news[0])
		if there == nil && err == nil {
			s, _ := e.values[0].(string)
			t.seeds = append(t.seeds, put{path: path, v: doc.Text(s)})
		}
		return epoch, err
	}
	for i, v := range e.values {
		t.key(g, epoch.starts[i], v)
	}
	return epoch, nil
}

// lower plans what older versions see of new values, and the echoes of it.
func (t *target) lower(g *group, e *eval, epoch *epoch, values []any) error {
	olds := e.shown(g)
	if !g.oneWay {
		var err error
		if olds, err = g.down(typedAs(g.news, values), olds); err != nil {
			return t.u.failed(g, "Down", err)
		}
	}
	for i, n := range g.olds {
		r := e.olds[i]
		switch {
		case !g.oneWay && !doc.Equal(olds[i], r.shown):
			v, err := n.accept(olds[i])
			if err != nil {
				return t.u.failed(g, "Down", err)
			}
			if err := t.write(n, v, t.keyPut(g, epoch.echoes[i], echoOf(v))); err != nil {
				return err
			}
			continue
		case epoch != e.epoch && !r.absent:
			t.key(g, epoch.begun[i], echoOf(r.raw))
		}
		if n.group != nil { // unchanged, but an edit of this chain: what lies below it may be stale
			t.stale = append(t.stale, n.group)
		}
	}
	return nil
}
