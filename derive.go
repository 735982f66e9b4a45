package tombolo

import (
	"context"
	"errors"
	"fmt"

	"tombolo/doc"
)

// ErrNotDerived says that a document was not made by [Derive].
var ErrNotDerived = errors.New("the document was not derived from another one")

// Derive makes a new document of an old one, where no step of a schema leads from one shape to the other: another key for the records, one document
// split in two. write gets the old document as it is now and writes what the new one begins with; it must write the same whenever it gets the same, see
// [Init]. name tells several documents apart that are derived from one.
//
// The new document's ID follows from the old one's and name, and its first change from what write writes: devices that derive it apart from the
// same content make the same document, which merges. Where it exists already it is opened, and write does not run. Both documents keep a mark of
// the other; the old one stays as it is otherwise, and open to be edited by programs that know no other: [Handle.Derived] tells those edits.
func Derive(ctx context.Context, from *Handle, s *Space, name string, write func(old *doc.Version, tx *doc.Tx) error) (*Handle, error) {
	u := from.URL()
	h, err := derive(ctx, from, s, name, write)
	if err != nil {
		return nil, fmt.Errorf("derive %q from %s: %w", name, u, err)
	}
	return h, nil
}

func derive(ctx context.Context, from *Handle, s *Space, name string, write func(old *doc.Version, tx *doc.Tx) error) (*Handle, error) {
	if from.d.ephemeral {
		return nil, errors.New("it is ephemeral, so there would be nothing to look back to")
	}
	if from.e != s.e {
		return nil, errors.New("the document and the space belong to two engines")
	}
	if err := from.Flush(ctx); err != nil {
		return nil, err
	}
	source := doc.Source{URL: from.URL(), Heads: from.Heads()}
	if err := from.e.mayWrite(source.URL.Space); err != nil { // or it could not be marked
		return nil, err
	}
	old, err := from.At(source.Heads)
	if err != nil {
		return nil, err
	}
	n := newDocument{id: doc.DerivedID(source.URL.Doc, name), app: s.e.opts.App, name: name, opening: s.e.opening(nil)}
	n.init = func(tx *doc.Tx) error { return write(old, tx) }
	n.then = func(tx *doc.Tx) error { return tx.MarkSource(source) }
	if err := s.refuseDeleted(ctx, n.id); err != nil {
		return nil, err
	}
	h, err := s.create(ctx, n)
	if err != nil {
		return nil, err
	}
	p, err := from.writeIf(ctx, (*document).mayWrite, "derive", func(full *doc.Doc, note doc.Note) (doc.Edited, error) {
		return full.Edit(note, func(tx *doc.Tx) error { return tx.MarkDerived(h.URL()) })
	})
	if err == nil {
		err = p.Wait(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, h.Close())
	}
	return h, nil
}

// Derivation is where the content of a document came from, and what came since.
type Derivation struct {
	From  doc.URL    // the old document, where this device has it
	Heads []doc.Hash // its versions whose content is in the new document, together
	Now   []doc.Hash // its version now

	// Late is what was changed in the old document's value since, for example by a program that does not know of the new one: nobody has it in the new
	// document. Who takes it over says so in the same change, by [doc.Tx.MarkSource] with From and Now.
	Late []doc.Patch
	// LateBy are the changes since, where there are late ones, the newest first: with those that say something about the document alone, as Derive does.
	LateBy []doc.Entry
}

// Derived says from which document [Derive] made this one, and whether that was edited since. [ErrNotDerived] for other documents. Where this device does
// not have the old one, it is an [ErrNotFound]; where it lacks the version that was taken over, a *gate.MissingError: another device brings it.
func (h *Handle) Derived(ctx context.Context) (Derivation, error) {
	sources, err := query(h, (*doc.Doc).Sources)
	if err != nil {
		return Derivation{}, err
	}
	if len(sources) == 0 {
		return Derivation{}, ErrNotDerived
	}
	out := Derivation{From: sources[0].URL}
	for _, s := range sources {
		if s.URL.Doc == out.From.Doc {
			out.Heads = append(out.Heads, s.Heads...)
		}
	}
	out.Heads = sorted(out.Heads)
	old, err := h.openSource(ctx, &out)
	if err != nil {
		return out, fmt.Errorf("look at the document that %s was derived from: %w", h.URL(), err)
	}
	defer old.Close()
	out.Now, err = query(old, func(full *doc.Doc) ([]doc.Hash, error) {
		now := full.Heads()
		if out.Late, err = full.Diff(out.Heads, now); err != nil || len(out.Late) == 0 {
			return now, err
		}
		graph := full.Graph()
		late := map[doc.Hash]bool{}
		for _, pos := range graph.Since(out.Heads) {
			late[graph.At(pos)] = true
		}
		for e := range full.History() {
			if late[e.Hash] {
				out.LateBy = append(out.LateBy, e)
			}
		}
		return now, nil
	})
	if err != nil {
		return out, fmt.Errorf("compare %s with what was derived from it: %w", out.From, err)
	}
	return out, nil
}

// openSource opens the old document where it was, or in the space of the new one: both move when a space is adopted.
func (h *Handle) openSource(ctx context.Context, d *Derivation) (*Handle, error) {
	old, err := h.e.Document(ctx, d.From)
	if errors.Is(err, ErrNotFound) {
		for _, space := range h.e.Spaces() {
			u := doc.URL{Space: space.id, Doc: d.From.Doc}
			if there, errThere := h.e.Document(ctx, u); errThere == nil {
				d.From = u
				return there, nil
			}
		}
	}
	return old, err
}

// DerivedTo are the documents that were derived from this one, by the order of their IDs, where they were when they were made.
func (h *Handle) DerivedTo() ([]doc.URL, error) { return query(h, (*doc.Doc).Derived) }
