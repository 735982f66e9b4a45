package doc_test

import (
	"crypto/rand"
	"fmt"
	"time"

	"tombolo/doc"
)

// Vote is the payload of an action.
type Vote struct {
	For string `doc:"for"`
}

// Pizza is something to vote for.
type Pizza struct {
	Votes int `doc:"votes,counter"`
}

var (
	pizzas = doc.MustTable[Pizza]("/pizzas")
	vote   = doc.MustAction("pizza.vote", func(tx *doc.Tx, v Vote) error {
		return pizzas.Update(tx, v.For, func(p *Pizza) error { p.Votes++; return nil })
	})
)

func ExampleAction() {
	id := doc.NamedID("com.example.pizza", "tonight")
	d, err := doc.New(id, rand.Reader)
	if err != nil {
		panic(err)
	}
	defer d.Close()
	if _, err := d.Apply(doc.Genesis(id, "com.example.pizza")); err != nil {
		panic(err)
	}
	now := time.Date(2026, 11, 21, 18, 0, 0, 0, time.UTC)
	_, err = d.Edit(doc.Note{Time: now}, func(tx *doc.Tx) error {
		_, err := pizzas.Create(tx, "margherita", Pizza{})
		return err
	})
	if err != nil {
		panic(err)
	}

	edited, err := vote.Run(d, now, Vote{For: "margherita"})
	if err != nil {
		panic(err)
	}
	changed, err := pizzas.Changed(d, edited.Changes)
	if err != nil {
		panic(err)
	}
	fmt.Println(changed[0].ID, changed[0].Value.Votes)

	// The history says what was meant, on every device.
	message := edited.Changes[0].Message
	fmt.Println(message)
	if v, ok := vote.Payload(message); ok {
		fmt.Println("a vote for", v.For)
	}
	// Output:
	// margherita 1
	// pizza.vote {"for":"margherita"}
	// a vote for margherita
}

func ExampleGet() {
	id := doc.NamedID("com.example.notes", "tags")
	d, err := doc.New(id, rand.Reader)
	if err != nil {
		panic(err)
	}
	defer d.Close()
	if _, err := d.Apply(doc.Genesis(id, "com.example.notes")); err != nil {
		panic(err)
	}
	_, err = d.Edit(doc.Note{Message: "tags"}, func(tx *doc.Tx) error { return tx.Set("/tags", []string{"home", "urgent"}) })
	if err != nil {
		panic(err)
	}
	tags, err := doc.Get[[]string](d, "/tags")
	fmt.Println(tags, err)
	// Output: [home urgent] <nil>
}
