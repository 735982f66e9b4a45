package schema_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"tombolo/doc"
	"tombolo/schema"
)

type (
	oneA  struct{ A string }
	oneAX struct {
		A string `doc:"a"`
		X string `doc:"x"`
	}
	newB struct {
		B string `doc:"b"`
	}
	newBInt struct {
		B int `doc:"b"`
	}
	hidden struct {
		_ string `doc:"a"`
	}
	withOption struct {
		A string `doc:"a,omitempty"`
	}
	badName struct {
		A string `doc:"a.b"`
	}
	badType struct {
		A []string `doc:"a"`
	}
	doubled struct {
		A string `doc:"a"`
		B string `doc:"a"`
	}
	empty struct {
		A string `doc:"-"`
		_ string
	}
)

// lens makes a lens that is good but for what a test is about.
func lens[O, N any]() schema.Lens[O, N] {
	return schema.Lens[O, N]{
		Rev:  1,
		Up:   func(O, *N) (n N, err error) { return n, nil },
		Down: func(N, O) (o O, err error) { return o, nil },
	}
}

// root is version 1 of most cases.
func root(more ...schema.Step) schema.Version {
	return schema.V(1, append([]schema.Step{
		schema.Object(
			schema.Root,
			schema.String("a"), schema.String("x"), schema.Int("n"), schema.Text("t"), schema.Set("labels"), schema.Nested("in", "In"),
			schema.Nested("other", "Other"), schema.Table("rows", "In"), schema.List("line", schema.Nested("", "Point")), schema.List("texts", schema.String("")),
		),
		schema.Object("In", schema.String("s"), schema.String("a"), schema.Nested("deep", "Other")),
		schema.Object("Other", schema.String("o")),
		schema.Object("Point", schema.Int("x"), schema.Int("y")),
	}, more...)...)
}

