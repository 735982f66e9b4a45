package schema_test

import (
	"strings"
	"testing"

	"tombolo/schema"
)

// fieldAt is a field of a version by the path of its names.
func fieldAt(t *testing.T, s *schema.Schema, version int, typ, path string) (schema.FieldInfo, bool) {
	t.Helper()
	in := s.Describe(version)[typ]
	names := strings.Split(path, ".")
	for i, name := range names {
		found := false
		for _, f := range in {
			if f.Name != name {
				continue
			}
			if i == len(names)-1 {
				return f, true
			}
			in, found = f.Inside, true
			break
		}
		if !found {
			return schema.FieldInfo{}, false
		}
	}
	return schema.FieldInfo{}, false
}

// TestWhereFieldsLie: each line is a field of the newest version and where it is stored, "" where it is not shown.
func TestWhereFieldsLie(t *testing.T) {
	R := schema.Root
	home := schema.V(
		1,
		schema.Object(R, schema.String("a"), schema.String("b"), schema.Nested("one", "In"), schema.Nested("two", "In"), schema.Table("rows", "In")),
		schema.Object("In", schema.String("s"), schema.Bool("on"), schema.Nested("deep", "Deep")),
		schema.Object("Deep", schema.String("d"), schema.String("e")),
	)
	for _, c := range []struct {
		name     string
		versions []schema.Version
		fields   map[string]string // "type:path" → storage, and @group of a lens
	}{
		{"a step on a type is one on all its uses", []schema.Version{
			home, schema.V(2, schema.Rename("Deep", "d", "dd"), schema.Add("Deep", schema.Int("z"), schema.Table("t", "In")), schema.Remove("Deep", "e")),
		}, map[string]string{
			":one.deep.dd": "/one/deep/d", ":two.deep.dd": "/two/deep/d", "In:deep.dd": "/deep/d", "Deep:dd": "/d",
			":one.deep.z": "/one/deep/z", "In:deep.z": "/deep/z", ":two.deep.t": "/two/deep/t", ":one.deep.d": "", ":two.deep.e": "", "Deep:e": "",
		}},
		{"a use that comes later is as the type is now", []schema.Version{
			home,
			schema.V(2, schema.Map("Deep", "d", "f", lens[string, int]()), schema.Remove("Deep", "e")),
			schema.V(3, schema.Add("Deep", schema.String("e")), schema.Add(R, schema.Nested("three", "Deep")), schema.Map("Deep", "f", "f", lens[int, int]())),
		}, map[string]string{
			":one.deep.e": "/one/deep/e~03", ":three.e": "/three/e~03", "Deep:e": "/e~03", ":three.f": "/three@3.3", ":two.deep.f": "/two/deep@3.3", "Deep:f": "@3.3",
		}},
		{"types may be declared in any order", []schema.Version{
			home, schema.V(
				2, schema.Add(R, schema.Nested("new", "New"), schema.Table("news", "New")), schema.Hoist(R, "new.in.deep.d", "d"),
				schema.Add("Deep", schema.Int("z")), schema.Object("New", schema.Nested("in", "In"), schema.Nested("newer", "Newer")), schema.Object("Newer", schema.Int("i")),
			),
		}, map[string]string{
			":d": "/new/in/deep/d", ":new.in.deep.d": "", ":new.in.deep.z": "/new/in/deep/z", ":new.newer.i": "/new/newer/i", "New:in.deep.z": "/in/deep/z",
		}},
		{"a name that is used again has a key of its own", []schema.Version{
			home, schema.V(2, schema.Remove(R, "a"), schema.Add(R, schema.Int("a"))), schema.V(3, schema.Remove(R, "a"), schema.Rename(R, "b", "a")),
			schema.V(4, schema.Add(R, schema.Text("b"), schema.Set("c")), schema.Rename(R, "c", "d"), schema.Add(R, schema.Counter("c"))),
		}, map[string]string{":a": "/b", ":b": "/b~04", ":d": "/c", ":c": "/c~04"}},
		{"in the first version too", []schema.Version{
			schema.V(1, schema.Object(R, schema.Int("a")), schema.Remove(R, "a"), schema.Add(R, schema.Text("a"))),
		}, map[string]string{":a": "/a~01"}},
		{"a field that was hoisted is no field of the type any more", []schema.Version{
			home, schema.V(2, schema.Hoist(R, "one.s", "s")),
			schema.V(3, schema.Rename("In", "s", "text"), schema.Wrap("In", "text", "texts"), schema.Rename("In", "texts", "all")),
			schema.V(4, schema.Remove("In", "all"), schema.Add("In", schema.Int("texts"), schema.Int("all"))),
		}, map[string]string{
			":s": "/one/s", ":one.s": "", ":one.text": "", ":one.texts": "/one/texts~04", ":two.texts": "/two/texts~04", "In:texts": "/texts~04", ":one.all": "/one/all",
		}},
		{"another one in its place is not", []schema.Version{
			home, schema.V(2, schema.Hoist(R, "one.s", "s"), schema.Plunge(R, "a", "one.s")), schema.V(3, schema.Rename("In", "s", "text")),
		}, map[string]string{":s": "/one/s", ":one.s": "/a", ":one.text": "", ":two.text": "/two/s"}},
		{"nor is one that a lens makes", []schema.Version{
			home, schema.V(2, schema.Map(R, "a", "a", lens[string, string]()), schema.Hoist(R, "one.s", "s"), schema.Plunge(R, "a", "one.s")),
			schema.V(3, schema.Rename("In", "s", "text")),
		}, map[string]string{":s": "/one/s", ":one.s": "@2.1", ":one.text": "", ":two.text": "/two/s"}},
		{"until it is moved back", []schema.Version{
			home, schema.V(2, schema.Hoist(R, "one.s", "s")), schema.V(3, schema.Plunge(R, "s", "one.s")), schema.V(4, schema.Rename("In", "s", "text")),
		}, map[string]string{":s": "", ":one.s": "", ":one.text": "/one/s", ":two.text": "/two/s"}},
		{"nested objects move as a whole", []schema.Version{
			home, schema.V(2, schema.Hoist(R, "one.deep", "deep"), schema.Plunge(R, "two", "deep.two")), schema.V(3, schema.Rename("Deep", "d", "dd")),
			schema.V(4, schema.Hoist(R, "deep.two.deep.dd", "far"), schema.Hoist("In", "deep.e", "e")),
		}, map[string]string{
			":deep.dd": "/one/deep/d", ":deep.two.s": "/two/s", ":far": "/two/deep/d", ":deep.two.e": "/two/deep/e", ":one.e": "", ":deep.e": "/one/deep/e", "In:e": "/deep/e",
		}},
		{"what was hoisted outlives its nested object", []schema.Version{
			home, schema.V(2, schema.Map("In", "on", "off", turned), schema.Hoist(R, "one.off", "off"), schema.Remove(R, "one")),
			schema.V(3, schema.Map(R, "off", "on", turned), schema.Add(R, schema.Nested("one", "In"))),
		}, map[string]string{":on": "@3.1", ":one.s": "/one~03/s", ":one.off": "/one~03@2.1"}},
		{"a set beside its string", []schema.Version{
			home, schema.V(2, schema.Wrap(R, "a", "a"), schema.Wrap("In", "s", "all")), schema.V(3, schema.Hoist(R, "one.all", "all")),
		}, map[string]string{":a": "/a~02", ":all": "/one/all", ":two.all": "/two/all"}},
		{"lenses that keep the name", []schema.Version{
			home, schema.V(2, schema.Map(R, "a", "a", lens[string, int]())), schema.V(3, schema.Map(R, "a", "a", lens[int, float64]()), schema.Rename(R, "a", "c")),
			schema.V(4, schema.Add(R, schema.Int("a"))),
		}, map[string]string{":c": "@3.1", ":a": "/a~04"}},
		{"recursion by tables", []schema.Version{
			schema.V(1, schema.Object(R, schema.Table("t", "T")), schema.Object("T", schema.Table("t", "T"), schema.Nested("u", "U")), schema.Object("U", schema.Table("up", "T"))),
			schema.V(2, schema.Add("T", schema.Int("i"))),
		}, map[string]string{"T:i": "/i", "T:u.up": "/u/up"}},
		{"fields of a list's type elsewhere", []schema.Version{
			schema.V(1, schema.Object(R, schema.List("line", schema.Nested("", "P")), schema.Nested("p", "P"), schema.Int("z")), schema.Object("P", schema.Int("x")), schema.Add("P", schema.Int("y"))),
			schema.V(2, schema.Hoist(R, "p.x", "x"), schema.Plunge(R, "z", "p.z")),
		}, map[string]string{":x": "/p/x", ":p.z": "/z", ":p.y": "/p/y"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, err := schema.New("app", c.versions...)
			if err != nil {
				t.Fatal(err)
			}
			for at, want := range c.fields {
				typ, path, _ := strings.Cut(at, ":")
				f, ok := fieldAt(t, s, s.Newest(), typ, path)
				got := f.Storage
				if f.Group != "" {
					got += "@" + f.Group
				}
				if got != want || ok != (want != "") {
					t.Errorf("%s lies at %q, want %q\n%s", at, got, want, described(s))
				}
			}
		})
	}
}

