package schema_test

import (
	"errors"
	"testing"

	"tombolo/schema"
)

// Of two versions that each require a writer, written apart, the greater one counts, in whatever order their marks came.
func TestGreatestLeastWriterCounts(t *testing.T) {
	twice := schema.Lens[int64, string]{Rev: 1, Up: func(int64, *string) (string, error) { return "up", nil }}
	s := schema.MustNew(app,
		schema.V(1, schema.Object(schema.Root, schema.Int("a"), schema.Int("b"))),
		schema.V(2, schema.Map(schema.Root, "a", "x", twice), schema.RequireWriter(2)),
		schema.V(3, schema.Map(schema.Root, "b", "y", twice), schema.RequireWriter(3)))
	type second struct {
		X string `doc:"x"`
	}
	type third struct {
		Y string `doc:"y"`
	}
	for name, newerFirst := range map[string]bool{"newer first": true, "older first": false} {
		t.Run(name, func(t *testing.T) {
			by2, by3 := newDoc(t), newDoc(t)
			update(t, schema.MustBind[second](s, 2), by2, func(v *second) { v.X = "2" })
			update(t, schema.MustBind[third](s, 3), by3, func(v *third) { v.Y = "3" })
			d := by2
			if newerFirst {
				d = by3
			}
			merge(t, by2, by3)
			st, err := s.At(2).Inspect(d)
			wrong, ok := errors.AsType[*schema.VersionError](st.Why)
			if err != nil || st.MinWriter != 3 || st.Seen != 3 || st.Writable || !ok || wrong.Have != 2 || wrong.Need != 3 {
				t.Errorf("version 2 may do %+v, %v", st, err)
			}
			if st, err := s.Inspect(d); err != nil || !st.Writable {
				t.Errorf("version 3 may do %+v, %v", st, err)
			}
			err = schema.MustBind[second](s, 2).Update(t.Context(), schema.Of(d, nil), "", func(v *second) error { v.X = "late"; return nil })
			if !errors.Is(err, schema.ErrNewerWriter) {
				t.Errorf("version 2 writes: %v", err)
			}
		})
	}
}
