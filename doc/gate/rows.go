package gate

import (
	"bytes"
	"cmp"
	"strconv"
)

// rows reads the operations of a change from its columns, one after the other, and checks each by itself. Nothing is expanded: what a
// change costs to read is its operations and predecessors, which are limited, and memory for those of one operation.
type rows struct {
	objActor, objCtr          runs
	keyActor, keyCtr, keyText runs
	insert                    flags
	action                    runs
	meta                      runs
	values                    reader
	predCount                 runs
	predActor, predCtr        runs
	expand                    flags
	mark                      runs

	start  uint64 // the counter of the change's first operation
	id     uint64 // the counter of the operation read next
	left   uint64 // operations to come
	preds  uint64 // predecessors so far
	key    int64  // the counter in keyCtr and the one in predCtr, of which the columns hold the differences
	pred   int64
	actors uint64                   // how many there are, the own included
	before uint32                   // how many of the others sort before the own
	used   [MaxActors/64 + 1]uint64 // bits: which actors were referred to
	err    error
}

func (w *rows) open(c *Change, cols *columns) {
	w.start, w.id, w.left, w.actors = c.StartOp, c.StartOp, c.Ops, uint64(len(c.Others))+1
	for _, o := range c.Others {
		if bytes.Compare(o, c.Actor) < 0 {
			w.before++
		}
	}
	w.objActor.open("object actors", unsigned, cols[colObjActor], c.Ops)
	w.objCtr.open("object counters", unsigned, cols[colObjCtr], c.Ops)
	w.keyActor.open("element actors", unsigned, cols[colKeyActor], c.Ops)
	w.keyCtr.open("element counters", signed, cols[colKeyCtr], c.Ops)
	w.keyText.open("keys", utf8Text, cols[colKeyText], c.Ops)
	w.insert.open("inserts", cols[colInsert], c.Ops)
	w.action.open("actions", unsigned, cols[colAction], c.Ops)
	w.meta.open("value types", unsigned, cols[colMeta], c.Ops)
	w.values.rest = cols[colValues]
	w.predCount.open("predecessor counts", unsigned, cols[colPredCount], c.Ops)
	w.predActor.open("predecessor actors", unsigned, cols[colPredActor], MaxPreds)
	w.predCtr.open("predecessor counters", signed, cols[colPredCtr], MaxPreds)
	w.expand.open("expands", cols[colExpand], c.Ops)
	w.mark.open("mark names", utf8Text, cols[colMark], c.Ops)
	if len(cols[colInsert]) == 0 && c.Ops > 0 {
		w.err = &FormError{Reason: "no column of inserts"}
	}
}

// next reads the next operation, all but the strings of Key and Mark: those stand in keyText and mark. It returns false after the last
// and after a fault.
func (w *rows) next(op *Op) bool {
	if w.left == 0 || w.err != nil {
		return false
	}
	w.left--
	w.object(op)
	w.place(op)
	w.value(op)
	w.predecessors(op)
	op.Expand = w.expand.next()
	op.Named = w.mark.next()
	if w.columnFaults(); w.err == nil {
		if flaw := op.flaw(); flaw != "" {
			w.fail(flaw)
		}
	}
	w.id++
	return w.err == nil
}

func (w *rows) fail(reason string) {
	if w.err == nil {
		w.err = &FormError{Reason: reason + " (operation " + strconv.FormatUint(w.id, 10) + ")"}
	}
}

// object reads which object is changed.
func (w *rows) object(op *Op) {
	by, has := w.objActor.next(), w.objCtr.next()
	switch {
	case by != has:
		w.fail("half an object")
	case !has:
		op.Obj = OpRef{}
	default:
		op.Obj = w.ref(w.objActor.num, w.objCtr.num, "the object")
	}
}

// place reads where in the object it is changed.
func (w *rows) place(op *Op) {
	by, has := w.keyActor.next(), w.keyCtr.next()
	op.Seq, op.Elem = !w.keyText.next(), OpRef{}
	op.Insert = w.insert.next()
	if has {
		d := w.keyCtr.num
		if d < -MaxCounter || d > MaxCounter {
			w.fail("the counter of an element is out of range")
			return
		}
		w.key += d
	}
	switch {
	case !op.Seq && (by || has):
		w.fail("a key and an element at once")
	case op.Seq && !has:
		w.fail("neither a key nor an element")
	case op.Seq && by:
		op.Elem = w.ref(w.keyActor.num, w.key, "the element")
	case op.Seq && w.key != 0:
		w.fail("an element without an actor")
	}
}

