package doc_test

import (
	"crypto/rand"
	"fmt"
	"time"

	"tombolo/doc"
)

// note is a document with a text that says something.
func note(text string) *doc.Doc {
	id := doc.NamedID("com.example.notes", "note")
	d, _ := doc.New(id, rand.Reader)
	d.Apply(doc.Genesis(id, "com.example.notes"))
	d.Edit(doc.Note{Message: "begin", Time: time.Unix(1, 0), Author: "Ann's laptop"}, func(tx *doc.Tx) error { return tx.Set("body", doc.Text(text)) })
	return d
}

// What a change says about itself is what its writer claims; the genesis and the making of containers say nothing.
func ExampleDoc_History() {
	d := note("one")
	why := doc.Note{Message: "go on", Time: time.Unix(60, 0)} // the author stands with the first change since opening
	d.Edit(why, func(tx *doc.Tx) error { return tx.Text("body").Splice(3, 0, " two") })
	for e := range d.History() {
		if !e.Structural {
			fmt.Printf("%s %q by %q, %d operations\n", e.Time.Format(time.TimeOnly), e.Message, e.Author, e.Ops)
		}
	}
	// Output:
	// 00:01:00 "go on" by "Ann's laptop", 4 operations
	// 00:00:01 "begin" by "Ann's laptop", 3 operations
}

func ExampleDoc_At() {
	d := note("one")
	heads := d.Heads()
	d.Edit(doc.Note{}, func(tx *doc.Tx) error { return tx.Text("body").Splice(3, 0, " two") })

	then, _ := d.At(heads)
	body, _ := doc.Get[string](then, "body")
	fmt.Println(body)
	body, _ = doc.Get[string](d, "body")
	fmt.Println(body)
	// Output:
	// one
	// one two
}

func ExampleDoc_Revert() {
	d := note("one")
	heads := d.Heads()
	d.Edit(doc.Note{}, func(tx *doc.Tx) error { return tx.Text("body").Splice(3, 0, " two") })
	later := d.Heads()

	d.Revert(heads, doc.Note{Message: "as it was"})
	show(d)
	d.Revert(later, doc.Note{Message: "no, as it was later"}) // nothing is lost
	show(d)
	// Output:
	// {"body":{"$text":"one"}}
	// {"body":{"$text":"one two"}}
}

// Any change can be taken back, whoever made it; what came later stays.
func ExampleDoc_TakeBack() {
	d := note("")
	red, _ := d.Edit(doc.Note{Message: "red"}, func(tx *doc.Tx) error { return tx.Set("color", "red") })
	d.Edit(doc.Note{Message: "large"}, func(tx *doc.Tx) error { return tx.Set("size", "large") })
	d.TakeBack(doc.Note{Message: "not red"}, red.Changes[0].Hash)
	show(d)
	// Output: {"body":{"$text":""},"size":"large"}
}

func ExampleDoc_Conflicts() {
	laptop, phone := note(""), note("")
	laptop.Edit(doc.Note{}, func(tx *doc.Tx) error { return tx.Set("color", "red") })
	phone.Edit(doc.Note{}, func(tx *doc.Tx) error { return tx.Set("color", "blue") })
	changes, _ := laptop.Changes()
	phone.Apply(changes...)
	paths, _ := phone.AllConflicts()
	values, _ := phone.Conflicts("color")
	fmt.Println(paths, len(values))
	// Output: [/color] 2
}

func ExampleDoc_Cursor() {
	d := note("Dear Bob")
	c, _ := d.Cursor("body", 5) // before the B
	d.Edit(doc.Note{}, func(tx *doc.Tx) error { return tx.Text("body").Splice(0, 4, "My dear") })
	at, _ := d.Position(c)
	body, _ := d.Get("body")
	fmt.Println(string(body.(doc.Text)[at:]))
	// Output: Bob
}

func ExampleUndo() {
	d, u := note("milk"), doc.NewUndo(100)
	e, _ := d.Edit(doc.Note{}, func(tx *doc.Tx) error { return tx.Text("body").Splice(4, 0, ", eggs") })
	u.Did(e)
	e, _ = d.Edit(doc.Note{}, func(tx *doc.Tx) error { return tx.Text("body").Splice(0, 4, "oats") })
	u.Did(e)

	d.Undo(u, doc.Note{Message: "undo"})
	body, _ := d.Get("body")
	fmt.Println(body)
	d.Undo(u, doc.Note{Message: "undo"})
	d.Redo(u, doc.Note{Message: "redo"})
	body, _ = d.Get("body")
	fmt.Println(body)
	// Output:
	// milk, eggs
	// milk, eggs
}
