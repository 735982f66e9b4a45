package tombolo_test

import (
	"bytes"
	"context"
	"errors"
	"iter"
	"slices"
	"strings"
	"testing"

	"tombolo"
	"tombolo/doc"
	"tombolo/schema"
)

const notesApp = "com.example.notes"

// noteSchema has two versions, the second of which is one way.
var noteSchema = schema.MustNew(notesApp,
	schema.V(1, schema.Object(schema.Root, schema.String("title"), schema.Int("stars"))),
	schema.V(2, schema.Add(schema.Root, schema.String("color")), schema.RequireWriter(2)),
)

// Two more: otherNoteSchema is another definition of version 2, and listSchema another kind of document of the same application.
var (
	otherNoteSchema = schema.MustNew(notesApp,
		schema.V(1, schema.Object(schema.Root, schema.String("title"), schema.Int("stars"))),
		schema.V(2, schema.Add(schema.Root, schema.Bool("color"))),
	)
	listSchema = schema.MustNew(notesApp, schema.V(1, schema.Object(schema.Root, schema.String("list"))))
)

func options(all ...*schema.Schema) tombolo.Options {
	return tombolo.Options{App: notesApp, Schemas: all}
}

// lineage is the fingerprints of a schema's versions.
func lineage(s *schema.Schema) (out [][8]byte) {
	for n := range s.Newest() {
		out = append(out, s.Fingerprint(n+1))
	}
	return out
}

// by writes as the newest version of a schema does.
func by(s *schema.Schema, path string, v any) func(*doc.Tx) error {
	return func(tx *doc.Tx) error {
		if err := tx.Set(path, v); err != nil {
			return err
		}
		return tx.MarkSchema(lineage(s))
	}
}

func write(t *testing.T, h *tombolo.Handle, fn func(*doc.Tx) error) {
	t.Helper()
	must(t, h.Change(t.Context(), "test", fn))
}

// standsAs waits until a document is in a device's status as wanted.
func standsAs(t *testing.T, e *tombolo.Engine, u doc.URL, ok func(tombolo.DocumentStatus) bool) tombolo.DocumentStatus {
	t.Helper()
	ctx := patience(t)
	for {
		news := e.News()
		st, err := e.Status(ctx)
		must(t, err)
		for _, d := range st.Documents {
			if d.URL == u.String() && ok(d) {
				return d
			}
		}
		select {
		case <-ctx.Done():
			t.Fatalf("the status does not become as wanted: %+v", st.Documents)
		case <-news:
		}
	}
}

// everyWrite tries all ways to change a document's value.
func everyWrite(t *testing.T, h *tombolo.Handle) map[string]error {
	t.Helper()
	ctx, fn := t.Context(), put("/title", "no")
	_, async := h.ChangeAsync(ctx, "", fn)
	_, at := h.ChangeAt(ctx, h.Heads(), "", fn)
	return map[string]error{
		"Change": h.Change(ctx, "", fn), "ChangeAsync": async, "ChangeAt": at,
		"Undo": h.Undo(ctx), "Redo": h.Redo(ctx), "Revert": h.Revert(ctx, nil),
	}
}

// A newer program's document becomes read-only while the older one has it open. What the older one wrote before it knew goes out and merges.
func TestNewerWriterArrives(t *testing.T) {
	t.Parallel()
	old := open(t, t.TempDir(), options(noteSchema.At(1)))
	newer := open(t, t.TempDir(), options(noteSchema))
	pair(t, newer, old, false)
	h, err := newer.Home().Create(t.Context(), by(noteSchema.At(1), "/title", "hello"))
	must(t, err)
	defer h.Close()
	u := h.URL()
	there := arrives(t, old, u)
	write(t, there, by(noteSchema.At(1), "/stars", 1))
	must(t, there.Undo(t.Context()))
	must(t, there.Redo(t.Context()))
	must(t, there.Wait(patience(t), tombolo.OnDevices(2)))

	must(t, old.Pause(t.Context()))
	write(t, there, by(noteSchema.At(1), "/stars", 5))
	write(t, h, func(tx *doc.Tx) error {
		return errors.Join(by(noteSchema, "/color", "red")(tx), tx.RequireWriter(2))
	})
	must(t, old.Resume(t.Context()))
	reads(t, h, `{"color":"red","stars":5,"title":"hello"}`)
	reads(t, there, `{"color":"red","stars":5,"title":"hello"}`)
	for what, err := range everyWrite(t, there) {
		v, ok := errors.AsType[*schema.VersionError](err)
		if !ok || v.Have != 1 || v.Need != 2 || !errors.Is(err, schema.ErrNewerWriter) {
			t.Errorf("%s: %v", what, err)
		}
	}
	st, err := there.Status(t.Context())
	must(t, err)
	if st.State != tombolo.StateReadOnly || !strings.Contains(st.Problem, "writing needs version 2") || st.MinWriter != 2 || len(st.Schema) != 2 {
		t.Errorf("its status is %+v", st)
	}
	if st, err := h.Status(t.Context()); err != nil || st.State != tombolo.StateReady || st.Problem != "" || st.Schema[1].Version != 2 {
		t.Errorf("the newer program's is %+v, %v", st, err)
	}

	// Reading goes on, and so does what is the engine's: watching, relaying, deleting.
	events := there.Watch(patience(t))
	write(t, h, by(noteSchema, "/color", "blue"))
	for ev := range events {
		if len(ev.Patches) != 1 || ev.Err != nil {
			t.Errorf("the event is %+v", ev)
		}
		break
	}
	must(t, there.Delete(t.Context()))
	becomes(t, newer, u, true)
	must(t, there.Undelete(t.Context()))
	becomes(t, newer, u, false)

	// A new handle, after a new start, is told the same.
	must(t, there.Close())
	again, err := old.Document(t.Context(), u)
	must(t, err)
	defer again.Close()
	if _, ok := errors.AsType[*schema.VersionError](again.Change(t.Context(), "", put("/title", "no"))); !ok {
		t.Error("a new handle may write")
	}
}

