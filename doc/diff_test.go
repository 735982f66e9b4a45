package doc_test

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"tombolo/doc"
	"tombolo/doc/gate"
)

// turns checks that patches turn one value into the other, and that they say no more than they must.
func turns(t fataler, patches []doc.Patch, from, to any) {
	t.Helper()
	before, err := doc.EncodeJSON(from)
	must(t, err)
	got, err := doc.ApplyPatches(from, patches)
	if err != nil || !doc.Equal(got, to) {
		want, _ := doc.EncodeJSON(to)
		have, _ := doc.EncodeJSON(got)
		t.Fatalf("patches %v\nto   %s\ngive %s (%v)\nwant %s", patches, before, have, err, want)
	}
	if after, _ := doc.EncodeJSON(from); string(after) != string(before) {
		t.Fatalf("applying patches changed the old value from %s to %s", before, after)
	}
	for i, p := range patches {
		if p.Kind != doc.PatchAdd && p.Kind != doc.PatchRemove && doc.Equal(p.Old, p.New) {
			t.Fatalf("a patch that changes nothing: %v", p)
		}
		if len(p.Path) > 0 && p.Path[0] == "$m" {
			t.Fatalf("a patch of the marks: %v", p)
		}
		if i == 0 || p.Kind != doc.PatchSplice || !slices.Equal(p.Path, patches[i-1].Path) {
			continue
		}
		if q := patches[i-1]; q.At+utf8.RuneCountInString(string(q.New.(doc.Text))) >= p.At {
			t.Fatalf("%v and %v are not one", q, p)
		}
	}
}

func tree(t fataler, d *doc.Doc) any {
	t.Helper()
	v, err := d.Get("")
	must(t, err)
	return v
}

func at(t fataler, d *doc.Doc, heads []doc.Hash) any {
	t.Helper()
	v, err := d.ValueAt(heads)
	must(t, err)
	return v
}

// Between any two versions of documents that three devices write, local edits and remote ones alike, the patches give the value.
func TestPatchesGiveTheValue(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		docs := []*doc.Doc{open(t, doc.ID{1}), open(t, doc.ID{1}), open(t, doc.ID{1})}
		start := genTreeMap(2).Draw(rt, "start")
		edit(t, docs[0], func(tx *doc.Tx) error { return tx.Put(start) })
		versions := [][]doc.Hash{docs[0].Heads()}
		watch := func(d *doc.Doc, deed func()) {
			n, heads, before := d.Len(), d.Heads(), tree(rt, d)
			deed()
			patches, _, err := d.PatchesSince(n)
			must(rt, err)
			turns(rt, patches, before, tree(rt, d))
			back, err := d.Diff(d.Heads(), heads)
			must(rt, err)
			turns(rt, back, tree(rt, d), before)
			versions = append(versions, d.Heads())
		}
		for range rapid.IntRange(1, 12).Draw(rt, "edits") {
			d := rapid.SampledFrom(docs).Draw(rt, "device")
			watch(d, func() {
				d.Edit(doc.Note{Time: noon}, func(tx *doc.Tx) error { // that it may fail is another test's business
					for range rapid.IntRange(1, 4).Draw(rt, "operations") {
						step(rt, tx) // and so is this
					}
					return nil
				})
			})
			if rapid.IntRange(0, 2).Draw(rt, "merge") == 0 {
				from := rapid.SampledFrom(docs).Draw(rt, "from")
				watch(d, func() {
					_, err := d.Apply(all(rt, from)...)
					must(rt, err)
				})
			}
		}
		d := docs[0]
		for _, from := range docs[1:] {
			watch(d, func() {
				_, err := d.Apply(all(rt, from)...)
				must(rt, err)
			})
		}
		for range 6 {
			from := rapid.SampledFrom(versions).Draw(rt, "from heads")
			to := rapid.SampledFrom(append(versions, nil)).Draw(rt, "to heads")
			patches, err := d.Diff(from, to)
			must(rt, err)
			turns(rt, patches, at(rt, d, from), at(rt, d, to))
		}
	})
}

