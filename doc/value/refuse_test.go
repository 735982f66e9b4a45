package value_test

import (
	"errors"
	"io"
	"math/big"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"
	"unsafe"

	"tombolo/doc/value"
)

type (
	onlyMarshals   struct{}
	alsoMarshals   struct{}
	onlyUnmarshals struct{}
	itself         *itself
	loop           struct{ *loop }
	Loop           struct{ *Loop }
	blind          struct{ n int }
	lower          struct{ A int }

	// stamped gets MarshalText from time.Time, which knows nothing of Name.
	stamped struct {
		time.Time
		Name string
	}
	// priced gets MarshalDoc from a type of ours.
	priced struct {
		optional
		Name string
	}
	// justTime is nothing but its time.
	justTime struct {
		time.Time
		Cached string `doc:"-"`
	}
	// overrides has a method of its own, whatever is embedded.
	overrides struct {
		Own
		Name string
	}
)

// Own is stored as what it holds.
type Own struct{ optional }

func (onlyMarshals) MarshalDoc() (any, error)  { return nil, nil }
func (alsoMarshals) MarshalDoc() (any, error)  { return nil, nil }
func (*onlyUnmarshals) UnmarshalDoc(any) error { return nil }

func (o overrides) MarshalDoc() (any, error) { return o.Name, nil }
func (o *overrides) UnmarshalDoc(v any) error {
	o.Name, _ = v.(string)
	return nil
}

