package schematest

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"tombolo/doc"
	"tombolo/schema"
)

// tree is a view of a document in Go form.
type tree = map[string]any

// slot is a field through all versions, whatever they call it: the place where it is stored in its unit (the document or a row).
type slot string

// place is where a version shows a slot.
type place struct {
	path []string // of names in the view, from the unit's map
	info schema.FieldInfo
	slot slot
	in   string // the type of the object that it is a field of
}

// kin is how the slots of one type of unit belong together.
type kin struct {
	class map[slot]slot          // slots that lenses connect, by one of them
	from  map[slot]map[slot]bool // the slots of which a write is one of this slot, too: itself, and what becomes it by Up or Down
	heads map[slot]slot          // of sets that were one string: that
	lens  map[slot]*lens         // that makes a slot
	kinds map[slot]schema.Kind
}

// lens is a translation in one place.
type lens struct {
	schema.Translation
	olds, news []slot
}

// shape is what the tests know of a schema.
type shape struct {
	s      *schema.Schema
	newest int
	views  []*schema.View[tree]      // by version; of the schema as a program of that version has it
	later  []*schema.View[tree]      // the same of the newest one
	places []map[string][]place      // by version and type of unit
	kin    map[string]*kin           // by type of unit
	blank  []map[string]map[slot]any // by version and type of unit: what shows before anybody wrote
	least  []int                     // by version: the least one that may write what it wrote
}

func shapeOf(s *schema.Schema) (*shape, error) {
	sh := &shape{s: s, newest: s.Newest(), kin: map[string]*kin{}}
	sh.views, sh.later = make([]*schema.View[tree], sh.newest+1), make([]*schema.View[tree], sh.newest+1)
	sh.places, sh.least = make([]map[string][]place, sh.newest+1), make([]int, sh.newest+1)
	for v := 1; v <= sh.newest; v++ {
		var err error
		if sh.views[v], err = schema.Bind[tree](s.At(v), v); err != nil {
			return nil, err
		}
		if sh.later[v], err = schema.Bind[tree](s, v); err != nil {
			return nil, err
		}
		sh.places[v] = map[string][]place{}
		sh.least[v] = sh.least[v-1]
		for _, step := range s.Steps(v) {
			least := 0
			if _, err := fmt.Sscanf(step, "RequireWriter(%d)", &least); err == nil {
				sh.least[v] = max(sh.least[v], least)
			}
		}
		if err := sh.unit(v, schema.Root, s.Describe(v)); err != nil {
			return nil, err
		}
	}
	for v := 1; v <= sh.newest; v++ {
		for _, typ := range sortedKeys(sh.places[v]) {
			sh.relate(typ, v)
		}
	}
	for _, k := range sh.kin {
		k.close()
	}
	return sh, sh.blanks()
}

// blanks reads what new documents and rows show.
func (sh *shape) blanks() error {
	sh.blank = make([]map[string]map[slot]any, sh.newest+1)
	for v := 1; v <= sh.newest; v++ {
		sh.blank[v] = map[string]map[slot]any{}
		for _, typ := range sortedKeys(sh.places[v]) {
			at, ok := sh.locate(v, typ)
			if !ok {
				continue
			}
			d, err := sh.scratch()
			if err != nil {
				return err
			}
			if len(at) > 0 {
				err = set(sh.s.At(v), v, d, at[:len(at)-1], at[len(at)-1:], []any{tree{}})
			}
			view, failed := sh.read(d, v)
			if err = errors.Join(err, failed, d.Close()); err != nil {
				return fmt.Errorf("schematest: make a %q: %w", typ, err)
			}
			sh.blank[v][typ] = map[slot]any{}
			for _, p := range sh.places[v][typ] {
				sh.blank[v][typ][p.slot] = get(view, slices.Concat(at, p.path))
			}
		}
	}
	return nil
}

