package schematest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"tombolo/doc"
	"tombolo/schema"
)

// PlainOptions adjusts [RunPlain]. The zero value is a good test.
type PlainOptions struct {
	Fixtures string // where recorded documents are; "" for testdata/plain
	Seeds    int    // how many fleets, each another history; 0 for 100, or -seeds
	Steps    int    // of each fleet; 0 for 70
	From     int    // the first seed
	// Legacy writes documents from before there were versions, each in another way.
	Legacy []func(tx *doc.Tx) error
	// Edit changes data of a version as a user does, and gives what is to be saved. data is its own. token is one character that is used nowhere else: an edit that
	// puts it into a text or a list, or makes a record with it, lets the fleet follow whether it gets lost. Values that are replaced as a whole are no
	// place for it, since of two that are written at the same time one counts. Nil puts it into some text or list, or takes a character or element away.
	Edit func(rng *rand.Rand, version int, data any, token string) any
}

func (o PlainOptions) withDefaults() PlainOptions {
	if o.Fixtures == "" {
		o.Fixtures = "testdata/plain"
	}
	if o.Seeds == 0 {
		o.Seeds = 100
	}
	if n := number("seeds"); n > 0 {
		o.Seeds = n
	}
	if n := number("from"); n > 0 {
		o.From = n
	}
	if o.Steps == 0 {
		o.Steps = 70
	}
	if o.Edit == nil {
		o.Edit = plainEdit
	}
	return o
}

// RunPlain tests the versions of an application that keeps them as plain Go code:
//
//   - Fresh: each version begins documents, from nothing and from data without a version, saves, and reads them back; the newest reads them all.
//   - Recorded: documents that released versions wrote read as they did, and saving leaves the places of older versions as they are.
//   - Fleet: devices at different versions edit one document apart and together, upgrade, go back and restart. Loading writes nothing, devices with the same
//     changes have the same data at every version, and what was saved is in the data or in a late edit, unless a save that knew it took it away.
//
// With -update, versions that have no recorded documents get some; those that are there are never rewritten.
func RunPlain(t *testing.T, p *schema.Plain, o PlainOptions) {
	t.Helper()
	o = o.withDefaults()
	t.Run("Fresh", func(t *testing.T) { plainFresh(t, p, o) })
	t.Run("Recorded", func(t *testing.T) { plainRecorded(t, p, o) })
	t.Run("Fleet", func(t *testing.T) { plainFleet(t, p, o) })
}

// plainBegin is a document from before all versions, or an empty one for which -1 stands.
func plainBegin(p *schema.Plain, o PlainOptions, legacy int, rng *rand.Rand) (*doc.Doc, error) {
	d, err := doc.New(doc.NamedID(p.App(), "plain"), plainRandom{rng})
	if err != nil {
		return nil, err
	}
	if _, err = d.Apply(doc.Genesis(d.ID(), p.App())); err == nil && legacy >= 0 {
		_, err = d.Edit(doc.Note{}, o.Legacy[legacy])
	}
	return d, err
}

// plainRandom gives the bytes that a generator gives.
type plainRandom struct{ rng *rand.Rand }

func (r plainRandom) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = byte(r.rng.Uint32())
	}
	return len(b), nil
}

func plainFresh(t *testing.T, p *schema.Plain, o PlainOptions) {
	for legacy := -1; legacy < len(o.Legacy); legacy++ {
		for n := 1; n <= p.Newest(); n++ {
			rng := rand.New(rand.NewPCG(uint64(n), uint64(legacy+1)))
			d, err := plainBegin(p, o, legacy, rng)
			if err != nil {
				t.Fatal(err)
			}
			if err := plainSaved(p, o, d, n, rng); err != nil {
				t.Errorf("version %d, %s: %v", n, plainOrigin(legacy), err)
			}
			if _, err := plainLook(p, d); err != nil {
				t.Errorf("version %d reads what version %d wrote, %s: %v", p.Newest(), n, plainOrigin(legacy), err)
			}
			d.Close()
		}
	}
}

func plainOrigin(legacy int) string {
	if legacy < 0 {
		return "from nothing"
	}
	return fmt.Sprintf("from Legacy[%d]", legacy)
}

// plainSaved loads, edits a few times and saves at a version.
func plainSaved(p *schema.Plain, o PlainOptions, d *doc.Doc, n int, rng *rand.Rand) error {
	h := p.At(n).Open(schema.Of(d, nil))
	if err := plainStable(h, d); err != nil {
		return err
	}
	for i := range 5 {
		data, err := plainLoad(h, d)
		if err != nil {
			return err
		}
		if err := h.Save(context.Background(), o.Edit(rng, n, plainClone(data.value), plainToken(i))); err != nil && !plainRefused(err) {
			return err
		}
		if err := plainStable(h, d); err != nil {
			return err
		}
	}
	return nil
}

// plainRefused says whether the version's Save did not like what an edit made.
func plainRefused(err error) bool {
	e, ok := errors.AsType[*schema.PlainError](err)
	return ok && e.Func == "Save"
}

// plainStable checks that a document can be loaded, and that saving what that gives writes nothing.
func plainStable(h *schema.PlainHandle, d *doc.Doc) error {
	got, err := plainLoad(h, d)
	if err != nil {
		return err
	}
	return plainQuiet(d, "a save of what Load gave", func() error {
		if err := h.Save(context.Background(), got.value); !plainRefused(err) {
			return err
		}
		return nil // older data, or that of others, need not pass
	})
}

// plainSeen is what a program sees.
type plainSeen struct {
	value  any
	report schema.PlainReport
}

// text is all of it, to be compared.
func (s plainSeen) text() string {
	out := map[string]any{"data": s.value, "version": s.report.Version, "future": s.report.Future}
	var late []any
	for _, e := range s.report.Late {
		one := map[string]any{"version": e.Version, "place": e.Place, "before": e.Before, "after": e.After}
		if e.Err != nil {
			one["failed"] = true
		}
		late = append(late, one)
	}
	out["late"] = late
	b, err := doc.EncodeJSON(out)
	if err != nil {
		return err.Error()
	}
	return string(b)
}

// plainLoad loads, and checks that nothing is written.
func plainLoad(h *schema.PlainHandle, d *doc.Doc) (s plainSeen, err error) {
	quiet := plainQuiet(d, "Load", func() error {
		s.value, s.report, err = h.Load()
		return nil
	})
	if quiet != nil {
		return s, quiet
	}
	return s, err
}

// plainLook is the text of what the newest version of p sees, or of the error that is no fault: only newer versions have data.
func plainLook(p *schema.Plain, d *doc.Doc) (string, error) {
	s, err := plainLoad(p.Open(schema.Of(d, nil)), d)
	if e, ok := errors.AsType[*schema.VersionError](err); ok {
		return fmt.Sprintf(`{"future":%d}`, e.Need), nil
	}
	if err != nil {
		return "", err
	}
	return s.text(), nil
}

// plainQuiet checks that fn changes nothing in a document.
func plainQuiet(d *doc.Doc, what string, fn func() error) error {
	before, err := d.Changes()
	if err != nil {
		return err
	}
	if err := fn(); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	after, err := d.Changes()
	if err != nil {
		return err
	}
	if !slices.EqualFunc(before, after, bytes.Equal) {
		return fmt.Errorf("%s wrote %d changes: it must write nothing", what, len(after)-len(before))
	}
	return nil
}
