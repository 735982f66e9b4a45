package schema_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"tombolo/doc"
	"tombolo/schema"
)

func bindErr[T any](version int) func(s *schema.Schema) error {
	return func(s *schema.Schema) error { _, err := schema.Bind[T](s, version); return err }
}

// TestBindErrors: each way in which a Go type is no view is an error that names the field and says what to do.
func TestBindErrors(t *testing.T) {
	s := schema.MustNew(app, everything()...)
	type point struct {
		X float64 `doc:"x"`
	}
	for _, c := range []struct {
		bind       func(*schema.Schema) error
		path, says string
	}{
		{bindErr[struct {
			No string `doc:"nothing"`
		}](1), "/nothing", "no such field; it has assignee"},
		{bindErr[struct {
			Title string `doc:"title"`
		}](2), "/title", "no such field"},
		{bindErr[struct {
			Name string `doc:"title,omitempty"`
		}](1), "/title", "omitempty"},
		{bindErr[string](1), "", "cannot hold an object"},
		{bindErr[[]int](1), "", "cannot hold an object"},
		{bindErr[time.Time](1), "", "cannot hold an object"},
		{bindErr[struct {
			F int `doc:"title"`
		}](1), "/title", "use string"},
		{bindErr[struct {
			F string `doc:"size"`
		}](1), "/size", "use int64"},
		{bindErr[struct {
			F int `doc:"weight"`
		}](1), "/weight", "use float64"},
		{bindErr[struct {
			F string `doc:"done"`
		}](1), "/done", "use bool"},
		{bindErr[struct {
			F string `doc:"born"`
		}](1), "/born", "use time.Time"},
		{bindErr[struct {
			F string `doc:"image"`
		}](1), "/image", "use []byte"},
		{bindErr[struct {
			F string `doc:"votes"`
		}](1), "/votes", "use int64 or doc.Counter"},
		{bindErr[struct {
			F []int `doc:"labels"`
		}](1), "/labels", "use doc.Set[string] or []string"},
		{bindErr[struct {
			F map[string]string `doc:"labels"`
		}](1), "/labels", "use doc.Set[string]"},
		{bindErr[struct {
			F string `doc:"tags"`
		}](1), "/tags", "use a slice"},
		{bindErr[struct {
			F []int `doc:"tags"`
		}](1), "/tags", "a list does not go"},
		{bindErr[struct {
			F []point `doc:"line"`
		}](1), "/line/*", "needs all fields: x, y"},
		{bindErr[struct {
			F []string `doc:"line"`
		}](1), "/line/*", "cannot hold an object"},
		{bindErr[struct {
			F []todo1 `doc:"todos"`
		}](1), "/todos", "a map of structs by ID"},
		{bindErr[struct {
			F map[int]todo1 `doc:"todos"`
		}](1), "/todos", "a map of structs by ID"},
		{bindErr[struct {
			F map[string]struct {
				Where struct {
					Street int `doc:"street"`
				} `doc:"place"`
			} `doc:"todos"`
		}](1), "/todos/*/place/street", "use string"},
		{bindErr[struct {
			F string `doc:"settings"`
		}](1), "/settings", "cannot hold an object"},
	} {
		err := c.bind(s)
		e, ok := errors.AsType[*schema.BindError](err)
		if !ok || e.Path != c.path || !strings.Contains(err.Error(), c.says) || e.Type == nil || e.Version == 0 {
			t.Errorf("at %q, saying %q: the error is %v", c.path, c.says, err)
		}
	}
	for _, version := range []int{0, -1, 4} {
		if _, err := schema.Bind[issue1](s, version); err == nil || !strings.Contains(err.Error(), "versions 1 to 3") {
			t.Errorf("version %d: %v", version, err)
		}
	}
	defer func() {
		if _, ok := recover().(*schema.BindError); !ok {
			t.Error("MustBind does not panic with a BindError")
		}
	}()
	schema.MustBind[string](s, 1)
}

