package main

import (
	"fmt"
	"strconv"
	"strings"
)

// strike is a kill -9 somewhere in the script, after which the same program is started again. The zero strike is none.
type strike struct {
	step   int    // from 1
	victim string // a device
	when   when
}

// when a strike falls in its step.
type when string

const (
	early when = "early" // while an edit is under way, perhaps the victim's own, or its program starts
	late  when = "late"  // when the edit is acknowledged, before others have it
)

// strikes are all there are: every device at every step, early and late.
func strikes() (all []strike) {
	for n := range steps {
		for _, victim := range []string{"Ada", "Ben", "Cem"} {
			all = append(all, strike{n + 1, victim, early}, strike{n + 1, victim, late})
		}
	}
	return all
}

func (k strike) String() string { return fmt.Sprintf("%d:%s:%s", k.step, k.victim, k.when) }

// parseStrike reads what String writes.
func parseStrike(text string) (strike, error) {
	step, rest, _ := strings.Cut(text, ":")
	victim, at, _ := strings.Cut(rest, ":")
	n, err := strconv.Atoi(step)
	k := strike{n, victim, when(at)}
	for _, known := range strikes() {
		if err == nil && k == known {
			return k, nil
		}
	}
	return strike{}, fmt.Errorf("%q is no moment to kill somebody; try 4:Ada:early or 4:Ada:late, with a step up to %d", text, len(steps))
}

// hit kills the victim if its time has come, starts it again, and says who it was.
func (s *story) hit(at when) *device {
	if s.err != nil || !s.due || s.strike.when != at {
		return nil
	}
	s.due = false
	for _, d := range s.devices() {
		if d.name == s.strike.victim {
			s.say("    %s is killed, and starts again", d.name)
			s.crash(d)
			return d
		}
	}
	return nil
}

// crash kills a program and starts it again.
func (s *story) crash(d *device) {
	d.kill()
	s.try(d.launch)
	s.try(d.ready)
}
