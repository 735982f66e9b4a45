package doc

import (
	"maps"
	"slices"
)

// Removed are the places of containers that were removed, as JSON Pointers, sorted. They are not in Root, unless somebody has put something into
// them since, for example without knowing. Of a snapshot nobody knows them.
func (c Content) Removed() []string {
	if c.r.s == nil {
		return nil
	}
	return slices.Sorted(maps.Keys(goneOf(c.r.v)))
}
