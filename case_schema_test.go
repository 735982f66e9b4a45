package tombolo_test

import (
	"maps"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"tombolo"
	"tombolo/doc"
	"tombolo/persist"
	"tombolo/persist/badgerstore"
	"tombolo/persist/sealed"
	"tombolo/schema"
)

// The cases of package schema that need an engine: what is on disk and on the way between devices. They have the numbers of those.

type caseName struct {
	Full string `doc:"fullName"`
}

type caseNames struct {
	First string `doc:"first"`
	Last  string `doc:"last"`
}

// caseSchema is three versions of a task.
var caseSchema = schema.MustNew("com.example.cases",
	schema.V(1,
		schema.Object(schema.Root, schema.Text("title"), schema.String("fullName"), schema.String("body"), schema.Counter("votes"), schema.Table("parts", "Part"), schema.String("color")),
		schema.Object("Part", schema.Text("text"))),
	schema.V(2, schema.Rename(schema.Root, "title", "name"), schema.TextFromString(schema.Root, "body"), schema.Add("Part", schema.Text("notes"))),
	schema.V(3, schema.Group(schema.Root, schema.Lens[caseName, caseNames]{
		Rev: 1,
		Up: func(o caseName, _ *caseNames) (caseNames, error) {
			first, last, _ := strings.Cut(o.Full, " ")
			return caseNames{first, last}, nil
		},
		Down: func(n caseNames, _ caseName) (caseName, error) {
			return caseName{strings.TrimSpace(n.First + " " + n.Last)}, nil
		},
	}), schema.Remove(schema.Root, "color")))

type case1 struct {
	Title    string               `doc:"title"`
	FullName string               `doc:"fullName"`
	Body     string               `doc:"body"`
	Votes    int                  `doc:"votes"`
	Color    string               `doc:"color"`
	Parts    map[string]casePart1 `doc:"parts"`
}

type casePart1 struct {
	Text string `doc:"text"`
}

type case3 struct {
	Name  string               `doc:"name"`
	First string               `doc:"first"`
	Last  string               `doc:"last"`
	Body  string               `doc:"body"`
	Votes int                  `doc:"votes"`
	Parts map[string]casePart3 `doc:"parts"`
}

type casePart3 struct {
	Text  string `doc:"text"`
	Notes string `doc:"notes"`
}

var (
	caseView1 = schema.MustBind[case1](caseSchema, 1)
	caseView3 = schema.MustBind[case3](caseSchema, 3)
)

// caseFull is a task as version 3 makes it, and as version 1 sees it.
var (
	caseFull = case3{
		Name: "Bug", First: "Ann ", Last: "Lee", Body: strings.Repeat("It fails. ", 20), Votes: 2, Parts: map[string]casePart3{"p": {Text: "look", Notes: "twice"}},
	}
	caseSeen = case1{Title: "Bug", FullName: "Ann  Lee", Body: caseFull.Body, Votes: 2, Parts: map[string]casePart1{"p": {Text: "look"}}}
)

// caseOptions are those of a program of a version; 0 is one without a schema.
func caseOptions(version int) tombolo.Options {
	if version == 0 {
		return tombolo.Options{}
	}
	return tombolo.Options{App: caseSchema.App(), Schemas: []*schema.Schema{caseSchema.At(version)}}
}

func caseUpdate[T any](t *testing.T, v *schema.View[T], h *tombolo.Handle, f func(*T)) {
	t.Helper()
	must(t, v.Update(t.Context(), h, "", func(x *T) error { f(x); return nil }))
}

// caseShows waits until a device shows want.
func caseShows[T any](t *testing.T, v *schema.View[T], h *tombolo.Handle, want T) {
	t.Helper()
	var got T
	var err error
	ctx := patience(t)
	for got, err = range v.Watch(ctx, h) {
		must(t, err)
		if reflect.DeepEqual(got, want) {
			return
		}
	}
	t.Fatalf("the device shows\n%+v\nand not\n%+v", got, want)
}

