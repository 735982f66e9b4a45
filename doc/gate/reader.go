package gate

import "encoding/binary"

// reader takes values off the front of rest. The first fault stays in err and empties rest, so that callers may read on and look once.
type reader struct {
	rest []byte
	err  error
}

func (r *reader) fail(reason string) { r.stop(&FormError{Reason: reason}) }

func (r *reader) stop(err error) {
	if r.err == nil {
		r.err, r.rest = err, nil
	}
}

// uint reads an unsigned LEB128 number in its shortest form: other forms would give one change two spellings.
func (r *reader) uint(what string) uint64 {
	v, n := binary.Uvarint(r.rest)
	if n <= 0 || n > 1 && r.rest[n-1] == 0 {
		r.fail(what + " is not a canonical LEB128 number")
		return 0
	}
	r.rest = r.rest[n:]
	return v
}

// int reads a signed LEB128 number in its shortest form.
func (r *reader) int(what string) int64 {
	var v int64
	for i, b := range r.rest {
		shift := 7 * uint(i)
		if shift == 63 && b != 0 && b != 0x7f {
			break // beyond 64 bits
		}
		v |= int64(b&0x7f) << shift
		if b&0x80 != 0 {
			continue
		}
		if shift < 57 && b&0x40 != 0 {
			v |= -1 << (shift + 7)
		}
		if i > 0 && (b == 0 && r.rest[i-1]&0x40 == 0 || b == 0x7f && r.rest[i-1]&0x40 != 0) {
			break // the byte before says it all
		}
		r.rest = r.rest[i+1:]
		return v
	}
	r.fail(what + " is not a canonical signed LEB128 number")
	return 0
}

// bytes takes n bytes, without copying.
func (r *reader) bytes(n uint64, what string) []byte {
	if n > uint64(len(r.rest)) {
		r.fail(what + " ends too early")
		return nil
	}
	b := r.rest[:n:n]
	r.rest = r.rest[n:]
	return b
}

// count reads a number of things that the rule limits.
func (r *reader) count(what string, limit uint64) uint64 {
	n := r.uint("the number of " + what)
	if n > limit {
		r.stop(&LimitError{What: what, Have: n, Max: limit})
		return 0
	}
	return n
}
