package mirror

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"tombolo"
	"tombolo/doc"
	"tombolo/doc/gate"
)

// form is how a place shows a document.
type form interface {
	// give is the bytes for the document as it is durable, and the version they show.
	give(ctx context.Context, h *tombolo.Handle) ([]byte, []doc.Hash, error)
	// take merges what somebody wrote and gives the version that has the value of those bytes, none if there is no such version. Bytes that
	// it cannot be are a *BadError.
	take(ctx context.Context, m *Mirror, theirs *foreign) ([]doc.Hash, error)
}

func formOf(name string) form {
	if strings.HasSuffix(name, ".automerge") {
		return automergeForm{}
	}
	return jsonForm{}
}

// jsonForm is the canonical JSON, indented.
type jsonForm struct{}

func (jsonForm) give(ctx context.Context, h *tombolo.Handle) ([]byte, []doc.Hash, error) {
	for {
		heads := h.Heads()
		canonical, err := jsonAt(h, heads)
		if errors.Is(err, doc.ErrClosed) && ctx.Err() == nil {
			continue // it left the memory meanwhile
		}
		if err != nil {
			return nil, nil, err
		}
		var b bytes.Buffer
		if err := json.Indent(&b, canonical, "", "  "); err != nil {
			return nil, nil, err
		}
		b.WriteByte('\n')
		return b.Bytes(), heads, nil
	}
}

func jsonAt(h *tombolo.Handle, heads []doc.Hash) ([]byte, error) {
	v, err := h.At(heads)
	if err != nil {
		return nil, err
	}
	return v.JSON("")
}

func (jsonForm) take(ctx context.Context, m *Mirror, theirs *foreign) ([]doc.Hash, error) {
	bad := func(err error) error { return &BadError{Place: m.place.Name(), Err: err} }
	v, err := doc.DecodeJSON(theirs.data)
	if err != nil {
		return nil, bad(err)
	}
	want, ok := v.(map[string]any)
	if !ok {
		return nil, bad(errors.New("a document is a JSON object"))
	}
	base, err := m.base()
	if err != nil {
		return nil, err
	}
	message := fmt.Sprintf("mirror %s (%s)", m.place.Name(), sumOf(fmt.Append(nil, base, theirs.sum))[:16])
	if len(base) > 0 && !m.merged { // an earlier run may have got as far as the document's disk
		for e, err := range m.h.History() {
			if err != nil {
				return nil, err
			}
			if e.Message == message {
				return []doc.Hash{e.Hash}, nil
			}
		}
	}
	whole := true
	var refused error
	left, err := m.h.ChangeAt(ctx, orNow(base, m.h), message, func(tx *doc.Tx) error {
		all := want
		if len(base) == 0 {
			have, err := tx.Get("")
			if err != nil {
				return err
			}
			all = joined(have, want).(map[string]any)
			whole = doc.Equal(all, want)
		}
		refused = tx.Put(all)
		return refused
	})
	switch {
	case err != nil && errors.Is(err, refused):
		return nil, bad(refused)
	case err != nil:
		return nil, err
	case !whole:
		return nil, nil
	}
	return left, nil
}

// base is the version mirrored last, none if that is not known or the document does not have it any more.
func (m *Mirror) base() ([]doc.Hash, error) {
	if m.known.Last == nil || len(m.known.Last.Heads) == 0 {
		return nil, nil
	}
	_, err := m.h.At(m.known.Last.Heads)
	if _, ok := errors.AsType[*gate.MissingError](err); ok {
		m.opts.Log.Warn("the document does not have the version that was mirrored last, so nothing is removed from it", "doc", m.h.URL().Doc.Short(), "err", err)
		return nil, nil
	}
	return m.known.Last.Heads, err
}

func orNow(base []doc.Hash, h *tombolo.Handle) []doc.Hash {
	if len(base) == 0 {
		return h.Heads()
	}
	return base
}

// joined is what the document becomes where nobody knows what they removed: theirs, and those keys of maps that only have has.
func joined(have, theirs any) any {
	h, ok1 := have.(map[string]any)
	t, ok2 := theirs.(map[string]any)
	if !ok1 || !ok2 {
		return theirs
	}
	out := maps.Clone(t)
	for k, v := range h {
		if in, ok := t[k]; ok {
			v = joined(v, in)
		}
		out[k] = v
	}
	return out
}

// automergeForm is an .automerge file.
type automergeForm struct{}

func (automergeForm) give(ctx context.Context, h *tombolo.Handle) ([]byte, []doc.Hash, error) {
	for {
		before := h.Heads()
		data, err := h.Export(ctx)
		if err != nil || slices.Equal(before, h.Heads()) {
			return data, before, err
		}
	}
}

func (automergeForm) take(ctx context.Context, m *Mirror, theirs *foreign) ([]doc.Hash, error) {
	heads, err := m.h.Merge(ctx, theirs.data)
	if refused, ok := errors.AsType[*tombolo.SavedError](err); ok {
		return nil, &BadError{Place: m.place.Name(), Err: refused}
	}
	return heads, err
}
