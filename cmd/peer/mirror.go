package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"tombolo"
	"tombolo/cmd/peer/internal/control"
	"tombolo/mirror"
)

const (
	// pollFile and pollURL are how often a mirrored place is looked at.
	pollFile = time.Second
	pollURL  = 5 * time.Second
	// farewell is how long the last load and save may take when a mirror is interrupted.
	farewell = 10 * time.Second
)

// ways is what a mirror is to do.
type ways struct{ saveOnly, loadOnly, once bool }

func (p *peer) mirrorCommand() *cobra.Command {
	var how ways
	cmd := &cobra.Command{
		Use:   "mirror URL (FILE | HTTP-URL)",
		Short: "Keep a document and a file, or a web address, alike until interrupted",
		Long: `Keep a document and a file, or an http or https URL, alike until interrupted. Edits of the file go into the document, changes of the
document go into the file, and what happened on both sides is merged: nothing is overwritten. It is JSON as 'peer doc get' prints it, or
the document with its history where the name ends in .automerge. A file that does not parse is left alone until it does.

What was mirrored last is remembered in .NAME.tombolo beside the file, so an edit made while no mirror ran is merged as well. A web server
must give a strong ETag and heed If-Match, and is asked every 5 seconds.

Where a node runs it does the work, beside everything else. Without one the mirror has the directory for itself: other commands wait until
it ends, so start 'peer run' first.

Each load and each save is a line; with --json {"event":"load","place":"notes.json","bytes":N,"heads":[…]}, or "save", and "alike" when
both sides are alike for the first time. What does not work later is said once, and tried again.`,
		Example: `  peer mirror tombolo:… notes.json
  peer mirror tombolo:… https://example.com/notes.json --once`,
		Args: usage(cobra.ExactArgs(2)),
		PreRunE: func(_ *cobra.Command, args []string) error {
			switch {
			case how.saveOnly && how.loadOnly:
				return usageError{errors.New("--save-only and --load-only exclude each other; leave both out to do both")}
			case args[1] == "-" || args[1] == "":
				return usageError{errors.New("a mirror needs the name of a file, or a URL; 'peer doc export' and 'peer doc get' write to standard output")}
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&how.saveOnly, "save-only", false, "write the file, and never read edits from it")
	cmd.Flags().BoolVar(&how.loadOnly, "load-only", false, "read edits from the file, and never write it")
	cmd.Flags().BoolVar(&how.once, "once", false, "load and save once, and end")
	run := p.onEngine(existing, func(ctx context.Context, eng *tombolo.Engine, args []string) error {
		return withDocument(ctx, eng, args[0], func(h *tombolo.Handle) error { return p.mirror(ctx, eng, h, args[1], how) })
	})
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if p.engine == nil {
			var err error
			if args, err = p.fromHere(cmd, args, 1); err != nil {
				return err
			}
		}
		return run(cmd, args)
	}
	return cmd
}

// fromHere makes the paths of a command line mean the same files in a node, which has another working directory: that in args[i], unless it
// is a URL, and --dir. It gives the arguments, and sets the command line that is sent to the node.
func (p *peer) fromHere(cmd *cobra.Command, args []string, i int) ([]string, error) {
	args = slices.Clone(args)
	if !isURL(args[i]) {
		path, err := filepath.Abs(args[i])
		if err != nil {
			return nil, err
		}
		if err := hasParent(path); err != nil {
			return nil, err
		}
		args[i] = path
	}
	if cmd.Flags().Changed("dir") {
		dir, err := filepath.Abs(p.dir)
		if err != nil {
			return nil, err
		}
		p.dir = dir
	}
	line := strings.Fields(cmd.CommandPath())[1:]
	cmd.Flags().Visit(func(f *pflag.Flag) { line = append(line, "--"+f.Name+"="+f.Value.String()) })
	p.args = slices.Concat(line, []string{"--"}, args)
	return args, nil
}

// hasParent checks that there is a directory for a file.
func hasParent(file string) error {
	if _, err := os.Stat(filepath.Dir(file)); errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("there is no directory %s; make it first", filepath.Dir(file))
	}
	return nil
}

func isURL(place string) bool { return strings.Contains(place, "://") }

// place is what a document is mirrored to. A URL's state is kept with this device's data.
func (p *peer) place(eng *tombolo.Engine, h *tombolo.Handle, where string) (mirror.Place, *mirror.Options, error) {
	if !isURL(where) {
		return mirror.File(where), &mirror.Options{Poll: mirror.Every(pollFile)}, nil
	}
	place, err := mirror.URL(where, nil)
	if err != nil {
		return nil, nil, err
	}
	dir := filepath.Join(p.dir, "mirrors")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, nil, err
	}
	sum := sha256.Sum256([]byte(h.URL().String() + " " + where))
	name := hex.EncodeToString(sum[:16]) + ".json"
	state := hiddenState{eng, "mirrors/" + name, mirror.StateFile(filepath.Join(dir, name))}
	return place, &mirror.Options{Poll: mirror.Every(pollURL), State: state}, nil
}

