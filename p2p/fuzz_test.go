package p2p

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"github.com/libp2p/go-libp2p/core/crypto"
)

// FuzzReadFrame: whatever a peer sends, frames are read within their limit, and those that were read are what a writer of them sends.
func FuzzReadFrame(f *testing.F) {
	f.Add(appendFrame(appendFrame(nil, kindHeartbeat, nil), kindFrame, []byte("hello")))
	f.Add(appendFrame(nil, kindFrame, nil))
	f.Add([]byte{0, 0, 0, 0, 1})
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 1, 2})
	f.Add([]byte{0, 0, 0, 2, 0, 0})
	f.Fuzz(func(t *testing.T, sent []byte) {
		var again []byte
		r := bytes.NewReader(sent)
		for {
			kind, payload, err := readFrame(r)
			if err != nil {
				known := errors.Is(err, errGarbage) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
				if !known || !bytes.HasPrefix(sent, again) {
					t.Fatalf("read %x of %x, then %v", again, sent, err)
				}
				return
			}
			if len(payload) > MaxFrame {
				t.Fatalf("a frame of %d bytes", len(payload))
			}
			again = appendFrame(again, kind, payload)
		}
	})
}

// FuzzReadMessage: a message of a pairing is as long as it says and no longer than allowed, and reads back when written.
func FuzzReadMessage(f *testing.F) {
	f.Add([]byte{0, 0, 0, 1, 7}, uint16(1))
	f.Add([]byte{0, 0, 0, 0}, uint16(0))
	f.Add([]byte{0xff, 0xff, 0xff, 0xff}, uint16(9))
	f.Fuzz(func(t *testing.T, sent []byte, limit uint16) {
		b, err := readMessage(bytes.NewReader(sent), int(limit))
		if err != nil {
			return
		}
		var again bytes.Buffer
		if err := writeMessage(&again, b); err != nil || len(b) > int(limit) || !bytes.HasPrefix(sent, again.Bytes()) {
			t.Fatalf("%x was read as %x (limit %d), %v", sent, b, limit, err)
		}
	})
}

// FuzzUnmarshalIdentity: no file of a key panics, and a key that was read is read again.
func FuzzUnmarshalIdentity(f *testing.F) {
	id, err := identityFromSeed(make([]byte, 32))
	if err != nil {
		f.Fatal(err)
	}
	seed, err := crypto.UnmarshalEd25519PrivateKey(id.key)
	if err != nil {
		f.Fatal(err)
	}
	file, err := crypto.MarshalPrivateKey(seed)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(file)
	f.Add(file[:len(file)-1])
	f.Fuzz(func(t *testing.T, file []byte) {
		id, err := unmarshalIdentity(file)
		if err != nil {
			return
		}
		again, err := identityFromSeed(id.key.Seed())
		if err != nil || again.ID() != id.ID() {
			t.Fatalf("%v became %v, %v", id, again, err)
		}
	})
}
