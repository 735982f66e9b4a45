package doc

import (
	"encoding/json"
	"errors"
	"fmt"
)

// patchJSON is a patch as JSON: values in the canonical form of [EncodeJSON], so that texts and counters survive.
type patchJSON struct {
	Op   PatchKind       `json:"op"`
	Path string          `json:"path"`
	At   *int            `json:"at,omitempty"` // of a splice
	Old  json.RawMessage `json:"old,omitempty"`
	New  json.RawMessage `json:"new,omitempty"`
}

// MarshalJSON writes the patch for other programs and pages: {"op":"replace","path":"/n","old":1,"new":2}. A splice has "at" besides; an add has no
// "old", a remove no "new".
func (p Patch) MarshalJSON() ([]byte, error) {
	out := patchJSON{Op: p.Kind, Path: p.Path.String()}
	var errs [2]error
	if p.Kind != PatchAdd {
		out.Old, errs[0] = EncodeJSON(p.Old)
	}
	if p.Kind != PatchRemove {
		out.New, errs[1] = EncodeJSON(p.New)
	}
	if p.Kind == PatchSplice {
		out.At = &p.At
	}
	if err := errors.Join(errs[:]...); err != nil {
		return nil, err
	}
	return json.Marshal(out)
}

// UnmarshalJSON reads what MarshalJSON writes.
func (p *Patch) UnmarshalJSON(b []byte) error {
	var in patchJSON
	if err := json.Unmarshal(b, &in); err != nil {
		return fmt.Errorf("patch: %w", err)
	}
	path, err := ParsePointer(in.Path)
	if err != nil {
		return fmt.Errorf("patch: %w", err)
	}
	out := Patch{Path: path, Kind: in.Op}
	if in.At != nil {
		out.At = *in.At
	}
	switch hasOld, hasNew, hasAt := in.Old != nil, in.New != nil, in.At != nil; {
	case in.Op == 0:
		return errors.New(`patch: "op" is missing`)
	case hasOld == (in.Op == PatchAdd), hasNew == (in.Op == PatchRemove), hasAt != (in.Op == PatchSplice):
		return fmt.Errorf(`patch: %q takes other fields: all but add have "old", all but remove "new", and only splice has "at"`, in.Op)
	}
	for _, f := range []struct {
		from json.RawMessage
		to   *any
	}{{in.Old, &out.Old}, {in.New, &out.New}} {
		if f.from == nil {
			continue
		}
		if *f.to, err = DecodeJSON(f.from); err != nil {
			return fmt.Errorf("patch: %w", err)
		}
	}
	*p = out
	return nil
}
