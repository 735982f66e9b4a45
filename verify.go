package tombolo

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

	"tombolo/doc"
	"tombolo/doc/pack"
	"tombolo/persist"
	"tombolo/persist/backup"
	"tombolo/persist/memstore"
)

// BackupReport is what checking a backup found.
type BackupReport struct {
	BackupSummary
	Changes uint64        `json:"changes"` // of all documents that are whole
	Damaged []DamagedCopy `json:"damaged"` // documents that do not read, or not as they were; empty when all is well
}

// DamagedCopy is a document of a backup that is not whole: it was damaged in the store that the backup was made of. Or it is too large to be taken into
// memory, which Why says then.
type DamagedCopy struct {
	URL doc.URL `json:"url"`
	Why string  `json:"why"`
}

// VerifyBackup reads a backup to its end, which [UnsealBackup] gives, and makes each document of its changes again, one at a time: what it says is
// whole can be restored. progress is told how many documents are done, of about how many; nil: nobody. An error says that the backup is damaged,
// or could not be read.
func VerifyBackup(ctx context.Context, r io.Reader, progress func(done, total uint64)) (BackupReport, error) {
	a, err := backup.NewReader(r)
	if err != nil {
		return BackupReport{}, err
	}
	defer a.Close()
	report := BackupReport{Damaged: []DamagedCopy{}}
	done := uint64(0)
	d := dissection{want: func(persist.Name) bool { return true }}
	d.each = func(name persist.Name, header persist.Header, changes [][]byte, err error) error {
		if err == nil {
			_, err = rebuild(name, header, changes)
		}
		if err != nil {
			report.Damaged = append(report.Damaged, DamagedCopy{URL: doc.URL{Space: name.Space, Doc: name.Doc}, Why: err.Error()})
		} else {
			report.Changes += uint64(len(changes))
		}
		if done++; progress != nil {
			progress(done, max(done, a.Head().Documents))
		}
		return nil
	}
	if err := d.documents(ctx, a); err != nil {
		return BackupReport{}, err
	}
	report.BackupSummary = summaryOf(a.Head(), a.Summary())
	slices.SortFunc(report.Damaged, func(a, b DamagedCopy) int { return slices.Compare(a.URL.Doc[:], b.URL.Doc[:]) })
	return report, nil
}

// rebuild makes a document of its changes, and compares it with what its header says. It tells whether the document is deleted.
func rebuild(name persist.Name, header persist.Header, changes [][]byte) (deleted bool, err error) {
	full, err := doc.Load(name.Doc, changes, rand.Reader)
	if err != nil {
		return false, err
	}
	heads := full.Heads()
	marks, err := full.Marks()
	if err = errors.Join(err, full.Close()); err != nil {
		return false, err
	}
	if !slices.Equal(heads, hashes(header.Heads)) || doc.HeadsHash(name.Doc, heads) != header.HeadsHash {
		return false, errors.New("its changes do not lead to the heads in its header")
	}
	return !marks.Deleted.IsZero(), nil
}

// What a dissection holds in memory, in bytes, of a file that anyone may have made. A million documents have 200 MiB of headers; a document that may
// still grow (Options.MaxDocument) has less than 4 GiB of changes unless somebody raised that limit.
var (
	maxHeaders int64 = 512 << 20
	maxChanges int64 = 4 << 30
)

// dissection takes a backup apart into documents, while it is read: headers come before all records, and the records of a document together. One
// document at a time is in memory, and the headers of all that are wanted.
type dissection struct {
	want func(persist.Name) bool // which documents
	each func(name persist.Name, header persist.Header, changes [][]byte, err error) error
}

