package schematest

import (
	"fmt"
	"testing"

	"tombolo/schema"
)

// Options adjusts the tests. The zero value is good for most schemas.
type Options struct {
	// Fixtures is the folder of what released versions left: locks and documents. "" stands for testdata/schema.
	Fixtures string
	// Seeds is how many simulations the fleet runs; 0 stands for 100. The flag -seeds goes first.
	Seeds int
	// Steps is how long each one is; 0 stands for 70.
	Steps int
	// Fleet is the versions of the simulated devices at their start: at least 3. nil stands for every version, and the newest once more. The
	// first device never gets another version.
	Fleet []int
	// Samples are values for fields in Go form, by the name of a field of the document ("fullName"), or by type and name ("Todo.due"). Where a field has some,
	// the tests use no others in it: give them for fields with a Check, or that a lens reads in a narrow form.
	Samples map[string][]any
	// From is the first seed. The flag -from goes first.
	From int
}

func (o Options) withDefaults(s *schema.Schema) Options {
	if o.Fixtures == "" {
		o.Fixtures = "testdata/schema"
	}
	if n := number("seeds"); n > 0 {
		o.Seeds = n
	}
	if n := number("from"); n > 0 {
		o.From = n
	}
	if o.Seeds == 0 {
		o.Seeds = 100
	}
	if o.Steps == 0 {
		o.Steps = 70
	}
	if len(o.Fleet) == 0 {
		for v := 1; v <= s.Newest(); v++ {
			o.Fleet = append(o.Fleet, v)
		}
		o.Fleet = append(o.Fleet, s.Newest())
	}
	for len(o.Fleet) < 3 {
		o.Fleet = append(o.Fleet, s.Newest())
	}
	return o
}

// check says what is wrong with options.
func (o Options) check(s *schema.Schema) error {
	for _, v := range o.Fleet {
		if v < 1 || v > s.Newest() {
			return fmt.Errorf("schematest: Options.Fleet has version %d, and the schema has versions 1 to %d", v, s.Newest())
		}
	}
	return nil
}

// Run runs all tests of a schema as subtests: [Locked], [Laws], [Fixtures], [Fleet] and [Failures].
func Run(t *testing.T, s *schema.Schema, o Options) {
	t.Helper()
	o = o.withDefaults(s)
	t.Run("Locked", func(t *testing.T) { Locked(t, s, o.Fixtures) })
	t.Run("Laws", func(t *testing.T) { Laws(t, s, o) })
	t.Run("Fixtures", func(t *testing.T) { Fixtures(t, s, o) })
	t.Run("Fleet", func(t *testing.T) { Fleet(t, s, o) })
	t.Run("Failures", func(t *testing.T) { Failures(t, s, o) })
}
