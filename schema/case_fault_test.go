package schema_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"tombolo/doc"
	"tombolo/schema"
)

// lensed has lenses in the document, in its records, in a nested object and in one nested in records.
func lensed() *schema.Schema {
	return schema.MustNew(app,
		schema.V(1,
			schema.Object(schema.Root, schema.Bool("done"), schema.String("fullName"), schema.String("body"), schema.Int("n", schema.Check(1, even)), schema.Int("free"),
				schema.Table("rows", "Row"), schema.Nested("place", "Place")),
			schema.Object("Row", schema.Bool("done"), schema.Nested("place", "Place"), schema.Int("free")),
			schema.Object("Place", schema.Bool("public"))),
		schema.V(2,
			schema.Map(schema.Root, "done", "status", doneStatus, schema.Enum("todo", "doing", "done", "archived")),
			schema.Map("Row", "done", "status", doneStatus),
			schema.Map("Place", "public", "private", turned),
			schema.TextFromString(schema.Root, "body")),
		schema.V(3, schema.Group(schema.Root, splitName), schema.Group(schema.Root, statusState)))
}

// lensedDoc has values in all of lensed's fields, the newest by the version that is given.
func lensedDoc(t testing.TB, last int) *doc.Doc {
	t.Helper()
	s, d := lensed(), docOf(t, 1)
	set(t, whole(t, s, 3), d, "state", "doing", "first", "Ann", "last", "Lee", "body", "It", "n", int64(2), "place", object{"private": true},
		"rows", object{"r": object{"status": "doing", "place": object{"private": true}}})
	if last == 1 {
		set(t, whole(t, s, 1), d, "done", true, "fullName", "Zoe Quinn", "body", "That", "place", object{"public": true},
			"rows", object{"r": object{"done": true, "place": object{"public": true}}})
	}
	return d
}

var errInjected = errors.New("injected")

// failing is lensed with functions that fail where a test says so.
type failing struct {
	calls []schema.Call
	fail  func(n int, c schema.Call) error
}

func (f *failing) schema() *schema.Schema {
	return lensed().Intercept(func(c schema.Call) error {
		f.calls = append(f.calls, c)
		if f.fail == nil {
			return nil
		}
		return f.fail(len(f.calls), c)
	})
}

// deeds are edits that need the lenses, in all places.
var deeds = map[string]func(s *schema.Schema, d *doc.Doc) error{
	"root": func(s *schema.Schema, d *doc.Doc) error {
		return edit(s, 3, d, "state", "todo", "first", "Kim", "free", int64(1))
	},
	"v2": func(s *schema.Schema, d *doc.Doc) error { return edit(s, 2, d, "status", "archived", "free", int64(1)) },
	"row": func(s *schema.Schema, d *doc.Doc) error {
		return edit(s, 3, d, "rows", object{"r": object{"status": "todo", "free": int64(1)}})
	},
	"newrow": func(s *schema.Schema, d *doc.Doc) error {
		return edit(s, 3, d, "rows", object{"x": object{"status": "done", "free": int64(1)}})
	},
	"nested": func(s *schema.Schema, d *doc.Doc) error {
		return edit(s, 3, d, "place", object{"private": false}, "free", int64(1))
	},
	"inner": func(s *schema.Schema, d *doc.Doc) error {
		return edit(s, 3, d, "rows", object{"r": object{"place": object{"private": false}}}, "free", int64(1))
	},
	"check": func(s *schema.Schema, d *doc.Doc) error { return edit(s, 3, d, "n", int64(6), "free", int64(1)) },
	"splice": func(s *schema.Schema, d *doc.Doc) error {
		v, err := schema.Bind[object](s, 3)
		if err != nil {
			return err
		}
		return v.Text(schema.Of(d, nil), "body").Splice(context.Background(), 0, 0, "x")
	},
	"settle": func(s *schema.Schema, d *doc.Doc) error {
		_, err := s.Settle(context.Background(), schema.Of(d, nil))
		return err
	},
}

// edit is trySet on a version of a schema.
func edit(s *schema.Schema, version int, d *doc.Doc, fields ...any) error {
	v, err := schema.Bind[object](s, version)
	if err != nil {
		return err
	}
	return trySet(v, d, fields...)
}

// failures are the two ways in which a function fails.
var failures = map[string]func() error{"error": func() error { return errInjected }, "panic": func() error { panic(errInjected) }}

