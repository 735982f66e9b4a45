package schema

import (
	"cmp"
	"errors"
	"math"
	"slices"
	"strconv"

	"tombolo/doc"
	"tombolo/doc/value"
)

// object plans what differs between the object at a path of the view and what is wanted.
func (t *target) object(b *boundObject, path *trail, want value.Value) error {
	if want.Kind() != value.Map {
		return refuse(path.pointer(), nil, "an object is expected, not %s", want.Kind())
	}
	for name, w := range want.Fields {
		f := b.fields[name]
		if f == nil {
			return refuse(path.pointer(name), nil, "this version has no such field; it has %v", b.obj.names())
		}
		if err := t.field(f, path, w); err != nil {
			return err
		}
	}
	return nil
}

// field plans a field of the object at a path of the view.
func (t *target) field(f *boundField, path *trail, w value.Value) error {
	n := f.n
	switch n.kind {
	case KindNested:
		if w.Kind() == value.Null {
			return nil // it is always there
		}
		return t.object(f.inside, &trail{path, n.name}, w)
	case KindTable:
		return t.table(f, path, w)
	case KindSet:
		return t.set(n, path, w)
	case KindList:
		return t.list(f, path, w)
	case KindText:
		return t.text(n, path, w)
	case KindCounter:
		return t.counter(f, path, w)
	}
	if f.plain || n.group != nil && len(n.opts.checks) == 0 && !f.narrow {
		src, err := t.u.stored(n)
		if err != nil || src != nil && src.Kind() == w.Kind() && n.allows(src) && sameScalar(src, w) {
			return err
		}
	}
	v, err := goForm(w)
	if err != nil {
		return refuse(path.pointer(n.name), nil, "%w", err)
	}
	r, err := t.u.register(n)
	f.clip(&r)
	if err == nil && t.fickle(r, n, path, n.name) {
		err = refuse(path.pointer(n.name), nil, "%w", errFickle)
	}
	if err != nil || same(f, r, v) {
		return err
	}
	fit, err := n.accept(v)
	if err != nil {
		return refuse(path.pointer(n.name), v, "%w", err)
	}
	return t.write(n, fit)
}

// errFickle says that the program did not see what it is about to write over: what a function could not give when it was asked first shows as a default.
var errFickle = errors.New("a function of the schema failed and, asked again, did not, or the other way round; such functions must depend on their arguments alone")

// fickle says whether a register fits and did not when the program read it, or the other way round.
func (t *target) fickle(r register, n *node, path *trail, names ...string) bool {
	return t.u.src != nil && t.u.in.before != nil && (r.err != nil) != t.u.in.had(n, path, names...)
}

// sameScalar compares two values of one kind where they lie.
func sameScalar(src value.Source, w value.Value) bool {
	switch w.Kind() {
	case value.Bool:
		return src.Bool() == w.Bool()
	case value.Int:
		return src.Int() == w.Int()
	case value.String:
		return src.Str() == w.Str()
	case value.Time:
		return src.Time().Equal(w.Time())
	}
	return false // the longer way tells
}

// same says whether a register shows v already. A Go field that cannot say "no value" shows zero for it.
func same(f *boundField, r register, v any) bool {
	if r.shown == nil && !f.nilable {
		return v == nil || doc.Equal(f.zero, v)
	}
	return doc.Equal(r.shown, v)
}

func (t *target) text(n *node, path *trail, w value.Value) error {
	switch w.Kind() {
	case value.String, value.TextKind, value.Null, value.Absent:
	default:
		return refuse(path.pointer(n.name), nil, "a text is expected, not %s", w.Kind())
	}
	src, err := t.u.text(n, path)
	if err != nil || src.Str() == w.Str() {
		return err
	}
	if n.group != nil {
		if e, err := t.u.eval(n.group); err != nil || e.err == nil && t.u.in.before != nil && t.u.in.had(n, path, n.name) {
			return cmp.Or(err, refuse(path.pointer(n.name), nil, "%w", errFickle))
		}
		return t.write(n, w.Str())
	}
	return t.store(n.at, doc.Text(w.Str()))
}

