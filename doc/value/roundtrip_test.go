package value_test

import (
	"errors"
	"maps"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tombolo/doc/value"
)

// TestRoundTrip writes and reads a struct with a field of every sort, of all values that must come back exactly.
func TestRoundTrip(t *testing.T) {
	if err := value.CheckFor[rich](); err != nil {
		t.Fatal(err)
	}
	stale := rapid.Custom(drawRich)
	rapid.Check(t, func(rt *rapid.T) {
		in := drawRich(rt)
		tree, err := value.Marshal(&in)
		if err != nil {
			rt.Fatal(err)
		}
		again, err := value.Marshal(in) // not addressable
		if err != nil || !value.Equal(tree, again) {
			rt.Fatalf("a struct and a pointer to it differ: %v\n%v\n%v", err, tree, again)
		}
		var out rich
		if rapid.Bool().Draw(rt, "read over another") {
			out = stale.Draw(rt, "stale")
		}
		if err := value.Unmarshal(tree, &out); err != nil {
			rt.Fatal(err)
		}
		if !identical(reflect.ValueOf(in), reflect.ValueOf(out)) {
			rt.Fatalf("wrote %+v\nread  %+v\nover  %v", in, out, tree)
		}
	})
}

// TestTreeRoundTrip does the same for values without a Go type of their own.
func TestTreeRoundTrip(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		in := anyTree(4).Draw(rt, "tree")
		tree, err := value.Marshal(in)
		if err != nil {
			rt.Fatal(err)
		}
		var out any
		if err := value.Unmarshal(tree, &out); err != nil {
			rt.Fatal(err)
		}
		if !value.Equal(in, tree) || !value.Equal(in, out) || !identical(reflect.ValueOf(in), reflect.ValueOf(out)) {
			rt.Fatalf("wrote %#v\ntree  %#v\nread  %#v", in, tree, out)
		}
	})
}

// TestStrangeTrees puts any value where a struct expects another: it is read, or refused at its path, and what was read can be written.
func TestStrangeTrees(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		tree, err := value.Marshal(drawRich(rt))
		if err != nil {
			rt.Fatal(err)
		}
		fields := tree.(map[string]any)
		key := rapid.SampledFrom(slices.Sorted(maps.Keys(fields))).Draw(rt, "key")
		fields[key] = anyTree(3).Draw(rt, "instead")
		var out rich
		switch err := value.Unmarshal(tree, &out); {
		case err != nil:
			e, ok := errors.AsType[*value.Error](err)
			if at := "/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(key); !ok || e.Path != at && !strings.HasPrefix(e.Path, at+"/") {
				rt.Fatalf("%v; want it at %s", err, at)
			}
		default:
			if _, err := value.Marshal(out); err != nil {
				rt.Fatal(err)
			}
		}
	})
}

// TestGoForm shows which value each Go type becomes.
func TestGoForm(t *testing.T) {
	three, at := 3, time.Date(2026, 11, 21, 9, 0, 0, 123_456_789, time.FixedZone("CET", 3600))
	for _, c := range []struct{ in, want any }{
		{nil, nil},
		{(*int)(nil), nil},
		{&three, int64(3)},
		{uint8(3), uint64(3)},
		{float32(0.5), 0.5},
		{colour("red"), "red"},
		{value.Text("t"), value.Text("t")},
		{value.Counter(-1), value.Counter(-1)},
		{at, time.Date(2026, 11, 21, 8, 0, 0, 123_000_000, time.UTC)},
		{time.UnixMilli(0).Add(-time.Nanosecond), time.UnixMilli(-1).UTC()},
		{time.Second, int64(1e9)},
		{[]byte(nil), nil},
		{[]byte{}, []byte{}},
		{[2]byte{1, 2}, []byte{1, 2}},
		{&[2]byte{1, 2}, []byte{1, 2}},
		{[]level{1}, []any{int64(1)}},
		{[]int(nil), []any{}},
		{map[string]int(nil), map[string]any{}},
		{map[int]any{-1: []any{nil}}, map[string]any{"-1": []any{nil}}},
		{money{5}, map[string]any{"cents": int64(5)}},
		{[]*money{nil, {6}}, []any{nil, map[string]any{"cents": int64(6)}}},
		{struct{}{}, map[string]any{}},
		{map[int]struct{}{-1: {}, 5: {}}, map[string]any{"-1": true, "5": true}},
		{map[string]struct{}(nil), map[string]any{}},
		{struct {
			A int     `doc:"a"`
			Z string  `doc:"z,omitempty"`
			N *string `doc:"n"`
			D int     `doc:"-,"`
			X int     `doc:"-"`
		}{}, map[string]any{"a": int64(0), "n": nil, "-": int64(0)}},
		{struct {
			A string  `doc:",text"`
			B *string `doc:",text"`
			C int8    `doc:",counter"`
			F float64 `doc:",omitempty"`
		}{A: "x", C: 2, F: math.Copysign(0, -1)}, map[string]any{"A": value.Text("x"), "B": nil, "C": value.Counter(2), "F": math.Copysign(0, -1)}},
		{struct {
			T time.Time       `doc:",omitempty"`
			A [2]float64      `doc:",omitempty"`
			S struct{ F any } `doc:",omitempty"`
			M money           `doc:",omitempty"`
		}{T: time.Time{}.Local()}, map[string]any{}},
		{struct {
			A [2]float64          `doc:",omitempty"`
			S struct{ F float32 } `doc:",omitempty"`
		}{[2]float64{0, math.Copysign(0, -1)}, struct{ F float32 }{1}}, map[string]any{
			"A": []any{0.0, math.Copysign(0, -1)}, "S": map[string]any{"F": 1.0},
		}},
		{struct{ *Extra }{}, map[string]any{}},
		{struct{ *Extra }{&Extra{}}, map[string]any{"Note": "", "Stars": uint64(0)}},
	} {
		got, err := value.Marshal(c.in)
		if err != nil {
			t.Errorf("%#v: %v", c.in, err)
		} else if !value.Equal(got, c.want) || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%#v became %#v; want %#v", c.in, got, c.want)
		}
	}
}

