package schema_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"tombolo/doc"
	"tombolo/doc/gate"
	"tombolo/schema"
)

const plainApp = "com.example.plain"

// plainOne makes {title, tags} of a legacy {name, tags}.
func plainOne(_ *schema.PlainEnv, older any) (any, error) {
	legacy, _ := older.(map[string]any)
	name, _ := legacy["name"].(string)
	tags, _ := legacy["tags"].([]any)
	return map[string]any{"title": doc.Text(name), "tags": slices.Concat([]any{}, tags)}, nil
}

// plainTwo rebuilds tags as records with IDs.
func plainTwo(env *schema.PlainEnv, older any) (any, error) {
	one := older.(map[string]any)
	records := map[string]any{}
	for i, tag := range one["tags"].([]any) {
		records[env.NewID("tag", strconv.Itoa(i))] = map[string]any{"label": tag}
	}
	return map[string]any{"title": one["title"], "records": records, "log": []any{}}, nil
}

// plainThree puts a heading before the title.
func plainThree(_ *schema.PlainEnv, older any) (any, error) {
	two := older.(map[string]any)
	title, ok := two["title"].(doc.Text)
	if !ok {
		return nil, errors.New("no title")
	}
	return map[string]any{"heading": title, "records": two["records"], "log": two["log"], "done": false}, nil
}

func plainVersions() []schema.PlainVersion {
	return []schema.PlainVersion{{Number: 1, Load: plainOne}, {Number: 2, Load: plainTwo}, {Number: 3, Load: plainThree}}
}

func plainSchema(t *testing.T) *schema.Plain {
	t.Helper()
	p, err := schema.NewPlain(plainApp, plainVersions()...)
	plainCheck(t, err)
	return p
}