// TestPaths: stored fields have a place, by the names of the version; what a lens makes has none.
func TestPaths(t *testing.T) {
	s := schema.MustNew(app, everything()...)
	one, two, three := whole(t, s, 1), whole(t, s, 2), whole(t, s, 3)
	for _, c := range []struct {
		v    *schema.View[object]
		path string
		want string // with a blank, what the error says
	}{
		{one, "title", "/title"},
		{two, "name", "/title"},
		{one, "settings/theme", "/settings/theme"},
		{two, "theme", "/settings/theme"},
		{two, "latitude", "/settings/home/geo/lat"},
		{two, "todos/t/place/notes", "/todos/t/place/notes"},
		{one, "todos/t/parts/p/text", "/todos/t/parts/p/text"},
		{three, "settings/home/priority", "/priority"},
		{three, "color", "/color~03"},
		{two, "status", "made of other fields"},
		{two, "todos/t/place/private", "made of other fields"},
		{two, "title", "no such field"},
		{two, "todos", "/todos"},
		{two, "todos/t", "nothing is inside of a table"},
		{one, "title/x", "nothing is inside of a text"},
		{one, "tags/0", "nothing is inside of a list"},
	} {
		got, err := c.v.Path(strings.Split(c.path, "/")...)
		if strings.Contains(c.want, " ") {
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s: %q, %v", c.path, got, err)
			}
		} else if got != c.want || err != nil {
			t.Errorf("%s: %q, %v", c.path, got, err)
		}
	}
	if _, err := one.Path(); err == nil {
		t.Error("no path leads somewhere")
	}
	d := docOf(t, 1)
	update(t, view2, d, func(i *issue2) { i.Name = "Hello" })
	at, err := view3.Path("name")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := d.Get(at); err != nil || got != doc.Text("Hello") {
		t.Error("there is", got, err)
	}
}

// TestTextErrors: an edit of a text that cannot be made says why and leaves no trace.
func TestTextErrors(t *testing.T) {
	d, ctx := docOf(t, 1), context.Background()
	update(t, view3, d, func(i *issue3) { i.Name, i.Body, i.Todos = "a👍b", "cd", map[string]todo3{"t": {}, "gone": {}} })
	update(t, view3, d, func(i *issue3) { delete(i.Todos, "gone") })
	splice := func(at, del int, path ...string) error {
		return view3.Text(schema.Of(d, nil), path...).Splice(ctx, at, del, "x")
	}
	unchanged(t, d, "a refused edit of a text", func() {
		for _, err := range []error{splice(4, 0, "name"), splice(-1, 0, "name"), splice(0, 4, "name"), splice(3, 1, "name"), splice(0, -1, "name"), splice(3, 0, "body"), splice(2, 1, "body")} {
			if e, ok := errors.AsType[*schema.ValueError](err); !ok || !strings.Contains(err.Error(), "characters") || e.Path != "/name" && e.Path != "/body" {
				t.Error("out of range:", err)
			}
		}
		for _, path := range [][]string{nil, {"nothing"}, {"state"}, {"first"}, {"priority"}, {"todos"}, {"todos", "t"}, {"todos", "t", "ticked"}, {"tags", "0"}} {
			if splice(0, 0, path...) == nil {
				t.Errorf("%q was edited as a text", path)
			}
		}
		for _, id := range []string{"gone", "never"} {
			if err := splice(0, 0, "todos", id, "notes"); !errors.Is(err, doc.ErrNoRecord) {
				t.Errorf("record %s: %v", id, err)
			}
		}
		canceled, cancel := context.WithCancel(ctx)
		cancel()
		if err := view3.Text(schema.Of(d, nil), "name").Splice(canceled, 0, 0, "x"); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
	if err := splice(1, 1, "name"); err != nil {
		t.Fatal(err)
	}
	if err := splice(0, 0, "todos", "t", "notes"); err != nil {
		t.Fatal(err)
	}
	if got := read(t, view3, d); got.Name != "axb" || got.Todos["t"].Notes != "x" {
		t.Errorf("edited is %+v", got)
	}
}
