package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"tombolo/doc"
)

type step struct {
	title string
	do    func(s *story)
}

// story is one run of the script.
type story struct {
	ada, ben, cem *device
	strike        strike
	due           bool // the strike falls at the next chance
	say           func(format string, args ...any)

	rows  []row
	edits int   // edits so far, by which programs know them again
	err   error // the first; nothing happens after it
}

// row is what each of the three sees of one thing, and whether it is what they should.
type row struct {
	says  string
	cells [3]string
	holds bool
}

// patience is how long the script may take: it takes some seconds.
const patience = 3 * time.Minute

// run runs the script under a directory.
func run(ctx context.Context, under string, k strike, say func(format string, args ...any)) ([]row, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, patience, fmt.Errorf("nothing came of it within %s", patience))
	defer cancel()
	s := &story{ada: newDevice(ctx, under, "Ada"), ben: newDevice(ctx, under, "Ben"), cem: newDevice(ctx, under, "Cem"), strike: k, say: say}
	defer func() {
		for _, d := range s.devices() {
			d.kill()
		}
	}()
	s.begin()
	for i, step := range steps {
		if s.err != nil {
			break
		}
		s.say("%2d. %s", i+1, step.title)
		s.due = i+1 == k.step
		step.do(s)
		if s.err == nil && s.due {
			s.err = fmt.Errorf("nothing happened in step %d that %s could be killed in", i+1, s.strike.victim)
		}
		if s.err != nil {
			s.err = fmt.Errorf("step %d: %w", i+1, s.err)
		}
	}
	for _, d := range s.devices() {
		s.try(d.stop)
	}
	if s.err != nil {
		for _, d := range s.devices() {
			d.kill()
			s.err = fmt.Errorf("%w\n%s logged:\n%s", s.err, d.name, &d.log)
		}
	}
	return s.rows, s.err
}

// begin has Ada report an issue and let the others in. All have version 1.
func (s *story) begin() {
	s.say("Ada, Ben and Cem start version 1, each on a device of their own; Ada reports an issue and lets the others in")
	for _, d := range s.devices() {
		s.start(d, "v1")
	}
	s.ask(s.ada, request{Do: "report", What: "report", Text: "Login fails"})
	for _, d := range []*device{s.ben, s.cem} {
		invitation := s.ask(s.ada, request{Do: "invite"})
		s.ask(d, request{Do: "join", Text: invitation.Link})
	}
	s.together(s.ask(s.ada, request{Do: "see"}).Heads)
}

func (s *story) devices() []*device { return []*device{s.ada, s.ben, s.cem} }

// try does something unless something has failed already.
func (s *story) try(f func() error) {
	if s.err == nil {
		s.err = f()
	}
}

func (s *story) ask(d *device, r request) (a answer) {
	s.try(func() (err error) {
		a, err = d.call(r)
		return err
	})
	return a
}

// start starts a program on a device, in place of the one that runs.
func (s *story) start(d *device, program string) {
	s.try(d.stop)
	d.program = program
	s.try(d.launch)
	s.try(d.ready)
}

// update is start, at which somebody may be killed.
func (s *story) update(d *device, program string) {
	s.try(d.stop)
	d.program = program
	s.try(d.launch)
	if s.hit(early) != d {
		s.try(d.ready)
	}
	s.hit(late)
}

// part takes devices off the network.
func (s *story) part(devices ...*device) {
	for _, d := range devices {
		d.apart = true
		s.start(d, d.program)
	}
}

// meet brings them back, and waits until all have everything.
func (s *story) meet() {
	var all []doc.Hash
	for _, d := range s.devices() {
		if d.apart {
			all = append(all, s.ask(d, request{Do: "see"}).Heads...)
			d.apart = false
			s.start(d, d.program)
		}
	}
	s.together(all)
}

// together waits until all have a version on their disks: the one with these heads.
func (s *story) together(heads []doc.Hash) {
	slices.SortFunc(heads, doc.Hash.Compare)
	heads = slices.Compact(heads)
	for _, d := range s.devices() {
		s.ask(d, request{Do: "reach", Heads: heads})
	}
}

// edit has some make an edit each, at the same time, and waits until the others have it who are not apart.
func (s *story) edit(edits ...edit) {
	for i := range edits {
		s.edits++
		edits[i].Edit = s.edits
		s.try(func() error { return edits[i].by.ask.Encode(edits[i].request) })
	}
	victim := s.hit(early)
	var heads []doc.Hash
	apart := false
	for _, e := range edits {
		if e.by == victim {
			s.try(func() error { return e.by.ask.Encode(e.request) })
		}
		s.try(func() error {
			a, err := e.by.answer()
			heads = append(heads, a.Heads...)
			return err
		})
		apart = apart || e.by.apart
	}
	s.hit(late)
	if !apart {
		s.together(heads)
	}
}

// edit is what one of the three does.
type edit struct {
	by *device
	request
}

func by(d *device, what, text string) edit {
	return edit{d, request{Do: "edit", What: what, Text: text}}
}

// settle has a device bring up to date what older versions show.
func (s *story) settle(d *device) { s.together(s.ask(d, request{Do: "settle"}).Heads) }

// changes is how many changes of the issue a device has.
func (s *story) changes(d *device) int { return int(s.ask(d, request{Do: "see"}).Changes) }

// look asks all three what they see of something and compares it with what they should.
func (s *story) look(topic, ada, ben, cem, says string) {
	r := row{says: says, holds: true}
	for i, want := range []string{ada, ben, cem} {
		got := s.ask(s.devices()[i], request{Do: "see"}).Sees[topic]
		r.cells[i], r.holds = got, r.holds && got == want
	}
	s.rows = append(s.rows, r)
}
