package schematest

import (
	"flag"
	"strconv"
)

// The flags of the tests. Where a package that is initialised before this one has defined a flag of the name, that one counts, as far as it holds a value
// of the kind. A package that imports this one and wants such a flag itself looks it up likewise: defining it twice ends the process.
func init() {
	if flag.Lookup("update") == nil {
		flag.Bool("update", false, "schematest: write down versions that are new; what is released is never rewritten")
	}
	if flag.Lookup("seeds") == nil {
		flag.Int("seeds", 0, "schematest: how many seeds the fleet runs")
	}
	if flag.Lookup("from") == nil {
		flag.Int("from", 0, "schematest: the fleet's first seed")
	}
}

// updating says whether -update is given.
func updating() bool {
	f := flag.Lookup("update")
	return f != nil && f.Value.String() == "true"
}

// number is the value of a flag; 0 where it is no number.
func number(name string) int {
	if f := flag.Lookup(name); f != nil {
		if n, err := strconv.Atoi(f.Value.String()); err == nil {
			return n
		}
	}
	return 0
}
