package schema_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	"pgregory.net/rapid"

	"tombolo/doc"
	"tombolo/schema"
)

// fleet is devices of all versions that edit one issue, exchange changes in part, restart and upgrade. It notes what was written and who knew of it.
type fleet struct {
	*rapid.T
	versions []int
	peers    []*member
	edits    []*written
	tokens   map[rune]string // each is written once, to one place
	removed  map[rune]bool
	dead     map[string]bool // rows
	votes    int
	oldBody  bool // version 1 writes the body, which newer ones hold as a text
	actors   byte
}

type member struct {
	d       *doc.Doc
	version int
}

// written is one edit.
type written struct {
	hash    doc.Hash
	version int
	past    map[int]bool
	fields  map[string]string    // registers that it changed, in the writer's view
	shown   [4]map[string]string // by version, after it
	back    [3]bool              // by version: what it shows of the status is what newer ones wrote there last
}

var (
	issues0 = issues()
	view1   = schema.MustBind[issue1](issues0, 1)
	view2   = schema.MustBind[issue2](issues0, 2)
	view3   = schema.MustBind[issue3](issues0, 3)
)

// groupOf says which fields are made of each other by lenses.
var groupOf = map[string]string{
	"fullName": "name", "first": "name", "last": "name", "done": "status", "status": "status", "state": "status", "archived": "status", "body": "body",
}

// class tells versions apart that hold a group in different fields.
func class(group string, version int) int {
	switch {
	case group == "name":
		return max(version, 2)
	case group == "body":
		return min(version, 2)
	}
	return version
}

// newFleet is four devices, of all versions or of some.
func newFleet(t *rapid.T, versions ...int) *fleet {
	if versions == nil {
		versions = []int{1, 2, 3}
	}
	f := &fleet{T: t, tokens: map[rune]string{}, removed: map[rune]bool{}, dead: map[string]bool{}, versions: versions, oldBody: rapid.Bool().Draw(t, "oldBody")}
	for i := range 4 {
		f.peers = append(f.peers, &member{d: f.doc(nil), version: versions[i%len(versions)]})
	}
	return f
}

// doc is a document under an actor of its own, with the changes of another.
func (f *fleet) doc(from *doc.Doc) *doc.Doc {
	f.actors++
	if from == nil {
		return docOf(f, f.actors)
	}
	return copyOf(f, from, f.actors)
}

// run takes steps, and then gives all devices all changes.
func (f *fleet) run(only ...string) {
	for range rapid.IntRange(5, 45).Draw(f.T, "steps") {
		p := rapid.SampledFrom(f.peers).Draw(f.T, "peer")
		switch rapid.IntRange(0, 9).Draw(f.T, "step") {
		case 0, 1, 2:
			from := rapid.SampledFrom(f.peers).Draw(f.T, "from")
			if from != p {
				pass(f, from.d, p.d, rapid.IntRange(1, from.d.Len()).Draw(f.T, "changes"))
			}
		case 3:
			unchanged(f, p.d, "an upgrade and a restart", func() {
				p.version = rapid.SampledFrom(f.versions).Draw(f.T, "version")
				p.d = f.doc(p.d)
				flat(f, p.d, p.version)
			})
		default:
			f.edit(p, only)
		}
	}
	for _, to := range f.peers {
		for _, from := range f.peers {
			pass(f, from.d, to.d, from.d.Len())
		}
	}
	for _, to := range f.peers {
		pass(f, f.peers[3].d, to.d, f.peers[3].d.Len())
	}
}

// edit makes one change of one field in the view of a device.
func (f *fleet) edit(p *member, only []string) {
	before, n := flat(f, p.d, p.version), p.d.Len()
	head := flat(f, p.d, 1)["assignee"]
	past := map[int]bool{}
	for i, e := range f.edits {
		past[i] = p.d.Graph().Has(e.hash)
	}
	var wanted, got string
	var err error
	switch p.version {
	case 1:
		wanted, got, err = editBy(view1, p.d, func(i *issue1) { f.edit1(i, f.op(only, ops1)) })
	case 2:
		wanted, got, err = editBy(view2, p.d, func(i *issue2) { f.edit2(i, f.op(only, ops2)) })
	case 3:
		wanted, got, err = editBy(view3, p.d, func(i *issue3) { f.edit3(i, f.op(only, ops3)) })
	}
	switch {
	case errors.Is(err, doc.ErrRecordDeleted): // another device deleted the record under this ID
		return
	case err != nil:
		f.Fatal(err)
	case wanted != got:
		f.Fatalf("version %d wrote\n%s\nand reads back\n%s", p.version, wanted, got)
	case p.d.Len() == n:
		return
	}
	e := &written{hash: p.d.Graph().At(p.d.Len() - 1), version: p.version, past: past, fields: map[string]string{}}
	for v := 1; v <= 3; v++ {
		e.shown[v] = flat(f, p.d, v)
	}
	e.back[1] = isEcho(p.d, "done", "2.4", e.shown[1]["done"])
	e.back[2] = isEcho(p.d, "status", "3.4", e.shown[2]["status"])
	for field, v := range e.shown[p.version] {
		if old, ok := before[field]; old != v && (ok || v == "true") { // a new record says "false" without writing it
			e.fields[field] = v
		}
	}
	if now := e.shown[1]["assignee"]; now != head {
		e.fields["assignee"] = now
	}
	f.edits = append(f.edits, e)
}

// editBy edits through a view; it gives what was to be and what is then read.
func editBy[T any](v *schema.View[T], d *doc.Doc, fn func(*T)) (wanted, got string, err error) {
	before := d.Len()
	changes, _ := d.Changes()
	err = try(v, d, func(x *T) { fn(x); wanted = text(x) })
	if err != nil {
		if after, _ := d.Changes(); len(after) != before || !slices.EqualFunc(changes, after, bytes.Equal) {
			err = fmt.Errorf("a refused edit wrote something: %v", err)
		}
		return wanted, got, err
	}
	now, _, err := v.Read(d)
	return wanted, text(&now), err
}

var (
	ops1 = []string{"title", "done", "fullName", "assignee", "color", "body", "tag", "untag", "row", "tick", "unrow", "theme", "vote"}
	ops2 = []string{"title", "status", "fullName", "assignee", "body", "priority", "tag", "untag", "theme"}
	ops3 = []string{"title", "state", "archived", "first", "last", "assign", "unassign", "body", "priority", "tag", "untag", "row", "tick", "unrow", "notes", "theme", "vote"}
)

func (f *fleet) op(only, all []string) string {
	if only != nil {
		all = slices.DeleteFunc(slices.Clone(all), func(op string) bool { return !slices.Contains(only, op) })
	}
	return rapid.SampledFrom(all).Draw(f.T, "edit")
}

// isEcho says whether a value is what newer versions know an old field of a group to hold.
func isEcho(d *doc.Doc, field, group, shown string) bool {
	epoch, err := d.Get("/cur~0" + group)
	if err != nil {
		return false
	}
	for _, mark := range []string{"^", "="} {
		if echo, err := d.Get(fmt.Sprintf("/%s%s~0%s@%s", mark, field, group, epoch)); err == nil {
			return fmt.Sprint(echo) == shown
		}
	}
	return false
}
