package schematest

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"

	"tombolo/doc"
	"tombolo/schema"
)

// Failures makes each Up, Down and Check fail in turn, by an error and by a panic, in edits that need it. Nothing may be written then; the error of an
// Up or Down must be a [schema.StepError] that names version, step and object. Where one fails once and not again, an edit fails or does what it should.
func Failures(t *testing.T, s *schema.Schema, o Options) {
	t.Helper()
	o = o.withDefaults(s)
	sh, err := shapeOf(s)
	if err != nil {
		t.Fatal(err)
	}
	f := &failing{t: t, sh: sh, o: o, done: map[string]bool{}}
	for v := 1; v <= sh.newest; v++ {
		types := s.Describe(v)
		for _, typ := range sortedKeys(types) {
			at, ok := sh.locate(v, typ)
			if !ok {
				continue
			}
			for _, field := range types[typ] {
				f.field(v, typ, at, field)
			}
		}
	}
	for _, tr := range lenses(s) {
		for _, name := range []string{"Up", "Down"} {
			visible := slices.ContainsFunc(tr.News, func(n schema.FieldInfo) bool { return sh.has(tr.Version, tr.Object, n) })
			if _, ok := sh.locate(tr.Version, tr.Object); ok && visible && !(tr.OneWay && name == "Down") && !f.done[callKey(schema.Call{Version: tr.Version, Step: tr.Step, Func: name})] {
				t.Errorf("no edit was found that needs %s of %s; give its fields values in Options.Samples", name, tr.Step)
			}
		}
	}
}

var errInjected = errors.New("failed for the test")

// failing tries edits of fields with functions that fail.
type failing struct {
	t    *testing.T
	sh   *shape
	o    Options
	done map[string]bool // calls that were seen to fail
}

func callKey(c schema.Call) string { return fmt.Sprintf("%d %s %s", c.Version, c.Func, c.Step) }

// field edits one field in documents of three histories, and makes fail what that calls.
func (f *failing) field(version int, typ string, at []string, field schema.FieldInfo) {
	if !register(field.Kind) {
		return
	}
	values := slices.DeleteFunc(slices.Clone(candidates(f.o, typ, []string{field.Name}, field)), func(v any) bool {
		ok, err := f.sh.allows(version, typ, field, v)
		return err != nil || !ok
	})
	if len(values) == 0 {
		return
	}
	first, second := values[0], values[len(values)-1]
	mine := f.translations(typ, field)
	histories := map[string]func(*doc.Doc) error{
		"never written": func(*doc.Doc) error { return nil },
		"written by this version": func(d *doc.Doc) error {
			return set(f.sh.s.At(version), version, d, at, []string{field.Name}, []any{second})
		},
		"written by an older version last": func(d *doc.Doc) error {
			if err := set(f.sh.s.At(version), version, d, at, []string{field.Name}, []any{second}); err != nil {
				return err
			}
			return f.older(d, typ, mine)
		},
	}
	for _, name := range slices.Sorted(maps.Keys(histories)) {
		d, err := f.sh.scratch()
		if err != nil {
			f.t.Fatal(err)
		}
		if err := histories[name](d); err != nil {
			continue // Laws and Fleet tell about values that cannot be written
		}
		changes, err := d.Changes()
		if err != nil {
			f.t.Fatal(err)
		}
		for _, v := range []any{first, second} {
			f.edit(changes, version, at, field, v, mine)
		}
	}
}

// older writes what the oldest version sees of a field.
func (f *failing) older(d *doc.Doc, typ string, mine []schema.Translation) error {
	for _, tr := range mine {
		at, ok := f.sh.locate(tr.Version-1, typ)
		if !ok {
			continue
		}
		for _, old := range tr.Olds {
			if !f.sh.has(tr.Version-1, typ, old) {
				continue
			}
			for _, v := range candidates(f.o, typ, []string{old.Name}, old) {
				n := d.Len()
				if err := set(f.sh.s.At(tr.Version-1), tr.Version-1, d, at, []string{old.Name}, []any{v}); err == nil && d.Len() > n {
					return nil
				}
			}
		}
	}
	return nil
}

