package main

import (
	"context"
	"fmt"
)

// content is the document of the trial.
type content struct {
	A, B struct {
		Text string `json:"$text"`
	}
	Single map[string]int
}

// check looks into both directories, on which no node runs.
func (t *trial) check(ctx context.Context) error {
	for _, n := range t.nodes {
		if err := t.checkNode(ctx, n, false); err != nil {
			return err
		}
	}
	return nil
}

// checkNode looks for everything that a device must have: what it acknowledged itself, and of the other's what was reported
// to be on its disk, or all once they have met.
func (t *trial) checkNode(ctx context.Context, n *node, met bool) error {
	var c content
	if err := n.command(ctx, &c, "doc", "get", t.url); err != nil {
		return err
	}
	texts := map[string]string{"a": c.A.Text, "b": c.B.Text}
	for _, writer := range t.nodes {
		text, own := texts[writer.name], writer == n
		for i := range len(text) {
			if text[i] != letter(i) {
				return fmt.Errorf("device %s: the text of %s has %q where edit %d belongs", n.name, writer.name, text[i], i+1)
			}
		}
		if (own || met) && len(text) < writer.streamed {
			return fmt.Errorf("device %s has %d edits of the text of %s, and %d were acknowledged", n.name, len(text), writer.name, writer.streamed)
		}
		if own {
			n.written = len(text)
		}
		for key, both := range writer.both {
			if _, there := c.Single[key]; !there && (own || both || met) {
				return fmt.Errorf("device %s lacks the acknowledged edit %s", n.name, key)
			}
		}
	}
	return nil
}
