package schematest

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"tombolo/schema"
)

// Random is a random schema of two to four versions with random legal steps. The same seed gives the same one. It is for testing package
// schema itself: its fields mean nothing.
func Random(seed int) *schema.Schema {
	s, _ := random(seed)
	return s
}

// random tells also how many steps were tried that the schema refused.
func random(seed int) (*schema.Schema, int) {
	a := &author{rng: rand.New(rand.NewPCG(uint64(seed), 3)), app: fmt.Sprintf("random %d", seed), types: map[string]*draftType{}}
	newest := 2 + a.rng.IntN(3)
	for a.version = 1; a.version <= newest; a.version++ {
		a.steps = nil
		if a.version == 1 {
			a.first()
		} else {
			for want := 2 + a.rng.IntN(5); want > 0; want-- {
				a.next()
			}
		}
		a.versions = append(a.versions, schema.V(a.version, a.steps...))
	}
	return schema.MustNew(a.app, a.versions...), a.refused
}

// author writes a schema as it goes.
type author struct {
	rng      *rand.Rand
	app      string
	version  int
	versions []schema.Version
	steps    []schema.Step // of the version in the making
	types    map[string]*draftType
	names    int
	refused  int
}

// draftType is an object type at the version in the making.
type draftType struct {
	fields []draftField
	elem   bool // of a list: it never changes
	below  int  // nested types are of a greater depth, so that none contains itself
}

type draftField struct {
	name   string
	kind   schema.Kind
	enum   []string
	object string
	lens   bool
	moved  bool // hoisted or plunged
}

// chance is true in p of 100 cases.
func (a *author) chance(p int) bool { return a.rng.IntN(100) < p }

func (a *author) name(kind string) string {
	a.names++
	return fmt.Sprintf("%s%d", kind, a.names)
}

// try adds a step, with what it does to the draft, if the schema takes it.
func (a *author) try(step schema.Step, does func()) {
	steps := append(slices.Clone(a.steps), step)
	if _, err := schema.New(a.app, append(slices.Clone(a.versions), schema.V(a.version, steps...))...); err != nil {
		a.refused++
		return
	}
	a.steps = steps
	does()
}

// first declares version 1: the root, rows, something nested and the elements of a list.
func (a *author) first() {
	for i, typ := range []string{"Point", "Inner", "Row", schema.Root} {
		d := &draftType{elem: typ == "Point", below: 3 - i}
		a.types[typ] = d
		var fields []schema.Field
		add := func(f draftField) {
			d.fields = append(d.fields, f)
			fields = append(fields, a.field(f))
		}
		if d.elem {
			add(draftField{name: "x", kind: schema.KindInt})
			add(draftField{name: "label", kind: schema.KindString})
		} else {
			for range 2 + a.rng.IntN(4) {
				add(a.fresh(typ))
			}
			for _, f := range known {
				if a.chance(55) {
					add(f)
				}
			}
		}
		if typ == schema.Root {
			add(draftField{name: "rows", kind: schema.KindTable, object: "Row"})
			add(draftField{name: "inner", kind: schema.KindNested, object: "Inner"})
		}
		a.steps = append(a.steps, schema.Object(typ, fields...))
	}
}

// known are fields that lenses with struct types know by their names.
var known = []draftField{
	{name: "fullName", kind: schema.KindString},
	{name: "done", kind: schema.KindBool},
	{name: "level", kind: schema.KindString, enum: []string{"low", "high"}},
	{name: "minutes", kind: schema.KindInt},
	{name: "owner", kind: schema.KindString},
	{name: "body", kind: schema.KindString},
}

// fresh is a field of any kind with a new name, or one that was used before and is free again.
func (a *author) fresh(typ string) draftField {
	f := draftField{kind: schema.KindText + schema.Kind(a.rng.IntN(int(schema.KindNested)))}
	f.name = a.name(f.kind.String())
	if a.names > 8 && a.chance(20) {
		if again := fmt.Sprintf("%s%d", f.kind, 1+a.rng.IntN(a.names)); !a.taken(typ, again) {
			f.name = again
		}
	}
	switch f.kind {
	case schema.KindTable:
		f.object = "Row"
	case schema.KindNested:
		f.object = "Inner"
		if a.types[typ].below >= a.types["Inner"].below && typ != schema.Root && typ != "Row" {
			f.kind = schema.KindText
		}
	case schema.KindList:
		if a.chance(30) {
			f.object = "Point"
		}
	case schema.KindString:
		if a.chance(30) {
			f.enum = []string{"a", "b", "c"}
		}
	}
	return f
}

