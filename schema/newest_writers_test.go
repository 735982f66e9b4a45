package schema_test

import (
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"tombolo/doc"
	"tombolo/schema"
)

type oneName struct {
	Name string `doc:"name"`
}

type movedName struct {
	Name string `doc:"oname"`
}

type movedNames struct {
	First string `doc:"ofirst"`
	Last  string `doc:"olast"`
}

// places has the same lenses in nested objects, in records, and over a field that was moved out of its map.
func places(t testing.TB) *schema.Schema {
	person := schema.Lens[oneName, names]{
		Rev: 1,
		Up:  func(o oneName, _ *names) (names, error) { n, err := splitName.Up(fullName{o.Name}, nil); return n, err },
		Down: func(n names, _ oneName) (oneName, error) {
			return oneName{strings.TrimSpace(n.First + " " + n.Last)}, nil
		},
	}
	moved := schema.Lens[movedName, movedNames]{
		Rev: 1,
		Up: func(o movedName, _ *movedNames) (movedNames, error) {
			n, err := splitName.Up(fullName{o.Name}, nil)
			return movedNames(n), err
		},
		Down: func(n movedNames, _ movedName) (movedName, error) {
			return movedName{strings.TrimSpace(n.First + " " + n.Last)}, nil
		},
	}
	s, err := schema.New(app,
		schema.V(1,
			schema.Object(schema.Root, schema.Nested("home", "P"), schema.Nested("office", "P"), schema.Table("rows", "P")),
			schema.Object("P", schema.Bool("done"), schema.String("name"), schema.String("one"))),
		schema.V(2,
			schema.Map("P", "done", "status", doneStatus),
			schema.Hoist(schema.Root, "office.name", "oname")),
		schema.V(3,
			schema.Group("P", person),
			schema.Group(schema.Root, moved),
			schema.Group("P", statusState),
			schema.Wrap("P", "one", "many")))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// cell is one thing that edits are about: a register, or an element of a set.
type cell struct {
	path []string
	elem string // of a set
}

func (c cell) get(o object) any {
	for _, name := range c.path[:len(c.path)-1] {
		o, _ = o[name].(object)
	}
	v := o[c.path[len(c.path)-1]]
	if c.elem == "" {
		if v == nil {
			return ""
		}
		return v
	}
	_, ok := v.(object)[c.elem]
	return ok
}

func (c cell) set(o object, v any) {
	for _, name := range c.path[:len(c.path)-1] {
		in, ok := o[name].(object)
		if !ok {
			in = object{}
			o[name] = in
		}
		o = in
	}
	name := c.path[len(c.path)-1]
	if c.elem == "" {
		o[name] = v
		return
	}
	in, ok := o[name].(object)
	if !ok {
		in = object{}
		o[name] = in
	}
	if v == true {
		in[c.elem] = true
	} else {
		delete(in, c.elem)
	}
}

var newRuns = flag.Int("new-runs", 300, "random histories of new writers")

type cellEdit struct {
	c     int
	v     any
	knows map[int]bool
}

// TestNewWritersLoseNothing: where only the newest version writes, each register and each element of a set is what one of the last edits of it says.
func TestNewWritersLoseNothing(t *testing.T) {
	s := places(t)
	var cells []cell
	for _, at := range []string{"home", "office", "rows/t", "rows/u"} {
		path := strings.Split(at, "/")
		for _, f := range []string{"first", "last", "state", "archived"} {
			if at == "office" && (f == "first" || f == "last") {
				cells = append(cells, cell{path: []string{"o" + f}})
				continue
			}
			cells = append(cells, cell{path: append(slices.Clone(path), f)})
		}
		for _, e := range []string{"a", "b", "c"} {
			cells = append(cells, cell{append(slices.Clone(path), "many"), e})
		}
	}
	for seed := range uint64(*newRuns) {
		r := rand.New(rand.NewPCG(seed, 1))
		one, three := whole(t, s, 1), whole(t, s, 3)
		base := docOf(t, 9)
		if r.IntN(2) == 0 {
			p := object{"name": "Ann Lee", "done": r.IntN(2) == 0, "one": "a"}
			if err := trySet(one, base, "home", p, "office", p, "rows", object{"t": p}); err != nil {
				t.Fatal(err)
			}
		}
		if r.IntN(2) == 0 {
			p := object{"state": "doing", "many": object{"a": true, "b": true}}
			if err := trySet(three, base, "home", p, "office", p, "rows", object{"t": p, "u": p}); err != nil {
				t.Fatal(err)
			}
		}
		docs := []*doc.Doc{copyOf(t, base, 1), copyOf(t, base, 2), copyOf(t, base, 3)}
		place := 7 * r.IntN(4)
		focus := r.Perm(7)[:2+r.IntN(3)]
		for i := range focus {
			focus[i] += place
		}
		o, _, _ := three.Read(base)
		start := o
		var edits []cellEdit
		knows := []map[int]bool{{}, {}, {}}
		var story []string
		for range 2 + r.IntN(19) {
			i := r.IntN(3)
			switch r.IntN(10) {
			case 0, 1, 2:
				j := r.IntN(3)
				if i != j {
					pass(t, docs[j], docs[i], docs[j].Len())
					maps.Copy(knows[i], knows[j])
					story = append(story, fmt.Sprint("merge ", j, " into ", i))
				}
			case 3:
				if _, err := s.Settle(ctx, schema.Of(docs[i], nil)); err != nil {
					t.Fatal(err)
				}
				story = append(story, fmt.Sprint("settle ", i))
			default:
				n := focus[r.IntN(len(focus))]
				c := cells[n]
				var v any = r.IntN(2) == 0
				if c.elem == "" && c.path[len(c.path)-1] != "archived" {
					v = []string{"", "x", "y z", "todo", "done", fmt.Sprint("w", len(edits))}[r.IntN(6)]
				}
				o, _, err := three.Read(docs[i])
				if err != nil {
					t.Fatal(err)
				}
				if c.path[0] == "rows" {
					if rows, ok := o["rows"].(object); !ok || rows[c.path[1]] == nil || c.get(o) == nil {
						if v == false {
							continue
						}
					}
				}
				was := any(nil)
				if c.path[0] != "rows" || o["rows"].(object)[c.path[1]] != nil {
					was = c.get(o)
				}
				if was == v {
					continue
				}
				if err := try(three, docs[i], func(o *object) { c.set(*o, v) }); err != nil {
					t.Fatal(err)
				}
				story = append(story, fmt.Sprint("device ", i, " sets ", c, " to ", v))
				edits = append(edits, cellEdit{n, v, maps.Clone(knows[i])})
				knows[i][len(edits)-1] = true
			}
		}
		share(t, docs...)
		sameViews(t, s, docs...)
		o, _, err := three.Read(docs[0])
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range focus {
			var last []any
			for i, e := range edits {
				if e.c != n {
					continue
				}
				seen := false
				for j := range edits {
					if edits[j].c == n && edits[j].knows[i] {
						seen = true
					}
				}
				if !seen {
					last = append(last, e.v)
				}
			}
			c := cells[n]
			if len(last) == 0 {
				if c.path[0] == "rows" && start["rows"].(object)[c.path[1]] == nil {
					continue
				}
				last = []any{c.get(start)}
			}
			if got := c.get(o); !slices.Contains(last, got) {
				t.Fatalf("seed %d: %v shows %v, and the last edits were %v\n%s", seed, c, got, last, strings.Join(story, "\n"))
			}
		}
		for _, d := range docs { // an older version sees one state after Settle
			if _, err := s.Settle(ctx, schema.Of(d, nil)); err != nil {
				t.Fatal(err)
			}
			if again, err := s.Settle(ctx, schema.Of(d, nil)); err != nil || again {
				t.Fatal(again, err)
			}
		}
		after, _, _ := three.Read(docs[0])
		if !doc.Equal(o, after) {
			t.Fatalf("Settle changed what shows\n%v\n%v", o, after)
		}
		share(t, docs...)
		sameViews(t, s, docs...)
	}
}