// Documents whose sequences take several blocks, written by three devices at random.
func TestPatchesOfLargeDocuments(t *testing.T) {
	for seed := range uint64(4) {
		random := rand.New(rand.NewPCG(1, seed))
		docs := []*doc.Doc{open(t, doc.ID{1}), open(t, doc.ID{1}), open(t, doc.ID{1})}
		list := make([]any, 700)
		for i := range list {
			list[i] = map[string]any{"n": i, "hits": doc.Counter(0), "body": doc.Text("body")}
		}
		edit(t, docs[0], func(tx *doc.Tx) error {
			return tx.Put(map[string]any{"list": list, "text": doc.Text(strings.Repeat("é😀x", 500)), "records": records(40)})
		})
		for _, d := range docs[1:] {
			_, err := d.Apply(all(t, docs[0])...)
			must(t, err)
		}
		versions := [][]doc.Hash{docs[0].Heads()}
		for range 15 {
			d := docs[random.IntN(3)]
			n, before := d.Len(), tree(t, d)
			if random.IntN(4) == 0 {
				_, err := d.Apply(all(t, docs[random.IntN(3)])...)
				must(t, err)
			} else {
				_, err := d.Edit(doc.Note{}, func(tx *doc.Tx) error {
					for range 1 + random.IntN(12) {
						if err := stir(tx, random); err != nil {
							return err
						}
					}
					return nil
				})
				must(t, err)
			}
			patches, _, err := d.PatchesSince(n)
			must(t, err)
			turns(t, patches, before, tree(t, d))
			versions = append(versions, d.Heads())
		}
		d := docs[0]
		for _, from := range docs[1:] {
			_, err := d.Apply(all(t, from)...)
			must(t, err)
		}
		for range 8 {
			from, to := versions[random.IntN(len(versions))], versions[random.IntN(len(versions))]
			patches, err := d.Diff(from, to)
			must(t, err)
			turns(t, patches, at(t, d, from), at(t, d, to))
		}
	}
}

// stir changes something in the document of TestPatchesOfLargeDocuments.
func stir(tx *doc.Tx, random *rand.Rand) error {
	v, err := tx.Get("list")
	if err != nil {
		return err
	}
	text, err := tx.Get("text")
	if err != nil {
		return err
	}
	size, chars := len(v.([]any)), utf8.RuneCountInString(string(text.(doc.Text)))
	row := "/list/" + strconv.Itoa(random.IntN(size))
	record := fmt.Sprintf("/records/key%04d", random.IntN(50))
	_, missing := tx.Get(record)
	switch random.IntN(10) {
	case 0:
		return tx.List("list").Insert(random.IntN(size+1), map[string]any{"n": -1, "hits": doc.Counter(1), "body": doc.Text("new")})
	case 1:
		return tx.List("list").Delete(random.IntN(size-5), random.IntN(5))
	case 2:
		return tx.Add(row+"/hits", 3)
	case 3:
		return tx.Text(row+"/body").Splice(0, random.IntN(2), "ab")
	case 4:
		return tx.Set(row+"/n", random.IntN(3))
	case 5:
		return tx.List("list").Reinsert(random.IntN(size), random.IntN(size))
	case 6, 7:
		at := random.IntN(chars - 30)
		return tx.Text("text").Splice(at, random.IntN(30), strings.Repeat("yß", random.IntN(20)))
	case 8:
		if missing != nil {
			return tx.Set(record, map[string]any{"title": "again", "list": []any{map[string]any{}}, "inner": map[string]any{"a": true}})
		}
		return tx.Remove(record)
	}
	if missing != nil {
		return nil
	}
	return tx.Set(record+"/count", random.IntN(3))
}

// Documents of the JavaScript library hold what we do not write: marks and blocks in texts, values of several characters, conflicts of containers.
func TestPatchesOfFixtures(t *testing.T) {
	files, err := filepath.Glob("interop/testdata/*.changes")
	must(t, err)
	if len(files) < 10 {
		t.Fatalf("%d fixtures", len(files))
	}
	random := rand.New(rand.NewPCG(1, 2))
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			run, err := os.ReadFile(file)
			must(t, err)
			d, err := doc.New(doc.ID{1}, zeros{})
			must(t, err)
			versions := [][]doc.Hash{nil}
			for len(run) > 0 {
				n, width := binary.Uvarint(run)
				before := tree(t, d)
				_, err := d.Apply(run[width:][:n])
				must(t, err)
				run = run[width+int(n):]
				patches, _, err := d.PatchesSince(d.Len() - 1)
				must(t, err)
				turns(t, patches, before, tree(t, d))
				versions = append(versions, d.Heads())
			}
			for range 40 {
				from, to := versions[random.IntN(len(versions))], versions[random.IntN(len(versions))]
				patches, err := d.Diff(from, to)
				must(t, err)
				turns(t, patches, at(t, d, from), at(t, d, to))
			}
		})
	}
}

