package value_test

import (
	"fmt"
	"maps"
	"math/big"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"tombolo/doc/value"
)

type scalars struct {
	Base
	*Extra
	B    bool
	I    int32
	U    uint64
	F    float32
	S    string
	T    string `doc:",text"`
	C    int    `doc:",counter"`
	Raw  []byte
	Sum  [8]byte
	When *time.Time
	Gone string `doc:",omitempty"`
	Any  any
	Near struct{ X, Y float64 }
	List []int
}

func aScalars() *scalars {
	when := time.UnixMilli(1)
	return &scalars{
		Base: Base{ID: "id"}, Extra: &Extra{Note: "n", Stars: 5}, B: true, I: -1, U: 1, F: 0.5, S: "s", T: "t", C: 2, Raw: []byte("raw"),
		When: &when, Any: "any", List: []int{1, 2, 3},
	}
}

// look reads everything in v by its kind and counts it.
func look(v value.Value) (n int) {
	switch v.Kind() {
	case value.Bool:
		if v.Bool() {
			n++
		}
	case value.Int, value.CounterKind:
		n += int(v.Int())
	case value.Uint:
		n += int(v.Uint())
	case value.Float:
		n += int(v.Float())
	case value.String, value.TextKind:
		n += len(v.Str())
	case value.Bytes:
		n += len(v.Bytes())
	case value.Time:
		n += int(v.Time().UnixMilli() & 1)
	case value.List:
		for i := range v.Len() {
			n += look(v.Index(i))
		}
	case value.Map:
		for _, e := range v.Fields {
			n += 1 + look(e)
		}
	}
	return n
}

// TestWalkAllocatesNothing walks and checks a struct, lists and what is in pointers and interfaces.
func TestWalkAllocatesNothing(t *testing.T) {
	in := aScalars()
	for name, walk := range map[string]func(v value.Value) bool{
		"look":  func(v value.Value) bool { return look(v) > 0 },
		"check": func(v value.Value) bool { return v.Check() == nil },
	} {
		got := testing.AllocsPerRun(100, func() {
			v, err := value.Of(in)
			if err != nil || !walk(v) {
				t.Error("not walked", err)
			}
		})
		if got != 0 {
			t.Errorf("%s allocates %v times", name, got)
		}
	}
}

