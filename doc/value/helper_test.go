package value_test

import (
	"errors"
	"fmt"
	"math"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tombolo/doc/value"
)

// wantError fails unless err is a *value.Error at path whose reason has the words.
func wantError(t testing.TB, err error, path, words string) {
	t.Helper()
	e, ok := errors.AsType[*value.Error](err)
	if !ok {
		t.Fatalf("got error %v; want one of *value.Error at %q with %q", err, path, words)
	}
	if e.Path != path || !strings.Contains(e.Reason, words) {
		t.Errorf("got %q: %q; want it at %q with %q", e.Path, e.Reason, path, words)
	}
}

func must[T any](t testing.TB) func(v T, err error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// identical is reflect.DeepEqual with floats by their bits.
func identical(a, b reflect.Value) bool {
	if a.IsValid() != b.IsValid() {
		return false
	}
	if !a.IsValid() {
		return true
	}
	if a.Type() != b.Type() {
		return false
	}
	switch a.Kind() {
	case reflect.Float32, reflect.Float64:
		return math.Float64bits(a.Float()) == math.Float64bits(b.Float())
	case reflect.Pointer, reflect.Interface:
		return a.IsNil() == b.IsNil() && identical(a.Elem(), b.Elem())
	case reflect.Slice:
		if a.IsNil() != b.IsNil() {
			return false
		}
		fallthrough
	case reflect.Array:
		if a.Len() != b.Len() {
			return false
		}
		for i := range a.Len() {
			if !identical(a.Index(i), b.Index(i)) {
				return false
			}
		}
		return true
	case reflect.Map:
		if a.IsNil() != b.IsNil() || a.Len() != b.Len() {
			return false
		}
		for it := a.MapRange(); it.Next(); {
			if !identical(it.Value(), b.MapIndex(it.Key())) {
				return false
			}
		}
		return true
	case reflect.Struct:
		if _, ok := a.Interface().(time.Time); ok {
			return a.Interface() == b.Interface()
		}
		if !a.Type().Field(0).IsExported() {
			return reflect.DeepEqual(a.Interface(), b.Interface())
		}
		for i := range a.NumField() {
			if a.Type().Field(i).IsExported() && !identical(a.Field(i), b.Field(i)) {
				return false
			}
		}
		return true
	}
	return a.Interface() == b.Interface()
}

type (
	colour string
	level  int8
	digest [4]byte
)

// money has hooks on a pointer, and is stored as a map.
type money struct{ cents int64 }

func (m *money) MarshalDoc() (any, error) { return map[string]any{"cents": m.cents}, nil }

func (m *money) UnmarshalDoc(v any) error {
	fields, ok := v.(map[string]any)
	if !ok {
		return fmt.Errorf("money is a map, not %T", v)
	}
	m.cents, ok = fields["cents"].(int64)
	if !ok {
		return errors.New("money needs cents")
	}
	return nil
}

// optional is stored as null where it is not set: its hooks see null too.
type optional struct {
	set bool
	n   int64
}

func (o optional) MarshalDoc() (any, error) {
	if !o.set {
		return nil, nil
	}
	return o.n, nil
}

func (o *optional) UnmarshalDoc(v any) error {
	if v == nil {
		return nil
	}
	if o.n, o.set = v.(int64); !o.set {
		return fmt.Errorf("an optional is a whole number or null, not %T", v)
	}
	return nil
}

// Base is embedded, and so is *Extra.
type Base struct {
	ID      string
	Created time.Time `doc:"created"`
}

type Extra struct {
	Note  string
	Stars uint8
}

type inner struct{ Hidden bool }

type node struct {
	Name string           `doc:"name"`
	Next *node            `doc:"next,omitempty"`
	Kids []node           `doc:"kids,omitempty"`
	By   map[string]*node `doc:"by"`
}

// rich has a field of every sort.
type rich struct {
	Base
	*Extra
	inner

	B    bool
	I    int
	I8   int8
	I16  int16
	I32  int32
	I64  int64
	U    uint
	U8   uint8
	U16  uint16
	U32  uint32
	U64  uint64
	F32  float32
	F64  float64
	S    string `doc:"s/~ with signs"`
	Body string `doc:",text"`
	T    value.Text
	C    value.Counter
	Hits int16 `doc:"hits,counter"`
	Col  colour
	Lvl  level
	Raw  []byte
	Sum  digest
	When time.Time
	Took time.Duration
	Opt  *int64
	Str  *string `doc:",text"`
	List []string
	Grid [2][]float64
	Any  any
	Tree *node
	ByI  map[int32]string
	ByU  map[uint8]bool
	ByC  map[colour][]int64
	ByA  map[netip.Addr]level
	Addr netip.Addr
	Cost money
	Pay  *money
	Perh optional

	MaybeS string         `doc:",omitempty"`
	MaybeT time.Time      `doc:",omitempty"`
	MaybeF float64        `doc:",omitempty"`
	MaybeL []int          `doc:",omitempty"`
	MaybeM map[string]int `doc:",omitempty"`
	MaybeP *bool          `doc:",omitempty"`

	Skipped chan int `doc:"-"`
	private func()
}

var (
	anyString = rapid.OneOf(
		rapid.String(),
		rapid.StringOf(rapid.Rune()),
		rapid.SampledFrom([]string{"", "\x00", "a\x00b", "\U0010ffff", "é", "e\u0301", "👩‍👩‍👧", "\ufffd", "~/~1"}),
	)
	anyKey   = anyString.Filter(func(s string) bool { return s != "" })
	anyFloat = rapid.OneOf(rapid.Float64(), rapid.SampledFrom([]float64{
		0, math.Copysign(0, -1), math.NaN(), math.Float64frombits(0xfff8000000000123), math.Inf(1), math.Inf(-1), math.MaxFloat64,
		math.SmallestNonzeroFloat64,
	}))
	anyFloat32 = rapid.OneOf(rapid.Float32(), rapid.SampledFrom([]float32{float32(math.NaN()), float32(math.Inf(-1)), float32(math.Copysign(0, -1))}))
	anyInt     = rapid.OneOf(rapid.Int64(), rapid.SampledFrom([]int64{math.MinInt64, math.MaxInt64, -1, 0, 1 << 53, 1<<53 + 1}))
	anyUint    = rapid.OneOf(rapid.Uint64(), rapid.SampledFrom([]uint64{0, math.MaxInt64, math.MaxInt64 + 1, math.MaxUint64}))
	anyTime    = rapid.Map(rapid.OneOf(anyInt, rapid.Just(time.Time{}.UnixMilli())), func(ms int64) time.Time {
		return time.UnixMilli(ms).UTC()
	})
	anyAddr = rapid.Custom(func(t *rapid.T) netip.Addr {
		return netip.AddrFrom4([4]byte(rapid.SliceOfN(rapid.Byte(), 4, 4).Draw(t, "addr")))
	})
)

// anyTree is a tree in Go form.
func anyTree(depth int) *rapid.Generator[any] {
	return rapid.Custom(func(t *rapid.T) any {
		kinds := 12
		if depth == 0 {
			kinds = 10
		}
		switch rapid.IntRange(0, kinds-1).Draw(t, "kind") {
		case 0:
			return nil
		case 1:
			return rapid.Bool().Draw(t, "bool")
		case 2:
			return anyInt.Draw(t, "int")
		case 3:
			return anyUint.Draw(t, "uint")
		case 4:
			return anyFloat.Draw(t, "float")
		case 5:
			return anyString.Draw(t, "string")
		case 6:
			return rapid.SliceOfN(rapid.Byte(), 0, -1).Draw(t, "bytes")
		case 7:
			return anyTime.Draw(t, "time")
		case 8:
			return value.Text(anyString.Draw(t, "text"))
		case 9:
			return value.Counter(anyInt.Draw(t, "counter"))
		case 10:
			return rapid.SliceOfN(anyTree(depth-1), 0, 4).Draw(t, "list")
		}
		return rapid.MapOfN(anyKey, anyTree(depth-1), 0, 4).Draw(t, "map")
	})
}

func anyNode(depth int) *rapid.Generator[*node] {
	return rapid.Custom(func(t *rapid.T) *node {
		if rapid.Bool().Draw(t, "end") || depth == 0 {
			return nil
		}
		n := &node{Name: anyString.Draw(t, "name"), Next: anyNode(depth-1).Draw(t, "next")}
		for range rapid.IntRange(0, 2).Draw(t, "kids") {
			if kid := anyNode(depth-1).Draw(t, "kid"); kid != nil {
				n.Kids = append(n.Kids, *kid)
			}
		}
		n.By = rapid.MapOfN(anyKey, anyNode(depth-1), 0, 2).Draw(t, "by")
		return n
	})
}

func drawRich(t *rapid.T) rich {
	v := rich{
		Base: Base{ID: anyString.Draw(t, "id"), Created: anyTime.Draw(t, "created")},
		B:    rapid.Bool().Draw(t, "b"),
		I:    rapid.Int().Draw(t, "i"),
		I8:   rapid.Int8().Draw(t, "i8"),
		I16:  rapid.Int16().Draw(t, "i16"),
		I32:  rapid.Int32().Draw(t, "i32"),
		I64:  anyInt.Draw(t, "i64"),
		U:    rapid.Uint().Draw(t, "u"),
		U8:   rapid.Uint8().Draw(t, "u8"),
		U16:  rapid.Uint16().Draw(t, "u16"),
		U32:  rapid.Uint32().Draw(t, "u32"),
		U64:  anyUint.Draw(t, "u64"),
		F32:  anyFloat32.Draw(t, "f32"),
		F64:  anyFloat.Draw(t, "f64"),
		S:    anyString.Draw(t, "s"),
		Body: anyString.Draw(t, "body"),
		T:    value.Text(anyString.Draw(t, "t")),
		C:    value.Counter(anyInt.Draw(t, "c")),
		Hits: rapid.Int16().Draw(t, "hits"),
		Col:  colour(anyString.Draw(t, "col")),
		Lvl:  level(rapid.Int8().Draw(t, "lvl")),
		Sum:  digest(rapid.SliceOfN(rapid.Byte(), 4, 4).Draw(t, "sum")),
		When: anyTime.Draw(t, "when"),
		Took: time.Duration(anyInt.Draw(t, "took")),
		Opt:  rapid.Ptr(anyInt, true).Draw(t, "opt"),
		Str:  rapid.Ptr(anyString, true).Draw(t, "str"),
		List: rapid.SliceOf(anyString).Draw(t, "list"),
		Any:  anyTree(3).Draw(t, "any"),
		Tree: anyNode(3).Draw(t, "tree"),
		ByI:  rapid.MapOfN(rapid.Int32(), anyString, 0, 3).Draw(t, "byI"),
		ByU:  rapid.MapOfN(rapid.Uint8(), rapid.Bool(), 0, 3).Draw(t, "byU"),
		ByA:  rapid.MapOfN(anyAddr, rapid.Map(rapid.Int8(), func(i int8) level { return level(i) }), 0, 3).Draw(t, "byA"),
		Addr: anyAddr.Draw(t, "addr"),
		Cost: money{anyInt.Draw(t, "cost")},
		Pay:  rapid.Ptr(rapid.Map(anyInt, func(i int64) money { return money{i} }), true).Draw(t, "pay"),

		MaybeS: anyString.Draw(t, "maybe s"),
		MaybeT: anyTime.Draw(t, "maybe t"),
		MaybeF: anyFloat.Draw(t, "maybe f"),
		MaybeP: rapid.Ptr(rapid.Bool(), true).Draw(t, "maybe p"),
	}
	v.private = func() {}
	v.Hidden = rapid.Bool().Draw(t, "hidden")
	v.Grid[0] = rapid.SliceOfN(anyFloat, 0, 3).Draw(t, "grid0")
	v.Grid[1] = rapid.SliceOfN(anyFloat, 0, 3).Draw(t, "grid1")
	v.ByC = map[colour][]int64{}
	for k, n := range rapid.MapOfN(anyKey, rapid.SliceOfN(anyInt, 0, 2), 0, 3).Draw(t, "byC") {
		v.ByC[colour(k)] = n
	}
	if rapid.Bool().Draw(t, "extra") {
		v.Extra = &Extra{Note: anyString.Draw(t, "note"), Stars: rapid.Uint8().Draw(t, "stars")}
	}
	if rapid.Bool().Draw(t, "raw") {
		v.Raw = rapid.SliceOfN(rapid.Byte(), 0, -1).Draw(t, "raw")
	}
	if rapid.Bool().Draw(t, "perhaps") {
		v.Perh = optional{true, anyInt.Draw(t, "n")}
	}
	if rapid.Bool().Draw(t, "lists") {
		v.MaybeL = rapid.SliceOfN(rapid.Int(), 1, 3).Draw(t, "maybe l")
		v.MaybeM = rapid.MapOfN(anyKey, rapid.Int(), 1, 3).Draw(t, "maybe m")
	}
	return v
}
