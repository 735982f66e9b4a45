package value

import (
	"errors"
	"strconv"
	"time"
)

// Source is a value of a document to be read, over whatever holds it. [Decode] calls only the methods for its kind, and has done with
// what Index, Field or Each gave before it calls the parent again: a source may give the same child each time, changed.
type Source interface {
	Kind() Kind // never Absent or Invalid
	Bool() bool
	Int() int64   // of an Int or a CounterKind
	Uint() uint64 // of a Uint
	Float() float64
	Str() string   // of a String or a TextKind
	Bytes() []byte // may be shared: it is copied
	Time() time.Time

	// Len is the number of elements of a List.
	Len() int
	// Index is element i of a List, 0 <= i < Len. Elements are asked for from first to last.
	Index(i int) (Source, error)
	// Field is what a Map has at key, and whether it has the key. Keys are asked for in ascending order.
	Field(key string) (Source, bool, error)
	// Each calls f for every key of a Map, in any order, and stops at the first error, which it returns.
	Each(f func(key string, s Source) error) error
}

// FromTree is a source that reads a tree in Go form, or what [Marshal] makes of v. What cannot be stored reads as an unknown kind;
// [Unmarshal] says why.
func FromTree(v any) Source {
	t, err := sourceOf(v)
	if err != nil {
		return tree{Unknown{}}
	}
	return t
}

func sourceOf(v any) (tree, error) {
	switch v := v.(type) {
	case nil, bool, int64, uint64, float64, string, []byte, time.Time, Text, Counter, Unknown, []any, map[string]any:
		return tree{v}, nil
	}
	v, err := Marshal(v)
	return tree{v}, err
}

type tree struct{ v any }

func (t tree) Kind() Kind {
	switch t.v.(type) {
	case nil:
		return Null
	case bool:
		return Bool
	case int64:
		return Int
	case uint64:
		return Uint
	case float64:
		return Float
	case string:
		return String
	case []byte:
		return Bytes
	case time.Time:
		return Time
	case Text:
		return TextKind
	case Counter:
		return CounterKind
	case []any:
		return List
	case map[string]any:
		return Map
	}
	return UnknownKind
}

func (t tree) Bool() bool      { return t.v.(bool) }
func (t tree) Uint() uint64    { return t.v.(uint64) }
func (t tree) Float() float64  { return t.v.(float64) }
func (t tree) Bytes() []byte   { return t.v.([]byte) }
func (t tree) Time() time.Time { return t.v.(time.Time) }
func (t tree) Len() int        { return len(t.v.([]any)) }

func (t tree) Int() int64 {
	if c, ok := t.v.(Counter); ok {
		return int64(c)
	}
	return t.v.(int64)
}

func (t tree) Str() string {
	if s, ok := t.v.(Text); ok {
		return string(s)
	}
	return t.v.(string)
}

func (t tree) Index(i int) (Source, error) { return sourceOf(t.v.([]any)[i]) }

func (t tree) Field(key string) (Source, bool, error) {
	v, ok := t.v.(map[string]any)[key]
	if !ok {
		return nil, false, nil
	}
	s, err := sourceOf(v)
	return s, true, err
}

func (t tree) Each(f func(key string, s Source) error) error {
	for k, v := range t.v.(map[string]any) {
		s, err := sourceOf(v)
		if err != nil {
			return sourceError(err).below(k)
		}
		if err := f(k, s); err != nil {
			return err
		}
	}
	return nil
}

// treeOf is what a source holds, in Go form and in memory of its own.
func treeOf(s Source, depth int) (any, *Error) {
	if depth > MaxDepth {
		return nil, tooDeep()
	}
	switch s.Kind() {
	case Null:
		return nil, nil
	case Bool:
		return s.Bool(), nil
	case Int:
		return s.Int(), nil
	case Uint:
		return s.Uint(), nil
	case Float:
		return s.Float(), nil
	case String:
		return s.Str(), nil
	case TextKind:
		return Text(s.Str()), nil
	case CounterKind:
		return Counter(s.Int()), nil
	case Bytes:
		return append([]byte{}, s.Bytes()...), nil
	case Time:
		return inMilliseconds(s.Time()), nil
	case List:
		out := make([]any, s.Len())
		for i := range out {
			e, err := s.Index(i)
			if err != nil {
				return nil, sourceError(err).below(strconv.Itoa(i))
			}
			var bad *Error
			if out[i], bad = treeOf(e, depth+1); bad != nil {
				return nil, bad.below(strconv.Itoa(i))
			}
		}
		return out, nil
	case Map:
		out := map[string]any{}
		err := s.Each(func(key string, e Source) error {
			v, err := treeOf(e, depth+1)
			if err != nil {
				return err.below(key)
			}
			out[key] = v
			return nil
		})
		if err != nil {
			return nil, sourceError(err)
		}
		return out, nil
	}
	return Unknown{}, nil
}

func tooDeep() *Error {
	return refuse("nested deeper than %d; read what is further down by its path", MaxDepth)
}

// sourceError is err if it is ours, with its path, or a new one around it.
func sourceError(err error) *Error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	return &Error{Reason: err.Error(), Err: err}
}
