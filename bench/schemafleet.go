package main

import (
	"context"
	"crypto/rand"
	"fmt"
	mathrand "math/rand/v2"
	"slices"
	"strings"

	"tombolo/doc"
	"tombolo/doc/pack"
	"tombolo/schema"
)

// fleet compares what a document takes on disk that versions 1, 2 and 3 write at the same time, with what the same edits take when each newer
// program rewrites what it finds into its own fields, as programs do without a schema. (Those lose edits, too.)
func fleet(report func(row)) error {
	const seeds, edits = 30, 70
	var views, naive int
	for seed := range uint64(seeds) {
		for _, side := range []struct {
			app   string
			write func(d *doc.Doc, version int, e fleetEdit) error
			sum   *int
		}{{issues.App(), writeThrough, &views}, {"naive", writeNaive, &naive}} {
			size, err := fleetSize(seed, edits, side.app, side.write)
			if err != nil {
				return err
			}
			*side.sum += size
		}
	}
	report(row{
		Work: fmt.Sprintf("on disk of an issue after %d edits by versions 1, 2 and 3", edits), Unit: "B",
		Ours: float64(views) / seeds, Beside: float64(naive) / seeds, Name: "rewriting it for each version", Goal: 1.2,
	})
	return nil
}

// fleetEdit is something that a user does, whatever the version.
type fleetEdit struct {
	what string
	n    int
}

// fleetSize has four peers edit, meet in pairs and update at random, and gives the size of the merged document, packed.
func fleetSize(seed uint64, edits int, app string, write func(d *doc.Doc, version int, e fleetEdit) error) (int, error) {
	r := mathrand.New(mathrand.NewPCG(seed, 1))
	versions := []int{1, 1, 1, 1}
	var peers []*doc.Doc
	for range versions {
		d, err := doc.New(doc.ID{4}, rand.Reader)
		if err != nil {
			return 0, err
		}
		if _, err := d.Apply(doc.Genesis(d.ID(), app)); err != nil {
			return 0, err
		}
		peers = append(peers, d)
	}
	bring := func(from, to *doc.Doc) error {
		changes, err := from.Changes()
		if err == nil {
			_, err = to.Apply(changes...)
		}
		return err
	}
	kinds := []string{"title", "title", "done", "body", "body", "name", "assignee", "theme", "tag", "todo", "todo text"}
	for n := range edits {
		if r.IntN(10) == 0 {
			if p := r.IntN(3); versions[p] < 3 { // the last one stays what it is
				versions[p]++
			}
		}
		if r.IntN(2) == 0 {
			from, to := r.IntN(4), r.IntN(4)
			if err := bring(peers[from], peers[to]); err != nil {
				return 0, err
			}
		}
		p := r.IntN(4)
		e := fleetEdit{kinds[r.IntN(len(kinds))], n}
		if err := write(peers[p], versions[p], e); err != nil {
			return 0, fmt.Errorf("seed %d, edit %d (%s by version %d): %w", seed, n, e.what, versions[p], err)
		}
	}
	for _, d := range peers[1:] {
		if err := bring(d, peers[0]); err != nil {
			return 0, err
		}
	}
	changes, err := peers[0].Changes()
	if err != nil {
		return 0, err
	}
	packed, err := pack.New().Pack(changes)
	return len(packed), err
}

var (
	people = []string{"Ann Quinn", "Zoe Lee", "Kim Park", "Bo Li"}
	themes = []string{"light", "dark", "sepia"}
	states = []string{"todo", "doing", "done", "archived"}
)

func pick(from []string, n int) string { return from[n%len(from)] }

// writeThrough makes an edit through the view of a version.
func writeThrough(d *doc.Doc, version int, e fleetEdit) error {
	ctx, known := context.Background(), schema.Of(d, nil)
	id := fmt.Sprintf("t%d", e.n)
	switch version {
	case 1:
		return viewV1.Update(ctx, known, "", func(i *issueV1) error {
			switch e.what {
			case "title":
				i.Title += fmt.Sprint(" w", e.n)
			case "done":
				i.Done = !i.Done
			case "body":
				i.Body += fmt.Sprint(" w", e.n)
			case "name":
				i.FullName = pick(people, e.n)
			case "assignee":
				i.Assignee = pick(people, e.n)
			case "theme":
				i.Settings.Theme = pick(themes, e.n)
			case "tag":
				i.Tags = append(i.Tags, id)
			case "todo":
				i.Todos[id] = todoV1{Text: "thing", Due: e.n}
			case "todo text":
				if at, ok := someKey(i.Todos, e.n); ok {
					t := i.Todos[at]
					t.Text += " more"
					i.Todos[at] = t
				}
			}
			return nil
		})
	case 2:
		return viewV2.Update(ctx, known, "", func(i *issueV2) error {
			switch e.what {
			case "title":
				i.Name += fmt.Sprint(" w", e.n)
			case "done":
				i.Status = pick(states, e.n)
			case "body":
				i.Body += fmt.Sprint(" w", e.n)
			case "name":
				i.FullName = pick(people, e.n)
			case "assignee":
				i.Assignee = pick(people, e.n)
			case "theme":
				i.Theme = pick(themes, e.n)
			case "tag":
				i.Tags = append(i.Tags, id)
			case "todo":
				i.Todos[id] = todoV2{Text: "thing", Due: e.n}
			case "todo text":
				if at, ok := someKey(i.Todos, e.n); ok {
					t := i.Todos[at]
					t.Text += " more"
					i.Todos[at] = t
				}
			}
			return nil
		})
	}
	return viewV3.Update(ctx, known, "", func(i *issueV3) error {
		switch e.what {
		case "title":
			i.Name += fmt.Sprint(" w", e.n)
		case "done":
			i.Status = pick(states, e.n)
		case "body":
			i.Body += fmt.Sprint(" w", e.n)
		case "name":
			i.First, i.Last, _ = strings.Cut(pick(people, e.n), " ")
		case "assignee":
			if name := pick(people, e.n); !slices.Contains(i.Assignees, name) {
				i.Assignees = append(i.Assignees, name)
			}
		case "theme":
			i.Theme = pick(themes, e.n)
		case "tag":
			i.Tags = append(i.Tags, id)
		case "todo":
			i.Todos[id] = todoV3{Text: "thing", Due: e.n}
		case "todo text":
			if at, ok := someKey(i.Todos, e.n); ok {
				t := i.Todos[at]
				t.Notes += " more"
				i.Todos[at] = t
			}
		}
		return nil
	})
}

