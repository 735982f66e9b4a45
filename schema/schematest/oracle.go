package schematest

import (
	"slices"
	"strings"

	"tombolo/doc"
	"tombolo/schema"
)

// touch is what one edit did to the slots of one class in one unit.
type touch struct {
	e     *edit
	slots []slot
	was   []map[slot]any // as shows, right before
	shows []map[slot]any // by version: what the class shows right after, to whom made the edit
}

// at is the version that shows a slot, the writer's own if it does.
func (t *touch) at(s slot) int {
	if _, ok := t.shows[t.e.version][s]; ok {
		return t.e.version
	}
	for v := len(t.shows) - 1; v > 0; v-- {
		if _, ok := t.shows[v][s]; ok {
			return v
		}
	}
	return 0
}

// classOf reads the slots of a class in a unit, by version.
func (r *run) classOf(now *snapshot, name string, class slot) []map[slot]any {
	out := make([]map[slot]any, r.sh.newest+1)
	for v := 1; v <= r.sh.newest; v++ {
		out[v] = map[slot]any{}
		u, ok := now.units[v][name]
		if !ok {
			continue
		}
		for _, p := range r.sh.places[v][u.typ] {
			if r.sh.kin[u.typ].class[p.slot] == class && p.info.Kind != schema.KindTable {
				out[v][p.slot] = get(u.m, p.path)
			}
		}
	}
	return out
}

// note remembers what an edit did, for the judgment in the end.
func (r *run) note(e *edit, was, now *snapshot, sc *script) {
	for _, name := range sortedKeys(sc.units) {
		w := sc.units[name]
		if w.created {
			r.row(name).made = append(r.row(name).made, e)
		}
		k := r.sh.kin[w.typ]
		for _, class := range sortedKeys(w.classes) {
			t := &touch{e: e, was: r.classOf(was, name, class), shows: r.classOf(now, name, class)}
			for _, s := range sortedKeys(w.slots) {
				if k.class[s] == class {
					t.slots = append(t.slots, s)
				}
			}
			if r.touches[name] == nil {
				r.touches[name] = map[slot][]*touch{}
			}
			r.touches[name][class] = append(r.touches[name][class], t)
			for s, of := range k.class {
				if of == class {
					r.live(name, s, k.kinds[s], t)
				}
			}
		}
	}
	for _, name := range sc.gone {
		r.row(name).gone = append(r.row(name).gone, e)
	}
}

func (r *run) row(name string) *rowLife {
	if r.rows[name] == nil {
		r.rows[name] = &rowLife{}
	}
	return r.rows[name]
}

// court judges what a peer shows, from the edits that it has.
type court struct {
	r    *run
	p    *peer
	name string // of the unit
	typ  string
	k    *kin
	all  []*touch // of the class, that the peer has
	now  *snapshot
}

