package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/automerge/automerge-go"

	"tombolo/doc/gate"
)

// The files that a run reads besides its own documents, below the module's directory.
const (
	fixtureDir = "doc/interop/testdata"   // documents and changes of the JavaScript library
	hostileDir = "../shared/data/hostile" // inputs that killed or poisoned the core
)

// moduleDir is the directory of go.mod, from here upwards.
func moduleDir() (string, error) {
	dir, err := os.Getwd()
	for err == nil {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		if filepath.Dir(dir) == dir {
			err = errors.New("no go.mod here or above; run this in the module")
			return "", err
		}
		dir = filepath.Dir(dir)
	}
	return "", err
}

// fixtures makes a seed of each document of the JavaScript library: of its changes (*.changes), or of the document (*.automerge) where
// there are none. A change that the gate refuses is a finding; the seed goes on without it and what builds on it.
func (c *corpus) fixtures(root string) error {
	n := 0
	err := walkFiles(filepath.Join(root, fixtureDir), func(path string, content []byte) error {
		s := &seed{name: filepath.Base(path)}
		var raws [][]byte
		switch ext := filepath.Ext(path); ext {
		case ".automerge":
			if _, err := os.Stat(strings.TrimSuffix(path, ext) + ".changes"); err == nil {
				return nil
			}
			d, err := automerge.Load(content)
			if err != nil {
				return fmt.Errorf("%s: the core does not load it: %w; make it again", path, err)
			}
			all, err := d.Changes()
			if err != nil {
				return err
			}
			for _, ch := range all {
				raws = append(raws, bytes.Clone(ch.Save()))
			}
		case ".changes":
			raws = chunks(content)
		default:
			return nil
		}
		n++
		a := newAdmission()
		for i, raw := range raws {
			_, err := a.add(raw)
			if _, follows := errors.AsType[*gate.MissingError](err); follows && len(c.refused) > 0 {
				continue
			}
			if err != nil {
				c.refused = append(c.refused, fmt.Sprintf("%s, change %d: %v", s.name, i, err))
				continue
			}
			s.raws = append(s.raws, raw)
		}
		c.seeds = append(c.seeds, s)
		return s.read()
	})
	c.note("documents of the JavaScript library", fixtureDir, n)
	return err
}

// hostiles makes a seed of each file that has changes.
func (c *corpus) hostiles(root string) error {
	n := 0
	err := walkFiles(filepath.Join(root, hostileDir), func(path string, content []byte) error {
		s := &seed{name: filepath.Base(path), hostile: chunks(content)}
		if len(s.hostile) == 0 {
			return nil
		}
		n++
		a := newAdmission()
		for _, raw := range s.hostile {
			if parsed, err := a.add(raw); err == nil {
				s.raws = append(s.raws, parsed.Raw)
			}
		}
		if err := s.read(); err != nil {
			return fmt.Errorf("%s: a change that was admitted cannot be taken apart: %w", path, err)
		}
		c.hostile = append(c.hostile, s)
		return nil
	})
	c.note("hostile files with changes", hostileDir, n)
	return err
}

func (c *corpus) note(what, dir string, n int) {
	if n == 0 {
		c.notes = append(c.notes, fmt.Sprintf("no %s (%s): going on without", what, dir))
		return
	}
	c.notes = append(c.notes, fmt.Sprintf("%d %s", n, what))
}

// walkFiles visits the files below dir in a fixed order; none when there is no such directory.
func walkFiles(dir string, visit func(path string, content []byte) error) error {
	return filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return visit(path, content)
	})
}

// chunks finds the changes in a file, wherever they stand: files of sync messages have them inside.
func chunks(content []byte) [][]byte {
	var out [][]byte
	for {
		at := bytes.Index(content, []byte(magic))
		if at < 0 {
			return out
		}
		content = content[at:]
		chunkType, _, rest, ok := unframe(content)
		if ok && chunkType != chunkDocument && len(content)-len(rest) <= gate.MaxChangeBytes {
			out = append(out, content[:len(content)-len(rest)])
			content = rest
			continue
		}
		content = content[len(magic):]
	}
}
