package schema

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"

	"tombolo/doc"
)

// fingerprint stands for a version: it follows from the version before and from everything in its steps that decides how a document is stored
// and what it means. Go functions cannot be told apart; their Rev stands for them.
func fingerprint(app string, before []byte, steps []Step) (out [8]byte, err error) {
	parts := [][]byte{[]byte(app), before}
	for _, st := range steps {
		json, err := doc.EncodeJSON(st.canonical())
		if err != nil {
			return out, fmt.Errorf("%s cannot be told apart from others: %w", st, err)
		}
		parts = append(parts, json)
	}
	sum := digest("tombolo schema 1", parts...)
	return [8]byte(sum[:8]), nil
}

// digest is SHA-256 of a label and parts, each preceded by its length, so that no two lists of parts give the same input.
func digest(label string, parts ...[]byte) [32]byte {
	h := sha256.New()
	for _, p := range append([][]byte{[]byte(label)}, parts...) {
		h.Write(binary.AppendUvarint(nil, uint64(len(p))))
		h.Write(p)
	}
	return [32]byte(h.Sum(nil))
}

func canonicalFields(fields []Field) []any {
	out := make([]any, len(fields))
	for i, f := range fields {
		out[i] = canonicalField(f)
	}
	return out
}

// canonicalField is a field that was checked, without what is not there.
func canonicalField(f Field) map[string]any {
	out := map[string]any{"kind": f.kind.String()}
	if f.name != "" {
		out["name"] = f.name
	}
	if f.object != "" {
		out["object"] = f.object
	}
	if f.elem != nil {
		out["elem"] = canonicalField(*f.elem)
	}
	if f.opts.hasDef {
		out["default"], _ = defaultOf(f)
	}
	if f.opts.enum != nil {
		out["enum"] = f.opts.enum
	}
	if len(f.opts.checks) > 0 {
		revs := make([]int, len(f.opts.checks))
		for i, ch := range f.opts.checks {
			revs[i] = ch.rev
		}
		out["checks"] = revs
	}
	if f.opts.policy != UseDefault {
		out["policy"] = int(f.opts.policy)
	}
	return out
}
