//go:build !cgo || !(linux || darwin) || !(amd64 || arm64)

package core_test

import (
	"errors"
	"testing"

	"tombolo/doc/core"
)

func TestNoCore(t *testing.T) {
	empty := []byte("\x85\x6f\x4a\x83\xb8\x1a\x95\x44\x00\x04\x00\x00\x00\x00")
	if d, err := core.Load(empty, core.Options{}); d != nil || !errors.Is(err, core.ErrNoCore) {
		t.Errorf("Load: %v, %v", d, err)
	}
	if d, err := core.FromChanges(nil, core.Options{}); d != nil || !errors.Is(err, core.ErrNoCore) {
		t.Errorf("FromChanges: %v, %v", d, err)
	}
	if n, ok := core.CBytes(); n != 0 || ok {
		t.Errorf("CBytes: %d, %v", n, ok)
	}
}
