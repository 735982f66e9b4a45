package doc

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"tombolo/doc/value"
)

// ApplyPatches makes the patches, in order, in a value in Go form, and gives the new one: with those of [Doc.Diff], the value at from becomes the value
// at to. v is not modified; what no patch touched is shared with it, and new values with the patches. A patch that does not fit, by its path or
// because its old value is not what is there, is a [PathError]; then read the whole value instead.
func ApplyPatches(v any, patches []Patch) (any, error) {
	root := &opened{kind: kindList, list: []any{v}}
	for _, p := range patches {
		if err := root.apply(p); err != nil {
			return nil, err
		}
	}
	return closing(root.list[0]), nil
}

// opened is a container that was copied to be changed; containers in it that were opened, too, stand in it in this form.
type opened struct {
	kind   kind
	fields map[string]any
	list   []any
	text   []rune
}

// opening is v as an opened container; nil for what has nothing inside.
func opening(v any) *opened {
	switch v := v.(type) {
	case *opened:
		return v
	case map[string]any:
		fields := make(map[string]any, len(v)+1)
		maps.Copy(fields, v)
		return &opened{kind: kindMap, fields: fields}
	case []any:
		return &opened{kind: kindList, list: append(make([]any, 0, len(v)+1), v...)}
	case Text:
		return &opened{kind: kindText, text: []rune(string(v))}
	}
	return nil
}

// closing is the Go form of what may be an opened container, which must not be used any more.
func closing(v any) any {
	o, ok := v.(*opened)
	if !ok {
		return v
	}
	switch o.kind {
	case kindMap:
		for k, e := range o.fields {
			if in, ok := e.(*opened); ok {
				o.fields[k] = closing(in)
			}
		}
		return o.fields
	case kindList:
		for i, e := range o.list {
			o.list[i] = closing(e)
		}
		return o.list
	}
	return Text(o.text)
}

// otherValue ends the message about a patch that does not fit.
const otherValue = "; these patches belong to another value: read it as a whole"

// apply makes one patch in the value that is the one element of a list.
func (root *opened) apply(p Patch) error {
	at, token := root, "0"
	for i, next := range p.Path {
		in, err := at.open(token)
		if err != nil {
			return badPath(p.Path[:i], "%v", err)
		}
		at, token = in, next
	}
	err := errKind
	switch {
	case p.Kind < PatchAdd || p.Kind > PatchSplice:
		err = fmt.Errorf("%v is not a kind of patch (add, remove, replace, splice)", p.Kind)
	case p.Kind == PatchSplice:
		if at, err = at.open(token); err == nil {
			err = at.splice(p)
		}
	case at == root && p.Kind != PatchReplace:
		err = errWhole
	case at.kind == kindMap:
		err = at.setField(p, token)
	case at.kind == kindList:
		err = at.setElement(p, token)
	}
	if err != nil {
		return badPath(p.Path, "%v", err)
	}
	return nil
}

var (
	errKind    = errors.New("there is a value of another kind" + otherValue)
	errNothing = errors.New("there is nothing" + otherValue)
	errOld     = errors.New("another value is there than the patch says" + otherValue)
	errThere   = errors.New("something is there already" + otherValue)
	errWhole   = errors.New("the whole value can only be replaced")
)

// open opens what is under a key or at an index.
func (o *opened) open(token string) (*opened, error) {
	switch o.kind {
	case kindMap:
		v, ok := o.fields[token]
		if !ok {
			return nil, errNothing
		}
		in := opening(v)
		if in == nil {
			return nil, errKind
		}
		o.fields[token] = in
		return in, nil
	case kindList:
		i, err := index(token, len(o.list))
		if err != nil {
			return nil, err
		}
		in := opening(o.list[i])
		if in == nil {
			return nil, errKind
		}
		o.list[i] = in
		return in, nil
	}
	return nil, errKind
}

func (o *opened) setField(p Patch, key string) error {
	have, ok := o.fields[key]
	switch {
	case p.Kind == PatchAdd && ok:
		return errThere
	case p.Kind != PatchAdd && !ok:
		return errNothing
	case p.Kind != PatchAdd && !value.Equal(closing(have), p.Old):
		return errOld
	}
	if p.Kind == PatchRemove {
		delete(o.fields, key)
	} else {
		o.fields[key] = p.New
	}
	return nil
}

func (o *opened) setElement(p Patch, token string) error {
	limit := len(o.list)
	if p.Kind == PatchAdd {
		limit++
	}
	i, err := index(token, limit)
	if err != nil {
		return err
	}
	if p.Kind != PatchAdd && !value.Equal(closing(o.list[i]), p.Old) {
		return errOld
	}
	switch p.Kind {
	case PatchAdd:
		o.list = slices.Insert(o.list, i, p.New)
	case PatchReplace:
		o.list[i] = p.New
	case PatchRemove:
		o.list = slices.Delete(o.list, i, i+1)
	}
	return nil
}

func (o *opened) splice(p Patch) error {
	old, ok1 := p.Old.(Text)
	now, ok2 := p.New.(Text)
	gone := []rune(old)
	switch {
	case o.kind != kindText || !ok1 || !ok2:
		return errKind
	case p.At < 0 || p.At > len(o.text) || len(gone) > len(o.text)-p.At || !slices.Equal(o.text[p.At:][:len(gone)], gone):
		return errOld
	}
	o.text = slices.Replace(o.text, p.At, p.At+len(gone), []rune(now)...)
	return nil
}
