package schematest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"tombolo/doc"
	"tombolo/schema"
)

// script writes into a view what a user might, and remembers what that was.
type script struct {
	r       *run
	rng     *rand.Rand
	n       int // of the step
	version int
	tokens  int // that it used
	said    []string
	units   map[string]*written // by name
	gone    []string            // rows that it deleted
}

// written is what an edit touched in a unit.
type written struct {
	typ     string
	created bool
	slots   map[slot]bool
	classes map[slot]bool
}

// deletes says whether a unit is one of the rows deleted, or in one.
func (sc *script) deletes(name string) bool {
	return slices.ContainsFunc(sc.gone, func(g string) bool { return name == g || strings.HasPrefix(name, g+"/") })
}

func (sc *script) touch(u unit, s slot) {
	w := sc.unit(u)
	w.slots[s] = true
	w.classes[sc.r.sh.kin[u.typ].class[s]] = true
}

func (sc *script) unit(u unit) *written {
	if sc.units == nil {
		sc.units = map[string]*written{}
	}
	if sc.units[u.name] == nil {
		sc.units[u.name] = &written{typ: u.typ, slots: map[slot]bool{}, classes: map[slot]bool{}}
	}
	return sc.units[u.name]
}

// fresh is a number that no other edit of the run uses.
func (sc *script) fresh() int {
	sc.tokens++
	return sc.n*32 + sc.tokens%32
}

func (sc *script) say(format string, args ...any) {
	sc.said = append(sc.said, fmt.Sprintf(format, args...))
}

// chance is true in p of 100 cases.
func (sc *script) chance(p int) bool { return sc.rng.IntN(100) < p }

// write makes one random change, sometimes more.
func (sc *script) write(m tree) {
	sc.tokens, sc.said, sc.units, sc.gone = 0, nil, nil, nil
	root := unit{typ: schema.Root, m: m}
	sc.in(root, 0)
	for sc.chance(15) {
		sc.in(root, 0)
	}
}

// editing is one splice of a text.
type editing struct {
	path    []string
	at, del int
	s       string
}

// edit chooses now and then a text to edit character by character, and makes the edit in m, too.
func (sc *script) edit(m tree) (e editing, ok bool) {
	if !sc.chance(10) {
		return e, false
	}
	type text struct {
		u unit
		p place
	}
	var texts []text
	for u := range sc.r.sh.units(sc.version, m) {
		for _, p := range sc.r.sh.places[sc.version][u.typ] {
			if p.info.Kind == schema.KindText {
				texts = append(texts, text{u, p})
			}
		}
	}
	if len(texts) == 0 {
		return e, false
	}
	t := texts[sc.rng.IntN(len(texts))]
	was, _ := get(t.u.m, t.p.path).(doc.Text)
	runes := []rune(string(was))
	e.path = slices.Concat(t.u.path, t.p.path)
	e.at = sc.rng.IntN(len(runes) + 1)
	if e.del = min(sc.rng.IntN(3), len(runes)-e.at); e.del == 0 || sc.chance(60) {
		e.s = string(rune(firstToken + sc.fresh()))
	}
	put(t.u.m, t.p.path, doc.Text(slices.Concat(runes[:e.at], []rune(e.s), runes[e.at+e.del:])))
	sc.touch(t.u, t.p.slot)
	sc.say("edits %s at %d: -%d +%q", strings.Join(e.path, "."), e.at, e.del, e.s)
	return e, true
}

// in makes one change in a unit or in one of its rows.
func (sc *script) in(u unit, depth int) {
	places := sc.r.sh.places[sc.version][u.typ]
	if len(places) == 0 {
		return
	}
	weights, total := make([]int, len(places)), 0
	k := sc.r.sh.kin[u.typ]
	for i, p := range places {
		weights[i] = 2
		switch {
		case p.info.Kind == schema.KindTable:
			weights[i] = max(4-2*depth, 0)
			if sc.r.focus.typ != schema.Root {
				weights[i] *= 3
			}
		case sc.r.focus == focus{u.typ, k.class[p.slot]}:
			weights[i] = 40
		}
		total += weights[i]
	}
	if total == 0 {
		return
	}
	at := sc.rng.IntN(total)
	for i, p := range places {
		if at -= weights[i]; at < 0 {
			sc.field(u, p, depth)
			return
		}
	}
}

// connected says whether a lens has to do with a slot.
func (k *kin) connected(s slot) bool {
	for other, class := range k.class {
		if other != s && class == k.class[s] {
			return true
		}
	}
	return false
}

// field changes one field.
func (sc *script) field(u unit, p place, depth int) {
	old := get(u.m, p.path)
	name := strings.Join(p.path, ".")
	if u.name != "" {
		name = u.name + " " + name
	}
	var v any
	switch p.info.Kind {
	case schema.KindTable:
		sc.table(u, p, depth)
		return
	case schema.KindText:
		text, _ := old.(doc.Text)
		v = doc.Text(sc.splice(string(text)))
	case schema.KindCounter:
		c, _ := old.(doc.Counter)
		v = c + doc.Counter([...]int{1, 1, 5, -2}[sc.rng.IntN(4)])
	case schema.KindSet:
		elems, _ := old.(tree)
		v = sc.set(elems)
	case schema.KindList:
		if w := sc.units[u.name]; w != nil && w.slots[p.slot] {
			return // another element in the place of one is the same element, changed
		}
		elems, _ := old.([]any)
		v = sc.list(p, elems)
	default:
		v = sc.register(u, p, old)
	}
	if doc.Equal(v, old) {
		return
	}
	put(u.m, p.path, v)
	sc.touch(u, p.slot)
	sc.say("%s := %s", name, show(v))
}

