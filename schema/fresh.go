package schema

import (
	"bytes"
	"crypto/sha256"
	"math"

	"tombolo/doc"
	"tombolo/doc/value"
)

// Most reading is of groups in whose epoch a newer version wrote last. This file finds that out, and where the values lie, without making Go values of
// what is compared; eval.go does the rest.

// freshness is whether a newer version wrote a group last, and in which epoch.
type freshness struct {
	g     *group
	fresh bool
	epoch *epoch // that counts; nil for none
}

// raw is a scalar where it lies. Two are of one value when all of it is the same.
type raw struct {
	kind value.Kind
	num  uint64
	text []byte
}

func (a raw) same(b raw) bool {
	return a.kind == b.kind && a.num == b.num && bytes.Equal(a.text, b.text)
}

// rawOf reads a scalar. Text, counters and what is no register are as echoOf has them.
func rawOf(src value.Source) (r raw) {
	r.kind = src.Kind()
	switch r.kind {
	case value.Null:
	case value.Bool:
		if src.Bool() {
			r.num = 1
		}
	case value.Int, value.CounterKind:
		r.kind, r.num = value.Int, uint64(src.Int())
	case value.Uint:
		r.kind, r.num = value.Int, src.Uint()
	case value.Float:
		r.num = math.Float64bits(src.Float())
	case value.Time:
		r.num = uint64(src.Time().UnixMilli())
	case value.String:
		r.text = textOf(src)
	case value.TextKind:
		r.kind, r.text = value.String, []byte(src.Str())
	case value.Bytes:
		r.text = src.Bytes()
	default:
		r.kind, r.text = value.Bytes, []byte(r.kind.String())
	}
	return r
}

// textOf is the bytes of a string, which must not be changed: without a copy, where the source can give that.
func textOf(src value.Source) []byte {
	if s, ok := src.(interface{ StringBytes() []byte }); ok {
		return s.StringBytes()
	}
	return []byte(src.Str())
}

// echo is what the echo of a value holds, see echoOf.
func (a raw) echo() raw {
	if a.kind == value.String && len(a.text) > longEcho {
		sum := sha256.Sum256(a.text)
		return raw{kind: value.Bytes, text: sum[:16]}
	}
	return a
}

// freshness says whether a group is fresh. Where it is false, eval knows more.
func (u *unit) freshness(g *group) (f freshness, err error) {
	for i := range u.fresh {
		if u.fresh[i].g == g {
			return u.fresh[i], nil
		}
	}
	f.g = g
	cur, err := u.keyed(g.holder, g.keys.cur)
	if err != nil {
		return f, err
	}
	name := raw{}
	if cur != nil {
		name = rawOf(cur)
	}
	if name.kind == value.String {
		f.epoch = g.epoch(name.text)
		if f.fresh, err = u.untouched(g, f.epoch); err != nil {
			return f, err
		}
	}
	if u.fresh == nil {
		u.fresh = u.first[:0]
	}
	u.fresh = append(u.fresh, f)
	return f, nil
}

// untouched says whether the old fields are what their echoes say.
func (u *unit) untouched(g *group, epoch *epoch) (bool, error) {
	for i := range g.olds {
		ok, err := u.echoed(g, i, epoch)
		if !ok || err != nil {
			return false, err
		}
	}
	return true, nil
}

// begun is what a new field holds in an epoch; nil for nothing, which only others than this package leave: it then has no value.
func (u *unit) begun(g *group, i int, epoch *epoch) (value.Source, error) {
	src, err := u.keyed(g.holder, epoch.news[i])
	if src != nil || err != nil || g.text {
		return src, err
	}
	return u.keyed(g.holder, epoch.starts[i])
}

// echo is what newer versions know old field i of a group to hold.
func (u *unit) echo(g *group, i int, epoch *epoch) (value.Source, error) {
	src, err := u.keyed(g.holder, epoch.echoes[i])
	if src != nil || err != nil {
		return src, err
	}
	return u.keyed(g.holder, epoch.begun[i])
}

// echoed says whether an old field is what its echo says.
func (u *unit) echoed(g *group, i int, epoch *epoch) (bool, error) {
	n := g.olds[i]
	src, err := u.stored(n)
	if err != nil {
		return false, err
	}
	if src == nil && n.group != nil { // an older version wrote last there, which may have changed nothing here
		r, err := u.register(n)
		if err != nil || r.err != nil {
			return false, err
		}
		echo, err := u.echo(g, i, epoch)
		return err == nil && echo != nil && doc.Equal(scalar(echo), echoOf(r.raw)), err
	}
	var old raw
	there := src != nil
	if there {
		old = rawOf(src)
	}
	echo, err := u.echo(g, i, epoch)
	if err != nil || there != (echo != nil) {
		return false, err
	}
	return !there || rawOf(echo).same(old.echo()), nil
}

// stored is where the value of a register lies; nil where nothing is stored, or where a function has to say.
func (u *unit) stored(n *node) (value.Source, error) {
	if n.group == nil {
		return u.at(n.at)
	}
	f, err := u.freshness(n.group)
	if err != nil || !f.fresh {
		return nil, err
	}
	return u.begun(n.group, n.out, f.epoch)
}
