package doc

import (
	"fmt"
	"maps"
	"math"
	"slices"

	"tombolo/doc/opset"
	"tombolo/doc/value"
)

// Patch applies a JSON Patch (RFC 6902): a list of add, remove, replace, move, copy and test, whose values may carry the marks of the canonical
// JSON. All of it happens or nothing: the first operation that cannot be done is the error, by its number, and fails the edit. A move is a
// removal and a new value: what others do to the old one at the same time is not in it.
func (tx *Tx) Patch(patch []byte) error {
	if tx.over {
		return errTxOver
	}
	v, err := DecodeJSON(patch)
	if err != nil {
		return fmt.Errorf("JSON Patch: %w", err)
	}
	list, ok := v.([]any)
	if !ok {
		return fmt.Errorf("JSON Patch: it is a list of operations, not %s", kindName(v))
	}
	made, before := len(tx.made), tx.writes
	for i, e := range list {
		if err := tx.patchOp(e); err != nil {
			err = fmt.Errorf("JSON Patch, operation %d: %w", i+1, err)
			if tx.writes > before || len(tx.made) > made {
				tx.failed = err
			}
			return err
		}
	}
	return nil
}

func (tx *Tx) patchOp(e any) error {
	m, ok := e.(map[string]any)
	if !ok {
		return fmt.Errorf(`it is %s, not an object such as {"op":"add","path":"/title","value":"x"}`, kindName(e))
	}
	op, ok := m["op"].(string)
	if !ok {
		return fmt.Errorf(`"op" is missing`)
	}
	p, err := patchPath(m, "path")
	if err != nil {
		return err
	}
	v, hasValue := m["value"]
	if !hasValue && slices.Contains([]string{"add", "replace", "test"}, op) {
		return fmt.Errorf(`%q needs "value"`, op)
	}
	switch op {
	case "add":
		return tx.add(p, v)
	case "remove":
		return tx.remove(p)
	case "replace":
		if _, err := tx.reader().find(p); err != nil {
			return err
		}
		want, err := wanted(v)
		if err != nil {
			return err
		}
		return tx.set(p, want)
	case "test":
		return tx.test(p, v)
	case "move", "copy":
		from, err := patchPath(m, "from")
		if err != nil {
			return err
		}
		return tx.carry(from, p, op == "move")
	}
	return fmt.Errorf("%q is not an operation of JSON Patch (add, remove, replace, move, copy, test)", op)
}

func patchPath(m map[string]any, name string) (Pointer, error) {
	path, ok := m[name].(string)
	if !ok {
		return nil, fmt.Errorf("%q is missing", name)
	}
	return ParsePointer(path)
}

// carry adds the value at from to p.
func (tx *Tx) carry(from, p Pointer, move bool) error {
	pl, err := tx.reader().find(from)
	if err != nil {
		return err
	}
	v, _ := tx.reader().value(pl)
	if move {
		switch {
		case slices.Equal(from, p):
			return nil
		case len(p) > len(from) && slices.Equal(p[:len(from)], from):
			return badPath(p, "a value cannot be moved into itself; copy it")
		}
		if err := tx.remove(from); err != nil {
			return err
		}
	}
	return tx.add(p, v)
}

// add inserts into a list before the index, and sets a key of a map.
func (tx *Tx) add(p Pointer, v any) error {
	want, err := wanted(v)
	if err != nil {
		return err
	}
	if len(p) == 0 {
		return tx.set(p, want)
	}
	l, ok, err := tx.listAt(p[:len(p)-1])
	if err != nil {
		return err
	}
	if !ok {
		return tx.set(p, want)
	}
	return tx.addTo(l, p, want)
}

func (tx *Tx) addTo(l opset.Object, p Pointer, want value.Value) error {
	at := tx.s.Now().Len(l)
	if token := p[len(p)-1]; token != "-" {
		var err error
		if at, err = index(token, at+1); err != nil {
			return badPath(p, "%v", err)
		}
	}
	return tx.insert(l, at, want)
}

func (tx *Tx) test(p Pointer, want any) error {
	pl, err := tx.reader().find(p)
	if err != nil {
		return err
	}
	have, _ := tx.reader().value(pl)
	if !alike(numbers(have), numbers(want)) {
		b, err := EncodeJSON(have)
		if err != nil {
			return err
		}
		return badPath(p, "the test failed: it is %s", shorten(string(b)))
	}
	return nil
}

// alike compares values as JSON without marks would show them: a text is like its string, a counter like its number.
func alike(have, want any) bool {
	switch h := have.(type) {
	case Text:
		if s, ok := want.(string); ok {
			return string(h) == s
		}
	case Counter:
		if _, ok := want.(Counter); !ok {
			return Equal(int64(h), want)
		}
	case []any:
		w, ok := want.([]any)
		return ok && slices.EqualFunc(h, w, alike)
	case map[string]any:
		w, ok := want.(map[string]any)
		return ok && maps.EqualFunc(h, w, alike)
	}
	return Equal(have, want)
}

// numbers is v with its whole floats as whole numbers: a test compares numbers by value (RFC 6902 section 4.6).
func numbers(v any) any {
	switch v := v.(type) {
	case float64:
		if v == math.Trunc(v) && math.Abs(v) < 1<<63 {
			return int64(v)
		}
		if v == math.Trunc(v) && v > 0 && v < 1<<64 {
			return uint64(v)
		}
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = numbers(e)
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, e := range v {
			out[k] = numbers(e)
		}
		return out
	}
	return v
}
