package tombolo

import (
	"context"
	"errors"
	"fmt"
	"time"

	"tombolo/doc"
	"tombolo/persist"
	"tombolo/sync"
)

// A deleted document is marked as such, by a change like others: every member's lists leave it out, its history is there, and undeleting it is
// one more change. What devices wrote without knowing of the deletion is in it too. Only a purge gives up what is on a disk.

// DeletedError reports that the document of a name was deleted. Opening it by name would begin it anew behind the back of whoever deleted it, so
// that is refused until somebody brings it back.
type DeletedError struct {
	URL    doc.URL
	Since  time.Time // when it was deleted
	Purged bool      // this device has nothing of it any more, see [Engine.Purge]
}

func (e *DeletedError) Error() string {
	since := e.Since.Local().Format("2006-01-02 15:04")
	if e.Purged {
		return fmt.Sprintf("document %s was deleted on %s and purged from this device; undelete it on a device that still has it, restore it from a backup, "+
			"or unpurge it here to begin it anew", e.URL, since)
	}
	return fmt.Sprintf("document %s was deleted on %s; undelete it to use its name again", e.URL, since)
}

// ErrNotDeleted is what [Engine.Purge] returns for a document that is not deleted.
var ErrNotDeleted = errors.New("it is not deleted; delete it first")

var errEphemeralDelete = errors.New("an ephemeral document is not deleted: it goes with its last handle")

// Delete marks the document as deleted, for every member of its space, and returns when that is on this device's disk. Handles stay usable, and
// [Engine.Document] opens it. A document that is deleted already stays as it is.
func (h *Handle) Delete(ctx context.Context) error { return h.mark(ctx, "delete", h.e.now()) }

// Undelete takes the deletion back. It does not take back a deletion that another device makes without knowing of this one. A document that is
// not deleted stays as it is.
func (h *Handle) Undelete(ctx context.Context) error { return h.mark(ctx, "undelete", time.Time{}) }

// mark is no step of the handle's undo, which is about the value, and no matter of a schema.
func (h *Handle) mark(ctx context.Context, message string, at time.Time) error {
	if h.d.ephemeral {
		return errEphemeralDelete
	}
	p, err := h.writeIf(ctx, (*document).mayWrite, message, func(full *doc.Doc, note doc.Note) (doc.Edited, error) {
		return full.Edit(note, func(tx *doc.Tx) error { return tx.SetDeleted(at) })
	})
	if err != nil {
		return err
	}
	return p.Wait(ctx)
}

// Deleted is when the document was deleted, as this device's disk has it; the zero time where it is not.
func (h *Handle) Deleted(ctx context.Context) (time.Time, error) {
	if h.d.ephemeral {
		return time.Time{}, nil
	}
	s, err := h.Status(ctx)
	return s.Deleted, err
}

// ListDeleted is all deleted documents of the space on this device, in the order of their IDs. What was purged is not among them.
func (s *Space) ListDeleted(ctx context.Context) ([]Info, error) {
	return s.list(ctx, func(i Info) bool { return !i.Deleted.IsZero() })
}

// refuseDeleted is a [DeletedError] where a document is deleted.
func (s *Space) refuseDeleted(ctx context.Context, id doc.ID) error {
	if err := s.e.use(); err != nil {
		return err
	}
	defer s.e.work.Done()
	u := doc.URL{Space: s.id, Doc: id}
	info, err := s.e.info(ctx, persist.Name{Space: s.id, Doc: id})
	switch {
	case errors.Is(err, ErrNotFound):
		if t, ok := s.e.tomb(sync.Key{Space: s.id, Doc: id}); ok {
			return &DeletedError{URL: u, Since: t.deleted, Purged: true}
		}
		return nil // it is to be made, or ephemeral
	case err != nil || info.Deleted.IsZero():
		return err
	}
	return &DeletedError{URL: u, Since: info.Deleted}
}
