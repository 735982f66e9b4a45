package schema_test

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"tombolo/doc"
	"tombolo/schema"
)

type (
	myString string
	myTime   time.Time
	myBytes  []byte
)

type record struct {
	Bool   bool           `doc:"bool"`
	Bytes  myBytes        `doc:"bytes"`
	Float  float64        `doc:"float"`
	Float4 float32        `doc:"float32"`
	Int    int            `doc:"int"`
	Int8   int8           `doc:"int8"`
	String myString       `doc:"string"`
	Time   time.Time      `doc:"time"`
	Named  myTime         `doc:"timeNamed"`
	Uint8  uint8          `doc:"uint8"`
	Took   *time.Duration `doc:"xTook"`
	Word   *string        `doc:"xWord"`
	Skip   []int          `doc:"-"`
	_      int
}

// recordNames are the names of a record in their order, and recordKinds their kinds.
var (
	recordNames = []string{"bool", "bytes", "float", "float32", "int", "int8", "string", "time", "timeNamed", "uint8", "xTook", "xWord"}
	recordKinds = []func(string, ...schema.Option) schema.Field{
		schema.Bool, schema.Bytes, schema.Float, schema.Float, schema.Int, schema.Int, schema.String, schema.Time, schema.Time, schema.Int, schema.Int, schema.String,
	}
)

// translate is the translation of a lens between records.
func translate(t testing.TB, l schema.Lens[record, record]) schema.Translation {
	t.Helper()
	var fields []schema.Field
	for i, name := range recordNames {
		fields = append(fields, recordKinds[i](name))
	}
	s, err := schema.New("app", schema.V(1, schema.Object(schema.Root, fields...)), schema.V(2, schema.Group(schema.Root, l)))
	if err != nil {
		t.Fatal(err)
	}
	return s.Translations()[0]
}

func same(r record, prev *record) (record, error) { return r, nil }

func TestLensValues(t *testing.T) {
	at := time.UnixMilli(-12_345).UTC()
	full := []any{true, []byte{1}, 1.5, 0.25, int64(math.MinInt64), int64(-128), "é", at, at, int64(255), int64(5), "w"}
	zero := []any{false, []byte{}, 0.0, 0.0, int64(0), int64(0), "", at, at, int64(0), int64(0), ""}
	none := make([]any, len(full))
	year1 := time.Time{}.UTC()
	var seen record
	var before *record
	tr := translate(t, schema.Lens[record, record]{
		Rev:  1,
		Up:   func(r record, prev *record) (record, error) { seen, before = r, prev; return r, nil },
		Down: func(r, prev record) (record, error) { before = &prev; return r, nil },
	})
	for i, c := range []struct{ in, out []any }{
		{full, full},
		{zero, zero},
		{none, []any{false, nil, 0.0, 0.0, int64(0), int64(0), "", year1, year1, int64(0), nil, nil}},
	} {
		for _, f := range []func(a, b []any) ([]any, error){tr.Up, tr.Down} {
			out, err := f(c.in, nil)
			if err != nil || !doc.Equal(out, c.out) {
				t.Errorf("%d: %v, %v\nwant %v", i, out, err, c.out)
			}
		}
	}
	took, word := 5*time.Nanosecond, "w"
	want := record{
		Bool: true, Bytes: []byte{1}, Float: 1.5, Float4: 0.25, Int: math.MinInt64, Int8: -128, String: "é", Time: at, Named: myTime(at), Uint8: 255,
		Took: &took, Word: &word,
	}
	if _, err := tr.Up(full, full); err != nil || !reflect.DeepEqual(seen, want) || !reflect.DeepEqual(*before, want) {
		t.Errorf("%v: %+v, %+v", err, seen, before)
	}
	if _, err := tr.Up(full, nil); err != nil || before != nil {
		t.Errorf("%v: what was before is %+v", err, before)
	}
	if _, err := tr.Down(full, full); err != nil || !reflect.DeepEqual(*before, want) {
		t.Errorf("%v: what was before is %+v", err, before)
	}
	nan := append([]any{}, full...)
	nan[2], nan[3] = math.NaN(), math.Inf(-1)
	if out, err := tr.Up(nan, nil); err != nil || !doc.Equal(out, nan) {
		t.Errorf("%v, %v", out, err)
	}
}

