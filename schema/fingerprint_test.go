package schema_test

import (
	"fmt"
	"testing"

	"tombolo/schema"
)

// TestFingerprintTellsApart: whatever decides how a document is stored, or what it means, makes another fingerprint; another function of the same
// Rev does not.
func TestFingerprintTellsApart(t *testing.T) {
	R := schema.Root
	base := func(f ...schema.Field) schema.Step {
		return schema.Object(R, append(f, schema.String("s"), schema.String("r"), schema.Nested("in", "T"), schema.Nested("on", "T"))...)
	}
	typ := schema.Object("T", schema.String("s"), schema.Int("i"))
	other := schema.Object("U", schema.String("s"), schema.Int("i"))
	yes := func(string) error { return nil }
	lensOf := func(rev int) schema.Lens[string, string] {
		l := lens[string, string]()
		l.Rev = rev
		return l
	}
	oneWay := lensOf(1)
	oneWay.Down = nil
	seen := map[[8]byte]string{}
	add := func(name, app string, versions ...schema.Version) [8]byte {
		t.Helper()
		s, err := schema.New(app, versions...)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		print := s.Fingerprint(s.Newest())
		if before, ok := seen[print]; ok {
			t.Errorf("%q has the fingerprint of %q", name, before)
		}
		seen[print] = name
		return print
	}
	fields := []schema.Field{
		schema.Int("a"), schema.Int("b"), schema.Float("a"), schema.Bool("a"), schema.Time("a"), schema.Bytes("a"), schema.Text("a"), schema.Counter("a"), schema.Set("a"),
		schema.Int("a", schema.Default(1)), schema.Int("a", schema.Default(2)), schema.Float("a", schema.Default(1)), schema.Int("a", schema.OnInvalid(schema.KeepRaw)),
		schema.Int("a", schema.OnInvalid(schema.FailRead)), schema.String("a"), schema.String("a", schema.Enum("x")), schema.String("a", schema.Enum("x", "y")),
		schema.String("a", schema.Enum("y", "x")), schema.String("a", schema.Default("x")), schema.String("a", schema.Check(1, yes)), schema.String("a", schema.Check(2, yes)),
		schema.String("a", schema.Check(1, yes), schema.Check(2, yes)), schema.List("a", schema.Int("")), schema.List("a", schema.String("")),
		schema.List("a", schema.String("", schema.Enum("x"))), schema.List("a", schema.Nested("", "T")), schema.List("a", schema.Nested("", "U")), schema.Table("a", "T"),
		schema.Table("a", "U"), schema.Nested("a", "T"), schema.Nested("a", "U"),
	}
	for i, f := range fields {
		add(fmt.Sprintf("field %d", i), "app", schema.V(1, base(f), typ, other))
	}
	add("another app", "app2", schema.V(1, base(fields[0]), typ, other))
	add("another order", "app", schema.V(1, base(fields[0]), other, typ))
	for i, st := range [][]schema.Step{
		{},
		{schema.Add(R, fields[0])},
		{schema.Add("T", fields[0])},
		{schema.Add(R, fields[0]), schema.Add(R, fields[1])},
		{schema.Add(R, fields[0], fields[1])},
		{schema.Rename(R, "s", "x")},
		{schema.Rename(R, "s", "y")},
		{schema.Rename("T", "s", "x")},
		{schema.Remove(R, "s")},
		{schema.Remove(R, "r")},
		{schema.Alter(R, schema.String("s"))},
		{schema.Alter(R, schema.String("s", schema.Enum("x")))},
		{schema.Hoist(R, "in.s", "x")},
		{schema.Hoist(R, "on.s", "x")},
		{schema.Plunge(R, "s", "in.x")},
		{schema.Plunge(R, "s", "on.x")},
		{schema.Wrap(R, "s", "x")},
		{schema.Wrap(R, "s", "s")},
		{schema.TextFromString(R, "s")},
		{schema.TextFromString(R, "r")},
		{schema.RequireWriter(2)},
		{schema.Map(R, "s", "x", lensOf(1))},
		{schema.Map(R, "s", "x", lensOf(2))},
		{schema.Map(R, "s", "s", lensOf(1))},
		{schema.Map(R, "s", "x", oneWay)},
		{schema.Map(R, "s", "x", lens[string, int]())},
		{schema.Map(R, "s", "x", lensOf(1), schema.Enum("x"))},
		{schema.Map("T", "s", "x", lensOf(1))},
		{schema.Group(R, lens[struct {
			S string `doc:"s"`
		}, struct {
			X string `doc:"x"`
		}]())},
		{schema.Group(R, lens[struct {
			S string `doc:"s"`
		}, struct {
			X int `doc:"x"`
		}]())},
		{schema.Group(R, lens[struct {
			S string `doc:"s"`
		}, struct {
			Y string `doc:"y"`
		}]())},
		{schema.Group(R, lens[struct {
			S string `doc:"s"`
		}, struct {
			X string `doc:"x"`
		}](), schema.String("x", schema.Default("x")))},
		{schema.Group(R, lens[struct {
			S string `doc:"s"`
			R string `doc:"r"`
		}, struct {
			X string `doc:"x"`
		}]())},
	} {
		add(fmt.Sprintf("steps %d", i), "app", schema.V(1, base(), typ), schema.V(2, st...))
	}
	add("an empty version more", "app", schema.V(1, base(), typ), schema.V(2), schema.V(3))

	no := func(string) error { return fmt.Errorf("no") }
	one := schema.MustNew("app", schema.V(1, schema.Object(R, schema.String("s", schema.Check(1, yes)), schema.Int("i", schema.Default(int8(3))))))
	two := schema.MustNew("app", schema.V(1, schema.Object(R, schema.String("s", schema.Check(1, no)), schema.Int("i", schema.Default(uint64(3))))))
	if one.Fingerprint(1) != two.Fingerprint(1) {
		t.Error("the same but for a function, and the Go type of a default, has another fingerprint")
	}
}
