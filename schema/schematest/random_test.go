package schematest_test

import (
	"cmp"
	"testing"

	"tombolo/schema/schematest"
)

// Random schemas are legal, and the same for the same seed; few steps had to be left out.
func TestRandom(t *testing.T) {
	refused := 0
	for seed := range 200 / slow {
		s := schematest.Random(seed)
		refused += schematest.RefusedSteps(seed)
		if s.Newest() < 2 || s.Newest() > 4 || s.Fingerprint(s.Newest()) != schematest.Random(seed).Fingerprint(s.Newest()) {
			t.Fatalf("seed %d: %d versions, or another schema the second time", seed, s.Newest())
		}
	}
	if refused > 200/slow {
		t.Errorf("%d steps were refused", refused)
	}
}

// The fleet over random schemas, one run each: go test ./schema/schematest -run FleetRandom -v -seeds 1000
func TestFleetRandom(t *testing.T) {
	seeds := cmp.Or(schematest.Number("seeds"), 60/slow)
	var sum schematest.Totals
	for seed := schematest.Number("from"); seed < schematest.Number("from")+seeds && sum.Failed < 4; seed++ {
		totals, failure := schematest.FleetOnce(t, schematest.Random(seed), seed)
		sum.Add(totals)
		if failure != "" {
			t.Errorf("seed %d: %s\nrepeat it with: go test ./schema/schematest -run FleetRandom -from %d -seeds 1", seed, failure, seed)
		}
	}
	t.Log(sum)
}
