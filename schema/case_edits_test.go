package schema_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"pgregory.net/rapid"
)

// token is a character that is written once, to a place.
func (f *fleet) token(place string) string {
	r := rune(0x4e00 + len(f.tokens))
	f.tokens[r] = place
	return string(r)
}

func (f *fleet) remove(token string) {
	for _, r := range token {
		f.removed[r] = true
	}
}

// insert puts a token somewhere into a text, or takes a character out.
func (f *fleet) insert(s *string, place string) {
	have := []rune(*s)
	at := rapid.IntRange(0, len(have)).Draw(f.T, "at")
	if at < len(have) && rapid.IntRange(0, 3).Draw(f.T, "del") == 0 {
		f.remove(string(have[at]))
		*s = string(slices.Delete(have, at, at+1))
		return
	}
	*s = string(have[:at]) + f.token(place) + string(have[at:])
}

func (f *fleet) tags(tags *[]string, op string) {
	at := rapid.IntRange(0, len(*tags)).Draw(f.T, "at")
	if op == "tag" {
		*tags = slices.Insert(*tags, at, f.token("tags"))
	} else if at < len(*tags) {
		f.remove((*tags)[at])
		*tags = slices.Delete(*tags, at, at+1)
	}
}

// row is the ID of a record that is there, or of a new one; some are shared by all devices.
func (f *fleet) row(ids []string, new bool) string {
	if len(ids) == 0 || new {
		ids = append(ids, "s1", "s2", fmt.Sprint("r", len(f.edits)))
	}
	slices.Sort(ids)
	return rapid.SampledFrom(ids).Draw(f.T, "row")
}

func editRows[R any](f *fleet, rows *map[string]R, op string, edit func(r *R, id string)) {
	if *rows == nil {
		*rows = map[string]R{}
	}
	id := f.row(slices.Collect(maps.Keys(*rows)), op == "row")
	if op == "unrow" {
		if _, ok := (*rows)[id]; ok {
			f.dead[id] = true
		}
		delete(*rows, id)
		return
	}
	r := (*rows)[id]
	edit(&r, id)
	(*rows)[id] = r
}

// unique is a value that nobody wrote before.
func (f *fleet) unique() string { return fmt.Sprint("w", len(f.edits)) }

func (f *fleet) edit1(i *issue1, op string) {
	switch op {
	case "title":
		f.insert(&i.Title, "title")
	case "done":
		i.Done = !i.Done
	case "fullName":
		i.FullName = f.unique() + " " + f.unique()
	case "assignee":
		i.Assignee = f.unique()
	case "color":
		i.Color = f.unique()
	case "body":
		if f.oldBody {
			i.Body = strings.Repeat(f.unique(), rapid.SampledFrom([]int{1, 40}).Draw(f.T, "long"))
		}
	case "tag", "untag":
		f.tags(&i.Tags, op)
	case "row", "tick", "unrow":
		editRows(f, &i.Todos, op, func(r *todo1, id string) {
			if op == "tick" {
				r.Ticked = !r.Ticked
			} else {
				f.insert(&r.Text, "row/"+id)
			}
		})
	case "theme":
		i.Settings.Theme = f.unique()
	case "vote":
		i.Votes++
		f.votes++
	}
}

func (f *fleet) edit2(i *issue2, op string) {
	switch op {
	case "title":
		f.insert(&i.Name, "title")
	case "status":
		i.Status = rapid.SampledFrom([]string{"todo", "doing", "done", "archived"}).Draw(f.T, "status")
	case "fullName":
		i.FullName = f.unique() + " " + f.unique()
	case "assignee":
		i.Assignee = f.unique()
	case "body":
		f.insert(&i.Body, "body")
	case "priority":
		i.Priority = 100 + len(f.edits)
	case "tag", "untag":
		f.tags(&i.Tags, op)
	case "theme":
		i.Theme = f.unique()
	}
}

func (f *fleet) edit3(i *issue3, op string) {
	switch op {
	case "title":
		f.insert(&i.Name, "title")
	case "state":
		i.State = rapid.SampledFrom([]string{"todo", "doing", "done"}).Draw(f.T, "state")
	case "archived":
		i.Archived = !i.Archived
	case "first":
		i.First = f.unique()
	case "last":
		i.Last = f.unique()
	case "assign":
		i.Assignees = append(i.Assignees, f.token("assignees"))
		slices.Sort(i.Assignees)
	case "unassign":
		if len(i.Assignees) > 0 {
			at := rapid.IntRange(0, len(i.Assignees)-1).Draw(f.T, "at")
			f.remove(i.Assignees[at])
			i.Assignees = slices.Delete(i.Assignees, at, at+1)
		}
	case "body":
		f.insert(&i.Body, "body")
	case "priority":
		i.Priority = 100 + len(f.edits)
	case "tag", "untag":
		f.tags(&i.Tags, op)
	case "row", "tick", "unrow", "notes":
		editRows(f, &i.Todos, op, func(r *todo3, id string) {
			switch op {
			case "tick":
				r.Ticked = !r.Ticked
			case "notes":
				f.insert(&r.Notes, "notes/"+id)
			default:
				f.insert(&r.Text, "row/"+id)
			}
		})
	case "theme":
		i.Theme = f.unique()
	case "vote":
		i.Votes++
		f.votes++
	}
}
