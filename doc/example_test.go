package doc_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"time"

	"tombolo/doc"
)

// A document with a struct in it, from nothing to the bytes that other devices get.
func Example() {
	type Recipe struct {
		Title string   `doc:"title,text"` // letters of several people merge
		Serve int      `doc:"serve"`
		Steps []string `doc:"steps"`
	}
	id := doc.NamedID("com.example.recipes", "soup")
	d, err := doc.New(id, rand.Reader)
	if err != nil {
		panic(err)
	}
	if _, err := d.Apply(doc.Genesis(id, "com.example.recipes")); err != nil {
		panic(err)
	}
	edited, err := d.Edit(doc.Note{Message: "first try", Time: time.Now()}, func(tx *doc.Tx) error {
		return tx.Put(Recipe{Title: "Soup", Serve: 4, Steps: []string{"boil"}})
	})
	if err != nil {
		panic(err)
	}
	var soup Recipe
	if err := d.Read("", &soup); err != nil {
		panic(err)
	}
	fmt.Printf("%+v\n", soup)
	fmt.Println(len(edited.Changes) > 0, edited.Changes[len(edited.Changes)-1].Message)
	// Output:
	// {Title:Soup Serve:4 Steps:[boil]}
	// true first try
}

// notebook is a new document of an app.
func notebook(name string) *doc.Doc {
	id := doc.NamedID("com.example.notes", name)
	d, err := doc.New(id, rand.Reader)
	if err == nil {
		_, err = d.Apply(doc.Genesis(id, "com.example.notes"))
	}
	if err != nil {
		panic(err)
	}
	return d
}

// change edits a document.
func change(d *doc.Doc, fn func(tx *doc.Tx) error) doc.Edited {
	edited, err := d.Edit(doc.Note{}, fn)
	if err != nil {
		panic(err)
	}
	return edited
}

// show prints a document's value as JSON.
func show(d *doc.Doc) {
	b, err := d.JSON("")
	if err != nil {
		panic(err)
	}
	fmt.Println(string(b))
}

// Two devices that have never met append to one list.
func ExampleDoc_Edit() {
	laptop, phone := notebook("shopping"), notebook("shopping")
	milk := change(laptop, func(tx *doc.Tx) error { return tx.List("items").Append("milk") })
	change(phone, func(tx *doc.Tx) error { return tx.List("items").Append("eggs") })
	for _, c := range milk.Changes {
		if _, err := phone.Apply(c.Raw); err != nil {
			panic(err)
		}
	}
	items, err := doc.Get[[]string](phone, "items")
	slices.Sort(items) // which of them is first depends on the devices
	fmt.Println(items, err)
	// Output: [eggs milk] <nil>
}

// Whatever way changes take, devices that have the same ones have the same document.
func ExampleDoc_Apply() {
	laptop, phone := notebook("merge"), notebook("merge")
	first := change(laptop, func(tx *doc.Tx) error { return tx.Set("title", "Shopping") })
	second := change(laptop, func(tx *doc.Tx) error { return tx.Set("color", "red") })

	applied, err := phone.Apply(second.Changes[0].Raw)
	fmt.Println(len(applied.New), "new,", len(applied.Missing), "missing,", err)
	applied, err = phone.Apply(first.Changes[0].Raw, second.Changes[0].Raw)
	fmt.Println(len(applied.New), "new,", len(applied.Missing), "missing,", err)
	fmt.Println(slices.Equal(phone.Heads(), laptop.Heads()))
	_, err = phone.Apply([]byte("something else"))
	fmt.Println(err)
	// Output:
	// 0 new, 1 missing, <nil>
	// 2 new, 0 missing, <nil>
	// true
	// gate: malformed change: it does not begin like a change; get it again from another device
}

// An error takes everything back that was written in the function.
func ExampleDoc_Edit_failed() {
	d := notebook("failed")
	_, err := d.Edit(doc.Note{}, func(tx *doc.Tx) error {
		if err := tx.Set("title", "half done"); err != nil {
			return err
		}
		return errors.New("the user cancelled")
	})
	fmt.Println(err)
	show(d)
	// Output:
	// the user cancelled
	// {}
}

// Other programs with an Automerge library read what Save gives, and the other way round.
func ExampleDoc_Save() {
	d := notebook("saved")
	change(d, func(tx *doc.Tx) error { return tx.Set("body", doc.Text("hello")) })
	file, err := d.Save(nil)
	if err != nil {
		panic(err)
	}
	fmt.Println(bytes.HasPrefix(file, []byte{0x85, 0x6f, 0x4a, 0x83}))

	changes, err := doc.ReadSaved(file, nil) // a file of one's own
	if err != nil {
		panic(err)
	}
	again, err := doc.Load(d.ID(), changes, rand.Reader)
	if err != nil {
		panic(err)
	}
	show(again)
	// Output:
	// true
	// {"body":{"$text":"hello"}}
}

// A file of another program becomes a document of this app.
func ExampleImported() {
	theirs, err := doc.New(doc.ID{1}, rand.Reader) // without our genesis
	if err != nil {
		panic(err)
	}
	change(theirs, func(tx *doc.Tx) error { return tx.Set("title", "from elsewhere") })
	changes, err := theirs.Changes()
	if err != nil {
		panic(err)
	}
	id := doc.NamedID("com.example.notes", "imported")
	d, err := doc.Imported(id, "com.example.notes", "imported", changes, doc.Note{Message: "import"}, rand.Reader)
	if err != nil {
		panic(err)
	}
	marks, err := d.Marks()
	fmt.Println(marks.App, marks.Name, err)
	show(d)
	// Output:
	// com.example.notes imported <nil>
	// {"title":"from elsewhere"}
}

func ExampleParseURL() {
	u := doc.URL{Doc: doc.NamedID("com.example.notes", "shopping")}
	back, err := doc.ParseURL(u.String())
	fmt.Println(back == u, err)
	_, err = doc.ParseURL("tombolo:" + u.String()[9:] + "a")
	fmt.Println(err)
	// Output:
	// true <nil>
	// not a document URL: its checksum is wrong, so a character was mistyped; copy it again as a whole
}

// The canonical JSON says of each value what it is; DecodeJSON reads it back exactly.
func ExampleEncodeJSON() {
	b, err := doc.EncodeJSON(map[string]any{
		"title": doc.Text("Shopping"), "votes": doc.Counter(2), "price": 1.0, "count": 1, "at": time.UnixMilli(0),
	})
	fmt.Println(string(b), err)
	v, err := doc.DecodeJSON([]byte(`{"votes": {"$counter": 2}}`))
	fmt.Println(doc.Equal(v, map[string]any{"votes": doc.Counter(2)}), err)
	// Output:
	// {"at":{"$time":"1970-01-01T00:00:00.000Z"},"count":1,"price":1.0,"title":{"$text":"Shopping"},"votes":{"$counter":2}} <nil>
	// true <nil>
}