// TestFields yields in order and says what a write has to know.
func TestFields(t *testing.T) {
	show := func(v value.Value) string {
		var b strings.Builder
		for k, e := range v.Fields {
			fmt.Fprintf(&b, "%s=%s ", k, e.Kind())
		}
		return b.String()
	}
	v := must[value.Value](t)(value.Of(aScalars()))
	want := "Any=a string B=a boolean C=a counter F=a float Gone=nothing I=a whole number ID=a string List=a list Near=a map Note=a string " +
		"Raw=bytes S=a string Stars=a whole number Sum=bytes T=a text U=a whole number When=a time created=a time "
	if got := show(v); got != want || !v.Partial() {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	for _, c := range []struct {
		of      any
		want    string
		partial bool
	}{
		{&struct{ *Extra }{}, "Note=nothing Stars=nothing ", true},
		{map[string]any{"b": nil, "a": 1, "é": "", "Z": []int{}}, "Z=a list a=a whole number b=null é=a string ", false},
		{map[level]money{10: {}, 2: {}, -1: {}}, "-1=a map 10=a map 2=a map ", false},
		{map[netip.Addr]any{netip.IPv6Loopback(): nil}, "::1=null ", false},
		{map[tagged]int{{1}: 1}, "#1=a whole number ", false},
		{map[badText]int{{}: 1}, "=a value that cannot be stored ", false},
		{[]any{1}, "", false},
		{[]any{struct{}{}}[0], "", true},
		{money{1}, "cents=a whole number ", false},
		{nil, "", false},
	} {
		v := must[value.Value](t)(value.Of(c.of))
		if got := show(v); got != c.want || v.Partial() != c.partial {
			t.Errorf("%T: got %q, partial %v; want %q, %v", c.of, got, v.Partial(), c.want, c.partial)
		}
	}
	for _, of := range []any{aScalars(), map[string]any{"a": 1, "b": 2}, map[string]int{"a": 1, "b": 2}} {
		n := 0
		for range must[value.Value](t)(value.Of(of)).Fields {
			n++
			break
		}
		if n != 1 {
			t.Errorf("%T: %d fields after a break", of, n)
		}
	}
}

// TestOtherKinds asks each value for what it is not.
func TestOtherKinds(t *testing.T) {
	list := must[value.Value](t)(value.Of([]any{
		nil, true, 1, uint(1), 1.0, "s", []byte("b"), time.UnixMilli(1), value.Text("t"), value.Counter(1),
		[]any{1},
		map[string]any{"a": 1},
		make(chan int),
		value.Unknown{},
	}))
	values := []value.Value{{}, list.Index(-1), list.Index(list.Len())}
	for i := range list.Len() {
		values = append(values, list.Index(i))
	}
	for _, v := range values {
		k, got := v.Kind(), []value.Kind{}
		for _, c := range []struct {
			kind value.Kind
			is   bool
		}{
			{value.Bool, v.Bool()},
			{value.Int, v.Int() != 0 && k != value.CounterKind},
			{value.Uint, v.Uint() != 0},
			{value.Float, v.Float() != 0},
			{value.String, v.Str() == "s"},
			{value.TextKind, v.Str() == "t"},
			{value.Bytes, v.Bytes() != nil},
			{value.Time, !v.Time().IsZero()},
			{value.CounterKind, v.Int() != 0 && k != value.Int},
			{value.List, v.Len() > 0 && v.Index(0).Kind() != value.Absent},
			{value.Map, len(slices.Collect(keys(v))) > 0},
			{value.Invalid, v.Err() != nil},
		} {
			if c.is {
				got = append(got, c.kind)
			}
		}
		silent := k == value.Absent || k == value.Null || k == value.UnknownKind
		if silent && len(got) != 0 || !silent && !slices.Equal(got, []value.Kind{k}) {
			t.Errorf("a value of kind %v answers as %v", k, got)
		}
	}
	if values[0].Check() != nil || values[1].Kind() != value.Absent || value.Kind(200).String() != value.UnknownKind.String() {
		t.Error("nothing can be stored as nothing")
	}
	if tree, err := (value.Value{}).Tree(); tree != nil || err != nil {
		t.Errorf("the tree of nothing: %v, %v", tree, err)
	}
}

func keys(v value.Value) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range v.Fields {
			if !yield(k) {
				return
			}
		}
	}
}

// tagged is a key whose MarshalText needs a pointer.
type tagged struct{ n int }

func (k *tagged) MarshalText() ([]byte, error) { return fmt.Appendf(nil, "#%d", k.n), nil }

func (k *tagged) UnmarshalText(b []byte) error {
	_, err := fmt.Sscanf(string(b), "#%d", &k.n)
	return err
}

// TestTaggedKeys reads what such keys wrote.
func TestTaggedKeys(t *testing.T) {
	in, out := map[tagged]string{{1}: "one", {2}: "two"}, map[tagged]string{}
	if err := value.Unmarshal(must[any](t)(value.Marshal(in)), &out); err != nil || !maps.Equal(in, out) {
		t.Errorf("got %v, %v", out, err)
	}
}

// TestHooksOfEmbedded uses a promoted hook where the struct holds nothing else, and an own one whatever is embedded.
func TestHooksOfEmbedded(t *testing.T) {
	at := time.UnixMilli(0).UTC()
	for _, c := range []struct{ in, out, want any }{
		{justTime{Time: at}, new(justTime), "1970-01-01T00:00:00Z"},
		{overrides{Name: "n"}, new(overrides), "n"},
		{*big.NewInt(-12), new(big.Int), "-12"},
	} {
		got := must[any](t)(value.Marshal(c.in))
		if got != c.want {
			t.Errorf("%T became %v, want %v", c.in, got, c.want)
		}
		if err := value.Unmarshal(got, c.out); err != nil {
			t.Error(err)
		}
		if again := must[any](t)(value.Marshal(c.out)); again != c.want {
			t.Errorf("%T read and written again became %v", c.in, again)
		}
	}
}

// TestLongPath is cut short in the message alone.
func TestLongPath(t *testing.T) {
	err := value.Error{Path: strings.Repeat("/é", 150), Reason: "r"}
	if got := err.Error(); len(got) > 230 || !strings.HasSuffix(got, "/é/...: r") {
		t.Errorf("got %q", got)
	}
}
