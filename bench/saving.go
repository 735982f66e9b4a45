package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/automerge/automerge-go"

	"tombolo"
	"tombolo/doc"
	"tombolo/doc/pack"
	"tombolo/internal/trace"
	"tombolo/persist"
	"tombolo/persist/badgerstore"
)

// reading compares the first read of a large document, in a program just started after a clean close, with the core's Load of it.
func reading(report func(row)) error {
	const edits = 100_000
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "tombolo-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	begin := func() (*tombolo.Engine, error) {
		return tombolo.Open(ctx, dir, &tombolo.Options{Offline: true, Save: tombolo.Coalesce{}})
	}
	e, err := begin()
	if err != nil {
		return err
	}
	url, saved, err := typedDocument(ctx, e, edits)
	if err = errors.Join(err, e.Close()); err != nil {
		return err
	}
	var failed error
	ours := median(func() float64 {
		e, err := begin()
		if err != nil {
			failed = err
			return 0
		}
		took := micros(1000, func() {
			var h *tombolo.Handle
			if h, err = e.Document(ctx, url); err == nil {
				_, err = h.Get("/text")
			}
		})
		failed = errors.Join(failed, err, e.Close())
		return took
	})
	beside := median(func() float64 {
		defer runtime.GC()
		return micros(1000, func() {
			if _, err := automerge.Load(saved); err != nil {
				failed = err
			}
		})
	})
	report(row{Work: "first read of a document of 100,000 changes after a start", Unit: "ms", Ours: ours, Beside: beside, Name: "core's Load of its file", Goal: 1.0 / 20})
	return failed
}

// typedDocument makes a document by typing and deleting characters, one change each, and gives it as a file too.
func typedDocument(ctx context.Context, e *tombolo.Engine, edits int) (doc.URL, []byte, error) {
	h, err := e.Home().Create(ctx, map[string]any{"text": doc.Text("")})
	if err != nil {
		return doc.URL{}, nil, err
	}
	length := 0
	for i := range edits {
		err = h.Change(ctx, "", func(tx *doc.Tx) error {
			switch {
			case i%10 == 9:
				length--
				return tx.Text("text").Splice(length/2, 1, "")
			case i%50 < 25:
				length++
				return tx.Text("text").Splice(length-1, 0, "a")
			}
			length++
			return tx.Text("text").Splice(length/2, 0, "b")
		})
		if err != nil {
			return doc.URL{}, nil, errors.Join(err, h.Close())
		}
	}
	saved, err := h.Export(ctx)
	return h.URL(), saved, errors.Join(err, h.Close())
}

// packing measures what packing costs someone who types, with every character durable before the next, and what stays on disk of it.
func packing(report func(row)) error {
	const edits = 12_000
	tr, err := trace.Load(os.Getenv("TOMBOLO_TRACE"))
	if err != nil {
		return err
	}
	ctx := context.Background()
	name := document(0)
	return logged(false, func(l *persist.Log) error {
		d, err := doc.New(doc.ID(name.Doc), rand.Reader)
		if err != nil {
			return err
		}
		last, loose := uint64(0), 0
		var packed time.Duration
		write := func(fn func(*doc.Tx) error) error {
			edited, err := d.Edit(doc.Note{Time: time.Unix(1_700_000_000, 0)}, fn)
			if err != nil || len(edited.Changes) == 0 {
				return err
			}
			a := persist.Append{After: last, Heads: plain(edited.Heads), HeadsHash: doc.HeadsHash(d.ID(), edited.Heads)}
			for _, c := range edited.Changes {
				a.Changes, loose = append(a.Changes, c.Raw), loose+len(c.Raw)
			}
			h, err := l.Append(ctx, name, a)
			last = h.Last
			return err
		}
		pack := func() error {
			begun := time.Now()
			err := l.Pack(ctx, name)
			packed, loose = packed+time.Since(begun), 0
			return err
		}
		begun := time.Now()
		if err := write(func(tx *doc.Tx) error { return tx.Set("t", doc.Text("")) }); err != nil {
			return err
		}
		for i := range edits {
			t := tr.Txns[i%len(tr.Txns)].Patches[0]
			if i >= len(tr.Txns) {
				t.At, t.Remove, t.Insert = 0, 0, "x"
			}
			if err := write(func(tx *doc.Tx) error { return tx.Text("t").Splice(t.At, t.Remove, t.Insert) }); err != nil {
				return err
			}
			if loose > 64<<10 { // as the engine does
				if err := pack(); err != nil {
					return err
				}
			}
		}
		if err := pack(); err != nil {
			return err
		}
		took := time.Since(begun) - packed
		sizes, err := l.Sizes(ctx, nil)
		if err != nil {
			return err
		}
		s := sizes.Docs[name]
		report(row{
			Work: "packing, in all, while 12,000 characters are typed", Unit: "ms", Ours: packed.Seconds() * 1000, Beside: took.Seconds() * 1000,
			Name: "making each durable", Goal: 0.05,
		})
		report(row{
			Work: "on disk of each of them, before caches", Unit: "B", Ours: float64(s.Sum()-s.Caches) / edits, Beside: 12, Name: "what it may take", Goal: 1,
		})
		return nil
	})
}

