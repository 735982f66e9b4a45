package tombolo_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"strings"
	"testing"

	"tombolo"
	"tombolo/doc"
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

// The README shows the code of this Example and commands that exist.
func TestREADME(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	must(t, err)
	source, err := os.ReadFile("example_test.go")
	must(t, err)
	_, after, ok := strings.Cut(string(readme), "```go\n")
	if !ok {
		t.Fatal("the README has no Go code")
	}
	code, _, _ := strings.Cut(after, "```")
	if !strings.Contains(unindented(string(source)), unindented(code)) {
		t.Errorf("the README's code is not the Example's:\n%s", code)
	}
}

func unindented(s string) string {
	var b strings.Builder
	for line := range strings.Lines(s) {
		b.WriteString(strings.TrimSpace(line) + "\n")
	}
	return b.String()
}
