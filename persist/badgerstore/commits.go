package badgerstore

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// Every Apply counts: its number, 8 bytes big-endian, is written under
// commitsKey in its transaction, and into a file beside Badger's afterwards.
// The file then never has the higher number, unless Badger lost a commit that
// was acknowledged: it shortens a log at the first entry that does not read,
// and says nothing.
const (
	commitsName  = "commits"
	commitsMagic = "tmbcmts1"
	// commitsSync is how far the file may be behind after a power cut, as long
	// as there are commits. What it misses then is a notice, not data.
	commitsSync = 5 * time.Second
)

var commitsKey = []byte("!commits")

// hidden says whether a key is Badger's or the store's own.
func hidden(key []byte) bool { return len(key) > 0 && key[0] == '!' }

// commits numbers the transactions of a store.
type commits struct {
	mu     sync.Mutex // held during a whole commit
	count  uint64     // of the last commit that is durable
	file   *os.File   // nil when it could not be made
	synced time.Time
	log    *slog.Logger
}

// next returns the value of commitsKey for the next commit.
func (c *commits) next() []byte { return binary.BigEndian.AppendUint64(nil, c.count+1) }

// done counts a commit that is durable. The number goes to the page cache,
// which outlives the process (1 to 2 µs). A failure is logged once: the commit
// is good without.
func (c *commits) done() {
	c.count++
	if c.file == nil {
		return
	}
	err := c.write()
	if now := time.Now(); err == nil && now.Sub(c.synced) >= commitsSync {
		c.synced = now
		err = c.file.Sync()
	}
	if err != nil {
		c.log.Warn("the number of commits is not kept from now on", "err", errors.Join(err, c.file.Close()))
		c.file = nil
	}
}

func (c *commits) write() error {
	_, err := c.file.WriteAt(encodeCommits(c.count), 0)
	return err
}

// open begins to count from count, with the file in dir made anew.
func (c *commits) open(dir string, count uint64, log *slog.Logger) (err error) {
	c.count, c.log = count, log
	if c.file, err = os.OpenFile(filepath.Join(dir, commitsName), os.O_CREATE|os.O_RDWR, 0o600); err != nil {
		return err
	}
	c.synced = time.Now()
	return errors.Join(c.write(), c.file.Truncate(int64(len(encodeCommits(0)))), c.file.Sync())
}

func (c *commits) close() error {
	if c.file == nil {
		return nil
	}
	return errors.Join(c.file.Sync(), c.file.Close())
}

// encodeCommits returns the contents of the file: magic 8, count 8, CRC-32C of
// both 4.
func encodeCommits(count uint64) []byte {
	b := binary.BigEndian.AppendUint64([]byte(commitsMagic), count)
	return binary.BigEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// readCommits returns the number in the file of dir. The error wraps
// fs.ErrNotExist when there is none, and errCommits when it does not read.
func readCommits(dir string) (uint64, error) {
	b, err := os.ReadFile(filepath.Join(dir, commitsName))
	if err != nil {
		return 0, err
	}
	if len(b) == len(encodeCommits(0)) {
		if n := binary.BigEndian.Uint64(b[len(commitsMagic):]); string(b) == string(encodeCommits(n)) {
			return n, nil
		}
	}
	return 0, fmt.Errorf("%w (%d bytes)", errCommits, len(b))
}

var errCommits = errors.New("the file of the commit number does not read")

// noFile says whether err means that the commit number is not known, and why
// in words for the log.
func noFile(err error) (string, bool) {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "missing", true
	case errors.Is(err, errCommits):
		return "damaged", true
	}
	return "", false
}