func TestWhichSchemaCounts(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		ours  []*schema.Schema
		write []func(*doc.Tx) error
		want  error // nil: it may write
	}{
		{"no schema", nil, []func(*doc.Tx) error{by(noteSchema, "/title", "x")}, nil},
		{"no marks", []*schema.Schema{noteSchema, nil}, []func(*doc.Tx) error{put("/title", "x")}, nil},
		{"its own", []*schema.Schema{listSchema, noteSchema}, []func(*doc.Tx) error{by(noteSchema, "/title", "x")}, nil},
		{"newer that agrees", []*schema.Schema{noteSchema.At(1)}, []func(*doc.Tx) error{by(noteSchema, "/title", "x")}, nil},
		{"another kind", []*schema.Schema{noteSchema}, []func(*doc.Tx) error{by(listSchema, "/list", "x")}, schema.ErrNotOurs},
		{"the other of two", []*schema.Schema{noteSchema, listSchema}, []func(*doc.Tx) error{by(listSchema, "/list", "x")}, nil},
		{"forked", []*schema.Schema{listSchema, noteSchema}, []func(*doc.Tx) error{by(otherNoteSchema, "/color", true)}, schema.ErrForked},
		{"forked, and its own", []*schema.Schema{noteSchema}, []func(*doc.Tx) error{by(noteSchema, "/title", "x"), by(otherNoteSchema, "/color", true)}, schema.ErrForked},
		{"older than the fork", []*schema.Schema{noteSchema.At(1)}, []func(*doc.Tx) error{by(noteSchema, "/title", "x"), by(otherNoteSchema, "/color", true)}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			e := open(t, dir, tombolo.Options{App: notesApp, Offline: true})
			h, err := e.Home().Create(t.Context(), func(tx *doc.Tx) error {
				for _, w := range c.write {
					if err := w(tx); err != nil {
						return err
					}
				}
				return nil
			})
			must(t, err)
			u := h.URL()
			must(t, errors.Join(h.Close(), e.Close()))
			opts := options(c.ours...)
			opts.Offline = true
			e = open(t, dir, opts)
			list, err := e.Home().List(t.Context())
			must(t, err)
			if (list[0].State == tombolo.StateReadOnly) != (c.want != nil) || (list[0].Problem == "") != (c.want == nil) {
				t.Errorf("it is listed as %+v", list[0])
			}
			h, err = e.Document(t.Context(), u)
			must(t, err)
			defer h.Close()
			if err := h.Change(t.Context(), "", put("/x", 1)); !errors.Is(err, c.want) {
				t.Errorf("changing it: %v; want %v", err, c.want)
			}
		})
	}
}

