package schematest

import (
	"context"
	"slices"

	"tombolo/doc"
	"tombolo/schema"
)

// locate is where a version shows an object of a type: a path of names, through a row called "row" where it leads into a table. It is false for a
// type that documents of this version do not have, or only in lists.
func (sh *shape) locate(version int, typ string) ([]string, bool) {
	types := sh.s.Describe(version)
	seen := map[string]bool{} // types of rows
	var find func(at []string, name string, fields []schema.FieldInfo) ([]string, bool)
	find = func(at []string, name string, fields []schema.FieldInfo) ([]string, bool) {
		if name == typ {
			return at, true
		}
		for _, f := range fields {
			below, in := append(slices.Clone(at), f.Name), f.Inside
			switch f.Kind {
			case schema.KindTable:
				if seen[f.Object] {
					continue
				}
				seen[f.Object] = true
				below, in = append(below, "row"), types[f.Object]
			case schema.KindNested:
			default:
				continue
			}
			if path, ok := find(below, f.Object, in); ok {
				return path, true
			}
		}
		return nil, false
	}
	return find(nil, schema.Root, types[schema.Root])
}

// has says whether a type has a field under its name in a version, as the same field.
func (sh *shape) has(version int, typ string, f schema.FieldInfo) bool {
	return version >= 1 && version <= sh.newest && slices.ContainsFunc(sh.s.Describe(version)[typ], func(g schema.FieldInfo) bool {
		return g.Name == f.Name && slotOf(g) == slotOf(f)
	})
}

// scratch is a new document.
func (sh *shape) scratch() (*doc.Doc, error) {
	id := doc.NamedID(sh.s.App(), "scratch")
	d, err := doc.New(id, fixed{})
	if err != nil {
		return nil, err
	}
	_, err = d.Apply(doc.Genesis(id, sh.s.App()))
	return d, err
}

// fixed is the random bytes of documents that never meet another one.
type fixed struct{}

func (fixed) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = byte(i + 1)
	}
	return len(b), nil
}

// set writes fields of an object, at a version of a schema that may be an intercepted one.
func set(s *schema.Schema, version int, d *doc.Doc, at []string, names []string, values []any) error {
	view, err := schema.Bind[tree](s, version)
	if err != nil {
		return err
	}
	return view.Update(context.Background(), schema.Of(d, nil), "", func(m *tree) error {
		for i, name := range names {
			put(*m, append(slices.Clone(at), name), values[i])
		}
		return nil
	})
}

// allows says whether a field may hold a value by its own rules, as far as documents can show it.
func (sh *shape) allows(version int, typ string, f schema.FieldInfo, v any) (bool, error) {
	at, ok := sh.locate(max(version, 1), typ)
	if !ok || !sh.has(version, typ, f) {
		return true, nil
	}
	d, err := sh.scratch()
	if err != nil {
		return false, err
	}
	defer d.Close()
	return !refused(set(sh.s.At(version), version, d, at, []string{f.Name}, []any{v})), nil
}
