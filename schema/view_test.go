package schema_test

import (
	"reflect"
	"testing"

	"tombolo/schema"
)

// TestVersionsShareADocument is the promise in one story: three versions write, and each sees what the others wrote.
func TestVersionsShareADocument(t *testing.T) {
	s := issues()
	v1, v2, v3 := schema.MustBind[issue1](s, 1), schema.MustBind[issue2](s, 2), schema.MustBind[issue3](s, 3)
	a, b, c := newDoc(t), newDoc(t), newDoc(t)
	update(t, v1, a, func(i *issue1) {
		i.Title, i.FullName, i.Assignee, i.Body, i.Tags = "Bug", "Ann Lee", "ann", "It fails", []string{"x"}
		i.Todos = map[string]todo1{"t1": {Text: "look"}}
		i.Votes = 2
	})
	merge(t, a, b, c)
	want3 := issue3{
		Name: "Bug", State: "todo", First: "Ann", Last: "Lee", Assignees: []string{"ann"}, Body: "It fails", Priority: 3, Theme: "light", Tags: []string{"x"},
		Todos: map[string]todo3{"t1": {Text: "look"}}, Votes: 2,
	}
	if got := read(t, v3, c); !reflect.DeepEqual(got, want3) {
		t.Fatalf("v3 sees %+v", got)
	}
	update(t, v3, c, func(i *issue3) {
		i.State, i.Archived, i.Last = "doing", true, "Quinn"
		i.Assignees = append(i.Assignees, "bob")
		i.Todos["t1"] = todo3{Text: "look", Notes: "twice"}
		i.Votes++
		i.Theme = "dark"
	})
	update(t, v2, b, func(i *issue2) { i.Name, i.Body, i.Priority = "Bug!", "It fails often", 1 })
	update(t, v1, a, func(i *issue1) { i.Tags, i.Votes = append(i.Tags, "y"), i.Votes+1 })
	merge(t, a, b, c)
	got1, got2, got3 := read(t, v1, a), read(t, v2, a), read(t, v3, a)
	if got1.Title != "Bug!" || !got1.Done || got1.FullName != "Ann Quinn" || got1.Body != "It fails often" || got1.Settings.Theme != "dark" || got1.Votes != 4 {
		t.Errorf("v1 sees %+v", got1)
	}
	if got2.Status != "archived" || got2.Priority != 1 || got2.Body != "It fails often" {
		t.Errorf("v2 sees %+v", got2)
	}
	want3 = issue3{
		Name: "Bug!", State: "doing", Archived: true, First: "Ann", Last: "Quinn", Assignees: []string{"ann", "bob"}, Body: "It fails often", Priority: 1, Theme: "dark",
		Tags: []string{"x", "y"}, Todos: map[string]todo3{"t1": {Text: "look", Notes: "twice"}}, Votes: 4,
	}
	if !reflect.DeepEqual(got3, want3) {
		t.Errorf("v3 sees %+v", got3)
	}
	update(t, v1, a, func(i *issue1) { i.FullName, i.Done = "Zoe Bell", false })
	if got := read(t, v3, a); got.First != "Zoe" || got.Last != "Bell" || got.State != "todo" || got.Archived {
		t.Errorf("after an edit by v1, v3 sees %+v", got)
	}
}