// A document that a newer program wrote comes back from a backup; one that is here is not taken back by an older program.
func TestRestoreForNewerWriter(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	e := open(t, dir, tombolo.Options{App: notesApp, Offline: true})
	h, err := e.Home().Create(t.Context(), func(tx *doc.Tx) error {
		return errors.Join(by(noteSchema, "/title", "x")(tx), tx.RequireWriter(2))
	})
	must(t, err)
	u := h.URL()
	backup := backedUp(t, e, tombolo.BackupOptions{})
	set(t, h, "/title", "y")
	must(t, errors.Join(h.Close(), e.Close()))

	opts := options(noteSchema.At(1))
	opts.Offline = true
	e = open(t, dir, opts)
	if _, err := e.RestoreDocument(t.Context(), bytes.NewReader(backup), u); !errors.Is(err, schema.ErrNewerWriter) {
		t.Errorf("over a document that is here: %v", err)
	}
	h = arrives(t, e, u)
	reads(t, h, `{"title":"y"}`)
	must(t, h.Delete(t.Context()))
	must(t, errors.Join(h.Close(), e.Purge(t.Context(), u)))
	r, err := e.RestoreDocument(t.Context(), bytes.NewReader(backup), u)
	must(t, err)
	if h = arrives(t, e, u); !slices.Equal(h.Heads(), r.Heads) {
		t.Errorf("it is at %v, restored was %v", h.Heads(), r.Heads)
	}
	reads(t, h, `{"title":"x"}`)
	must(t, h.Close())
}

// An ephemeral document knows its marks too.
func TestEphemeralSchema(t *testing.T) {
	e := open(t, t.TempDir(), tombolo.Options{App: notesApp, Offline: true, Schemas: []*schema.Schema{noteSchema}})
	h, err := e.Home().Create(t.Context(), by(listSchema, "/list", "x"), tombolo.Never)
	must(t, err)
	defer h.Close()
	if err := h.Change(t.Context(), "", put("/x", 1)); !errors.Is(err, schema.ErrNotOurs) {
		t.Errorf("changing it: %v", err)
	}
	if st, err := h.Status(t.Context()); err != nil || st.State != tombolo.StateReadOnly || len(st.Schema) != 1 {
		t.Errorf("its status is %+v, %v", st, err)
	}
}

func TestCreateByFunction(t *testing.T) {
	e := open(t, t.TempDir(), tombolo.Options{Offline: true})
	h, err := e.Home().Create(t.Context(), func(tx *doc.Tx) error { return tx.List("items").Append("milk") })
	must(t, err)
	defer h.Close()
	if got := text(t, h); got != `{"items":["milk"]}` {
		t.Errorf("it is %s", got)
	}
	refused := errors.New("no")
	if _, err := e.Home().Create(t.Context(), func(*doc.Tx) error { return refused }); !errors.Is(err, refused) {
		t.Errorf("a function that fails: %v", err)
	}
	if list, err := e.Home().List(t.Context()); err != nil || len(list) != 1 {
		t.Errorf("there are %v, %v", list, err)
	}
}

// What views of a schema need is what handles are.
var _ interface {
	schema.Document
	schema.Watched
} = (*tombolo.Handle)(nil)

func TestViewsOnHandles(t *testing.T) {
	type note struct {
		Title string `doc:"title"`
		Stars int64  `doc:"stars"`
	}
	view := schema.MustBind[note](noteSchema, 1)
	e := open(t, t.TempDir(), tombolo.Options{App: notesApp, Offline: true, Schemas: []*schema.Schema{noteSchema.At(1)}})
	h, err := e.Home().Create(t.Context(), view.Create(func(n *note) error { n.Title = "hello"; return nil }))
	must(t, err)
	defer h.Close()
	seen := h.Versions(patience(t))
	must(t, view.Update(t.Context(), h, "star it", func(n *note) error { n.Stars++; return nil }))
	n, report, err := view.Read(h)
	must(t, err)
	if n != (note{"hello", 1}) || len(report.Invalid) > 0 {
		t.Errorf("it reads %+v, %+v", n, report)
	}
	for heads := range seen {
		if !slices.Equal(heads, h.Heads()) {
			t.Errorf("the version is %v, told was %v", h.Heads(), heads)
		}
		break
	}
}

// Versions tells of local and remote changes, joins what comes while the loop is busy, and ends with ctx, the handle and the engine.
func TestVersionsAreTold(t *testing.T) {
	a, b, _, u := couple(t)
	h := arrives(t, a, u)
	next, stop := iter.Pull(h.Versions(patience(t)))
	defer stop()
	there := arrives(t, b, u)
	set(t, there, "/n", 2)
	reads(t, h, `{"n":2}`)
	for range 5 {
		set(t, h, "/m", 1)
		set(t, h, "/m", 2)
	}
	for {
		heads, ok := next()
		if !ok {
			t.Fatal("it ended")
		}
		if slices.Equal(heads, h.Heads()) {
			break
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for range h.Versions(ctx) {
		t.Error("it goes on when ctx has ended")
	}
	seq := h.Versions(t.Context())
	must(t, h.Close())
	for range seq {
		t.Error("it goes on when the handle is closed")
	}
}
