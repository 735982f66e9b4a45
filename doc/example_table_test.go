package doc_test

import (
	"crypto/rand"
	"fmt"
	"time"

	"tombolo/doc"
)

// Contact is what the table holds. Newer versions of the program may add fields; older ones leave them alone.
type Contact struct {
	Name  string          `doc:"name,text"`
	Mail  string          `doc:"mail"`
	Known doc.Set[string] `doc:"known,omitempty"`
}

var contacts = doc.MustTable[Contact]("/contacts")

func ExampleTable() {
	id := doc.NamedID("com.example.contacts", "mine")
	d, err := doc.New(id, rand.Reader)
	if err != nil {
		panic(err)
	}
	defer d.Close()
	if _, err := d.Apply(doc.Genesis(id, "com.example.contacts")); err != nil {
		panic(err)
	}

	var ann string
	day := time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC)
	_, err = d.Edit(doc.Note{Message: "first contacts", Time: day}, func(tx *doc.Tx) (err error) {
		if ann, err = contacts.Create(tx, "", Contact{Name: "Ann", Mail: "ann@example.com"}); err != nil {
			return err
		}
		_, err = contacts.Create(tx, "", Contact{Name: "Bob", Mail: "bob@example.com"})
		return err
	})
	if err != nil {
		panic(err)
	}
	_, err = d.Edit(doc.Note{Message: "Ann moved", Time: day.Add(time.Hour)}, func(tx *doc.Tx) error {
		return contacts.Update(tx, ann, func(c *Contact) error {
			c.Mail = "ann@example.org"
			c.Known.Add("chess")
			return nil
		})
	})
	if err != nil {
		panic(err)
	}

	list, err := contacts.List(d)
	if err != nil {
		panic(err)
	}
	for _, c := range list {
		fmt.Println(c.Value.Name, c.Value.Mail, c.Created.Format(time.TimeOnly), c.Updated.Format(time.TimeOnly))
	}
	// Output:
	// Ann ann@example.org 08:00:00 09:00:00
	// Bob bob@example.com 08:00:00 08:00:00
}

func ExampleTable_Delete() {
	id := doc.NamedID("com.example.contacts", "deleted")
	d, err := doc.New(id, rand.Reader)
	if err != nil {
		panic(err)
	}
	defer d.Close()
	if _, err := d.Apply(doc.Genesis(id, "com.example.contacts")); err != nil {
		panic(err)
	}
	edit := func(message string, fn func(tx *doc.Tx) error) {
		note := doc.Note{Message: message, Time: time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC)}
		if _, err := d.Edit(note, fn); err != nil {
			panic(err)
		}
	}
	count := func() {
		live, err := contacts.List(d)
		if err != nil {
			panic(err)
		}
		deleted, err := contacts.Deleted(d)
		if err != nil {
			panic(err)
		}
		fmt.Println(len(live), "contact,", len(deleted), "deleted")
	}

	edit("add", func(tx *doc.Tx) error {
		_, err := contacts.Create(tx, "ann", Contact{Name: "Ann"})
		return err
	})
	edit("delete", func(tx *doc.Tx) error { return contacts.Delete(tx, "ann") })
	count()
	edit("restore", func(tx *doc.Tx) error { return contacts.Restore(tx, "ann") })
	count()
	// Output:
	// 0 contact, 1 deleted
	// 1 contact, 0 deleted
}
