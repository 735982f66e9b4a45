package value

import (
	"math"
	"math/bits"
	"reflect"
)

// number is a number of a document: its sign and amount if it is whole, and as a float otherwise.
type number struct {
	whole    bool
	negative bool
	amount   uint64
	float    float64
}

func numberOf(src Source, kind Kind) (n number, ok bool) {
	switch kind {
	case Int, CounterKind:
		i := src.Int()
		n = number{whole: true, negative: i < 0, amount: uint64(i)}
		if n.negative {
			n.amount = -n.amount // exact for the least int64 too
		}
	case Uint:
		n = number{whole: true, amount: src.Uint()}
	case Float:
		n.float = src.Float()
		if a := math.Abs(n.float); a < 1<<64 && a == math.Trunc(a) {
			n.whole, n.negative, n.amount = true, n.float < 0, uint64(a)
		}
	default:
		return n, false
	}
	return n, true
}

// decodeNumber sets dst, a number of any Go kind, if nothing is lost by it.
func (p *plan) decodeNumber(src Source, kind Kind, dst reflect.Value) *Error {
	n, ok := numberOf(src, kind)
	if !ok {
		return p.wrongKind(kind)
	}
	switch p.kind {
	case Uint:
		if n.whole && !n.negative && !dst.OverflowUint(n.amount) {
			dst.SetUint(n.amount)
			return nil
		}
	case Float:
		if n.setFloat(kind, dst) {
			return nil
		}
	default:
		i := int64(n.amount)
		if n.negative {
			i = -i
		}
		if n.whole && (i < 0) == n.negative && !dst.OverflowInt(i) {
			dst.SetInt(i)
			return nil
		}
	}
	return p.inexact(n, kind)
}

func (n number) setFloat(kind Kind, dst reflect.Value) bool {
	if kind == Float {
		narrow := dst.Kind() == reflect.Float32
		if narrow && float64(float32(n.float)) != n.float && !math.IsNaN(n.float) {
			return false
		}
		dst.SetFloat(n.float)
		return true
	}
	digits := 53
	if dst.Kind() == reflect.Float32 {
		digits = 24
	}
	if n.amount != 0 && bits.Len64(n.amount)-bits.TrailingZeros64(n.amount) > digits {
		return false
	}
	f := float64(n.amount)
	if n.negative {
		f = -f
	}
	dst.SetFloat(f)
	return true
}

func (p *plan) inexact(n number, kind Kind) *Error {
	switch {
	case kind == Float:
		return refuse("the number %v does not fit %s exactly; use a float64, or round it when it is written", n.float, p.typ)
	case n.negative:
		return refuse("the number -%d does not fit %s exactly; use an int64", n.amount, p.typ)
	}
	return refuse("the number %d does not fit %s exactly; use an int64 or uint64", n.amount, p.typ)
}
