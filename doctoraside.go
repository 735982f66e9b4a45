package tombolo

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"tombolo/doc/pack"
	"tombolo/persist"
	"tombolo/persist/badgerstore"
	"tombolo/persist/sealed"
)

// asideDir is a folder of store files that were put aside.
type asideDir struct {
	path, name string
}

// salvagedFile is written into it when everything that could be read of it is in the store. It lists the files there were, with their sizes.
const salvagedFile = "salvaged"

func putAside(dir string) (out []asideDir) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil
	}
	for _, entry := range entries {
		if strings.HasPrefix(entry.Name(), storeDir+".damaged-") {
			out = append(out, asideDir{filepath.Join(dir, entry.Name()), entry.Name()})
		}
	}
	// Logs that the store itself put aside before it shortened them.
	if path := filepath.Join(dir, storeDir, "damaged"); isDir(path) {
		out = append(out, asideDir{path, filepath.Join(storeDir, "damaged")})
	}
	return out
}

func isDir(path string) bool {
	st, err := os.Stat(path)
	return err == nil && st.IsDir()
}

// story is what the store itself wrote about it last; empty if nothing.
func (a asideDir) story() string {
	b, err := os.ReadFile(filepath.Join(a.path, "report"))
	if err != nil {
		return ""
	}
	lines := strings.Split(strings.TrimSpace(string(b)), "\n")
	return lines[len(lines)-1]
}

func (a asideDir) files() string {
	entries, err := os.ReadDir(a.path)
	if err != nil {
		return ""
	}
	var names []string
	for _, entry := range entries {
		if info, err := entry.Info(); err == nil && info.Mode().IsRegular() && entry.Name() != salvagedFile {
			names = append(names, fmt.Sprintf("%s %d\n", entry.Name(), info.Size()))
		}
	}
	slices.Sort(names)
	return strings.Join(names, "")
}

// ofDocuments matches files that have something of documents, or say something about it.
var ofDocuments = regexp.MustCompile(`\.sst|\.mem|MANIFEST|report`)

// salvaged reports whether there is nothing more to be found in it, or said about it: all of it has been searched, or it holds nothing of documents.
func (a asideDir) salvaged() bool {
	files := a.files()
	if !ofDocuments.MatchString(files) {
		return true
	}
	b, err := os.ReadFile(filepath.Join(a.path, salvagedFile))
	return err == nil && string(b) == files
}

// salvageDir is where records that were found in old files are put together. It is made and removed by one Repair.
const salvageDir = "store.salvage"

// withSalvaged calls use with a log of what can be read of a store's files, and says what could not be.
func (r *repair) withSalvaged(ctx context.Context, from string, keys *sealed.Keys, use func(*persist.Log) error) (unread []string, err error) {
	path := filepath.Join(r.dir, salvageDir)
	defer func() { err = errors.Join(err, os.RemoveAll(path)) }()
	inner, err := badgerstore.Open(path, &badgerstore.Options{Log: r.opts.Log})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, inner.Close()) }()
	store := sealedWith(keys, inner)
	log, err := persist.OpenLog(ctx, store, pack.New()) // which says in the store what it is
	if err != nil {
		return nil, err
	}
	if err := log.Close(); err != nil {
		return nil, err
	}
	if unread, err = collect(ctx, from, inner); err != nil {
		return unread, err
	}
	if log, err = persist.OpenLog(ctx, store, pack.New()); err != nil {
		return unread, err
	}
	err = use(log)
	return unread, errors.Join(err, log.Close())
}

// collect puts the newest version of each key that a store's files give into another store.
func collect(ctx context.Context, from string, to persist.Store) ([]string, error) {
	newest := map[string]uint64{}
	b := &persist.Batch{}
	unread, err := badgerstore.Salvage(ctx, from, func(s badgerstore.Salvaged) error {
		if !isRecord(s.Key) {
			return nil
		}
		if have, ok := newest[string(s.Key)]; ok && have >= s.Version {
			return nil
		}
		newest[string(s.Key)] = s.Version
		if b.Bytes()+len(s.Key)+len(s.Value)+persist.EntryCost > persist.MaxBatch/2 {
			if err := to.Apply(ctx, b); err != nil {
				return err
			}
			b = &persist.Batch{}
		}
		if s.Deleted {
			b.Delete(s.Key)
		} else {
			b.Put(s.Key, s.Value)
		}
		return nil
	})
	if err != nil || b.Len() == 0 {
		return unread, err
	}
	return unread, to.Apply(ctx, b)
}
