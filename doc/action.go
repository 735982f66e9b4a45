package doc

import (
	"fmt"
	"reflect"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"tombolo/doc/value"
)

// Action is a named edit with a payload of type P. Each run is one change, whose message says name and payload, so that the history
// shows what was meant and not only what was written. It is declared once and used on any document:
//
//	var complete = doc.MustAction("task.complete", func(tx *doc.Tx, p struct{ ID string }) error {
//		return tasks.Update(tx, p.ID, func(t *Task) error { t.Done = true; return nil })
//	})
//
//	edited, err := complete.Run(d, time.Now(), struct{ ID string }{id})
//	changed, err := tasks.Changed(d, edited.Changes)
//
// The message is for reading: other devices get what the action wrote, and do not run it again. It stays in the document for ever and
// every member can read it; large payloads and secrets do not belong there.
//
// An Action is safe for concurrent use if its function is.
type Action[P any] struct {
	name string
	do   func(tx *Tx, p P) error
}

// NewAction declares an action. The name is one word: no spaces and no control characters. P is a struct that can be stored, so that it may
// gain fields later; use struct{} for an action without payload.
func NewAction[P any](name string, do func(tx *Tx, p P) error) (*Action[P], error) {
	if !actionName(name) {
		return nil, fmt.Errorf("action %q: a name is one word without spaces, for example task.complete", name)
	}
	if do == nil {
		return nil, fmt.Errorf("action %s: it does nothing; give it a function", name)
	}
	t := reflect.TypeFor[P]()
	if err := value.Check(t); err != nil {
		return nil, fmt.Errorf("action %s: %w", name, err)
	}
	var zero P
	if v, err := value.Of(zero); err != nil || t.Kind() != reflect.Struct || !v.Partial() {
		return nil, fmt.Errorf("action %s: its payload is a struct without hooks, which can gain fields later; %s is not", name, t)
	}
	return &Action[P]{name, do}, nil
}

// MustAction is [NewAction] for package variables. It panics where NewAction gives an error: at the start of the program, and whatever
// the documents hold.
func MustAction[P any](name string, do func(tx *Tx, p P) error) *Action[P] {
	a, err := NewAction(name, do)
	if err != nil {
		panic("doc.MustAction: " + err.Error())
	}
	return a
}

func actionName(s string) bool {
	return s != "" && utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsGraphic(r) || unicode.IsSpace(r) })
}

// Name is the action's name.
func (a *Action[P]) Name() string { return a.name }

// Run runs the action on a document, as one change made at a time. An error of its function is returned, and then the document is as it was.
func (a *Action[P]) Run(d *Doc, at time.Time, p P) (Edited, error) {
	message, err := a.Message(p)
	if err != nil {
		return Edited{}, err
	}
	return d.Edit(Note{Message: message, Time: at}, a.Do(p))
}

// Do is the action's function with a payload, for whoever runs it as an edit with the message of [Action.Message]:
//
//	message, err := complete.Message(p)
//	err = handle.Change(ctx, message, complete.Do(p))
func (a *Action[P]) Do(p P) func(*Tx) error {
	return func(tx *Tx) error {
		if err := a.do(tx, p); err != nil {
			return fmt.Errorf("action %s: %w", a.name, err)
		}
		return nil
	}
}

// Message is what the change of a run says: the name, a space, and the payload in canonical JSON ([EncodeJSON]). A payload that a document
// cannot hold is a [ValueError].
func (a *Action[P]) Message(p P) (string, error) {
	b, err := EncodeJSON(p)
	if err != nil {
		return "", fmt.Errorf("action %s: %w", a.name, err)
	}
	return a.name + " " + string(b), nil
}

// Payload reads the payload from the message of one of the action's changes. Fields that the message does not have are zero, those that P does
// not have are passed over. It is false for another message.
func (a *Action[P]) Payload(message string) (P, bool) {
	var p P
	name, v, ok := ParseAction(message)
	if !ok || name != a.name || value.Unmarshal(v, &p) != nil {
		var zero P
		return zero, false
	}
	return p, true
}

// ParseAction reads the message of a change that an action made: its name, and its payload in Go form. It is false for a message that is
// not in this form. What it says is what the writer claims.
func ParseAction(message string) (name string, payload map[string]any, ok bool) {
	name, text, ok := strings.Cut(message, " ")
	if !ok || !actionName(name) {
		return "", nil, false
	}
	v, err := DecodeJSON([]byte(text))
	if err != nil {
		return "", nil, false
	}
	payload, ok = v.(map[string]any)
	if b, err := EncodeJSON(v); !ok || err != nil || string(b) != text {
		return "", nil, false
	}
	return name, payload, true
}
