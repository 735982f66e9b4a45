package tombolo_test

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"tombolo"
	"tombolo/doc"
	"tombolo/doc/gate"
)

// lines is a log whose lines can be waited for.
type lines chan string

func (l lines) Write(p []byte) (int, error) {
	select {
	case l <- string(p):
	default: // nobody waits for so many
	}
	return len(p), nil
}

func listen() (*slog.Logger, lines) {
	l := make(lines, 1000)
	return slog.New(slog.NewTextHandler(l, nil)), l
}

// says waits for a line with all of the words.
func (l lines) says(t *testing.T, words ...string) {
	t.Helper()
	var heard []string
	late := patience(t).Done()
	for {
		select {
		case line := <-l:
			heard = append(heard, line)
			missing := false
			for _, w := range words {
				missing = missing || !strings.Contains(line, w)
			}
			if !missing {
				return
			}
		case <-late:
			t.Fatalf("the log does not say %q:\n%s", words, strings.Join(heard, ""))
		}
	}
}

// A member sends a change of valid form whose operation does not fit the document: it is refused at the door, though nobody here has the
// document open, and the log says whose it was.
func TestUnfittingChangeIsRefused(t *testing.T) {
	log, heard := listen()
	laptop := inMemory(t, tombolo.Options{Name: "laptop", Log: log})
	mallory := inMemory(t, tombolo.Options{Name: "mallory"})
	pair(t, laptop, mallory, false)
	h, err := laptop.Home().Create(t.Context(), map[string]any{"n": 1})
	must(t, err)
	u := h.URL()
	arrives(t, mallory, u)
	must(t, h.Wait(patience(t), tombolo.OnDevices(2)))
	heads := h.Heads()
	must(t, h.Close())

	raw, err := gate.Encode(gate.Change{Deps: heads, Actor: bytes.Repeat([]byte{7}, 16), Seq: 1, StartOp: 1000}, func(yield func(*gate.Op) bool) {
		yield(&gate.Op{Obj: gate.OpRef{Counter: 99}, Key: "x", Action: gate.ActSet, Type: gate.TypeTrue})
	})
	must(t, err)
	c, err := gate.Parse(raw)
	must(t, err)
	must(t, mallory.Utter(t.Context(), u, raw, c.Hash))
	heard.says(t, "changes of a peer were refused", "peer=mallory", "doc="+u.Doc.Short(), "an object that is not in its past")
	heard.says(t, "a peer was disconnected", u.Doc.Short())

	h, err = laptop.Document(t.Context(), u)
	must(t, err)
	defer h.Close()
	set(t, h, "/m", 2)
	if got := text(t, h); got != `{"m":2,"n":1}` {
		t.Errorf("the document is %s", got)
	}
}

// A member sends another change under the actor and number of a third device's change: it is refused, and the log says who sent it.
func TestForgedChangeIsRefused(t *testing.T) {
	log, heard := listen()
	laptop := inMemory(t, tombolo.Options{Name: "laptop", Log: log})
	desk := inMemory(t, tombolo.Options{Name: "desk"})
	mallory := inMemory(t, tombolo.Options{Name: "mallory"})
	pair(t, laptop, desk, false)
	pair(t, laptop, mallory, false)
	h, err := laptop.Home().Create(t.Context(), nil)
	must(t, err)
	defer h.Close()
	at, theirs := arrives(t, desk, h.URL()), arrives(t, mallory, h.URL())
	set(t, at, "/n", 1)
	reads(t, h, `{"n":1}`)
	reads(t, theirs, `{"n":1}`)

	raw, err := theirs.Raw(theirs.Heads()[0])
	must(t, err)
	c, err := gate.Parse(raw)
	must(t, err)
	forged := c
	forged.Message = "forged"
	raw, err = gate.Encode(forged, c.Operations())
	must(t, err)
	forged, err = gate.Parse(raw)
	must(t, err)
	must(t, mallory.Utter(t.Context(), h.URL(), raw, forged.Hash))
	heard.says(t, "changes of a peer were refused", "peer=mallory", "the number is taken")
	for e, err := range h.History() {
		must(t, err)
		if e.Message == "forged" {
			t.Errorf("the forged change is in the history: %+v", e)
		}
		if e.Hash == c.Hash && e.Author != "desk" {
			t.Errorf("the change is %q's", e.Author)
		}
	}
	set(t, h, "/n", 2)
	reads(t, at, `{"n":2}`)
}

// A document that grows beyond what it may take here takes no more; that is not the sender's fault, who stays connected.
func TestDocumentBeyondItsMemory(t *testing.T) {
	log, heard := listen()
	laptop := inMemory(t, tombolo.Options{Name: "laptop", Log: log, MaxDocument: 1 << 16})
	desk := inMemory(t, tombolo.Options{Name: "desk"})
	pair(t, laptop, desk, false)
	h, err := laptop.Home().Create(t.Context(), map[string]any{"n": 1})
	must(t, err)
	defer h.Close()
	there := arrives(t, desk, h.URL())
	set(t, there, "/text", doc.Text(strings.Repeat("long ", 1000)))
	heard.says(t, "do not fit in memory", "peer=desk")
	other, err := desk.Home().Create(t.Context(), map[string]any{"n": 2})
	must(t, err)
	defer other.Close()
	set(t, h, "/n", 3)
	reads(t, there, `{"n":3,"text":{"$text":"`+strings.Repeat("long ", 1000)+`"}}`)
	if got := text(t, h); got != `{"n":3}` {
		t.Errorf("the document is %s", got)
	}
	err = h.Change(t.Context(), "", func(tx *doc.Tx) error { return tx.Set("/text", doc.Text(strings.Repeat("x", 5000))) })
	if !errors.Is(err, doc.ErrFull) {
		t.Errorf("an edit beyond the limit: %v", err)
	}
}
