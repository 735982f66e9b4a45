package doc

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"sort"
	"sync"
	"time"

	"github.com/automerge/automerge-go"

	"tombolo/doc/gate"
)

// Doc is one document in memory. It is safe for use from several goroutines; what it costs is C memory that the Go collector does
// not see (520 bytes an operation, measured), so close it when it is not needed.
type Doc struct {
	id   ID
	rand io.Reader

	mu    sync.Mutex
	core  *automerge.Doc // nil once closed
	graph *gate.Graph    // the changes of core, and nothing else
}

var (
	// ErrClosed is returned by every method once Close was called.
	ErrClosed = errors.New("doc: the document is closed")
	// ErrUnknownChange reports a hash that is not a change of the document.
	ErrUnknownChange = errors.New("doc: no such change in this document")
)

// CoreError reports that the core disagrees with what the gate read. The document is no longer usable: discard and load it again.
type CoreError struct {
	Doc ID
	Err error
}

func (e *CoreError) Error() string {
	return fmt.Sprintf("document %s: the core: %v", e.Doc.Short(), e.Err)
}

// Unwrap gives the core's own error.
func (e *CoreError) Unwrap() error { return e.Err }

// New is an empty document, without even its genesis. Its actor comes from random, which must be a source of unpredictable bytes.
func New(id ID, random io.Reader) (*Doc, error) {
	d := &Doc{id: id, rand: random, graph: gate.NewGraph()}
	core, err := d.withActor(automerge.New())
	if err != nil {
		return nil, err
	}
	d.core = core
	return d, nil
}

// Load is the document that all of changes make, in causal order, under a fresh actor. saved may be what [Doc.Save] gave when the
// document had the first so many of these changes: it makes loading faster and is ignored unless it leads to the same heads.
func Load(id ID, changes [][]byte, saved []byte, random io.Reader) (*Doc, error) {
	d, err := New(id, random)
	if err != nil {
		return nil, err
	}
	if len(saved) > 0 && d.loadSaved(saved, changes) {
		return d, nil
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

// loadSaved tries to take the state from saved and only the changes after it from the log.
func (d *Doc) loadSaved(saved []byte, changes [][]byte) bool {
	core, err := automerge.Load(saved)
	if err != nil {
		return false
	}
	graph := gate.NewGraph()
	fresh, missing, err := gate.Admit(graph, changes)
	if err != nil || len(missing) > 0 {
		return false
	}
	have := sort.Search(len(fresh), func(i int) bool {
		_, err := core.Change(automerge.ChangeHash(fresh[i].Hash))
		return err != nil
	})
	var tail []byte
	for _, c := range fresh[have:] {
		tail = append(tail, c.Raw...)
	}
	if len(tail) > 0 && core.LoadIncremental(tail) != nil {
		return false
	}
	if !sameHeads(core, graph) {
		return false
	}
	if core, err = d.withActor(core); err != nil {
		return false
	}
	d.core, d.graph = core, graph
	return true
}

// withActor gives core a fresh random actor: an actor used again with other content splits a document for ever.
func (d *Doc) withActor(core *automerge.Doc) (*automerge.Doc, error) {
	var actor [16]byte
	if _, err := io.ReadFull(d.rand, actor[:]); err != nil {
		return nil, fmt.Errorf("make an actor: %w", err)
	}
	return core, core.SetActorID(hex.EncodeToString(actor[:]))
}

// ID is the document's name.
func (d *Doc) ID() ID { return d.id }

// Heads are the hashes of the changes nobody builds on yet, sorted.
func (d *Doc) Heads() []Hash {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.graph.Heads()
}

// Len is the number of changes.
func (d *Doc) Len() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.graph.Len()
}

// Graph is the causal index of the document's changes, for reading. It is the document's own and changes with it: use it only
// where nothing else uses the document.
func (d *Doc) Graph() *gate.Graph { return d.graph }

// Change is the plain bytes of one change; [ErrUnknownChange] if the document does not have it. It costs the same however long the
// history is.
func (d *Doc) Change(h Hash) ([]byte, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.core == nil {
		return nil, ErrClosed
	}
	return d.change(h)
}

func (d *Doc) change(h Hash) ([]byte, error) {
	c, err := d.core.Change(automerge.ChangeHash(h))
	if err != nil {
		return nil, fmt.Errorf("%w: %s", ErrUnknownChange, h)
	}
	return c.Save(), nil
}

// Save is the core's own compact form of the document, for [Load]: a cache, not the truth.
func (d *Doc) Save() ([]byte, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.core == nil {
		return nil, ErrClosed
	}
	return d.core.Save(), nil
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
	if d.core == nil {
		return Applied{}, ErrClosed
	}
	fresh, missing, err := gate.Admit(d.graph, changes)
	if err != nil {
		return Applied{}, err
	}
	var all []byte
	for _, c := range fresh {
		all = append(all, c.Raw...)
	}
	if len(all) > 0 {
		if err := d.core.LoadIncremental(all); err != nil {
			return Applied{}, d.broken(err)
		}
		if !sameHeads(d.core, d.graph) { // LoadIncremental returns nil on what it did not understand
			return Applied{}, d.broken(errors.New("it did not take every change"))
		}
	}
	return Applied{New: fresh, Missing: missing}, nil
}

func sameHeads(core *automerge.Doc, graph *gate.Graph) bool {
	have := core.Heads()
	if len(have) != len(graph.Heads()) {
		return false
	}
	for _, h := range have {
		if !graph.Has(Hash(h)) {
			return false
		}
	}
	return true
}

// broken gives up the core: what it holds no longer agrees with the graph.
func (d *Doc) broken(err error) error {
	d.core = nil
	return &CoreError{Doc: d.id, Err: err}
}

// Close gives up the document; its C memory goes with the next garbage collections. A second Close does nothing.
func (d *Doc) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.core = nil
	return nil
}

// commitTime is t as Automerge's other libraries read it: whole seconds. The binding passes milliseconds on as they are.
func commitTime(t time.Time) *time.Time {
	if t.IsZero() {
		return &time.Time{} // the binding's own word for 1970
	}
	s := time.UnixMilli(t.Unix())
	return &s
}
