//go:build cgo && (linux || darwin) && (amd64 || arm64)

package core

import (
	"fmt"
	"runtime"

	"github.com/automerge/automerge-go"

	"tombolo/doc/value"
)

// value reads the whole document. What the binding read on the way is freed as soon as the containers below are read; the rest, texts
// and counters, is only estimated.
func (l *library) value() (any, error) {
	r := reader{}
	v, err := r.value(l.doc.Root(), 0)
	owed.add(r.hidden)
	return v, err
}

// reader counts the C bytes of results that the binding keeps to itself.
type reader struct{ hidden int64 }

// perResult is the C memory of a small result, measured.
const perResult = 300

func (r *reader) value(v *automerge.Value, depth int) (any, error) {
	if depth > MaxDepth {
		return nil, fmt.Errorf("it is nested deeper than %d levels", MaxDepth)
	}
	switch v.Kind() {
	case automerge.KindNull:
		return nil, nil
	case automerge.KindBool:
		return v.Bool(), nil
	case automerge.KindInt64:
		return v.Int64(), nil
	case automerge.KindUint64:
		return v.Uint64(), nil
	case automerge.KindFloat64:
		return v.Float64(), nil
	case automerge.KindStr:
		return v.Str(), nil
	case automerge.KindBytes:
		return v.Bytes(), nil
	case automerge.KindTime:
		return v.Time().UTC(), nil
	case automerge.KindCounter:
		n, err := v.Counter().Get()
		r.hidden += perResult
		return value.Counter(n), err
	case automerge.KindText:
		t := v.Text()
		s, err := t.Get()
		runtime.KeepAlive(t) // the binding does not keep a text's object alive during its calls
		r.hidden += perResult + int64(len(s))
		return value.Text(s), err
	case automerge.KindMap:
		return r.mapValue(v.Map(), depth)
	case automerge.KindList:
		return r.listValue(v.List(), depth)
	}
	return value.Unknown{}, nil
}

func (r *reader) mapValue(m *automerge.Map, depth int) (any, error) {
	values, err := m.Values()
	if err != nil {
		return nil, err
	}
	out := make(map[string]any, len(values))
	var last *automerge.Value
	for k, v := range values {
		if out[k], err = r.value(v, depth+1); err != nil {
			return nil, err
		}
		last = v
	}
	r.freeResult(last)
	return out, nil
}

func (r *reader) listValue(l *automerge.List, depth int) (any, error) {
	values, err := l.Values()
	if err != nil {
		return nil, err
	}
	out := make([]any, len(values))
	var last *automerge.Value
	for i, v := range values {
		if out[i], err = r.value(v, depth+1); err != nil {
			return nil, err
		}
		last = v
	}
	r.freeResult(last)
	return out, nil
}

// freeResult frees what a container's values came in: one result, which each of them leads to. An empty one cannot be reached.
func (r *reader) freeResult(of *automerge.Value) {
	if of == nil || !free(of) {
		r.hidden += perResult
	}
}
