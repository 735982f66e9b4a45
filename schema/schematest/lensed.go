package schematest

import (
	"slices"

	"tombolo/doc"
)

// lensed checks that what lenses make of an edit is there right after it: at newer versions what Up makes of it, with what they showed before, and at
// older ones what Down does.
func (r *run) lensed(p *peer, was, now *snapshot, sc *script) error {
	for _, name := range sortedKeys(sc.units) {
		w := sc.units[name]
		k := r.sh.kin[w.typ]
		before, after := &court{r: r, p: p, name: name, typ: w.typ, k: k, now: was}, &court{r: r, p: p, name: name, typ: w.typ, k: k, now: now}
		seen := map[*lens]bool{}
		for _, s := range sortedKeys(k.lens) {
			l := k.lens[s]
			if seen[l] {
				continue
			}
			seen[l] = true
			var err error
			if sc.version >= l.Version {
				err = r.lowered(before, after, l, w)
			} else {
				err = r.raised(before, after, l, w)
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// touched says whether an edit wrote one of some slots, or what is made of them or they are made of.
func (w *written) touched(k *kin, slots []slot) bool {
	return slices.ContainsFunc(slots, func(s slot) bool {
		for t := range w.slots {
			if k.from[s][t] {
				return true
			}
		}
		return false
	})
}

// lowered checks what an older version shows after an edit by a newer one.
func (r *run) lowered(before, after *court, l *lens, w *written) error {
	if l.OneWay || !w.touched(after.k, l.news) {
		return nil
	}
	news, complete := after.several(l.Version, l.news)
	olds, visible := after.several(l.Version-1, l.olds)
	if !complete || !visible {
		return nil
	}
	then, there := before.several(l.Version-1, l.olds)
	had, _ := before.several(l.Version, l.news)
	if !there { // a new row
		then, had = r.sh.blanksOf(l.Version-1, w.typ, l.olds), r.sh.blanksOf(l.Version, w.typ, l.news)
	}
	if doc.Equal(had, news) {
		return nil // what showed before was written, or newer versions see a difference that this one does not
	}
	for i, blank := range r.sh.blanksOf(l.Version-1, w.typ, l.olds) {
		if !doc.Equal(blank, l.Olds[i].Default) {
			return nil // a step of the same version gave it another default first, with which Down goes on
		}
	}
	want, err := l.Down(news, then)
	for i := range want {
		if olds[i] == nil && then[i] == nil {
			want[i] = nil // what is not stored may show a default since, which Down then gives
		}
	}
	if err != nil || !alike(want, olds) {
		return broken("lens", "%q of version %d shows %s after an edit by a newer version; Down of %s gives %s (%v)", after.name, l.Version-1, show(olds), l.Step, show(want), err)
	}
	return nil
}

// blanksOf is what slots show before anybody wrote.
func (sh *shape) blanksOf(v int, typ string, slots []slot) []any {
	out := make([]any, len(slots))
	for i, s := range slots {
		out[i] = sh.blank[v][typ][s]
	}
	return out
}

// raised checks what a newer version shows after an edit by an older one, as far as nobody edited at the same time.
func (r *run) raised(before, after *court, l *lens, w *written) error {
	if !w.touched(after.k, l.olds) {
		return nil
	}
	news, complete := after.several(l.Version, l.news)
	olds, visible := after.several(l.Version-1, l.olds)
	then, known := before.several(l.Version-1, l.olds)
	if !complete || !visible || !known || doc.Equal(olds, then) {
		return nil
	}
	prev, alone := r.lastNew(after, l)
	if !alone {
		return nil
	}
	want, err := l.Up(olds, prev)
	if err != nil || !doc.Equal(want, news) {
		return broken("lens", "%q of version %d shows %s after an edit by an older version; Up of %s gives %s (%v)", after.name, l.Version, show(news), l.Step, show(want), err)
	}
	return nil
}

// lastNew is what newer versions last wrote into what a lens makes, nil for never. It is false where that is not one edit, before or after which
// all others of the class came.
func (r *run) lastNew(c *court, l *lens) ([]any, bool) {
	var all []*touch
	for _, t := range r.touches[c.name][c.k.class[l.news[0]]] {
		if c.p.seen.has(t.e.n) {
			all = append(all, t)
		}
	}
	var last *touch
	for _, t := range all {
		if t.e.version >= l.Version {
			last = t
		}
	}
	if last == nil {
		return nil, !r.later // never
	}
	prev, was := make([]any, len(l.news)), r.sh.blanksOf(l.Version, c.typ, l.news)
	for i, s := range l.news {
		prev[i] = last.shows[l.Version][s]
		if v := last.was[l.Version][s]; v != nil {
			was[i] = v
		}
	}
	direct := slices.ContainsFunc(last.slots, func(s slot) bool { return slices.Contains(l.news, s) })
	apart := slices.ContainsFunc(all, func(t *touch) bool { return t.e.beside(last.e) })
	return prev, direct && !apart && !doc.Equal(prev, was)
}
