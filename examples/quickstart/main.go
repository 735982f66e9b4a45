// Quickstart: two devices in one process edit one list apart, meet, and agree. Run: go run ./examples/quickstart
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"tombolo"
	"tombolo/doc"
)

func main() {
	ctx := context.Background()
	dir := must(os.MkdirTemp("", "tombolo-quickstart-"))
	defer os.RemoveAll(dir)
	laptop, phone := device(dir, "laptop"), device(dir, "phone")

	// Apart: the same app and name make the same document on both, so what both add stays.
	list, other := add(ctx, laptop, "milk"), add(ctx, phone, "eggs")
	changes := list.Watch(ctx)

	// Meet: the phone uses the laptop's invitation and brings its documents along.
	invitation := must(laptop.Invite(ctx, tombolo.Invite{}))
	must(phone.Join(ctx, invitation.Link, tombolo.JoinOptions{Adopt: true}))

	var shopping struct {
		Items []string `doc:"items"`
	}
	for range changes {
		if check(list.Read(&shopping)); len(shopping.Items) == 2 {
			break
		}
	}
	check(list.Wait(ctx, tombolo.OnDevices(2)))
	fmt.Println(len(shopping.Items), "items, on the disks of both devices")
	check(list.Close(), other.Close(), laptop.Close(), phone.Close())
}

func device(under, name string) *tombolo.Engine {
	opts := &tombolo.Options{App: "com.example.notes", Name: name, Listen: []string{"/ip4/127.0.0.1/tcp/0"}, NoDiscovery: true}
	return must(tombolo.Open(context.Background(), filepath.Join(under, name), opts))
}

func add(ctx context.Context, eng *tombolo.Engine, item string) *tombolo.Handle {
	h := must(eng.Home().Open(ctx, "shopping"))
	check(h.Change(ctx, "add "+item, func(tx *doc.Tx) error { return tx.List("items").Append(item) }))
	return h
}

func must[T any](v T, err error) T {
	check(err)
	return v
}

func check(errs ...error) {
	for _, err := range errs {
		if err != nil {
			log.Fatal(err)
		}
	}
}
