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
	dir, err := os.MkdirTemp("", "tombolo-quickstart-")
	check(err)
	defer os.RemoveAll(dir)
	device := func(name string) *tombolo.Engine {
		eng, err := tombolo.Open(ctx, filepath.Join(dir, name), &tombolo.Options{
			App: "com.example.notes", Name: name, Listen: []string{"/ip4/127.0.0.1/tcp/0"}, NoDiscovery: true,
		})
		check(err)
		return eng
	}
	laptop, phone := device("laptop"), device("phone")
	defer laptop.Close()
	defer phone.Close()

	// Apart: the same app and name make the same document on both, so what both add stays.
	add := func(eng *tombolo.Engine, item string) *tombolo.Handle {
		h, err := eng.Home().Open(ctx, "shopping")
		check(err)
		check(h.Change(ctx, "add "+item, func(tx *doc.Tx) error { return tx.List("items").Append(item) }))
		return h
	}
	list := add(laptop, "milk")
	defer list.Close()
	defer add(phone, "eggs").Close()

	// Meet: the phone uses the laptop's invitation and brings its documents along.
	changes := list.Watch(ctx)
	invitation, err := laptop.Invite(ctx, tombolo.Invite{})
	check(err)
	_, err = phone.Join(ctx, invitation.Link, tombolo.JoinOptions{Adopt: true})
	check(err)

	var shopping struct{ Items []string }
	for range changes {
		check(list.Read(&shopping))
		if len(shopping.Items) == 2 {
			break
		}
	}
	check(list.Wait(ctx, tombolo.OnDevices(2)))
	fmt.Println(len(shopping.Items), "items, on the disks of both devices")
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
