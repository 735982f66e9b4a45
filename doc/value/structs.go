package value

import "reflect"

// StructField is a field of a struct as it is stored.
type StructField struct {
	Name      string       // the key
	Type      reflect.Type // of the Go field
	OmitEmpty bool
}

// StructFields are the fields of a struct type that are stored, ascending by name, those of embedded structs among them. The errors are those of
// [Check]; a type that is no struct, or says itself what is stored for it, has none.
func StructFields(t reflect.Type) ([]StructField, error) {
	p, err := planOf(t)
	if err != nil {
		return nil, asError(err)
	}
	out := make([]StructField, len(p.fields))
	for i, f := range p.fields {
		out[i] = StructField{f.name, t.FieldByIndex(f.index).Type, f.omitEmpty}
	}
	return out, nil
}

// HasHooks says whether a type says itself what is stored for it: by [Marshaler], or by MarshalText.
func HasHooks(t reflect.Type) bool {
	p, err := planOf(t)
	return err == nil && (p.op == opHook || p.op == opTextHook)
}
