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
	"testing"

	"tombolo/doc"
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