// translations are the lenses that a field is made by, the newest first.
func (f *failing) translations(typ string, field schema.FieldInfo) (out []schema.Translation) {
	for _, tr := range f.sh.s.Translations() {
		if tr.Object == typ && tr.ID == field.Group {
			out = append(out, tr)
			for _, old := range tr.Olds {
				out = append(out, f.translations(typ, old)...)
			}
		}
	}
	return out
}

// edit makes one edit, and then again with each function that it calls failing.
func (f *failing) edit(changes [][]byte, version int, at []string, field schema.FieldInfo, v any, mine []schema.Translation) {
	calls := map[string]schema.Call{}
	// try makes the edit. It says what the document holds then, and whether that are the changes of before.
	try := func(before func(schema.Call) error) (json []byte, same bool, err error) {
		d, err := f.sh.scratch()
		if err == nil {
			_, err = d.Apply(changes...)
		}
		if err != nil {
			f.t.Fatal(err)
		}
		defer d.Close()
		err = set(f.sh.s.Intercept(before), version, d, at, []string{field.Name}, []any{v})
		now, failed := d.Changes()
		if failed == nil {
			json, failed = d.JSON("")
		}
		if failed != nil {
			f.t.Fatal(failed)
		}
		return json, slices.EqualFunc(changes, now, bytes.Equal), err
	}
	want, _, err := try(func(c schema.Call) error { calls[callKey(c)] = c; return nil })
	if err != nil {
		return
	}
	for _, key := range sortedKeys(calls) {
		call := calls[key]
		needed := slices.ContainsFunc(mine, func(tr schema.Translation) bool { return tr.Version == call.Version && tr.Step == call.Step })
		for _, panics := range []bool{false, true} {
			_, same, err := try(func(c schema.Call) error {
				if c == call && panics {
					panic(errInjected.Error())
				}
				if c == call {
					return errInjected
				}
				return nil
			})
			if err == nil && (call.Func == "Check" || !needed) {
				continue // it was about another field
			}
			if !f.told(call, panics, same, err) {
				return
			}
			f.done[key] = f.done[key] || err != nil
		}
		failures := 0
		json, same, err := try(func(c schema.Call) error {
			if c == call && failures == 0 {
				failures++
				return errInjected
			}
			return nil
		})
		if err != nil && !same || err == nil && !bytes.Equal(json, want) {
			f.t.Errorf("%s of %s in version %d fails once and not again, and then something else was written, of %s (%v): %s", call.Func, call.Step, call.Version, field.Name, err, json)
			return
		}
	}
}

// told says whether a failure was told as it must be, and nothing was written.
func (f *failing) told(call schema.Call, panics, same bool, err error) bool {
	f.t.Helper()
	step, isStep := errors.AsType[*schema.StepError](err)
	_, isValue := errors.AsType[*schema.ValueError](err)
	switch {
	case err == nil && same:
		return true // there was nothing to write
	case err == nil:
		f.t.Errorf("%s of %s in version %d fails (panic: %v), and the edit that needs it does not", call.Func, call.Step, call.Version, panics)
	case !same:
		f.t.Errorf("%s of %s in version %d fails, and something was written: %v", call.Func, call.Step, call.Version, err)
	case !panics && !errors.Is(err, errInjected):
		f.t.Errorf("%s of %s in version %d fails, and the error does not wrap what it returned: %v", call.Func, call.Step, call.Version, err)
	case call.Func == "Check" && !isStep && !isValue, call.Func != "Check" && (!isStep || !errors.Is(err, schema.ErrStep)):
		f.t.Errorf("%s of %s in version %d fails, and the error is none that says so: %v", call.Func, call.Step, call.Version, err)
	case isStep && (step.Version != call.Version || step.Step != call.Step || step.Func != call.Func):
		f.t.Errorf("%s of %s in version %d fails, and the error names another function: %v", call.Func, call.Step, call.Version, err)
	default:
		return true
	}
	return false
}
