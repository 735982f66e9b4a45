package value_test

import (
	"errors"
	"io"
	"maps"
	"math"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"tombolo/doc/value"
)

// TestNumbers reads numbers into every Go kind: exactly, or not at all.
func TestNumbers(t *testing.T) {
	for _, c := range []struct {
		from any
		into any // a pointer; what it must hold afterwards, or an error where it is zero and from is not
		want any
	}{
		{int64(127), new(int8), int8(127)},
		{int64(128), new(int8), nil},
		{int64(-129), new(int8), nil},
		{uint64(127), new(int8), int8(127)},
		{uint64(math.MaxInt64), new(int64), int64(math.MaxInt64)},
		{uint64(math.MaxInt64 + 1), new(int64), nil},
		{uint64(math.MaxUint64), new(int), nil},
		{int64(math.MinInt64), new(int64), int64(math.MinInt64)},
		{int64(-1), new(uint64), nil},
		{int64(256), new(uint8), nil},
		{int64(255), new(uint8), uint8(255)},
		{uint64(math.MaxUint64), new(uint64), uint64(math.MaxUint64)},
		{2.0, new(int), 2},
		{2.5, new(int), nil},
		{-2.0, new(int), -2},
		{-2.0, new(uint), nil},
		{math.Copysign(0, -1), new(int), 0},
		{math.NaN(), new(int), nil},
		{math.Inf(1), new(uint64), nil},
		{-math.Exp2(63), new(int64), int64(math.MinInt64)},
		{math.Exp2(63), new(int64), nil},
		{-math.Exp2(63) * 1.5, new(int64), nil},
		{math.Exp2(63), new(uint64), uint64(1 << 63)},
		{math.Exp2(64), new(uint64), nil},
		{value.Counter(7), new(int16), int16(7)},
		{value.Counter(-7), new(float64), -7.0},
		{int64(7), new(value.Counter), value.Counter(7)},
		{7.0, new(value.Counter), value.Counter(7)},
		{int64(1e9), new(time.Duration), time.Second},
		{int64(1 << 53), new(float64), math.Exp2(53)},
		{int64(1<<53 + 1), new(float64), nil},
		{int64(1<<53 + 2), new(float64), math.Exp2(53) + 2},
		{int64(math.MinInt64), new(float64), -math.Exp2(63)},
		{int64(math.MaxInt64), new(float64), nil},
		{uint64(math.MaxUint64), new(float64), nil},
		{int64(0), new(float64), 0.0},
		{uint64(1 << 24), new(float32), float32(1 << 24)},
		{uint64(1<<24 + 1), new(float32), nil},
		{0.5, new(float32), float32(0.5)},
		{0.1, new(float32), nil},
		{math.Inf(-1), new(float32), float32(math.Inf(-1))},
		{1e300, new(float32), nil},
		{"1", new(int), nil},
		{true, new(float64), nil},
	} {
		err := value.Unmarshal(c.from, c.into)
		if c.want == nil {
			wantError(t, err, "", "fit")
		} else if got := reflect.ValueOf(c.into).Elem().Interface(); err != nil || got != c.want {
			t.Errorf("%T %v became %T %v, %v; want %v", c.from, c.from, got, got, err, c.want)
		}
	}
	var f float32
	if err := value.Unmarshal(math.NaN(), &f); err != nil || f == f {
		t.Errorf("NaN became %v, %v", f, err)
	}
}

