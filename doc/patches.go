package doc

import (
	"fmt"
	"slices"
)

// Patch is one difference between two versions of a document's value, in Go form. It follows JSON Patch (RFC 6902), with the old value besides and
// a kind of its own for text. In a list of patches each applies to what those before it left; see [ApplyPatches].
type Patch struct {
	Path Pointer // the value; an added element of a list will stand at the index
	Kind PatchKind
	At   int // Splice: the position in the text, in characters (Unicode code points)
	Old  any // what was there: nil for Add; the characters that went, a [Text], for Splice
	New  any // what is there: nil for Remove; the characters that came, a [Text], for Splice
}

// PatchKind is what happened to a value.
type PatchKind uint8

// The kinds of patches.
const (
	PatchAdd     PatchKind = iota + 1 // a key that the map did not show, or an element inserted into a list
	PatchRemove                       // a key or an element went
	PatchReplace                      // there is another value
	PatchSplice                       // characters of a collaborative text came or went in one place
)

var patchKinds = [...]string{PatchAdd: "add", PatchRemove: "remove", PatchReplace: "replace", PatchSplice: "splice"}

// String is the kind in one word, as in JSON: add, remove, replace or splice.
func (k PatchKind) String() string {
	if k == 0 || int(k) >= len(patchKinds) {
		return fmt.Sprintf("PatchKind(%d)", uint8(k))
	}
	return patchKinds[k]
}

// MarshalText gives the kind as one word.
func (k PatchKind) MarshalText() ([]byte, error) {
	if k == 0 || int(k) >= len(patchKinds) {
		return nil, fmt.Errorf("%v is not a kind of patch", k)
	}
	return []byte(patchKinds[k]), nil
}

// UnmarshalText reads what MarshalText gives.
func (k *PatchKind) UnmarshalText(b []byte) error {
	i := slices.Index(patchKinds[1:], string(b))
	if i < 0 {
		return fmt.Errorf("%q is not a kind of patch (add, remove, replace, splice)", b)
	}
	*k = PatchKind(i + 1)
	return nil
}
