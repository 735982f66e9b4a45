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
	d.Edit(doc.Note{Message: "begin", Time: time.Unix(1, 0)}, func(tx *doc.Tx) error { return tx.Set("body", doc.Text(text)) })
	return d
}

func ExampleDoc_History() {
	d := note("one")
	d.Edit(doc.Note{Message: "go on"}, func(tx *doc.Tx) error { return tx.Text("body").Splice(3, 0, " two") })
	for e := range d.History() {
		if !e.Structural {
			fmt.Println(e.Message)
		}
	}
	// Output:
	// go on
	// begin
}

func ExampleDoc_At() {
	d := note("one")
	heads := d.Heads()
	d.Edit(doc.Note{}, func(tx *doc.Tx) error { return tx.Text("body").Splice(3, 0, " two") })

	then, _ := d.At(heads)
	body, _ := then.Get("body")
	fmt.Println(body)

	d.Revert(heads, doc.Note{Message: "as it was"})
	body, _ = d.Get("body")
	fmt.Println(body)
	// Output:
	// one
	// one
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
