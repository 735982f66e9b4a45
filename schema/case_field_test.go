package schema_test

import (
	"errors"
	"fmt"
	"testing"

	"tombolo/doc"
	"tombolo/schema"
)

// object is what tests of small schemas read and write.
type object = map[string]any

// small is a schema whose views show all fields, by version.
func small(t testing.TB, versions ...schema.Version) (*schema.Schema, func(version int) *schema.View[object]) {
	t.Helper()
	s, err := schema.New(app, versions...)
	if err != nil {
		t.Fatal(err)
	}
	return s, func(version int) *schema.View[object] { return whole(t, s, version) }
}

// set writes fields through a view.
func set(t testing.TB, v *schema.View[object], d *doc.Doc, fields ...any) {
	t.Helper()
	if err := trySet(v, d, fields...); err != nil {
		t.Fatal(err)
	}
}

func trySet(v *schema.View[object], d *doc.Doc, fields ...any) error {
	return try(v, d, func(o *object) {
		for i := 0; i < len(fields); i += 2 {
			(*o)[fields[i].(string)] = fields[i+1]
		}
	})
}

// get reads one field.
func get(t testing.TB, v *schema.View[object], d *doc.Doc, field string) any {
	t.Helper()
	o, _, err := v.Read(d)
	if err != nil {
		t.Fatal(err)
	}
	out, ok := o[field]
	if !ok {
		t.Fatalf("there is no field %q in %v", field, o)
	}
	return out
}

// TestCase11RenameAndDelete: a field that was renamed is the same field, and one that was removed goes on where it is known.
func TestCase11RenameAndDelete(t *testing.T) {
	_, v := small(t,
		schema.V(1, schema.Object(schema.Root, schema.Text("title"), schema.String("note"), schema.Int("n"))),
		schema.V(2, schema.Rename(schema.Root, "title", "name"), schema.Rename(schema.Root, "note", "remark")),
		schema.V(3, schema.Remove(schema.Root, "name")))
	a, b := docOf(t, 1), docOf(t, 2)
	set(t, v(1), a, "title", doc.Text("Hello"), "note", "one")
	share(t, a, b)
	set(t, v(1), a, "title", doc.Text("Hello you"))
	set(t, v(2), b, "name", doc.Text("Oh Hello"), "remark", nil)
	share(t, a, b)
	if one, two := get(t, v(1), a, "title"), get(t, v(2), b, "name"); one != doc.Text("Oh Hello you") || two != one {
		t.Errorf("version 1 shows %q, version 2 %q", one, two)
	}
	if one := get(t, v(1), a, "note"); one != nil {
		t.Errorf("version 2 took the note away, version 1 shows %v", one)
	}
	set(t, v(3), b, "n", int64(1), "remark", "three")
	set(t, v(1), a, "title", doc.Text(""))
	share(t, a, b)
	if one, two := get(t, v(1), a, "note"), get(t, v(2), b, "name"); one != "three" || two != doc.Text("") {
		t.Errorf("version 1 shows %q, version 2 %q", one, two)
	}
	o, _, err := v(3).Read(a)
	if _, there := o["name"]; there || err != nil {
		t.Error("version 3 shows what it removed", o, err)
	}
}

// TestCase12RenameChain: names may change hands in any way; fields are what they were.
func TestCase12RenameChain(t *testing.T) {
	_, v := small(t,
		schema.V(1, schema.Object(schema.Root, schema.String("a"), schema.String("b"))),
		schema.V(2, schema.Rename(schema.Root, "a", "c"), schema.Rename(schema.Root, "b", "a"), schema.Rename(schema.Root, "c", "b")), // swapped
		schema.V(3, schema.Rename(schema.Root, "a", "x"), schema.Rename(schema.Root, "x", "y")))
	d := docOf(t, 1)
	set(t, v(1), d, "a", "A", "b", "B")
	for version, shows := range map[int]object{1: {"a": "A", "b": "B"}, 2: {"b": "A", "a": "B"}, 3: {"b": "A", "y": "B"}} {
		o, _, err := v(version).Read(d)
		if err != nil {
			t.Fatal(err)
		}
		want(t, fmt.Sprint("version ", version), o, shows)
	}
	set(t, v(3), d, "y", "B3")
	set(t, v(2), d, "b", "A2")
	o, _, _ := v(1).Read(d)
	want(t, "version 1", o, object{"a": "A2", "b": "B3"})
}

// TestCase12NameUsedAgain: a name that is used again is another field, in another place, of any kind.
func TestCase12NameUsedAgain(t *testing.T) {
	s, v := small(t,
		schema.V(1, schema.Object(schema.Root, schema.String("x"), schema.Int("n"))),
		schema.V(2, schema.Remove(schema.Root, "x")),
		schema.V(3, schema.Add(schema.Root, schema.Set("x"))),
		schema.V(4, schema.Remove(schema.Root, "x"), schema.Add(schema.Root, schema.Table("x", "Row")), schema.Object("Row", schema.Int("n"))))
	d, e := docOf(t, 1), docOf(t, 2)
	set(t, v(1), d, "x", "one")
	set(t, v(3), e, "x", object{"three": true})
	share(t, d, e)
	set(t, v(4), d, "x", object{"r": object{"n": int64(4)}})
	set(t, v(1), e, "x", "uno")
	share(t, d, e)
	sameViews(t, s, d, e)
	want(t, "version 1", get(t, v(1), d, "x"), "uno")
	want(t, "version 3", get(t, v(3), d, "x"), object{"three": true})
	want(t, "version 4", get(t, v(4), d, "x"), object{"r": object{"n": 4}})
}

