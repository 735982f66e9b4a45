package main

import (
	"fmt"
	"slices"
	"strings"
)

// tell writes a change as a person can read it: the header, then a line for each operation. IDs are counter@writer.
func tell(raw []byte) string {
	c, err := parse(raw)
	if err != nil {
		return fmt.Sprintf("  %d bytes: %v\n", len(raw), err)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "  %.8s by %s seq %d startOp %d time %d message %.20q deps", hashOf(raw), brief(c.actor), c.seq, c.startOp, c.time, c.message)
	for _, d := range c.deps {
		fmt.Fprintf(&b, " %.8s", d)
	}
	b.WriteByte('\n')
	for i, o := range c.ops[:min(len(c.ops), 50)] {
		fmt.Fprintf(&b, "  %d %s in %s", c.startOp+uint64(i), actionName(o.action), o.obj)
		switch {
		case o.keyed:
			fmt.Fprintf(&b, " key %.40q", o.key)
		case o.insert:
			fmt.Fprintf(&b, " after %s", o.elem)
		default:
			fmt.Fprintf(&b, " at %s", o.elem)
		}
		if o.kind != typeNull || len(o.value) > 0 {
			fmt.Fprintf(&b, " value %d:%.20x", o.kind, o.value)
		}
		if o.markName != nil {
			fmt.Fprintf(&b, " mark %q", *o.markName)
		}
		if o.expand {
			b.WriteString(" expand")
		}
		if len(o.preds) > 0 {
			fmt.Fprintf(&b, " preds %v", o.preds)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// brief is enough of an actor to tell it from others.
func brief(actor string) string {
	if len(actor) > 4 {
		return fmt.Sprintf("%x…%x", actor[:2], actor[len(actor)-1:])
	}
	return fmt.Sprintf("%x", actor)
}

// String is how an ID is told.
func (id opID) String() string {
	if id == (opID{}) {
		return "_"
	}
	return fmt.Sprintf("%d@%s", id.ctr, brief(id.actor))
}

func actionName(a int64) string {
	names := []string{"make map", "set", "make list", "delete", "make text", "increment", "make table", "mark"}
	if a >= 0 && a < int64(len(names)) {
		return names[a]
	}
	return fmt.Sprint("action ", a)
}

// tellAll writes the inputs, and the operations of the history that they refer to.
func (t *trial) tellAll() string {
	var b strings.Builder
	var seen []opID
	for i, in := range t.inputs {
		fmt.Fprintf(&b, "input %d:\n%s", i, tell(in.raw))
		c, err := parse(in.raw)
		if err != nil {
			continue
		}
		for _, o := range c.ops {
			seen = append(append(seen, o.obj, o.elem), o.preds...)
		}
	}
	b.WriteString("what they refer to:\n")
	lines := 0
	for _, i := range t.past.keep {
		for j, o := range t.seed.changes[i].ops {
			id := opID{int64(t.seed.changes[i].startOp) + int64(j), t.seed.changes[i].actor}
			if slices.Contains(seen, id) && lines < 50 {
				lines++
				fmt.Fprintf(&b, "  %s %s in %s key %.20q elem %s insert %t type %d preds %v\n", id, actionName(o.action), o.obj, o.key, o.elem, o.insert, o.kind, o.preds)
			}
		}
	}
	return b.String()
}
