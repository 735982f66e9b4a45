package gate_test

import (
	"encoding/binary"
	"errors"
	"math"
	"strings"
	"testing"

	"tombolo/doc/gate"
)

// Each case changes the columns of one operation, or of two, that set keys of the root map.
func TestParseRefusesColumns(t *testing.T) {
	two := []column{
		col(0x15, 0x7e, 1, 'a', 1, 'b'), col(0x34, 2), col(0x42, 2, 1), col(0x56, 2, 2), col(0x70, 2, 0),
	}
	but := func(cols ...column) []column { // two, with others in their place
		all := append([]column{}, cols...)
		for _, c := range two {
			if !hasSpec(cols, c.spec) {
				all = append(all, c)
			}
		}
		return with(all...)
	}
	long := append(sleb(1<<40), 1)
	for name, c := range map[string]struct {
		columns []column
		want    string
	}{
		"no rows":               {with(col(0x42, 0, 0)), "column of actions is not in its canonical form"},
		"null action":           {with(col(0x42, 0, 1)), "column of actions is not in its canonical form"},
		"null action later":     {but(col(0x42, 0x7f, 1, 0, 1)), "without an action"},
		"unknown action":        {with(col(0x42, 0x7f, 8)), "unknown action 8"},
		"table":                 {with(col(0x42, 0x7f, 6)), "unknown action 6"},
		"huge action":           {with(col(0x42, append([]byte{0x7f}, binary.AppendUvarint(nil, math.MaxUint64)...)...)), "column of actions breaks off"},
		"run of one":            {with(col(0x42, 1, 1)), "column of actions is not in its canonical form"},
		"two literals":          {but(col(0x42, 0x7f, 1, 0x7f, 0)), "column of actions is not in its canonical form"},
		"literal of equals":     {but(col(0x42, 0x7e, 1, 1)), "column of actions is not in its canonical form"},
		"run before its equal":  {but(col(0x42, 2, 1, 0x7f, 1)), "column of actions is not in its canonical form"},
		"literal before equal":  {but(col(0x42, 0x7f, 1, 2, 1)), "column of actions is not in its canonical form"},
		"broken run":            {with(col(0x42, 0x80)), "column of actions breaks off"},
		"literal cut":           {with(col(0x42, 0x7e, 1)), "column of actions breaks off"},
		"run without a value":   {with(col(0x42, 2)), "column of actions breaks off"},
		"nulls of no number":    {with(col(0x15, 0)), "column of keys breaks off"},
		"nulls only":            {with(col(0x01, 0, 1)), "column of object actors is not in its canonical form"},
		"nulls twice":           {but(col(0x01, 0, 1, 0, 1)), "column of object actors is not in its canonical form"},
		"short column":          {but(col(0x15, 0x7f, 1, 'a')), "column of keys ends before the last operation"},
		"long column":           {with(col(0x15, 0x7e, 1, 'a', 1, 'b')), "column of keys is longer than the operations"},
		"another run":           {with(col(0x15, 0x7f, 1, 'a', 0, 1)), "column of keys is longer than the operations"},
		"endless run":           {with(col(0x56, long...)), "column of value types is longer than the operations"},
		"endless literal":       {with(col(0x56, sleb(math.MinInt64)...)), "column of value types is longer than the operations"},
		"endless nulls":         {but(col(0x15, append([]byte{0x7f, 1, 'a', 0}, binary.AppendUvarint(nil, math.MaxUint64)...)...)), "column of keys is longer"},
		"endless preds":         {with(col(0x70, 0x7f, 1), col(0x71, long...), col(0x73, long...)), "column of predecessor actors is longer"},
		"key not UTF-8":         {with(col(0x15, 0x7f, 1, 0xff)), "column of keys has text that is not UTF-8"},
		"key cut":               {with(col(0x15, 0x7f, 2, 'a')), "column of keys breaks off"},
		"no key":                {with(col(0x15)), "neither a key nor an element"},
		"key and element":       {with(col(0x13, 0x7f, 0)), "a key and an element at once"},
		"element without actor": {with(col(0x15), col(0x13, 0x7f, 1)), "an element without an actor"},
		"element out of range":  {with(col(0x15), col(0x13, append([]byte{0x7f}, sleb(math.MinInt64)...)...)), "element is out of range"},
		"half an object":        {with(col(0x02, 0x7f, 1)), "half an object"},
		"no inserts":            {with(col(0x34)), "no column of inserts"},
		"inserts, short":        {but(col(0x34, 1)), "column of inserts"},
		"inserts, long":         {with(col(0x34, 2)), "column of inserts is longer"},
		"inserts, endless":      {with(col(0x34, binary.AppendUvarint(nil, math.MaxUint64)...)), "column of inserts is longer"},
		"inserts, empty run":    {but(col(0x34, 1, 0, 1)), "column of inserts is not in its canonical form"},
		"inserts, then empty":   {with(col(0x34, 1, 0)), "column of inserts is longer"},
		"inserts, one more":     {with(col(0x34, 1, 1)), "column of inserts is longer"},
		"no value types":        {with(col(0x56)), "without an action or a value type"},
		"value cut":             {with(col(0x56, 0x7f, 0x16), col(0x57)), "column of values ends too early"},
		"value left":            {with(col(0x57, 1)), "column of values is longer"},
		"no pred counts":        {with(col(0x70)), "without a predecessor count"},
		"preds without columns": {with(col(0x70, 0x7f, 1)), "without one of its predecessors"},
		"preds, half":           {with(col(0x70, 0x7f, 1), col(0x71, 0x7f, 0)), "without one of its predecessors"},
		"preds left":            {with(col(0x71, 0x7f, 0), col(0x73, 0x7f, 1)), "column of predecessor actors is longer"},
		"pred out of range":     {with(col(0x70, 0x7f, 1), col(0x71, 0x7f, 0), col(0x73, append([]byte{0x7f}, sleb(math.MaxInt64)...)...)), "without one of its"},
		"expand of none":        {with(col(0x94, 1)), "column of expands has none"},
		"expand cut":            {with(col(0x94, 0x80)), "column of expands breaks off"},
		"expand on a set":       {with(col(0x94, 0, 1)), "on another operation"},
		"name on a set":         {with(col(0xa5, 0x7f, 1, 'b')), "on another operation"},
		"names left":            {with(col(0xa5, 0x7e, 1, 'b', 1, 'c')), "column of mark names is longer"},
	} {
		f := good()
		f.columns = c.columns
		_, err := gate.Parse(f.chunk())
		if e, ok := errors.AsType[*gate.FormError](err); !ok || !strings.Contains(e.Reason, c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	f := good()
	f.columns = but()
	if _, err := gate.Parse(f.chunk()); err != nil {
		t.Errorf("the columns that the cases change: %v", err)
	}
}

func hasSpec(cols []column, spec uint64) bool {
	for _, c := range cols {
		if c.spec == spec {
			return true
		}
	}
	return false
}

// Each case is an operation after honest ones that are numbered 1 to 4.
func TestParseRefusesOperations(t *testing.T) {
	own := func(n uint32) gate.OpRef { return gate.OpRef{Counter: n} }
	text := gate.Op{Key: "t", Action: gate.ActMakeText}
	char := gate.Op{Obj: own(1), Seq: true, Insert: true, Action: gate.ActSet, Type: gate.TypeString, Value: []byte("x")}
	mark := gate.Op{Obj: own(1), Seq: true, Insert: true, Action: gate.ActMark, Type: gate.TypeTrue, Named: true, Mark: "b"}
	set := gate.Op{Key: "k", Action: gate.ActSet, Type: gate.TypeTrue}
	value := func(ty gate.ValueType, b ...byte) gate.Op {
		return gate.Op{Key: "k", Action: gate.ActSet, Type: ty, Value: b}
	}
	but := func(op gate.Op, f func(*gate.Op)) gate.Op { f(&op); return op }
	honest := []gate.Op{text, char, mark, set}
	const wrong = "wrong length or spelling"
	for name, c := range map[string]struct {
		op   gate.Op
		want string
	}{
		"object to come":         {but(set, func(o *gate.Op) { o.Obj = own(5) }), "the object is not an earlier"},
		"object of a stranger":   {but(set, func(o *gate.Op) { o.Obj = gate.OpRef{Counter: 1, Actor: 2} }), "the object has an unknown actor"},
		"object of another, new": {but(set, func(o *gate.Op) { o.Obj = gate.OpRef{Counter: 1, Actor: 1} }), "the object is not an earlier"},
		"object zero":            {but(set, func(o *gate.Op) { o.Obj = gate.OpRef{Actor: 1} }), "the object is not an earlier"},
		"element to come":        {but(char, func(o *gate.Op) { o.Elem = own(5) }), "the element is not an earlier"},
		"predecessor to come":    {but(set, func(o *gate.Op) { o.Preds = []gate.OpRef{own(5)} }), "a predecessor is not an earlier"},
		"predecessors twice":     {but(set, func(o *gate.Op) { o.Preds = []gate.OpRef{own(4), own(4)} }), "out of order"},
		"predecessors descend":   {but(set, func(o *gate.Op) { o.Preds = []gate.OpRef{own(4), own(2)} }), "out of order"},
		"element of the root":    {but(char, func(o *gate.Op) { o.Obj = gate.OpRef{} }), "an element of the root map"},
		"insert into a map":      {but(set, func(o *gate.Op) { o.Insert = true }), "an insert into a map"},
		"change of the head":     {but(char, func(o *gate.Op) { o.Insert = false }), "head of a sequence"},
		"insert in place":        {but(char, func(o *gate.Op) { o.Preds = []gate.OpRef{own(2)} }), "insert that replaces"},
		"map with a value":       {but(text, func(o *gate.Op) { o.Type = gate.TypeTrue }), "a value where none belongs"},
		"delete with a value":    {gate.Op{Key: "k", Action: gate.ActDelete, Type: gate.TypeTrue, Preds: []gate.OpRef{own(4)}}, "a value where none"},
		"delete of nothing":      {gate.Op{Key: "k", Action: gate.ActDelete}, "delete or increment of nothing"},
		"insert of a delete":     {but(char, func(o *gate.Op) { o.Action, o.Type, o.Value = gate.ActDelete, 0, nil }), "delete or increment of nothing"},
		"increment of nothing":   {gate.Op{Key: "k", Action: gate.ActIncrement, Type: gate.TypeInt, Value: []byte{1}}, "delete or increment of nothing"},
		"increment by unsigned":  {gate.Op{Key: "k", Action: gate.ActIncrement, Type: gate.TypeUint, Value: []byte{1}, Preds: []gate.OpRef{own(4)}}, "else than a signed integer"},
		"mark in place":          {but(mark, func(o *gate.Op) { o.Insert, o.Elem = false, own(2) }), "mark that is not inserted"},
		"mark's end, a value":    {but(mark, func(o *gate.Op) { o.Named = false }), "value at the end"},
		"named text":             {but(char, func(o *gate.Op) { o.Named = true }), "on another operation"},
		"expanding text":         {but(char, func(o *gate.Op) { o.Expand = true }), "on another operation"},
		"null with bytes":        {value(gate.TypeNull, 0), wrong},
		"true with bytes":        {value(gate.TypeTrue, 0), wrong},
		"unsigned without bytes": {value(gate.TypeUint), wrong},
		"unsigned, long form":    {value(gate.TypeUint, 0x80, 0), wrong},
		"unsigned and more":      {value(gate.TypeUint, 1, 1), wrong},
		"signed, long form":      {value(gate.TypeInt, 0xff, 0x7f), wrong},
		"counter without bytes":  {value(gate.TypeCounter), wrong},
		"time and more":          {value(gate.TypeTime, 1, 1), wrong},
		"short float":            {value(gate.TypeFloat, 1, 2, 3, 4), wrong},
		"long float":             {value(gate.TypeFloat, make([]byte, 9)...), wrong},
		"string not UTF-8":       {value(gate.TypeString, 0xed, 0xa0, 0x80), "string that is not UTF-8"},
		"value of the future":    {value(10, 1), "value of an unknown type"},
	} {
		_, err := gate.Parse(encode(t, gate.Change{Actor: []byte{1}, Others: [][]byte{{2}}, Seq: 1, StartOp: 1}, append(honest[:4:4], c.op)...))
		if e, ok := errors.AsType[*gate.FormError](err); !ok || !strings.Contains(e.Reason, c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	if _, err := gate.Parse(encode(t, gate.Change{Actor: []byte{1}, Seq: 1, StartOp: 1}, honest...)); err != nil {
		t.Errorf("the operations before: %v", err)
	}
	idle := encode(t, gate.Change{Actor: []byte{1}, Others: [][]byte{{2}}, Seq: 1, StartOp: 1}, honest...)
	if _, err := gate.Parse(idle); err == nil || !strings.Contains(err.Error(), "no operation refers to") {
		t.Errorf("an actor that is not needed: %v", err)
	}
}

// The own actor has number 0 but any place among the others' IDs.
func TestPredecessorsAscendByActor(t *testing.T) {
	c := gate.Change{Actor: []byte{5}, Others: [][]byte{{3}, {4}, {6}}, Seq: 2, StartOp: 9}
	ref := func(actor uint32) gate.OpRef { return gate.OpRef{Counter: 8, Actor: actor} }
	for _, test := range []struct {
		preds []gate.OpRef
		ok    bool
	}{
		{[]gate.OpRef{ref(1), ref(2), ref(0), ref(3)}, true},
		{[]gate.OpRef{ref(0), ref(1), ref(2), ref(3)}, false},
		{[]gate.OpRef{ref(1), ref(0), ref(2), ref(3)}, false},
		{[]gate.OpRef{ref(1), ref(2), ref(3), ref(0)}, false},
		{[]gate.OpRef{ref(2), ref(1), ref(0), ref(3)}, false},
	} {
		_, err := gate.Parse(encode(t, c, gate.Op{Key: "k", Action: gate.ActSet, Preds: test.preds}))
		if (err == nil) != test.ok {
			t.Errorf("%v: %v", test.preds, err)
		}
	}
}
