package schematest

import (
	"slices"
	"strings"

	"tombolo/doc"
	"tombolo/schema"
)

// life is when an element or a token in a text came and went.
type life struct{ made, gone []*touch }

// rowLife is when a row came and went.
type rowLife struct{ made, gone []*edit }

// population is what lives in a text, set or list, or what was counted.
type population struct {
	lives map[string]*life
	sums  []sum
}

type sum struct {
	e  *edit
	by int64
}

// live notes what a touch did to a slot that holds several things.
func (r *run) live(name string, s slot, kind schema.Kind, t *touch) {
	if register(kind) || kind == schema.KindTable || kind == schema.KindNested {
		return
	}
	v := t.at(s)
	if v == 0 {
		return
	}
	if r.lives[name] == nil {
		r.lives[name] = map[slot]*population{}
	}
	pop := r.lives[name][s]
	if pop == nil {
		pop = &population{lives: map[string]*life{}}
		r.lives[name][s] = pop
	}
	if kind == schema.KindCounter {
		was, _ := t.was[v][s].(doc.Counter)
		is, _ := t.shows[v][s].(doc.Counter)
		if is != was {
			pop.sums = append(pop.sums, sum{t.e, int64(is - was)})
		}
		return
	}
	was, is := items(t.was[v][s]), items(t.shows[v][s])
	for item := range is {
		if was[item] == 0 {
			l := pop.life(item)
			l.made = append(l.made, t)
		}
	}
	for item := range was {
		if is[item] == 0 {
			l := pop.life(item)
			l.gone = append(l.gone, t)
		}
	}
}

func (pop *population) life(item string) *life {
	if pop.lives[item] == nil {
		pop.lives[item] = &life{}
	}
	return pop.lives[item]
}

// items are what is in a text, set or list, and how often.
func items(v any) map[string]int {
	switch v := v.(type) {
	case doc.Text:
		return tokensOf(v)
	case tree:
		out := map[string]int{}
		for e := range v {
			out[e] = 1
		}
		return out
	case []any:
		out := map[string]int{}
		for _, e := range v {
			out[show(e)]++
		}
		return out
	}
	return nil
}

// has are the edits of a list that a peer has.
func (p *peer) has(all []*edit) (out []*edit) {
	for _, e := range all {
		if p.seen.has(e.n) {
			out = append(out, e)
		}
	}
	return out
}

// judgeRows checks that rows are there that somebody made and nobody deleted.
func (r *run) judgeRows(p *peer, now *snapshot, v int) error {
	for _, name := range sortedKeys(now.units[v]) {
		u := now.units[v][name]
		for _, place := range r.sh.places[v][u.typ] {
			if place.info.Kind != schema.KindTable {
				continue
			}
			shown, _ := get(u.m, place.path).(tree)
			prefix := u.rowName(place.slot, "")
			for _, row := range sortedKeys(r.rows) {
				id, in := strings.CutPrefix(row, prefix)
				if !in || strings.Contains(id, "/") {
					continue
				}
				_, there := shown[id]
				made, gone := p.has(r.rows[row].made), p.has(r.rows[row].gone)
				if len(gone) == 0 && len(made) == 0 {
					continue // an empty row may arrive before the edit that made it
				}
				if want := len(gone) == 0; want != there {
					r.totals.LostItems++
					return broken("item", "row %s: there in version %d is %v, and should be %v", row, v, there, want)
				}
			}
			for _, id := range sortedKeys(shown) {
				if r.rows[prefix+id] == nil {
					return broken("item", "row %s is in version %d, and nobody made it", prefix+id, v)
				}
			}
		}
	}
	return nil
}

// population checks what is in a text, set, list or counter.
func (c *court) population(v int, p place, shown any) error {
	pop := c.r.lives[c.name][p.slot]
	if pop == nil {
		pop = &population{}
	}
	if p.info.Kind == schema.KindCounter {
		return c.counter(v, p, shown, pop)
	}
	if !countable(p.info) {
		return nil
	}
	have := items(shown)
	for _, item := range sortedKeys(have) {
		if have[item] > 1 {
			c.lost(p.info.Kind)
			return broken("item", "%s is %d times in %s of %q in version %d: %s", item, have[item], strings.Join(p.path, "."), c.name, v, show(shown))
		}
		if pop.lives[item] == nil && p.info.Kind != schema.KindText && !c.defaulted(p, item) {
			c.lost(p.info.Kind)
			return broken("item", "%s is in %s of %q in version %d, and nobody put it there", item, strings.Join(p.path, "."), c.name, v)
		}
	}
	for _, item := range sortedKeys(pop.lives) {
		l := pop.lives[item]
		l = &life{c.has(l.made), c.has(l.gone)}
		stand := l.standing()
		want, there := len(stand) > 0, have[item] > 0
		if want == there {
			continue
		}
		if there && c.mayReturn(p, item, l) || !there && c.mayHide(p, stand) {
			if c.last(v, p.slot) {
				c.r.totals.Shadowed++
			}
			continue
		}
		c.lost(p.info.Kind)
		return broken("item", "%s: it is in %s of %q in version %d: %v, and should be: %v\n%s", item, strings.Join(p.path, "."), c.name, v, there, want, show(shown))
	}
	return nil
}

