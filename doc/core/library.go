//go:build cgo && (linux || darwin) && (amd64 || arm64)

package core

import (
	"slices"

	"github.com/automerge/automerge-go"

	"tombolo/doc/gate"
)

// library is a document of the binding, without locking and without checks. Its methods may panic.
type library struct{ doc *automerge.Doc }

func newLibrary() (*library, error) { return &library{automerge.New()}, nil }

func loadLibrary(saved []byte) (*library, error) {
	doc, err := automerge.Load(saved)
	if err != nil {
		return nil, err
	}
	return &library{doc}, nil
}

// add hands over chunks, one after the other in one slice. That it returns nil means little.
func (l *library) add(chunks []byte) error { return l.doc.LoadIncremental(chunks) }

func (l *library) change(h gate.Hash) ([]byte, error) {
	c, err := l.doc.Change(automerge.ChangeHash(h))
	if err != nil {
		return nil, err
	}
	raw := c.Save()
	free(c)
	return raw, nil
}

// changes are all of them: asking for those since given heads is a use after free from three heads on, and all of them when one is unknown.
func (l *library) changes() ([][]byte, error) {
	all, err := l.doc.Changes()
	if err != nil || len(all) == 0 {
		return nil, err
	}
	raws := make([][]byte, len(all))
	for i, c := range all {
		raws[i] = c.Save()
	}
	free(all[0]) // one result holds them all
	return raws, nil
}

// heads are ascending.
func (l *library) heads() []gate.Hash {
	heads := l.doc.Heads()
	out := make([]gate.Hash, len(heads))
	for i, h := range heads {
		out[i] = gate.Hash(h)
	}
	slices.SortFunc(out, gate.Hash.Compare)
	return out
}

func (l *library) save() []byte { return l.doc.Save() }

// free gives the document's C memory back and says whether it could; l must not be used afterwards.
func (l *library) free() bool { return free(l.doc) }