// TestCheck refuses every type that cannot be stored, where it stands.
func TestCheck(t *testing.T) {
	for _, c := range []struct {
		of          reflect.Type
		path, words string
	}{
		{nil, "", "no type"},
		{reflect.TypeFor[chan int](), "", `doc:"-"`},
		{reflect.TypeFor[func()](), "", `doc:"-"`},
		{reflect.TypeFor[complex64](), "", "two floats"},
		{reflect.TypeFor[struct{ A complex128 }](), "/A", "two floats"},
		{reflect.TypeFor[struct{ A uintptr }](), "/A", "uint64"},
		{reflect.TypeFor[unsafe.Pointer](), "", "address"},
		{reflect.TypeFor[[]io.Reader](), "/*", "use any"},
		{reflect.TypeFor[map[string]struct {
			E []error `doc:"e/f"`
		}](), "/*/e~1f/*", "use any"},
		{reflect.TypeFor[map[bool]int](), "", "keys of type bool"},
		{reflect.TypeFor[map[any]int](), "", "keys of type interface"},
		{reflect.TypeFor[map[*big.Int]int](), "", "keys of type *big.Int"},
		{reflect.TypeFor[map[float64]int](), "", "keys of type float64"},
		{reflect.TypeFor[onlyMarshals](), "", "no UnmarshalDoc"},
		{reflect.TypeFor[[]*onlyUnmarshals](), "/*", "no MarshalDoc"},
		{reflect.TypeFor[itself](), "", "points to nothing but itself"},
		{reflect.TypeFor[loop](), "", "embeds itself"},
		{reflect.TypeFor[Loop](), "", "embeds itself"},
		{reflect.TypeFor[blind](), "", "no exported field"},
		{reflect.TypeFor[struct{ Mu sync.Mutex }](), "/Mu", "no exported field"},
		{reflect.TypeFor[struct{ colour }](), "", "no exported field"},
		{reflect.TypeFor[stamped](), "", "from the embedded Time"},
		{reflect.TypeFor[struct{ P *priced }](), "/P", "from the embedded optional"},
		{reflect.TypeFor[struct{ value.Unknown }](), "/Unknown", "cannot be written"},
		{reflect.TypeFor[struct {
			*lower
			B int
		}](), "/lower", "embed the struct"},
		{reflect.TypeFor[struct{ io.Reader }](), "/Reader", "use any"},
		{reflect.TypeFor[struct {
			onlyMarshals
			onlyUnmarshals
			A int
		}](), "", "from the embedded onlyMarshals"},
		{reflect.TypeFor[struct {
			onlyMarshals
			alsoMarshals
		}](), "/onlyMarshals", "no UnmarshalDoc"},
		{reflect.TypeFor[struct {
			Base
			Other struct{ Base } `doc:"ID"`
			Extra
			More struct{ A chan int } `doc:"more"`
		}](), "/more/A", "chan int"},
		{reflect.TypeFor[struct {
			A int `doc:"b"`
			B int `doc:"b"`
		}](), "/b", "two fields of this name, A and B"},
		{reflect.TypeFor[struct {
			Base
			Second struct{ ID int }
			*Extra
			lower
			inner
			Third struct {
				Base
				Twin
			}
		}](), "/Third/ID", "two fields of this name, Base.ID and Twin.ID"},
		{reflect.TypeFor[struct {
			a int `doc:"a"`
		}](), "/a", "not exported"},
		{reflect.TypeFor[struct {
			A int `doc:"\xff"`
		}](), "/\xff", "UTF-8"},
		{reflect.TypeFor[struct {
			A int `doc:"a,string"`
		}](), "/a", `"string" is not known`},
		{reflect.TypeFor[struct {
			A []string `doc:",text"`
		}](), "/A", "for strings, not []string"},
		{reflect.TypeFor[struct {
			A big.Int `doc:",text"`
		}](), "/A", "for strings, not big.Int"},
		{reflect.TypeFor[struct {
			A uint `doc:",counter"`
		}](), "/A", "signed whole numbers, not uint"},
		{reflect.TypeFor[struct {
			A *float64 `doc:",counter"`
		}](), "/A", "signed whole numbers, not float64"},
		{reflect.TypeFor[struct {
			Base `doc:",omitempty"`
		}](), "/Base", "options need a name"},
	} {
		for range 2 { // made, and known
			err := value.Check(c.of)
			wantError(t, err, c.path, c.words)
			if c.of == nil {
				continue
			}
			if _, of := value.Of(reflect.Zero(c.of).Interface()); c.of.Kind() != reflect.Interface && (of == nil || of.Error() != err.Error()) {
				t.Errorf("Of(%s) says %v; Check %v", c.of, of, err)
			}
			if into := value.Unmarshal(nil, reflect.New(c.of).Interface()); into == nil || into.Error() != err.Error() {
				t.Errorf("reading into %s says %v; Check %v", c.of, into, err)
			}
		}
	}
}

// Twin has a field that Base has too.
type Twin struct{ ID int }

// TestCheckAllows allows what looks like something refused.
func TestCheckAllows(t *testing.T) {
	type tree []tree
	type branch map[string]*branch
	type list struct {
		Next *list
		Any  any
		Byp  **int `doc:",counter"`
	}
	for _, of := range []reflect.Type{
		reflect.TypeFor[tree](),
		reflect.TypeFor[branch](),
		reflect.TypeFor[*list](),
		reflect.TypeFor[any](),
		reflect.TypeFor[big.Int](),
		reflect.TypeFor[justTime](),
		reflect.TypeFor[overrides](),
		reflect.TypeFor[map[overridesKey]int](),
		reflect.TypeFor[struct {
			sync.Mutex
			*blind
			A int
		}](),
		reflect.TypeFor[struct {
			P chan int `doc:"-"`
		}](),
		reflect.TypeFor[struct {
			*Base `doc:"base,omitempty"`
		}](),
		reflect.TypeFor[struct {
			A int `doc:"a,"`
		}](),
	} {
		if err := value.Check(of); err != nil {
			t.Errorf("%s: %v", of, err)
		}
	}
}

type overridesKey string

