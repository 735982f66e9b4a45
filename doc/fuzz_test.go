package doc_test

import (
	"slices"
	"strings"
	"testing"

	"tombolo/doc"
)

// FuzzDecodeJSON: what is read is written and read the same, and written once more the same to the byte.
func FuzzDecodeJSON(f *testing.F) {
	for _, s := range []string{
		`{"a":[1,2.5,"x",null,true,{"$text":"t"}]}`, `{"$$x":{"$counter":1}}`, `{"$time":"1"}`, `{"$time":"2026-11-21T08:00:00+01:00"}`,
		`{"$bytes":"AAE="}`, `[{"$float":"NaN"},{"$float":"-Infinity"},-0.0,1e21]`, `{"$int":"18446744073709551615"}`, `"\ud83d\ude00\u0000"`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		v, err := doc.DecodeJSON(in)
		if err != nil {
			return
		}
		b, err := doc.EncodeJSON(v)
		if err != nil {
			t.Fatalf("%q was read and cannot be written: %v", in, err)
		}
		back, err := doc.DecodeJSON(b)
		if err != nil || !doc.Equal(back, v) {
			t.Fatalf("%q: %s reads back as %v, %v", in, b, back, err)
		}
		if again, err := doc.EncodeJSON(back); err != nil || string(again) != string(b) {
			t.Fatalf("%q: %s, then %s, %v", in, b, again, err)
		}
	})
}

// FuzzParsePointer: a pointer that is read is written as it was.
func FuzzParsePointer(f *testing.F) {
	for _, s := range []string{"", "/", "/a/0/-", "/a~1b~0c", "/~01", "/~", "x", "/é\xff"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if p, err := doc.ParsePointer(s); err == nil && p.String() != s {
			t.Fatalf("%q became %q", s, p)
		}
	})
}

// FuzzCursor: a cursor that is read is written as it was, and no cursor makes Position panic or point outside of the text.
func FuzzCursor(f *testing.F) {
	d := open(f, doc.ID{1})
	edit(f, d, func(tx *doc.Tx) error { return tx.Set("t", doc.Text("abc")) })
	for at := range 4 {
		c, err := d.Cursor("t", at)
		must(f, err)
		text, err := c.MarshalText()
		must(f, err)
		f.Add(text)
	}
	for _, s := range []string{"", "1@00/end", "12@a0b1/34@c2d3", "0@a0/end", "4294967295@ff/4294967295@ff"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var c doc.Cursor
		if c.UnmarshalText(text) != nil {
			if c != (doc.Cursor{}) {
				t.Fatalf("%q is refused and leaves %v", text, c)
			}
			return
		}
		if again, err := c.MarshalText(); err != nil || string(again) != string(text) {
			t.Fatalf("%q became %q, %v", text, again, err)
		}
		if at, err := d.Position(c); err == nil && (at < 0 || at > 3) {
			t.Fatalf("%q stands at %d", text, at)
		}
	})
}

// FuzzParseURL: a URL that is read is written the one way, whatever spaces and capitals it had.
func FuzzParseURL(f *testing.F) {
	u := doc.URL{Space: doc.SpaceID{1}, Doc: doc.ID{2}}.String()
	for _, s := range []string{u, " " + strings.ToUpper(u) + "\n", u[:len(u)-1], u + "a", "tombolo:"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		u, err := doc.ParseURL(s)
		if err != nil {
			return
		}
		if again, err := doc.ParseURL(u.String()); err != nil || again != u || u.String() != strings.ToLower(strings.TrimSpace(s)) {
			t.Fatalf("%q became %q, %v", s, u, err)
		}
	})
}

// FuzzParseAction: what is taken for an action is what an action writes.
func FuzzParseAction(f *testing.F) {
	for _, s := range []string{`pizza.vote {"for":"margherita"}`, `a {}`, `a {"$$x":{"$int":"9007199254740993"}}`, `a  {}`, `a {"b":1,"a":2}`, `a []`, "call mum", ""} {
		f.Add(s)
	}
	action, err := doc.NewAction("a", func(*doc.Tx, struct{ N int8 }) error { return nil })
	must(f, err)
	f.Fuzz(func(t *testing.T, message string) {
		name, payload, ok := doc.ParseAction(message)
		if p, mine := action.Payload(message); mine {
			if again, err := action.Message(p); err != nil || !ok || name != "a" || again == "" {
				t.Fatalf("%q has the payload %v: %q, %v", message, p, again, err)
			}
		}
		if !ok {
			return
		}
		if b, err := doc.EncodeJSON(payload); err != nil || name+" "+string(b) != message {
			t.Fatalf("%q is %s %s, %v", message, name, b, err)
		}
	})
}

// FuzzPatchKind: a kind that is read is written as it was.
func FuzzPatchKind(f *testing.F) {
	for k := doc.PatchAdd; k <= doc.PatchSplice; k++ {
		f.Add([]byte(k.String()))
	}
	f.Add([]byte("PatchKind(9)"))
	f.Fuzz(func(t *testing.T, text []byte) {
		var k doc.PatchKind
		if k.UnmarshalText(text) != nil {
			return
		}
		if again, err := k.MarshalText(); err != nil || string(again) != string(text) {
			t.Fatalf("%q became %q, %v", text, again, err)
		}
	})
}

// FuzzPatch: whatever a JSON Patch says, all of it happens or nothing; then the document is the same when it is loaded again.
func FuzzPatch(f *testing.F) {
	for _, s := range []string{
		`[{"op":"add","path":"/l/-","value":{"$text":"x"}},{"op":"move","from":"/l/0","path":"/m/k"}]`, `[{"op":"replace","path":"","value":{"l":[]}}]`,
		`[{"op":"copy","from":"","path":"/m"},{"op":"remove","path":"/l"},{"op":"test","path":"/c","value":5}]`,
		`[{"op":"remove","path":"/m"},{"op":"add","path":"/m/k","value":1}]`, `[{"op":"replace","path":"/t","value":"ab"},{"op":"remove","path":"/$m"}]`,
	} {
		f.Add([]byte(s))
	}
	base := open(f, doc.ID{1})
	edit(f, base, func(tx *doc.Tx) error {
		return tx.Put(map[string]any{"l": []any{int64(1), []any{}}, "m": map[string]any{"n": nil}, "t": doc.Text("abc"), "c": doc.Counter(5)})
	})
	changes := all(f, base)
	f.Fuzz(func(t *testing.T, patch []byte) {
		d, err := doc.Load(base.ID(), changes, zeros{})
		must(t, err)
		before, heads := tree(t, d), d.Heads()
		e, err := d.Edit(doc.Note{}, func(tx *doc.Tx) error { return tx.Patch(patch) })
		if err != nil {
			if !doc.Equal(tree(t, d), before) || !slices.Equal(d.Heads(), heads) {
				t.Fatalf("%s failed (%v) and changed the document", patch, err)
			}
			return
		}
		again, err := doc.Load(base.ID(), all(t, d), zeros{})
		if err != nil || !doc.Equal(tree(t, again), tree(t, d)) || !slices.Equal(e.Heads, again.Heads()) {
			t.Fatalf("%s: loaded again it differs: %v", patch, err)
		}
	})
}
