package doc_test

import (
	"errors"
	"strings"
	"testing"

	"tombolo/doc"
)

type retitle struct {
	ID    string `doc:"id"`
	Title string `doc:"title"`
}

var retitleTask = doc.MustAction("task.retitle", func(tx *doc.Tx, p retitle) error {
	return tasks.Update(tx, p.ID, func(rec *task) error { rec.Title = p.Title; return nil })
})

func TestAction(t *testing.T) {
	d := open(t, doc.ID{1})
	id := newTask(t, d, 0, "milk", task{Title: "milk"})
	p := retitle{id, "oat\nmilk"}
	e, err := retitleTask.Run(d, noon, p)
	must(t, err)
	if len(e.Changes) != 1 {
		t.Fatalf("%d changes", len(e.Changes))
	}
	c := e.Changes[0]
	if want := `task.retitle {"id":"milk","title":"oat\nmilk"}`; c.Message != want || c.Time != noon.Unix() {
		t.Errorf("message %q, time %d", c.Message, c.Time)
	}
	if got, ok := retitleTask.Payload(c.Message); !ok || got != p {
		t.Errorf("payload %+v, %v", got, ok)
	}
	recs, err := tasks.Changed(d, e.Changes)
	must(t, err)
	if len(recs) != 1 || recs[0].Value.Title != p.Title {
		t.Errorf("changed %+v", recs)
	}
	name, payload, ok := doc.ParseAction(c.Message)
	if !ok || name != retitleTask.Name() || !doc.Equal(payload, map[string]any{"id": "milk", "title": p.Title}) {
		t.Errorf("%q %v %v", name, payload, ok)
	}
}

// An action that fails, or cannot be said, leaves the document as it was.
func TestActionFails(t *testing.T) {
	d := open(t, doc.ID{1})
	_, err := retitleTask.Run(d, noon, retitle{ID: "none"})
	if !errors.Is(err, doc.ErrNoRecord) || !strings.Contains(err.Error(), "task.retitle") {
		t.Errorf("no record: %v", err)
	}
	_, err = retitleTask.Run(d, noon, retitle{Title: "\xff"})
	if _, ok := errors.AsType[*doc.ValueError](err); !ok {
		t.Errorf("a bad payload: %v", err)
	}
	wantJSON(t, d, `{}`)
}

func TestActionDeclared(t *testing.T) {
	nothing := func(*doc.Tx, struct{}) error { return nil }
	for _, name := range []string{"", "two words", "a\n", "\xff", "a\u00a0b", "a\x00"} {
		if _, err := doc.NewAction(name, nothing); err == nil {
			t.Errorf("the name %q was taken", name)
		}
	}
	for name, err := range map[string]error{
		"no function": errOf(doc.NewAction[struct{}]("a", nil)),
		"scalar":      errOf(doc.NewAction("a", func(*doc.Tx, string) error { return nil })),
		"map":         errOf(doc.NewAction("a", func(*doc.Tx, map[string]int) error { return nil })),
		"function":    errOf(doc.NewAction("a", func(*doc.Tx, struct{ F func() }) error { return nil })),
	} {
		if err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	a, err := doc.NewAction("clear", nothing)
	must(t, err)
	if m, err := a.Message(struct{}{}); err != nil || m != "clear {}" {
		t.Errorf("%q, %v", m, err)
	}
	defer func() {
		if recover() == nil {
			t.Error("MustAction accepted it")
		}
	}()
	doc.MustAction("two words", nothing)
}

func TestParseAction(t *testing.T) {
	for message, ok := range map[string]bool{
		`a {}`: true,
		`Ä.b {"x":[1,{"$int":"9007199254740993"}]}`: true,
		``:                          false,
		`a`:                         false,
		`add 5`:                     false,
		`add milk`:                  false,
		`a []`:                      false,
		`a {"$text":"x"}`:           false,
		`a {"b":1, "c":2}`:          false,
		`a {} b`:                    false,
		` {}`:                       false,
		`a  {}`:                     false,
		`a {"x":{"$unknown":null}}`: false,
	} {
		name, payload, got := doc.ParseAction(message)
		if got != ok || ok == (payload == nil) || ok == (name == "") {
			t.Errorf("%q: %q, %v, %v", message, name, payload, got)
		}
		if _, is := retitleTask.Payload(message); is {
			t.Errorf("%q is not a task.retitle", message)
		}
	}
	if _, ok := retitleTask.Payload(`task.retitle {"id":5}`); ok {
		t.Error("a payload of another type was taken")
	}
	if p, ok := retitleTask.Payload(`task.retitle {"id":"x","new":1}`); !ok || p.ID != "x" {
		t.Error("the payload of a newer program was refused")
	}
}
