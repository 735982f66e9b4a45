package tombolo_test

import (
	"context"
	"fmt"
	"log"
	"os"

	"tombolo"
	"tombolo/doc"
)

// Task is a record of a table.
type Task struct {
	Title string `doc:"title,text"`
	Done  bool   `doc:"done"`
}

var tasks = doc.MustTable[Task]("/tasks")

// Complete is what completeTask is told.
type Complete struct {
	ID string `doc:"id"`
}

var completeTask = doc.MustAction("task.complete", func(tx *doc.Tx, c Complete) error {
	return tasks.Update(tx, c.ID, func(t *Task) error { t.Done = true; return nil })
})

// A table of records, and an action on it that the history and every watcher can name.
func ExampleHandle_View() {
	dir, err := os.MkdirTemp("", "tombolo-example-")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	if err := workThrough(context.Background(), dir); err != nil {
		log.Fatal(err)
	}
	// Output:
	// task.complete by laptop: replace /tasks/milk/done
	// Milk, done: true
	// Milk, done: false
}

func workThrough(ctx context.Context, dir string) error {
	eng, err := tombolo.Open(ctx, dir, &tombolo.Options{App: "com.example.tasks", Name: "laptop", Offline: true})
	if err != nil {
		return err
	}
	defer eng.Close()
	h, err := eng.Home().Open(ctx, "today")
	if err != nil {
		return err
	}
	defer h.Close()
	err = h.Change(ctx, "add milk", func(tx *doc.Tx) error {
		_, err := tasks.Create(tx, "milk", Task{Title: "Milk"})
		return err
	})
	if err != nil {
		return err
	}

	events := h.Watch(ctx)
	c := Complete{ID: "milk"}
	message, err := completeTask.Message(c)
	if err != nil {
		return err
	}
	if err := h.Change(ctx, message, completeTask.Do(c)); err != nil {
		return err
	}
	for ev := range events { // here and on every other device
		fmt.Printf("%s by %s: %s %s\n", ev.Actions[0].Name, ev.Actions[0].Author, ev.Patches[0].Kind, ev.Patches[0].Path)
		break
	}
	if err := show(h); err != nil {
		return err
	}
	if err := h.Undo(ctx); err != nil {
		return err
	}
	return show(h)
}

func show(h *tombolo.Handle) error {
	var all []doc.Record[Task]
	err := h.View(func(v doc.View) (err error) {
		all, err = tasks.List(v)
		return err
	})
	for _, t := range all {
		fmt.Printf("%s, done: %t\n", t.Value.Title, t.Value.Done)
	}
	return err
}
