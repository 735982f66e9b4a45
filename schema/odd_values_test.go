package schema_test

import (
	"context"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"tombolo/doc"
	"tombolo/schema"
)

// TestWrapRemovalsApart: an element that one device removes does not come back because another one shows it to older versions.
func TestWrapRemovalsApart(t *testing.T) {
	a, b := docOf(t, 1), docOf(t, 2)
	update(t, view3, a, func(i *issue3) { i.Assignees = []string{"ann", "bob"} })
	share(t, a, b)
	update(t, view3, a, func(i *issue3) { i.Assignees = []string{"bob"} })
	update(t, view3, b, func(i *issue3) { i.Assignees = []string{"ann"} })
	share(t, a, b)
	if got := read(t, view3, a).Assignees; len(got) != 0 {
		t.Error("still there:", got)
	}
}

// TestTextOverInvalid: a text made of a string can be written where something else is stored.
func TestTextOverInvalid(t *testing.T) {
	d := docOf(t, 1)
	raw(t, d, func(tx *doc.Tx) error { return tx.Set("/body", 5) })
	if err := try(view2, d, func(i *issue2) { i.Body = "new" }); err != nil {
		t.Fatal(err)
	}
	if got := read(t, view2, d).Body; got != "new" {
		t.Error(got)
	}
}

// TestLensTwiceInvalid: a value that does not fit in one use of a type leaves its other uses alone.
func TestLensTwiceInvalid(t *testing.T) {
	_, v := small(t,
		schema.V(1, schema.Object(schema.Root, schema.Nested("a", "In"), schema.Nested("b", "In")), schema.Object("In", schema.Bool("done"))),
		schema.V(2, schema.Map("In", "done", "status", doneStatus)))
	d := docOf(t, 1)
	raw(t, d, func(tx *doc.Tx) error { return tx.Put(map[string]any{"a": map[string]any{"done": "garbage"}}) })
	if _, report, err := v(2).Read(d); err != nil || len(report.Invalid) != 1 || report.Invalid[0].Path != "/a/done" {
		t.Error(report, err)
	}
	set(t, v(2), d, "b", object{"status": "done"})
	if got := get(t, v(2), d, "b").(object)["status"]; got != "done" {
		t.Error(got)
	}
}

// TestNameAgainInvalid: an old value that does not fit and a new field of the same name are two things.
func TestNameAgainInvalid(t *testing.T) {
	_, v := small(t,
		schema.V(1, schema.Object(schema.Root, schema.Bool("done"), schema.Int("x"))),
		schema.V(2, schema.Map(schema.Root, "done", "status", doneStatus)),
		schema.V(3, schema.Add(schema.Root, schema.String("done", schema.Enum("a", "b")))))
	d := docOf(t, 1)
	raw(t, d, func(tx *doc.Tx) error { return tx.Set("/done", "garbage") })
	set(t, v(3), d, "x", int64(5))
	set(t, v(3), d, "done", "a")
	set(t, v(3), d, "status", "doing")
	if got := get(t, v(3), d, "status"); got != "doing" {
		t.Error(got)
	}
}

// TestOldOfAnotherKind: what is written beside an old value of whichever kind is what is read.
func TestOldOfAnotherKind(t *testing.T) {
	for _, v := range []any{map[string]any{"a": 1}, []any{1}, doc.Text("x"), doc.Counter(1), "s", 1.5, nil, []byte{1}, time.Now()} {
		for _, edit := range []string{"doing", "done"} {
			d := docOf(t, 1)
			raw(t, d, func(tx *doc.Tx) error { return tx.Put(map[string]any{"done": v, "fullName": v}) })
			s2, s3 := whole(t, issues(), 2), whole(t, issues(), 3)
			if err := trySet(s2, d, "status", edit); err != nil {
				t.Errorf("%T %s: %v", v, edit, err)
				continue
			}
			if o, _, _ := s2.Read(d); o["status"] != edit {
				t.Errorf("%T %s: shows %v", v, edit, o["status"])
			}
			if err := trySet(s3, d, "first", " a "); err != nil {
				t.Errorf("%T %s: %v", v, edit, err)
			}
			if err := trySet(s3, d, "last", ""); err != nil {
				t.Errorf("%T %s: %v", v, edit, err)
			}
			if o, _, _ := s3.Read(d); o["first"] != " a " || o["last"] != "" {
				t.Errorf("%T first: shows %q %q", v, o["first"], o["last"])
			}
		}
	}
}

