package schematest

import (
	"cmp"
	"fmt"
	"strings"
	"testing"
	"time"

	"tombolo/schema"
)

// Totals is what happened in the runs of a [Fleet]. All that was lost must be 0; a run ends with the first promise that is broken.
type Totals struct {
	Seeds   int
	Failed  int // seeds with a promise broken
	Edits   int // changes made by devices
	Refused int // edits that a version must not make: values that a Check refuses, rows deleted before, documents read-only for it

	LostRegisters int // registers that show no newest value
	LostItems     int // elements, rows and increments that are missing, or there again
	LostText      int // likewise characters
	OpeningWrites int // changes made by reading, loading or upgrading
	Divergences   int // devices that have the same changes and show something else

	// What lost by rule, since of fields that a lens connects an older and a newer version wrote at the same time:
	Concurrent int // registers
	Shadowed   int // elements and characters; they are still stored
}

func (t *Totals) add(o Totals) {
	t.Seeds += o.Seeds
	t.Failed += o.Failed
	t.Edits += o.Edits
	t.Refused += o.Refused
	t.LostRegisters += o.LostRegisters
	t.LostItems += o.LostItems
	t.LostText += o.LostText
	t.OpeningWrites += o.OpeningWrites
	t.Divergences += o.Divergences
	t.Concurrent += o.Concurrent
	t.Shadowed += o.Shadowed
}

// String is the totals in one line.
func (t Totals) String() string {
	return fmt.Sprintf("%d seeds, %d edits: %d failed, %d divergences, lost %d registers, %d items, %d characters, %d opening writes; "+
		"by the rule of concurrent groups %d registers lost and %d items are out of sight; %d edits refused",
		t.Seeds, t.Edits, t.Failed, t.Divergences, t.LostRegisters, t.LostItems, t.LostText, t.OpeningWrites, t.Concurrent, t.Shadowed, t.Refused)
}

// Fleet simulates devices with different versions that edit one document: random edits through their views, changes that arrive in part and late,
// upgrades and downgrades, restarts, and all meeting in the end. Who had seen what decides what must be there:
//
//   - A register shows a value that no later edit knew. Of fields that a lens connects, a value of an older version may lose against one that a
//     newer version wrote at the same time, or the other way round, together with what was built on it.
//   - Elements, rows and characters are there once, unless somebody who saw them took them away. Counters have all increments.
//   - Whoever writes reads back what it wrote, and every version sees nothing else moved by it.
//   - Devices with the same changes show the same at every version. Reading, loading and upgrading write nothing.
//
// A failure prints the seed, the shortest history that was found to fail, and what differs.
func Fleet(t *testing.T, s *schema.Schema, o Options) Totals {
	t.Helper()
	o = o.withDefaults(s)
	sh, err := shapeOf(s)
	if err = cmp.Or(o.check(s), err); err != nil {
		t.Fatal(err)
	}
	var sum Totals
	for seed := o.From; seed < o.From+o.Seeds; seed++ {
		totals, err := simulate(sh, o, seed)
		sum.add(totals)
		if err == nil {
			continue
		}
		if sum.Failed > 1 {
			t.Errorf("seed %d: %v", seed, err)
		} else {
			t.Errorf("seed %d: %s\nrepeat it with: go test -run '^%s$' -from %d -seeds 1", seed, shrink(sh, o, seed, err), t.Name(), seed)
		}
		if sum.Failed == 5 {
			t.Log("the other seeds were not run")
			break
		}
	}
	t.Log(sum)
	return sum
}

// simulate runs one seed.
func simulate(sh *shape, o Options, seed int) (Totals, error) {
	r := newRun(sh, o, seed)
	err := r.play(planOf(seed, o.Steps, len(o.Fleet)))
	r.totals.Seeds = 1
	if err != nil {
		r.totals.Failed = 1
	}
	return r.totals, err
}

// shrinking is how long a failing history is made shorter.
const shrinking = 10 * time.Second

// shrink leaves out steps while the run still fails in the same way, and tells what remains.
func shrink(sh *shape, o Options, seed int, err error) string {
	until := time.Now().Add(shrinking)
	steps := planOf(seed, o.Steps, len(o.Fleet))
	kind := kindOf(err)
	fails := func(steps []step) bool { return kindOf(newRun(sh, o, seed).play(steps)) == kind }
	for size := max(len(steps)/2, 1); size > 0; size /= 2 {
		for again := true; again; {
			again = false
			for at := 0; at+size <= len(steps) && time.Now().Before(until); {
				if fewer := without(steps, at, size); fails(fewer) {
					steps, again = fewer, size == 1
				} else {
					at += size
				}
			}
		}
	}
	var history []string
	r := newRun(sh, o, seed)
	r.log = func(format string, args ...any) { history = append(history, fmt.Sprintf(format, args...)) }
	last := r.play(steps)
	var views strings.Builder
	for v := 1; v <= sh.newest && len(r.peers) > 0; v++ {
		if now := r.peers[0].now; now != nil {
			fmt.Fprintf(&views, "\nversion %d: %s", v, show(now.views[v]))
		}
	}
	return fmt.Sprintf("%v\nthe peers begin with versions %v; the shortest history found (%d of %d steps):\n%s\npeer 0 shows then%s",
		last, o.Fleet, len(steps), o.Steps, strings.Join(history, "\n"), views.String())
}

func without(steps []step, at, n int) []step {
	out := make([]step, 0, len(steps)-n)
	return append(append(out, steps[:at]...), steps[at+n:]...)
}
