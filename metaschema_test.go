package tombolo_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/fxamacker/cbor/v2"

	"tombolo"
	"tombolo/doc"
	"tombolo/doc/pack"
	"tombolo/persist"
	"tombolo/schema"
)

// forget has the header of a document say what a version of this program said that knew no marks of schemas.
func forgetMarks(t *testing.T, d *disk, u doc.URL, app string) {
	t.Helper()
	log, err := persist.OpenLog(t.Context(), d, pack.New())
	must(t, err)
	name := persist.Name{Space: u.Space, Doc: u.Doc}
	h, err := log.Header(t.Context(), name)
	must(t, err)
	meta, err := cbor.Marshal(map[int]string{1: app})
	must(t, err)
	_, err = log.Append(t.Context(), name, persist.Append{After: h.Last, Heads: h.Heads, HeadsHash: h.HeadsHash, Meta: append([]byte{1}, meta...)})
	must(t, errors.Join(err, log.Close()))
}

// A header of an earlier version has no marks of schemas. It gets them when the document is read for another reason.
func TestHeaderOfEarlierVersion(t *testing.T) {
	t.Parallel()
	d, dir := newDisk(), t.TempDir()
	e := open(t, dir, tombolo.Options{App: notesApp, Offline: true, Store: d})
	h, err := e.Home().Create(t.Context(), func(tx *doc.Tx) error { return errors.Join(by(noteSchema, "/title", "x")(tx), tx.RequireWriter(2)) })
	must(t, err)
	u := h.URL()
	must(t, errors.Join(h.Close(), e.Close()))
	whole := d.dump(t, "d")
	forgetMarks(t, d, u, notesApp)

	opts := options(noteSchema.At(1))
	opts.Offline, opts.Store = true, d
	e = open(t, dir, opts)
	changes := d.dump(t, "r")
	list, err := e.Home().List(t.Context())
	must(t, err)
	if list[0].App != notesApp || list[0].Schema != nil || list[0].State != tombolo.StateReady {
		t.Errorf("before it is read, it is listed as %+v", list[0])
	}
	h, err = e.Document(t.Context(), u)
	must(t, err)
	if err := h.Change(t.Context(), "", put("/title", "no")); !errors.Is(err, schema.ErrNewerWriter) {
		t.Errorf("the document's own marks do not count: %v", err)
	}
	must(t, errors.Join(h.Flush(t.Context()), h.Close()))
	list, err = e.Home().List(t.Context())
	must(t, err)
	if len(list[0].Schema) != 1 || list[0].MinWriter != 2 || list[0].State != tombolo.StateReadOnly {
		t.Errorf("when it is read, it is listed as %+v", list[0])
	}
	must(t, e.Close())
	if fmt.Sprint(d.dump(t, "r")) != fmt.Sprint(changes) {
		t.Error("its changes are others")
	}
	again := d.dump(t, "d")
	for key := range whole {
		if len(again[key]) != len(whole[key]) {
			t.Errorf("the header has %d bytes, and had %d", len(again[key]), len(whole[key]))
		}
	}
}

// The value of a large document has its marks from the header, while the document is being read.
func TestContentBeforeTheDocument(t *testing.T) {
	t.Parallel()
	s, dir, u := large(t, func(tx *doc.Tx) error { return errors.Join(by(noteSchema, "/title", "hello")(tx), tx.RequireWriter(2)) })
	gate := make(chan struct{})
	s.set(func() { s.gate = gate })
	e := again(t, s, dir)
	h, err := e.Home().Open(t.Context(), "large")
	must(t, err)
	defer h.Close()
	marks := func() (m doc.Marks) {
		t.Helper()
		must(t, h.Content(func(c doc.Content) error {
			m = c.Marks()
			title, ok, err := c.Root.Field("title")
			if err != nil || !ok || title.Str() != "hello" || c.ID != u.Doc {
				t.Errorf("the content of %s is %v, %v", c.ID, ok, err)
			}
			return nil
		}))
		return m
	}
	early := marks()
	if !h.Report().Cached {
		t.Error("it was read first")
	}
	refused := errors.New("no")
	if err := h.Content(func(doc.Content) error { return refused }); !errors.Is(err, refused) {
		t.Errorf("the error of the function: %v", err)
	}
	close(gate)
	must(t, h.Flush(t.Context()))
	if _, err := h.Cursor("", 0); err == nil { // waits until it is read
		t.Error("there is a cursor in a map")
	}
	if late := marks(); fmt.Sprint(early) != fmt.Sprint(late) || len(late.Versions) != 1 || late.MinWriter != 2 || late.Name != "large" {
		t.Errorf("the marks were %+v, and are %+v", early, late)
	}
	must(t, h.Close())
	if err := h.Content(func(doc.Content) error { return nil }); !errors.Is(err, tombolo.ErrClosed) {
		t.Errorf("of a closed handle: %v", err)
	}
}