// TestGarbageInEpoch: a value of another kind in an epoch keeps nobody from writing its neighbours.
func TestGarbageInEpoch(t *testing.T) {
	for _, g := range []any{map[string]any{"a": 1}, []any{1}, doc.Text("x"), doc.Counter(1), 5, 1.5, nil, []byte{1}} {
		d := docOf(t, 1)
		update(t, view3, d, func(i *issue3) { i.First, i.Last = "Ann", "Lee" })
		v, err := d.Get("")
		if err != nil {
			t.Fatal(err)
		}
		for key := range v.(map[string]any) {
			if len(key) > 6 && key[:6] == "last~3" {
				raw(t, d, func(tx *doc.Tx) error { return tx.Set("/"+doc.Pointer{key}.String()[1:], g) })
			}
		}
		if err := try(view3, d, func(i *issue3) { i.First = "Zoe" }); err != nil {
			t.Errorf("%T: first cannot be written: %v", g, err)
		}
		update(t, view1, d, func(i *issue1) { i.FullName = "Kim Quinn" })
		if err := try(view3, d, func(i *issue3) { i.First = "Lou" }); err != nil {
			t.Errorf("%T: after old write first cannot be written: %v", g, err)
			continue
		}
		if got := read(t, view3, d); got.First != "Lou" || got.Last != "Quinn" {
			t.Errorf("%T: %q %q", g, got.First, got.Last)
		}
	}
}

// TestKeepRawOfAnotherKind: what neither the Go field nor a lens can hold shows as the default.
func TestKeepRawOfAnotherKind(t *testing.T) {
	type T struct {
		N     int    `doc:"n"`
		Other string `doc:"other"`
	}
	s, v := small(t,
		schema.V(1, schema.Object(schema.Root, schema.Int("n", schema.OnInvalid(schema.KeepRaw), schema.Default(4)), schema.String("other"), schema.Bool("done", schema.OnInvalid(schema.KeepRaw)))),
		schema.V(2, schema.Map(schema.Root, "done", "status", doneStatus)))
	for _, g := range []any{"x", map[string]any{"a": 1}, doc.Text("x"), 1.5, []byte{1}} {
		d := docOf(t, 1)
		raw(t, d, func(tx *doc.Tx) error { return tx.Put(map[string]any{"n": g, "done": g}) })
		tv := schema.MustBind[T](s, 1)
		got, _, err := tv.Read(d)
		if err != nil || got.N != 4 {
			t.Errorf("%T: %v %v", g, got, err)
		}
		if err := try(tv, d, func(x *T) { x.Other = "y" }); err != nil {
			t.Errorf("%T: %v", g, err)
		}
		if _, _, err := v(1).Read(d); err != nil {
			t.Errorf("%T whole: %v", g, err)
		}
		if err := trySet(v(1), d, "other", "z"); err != nil {
			t.Errorf("%T whole: %v", g, err)
		}
		if err := trySet(v(2), d, "status", "done"); err != nil {
			t.Errorf("%T lens: %v", g, err)
		}
		if o, _, _ := v(2).Read(d); o["status"] != "done" {
			t.Errorf("%T lens: %v", g, o)
		}
	}
}

// TestNarrowGoTypes: a value that a Go field cannot hold is reported, shows as the default, and stays.
func TestNarrowGoTypes(t *testing.T) {
	type T struct {
		U     uint    `doc:"n"`
		Other string  `doc:"other"`
		B     [4]byte `doc:"b"`
		F     float32 `doc:"f"`
		L     []int8  `doc:"l"`
		C     uint8   `doc:"c"`
	}
	s, _ := small(t, schema.V(1, schema.Object(schema.Root, schema.Int("n"), schema.String("other"), schema.Bytes("b"), schema.Float("f"), schema.List("l", schema.Int("")), schema.Counter("c"))))
	tv := schema.MustBind[T](s, 1)
	d := docOf(t, 1)
	unchanged(t, d, "nothing", func() { update(t, tv, d, func(*T) {}) })
	raw(t, d, func(tx *doc.Tx) error {
		return tx.Put(map[string]any{"n": -1, "b": []byte{1}, "f": math.Pi, "l": []any{1, 1000, 3}, "c": doc.Counter(-5)})
	})
	got, rep, err := tv.Read(d)
	if err != nil {
		t.Fatal(err)
	}
	if got.U != 0 || got.B != [4]byte{} || got.F != 0 || got.C != 0 || !slices.Equal(got.L, []int8{1, 0, 3}) || len(rep.Invalid) != 5 {
		t.Errorf("it shows %+v and reports %v", got, rep.Invalid)
	}
	if err := try(tv, d, func(x *T) { x.Other = "y"; x.L = append(x.L, 9) }); err != nil {
		t.Fatal(err)
	}
	stored, err := d.Get("")
	if err != nil {
		t.Fatal(err)
	}
	want(t, "stored", stored, object{"n": -1, "b": []byte{1}, "f": math.Pi, "l": []any{1, 1000, 3, 9}, "c": -5, "other": "y"})
	update(t, tv, d, func(x *T) { x.U, x.C = 7, 9 })
	if got, _, err := tv.Read(d); err != nil || got.U != 7 || got.C != 9 {
		t.Error(got, err)
	}
	type bad struct {
		N int8 `doc:"n"`
	}
	wide, _ := small(t, schema.V(1, schema.Object(schema.Root, schema.Int("n", schema.Default(300)))))
	if _, err := schema.Bind[bad](wide, 1); err == nil || !strings.Contains(err.Error(), "/n") {
		t.Error("a default that does not fit:", err)
	}
}

