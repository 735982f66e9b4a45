package main

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
)

var kills = flag.Bool("kills", false, "kill every program at every step, one run for each: some minutes")

// The programs that the script starts are this binary.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && releases[os.Args[1]].edit != nil {
		if err := start(os.Args[1:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	// With -race a program would wait for a second before it ends, and the script ends some thirty.
	os.Setenv("GORACE", os.Getenv("GORACE")+" atexit_sleep_ms=0")
	os.Exit(m.Run())
}

// Every line is true, undisturbed and whoever is killed.
func TestUpgrade(t *testing.T) {
	chosen := []string{"", "1:Cem:early", "2:Ada:early", "4:Cem:late", "9:Ben:early"}
	if testing.Short() {
		chosen = chosen[:1]
	}
	if *kills {
		for _, k := range strikes() {
			chosen = append(chosen, k.String())
		}
	}
	want := ""
	for _, name := range chosen {
		t.Run("kill "+name, func(t *testing.T) {
			var k strike
			if name != "" {
				var err error
				if k, err = parseStrike(name); err != nil {
					t.Fatal(err)
				}
			}
			rows, err := run(t.Context(), t.TempDir(), k, t.Logf)
			if err != nil {
				t.Fatal(err)
			}
			got, holds := table(rows)
			if !holds {
				t.Errorf("not every line is true:\n%s", got)
			}
			if want == "" {
				want = got
			}
			if got != want {
				t.Errorf("the table is another one:\n%s\nnot\n%s", got, want)
			}
		})
	}
}

func TestTable(t *testing.T) {
	rows := []row{{says: "as it should be", holds: true}, {says: "otherwise", cells: [3]string{"done: true"}}}
	if text, holds := table(rows[:1]); !holds || !strings.Contains(text, "as it should be") {
		t.Errorf("%t\n%s", holds, text)
	}
	if text, holds := table(rows); holds || !strings.Contains(text, "done: true") {
		t.Errorf("%t\n%s", holds, text)
	}
}

func TestUsage(t *testing.T) {
	for _, args := range [][]string{{"v4"}, {"-kill", "4"}, {"-kill", "4:Dan:early"}, {"-kill", "99:Ada:late"}, {"-fast"}} {
		if err := start(args); err == nil {
			t.Errorf("%q was accepted", args)
		}
	}
}
