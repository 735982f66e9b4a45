package mirror_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"tombolo"
	"tombolo/doc"
	"tombolo/mirror"
)

func Example() {
	dir, err := os.MkdirTemp("", "tombolo-example-")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	if err := besideAnEditor(context.Background(), dir); err != nil {
		log.Fatal(err)
	}
	// Output: {"items":["oat milk","eggs"],"title":"Shopping"}
}

func besideAnEditor(ctx context.Context, dir string) error {
	eng, err := tombolo.Open(ctx, filepath.Join(dir, "data"), &tombolo.Options{Offline: true})
	if err != nil {
		return err
	}
	defer eng.Close()
	list, err := eng.Home().Create(ctx, map[string]any{"title": "Shopping", "items": []any{"milk"}})
	if err != nil {
		return err
	}
	defer list.Close()

	path := filepath.Join(dir, "shopping.json")
	m, err := mirror.New(list, mirror.File(path), nil)
	if err != nil {
		return err
	}
	defer m.Close()
	if err := m.Save(ctx); err != nil {
		return err
	}
	// Someone edits the file, and the document changes meanwhile.
	if err := os.WriteFile(path, []byte(`{"title": "Shopping", "items": ["oat milk"]}`), 0o600); err != nil {
		return err
	}
	err = list.Change(ctx, "add eggs", func(tx *doc.Tx) error { return tx.List("items").Append("eggs") })
	if err != nil {
		return err
	}
	if err := m.Load(ctx); err != nil { // or m.StartAutoLoad, for as long as the mirror is open
		return err
	}
	now, err := list.JSON("")
	fmt.Println(string(now))
	return err
}