// TestAnyElement: sets hold any text but the empty one, and empty keys of other programs are passed over.
func TestAnyElement(t *testing.T) {
	d := docOf(t, 1)
	hostileKeys(t, d)
	update(t, view3, d, func(i *issue3) { i.Name = "x" })
	set := []string{"$deleted", "$x", "a/b", "~", "..", "a b", "é", "\x00"}
	update(t, view3, d, func(i *issue3) { i.Assignees = set })
	if got, _, _ := view3.Read(d); len(got.Assignees) != len(set) {
		t.Errorf("%q", got.Assignees)
	}
}

// TestEveryKindReported: what stands in the place of a field of any kind, or of a record, is reported.
func TestEveryKindReported(t *testing.T) {
	d := docOf(t, 1)
	raw(t, d, func(tx *doc.Tx) error {
		return tx.Put(map[string]any{"settings": 5, "todos": map[string]any{"a": 5}, "tags": "x", "votes": "x", "title": 5})
	})
	_, rep, err := view1.Read(d)
	if err != nil {
		t.Fatal(err)
	}
	var paths []string
	for _, f := range rep.Invalid {
		paths = append(paths, f.Path)
	}
	slices.Sort(paths)
	want(t, "reported", paths, []string{"/settings", "/tags", "/title", "/todos/a", "/votes"})
}

// TestListKeepsUnknownKeys: elements that were not changed keep what is in them.
func TestListKeepsUnknownKeys(t *testing.T) {
	_, v := small(t, schema.V(1, schema.Object(schema.Root, schema.List("l", schema.Nested("", "P"))), schema.Object("P", schema.Int("x"), schema.Int("y"))))
	d := docOf(t, 1)
	raw(t, d, func(tx *doc.Tx) error {
		return tx.Put(map[string]any{"l": []any{map[string]any{"x": 1, "y": 2, "future": "f"}, map[string]any{"x": 1}}})
	})
	set(t, v(1), d, "l", append(get(t, v(1), d, "l").([]any), object{"x": int64(3), "y": int64(4)}))
	got, _ := d.Get("/l")
	if got.([]any)[0].(map[string]any)["future"] != "f" {
		t.Error("lost")
	}
}

// TestPutGetValues: special numbers, times and nothings are read as they were written, and the same edit again writes nothing.
func TestPutGetValues(t *testing.T) {
	type T struct {
		F  float64     `doc:"f"`
		FP *float64    `doc:"fp"`
		T  time.Time   `doc:"t"`
		TP *time.Time  `doc:"tp"`
		B  []byte      `doc:"b"`
		A  any         `doc:"a"`
		L  []float64   `doc:"l"`
		LT []time.Time `doc:"lt"`
	}
	s, _ := small(t, schema.V(1, schema.Object(schema.Root, schema.Float("f"), schema.Float("fp", schema.Default(1.5)), schema.Time("t"), schema.Time("tp"), schema.Bytes("b"), schema.Float("a"),
		schema.List("l", schema.Float("")), schema.List("lt", schema.Time("")))))
	tv := schema.MustBind[T](s, 1)
	d := docOf(t, 1)
	when := time.Date(2026, 1, 2, 3, 4, 5, 678912345, time.FixedZone("x", 3600))
	nz := math.Copysign(0, -1)
	edits := []func(x *T){
		func(x *T) { x.F = math.NaN() }, func(x *T) { x.F = nz }, func(x *T) { x.F = 0 }, func(x *T) { n := math.NaN(); x.FP = &n }, func(x *T) { x.FP = nil },
		func(x *T) { x.T = when }, func(x *T) { x.TP = &when }, func(x *T) { x.TP = new(time.Time) }, func(x *T) { x.TP = nil }, func(x *T) { x.B = []byte{} }, func(x *T) { x.B = nil },
		func(x *T) { x.A = 1 }, func(x *T) { x.A = nz }, func(x *T) { x.A = nil }, func(x *T) { x.L = []float64{math.NaN(), nz, 0} }, func(x *T) { x.LT = []time.Time{when, {}} },
		func(x *T) { x.L = nil }, func(x *T) { x.T = time.Time{} },
	}
	for i, e := range edits {
		update(t, tv, d, e)
		unchanged(t, d, "twice", func() { update(t, tv, d, e) })
		got := read(t, tv, d)
		want := got
		e(&want)
		if math.Float64bits(got.F) != math.Float64bits(want.F) || (got.FP == nil) != (want.FP == nil) || (got.TP == nil) != (want.TP == nil) || (got.B == nil) != (want.B == nil) ||
			!got.T.Equal(want.T.Truncate(time.Millisecond)) || len(got.L) != len(want.L) {
			t.Errorf("edit %d: %+v, want %+v", i, got, want)
		}
		for k := range got.L {
			if math.Float64bits(got.L[k]) != math.Float64bits(want.L[k]) {
				t.Errorf("edit %d: %v want %v", i, got.L, want.L)
			}
		}
	}
}