// TestDoesNotFit reads values of other kinds than the Go type's.
func TestDoesNotFit(t *testing.T) {
	type record struct {
		Items []struct {
			Done bool `doc:"done"`
		} `doc:"items"`
		By map[int]netip.Addr `doc:"by"`
	}
	list := func(v ...any) any { return v }
	for _, c := range []struct {
		from        any
		into        any
		path, words string
	}{
		{"x", new(bool), "", "a string does not fit bool"},
		{[]byte("x"), new(string), "", "bytes does not fit string"},
		{"x", new([]byte), "", "a string does not fit []uint8"},
		{list(), new(map[string]int), "", "a list does not fit"},
		{map[string]any{}, new([]int), "", "a map does not fit"},
		{list(), new(struct{}), "", "a list does not fit struct {}"},
		{true, new(time.Time), "", "a boolean does not fit time.Time"},
		{int64(1), new(netip.Addr), "", "a whole number does not fit netip.Addr"},
		{map[string]any{"a": map[string]any{}}, new(map[string]struct{}), "/a", "a map does not fit map[string]struct {}, a set"},
		{map[string]any{"x": true}, new(map[int]struct{}), "/x", "not a whole number"},
		{"no address", new(netip.Addr), "", "UnmarshalText of netip.Addr"},
		{list(int64(1)), new([2]int), "", "1 elements does not fit [2]int"},
		{[]byte("abc"), new([2]byte), "", "3 bytes do not fit"},
		{value.Unknown{}, new(int), "", "update the program"},
		{map[string]any{"items": list(map[string]any{}, map[string]any{"done": int64(1)})}, new(record), "/items/1/done", "does not fit bool"},
		{map[string]any{"by": map[string]any{"01": nil}}, new(record), "/by/01", "not a whole number that fits int"},
		{map[string]any{"by": map[string]any{"1": "x"}}, new(record), "/by/1", "UnmarshalText"},
		{map[string]any{"-0": nil}, new(map[int8]bool), "/-0", "not a whole number that fits int8"},
		{map[string]any{"128": nil}, new(map[int8]bool), "/128", "not a whole number that fits int8"},
		{map[string]any{"256": nil}, new(map[uint8]bool), "/256", "from 0 to 255"},
		{map[string]any{"+1": nil}, new(map[uint64]bool), "/+1", "from 0 to 18446744073709551615"},
		{map[string]any{"a": nil}, new(map[badText]bool), "/a", "UnmarshalText"},
		{"x", new(badText), "", "UnmarshalText"},
		{map[string]any{"a": int64(1)}, new(money), "", "UnmarshalDoc of value_test.money: money needs cents"},
		{list(int64(1)), new([]*money), "/0", "money is a map, not int64"},
		{list(make(chan int)), new([]any), "/0", "chan int"},
		{make(chan int), new(any), "", "chan int"},
		{map[string]any{"a": make(chan int)}, new(map[string]any), "/a", "chan int"},
		{map[string]any{"by": make(chan int)}, new(record), "/by", "chan int"},
		{nil, nil, "", "not nil; use &v"},
		{nil, 5, "", "the int itself"},
		{nil, (*int)(nil), "", "a nil *int"},
		{nil, new(chan int), "", "cannot be stored"},
	} {
		wantError(t, value.Unmarshal(c.from, c.into), c.path, c.words)
	}
	twice := map[string]any{"a": nil, "b": nil}
	if err := value.Unmarshal(twice, new(map[same]bool)); err == nil || !strings.Contains(err.Error(), "two keys are the same") {
		t.Errorf("two keys that are one in Go: %v", err)
	}
	if err := value.Unmarshal(map[string]any{"x": "y"}, new(map[string]badText)); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("the hook's own error is lost: %v", err)
	}
}

// TestTooDeep stops in a tree that leads back to where it started.
func TestTooDeep(t *testing.T) {
	type lists []lists
	self := []any{nil}
	self[0] = self
	for _, into := range []any{new(any), new(lists), new(money)} {
		if err := value.Unmarshal(self, into); err == nil || !strings.Contains(err.Error(), "deeper than 1000") {
			t.Errorf("into %T: %v", into, err)
		}
	}
}

// TestTooDeepInMap does the same below keys.
func TestTooDeepInMap(t *testing.T) {
	self := map[string]any{}
	self["self"] = self
	for _, into := range []any{new(any), new(map[string]any)} {
		if err := value.Unmarshal(self, into); err == nil || !strings.Contains(err.Error(), "deeper than 1000") {
			t.Errorf("into %T: %v", into, err)
		}
	}
}

// TestReadAgain reads into the same variable twice: nothing of the first value stays, and nothing of it that was kept changes.
func TestReadAgain(t *testing.T) {
	type item struct {
		Name string
		Tags []string
		cage int
	}
	type doc struct {
		*Extra
		item
		Items []item
		By    map[string]*item
		One   *item
		Pair  [2]item
		Cost  money
		Any   any
		Kept  int `doc:"-"`
		conn  int
	}
	full := doc{
		Extra: &Extra{Note: "n"}, item: item{Name: "in"}, Items: []item{{Name: "a", Tags: []string{"x", "y"}}, {Name: "b"}},
		By: map[string]*item{"k": {Name: "k"}}, One: &item{Name: "one"}, Pair: [2]item{{Name: "p"}}, Cost: money{5}, Any: []any{"a"},
	}
	tree := must[any](t)(value.Marshal(full))
	var v doc
	v.Kept, v.conn = 1, 2
	if err := value.Unmarshal(tree, &v); err != nil {
		t.Fatal(err)
	}
	first := v
	next := map[string]any{
		"Items": []any{map[string]any{"Name": "c"}},
		"By":    map[string]any{"l": map[string]any{"Name": "l"}},
		"One":   map[string]any{"Name": "two"},
		"Note":  "m",
		"Newer": "a key of newer code",
	}
	if err := value.Unmarshal(next, &v); err != nil {
		t.Fatal(err)
	}
	want := doc{
		Extra: &Extra{Note: "m"}, Items: []item{{Name: "c"}}, By: map[string]*item{"l": {Name: "l"}}, One: &item{Name: "two"}, Kept: 1, conn: 2,
	}
	if !reflect.DeepEqual(v, want) {
		t.Errorf("read over another value: %+v\nwant %+v", v, want)
	}
	full.Kept, full.conn = 1, 2
	full.Items[1].Tags = []string{}
	full.By["k"].Tags, full.One.Tags, full.Tags, full.Pair[0].Tags, full.Pair[1].Tags = []string{}, []string{}, []string{}, []string{}, []string{}
	if !reflect.DeepEqual(first, full) {
		t.Errorf("the value read first is now %+v\nwant %+v", first, full)
	}
	for _, empty := range []any{nil, map[string]any{}} {
		v := first
		v.item.cage = 3
		if err := value.Unmarshal(empty, &v); err != nil {
			t.Fatal(err)
		}
		if want := (doc{item: item{cage: 3}, Kept: 1, conn: 2}); !reflect.DeepEqual(v, want) {
			t.Errorf("read %v over another value: %+v", empty, v)
		}
	}
}

