package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"tombolo/doc/pack"
	"tombolo/persist"
	"tombolo/persist/badgerstore"
	"tombolo/persist/sealed"
)

// change stands for a typed character: 110 bytes of a change.
var change = make([]byte, 110)

const writers = 64

func benchStore(report func(row)) error {
	for _, f := range []func(func(row)) error{grouping, growing, sealing, opening, packing, reading, residing} {
		if err := f(report); err != nil {
			return err
		}
	}
	return nil
}

// onDisk runs f on an empty Badger store, sealed where asked for.
func onDisk(seal bool, f func(store persist.Store) error) error {
	dir, err := os.MkdirTemp("", "tombolo-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	inner, err := badgerstore.Open(filepath.Join(dir, "store"), nil)
	if err != nil {
		return err
	}
	var store persist.Store = inner
	if seal {
		keys, err := sealed.Create(dir, sealed.NewRecoveryKey())
		if err != nil {
			return errors.Join(err, inner.Close())
		}
		store = sealed.New(inner, keys)
	}
	return errors.Join(f(store), store.Close())
}

// logged is onDisk with a log on the store.
func logged(seal bool, f func(l *persist.Log) error) error {
	return onDisk(seal, func(store persist.Store) error {
		l, err := persist.OpenLog(context.Background(), store, pack.New())
		if err != nil {
			return err
		}
		return errors.Join(f(l), l.Close())
	})
}

func document(n int) persist.Name {
	var name persist.Name
	binary.BigEndian.PutUint64(name.Doc[:], uint64(n)+1)
	return name
}

// together has all writers call write until it was called n times, and gives the microseconds of one.
func together(n int, write func(writer, nth int) error) (float64, error) {
	var left atomic.Int64
	left.Store(int64(n))
	errs := make(chan error, writers)
	took := micros(n, func() {
		var wg sync.WaitGroup
		for w := range writers {
			wg.Go(func() {
				for i := 0; left.Add(-1) >= 0; i++ {
					if err := write(w, i); err != nil {
						errs <- err
						return
					}
				}
			})
		}
		wg.Wait()
	})
	close(errs)
	return took, <-errs
}

// appends measures n durable appends by all writers, each to a document of its own.
func appends(seal bool, n int) (took float64, err error) {
	err = logged(seal, func(l *persist.Log) error {
		took, err = together(n, func(w, i int) error {
			_, err := l.Append(context.Background(), document(w), persist.Append{After: uint64(i), Changes: [][]byte{change}})
			return err
		})
		return err
	})
	return took, err
}

func grouping(report func(row)) error {
	var failed error
	note := func(took float64, err error) float64 {
		failed = errors.Join(failed, err)
		return took
	}
	ours := median(func() float64 { return note(appends(false, 20_000)) })
	beside := median(func() (took float64) {
		err := onDisk(false, func(store persist.Store) (err error) {
			took, err = together(2000, func(w, i int) error {
				var b persist.Batch
				b.Put(fmt.Appendf(nil, "%d/%d", w, i), change)
				return store.Apply(context.Background(), &b)
			})
			return err
		})
		return note(took, err)
	})
	report(row{Work: "durable append, 64 writers", Unit: "µs", Ours: ours, Beside: beside, Name: "floor: one Badger transaction each", Goal: 0.1})
	return failed
}

// growing compares appends to a document with a long history and with a short one.
func growing(report func(row)) error {
	const n = 500
	after := func(history int) (took float64, err error) {
		err = logged(false, func(l *persist.Log) error {
			ctx := context.Background()
			last := uint64(0)
			for last < uint64(history) {
				batch := make([][]byte, 1000)
				for i := range batch {
					batch[i] = change
				}
				if _, err := l.Append(ctx, document(0), persist.Append{After: last, Changes: batch}); err != nil {
					return err
				}
				last += 1000
			}
			took = median(func() float64 {
				return micros(n, func() {
					for range n {
						if _, e := l.Append(ctx, document(0), persist.Append{After: last, Changes: [][]byte{change}}); e != nil {
							err = e
							return
						}
						last++
					}
				})
			})
			return err
		})
		return took, err
	}
	long, err := after(100_000)
	if err != nil {
		return err
	}
	short, err := after(1000)
	if err != nil {
		return err
	}
	report(row{Work: "durable append after 100,000 changes, one writer", Unit: "µs", Ours: long, Beside: short, Name: "after 1,000", Goal: 1.5})
	return nil
}

func sealing(report func(row)) error {
	var sealedTook, plainTook []float64
	for range repeats { // in turn, since the machine's mood changes
		s, err := appends(true, 20_000)
		if err != nil {
			return err
		}
		p, err := appends(false, 20_000)
		if err != nil {
			return err
		}
		sealedTook, plainTook = append(sealedTook, s), append(plainTook, p)
	}
	report(row{Work: "durable append to a sealed store, 64 writers", Unit: "µs", Ours: middle(sealedTook), Beside: middle(plainTook), Name: "plain store", Goal: 1.3})
	return nil
}

// opening compares opening a log of many documents with the time it may take.
func opening(report func(row)) error {
	const documents = 100_000
	return onDisk(false, func(store persist.Store) error {
		ctx := context.Background()
		l, err := persist.OpenLog(ctx, store, pack.New())
		if err != nil {
			return err
		}
		pending := make([]*persist.Pending, 0, 1000)
		for i := range documents {
			pending = append(pending, l.Submit(document(i), persist.Append{Changes: [][]byte{change}}))
			if len(pending) == cap(pending) || i == documents-1 {
				for _, p := range pending {
					if _, err := p.Wait(ctx); err != nil {
						return errors.Join(err, l.Close())
					}
				}
				pending = pending[:0]
			}
		}
		if err := l.Close(); err != nil {
			return err
		}
		var failed error
		took := median(func() float64 {
			begun := time.Now()
			l, err := persist.OpenLog(ctx, store, pack.New())
			seconds := time.Since(begun).Seconds()
			if err == nil {
				err = l.Close()
			}
			failed = errors.Join(failed, err)
			return seconds
		})
		report(row{Work: "open a log of 100,000 documents", Unit: "s", Ours: took, Beside: 3, Name: "what it may take", Goal: 1})
		return failed
	})
}