// TestCheckTogether makes the plans of recursive types from several goroutines.
func TestCheckTogether(t *testing.T) {
	type b struct {
		A any
		B []*b
		C map[string]b
	}
	type a struct {
		B *b
		A []a
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if err := errors.Join(value.CheckFor[a](), value.CheckFor[b]()); err != nil {
				t.Error(err)
			}
			if _, err := value.Marshal(a{B: &b{A: a{}, B: []*b{{}}}}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

type bad struct{ err error }

func (b bad) MarshalDoc() (any, error) { return b, b.err }
func (b *bad) UnmarshalDoc(any) error  { return b.err }

// badText fails both ways, as a value and as a key.
type badText struct{}

func (badText) MarshalText() ([]byte, error)  { return nil, io.ErrUnexpectedEOF }
func (*badText) UnmarshalText(b []byte) error { return io.ErrUnexpectedEOF }

// same is a key that is written the same for all values.
type same int

func (same) MarshalText() ([]byte, error)  { return []byte("same"), nil }
func (*same) UnmarshalText(b []byte) error { return nil }

// TestWhatAValueHolds refuses what only the value shows.
func TestWhatAValueHolds(t *testing.T) {
	deep := any("bottom")
	for range value.MaxDepth {
		deep = []any{deep}
	}
	var circle any
	circle = &circle
	ring := &node{Name: "ring"}
	ring.Next = ring
	self := []any{nil}
	self[0] = self
	far := time.Unix(1<<60, 0)
	for _, c := range []struct {
		of          any
		path, words string
	}{
		{"a\xff", "", "string is not valid UTF-8"},
		{value.Text("\xed\xa0\x80"), "", "text is not valid UTF-8"},
		{rich{Any: map[string]any{"a/b": []any{0, "\xff"}}}, "/Any/a~1b/1", "UTF-8"},
		{map[string]any{"": 1}, "/", "empty key"},
		{map[colour]int{"\xff": 1}, "/\xff", "key is not valid UTF-8"},
		{map[string]any{"t": []time.Time{{}, far}}, "/t/1", "years"},
		{time.Unix(-1<<60, 0), "", "years"},
		{[]any{value.Unknown{}}, "/0", "unknown kind"},
		{[]any{1, make(chan int)}, "/1", "chan int"},
		{[]any{blind{n: 1}}, "/0", "no exported field"},
		{rich{Any: []any{struct{ A []func() }{}}}, "/Any/0/A/*", "func()"},
		{[]any{deep}, strings.Repeat("/0", value.MaxDepth+1), "deeper than 1000"},
		{ring, strings.Repeat("/next", value.MaxDepth) + "/by", "deeper than 1000"},
		{self, strings.Repeat("/0", value.MaxDepth+1), "deeper than 1000"},
		{[]any{circle}, "/0", "circle"},
		{[]any{bad{}}, "/0", "circle"},
		{[]any{bad{io.ErrNoProgress}}, "/0", "MarshalDoc of value_test.bad: multiple Read"},
		{[]badText{{}}, "/0", "MarshalText of value_test.badText: unexpected EOF"},
		{map[badText]int{{}: 1}, "/", "MarshalText of value_test.badText"},
		{map[same]int{1: 1, 2: 2}, "/same", "two keys"},
	} {
		v, err := value.Of(c.of)
		if err == nil {
			err = v.Check()
		}
		wantError(t, err, c.path, c.words)
		tree, again := value.Marshal(c.of)
		if tree != nil || again == nil || again.Error() != err.Error() {
			t.Errorf("Marshal gives %v, %v; want nothing and %v", tree, again, err)
		}
	}
	if err := must[value.Value](t)(value.Of(deep)).Check(); err != nil {
		t.Errorf("%d levels: %v", value.MaxDepth, err)
	}
	if _, err := value.Marshal([]any{bad{io.ErrNoProgress}}); !errors.Is(err, io.ErrNoProgress) {
		t.Errorf("the hook's own error is lost: %v", err)
	}
	if _, err := value.Of(circle); err == nil {
		t.Error("Of takes a pointer that leads to itself")
	}
}