// TestNull is the zero value everywhere; hooks see it, unless they are behind a pointer.
func TestNull(t *testing.T) {
	v := struct {
		A int
		B []byte
		C *money
		D any
		E optional
		F netip.Addr
		G map[string]int
		H time.Time
	}{1, []byte("b"), &money{1}, 1, optional{true, 1}, netip.IPv6Unspecified(), map[string]int{"a": 1}, time.Now()}
	null := map[string]any{}
	for _, k := range []string{"A", "B", "C", "D", "E", "F", "G", "H"} {
		null[k] = nil
	}
	if err := value.Unmarshal(null, &v); err != nil {
		t.Fatal(err)
	}
	if !reflect.ValueOf(v).IsZero() {
		t.Errorf("got %+v", v)
	}
	wantError(t, value.Unmarshal(nil, &money{}), "", "money is a map, not <nil>")
}

// TestTextAndString read each other.
func TestTextAndString(t *testing.T) {
	var s string
	var x value.Text
	if err := errors.Join(value.Unmarshal(value.Text("t"), &s), value.Unmarshal("s", &x)); err != nil || s != "t" || x != "s" {
		t.Errorf("got %q, %q, %v", s, x, err)
	}
	var u value.Unknown
	var a any
	err := errors.Join(value.Unmarshal(value.Unknown{}, &u), value.Unmarshal([]any{value.Unknown{}}, &a))
	if err != nil || !value.Equal(a, []any{value.Unknown{}}) {
		t.Errorf("got %v, %v", a, err)
	}
	wantError(t, value.Unmarshal("x", &u), "", "does not fit")
	var addr netip.Addr
	if err := value.Unmarshal(value.Text("::1"), &addr); err != nil || addr != netip.IPv6Loopback() {
		t.Errorf("got %v, %v", addr, err)
	}
	// What is not in Go form is brought into it on the way.
	var n int8
	if err := errors.Join(value.Unmarshal(uint16(3), &n), value.Decode(value.FromTree(int32(4)), &n)); err != nil || n != 4 {
		t.Errorf("got %v, %v", n, err)
	}
	wantError(t, value.Decode(value.FromTree(make(chan int)), &n), "", "cannot read")
}

// asked is a map that notes which keys it was asked for, and cannot list them.
type asked struct {
	value.Source
	keys *[]string
}

func (a asked) Kind() value.Kind { return value.Map }

func (a asked) Field(key string) (value.Source, bool, error) {
	*a.keys = append(*a.keys, key)
	return value.FromTree(nil), true, nil
}

// TestAsksForFields reads a struct by its fields alone, in ascending order.
func TestAsksForFields(t *testing.T) {
	var v struct {
		B int `doc:"b"`
		Base
		A int `doc:"a"`
	}
	var keys []string
	if err := value.Decode(asked{keys: &keys}, &v); err != nil || !slices.Equal(keys, []string{"ID", "a", "b", "created"}) {
		t.Errorf("asked for %q, %v", keys, err)
	}
}

// broken is a source whose storage fails below a list or map.
type broken struct {
	value.Source
	kind value.Kind
}

var errBroken = errors.New("the disk is gone")

func (b broken) Kind() value.Kind                                  { return b.kind }
func (b broken) Len() int                                          { return 2 }
func (b broken) Index(int) (value.Source, error)                   { return nil, errBroken }
func (b broken) Field(string) (value.Source, bool, error)          { return nil, false, errBroken }
func (b broken) Each(func(key string, s value.Source) error) error { return errBroken }

// TestBrokenSource hands on what a source says.
func TestBrokenSource(t *testing.T) {
	for _, c := range []struct {
		kind value.Kind
		into any
		path string
	}{
		{value.List, new([]int), "/0"},
		{value.List, new(any), "/0"},
		{value.Map, new(map[string]int), ""},
		{value.Map, new(any), ""},
		{value.Map, new(money), ""},
		{value.Map, new(Extra), "/Note"},
	} {
		err := value.Decode(broken{kind: c.kind}, c.into)
		wantError(t, err, c.path, "disk is gone")
		if !errors.Is(err, errBroken) {
			t.Errorf("%v does not wrap the source's error", err)
		}
	}
}

// A set has the keys with true and no others.
func TestDecodeSet(t *testing.T) {
	set := map[string]struct{}{"old": {}}
	if err := value.Unmarshal(map[string]any{"a": true, "b": false, "c": nil, "d": true}, &set); err != nil {
		t.Fatal(err)
	}
	if want := (map[string]struct{}{"a": {}, "d": {}}); !maps.Equal(set, want) {
		t.Errorf("%v, want %v", set, want)
	}
}
