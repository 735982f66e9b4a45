// Command bench measures the engine's parts beside a floor or a peer, both in the same run, and prints the ratios. Machines differ and are busy:
// only ratios and counts say anything.
//
//	go run ./bench doc          a table
//	go run ./bench doc -json    one JSON object a row
//	go run ./bench schema       views of versions, beside reading and writing without
//	go run ./bench store        what lies below documents
//
// A row is {"work", "unit", "ours", "beside", "name", "ratio", "goal", "holds"}: medians of repeats, the ratio of ours to what stands beside, and whether
// it keeps to its goal. What cannot be measured here says so in "skipped". It ends with 1 when a goal is missed.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// row is one measurement.
type row struct {
	Work    string  `json:"work"`
	Unit    string  `json:"unit,omitempty"`
	Ours    float64 `json:"ours"`
	Beside  float64 `json:"beside"`
	Name    string  `json:"name"` // of what stands beside
	Ratio   float64 `json:"ratio"`
	Goal    float64 `json:"goal"` // the ratio may be at most this
	Holds   bool    `json:"holds"`
	Skipped string  `json:"skipped,omitempty"` // why there is no figure
}

// compare fills in what follows from the figures.
func (r row) compare() row {
	if r.Skipped == "" {
		r.Ratio = r.Ours / r.Beside
		r.Holds = r.Ratio <= r.Goal
	}
	return r
}

var benches = map[string]func(report func(row)) error{
	"doc":    benchDoc,
	"schema": benchSchema,
	"store":  benchStore,
}

func main() {
	if dir := os.Getenv(openVariable); dir != "" {
		if err := openAndTell(dir); err != nil {
			fmt.Fprintln(os.Stderr, "bench:", err)
			os.Exit(1)
		}
		return
	}
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(args []string, out io.Writer) error {
	var names []string
	for name := range benches {
		names = append(names, name)
	}
	slices.Sort(names)
	usage := fmt.Errorf("give one of: %s", strings.Join(names, ", "))
	if len(args) == 0 || benches[args[0]] == nil {
		return usage
	}
	flags := flag.NewFlagSet("bench "+args[0], flag.ContinueOnError)
	asJSON := flags.Bool("json", false, "one JSON object a row")
	if err := flags.Parse(args[1:]); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return usage
	}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	missed := 0
	err := benches[args[0]](func(r row) {
		r = r.compare()
		if r.Skipped == "" && !r.Holds {
			missed++
		}
		if *asJSON {
			b, err := json.Marshal(r)
			if err != nil {
				panic(err) // a row of our own
			}
			fmt.Fprintf(out, "%s\n", b)
			return
		}
		fmt.Fprintln(table, r.line())
	})
	if err != nil {
		return err
	}
	if err := table.Flush(); err != nil {
		return err
	}
	if missed > 0 {
		return fmt.Errorf("%d goals missed", missed)
	}
	return nil
}

func (r row) line() string {
	if r.Skipped != "" {
		return fmt.Sprintf("%s\tskipped: %s", r.Work, r.Skipped)
	}
	verdict := "holds"
	if !r.Holds {
		verdict = "MISSED"
	}
	return fmt.Sprintf("%s\t%.4g %s\tbeside %.4g (%s)\tratio %.3g\tgoal ≤ %.3g\t%s", r.Work, r.Ours, r.Unit, r.Beside, r.Name, r.Ratio, r.Goal, verdict)
}

// repeats is how often a thing is measured.
const repeats = 5

// median runs f some times and gives the middle of what it returned.
func median(f func() float64) float64 {
	all := make([]float64, repeats)
	for i := range all {
		all[i] = f()
	}
	return middle(all)
}

// middle is the median of figures.
func middle(all []float64) float64 {
	slices.Sort(all)
	return all[len(all)/2]
}

// micros is how many microseconds f takes per n things.
func micros(n int, f func()) float64 {
	begun := time.Now()
	f()
	return float64(time.Since(begun).Microseconds()) / float64(n)
}
