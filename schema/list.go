package schema

import (
	"errors"
	"maps"
	"slices"
	"strconv"

	"tombolo/doc"
	"tombolo/doc/value"
)

// list plans a list.
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
	if same, err := have.same(w); same || err != nil {
		return err
	}
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

// same says whether a list of registers obviously is what is wanted: without making Go values of it.
func (x *listSource) same(w value.Value) (bool, error) {
	if !x.f.plain || x.Len() != w.Len() {
		return false, nil
	}
	for i := range w.Len() {
		src, err := x.src.Index(i)
		if e := w.Index(i); err != nil || src.Kind() != e.Kind() || !sameScalar(src, e) {
			return false, err
		}
	}
	return true, nil
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
