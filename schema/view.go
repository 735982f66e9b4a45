package schema

import (
	"context"
	"iter"
	"reflect"

	"tombolo/doc"
	"tombolo/doc/value"
)

// Readable is what views read: a *tombolo.Handle, a [doc.Doc], a [doc.Version] or a [doc.Tx].
type Readable interface {
	// Content runs fn on what the document holds, which nothing changes meanwhile.
	Content(fn func(doc.Content) error) error
}

// Document is what views read and write: a *tombolo.Handle, or what [Of] makes of a [doc.Doc].
type Document interface {
	Readable
	// Change makes what fn writes one change; if fn fails, nothing happens.
	Change(ctx context.Context, message string, fn func(*doc.Tx) error) error
}

// Watched is a document that tells its changes: a *tombolo.Handle.
type Watched interface {
	Document
	// Versions yields the heads after each change, until ctx ends or the document is closed.
	Versions(ctx context.Context) iter.Seq[[]doc.Hash]
}

// View shows documents at one version of a schema as a Go type. It is safe for concurrent use.
type View[T any] struct {
	s       *Schema
	version *compiled
	root    *boundObject
}

// Bind makes a view of a version. T is a struct whose tags name fields of that version; fields that it does not have stay as they are, so a small struct
// makes a small and quick view. With map[string]any it has all fields, in the Go form of package doc: a text is a [doc.Text], a counter a
// [doc.Counter], a set a map from each element to true, a table a map from ID to record, and a register that has nothing is nil. Pointer fields
// are nil where nothing is stored and there is no default; a nil element of a list is stored as zero. A stored value that a Go field cannot hold, such as
// 300 for an int8, is reported as one that does not fit, and stays. The error is a [BindError] that names the field.
func Bind[T any](s *Schema, version int) (*View[T], error) {
	v, err := s.version(version)
	if err != nil {
		return nil, err
	}
	typ := reflect.TypeFor[T]()
	b := binder{version: v, bound: map[boundKey]*boundObject{}}
	root, wrong := b.object(v.objects[Root], typ)
	if wrong != nil {
		wrong.Type, wrong.Version = typ, version
		return nil, wrong
	}
	return &View[T]{s, v, root}, nil
}

// MustBind is [Bind] for package variables: it panics where Bind gives an error, at the start of the program.
func MustBind[T any](s *Schema, version int) *View[T] {
	v, err := Bind[T](s, version)
	if err != nil {
		panic(err)
	}
	return v
}

// Read reads a document. It writes nothing, whichever versions wrote it. The report names values that do not fit. Errors: [ErrNotOurs],
// [ErrLayout], an [InvalidError].
func (v *View[T]) Read(d Readable) (T, Report, error) {
	var r struct { // in one piece of memory
		out    T
		report Report
	}
	err := d.Content(func(c doc.Content) error {
		verdict := v.s.judge(v.version, c)
		if verdict.unreadable != nil {
			return verdict.unreadable
		}
		in, err := v.read(c, &r.out)
		r.report = in.report
		r.report.Stale = verdict.stale
		return err
	})
	return r.out, r.report, err
}

func (v *View[T]) read(c doc.Content, out *T) (*reading, error) {
	var r struct { // in one piece of memory
		in   reading
		unit unit
		root objectSource
	}
	r.in.version = v.version
	r.unit = unit{in: &r.in, src: c.Root}
	r.root = objectSource{u: &r.unit, b: v.root}
	err := value.Decode(&r.root, out)
	if len(r.in.failed) > 0 {
		err = &InvalidError{Fields: r.in.failed}
	}
	return &r.in, err
}

// Update changes a document: f gets it as Read gives it, and what f made different becomes one change with message. Where f, a [Check] or a
// function of a step fails, nothing happens. Errors are those of Read and Document.Change, a [VersionError], a [ForkedError], a [ValueError]
// and a [StepError].
func (v *View[T]) Update(ctx context.Context, d Document, message string, f func(*T) error) error {
	return d.Change(ctx, message, func(tx *doc.Tx) error { return v.Edit(tx, f) })
}

// Edit is [View.Update] inside of a transaction: for what is to be one change with other writes. Use it before those; where it comes second,
// what devices begin alike without knowing of each other (a counter, a text made of a string) may begin twice.
func (v *View[T]) Edit(tx *doc.Tx, f func(*T) error) error {
	var old T
	var seen *reading
	missing, err := v.s.mayWrite(tx, v.version, func(c doc.Content) (err error) {
		seen, err = v.read(c, &old)
		return err
	})
	if err != nil {
		return err
	}
	if err := f(&old); err != nil {
		return err
	}
	want, err := value.Of(old)
	if err == nil {
		err = want.Check()
	}
	if err != nil {
		return err
	}
	return write(tx, v.version, missing, func(t *target) error {
		t.u.in.before = seen
		return t.object(v.root, nil, want)
	})
}

// Create gives a function that writes what a new document begins with: for Space.Create, or for tombolo.Init. f gets the defaults.
func (v *View[T]) Create(f func(*T) error) func(*doc.Tx) error {
	return func(tx *doc.Tx) error { return v.Edit(tx, f) }
}

// Watch yields the document as Read gives it, now and after each change, until ctx ends or the document is closed. A slow loop gets the newest
// state, not each one between. An error is yielded and the loop goes on.
func (v *View[T]) Watch(ctx context.Context, d Watched) iter.Seq2[T, error] {
	changes := d.Versions(ctx) // from now on, so that nothing is missed after the first state
	return func(yield func(T, error) bool) {
		if now, _, err := v.Read(d); !yield(now, err) {
			return
		}
		for range changes {
			if now, _, err := v.Read(d); !yield(now, err) {
				return
			}
		}
	}
}

// mayWrite says why a version may not write to a document, and runs fn on what it holds if it may. missing are the marks that it does not have yet.
func (s *Schema) mayWrite(tx *doc.Tx, version *compiled, fn func(doc.Content) error) (missing marks, err error) {
	err = tx.Content(func(c doc.Content) error {
		verdict := s.judge(version, c)
		if verdict.why != nil {
			return verdict.why
		}
		missing = verdict.missing
		return fn(c)
	})
	return missing, err
}

// write plans and carries out what a version writes, with the marks that are missing.
func write(tx *doc.Tx, version *compiled, missing marks, want func(*target) error) error {
	var w struct { // in one piece of memory
		plan   plan
		in     reading
		unit   unit
		target target
	}
	w.in.version, w.unit.in = version, &w.in
	w.target.plan, w.target.u = &w.plan, &w.unit
	p := &w.plan
	err := tx.Content(func(c doc.Content) error {
		w.unit.src = c.Root
		if err := want(&w.target); err != nil {
			return err
		}
		return w.target.settleGroups()
	})
	if err != nil || p.empty() {
		return err
	}
	if err := p.apply(tx); err != nil {
		return err
	}
	if missing.lineage != nil {
		if err := tx.MarkSchema(missing.lineage); err != nil {
			return err
		}
	}
	if missing.min > 0 {
		return tx.RequireWriter(missing.min)
	}
	return nil
}

// Validate reads all of a document at a version and reports what does not fit.
func (s *Schema) Validate(version int, c doc.Content) (Report, error) {
	v, err := Bind[map[string]any](s, version)
	if err != nil {
		return Report{}, err
	}
	_, report, err := v.Read(present{c})
	return report, err
}

// present is a content that is being read.
type present struct{ c doc.Content }

func (p present) Content(fn func(doc.Content) error) error { return fn(p.c) }
