package tombolo_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tombolo"
	"tombolo/doc"
	"tombolo/schema"
)

func Example() {
	dir, err := os.MkdirTemp("", "tombolo-example-")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	if err := shopping(context.Background(), dir); err != nil {
		log.Fatal(err)
	}
	// Output: [milk] is on 1 device
}

func shopping(ctx context.Context, dir string) error {
	eng, err := tombolo.Open(ctx, dir, &tombolo.Options{App: "com.example.notes"})
	if err != nil {
		return err
	}
	defer eng.Close()
	list, err := eng.Home().Open(ctx, "shopping") // same app, same name: the same document on every device
	if err != nil {
		return err
	}
	defer list.Close()
	err = list.Change(ctx, "add milk", func(tx *doc.Tx) error { return tx.List("items").Append("milk") })
	if err != nil { // nil: it is on this device's disk, and on its way to the others
		return err
	}
	var v struct {
		Items []string `doc:"items"`
	}
	if err := list.Read(&v); err != nil { // or: for ev := range list.Watch(ctx) { … } for local and remote edits alike
		return err
	}
	const disks = 1
	if err := list.Wait(ctx, tombolo.OnDevices(disks)); err != nil {
		return err
	}
	fmt.Println(v.Items, "is on", disks, "device")
	return nil
}

// A notebook as programs keep one: saved when its user pauses, begun once, and backed up.
func Example_notebook() {
	dir, err := os.MkdirTemp("", "tombolo-example-")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	eng, err := tombolo.Open(context.Background(), filepath.Join(dir, "data"), &tombolo.Options{Offline: true})
	if err != nil {
		log.Fatal(err)
	}
	defer eng.Close()
	file := filepath.Join(dir, "notebook.age")
	key := tombolo.BackupKey{Recipients: []string{"age1fh9s0l3pg2v9md5q02hx5als6qry97lqmyy833zt54d3q40c85wqwj7xmr"}}
	if err := notebook(context.Background(), eng, file, key); err != nil {
		log.Fatal(err)
	}
	_, err = os.Stat(file)
	fmt.Println("backed up:", err == nil)
	// Output:
	// ["Welcome"]
	// backed up: true
}

func notebook(ctx context.Context, eng *tombolo.Engine, file string, key tombolo.BackupKey) error {
	ask := func(err error) error { return err } // a program asks its user here
	book, err := eng.Home().Open(ctx, "notebook",
		tombolo.Coalesce{}, // saves when its user pauses; tombolo.Durable, the default, saves each change; tombolo.Never, none
		tombolo.Init(func(tx *doc.Tx) error { return tx.Set("/pages", []any{"Welcome"}) })) // where no device has it yet
	if damaged, ok := errors.AsType[*tombolo.DamagedError](err); ok {
		return ask(damaged) // nothing is overwritten: it heals beside a device that has it; eng.Accept goes on without
	}
	if err != nil {
		return err
	}
	defer book.Close() // saves what waits
	_, err = tombolo.WriteBackup(ctx, file, key, func(w io.Writer) error {
		_, err := eng.Backup(ctx, w, tombolo.BackupOptions{}) // while everything goes on; tombolo.Restore makes a device of it
		return err
	})
	if err != nil {
		return err
	}
	pages, err := book.JSON("/pages")
	fmt.Println(string(pages))
	return err
}

// A note that programs of two versions write.
func Example_versions() {
	dir, err := os.MkdirTemp("", "tombolo-example-")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	eng, err := tombolo.Open(context.Background(), filepath.Join(dir, "data"), &tombolo.Options{App: "com.example.notes", Offline: true})
	if err != nil {
		log.Fatal(err)
	}
	defer eng.Close()
	if err := versions(context.Background(), eng); err != nil {
		log.Fatal(err)
	}
	// Output: {"done":true,"title":{"$text":"Groceries"}}
}

func versions(ctx context.Context, eng *tombolo.Engine) error {
	type Note struct {
		Name string `doc:"name"`
		Done bool   `doc:"done"`
	}
	notes, err := schema.New("com.example.notes",
		schema.V(1, schema.Object(schema.Root, schema.Text("title"), schema.Bool("done"))), // released last year
		schema.V(2, schema.Rename(schema.Root, "title", "name")))                           // this release
	if err != nil {
		return err // names the version and the step
	}
	view, err := schema.Bind[Note](notes, 2)
	if err != nil {
		return err // names the field
	}
	note, err := eng.Home().Open(ctx, "groceries")
	if err != nil {
		return err
	}
	defer note.Close()
	err = view.Update(ctx, note, "done", func(n *Note) error { n.Name, n.Done = "Groceries", true; return nil })
	if err != nil {
		return err
	}
	json, err := note.JSON("")
	fmt.Println(string(json))
	return err
}

// The README shows the code of these Examples.
func TestREADME(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	must(t, err)
	source, err := os.ReadFile("example_test.go")
	must(t, err)
	parts := strings.Split(string(readme), "```go\n")
	if len(parts) != 4 {
		t.Fatalf("the README has %d pieces of Go code, not 3", len(parts)-1)
	}
	for _, part := range parts[1:] {
		code, _, _ := strings.Cut(part, "```")
		if !strings.Contains(unindented(string(source)), unindented(code)) {
			t.Errorf("the README's code is not an Example's:\n%s", code)
		}
	}
}

func unindented(s string) string {
	var b strings.Builder
	for line := range strings.Lines(s) {
		b.WriteString(strings.TrimSpace(line) + "\n")
	}
	return b.String()
}
