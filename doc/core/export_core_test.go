//go:build cgo && (linux || darwin) && (amd64 || arm64)

package core

import "reflect"

// Forget gives the document up as a version of the binding would that does not let us reach its memory.
func (d *Doc) Forget() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.share.dropped()
	d.lib, d.graph = nil, nil
}

// Fork is a copy by the core's own means.
func (d *Doc) Fork() (*Doc, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	forked, err := d.lib.doc.Fork()
	if err != nil {
		return nil, err
	}
	f := newDoc(&library{forked}, d.opts)
	return f, f.learn(nil)
}

// Frees says whether the memory behind of can be given back at once.
func Frees(of any) bool { return resultOf(reflect.ValueOf(of)).IsValid() }
