package gate_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"tombolo/doc/gate"
)

func TestParseAgreesWithTheCore(t *testing.T) {
	for _, want := range history(t) {
		raw := want.Save()
		c, err := gate.Parse(raw)
		if err != nil {
			t.Fatalf("%v: %x", err, raw)
		}
		var deps []string
		for _, d := range c.Deps {
			deps = append(deps, d.String())
		}
		var wantDeps []string
		for _, d := range want.Dependencies() {
			wantDeps = append(wantDeps, d.String())
		}
		slices.Sort(wantDeps)
		// The binding gives the seconds of the format as milliseconds.
		same := c.Hash.String() == want.Hash().String() && slices.Equal(deps, wantDeps) && c.Seq == want.ActorSeq() &&
			c.Message == want.Message() && c.Time == want.Timestamp().UnixMilli()
		if !same || want.ActorID() != hexOf(c.Actor) {
			t.Errorf("gate read %+v, the core %v %v %v %q %v", c, want.Hash(), want.ActorID(), want.ActorSeq(), want.Message(), want.Timestamp())
		}
		if raw[8] == 1 && !bytes.Equal(c.Raw, raw) {
			t.Error("a plain chunk came back changed")
		}
	}
}

// The counters of one actor are contiguous in the document of history, so the operations must add up.
func TestOpsAreCounted(t *testing.T) {
	g, end := gate.NewGraph(), uint64(0)
	for _, ch := range history(t) {
		c, err := gate.Parse(ch.Save())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := g.Add(c); err != nil {
			t.Fatal(err)
		}
		if c.Ops == 0 || len(c.Deps) == 1 && g.Has(c.Deps[0]) && len(g.Heads()) == 1 && c.StartOp != end+1 {
			t.Errorf("change %v has %d operations from %d on, before it there were %d", c.Hash, c.Ops, c.StartOp, end)
		}
		end = max(end, c.StartOp+c.Ops-1)
	}
	if g.MaxOp() != end {
		t.Errorf("MaxOp %d, want %d", g.MaxOp(), end)
	}
}

func TestDeflatedComesBackPlain(t *testing.T) {
	for _, ch := range history(t) {
		c, err := gate.Parse(ch.Save())
		if err != nil {
			t.Fatal(err)
		}
		body := bodyOf(c.Raw)
		z, err := gate.Parse(frame(2, body, deflate(body)))
		if err != nil || z.Hash != c.Hash || !bytes.Equal(z.Raw, c.Raw) {
			t.Fatalf("deflated: %v, want %v: %v", z.Hash, c.Hash, err)
		}
	}
}