// TestLensRefuses: values that do not fit are errors that name the field, on the way in and out.
func TestLensRefuses(t *testing.T) {
	good := make([]any, len(recordNames))
	with := func(i int, v any) []any {
		out := append([]any{}, good...)
		out[i] = v
		return out
	}
	tr := translate(t, schema.Lens[record, record]{Rev: 1, Up: same, Down: func(r, _ record) (record, error) { return r, nil }})
	for _, c := range []struct {
		in   []any
		want string
	}{
		{with(5, int64(128)), `"int8": 128 (int64) does not fit int8`},
		{with(9, int64(-1)), `"uint8": -1 (int64) does not fit uint8`},
		{with(9, int64(256)), `"uint8": 256`},
		{with(3, 0.1), `"float32": 0.1`},
		{with(0, "x"), `"bool": x (string) does not fit bool`},
		{with(1, "x"), `"bytes": x`},
		{with(4, 1.0), `"int": 1 (float64)`},
		{with(6, []byte("x")), `"string"`},
		{with(7, int64(1)), `"time"`},
		{with(7, true), `"time"`},
		{with(0, at(0)), `"bool"`},
		{with(0, doc.Counter(1)), `"bool"`},
		{good[:3], `3 values for the 12 fields`},
	} {
		for _, call := range []func() ([]any, error){
			func() ([]any, error) { return tr.Up(c.in, nil) }, func() ([]any, error) { return tr.Up(good, c.in) },
			func() ([]any, error) { return tr.Down(c.in, nil) }, func() ([]any, error) { return tr.Down(good, c.in) },
		} {
			if out, err := call(); err == nil || !strings.Contains(err.Error(), c.want) || out != nil {
				t.Errorf("%v, %v; want %s", out, err, c.want)
			}
		}
	}
	for want, bad := range map[string]record{
		`"string": "\xff" is not valid UTF-8`: {String: "\xff"},
		`"time": the time`:                    {Time: time.Date(300_000_000, 1, 1, 0, 0, 0, 0, time.UTC)},
	} {
		tr := translate(t, schema.Lens[record, record]{
			Rev: 1, Up: func(record, *record) (record, error) { return bad, nil }, Down: func(record, record) (record, error) { return bad, nil },
		})
		_, up := tr.Up(good, nil)
		_, down := tr.Down(good, good)
		for _, err := range []error{up, down} {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%v; want %s", err, want)
			}
		}
	}
	one := schema.MustNew("app", schema.V(1, schema.Object(schema.Root, schema.Int("a"))), schema.V(2, schema.Map(schema.Root, "a", "b", schema.Lens[int8, uint64]{
		Rev: 1, Up: func(int8, *uint64) (uint64, error) { return math.MaxUint64, nil },
	}))).Translations()[0]
	if _, err := one.Up([]any{int64(1)}, nil); err == nil || !strings.Contains(err.Error(), "is greater than 9223372036854775807") {
		t.Error(err)
	}
	if _, err := one.Up([]any{int64(300)}, nil); err == nil || err.Error() != "300 (int64) does not fit int8" {
		t.Error(err)
	}
}

func at(ms int64) time.Time { return time.UnixMilli(ms).UTC() }

// TestLensFails: an error of a function comes back, and a panic becomes one.
func TestLensFails(t *testing.T) {
	oh := errors.New("oh")
	none := make([]any, len(recordNames))
	for _, fail := range []func() error{func() error { return oh }, func() error { panic(oh) }, func() error { panic("oh") }, func() error { _ = recordNames[len(recordKinds)]; return nil }} {
		tr := translate(t, schema.Lens[record, record]{
			Rev: 1, Up: func(r record, _ *record) (record, error) { return r, fail() }, Down: func(r, _ record) (record, error) { return r, fail() },
		})
		want := func() (text string) {
			defer func() {
				if p := recover(); p != nil {
					text = fmt.Sprintf("panic: %v", p)
				}
			}()
			return fail().Error()
		}()
		for _, f := range []func(a, b []any) ([]any, error){tr.Up, tr.Down} {
			if out, err := f(none, none); err == nil || err.Error() != want || out != nil || strings.HasSuffix(want, "oh") && !errors.Is(err, oh) && !strings.HasPrefix(want, "panic") {
				t.Errorf("%v, %v; want %s", out, err, want)
			}
		}
	}
}

