package schema_test

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"

	"tombolo/doc"
	"tombolo/doc/gate"
	"tombolo/schema"
)

// A late edit that a function cannot read is reported as it is, and keeps nobody from reading.
func TestPlainLateEditFails(t *testing.T) {
	p := plainSchema(t)
	a := plainLegacyDoc(t)
	h, v, _ := plainOpen(t, p.At(2), a)
	v["log"] = []any{"x"}
	plainSave(t, h, v)
	b := plainDoc(t, a)
	v["title"] = 7
	plainSave(t, h, v)
	h, v, _ = plainOpen(t, p, b)
	v["done"] = true
	plainSave(t, h, v)
	plainMeet(t, a, b)
	_, v, r := plainOpen(t, p, a)
	if v["done"] != true || len(r.Late) != 1 || !errors.Is(r.Late[0].Err, schema.ErrStep) || r.Late[0].After.(map[string]any)["title"] != int64(7) {
		t.Fatalf("%v %+v", v, r)
	}
	plainWant(t, r.Late[0].MergeInto(v), plainMust(t, v))
}

// A place counts once somebody saved there, also when it holds what it began with again.
func TestPlainBackToTheBeginning(t *testing.T) {
	p := plainSchema(t)
	d := plainLegacyDoc(t)
	h, v, _ := plainOpen(t, p, d)
	for _, done := range []bool{true, false} {
		v["done"] = done
		plainSave(t, h, v)
	}
	_, err := d.Edit(doc.Note{}, func(tx *doc.Tx) error { return tx.List("tags").Append("late") })
	plainCheck(t, err)
	h, v, r := plainOpen(t, p, d)
	if r.Version != 3 || len(v["records"].(map[string]any)) != 2 || len(r.Late) != 1 {
		t.Fatal(v, r)
	}
	plainCheck(t, h.Resolve(context.Background(), v, r.Late...)) // seen, and left out
	if _, v, r = plainOpen(t, p, d); len(v["records"].(map[string]any)) != 2 || len(r.Late) != 0 {
		t.Fatal(v, r)
	}
	// The same where this version never saved.
	d = plainLegacyDoc(t)
	h, v, _ = plainOpen(t, p.At(1), d)
	v["title"] = doc.Text("one")
	plainSave(t, h, v)
	_, err = d.Edit(doc.Note{}, func(tx *doc.Tx) error { return tx.List("tags").Append("late") })
	plainCheck(t, err)
	h, v, r = plainOpen(t, p, d)
	plainCheck(t, h.Resolve(context.Background(), v, r.Late...))
	if _, _, after := plainOpen(t, p, d); len(r.Late) != 1 || len(after.Late) != 0 || after.Version != 3 {
		t.Fatal(r, after)
	}
}

