package tombolo

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"tombolo/doc"
)

// ChangeAt runs fn on the document as it was at older heads and merges what it wrote with what came since, as if another device had written it
// without having seen that: for an edit that somebody made of an older version, in a file for example. It gives the version that fn left, which has
// nothing of what came since; heads themselves where fn wrote nothing. Like [Handle.Change] it returns when the change is on this device's disk.
//
// It needs the time and memory of loading the document once more, unless heads are the document's version now. Heads that the document does
// not have are a *gate.MissingError; there must be some. fn must return and must not use the Handle or close the Engine: both wait for it.
func (h *Handle) ChangeAt(ctx context.Context, heads []doc.Hash, message string, fn func(*doc.Tx) error) ([]doc.Hash, error) {
	if len(heads) == 0 { // what is made before the genesis would hide what others make at the same paths
		return nil, errors.New("change an older version: no heads are given; take those of Handle.Heads or of an Event")
	}
	var left []doc.Hash
	err := wait(ctx, func() (*Pending, error) {
		return h.write(ctx, message, func(full *doc.Doc, note doc.Note) (edited doc.Edited, err error) {
			if slices.Equal(sorted(heads), full.Heads()) {
				edited, err = full.Edit(note, fn)
				left = edited.Heads
			} else {
				edited, left, err = h.editAt(full, heads, note, fn)
			}
			if err == nil {
				h.undo.Did(edited)
			}
			return edited, err
		})
	})
	if err != nil {
		return nil, err
	}
	return left, nil
}

// editAt edits a copy of the document that has nothing but what heads stand for, under an actor of its own, and gives full the changes. Called
// with the mu of the document held.
func (h *Handle) editAt(full *doc.Doc, heads []doc.Hash, note doc.Note, fn func(*doc.Tx) error) (doc.Edited, []doc.Hash, error) {
	changes, err := past(full, heads)
	if err != nil {
		return doc.Edited{}, nil, err
	}
	then, err := doc.Load(full.ID(), changes, h.e.opts.Rand)
	if err != nil {
		return doc.Edited{}, nil, err
	}
	defer then.Close()
	edited, err := then.Edit(note, fn)
	if err != nil {
		return doc.Edited{}, nil, err
	}
	raw := make([][]byte, len(edited.Changes))
	for i, c := range edited.Changes {
		raw[i] = c.Raw
	}
	applied, err := full.Apply(raw...)
	if err != nil {
		return doc.Edited{}, nil, fmt.Errorf("merge an edit of an older version: %w", err)
	}
	return doc.Edited{Changes: applied.New, Heads: full.Heads()}, edited.Heads, nil
}

// past are the changes that heads stand for, in causal order.
func past(full *doc.Doc, heads []doc.Hash) ([][]byte, error) {
	if _, err := full.At(heads); err != nil {
		return nil, err
	}
	graph := full.Graph()
	since := graph.Since(heads)
	changes := make([][]byte, 0, graph.Len()-len(since))
	for pos := range graph.Len() {
		if len(since) > 0 && since[0] == pos {
			since = since[1:]
			continue
		}
		raw, err := full.Change(graph.At(pos))
		if err != nil {
			return nil, err
		}
		changes = append(changes, raw)
	}
	return changes, nil
}

func sorted(heads []doc.Hash) []doc.Hash {
	return slices.SortedFunc(slices.Values(heads), doc.Hash.Compare)
}