// judge checks everything that a peer shows against the edits that it has.
func (r *run) judge(p *peer) error {
	now, err := r.look(p)
	if err != nil {
		return err
	}
	for v := 1; v <= r.sh.newest; v++ {
		if err := r.judgeRows(p, now, v); err != nil {
			return err
		}
		for _, name := range sortedKeys(now.units[v]) {
			u := now.units[v][name]
			for _, place := range r.sh.places[v][u.typ] {
				if place.info.Kind == schema.KindTable {
					continue
				}
				k := r.sh.kin[u.typ]
				c := &court{r: r, p: p, name: name, typ: u.typ, k: k, now: now}
				for _, t := range r.touches[name][k.class[place.slot]] {
					if p.seen.has(t.e.n) {
						c.all = append(c.all, t)
					}
				}
				shown := get(u.m, place.path)
				if register(place.info.Kind) {
					err = c.register(v, place, shown)
				} else {
					err = c.population(v, place, shown)
				}
				if err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// register checks that a register shows what an edit wrote that no other one knew, or else one that lost by the rule of [court.excused].
func (c *court) register(v int, p place, shown any) error {
	many := c.headed(p.slot)
	if many != "" && slices.ContainsFunc(c.all, func(t *touch) bool { return slices.Contains(t.slots, many) }) {
		return c.head(v, p, shown, many)
	}
	var related []*touch
	for _, t := range c.all {
		if c.k.relates(p.slot, t.slots) {
			related = append(related, t)
		}
	}
	// standing says whether a value from t, or of the beginning, may show, and whether no later edit had to be excused for it.
	standing := func(t *touch) (may, strictly bool) {
		may, strictly = true, true
		for _, later := range related {
			if t != nil && !t.e.before(later.e) || later == t {
				continue
			}
			strictly = false
			if !c.excused(later) {
				return false, false
			}
		}
		return may, strictly
	}
	excused := false
	try := func(t *touch, value any) bool {
		if !doc.Equal(value, shown) {
			return false
		}
		may, strictly := standing(t)
		excused = excused || may
		return strictly
	}
	for _, t := range related {
		if try(t, t.shows[v][p.slot]) {
			return nil
		}
	}
	if try(nil, c.r.sh.blank[v][c.typ][p.slot]) {
		return nil
	}
	if excused {
		if c.last(v, p.slot) {
			c.r.totals.Concurrent++
		}
		return nil
	}
	if c.translated(v, p, shown, related, standing) || c.projected(p, shown, related) {
		return nil
	}
	c.r.totals.LostRegisters++
	var could []string
	for _, t := range related {
		if _, strictly := standing(t); strictly {
			could = append(could, show(t.shows[v][p.slot]))
		}
	}
	return broken("register", "%s of %q in version %d shows %s; the newest values written there are %s",
		strings.Join(p.path, "."), c.name, v, show(shown), strings.Join(could, ", "))
}

// translated says whether a value is what a lens makes of what its older fields show together: each may come from another edit.
func (c *court) translated(v int, p place, shown any, related []*touch, standing func(*touch) (bool, bool)) bool {
	l := c.k.lens[p.slot]
	if l == nil {
		return false
	}
	below := slices.ContainsFunc(related, func(t *touch) bool {
		may, _ := standing(t)
		return may && slices.ContainsFunc(t.slots, func(s slot) bool {
			return c.k.from[p.slot][s] && s != p.slot && !slices.Contains(l.news, s) && !c.after(l, s)
		})
	})
	if !below {
		return false
	}
	olds, complete := c.several(l.Version-1, l.olds)
	if !complete {
		return true // made and used up in one version: nobody sees it
	}
	found := [][]any{olds} // what the older fields showed together, and somebody saw and took over
	for _, t := range c.all {
		if may, _ := standing(t); !may {
			continue
		}
		then := make([]any, len(l.olds))
		for i, s := range l.olds {
			then[i] = t.was[l.Version-1][s]
		}
		found = append(found, then)
	}
	out := slices.Index(l.news, p.slot)
	for _, prev := range c.previous(l) {
		for _, olds := range found {
			news, err := l.Up(olds, prev)
			if err == nil && doc.Equal(news[out], shown) {
				return true
			}
		}
	}
	return false
}

// projected says whether a value is what a lens makes of what its newer fields show together, which are judged themselves.
func (c *court) projected(p place, shown any, related []*touch) bool {
	if !slices.ContainsFunc(related, func(a *touch) bool {
		return slices.ContainsFunc(related, func(b *touch) bool { return a.e.beside(b.e) })
	}) {
		return false
	}
	for _, s := range sortedKeys(c.k.lens) {
		l := c.k.lens[s]
		out := slices.Index(l.olds, p.slot)
		if out < 0 || l.OneWay {
			continue
		}
		news, complete := c.several(l.Version, l.news)
		olds, both := c.several(l.Version-1, l.olds)
		if !complete || !both {
			continue
		}
		if down, err := l.Down(news, olds); err == nil && doc.Equal(down[out], shown) {
			return true
		}
	}
	return false
}

// several are slots of the unit as a version has them, if it has all.
func (c *court) several(v int, slots []slot) ([]any, bool) {
	out := make([]any, len(slots))
	for i, s := range slots {
		var ok bool
		if out[i], ok = c.shows(v, s); !ok {
			return nil, false
		}
	}
	return out, true
}

// after says whether a slot is made of what a lens makes.
func (c *court) after(l *lens, s slot) bool {
	for m := c.k.lens[s]; m != nil; {
		if m == l {
			return true
		}
		var next *lens
		for _, o := range m.olds {
			if in := c.k.lens[o]; in != nil {
				next = in
			}
		}
		m = next
	}
	return false
}

// shows is a slot of the unit as a version has it.
func (c *court) shows(v int, s slot) (any, bool) {
	u, ok := c.now.units[v][c.name]
	if !ok {
		return nil, false
	}
	for _, p := range c.r.sh.places[v][u.typ] {
		if p.slot == s {
			return get(u.m, p.path), true
		}
	}
	return nil, false
}

// last says whether a version is the last one to show a slot: there it is counted.
func (c *court) last(v int, s slot) bool {
	for w := v + 1; w <= c.r.sh.newest; w++ {
		if _, ok := c.shows(w, s); ok {
			return false
		}
	}
	return true
}

// previous are new values that a lens may have found before an older version wrote.
func (c *court) previous(l *lens) [][]any {
	const most = 2000
	out := [][]any{{}}
	for _, s := range l.news {
		var values []any
		for _, t := range c.all {
			for v := l.Version; v < len(t.shows); v++ {
				value, ok := t.shows[v][s]
				if ok && !slices.ContainsFunc(values, func(known any) bool { return doc.Equal(known, value) }) {
					values = append(values, value)
				}
			}
		}
		var longer [][]any
		for _, prefix := range out {
			for _, value := range values {
				longer = append(longer, append(slices.Clone(prefix), value))
			}
		}
		if out = longer; len(out) > most {
			out = out[:most]
		}
	}
	return append(out, nil)
}

// excused says whether an edit may have lost as the rule of concurrent groups says.
func (c *court) excused(x *touch) bool {
	return slices.ContainsFunc(c.all, func(y *touch) bool { return c.rival(x, y) })
}

// rival says whether one of two edits made apart may hide the other one: an older and a newer version wrote at the same time what a lens connects, and
// these are the two edits, or they built on them while one of the two did not know both.
func (c *court) rival(x, y *touch) bool {
	if !x.e.beside(y.e) {
		return false
	}
	pair := [2]*touch{x, y}
	if known, ok := c.r.rivals[pair]; ok {
		return known
	}
	is := c.k.crosses(x.slots, y.slots)
	for _, o := range c.all {
		if is || o != x && !o.e.before(x.e) {
			continue
		}
		is = slices.ContainsFunc(c.all, func(p *touch) bool {
			switch {
			case p != y && !p.e.before(y.e), o == x && p == y, (o == y || o.e.before(y.e)) && (p == x || p.e.before(x.e)):
				return false
			}
			return c.rival(o, p)
		})
	}
	c.r.rivals[pair] = is
	return is
}

// headed is the set that a string is the head of; "" for none.
func (c *court) headed(s slot) slot {
	for many, head := range c.k.heads {
		if head == s {
			return many
		}
	}
	return ""
}

// head checks that the string that became a set shows one of its elements, unless it is stale.
func (c *court) head(v int, p place, shown any, many slot) error {
	one, _ := shown.(string)
	for w := v + 1; w <= c.r.sh.newest; w++ {
		elems, ok := c.shows(w, many)
		if !ok {
			continue
		}
		if in, _ := elems.(tree); one == "" && len(in) == 0 || one != "" && in[one] != nil || c.stale(one, many) {
			return nil
		}
		c.r.totals.LostItems++
		return broken("item", "%s of %q in version %d shows %q, which is none of %s", strings.Join(p.path, "."), c.name, v, one, show(elems))
	}
	return nil
}

// stale says whether the string that a set was may show something else: an older version emptied it, or while one edit wrote it another one changed
// the set.
func (c *court) stale(one string, many slot) bool {
	if one == "" {
		return slices.ContainsFunc(c.all, func(t *touch) bool {
			beside := func(o *touch) bool { return o.e.beside(t.e) }
			return c.headOf(t, t.shows, many) == "" && (slices.Contains(t.slots, c.k.heads[many]) || slices.ContainsFunc(c.all, beside))
		})
	}
	pop := c.r.lives[c.name][many]
	return pop != nil && pop.lives[one] != nil && c.shownBeside(many, one, &life{gone: c.has(pop.lives[one].gone)}, func(*touch) bool { return true })
}