// TestCase13Defaults: a default is shown and never written, so each version may have its own.
func TestCase13Defaults(t *testing.T) {
	_, v := small(t,
		schema.V(1, schema.Object(schema.Root, schema.Int("p", schema.Default(3)), schema.String("other"))),
		schema.V(2, schema.Alter(schema.Root, schema.Int("p", schema.Default(5)))),
		schema.V(3, schema.Alter(schema.Root, schema.Int("p"))))
	d := docOf(t, 1)
	shows := func(what string, want ...any) {
		t.Helper()
		for i, want := range want {
			if got := get(t, v(i+1), d, "p"); got != want {
				t.Errorf("%s: version %d shows %v, want %v", what, i+1, got, want)
			}
		}
	}
	shows("before any write", int64(3), int64(5), nil)
	set(t, v(1), d, "other", "x")
	set(t, v(2), d, "other", "y")
	unchanged(t, d, "what is shown already", func() {
		set(t, v(1), d, "p", int64(3))
		set(t, v(2), d, "p", int64(5))
		set(t, v(3), d, "p", nil)
	})
	shows("after writes of other fields", int64(3), int64(5), nil)
	set(t, v(2), d, "p", int64(0))
	shows("zero", int64(0), int64(0), int64(0))
	set(t, v(1), d, "p", nil)
	shows("null", nil, nil, nil)
	set(t, v(3), d, "p", int64(5))
	shows("a default that was written", int64(5), int64(5), int64(5))

	type plain struct {
		P int `doc:"p"`
	}
	type free struct {
		P *int `doc:"p"`
	}
	s, _ := small(t, schema.V(1, schema.Object(schema.Root, schema.Int("p", schema.Default(3)))))
	one, may := schema.MustBind[plain](s, 1), schema.MustBind[free](s, 1)
	d = docOf(t, 1)
	if got := read(t, may, d).P; got == nil || *got != 3 || read(t, one, d).P != 3 {
		t.Error("the default is not shown", got)
	}
	update(t, may, d, func(f *free) { f.P = nil })
	if got := read(t, may, d).P; got != nil || read(t, one, d).P != 0 {
		t.Error("null is not shown", got)
	}
	unchanged(t, d, "reading null as zero", func() { update(t, one, d, func(*plain) {}) })
	update(t, one, d, func(p *plain) { p.P = 3 })
	if got := read(t, may, d).P; got == nil || *got != 3 {
		t.Error("the default's value cannot be written over null", got)
	}
}

// TestCase19UnknownEnumValue: a value that a newer version added is reported by an older one, kept, and not to be written by it.
func TestCase19UnknownEnumValue(t *testing.T) {
	values := []string{"a", "b", "c"}
	for _, policy := range []schema.Policy{schema.UseDefault, schema.KeepRaw, schema.FailRead} {
		_, v := small(t,
			schema.V(1, schema.Object(schema.Root, schema.String("e", schema.Enum(values[:2]...), schema.Default("b"), schema.OnInvalid(policy)), schema.Int("n"))),
			schema.V(2, schema.Alter(schema.Root, schema.String("e", schema.Enum(values...)))))
		d := docOf(t, 1)
		set(t, v(2), d, "e", "c")
		o, report, err := v(1).Read(d)
		if policy == schema.FailRead {
			e, ok := errors.AsType[*schema.InvalidError](err)
			if !ok || !errors.Is(err, schema.ErrInvalid) || len(e.Fields) != 1 || e.Fields[0].Path != "/e" || e.Fields[0].Raw != "c" {
				t.Errorf("reading gives %v", err)
			}
			unchanged(t, d, "a document that cannot be read", func() {
				if err := trySet(v(1), d, "n", int64(1)); !errors.Is(err, schema.ErrInvalid) {
					t.Error("writing gives", err)
				}
			})
			continue
		}
		if err != nil || len(report.Invalid) != 1 || report.Invalid[0].Path != "/e" || report.Invalid[0].Raw != "c" || report.Invalid[0].Err == nil {
			t.Errorf("policy %d: reported %+v, %v", policy, report, err)
		}
		if shows := map[schema.Policy]string{schema.UseDefault: "b", schema.KeepRaw: "c"}[policy]; o["e"] != shows {
			t.Errorf("policy %d: version 1 shows %v", policy, o["e"])
		}
		set(t, v(1), d, "n", int64(1))
		if got := get(t, v(2), d, "e"); got != "c" {
			t.Errorf("policy %d: an edit of another field made it %v", policy, got)
		}
		set(t, v(1), d, "e", "a")
		unchanged(t, d, "a refused value", func() {
			e, ok := errors.AsType[*schema.ValueError](trySet(v(1), d, "e", "c"))
			if !ok || e.Path != "/e" || e.Value != "c" {
				t.Errorf("policy %d: version 1 may write what it does not know: %+v", policy, e)
			}
		})
		if got := get(t, v(2), d, "e"); got != "a" {
			t.Errorf("policy %d: version 2 shows %v", policy, got)
		}
	}
}
