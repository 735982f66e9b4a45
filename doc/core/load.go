package core

import (
	"errors"
	"fmt"

	"tombolo/doc/gate"
)

// Load reads a whole saved document: what [Doc.Save] or another Automerge program wrote, and single changes appended to that. Only the
// user's own files: a malformed one can end the process, and nothing but opts.Box will tell. What it cannot take as a whole it refuses
// as a whole: a file with changes whose past is missing, with a chunk the core does not know, or with a change doc/gate refuses.
func Load(saved []byte, opts Options) (*Doc, error) {
	single, err := loose(saved)
	if err != nil {
		return nil, fmt.Errorf("core: load: %w; try an older copy of the file", err)
	}
	var d *Doc
	err = opts.noted([][]byte{saved}, func() error {
		return caught(func() error {
			lib, err := loadLibrary(saved)
			if err == nil {
				d = newDoc(lib, opts)
				err = d.learn(single)
			}
			return err
		})
	})
	if err == nil {
		return d, nil
	}
	if d != nil {
		d.discard()
	}
	if r, ok := errors.AsType[*refusal](err); ok {
		return nil, r.error
	}
	if errors.Is(err, ErrNoCore) {
		return nil, err
	}
	return nil, &Error{Op: opLoad, Err: err}
}

// learn builds the graph of what the core loaded, and checks that the changes the file had singly are part of it.
func (d *Doc) learn(single []gate.Hash) error {
	raws, err := d.lib.changes()
	if err != nil {
		return err
	}
	changes, missing, err := gate.Admit(d.graph, raws)
	if err != nil {
		return err
	}
	d.share.grow(estimate(changes))
	if len(missing) > 0 {
		return &gate.MissingError{Missing: missing}
	}
	if lacking := d.graph.Missing(single); len(lacking) > 0 {
		return fmt.Errorf("the file has %d changes whose past it lacks, the first is %s", len(lacking), lacking[0])
	}
	return d.verify()
}
