package doc_test

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"tombolo/doc"
	"tombolo/doc/value"
)

// Task shows what tags say. Newer versions of the program may add fields.
type Task struct {
	Title string            `doc:"title,text"`    // collaborative text
	Votes int               `doc:"votes,counter"` // increments add up
	Due   *time.Time        `doc:"due,omitempty"` // optional: no key without a value
	Tags  doc.Set[string]   `doc:"tags"`
	Links map[string]string `doc:"links"`
	Notes any               `doc:"-"` // not stored
}

func ExampleTx_Set() {
	if err := value.CheckFor[Task](); err != nil {
		panic(err) // at the start of the program, not when a task is saved
	}
	d := notebook("task")
	change(d, func(tx *doc.Tx) error {
		return tx.Set("task", Task{Title: "milk", Votes: 2, Tags: doc.SetOf("home"), Links: map[string]string{"shop": "https://example.com"}})
	})
	show(d)

	task, err := doc.Get[Task](d, "task")
	fmt.Println(task.Title, task.Votes, task.Due, task.Tags.Has("home"), err)
	// Output:
	// {"task":{"links":{"shop":"https://example.com"},"tags":{"home":true},"title":{"$text":"milk"},"votes":{"$counter":2}}}
	// milk 2 <nil> true <nil>
}

// Writing a struct changes what differs. Keys that it does not have stay: newer code wrote them.
func ExampleTx_Set_update() {
	type Task struct {
		Title string `doc:"title,text"`
		Votes int    `doc:"votes,counter"`
		Done  bool   `doc:"done"`
	}
	d := notebook("update")
	change(d, func(tx *doc.Tx) error {
		return tx.Set("task", map[string]any{"title": doc.Text("milk"), "votes": doc.Counter(2), "done": false, "rating": 5})
	})
	seen := d.Len()
	change(d, func(tx *doc.Tx) error {
		task, err := doc.Get[Task](tx, "task")
		if err != nil {
			return err
		}
		task.Title, task.Votes = "milk, 2 l", task.Votes+1
		return tx.Set("task", task)
	})
	patches, _, err := d.PatchesSince(seen)
	for _, p := range patches {
		fmt.Println(p.Kind, p.Path, p.New)
	}
	rating, _ := d.Get("/task/rating")
	fmt.Println(rating, err)
	// Output:
	// splice /task/title , 2 l
	// replace /task/votes 3
	// 5 <nil>
}

// Color is stored as a string.
type Color struct{ R, G, B uint8 }

// MarshalText writes #rrggbb. With it and UnmarshalText a type can be a value and the key of a map; MarshalDoc and UnmarshalDoc can store
// any other value.
func (c Color) MarshalText() ([]byte, error) {
	return fmt.Appendf(nil, "#%02x%02x%02x", c.R, c.G, c.B), nil
}

func (c *Color) UnmarshalText(b []byte) error {
	_, err := fmt.Sscanf(string(b), "#%02x%02x%02x", &c.R, &c.G, &c.B)
	return err
}

func ExampleTx_Set_hooks() {
	d := notebook("hooks")
	red := Color{255, 0, 0}
	change(d, func(tx *doc.Tx) error {
		return tx.Put(map[string]any{"color": red, "names": map[Color]string{red: "rose"}})
	})
	show(d)
	names, err := doc.Get[map[Color]string](d, "names")
	fmt.Println(names[red], err)
	// Output:
	// {"color":"#ff0000","names":{"#ff0000":"rose"}}
	// rose <nil>
}

func ExampleTx_List() {
	d := notebook("list")
	change(d, func(tx *doc.Tx) error {
		items := tx.List("items") // made by the first write
		if err := items.Append("bread", "milk", "salt"); err != nil {
			return err
		}
		if err := items.Insert(1, "eggs"); err != nil {
			return err
		}
		if err := items.Delete(3, 1); err != nil {
			return err
		}
		return items.Reinsert(2, 0) // not a move: see List.Reinsert
	})
	show(d)
	// Output: {"items":["milk","bread","eggs"]}
}

