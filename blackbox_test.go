package tombolo_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"tombolo"
	"tombolo/doc/core"
	"tombolo/persist"
)

// killer is a file that ends the process inside Automerge's core.
const killer = "doc/core/testdata/kills-load.bin"

func init() {
	// import opens an engine, makes a document and imports a file.
	children["import"] = func(args []string) error {
		ctx := context.Background()
		e, err := tombolo.Open(ctx, args[0], &tombolo.Options{Offline: true})
		if err != nil {
			return err
		}
		h, err := e.Home().Open(ctx, "list")
		if err != nil {
			return err
		}
		if err := h.Change(ctx, "", put("/n", 1)); err != nil {
			return err
		}
		saved, err := os.ReadFile(args[1])
		if err != nil {
			return err
		}
		_, err = e.Home().Import(ctx, "deadly", saved)
		return errors.Join(errors.New("the import came back"), err)
	}
}

// A file that ended the process is named at the next start and never read again; everything else works.
func TestDeathInTheCore(t *testing.T) {
	dir := t.TempDir()
	cmd := exec.Command(os.Args[0], dir, killer)
	cmd.Env = append(os.Environ(), "TOMBOLO_CHILD=import")
	out, err := cmd.CombinedOutput()
	if _, ok := errors.AsType[*exec.ExitError](err); !ok || !strings.Contains(string(out), "SIGABRT") {
		t.Fatalf("the child ended otherwise: %v\n%s", err, out)
	}
	saved, err := os.ReadFile(killer)
	must(t, err)

	log, heard := listen()
	e := open(t, dir, tombolo.Options{Offline: true, Log: log})
	heard.says(t, "the last process ended while Automerge's core was reading a document", "this device")
	home := e.Home().ID()
	for start := range 2 {
		_, err = e.Home().Import(t.Context(), "again", saved)
		kept, ok := errors.AsType[*tombolo.QuarantinedError](err)
		if !ok || kept.Space != home || kept.Hash != core.Digest(saved) || kept.Since.IsZero() || !strings.Contains(err.Error(), "Pardon") {
			t.Fatalf("start %d, import what killed: %v", start, err)
		}
		h, err := e.Home().Open(t.Context(), "list")
		must(t, err)
		if got := text(t, h); got != `{"n":1}` {
			t.Errorf("the document is %s", got)
		}
		good, err := h.Export(t.Context())
		must(t, err)
		copied, err := e.Home().Import(t.Context(), "", good)
		must(t, err)
		must(t, errors.Join(copied.Close(), h.Close()))
		must(t, e.Close())
		e = open(t, dir, tombolo.Options{Offline: true})
	}
}

// Whoever knows that something else ended the process can let bytes through again.
func TestPardon(t *testing.T) {
	dir := t.TempDir()
	e := open(t, dir, tombolo.Options{Offline: true})
	h, err := e.Home().Create(t.Context(), map[string]any{"n": 1})
	must(t, err)
	saved, err := h.Export(t.Context())
	must(t, err)
	must(t, errors.Join(h.Close(), e.Close()))
	box, _, err := core.OpenBox(filepath.Join(dir, "blackbox"))
	must(t, err)
	must(t, box.Before(core.Entry{Hash: core.Digest(saved), From: "phone"})) // a process that was killed then
	must(t, box.Close())

	e = open(t, dir, tombolo.Options{Offline: true})
	_, err = e.Home().Import(t.Context(), "", saved)
	kept, ok := errors.AsType[*tombolo.QuarantinedError](err)
	if !ok || kept.From != "phone" || !strings.Contains(err.Error(), "from phone") {
		t.Fatalf("import what was noted: %v", err)
	}
	must(t, e.Pardon(t.Context(), kept.Hash))
	h, err = e.Home().Import(t.Context(), "", saved)
	must(t, err)
	must(t, h.Close())
	must(t, e.Close())
	if err := e.Pardon(t.Context(), kept.Hash); !errors.Is(err, tombolo.ErrClosed) {
		t.Errorf("pardon after Close: %v", err)
	}
	e = open(t, dir, tombolo.Options{Offline: true})
	h, err = e.Home().Import(t.Context(), "", saved)
	must(t, err)
	must(t, h.Close())
}

// A black box that cannot be opened keeps the engine from opening.
func TestNoBlackBox(t *testing.T) {
	dir := t.TempDir()
	must(t, os.Mkdir(filepath.Join(dir, "blackbox"), 0o700))
	_, err := tombolo.Open(t.Context(), dir, &tombolo.Options{Offline: true, Store: newDisk()})
	if err == nil || !strings.Contains(err.Error(), "black box") {
		t.Errorf("open: %v", err)
	}
}

// noQuarantine is a disk that keeps everything but the quarantine.
type noQuarantine struct{ *disk }

func (d noQuarantine) Apply(ctx context.Context, b *persist.Batch) error {
	for op := range b.Ops() {
		if bytes.HasPrefix(op.Key, []byte("xquarantine/")) {
			return errDisk
		}
	}
	return d.disk.Apply(ctx, b)
}

// What a process died of is not forgotten when the disk refuses it: the next start finds it again.
func TestQuarantineIsNotLost(t *testing.T) {
	d, dir := newDisk(), t.TempDir()
	saved := []byte("what it died of")
	box, _, err := core.OpenBox(filepath.Join(dir, "blackbox"))
	must(t, err)
	must(t, box.Before(core.Entry{Hash: core.Digest(saved)}))
	must(t, box.Close())
	if _, err := tombolo.Open(t.Context(), dir, &tombolo.Options{Offline: true, Store: noQuarantine{d}}); !errors.Is(err, errDisk) {
		t.Fatalf("open on a disk that keeps no quarantine: %v", err)
	}
	log, heard := listen()
	e := open(t, dir, tombolo.Options{Offline: true, Store: d, Log: log})
	heard.says(t, "the last process ended")
	if err := e.Pardon(t.Context(), core.Digest(saved)); err != nil {
		t.Errorf("pardon: %v", err)
	}
	must(t, e.Close())

	must(t, os.WriteFile(filepath.Join(dir, "blackbox"), bytes.Repeat([]byte{1}, 512), 0o600))
	log, heard = listen()
	e = open(t, dir, tombolo.Options{Offline: true, Store: noQuarantine{d}, Log: log})
	heard.says(t, "the black box was damaged")
	if err := e.Pardon(t.Context(), core.Digest(saved)); !errors.Is(err, errDisk) {
		t.Errorf("pardon on a disk that refuses it: %v", err)
	}
	must(t, e.Close())

	var b persist.Batch
	b.Put(append([]byte("xquarantine/"), make([]byte, 32)...), []byte{9})
	must(t, d.Store.Apply(t.Context(), &b))
	if _, err := tombolo.Open(t.Context(), dir, &tombolo.Options{Offline: true, Store: d}); err == nil || !strings.Contains(err.Error(), "update this program") {
		t.Errorf("open with a quarantine of a later version: %v", err)
	}
}