func (t *target) counter(f *boundField, path *trail, w value.Value) error {
	n, count := f.n, w.Int()
	switch w.Kind() {
	case value.CounterKind, value.Int, value.Null, value.Absent:
	case value.Uint:
		if count = int64(w.Uint()); count < 0 {
			return refuse(path.pointer(n.name), w.Uint(), "counters go up to %d", int64(math.MaxInt64))
		}
	default:
		return refuse(path.pointer(n.name), nil, "a whole number is expected, not %s", w.Kind())
	}
	have, err := t.u.counter(f, path)
	if err != nil || int64(have) == count {
		return err
	}
	src, err := t.u.at(n.at)
	if err != nil {
		return err
	}
	if src == nil { // two devices that begin to count apart begin one counter
		t.seeds = append(t.seeds, put{path: t.place(n.at...), v: doc.Counter(0)})
	}
	return t.store(n.at, doc.Counter(count))
}

// set plans the elements that come and go.
func (t *target) set(n *node, path *trail, w value.Value) error {
	want, err := wantedSet(n, path, w)
	if err != nil {
		return err
	}
	have, err := t.u.elements(n, path)
	if err != nil || slices.Equal(want, have) {
		return err
	}
	stored, err := t.u.container(n, value.Map, path)
	if err != nil {
		return err
	}
	for _, e := range have {
		if _, wanted := slices.BinarySearch(want, e); wanted || stored == nil {
			continue
		}
		_, there, err := stored.Field(e)
		if err != nil {
			return err
		}
		if there { // and not only what the set was made of
			t.puts = append(t.puts, put{path: t.place(joined(n.at, e)...), how: remove})
		}
	}
	for _, e := range want {
		if _, there := slices.BinarySearch(have, e); !there {
			if err := t.store(joined(n.at, e), true); err != nil {
				return err
			}
		}
	}
	if n.head == nil {
		return nil
	}
	return t.rehead(n, have, want)
}

// wantedSet is the elements of a set in ascending order.
func wantedSet(n *node, path *trail, w value.Value) ([]string, error) {
	var want []string
	switch w.Kind() {
	case value.Map:
		for e, m := range w.Fields {
			switch {
			case m.Kind() == value.Bool && m.Bool():
				want = append(want, e)
			case m.Kind() != value.Bool && m.Kind() != value.Null:
				return nil, refuse(path.pointer(n.name, e), nil, "a set has true for each element, not %s", m.Kind())
			}
		}
	case value.List:
		for i := range w.Len() {
			if w.Index(i).Kind() != value.String {
				return nil, refuse(path.pointer(n.name, strconv.Itoa(i)), nil, "a set holds texts, not %s", w.Index(i).Kind())
			}
			want = append(want, w.Index(i).Str())
		}
	case value.Null, value.Absent:
	default:
		return nil, refuse(path.pointer(n.name), nil, "a set is expected, not %s", w.Kind())
	}
	slices.Sort(want)
	want = slices.Compact(want)
	if slices.Contains(want, "") {
		return nil, refuse(path.pointer(n.name), "", "a set holds no empty text")
	}
	return want, nil
}

// rehead keeps an element in sight of versions that know the set as one string.
func (t *target) rehead(n *node, have, want []string) error {
	head, err := t.u.head(n)
	if err != nil {
		return err
	}
	holder := n.head.at[:len(n.head.at)-1]
	echo := t.place(joined(holder, n.echo)...)
	if slices.Contains(want, head) || head == "" && len(want) == 0 {
		return t.unecho(holder, n.echo, have, want)
	}
	first := ""
	if len(want) > 0 {
		first = want[0]
	}
	// An equal echo would not be written again, and lose against an older one. It goes before the string is written: what is written right behind
	// it has to be one operation, as with those that have no echo yet, or of two changes one might win the string and the other one the echo.
	src, err := t.u.keyed(holder, n.echo)
	if err != nil {
		return err
	}
	if src != nil && doc.Equal(scalar(src), echoOf(first)) {
		t.puts = append(t.puts, put{path: echo, how: remove})
	}
	return t.write(n.head, first, put{echo, assign, echoOf(first)})
}

