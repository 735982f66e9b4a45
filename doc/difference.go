package doc

// edit replaces del elements from index from of the old sequence by ins elements from index to of the new one.
type edit struct{ from, del, to, ins int }

// maxEdits bounds the search for the least difference, which costs memory in its square; sequences that differ more have their
// middle replaced as a whole.
const maxEdits = 1000

// difference is the shortest list of edits that turns a sequence of n elements into one of m, where equal(i, j) compares the old
// element i with the new element j (E. Myers, An O(ND) Difference Algorithm and Its Variations, 1986).
func difference(n, m int, equal func(i, j int) bool) []edit {
	start := 0
	for start < n && start < m && equal(start, start) {
		start++
	}
	end := 0
	for end < n-start && end < m-start && equal(n-1-end, m-1-end) {
		end++
	}
	n, m = n-start-end, m-start-end
	if n == 0 && m == 0 {
		return nil
	}
	if n == 0 || m == 0 {
		return []edit{{start, n, start, m}}
	}
	trace := search(n, m, func(i, j int) bool { return equal(start+i, start+j) })
	if trace == nil {
		return []edit{{start, n, start, m}}
	}
	return walkBack(trace, n, m, start)
}

// replacements are the edits that turn sequences of n elements into each other place by place.
func replacements(n int, equal func(i, j int) bool) []edit {
	var out []edit
	for i := range n {
		if !equal(i, i) {
			out = append(out, edit{i, 1, i, 1})
		}
	}
	return out
}

// written is how many elements edits replace, delete and insert.
func written(edits []edit) (n int) {
	for _, e := range edits {
		n += max(e.del, e.ins)
	}
	return n
}

// search finds how far each diagonal k = x-y reaches with d edits, for d = 0, 1, … until the end is reached. It gives the reach before
// each d, nil where more than maxEdits are needed. Row d holds diagonals -d-1 … d+1 at index k+d+1.
func search(n, m int, equal func(i, j int) bool) [][]int {
	var trace [][]int
	reach := []int{0, 0, 0}
	for d := 0; d <= min(n+m, maxEdits); d++ {
		trace = append(trace, reach)
		next := make([]int, 2*d+5)
		for k := -d; k <= d; k += 2 {
			x := step(reach, d, k)
			y := x - k
			for x < n && y < m && equal(x, y) {
				x, y = x+1, y+1
			}
			next[k+d+2] = x
			if x >= n && y >= m {
				return trace
			}
		}
		reach = next
	}
	return nil
}

// step is where diagonal k begins with d edits: one insertion below diagonal k+1, or one deletion right of diagonal k-1.
func step(reach []int, d, k int) int {
	if down(reach, d, k) {
		return reach[k+1+d+1]
	}
	return reach[k-1+d+1] + 1
}

func down(reach []int, d, k int) bool {
	return d == 0 || k == -d || (k != d && reach[k-1+d+1] < reach[k+1+d+1])
}

// walkBack reads the path off the trace from its end and joins steps without an equal element between them.
func walkBack(trace [][]int, n, m, start int) []edit {
	var out []edit // last first
	x, y := n, m
	for d := len(trace) - 1; d > 0; d-- {
		k := x - y
		if down(trace[d], d, k) {
			k++
		} else {
			k--
		}
		px := trace[d][k+d+1]
		py := px - k
		e := edit{from: start + px, to: start + py}
		if k > x-y {
			e.ins = 1
		} else {
			e.del = 1
		}
		if l := len(out) - 1; l >= 0 && e.from+e.del == out[l].from && e.to+e.ins == out[l].to {
			out[l] = edit{e.from, e.del + out[l].del, e.to, e.ins + out[l].ins}
		} else {
			out = append(out, e)
		}
		x, y = px, py
	}
	for i, j := 0, len(out)-1; i < j; i, j = i+1, j-1 {
		out[i], out[j] = out[j], out[i]
	}
	return out
}
