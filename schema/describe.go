package schema

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"tombolo/doc"
)

// App is the name of the kind of document.
func (s *Schema) App() string { return s.app }

// Newest is the number of the last version.
func (s *Schema) Newest() int { return len(s.versions) }

// At is the schema as a program has it whose newest version is this one. Like an index of a slice, the version must be there: 1 to
// [Schema.Newest].
func (s *Schema) At(version int) *Schema {
	s.must(version)
	return &Schema{app: s.app, declared: s.declared[:version:version], versions: s.versions[:version:version]}
}

// Fingerprint stands for everything in the versions up to this one that decides how a document is stored and what it means. The version must be
// there.
func (s *Schema) Fingerprint(version int) [8]byte { return s.must(version).print }

// Steps are the steps of a version, in words. The version must be there.
func (s *Schema) Steps(version int) []string { return slices.Clone(s.must(version).steps) }

// version is a compiled version, or an error that says which there are.
func (s *Schema) version(n int) (*compiled, error) {
	if n < 1 || n > len(s.versions) {
		return nil, fmt.Errorf("the schema %q has the versions 1 to %d, and no version %d", s.app, len(s.versions), n)
	}
	return s.versions[n-1], nil
}

func (s *Schema) must(version int) *compiled {
	v, err := s.version(version)
	if err != nil {
		panic(err)
	}
	return v
}

// FieldInfo is one field as a version has it.
type FieldInfo struct {
	Name    string
	Kind    Kind
	Object  string     // the type of a table's records, or of a nested object
	Elem    *FieldInfo // of a list
	Enum    []string
	Default any    // in Go form; nil for none
	Storage string // where it is stored in its document or record, a JSON Pointer; of a field made by a lens, the map that holds it
	Head    string // of a set that was one string: where that is stored
	Group   string // the step that makes it by a lens: its version and its number in there; "" for none
	Out     int    // which of the new fields of that step it is
	Inside  []FieldInfo
}

// Describe is what a version consists of: the fields of each object type, in the order of their names. The version must be there.
func (s *Schema) Describe(version int) map[string][]FieldInfo {
	out := map[string][]FieldInfo{}
	for typ, o := range s.must(version).objects {
		out[typ] = o.describe()
	}
	return out
}

func (o *object) describe() []FieldInfo {
	out := make([]FieldInfo, 0, len(o.fields))
	for _, name := range slices.Sorted(maps.Keys(o.fields)) {
		out = append(out, o.fields[name].describe())
	}
	return out
}

func (n *node) describe() FieldInfo {
	f := FieldInfo{Name: n.name, Kind: n.kind, Object: n.row, Enum: slices.Clone(n.opts.enum), Default: n.opts.def, Storage: doc.Pointer(n.at).String()}
	if n.elem != nil {
		elem := n.elem.describe()
		f.Elem = &elem
	}
	if n.head != nil {
		f.Head = doc.Pointer(n.head.at).String()
	}
	if n.group != nil {
		f.Group, f.Out, f.Storage = n.group.id, n.out, doc.Pointer(n.group.holder).String()
	}
	if n.inside != nil {
		f.Object, f.Inside = n.inside.typ, n.inside.describe()
	}
	return f
}

// Translation is a step with a lens, to be tested as a function. Values are in Go form, in the order of the fields; nil is no value.
type Translation struct {
	ID      string // version and number of the step in it
	Version int
	Step    string // such as `Map("", "done", "status")`
	Object  string // the type
	Olds    []FieldInfo
	News    []FieldInfo
	OneWay  bool // Down is nil
	Up      func(olds, prev []any) ([]any, error)
	Down    func(news, olds []any) ([]any, error)
}

// Translations are all steps with lenses, in the order of their versions and numbers.
func (s *Schema) Translations() []Translation {
	var out []Translation
	for _, o := range s.versions[len(s.versions)-1].objects {
		for _, g := range o.groups {
			out = append(out, g.translation(o.typ))
		}
	}
	slices.SortFunc(out, func(a, b Translation) int {
		return cmp.Or(a.Version-b.Version, a.number()-b.number())
	})
	return out
}

func (t Translation) number() int {
	_, digits, _ := strings.Cut(t.ID, ".")
	n, _ := strconv.Atoi(digits)
	return n
}

func (g *group) translation(typ string) Translation {
	t := Translation{ID: g.id, Version: g.version, Step: g.step, Object: typ, OneWay: g.oneWay, Up: g.up, Down: g.down}
	for _, n := range g.olds {
		t.Olds = append(t.Olds, n.describe())
	}
	for _, n := range g.news {
		t.News = append(t.News, n.describe())
	}
	if g.text { // groups have both as strings
		t.Up = func(olds, _ []any) ([]any, error) { return []any{asText(olds[0])}, nil }
		t.Down = func(news, _ []any) ([]any, error) { return []any{asString(news[0])}, nil }
	}
	return t
}

func asText(v any) any {
	if s, ok := v.(string); ok {
		return doc.Text(s)
	}
	return v
}

func asString(v any) any {
	if t, ok := v.(doc.Text); ok {
		return string(t)
	}
	return v
}

// Call is a call of a function of the application.
type Call struct {
	Version int    // of the step
	Step    string // such as `Map("", "done", "status")`
	Func    string // "Up", "Down" or "Check"
}

// Intercept is for tests: a copy of the schema that asks before, each time it calls an Up, Down or Check. An error or panic of before is as
// one of the function, which is then not called. before must be safe for concurrent use if the copy is used so.
func (s *Schema) Intercept(before func(Call) error) *Schema {
	out, err := compile(s.app, s.declared, before)
	if err != nil {
		panic(err) // the same was compiled before
	}
	return out
}