// TestCase20FunctionFails: where one function of a step always fails, an edit that needs it is refused as a whole with a StepError, and other edits are made.
func TestCase20FunctionFails(t *testing.T) {
	for name, deed := range deeds {
		for _, last := range []int{1, 3} {
			f := &failing{}
			if err := deed(f.schema(), lensedDoc(t, last)); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			seen := map[schema.Call]bool{}
			for _, c := range f.calls {
				seen[c] = true
			}
			for call := range seen {
				for how, fail := range failures {
					t.Run(fmt.Sprintf("%s/%d/%d-%s-%s/%s", name, last, call.Version, call.Step, call.Func, how), func(t *testing.T) {
						f := &failing{fail: func(_ int, c schema.Call) error {
							if c == call {
								return fail()
							}
							return nil
						}}
						d := lensedDoc(t, last)
						before, n := shownBy(t, lensed(), 3, d), d.Len()
						err := deed(f.schema(), d)
						if err == nil { // it was not needed
							if d.Len() > n {
								onlyMeant(t, name, lensed(), last, d)
							}
							return
						}
						if d.Len() != n || shownBy(t, lensed(), 3, d) != before {
							t.Error("a refused edit wrote something")
						}
						if call.Func == "Check" {
							e, ok := errors.AsType[*schema.ValueError](err)
							if !ok || e.Path != "/n" || !errors.Is(err, errInjected) {
								t.Errorf("the error is %v", err)
							}
							return
						}
						e, ok := errors.AsType[*schema.StepError](err)
						if !ok || !errors.Is(err, schema.ErrStep) || !errors.Is(err, errInjected) {
							t.Fatalf("the error is %v", err)
						}
						if e.Version != call.Version || e.Step != call.Step || e.Func != call.Func || !strings.Contains(err.Error(), "nothing was written") {
							t.Errorf("the error says %d %s %s: %v", e.Version, e.Step, e.Func, err)
						}
						if path := map[string]string{"row": "/rows/r", "inner": "/rows/r", "newrow": "/rows/x"}[name]; name != "settle" && e.Path != path {
							t.Errorf("the error says it was at %q instead of %q", e.Path, path)
						}
					})
				}
			}
		}
	}
}

// onlyMeant wants what an edit wrote in spite of a failure to be what it writes without one.
func onlyMeant(t *testing.T, name string, s *schema.Schema, last int, d *doc.Doc) {
	t.Helper()
	clean := lensedDoc(t, last)
	if err := deeds[name](s, clean); err != nil {
		t.Fatal(err)
	}
	for v := 1; v <= s.Newest(); v++ {
		if got, want := shownBy(t, s, v, d), shownBy(t, s, v, clean); got != want {
			t.Errorf("the edit went through and wrote something else: at version %d\n%s\ninstead of\n%s", v, got, want)
		}
	}
}

// TestCase20EveryPoint: wherever among the calls of an edit the first failure is, and whether it lasts or not, the edit is made as it was meant or not at all.
func TestCase20EveryPoint(t *testing.T) {
	for name, deed := range deeds {
		for _, last := range []int{1, 3} {
			f := &failing{}
			if err := deed(f.schema(), lensedDoc(t, last)); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			for at := range len(f.calls) {
				for how, fail := range failures {
					for _, lasts := range []bool{true, false} {
						t.Run(fmt.Sprintf("%s/%d/%d/%s/%v", name, last, at, how, lasts), func(t *testing.T) {
							f := &failing{fail: func(n int, _ schema.Call) error {
								if n == at+1 || lasts && n > at {
									return fail()
								}
								return nil
							}}
							d := lensedDoc(t, last)
							n := d.Len()
							if err := deed(f.schema(), d); err != nil {
								if d.Len() != n {
									t.Errorf("a refused edit wrote something: %v", err)
								}
								return
							}
							if d.Len() > n {
								onlyMeant(t, name, lensed(), last, d)
							}
						})
					}
				}
			}
		}
	}
}

// TestCase20Reading: a function that fails while a document is read is reported, and the rest is read.
func TestCase20Reading(t *testing.T) {
	for how, fail := range failures {
		f := &failing{fail: func(_ int, c schema.Call) error {
			if c.Func == "Up" {
				return fail()
			}
			return nil
		}}
		s, d := f.schema(), lensedDoc(t, 1)
		unchanged(t, d, "reading", func() {
			o, report, err := whole(t, s, 3).Read(d)
			if err != nil {
				t.Fatal(how, err)
			}
			at := map[string]bool{}
			for _, f := range report.Invalid {
				at[f.Path] = true
				if e, ok := errors.AsType[*schema.StepError](f.Err); !ok || e.Func != "Up" || !errors.Is(f, errInjected) {
					t.Errorf("%s: reported is %v", how, f)
				}
			}
			for _, path := range []string{"/state", "/archived", "/first", "/last", "/place/private", "/rows/r/status", "/rows/r/place/private"} {
				if !at[path] {
					t.Errorf("%s: %s is not reported; reported are %v", how, path, at)
				}
			}
			if o["n"] != int64(2) {
				t.Errorf("%s: other fields show %v", how, o)
			}
		})
	}
}
