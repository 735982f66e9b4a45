package doc

import (
	"errors"
	"fmt"
	"io"
	"sync"

	"tombolo/doc/core"
	"tombolo/doc/gate"
	"tombolo/doc/opset"
)

// Doc is one document in memory. It is safe for use from several goroutines. [Doc.Size] says what it takes.
type Doc struct {
	id    ID
	actor [16]byte // fresh and random: one used again with other content splits a document for ever

	mu  sync.Mutex
	set *opset.Set // nil once closed
}

var (
	// ErrClosed is returned by every method once Close was called.
	ErrClosed = errors.New("doc: the document is closed")
	// ErrUnknownChange reports a hash that is not a change of the document.
	ErrUnknownChange = errors.New("doc: no such change in this document")
	// ErrFull is returned by [Doc.Edit] and [Doc.Apply] when a document has no room for more: its operation counters are used up, or the memory that
	// [Doc.Limit] allows.
	ErrFull = opset.ErrFull
)

// New is an empty document, without even its genesis. Its actor comes from random, which must be a source of unpredictable bytes.
func New(id ID, random io.Reader) (*Doc, error) {
	d := &Doc{id: id, set: opset.New()}
	if _, err := io.ReadFull(random, d.actor[:]); err != nil {
		return nil, fmt.Errorf("make an actor: %w", err)
	}
	return d, nil
}

// Load is the document that all of changes make, in causal order, under a fresh actor.
func Load(id ID, changes [][]byte, random io.Reader) (*Doc, error) {
	d, err := New(id, random)
	if err != nil {
		return nil, err
	}
	applied, err := d.Apply(changes...)
	if err != nil {
		return nil, fmt.Errorf("load document %s: %w", id.Short(), err)
	}
	if len(applied.Missing) > 0 {
		return nil, fmt.Errorf("load document %s: %w", id.Short(), &gate.MissingError{Missing: applied.Missing})
	}
	return d, nil
}

// ID is the document's name.
func (d *Doc) ID() ID { return d.id }

// Heads are the hashes of the changes nobody builds on yet, sorted.
func (d *Doc) Heads() []Hash {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.set == nil {
		return nil
	}
	return d.set.Graph().Heads()
}

// Len is the number of changes.
func (d *Doc) Len() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.set == nil {
		return 0
	}
	return d.set.Graph().Len()
}

// Size is about how many bytes of memory the document takes; 0 once closed.
func (d *Doc) Size() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.set == nil {
		return 0
	}
	return d.set.Size()
}

// Limit bounds the memory that the document may grow to, in bytes as [Doc.Size] counts them; 0 means no bound. Changes that go beyond are refused
// with [ErrFull].
func (d *Doc) Limit(bytes int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.set != nil {
		d.set.Limit(bytes)
	}
}

// Graph is the causal index of the document's changes, for reading. It is the document's own and changes with it: use it only
// where nothing else uses the document. It is empty once the document is closed.
func (d *Doc) Graph() *gate.Graph {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.set == nil {
		return opset.New().Graph()
	}
	return d.set.Graph()
}

// open is the set of a document that is not closed. Called with mu held.
func (d *Doc) open() (*opset.Set, error) {
	if d.set == nil {
		return nil, ErrClosed
	}
	return d.set, nil
}

// Change is the plain bytes of one change; [ErrUnknownChange] if the document does not have it. It costs the change, however long the
// history is.
func (d *Doc) Change(h Hash) ([]byte, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	s, err := d.open()
	if err != nil {
		return nil, err
	}
	pos, ok := s.Graph().Position(h)
	if !ok {
		return nil, fmt.Errorf("%w: %s", ErrUnknownChange, h)
	}
	return s.Change(pos)
}

// Changes are the plain bytes of all changes in causal order.
func (d *Doc) Changes() ([][]byte, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	s, err := d.open()
	if err != nil {
		return nil, err
	}
	out := make([][]byte, s.Graph().Len())
	for pos := range out {
		if out[pos], err = s.Change(pos); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Save is the document in Automerge's own format (an .automerge file), which its other libraries read. It is made by the Rust core, which
// takes some hundred bytes of memory an operation meanwhile. box may be nil; see [core.Box].
func (d *Doc) Save(box core.Box) ([]byte, error) {
	changes, err := d.Changes()
	if err != nil {
		return nil, err
	}
	c, err := core.FromChanges(changes, core.Options{Box: box})
	if err != nil {
		return nil, fmt.Errorf("save document %s: %w", d.id.Short(), err)
	}
	defer c.Close()
	return c.Save()
}

// ReadSaved gives the changes of an .automerge file in causal order, for [Load] or [Doc.Apply]. Only files of one's own: the core reads them as a
// whole, and a malformed one can end the process (which box then notes). What comes from others comes as changes.
func ReadSaved(saved []byte, box core.Box) ([][]byte, error) {
	c, err := core.Load(saved, core.Options{Box: box})
	if err != nil {
		return nil, err
	}
	defer c.Close()
	return c.Changes()
}

// Applied is what became of changes given to [Doc.Apply].
type Applied struct {
	New     []gate.Change // those the document did not have, in the order they went in
	Missing []Hash        // dependencies that neither document nor batch has; what needs them was left out
}

// Apply adds changes from elsewhere, given in causal order. Known ones are skipped, those with missing dependencies are left out and
// their dependencies named. Any other flaw is an error, and then nothing was applied: an error of doc/gate names the change.
func (d *Doc) Apply(changes ...[]byte) (Applied, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	s, err := d.open()
	if err != nil {
		return Applied{}, err
	}
	var out Applied
	before := s.Graph().Len()
	for _, raw := range changes {
		c, err := gate.Parse(raw)
		if err == nil {
			_, err = s.Add(c)
		}
		lacks, missing := errors.AsType[*gate.MissingError](err)
		switch {
		case err == nil:
			out.New = append(out.New, c)
		case missing:
			out.Missing = append(out.Missing, lacks.Missing...)
		case !errors.Is(err, gate.ErrKnown):
			s.Truncate(before)
			return Applied{}, err
		}
	}
	return out, nil
}

// Close gives up the document. A second Close does nothing.
func (d *Doc) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.set = nil
	return nil
}