func TestDiffSaysWhatHappened(t *testing.T) {
	start := map[string]any{
		"n": int64(1), "hits": doc.Counter(5), "text": doc.Text("Ann and Bob"), "word": "x",
		"list": []any{"a", "b", map[string]any{"c": int64(1)}}, "box": map[string]any{"in": map[string]any{"k": int64(1)}, "t": doc.Text("t")}, "empty": map[string]any{},
	}
	for name, c := range map[string]struct {
		edit func(tx *doc.Tx) error
		want string
	}{
		"nothing":        {func(tx *doc.Tx) error { return nil }, ""},
		"same value":     {func(tx *doc.Tx) error { return errors.Join(tx.Set("n", 2), tx.Set("n", 1)) }, ""},
		"name":           {func(tx *doc.Tx) error { return tx.SetName("x") }, ""},
		"add":            {func(tx *doc.Tx) error { return tx.Set("a/b", true) }, `add /a~1b null true`},
		"replace":        {func(tx *doc.Tx) error { return tx.Set("n", 2) }, "replace /n 1 2"},
		"other type":     {func(tx *doc.Tx) error { return tx.Set("n", "1") }, `replace /n 1 "1"`},
		"remove":         {func(tx *doc.Tx) error { return tx.Remove("n") }, "remove /n 1 null"},
		"counter":        {func(tx *doc.Tx) error { return errors.Join(tx.Add("hits", 2), tx.Add("hits", -1)) }, `replace /hits {"$counter":5} {"$counter":6}`},
		"counter undone": {func(tx *doc.Tx) error { return errors.Join(tx.Add("hits", 2), tx.Add("hits", -2)) }, ""},
		"new map":        {func(tx *doc.Tx) error { return tx.Set("m", map[string]any{"a": map[string]any{"b": 1}}) }, `add /m null {"a":{"b":1}}`},
		"elements": {func(tx *doc.Tx) error {
			return errors.Join(tx.List("list").Delete(0, 1), tx.List("list").Insert(1, "x"), tx.Set("/list/2/c", 2))
		}, `remove /list/0 "a" null; add /list/1 null "x"; replace /list/2/c 1 2`},
		"typing": {func(tx *doc.Tx) error {
			return errors.Join(tx.Text("text").Splice(4, 3, "&"), tx.Text("text").Splice(5, 0, "&"), tx.Text("text").Splice(10, 0, "!"))
		}, `splice /text@4 {"$text":"and"} {"$text":"&&"}; splice /text@10 {"$text":""} {"$text":"!"}`},
		"typed the same": {func(tx *doc.Tx) error { return tx.Text("text").Splice(1, 1, "n") }, ""},
		"container away": {func(tx *doc.Tx) error { return tx.Remove("box") }, `remove /box {"in":{"k":1},"t":{"$text":"t"}} null`},
		"empty away":     {func(tx *doc.Tx) error { return tx.Remove("empty") }, `remove /empty {} null`},
		"inner away":     {func(tx *doc.Tx) error { return tx.Remove("/box/in") }, `remove /box/in {"k":1} null`},
		"away and back": {func(tx *doc.Tx) error {
			return errors.Join(tx.Remove("box"), tx.Set("box", map[string]any{"t": doc.Text("s")}))
		}, `remove /box/in {"k":1} null; splice /box/t@0 {"$text":"t"} {"$text":"s"}`},
		"container by scalar": {func(tx *doc.Tx) error { return tx.Set("list", nil) }, `replace /list ["a","b",{"c":1}] null`},
		"scalar by container": {func(tx *doc.Tx) error { return tx.Set("word", []any{}) }, `replace /word "x" []`},
	} {
		t.Run(name, func(t *testing.T) {
			d := open(t, doc.ID{1})
			edit(t, d, func(tx *doc.Tx) error { return tx.Put(start) })
			heads, before, n := d.Heads(), tree(t, d), d.Len()
			edit(t, d, c.edit)
			patches, err := d.Diff(heads, d.Heads())
			must(t, err)
			if got := told(t, patches); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
			turns(t, patches, before, tree(t, d))
			since, next, err := d.PatchesSince(n)
			must(t, err)
			if told(t, since) != told(t, patches) || next != d.Len() {
				t.Errorf("PatchesSince says %s up to %d of %d", told(t, since), next, d.Len())
			}
		})
	}
}

