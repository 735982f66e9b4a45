package schema_test

import (
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"tombolo/doc"
	"tombolo/schema"
)

func init() {
	if flag.Lookup("update") == nil {
		flag.Bool("update", false, "write testdata anew")
	}
}

// golden compares a text with a file of testdata.
func golden(t *testing.T, file, got string) {
	t.Helper()
	path := "testdata/" + file
	if flag.Lookup("update").Value.String() == "true" {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got == string(want) {
		return
	}
	g, w := strings.Split(got, "\n"), strings.Split(string(want), "\n")
	for i := range max(len(g), len(w)) {
		if i >= len(g) || i >= len(w) || g[i] != w[i] {
			t.Fatalf("%s, line %d:\n got %q\nwant %q\nall of it:\n%s", path, i+1, g[min(i, len(g)-1)], w[min(i, len(w)-1)], got)
		}
	}
}

// described is all that a schema says about itself.
func described(s *schema.Schema) string {
	var b strings.Builder
	for n := 1; n <= s.Newest(); n++ {
		fmt.Fprintf(&b, "version %d %x\n", n, s.Fingerprint(n))
		types := s.Describe(n)
		for _, typ := range slices.Sorted(maps.Keys(types)) {
			fmt.Fprintf(&b, "  type %q\n", typ)
			describeFields(&b, "    ", types[typ])
		}
	}
	for _, tr := range s.Translations() {
		fmt.Fprintf(&b, "translation %s of %q: %s, one way: %v\n", tr.ID, tr.Object, tr.Step, tr.OneWay)
		describeFields(&b, "  old ", tr.Olds)
		describeFields(&b, "  new ", tr.News)
	}
	return b.String()
}

func describeFields(b *strings.Builder, indent string, fields []schema.FieldInfo) {
	for _, f := range fields {
		fmt.Fprintf(b, "%s%s", indent, f.Name)
		describeField(b, f)
		b.WriteByte('\n')
		describeFields(b, indent+"  ", f.Inside)
	}
}

func describeField(b *strings.Builder, f schema.FieldInfo) {
	fmt.Fprintf(b, " %s", f.Kind)
	for _, part := range []struct{ label, text string }{{"of", f.Object}, {"at", f.Storage}, {"head", f.Head}, {"group", f.Group}} {
		if part.text != "" {
			fmt.Fprintf(b, " %s %s", part.label, part.text)
		}
	}
	if f.Enum != nil {
		fmt.Fprintf(b, " enum %q", f.Enum)
	}
	if f.Default != nil {
		fmt.Fprintf(b, " default %v (%T)", f.Default, f.Default)
	}
	if f.Elem != nil {
		b.WriteString(" elements")
		describeField(b, *f.Elem)
		for _, in := range f.Elem.Inside {
			fmt.Fprintf(b, " %s", in.Name)
			describeField(b, in)
		}
	}
}

func TestDescribe(t *testing.T) {
	s := schema.MustNew("com.example.everything", everything()...)
	golden(t, "everything.txt", described(s))
	if s.App() != "com.example.everything" || s.Newest() != 3 {
		t.Fatalf("%s, %d", s.App(), s.Newest())
	}
}

// TestAt: an older program's schema is what it was, and released versions do not change by what comes after them.
func TestAt(t *testing.T) {
	s := schema.MustNew("app", everything()...)
	for n := 1; n <= 3; n++ {
		older := schema.MustNew("app", everything()[:n]...)
		if got, want := described(s.At(n)), described(older); got != want {
			t.Fatalf("version %d: %s\nwant %s", n, got, want)
		}
		if s.At(n).Fingerprint(n) != s.Fingerprint(n) || s.At(n).Newest() != n {
			t.Fatalf("version %d", n)
		}
	}
	for _, n := range []int{0, 4, -1} {
		func() {
			defer func() {
				want := fmt.Sprintf("the versions 1 to 3, and no version %d", n)
				if got := fmt.Sprint(recover()); !strings.Contains(got, want) {
					t.Errorf("panic %q, want %q", got, want)
				}
			}()
			s.At(n)
		}()
	}
}

// TestMapOrder: nothing depends on the order of Go maps.
func TestMapOrder(t *testing.T) {
	want := described(schema.MustNew("app", everything()...))
	for range 100 {
		if got := described(schema.MustNew("app", everything()...)); got != want {
			t.Fatalf("%s\nwant %s", got, want)
		}
	}
}

func TestTranslations(t *testing.T) {
	byStep := map[string]schema.Translation{}
	for _, tr := range schema.MustNew("app", everything()...).Translations() {
		byStep[tr.Step] = tr
	}
	status := byStep[`Map("", "done", "status")`]
	for _, c := range []struct{ olds, prev, want []any }{
		{[]any{true}, nil, []any{"done"}},
		{[]any{false}, []any{"doing"}, []any{"doing"}},
		{[]any{true}, []any{"doing"}, []any{"done"}},
		{[]any{nil}, nil, []any{"todo"}},
	} {
		got, err := status.Up(c.olds, c.prev)
		if err != nil || !doc.Equal(got, c.want) {
			t.Errorf("Up(%v, %v) = %v, %v", c.olds, c.prev, got, err)
		}
	}
	if got, err := status.Down([]any{"done"}, []any{false}); err != nil || !doc.Equal(got, []any{true}) {
		t.Errorf("Down = %v, %v", got, err)
	}
	name := byStep[`Group("", fullName+salutation to first+last)`]
	if got, err := name.Up([]any{"Ann Lee", nil}, nil); err != nil || !doc.Equal(got, []any{"Ann", "Lee"}) || !name.OneWay || name.Down != nil {
		t.Errorf("Up = %v, %v; %+v", got, err, name)
	}
	_, err := name.Up([]any{"Ann " + strings.Repeat("e", 101), nil}, nil)
	if err == nil || !strings.Contains(err.Error(), `the field "last" does not fit: longer than 100 bytes`) {
		t.Errorf("a result that its check refuses: %v", err)
	}
	body := byStep[`TextFromString("", "body")`]
	up, err1 := body.Up([]any{"a"}, nil)
	down, err2 := body.Down([]any{doc.Text("b")}, nil)
	if err := errors.Join(err1, err2); err != nil || !doc.Equal(up, []any{doc.Text("a")}) || !doc.Equal(down, []any{"b"}) {
		t.Errorf("text: %v, %v, %v", up, down, err)
	}
	for _, f := range []func(a, b []any) ([]any, error){body.Up, body.Down} {
		if out, err := f([]any{nil}, nil); err != nil || out[0] != nil {
			t.Errorf("text of nothing: %v, %v", out, err)
		}
	}
}

// TestIntercept: a copy asks before each function, and the schema itself does not.
func TestIntercept(t *testing.T) {
	s := schema.MustNew("app", everything()...)
	var calls []schema.Call
	stop := errors.New("stop")
	var fail, refuse error // by all functions, and by checks
	x := s.Intercept(func(c schema.Call) error {
		calls = append(calls, c)
		if fail != nil && c.Func == "Down" {
			panic(fail)
		}
		if c.Func == "Check" {
			return refuse
		}
		return fail
	})
	if calls != nil {
		t.Fatalf("compiling calls functions: %v", calls)
	}
	if described(x) != described(s) {
		t.Fatal("the copy is another schema")
	}
	status, plain := x.Translations()[0], s.Translations()[0]
	if got, err := status.Up([]any{true}, nil); err != nil || got[0] != "done" {
		t.Fatal(got, err)
	}
	name := x.Translations()[2]
	if _, err := name.Up([]any{"Ann Lee", nil}, nil); err != nil {
		t.Fatal(err)
	}
	step := `Group("", fullName+salutation to first+last)`
	want := []schema.Call{{2, `Map("", "done", "status")`, "Up"}, {3, step, "Up"}, {3, step, "Check"}}
	if !slices.Equal(calls, want) {
		t.Fatalf("calls %+v", calls)
	}
	fail = stop
	if _, err := status.Up([]any{true}, nil); !errors.Is(err, stop) {
		t.Fatal(err)
	}
	if _, err := status.Down([]any{"done"}, []any{true}); !errors.Is(err, stop) || !strings.Contains(err.Error(), "panic") {
		t.Fatal(err)
	}
	fail = nil
	if _, err := name.Up([]any{"Ann Lee", nil}, nil); err != nil {
		t.Fatal(err)
	}
	refuse = stop
	if _, err := name.Up([]any{"Ann Lee", nil}, nil); !errors.Is(err, stop) {
		t.Fatal(err)
	}
	if _, err := plain.Up([]any{true}, nil); err != nil {
		t.Fatal(err)
	}
}
