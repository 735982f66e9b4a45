package badgerstore

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/dgraph-io/badger/v4"
	"github.com/dgraph-io/badger/v4/options"
	"github.com/dgraph-io/badger/v4/table"
)

// readers is how many tables are read at once before opening. One reader does
// about 500 MB a second, and opening should not take all processors.
const readers = 2

// survey is what lies in a store's directory, and what is missing in it. It is
// made before Badger opens the store, and changes nothing.
type survey struct {
	dir    string
	tables []*tableFile // by number; those MANIFEST lists and those it does not
	wals   []wal        // oldest first
	torn   bool         // the last record of MANIFEST is cut off
	none   bool         // there is no MANIFEST

	inTables uint64 // the highest commit number in the listed tables
	newest   uint64 // the number of the last commit that Badger will find
	unknown  bool   // newest may be too low: where it stood does not read
	side     uint64 // the number in the file beside; 0 when there is none
	sideErr  error
	lost     uint64 // commits that were acknowledged and are missing
}

// look surveys dir. Its errors are of the file system, or a *DamagedError for a
// store that Badger would lose data of, or end the process.
func look(dir string) (*survey, error) {
	v := &survey{dir: dir}
	if err := v.readManifest(); err != nil {
		return nil, err
	}
	v.readTables()
	if err := v.readWALs(); err != nil {
		return nil, err
	}
	v.side, v.sideErr = readCommits(dir)
	if _, known := noFile(v.sideErr); v.sideErr != nil && !known {
		return nil, v.sideErr
	}
	v.count()
	return v, v.refuse()
}

// readManifest fills tables with those that MANIFEST lists, and with the others.
func (v *survey) readManifest() error {
	paths, err := filepath.Glob(filepath.Join(globSafe(v.dir), "*.sst"))
	if err != nil {
		return err
	}
	f, err := os.Open(filepath.Join(v.dir, badger.ManifestFilename))
	var listed map[uint64]badger.TableManifest
	switch {
	case errors.Is(err, fs.ErrNotExist):
		v.none = true
	case err != nil:
		return err
	default:
		defer f.Close()
		m, end, err := badger.ReplayManifestFile(f, 0, badger.DefaultOptions(v.dir).WithLogger(nil))
		if err != nil {
			return &DamagedError{v.dir, badger.ManifestFilename, fmt.Sprintf("the list of its tables does not read: %v", err)}
		}
		info, err := f.Stat()
		if err != nil {
			return err
		}
		listed, v.torn = m.Tables, end < info.Size()
	}
	for id, m := range listed {
		v.tables = append(v.tables, &tableFile{
			path: table.NewFilename(id, v.dir), id: id, level: m.Level, codec: m.Compression, listed: true,
		})
	}
	for _, path := range paths {
		id, ok := table.ParseFileID(path)
		if _, known := listed[id]; known || !ok {
			continue
		}
		v.tables = append(v.tables, &tableFile{path: path, id: id, codec: options.Snappy})
	}
	slices.SortFunc(v.tables, func(a, b *tableFile) int { return int(int64(a.id) - int64(b.id)) })
	return nil
}

// readTables reads all of every table.
func (v *survey) readTables() {
	todo := make(chan *tableFile)
	var wg sync.WaitGroup
	for range min(readers, len(v.tables)) {
		wg.Go(func() {
			for t := range todo {
				t.read()
			}
		})
	}
	for _, t := range v.tables {
		todo <- t
	}
	close(todo)
	wg.Wait()
}

func (v *survey) readWALs() error {
	paths, err := filepath.Glob(filepath.Join(globSafe(v.dir), "*.mem"))
	if err != nil {
		return err
	}
	slices.SortFunc(paths, func(a, b string) int { // by number, which has five digits or more
		if len(a) != len(b) {
			return len(a) - len(b)
		}
		return strings.Compare(a, b)
	})
	for _, path := range paths {
		w, err := readWAL(path)
		if err != nil {
			return &DamagedError{v.dir, filepath.Base(path), fmt.Sprintf("what was written last does not read: %v", err)}
		}
		if w.length > 0 { // else removeEmpty takes it away
			v.wals = append(v.wals, w)
		}
	}
	return nil
}

// count follows the commit numbers through the tables and the logs to the file
// beside them, and adds up what is missing on the way.
func (v *survey) count() {
	for _, t := range v.tables {
		if t.listed {
			v.inTables = max(v.inTables, t.commit)
			v.unknown = v.unknown || t.noCommit
		}
	}
	v.newest = v.inTables
	for _, w := range v.wals {
		if w.first == 0 {
			continue
		}
		if w.first > v.newest+1 && !v.unknown {
			v.lost += w.first - v.newest - 1
		}
		v.newest, v.unknown = max(v.newest, w.last), false
	}
	want := v.side
	for _, w := range v.wals {
		// The write that a crash interrupted may be there in parts; nobody was
		// told that it was done. What lies behind it is no part of it.
		if w.beyond > 0 {
			want = max(want, w.beyond-1)
		}
	}
	if want > v.newest && !v.unknown {
		v.lost += want - v.newest
	}
}

// refuse returns a *DamagedError when opening would make things worse.
func (v *survey) refuse() error {
	var others int
	for _, t := range v.tables {
		if !t.listed {
			others++
			continue
		}
		name := filepath.Base(t.path)
		switch {
		case errors.Is(t.err, fs.ErrNotExist):
			return &DamagedError{v.dir, name, "this table is missing (or MANIFEST, which lists it, is an old one)"}
		case t.err != nil:
			return &DamagedError{v.dir, name, fmt.Sprintf("this table does not read: %v", t.err)}
		case t.bad() == len(t.blocks):
			return &DamagedError{v.dir, name, "nothing in this table reads"}
		}
	}
	if v.none && others > 0 {
		return &DamagedError{v.dir, badger.ManifestFilename, fmt.Sprintf("the list of its %d tables is missing", others)}
	}
	// Badger deletes tables that MANIFEST does not list. A crash while tables
	// are merged or written leaves some, and what is in them is elsewhere too.
	for _, t := range v.tables {
		if !t.listed && (t.commit > v.newest || v.lost > 0 && t.commit > v.inTables) {
			return &DamagedError{v.dir, badger.ManifestFilename, fmt.Sprintf(
				"the list of its tables lacks %s, which has later commits than those it names", filepath.Base(t.path))}
		}
	}
	if counted := v.newest > 0 || v.side > 0; v.torn && others > 0 && (!counted || v.lost > 0) {
		return &DamagedError{v.dir, badger.ManifestFilename, fmt.Sprintf(
			"the list of its tables is torn and names %d of %d", len(v.tables)-others, len(v.tables))}
	}
	return nil
}
