package tombolo_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"tombolo"
)

// However often a disk gives back other bytes, a document is shown with everything that was on both disks or not at all, and with the other device
// beside it is whole in the end.
func TestDamageAtRandom(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 1))
	d, dir := newDisk(), t.TempDir()
	start := func() *tombolo.Engine {
		save := []tombolo.Saving{tombolo.Coalesce{Quiet: 5 * time.Millisecond}, tombolo.Durable}[random.IntN(2)]
		return open(t, dir, tombolo.Options{Store: d, Save: save})
	}
	spoil := func(letter string) {
		if all := d.entries(t, letter); len(all) > 0 {
			d.flip(t, all[random.IntN(len(all))])
		}
	}
	laptop := start()
	desk := inMemory(t, tombolo.Options{})
	pair(t, laptop, desk, false)
	h, err := laptop.Home().Create(t.Context(), nil)
	must(t, err)
	u := h.URL()
	there := arrives(t, desk, u)
	safe := 0 // so many keys are on both disks
	for step := range 30 {
		var all map[string]any
		if err := h.Read(&all); err == nil {
			for k := range safe {
				if _, ok := all[fmt.Sprintf("k%d", k)]; !ok {
					t.Fatalf("step %d: it is shown without /k%d", step, k)
				}
			}
		}
		switch random.IntN(8) {
		case 0, 1, 2:
			err := h.Change(t.Context(), "", put(fmt.Sprintf("/k%d", safe), step))
			if err == nil {
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				err = h.Wait(ctx, tombolo.OnDevices(2))
				cancel()
			}
			if errors.Is(err, context.DeadlineExceeded) {
				t.Fatalf("step %d: the other device has not got it", step)
			}
			if err == nil { // else the document is damaged just now, or the change found that and is undone
				safe++
			}
		case 3, 4:
			spoil("r")
		case 5:
			spoil("d")
		case 6:
			laptop.Scrub(u)
		case 7:
			must(t, h.Close())
			must(t, laptop.Close())
			laptop = start()
			h = arrives(t, laptop, u)
		}
	}
	set(t, there, "/end", 1)
	until(t, h, func() bool { return has(h, "/end") })
	same(t, h, there)
	t.Logf("%d keys", safe)
}
