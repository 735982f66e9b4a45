package schema_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"log"

	"tombolo/doc"
	"tombolo/schema"
)

// Version 1 kept a list of tasks; version 2 gives each an ID, so that it can be found again.
func ExamplePlain() {
	type One struct {
		Tasks []string `doc:"tasks"`
	}
	type Two struct {
		Tasks map[string]string `doc:"tasks"`
	}
	tasks, err := schema.NewPlain("com.example.tasks",
		schema.PlainVersion{Number: 1, Load: schema.PlainLoad(func(_ *schema.PlainEnv, older *One) (One, error) {
			if older == nil {
				return One{}, nil // a new document
			}
			return *older, nil // from before there were versions
		})},
		schema.PlainVersion{Number: 2, Load: schema.PlainLoad(func(env *schema.PlainEnv, older *One) (Two, error) {
			now := Two{Tasks: map[string]string{}}
			for _, task := range older.Tasks {
				now.Tasks[env.NewID("task", task)] = task
			}
			return now, nil
		})},
	)
	if err != nil {
		log.Fatal(err)
	}

	d, err := doc.New(doc.NamedID("com.example.tasks", "mine"), rand.Reader)
	if err != nil {
		log.Fatal(err)
	}
	if _, err := d.Apply(doc.Genesis(d.ID(), "com.example.tasks")); err != nil {
		log.Fatal(err)
	}

	// The program as it was.
	ctx := context.Background()
	one := tasks.At(1).Open(schema.Of(d, nil))
	if _, _, err := one.Load(); err != nil {
		log.Fatal(err)
	}
	if err := one.Save(ctx, One{Tasks: []string{"milk", "bread"}}); err != nil {
		log.Fatal(err)
	}

	// The program as it is: loading converts, and writes nothing.
	two := tasks.Open(schema.Of(d, nil))
	data, report, err := two.Load()
	if err != nil {
		log.Fatal(err)
	}
	mine, err := schema.PlainAs[Two](data)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(mine.Tasks), "tasks of version", report.Version)
	mine.Tasks["eggs"] = "a dozen eggs"
	if err := two.Save(ctx, mine); err != nil {
		log.Fatal(err)
	}

	// The older program shows what it had, and does not write any more.
	data, report, err = one.Load()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(data, "while there is version", report.Future)
	fmt.Println(one.Save(ctx, data))
	// Output:
	// 2 tasks of version 1
	// map[tasks:[milk bread]] while there is version 2
	// the document was changed by a newer version of this program in a way that this one would damage: this is version 1, writing needs version 2; update this program
}