func TestPlainConcurrent(t *testing.T) {
	p := plainSchema(t)
	h, _, _ := plainOpen(t, p, plainLegacyDoc(t))
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for range 20 {
				if _, _, err := h.Load(); err != nil {
					t.Error(err)
				}
				err := h.Update(context.Background(), func(v any) (any, error) {
					m := v.(map[string]any)
					m["log"] = append(m["log"].([]any), i)
					return m, nil
				})
				if err != nil && !errors.Is(err, schema.ErrPlainLoading) {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if _, _, err := h.Load(); err != nil || h.State() != schema.PlainReady {
		t.Fatal(err)
	}
}

// A program that goes back to an older version, and forward again, loses nothing.
func TestPlainDowngrade(t *testing.T) {
	p := plainSchema(t)
	d := plainLegacyDoc(t)
	h, v, _ := plainOpen(t, p.At(1), d)
	v["title"] = doc.Text("one")
	plainSave(t, h, v)
	h, v, _ = plainOpen(t, p, d)
	v["heading"] = doc.Text("three")
	plainSave(t, h, v)
	want, err := d.JSON("")
	plainCheck(t, err)
	plainFrozen(t, d, func() {
		h, v, r := plainOpen(t, p.At(1), d)
		if v["title"] != doc.Text("one") || r.Future != 3 {
			t.Fatal(v, r)
		}
		if err := h.Save(context.Background(), v); !errors.Is(err, schema.ErrNewerWriter) {
			t.Fatal(err)
		}
	})
	got, err := d.JSON("")
	plainCheck(t, err)
	if _, v, r := plainOpen(t, p, d); v["heading"] != doc.Text("three") || len(r.Late) != 0 || !bytes.Equal(got, want) {
		t.Fatal(v, r)
	}
}

// What others write between Load and Save stays.
func TestPlainSaveKeepsOthers(t *testing.T) {
	p := plainSchema(t)
	a := plainLegacyDoc(t)
	h, v, _ := plainOpen(t, p, a)
	v["log"] = []any{"1", "2"}
	plainSave(t, h, v)
	b := plainDoc(t, a)
	ha, va, _ := plainOpen(t, p, a)
	hb, vb, _ := plainOpen(t, p, b)
	vb["log"] = []any{"0", "1", "2"}
	vb["heading"] = doc.Text("my plan")
	vb["extra"] = map[string]any{"n": doc.Counter(2)}
	plainSave(t, hb, vb)
	plainPull(t, a, b)
	va["log"] = []any{"1", "3"}
	va["heading"] = doc.Text("plan of all")
	plainSave(t, ha, va)
	va["done"] = true // and once more, without a Load
	plainSave(t, ha, va)
	_, v, _ = plainOpen(t, p, a)
	if plainMust(t, v["log"]) != `["0","1","3"]` || v["heading"] != doc.Text("my plan of all") || v["done"] != true || v["extra"] == nil {
		t.Fatal(v)
	}
	plainPull(t, b, a)
	plainCheck(t, hb.Update(context.Background(), func(v any) (any, error) {
		m := v.(map[string]any)
		m["extra"].(map[string]any)["n"] = 5
		delete(m, "done")
		return m, nil
	}))
	_, v, _ = plainOpen(t, p, b)
	if _, there := v["done"]; there || plainMust(t, v["extra"]) != `{"n":{"$counter":5}}` || plainMust(t, v["log"]) != `["0","1","3"]` {
		t.Fatal(v)
	}
}

// What was removed is not there as something empty.
func TestPlainRemoved(t *testing.T) {
	p := plainSchema(t)
	d := plainLegacyDoc(t)
	h, v, _ := plainOpen(t, p, d)
	v["extra"] = map[string]any{"list": []any{"x"}}
	plainSave(t, h, v)
	delete(v, "extra")
	v["empty"] = map[string]any{}
	plainSave(t, h, v)
	_, v, _ = plainOpen(t, p, d)
	if _, there := v["extra"]; there || plainMust(t, v["empty"]) != `{}` {
		t.Fatal(v)
	}
}

// An upgrade that was undone is no upgrade, unless others wrote there.
func TestPlainUndo(t *testing.T) {
	p := plainSchema(t)
	for _, other := range []bool{false, true} {
		a := plainLegacyDoc(t)
		var edited doc.Edited
		h := p.Open(plainRecorder{schema.Of(a, nil), a, &edited})
		x, _, err := h.Load()
		plainCheck(t, err)
		v := x.(map[string]any)
		v["done"] = true
		plainSave(t, h, v)
		if other {
			b := plainDoc(t, a)
			hb, vb, _ := plainOpen(t, p, b)
			vb["log"] = []any{"of b"}
			plainSave(t, hb, vb)
			plainPull(t, a, b)
		}
		u := doc.NewUndo(0)
		u.Did(edited)
		_, err = a.Undo(u, doc.Note{})
		plainCheck(t, err)
		h, v, r := plainOpen(t, p, a)
		if v["done"] != false || r.Removed != 0 || (r.Version == 3) != other || (plainMust(t, v["log"]) == `["of b"]`) != other {
			t.Fatal(v, r)
		}
		v["log"] = append(v["log"].([]any), "again")
		plainSave(t, h, v)
		if _, v, r = plainOpen(t, p, a); r.Version != 3 || !slices.Contains(v["log"].([]any), any("again")) {
			t.Fatal(v, r)
		}
	}
}

// plainRecorder remembers the last edit.
type plainRecorder struct {
	schema.Document
	d    *doc.Doc
	last *doc.Edited
}

func (r plainRecorder) Change(_ context.Context, message string, fn func(*doc.Tx) error) (err error) {
	*r.last, err = r.d.Edit(doc.Note{Message: message}, fn)
	return err
}

// Anybody may write anything at the place of the versions: it is passed over.
func TestPlainForeign(t *testing.T) {
	p := plainSchema(t)
	for _, junk := range []any{7, []any{}, map[string]any{"v1": 5, "v1@x": "y", "v2": "v2@none", "w": 1, "v0": "v0", "v01@x": map[string]any{}, "v1@y": map[string]any{"from": "v1@y", "base": []byte("{")}}} {
		d := plainDoc(t)
		_, err := d.Edit(doc.Note{}, func(tx *doc.Tx) error { return tx.Set("/$plain", junk) })
		plainCheck(t, err)
		h := p.At(2).Open(schema.Of(d, nil))
		v, _, err := h.Load()
		if err != nil {
			continue // said, and nothing is written
		}
		m := v.(map[string]any)
		m["log"] = []any{"x"}
		plainSave(t, h, m)
		if _, v, _ := plainOpen(t, p.At(2), d); plainMust(t, v["log"]) != `["x"]` {
			t.Fatal(v)
		}
	}
}

func TestPlainNotOurs(t *testing.T) {
	p, err := schema.NewPlain("com.example.other", plainVersions()...)
	plainCheck(t, err)
	d := plainLegacyDoc(t)
	h := p.Open(schema.Of(d, nil))
	if _, _, err := h.Load(); !errors.Is(err, schema.ErrNotOurs) {
		t.Fatal(err)
	}
	if err := h.Save(context.Background(), nil); !errors.Is(err, schema.ErrNotOurs) {
		t.Fatal(err)
	}
	plainCheck(t, d.Close())
	if _, _, err := plainSchema(t).Load(schema.Of(d, nil)); !errors.Is(err, doc.ErrClosed) {
		t.Fatal(err)
	}
}

func TestNewPlain(t *testing.T) {
	load := plainOne
	for want, versions := range map[string][]schema.PlainVersion{
		"there are none":            nil,
		"where version 1 belongs":   {{Number: 2, Load: load}},
		"where version 2 belongs":   {{Number: 1, Load: load}, {Number: 3, Load: load}},
		"it has no Load":            {{Number: 1}},
		"Detect belongs to version": {{Number: 1, Load: load}, {Number: 2, Load: load, Detect: func(map[string]any) bool { return true }}},
	} {
		if _, err := schema.NewPlain(plainApp, versions...); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v instead of %q", err, want)
		}
	}
	p := plainSchema(t)
	if p.App() != plainApp || p.Newest() != 3 || p.At(2).Newest() != 2 {
		t.Fatal(p)
	}
	for _, n := range []int{0, 4} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("At(%d) gave something", n)
				}
			}()
			p.At(n)
		}()
	}
}

