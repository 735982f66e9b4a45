package schematest

import (
	"testing"

	"tombolo/schema"
)

// RefusedSteps is how many steps a random schema refused while it was made.
func RefusedSteps(seed int) int {
	_, n := random(seed)
	return n
}

// Number is the value of a flag of the package.
func Number(name string) int { return number(name) }

// FleetOnce is one run of the fleet.
func FleetOnce(t *testing.T, s *schema.Schema, seed int) (Totals, string) {
	t.Helper()
	o := Options{}.withDefaults(s)
	sh, err := shapeOf(s)
	if err != nil {
		t.Fatal(err)
	}
	totals, err := simulate(sh, o, seed)
	if err != nil {
		return totals, shrink(sh, o, seed, err)
	}
	return totals, ""
}

// Add adds totals.
func (t *Totals) Add(o Totals) { t.add(o) }
