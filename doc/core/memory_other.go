//go:build !cgo || !linux || !(amd64 || arm64)

package core

// CBytes would be the C heap in use by the process; this system does not tell.
func CBytes() (int64, bool) { return 0, false }

// trim does nothing: the C library of this system hands memory back by itself, or there is none.
func trim() {}
