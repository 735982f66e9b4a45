package tombolo_test

import (
	"context"
	"fmt"
	"os"
	"time"

	"tombolo"
	"tombolo/doc"
)

// A notebook that saves when its user pauses, and begins with a page on whichever device is first.
func ExampleCoalesce() {
	dir, err := os.MkdirTemp("", "tombolo-example-")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	ctx := context.Background()
	eng, err := tombolo.Open(ctx, dir, &tombolo.Options{App: "com.example.notes", Offline: true})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer eng.Close()

	h, err := eng.Home().Open(ctx, "notebook",
		tombolo.Coalesce{Quiet: 30 * time.Second, Most: 2 * time.Minute},
		tombolo.Init(func(tx *doc.Tx) error { return tx.Set("/pages", []any{"Welcome"}) }))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(h.Report().Source)
	err = h.Change(ctx, "", func(tx *doc.Tx) error { return tx.List("/pages").Append("Monday") })
	fmt.Println(err, h.HasUnsaved())
	fmt.Println(h.Close()) // saves it

	h, err = eng.Home().Open(ctx, "notebook")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer h.Close()
	pages, err := h.JSON("/pages")
	fmt.Println(h.Report().Source, string(pages), err)
	// Output:
	// created
	// <nil> true
	// <nil>
	// store ["Welcome","Monday"] <nil>
}
