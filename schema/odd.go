package schema

import (
	"errors"

	"tombolo/doc"
	"tombolo/doc/value"
)

// A list is written as a whole, and its elements that do not fit are to stay. So this file finds which elements of the new list are those.

// maxAligned bounds the comparison of two lists, which costs time and memory in the product of their lengths.
const maxAligned = 4 << 20

var errTooOdd = errors.New("it has elements that do not fit, and too much of it changes at once to keep them; change less at a time")

// odd is what is stored for those elements wanted that show something else: by index in want.
func (x *listSource) odd(want []any) (map[int]any, error) {
	raws, odd := make([]any, x.Len()), false
	for i := range raws {
		src, err := x.src.Index(i)
		if err != nil {
			return nil, err
		}
		if err := value.Decode(src, &raws[i]); err != nil {
			return nil, err
		}
		odd = odd || !x.f.fits(raws[i])
	}
	if !odd {
		return nil, nil
	}
	shown := make([]any, len(raws))
	for i := range shown {
		var err error
		if shown[i], err = x.shown(i); err != nil {
			return nil, err
		}
	}
	pairs, ok := aligned(shown, want)
	if !ok {
		return nil, refuse(x.path.pointer(), nil, "%w", errTooOdd)
	}
	keep := map[int]any{}
	for i, j := range pairs {
		if !x.f.fits(raws[i]) {
			keep[j] = raws[i]
		}
	}
	return keep, nil
}

// fits says whether a stored element of a list shows as it is, and with all that is in it.
func (f *boundField) fits(raw any) bool {
	if f.n.elem.kind != KindNested {
		return f.takes(f.n.elem, raw)
	}
	m, ok := raw.(map[string]any)
	if !ok {
		return false
	}
	known := 0
	for _, in := range f.elem.fields {
		v, there := m[in.n.at[len(in.n.at)-1]]
		if !in.takes(in.n, v) {
			return false
		}
		if there {
			known++
		}
	}
	return known == len(m)
}

func (f *boundField) takes(n *node, raw any) bool {
	v, err := n.accept(raw)
	return err == nil && (!f.narrow || f.holds(v) == nil)
}

// aligned pairs equal elements of two lists in order, as many as can be: the longest common subsequence. It is false where that would cost too much.
func aligned(a, b []any) (map[int]int, bool) {
	pairs, start := map[int]int{}, 0
	for start < len(a) && start < len(b) && doc.Equal(a[start], b[start]) {
		pairs[start] = start
		start++
	}
	n, m := len(a), len(b)
	for n > start && m > start && doc.Equal(a[n-1], b[m-1]) {
		n, m = n-1, m-1
		pairs[n] = m
	}
	if (n-start+1)*(m-start+1) > maxAligned {
		return nil, false
	}
	length := make([][]int, n-start+1)
	for i := range length {
		length[i] = make([]int, m-start+1)
	}
	for i := n - start - 1; i >= 0; i-- {
		for j := m - start - 1; j >= 0; j-- {
			if doc.Equal(a[start+i], b[start+j]) {
				length[i][j] = length[i+1][j+1] + 1
			} else {
				length[i][j] = max(length[i+1][j], length[i][j+1])
			}
		}
	}
	for i, j := 0, 0; i < n-start && j < m-start; {
		switch {
		case doc.Equal(a[start+i], b[start+j]):
			pairs[start+i] = start + j
			i, j = i+1, j+1
		case length[i+1][j] >= length[i][j+1]:
			i++
		default:
			j++
		}
	}
	return pairs, true
}