// More marks than a header has room for are read from the document.
func TestManyMarks(t *testing.T) {
	t.Parallel()
	e := open(t, t.TempDir(), tombolo.Options{App: notesApp, Offline: true})
	var of [][8]byte
	for i := range 3000 {
		of = append(of, [8]byte{byte(i), byte(i >> 8)})
	}
	h, err := e.Home().Create(t.Context(), func(tx *doc.Tx) error { return tx.MarkSchema(of) })
	must(t, err)
	defer h.Close()
	st, err := h.Status(t.Context())
	must(t, err)
	if st.Schema != nil {
		t.Errorf("the header has %d marks", len(st.Schema))
	}
	must(t, h.Content(func(c doc.Content) error {
		if m := c.Marks().Versions; len(m) != 1 || len(m[0].Lineage) != 3000 {
			t.Errorf("the document has %d marks", len(m))
		}
		return nil
	}))
	b, err := e.Backup(context.Background(), &bytes.Buffer{}, tombolo.BackupOptions{})
	if err != nil || b.Documents != 1 {
		t.Errorf("%+v, %v", b, err)
	}
}

// The value of a document whose header an earlier version wrote is not shown before the document is read: its layout is not known.
func TestNoValueWithoutLayout(t *testing.T) {
	t.Parallel()
	s, dir, u := large(t, by(noteSchema, "/title", "hello"))
	forgetMarks(t, s.disk, u, "")
	for round, cached := range []bool{false, true} {
		e := again(t, s, dir)
		h, err := e.Home().Open(t.Context(), "large")
		must(t, err)
		if h.Report().Cached != cached {
			t.Errorf("opening %d: %+v", round, h.Report())
		}
		must(t, errors.Join(h.Flush(t.Context()), h.Close(), e.Close()))
	}
}

// Marks that do not fit in the header are waited for, also where the value is there already.
func TestContentWaitsForMarks(t *testing.T) {
	t.Parallel()
	of := make([][8]byte, 3000)
	for i := range of {
		of[i] = [8]byte{byte(i), byte(i >> 8)}
	}
	s, dir, _ := large(t, func(tx *doc.Tx) error { return tx.MarkSchema(of) })
	gate := make(chan struct{})
	s.set(func() { s.gate = gate })
	e := again(t, s, dir)
	h, err := e.Home().Open(t.Context(), "large")
	must(t, err)
	defer h.Close()
	if !h.Report().Cached {
		t.Error("it was read first")
	}
	marks := make(chan doc.Marks)
	go func() {
		var m doc.Marks
		if err := h.Content(func(c doc.Content) error { m = c.Marks(); return nil }); err != nil {
			t.Error(err)
		}
		marks <- m
	}()
	select {
	case m := <-marks:
		t.Errorf("it did not wait: %d marks", len(m.Versions))
	case <-time.After(20 * time.Millisecond): // there is no event for something that waits
		close(gate)
		if m := <-marks; len(m.Versions) != 1 || len(m.Versions[0].Lineage) != len(of) {
			t.Errorf("there are %d marks", len(m.Versions))
		}
	}
}
