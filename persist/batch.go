package persist

import (
	"fmt"
	"iter"
)

// Op is one entry of a Batch. Its slices must not be altered.
type Op struct {
	Key    []byte
	Value  []byte // nil when Delete
	Delete bool   // take the key away; a key that is not there is no error
}

// Batch collects writes for one Store.Apply. The zero value is an empty batch.
// It is filled by one goroutine; nothing alters it afterwards.
type Batch struct {
	ops   []Op
	bytes int
	room  int // by how much a key or a value may be over its limit: EntryCost once wrapped
}

// Put sets key to value. Both are copied.
func (b *Batch) Put(key, value []byte) {
	b.put(append([]byte{}, key...), append([]byte{}, value...))
}

// Delete takes key away. It is copied.
func (b *Batch) Delete(key []byte) { b.del(append([]byte{}, key...)) }

// put is Put for slices that nobody else will alter.
func (b *Batch) put(key, value []byte) { b.add(Op{Key: key, Value: value}) }

// del is Delete for a slice that nobody else will alter.
func (b *Batch) del(key []byte) { b.add(Op{Key: key, Delete: true}) }

func (b *Batch) add(op Op) {
	b.ops = append(b.ops, op)
	b.bytes += len(op.Key) + len(op.Value) + EntryCost
}

// Len returns the number of entries.
func (b *Batch) Len() int { return len(b.ops) }

// Wrap returns b with each entry replaced by what seal makes of it, for a Store
// that keeps its records in another one. An entry may grow by EntryCost bytes,
// key and value together, which every Store has room for: the result costs what
// b costs, and Check allows as much more for each key and value. It returns the
// first error of seal, and ErrTooLarge for an entry that grew by more and for a
// batch that was wrapped before, since that room is there once.
func (b *Batch) Wrap(seal func(Op) (Op, error)) (*Batch, error) {
	if b.room > 0 {
		return nil, fmt.Errorf("%w: a batch wrapped twice; put one wrapping store around a plain one", ErrTooLarge)
	}
	w := &Batch{ops: make([]Op, 0, len(b.ops)+1), bytes: b.bytes, room: EntryCost}
	for _, op := range b.ops {
		sealed, err := seal(op)
		if err != nil {
			return nil, err
		}
		if len(sealed.Key)+len(sealed.Value) > len(op.Key)+len(op.Value)+EntryCost {
			return nil, fmt.Errorf("%w: a wrapped entry grew by over %d bytes", ErrTooLarge, EntryCost)
		}
		w.ops = append(w.ops, sealed)
	}
	return w, nil
}

// Beside adds to a batch that Wrap made one entry of the wrapping Store's own.
// It costs nothing; key and value have at most 2*EntryCost bytes together, or
// the error is ErrTooLarge.
func (b *Batch) Beside(own Op) error {
	if b.room == 0 || len(own.Key)+len(own.Value) > 2*EntryCost {
		return fmt.Errorf("%w: an entry of %d bytes beside wrapped ones", ErrTooLarge, len(own.Key)+len(own.Value))
	}
	b.ops = append(b.ops, own)
	return nil
}

// Bytes returns what the batch costs of MaxBatch.
func (b *Batch) Bytes() int { return b.bytes }

// Ops yields the entries in the order in which they were added; it is what an
// implementation of Store goes through.
func (b *Batch) Ops() iter.Seq[Op] {
	return func(yield func(Op) bool) {
		for _, op := range b.ops {
			if !yield(op) {
				return
			}
		}
	}
}

// Check returns ErrTooLarge or ErrKey, wrapped in what is wrong, for a batch
// that no Store takes. Every Store.Apply begins with it.
func (b *Batch) Check() error {
	if b.bytes > MaxBatch {
		return fmt.Errorf("%w: a batch of %d bytes, the limit is %d; split it", ErrTooLarge, b.bytes, MaxBatch)
	}
	for _, op := range b.ops {
		if len(op.Key) == 0 || len(op.Key) > MaxKey+b.room || op.Key[0] == '!' {
			return fmt.Errorf("%w: %.20q", ErrKey, op.Key)
		}
		if len(op.Value) > MaxValue+b.room {
			return fmt.Errorf("%w: a value of %d bytes, the limit is %d", ErrTooLarge, len(op.Value), MaxValue)
		}
	}
	return nil
}

// join adds the entries of other behind those of b.
func (b *Batch) join(other *Batch) {
	b.ops = append(b.ops, other.ops...)
	b.bytes += other.bytes
}
