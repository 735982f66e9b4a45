package schema

import (
	"cmp"
	"errors"
	"maps"
	"slices"
	"strconv"
	"time"

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
		return t.counter(n, path, w)
	}
	if f.plain {
		src, err := t.u.at(n.at)
		if err != nil || src != nil && src.Kind() == w.Kind() && sameScalar(src, w) {
			return err
		}
	}
	v, err := goForm(w)
	if err != nil {
		return refuse(path.pointer(n.name), nil, "%w", err)
	}
	r, err := t.u.register(n)
	if err == nil && t.fickle(r, path, n) {
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
func (t *target) fickle(r register, path *trail, n *node) bool {
	return t.u.src != nil && (r.err != nil) != t.u.in.had(path, n.name)
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
		return v == nil || isZero(v)
	}
	return doc.Equal(r.shown, v)
}

func isZero(v any) bool {
	switch v := v.(type) {
	case string:
		return v == ""
	case int64:
		return v == 0
	case uint64:
		return v == 0
	case float64:
		return v == 0
	case bool:
		return !v
	case time.Time:
		return v.IsZero()
	case []byte:
		return len(v) == 0
	}
	return false
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
		if e, err := t.u.eval(n.group); err != nil || e.err == nil && t.u.in.had(path, n.name) {
			return cmp.Or(err, refuse(path.pointer(n.name), nil, "%w", errFickle))
		}
		return t.write(n, w.Str())
	}
	return t.store(n.at, doc.Text(w.Str()))
}

func (t *target) counter(n *node, path *trail, w value.Value) error {
	switch w.Kind() {
	case value.CounterKind, value.Int, value.Null, value.Absent:
	default:
		return refuse(path.pointer(n.name), nil, "a whole number is expected, not %s", w.Kind())
	}
	have, err := t.u.counter(n, path)
	if err != nil || int64(have) == w.Int() {
		return err
	}
	src, err := t.u.at(n.at)
	if err != nil {
		return err
	}
	if src == nil { // two devices that begin to count apart begin one counter
		t.seeds = append(t.seeds, put{path: t.place(n.at...), v: doc.Counter(0)})
	}
	return t.store(n.at, doc.Counter(w.Int()))
}

func (t *target) list(f *boundField, path *trail, w value.Value) error {
	n := f.n
	switch w.Kind() {
	case value.List, value.Null, value.Absent:
	default:
		return refuse(path.pointer(n.name), nil, "a list is expected, not %s", w.Kind())
	}
	src, err := t.u.container(n, value.List, path)
	if err != nil {
		return err
	}
	have := &listSource{u: t.u, f: f, src: src, path: trail{path, n.name}}
	elems, equal := make([]any, w.Len()), w.Len() == have.Len()
	for i := range elems {
		v, err := goForm(w.Index(i))
		if err != nil {
			return refuse(have.path.pointer(strconv.Itoa(i)), nil, "%w", err)
		}
		v = filled(n.elem, v)
		if equal {
			shown, err := have.shown(i)
			if err != nil {
				return err
			}
			equal = doc.Equal(v, shown)
		}
		elems[i] = v
	}
	if equal {
		return nil
	}
	return t.elements(have, elems)
}

// elements plans the elements of a list. Stored ones that do not fit, and were not changed, stay as they are.
func (t *target) elements(have *listSource, want []any) error {
	keep, err := have.odd(want)
	if err != nil {
		return err
	}
	for i, v := range want {
		if raw, ok := keep[i]; ok {
			want[i] = raw
		} else if want[i], err = element(have.f, v); err != nil {
			return refuse(have.path.pointer(strconv.Itoa(i)), v, "%w", err)
		}
	}
	return t.store(have.f.n.at, want)
}

// shown is element i in Go form, with zeros for what it does not have.
func (x *listSource) shown(i int) (any, error) {
	src, err := x.Index(i)
	if err != nil {
		return nil, err
	}
	var v any
	if err := value.Decode(src, &v); err != nil {
		return nil, err
	}
	return filled(x.f.n.elem, v), nil
}

// filled is an element with zeros where there are no values.
func filled(elem *node, v any) any {
	if elem.kind != KindNested {
		if v == nil {
			return zeroOf(elem.kind)
		}
		return v
	}
	m, ok := v.(map[string]any)
	if !ok {
		return v
	}
	out := maps.Clone(m)
	for name, n := range elem.inside.fields {
		if out[name] == nil {
			out[name] = zeroOf(n.kind)
		}
	}
	return out
}

