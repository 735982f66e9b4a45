package schema

import (
	"context"
	"time"

	"tombolo/doc"
)

// Of makes a document in memory one that views can write: for tests and tools. Changes say the time that now gives; nil stands for no time.
func Of(d *doc.Doc, now func() time.Time) Document { return memory{d, now} }

type memory struct {
	*doc.Doc
	now func() time.Time
}

func (m memory) Change(ctx context.Context, message string, fn func(*doc.Tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	note := doc.Note{Message: message}
	if m.now != nil {
		note.Time = m.now()
	}
	_, err := m.Edit(note, fn)
	return err
}