// TestAlter: options change from this version on, and what is not named is gone.
func TestAlter(t *testing.T) {
	s := schema.MustNew(
		"app",
		schema.V(1, schema.Object(
			schema.Root, schema.String("a", schema.Enum("x", "y"), schema.Default("x")), schema.List("l", schema.String("", schema.Enum("x"))), schema.Nested("in", "In"),
			schema.Table("t", "In"), schema.List("line", schema.Nested("", "P")),
		), schema.Object("In", schema.Int("i", schema.Default(1))), schema.Object("P", schema.Int("x"))),
		schema.V(
			2, schema.Alter(schema.Root, schema.String("a", schema.Enum("x", "y", "z"))), schema.Alter(schema.Root, schema.List("l", schema.String("", schema.Enum("x", "y")))),
			schema.Alter("In", schema.Int("i", schema.Default(2))), schema.Map(schema.Root, "a", "b", lens[string, string](), schema.Enum("x"), schema.Default("x")),
			schema.Alter(schema.Root, schema.Table("t", "In", schema.OnInvalid(schema.FailRead))), schema.Alter(schema.Root, schema.Nested("in", "In")),
			schema.Alter(schema.Root, schema.List("line", schema.Nested("", "P"))),
		),
		schema.V(3, schema.Alter(schema.Root, schema.String("b", schema.Enum("x", "y"), schema.Default("y")))),
	)
	for _, c := range []struct {
		version int
		path    string
		enum    string
		def     any
	}{
		{1, "a", "x,y", "x"},
		{2, "b", "x", "x"},
		{3, "b", "x,y", "y"},
		{1, "in.i", "", int64(1)},
		{2, "in.i", "", int64(2)},
		{3, "in.i", "", int64(2)},
	} {
		f, _ := fieldAt(t, s, c.version, schema.Root, c.path)
		if got := strings.Join(f.Enum, ","); got != c.enum || f.Default != c.def {
			t.Errorf("%s in version %d: %q, %v", c.path, c.version, got, f.Default)
		}
	}
	for version, want := range map[int]string{1: "x", 2: "x,y", 3: "x,y"} {
		f, _ := fieldAt(t, s, version, schema.Root, "l")
		if got := strings.Join(f.Elem.Enum, ","); got != want {
			t.Errorf("the elements in version %d: %q, want %q", version, got, want)
		}
	}
	old := s.Translations()[0]
	if got := strings.Join(old.Olds[0].Enum, ","); got != "x,y,z" {
		t.Errorf("the old field of the lens: %q", got)
	}
}