// someKey chooses one of the keys of a map.
func someKey[V any](m map[string]V, n int) (string, bool) {
	var keys []string
	for k := range m {
		keys = append(keys, k)
	}
	if len(keys) == 0 {
		return "", false
	}
	slices.Sort(keys)
	return keys[n%len(keys)], true
}

// writeNaive makes an edit in the fields of a version, after rewriting a document of an older one into them.
func writeNaive(d *doc.Doc, version int, e fleetEdit) error {
	var now rawAll
	if err := d.Read("", &now); err != nil {
		return err
	}
	_, err := d.Edit(doc.Note{}, func(tx *doc.Tx) error {
		if err := rewrite(tx, &now, version); err != nil {
			return err
		}
		return editNaive(tx, &now, version, e)
	})
	return err
}

// rawAll is what the fields of all versions hold.
type rawAll struct {
	Version  int    `doc:"version"`
	Title    string `doc:"title,text"`
	Name     string `doc:"name,text"`
	Done     bool   `doc:"done"`
	Status   string `doc:"status"`
	FullName string `doc:"fullName"`
	Assignee string `doc:"assignee"`
	Body     string `doc:"body,text"`
	Settings struct {
		Theme string `doc:"theme"`
	} `doc:"settings"`
	Todos map[string]rawV3Todo `doc:"todos"`
}

// rewrite brings a document to a version, step by step.
func rewrite(tx *doc.Tx, now *rawAll, version int) error {
	if now.Version >= version {
		return nil
	}
	var err error
	put := func(key string, v any) {
		if err == nil {
			err = tx.Set(key, v)
		}
	}
	if now.Version < 1 {
		put("settings", map[string]any{})
		put("tags", []any{})
		put("todos", map[string]any{})
	}
	if now.Version < 2 && version >= 2 {
		now.Name, now.Status = now.Title, statusOf(now.Done)
		put("name", doc.Text(now.Name))
		put("status", now.Status)
		theme := now.Settings.Theme
		if theme == "" {
			theme = "light"
		}
		put("theme", theme)
		put("priority", 3)
	}
	if now.Version < 3 && version >= 3 {
		first, last, _ := strings.Cut(now.FullName, " ")
		put("first", first)
		put("last", last)
		assignees := doc.Set[string]{}
		if now.Assignee != "" {
			assignees.Add(now.Assignee)
		}
		put("assignees", assignees)
	}
	put("version", version)
	return err
}

func editNaive(tx *doc.Tx, now *rawAll, version int, e fleetEdit) error {
	id := fmt.Sprintf("t%d", e.n)
	name := pick(people, e.n)
	switch e.what {
	case "title":
		if version == 1 {
			return tx.Set("title", doc.Text(now.Title+fmt.Sprint(" w", e.n)))
		}
		return tx.Set("name", doc.Text(now.Name+fmt.Sprint(" w", e.n)))
	case "done":
		if version == 1 {
			return tx.Set("done", !now.Done)
		}
		return tx.Set("status", pick(states, e.n))
	case "body":
		return tx.Set("body", doc.Text(now.Body+fmt.Sprint(" w", e.n)))
	case "name":
		if version < 3 {
			return tx.Set("fullName", name)
		}
		first, last, _ := strings.Cut(name, " ")
		if err := tx.Set("first", first); err != nil {
			return err
		}
		return tx.Set("last", last)
	case "assignee":
		if version < 3 {
			return tx.Set("assignee", name)
		}
		return tx.Set(doc.Pointer{"assignees", name}.String(), true)
	case "theme":
		if version == 1 {
			return tx.Set("/settings/theme", pick(themes, e.n))
		}
		return tx.Set("theme", pick(themes, e.n))
	case "tag":
		return tx.List("tags").Append(id)
	case "todo":
		return tx.Set("/todos/"+id, map[string]any{"text": doc.Text("thing"), "due": e.n})
	}
	at, ok := someKey(now.Todos, e.n)
	if !ok {
		return nil
	}
	if version < 3 {
		return tx.Set("/todos/"+at+"/text", doc.Text(now.Todos[at].Text+" more"))
	}
	return tx.Set("/todos/"+at+"/notes", doc.Text(now.Todos[at].Notes+" more"))
}
