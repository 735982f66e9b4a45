//go:build race

package schematest_test

// slow is by how much fewer runs there are: the race detector makes each one some ten times as long, and they have one goroutine.
const slow = 10
