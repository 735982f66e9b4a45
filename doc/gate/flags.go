package gate

// flags reads a column of booleans row by row: the lengths of runs, of which the first is false and may be empty.
type flags struct {
	reader
	name  string
	room  uint64 // rows that runs to come may have
	left  uint64 // rows left in the run
	value bool
	begun bool
	some  bool // one was true
}

// open begins a column of rows rows. An empty one is false throughout.
func (f *flags) open(name string, content []byte, rows uint64) {
	f.name, f.rest, f.room = name, content, rows
	if len(content) == 0 {
		f.left = rows
	}
}

// next is the value in the next row; after a fault any.
func (f *flags) next() bool {
	for f.left == 0 && f.err == nil {
		n := f.uint("")
		switch {
		case f.err != nil:
			f.broken(spelling)
		case n == 0 && f.begun:
			f.broken("is not in its canonical form")
		case n > f.room:
			f.broken("is longer than the operations")
		}
		f.room -= n
		f.left, f.value, f.begun = n, f.begun && !f.value, true
		f.some = f.some || f.value
	}
	f.left--
	return f.value
}

func (f *flags) broken(how string) {
	f.err = &FormError{Reason: "the column of " + f.name + " " + how}
}

// close checks that nothing is left over.
func (f *flags) close() {
	if len(f.rest) > 0 || f.left > 0 {
		f.broken("is longer than the operations")
	}
}
