//go:build cgo && (linux || darwin) && (amd64 || arm64)

package core_test

import (
	"fmt"
	"os"
	"path/filepath"

	"tombolo/doc/core"
)

// An .automerge file is made of changes, and changes of an .automerge file.
func Example() {
	dir, err := os.MkdirTemp("", "core")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	box, killers, err := core.OpenBox(filepath.Join(dir, "core.box"))
	if err != nil {
		panic(err)
	}
	defer box.Close()
	fmt.Println("killed by:", killers)

	d, err := core.FromChanges([][]byte{emptyKey(typeInt)}, core.Options{Box: box, Doc: [16]byte{1}})
	if err != nil {
		panic(err)
	}
	defer d.Close()
	file, err := d.Save()
	if err != nil {
		panic(err)
	}
	again, err := core.Load(file, core.Options{Box: box, Doc: [16]byte{1}})
	if err != nil {
		panic(err)
	}
	defer again.Close()
	changes, err := again.Changes()
	fmt.Println(len(changes), "change,", err)
	fmt.Println(again.Value())
	// Output:
	// killed by: []
	// 1 change, <nil>
	// map[:7] <nil>
}