func ExampleTx_Text() {
	laptop, phone := notebook("text"), notebook("text")
	for _, d := range []*doc.Doc{laptop, phone} {
		change(d, func(tx *doc.Tx) error { return tx.Set("body", doc.Text("")) }) // made by the same change on both
	}
	change(laptop, func(tx *doc.Tx) error { return tx.Text("body").Splice(0, 0, "Dear Bob") })
	syncDocs(laptop, phone)
	change(laptop, func(tx *doc.Tx) error { return tx.Text("body").Splice(5, 3, "Ann") })
	change(phone, func(tx *doc.Tx) error { return tx.Set("body", "My dear Bob") }) // the difference is found
	syncDocs(laptop, phone)
	body, err := doc.Get[string](phone, "body")
	fmt.Println(body, err)
	// Output: My dear Ann <nil>
}

// syncDocs gives both documents the changes of the other.
func syncDocs(a, b *doc.Doc) {
	for _, p := range [][2]*doc.Doc{{a, b}, {b, a}} {
		changes, err := p[0].Changes()
		if err == nil {
			_, err = p[1].Apply(changes...)
		}
		if err != nil {
			panic(err)
		}
	}
}

func ExampleTx_Add() {
	laptop, phone := notebook("counter"), notebook("counter")
	change(laptop, func(tx *doc.Tx) error { return tx.Set("votes", doc.Counter(0)) })
	syncDocs(laptop, phone)
	change(laptop, func(tx *doc.Tx) error { return tx.Add("votes", 1) })
	change(phone, func(tx *doc.Tx) error { return tx.Add("votes", 2) })
	syncDocs(laptop, phone)
	votes, err := doc.Get[int](phone, "votes")
	fmt.Println(votes, err)
	// Output: 3 <nil>
}

func ExampleTx_Patch() {
	d := notebook("patch")
	change(d, func(tx *doc.Tx) error {
		return tx.Put(map[string]any{"items": []string{"milk", "eggs"}, "done": []string{}})
	})
	change(d, func(tx *doc.Tx) error {
		return tx.Patch([]byte(`[
			{"op": "test", "path": "/items/0", "value": "milk"},
			{"op": "move", "from": "/items/0", "path": "/done/-"},
			{"op": "add", "path": "/title", "value": {"$text": "Shopping"}}
		]`))
	})
	show(d)
	_, err := d.Edit(doc.Note{}, func(tx *doc.Tx) error {
		return tx.Patch([]byte(`[{"op": "remove", "path": "/title"}, {"op": "test", "path": "/items/0", "value": "salt"}]`))
	})
	fmt.Println(err) // and the title is still there
	// Output:
	// {"done":["milk"],"items":["eggs"],"title":{"$text":"Shopping"}}
	// JSON Patch, operation 2: /items/0: the test failed: it is "eggs"
}

// What devices add to a set and take out of it apart merges by element.
func ExampleSet() {
	laptop, phone := notebook("set"), notebook("set")
	change(laptop, func(tx *doc.Tx) error { return tx.Set("tags", doc.SetOf("home", "urgent")) })
	syncDocs(laptop, phone)
	edit := func(d *doc.Doc, fn func(tags doc.Set[string])) {
		change(d, func(tx *doc.Tx) error {
			tags, err := doc.Get[doc.Set[string]](tx, "tags")
			if err != nil {
				return err
			}
			fn(tags)
			return tx.Set("tags", tags)
		})
	}
	edit(laptop, func(tags doc.Set[string]) { tags.Delete("urgent") })
	edit(phone, func(tags doc.Set[string]) { tags.Add("shop") })
	syncDocs(laptop, phone)
	tags, err := doc.Get[doc.Set[string]](laptop, "tags")
	fmt.Println(strings.Join(slices.Sorted(tags.All()), " "), err)
	// Output: home shop <nil>
}

func ExampleTx_Remove() {
	laptop, phone := notebook("remove"), notebook("remove")
	change(laptop, func(tx *doc.Tx) error { return tx.List("items").Append("milk") })
	syncDocs(laptop, phone)
	change(laptop, func(tx *doc.Tx) error { return tx.Remove("items") })
	change(phone, func(tx *doc.Tx) error { return tx.List("items").Append("eggs") })
	show(laptop)
	syncDocs(laptop, phone) // what others add at the same time is not lost
	show(laptop)
	// Output:
	// {}
	// {"items":["eggs"]}
}
