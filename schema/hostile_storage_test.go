package schema_test

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tombolo/doc"
	"tombolo/schema"
)

// fieldOf says which field, or fields of one lens, a key at the root belongs to.
func fieldOf(key string) string {
	name, rest, _ := strings.Cut(strings.TrimLeft(key, "^=+"), "~")
	if name == "cur" {
		name = map[string]string{"2.4": "done", "2.5": "body", "3.3": "fullName", "3.4": "done"}[rest]
	}
	switch name {
	case "status", "state", "archived":
		return "done"
	case "first", "last":
		return "fullName"
	case "assignee", "assignees":
		return "assignee"
	}
	return name
}

var storedAt = map[string]string{
	"name": "title", "status": "done", "state": "done", "archived": "done", "first": "fullName", "last": "fullName", "assignees": "assignee", "theme": "settings",
}

var garbage = rapid.Custom(func(t *rapid.T) any {
	switch rapid.IntRange(0, 14).Draw(t, "kind") {
	case 0:
		return nil
	case 1:
		return rapid.Bool().Draw(t, "bool")
	case 2:
		return rapid.SampledFrom([]int64{0, 1, -1, 1 << 62, -1 << 63}).Draw(t, "int")
	case 3:
		return rapid.SampledFrom([]uint64{0, 1, 1<<64 - 1}).Draw(t, "uint")
	case 4:
		return rapid.Float64().Draw(t, "float")
	case 5:
		return rapid.SampledFrom([]string{"", "x", "todo", "done", "archived", "nonsense", "Ann Lee", strings.Repeat("long ", 20)}).Draw(t, "string")
	case 6:
		return doc.Text(rapid.SampledFrom([]string{"", "x", "done"}).Draw(t, "text"))
	case 7:
		return doc.Counter(rapid.Int64().Draw(t, "counter"))
	case 8:
		return []byte(rapid.SampledFrom([]string{"", "x"}).Draw(t, "bytes"))
	case 9:
		return time.UnixMilli(rapid.Int64Range(-1<<50, 1<<50).Draw(t, "time"))
	case 10:
		return []any{}
	case 11:
		return []any{"a", 1, nil, map[string]any{"x": 1}}
	case 12:
		return map[string]any{}
	case 13:
		return map[string]any{"t": true, "$deleted": true, "x": 1}
	default:
		return map[string]any{"t": map[string]any{"text": 5, "ticked": "x", "$deleted": nil}, "u": map[string]any{"notes": "x"}, "v": nil, "x": false, "y": true}
	}
})

type fuzzed struct {
	t     *rapid.T
	s     *schema.Schema
	views []*schema.View[object]
}

func (f *fuzzed) hostile(d *doc.Doc) {
	t := f.t
	got, err := d.Get("")
	if err != nil {
		t.Fatal(err)
	}
	keys := slices.Sorted(maps.Keys(got.(map[string]any)))
	keys = append(keys, "title", "done", "fullName", "assignee", "color", "body", "tags", "todos", "settings", "votes", "priority", "assignees", "cur~2.4", "cur~2.5", "cur~3.3", "cur~3.4",
		"^done~2.4@x", "status~2.4@x", "+status~2.4@x", "first~3.3@x", "+last~3.3@x", "body~2.5@x", "^assignee~3.2", "state~3.4@x", "+archived~3.4@x", "=status~3.4@x")
	key := rapid.SampledFrom(keys).Draw(t, "key")
	v := garbage.Draw(t, "garbage")
	if strings.HasPrefix(key, "cur~") && rapid.Bool().Draw(t, "known") {
		v = "x"
	}
	path := "/" + doc.Pointer{key}.String()[1:]
	_, err = d.Edit(doc.Note{}, func(tx *doc.Tx) error {
		if rapid.IntRange(0, 5).Draw(t, "remove") == 0 {
			if err := tx.Remove(path); err != nil {
				return nil
			}
			return nil
		}
		if m, ok := got.(map[string]any)["todos"].(map[string]any); ok && len(m) > 0 && rapid.Bool().Draw(t, "row") {
			id := rapid.SampledFrom(slices.Sorted(maps.Keys(m))).Draw(t, "id")
			if _, ok := m[id].(map[string]any); ok {
				return tx.Set("/todos/"+doc.Pointer{id}.String()[1:]+"/"+rapid.SampledFrom([]string{"text", "ticked", "notes", "$deleted"}).Draw(t, "in"), v)
			}
		}
		return tx.Set(path, v)
	})
	if err != nil {
		t.Logf("hostile %s %v: %v", key, v, err)
	}
}

func (f *fuzzed) reads(d *doc.Doc) {
	for _, v := range f.views {
		if _, _, err := v.Read(d); err != nil {
			f.t.Fatal(err)
		}
	}
	for i, err := range []error{second(schema.MustBind[issue1](f.s, 1), d), second(schema.MustBind[issue2](f.s, 2), d), second(schema.MustBind[issue3](f.s, 3), d)} {
		if err != nil {
			f.t.Fatal(i, err)
		}
	}
}

func second[T any](v *schema.View[T], d *doc.Doc) error { _, _, err := v.Read(d); return err }

