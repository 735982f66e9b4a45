package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"golang.org/x/term"
	"golang.org/x/text/unicode/norm"

	"tombolo/cmd/peer/internal/control"
)

// maxSecret is the longest first line of a passphrase file, in bytes.
const maxSecret = 4096

var (
	errDifferent = errors.New("the two entries differ; try again")
	errNoSecret  = errors.New("it is empty; give a passphrase")
)

// secret gives a passphrase or another secret that a person knows: the first line of file, without its end, or with file "" what a person types
// on the terminal, which does not show it. prompt says what is asked for, such as "Passphrase of the backup", and flags which flags name such a
// file, for where there is no terminal; twice asks again, for a secret that is set. Letters with accents are brought to one form (Unicode NFC), so that a secret is the same on every system. Only the client calls it: a
// node has another working directory and no terminal.
func (p *peer) secret(file, prompt, flags string, twice bool) ([]byte, error) {
	if file != "" {
		s, err := readSecret(file)
		if err != nil {
			return nil, fmt.Errorf("read the secret in %s: %w", file, err)
		}
		return s, nil
	}
	in, ok := p.in.(*os.File)
	if !ok || !term.IsTerminal(int(in.Fd())) {
		return nil, fmt.Errorf("%s: there is no terminal to ask on; write it to a file that only you can read, and name that with %s", prompt, flags)
	}
	s, err := p.ask(in, prompt)
	if err != nil {
		return nil, err
	}
	if !twice {
		return s, nil
	}
	again, err := p.ask(in, "Again")
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(s, again) {
		return nil, fmt.Errorf("%s: %w", prompt, errDifferent)
	}
	return s, nil
}

// readSecret reads the first line of a file, which may be a pipe.
func readSecret(file string) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, withoutPath(err)
	}
	defer f.Close()
	line, err := bufio.NewReader(io.LimitReader(f, maxSecret+1)).ReadBytes('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, withoutPath(err)
	}
	if len(line) > maxSecret {
		return nil, fmt.Errorf("its first line has more than %d bytes; a passphrase is shorter", maxSecret)
	}
	return tidySecret(line)
}

// withoutPath is err without the path, which the caller names.
func withoutPath(err error) error {
	if e, ok := errors.AsType[*os.PathError](err); ok {
		return e.Err
	}
	return err
}

func tidySecret(line []byte) ([]byte, error) {
	line = norm.NFC.Bytes(bytes.TrimRight(line, "\r\n"))
	if len(line) == 0 {
		return nil, errNoSecret
	}
	return line, nil
}

// ask has a person type one line. Ctrl-C ends it, and the terminal shows again what is typed.
func (p *peer) ask(in *os.File, prompt string) ([]byte, error) {
	fd := int(in.Fd())
	before, err := term.GetState(fd)
	if err != nil {
		return nil, fmt.Errorf("%s: ask on the terminal: %w; use --passphrase-file", prompt, err)
	}
	interrupted := make(chan os.Signal, 1)
	signal.Notify(interrupted, os.Interrupt, syscall.SIGTERM)
	defer signal.Stop(interrupted)
	fmt.Fprintf(p.err, "%s: ", strings.TrimSuffix(prompt, ":"))
	defer fmt.Fprintln(p.err)

	type answer struct {
		line []byte
		err  error
	}
	answers := make(chan answer, 1)
	// Nothing ends a read of a terminal. After Ctrl-C it is left behind, and the process is about to end.
	go func() {
		line, err := term.ReadPassword(fd)
		answers <- answer{line, err}
	}()
	select {
	case a := <-answers:
		if a.err != nil {
			return nil, fmt.Errorf("%s: read from the terminal: %w; use --passphrase-file", prompt, a.err)
		}
		s, err := tidySecret(a.line)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", prompt, err)
		}
		return s, nil
	case <-interrupted:
		return nil, errors.Join(control.ErrInterrupted, term.Restore(fd, before))
	}
}
