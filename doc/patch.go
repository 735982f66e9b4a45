package doc

import (
	"fmt"
	"slices"

	"github.com/automerge/automerge-go"
)

// Patch applies a JSON Patch (RFC 6902): a list of add, remove, replace and test, whose values may carry the marks of the canonical
// JSON. All of it happens or nothing: the first operation that cannot be done is the error, by its number.
func (tx *Tx) Patch(patch []byte) error {
	if tx.closed {
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
	for i, e := range list {
		if err := tx.patchOp(e); err != nil {
			return fmt.Errorf("JSON Patch, operation %d: %w", i+1, err)
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
	path, ok := m["path"].(string)
	if !ok {
		return fmt.Errorf(`"path" is missing`)
	}
	p, err := ParsePointer(path)
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
		if _, err := tx.d.get(p); err != nil {
			return err
		}
		return tx.set(p, v)
	case "test":
		return tx.test(p, v)
	case "move", "copy":
		return fmt.Errorf("%q is not supported; use remove and add", op)
	}
	return fmt.Errorf("%q is not an operation of JSON Patch (add, remove, replace, test)", op)
}

// add inserts into a list before the index, and sets a key of a map.
func (tx *Tx) add(p Pointer, v any) error {
	if len(p) == 0 {
		return tx.set(p, v)
	}
	parent, err := tx.d.place(p[:len(p)-1])
	if err != nil {
		return err
	}
	if parent.now.Kind() != automerge.KindList {
		return tx.set(p, v)
	}
	l, _, err := tx.listAt(parent.path)
	if err != nil {
		return err
	}
	at := l.Len()
	if token := p[len(p)-1]; token != "-" {
		if at, err = index(token, l.Len()+1); err != nil {
			return badPath(p, "%v", err)
		}
	}
	return tx.insert(l, at, v)
}

func (tx *Tx) test(p Pointer, want any) error {
	have, err := tx.d.get(p)
	if err != nil {
		return err
	}
	if !same(have, want) {
		b, err := EncodeJSON(have)
		if err != nil {
			return err
		}
		return badPath(p, "the test failed: it is %s", shorten(string(b)))
	}
	return nil
}
