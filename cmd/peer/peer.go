package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"tombolo"
	"tombolo/cmd/peer/internal/control"
)

// peer is one command line being carried out: what it reads and writes, and where its engine is.
type peer struct {
	in       io.Reader
	out, err io.Writer
	terminal bool             // out is a terminal
	progress control.Progress // tells a person how far this is
	told     told             // what tell showed
	args     []string
	now      func() time.Time
	engine   *tombolo.Engine // set in a node that carries out a client's command; nil in the client itself

	dir  string // --dir; before the flags are read, its default
	json bool   // --json

	secrets, environment secretFiles // what opens a sealed device: --passphrase-file and --key-file, and what stands for them
}

// usageError is a command line that cannot be understood.
type usageError struct{ error }

// exitStatus is the outcome of a command that the node carried out, and has reported already.
type exitStatus int

func (e exitStatus) Error() string { return fmt.Sprintf("exit status %d", int(e)) }

// execute carries out p.args and gives the exit code.
func (p *peer) execute(ctx context.Context) int {
	root := p.commands()
	root.SetArgs(slices.Concat([]string{}, p.args)) // cobra takes nil for the arguments of the process
	root.SetIn(p.in)
	root.SetOut(p.out)
	root.SetErr(p.err)
	err := root.ExecuteContext(ctx)
	p.toldAll()
	if err == nil {
		return exitOK
	}
	if status, ok := errors.AsType[exitStatus](err); ok {
		return int(status)
	}
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		err = context.Cause(ctx)
	}
	p.report(err)
	if _, ok := errors.AsType[usageError](err); ok {
		return exitUsage
	}
	return exitFailure
}

// report prints an error as one line.
func (p *peer) report(err error) {
	text := withoutPackages(strings.ReplaceAll(strings.TrimSpace(err.Error()), "\n", "; "))
	// The flags may not have been read when the command line is what is wrong.
	if p.json || slices.Contains(p.args, "--json") {
		writeJSON(p.err, struct {
			Error string `json:"error"`
		}{text})
		return
	}
	fmt.Fprintf(p.err, "peer: %s\n", printable(text))
}

// packageName is how errors of our packages begin: programmers want it, people at a shell do not.
var packageName = regexp.MustCompile(`(^|: |; )(?:(?:tombolo|doc|mirror|backup|core|gate|pack|persist|badgerstore|sealed|p2p|space|sync|value): )+`)

func withoutPackages(text string) string { return packageName.ReplaceAllString(text, "$1") }

// commands is the tree of commands. In a node that carries out a client's command it lacks those that need no engine or
// make one: clients do these themselves.
func (p *peer) commands() *cobra.Command {
	root := &cobra.Command{
		Use:               "peer",
		Short:             "Keep documents on this device and share them with your other devices",
		SilenceErrors:     true,
		SilenceUsage:      true,
		CompletionOptions: cobra.CompletionOptions{DisableDefaultCmd: true},
		Args:              usage(noCommand),
		RunE:              func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetFlagErrorFunc(wrongFlag)
	root.PersistentFlags().StringVar(&p.dir, "dir", p.dir, "the directory of this device's data")
	root.PersistentFlags().BoolVar(&p.json, "json", false, "print JSON")
	p.secretFlags(root)
	root.AddCommand(p.inviteCommand(), p.joinCommand(), p.docCommand(), p.statusCommand(), p.idCommand(),
		p.pauseCommand(), p.resumeCommand(), p.mirrorCommand(), p.statsCommand(), p.compactCommand(), p.doctorCommand(),
		p.backupCommand(), p.restoreCommand(), p.schemaCommand())
	if p.engine == nil {
		root.AddCommand(p.initCommand(), p.keyCommand(), p.verifyCommand(), p.forkCommand(), p.runCommand(), p.versionCommand())
	}
	return root
}

// wrongFlag says what is wrong with the flags of a command line.
func wrongFlag(cmd *cobra.Command, err error) error {
	if invalid, ok := errors.AsType[*pflag.InvalidValueError](err); ok {
		err = fmt.Errorf("--%s cannot be %q", invalid.GetFlag().Name, invalid.GetValue())
	} else if _, ok := errors.AsType[*pflag.NotExistError](err); ok {
		err = fmt.Errorf("%w; a value that begins with - goes after --", err)
	}
	return usageError{fmt.Errorf("%w; '%s --help' shows the flags", err, cmd.CommandPath())}
}

// usage makes what check finds wrong with the arguments a usage error.
func usage(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		err := check(cmd, args)
		if err == nil {
			return nil
		}
		if cmd.HasParent() && !cmd.HasSubCommands() {
			err = fmt.Errorf("the command is '%s %s', and it was given %s", cmd.Parent().CommandPath(), cmd.Use, count(len(args), "argument"))
		}
		return usageError{fmt.Errorf("%w; see '%s --help'", err, cmd.CommandPath())}
	}
}

// noCommand is for commands that only hold others.
func noCommand(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return fmt.Errorf("there is no command %q", cmd.CommandPath()+" "+args[0])
	}
	return nil
}

// hasDir checks that there is a directory to work on.
func (p *peer) hasDir() error {
	if p.dir == "" {
		return usageError{errors.New("no directory for this device's data: give one with --dir, or set HOME")}
	}
	return nil
}

// noDevice says that there is no device in p.dir, and what makes one.
func (p *peer) noDevice() error {
	return fmt.Errorf("there is no device in %s; make one with 'peer%s init', or choose another directory with --dir", p.dir, p.dirFlag())
}

// dataDir is where a user's data belongs; empty if nothing says so.
func dataDir(getenv func(string) string, goos string) string {
	// The XDG specification has relative paths ignored.
	if data := getenv("XDG_DATA_HOME"); filepath.IsAbs(data) {
		return filepath.Join(data, "tombolo")
	}
	home := getenv("HOME")
	switch {
	case home == "":
		return ""
	case goos == "darwin":
		return filepath.Join(home, "Library", "Application Support", "tombolo")
	default:
		return filepath.Join(home, ".local", "share", "tombolo")
	}
}
