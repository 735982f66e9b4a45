package gate_test

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"testing"

	"github.com/automerge/automerge-go"

	"tombolo/doc/gate"
)

// coreEnv makes the test binary a child that tries documents on the core, which ends the process over some of them.
const coreEnv = "GATE_TEST_CORE"

func TestMain(m *testing.M) {
	if os.Getenv(coreEnv) != "" {
		if err := tryAll(os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// tryAll reads documents, each the number of its changes and these with their lengths, and prints a verdict line for each.
func tryAll(in io.Reader, out io.Writer) error {
	r := bufio.NewReader(in)
	for {
		n, err := binary.ReadUvarint(r)
		if errors.Is(err, io.EOF) {
			return nil
		}
		var raws [][]byte
		for range n {
			size, err := binary.ReadUvarint(r)
			if err != nil {
				return err
			}
			raw := make([]byte, size)
			if _, err := io.ReadFull(r, raw); err != nil {
				return err
			}
			raws = append(raws, raw)
		}
		verdict := "ok"
		if err := try(raws); err != nil {
			verdict = err.Error()
		}
		if _, err := fmt.Fprintf(out, "%q\n", verdict); err != nil {
			return err
		}
	}
}

// try loads plain changes into the core, one by one, reads, saves and loads again: the same changes, byte for byte, must be there each
// time, also after one more edit.
func try(raws [][]byte) error {
	d := automerge.New()
	same := func(d *automerge.Doc, when string) error {
		for i, raw := range raws {
			h, err := automerge.NewChangeHash(gate.HashOf(raw).String())
			if err != nil {
				return err
			}
			ch, err := d.Change(h)
			if err != nil {
				return fmt.Errorf("%s: change %d is not there: %w", when, i, err)
			}
			saved := ch.Save()
			if body := bodyOf(saved); saved[8] == 2 {
				saved = frame(1, inflated(body), inflated(body))
			}
			if !bytes.Equal(saved, raw) {
				return fmt.Errorf("%s: change %d has other bytes", when, i)
			}
		}
		return nil
	}
	for i, raw := range raws {
		if err := d.LoadIncremental(raw); err != nil {
			return fmt.Errorf("load change %d: %w", i, err)
		}
	}
	if err := same(d, "at first"); err != nil {
		return err
	}
	heads := d.Heads()
	_ = d.Root().Interface()
	again, err := automerge.Load(d.Save())
	if err != nil {
		return fmt.Errorf("load again: %w", err)
	}
	if !slices.Equal(again.Heads(), heads) {
		return errors.New("other heads after loading again")
	}
	if err := same(again, "loaded again"); err != nil {
		return err
	}
	if err := again.Path("one more").Set(true); err != nil {
		return fmt.Errorf("one more edit: %w", err)
	}
	if _, err := again.Commit(""); err != nil {
		return fmt.Errorf("commit one more edit: %w", err)
	}
	third, err := automerge.Load(again.Save())
	if err != nil {
		return fmt.Errorf("load a third time: %w", err)
	}
	return same(third, "loaded a third time")
}

// core is the verdict of the core on each document: "ok", what went wrong, or "died".
func core(t testing.TB, docs ...[][]byte) []string {
	t.Helper()
	var verdicts []string
	for len(verdicts) < len(docs) {
		var in []byte
		for _, raws := range docs[len(verdicts):] {
			in = binary.AppendUvarint(in, uint64(len(raws)))
			for _, raw := range raws {
				in = append(binary.AppendUvarint(in, uint64(len(raw))), raw...)
			}
		}
		child := exec.Command(os.Args[0])
		child.Env = append(os.Environ(), coreEnv+"=1", "GORACE=atexit_sleep_ms=0") // the race detector makes every exit wait a second
		child.Stdin = bytes.NewReader(in)
		var said bytes.Buffer
		child.Stderr = &said
		out, err := child.Output()
		for line := range bytes.Lines(out) {
			var verdict string
			if _, err := fmt.Sscanf(string(line), "%q", &verdict); err != nil {
				t.Fatalf("%q: %v", line, err)
			}
			verdicts = append(verdicts, verdict)
		}
		if err != nil {
			verdicts = append(verdicts, "died: "+said.String())
		}
	}
	return verdicts
}