// told writes patches in one line.
func told(t fataler, patches []doc.Patch) string {
	t.Helper()
	var out []string
	for _, p := range patches {
		old, err := doc.EncodeJSON(p.Old)
		must(t, err)
		now, err := doc.EncodeJSON(p.New)
		must(t, err)
		at := ""
		if p.Kind == doc.PatchSplice {
			at = "@" + strconv.Itoa(p.At)
		}
		out = append(out, fmt.Sprintf("%v %v%s %s %s", p.Kind, p.Path, at, old, now))
	}
	return strings.Join(out, "; ")
}

func TestDiffErrors(t *testing.T) {
	d := open(t, doc.ID{1})
	_, err := d.Diff([]doc.Hash{{1}}, nil)
	lacks, ok := errors.AsType[*gate.MissingError](err)
	if !errors.Is(err, doc.ErrUnknownChange) || !ok || !slices.Equal(lacks.Missing, []doc.Hash{{1}}) {
		t.Errorf("unknown heads: %v", err)
	}
	if _, err := d.Diff(nil, []doc.Hash{{1}}); !errors.Is(err, doc.ErrUnknownChange) {
		t.Errorf("unknown heads: %v", err)
	}
	for _, n := range []int{-1, 2} {
		if _, _, err := d.PatchesSince(n); err == nil {
			t.Errorf("patches since %d of %d changes", n, d.Len())
		}
	}
	must(t, d.Close())
	if _, err := d.Diff(nil, nil); !errors.Is(err, doc.ErrClosed) {
		t.Errorf("closed: %v", err)
	}
	if _, _, err := d.PatchesSince(0); !errors.Is(err, doc.ErrClosed) {
		t.Errorf("closed: %v", err)
	}
}

