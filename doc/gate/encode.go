package gate

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"iter"
	"sync"
)

// Encode writes the plain chunk of a change from Deps, Actor, Others, Seq, StartOp, Time and Message of c and from ops, byte for byte as
// Automerge does. The Raw of any change that [Parse] took comes out of its header and its Operations again. An Op and what it refers to
// may change after the yield.
//
// The error is a [*LimitError], when the change would be larger than the [Rule] allows. Whether it is sound otherwise, Encode does not
// ask: it writes what it is given (a Key only where not Seq, a Mark only where Named), and Parse is the judge of that. Safe for
// concurrent use.
func Encode(c Change, ops iter.Seq[*Op]) ([]byte, error) {
	w := writers.Get().(*writer)
	defer w.release()
	w.reset()
	for op := range ops {
		w.op(op)
		if w.full() {
			break
		}
	}
	return w.chunk(c)
}

// HashOf is the hash of a plain chunk that is known to be one, such as [Encode]'s. It panics on fewer bytes than a frame has.
func HashOf(plain []byte) Hash { return sha256.Sum256(plain[typeAt:]) }

// writer builds the columns of one change and then the chunk.
type writer struct {
	objActor, objCtr          runWriter
	keyActor, keyCtr, keyText runWriter
	insert                    flagWriter
	action, meta              runWriter
	values                    []byte
	predCount                 runWriter
	predActor, predCtr        runWriter
	expand                    flagWriter
	mark                      runWriter

	ops, preds uint64
	key, pred  int64 // the counters that the next row of keyCtr and predCtr is told from
	head       []byte
}

// writers keep their memory from one change to the next; most changes are local edits of one operation.
var writers = sync.Pool{New: func() any { return new(writer) }}

// keep is how large a column may have grown, in bytes, for its writer to be used again.
const keep = 1 << 16

func (w *writer) release() {
	if w.ops*16 <= keep && len(w.values) <= keep && len(w.keyText.out) <= keep && len(w.mark.out) <= keep && w.preds*16 <= keep {
		writers.Put(w)
	}
}

func (w *writer) reset() {
	for _, c := range [...]*runWriter{&w.objActor, &w.objCtr, &w.keyActor, &w.action, &w.meta, &w.predCount, &w.predActor} {
		c.reset(unsigned)
	}
	w.keyCtr.reset(signed)
	w.predCtr.reset(signed)
	w.keyText.reset(utf8Text)
	w.mark.reset(utf8Text)
	w.insert.reset()
	w.expand.reset()
	w.values, w.head = w.values[:0], w.head[:0]
	w.ops, w.preds, w.key, w.pred = 0, 0, 0, 0
}

// op adds a row to every column.
func (w *writer) op(op *Op) {
	w.ops++
	if op.Obj == (OpRef{}) {
		w.objActor.none()
		w.objCtr.none()
	} else {
		w.objActor.number(int64(op.Obj.Actor))
		w.objCtr.number(int64(op.Obj.Counter))
	}
	switch {
	case !op.Seq:
		w.keyActor.none()
		w.keyCtr.none()
		w.keyText.string(op.Key)
	case op.Elem == (OpRef{}):
		w.keyActor.none()
		w.element(0)
	default:
		w.keyActor.number(int64(op.Elem.Actor))
		w.element(op.Elem.Counter)
	}
	w.insert.flag(op.Insert)
	w.action.number(int64(op.Action))
	w.meta.number(int64(len(op.Value))<<4 | int64(op.Type))
	w.values = append(w.values, op.Value...)
	w.predCount.number(int64(len(op.Preds)))
	for _, p := range op.Preds {
		w.predActor.number(int64(p.Actor))
		w.predCtr.number(int64(p.Counter) - w.pred)
		w.pred = int64(p.Counter)
	}
	w.preds += uint64(len(op.Preds))
	w.expand.flag(op.Expand)
	if op.Named {
		w.mark.string(op.Mark)
	} else {
		w.mark.none()
	}
}

// element is the place in a sequence.
func (w *writer) element(counter uint32) {
	w.keyText.none()
	w.keyCtr.number(int64(counter) - w.key)
	w.key = int64(counter)
}

// full says that a limit is passed already, so that what never ends does not fill the memory.
func (w *writer) full() bool {
	return w.ops > MaxOps || w.preds > MaxPreds || len(w.values)+len(w.keyText.out)+len(w.mark.out) > MaxChangeBytes
}

// over is an error when there are more than max; what is in the plural.
func over[N int | uint64](what string, have N, max uint64) error {
	if uint64(have) <= max {
		return nil
	}
	return &LimitError{What: what, Have: uint64(have), Max: max}
}

// columns are all columns, in the order of specs.
func (w *writer) columns() columns {
	cols := columns{
		colObjActor:  w.objActor.end(),
		colObjCtr:    w.objCtr.end(),
		colKeyActor:  w.keyActor.end(),
		colKeyCtr:    w.keyCtr.end(),
		colKeyText:   w.keyText.end(),
		colInsert:    w.insert.end(),
		colAction:    w.action.end(),
		colMeta:      w.meta.end(),
		colValues:    w.values,
		colPredCount: w.predCount.end(),
		colPredActor: w.predActor.end(),
		colPredCtr:   w.predCtr.end(),
		colMark:      w.mark.end(),
	}
	if w.expand.some {
		cols[colExpand] = w.expand.end()
	}
	return cols
}

// chunk puts header, columns and frame together.
func (w *writer) chunk(c Change) ([]byte, error) {
	if err := cmp.Or(
		over("dependencies", len(c.Deps), MaxDeps),
		over("other actors", len(c.Others), MaxActors),
		over("operations", w.ops, MaxOps),
		over("predecessors", w.preds, MaxPreds),
		over("bytes behind the operations", len(c.Footer), MaxFooter),
		over("operations counted in the document", min(c.StartOp, MaxCounter+1)+w.ops, MaxCounter),
	); err != nil {
		return nil, err
	}
	uv := binary.AppendUvarint
	h := uv(w.head, uint64(len(c.Deps)))
	for i := range c.Deps {
		h = append(h, c.Deps[i][:]...)
	}
	h = append(uv(h, uint64(len(c.Actor))), c.Actor...)
	h = appendInt(uv(uv(h, c.Seq), c.StartOp), c.Time)
	h = append(uv(h, uint64(len(c.Message))), c.Message...)
	h = uv(h, uint64(len(c.Others)))
	for _, a := range c.Others {
		h = append(uv(h, uint64(len(a))), a...)
	}
	cols := w.columns()
	listed, size := uint64(0), 0
	for _, content := range cols {
		if len(content) > 0 {
			listed++
			size += len(content)
		}
	}
	h = uv(h, listed)
	for i, content := range cols {
		if len(content) > 0 {
			h = uv(uv(h, specs[i]), uint64(len(content)))
		}
	}
	w.head = h

	size += len(h) + len(c.Footer)
	var length [binary.MaxVarintLen64]byte
	frame := uv(length[:0], uint64(size))
	size += typeAt + 1 + len(frame)
	if err := over("bytes", size, MaxChangeBytes); err != nil {
		return nil, err
	}
	out := append(make([]byte, 0, size), magic+"\x00\x00\x00\x00"...)
	out = append(append(append(out, typeChange), frame...), h...)
	for _, content := range cols {
		out = append(out, content...)
	}
	out = append(out, c.Footer...)
	sum := HashOf(out)
	copy(out[len(magic):typeAt], sum[:])
	return out, nil
}
