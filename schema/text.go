package schema

import (
	"context"
	"fmt"

	"tombolo/doc"
	"tombolo/doc/value"
)

// TextEditor writes to one text of a document character by character. It is safe for concurrent use.
type TextEditor struct {
	d     Document
	path  []string
	write func(tx *doc.Tx, want func(*target) error) error
}

// Text names a text by its fields, and records by their IDs: Text(h, "todos", id, "notes").
func (v *View[T]) Text(d Document, path ...string) *TextEditor {
	return &TextEditor{d: d, path: path, write: func(tx *doc.Tx, want func(*target) error) error {
		missing, err := v.s.mayWrite(tx, v.version, func(doc.Content) error { return nil })
		if err != nil {
			return err
		}
		return write(tx, v.version, missing, want)
	}}
}

// Splice removes del characters (code points) at position at and inserts s there, as a change of its own. Errors are those of [View.Update].
func (e *TextEditor) Splice(ctx context.Context, at, del int, s string) error {
	return e.d.Change(ctx, "edit "+doc.Pointer(e.path).String(), func(tx *doc.Tx) error {
		return e.write(tx, func(t *target) error { return t.splice(e.path, at, del, s) })
	})
}

// Path is where a stored field of this version lies, a JSON Pointer: for cursors, which are taken of the document itself. Records are named by
// their IDs. Fields that a lens makes of others have no place of their own.
func (v *View[T]) Path(path ...string) (string, error) {
	t := &target{plan: &plan{}, u: &unit{in: &reading{version: v.version}}}
	t, n, err := t.find(path)
	switch {
	case err != nil:
		return "", err
	case n.group != nil:
		return "", fmt.Errorf("schema: %s is made of other fields and has no place of its own", doc.Pointer(path))
	}
	return t.place(n.at...), nil
}

// find is the field at a path in the view, and the unit that it lies in.
func (t *target) find(path []string) (*target, *node, error) {
	o := t.u.in.version.objects[Root]
	for i := 0; i < len(path); i++ {
		n := o.fields[path[i]]
		switch {
		case n == nil:
			return nil, nil, fmt.Errorf("schema: %s: version %d has no such field; there are %v", doc.Pointer(path[:i+1]), t.u.in.version.n, o.names())
		case i == len(path)-1:
			return t, n, nil
		case n.kind == KindNested:
			o = n.inside
		case n.kind == KindTable && i < len(path)-2:
			next, err := t.record(n, path[:i+2])
			if err != nil {
				return nil, nil, err
			}
			t, o, i = next, t.u.in.version.objects[n.row], i+1
		default:
			return nil, nil, fmt.Errorf("schema: %s: nothing is inside of a %s", doc.Pointer(path[:i+1]), n.kind)
		}
	}
	return nil, nil, fmt.Errorf("schema: name a field of the document")
}

// record is the unit of a row. It need not be there.
func (t *target) record(n *node, path doc.Pointer) (*target, error) {
	id := path[len(path)-1]
	row := &target{plan: t.plan, u: &unit{in: t.u.in, path: trailOf(path)}, at: t.at.and(n.at...).and(id)}
	table, err := t.u.at(n.at)
	if err != nil || table == nil || table.Kind() != value.Map {
		return row, err
	}
	src, ok, err := table.Field(id)
	if ok && err == nil {
		row.u.src = src
	}
	return row, err
}

// splice plans an edit of a text.
func (t *target) splice(path doc.Pointer, at, del int, s string) error {
	in, n, err := t.find(path)
	if err != nil {
		return err
	}
	if n.kind != KindText {
		return refuse(path, nil, "it is a %s, not a text", n.kind)
	}
	if in.at != nil {
		there := in.u.src != nil
		if there {
			if there, err = isRecord(in.u.src); err != nil {
				return err
			}
		}
		if !there {
			return refuse(path, nil, "%w", doc.ErrNoRecord)
		}
	}
	stored, err := in.u.at(n.at)
	if err != nil {
		return err
	}
	if n.group == nil && (del != 0 || s != "") && (stored == nil || stored.Kind() == value.TextKind) {
		if err := in.has(n.at[:len(n.at)-1]); err != nil {
			return err
		}
		in.puts = append(in.puts, put{in.place(n.at...), splice, edit{path, at, del, s}})
		return nil
	}
	src, err := in.u.text(n, trailOf(path[:len(path)-1]))
	if err != nil {
		return err
	}
	have := []rune(src.Str())
	if at < 0 || del < 0 || at > len(have) || del > len(have)-at {
		return refuse(path, s, "the text has %d characters; cannot remove %d at %d", len(have), del, at)
	}
	if del == 0 && s == "" {
		return nil
	}
	whole := string(have[:at]) + s + string(have[at+del:])
	if n.group == nil { // something that is no text shows as one
		return in.store(n.at, doc.Text(whole))
	}
	if err := in.write(n, whole); err != nil {
		return err
	}
	return in.settleGroups()
}