func TestApplyPatches(t *testing.T) {
	v := map[string]any{"a": int64(1), "l": []any{"x", map[string]any{"y": "z"}}, "t": doc.Text("añb")}
	path := func(s string) doc.Pointer { p, _ := doc.ParsePointer(s); return p }
	for _, c := range []struct {
		patches []doc.Patch
		want    string // the value or the error
	}{
		{nil, `{"a":1,"l":["x",{"y":"z"}],"t":{"$text":"añb"}}`},
		{[]doc.Patch{{Path: path(""), Kind: doc.PatchReplace, Old: v, New: "s"}}, `"s"`},
		{[]doc.Patch{
			{Path: path("/l/1/y"), Kind: doc.PatchRemove, Old: "z"},
			{Path: path("/l/1"), Kind: doc.PatchReplace, Old: map[string]any{}, New: []any{}},
			{Path: path("/l/1/0"), Kind: doc.PatchAdd, New: int64(2)},
			{Path: path("/l/2"), Kind: doc.PatchAdd, New: int64(3)},
			{Path: path("/l/0"), Kind: doc.PatchRemove, Old: "x"},
			{Path: path("/t"), Kind: doc.PatchSplice, At: 1, Old: doc.Text("ñ"), New: doc.Text("😀😀")},
			{Path: path("/b"), Kind: doc.PatchAdd, New: doc.Text("")},
			{Path: path("/b"), Kind: doc.PatchSplice, Old: doc.Text(""), New: doc.Text("b")},
		}, `{"a":1,"b":{"$text":"b"},"l":[[2],3],"t":{"$text":"a😀😀b"}}`},

		{[]doc.Patch{{Path: path("/a")}}, "PatchKind(0) is not a kind"},
		{[]doc.Patch{{Path: path("/a"), Kind: 5}}, "PatchKind(5) is not a kind"},
		{[]doc.Patch{{Path: path(""), Kind: doc.PatchAdd, New: 1}}, "the whole value can only be replaced"},
		{[]doc.Patch{{Path: path("/a"), Kind: doc.PatchAdd, New: 1}}, "/a: something is there already"},
		{[]doc.Patch{{Path: path("/a"), Kind: doc.PatchRemove, Old: int64(2)}}, "/a: another value is there"},
		{[]doc.Patch{{Path: path("/b"), Kind: doc.PatchRemove}}, "/b: there is nothing"},
		{[]doc.Patch{{Path: path("/b/c"), Kind: doc.PatchAdd}}, "/b: there is nothing"},
		{[]doc.Patch{{Path: path("/a/c"), Kind: doc.PatchAdd}}, "/a: there is a value of another kind"},
		{[]doc.Patch{{Path: path("/t/0"), Kind: doc.PatchAdd}}, "/t/0: there is a value of another kind"},
		{[]doc.Patch{{Path: path("/t/0/0"), Kind: doc.PatchAdd}}, "/t/0: there is a value of another kind"},
		{[]doc.Patch{{Path: path("/l/0/c"), Kind: doc.PatchAdd}}, "/l/0: there is a value of another kind"},
		{[]doc.Patch{{Path: path("/l/2/c"), Kind: doc.PatchAdd}}, "/l/2: index 2 is beyond the end"},
		{[]doc.Patch{{Path: path("/l/3"), Kind: doc.PatchAdd}}, "/l/3: index 3 is beyond the end"},
		{[]doc.Patch{{Path: path("/l/01"), Kind: doc.PatchAdd}}, `/l/01: "01" is not an index`},
		{[]doc.Patch{{Path: path("/l/0"), Kind: doc.PatchReplace, Old: "y"}}, "/l/0: another value is there"},
		{[]doc.Patch{{Path: path("/a"), Kind: doc.PatchSplice, Old: doc.Text(""), New: doc.Text("")}}, "/a: there is a value of another kind"},
		{[]doc.Patch{{Path: path("/l"), Kind: doc.PatchSplice, Old: doc.Text(""), New: doc.Text("")}}, "/l: there is a value of another kind"},
		{[]doc.Patch{{Path: path("/t"), Kind: doc.PatchSplice, Old: "a", New: doc.Text("")}}, "/t: there is a value of another kind"},
		{[]doc.Patch{{Path: path("/t"), Kind: doc.PatchSplice, At: 3, Old: doc.Text("x"), New: doc.Text("")}}, "/t: another value is there"},
		{[]doc.Patch{{Path: path("/t"), Kind: doc.PatchSplice, At: 4, Old: doc.Text(""), New: doc.Text("")}}, "/t: another value is there"},
		{[]doc.Patch{{Path: path("/t"), Kind: doc.PatchSplice, At: -1, Old: doc.Text(""), New: doc.Text("")}}, "/t: another value is there"},
		{[]doc.Patch{{Path: path("/t"), Kind: doc.PatchSplice, At: 1, Old: doc.Text("b"), New: doc.Text("")}}, "/t: another value is there"},
	} {
		before, err := doc.EncodeJSON(v)
		must(t, err)
		got, err := doc.ApplyPatches(v, c.patches)
		if _, ok := errors.AsType[*doc.PathError](err); err != nil && (!ok || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%v: %v, want %s", c.patches, err, c.want)
		}
		if b, _ := doc.EncodeJSON(got); err == nil && string(b) != c.want {
			t.Errorf("%v: %s, want %s", c.patches, b, c.want)
		}
		if after, _ := doc.EncodeJSON(v); string(after) != string(before) {
			t.Fatalf("%v changed the old value to %s", c.patches, after)
		}
	}
}

func TestPatchKindText(t *testing.T) {
	for _, k := range []doc.PatchKind{doc.PatchAdd, doc.PatchRemove, doc.PatchReplace, doc.PatchSplice} {
		b, err := json.Marshal(k)
		must(t, err)
		var back doc.PatchKind
		if err := json.Unmarshal(b, &back); err != nil || back != k || string(b) != strconv.Quote(k.String()) {
			t.Errorf("%v: %s, %v, %v", k, b, back, err)
		}
	}
	var k doc.PatchKind
	if _, err := json.Marshal(k); err == nil {
		t.Error("no kind was written")
	}
	for _, bad := range []string{`""`, `"move"`} {
		if err := json.Unmarshal([]byte(bad), &k); err == nil {
			t.Errorf("%s was read as %v", bad, k)
		}
	}
}