func (f *fuzzed) update(d *doc.Doc) {
	t := f.t
	n := rapid.IntRange(0, 2).Draw(t, "version")
	v := f.views[n]
	have, _, err := v.Read(d)
	if err != nil {
		t.Fatal(err)
	}
	name := rapid.SampledFrom(slices.Sorted(maps.Keys(have))).Draw(t, "field")
	word := rapid.SampledFrom([]string{"", "a", "b c", "todo", "x y z", strings.Repeat("word ", 9)})
	var val any
	switch name {
	case "title", "name":
		val = doc.Text(word.Draw(t, "w"))
	case "body":
		val = doc.Text(word.Draw(t, "w"))
		if n == 0 {
			val = string(val.(doc.Text))
		}
	case "done", "archived":
		val = rapid.Bool().Draw(t, "b")
	case "status", "state":
		val = rapid.SampledFrom([]string{"todo", "doing", "done"}).Draw(t, "status")
	case "fullName", "assignee", "color", "first", "last", "theme":
		val = word.Draw(t, "w")
	case "priority":
		val = rapid.Int64().Draw(t, "n")
	case "votes":
		val = doc.Counter(rapid.Int64Range(-5, 5).Draw(t, "n"))
	case "tags":
		val = []any{word.Draw(t, "w"), "z"}
	case "assignees":
		val = object{"ann": true, "b" + word.Draw(t, "w"): true}
	case "settings":
		val = object{}
		if n == 0 {
			val = object{"theme": word.Draw(t, "w")}
		}
	case "todos":
		rows := maps.Clone(have["todos"].(object))
		id := rapid.SampledFrom([]string{"t", "u", "n"}).Draw(t, "id")
		if rows[id] != nil && rapid.Bool().Draw(t, "delete") {
			delete(rows, id)
		} else {
			row := object{"text": doc.Text(word.Draw(t, "w")), "ticked": true}
			if n == 2 {
				row["notes"] = doc.Text("n")
			}
			rows[id] = row
		}
		val = rows
	default:
		t.Fatal(name)
	}
	before, err := d.Get("")
	if err != nil {
		t.Fatal(err)
	}
	hash := hashOf(t, d)
	err = trySet(v, d, name, val)
	after, aerr := d.Get("")
	if aerr != nil {
		t.Fatal(aerr)
	}
	if err != nil {
		if hashOf(t, d) != hash {
			t.Fatal("changed although", err)
		}
		if _, ok := errors.AsType[*schema.ValueError](err); !ok && !errors.Is(err, schema.ErrStep) {
			t.Fatalf("%s at %d: %v\n%v", name, n+1, err, before)
		}
		return
	}
	own := name
	if s := storedAt[name]; s != "" {
		own = s
	}
	b, a := before.(map[string]any), after.(map[string]any)
	for _, k := range slices.Sorted(maps.Keys(b)) {
		if fieldOf(k) != own && !doc.Equal(b[k], a[k]) {
			t.Fatalf("v%d %s := %v changed %q from %v to %v", n+1, name, val, k, b[k], a[k])
		}
	}
	for _, k := range slices.Sorted(maps.Keys(a)) {
		if fieldOf(k) != own && !doc.Equal(b[k], a[k]) {
			t.Fatalf("v%d %s := %v made %q %v", n+1, name, val, k, a[k])
		}
	}
	got, rep, err := v.Read(d)
	if err != nil {
		t.Fatal(err)
	}
	if text(got[name]) != text(val) && name != "settings" {
		t.Fatalf("v%d %s := %v shows %v, reported %v\nbefore %v\nafter %v", n+1, name, val, got[name], rep, b, a)
	}
	for k := range got {
		if !doc.Equal(got[k], have[k]) && fieldOf(k) != own && storedAt[k] != own {
			t.Fatalf("v%d %s := %v changed what %s shows from %v to %v", n+1, name, val, k, have[k], got[k])
		}
	}
	unchanged(t, d, "again", func() {
		if err := trySet(v, d, name, val); err != nil {
			t.Fatal(err)
		}
	})
}

// TestHostileStorage: whatever is stored at whichever key, every version reads it, documents with the same changes show the same, an edit shows as it was
// made, writes nothing the second time, and touches no other field; one that is refused leaves no trace.
func TestHostileStorage(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := &fuzzed{t: t, s: issues()}
		for n := 1; n <= 3; n++ {
			f.views = append(f.views, whole(t, f.s, n))
		}
		docs := []*doc.Doc{docOf(t, 1), docOf(t, 2)}
		for range rapid.IntRange(1, 14).Draw(t, "steps") {
			d := docs[rapid.IntRange(0, 1).Draw(t, "doc")]
			switch rapid.IntRange(0, 7).Draw(t, "step") {
			case 0, 1:
				f.hostile(d)
			case 2, 3, 4:
				f.update(d)
			case 5:
				before := hashOf(t, d)
				path := rapid.SampledFrom([][]string{{"name"}, {"body"}, {"todos", "t", "text"}, {"todos", "u", "notes"}}).Draw(t, "path")
				if err := f.views[2].Text(schema.Of(d, nil), path...).Splice(ctx, 0, 0, "s"); err != nil {
					if hashOf(t, d) != before {
						t.Fatal("a refused edit of a text changed something:", err)
					}
				}
			case 6:
				if _, err := f.s.Settle(ctx, schema.Of(d, nil)); err != nil {
					t.Logf("settle: %v", err)
				} else if again, err := f.s.Settle(ctx, schema.Of(d, nil)); err != nil || again {
					t.Fatal("settled twice", err)
				}
				if _, err := f.s.Conflicts(d); err != nil {
					t.Fatal(err)
				}
			case 7:
				share(t, docs[0], docs[1])
				sameViews(t, f.s, docs...)
			}
			f.reads(d)
		}
		share(t, docs[0], docs[1])
		sameViews(t, f.s, docs...)
		if _, err := f.s.Conflicts(docs[0]); err != nil {
			t.Fatal(err)
		}
	})
}

var ctx = context.Background()
