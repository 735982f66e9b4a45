package doc_test

import (
	"crypto/rand"
	"fmt"

	"tombolo/doc"
)

// What a screen redraws after an edit.
func ExampleDoc_Diff() {
	id := doc.NamedID("com.example.notes", "shopping")
	d, _ := doc.New(id, rand.Reader)
	d.Apply(doc.Genesis(id, "com.example.notes"))
	before, _ := d.Edit(doc.Note{}, func(tx *doc.Tx) error {
		return tx.Put(map[string]any{"title": doc.Text("Shopping"), "items": []any{"milk", "bread"}})
	})
	after, _ := d.Edit(doc.Note{}, func(tx *doc.Tx) error {
		if err := tx.Text("title").Splice(8, 0, " list"); err != nil {
			return err
		}
		if err := tx.Remove("/items/0"); err != nil {
			return err
		}
		return tx.List("items").Append("eggs")
	})
	patches, _ := d.Diff(before.Heads, after.Heads)
	for _, p := range patches {
		fmt.Println(p.Kind, p.Path, p.At, p.Old, p.New)
	}
	// Output:
	// remove /items/0 0 milk <nil>
	// add /items/1 0 <nil> eggs
	// splice /title 8   list
}

// A copy of the value follows the document, whoever changes it.
func ExampleApplyPatches() {
	id := doc.NamedID("com.example.notes", "shopping")
	laptop, _ := doc.New(id, rand.Reader)
	phone, _ := doc.New(id, rand.Reader)
	for _, d := range []*doc.Doc{laptop, phone} {
		d.Apply(doc.Genesis(id, "com.example.notes"))
	}
	shown, _ := phone.Get("")
	seen := phone.Len()

	edited, _ := laptop.Edit(doc.Note{}, func(tx *doc.Tx) error { return tx.List("items").Append("milk") })
	for _, c := range edited.Changes {
		phone.Apply(c.Raw)
	}
	patches, seen, _ := phone.PatchesSince(seen)
	shown, _ = doc.ApplyPatches(shown, patches)
	fmt.Println(shown, seen == phone.Len())
	// Output: map[items:[milk]] true
}