// register is another value for one.
func (sc *script) register(u unit, p place, old any) any {
	s, k := p.info, sc.r.sh.kin[u.typ]
	for other, class := range k.class { // what became a text or a set is written with tokens that show there
		if class != k.class[p.slot] || s.Kind != schema.KindString || len(s.Enum) > 0 {
			continue
		}
		switch k.kinds[other] {
		case schema.KindText:
			text, _ := old.(string)
			if sc.chance(20) {
				text = ""
			}
			return sc.splice(text)
		case schema.KindSet:
			if sc.chance(15) {
				return ""
			}
			return fmt.Sprintf("e%d", sc.fresh())
		}
	}
	if !k.connected(p.slot) && sc.chance(4) {
		return nil
	}
	if used := sc.r.used[p.slot]; len(used) > 0 && sc.chance(12) {
		return used[sc.rng.IntN(len(used))]
	}
	var v any
	given := sc.r.o.Samples[sampleKey(u.typ, p.path)]
	if len(given) == 0 {
		given = sc.r.o.Samples[sampleKey(p.in, p.path[len(p.path)-1:])]
	}
	if len(given) > 0 {
		v = given[sc.rng.IntN(len(given))]
	} else if len(s.Enum) > 0 {
		v = s.Enum[sc.rng.IntN(len(s.Enum))]
	} else {
		v = scalarOf(s.Kind, sc.rng, sc.fresh())
	}
	sc.r.used[p.slot] = append(sc.r.used[p.slot], v)
	return v
}

// splice inserts a token into a text, or deletes a character.
func (sc *script) splice(text string) string {
	runes := []rune(text)
	if len(runes) > 0 && sc.chance(25) {
		at := sc.rng.IntN(len(runes))
		return string(slices.Delete(runes, at, at+1))
	}
	return string(slices.Insert(runes, sc.rng.IntN(len(runes)+1), rune(firstToken+sc.fresh())))
}

// set adds or removes an element; some are added by several devices.
func (sc *script) set(old tree) tree {
	out := tree{}
	for e := range old {
		out[e] = true
	}
	if len(out) > 0 && sc.chance(30) {
		elems := sortedKeys(out)
		delete(out, elems[sc.rng.IntN(len(elems))])
		return out
	}
	e := fmt.Sprintf("s%d", sc.rng.IntN(3))
	if sc.chance(70) {
		e = fmt.Sprintf("e%d", sc.fresh())
	}
	out[e] = true
	return out
}

// list inserts or deletes an element.
func (sc *script) list(p place, old []any) []any {
	if len(old) > 0 && sc.chance(30) {
		at := sc.rng.IntN(len(old))
		return slices.Delete(slices.Clone(old), at, at+1)
	}
	var elem any
	if f := p.info.Elem; f.Kind == schema.KindNested {
		record := tree{}
		for _, in := range f.Inside {
			record[in.Name] = sc.elem(in)
		}
		elem = record
	} else {
		elem = sc.elem(*f)
	}
	return slices.Insert(slices.Clone(old), sc.rng.IntN(len(old)+1), elem)
}

func (sc *script) elem(f schema.FieldInfo) any {
	if len(f.Enum) > 0 {
		return f.Enum[sc.rng.IntN(len(f.Enum))]
	}
	return scalarOf(f.Kind, sc.rng, sc.fresh())
}

// drop forgets what was written in a row, which is now deleted.
func (sc *script) drop(row string) {
	made := sc.units[row] != nil && sc.units[row].created
	for name := range sc.units {
		if name == row || strings.HasPrefix(name, row+"/") {
			delete(sc.units, name)
		}
	}
	if !made {
		sc.gone = append(sc.gone, row)
	}
	sc.say("deletes row %s", row)
}

// table creates, deletes or changes a row.
func (sc *script) table(u unit, p place, depth int) {
	rows, _ := get(u.m, p.path).(tree)
	ids := sortedKeys(rows)
	switch {
	case len(ids) > 0 && sc.chance(15):
		id := ids[sc.rng.IntN(len(ids))]
		delete(rows, id)
		sc.drop(u.rowName(p.slot, id))
		return
	case len(ids) > 0 && sc.chance(65):
		sc.in(u.row(p, ids[sc.rng.IntN(len(ids))]), depth+1)
		return
	}
	id := fmt.Sprintf("r%d", sc.rng.IntN(3))
	if sc.chance(60) {
		id = fmt.Sprintf("own%d", sc.fresh())
	}
	if rows == nil {
		rows = tree{}
		put(u.m, p.path, rows)
	}
	if _, there := rows[id]; there {
		sc.in(u.row(p, id), depth+1)
		return
	}
	if slices.Contains(sc.gone, u.rowName(p.slot, id)) {
		return // deleted and made again in one edit is the row as it was
	}
	rows[id] = tree{}
	row := u.row(p, id)
	sc.unit(row).created = true
	sc.say("creates row %s", row.name)
	for range sc.rng.IntN(4) {
		sc.in(row, depth+1)
	}
}