// TestUpdatePanics: a panic of the program leaves the document as it was, and usable.
func TestUpdatePanics(t *testing.T) {
	d := docOf(t, 1)
	func() {
		defer func() { recover() }()
		view3.Update(context.Background(), schema.Of(d, nil), "", func(i *issue3) error { panic("x") })
	}()
	update(t, view3, d, func(i *issue3) { i.Name = "y" })
}

// TestInvalidOldKept: where an edit leaves an old value that does not fit, the next one, one of a text, and Settle work as well.
func TestInvalidOldKept(t *testing.T) {
	d := docOf(t, 1)
	raw(t, d, func(tx *doc.Tx) error { return tx.Put(map[string]any{"done": "garbage", "body": 5, "fullName": 6}) })
	update(t, view2, d, func(i *issue2) { i.Status = "doing" })
	for range 2 {
		if err := view2.Text(schema.Of(d, nil), "body").Splice(t.Context(), 0, 0, "x"); err != nil {
			t.Error(err)
		}
	}
	if err := try(view2, d, func(i *issue2) { i.Status = "todo" }); err != nil {
		t.Error(err)
	}
	if err := try(view3, d, func(i *issue3) { i.State, i.Last = "doing", "x" }); err != nil {
		t.Error(err)
	}
	if err := try(view3, d, func(i *issue3) { i.State, i.Last, i.First = "todo", "", "q" }); err != nil {
		t.Error(err)
	}
	if _, err := issues().Settle(t.Context(), schema.Of(d, nil)); err != nil {
		t.Error(err)
	}
	got, rep, err := view3.Read(d)
	if err != nil || got.State != "todo" || got.First != "q" || got.Body != "xx" {
		t.Error(got, rep, err)
	}
}

// TestRemovedContainers: what another program removed is not there, neither in a document nor in its snapshot.
func TestRemovedContainers(t *testing.T) {
	d := docOf(t, 1)
	raw(t, d, func(tx *doc.Tx) error {
		return tx.Put(map[string]any{"todos": map[string]any{"a": map[string]any{"text": doc.Text("x")}, "b": map[string]any{"text": doc.Text("x")}}, "done": map[string]any{"x": 1}})
	})
	raw(t, d, func(tx *doc.Tx) error {
		return tx.Put(map[string]any{"todos": map[string]any{"a": map[string]any{"text": doc.Text("x")}}})
	})
	data, err := d.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	snap, err := doc.ParseSnapshot(data)
	if err != nil {
		t.Fatal(err)
	}
	m, _ := d.Marks()
	for v := 1; v <= 3; v++ {
		view := whole(t, issues(), v)
		one, rep, err := view.Read(d)
		two, rep2, err2 := view.Read(snapshot{snap.Content(d.ID(), m)})
		if err != nil || err2 != nil || !doc.Equal(one, two) || len(rep.Invalid) != len(rep2.Invalid) || len(one["todos"].(object)) != 1 {
			t.Errorf("v%d: %v %v\n%v %v", v, one, rep, two, rep2)
		}
	}
	update(t, view3, d, func(i *issue3) { i.Todos["b"] = todo3{Notes: "n"} })
	if got := read(t, view1, d).Todos["b"]; got.Text != "" {
		t.Error(got)
	}
}

type snapshot struct{ c doc.Content }

func (s snapshot) Content(fn func(doc.Content) error) error { return fn(s.c) }