// caseStored is all that a directory's store has of documents: headers, changes and packs.
func caseStored(t *testing.T, dir string, keys *sealed.Keys) map[string]string {
	t.Helper()
	store := caseStore(t, dir, keys)
	out := map[string]string{}
	for entry, err := range store.List(t.Context(), nil) {
		must(t, err)
		if strings.ContainsRune("dr", rune(entry.Key[0])) {
			out[string(entry.Key)] = string(entry.Value)
		}
	}
	must(t, store.Close())
	if len(out) == 0 {
		t.Fatal("nothing is stored")
	}
	return out
}

// caseStore is the Badger store of a directory, sealed where there are keys.
func caseStore(t *testing.T, dir string, keys *sealed.Keys) persist.Store {
	t.Helper()
	store, err := badgerstore.Open(filepath.Join(dir, "records"), nil)
	must(t, err)
	if keys == nil {
		return store
	}
	return sealed.New(store, keys)
}

// TestCase05Directory: a program of any version that opens, reads and closes what version 3 wrote changes no stored byte.
func TestCase05Directory(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	run := func(version int, do func(e *tombolo.Engine)) {
		opts := caseOptions(version)
		opts.Offline, opts.Store = true, caseStore(t, dir, nil)
		e, err := tombolo.Open(t.Context(), dir, &opts)
		must(t, err)
		do(e)
		must(t, e.Close())
	}
	var u doc.URL
	run(3, func(e *tombolo.Engine) {
		h, err := e.Home().Create(t.Context(), caseView3.Create(func(c *case3) error { *c = caseFull; return nil }))
		must(t, err)
		u = h.URL()
		must(t, h.Close())
	})
	before := caseStored(t, dir, nil)
	for _, version := range []int{1, 2, 3, 0, 1} {
		run(version, func(e *tombolo.Engine) {
			h := arrives(t, e, u)
			defer h.Close()
			for v := 1; v <= max(version, 1); v++ {
				must(t, schema.MustBind[map[string]any](caseSchema, v).Update(t.Context(), h, "nothing", func(*map[string]any) error { return nil }))
			}
			caseShows(t, caseView1, h, caseSeen)
			st, err := caseSchema.Inspect(h)
			if err != nil || st.Seen != 3 || !st.Writable {
				t.Errorf("version %d: %+v, %v", version, st, err)
			}
			if _, err := caseSchema.Conflicts(h); err != nil {
				t.Error(err)
			}
			_, err = h.Status(t.Context())
			must(t, err)
		})
	}
	if !maps.Equal(caseStored(t, dir, nil), before) {
		t.Error("stored bytes changed")
	}
}

// caseRelay has version 3 write a document, a middle device store and pass it on after a restart, and a new device of version 3 read it. at is what
// the middle device does with it.
func caseRelay(t *testing.T, middle int, at func(h *tombolo.Handle) case3) {
	t.Parallel()
	dir := t.TempDir()
	a, b := open(t, t.TempDir(), caseOptions(3)), open(t, dir, caseOptions(middle))
	j := pair(t, b, a, false)
	h, err := j.Space.Create(t.Context(), caseView3.Create(func(c *case3) error { *c = caseFull; return nil }))
	must(t, err)
	u := h.URL()
	there := arrives(t, b, u)
	caseShows(t, caseView1, there, caseSeen)
	must(t, h.Close())
	must(t, a.Close()) // from here on the middle device alone has it
	want := at(there)
	must(t, there.Close())
	must(t, b.Close())
	b = open(t, dir, caseOptions(middle))
	c := open(t, t.TempDir(), caseOptions(3))
	pair(t, b, c, false)
	end := arrives(t, c, u)
	defer end.Close()
	caseShows(t, caseView3, end, want)
	caseUpdate(t, caseView3, end, func(c *case3) { c.Last = "Quinn"; c.Votes++ })
	back := arrives(t, b, u)
	defer back.Close()
	seen := case1{Title: want.Name, FullName: want.First + " Quinn", Body: want.Body, Votes: want.Votes + 1, Parts: map[string]casePart1{}}
	for id, p := range want.Parts {
		seen.Parts[id] = casePart1{p.Text}
	}
	got, _, err := caseView1.Read(back)
	must(t, err)
	seen.Color = got.Color
	caseShows(t, caseView1, back, seen)
}