func plainCheck(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

var plainActors uint64

// plainDoc is a document with the changes of others.
func plainDoc(t *testing.T, others ...*doc.Doc) *doc.Doc {
	t.Helper()
	plainActors++
	actor := binary.BigEndian.AppendUint64(bytes.Repeat([]byte{7}, 8), plainActors)
	d, err := doc.New(doc.NamedID(plainApp, "one"), bytes.NewReader(actor))
	plainCheck(t, err)
	t.Cleanup(func() { d.Close() })
	_, err = d.Apply(doc.Genesis(d.ID(), plainApp))
	plainCheck(t, err)
	plainPull(t, d, others...)
	return d
}

func plainPull(t *testing.T, d *doc.Doc, others ...*doc.Doc) {
	t.Helper()
	for _, o := range others {
		changes, err := o.Changes()
		plainCheck(t, err)
		_, err = d.Apply(changes...)
		plainCheck(t, err)
	}
}

func plainMeet(t *testing.T, a, b *doc.Doc) {
	t.Helper()
	plainPull(t, a, b)
	plainPull(t, b, a)
}

func plainLegacyDoc(t *testing.T) *doc.Doc {
	t.Helper()
	d := plainDoc(t)
	_, err := d.Edit(doc.Note{}, func(tx *doc.Tx) error {
		return tx.Put(map[string]any{"name": "plan", "tags": []any{"a", "b"}})
	})
	plainCheck(t, err)
	return d
}

func plainOpen(t *testing.T, p *schema.Plain, d *doc.Doc) (*schema.PlainHandle, map[string]any, schema.PlainReport) {
	t.Helper()
	h := p.Open(schema.Of(d, nil))
	v, report, err := h.Load()
	plainCheck(t, err)
	return h, v.(map[string]any), report
}

func plainSave(t *testing.T, h *schema.PlainHandle, v any) {
	t.Helper()
	plainCheck(t, h.Save(context.Background(), v))
}

func plainWant(t *testing.T, v any, want string) {
	t.Helper()
	got, err := doc.EncodeJSON(v)
	plainCheck(t, err)
	if string(got) != want {
		t.Fatalf("got  %s\nwant %s", got, want)
	}
}

// plainFrozen checks that fn writes nothing.
func plainFrozen(t *testing.T, d *doc.Doc, fn func()) {
	t.Helper()
	before, err := d.Changes()
	plainCheck(t, err)
	fn()
	after, err := d.Changes()
	plainCheck(t, err)
	if !slices.EqualFunc(before, after, bytes.Equal) {
		t.Fatalf("%d changes became %d", len(before), len(after))
	}
}

func TestPlainLegacy(t *testing.T) {
	d, p := plainLegacyDoc(t), plainSchema(t)
	plainFrozen(t, d, func() {
		_, v, report := plainOpen(t, p.At(1), d)
		plainWant(t, v, `{"tags":["a","b"],"title":{"$text":"plan"}}`)
		if report.Version != 0 || report.Late != nil || report.Future != 0 {
			t.Fatalf("%+v", report)
		}
	})
	h, v, _ := plainOpen(t, p.At(1), d)
	plainFrozen(t, d, func() { plainSave(t, h, v) }) // nothing differs
	v["tags"] = append(v["tags"].([]any), "c")
	plainSave(t, h, v)
	got, err := d.Get("/tags")
	plainCheck(t, err)
	plainWant(t, got, `["a","b"]`) // what was there stays
	_, v, report := plainOpen(t, p.At(1), d)
	plainWant(t, v, `{"tags":["a","b","c"],"title":{"$text":"plan"}}`)
	if report.Version != 1 {
		t.Fatalf("%+v", report)
	}
}

func TestPlainDetect(t *testing.T) {
	versions := plainVersions()[:1]
	versions[0].Detect = func(root map[string]any) bool { return root["name"] == "other" }
	p, err := schema.NewPlain(plainApp, versions...)
	plainCheck(t, err)
	_, v, _ := plainOpen(t, p, plainLegacyDoc(t))
	plainWant(t, v, `{"tags":[],"title":{"$text":""}}`)
	versions[0].Detect = func(map[string]any) bool { panic("oh") }
	p, err = schema.NewPlain(plainApp, versions...)
	plainCheck(t, err)
	if _, _, err = p.Load(schema.Of(plainLegacyDoc(t), nil)); !errors.Is(err, schema.ErrStep) || !strings.Contains(err.Error(), "Detect of plain version 1: panic: oh") {
		t.Fatal(err)
	}
}

func TestPlainThreeVersions(t *testing.T) {
	p := plainSchema(t)
	d := plainDoc(t)
	h, v, _ := plainOpen(t, p.At(1), d)
	v["title"], v["tags"] = doc.Text("plan"), []any{"a"}
	plainSave(t, h, v)
	one, err := d.JSON("/$plain")
	plainCheck(t, err)

	h, v, report := plainOpen(t, p.At(2), d)
	if report.Version != 1 {
		t.Fatalf("%+v", report)
	}
	v["log"] = []any{"by two"}
	plainSave(t, h, v)
	two, err := d.JSON("/$plain")
	plainCheck(t, err)
	if !bytes.Contains(two, one[1:bytes.Index(one, []byte(`"v1@`))]) { // v1 of the register
		t.Fatalf("the first place changed:\n%s\n%s", one, two)
	}

	h, v, report = plainOpen(t, p, d)
	if report.Version != 2 || len(report.Late) != 0 {
		t.Fatalf("%+v", report)
	}
	v["done"] = true
	plainSave(t, h, v)
	_, v, report = plainOpen(t, p, d)
	if v["done"] != true || report.Version != 3 || len(report.Late) != 0 {
		t.Fatalf("%v %+v", v, report)
	}
	// Older versions show what they have, and do not write.
	for n, want := range []string{"", `{"tags":["a"],"title":{"$text":"plan"}}`} {
		if n > 0 {
			h, v, report := plainOpen(t, p.At(n), d)
			plainWant(t, v, want)
			if report.Future != 3 || h.State() != schema.PlainFuture {
				t.Fatalf("%+v %v", report, h.State())
			}
			plainFrozen(t, d, func() {
				err, ok := errors.AsType[*schema.VersionError](h.Save(context.Background(), map[string]any{}))
				if !ok || err.Have != n || err.Need != 3 {
					t.Fatal(err)
				}
			})
		}
	}
}

// A version that never had a place of its own sees nothing of documents that newer ones wrote; nothing of them is lost.
func TestPlainFuture(t *testing.T) {
	p := plainSchema(t)
	d := plainDoc(t)
	h, v, _ := plainOpen(t, p, d)
	v["done"] = true
	plainSave(t, h, v)
	plainFrozen(t, d, func() {
		h := p.At(2).Open(schema.Of(d, nil))
		_, report, err := h.Load()
		future, ok := errors.AsType[*schema.VersionError](err)
		if !ok || future.Have != 2 || future.Need != 3 || report.Future != 3 || h.State() != schema.PlainFuture {
			t.Fatalf("%v %+v %v", err, report, h.State())
		}
		if err := h.Save(context.Background(), map[string]any{}); !errors.Is(err, schema.ErrNewerWriter) {
			t.Fatal(err)
		}
	})
	_, v, _ = plainOpen(t, p, d)
	if v["done"] != true {
		t.Fatal(v)
	}
}

// A newer version that arrives between Load and Save makes the document read-only, too.
func TestPlainFutureArrives(t *testing.T) {
	p := plainSchema(t)
	a := plainLegacyDoc(t)
	b := plainDoc(t, a)
	old, ov, _ := plainOpen(t, p.At(1), a)
	h, v, _ := plainOpen(t, p, b)
	v["done"] = true
	plainSave(t, h, v)
	plainMeet(t, a, b)
	ov["tags"] = []any{"x"}
	plainFrozen(t, a, func() {
		if err := old.Save(context.Background(), ov); !errors.Is(err, schema.ErrNewerWriter) || old.State() != schema.PlainFuture {
			t.Fatal(err, old.State())
		}
	})
}

func TestPlainStructuralRebuild(t *testing.T) {
	p := plainSchema(t)
	a := plainLegacyDoc(t)
	b := plainDoc(t, a)
	var both []string
	for _, d := range []*doc.Doc{a, b} {
		_, v, _ := plainOpen(t, p.At(2), d)
		json, err := doc.EncodeJSON(v["records"])
		plainCheck(t, err)
		both = append(both, string(json))
	}
	env := schema.PlainEnv{Doc: a.ID(), Version: 2}
	id := env.NewID("tag", "0")
	if both[0] != both[1] || !strings.Contains(both[0], id) || len(id) != 20 || id == env.NewID("tag0") || id == env.NewID("tag", "1") {
		t.Fatal(both, id)
	}
	count := 0
	versions := plainVersions()
	versions[1].Load = func(_ *schema.PlainEnv, _ any) (any, error) { count++; return map[string]any{"n": count}, nil }
	p, err := schema.NewPlain(plainApp, versions...)
	plainCheck(t, err)
	if _, _, err := p.Load(schema.Of(a, nil)); !errors.Is(err, schema.ErrStep) || !strings.Contains(err.Error(), "another value the second time") {
		t.Fatal(err)
	}
}

func TestPlainFailedLoad(t *testing.T) {
	for name, load := range map[string]func(*schema.PlainEnv, any) (any, error){
		"error":     func(*schema.PlainEnv, any) (any, error) { return nil, errors.New("cannot read that") },
		"panic":     func(*schema.PlainEnv, any) (any, error) { panic("cannot read that") },
		"panic err": func(*schema.PlainEnv, any) (any, error) { panic(errors.New("cannot read that")) },
		"type":      func(*schema.PlainEnv, any) (any, error) { return make(chan int), nil },
	} {
		t.Run(name, func(t *testing.T) {
			versions := plainVersions()
			good := versions[1].Load
			versions[1].Load = func(e *schema.PlainEnv, v any) (any, error) { return load(e, v) }
			p, err := schema.NewPlain(plainApp, versions...)
			plainCheck(t, err)
			d := plainLegacyDoc(t)
			plainFrozen(t, d, func() {
				h := p.Open(schema.Of(d, nil))
				_, _, err := h.Load()
				failed, ok := errors.AsType[*schema.PlainError](err)
				if !ok || failed.Version != 2 || failed.Func != "Load" || h.State() != schema.PlainFailed {
					t.Fatal(err, h.State())
				}
				err = h.Save(context.Background(), map[string]any{})
				if !errors.Is(err, schema.ErrPlainFailed) || !errors.Is(err, schema.ErrStep) {
					t.Fatal(err)
				}
				if err := h.Update(context.Background(), func(v any) (any, error) { return v, nil }); !errors.Is(err, schema.ErrPlainFailed) {
					t.Fatal(err)
				}
				load = good
				_, _, err = h.Load() // the file it needs is there again
				plainCheck(t, err)
				if h.State() != schema.PlainReady {
					t.Fatal(h.State())
				}
			})
		})
	}
}

func TestPlainFailedSave(t *testing.T) {
	versions := plainVersions()
	versions[2].Save = func(_ *schema.PlainEnv, v any) (any, error) {
		m := v.(map[string]any) // panics for anything else
		if m["done"] == "perhaps" {
			return nil, errors.New("done is yes or no")
		}
		m["heading"] = doc.Text(strings.TrimSpace(string(m["heading"].(doc.Text))))
		return m, nil
	}
	p, err := schema.NewPlain(plainApp, versions...)
	plainCheck(t, err)
	d := plainLegacyDoc(t)
	h, v, _ := plainOpen(t, p, d)
	plainFrozen(t, d, func() {
		for _, bad := range []any{7, map[string]any{"done": "perhaps"}} {
			if failed, ok := errors.AsType[*schema.PlainError](h.Save(context.Background(), bad)); !ok || failed.Version != 3 || failed.Func != "Save" {
				t.Fatal(failed)
			}
		}
		if err := h.Save(context.Background(), make(chan int)); err == nil {
			t.Fatal("a channel was saved")
		}
		if err := h.Update(context.Background(), func(any) (any, error) { return nil, context.Canceled }); !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		if err := h.Resolve(context.Background(), v, schema.LateEdit{}); err == nil {
			t.Fatal("a late edit of nowhere was resolved")
		}
	})
	v["heading"] = doc.Text(" plan 2 ")
	plainSave(t, h, v) // still ready
	_, v, _ = plainOpen(t, p, d)
	if v["heading"] != doc.Text("plan 2") {
		t.Fatal(v)
	}
}

func TestPlainSaveBeforeAndDuringLoad(t *testing.T) {
	var h *schema.PlainHandle
	var during []error
	versions := plainVersions()
	versions[0].Load = func(e *schema.PlainEnv, v any) (any, error) {
		during = append(during, h.Save(context.Background(), map[string]any{}))
		return plainOne(e, v)
	}
	p, err := schema.NewPlain(plainApp, versions...)
	plainCheck(t, err)
	d := plainLegacyDoc(t)
	plainFrozen(t, d, func() {
		h = p.Open(schema.Of(d, nil))
		if err := h.Save(context.Background(), map[string]any{}); !errors.Is(err, schema.ErrPlainLoading) || h.State() != schema.PlainLoading {
			t.Fatal(err)
		}
		_, _, err := h.Load()
		plainCheck(t, err)
		if len(during) != 2 || !errors.Is(during[0], schema.ErrPlainLoading) {
			t.Fatal(during)
		}
	})
}

// Two devices that upgrade the same data at once go on with one place, and one list and text in it.
func TestPlainTwoUpgrade(t *testing.T) {
	p := plainSchema(t)
	a := plainLegacyDoc(t)
	b := plainDoc(t, a)
	for _, e := range []struct {
		d   *doc.Doc
		log string
	}{{a, "of a"}, {b, "of b"}} {
		h, v, _ := plainOpen(t, p, e.d)
		v["log"] = []any{e.log}
		v["heading"] = v["heading"].(doc.Text) + doc.Text(" "+e.log)
		plainSave(t, h, v)
	}
	plainMeet(t, a, b)
	places := 0
	in, err := a.Get("/$plain")
	plainCheck(t, err)
	for k := range in.(map[string]any) {
		if strings.HasPrefix(k, "v3@") {
			places++
		}
	}
	_, v, report := plainOpen(t, p, a)
	if places != 1 || len(report.Late) != 0 {
		t.Fatalf("%d places, %+v", places, report)
	}
	text := string(v["heading"].(doc.Text))
	if len(v["log"].([]any)) != 2 || strings.Count(text, "plan") != 1 || !strings.Contains(text, "of a") || !strings.Contains(text, "of b") || len(v["records"].(map[string]any)) != 2 {
		t.Fatal(v)
	}
	hb, vb, _ := plainOpen(t, p, b)
	plainWant(t, vb, plainMust(t, v))
	vb["log"] = append(vb["log"].([]any), "more")
	plainSave(t, hb, vb)
	plainPull(t, a, b)
	if _, v, _ := plainOpen(t, p, a); len(v["log"].([]any)) != 3 {
		t.Fatal(v)
	}
}

func plainMust(t *testing.T, v any) string {
	t.Helper()
	b, err := doc.EncodeJSON(v)
	plainCheck(t, err)
	return string(b)
}

// Where two devices upgrade data that differs, one place counts on both, and the other one is a late edit until it was taken in.
func TestPlainTwoUpgradeOtherData(t *testing.T) {
	p := plainSchema(t)
	a := plainLegacyDoc(t)
	h, v, _ := plainOpen(t, p.At(1), a)
	v["title"] = doc.Text("plan 1")
	plainSave(t, h, v)
	b := plainDoc(t, a)
	v["tags"] = append(v["tags"].([]any), "late tag")
	plainSave(t, h, v) // b does not have this
	for _, e := range []struct {
		d   *doc.Doc
		log string
	}{{a, "of a"}, {b, "of b"}} {
		h, v, _ := plainOpen(t, p, e.d)
		v["log"] = []any{e.log}
		plainSave(t, h, v)
	}
	plainMeet(t, a, b)
	ha, va, ra := plainOpen(t, p, a)
	_, vb, rb := plainOpen(t, p, b)
	plainWant(t, vb, plainMust(t, va))
	if len(ra.Late) == 0 || fmt.Sprint(rb) != fmt.Sprint(ra) {
		t.Fatalf("%+v\n%+v", ra, rb)
	}
	var merged any = va
	for _, e := range ra.Late {
		plainCheck(t, e.Err)
		is, err := doc.ApplyPatches(e.Before, e.Patches)
		plainCheck(t, err)
		plainWant(t, is, plainMust(t, e.After))
		merged = e.MergeInto(merged)
	}
	plainCheck(t, ha.Resolve(context.Background(), merged, ra.Late...))
	plainPull(t, b, a)
	_, vb, rb = plainOpen(t, p, b)
	text := plainMust(t, vb)
	for _, want := range []string{"of a", "of b", "late tag"} {
		if strings.Count(text, want) != 1 {
			t.Errorf("%q is not there once: %s", want, text)
		}
	}
	if len(rb.Late) != 0 {
		t.Fatalf("%+v", rb.Late)
	}
}

// What old code writes after the upgrade elsewhere is reported with what changed, stays stored, and comes in when asked.
func TestPlainLateEdit(t *testing.T) {
	p := plainSchema(t)
	a := plainLegacyDoc(t)
	b := plainDoc(t, a)
	h, v, _ := plainOpen(t, p, a)
	v["done"] = true
	plainSave(t, h, v)

	_, err := b.Edit(doc.Note{}, func(tx *doc.Tx) error { return tx.List("tags").Append("c") }) // code without versions
	plainCheck(t, err)
	old, ov, _ := plainOpen(t, p.At(1), b)
	ov["title"] = doc.Text("plan B")
	plainSave(t, old, ov)
	plainMeet(t, a, b)

	ha, va, ra := plainOpen(t, p, a)
	_, vb, rb := plainOpen(t, p, b)
	plainWant(t, vb, plainMust(t, va))
	if len(ra.Late) != 2 || len(rb.Late) != 2 || ra.Late[0].Version != 0 || ra.Late[1].Version != 1 {
		t.Fatalf("%+v", ra.Late)
	}
	if p := ra.Late[0].Patches; len(p) != 1 || p[0].Path[0] != "records" || p[0].Kind != doc.PatchAdd {
		t.Fatalf("%+v", p)
	}
	if p := ra.Late[1].Patches; len(p) != 1 || p[0].Path.String() != "/heading" || p[0].New != doc.Text(" B") {
		t.Fatalf("%+v", p)
	}
	plainFrozen(t, a, func() { plainOpen(t, p, a) })

	// The one is taken in, the other left out for now: it stays reported.
	plainCheck(t, ha.Resolve(context.Background(), ra.Late[1].MergeInto(va), ra.Late[1]))
	ha, va, ra = plainOpen(t, p, a)
	if va["heading"] != doc.Text("plan B") || va["done"] != true || len(ra.Late) != 1 || ra.Late[0].Version != 0 {
		t.Fatalf("%v %+v", va, ra)
	}
	plainCheck(t, ha.Resolve(context.Background(), va, ra.Late...))
	if _, _, ra = plainOpen(t, p, a); len(ra.Late) != 0 {
		t.Fatalf("%+v", ra)
	}
	// Another late edit in the same place is reported again.
	_, err = b.Edit(doc.Note{}, func(tx *doc.Tx) error { return tx.List("tags").Append("d") })
	plainCheck(t, err)
	plainPull(t, a, b)
	if _, _, ra = plainOpen(t, p, a); len(ra.Late) != 1 || len(ra.Late[0].Patches) != 1 {
		t.Fatalf("%+v", ra)
	}
}

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