// value reads what is done and with which value.
func (w *rows) value(op *Op) {
	if !w.action.next() || !w.meta.next() {
		w.fail("without an action or a value type")
		return
	}
	if a := w.action.num; a > int64(ActMark) || a == 6 {
		w.fail("unknown action " + strconv.FormatInt(a, 10))
		return
	}
	op.Action, op.Type = Action(w.action.num), ValueType(w.meta.num&15)
	op.Value = w.values.bytes(uint64(w.meta.num)>>4, "the column of values")
}

// predecessors reads what is replaced.
func (w *rows) predecessors(op *Op) {
	op.Preds = op.Preds[:0]
	if !w.predCount.next() {
		w.fail("without a predecessor count")
		return
	}
	n := uint64(w.predCount.num)
	if w.preds += n; n > MaxPreds || w.preds > MaxPreds {
		if w.err == nil {
			w.err = &LimitError{What: "predecessors", Have: w.preds, Max: MaxPreds}
		}
		return
	}
	for range n {
		by, has := w.predActor.next(), w.predCtr.next()
		d := w.predCtr.num
		if !by || !has || d < -MaxCounter || d > MaxCounter {
			w.fail("without one of its predecessors")
			return
		}
		w.pred += d
		p := w.ref(w.predActor.num, w.pred, "a predecessor")
		if w.err != nil {
			return
		}
		if len(op.Preds) > 0 && w.compare(op.Preds[len(op.Preds)-1], p) >= 0 {
			w.fail("predecessors out of order")
			return
		}
		op.Preds = append(op.Preds, p)
	}
}

// ref checks the name of an operation that must come before this one: another actor's before this change, as it is in its past.
func (w *rows) ref(actor, counter int64, what string) OpRef {
	end := w.id
	if actor != 0 {
		end = w.start
	}
	switch {
	case actor < 0 || uint64(actor) >= w.actors:
		w.fail(what + " has an unknown actor")
		return OpRef{}
	case counter <= 0 || uint64(counter) >= end:
		w.fail(what + " is not an earlier operation")
		return OpRef{}
	}
	w.used[actor/64] |= 1 << (actor % 64)
	return OpRef{Counter: uint32(counter), Actor: uint32(actor)}
}

// compare orders by counter, then by the bytes of the actor IDs. The others ascend, so only the own one has to be put in its place.
func (w *rows) compare(a, b OpRef) int {
	rank := func(r OpRef) uint32 {
		if r.Actor == 0 {
			return 2*w.before + 1
		}
		return 2 * r.Actor
	}
	return cmp.Or(cmp.Compare(a.Counter, b.Counter), cmp.Compare(rank(a), rank(b)))
}

// columnFaults takes over the first fault of a column, if there is one, in place of what it led to.
func (w *rows) columnFaults() {
	for _, err := range [...]error{
		w.objActor.err, w.objCtr.err, w.keyActor.err, w.keyCtr.err, w.keyText.err, w.insert.err, w.action.err, w.meta.err, w.values.err,
		w.predCount.err, w.predActor.err, w.predCtr.err, w.expand.err, w.mark.err,
	} {
		if err != nil {
			w.err = err
			return
		}
	}
}

// close checks, after the last operation, that the columns hold nothing else and that each other actor was needed.
func (w *rows) close() error {
	if w.err != nil {
		return w.err
	}
	for _, c := range [...]*runs{
		&w.objActor, &w.objCtr, &w.keyActor, &w.keyCtr, &w.keyText, &w.action, &w.meta, &w.predCount, &w.predActor, &w.predCtr, &w.mark,
	} {
		c.close()
	}
	w.insert.close()
	w.expand.close()
	if len(w.values.rest) > 0 {
		w.values.fail("the column of values is longer than the operations")
	}
	if w.expand.begun && !w.expand.some {
		w.expand.broken("has none")
	}
	w.columnFaults()
	for a := uint64(1); a < w.actors && w.err == nil; a++ {
		if w.used[a/64]>>(a%64)&1 == 0 {
			w.err = &FormError{Reason: "it lists an actor that no operation refers to"}
		}
	}
	return w.err
}
