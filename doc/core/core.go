package core

import (
	"errors"
	"fmt"
	"slices"
	"sync"

	"tombolo/doc/gate"
)

var (
	// ErrClosed is returned by every method once Close was called, or once an [Error] gave the document up.
	ErrClosed = errors.New("core: the document is closed; make it again from its changes")
	// ErrNoCore is returned by the constructors in a build that the core is not part of.
	ErrNoCore = errors.New("core: this build has no Automerge core: build with cgo to read or write .automerge files")
	// ErrUnknownChange reports a hash that is not a change of the document.
	ErrUnknownChange = errors.New("core: no such change in this document; ask for one that Changes lists")
)

// Error reports that the core failed, or does not hold what it was given. The document it came from is closed.
type Error struct {
	Op  string // what was asked of the core
	Err error  // what it said, or in what it is wrong
}

// Error names the operation and the reason.
func (e *Error) Error() string {
	try := "make the document again from its changes"
	if e.Op == opLoad {
		try = "try an older copy of the file"
	}
	return fmt.Sprintf("core: %s: %v; %s", e.Op, e.Err, try)
}

const opLoad = "load"

// Unwrap gives the reason.
func (e *Error) Unwrap() error { return e.Err }

// MaxDepth is how many keys and indexes may lead to a value that [Doc.Value] reads: ten times what the engine writes, and far below
// what a stack bears.
const MaxDepth = 10_000

// Options says where bytes come from. The zero value is for bytes that need no black box: those of a test.
type Options struct {
	Box   Box      // notes what goes into the core; nil: nobody does
	Doc   [16]byte // the document, for the box
	Space [16]byte // its space, for the box
	From  string   // who sent the bytes, for the box; empty: nobody, it is a file of this device
}

// Doc is one document in the core. It takes C memory, about 520 bytes an operation, until it is closed.
type Doc struct {
	opts Options

	mu    sync.Mutex
	lib   *library    // nil once closed
	graph *gate.Graph // the changes of lib, and nothing else
	share *share
}

// FromChanges is the document that changes make, in causal order: plain or deflated chunks, best those doc/gate and the check of their
// operations admitted, since a change that only has the right form can end the process. The errors are those of [Doc.Add] and [ErrNoCore].
func FromChanges(changes [][]byte, opts Options) (*Doc, error) {
	lib, err := newLibrary()
	if err != nil {
		return nil, err
	}
	d := newDoc(lib, opts)
	if err := d.Add(changes...); err != nil {
		d.discard()
		return nil, err
	}
	return d, nil
}

// newDoc is an empty document around lib.
func newDoc(lib *library, opts Options) *Doc {
	return &Doc{opts: opts, lib: lib, graph: gate.NewGraph(), share: newShare(lib)}
}

// Add puts changes into the document, given in causal order; those it has are skipped. Errors of doc/gate (a malformed change, a
// [gate.MissingError], a [gate.SequenceError]) and of the box's Before leave it as it was. An [Error] closes it. An error of the box's
// After comes when the changes are in.
func (d *Doc) Add(changes ...[]byte) error {
	return d.with("add changes", func() error {
		before := d.graph.Len()
		fresh, missing, err := gate.Admit(d.graph, changes)
		if err == nil && len(missing) > 0 {
			d.graph.Truncate(before)
			err = &gate.MissingError{Missing: missing}
		}
		if err != nil || len(fresh) == 0 {
			return refused(err)
		}
		var all []byte
		for _, c := range fresh {
			all = append(all, c.Raw...)
		}
		entered := false
		err = d.opts.noted(changes, func() error {
			entered = true
			return d.give(all)
		})
		if !entered {
			d.graph.Truncate(before)
			return err
		}
		d.share.grow(estimate(fresh))
		return err
	})
}

// give hands chunks over and looks what became of them: the core says nothing about what it left out.
func (d *Doc) give(chunks []byte) error {
	if err := d.lib.add(chunks); err != nil {
		return err
	}
	return d.verify()
}

