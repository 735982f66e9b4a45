package schema

import (
	"bytes"

	"tombolo/doc"
)

// LateEdit is what was written to a place whose data does not count, and is not in the data that does: by an older version on a device that
// had not heard of the newer one, or by a version that upgraded other data at the same time. It stays stored, and is reported until
// [PlainHandle.Resolve] says that it was seen to.
type LateEdit struct {
	Version int    // whose place it is; 0 for data without a version
	Place   string // its name
	// Before and After are what the place held when the data that counts was made, or when it was last seen to, and what it holds now; both made into data
	// of the version that reads.
	Before, After any
	// Patches make After of Before. There are none where the newer version does not have what changed.
	Patches []doc.Patch
	// Err is why a function failed on this edit. Before and After are then as that version stored them.
	Err error

	now []byte // what the place holds, as JSON
}

// MergeInto is data with the late edit: what differs between Before and After is made different in it, too, elements and characters one by one. Where
// both changed one value, the late edit's counts. data is not modified.
func (e LateEdit) MergeInto(data any) any {
	if e.Err != nil {
		return plainCopy(data)
	}
	return plainCopy(plainMerge(e.Before, e.After, data))
}

// late is what the place that counts lacks.
func (r plainReader) late(at *plainPlace) ([]LateEdit, error) {
	if at.version == 0 {
		return nil, nil
	}
	root, err := r.root()
	if err != nil {
		return nil, err
	}
	var out []LateEdit
	for _, p := range append([]*plainPlace{root}, r.all...) {
		if p.version > at.version || p.name == at.name {
			continue // of what is newer and does not count, nobody has written anything
		}
		if e, ok := r.lateIn(at, p); ok {
			out = append(out, e)
		}
	}
	return out, nil
}

func (r plainReader) lateIn(at, p *plainPlace) (LateEdit, bool) {
	e := LateEdit{Version: p.version, Place: p.name, now: plainJSON(p.data)}
	before, err := r.known(at, p)
	if err == nil && bytes.Equal(before, e.now) {
		return e, false
	}
	if err == nil {
		e.Before, err = doc.DecodeJSON(before)
	}
	if e.After = p.data; err != nil {
		e.Err = err
		return e, true
	}
	was, err := r.convert(r.id, p.version, e.Before, r.Newest())
	if err == nil {
		var is any
		if is, err = r.convert(r.id, p.version, e.After, r.Newest()); err == nil {
			e.Before, e.After, e.Patches = was, is, plainDiff(nil, was, is)
			return e, true
		}
	}
	e.Err = err
	return e, true
}

// known is what a place held as far as the data of another one has it, as JSON.
func (r plainReader) known(at, p *plainPlace) ([]byte, error) {
	for range len(r.all) + 1 { // the way back is no longer than that, unless somebody wrote a circle
		if at == nil {
			break
		}
		if b, ok := at.seen[p.name]; ok {
			return b, nil
		}
		if at.from == p.name {
			return at.base, nil
		}
		at = r.named(at.from)
	}
	if p.version == 0 {
		return plainJSON(nil), nil
	}
	return r.seedOf(p)
}
