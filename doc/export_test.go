package doc

import "testing"

// MustSave is Save for tests.
func (d *Doc) MustSave(t *testing.T) []byte {
	t.Helper()
	b, err := d.Save(nil)
	check(t, err)
	return b
}

// Difference is difference with the edits applied: what turns a into b, and the number of elements touched.
func Difference(a, b []int) (result []int, touched int) {
	shift := 0
	result = append(result, a...)
	for _, e := range difference(len(a), len(b), func(i, j int) bool { return a[i] == b[j] }) {
		at := e.from + shift
		tail := append([]int{}, result[at+e.del:]...)
		result = append(append(result[:at:at], b[e.to:e.to+e.ins]...), tail...)
		shift += e.ins - e.del
		touched += e.ins + e.del
	}
	return result, touched
}