func (a *author) taken(typ, name string) bool {
	return slices.ContainsFunc(a.types[typ].fields, func(f draftField) bool { return f.name == name })
}

// field declares a field.
func (a *author) field(f draftField) schema.Field {
	var o []schema.Option
	if len(f.enum) > 0 {
		o = append(o, schema.Enum(f.enum...))
		if a.chance(50) {
			o = append(o, schema.Default(f.enum[0]))
		}
	} else if f.kind == schema.KindInt && a.chance(40) {
		o = append(o, schema.Default(7))
	}
	switch f.kind {
	case schema.KindText:
		return schema.Text(f.name)
	case schema.KindString:
		return schema.String(f.name, o...)
	case schema.KindInt:
		return schema.Int(f.name, o...)
	case schema.KindFloat:
		return schema.Float(f.name)
	case schema.KindBool:
		return schema.Bool(f.name)
	case schema.KindTime:
		return schema.Time(f.name)
	case schema.KindBytes:
		return schema.Bytes(f.name)
	case schema.KindCounter:
		return schema.Counter(f.name)
	case schema.KindSet:
		return schema.Set(f.name)
	case schema.KindList:
		if f.object != "" {
			return schema.List(f.name, schema.Nested("", f.object))
		}
		return schema.List(f.name, schema.String(""))
	case schema.KindTable:
		return schema.Table(f.name, f.object)
	default:
		return schema.Nested(f.name, f.object)
	}
}

// next adds one step to the version in the making.
func (a *author) next() {
	types := slices.DeleteFunc(sortedKeys(a.types), func(typ string) bool { return a.types[typ].elem })
	typ := types[a.rng.IntN(len(types))]
	d := a.types[typ]
	i := a.rng.IntN(max(len(d.fields), 1))
	switch p := a.rng.IntN(100); {
	case p < 13 || len(d.fields) == 0:
		a.add(typ)
	case p < 20:
		a.rename(typ, i)
	case p < 25:
		a.remove(typ, i)
	case p < 30:
		a.alter(typ, i)
	case p < 37:
		a.hoist(typ)
	case p < 42:
		a.plunge(typ, i)
	case p < 49:
		a.wrap(typ)
	case p < 55:
		a.toText(typ)
	case p < 57:
		n := 1 + a.rng.IntN(a.version)
		if n > 1 {
			a.try(schema.RequireWriter(n), func() {})
		}
	default:
		a.translate(typ)
	}
}

func (a *author) add(typ string) {
	if a.chance(15) {
		name := a.name("Type")
		d := &draftType{below: 4}
		a.types[name] = d
		f, g := a.fresh(name), draftField{name: "rows", kind: schema.KindTable, object: name}
		a.try(schema.Object(name, a.field(f), schema.Text("note"), a.field(g)), func() {
			d.fields = []draftField{f, {name: "note", kind: schema.KindText}, g}
		})
		if d.fields == nil {
			delete(a.types, name)
			return
		}
		t := draftField{name: a.name("table"), kind: schema.KindTable, object: name}
		a.try(schema.Add(typ, a.field(t)), func() { a.types[typ].fields = append(a.types[typ].fields, t) })
		return
	}
	f := a.fresh(typ)
	a.try(schema.Add(typ, a.field(f)), func() { a.types[typ].fields = append(a.types[typ].fields, f) })
}

func (a *author) rename(typ string, i int) {
	f := &a.types[typ].fields[i]
	to := a.name("name")
	a.try(schema.Rename(typ, f.name, to), func() { f.name = to })
}

func (a *author) remove(typ string, i int) {
	a.try(schema.Remove(typ, a.types[typ].fields[i].name), func() { a.drop(typ, i) })
}

func (a *author) drop(typ string, i int) {
	a.types[typ].fields = slices.Delete(a.types[typ].fields, i, i+1)
}

func (a *author) alter(typ string, i int) {
	f := a.types[typ].fields[i]
	if !register(f.kind) || f.lens {
		return
	}
	a.try(schema.Alter(typ, a.field(f)), func() {})
}

// nested gives a nested field of a type, and its fields.
func (a *author) nested(typ string) (string, *draftType) {
	for _, f := range a.types[typ].fields {
		if f.kind == schema.KindNested && !f.moved {
			return f.name, a.types[f.object]
		}
	}
	return "", nil
}

