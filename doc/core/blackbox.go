package core

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
)

// FileBox is a [Box] in a small file. A note is one write into the file, without fsync: the system's page cache outlives the process,
// and a power failure is nobody's fault. One process at a time may have the file open. It costs two writes of 512 bytes a call.
//
// Whatever kills a process between Before and After leaves its note, the user's own kill -9 too: an entry is a strong suspicion.
type FileBox struct {
	torn int

	mu   sync.Mutex
	file *os.File
	busy []*Entry // by slot; nil is free
}

// A slot is codec 1, the length of From, Doc, Space, Hash, From, zeros, and the first 8 bytes of the SHA-256 of all that. A free slot is
// zeros. Slots are sectors, so a note is never in two pages.
const (
	slotBytes  = 512
	slotCodec  = 1
	slotFrom   = 2 + 16 + 16 + 32
	slotSum    = slotBytes - 8
	maxFrom    = 255
	readySlots = 64      // written out at open, so that a full disk does not stop a note
	maxBox     = 1 << 20 // bytes read at open: more calls at once than this has no process
)

// OpenBox opens the box at path, making it when there is none, and gives what was left in it by a process that died: once, the file is
// empty afterwards. Damaged notes are counted ([FileBox.Torn]) and dropped; a file that is something else is all damaged notes.
func OpenBox(path string) (*FileBox, []Entry, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, nil, boxError("open", err)
	}
	b := &FileBox{file: file}
	left, err := b.takeLeft()
	if err != nil {
		return nil, nil, errors.Join(boxError("read", err), file.Close())
	}
	return b, left, nil
}

func boxError(doing string, err error) error {
	return fmt.Errorf("%s the black box: %w; free some space, or check who may write that folder", doing, err)
}

// takeLeft reads the notes of an earlier process and clears the file.
func (b *FileBox) takeLeft() (left []Entry, err error) {
	found, err := io.ReadAll(io.LimitReader(b.file, maxBox))
	if err != nil {
		return nil, err
	}
	for len(found) > 0 {
		slot := found[:min(slotBytes, len(found))]
		found = found[len(slot):]
		if len(bytes.Trim(slot, "\x00")) == 0 {
			continue
		}
		if e, ok := decodeSlot(slot); ok {
			left = append(left, e)
		} else {
			b.torn++
		}
	}
	if _, err := b.file.WriteAt(make([]byte, readySlots*slotBytes), 0); err != nil {
		return nil, err
	}
	return left, b.file.Truncate(readySlots * slotBytes)
}

// Torn is how many damaged notes were found at open.
func (b *FileBox) Torn() int { return b.torn }

// Before notes what. With its error nothing is noted.
func (b *FileBox) Before(what Entry) error {
	what.From = clip(what.From)
	b.mu.Lock()
	defer b.mu.Unlock()
	slot := 0
	for slot < len(b.busy) && b.busy[slot] != nil {
		slot++
	}
	if _, err := b.file.WriteAt(encodeSlot(what), int64(slot)*slotBytes); err != nil {
		return boxError("write", err)
	}
	if slot == len(b.busy) {
		b.busy = append(b.busy, nil)
	}
	b.busy[slot] = &what
	return nil
}

// After takes one note of what back. It is an error when there is none, or when it cannot be taken back.
func (b *FileBox) After(what Entry) error {
	what.From = clip(what.From)
	b.mu.Lock()
	defer b.mu.Unlock()
	for slot, e := range b.busy {
		if e == nil || *e != what {
			continue
		}
		if _, err := b.file.WriteAt(make([]byte, slotBytes), int64(slot)*slotBytes); err != nil {
			return boxError("clear", err)
		}
		b.busy[slot] = nil
		return nil
	}
	return errors.New("core: the black box has no such note; call Before first, once for each After")
}

// Close closes the file. Notes of calls that still run stay in it.
func (b *FileBox) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.file.Close()
}

// clip is the part of a sender's name that is kept: whole characters.
func clip(from string) string {
	return strings.ToValidUTF8(from[:min(len(from), maxFrom)], "")
}

func encodeSlot(e Entry) []byte {
	slot := make([]byte, 0, slotBytes)
	slot = append(slot, slotCodec, byte(len(e.From)))
	slot = append(append(append(slot, e.Doc[:]...), e.Space[:]...), e.Hash[:]...)
	slot = append(slot, e.From...)[:slotSum]
	sum := sha256.Sum256(slot)
	return append(slot, sum[:slotBytes-slotSum]...)
}

func decodeSlot(slot []byte) (Entry, bool) {
	if len(slot) != slotBytes || slot[0] != slotCodec {
		return Entry{}, false
	}
	if sum := sha256.Sum256(slot[:slotSum]); !bytes.Equal(sum[:slotBytes-slotSum], slot[slotSum:]) {
		return Entry{}, false
	}
	return Entry{
		Doc: [16]byte(slot[2:]), Space: [16]byte(slot[18:]), Hash: [32]byte(slot[34:]),
		From: string(slot[slotFrom : slotFrom+int(slot[1])]),
	}, true
}
