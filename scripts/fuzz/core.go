package main

import (
	"fmt"
	"maps"
	"slices"

	"github.com/automerge/automerge-go"

	"tombolo/doc/gate"
)

// coreValue writes what the core shows, in the same words as [admission.value].
func coreValue(d *automerge.Doc) ([]byte, error) { return writeValue(nil, d.Root()) }

func writeValue(b []byte, v *automerge.Value) ([]byte, error) {
	switch v.Kind() {
	case automerge.KindMap:
		values, err := v.Map().Values()
		if err != nil {
			return nil, fmt.Errorf("read a map: %w", err)
		}
		b = append(b, '{')
		for _, key := range slices.Sorted(maps.Keys(values)) {
			b = append(fmt.Appendf(b, "%q:", key), ' ')
			if b, err = writeValue(b, values[key]); err != nil {
				return nil, err
			}
			b = append(b, ' ')
		}
		return append(b, '}'), nil
	case automerge.KindList:
		values, err := v.List().Values()
		if err != nil {
			return nil, fmt.Errorf("read a list: %w", err)
		}
		b = append(b, '[')
		for _, inner := range values {
			if b, err = writeValue(b, inner); err != nil {
				return nil, err
			}
			b = append(b, ' ')
		}
		return append(b, ']'), nil
	case automerge.KindText:
		s, err := v.Text().Get()
		if err != nil {
			return nil, fmt.Errorf("read a text: %w", err)
		}
		return writeText(b, s, v.Text().Len()), nil
	case automerge.KindCounter:
		n, err := v.Counter().Get()
		if err != nil {
			return nil, fmt.Errorf("read a counter: %w", err)
		}
		return fmt.Appendf(b, "counter %d", n), nil
	case automerge.KindNull:
		return append(b, "null"...), nil
	case automerge.KindBool:
		return fmt.Append(b, v.Bool()), nil
	case automerge.KindUint64:
		return fmt.Appendf(b, "uint %d", v.Uint64()), nil
	case automerge.KindInt64:
		return fmt.Appendf(b, "int %d", v.Int64()), nil
	case automerge.KindFloat64:
		return writeFloat(b, v.Float64()), nil
	case automerge.KindStr:
		return fmt.Appendf(b, "%q", v.Str()), nil
	case automerge.KindBytes:
		return fmt.Appendf(b, "bytes %x", v.Bytes()), nil
	case automerge.KindTime:
		return fmt.Appendf(b, "time %d", v.Time().UnixMilli()), nil
	}
	return fmt.Appendf(b, "kind %v", v.Kind()), nil
}

// coreHeads are the core's heads, ascending.
func coreHeads(d *automerge.Doc) []gate.Hash {
	var hs []gate.Hash
	for _, h := range d.Heads() {
		hs = append(hs, gate.Hash(h))
	}
	slices.SortFunc(hs, gate.Hash.Compare)
	return hs
}

// applied loads changes one after the other, as the engine does, and says whether the core has them all.
func applied(d *automerge.Doc, raws ...[]byte) error {
	for _, raw := range raws {
		if err := d.LoadIncremental(raw); err != nil {
			return fmt.Errorf("the core's error: %w", err)
		}
	}
	return nil
}