func TestParseAccepts(t *testing.T) {
	edit := func(f func(*form)) []byte { g := good(); f(&g); return g.chunk() }
	for name, raw := range map[string][]byte{
		"set":             good().chunk(),
		"no operations":   edit(func(f *form) { f.columns = nil }),
		"before 1970":     edit(func(f *form) { f.time = []byte{0x7f} }),
		"last moment":     edit(func(f *form) { f.time = sleb(gate.MaxTime) }),
		"longest actor":   edit(func(f *form) { f.actor = make([]byte, gate.MaxActorBytes) }),
		"highest numbers": edit(func(f *form) { f.seq = math.MaxUint32; f.startOp = math.MaxUint32 - 1 }),
		"empty key":       edit(func(f *form) { f.columns = with(col(0x15, 0x7f, 0)) }),
	} {
		if _, err := gate.Parse(raw); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	edit := func(f func(*form)) []byte { g := good(); f(&g); return g.chunk() }
	low, high := bytes.Repeat([]byte{1}, 32), bytes.Repeat([]byte{2}, 32)
	flipped := good().chunk()
	flipped[len(flipped)-1] ^= 1
	body := good().body()
	for name, c := range map[string]struct {
		raw  []byte
		want string // part of the reason
	}{
		"nothing":              {nil, "begin like a change"},
		"garbage":              {[]byte("not a change at all"), "begin like a change"},
		"header only":          {good().chunk()[:8], "begin like a change"},
		"no length":            {good().chunk()[:9], "the length is not"},
		"unknown type":         {frame(3, body, body), "unknown type"},
		"cut":                  {good().chunk()[:20], "ends too early"},
		"two chunks":           {append(good().chunk(), good().chunk()...), "after the chunk"},
		"flipped bit":          {flipped, "checksum"},
		"not deflated":         {frame(2, body, []byte("\xff\xff\xff")), "inflate"},
		"deflated, cut":        {frame(2, body, deflate(body)[:10]), "inflate"},
		"deflated, then more":  {frame(2, body, append(deflate(body), 0)), "after the deflated"},
		"deflated, other sum":  {frame(2, append(body, 0), deflate(body)), "checksum"},
		"overlong length":      {append(good().chunk()[:9], append([]byte{byte(len(body)) | 0x80, 0}, body...)...), "the length is not"},
		"deps out of order":    {edit(func(f *form) { f.deps = [][]byte{high, low} }), "dependencies out of order"},
		"deps twice":           {edit(func(f *form) { f.deps = [][]byte{low, low} }), "dependencies out of order"},
		"deps cut":             {frame(1, []byte{2, 1, 2, 3}, []byte{2, 1, 2, 3}), "list of dependencies"},
		"no actor":             {edit(func(f *form) { f.actor = nil }), "actor of a length"},
		"long actor":           {edit(func(f *form) { f.actor = make([]byte, 65) }), "actor of a length"},
		"seq 0":                {edit(func(f *form) { f.seq = 0 }), "sequence number is out of range"},
		"seq beyond":           {edit(func(f *form) { f.seq = 1 << 32 }), "sequence number is out of range"},
		"startOp 0":            {edit(func(f *form) { f.startOp = 0 }), "first operation is out of range"},
		"startOp beyond":       {edit(func(f *form) { f.startOp = 1 << 32 }), "first operation is out of range"},
		"overlong time":        {edit(func(f *form) { f.time = []byte{0x80, 0} }), "the time is not"},
		"overlong minus":       {edit(func(f *form) { f.time = []byte{0xff, 0x7f} }), "the time is not"},
		"endless time":         {edit(func(f *form) { f.time = bytes.Repeat([]byte{0x80}, 11) }), "the time is not"},
		"late time":            {edit(func(f *form) { f.time = sleb(gate.MaxTime + 1) }), "time is out of range"},
		"early time":           {edit(func(f *form) { f.time = sleb(-gate.MaxTime - 1) }), "time is out of range"},
		"message not UTF-8":    {edit(func(f *form) { f.message = "\xff" }), "not UTF-8"},
		"others out of order":  {edit(func(f *form) { f.others = [][]byte{{2}, {1}} }), "actors out of order"},
		"own actor as other":   {edit(func(f *form) { f.others = [][]byte{f.actor} }), "actors out of order"},
		"empty other actor":    {edit(func(f *form) { f.others = [][]byte{{}} }), "actor of a length"},
		"many columns":         {edit(func(f *form) { f.columns = make([]column, 15) }), "more columns"},
		"unknown column":       {edit(func(f *form) { f.columns = append(f.columns, column{0x99, []byte{1}}) }), "unknown or deflated column 153"},
		"deflated column":      {edit(func(f *form) { f.columns = append(f.columns, column{0x7b, []byte{1}}) }), "unknown or deflated"},
		"columns out of order": {edit(func(f *form) { slices.Reverse(f.columns) }), "columns out of order"},
		"empty column":         {edit(func(f *form) { f.columns[0].content = nil }), "empty column"},
		"column length":        {frame(1, []byte{0, 1, 7, 1, 1, 0, 0, 0, 1, 0x42, 0x80}, []byte{0, 1, 7, 1, 1, 0, 0, 0, 1, 0x42, 0x80}), "column's length"},
		"column cut":           {frame(1, body[:len(body)-1], body[:len(body)-1]), "a column ends"},
		"footer cut":           {edit(func(f *form) { f.trailer = []byte{1, 2, 0} }), "the footer ends"},
		"footer order":         {edit(func(f *form) { f.trailer = []byte{2, 0, 1, 0} }), "footer out of order"},
		"footer twice":         {edit(func(f *form) { f.trailer = []byte{2, 0, 2, 0} }), "footer out of order"},
		"no action column":     {edit(func(f *form) { f.columns = f.columns[:1] }), "columns without operations"},
	} {
		_, err := gate.Parse(c.raw)
		e, ok := errors.AsType[*gate.FormError](err)
		if !ok || !strings.Contains(e.Reason, c.want) || !strings.Contains(err.Error(), e.Reason) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

func TestParseLimits(t *testing.T) {
	edit := func(f func(*form)) []byte { g := good(); f(&g); return g.chunk() }
	many := func(n int) (out [][]byte) {
		for i := range n {
			out = append(out, append([]byte{1, byte(i >> 8), byte(i)}, make([]byte, 29)...))
		}
		return out
	}
	big := edit(func(f *form) { f.message = strings.Repeat(" ", gate.MaxChangeBytes) })
	edge := edit(func(f *form) { f.message = strings.Repeat(" ", gate.MaxChangeBytes-len(good().body())-16) })
	run := func(n int64) []column { return with(col(0x42, append(sleb(n), 1)...)) }
	sets := func(n int64) []column {
		run := func(spec uint64, v ...byte) column { return col(spec, append(sleb(n), v...)...) }
		return with(run(0x15, 1, 'k'), col(0x34, binary.AppendUvarint(nil, uint64(n))...), run(0x42, 1), run(0x56, 2), run(0x70, 0))
	}
	replacing := func(n int) []column { // an operation that replaces number 1 of each of n actors
		actors, counters := sleb(-int64(n)), append(append([]byte{0x7f, 1}, sleb(int64(n-1))...), 0)
		for i := range n {
			actors = binary.AppendUvarint(actors, uint64(i+1))
		}
		return with(col(0x70, append([]byte{0x7f}, binary.AppendUvarint(nil, uint64(n))...)...), col(0x71, actors...), col(0x73, counters...))
	}
	for name, c := range map[string]struct {
		raw  []byte
		what string // empty: accepted
	}{
		"most bytes":           {edge, ""},
		"bytes":                {big, "bytes"},
		"inflated bytes":       {frame(2, bodyOf(big), deflate(bodyOf(big))), "bytes"},
		"inflated with header": {frame(2, bodyOf(big)[:gate.MaxChangeBytes], deflate(bodyOf(big)[:gate.MaxChangeBytes])), "bytes"},
		"most dependencies":    {edit(func(f *form) { f.deps = many(gate.MaxDeps) }), ""},
		"dependencies":         {edit(func(f *form) { f.deps = many(gate.MaxDeps + 1) }), "dependencies"},
		"most actors": {edit(func(f *form) {
			f.startOp, f.others, f.columns = 9, many(gate.MaxActors), replacing(gate.MaxActors)
		}), ""},
		"actors":                {edit(func(f *form) { f.others = many(gate.MaxActors + 1) }), "other actors"},
		"most operations":       {edit(func(f *form) { f.columns = sets(gate.MaxOps) }), ""},
		"operations":            {edit(func(f *form) { f.columns = run(gate.MaxOps + 1) }), "operations"},
		"operations in two":     {edit(func(f *form) { f.columns = with(col(0x42, append(append(sleb(gate.MaxOps), 1), 2, 2)...)) }), "operations"},
		"operations in literal": {edit(func(f *form) { f.columns = run(-gate.MaxOps - 1) }), "operations"},
		"operations, no end":    {edit(func(f *form) { f.columns = run(math.MaxInt64) }), "operations"},
		"operations, minus":     {edit(func(f *form) { f.columns = run(math.MinInt64) }), "operations"},
		"predecessors":          {edit(func(f *form) { f.startOp, f.columns = 9, with(col(0x70, 0x7f, 0x81, 0x80, 0x40)) }), "predecessors"},
		"predecessors, no end": {edit(func(f *form) {
			f.startOp, f.columns = 9, with(col(0x70, append([]byte{0x7f}, binary.AppendUvarint(nil, math.MaxInt64)...)...))
		}), "predecessors"},
		"counter": {edit(func(f *form) { f.startOp = gate.MaxCounter }), "operations counted in the document"},
	} {
		_, err := gate.Parse(c.raw)
		if e, ok := errors.AsType[*gate.LimitError](err); ok != (c.what != "") || ok && (e.What != c.what || e.Have <= e.Max || e.Error() == "") {
			t.Errorf("%s: %v, want %q", name, err, c.what)
		}
		if c.what == "" && err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestDocumentIsNamed(t *testing.T) {
	if _, err := gate.Parse(frame(0, nil, []byte("anything"))); !errors.Is(err, gate.ErrDocument) {
		t.Errorf("got %v", err)
	}
}

func TestHash(t *testing.T) {
	h := hashOf(1)
	for _, s := range []string{h.String(), strings.ToUpper(h.String())} {
		if got, err := gate.ParseHash(s); err != nil || got != h {
			t.Errorf("%q: %v %v", s, got, err)
		}
	}
	for _, s := range []string{"", h.String()[1:], h.String() + "00", strings.Replace(h.String(), h.String()[:1], "g", 1)} {
		if _, err := gate.ParseHash(s); err == nil {
			t.Errorf("%q was read", s)
		}
	}
	if (gate.Hash{1}).Compare(gate.Hash{2}) >= 0 || h.Compare(h) != 0 {
		t.Error("hashes do not compare like bytes")
	}
}
