//go:build !cgo || !(linux || darwin) || !(amd64 || arm64)

package core

import "tombolo/doc/gate"

// library stands in for the core where there is none. There is never one.
type library struct{}

func newLibrary() (*library, error)                 { return nil, ErrNoCore }
func loadLibrary([]byte) (*library, error)          { return nil, ErrNoCore }
func (l *library) add([]byte) error                 { return ErrNoCore }
func (l *library) change(gate.Hash) ([]byte, error) { return nil, ErrNoCore }
func (l *library) changes() ([][]byte, error)       { return nil, ErrNoCore }
func (l *library) heads() []gate.Hash               { return nil }
func (l *library) save() []byte                     { return nil }
func (l *library) value() (any, error)              { return nil, ErrNoCore }
func (l *library) free() bool                       { return true }
