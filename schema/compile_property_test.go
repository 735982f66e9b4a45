package schema_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"tombolo/schema"
)

// genHistory draws a legal history: steps are drawn freely, and those that New refuses are left out.
func genHistory(rt *rapid.T) []schema.Version {
	types := []string{schema.Root, "A", "B", "C"}
	steps := [][]schema.Step{{
		schema.Object(schema.Root, schema.String("a"), schema.Nested("b", "A"), schema.Nested("c", "B"), schema.Table("d", "A")),
		schema.Object("A", schema.String("a"), schema.Nested("b", "B"), schema.Bool("c")),
		schema.Object("B", schema.String("b"), schema.Bool("c"), schema.String("d")),
	}}
	for n := range rapid.IntRange(1, 4).Draw(rt, "versions") {
		if n > 0 {
			steps = append(steps, nil)
		}
		for range rapid.IntRange(1, 20).Draw(rt, "steps") {
			old := steps[n]
			steps[n] = append(slices.Clone(old), drawStep(rt, types, n+1))
			if _, err := schema.New("app", numbered(steps)...); err != nil {
				if _, ok := errors.AsType[*schema.DeclareError](err); !ok {
					rt.Fatalf("%T: %v", err, err)
				}
				steps[n] = old
			}
		}
	}
	return numbered(steps)
}

func numbered(steps [][]schema.Step) []schema.Version {
	var out []schema.Version
	for i, s := range steps {
		out = append(out, schema.V(i+1, s...))
	}
	return out
}

var drawName = rapid.SampledFrom([]string{"a", "b", "c", "d", "e"})

func drawField(rt *rapid.T, name string, types []string) schema.Field {
	typ := rapid.SampledFrom(types).Draw(rt, "of")
	switch rapid.IntRange(0, 11).Draw(rt, "kind") {
	case 0:
		return schema.Text(name)
	case 1, 2:
		return schema.String(name, schema.Default("x"), schema.Enum("x", "y"))
	case 3:
		return schema.Int(name, schema.Default(1))
	case 4:
		return schema.Bool(name)
	case 5:
		return schema.Counter(name)
	case 6:
		return schema.Set(name)
	case 7:
		return schema.List(name, schema.Nested("", typ))
	case 8:
		return schema.Table(name, typ)
	default:
		return schema.Nested(name, typ)
	}
}

type (
	drawnOlds struct {
		B string `doc:"b"`
		C bool   `doc:"c"`
	}
	drawnNews struct {
		B bool   `doc:"b"`
		E string `doc:"e"`
	}
)

func drawStep(rt *rapid.T, types []string, version int) schema.Step {
	typ := rapid.SampledFrom(types).Draw(rt, "type")
	one, two, three := drawName.Draw(rt, "one"), drawName.Draw(rt, "two"), drawName.Draw(rt, "three")
	switch rapid.IntRange(0, 14).Draw(rt, "step") {
	case 0, 1:
		return schema.Object(typ, drawField(rt, one, types), schema.String("b"), schema.Bool("c"))
	case 2, 3:
		return schema.Add(typ, drawField(rt, one, types))
	case 4:
		return schema.Rename(typ, one, two)
	case 5:
		return schema.Remove(typ, one)
	case 6:
		return schema.Hoist(typ, one+"."+two, three)
	case 7:
		return schema.Plunge(typ, one, two+"."+three)
	case 8:
		return schema.Wrap(typ, one, two)
	case 9:
		return schema.Map(typ, one, two, lens[string, bool]())
	case 10:
		return schema.Map(typ, one, two, turned)
	case 11:
		return schema.TextFromString(typ, one)
	case 12:
		return schema.Alter(typ, drawField(rt, one, types))
	case 13:
		return schema.Group(typ, lens[drawnOlds, drawnNews]())
	}
	return schema.RequireWriter(version)
}

// TestHistories: a legal history compiles to the same twice; later versions change nothing in earlier ones; and a place in a document has one
// kind for ever, and one field at a time.
func TestHistories(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		versions := genHistory(rt)
		s := schema.MustNew("app", versions...)
		if again := schema.MustNew("app", versions...); described(again) != described(s) {
			rt.Fatalf("compiled twice:\n%s\nand\n%s", described(s), described(again))
		}
		kinds := map[string]schema.Kind{}
		for n := 1; n <= s.Newest(); n++ {
			if older := schema.MustNew("app", versions[:n]...); described(older) != described(s.At(n)) {
				rt.Fatalf("version %d:\n%s\nand\n%s", n, described(older), described(s.At(n)))
			}
			types := s.Describe(n)
			for _, typ := range slices.Sorted(maps.Keys(types)) {
				oneKind(rt, typ, types[typ], kinds, map[string]bool{})
			}
		}
	})
}

// oneKind checks fields of one version of a type: places says which kinds those of all versions have, and taken those of this one.
func oneKind(rt *rapid.T, typ string, fields []schema.FieldInfo, places map[string]schema.Kind, taken map[string]bool) {
	for _, f := range fields {
		place := fmt.Sprintf("%s:%s", typ, f.Storage)
		if f.Group == "" {
			if k, ok := places[place]; ok && k != f.Kind || taken[place] {
				rt.Fatalf("%s is a %s, and %s before, taken %v", place, f.Kind, k, taken[place])
			}
			places[place], taken[place] = f.Kind, true
		}
		oneKind(rt, typ, f.Inside, places, taken)
	}
}