// unit notes the places of a type of unit, and of the rows in it.
func (sh *shape) unit(v int, typ string, types map[string][]schema.FieldInfo) error {
	if _, done := sh.places[v][typ]; done {
		return nil
	}
	fields, ok := types[typ]
	if !ok {
		return fmt.Errorf("schematest: version %d describes no type %q", v, typ)
	}
	sh.places[v][typ] = nil
	var rows []string
	var walk func(above []string, in string, fields []schema.FieldInfo)
	walk = func(above []string, in string, fields []schema.FieldInfo) {
		for _, f := range fields {
			path := append(slices.Clone(above), f.Name)
			if f.Kind == schema.KindNested {
				walk(path, f.Object, f.Inside)
				continue
			}
			sh.places[v][typ] = append(sh.places[v][typ], place{path, f, slotOf(f), in})
			if f.Kind == schema.KindTable {
				rows = append(rows, f.Object)
			}
		}
	}
	walk(nil, typ, fields)
	slices.SortFunc(sh.places[v][typ], func(a, b place) int { return slices.Compare(a.path, b.path) })
	for _, row := range rows {
		if err := sh.unit(v, row, types); err != nil {
			return err
		}
	}
	return nil
}

// slotOf names a field by where it is stored; of a field that a lens makes by the step, too.
func slotOf(f schema.FieldInfo) slot {
	if f.Group == "" {
		return slot(f.Storage)
	}
	return slot(fmt.Sprintf("%s@%s#%d", f.Group, f.Storage, f.Out))
}

// relate notes what the lenses of a version connect in one type of unit.
func (sh *shape) relate(typ string, v int) {
	k := sh.kin[typ]
	if k == nil {
		k = &kin{map[slot]slot{}, map[slot]map[slot]bool{}, map[slot]slot{}, map[slot]*lens{}, map[slot]schema.Kind{}}
		sh.kin[typ] = k
	}
	for _, p := range sh.places[v][typ] {
		k.add(p.slot, p.info.Kind)
		if p.info.Head != "" {
			head := slot(p.info.Head)
			k.add(head, schema.KindString)
			k.heads[p.slot] = head
			k.join(p.slot, head)
		}
		if p.info.Group == "" || k.lens[p.slot] != nil {
			continue
		}
		k.connect(sh.s.Translations(), p.info.Group, p.info.Storage)
	}
}

func (k *kin) add(s slot, kind schema.Kind) {
	if _, known := k.class[s]; !known {
		k.class[s], k.kinds[s] = s, kind
		k.from[s] = map[slot]bool{s: true}
	}
}

// join makes the classes of two slots one.
func (k *kin) join(a, b slot) {
	from, to := k.class[a], k.class[b]
	for s, c := range k.class {
		if c == from {
			k.class[s] = to
		}
	}
}

// connect notes the lens of a step, which is at work in the map at holder, and those it stands on.
func (k *kin) connect(all []schema.Translation, id, holder string) {
	at := slices.IndexFunc(all, func(tr schema.Translation) bool { return tr.ID == id })
	if at < 0 {
		return
	}
	tr := all[at]
	l := &lens{Translation: tr}
	for _, f := range tr.Olds {
		f.Storage = holder + f.Storage
		s := slotOf(f)
		k.add(s, f.Kind)
		l.olds = append(l.olds, s)
		if f.Group != "" && k.lens[s] == nil {
			k.connect(all, f.Group, f.Storage)
		}
	}
	for _, f := range tr.News {
		f.Storage = holder + f.Storage
		s := slotOf(f)
		k.add(s, f.Kind)
		k.lens[s] = l
		l.news = append(l.news, s)
	}
	for _, o := range l.olds {
		for _, n := range l.news {
			k.join(o, n)
			k.from[n][o] = true
			if !tr.OneWay {
				k.from[o][n] = true
			}
		}
	}
}