// documents ends without an error only where the backup has its end.
func (d dissection) documents(ctx context.Context, a *backup.Reader) error {
	codec := pack.New()
	headers, format := &filler{store: memstore.New(), limit: maxHeaders}, persist.Entry{}
	defer headers.store.Close()
	var left map[uint64]persist.Name // documents to come; nil as long as there may be headers to come
	var records *filler              // of the document that is being read
	current := uint64(0)
	finish := func() error {
		if records == nil {
			return nil
		}
		name := left[current]
		delete(left, current)
		err := d.finish(ctx, codec, headers.store, records, name)
		records = nil
		return err
	}
	for entry, err := range a.Entries(ctx) {
		if err != nil {
			return err
		}
		if name, ok := persist.HeaderOf(entry.Key); ok {
			if left != nil {
				return &backup.DamagedError{Err: errors.New("a header stands behind records")}
			}
			if !d.want(name) {
				continue
			}
			if err := headers.add(ctx, entry); err != nil {
				return err
			}
			continue
		}
		if persist.IsFormat(entry.Key) {
			format = entry
			if err := headers.add(ctx, entry); err != nil {
				return err
			}
			continue
		}
		num, ok := persist.RecordOf(entry.Key)
		if !ok {
			continue
		}
		if left == nil {
			if left, err = d.index(ctx, codec, headers); err != nil {
				return err
			}
		}
		if num != current {
			if err := finish(); err != nil {
				return err
			}
			current = num
		}
		if _, wanted := left[num]; !wanted {
			continue
		}
		if records == nil {
			records = &filler{store: memstore.New(), limit: maxChanges}
			if err := records.add(ctx, format); err != nil {
				return err
			}
		}
		err := records.add(ctx, entry)
		if errors.Is(err, errTooMuch) {
			err = errors.Join(d.each(left[num], persist.Header{}, nil, err), records.store.Close())
			records = nil
			delete(left, num)
		}
		if err != nil {
			return err
		}
	}
	if err := finish(); err != nil {
		return err
	}
	if left == nil {
		var err error
		if left, err = d.index(ctx, codec, headers); err != nil {
			return err
		}
	}
	for _, num := range slices.Sorted(maps.Keys(left)) { // their records are missing
		records = &filler{store: memstore.New()}
		if err := records.add(ctx, format); err != nil {
			return err
		}
		current = num
		if err := finish(); err != nil {
			return err
		}
	}
	return nil
}

// index finds out which documents there are, by the numbers their records lie under. Headers that do not read go to each at once.
func (d dissection) index(ctx context.Context, codec *pack.Codec, headers *filler) (map[uint64]persist.Name, error) {
	if err := headers.flush(ctx); err != nil {
		return nil, err
	}
	log, err := persist.OpenLog(ctx, headers.store, codec)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	left := map[uint64]persist.Name{}
	for name, slim := range log.Docs() {
		if slim.Num != 0 {
			left[slim.Num] = name
			continue
		}
		_, err := log.Header(ctx, name)
		if err := d.each(name, persist.Header{}, nil, err); err != nil {
			return nil, err
		}
	}
	return left, nil
}

// finish reads a document out of a log that has nothing else.
func (d dissection) finish(ctx context.Context, codec *pack.Codec, headers persist.Store, records *filler, name persist.Name) error {
	defer records.store.Close()
	key := persist.HeaderKey(name)
	header, err := headers.Get(ctx, key)
	if err == nil {
		err = records.add(ctx, persist.Entry{Key: key, Value: header})
	}
	if err == nil {
		err = records.flush(ctx)
	}
	if err != nil {
		return err
	}
	log, err := persist.OpenLog(ctx, records.store, codec)
	if err != nil {
		return err
	}
	defer log.Close()
	h, err := log.Header(ctx, name)
	var changes [][]byte
	if err == nil {
		size := int64(0)
		for raw, rerr := range log.Changes(ctx, name, 1) {
			if size += int64(len(raw)); size > maxChanges {
				rerr = errTooMuch
			}
			if err = rerr; err != nil {
				break
			}
			changes = append(changes, raw)
		}
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return d.each(name, h, changes, err)
}

// errTooMuch says that a backup has more than is taken into memory.
var errTooMuch = errors.New("the backup has more of it than fits in memory: restore the whole backup into a directory instead")

// filler puts entries into a store, many at once.
type filler struct {
	store persist.Store
	limit int64 // bytes it takes; 0: as many as come
	size  int64
	batch *persist.Batch
}

func (f *filler) add(ctx context.Context, e persist.Entry) error {
	if f.size += int64(len(e.Key) + len(e.Value)); f.limit > 0 && f.size > f.limit {
		return errTooMuch
	}
	if f.batch != nil && f.batch.Bytes()+len(e.Key)+len(e.Value)+persist.EntryCost > persist.MaxBatch {
		if err := f.flush(ctx); err != nil {
			return err
		}
	}
	if f.batch == nil {
		f.batch = &persist.Batch{}
	}
	f.batch.Put(e.Key, e.Value)
	return nil
}

func (f *filler) flush(ctx context.Context) error {
	if f.batch == nil {
		return nil
	}
	b := f.batch
	f.batch = nil
	if err := f.store.Apply(ctx, b); err != nil {
		return fmt.Errorf("fill a store: %w", err)
	}
	return nil
}
