package value

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// Check walks the whole value and returns an *[Error] for the first thing in it that cannot be stored: a string or key that is not valid
// UTF-8, an empty key, a time beyond what milliseconds in 64 bits can say, more than [MaxDepth] levels (also pointers that lead back to
// where they started), a hook that fails, and in an interface a type that [Check] refuses. Nothing may be written before it passed.
func (v Value) Check() error { return asError(v.check(0)) }

func (v Value) check(depth int) *Error {
	if err := v.checkAlone(depth); err != nil {
		return err
	}
	switch v.kind {
	case List:
		for i := range v.Len() {
			if err := v.Index(i).check(depth + 1); err != nil {
				return err.below(strconv.Itoa(i))
			}
		}
	case Map:
		for key, e := range v.Fields {
			if err := e.check(depth + 1); err != nil {
				return err.below(key)
			}
			if problem := keyProblem(key); problem != "" {
				return refuse("%s", problem).below(key)
			}
		}
	}
	return nil
}

// checkAlone is check without what is below.
func (v Value) checkAlone(depth int) *Error {
	if depth > MaxDepth {
		return refuse("nested deeper than %d; do pointers or a list lead back to where they started?", MaxDepth)
	}
	switch v.kind {
	case Invalid:
		return v.invalid()
	case UnknownKind:
		return refuse("a value of an unknown kind cannot be written; leave its key as it is")
	case String, TextKind:
		if !utf8.ValidString(v.rv.String()) {
			return refuse("the %s is not valid UTF-8; store it as []byte", strings.TrimPrefix(v.kind.String(), "a "))
		}
	case Time:
		if t := timeOf(v.rv); t.Before(minTime) || t.After(maxTime) {
			return refuse("the time is outside the years that milliseconds in 64 bits can say")
		}
	}
	return nil
}

// Tree is the value in Go form and in memory of its own, or the error of [Value.Check]. The tree of an absent value is nil.
func (v Value) Tree() (any, error) {
	t, err := v.tree(0)
	return t, asError(err)
}

func (v Value) tree(depth int) (any, *Error) {
	if err := v.checkAlone(depth); err != nil {
		return nil, err
	}
	switch v.kind {
	case Bool:
		return v.Bool(), nil
	case Int:
		return v.Int(), nil
	case Uint:
		return v.Uint(), nil
	case Float:
		return v.Float(), nil
	case String:
		return v.Str(), nil
	case TextKind:
		return Text(v.Str()), nil
	case CounterKind:
		return Counter(v.Int()), nil
	case Bytes:
		return append([]byte{}, v.Bytes()...), nil
	case Time:
		return v.Time(), nil
	case List:
		return v.treeOfList(depth)
	case Map:
		return v.treeOfMap(depth)
	}
	return nil, nil
}

func (v Value) treeOfList(depth int) (any, *Error) {
	out := make([]any, v.Len())
	for i := range out {
		var err *Error
		if out[i], err = v.Index(i).tree(depth + 1); err != nil {
			return nil, err.below(strconv.Itoa(i))
		}
	}
	return out, nil
}

func (v Value) treeOfMap(depth int) (any, *Error) {
	out := map[string]any{}
	for key, e := range v.Fields {
		if e.kind == Absent {
			continue
		}
		t, err := e.tree(depth + 1)
		if err != nil {
			return nil, err.below(key)
		}
		if problem := keyProblem(key); problem != "" {
			return nil, refuse("%s", problem).below(key)
		}
		out[key] = t
	}
	return out, nil
}

// Marshal is v in Go form and in memory of its own, or an *[Error] that says what in it cannot be stored.
func Marshal(v any) (any, error) {
	out, err := Of(v)
	if err != nil {
		return nil, err
	}
	return out.Tree()
}