var errObject = errors.New("an object is expected")

// element is an element of a list as it is stored.
func element(f *boundField, v any) (any, error) {
	elem := f.n.elem
	if elem.kind != KindNested {
		return elem.accept(v)
	}
	shown, ok := v.(map[string]any)
	if !ok {
		return nil, errObject
	}
	out := make(map[string]any, len(shown))
	for _, name := range slices.Sorted(maps.Keys(shown)) {
		n := elem.inside.fields[name]
		if n == nil {
			return nil, refuse(doc.Pointer{name}, nil, "there is no such field; there are %v", elem.inside.names())
		}
		v, err := n.accept(shown[name])
		if err != nil {
			return nil, refuse(doc.Pointer{name}, shown[name], "%w", err)
		}
		out[n.at[len(n.at)-1]] = v
	}
	return out, nil
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
		if stored == nil || slices.Contains(want, e) {
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
		if !slices.Contains(have, e) {
			if err := t.store(joined(n.at, e), true); err != nil {
				return err
			}
		}
	}
	if n.head == nil {
		return nil
	}
	return t.rehead(n, want)
}

// wantedSet is the elements of a set in ascending order.
func wantedSet(n *node, path *trail, w value.Value) ([]string, error) {
	var want []string
	switch w.Kind() {
	case value.Map:
		for e, m := range w.Fields {
			if m.Bool() {
				want = append(want, e)
			}
		}
	case value.List:
		for i := range w.Len() {
			if w.Index(i).Kind() != value.String {
				return nil, refuse(path.pointer(n.name, strconv.Itoa(i)), nil, "a set holds texts, not %s", w.Index(i).Kind())
			}
			want = append(want, w.Index(i).Str())
		}
		slices.Sort(want)
		want = slices.Compact(want)
	case value.Null, value.Absent:
	default:
		return nil, refuse(path.pointer(n.name), nil, "a set is expected, not %s", w.Kind())
	}
	if slices.Contains(want, "") {
		return nil, refuse(path.pointer(n.name), "", "a set holds no empty text")
	}
	return want, nil
}

// rehead keeps an element in sight of versions that know the set as one string.
func (t *target) rehead(n *node, want []string) error {
	head, err := t.u.head(n)
	if err != nil || slices.Contains(want, head) || head == "" && len(want) == 0 {
		return err
	}
	first := ""
	if len(want) > 0 {
		first = want[0]
	}
	return t.write(n.head, first)
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
	at := &trail{path, f.n.name}
	wanted := map[string]bool{}
	for id, row := range w.Fields {
		if src == nil && len(wanted) == 0 { // there is to be a first record
			if err := t.has(f.n.at); err != nil {
				return err
			}
		}
		wanted[id] = true
		if err := t.row(f, src, &trail{at, id}, row); err != nil {
			return err
		}
	}
	if src == nil {
		return nil
	}
	var gone []string
	err = src.Each(func(id string, row value.Source) error {
		there, err := isRecord(row)
		if there && !wanted[id] {
			gone = append(gone, id)
		}
		return err
	})
	slices.Sort(gone)
	for _, id := range gone {
		t.puts = append(t.puts, put{path: t.place(joined(f.n.at, id)...), how: drop})
	}
	return err
}

// row plans one record of a table.
func (t *target) row(f *boundField, table value.Source, path *trail, want value.Value) error {
	u := &unit{in: t.u.in, path: path}
	row := &target{plan: t.plan, u: u, at: slices.Concat(t.at, f.n.at, doc.Pointer{path.name})}
	if table != nil {
		src, ok, err := table.Field(path.name)
		if err != nil {
			return err
		}
		if ok && src.Kind() == value.Map {
			there, err := isRecord(src)
			if err != nil {
				return err
			}
			if !there {
				return refuse(path.pointer(), nil, "%w", doc.ErrRecordDeleted)
			}
			u.src = src
		}
	}
	if u.src == nil {
		if path.name == "" || path.name[0] == '$' {
			return refuse(path.pointer(), nil, `an ID is not empty and does not begin with "$"`)
		}
		if err := row.has(nil); err != nil {
			return err
		}
	}
	if err := row.object(f.row, path, want); err != nil {
		return err
	}
	return row.settleGroups()
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