func TestPlainTyped(t *testing.T) {
	type one struct {
		Title string `doc:"title,text"`
	}
	load := schema.PlainLoad(func(_ *schema.PlainEnv, older *struct{ Name string }) (one, error) {
		if older == nil {
			return one{"new"}, nil
		}
		return one{older.Name}, nil
	})
	p, err := schema.NewPlain(plainApp, schema.PlainVersion{Number: 1, Load: load})
	plainCheck(t, err)
	d := plainDoc(t)
	h, v, _ := plainOpen(t, p, d)
	got, err := schema.PlainAs[one](v)
	plainCheck(t, err)
	if got.Title != "new" {
		t.Fatal(got)
	}
	got.Title = "newer"
	plainSave(t, h, got)
	if _, v, _ := plainOpen(t, p, d); v["title"] != doc.Text("newer") {
		t.Fatal(v)
	}
	d = plainDoc(t)
	_, err = d.Edit(doc.Note{}, func(tx *doc.Tx) error { return tx.Set("/Name", 7) })
	plainCheck(t, err)
	if _, _, err := p.Load(schema.Of(d, nil)); !errors.Is(err, schema.ErrStep) {
		t.Fatal(err)
	}
}

// Data that does not fit one change cannot be upgraded, which is said; it stays as it is and can be read.
func TestPlainTooMuch(t *testing.T) {
	p := plainSchema(t)
	d := plainDoc(t)
	for range 2 {
		_, err := d.Edit(doc.Note{}, func(tx *doc.Tx) error {
			return tx.List("tags").Append(strings.Repeat("x", 9<<20))
		})
		plainCheck(t, err)
	}
	h, v, _ := plainOpen(t, p.At(1), d)
	v["title"] = doc.Text("small")
	plainFrozen(t, d, func() {
		err := h.Save(context.Background(), v)
		if _, ok := errors.AsType[*gate.LimitError](err); !ok || h.State() != schema.PlainReady || !strings.Contains(err.Error(), "several documents") {
			t.Fatal(err)
		}
	})
}
