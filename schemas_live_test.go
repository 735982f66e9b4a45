package tombolo_test

import (
	"errors"
	"testing"
	"time"

	"tombolo"
	"tombolo/doc"
	"tombolo/doc/pack"
	"tombolo/persist"
	"tombolo/schema"
)

// A document in which only the mark of the least writer is says that, too.
func TestMinWriterAlone(t *testing.T) {
	opts := options(listSchema, noteSchema.At(1))
	opts.Offline = true
	e := open(t, t.TempDir(), opts)
	h, err := e.Home().Create(t.Context(), func(tx *doc.Tx) error { return tx.RequireWriter(2) })
	must(t, err)
	defer h.Close()
	if err := h.Change(t.Context(), "", put("/title", "no")); !errors.Is(err, schema.ErrNewerWriter) {
		t.Errorf("changing it: %v", err)
	}
	if list, err := e.Home().List(t.Context()); err != nil || list[0].State != tombolo.StateReadOnly {
		t.Errorf("it is listed as %+v, %v", list, err)
	}
}

// The mark arrives while edits of all kinds of saving are on their way: what was taken on is kept and sent.
func TestNewerWriterWhileSaving(t *testing.T) {
	t.Parallel()
	old := open(t, t.TempDir(), options(noteSchema.At(1)))
	newer := open(t, t.TempDir(), options(noteSchema))
	pair(t, newer, old, false)
	h, err := newer.Home().Create(t.Context(), by(noteSchema.At(1), "/title", "hello"))
	must(t, err)
	defer h.Close()
	u := h.URL()
	there := arrives(t, old, u)
	must(t, there.Close())
	there, err = old.Document(t.Context(), u, tombolo.Coalesce{Quiet: time.Hour, Most: time.Hour})
	must(t, err)
	write(t, there, by(noteSchema.At(1), "/stars", 7)) // waits
	write(t, h, func(tx *doc.Tx) error {
		return errors.Join(by(noteSchema, "/color", "red")(tx), tx.RequireWriter(2))
	})
	reads(t, there, `{"color":"red","stars":7,"title":"hello"}`)
	reads(t, h, `{"color":"red","stars":7,"title":"hello"}`)
	for what, err := range everyWrite(t, there) {
		if !errors.Is(err, schema.ErrNewerWriter) {
			t.Errorf("%s: %v", what, err)
		}
	}
	must(t, there.Close())
}

// An earlier version of this program appended changes and left the header's marks as they were: they are brought up to date when the document is read.
func TestHeaderBehindItsDocument(t *testing.T) {
	t.Parallel()
	d, dir := newDisk(), t.TempDir()
	e := open(t, dir, tombolo.Options{App: notesApp, Offline: true, Store: d})
	h, err := e.Home().Create(t.Context(), by(noteSchema, "/title", "x"))
	must(t, err)
	u := h.URL()
	must(t, errors.Join(h.Close(), e.Close()))
	name := persist.Name{Space: u.Space, Doc: u.Doc}
	log, err := persist.OpenLog(t.Context(), d, pack.New())
	must(t, err)
	was, err := log.Header(t.Context(), name)
	must(t, errors.Join(err, log.Close()))

	e = open(t, dir, tombolo.Options{App: notesApp, Offline: true, Store: d})
	h, err = e.Document(t.Context(), u)
	must(t, err)
	write(t, h, func(tx *doc.Tx) error { return tx.RequireWriter(2) })
	must(t, errors.Join(h.Close(), e.Close()))
	log, err = persist.OpenLog(t.Context(), d, pack.New())
	must(t, err)
	now, err := log.Header(t.Context(), name)
	must(t, err)
	_, err = log.Append(t.Context(), name, persist.Append{After: now.Last, Heads: now.Heads, HeadsHash: now.HeadsHash, Meta: was.Meta})
	must(t, errors.Join(err, log.Close()))

	opts := options(noteSchema.At(1))
	opts.Offline, opts.Store = true, d
	for round := range 2 {
		e = open(t, dir, opts)
		if h, err = e.Document(t.Context(), u); err == nil {
			err = errors.Join(h.Flush(t.Context()), h.Close())
		}
		must(t, err)
		list, err := e.Home().List(t.Context())
		must(t, err)
		if list[0].MinWriter != 2 || list[0].State != tombolo.StateReadOnly {
			t.Errorf("round %d: it is listed as %+v", round, list[0])
		}
		must(t, e.Close())
	}
}
