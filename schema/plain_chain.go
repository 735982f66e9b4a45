package schema

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	"tombolo/doc"
	"tombolo/doc/value"
)

// PlainAs is data in Go form as a T, by the rules of package doc: what T's fields do not name is left out.
func PlainAs[T any](data any) (T, error) {
	var v T
	err := value.Unmarshal(data, &v)
	return v, err
}

// PlainLoad is a Load between two Go types. older is nil where there is no data yet.
func PlainLoad[O, N any](load func(env *PlainEnv, older *O) (N, error)) func(*PlainEnv, any) (any, error) {
	return func(env *PlainEnv, data any) (any, error) {
		if data == nil {
			return load(env, nil)
		}
		older, err := PlainAs[O](data)
		if err != nil {
			return nil, err
		}
		return load(env, &older)
	}
}

var errPlainDiffers = errors.New("it gave another value the second time: take out the clock, random numbers and map order, and use NewID of its environment for IDs")

// convert makes data of version to from data of version from.
func (p *Plain) convert(id doc.ID, from int, data any, to int) (any, error) {
	for n := from + 1; n <= to; n++ {
		load := p.versions[n-1].Load
		first, err := plainCall(id, n, "Load", load, data)
		if err != nil {
			return nil, err
		}
		again, err := plainCall(id, n, "Load", load, data)
		if err != nil {
			return nil, err
		}
		if !bytes.Equal(plainJSON(first), plainJSON(again)) {
			return nil, &PlainError{n, "Load", errPlainDiffers}
		}
		data = first
	}
	return data, nil
}

// stored is what the newest version's Save makes of a value, in memory of its own.
func (p *Plain) stored(id doc.ID, v any) (any, error) {
	data, err := value.Marshal(v)
	if err != nil {
		return nil, err
	}
	n := len(p.versions)
	if save := p.versions[n-1].Save; save != nil {
		return plainCall(id, n, "Save", save, data)
	}
	return data, nil
}

// legacy is what the root holds outside of our places; nil for nothing.
func (p *Plain) legacy(root map[string]any) (data any, err error) {
	detect := p.versions[0].Detect
	switch {
	case len(root) == 0:
		return nil, nil
	case detect == nil:
		return root, nil
	}
	defer plainRecover(1, "Detect", &err)
	if !detect(plainCopy(root).(map[string]any)) {
		return nil, nil
	}
	return root, nil
}

// plainCall runs a function of the application on a copy of data, and puts what it gives into Go form.
func plainCall(id doc.ID, n int, name string, f func(*PlainEnv, any) (any, error), data any) (out any, err error) {
	defer plainRecover(n, name, &err)
	out, err = f(&PlainEnv{Doc: id, Version: n}, plainCopy(data))
	if err == nil {
		out, err = value.Marshal(out)
	}
	if err != nil {
		return nil, &PlainError{n, name, err}
	}
	return out, nil
}

func plainRecover(n int, name string, err *error) {
	switch r := recover().(type) {
	case nil:
	case error:
		*err = &PlainError{n, name, fmt.Errorf("panic: %w", r)}
	default:
		*err = &PlainError{n, name, fmt.Errorf("panic: %v", r)}
	}
}

// plainCopy is a value in Go form in memory of its own.
func plainCopy(v any) any {
	switch v := v.(type) {
	case []byte:
		return slices.Clone(v)
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = plainCopy(e)
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, e := range v {
			out[k] = plainCopy(e)
		}
		return out
	}
	return v
}

// plainJSON is the canonical JSON of a value in Go form, which has one always.
func plainJSON(v any) []byte {
	b, err := doc.EncodeJSON(v)
	if err != nil {
		return []byte(err.Error())
	}
	return b
}

// plainTree is a value in Go form.
func plainTree(src value.Source) (v any, err error) {
	err = value.Decode(src, &v)
	return v, err
}
