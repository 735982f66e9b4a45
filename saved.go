package tombolo

import (
	"context"
	"errors"
	"fmt"

	"tombolo/doc"
	"tombolo/sync"
)

// Export is the document as an .automerge file, which other programs that know Automerge read: the whole history, as far as it is durable. It is
// made by Automerge's core, which takes some hundred bytes of memory an operation meanwhile, and needs cgo. The document can be used while
// it is made, for which ctx does not hurry the core. See [QuarantinedError].
func (h *Handle) Export(ctx context.Context) ([]byte, error) {
	if err := h.use(); err != nil {
		return nil, err
	}
	defer h.e.work.Done()
	for {
		d, err := h.load(ctx)
		if err != nil {
			return nil, err
		}
		full, key, durable := d.full, d.key, len(d.unsaved) == 0 && d.waiting == nil
		if !durable {
			err = d.settled(ctx) // what the disk refuses never was, and does not belong in a file
		}
		d.mu.Unlock()
		if err != nil {
			return nil, err
		}
		if !durable {
			continue
		}
		saved, err := full.Save(noted{h.e, key})
		if errors.Is(err, doc.ErrClosed) {
			continue // it left the memory meanwhile
		}
		if err != nil {
			return nil, fmt.Errorf("export %s: %w", h.URL(), err)
		}
		return saved, nil
	}
}

// Import makes a new document of an .automerge file that [Handle.Export] or another program wrote, with its whole history. With a name it is the
// document that the engine's App knows under it, which must not be there yet; with an empty name it has a random ID. Only files of one's own:
// Automerge's core reads them, and a malformed one can end the process (see [QuarantinedError]).
func (s *Space) Import(ctx context.Context, name string, saved []byte) (*Handle, error) {
	if err := s.e.use(); err != nil {
		return nil, err
	}
	defer s.e.work.Done()
	if err := errors.Join(ctx.Err(), s.e.mayWrite(s.id)); err != nil {
		return nil, err
	}
	h, err := s.importAs(ctx, name, saved)
	if err != nil {
		return nil, fmt.Errorf("import a document: %w", err)
	}
	return h, nil
}

func (s *Space) importAs(ctx context.Context, name string, saved []byte) (*Handle, error) {
	id, err := s.importID(name)
	if err != nil {
		return nil, err
	}
	changes, err := doc.ReadSaved(saved, noted{s.e, sync.Key{Space: s.id, Doc: id}})
	if err != nil {
		return nil, err
	}
	full, err := doc.Imported(id, s.e.opts.App, name, changes, s.e.note("import"), s.e.opts.Rand)
	if err != nil {
		return nil, err
	}
	history, err := full.Changes()
	if err = errors.Join(err, full.Close()); err != nil {
		return nil, err
	}
	h, err := s.e.openAs(ctx, sync.Key{Space: s.id, Doc: id}, s.e.opening(nil))
	if err != nil {
		return nil, err
	}
	p, made, err := h.begin(ctx, history, "import", func(*doc.Tx) error { return nil })
	if err == nil {
		err = p.Wait(ctx)
	}
	if err == nil && !made {
		err = fmt.Errorf("this device has a document named %q already, %s; import it under another name, or without one", name, h.URL())
	}
	if err != nil {
		return nil, errors.Join(err, h.Close())
	}
	return h, nil
}

func (s *Space) importID(name string) (doc.ID, error) {
	if name != "" {
		return doc.NamedID(s.e.opts.App, name), nil
	}
	return doc.NewID(s.e.opts.Rand)
}
