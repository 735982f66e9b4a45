package schema

import (
	"maps"
	"slices"
	"strconv"

	"tombolo/doc"
)

// plainDiff makes one value in Go form of another, as patches for [doc.ApplyPatches].
func plainDiff(path doc.Pointer, old, now any) []doc.Patch {
	if doc.Equal(old, now) {
		return nil
	}
	if o, ok := old.(doc.Text); ok {
		if n, ok := now.(doc.Text); ok {
			return plainDiffText(path, []rune(o), []rune(n))
		}
	}
	switch o := old.(type) {
	case map[string]any:
		if n, ok := now.(map[string]any); ok {
			return plainDiffMap(path, o, n)
		}
	case []any:
		if n, ok := now.([]any); ok {
			return plainDiffList(path, o, n)
		}
	}
	return []doc.Patch{{Path: path, Kind: doc.PatchReplace, Old: old, New: now}}
}

func plainBelow(path doc.Pointer, token string) doc.Pointer {
	return append(slices.Clone(path), token)
}

func plainDiffMap(path doc.Pointer, old, now map[string]any) (out []doc.Patch) {
	for _, key := range slices.Sorted(maps.Keys(plainKeys(old, now))) {
		o, was := old[key]
		n, is := now[key]
		at := plainBelow(path, key)
		switch {
		case was && is:
			out = append(out, plainDiff(at, o, n)...)
		case is:
			out = append(out, doc.Patch{Path: at, Kind: doc.PatchAdd, New: n})
		default:
			out = append(out, doc.Patch{Path: at, Kind: doc.PatchRemove, Old: o})
		}
	}
	return out
}

func plainDiffList(path doc.Pointer, old, now []any) (out []doc.Patch) {
	for _, e := range plainListEdits(old, now) { // everything before e is as it will be
		for k := range e.del {
			if e.changed {
				out = append(out, plainDiff(plainBelow(path, strconv.Itoa(e.to+k)), old[e.from+k], now[e.to+k])...)
			} else {
				out = append(out, doc.Patch{Path: plainBelow(path, strconv.Itoa(e.to)), Kind: doc.PatchRemove, Old: old[e.from+k]})
			}
		}
		for k := range e.ins {
			if !e.changed {
				out = append(out, doc.Patch{Path: plainBelow(path, strconv.Itoa(e.to+k)), Kind: doc.PatchAdd, New: now[e.to+k]})
			}
		}
	}
	return out
}

func plainDiffText(path doc.Pointer, old, now []rune) (out []doc.Patch) {
	for _, e := range plainEdits(old, now) {
		p := doc.Patch{Path: path, Kind: doc.PatchSplice, At: e.to, Old: doc.Text(old[e.from : e.from+e.del]), New: doc.Text(now[e.to : e.to+e.ins])}
		out = append(out, p)
	}
	return out
}

// plainEdit replaces del elements from index from of an old sequence by ins elements from index to of a new one.
type plainEdit struct {
	from, del, to, ins int
	changed            bool // each became the one in its place
}

// plainMost bounds the search for what two sequences have in common; the middle of those that differ in more is replaced as a whole.
const plainMost = 1 << 22

// plainEdits are the least edits that make now of old.
func plainEdits[T comparable](old, now []T) []plainEdit {
	start := 0
	for start < min(len(old), len(now)) && old[start] == now[start] {
		start++
	}
	end := 0
	for end < min(len(old), len(now))-start && old[len(old)-1-end] == now[len(now)-1-end] {
		end++
	}
	a, b := old[start:len(old)-end], now[start:len(now)-end]
	if len(a) == 0 && len(b) == 0 {
		return nil
	}
	if len(a) == 0 || len(b) == 0 || len(a) > plainMost/len(b) {
		return []plainEdit{{from: start, del: len(a), to: start, ins: len(b)}}
	}
	// common[i][j] is how many elements a from i on and b from j on have in common, in order.
	width := len(b) + 1
	common := make([]int32, (len(a)+1)*width)
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			if a[i] == b[j] {
				common[i*width+j] = common[(i+1)*width+j+1] + 1
			} else {
				common[i*width+j] = max(common[(i+1)*width+j], common[i*width+j+1])
			}
		}
	}
	var out []plainEdit
	edit := func(i, j, del, ins int) {
		if last := len(out) - 1; last >= 0 && out[last].from+out[last].del == start+i && out[last].to+out[last].ins == start+j {
			out[last].del += del
			out[last].ins += ins
			return
		}
		out = append(out, plainEdit{from: start + i, del: del, to: start + j, ins: ins})
	}
	for i, j := 0, 0; i < len(a) || j < len(b); {
		switch {
		case i < len(a) && j < len(b) && a[i] == b[j]:
			i, j = i+1, j+1
		case j == len(b) || i < len(a) && common[(i+1)*width+j] >= common[i*width+j+1]:
			edit(i, j, 1, 0)
			i++
		default:
			edit(i, j, 0, 1)
			j++
		}
	}
	return out
}