// refused wraps what was found before the core was asked.
func refused(err error) error {
	if err == nil {
		return nil
	}
	return &refusal{fmt.Errorf("core: refused: %w", err)}
}

// refusal marks an error that says nothing against the document.
type refusal struct{ error }

// verify compares what the core holds with what it was given. Heads name all their ancestors, so equal heads are equal histories.
func (d *Doc) verify() error {
	have := d.lib.heads()
	if want := d.graph.Heads(); !slices.Equal(have, want) {
		return fmt.Errorf("it holds the heads %.8s and was given %.8s", have, want)
	}
	return nil
}

// Change is the plain bytes of one change, or [ErrUnknownChange]. It costs the same however long the history is.
func (d *Doc) Change(h gate.Hash) (raw []byte, err error) {
	err = d.with("read a change", func() error {
		if !d.graph.Has(h) {
			return &refusal{fmt.Errorf("%w: %s", ErrUnknownChange, h)}
		}
		if raw, err = d.lib.change(h); err == nil {
			raw, err = plain(raw, h)
		}
		return err
	})
	return raw, err
}

// Changes are the plain bytes of all changes in causal order. It costs the whole history.
func (d *Doc) Changes() (raws [][]byte, err error) {
	err = d.with("read the changes", func() error {
		if raws, err = d.lib.changes(); err != nil {
			return err
		}
		for i, raw := range raws {
			c, err := gate.Parse(raw)
			if err != nil {
				return err
			}
			raws[i] = c.Raw
		}
		return nil
	})
	return raws, err
}

// plain is a change of the core in plain form, when it is the one asked for.
func plain(raw []byte, h gate.Hash) ([]byte, error) {
	c, err := gate.Parse(raw)
	if err == nil && c.Hash != h {
		err = fmt.Errorf("asked for the change %s it gives %s", h, c.Hash)
	}
	return c.Raw, err
}

// Heads are the hashes of the changes nobody builds on, ascending, as the core has them.
func (d *Doc) Heads() (heads []gate.Hash, err error) {
	err = d.with("read the heads", func() error {
		heads = d.lib.heads()
		return nil
	})
	return heads, err
}

// Save is the document in Automerge's format, an .automerge file. Two documents with equal heads need not have equal bytes.
func (d *Doc) Save() (saved []byte, err error) {
	err = d.with("save", func() error {
		saved = d.lib.save()
		return nil
	})
	owed.add(int64(len(saved)))
	return saved, err
}

// Value is the whole document: map[string]any, []any, and the values nil, bool, int64, uint64, float64, string, []byte, [time.Time] (UTC,
// milliseconds), [value.Text], [value.Counter] and [value.Unknown]. Of concurrent values it has the winner. A document nested deeper
// than [MaxDepth] is an [Error].
func (d *Doc) Value() (v any, err error) {
	err = d.with("read the value", func() error {
		v, err = d.lib.value()
		return err
	})
	return v, err
}

// Close gives the document and its C memory back. A second Close does nothing.
func (d *Doc) Close() error {
	err := d.with("close", func() error {
		d.discard()
		return nil
	})
	if errors.Is(err, ErrClosed) {
		return nil
	}
	return err
}

// discard is Close for who holds the lock.
func (d *Doc) discard() {
	if d.lib == nil {
		return
	}
	if d.lib.free() {
		d.share.freed()
	} else {
		d.share.dropped()
	}
	d.lib, d.graph = nil, nil
}

// with runs call under the lock. Every error but a refusal, a panic of the binding among them, ends the document.
func (d *Doc) with(op string, call func() error) error {
	if d == nil {
		return ErrClosed
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.lib == nil {
		return ErrClosed
	}
	err := caught(call)
	if r, ok := errors.AsType[*refusal](err); ok {
		return r.error
	}
	if err != nil {
		d.discard()
		return &Error{Op: op, Err: err}
	}
	return nil
}

// caught turns a panic of the binding into an error.
func caught(call func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the binding panicked: %v", p)
		}
	}()
	return call()
}