func (a *author) hoist(typ string) {
	name, in := a.nested(typ)
	if in == nil || len(in.fields) == 0 {
		return
	}
	f := in.fields[a.rng.IntN(len(in.fields))]
	from := name + "." + f.name
	f.name, f.moved = a.name("up"), true
	a.try(schema.Hoist(typ, from, f.name), func() { a.types[typ].fields = append(a.types[typ].fields, f) })
}

func (a *author) plunge(typ string, i int) {
	name, in := a.nested(typ)
	f := a.types[typ].fields[i]
	if in == nil || f.kind == schema.KindNested {
		return
	}
	a.try(schema.Plunge(typ, f.name, name+"."+a.name("down")), func() { a.drop(typ, i) })
}

// plain gives a string that is stored as it is.
func (a *author) plain(typ string) int {
	return slices.IndexFunc(a.types[typ].fields, func(f draftField) bool {
		return f.kind == schema.KindString && !f.lens && len(f.enum) == 0 && !f.moved
	})
}

func (a *author) wrap(typ string) {
	i := a.plain(typ)
	if i < 0 {
		return
	}
	to := a.name("many")
	a.try(schema.Wrap(typ, a.types[typ].fields[i].name, to), func() {
		a.types[typ].fields[i] = draftField{name: to, kind: schema.KindSet}
	})
}

func (a *author) toText(typ string) {
	i := a.plain(typ)
	if i < 0 {
		return
	}
	a.try(schema.TextFromString(typ, a.types[typ].fields[i].name), func() {
		a.types[typ].fields[i].kind, a.types[typ].fields[i].lens = schema.KindText, true
	})
}

// translate adds a lens from the stock to a field that one fits.
func (a *author) translate(typ string) {
	d := a.types[typ]
	has := func(name string, kind schema.Kind) bool {
		return slices.ContainsFunc(d.fields, func(f draftField) bool { return f.name == name && f.kind == kind && len(f.enum) == 0 })
	}
	swap := func(olds []string, news ...draftField) func() {
		return func() {
			d.fields = slices.DeleteFunc(d.fields, func(f draftField) bool { return slices.Contains(olds, f.name) })
			for _, f := range news {
				f.lens = true
				d.fields = append(d.fields, f)
			}
		}
	}
	text := func(name string) draftField { return draftField{name: name, kind: schema.KindString} }
	switch {
	case has("fullName", schema.KindString) && a.chance(40):
		a.try(schema.Group(typ, split), swap([]string{"fullName"}, text("first"), text("last")))
		return
	case has("first", schema.KindString) && has("last", schema.KindString) && a.chance(40):
		a.try(schema.Group(typ, join), swap([]string{"first", "last"}, text("fullName")))
		return
	}
	i := a.rng.IntN(len(d.fields))
	if chained := slices.IndexFunc(d.fields, func(f draftField) bool { return f.lens && register(f.kind) }); chained >= 0 && a.chance(60) {
		i = chained
	}
	f := d.fields[i]
	to := f.name
	if a.chance(60) {
		to = a.name("map")
	}
	switch {
	case f.kind == schema.KindBool:
		if a.chance(50) && !a.taken(typ, "status") {
			to = "status"
		}
		a.try(schema.Map(typ, f.name, to, statusOfDone, schema.Enum(statuses...)), swap([]string{f.name}, draftField{name: to, kind: schema.KindString, enum: statuses}))
	case f.name == "status" && slices.Equal(f.enum, statuses) && a.chance(70):
		a.try(schema.Group(typ, stateOfStatus, schema.String("state", schema.Enum(states...))),
			swap([]string{"status"}, draftField{name: "state", kind: schema.KindString, enum: states}, draftField{name: "archived", kind: schema.KindBool}))
	case len(f.enum) > 0:
		more := append(slices.Clone(f.enum), a.name("new"), a.name("new"))
		a.try(schema.Map(typ, f.name, to, growth(f.enum, more), schema.Enum(more...)), swap([]string{f.name}, draftField{name: to, kind: schema.KindString, enum: more}))
	case f.kind == schema.KindInt && a.chance(50):
		a.try(schema.Map(typ, f.name, to, hours), swap([]string{f.name}, draftField{name: to, kind: schema.KindFloat}))
	case f.kind == schema.KindInt:
		l := decimal
		if a.chance(25) {
			l.Down = nil
		}
		a.try(schema.Map(typ, f.name, to, l), swap([]string{f.name}, text(to)))
	}
}