// TestCase24OldDevice: a device of version 1 stores, edits and passes on what version 3 wrote, and takes nothing from it.
func TestCase24OldDevice(t *testing.T) {
	caseRelay(t, 1, func(h *tombolo.Handle) case3 {
		caseUpdate(t, caseView1, h, func(c *case1) {
			c.Title, c.Color, c.Votes = "Bug!", "red", c.Votes+1
			c.Parts["p"], c.Parts["q"] = casePart1{"look!"}, casePart1{"new"}
		})
		want := caseFull
		want.Name, want.Votes = "Bug!", want.Votes+1
		want.Parts = map[string]casePart3{"p": {Text: "look!", Notes: "twice"}, "q": {Text: "new"}}
		return want
	})
}

// TestCase29RelayWithoutSchema: a device that knows no schema stores and passes on all versions' changes.
func TestCase29RelayWithoutSchema(t *testing.T) {
	caseRelay(t, 0, func(*tombolo.Handle) case3 { return caseFull })
}

// TestCase30DowngradeOnDisk: version 3, 1 and 3 again of a program open one directory, and each edits.
func TestCase30DowngradeOnDisk(t *testing.T) {
	t.Parallel()
	caseDowngrade(t, nil, false)
}

// TestCase32StoredOtherwise: packed, compacted and sealed storage shows the same in each version.
func TestCase32StoredOtherwise(t *testing.T) {
	for name, hide := range map[string]bool{"compacted": false, "sealed": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var keys *sealed.Keys
			if hide {
				var err error
				keys, err = sealed.Create(t.TempDir(), sealed.NewRecoveryKey())
				must(t, err)
			}
			caseDowngrade(t, keys, true)
		})
	}
}

// caseDowngrade runs the versions 3, 1 and 3 on one directory.
func caseDowngrade(t *testing.T, keys *sealed.Keys, compact bool) {
	dir := t.TempDir()
	var u doc.URL
	run := func(version int, do func(h *tombolo.Handle)) {
		t.Helper()
		opts := caseOptions(version)
		opts.Offline, opts.Store = true, caseStore(t, dir, keys)
		e, err := tombolo.Open(t.Context(), dir, &opts)
		must(t, err)
		if u == (doc.URL{}) {
			h, err := e.Home().Create(t.Context(), caseView3.Create(func(c *case3) error { *c = caseFull; return nil }))
			must(t, err)
			u = h.URL()
			must(t, h.Close())
		}
		h := arrives(t, e, u)
		do(h)
		must(t, h.Close())
		if compact {
			_, err := e.Compact(t.Context(), nil)
			must(t, err)
		}
		must(t, e.Close())
	}
	now3, now1 := caseFull, caseSeen
	run(3, func(h *tombolo.Handle) { caseShows(t, caseView3, h, now3) })
	run(1, func(h *tombolo.Handle) {
		caseShows(t, caseView1, h, now1)
		for i := range 50 { // enough to pack
			caseUpdate(t, caseView1, h, func(c *case1) { c.Votes++; c.Color = strings.Repeat("x", i) })
		}
		caseUpdate(t, caseView1, h, func(c *case1) { c.FullName, c.Body = "Zoe Bell", "No" })
	})
	now3.First, now3.Last, now3.Body, now3.Votes = "Zoe", "Bell", "No", now3.Votes+50
	run(3, func(h *tombolo.Handle) {
		caseShows(t, caseView3, h, now3)
		caseUpdate(t, caseView3, h, func(c *case3) { c.Body = "Not so" })
		must(t, caseView3.Text(h, "parts", "p", "notes").Splice(t.Context(), 0, 0, "at least "))
	})
	now1.FullName, now1.Body, now1.Votes, now1.Color = "Zoe Bell", "Not so", now1.Votes+50, strings.Repeat("x", 49)
	run(1, func(h *tombolo.Handle) { caseShows(t, caseView1, h, now1) })
	now3.Body, now3.Parts = "Not so", map[string]casePart3{"p": {Text: "look", Notes: "at least twice"}}
	run(3, func(h *tombolo.Handle) {
		caseShows(t, caseView3, h, now3)
		caseShows(t, caseView1, h, now1)
	})
}