// unecho plans that the echo of a set's string goes where it is that of an element that goes: an older version may write just that one again.
func (t *target) unecho(holder []string, key string, have, want []string) error {
	src, err := t.u.keyed(holder, key)
	if err != nil || src == nil {
		return err
	}
	known := scalar(src)
	for _, e := range have {
		if doc.Equal(known, echoOf(e)) && !slices.Contains(want, e) {
			t.puts = append(t.puts, put{path: t.place(joined(holder, key)...), how: remove})
		}
	}
	return nil
}

// table plans the records that come, go and change.
func (t *target) table(f *boundField, path *trail, w value.Value) error {
	switch w.Kind() {
	case value.Map, value.Null, value.Absent:
	default:
		return refuse(path.pointer(f.n.name), nil, "a table is expected, not %s", w.Kind())
	}
	src, err := t.u.container(f.n, value.Map, path)
	if err != nil {
		return err
	}
	in := &tableTarget{t: t, f: f, src: src, path: trail{path, f.n.name}, at: t.at.and(f.n.at...)}
	for id, row := range w.Fields {
		if err := in.record(id, row); err != nil {
			return err
		}
	}
	if src == nil {
		return nil
	}
	gone, err := in.gone(w)
	for _, id := range gone {
		t.puts = append(t.puts, put{path: t.place(joined(f.n.at, id)...), how: drop})
	}
	return err
}

// tableTarget is a table being written.
type tableTarget struct {
	t    *target
	f    *boundField
	src  value.Source // nil where there is none yet
	path trail        // in the view
	at   *trail       // where it is stored
	kept int          // records that were there and are wanted
}

// record plans one record.
func (x *tableTarget) record(id string, want value.Value) error {
	r := &struct { // in one piece of memory
		path, at trail
		unit     unit
		target   target
	}{path: trail{&x.path, id}, at: trail{x.at, id}}
	r.unit.in, r.unit.path = x.t.u.in, &r.path
	r.target = target{plan: x.t.plan, u: &r.unit, at: &r.at}
	if err := x.find(&r.unit); err != nil {
		return err
	}
	if r.unit.src == nil {
		if id == "" || id[0] == '$' {
			return refuse(r.path.pointer(), nil, `an ID is not empty and does not begin with "$"`)
		}
		if x.src == nil { // it is the first one
			if err := x.t.has(x.f.n.at); err != nil {
				return err
			}
		}
		if err := r.target.has(nil); err != nil {
			return err
		}
	}
	if err := r.target.object(x.f.row, &r.path, want); err != nil {
		return err
	}
	return r.target.settleGroups()
}

// find finds the map of a record, if it is there.
func (x *tableTarget) find(u *unit) error {
	if x.src == nil {
		return nil
	}
	src, ok, err := x.src.Field(u.path.name)
	if err != nil || !ok {
		return err
	}
	if src.Kind() != value.Map {
		return refuse(u.path.pointer(), scalar(src), "something that is no record is stored there, and is not overwritten; use another ID")
	}
	there, err := isRecord(src)
	if err == nil && !there {
		err = refuse(u.path.pointer(), nil, "%w", doc.ErrRecordDeleted)
	}
	x.kept++
	u.src = src
	return err
}

// gone are the records that are there and not wanted.
func (x *tableTarget) gone(w value.Value) ([]string, error) {
	live := 0
	each := func(f func(id string)) error {
		return x.src.Each(func(id string, row value.Source) error {
			there, err := isRecord(row)
			if there {
				f(id)
			}
			return err
		})
	}
	if err := each(func(string) { live++ }); err != nil || live == x.kept {
		return nil, err // the usual case, without a list of all IDs
	}
	wanted := make(map[string]bool, x.kept)
	for id := range w.Fields {
		wanted[id] = true
	}
	var gone []string
	err := each(func(id string) {
		if !wanted[id] {
			gone = append(gone, id)
		}
	})
	slices.Sort(gone)
	return gone, err
}

var errNoValue = errors.New("it is not a value that can be stored")

// goForm is a value in Go form.
func goForm(w value.Value) (any, error) {
	if w.Kind() == value.Absent {
		return nil, nil
	}
	v, err := w.Tree()
	if err != nil {
		return nil, errors.Join(errNoValue, err)
	}
	return v, nil
}
