package tombolo

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"tombolo/doc"
	"tombolo/persist"
	"tombolo/schema"
)

// ForkedDocument is one document of a fork, as the program that is tried finds it.
type ForkedDocument struct {
	URL  string `json:"url"` // in the fork
	App  string `json:"app,omitempty"`
	Name string `json:"name,omitempty"`

	Schema    []SchemaVersion `json:"schema,omitempty"`    // versions of a schema that wrote to it, ascending
	Forks     []int           `json:"forks,omitempty"`     // those of them that exist in two definitions
	MinWriter int             `json:"minWriter,omitempty"` // the least version that may write to it; 0 for any

	State   string `json:"state"`             // as in [DocumentStatus], for a program with the schemas of ForkOptions.Device
	Problem string `json:"problem,omitempty"` // why it is not ready
	Invalid int    `json:"invalid"`           // values that do not fit the newest version of the program's schema; 0 without one
	Error   string `json:"error,omitempty"`   // why it does not read, or what Check said
}

// checkFork looks through the documents of a fork.
func (e *Engine) checkFork(ctx context.Context, opts ForkOptions, out *Forked) error {
	names := slices.SortedFunc(e.names(), func(a, b persist.Name) int { return slices.Compare(a.Doc[:], b.Doc[:]) })
	for i, name := range names {
		d, err := e.checkForked(ctx, doc.URL{Space: name.Space, Doc: name.Doc}, opts)
		if err != nil {
			return err
		}
		out.Documents = append(out.Documents, d)
		if opts.Progress != nil {
			opts.Progress("check", uint64(i+1), uint64(len(names)))
		}
	}
	return nil
}

// checkForked looks at one. Its error is about the fork, not about the document.
func (e *Engine) checkForked(ctx context.Context, u doc.URL, opts ForkOptions) (ForkedDocument, error) {
	out := ForkedDocument{URL: u.String()}
	h, err := e.Document(ctx, u)
	if err == nil {
		var marks doc.Marks
		err = h.Content(func(c doc.Content) error {
			marks = c.Marks()
			var err error
			out.Invalid, err = e.invalid(c)
			return err
		})
		out.Forks = forksOf(marks)
		if err == nil && opts.Check != nil {
			err = checked(ctx, h, opts.Check)
		}
		err = errors.Join(err, h.Flush(ctx), h.Close())
	}
	if ctx.Err() != nil {
		return out, ctx.Err()
	}
	if err != nil {
		out.Error = err.Error()
	}
	info, err := e.info(ctx, persist.Name{Space: u.Space, Doc: u.Doc}) // after reading, which brings the header up to date and finds damage
	if err != nil {
		return out, err
	}
	out.App, out.Name, out.State, out.Problem = info.App, info.Name, info.State, info.Problem
	out.Schema, out.MinWriter = info.Schema, info.MinWriter
	return out, nil
}

// checked is what Check says of a document, its panic included: the other documents are checked all the same.
func checked(ctx context.Context, h *Handle, check func(context.Context, *Handle) error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("the check panicked: %v", r)
		}
	}()
	return check(ctx, h)
}

// forksOf are the versions of a schema that exist in two definitions, ascending.
func forksOf(marks doc.Marks) []int {
	var out []int
	for _, w := range schema.Written(marks) {
		if w.Forked && !slices.Contains(out, w.Version) {
			out = append(out, w.Version)
		}
	}
	return out
}

// invalid is how many values of a document do not fit the newest version of the program's schema; 0 where there is none for it.
func (e *Engine) invalid(c doc.Content) (int, error) {
	s, _ := e.schemaOf(c.Marks())
	if s == nil {
		return 0, nil
	}
	report, err := s.Validate(s.Newest(), c)
	if bad, ok := errors.AsType[*schema.InvalidError](err); ok {
		return max(len(bad.Fields), len(report.Invalid)), err
	}
	return len(report.Invalid), err
}