// mirror keeps a document and a place alike.
func (p *peer) mirror(ctx context.Context, eng *tombolo.Engine, h *tombolo.Handle, where string, how ways) (err error) {
	place, opts, err := p.place(eng, h, where)
	if err != nil {
		return err
	}
	s := &mirrorShown{p: p, h: h, place: place.Name(), how: how}
	opts.OnDone, opts.OnError = s.done, func(err error) { s.tell(err) }
	m, err := mirror.New(h, place, opts)
	if err != nil {
		return err
	}
	defer func() {
		err = errors.Join(err, m.Close(), s.failed())
	}()
	if how.once {
		if err := both(ctx, m, how); err != nil {
			return s.explain(err)
		}
		return s.print("alike", 0)
	}
	if err := s.begin(ctx, m); err != nil {
		return err
	}
	<-ctx.Done()
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), farewell)
	defer cancel()
	if err := both(last, m, how); err != nil && !errors.Is(err, mirror.ErrNotThere) {
		return fmt.Errorf("interrupted, and the last changes were not mirrored: %w", s.explain(err))
	}
	if cause := context.Cause(ctx); !errors.Is(cause, control.ErrInterrupted) {
		return cause // the node stops; being interrupted is how a mirror ends well
	}
	return nil
}

// both loads and saves.
func both(ctx context.Context, m *mirror.Mirror, how ways) (err error) {
	for range 3 { // somebody may write between the two
		if !how.saveOnly {
			if err = m.Load(ctx); err != nil && (how.loadOnly || !errors.Is(err, mirror.ErrNotThere)) {
				return err
			}
		}
		if how.loadOnly {
			return nil
		}
		if err = m.Save(ctx); how.saveOnly || !errors.Is(err, mirror.ErrUnread) {
			return err
		}
	}
	return err
}

// mirrorShown prints what a mirror does. Its methods may be called from several goroutines.
type mirrorShown struct {
	p     *peer
	h     *tombolo.Handle
	place string
	how   ways

	mu   sync.Mutex
	said string // the error that was told last, until something works
	err  error  // of the output
}

// begin starts what goes on until the end. What is wrong with the content of the place is told, and waited for, and so is content where
// only that is read; everything else that is wrong at the beginning will not mend by itself.
func (s *mirrorShown) begin(ctx context.Context, m *mirror.Mirror) error {
	alike := true
	first := func(err error) error {
		if _, bad := errors.AsType[*mirror.BadError](err); bad || errors.Is(err, mirror.ErrNotThere) {
			alike = false
			s.tell(err)
			return nil
		}
		return s.explain(err)
	}
	if !s.how.saveOnly {
		if err := first(m.StartAutoLoad(ctx, nil)); err != nil {
			return err
		}
	}
	then := m.StartAutoSave
	if s.how.loadOnly {
		then = m.Load // says whether there is something
	}
	if err := first(then(ctx)); err != nil {
		return err
	}
	if !alike {
		return nil
	}
	return s.print("alike", 0)
}

// mirrored is one line about a mirror.
type mirrored struct {
	Event string   `json:"event"` // "load", "save", or "alike"
	Place string   `json:"place"`
	Bytes int      `json:"bytes,omitzero"`
	Heads []string `json:"heads"`
}

func (s *mirrorShown) done(d mirror.Done) {
	event := "save"
	if d.Loaded {
		event = "load"
	}
	err := s.print(event, d.Bytes)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.said, s.err = "", errors.Join(s.err, err)
}

func (s *mirrorShown) print(event string, bytes int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	line := mirrored{event, s.place, bytes, hexes(s.h.Heads())}
	return s.p.print(line, func(w io.Writer) {
		at, place := s.p.now().Format(time.TimeOnly), printable(s.place)
		switch event {
		case "load":
			fmt.Fprintf(w, "%s  loaded %s (%s) into the document\n", at, place, inBytes(uint64(bytes)))
		case "save":
			fmt.Fprintf(w, "%s  saved the document to %s (%s)\n", at, place, inBytes(uint64(bytes)))
		default:
			fmt.Fprintf(w, "%s  %s and the document are alike, heads %s\n", at, place, brief(s.h.Heads()))
			if !s.how.once {
				fmt.Fprintln(w, "Ctrl-C stops it.")
			}
		}
	})
}

// tell reports an error once in a row: loading and saving may both meet it.
func (s *mirrorShown) tell(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err = s.explain(err); err.Error() != s.said {
		s.said = err.Error()
		s.p.report(err)
	}
}

// explain says what helps in the words of this command.
func (s *mirrorShown) explain(err error) error {
	switch {
	case errors.Is(err, mirror.ErrUnread):
		return fmt.Errorf("somebody else wrote %s, and saving would overwrite that; leave --save-only out once, which merges it", s.place)
	case errors.Is(err, mirror.ErrNotThere):
		return fmt.Errorf("there is nothing at %s; leave --load-only out to have it written", s.place)
	}
	return err
}

// failed is what went wrong with the output.
func (s *mirrorShown) failed() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}