// TestShadowing shows that an outer field hides one embedded deeper, as in Go.
func TestShadowing(t *testing.T) {
	type doc struct {
		Base
		ID int
	}
	got := must[any](t)(value.Marshal(doc{Base{ID: "hidden"}, 7}))
	if want := any(map[string]any{"ID": int64(7), "created": time.Time{}}); !value.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// TestMemoryOfItsOwn changes what was marshalled and what was read, and looks at the other.
func TestMemoryOfItsOwn(t *testing.T) {
	in := map[string]any{"bytes": []byte("a"), "list": []any{"a"}, "map": map[string]any{"a": "a"}}
	tree := must[any](t)(value.Marshal(in)).(map[string]any)
	var out map[string]any
	if err := value.Unmarshal(tree, &out); err != nil {
		t.Fatal(err)
	}
	for _, m := range []map[string]any{in, out} {
		m["bytes"].([]byte)[0] = 'b'
		m["list"].([]any)[0] = "b"
		m["map"].(map[string]any)["a"] = "b"
	}
	want := map[string]any{"bytes": []byte("a"), "list": []any{"a"}, "map": map[string]any{"a": "a"}}
	if !value.Equal(tree, want) {
		t.Errorf("the tree is now %v", tree)
	}
}

func TestEqual(t *testing.T) {
	nan, other := math.NaN(), math.Float64frombits(0xfff8000000000123)
	at := time.UnixMilli(5)
	values := []any{
		nil, false, true, int64(-1), int64(1), uint64(math.MaxUint64), 1.0, 0.0, math.Copysign(0, -1), nan, other, "", "a", value.Text(""), value.Text("a"),
		value.Counter(1),
		[]byte{},
		[]byte("a"), at.UTC(), at.Add(1).UTC(),
		[]any{},
		[]any{nil},
		[]any{"a"},
		map[string]any{},
		map[string]any{"a": nil},
		map[string]any{"b": nil},
		map[string]any{"a": int64(1)},
		value.Unknown{},
	}
	for i, a := range values {
		for j, b := range values {
			if got := value.Equal(a, b); got != (i == j) {
				t.Errorf("Equal(%#v, %#v) = %v", a, b, got)
			}
		}
	}
	for _, c := range []struct {
		a, b any
		want bool
	}{
		{int64(1), uint64(1), true},
		{int64(-1), uint64(math.MaxUint64), false},
		{at, at.UTC(), true},
		{[]any(nil), []any{}, true},
		{[]any{int64(1), nan}, []any{uint64(1), nan}, true},
		{map[string]any{"a": int64(1)}, map[string]any{"a": uint64(1)}, true},
		{1, 1, false},             // not in Go form
		{[]int{}, []int{}, false}, // and must not panic
	} {
		if value.Equal(c.a, c.b) != c.want || value.Equal(c.b, c.a) != c.want {
			t.Errorf("Equal(%#v, %#v) is not %v", c.a, c.b, c.want)
		}
	}
}
