package doc

import (
	"fmt"
	"math"
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
	made := len(tx.changes)
	if err := tx.prepareAll(list); err != nil {
		return fmt.Errorf("JSON Patch: %w", err)
	}
	before := tx.writes
	for i, e := range list {
		if err := tx.patchOp(e); err != nil {
			err = fmt.Errorf("JSON Patch, operation %d: %w", i+1, err)
			if tx.writes > before || len(tx.changes) > made {
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
		if _, err := tx.find(p); err != nil {
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
	l, ok, err := tx.listAt(p[:len(p)-1])
	if err != nil {
		return err
	}
	if !ok {
		return tx.set(p, v)
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
	have, err := tx.get(p)
	if err != nil {
		return err
	}
	if !same(numbers(have), numbers(want)) {
		b, err := EncodeJSON(have)
		if err != nil {
			return err
		}
		return badPath(p, "the test failed: it is %s", shorten(string(b)))
	}
	return nil
}

// prepareAll creates what the operations need before the first of them writes, as prepare does for one. A container that an earlier
// operation could see or replace is left to its own operation.
func (tx *Tx) prepareAll(list []any) error {
	var before []Pointer
	for _, e := range list {
		m, _ := e.(map[string]any)
		path, _ := m["path"].(string)
		p, err := ParsePointer(path)
		if err != nil {
			return nil // the operation itself says so
		}
		alone := !slices.ContainsFunc(before, func(q Pointer) bool {
			n := min(len(p), len(q))
			return slices.Equal(p[:n], q[:n])
		})
		before = append(before, p)
		pl, err := tx.place(p)
		if err != nil || len(p) == 0 {
			continue
		}
		switch m["op"] {
		case "remove":
			if tx.clears(pl) {
				err = tx.makeGone()
			}
		case "add", "replace":
			if alone && (m["op"] == "add" || pl.now.Kind() != automerge.KindVoid) {
				err = tx.prepare(pl, m["value"])
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
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
