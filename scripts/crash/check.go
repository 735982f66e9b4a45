package main

import (
	"context"
	"fmt"
	"slices"
)

// content is the document of a story: a text for each device that writes, and what single edits set.
type content struct {
	A, B struct {
		Text string `json:"$text"`
	}
	Single map[string]int
}

// text is what the device of that name wrote.
func (c *content) text(name string) string {
	if name == "b" {
		return c.B.Text
	}
	return c.A.Text
}

// letter is the i-th edit of a stream: the text tells by itself whether one is missing.
func letter(i int) byte { return "abcdefghijklmnopqrstuvwxyz"[i%26] }

// holds checks a text on this device: no gap in it, and at least the edits that are owed.
func (n *node) holds(text, writer string, owed int) error {
	for i := range len(text) {
		if text[i] != letter(i) {
			return &lostError{1, fmt.Sprintf("device %s: the text of %s has %q where edit %d belongs", n.name, writer, text[i], i+1)}
		}
	}
	if len(text) < owed {
		return &lostError{owed - len(text), fmt.Sprintf("device %s has %d edits of the text of %s, and %d were acknowledged", n.name, len(text), writer, owed)}
	}
	return nil
}

// holdsOwn checks the document of a device that writes it alone.
func (n *node) holdsOwn(ctx context.Context, url string) error {
	var c content
	if err := n.read(ctx, &c, url); err != nil {
		return err
	}
	text := c.text(n.name)
	n.written = len(text)
	o := n.now()
	for key := range o.single {
		if _, there := c.Single[key]; !there {
			return &lostError{1, fmt.Sprintf("device %s lacks the acknowledged edit %s", n.name, key)}
		}
	}
	return n.holds(text, n.name, o.streamed)
}

// read reads the document on this device.
func (n *node) read(ctx context.Context, c *content, url string) error {
	if err := n.command(ctx, c, "doc", "get", url); err != nil {
		return &loadError{err}
	}
	return nil
}

// listed is a document in a device's list.
type listed struct {
	URL     string
	Heads   []string
	Changes int
}

// list gives the documents of this device.
func (n *node) list(ctx context.Context) ([]listed, error) {
	var all []listed
	if err := n.command(ctx, &all, "doc", "ls"); err != nil {
		return nil, &loadError{err}
	}
	return all, nil
}

// hasDocs checks that every document this device made is in its list.
func (n *node) hasDocs(ctx context.Context) error {
	all, err := n.list(ctx)
	if err != nil {
		return err
	}
	for _, url := range n.now().docs {
		if !slices.ContainsFunc(all, func(d listed) bool { return d.URL == url }) {
			return &lostError{1, "the document " + url + " is missing"}
		}
	}
	return nil
}

// readAll reads every document of this device.
func (n *node) readAll(ctx context.Context) error {
	all, err := n.list(ctx)
	for _, d := range all {
		if err == nil {
			err = n.read(ctx, &content{}, d.URL)
		}
	}
	return err
}

// examine has the doctor look through the directory of a node that does not run.
func (n *node) examine(ctx context.Context) error {
	if n.process != nil {
		return nil
	}
	if err := n.command(ctx, nil, "doctor"); err != nil {
		return &loadError{err}
	}
	return nil
}
