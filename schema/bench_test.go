package schema_test

import (
	"context"
	"fmt"
	"testing"

	"tombolo/doc"
	"tombolo/schema"
)

// stored3 is what an issue is stored as by a program without versions that has the fields of version 3.
type stored3 struct {
	Name      doc.Text            `doc:"name"`
	State     string              `doc:"state"`
	Archived  bool                `doc:"archived"`
	First     string              `doc:"first"`
	Last      string              `doc:"last"`
	Assignees doc.Set[string]     `doc:"assignees"`
	Body      doc.Text            `doc:"body"`
	Priority  int                 `doc:"priority"`
	Theme     string              `doc:"theme"`
	Tags      []string            `doc:"tags"`
	Todos     map[string]rawTodo3 `doc:"todos"`
	Votes     doc.Counter         `doc:"votes"`
}

type rawTodo3 struct {
	Text   doc.Text `doc:"text"`
	Ticked bool     `doc:"ticked"`
	Notes  doc.Text `doc:"notes"`
}

func filled(b *testing.B, rows int) (viewed, raw *doc.Doc) {
	viewed, raw = newDoc(b), newDoc(b)
	v3 := schema.MustBind[issue3](issues(), 3)
	update(b, v3, viewed, func(i *issue3) {
		i.Name, i.State, i.First, i.Last, i.Assignees, i.Body, i.Priority, i.Theme, i.Tags = "Bug", "doing", "Ann", "Lee", []string{"ann"}, "It fails", 1, "dark", []string{"x", "y"}
		i.Votes, i.Todos = 3, map[string]todo3{}
		for n := range rows {
			i.Todos[fmt.Sprint("t", n)] = todo3{Text: "look", Ticked: true, Notes: "twice"}
		}
	})
	_, err := raw.Edit(doc.Note{}, func(tx *doc.Tx) error {
		v := stored3{Name: "Bug", State: "doing", First: "Ann", Last: "Lee", Assignees: doc.SetOf("ann"), Body: "It fails", Priority: 1, Theme: "dark", Tags: []string{"x", "y"}, Votes: 3, Todos: map[string]rawTodo3{}}
		for n := range rows {
			v.Todos[fmt.Sprint("t", n)] = rawTodo3{Text: "look", Ticked: true, Notes: "twice"}
		}
		return tx.Put(v)
	})
	if err != nil {
		b.Fatal(err)
	}
	return viewed, raw
}

func BenchmarkRead(b *testing.B) {
	for _, rows := range []int{3, 1000} {
		viewed, raw := filled(b, rows)
		v3 := schema.MustBind[issue3](issues(), 3)
		b.Run(fmt.Sprint("view/", rows), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, _, err := v3.Read(viewed); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(fmt.Sprint("raw/", rows), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := doc.Get[stored3](raw, ""); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkUpdate(b *testing.B) {
	s := issues()
	viewed, raw := filled(b, 3)
	n := 0
	run := func(name string, f func() error) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				n++
				if err := f(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	type prio struct {
		Priority int `doc:"priority"`
	}
	type first struct {
		First string `doc:"first"`
	}
	run("raw", func() error {
		_, err := raw.Edit(doc.Note{}, func(tx *doc.Tx) error { return tx.Set("/priority", n) })
		return err
	})
	small, large, group := schema.MustBind[prio](s, 3), schema.MustBind[issue3](s, 3), schema.MustBind[first](s, 3)
	d := schema.Of(viewed, nil)
	run("alias", func() error {
		return small.Update(context.Background(), d, "", func(p *prio) error { p.Priority = n; return nil })
	})
	run("alias/whole", func() error {
		return large.Update(context.Background(), d, "", func(p *issue3) error { p.Priority = n; return nil })
	})
	run("group", func() error {
		return group.Update(context.Background(), d, "", func(p *first) error { p.First = fmt.Sprint(n); return nil })
	})
}