func plain(heads []doc.Hash) []persist.Hash {
	out := make([]persist.Hash, len(heads))
	for i, h := range heads {
		out[i] = h
	}
	return out
}

// residing compares the memory of an engine that has just opened 100,000 documents with what it may take. The engine has a process of its own,
// whose memory nothing else uses.
func residing(report func(row)) error {
	const documents = 100_000
	work := "resident after opening a device of 100,000 documents"
	if runtime.GOOS != "linux" {
		report(row{Work: work, Skipped: "it is read from /proc"})
		return nil
	}
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "tombolo-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	e, err := tombolo.Open(ctx, dir, &tombolo.Options{Offline: true})
	if err != nil {
		return err
	}
	home := e.Home().ID()
	if err := e.Close(); err != nil {
		return err
	}
	if err := fill(ctx, filepath.Join(dir, "store"), home, documents); err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	var failed error
	var seconds []float64
	megabytes := median(func() float64 {
		cmd := exec.Command(self)
		cmd.Env = append(os.Environ(), openVariable+"="+dir)
		cmd.Stderr = os.Stderr
		out, err := cmd.Output()
		var resident, took float64
		if err == nil {
			_, err = fmt.Sscan(string(out), &resident, &took)
		}
		failed = errors.Join(failed, err)
		seconds = append(seconds, took)
		return resident
	})
	report(row{Work: work, Unit: "MB", Ours: megabytes, Beside: 200, Name: "what it may take", Goal: 1})
	report(row{Work: "open a device of 100,000 documents", Unit: "s", Ours: middle(seconds), Beside: 3, Name: "what it may take", Goal: 1})
	return failed
}

// fill gives a store documents of one change each.
func fill(ctx context.Context, dir string, space doc.SpaceID, documents int) error {
	store, err := badgerstore.Open(dir, nil)
	if err != nil {
		return err
	}
	l, err := persist.OpenLog(ctx, store, pack.New())
	if err != nil {
		return errors.Join(err, store.Close())
	}
	var last *persist.Pending
	for i := range documents {
		name := document(i)
		name.Space = space
		heads := []persist.Hash{{byte(i), byte(i >> 8), byte(i >> 16)}}
		last = l.Submit(name, persist.Append{Changes: [][]byte{change}, Heads: heads, HeadsHash: heads[0], Meta: bytes.Repeat([]byte{1}, 40)})
		if i%1000 == 999 || i == documents-1 {
			if _, err := last.Wait(ctx); err != nil {
				break
			}
		}
	}
	_, err = last.Wait(ctx)
	return errors.Join(err, l.Close(), store.Close())
}

// openVariable names the directory that a process which residing starts is to open.
const openVariable = "TOMBOLO_BENCH_OPEN"

// openAndTell opens a device and prints the megabytes of memory that are then resident, and the seconds it took.
func openAndTell(dir string) error {
	begun := time.Now()
	e, err := tombolo.Open(context.Background(), dir, &tombolo.Options{Offline: true})
	if err != nil {
		return err
	}
	took := time.Since(begun)
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return errors.Join(err, e.Close())
	}
	_, after, _ := strings.Cut(string(status), "VmRSS:")
	fields := strings.Fields(after)
	if len(fields) == 0 {
		return errors.Join(errors.New("/proc/self/status does not say VmRSS"), e.Close())
	}
	kib, err := strconv.Atoi(fields[0])
	if err == nil {
		_, err = fmt.Println(float64(kib)*1024/1e6, took.Seconds())
	}
	return errors.Join(err, e.Close())
}
