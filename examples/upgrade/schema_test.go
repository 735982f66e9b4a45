package main

import (
	"fmt"
	"testing"

	"tombolo/schema/schematest"
)

var options = schematest.Options{
	Samples: map[string][]any{"fullName": {"Ann Quinn", "Cher", "", " Zoe ", "Ann van der Quinn"}},
}

// What each release was tested with, as far as it left something behind in testdata: with -update it wrote down what was new in it.
func TestReleases(t *testing.T) {
	for n := 1; n <= issues.Newest(); n++ {
		t.Run(fmt.Sprint("v", n), func(t *testing.T) {
			schematest.Locked(t, issues.At(n), "testdata/schema")
			schematest.Fixtures(t, issues.At(n), options)
		})
	}
}

// What the authors of the app run before the next release.
func TestSchema(t *testing.T) {
	schematest.Run(t, issues, options)
}
