package lab_test

import (
	"fmt"
	"testing"

	"tombolo/sync/lab"
)

// cost lets everything happen and tells how many frames, of how many bytes, it took.
func cost(t *testing.T, l *lab.Lab) (frames, bytes int) {
	t.Helper()
	frames, bytes = l.Frames, l.Bytes
	if err := l.Settle(); err != nil {
		t.Fatal(err)
	}
	if err := l.Check(); err != nil {
		t.Fatal(err)
	}
	return l.Frames - frames, l.Bytes - bytes
}

func edit(t *testing.T, l *lab.Lab, who, document, value string) {
	t.Helper()
	if err := l.Edit(who, document, "title", value); err != nil {
		t.Fatal(err)
	}
}

// What is said is measured in messages: hello and comparison take at most 8, a document that differs at most 4, a live edit 2.
func TestMessagesAreFew(t *testing.T) {
	const docs = 200
	for seed := range uint64(20) {
		l := lab.New(seed)
		l.Add("alice", false)
		l.Add("bob", false)
		for i := range docs {
			edit(t, l, "alice", fmt.Sprint(i), "first")
		}
		l.Link("alice", "bob")
		if n, _ := cost(t, l); n > 8+4*docs {
			t.Errorf("a first sync of %d documents takes %d frames", docs, n)
		}

		l.Cut("alice", "bob")
		l.Link("alice", "bob")
		if n, size := cost(t, l); n > 4 || size > 512 {
			t.Errorf("a reconnect of equal devices takes %d frames of %d bytes", n, size)
		}

		l.Cut("alice", "bob")
		edit(t, l, "alice", "1", "alice's")
		edit(t, l, "bob", "2", "bob's")
		edit(t, l, "alice", "3", "both")
		edit(t, l, "bob", "3", "both")
		edit(t, l, "bob", "new", "bob's")
		l.Link("alice", "bob")
		if n, size := cost(t, l); n > 8+4*4 || size > 64<<10 {
			t.Errorf("a reconnect with 4 documents changed takes %d frames of %d bytes", n, size)
		}

		edit(t, l, "alice", "1", "live")
		if n, size := cost(t, l); n != 2 || size > 512 {
			t.Errorf("a live edit takes %d frames of %d bytes", n, size)
		}
		edit(t, l, "bob", "live", "a new document")
		if n, _ := cost(t, l); n != 2 {
			t.Errorf("a new document takes %d frames", n)
		}
		edit(t, l, "alice", "4", "at once")
		edit(t, l, "bob", "4", "at once")
		if n, _ := cost(t, l); n > 6 {
			t.Errorf("two edits at once take %d frames", n)
		}
	}
}

// A purged document costs its name in each connection with devices that have it, and nothing else.
func TestPurgedCostsItsName(t *testing.T) {
	l := lab.New(1)
	l.Add("alice", false)
	l.Add("bob", false)
	l.Link("alice", "bob")
	edit(t, l, "alice", "1", "title")
	edit(t, l, "alice", "2", "title")
	cost(t, l)
	if err := l.Delete("alice", "1", true); err != nil {
		t.Fatal(err)
	}
	cost(t, l)
	if err := l.Purge("alice", "1"); err != nil {
		t.Fatal(err)
	}
	if n, size := cost(t, l); n != 1 || size > 64 {
		t.Errorf("a purge takes %d frames of %d bytes", n, size)
	}
	l.Cut("alice", "bob")
	l.Link("alice", "bob")
	if n, size := cost(t, l); n != 5 || size > 512 {
		t.Errorf("a reconnect takes %d frames of %d bytes", n, size)
	}
}
