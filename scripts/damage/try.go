package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strings"
)

// try damages each file of a kind, at each place, and tells both stories of each.
func (t *trial) try(ctx context.Context, k kind, d damage) (cell, error) {
	c := cell{File: k.name, Damage: d.name, Healed: true, Reason: k.why}
	c.Doctor.Kept, c.Run.Kept = len(t.want), len(t.want)
	var names []string
	for name, f := range t.master.files {
		if f.mode.IsDir() && d.do != nil {
			continue
		}
		if ok, err := filepath.Match(k.pattern, name); ok && err == nil {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	if len(names) > 3 { // more of the same
		names = []string{names[0], names[len(names)/2], names[len(names)-1]}
	}
	for _, name := range names {
		for _, place := range d.places {
			c.Tried++
			for _, story := range []func(context.Context, *cell) error{t.doctorStory, t.runStory} {
				if err := t.master.restore(); err != nil {
					return c, err
				}
				if err := d.spoil(filepath.Join(t.a.dir, name), place); err != nil {
					return c, err
				}
				if err := story(ctx, &c); err != nil {
					return c, fmt.Errorf("%s at %.2f: %w", name, place, err)
				}
			}
		}
	}
	return c, nil
}

// doctorStory examines, repairs, and then runs the device.
func (t *trial) doctorStory(ctx context.Context, c *cell) error {
	found, err := t.a.doctor(ctx)
	if err != nil {
		return err
	}
	noticed, message := found.notices()
	c.Doctor.add(noticed, message)
	if !noticed || found.Sound {
		have, err := t.a.versions(ctx)
		if err != nil {
			return fmt.Errorf("the doctor finds nothing wrong, and yet: %w", err)
		}
		if !maps.Equal(have, t.want) {
			c.Missing = true
		}
	}
	mended, err := t.a.doctor(ctx, "--repair")
	if err != nil {
		return err
	}
	if mended.failed != "" {
		c.Healed = false
		c.Doctor.add(true, "--repair: "+mended.failed)
		return nil
	}
	have, err := t.a.versions(ctx)
	if err != nil {
		c.Healed = false
		c.Doctor.add(true, "after --repair: "+err.Error())
		return nil
	}
	c.Doctor.Kept = min(c.Doctor.Kept, common(have, t.want))
	if err := t.a.start(ctx); err != nil {
		c.Healed = false
		c.Doctor.add(true, "run after --repair: "+err.Error())
		return nil
	}
	if err := t.a.wait(ctx, t.want); err != nil {
		c.Healed = false
		c.Doctor.add(true, "run after --repair: "+err.Error())
	}
	if err := t.a.stop(); err != nil {
		return err
	}
	after, err := t.a.doctor(ctx)
	if err != nil {
		return err
	}
	if !after.Sound {
		_, message := after.notices()
		c.Healed = false
		c.Doctor.add(true, "in the end: "+message)
	}
	return nil
}

// runStory runs the device as if nothing had happened.
func (t *trial) runStory(ctx context.Context, c *cell) error {
	err := t.a.start(ctx)
	if refused, ok := errors.AsType[refusedError](err); ok {
		if refused.message == "" {
			return errors.New("peer run ended without a word")
		}
		c.Run.add(true, refused.message)
		return nil
	}
	if err != nil {
		return err
	}
	if err := t.a.wait(ctx, t.want); err != nil {
		c.Healed = false
		c.Run.add(true, "after a start: "+err.Error())
	}
	if err := t.a.stop(); err != nil {
		return err
	}
	said := warnings(t.a.log.String())
	c.Run.add(said != "", said)
	return nil
}

// add keeps the message that says most.
func (o *outcome) add(noticed bool, message string) {
	o.Noticed = o.Noticed || noticed
	if len(message) > len(o.Message) {
		o.Message = message
	}
}

// common counts the documents that are the same in both.
func common(have, want versions) int {
	n := 0
	for url, heads := range want {
		if have[url] == heads {
			n++
		}
	}
	return n
}

// printTable prints the cells as Markdown.
func printTable(w io.Writer, cells []cell, documents int) {
	fmt.Fprintf(w, "| file | damage | `peer doctor` | `peer run` | kept by A alone, of %d | healed beside B |\n|---|---|---|---|---|---|\n", documents)
	for _, c := range cells {
		if c.Tried == 0 {
			continue // there is no such file, or it cannot be damaged so
		}
		doctor := "complains"
		switch {
		case c.Missing:
			doctor = "**SILENT LOSS**"
		case !c.Doctor.Noticed:
			doctor = "nothing missing"
			if c.Reason != "" {
				doctor += ": " + c.Reason
			}
		}
		run := "starts"
		if c.Run.Noticed {
			run = "says so"
		}
		healed := "yes"
		if !c.Healed {
			healed = "**no**: " + strings.ReplaceAll(c.Doctor.Message, "|", "/")
		}
		fmt.Fprintf(w, "| `%s` | %s | %s | %s | %d | %s |\n", c.File, c.Damage, doctor, run, c.Doctor.Kept, healed)
	}
}
