package schema

import (
	"slices"

	"tombolo/doc"
)

// plainMerge makes in theirs what differs between base and mine. All are in Go form, and share memory with the result. Where both changed one
// value, mine counts; what one side took away and the other changed stays.
func plainMerge(base, mine, theirs any) any {
	switch {
	case doc.Equal(mine, base):
		return theirs
	case doc.Equal(theirs, base), doc.Equal(mine, theirs):
		return mine
	}
	switch t := theirs.(type) {
	case map[string]any:
		if m, ok := mine.(map[string]any); ok {
			b, _ := base.(map[string]any)
			return plainMergeMap(b, m, t)
		}
	case []any:
		if m, ok := mine.([]any); ok {
			b, _ := base.([]any)
			return plainMergeList(b, m, t)
		}
	case doc.Text:
		if m, ok := plainText(mine); ok {
			b, _ := plainText(base)
			return doc.Text(plainMergeText([]rune(b), []rune(m), []rune(t)))
		}
	case doc.Counter:
		m, ok := plainCount(mine)
		if b, was := plainCount(base); ok && was {
			return t + m - b
		}
	}
	return mine
}

// plainText is a text, or a string that is to be written over one.
func plainText(v any) (string, bool) {
	switch v := v.(type) {
	case doc.Text:
		return string(v), true
	case string:
		return v, true
	}
	return "", false
}

func plainCount(v any) (doc.Counter, bool) {
	switch v := v.(type) {
	case doc.Counter:
		return v, true
	case int64:
		return doc.Counter(v), true
	}
	return 0, false
}

func plainMergeMap(base, mine, theirs map[string]any) map[string]any {
	out := map[string]any{}
	for key := range plainKeys(mine, theirs) {
		b, was := base[key]
		m, inMine := mine[key]
		t, inTheirs := theirs[key]
		switch {
		case inMine && inTheirs:
			out[key] = plainMerge(b, m, t)
		case inMine && !(was && doc.Equal(m, b)):
			out[key] = m
		case inTheirs && !(was && doc.Equal(t, b)):
			out[key] = t
		}
	}
	return out
}

func plainKeys(a, b map[string]any) map[string]bool {
	all := map[string]bool{}
	for k := range a {
		all[k] = true
	}
	for k := range b {
		all[k] = true
	}
	return all
}

// plainMergeList merges element by element: elements that are maps, lists or texts and were changed in their places are merged in turn.
func plainMergeList(base, mine, theirs []any) []any {
	ours := plainAlign(base, mine, plainListEdits(base, mine))
	other := plainAlign(base, theirs, plainListEdits(base, theirs))
	out := make([]any, 0, max(len(mine), len(theirs)))
	for i := range len(base) + 1 {
		out = append(append(out, other.before[i]...), ours.before[i]...)
		if i == len(base) {
			break
		}
		m, t := ours.became[i], other.became[i]
		switch {
		case m != nil && t != nil:
			out = append(out, plainMerge(base[i], *m, *t))
		case m != nil && !doc.Equal(*m, base[i]):
			out = append(out, *m)
		case t != nil && !doc.Equal(*t, base[i]):
			out = append(out, *t)
		}
	}
	return out
}

// plainAligned is a list seen from an older one.
type plainAligned struct {
	became []*any  // what each old element is now; nil where it went
	before [][]any // what came before each old element, and at the end
}

func plainAlign(old, now []any, edits []plainEdit) plainAligned {
	out := plainAligned{make([]*any, len(old)), make([][]any, len(old)+1)}
	at, to := 0, 0
	for _, e := range append(edits, plainEdit{from: len(old), to: len(now)}) {
		for ; at < e.from; at, to = at+1, to+1 {
			out.became[at] = &now[to]
		}
		for k := range e.ins {
			if k < e.del && e.changed {
				out.became[e.from+k] = &now[e.to+k]
			} else {
				out.before[e.from+e.del] = append(out.before[e.from+e.del], now[e.to+k])
			}
		}
		at, to = e.from+e.del, e.to+e.ins
	}
	return out
}

// plainListEdits are the edits from one list to another. One that replaces containers by as many of the same kinds has changed them.
func plainListEdits(old, now []any) []plainEdit {
	edits := plainEdits(plainElems(old), plainElems(now))
	for i, e := range edits {
		edits[i].changed = e.del == e.ins && e.del > 0
		for k := range e.del {
			edits[i].changed = edits[i].changed && plainSameContainer(old[e.from+k], now[e.to+k])
		}
	}
	return edits
}

func plainSameContainer(a, b any) (same bool) {
	switch a.(type) {
	case map[string]any:
		_, same = b.(map[string]any)
	case []any:
		_, same = b.([]any)
	case doc.Text:
		_, same = b.(doc.Text)
	}
	return same
}

func plainElems(list []any) []string {
	out := make([]string, len(list))
	for i, e := range list {
		out[i] = string(plainJSON(e))
	}
	return out
}

// plainMergeText keeps the characters that came on both sides, and leaves out those that went on either.
func plainMergeText(base, mine, theirs []rune) []rune {
	ours, other := plainEdits(base, mine), plainEdits(base, theirs)
	stays := slices.Repeat([]bool{true}, len(base))
	before := make([][]rune, len(base)+1)
	for _, side := range []struct {
		edits []plainEdit
		now   []rune
	}{{other, theirs}, {ours, mine}} {
		for _, e := range side.edits {
			before[e.from] = append(before[e.from], side.now[e.to:e.to+e.ins]...)
			for k := range e.del {
				stays[e.from+k] = false
			}
		}
	}
	var out []rune
	for i := range len(base) + 1 {
		out = append(out, before[i]...)
		if i < len(base) && stays[i] {
			out = append(out, base[i])
		}
	}
	return out
}
