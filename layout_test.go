package tombolo_test

import (
	"errors"
	"maps"
	"strings"
	"testing"

	"tombolo"
	"tombolo/doc"
	"tombolo/doc/gate"
	"tombolo/schema"
)

// laidOut is a document of a layout to come, with a name and a value.
func laidOut(t *testing.T, u doc.URL, layout byte) [][]byte {
	t.Helper()
	encode := func(c gate.Change, ops []gate.Op) []byte {
		raw, err := gate.Encode(c, func(yield func(*gate.Op) bool) {
			for i := range ops {
				if !yield(&ops[i]) {
					return
				}
			}
		})
		must(t, err)
		return raw
	}
	marks := gate.OpRef{Counter: 1}
	genesis := encode(gate.Change{Actor: u.Doc[:], StartOp: 1, Seq: 1}, []gate.Op{
		{Key: "$m", Action: gate.ActMakeMap},
		{Obj: marks, Key: "app", Action: gate.ActSet, Type: gate.TypeString, Value: []byte("later")},
		{Obj: marks, Key: "layout", Action: gate.ActSet, Type: gate.TypeUint, Value: []byte{layout}},
		{Obj: marks, Key: "name", Action: gate.ActSet, Type: gate.TypeString, Value: []byte("plans")},
	})
	return [][]byte{genesis, encode(gate.Change{Actor: u.Doc[:], StartOp: 5, Seq: 2, Deps: []doc.Hash{gate.HashOf(genesis)}}, []gate.Op{
		{Key: "later", Action: gate.ActSet, Type: gate.TypeString, Value: []byte("value")},
	})}
}

// A document of a layout to come is stored, listed and passed on, and not opened.
func TestLayoutToCome(t *testing.T) {
	t.Parallel()
	d, dir := newDisk(), t.TempDir()
	a := open(t, dir, tombolo.Options{Name: "a", Store: d})
	b, c := open(t, t.TempDir(), tombolo.Options{Name: "b"}), open(t, t.TempDir(), tombolo.Options{Name: "c"})
	pair(t, b, a, false)
	pair(t, b, c, false)
	u := doc.URL{Space: b.Home().ID(), Doc: doc.NamedID("later", "plans")}
	changes := laidOut(t, u, 2)
	must(t, a.Put(t.Context(), u, changes[0]))
	for _, e := range []*tombolo.Engine{a, b, c} {
		st := standsAs(t, e, u, func(d tombolo.DocumentStatus) bool { return d.Changes == 1 })
		if st.State != tombolo.StateReadOnly || !strings.Contains(st.Problem, "layout 2") || st.App != "later" || st.Name != "plans" {
			t.Errorf("%s listSchema it as %+v", e.Self().Name, st)
		}
	}
	must(t, a.Put(t.Context(), u, changes[1]))
	for _, e := range []*tombolo.Engine{b, c} { // and all say so
		standsAs(t, e, u, func(d tombolo.DocumentStatus) bool {
			have := 0
			for _, dev := range d.Devices {
				if dev.Durable {
					have++
				}
			}
			return d.Changes == 2 && have >= 2
		})
	}
	refused := func(e *tombolo.Engine) {
		t.Helper()
		for what, err := range map[string]error{
			"by its URL":  closed(e.Document(t.Context(), u)),
			"by its name": closed(e.Spaces()[len(e.Spaces())-1].OpenNamed(t.Context(), "later", "plans")),
			"by find":     closed(e.Spaces()[len(e.Spaces())-1].Find(t.Context(), "later", "plans")),
		} {
			l, ok := errors.AsType[*tombolo.LayoutError](err)
			if !ok || l.URL != u || l.Have != 2 || l.Known != 1 || !errors.Is(err, schema.ErrLayout) {
				t.Errorf("opening it %s: %v", what, err)
			}
		}
	}
	refused(a)
	refused(c)

	// The bytes stay, also after a start, and a new device has it from them.
	must(t, a.Close()) // packs it
	before := d.dump(t, "dr")
	a = open(t, dir, tombolo.Options{Name: "a", Store: d})
	refused(a)
	must(t, a.Close())
	if !maps.Equal(d.dump(t, "dr"), before) {
		t.Error("its bytes changed")
	}
	a = open(t, dir, tombolo.Options{Name: "a", Store: d})
	list, err := a.Spaces()[1].List(t.Context())
	must(t, err)
	if len(list) != 1 || list[0].State != tombolo.StateReadOnly || list[0].Name != "plans" || list[0].Changes != 2 {
		t.Errorf("the list has %+v", list)
	}
	fresh := open(t, t.TempDir(), tombolo.Options{Name: "fresh"})
	pair(t, b, fresh, false)
	standsAs(t, fresh, u, func(d tombolo.DocumentStatus) bool { return d.Changes == 2 && d.State == tombolo.StateReadOnly })
}