// TestLensKeepsNothing: what a lens does to its bytes reaches neither the caller's values nor what it returned before.
func TestLensKeepsNothing(t *testing.T) {
	var kept myBytes
	spoil := func(r record) (record, error) {
		for i := range kept {
			kept[i]++
		}
		r.Bytes[0]++
		kept = r.Bytes
		return r, nil
	}
	tr := translate(t, schema.Lens[record, record]{
		Rev: 1, Up: func(r record, _ *record) (record, error) { return spoil(r) }, Down: func(r, _ record) (record, error) { return spoil(r) },
	})
	for _, f := range []func(a, b []any) ([]any, error){tr.Up, tr.Down} {
		in := make([]any, len(recordNames))
		in[1] = []byte{7}
		first, err1 := f(in, in)
		second, err2 := f(in, in)
		if err := errors.Join(err1, err2); err != nil || in[1].([]byte)[0] != 7 || first[1].([]byte)[0] != 8 || second[1].([]byte)[0] != 8 {
			t.Errorf("%v: %v, %v, %v", err, in[1], first[1], second[1])
		}
	}
}

// TestLensResults: what does not fit the field it is for is refused, but what was there before passes.
func TestLensResults(t *testing.T) {
	even := func(n int) error {
		if n%2 != 0 {
			return errors.New("odd")
		}
		return nil
	}
	s := schema.MustNew("app",
		schema.V(1, schema.Object(schema.Root, schema.Int("a", schema.Check(1, even)))),
		schema.V(2, schema.Map(schema.Root, "a", "b", schema.Lens[int, *string]{
			Rev: 1,
			Up: func(n int, _ *(*string)) (*string, error) {
				if n == 0 {
					return nil, nil
				}
				text := fmt.Sprint(n)
				return &text, nil
			},
			Down: func(text *string, _ int) (n int, err error) {
				if text != nil {
					_, err = fmt.Sscan(*text, &n)
				}
				return n, err
			},
		}, schema.Enum("2", "3"))))
	tr := s.Translations()[0]
	for _, c := range []struct {
		f             func(a, b []any) ([]any, error)
		in, prev, out any
		err           string
	}{
		{tr.Up, int64(2), nil, "2", ""},
		{tr.Up, int64(0), nil, nil, ""},
		{tr.Up, int64(4), nil, nil, `the field "b" does not fit: "4" is none of`},
		{tr.Up, int64(4), "2", nil, `"4" is none of`},
		{tr.Up, int64(4), "4", "4", ""},
		{tr.Down, "2", int64(0), int64(2), ""},
		{tr.Down, nil, int64(2), int64(0), ""},
		{tr.Down, "3", int64(2), nil, `the field "a" does not fit: odd`},
		{tr.Down, "3", int64(3), int64(3), ""},
	} {
		var prev []any
		if c.prev != nil {
			prev = []any{c.prev}
		}
		out, err := c.f([]any{c.in}, prev)
		if c.err != "" {
			if err == nil || !strings.Contains(err.Error(), c.err) {
				t.Errorf("%v, %v: %v; want %s", c.in, c.prev, err, c.err)
			}
		} else if err != nil || !doc.Equal(out, []any{c.out}) {
			t.Errorf("%v, %v: %v, %v; want %v", c.in, c.prev, out, err, c.out)
		}
	}
}

func BenchmarkLens(b *testing.B) {
	tr := translate(b, schema.Lens[record, record]{Rev: 1, Up: same})
	in := []any{true, []byte{1}, 1.5, 0.25, int64(1), int64(-128), "é", at(1), at(2), int64(255), int64(5), "w"}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := tr.Up(in, nil); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkLensOfOne(b *testing.B) {
	tr := schema.MustNew("app", everything()...).Translations()[0] // done to status
	in, prev := []any{true}, []any{"done"}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := tr.Up(in, prev); err != nil {
			b.Fatal(err)
		}
	}
}
