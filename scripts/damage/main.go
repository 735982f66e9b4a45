// Command damage spoils every kind of file in a device's directory in every way, and looks what becomes of it.
//
//	go run ./scripts/damage              # the table for docs/operations.md
//	go run ./scripts/damage -json        # one line a cell
//	go run ./scripts/damage -only 'sst|identity'
//
// Two devices are made with the real program, on loopback, and share documents: most lie in tables of A's store, some only in its log, since A was
// killed. Then for each file and each damage (a flipped bit at three places, truncation, zeros, removal) A's directory is put back as it was,
// damaged, and taken through two stories:
//
//	doctor: 'peer doctor' must complain, or every document must be there; 'peer doctor --repair'; 'peer run' beside B until A has what B has
//	run: 'peer run' at once, beside B; it starts and gets what B has, or says what to do
//
// It ends with exit code 1 when damage went unnoticed while something was missing, or when a document did not come back. The identity is the one
// file that B does not have.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"time"
)

func main() {
	program := flag.String("peer", "", "the peer program to test (default: built from ./cmd/peer)")
	only := flag.String("only", "", "only cells whose file and damage match this regular expression")
	asJSON := flag.Bool("json", false, "print JSON, a line for each cell")
	large := flag.Int("large", 16, "documents of 1 MiB that lie in tables")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	pattern, err := regexp.Compile(*only)
	if err != nil {
		fmt.Fprintln(os.Stderr, "damage:", err)
		os.Exit(2)
	}
	dir, err := os.MkdirTemp("", "tombolo-damage")
	if err == nil {
		t := &trial{dir: dir, program: *program, large: *large}
		err = t.run(ctx, pattern, *asJSON)
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "damage: %v (directories in %s)\n", err, dir)
		os.Exit(1)
	}
	if err := os.RemoveAll(dir); err != nil {
		fmt.Fprintf(os.Stderr, "damage: remove %s: %v\n", dir, err)
		os.Exit(1)
	}
}

// trial is the two devices and what they have.
type trial struct {
	dir, program string
	large        int
	a, b         *node
	master       snapshot
	want         versions
}

// patience is how long a device may take to get what the other has.
const patience = time.Minute

// cell is one kind of file, and what became of one damage to it.
type cell struct {
	File    string  `json:"file"`
	Damage  string  `json:"damage"`
	Tried   int     `json:"tried"` // files and places
	Doctor  outcome `json:"doctor"`
	Run     outcome `json:"run"`
	Missing bool    `json:"missing"` // without a word, documents were not there
	Healed  bool    `json:"healed"`  // in each case A had everything that B has in the end
	Reason  string  `json:"reason,omitempty"`
}

// outcome is what was said in one of the stories. Of several cases the one with the most to say counts.
type outcome struct {
	Noticed bool   `json:"noticed"`
	Message string `json:"message,omitempty"`
	Kept    int    `json:"kept"` // documents A had by itself afterwards, at the least
}

func (t *trial) run(ctx context.Context, only *regexp.Regexp, asJSON bool) (err error) {
	defer func() {
		for _, n := range []*node{t.a, t.b} {
			if n != nil && n.process != nil {
				err = errors.Join(err, n.kill())
			}
		}
	}()
	if err := t.prepare(ctx); err != nil {
		return fmt.Errorf("prepare: %w", err)
	}
	var cells []cell
	failed := 0
	for _, kind := range kinds {
		for _, d := range damages {
			if !only.MatchString(kind.name + " " + d.name) {
				continue
			}
			c, err := t.try(ctx, kind, d)
			if err != nil {
				return fmt.Errorf("%s, %s: %w", kind.name, d.name, err)
			}
			cells = append(cells, c)
			if c.Missing || !c.Healed && c.Tried > 0 {
				failed++
			}
			if asJSON {
				err = json.NewEncoder(os.Stdout).Encode(c)
			} else {
				fmt.Fprintf(os.Stderr, "%-12s %-10s tried %d, noticed %t/%t, kept %d of %d, healed %t %s\n", c.File, c.Damage, c.Tried, c.Doctor.Noticed,
					c.Run.Noticed, c.Doctor.Kept, len(t.want), c.Healed, c.Reason)
			}
			if err != nil {
				return err
			}
		}
	}
	if !asJSON {
		printTable(os.Stdout, cells, len(t.want))
	}
	if failed > 0 {
		return fmt.Errorf("%d of %d cells failed", failed, len(cells))
	}
	return nil
}

// prepare makes both devices and their documents, and takes A's directory as it lies after a kill.
func (t *trial) prepare(ctx context.Context) error {
	if t.program == "" {
		t.program = filepath.Join(t.dir, "peer")
		if out, err := exec.CommandContext(ctx, "go", "build", "-o", t.program, "./cmd/peer").CombinedOutput(); err != nil {
			return fmt.Errorf("build ./cmd/peer (run this in the module's root): %w\n%s", err, out)
		}
	}
	for _, name := range []string{"a", "b"} {
		n := &node{name: name, program: t.program, dir: filepath.Join(t.dir, name), listen: "/ip4/127.0.0.1/tcp/0"}
		if err := errors.Join(n.command(ctx, nil, "", "init", "--name", name), n.start(ctx)); err != nil {
			return err
		}
		if t.a == nil {
			t.a = n
		} else {
			t.b = n
		}
	}
	var invitation struct{ Link string }
	if err := t.a.command(ctx, &invitation, "", "invite"); err != nil {
		return err
	}
	if err := t.b.command(ctx, nil, "", "join", invitation.Link); err != nil {
		return err
	}
	for i := range t.large { // random, so that it fills tables
		if err := t.a.command(ctx, nil, largeDocument(i), "doc", "create", "-"); err != nil {
			return err
		}
	}
	for i := range 20 {
		if err := t.a.command(ctx, nil, fmt.Sprintf(`{"settled":%d}`, i), "doc", "create", "-"); err != nil {
			return err
		}
	}
	if err := errors.Join(t.a.stop(), t.a.start(ctx)); err != nil { // now they lie in tables
		return err
	}
	for i := range 20 {
		if err := t.a.command(ctx, nil, fmt.Sprintf(`{"loose":%d}`, i), "doc", "create", "-"); err != nil {
			return err
		}
	}
	want, err := t.a.versions(ctx)
	if err != nil {
		return err
	}
	t.want = want
	if err := t.b.wait(ctx, want); err != nil {
		return err
	}
	if err := t.a.kill(); err != nil {
		return err
	}
	t.master, err = takeSnapshot(t.a.dir, filepath.Join(t.dir, "identity"))
	return err
}