// close lets writes reach through several lenses: from an old field on to all that become of it, and back.
func (k *kin) close() {
	reach := func(s slot, next func(slot) []slot) map[slot]bool {
		seen := map[slot]bool{}
		todo := next(s)
		for len(todo) > 0 {
			at := todo[0]
			todo = todo[1:]
			if !seen[at] {
				seen[at] = true
				todo = append(todo, next(at)...)
			}
		}
		return seen
	}
	olds := func(s slot) []slot {
		if l := k.lens[s]; l != nil {
			return l.olds
		}
		return nil
	}
	news := func(s slot) (out []slot) {
		for _, n := range sortedKeys(k.lens) {
			if l := k.lens[n]; !l.OneWay && slices.Contains(l.olds, s) {
				out = append(out, n)
			}
		}
		return out
	}
	for s := range k.from {
		for o := range reach(s, olds) {
			k.from[s][o] = true
		}
		for n := range reach(s, news) {
			k.from[s][n] = true
		}
	}
}

// crosses says whether one of two writes is by an older version than the other, of what a lens connects.
func (k *kin) crosses(a, b []slot) bool {
	for _, x := range a {
		for _, y := range b {
			if x != y && (k.from[x][y] || k.from[y][x]) {
				return true
			}
		}
	}
	return false
}

// relates says whether a write of some slots is one of s.
func (k *kin) relates(s slot, written []slot) bool {
	return slices.ContainsFunc(written, func(w slot) bool { return k.from[s][w] })
}

// read is a document as the program of a version shows it.
func (sh *shape) read(d schema.Readable, v int) (tree, error) {
	out, _, err := sh.views[v].Read(d)
	if err != nil {
		return nil, fmt.Errorf("read as version %d: %w", v, err)
	}
	return out, nil
}

// readAll is a document at every version; there is nothing at 0.
func (sh *shape) readAll(d schema.Readable) ([]tree, error) {
	out := make([]tree, sh.newest+1)
	for v := 1; v <= sh.newest; v++ {
		var err error
		if out[v], err = sh.read(d, v); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// unit is the document or a row in a view.
type unit struct {
	name string // the same at every version: the slots of tables and the IDs of rows that lead to it
	typ  string
	path []string // in the view
	m    tree
}

// row is a row in a table of the unit.
func (u unit) row(p place, id string) unit {
	m, _ := get(u.m, p.path).(tree)
	row, _ := m[id].(tree)
	return unit{u.rowName(p.slot, id), p.info.Object, slices.Concat(u.path, p.path, []string{id}), row}
}

func (u unit) rowName(table slot, id string) string {
	return u.name + doc.Pointer{string(table), id}.String()
}

// units yields the document and its rows, and theirs.
func (sh *shape) units(v int, view tree) func(func(unit) bool) {
	return func(yield func(unit) bool) {
		var walk func(u unit) bool
		walk = func(u unit) bool {
			if !yield(u) {
				return false
			}
			for _, p := range sh.places[v][u.typ] {
				if p.info.Kind != schema.KindTable {
					continue
				}
				rows, _ := get(u.m, p.path).(tree)
				for _, id := range sortedKeys(rows) {
					if !walk(u.row(p, id)) {
						return false
					}
				}
			}
			return true
		}
		walk(unit{typ: schema.Root, m: view})
	}
}

// get is the value at a path of names.
func get(m tree, path []string) any {
	var v any = m
	for _, name := range path {
		in, _ := v.(tree)
		v = in[name]
	}
	return v
}

// put sets the value at a path of names.
func put(m tree, path []string, v any) {
	for _, name := range path[:len(path)-1] {
		in, ok := m[name].(tree)
		if !ok {
			in = tree{}
			m[name] = in
		}
		m = in
	}
	m[path[len(path)-1]] = v
}

// clone is a copy of a value in Go form.
func clone(v any) any {
	switch v := v.(type) {
	case tree:
		out := make(tree, len(v))
		for key, in := range v {
			out[key] = clone(in)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, in := range v {
			out[i] = clone(in)
		}
		return out
	case []byte:
		return slices.Clone(v)
	}
	return v
}

func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K {
	keys := make([]K, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
