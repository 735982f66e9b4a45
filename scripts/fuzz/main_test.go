package main

import (
	"fmt"
	"os"
	"sync"
	"testing"
)

// TestMain lets the test program be the child that a campaign starts.
func TestMain(m *testing.M) {
	if o, ok := childOrder(); ok {
		if err := child(o); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(3)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// newCorpus is a corpus of its own.
func newCorpus() (*corpus, error) {
	root, err := moduleDir()
	if err != nil {
		return nil, err
	}
	return makeCorpus(root)
}

var shared = sync.OnceValues(newCorpus)

// testCorpus is what the tests here start from. They leave it as it was.
func testCorpus(t *testing.T) *corpus {
	t.Helper()
	c, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	return c
}