func closed(h *tombolo.Handle, err error) error {
	if err == nil {
		err = h.Close()
	}
	return err
}

// dump is what a store has under keys that begin with one of letters.
func (d *disk) dump(t *testing.T, letters string) map[string]string {
	t.Helper()
	out := map[string]string{}
	for entry, err := range d.List(t.Context(), nil) {
		must(t, errors.Join(err, entry.Err))
		if strings.ContainsRune(letters, rune(entry.Key[0])) {
			out[string(entry.Key)] = string(entry.Value)
		}
	}
	if len(out) == 0 {
		t.Errorf("the store has nothing under %q", letters)
	}
	return out
}

// What a program cannot load by its schema stays as it is, to the last byte, whatever the program tries.
func TestFailedLoadChangesNothing(t *testing.T) {
	t.Parallel()
	d, dir := newDisk(), t.TempDir()
	e := open(t, dir, tombolo.Options{App: notesApp, Offline: true, Store: d})
	var urls []doc.URL
	for _, first := range []func(*doc.Tx) error{
		by(listSchema, "/list", "x"), by(otherNoteSchema, "/color", true), by(strictSchema, "/stars", "many"),
		func(tx *doc.Tx) error { return errors.Join(by(noteSchema, "/title", "x")(tx), tx.RequireWriter(9)) },
	} {
		h, err := e.Home().Create(t.Context(), first)
		must(t, err)
		urls = append(urls, h.URL())
		must(t, h.Close())
	}
	later := doc.URL{Space: e.Home().ID(), Doc: doc.NamedID("later", "plans")}
	must(t, e.Put(t.Context(), later, laidOut(t, later, 2)...))
	must(t, e.Close())
	before := d.dump(t, "drc")

	opts := options(noteSchema)
	opts.Offline, opts.Store = true, d
	e = open(t, dir, opts)
	for i, u := range urls {
		h, err := e.Document(t.Context(), u)
		must(t, err)
		program, target := noteSchema, error(nil)
		if i == 2 {
			program, target = strictSchema, schema.ErrInvalid
		}
		view := schema.MustBind[map[string]any](program, program.Newest())
		_, _, readErr := view.Read(h)
		err = view.Update(t.Context(), h, "", func(m *map[string]any) error { (*m)["title"] = "no"; return nil })
		if err == nil || target != nil && !errors.Is(readErr, target) {
			t.Errorf("document %d: reading %v, writing %v", i, readErr, err)
		}
		must(t, h.Close())
	}
	if err := closed(e.Document(t.Context(), later)); err == nil {
		t.Error("a document of a layout to come opens")
	}
	must(t, e.Close())
	if !maps.Equal(d.dump(t, "drc"), before) {
		t.Error("bytes changed")
	}
}

// strictSchema is a program that does not read what does not fit.
var strictSchema = schema.MustNew(notesApp, schema.V(1, schema.Object(schema.Root, schema.String("title"), schema.Int("stars", schema.OnInvalid(schema.FailRead)))))