// lost counts what should be there.
func (c *court) lost(k schema.Kind) {
	if k == schema.KindText {
		c.r.totals.LostText++
	} else {
		c.r.totals.LostItems++
	}
}

func (c *court) counter(v int, p place, shown any, pop *population) error {
	total := int64(0)
	for _, s := range pop.sums {
		if c.p.seen.has(s.e.n) {
			total += s.by
		}
	}
	if is, _ := shown.(doc.Counter); int64(is) != total {
		c.r.totals.LostItems++
		return broken("item", "%s of %q in version %d counts %v; the increments make %d", strings.Join(p.path, "."), c.name, v, shown, total)
	}
	return nil
}

// countable says whether each element stands for one edit.
func countable(f schema.FieldInfo) bool {
	if f.Kind != schema.KindList {
		return true
	}
	unique := func(e schema.FieldInfo) bool { return e.Kind != schema.KindBool && len(e.Enum) == 0 }
	if f.Elem.Kind == schema.KindNested {
		return slices.ContainsFunc(f.Elem.Inside, unique)
	}
	return unique(*f.Elem)
}

// defaulted says whether an element comes from the default of the string that a set was.
func (c *court) defaulted(p place, item string) bool {
	return c.k.heads[p.slot] != "" && !slices.ContainsFunc(c.all, func(t *touch) bool { return c.headOf(t, t.shows, p.slot) == item })
}

// headOf is what the string shows that a set was, before or after an edit; "" for nothing.
func (c *court) headOf(t *touch, shows []map[slot]any, many slot) string {
	for v := range shows {
		if s, ok := shows[v][c.k.heads[many]]; ok {
			text, _ := s.(string)
			return text
		}
	}
	return ""
}

// standing are the edits that made something which nobody who saw that took away.
func (l *life) standing() (out []*touch) {
	for _, m := range l.made {
		if !slices.ContainsFunc(l.gone, func(g *touch) bool { return m.e.before(g.e) }) {
			out = append(out, m)
		}
	}
	return out
}

// has are the edits of a list that the peer has.
func (c *court) has(all []*touch) (out []*touch) {
	for _, t := range all {
		if c.p.seen.has(t.e.n) {
			out = append(out, t)
		}
	}
	return out
}

// mayHide says whether something may be away that these edits made and nobody took: in a text that is a string to older versions by the rule of
// concurrent groups, in a set that was one string if it was that string, and others wrote it at the same time.
func (c *court) mayHide(p place, made []*touch) bool {
	many, head := p.slot, c.k.heads[p.slot]
	return !slices.ContainsFunc(made, func(t *touch) bool {
		if head == "" {
			return !c.yields(p, t)
		}
		return slices.Contains(t.slots, many) || !slices.ContainsFunc(c.all, func(h *touch) bool {
			return h.e.beside(t.e) && (slices.Contains(h.slots, head) || c.headOf(h, h.was, many) != c.headOf(h, h.shows, many))
		})
	})
}

// mayReturn says whether something may be there that was taken away, by the same rules.
func (c *court) mayReturn(p place, item string, l *life) bool {
	if head := c.k.heads[p.slot]; head != "" {
		return c.shownBeside(p.slot, item, l, func(h *touch) bool { return slices.Contains(h.slots, head) })
	}
	return slices.ContainsFunc(l.made, func(m *touch) bool {
		return !slices.ContainsFunc(l.gone, func(g *touch) bool { return m.e.before(g.e) && !c.yields(p, g) })
	})
}

// shownBeside says whether edits showed an element as the string that the set was, while others took it away.
func (c *court) shownBeside(many slot, item string, l *life, which func(*touch) bool) bool {
	return slices.ContainsFunc(l.gone, func(g *touch) bool {
		return slices.ContainsFunc(c.all, func(h *touch) bool { return h.e.beside(g.e) && c.headOf(h, h.shows, many) == item && which(h) })
	})
}

// yields says whether what an edit did to a text, set or list may not show. In one that no lens makes everything shows.
func (c *court) yields(p place, t *touch) bool {
	return c.k.lens[p.slot] != nil && (c.excused(t) || c.besideOld(t, p.slot) || c.swept(t))
}

// swept says whether somebody wrote a text that is a string to older versions without knowing an edit, while somebody who knew it wrote it in a version
// to which it is the other of the two: then the whole text of one of them counts.
func (c *court) swept(t *touch) bool {
	return slices.ContainsFunc(c.all, func(with *touch) bool {
		return t.e.before(with.e) && slices.ContainsFunc(c.all, func(without *touch) bool {
			return with.e.beside(without.e) && !t.e.before(without.e) && c.k.crosses(with.slots, without.slots)
		})
	})
}

// besideOld says whether t wrote a text as the string that it was, and another edit did so at the same time.
func (c *court) besideOld(t *touch, text slot) bool {
	whole := func(t *touch) bool { return !slices.Contains(t.slots, text) }
	return whole(t) && slices.ContainsFunc(c.all, func(o *touch) bool { return whole(o) && o.e.beside(t.e) })
}
