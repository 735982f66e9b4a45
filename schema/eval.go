package schema

import (
	"errors"

	"tombolo/doc"
)

// eval is what a group holds in one unit.
type eval struct {
	olds   []register // of the older version
	epoch  *epoch     // that counts; nil for none yet
	fresh  bool       // a newer version wrote last, in that epoch
	values []any      // the new ones
	before []any      // what they were before an older version wrote; nil where none did since, or they never were
	err    error      // of Up: the values are unknown
}

// eval reads a group: where the old fields are what their echoes say, a newer version wrote last and its values count; else Up makes them of the
// old ones.
func (u *unit) eval(g *group) (*eval, error) {
	for _, known := range u.evals {
		if known.g == g {
			return known.e, nil
		}
	}
	e := &eval{olds: make([]register, len(g.olds))}
	for i, n := range g.olds {
		var err error
		if e.olds[i], err = u.register(n); err != nil {
			return nil, err
		}
		if failed, ok := errors.AsType[*StepError](e.olds[i].err); ok {
			e.err = failed
		} else if e.olds[i].err != nil {
			u.in.note(n, u.path.below(joined(g.holder, n.name)...), e.olds[i])
		}
	}
	if err := u.inEpoch(g, e); err != nil {
		return nil, err
	}
	if !e.fresh && e.err == nil {
		e.before = e.values
		if e.values, e.err = g.up(e.shown(g), typedAs(g.news, e.before)); e.err != nil {
			e.err = u.failed(g, "Up", e.err)
		}
	}
	u.evals = append(u.evals, evaluated{g, e})
	return e, nil
}

// shown are the old values as a view of the older version has them.
func (e *eval) shown(g *group) []any {
	out := make([]any, len(e.olds))
	for i, r := range e.olds {
		out[i] = r.shown
	}
	return typedAs(g.olds, out)
}

// typedAs are values as the functions of a step take them: where one is stored that is not of its field's kind, the default.
func typedAs(fields []*node, values []any) []any {
	if values == nil {
		return nil
	}
	out := make([]any, len(values))
	for i, v := range values {
		ok := v == nil
		if !ok {
			v, ok = convert(valueKind(fields[i].kind), v)
		}
		if out[i] = v; !ok {
			out[i] = fields[i].opts.def
		}
	}
	return out
}

// valueKind is the kind of the values that a field holds: of a text, strings.
func valueKind(k Kind) Kind {
	if k == KindText {
		return KindString
	}
	return k
}

// failed says that a function of a group failed in this unit.
func (u *unit) failed(g *group, function string, err error) error {
	return &StepError{Version: g.version, Step: g.step, Func: function, Path: u.path.below(), Err: err}
}

// inEpoch reads the values of the epoch that counts, if there is one, and whether the echoes hold.
func (u *unit) inEpoch(g *group, e *eval) error {
	f, err := u.freshness(g)
	if err != nil || f.epoch == nil {
		return err
	}
	e.epoch, e.fresh = f.epoch, f.fresh
	values := make([]any, len(g.news))
	for i := range g.news {
		src, err := u.begun(g, i, e.epoch)
		if err != nil {
			return err
		}
		if src == nil {
			continue
		}
		values[i] = scalar(src)
		if s, ok := values[i].(doc.Text); ok {
			values[i] = string(s)
		}
	}
	e.values = values
	return nil
}
