package backup

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"io"

	"github.com/klauspost/compress/zstd"

	"tombolo/persist"
)

// Options adjusts Write. The zero value keeps everything.
type Options struct {
	Leave    func(setting []byte) bool // which settings stay out; nil: none
	Progress func(documents uint64)    // is told how many documents are written; nil: nobody
}

// Write writes the archive of a store to w, as the store is at one moment of
// the call: what is committed meanwhile is not in it, and does not wait. Caches
// and what is left of removed documents stay out (persist.Portable). opts may
// be nil. An archive without its end, after an error or a kill, is refused by
// whoever reads it.
func Write(ctx context.Context, w io.Writer, store persist.Store, head Head, opts *Options) (Summary, error) {
	if opts == nil {
		opts = &Options{}
	}
	sum, err := write(ctx, w, store, head, opts)
	if err != nil {
		return Summary{}, fmt.Errorf("write a backup: %w", err)
	}
	return sum, nil
}

func write(ctx context.Context, w io.Writer, store persist.Store, head Head, opts *Options) (sum Summary, err error) {
	// One goroutine: a command that has the device at work elsewhere.
	z, err := zstd.NewWriter(w, zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(1<<20))
	if err != nil {
		return Summary{}, err
	}
	// Entries are small, and zstd takes its time with each write.
	buffered := bufio.NewWriterSize(z, 256<<10)
	out := &hashing{to: buffered, sum: sha256.New()}
	if err := out.fixed(fmt.Sprintf("%s%d\n%c", magic, Format, kindHead), headRecord{
		Created: head.Created.Unix(), Peer: head.Peer, Name: head.Name, Documents: head.Documents, Identity: head.Identity,
	}); err != nil {
		return Summary{}, errors.Join(err, z.Close())
	}
	if err := out.entries(ctx, store, opts, &sum); err != nil {
		return Summary{}, errors.Join(err, z.Close())
	}
	err = out.fixed(string(rune(kindTail)), tailRecord{
		Documents: sum.Documents, Entries: sum.Entries, Bytes: sum.Bytes, Damaged: sum.Damaged, Sum: out.sum.Sum(nil),
	})
	if err == nil {
		err = buffered.Flush()
	}
	return sum, errors.Join(err, z.Close())
}

// hashing passes on what it is given, and hashes it.
type hashing struct {
	to  io.Writer
	sum hash.Hash
	buf []byte
}

func (h *hashing) Write(b []byte) (int, error) {
	h.sum.Write(b) // never fails, see hash.Hash
	return h.to.Write(b)
}

// fixed writes what comes before a record, and the record.
func (h *hashing) fixed(before string, record any) error {
	body, err := encoding.Marshal(record)
	if err != nil {
		return err
	}
	if len(body) > maxFixed {
		return fmt.Errorf("%w: %d bytes about the device, the limit is %d", persist.ErrTooLarge, len(body), maxFixed)
	}
	b := binary.AppendUvarint([]byte(before), uint64(len(body)))
	_, err = h.Write(append(b, body...))
	return err
}

func (h *hashing) entries(ctx context.Context, store persist.Store, opts *Options, sum *Summary) error {
	done, last := uint64(0), uint64(0)
	for e, err := range store.List(ctx, nil) {
		if err != nil {
			return err
		}
		if !persist.Portable(e.Key) && (len(e.Key) > 0 || e.Err == nil) {
			continue
		}
		if setting, ok := persist.SettingOf(e.Key); ok && opts.Leave != nil && opts.Leave(setting) {
			continue
		}
		if e.Err != nil {
			sum.Damaged++
			continue
		}
		if err := h.entry(e); err != nil {
			return err
		}
		sum.Entries++
		sum.Bytes += uint64(len(e.Key) + len(e.Value))
		if _, ok := persist.HeaderOf(e.Key); ok {
			sum.Documents++
		}
		if num, ok := persist.RecordOf(e.Key); ok && num != last {
			if done, last = done+1, num; opts.Progress != nil {
				opts.Progress(done)
			}
		}
	}
	return nil
}

func (h *hashing) entry(e persist.Entry) error {
	if len(e.Key) > persist.MaxKey || len(e.Value) > persist.MaxValue {
		return fmt.Errorf("%w: an entry of %d and %d bytes", persist.ErrTooLarge, len(e.Key), len(e.Value))
	}
	b := append(h.buf[:0], kindEntry)
	b = append(binary.AppendUvarint(b, uint64(len(e.Key))), e.Key...)
	b = append(binary.AppendUvarint(b, uint64(len(e.Value))), e.Value...)
	h.buf = b
	_, err := h.Write(b)
	return err
}
