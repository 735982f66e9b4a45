//go:build !race

package schematest_test

const slow = 1
