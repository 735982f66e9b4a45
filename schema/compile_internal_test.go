package schema

import (
	"slices"
	"testing"
)

// TestRequireWriter: a requirement holds from its version on, and the highest counts.
func TestRequireWriter(t *testing.T) {
	s := MustNew("app", V(1, Object(Root)), V(2), V(3, RequireWriter(3), RequireWriter(2)), V(4, RequireWriter(2)), V(5, RequireWriter(5)))
	var got []int
	for _, v := range s.versions {
		got = append(got, v.min)
	}
	if want := []int{0, 0, 3, 3, 5}; !slices.Equal(got, want) {
		t.Fatalf("%v, want %v", got, want)
	}
	if got, want := s.versions[2].steps, []string{"RequireWriter(3)", "RequireWriter(2)"}; !slices.Equal(got, want) {
		t.Fatalf("%q, want %q", got, want)
	}
}

// TestTreesStay: what a version adds reaches no tree of a version before, and each group's fields know their group.
func TestTreesStay(t *testing.T) {
	s := MustNew("app",
		V(1, Object(Root, Nested("in", "In"), String("a"), List("l", Nested("", "P"))), Object("In", String("b")), Object("P", Int("x"))),
		V(2, Add("In", Int("c")), Wrap("In", "b", "bs")), V(3, TextFromString(Root, "a"), Map("In", "c", "c", Lens[int, int]{Rev: 1, Up: func(n int, _ *int) (int, error) { return n, nil }})))
	for i, want := range []int{1, 2, 2} {
		in := s.versions[i].objects[Root].fields["in"].inside
		own := s.versions[i].objects["In"]
		if len(in.used) != min(i, 1)*2+1 || len(in.fields) != want || len(own.fields) != want || !slices.Equal(in.prefix, []string{"in"}) || own.prefix != nil {
			t.Errorf("version %d: %d fields at %q with keys %v", i+1, len(in.fields), in.prefix, in.used)
		}
	}
	for _, o := range []*object{s.versions[2].objects[Root], s.versions[2].objects[Root].fields["in"].inside, s.versions[2].objects["In"]} {
		if len(o.groups) != 1 {
			t.Fatalf("%d groups in %q", len(o.groups), o.typ)
		}
		g := o.groups[0]
		if f := o.fields[g.news[0].name]; g.news[0].group != g || f.group != g || f.out != 0 || !slices.Equal(g.holder, o.prefix) {
			t.Errorf("%q: the group of %q is not its field's", o.typ, f.name)
		}
	}
	if elem := s.versions[0].objects[Root].fields["l"].elem; elem.inside.fields["x"] == nil {
		t.Error("the elements' type was not looked up")
	}
}
