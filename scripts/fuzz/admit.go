package main

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"unicode/utf8"

	"tombolo/doc/gate"
	"tombolo/doc/opset"
)

// admission is what stands before the core: the form of a change, then everything that its past decides.
type admission struct{ set *opset.Set }

func newAdmission() *admission { return &admission{opset.New()} }

// add admits a change or says why not.
func (a *admission) add(raw []byte) (gate.Change, error) {
	c, err := gate.Parse(raw)
	if err == nil {
		_, err = a.set.Add(c)
	}
	return c, err
}

func (a *admission) len() int { return a.set.Graph().Len() }

// value writes what the document shows, every type told apart.
func (a *admission) value() []byte { return writeMap(nil, a.set, a.set.Now(), opset.Root) }

// valueAt is value at older heads.
func (a *admission) valueAt(heads []gate.Hash) ([]byte, error) {
	v, err := a.set.At(heads)
	if err != nil {
		return nil, err
	}
	return writeMap(nil, a.set, v, opset.Root), nil
}

func writeMap(b []byte, s *opset.Set, v opset.View, obj opset.Object) []byte {
	type entry struct {
		key  string
		item opset.Item
	}
	var entries []entry
	for sl, item := range v.Keys(obj) {
		entries = append(entries, entry{s.KeyOf(sl), item})
	}
	slices.SortFunc(entries, func(a, b entry) int { return cmp.Compare(a.key, b.key) })
	b = append(b, '{')
	for _, e := range entries {
		b = append(fmt.Appendf(b, "%q:", e.key), ' ')
		b = append(writeItem(b, s, v, e.item), ' ')
	}
	return append(b, '}')
}

func writeItem(b []byte, s *opset.Set, v opset.View, item opset.Item) []byte {
	if obj, ok := s.Object(item); ok {
		switch s.Kind(obj) {
		case gate.ActMakeMap:
			return writeMap(b, s, v, obj)
		case gate.ActMakeText:
			return writeText(b, v.Text(obj), v.Len(obj))
		}
		b = append(b, '[')
		for _, item := range v.Elements(obj) {
			b = append(writeItem(b, s, v, item), ' ')
		}
		return append(b, ']')
	}
	kind, raw := s.Scalar(item)
	in := input{rest: raw}
	switch kind {
	case gate.TypeNull:
		return append(b, "null"...)
	case gate.TypeFalse:
		return append(b, "false"...)
	case gate.TypeTrue:
		return append(b, "true"...)
	case gate.TypeUint:
		return fmt.Appendf(b, "uint %d", in.uint())
	case gate.TypeInt:
		return fmt.Appendf(b, "int %d", in.int())
	case gate.TypeFloat:
		return writeFloat(b, math.Float64frombits(binary.LittleEndian.Uint64(raw)))
	case gate.TypeString:
		return fmt.Appendf(b, "%q", raw)
	case gate.TypeBytes:
		return fmt.Appendf(b, "bytes %x", raw)
	case gate.TypeCounter:
		return fmt.Appendf(b, "counter %d", v.Counter(item))
	case gate.TypeTime:
		return fmt.Appendf(b, "time %d", in.int())
	}
	return fmt.Appendf(b, "unknown %d", kind)
}

func writeText(b []byte, s string, length int) []byte {
	return fmt.Appendf(b, "text %d (%d) %q", length, utf8.RuneCountInString(s), s)
}

// writeFloat tells all floats apart except one NaN from another.
func writeFloat(b []byte, f float64) []byte {
	if math.IsNaN(f) {
		return append(b, "float NaN"...)
	}
	return fmt.Appendf(b, "float %x", math.Float64bits(f))
}

// keeps says whether the change at a position comes back with the bytes it had.
func (a *admission) keeps(pos int, c gate.Change) error {
	raw, err := a.set.Change(pos)
	if err == nil && !bytes.Equal(raw, c.Raw) {
		err = errors.New("other bytes")
	}
	return err
}