func TestDeclareErrors(t *testing.T) {
	R := schema.Root
	yes := func(string) error { return nil }
	obj := func(f ...schema.Field) []schema.Version { return []schema.Version{schema.V(1, schema.Object(R, f...))} }
	steps := func(s ...schema.Step) []schema.Version { return []schema.Version{root(), schema.V(2, s...)} }
	noUp := schema.Lens[string, string]{Rev: 1, Down: func(n, _ string) (string, error) { return n, nil }}
	noRev := lens[string, string]()
	noRev.Rev = 0
	for _, c := range []struct {
		name     string
		versions []schema.Version
		version  int
		step     string
		reason   string
	}{
		{"no version", nil, 1, ``, `begin with V(1`},
		{"begins with 2", []schema.Version{schema.V(2)}, 2, ``, `numbered 1, 2, 3`},
		{"a gap", []schema.Version{root(), schema.V(3)}, 3, ``, `this is number 2 in New`},
		{"no root", []schema.Version{schema.V(1, schema.Object("T"))}, 1, ``, `add Object(Root, …)`},
		{"nil step", steps(nil), 2, ``, `step 1 is nil`},
		{"object twice", []schema.Version{root(schema.Object("In"))}, 1, `Object("In")`, `declared already`},
		{"object again", steps(schema.Object(R)), 2, `Object("")`, `declared already`},
		{"type name", steps(schema.Object("a.b")), 2, `Object("a.b")`, `has a dot`},

		{"field without name", obj(schema.Int("")), 1, `Object("")`, `a name is missing`},
		{"field with a dot", obj(schema.Int("a.b")), 1, `Object("")`, `"a.b" has a dot`},
		{"digit first", obj(schema.Int("1a")), 1, `Object("")`, `begin with a letter`},
		{"marks", obj(schema.Int("$m")), 1, `Object("")`, `"$m" is not a name`},
		{"umlaut", obj(schema.Int("größe")), 1, `Object("")`, `letters (a to z)`},
		{"long name", obj(schema.Int(strings.Repeat("a", 65))), 1, `Object("")`, `longer than 64 bytes`},
		{"field twice", obj(schema.Int("a"), schema.Text("a")), 1, `Object("")`, `there is a field "a" in "" already`},
		{"no kind", obj(schema.Field{}), 1, `Object("")`, `a name is missing`},

		{"default of a text", obj(schema.Text("a", schema.Default("x"))), 1, `Object("")`, `a text has no default`},
		{"default of a counter", obj(schema.Counter("a", schema.Default(1))), 1, `Object("")`, `a counter has no default`},
		{"default of a set", obj(schema.Set("a", schema.Default([]string{}))), 1, `Object("")`, `a set has no default`},
		{"default of a list", obj(schema.List("a", schema.Int(""), schema.Default([]int{}))), 1, `Object("")`, `a list has no default`},
		{"default of another kind", obj(schema.Int("a", schema.Default("x"))), 1, `Object("")`, `of type string, which is no int`},
		{"default as a text", obj(schema.String("a", schema.Default(doc.Text("x")))), 1, `Object("")`, `which is no string`},
		{"default too large", obj(schema.Int("a", schema.Default(uint64(1<<63)))), 1, `Object("")`, `which is no int`},
		{"default with a rest", obj(schema.Int("a", schema.Default(1.5))), 1, `Object("")`, `which is no int`},
		{"default nil", obj(schema.Int("a", schema.Default(nil))), 1, `Object("")`, `the default is nil`},
		{"default that cannot be stored", obj(schema.Int("a", schema.Default(make(chan int)))), 1, `Object("")`, `cannot be stored`},
		{"default outside the enum", obj(schema.String("a", schema.Enum("x"), schema.Default("y"))), 1, `Object("")`, `the default does not fit: "y" is none of`},
		{"default its check refuses", obj(schema.String("a", schema.Default("y"), schema.Check(1, func(string) error { return errors.New("never") }))), 1, `Object("")`, `does not fit: never`},
		{"default whose check panics", obj(schema.String("a", schema.Default("y"), schema.Check(1, func(string) error { panic("oh") }))), 1, `Object("")`, `panic: oh`},
		{"default its check cannot take", obj(schema.Int("a", schema.Default(300), schema.Check(1, func(int8) error { return nil }))), 1, `Object("")`, `300 (int64) does not fit int8`},
		{"enum of an int", obj(schema.Int("a", schema.Enum("x"))), 1, `Object("")`, `Enum is for strings`},
		{"enum with nothing", obj(schema.String("a", schema.Enum("x", ""))), 1, `Object("")`, `the enum has ""`},
		{"enum twice", obj(schema.String("a", schema.Enum("x", "y", "x"))), 1, `Object("")`, `the enum has "x" twice`},
		{"policy", obj(schema.String("a", schema.OnInvalid(7))), 1, `Object("")`, `the policy 7 is none of`},
		{"check of a text", obj(schema.Text("a", schema.Check(1, yes))), 1, `Object("")`, `Check is for registers`},
		{"check of another kind", obj(schema.Int("a", schema.Check(1, yes))), 1, `Object("")`, `for a string, and this is an int`},
		{"check of no register", obj(schema.Int("a", schema.Check(1, func([]int) error { return nil }))), 1, `Object("")`, `cannot be []int`},
		{"check of a pointer", obj(schema.Int("a", schema.Check(1, func(*int) error { return nil }))), 1, `Object("")`, `so take int`},
		{"check without rev", obj(schema.String("a", schema.Check(0, yes))), 1, `Object("")`, `the Rev of a Check is 1 or more`},
		{"check nil", obj(schema.String("a", schema.Check[string](1, nil))), 1, `Object("")`, `Check is nil`},

		{"list of texts", obj(schema.List("a", schema.Text(""))), 1, `Object("")`, `the elements of a list are registers`},
		{"list of lists", obj(schema.List("a", schema.List("", schema.Int("")))), 1, `Object("")`, `the elements of a list are registers`},
		{"list with a name", obj(schema.List("a", schema.Int("b"))), 1, `Object("")`, `elements have no names; write "b" as ""`},
		{"list with a default", obj(schema.List("a", schema.Int("", schema.Default(1)))), 1, `Object("")`, `elements take Enum and Check only`},
		{"list with a bad enum", obj(schema.List("a", schema.Int("", schema.Enum("x")))), 1, `Object("")`, `the elements of "a": Enum is for strings`},
		{"list of no type", obj(schema.List("a", schema.Nested("", "T"))), 1, `Object("")`, `"T", which is not declared`},
		{"list of the root", obj(schema.List("a", schema.Nested("", R))), 1, `Object("")`, `the document's own type`},
		{"list of what is no record", steps(schema.Add(R, schema.List("l", schema.Nested("", "In")))), 2, `Add("", "l")`, `whose field "deep" is a nested`},
		{"list of a lens", steps(schema.Add(R, schema.List("l", schema.Nested("", "Other"))), schema.Map("Other", "o", "p", lens[string, int]())), 2, `Add("", "l")`, `whose field "p" is an int made by a lens`},
		{"list of nothing", steps(schema.Object("T"), schema.Add(R, schema.List("l", schema.Nested("", "T")))), 2, `Add("", "l")`, `which has no fields`},
		{"a list's type evolves", steps(schema.Add("Point", schema.Int("z"))), 2, `Add("Point", "z")`, `belong into a Table`},
		{"a list's type is renamed", steps(schema.Rename("Point", "x", "z")), 2, `Rename("Point", "x", "z")`, `never changes`},
		{"table of no type", obj(schema.Table("a", "T")), 1, `Object("")`, `declare it with Object("T", …)`},
		{"table of the root", obj(schema.Table("a", R)), 1, `Object("")`, `the document's own type`},
		{"nested of no type", obj(schema.Nested("a", "T")), 1, `Object("")`, `declare it with Object("T", …)`},
		{"nested in itself", steps(schema.Object("T", schema.Nested("a", "T"))), 2, `Object("T")`, `would contain itself`},
		{"nested in a circle", steps(schema.Object("T", schema.Nested("a", "U")), schema.Object("U", schema.Nested("b", "T"))), 2, `Object("U")`, `would contain itself`},
		{"nested in a circle later", steps(schema.Add("Other", schema.Nested("up", "In"))), 2, `Add("Other", "up")`, `would contain itself`},

		{"no such type", steps(schema.Add("Nothing", schema.Int("z"))), 2, `Add("Nothing", "z")`, `there are "", "In", "Other", "Point"`},
		{"add nothing", steps(schema.Add(R)), 2, `Add("")`, `adds nothing`},
		{"add what is there", steps(schema.Add(R, schema.Int("a"))), 2, `Add("", "a")`, `already`},
		{"add twice in a version", steps(schema.Add(R, schema.Int("z")), schema.Remove(R, "z"), schema.Add(R, schema.Int("z")), schema.Remove(R, "z"), schema.Add(R, schema.Int("z"))), 2, `Add("", "z")`, `removed and added before in this version`},
		{"rename to the same", steps(schema.Rename(R, "a", "a")), 2, `Rename("", "a", "a")`, `the same`},
		{"rename nothing", steps(schema.Rename(R, "nothing", "b")), 2, `Rename("", "nothing", "b")`, `there is no field "nothing"`},
		{"rename onto another", steps(schema.Rename(R, "a", "x")), 2, `Rename("", "a", "x")`, `already`},
		{"rename a path", steps(schema.Rename(R, "in.s", "b")), 2, `Rename("", "in.s", "b")`, `paths are for Hoist and Plunge`},
		{"remove nothing", steps(schema.Remove(R, "nothing")), 2, `Remove("", "nothing")`, `there is no field`},
		{"remove a path", steps(schema.Remove(R, "in.s")), 2, `Remove("", "in.s")`, `has a dot`},
		{"alter nothing", steps(schema.Alter(R, schema.Int("nothing"))), 2, `Alter("", "nothing")`, `there is no field`},
		{"alter without name", steps(schema.Alter(R, schema.Int(""))), 2, `Alter("", "")`, `a name is missing`},
		{"alter options", steps(schema.Alter(R, schema.Int("n", schema.Enum("x")))), 2, `Alter("", "n")`, `Enum is for strings`},
		{"alter the kind", steps(schema.Alter(R, schema.Float("n"))), 2, `Alter("", "n")`, `is an int and stays that`},
		{"alter the records", steps(schema.Alter(R, schema.Table("rows", "Other"))), 2, `Alter("", "rows")`, `is a table of "In" and stays`},
		{"alter the elements", steps(schema.Alter(R, schema.List("texts", schema.Int("")))), 2, `Alter("", "texts")`, `each a string and stay`},
		{"alter the elements' type", steps(schema.Alter(R, schema.List("line", schema.Nested("", "In")))), 2, `Alter("", "line")`, `each a nested of "Point"`},

		{"hoist from no type", steps(schema.Hoist("Nothing", "in.s", "b")), 2, `Hoist("Nothing", "in.s", "b")`, `there is no object type "Nothing"`},
		{"hoist without a path", steps(schema.Hoist(R, "a", "b")), 2, `Hoist("", "a", "b")`, `leads through no nested field`},
		{"hoist an empty part", steps(schema.Hoist(R, "in.", "b")), 2, `Hoist("", "in.", "b")`, `a name is missing`},
		{"hoist to a path", steps(schema.Hoist(R, "in.s", "b.c")), 2, `Hoist("", "in.s", "b.c")`, `has a dot`},
		{"hoist through a text", steps(schema.Hoist(R, "t.s", "b")), 2, `Hoist("", "t.s", "b")`, `is a text, not a nested object`},
		{"hoist through a table", steps(schema.Hoist(R, "rows.s", "b")), 2, `Hoist("", "rows.s", "b")`, `is a table, not a nested object`},
		{"hoist nothing", steps(schema.Hoist(R, "in.nothing", "b")), 2, `Hoist("", "in.nothing", "b")`, `there is no field "nothing" in "In"`},
		{"hoist onto another", steps(schema.Hoist(R, "in.s", "a")), 2, `Hoist("", "in.s", "a")`, `already`},
		{"plunge a path", steps(schema.Plunge(R, "in.s", "other.b")), 2, `Plunge("", "in.s", "other.b")`, `has a dot`},
		{"plunge without a path", steps(schema.Plunge(R, "a", "b")), 2, `Plunge("", "a", "b")`, `leads through no nested field`},
		{"plunge into a text", steps(schema.Plunge(R, "a", "t.b")), 2, `Plunge("", "a", "t.b")`, `is a text, not a nested object`},
		{"plunge into itself", steps(schema.Plunge(R, "in", "in.b")), 2, `Plunge("", "in", "in.b")`, `into the field that is to be moved`},
		{"plunge onto another", steps(schema.Plunge(R, "a", "in.s")), 2, `Plunge("", "a", "in.s")`, `already`},
		{"plunge nothing", steps(schema.Plunge(R, "nothing", "in.b")), 2, `Plunge("", "nothing", "in.b")`, `there is no field`},

		{"wrap an int", steps(schema.Wrap(R, "n", "ns")), 2, `Wrap("", "n", "ns")`, `takes a string`},
		{"wrap a lens", steps(schema.Map(R, "a", "b", lens[string, string]()), schema.Wrap(R, "b", "bs")), 2, `Wrap("", "b", "bs")`, `made by a lens (Map("", "a", "b") in version 2)`},
		{"wrap onto another", steps(schema.Wrap(R, "a", "x")), 2, `Wrap("", "a", "x")`, `already`},
		{"wrap a path", steps(schema.Wrap(R, "in.s", "b")), 2, `Wrap("", "in.s", "b")`, `has a dot`},
		{"text from an int", steps(schema.TextFromString(R, "n")), 2, `TextFromString("", "n")`, `takes a string`},
		{"text from a lens", steps(schema.Map(R, "a", "b", lens[string, string]()), schema.TextFromString(R, "b")), 2, `TextFromString("", "b")`, `made by a lens`},
		{"text without name", steps(schema.TextFromString(R, "")), 2, `TextFromString("", "")`, `a name is missing`},
		{"require 1", steps(schema.RequireWriter(1)), 2, `RequireWriter(1)`, `2 or more`},
		{"require the future", steps(schema.RequireWriter(3)), 2, `RequireWriter(3)`, `require at most 2`},

		{"lens without Up", steps(schema.Map(R, "a", "b", noUp)), 2, `Map("", "a", "b")`, `has no Up`},
		{"lens without Rev", steps(schema.Map(R, "a", "b", noRev)), 2, `Map("", "a", "b")`, `the Rev of a lens is 1 or more`},
		{"lens of a text", steps(schema.Map(R, "t", "b", lens[string, string]())), 2, `Map("", "t", "b")`, `is a text; a lens takes registers`},
		{"lens of another kind", steps(schema.Map(R, "n", "b", lens[float64, string]())), 2, `Map("", "n", "b")`, `is an int, and the lens takes a float there`},
		{"lens of nothing", steps(schema.Map(R, "nothing", "b", lens[string, string]())), 2, `Map("", "nothing", "b")`, `there is no field`},
		{"lens onto another", steps(schema.Map(R, "a", "x", lens[string, string]())), 2, `Map("", "a", "x")`, `already`},
		{"lens of a path", steps(schema.Map(R, "in.s", "b", lens[string, string]())), 2, `Map("", "in.s", "b")`, `has a dot`},
		{"lens to a path", steps(schema.Map(R, "a", "b.c", lens[string, string]())), 2, `Map("", "a", "b.c")`, `has a dot`},
		{"lens from no register", steps(schema.Map(R, "a", "b", lens[[]int, string]())), 2, `Map("", "a", "b")`, `the old value: a register cannot be []int`},
		{"lens to no register", steps(schema.Map(R, "a", "b", lens[string, map[string]int]())), 2, `Map("", "a", "b")`, `the new value: a register cannot be map`},
		{"lens with options that do not fit", steps(schema.Map(R, "a", "b", lens[string, int](), schema.Enum("x"))), 2, `Map("", "a", "b")`, `field "b": Enum is for strings`},
		{"group of no struct", steps(schema.Group(R, lens[string, newB]())), 2, `Group("",  to )`, `the old values: Group needs structs`},
		{"group of a time", steps(schema.Group(R, lens[oneAX, time.Time]())), 2, `Group("", a+x to )`, `the new values: Group needs structs`},
		{"group of what is hidden", steps(schema.Group(R, lens[hidden, newB]())), 2, ``, `is not exported`},
		{"group with options", steps(schema.Group(R, lens[withOption, newB]())), 2, ``, `it is the name only`},
		{"group with a path", steps(schema.Group(R, lens[badName, newB]())), 2, ``, `has a dot`},
		{"group of a list", steps(schema.Group(R, lens[badType, newB]())), 2, ``, `cannot be []string`},
		{"group with a name twice", steps(schema.Group(R, lens[doubled, newB]())), 2, ``, `two fields of the name "a"`},
		{"group of nothing", steps(schema.Group(R, lens[empty, newB]())), 2, ``, `has no exported fields`},
		{"group of a name in Go", steps(schema.Group(R, lens[oneA, newB]())), 2, `Group("", A to b)`, `there is no field "A"`},
		{"group with options for another", steps(schema.Group(R, lens[oneAX, newB](), schema.String("c"))), 2, ``, `has none of this name`},
		{"group with another kind", steps(schema.Group(R, lens[oneAX, newBInt](), schema.String("b"))), 2, ``, `declared as a string, and schema_test.newBInt has an int`},
		{"group with options twice", steps(schema.Group(R, lens[oneAX, newB](), schema.String("b"), schema.String("b"))), 2, ``, `"b" twice`},

		{"where it is nested, the name is taken", steps(schema.Plunge(R, "x", "in.y"), schema.Add("In", schema.Int("y"))), 2, `Add("In", "y")`, `where it is nested, at /in: there is a field "y"`},
		{"where it is nested, a part was moved", steps(
			schema.Hoist(R, "in.s", "s"), schema.Rename("In", "s", "x"), schema.Group("In", lens[oneAX, newB]()),
		), 2, `Group("In", a+x to b)`, `where it is nested, at /in: Hoist or Plunge moved some of the fields`},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, err := schema.New("app", c.versions...)
			e, ok := errors.AsType[*schema.DeclareError](err)
			if !ok || s != nil {
				t.Fatalf("%v, %v", s, err)
			}
			if e.Version != c.version || c.step != "" && e.Step != c.step || !strings.Contains(e.Reason, c.reason) {
				t.Fatalf("version %d, step %s: %s\nwant %d, %s: %s", e.Version, e.Step, e.Reason, c.version, c.step, c.reason)
			}
			if text := e.Error(); !strings.HasPrefix(text, "schema version ") || !strings.HasSuffix(text, e.Reason) || !strings.Contains(text, e.Step) {
				t.Fatalf("%q", text)
			}
		})
	}
	if _, err := schema.New("", root()); err == nil || !strings.Contains(err.Error(), "has no name") {
		t.Errorf("no app: %v", err)
	}
}

func TestMustNew(t *testing.T) {
	defer func() {
		if _, ok := recover().(*schema.DeclareError); !ok {
			t.Error("no panic with a *DeclareError")
		}
	}()
	schema.MustNew("app")
}
