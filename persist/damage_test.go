package persist_test

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"testing"

	"github.com/fxamacker/cbor/v2"

	"tombolo/persist"
	"tombolo/persist/memstore"
)

// entries returns everything below a prefix.
func entries(t testing.TB, s persist.Store, prefix string) (all []persist.Entry) {
	t.Helper()
	for e, err := range s.List(ctx, []byte(prefix)) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, e)
	}
	return all
}

func set(t testing.TB, s persist.Store, key, value []byte) {
	t.Helper()
	b := &persist.Batch{}
	if value == nil {
		b.Delete(key)
	} else {
		b.Put(key, value)
	}
	if err := s.Apply(ctx, b); err != nil {
		t.Fatal(err)
	}
}

// sealed returns a value as the format describes it, written out once more.
func sealed(codec byte, body []byte) []byte {
	table := crc32.MakeTable(crc32.Castagnoli)
	v := binary.BigEndian.AppendUint32([]byte{codec}, crc32.Checksum(append([]byte{codec}, body...), table))
	return append(v, body...)
}

// TestRecordDamage alters and takes away each record of a document that has
// changes, a pack and a change in parts. The error names the first change that
// is affected, and everything before it is yielded.
func TestRecordDamage(t *testing.T) {
	s := memstore.New()
	l := openLog(t, s)
	all := append(some(6, "d"), large(700<<10), []byte("last"))
	appendPack(t, l, doc(1), 0, all[:3]...)
	mustAppend(t, l, doc(1), adding(3, all[3:]...))
	recs := entries(t, s, "r")
	if len(recs) != 8 {
		t.Fatalf("%d records, want 8", len(recs))
	}
	firsts := []uint64{1, 4, 5, 6, 7, 7, 7, 8}
	for i, r := range recs {
		flipped := bytes.Clone(r.Value)
		flipped[len(flipped)-1] ^= 1
		for what, v := range map[string][]byte{
			"gone": nil, "empty": {}, "flipped": flipped, "short": r.Value[:len(r.Value)/2],
			"a part for a record": sealed(3, bytes.Repeat([]byte("x"), 1<<10)),
			"no count":            sealed(1, []byte{0, 1, 'x'}),
			"too long":            sealed(1, append(binary.AppendUvarint([]byte{1}, persist.MaxRecord+1), 'x')),
			"longer than it says": sealed(1, []byte{1, 1, 'x', 'y'}),
			"no bytes":            sealed(1, []byte{1, 1}),
			"an uncounted pack":   sealed(2, nil),
			"an endless number":   sealed(2, []byte{1, 0x80}),
		} {
			if what == "a part for a record" && i != 5 && i != 6 {
				continue // an unknown beginning, see TestTooNew
			}
			if what == "a part for a record" {
				v = sealed(3, make([]byte, 250<<10)) // more than is missing
				if i == 5 {
					continue // the next part shows it
				}
			}
			set(t, s, r.Key, v)
			got, err := changes(l, doc(1), 1)
			if e := wantAs[*persist.DamagedError](t, err); e.Seq != firsts[i] || e.Name != doc(1) {
				t.Fatalf("record %d %s: %v, want change %d", i, what, err, firsts[i])
			}
			if uint64(len(got)) != firsts[i]-1 {
				t.Fatalf("record %d %s: %d changes before the damage, want %d", i, what, len(got), firsts[i]-1)
			}
			if err := l.Pack(ctx, doc(1)); err == nil {
				t.Fatalf("record %d %s: Pack found nothing", i, what)
			}
			set(t, s, r.Key, r.Value)
		}
	}
	wantChanges(t, l, doc(1), 1, all...)
}

func TestPackDamage(t *testing.T) {
	s := memstore.New()
	l := openLog(t, s)
	a := adding(0, some(3, "d")...)
	a.Pack, _ = joiner{}.Pack(a.Changes)
	a.Changes, a.Count = nil, 4
	mustAppend(t, l, doc(1), a)
	_, err := changes(l, doc(1), 1)
	wantAs[*persist.DamagedError](t, err)
	a.Pack, a.Count = []byte("\x7f is no pack"), 3
	mustAppend(t, l, doc(2), a)
	_, err = changes(l, doc(2), 1)
	wantAs[*persist.DamagedError](t, err)
	if n := len(records(t, l, doc(2), 1)); n != 1 {
		t.Fatalf("%d records, want the pack as it is", n)
	}
}

// TestLeftovers puts into the store what failed appends leave there.
func TestLeftovers(t *testing.T) {
	s := memstore.New()
	l := openLog(t, s)
	all := some(6, "l")
	appendPack(t, l, doc(1), 0, all[:4]...)
	mustAppend(t, l, doc(1), adding(4, all[4]))
	change := sealed(1, append([]byte{1, 5}, "other"...))
	key := func(first uint64, part uint16) []byte {
		k := binary.BigEndian.AppendUint64([]byte("r\x00\x00\x00\x00\x00\x00\x00\x01"), first)
		return binary.BigEndian.AppendUint16(k, part)
	}
	set(t, s, key(1, 1), sealed(3, []byte("part of a longer one"))) // behind a record's length
	set(t, s, key(2, 0), change)                                    // inside the pack
	set(t, s, key(3, 7), []byte("torn"))
	set(t, s, key(5, 1), change)
	set(t, s, key(6, 0), change) // behind the header's Last
	set(t, s, key(7, 1), change)
	set(t, s, append(key(4, 0), 0), change) // not a record's key
	wantChanges(t, l, doc(1), 1, all[:5]...)
	mustAppend(t, l, doc(1), adding(5, all[5]))
	wantChanges(t, l, doc(1), 1, all...)
	mustPack(t, l, doc(1))
	wantChanges(t, l, doc(1), 1, all...)
}

// TestHeaderDamage makes one header unreadable in several ways: the others and
// the log are none the worse, and the document takes no writes.
func TestHeaderDamage(t *testing.T) {
	s := memstore.New()
	l := openLog(t, s)
	mustAppend(t, l, doc(1), adding(0, []byte("1")))
	mustAppend(t, l, doc(2), adding(0, []byte("2")))
	l.Close()
	good := entries(t, s, "d")[0]
	var fields map[int]any
	if err := cbor.Unmarshal(good.Value[5:], &fields); err != nil {
		t.Fatal(err)
	}
	with := func(field int, v any) []byte {
		m := map[int]any{}
		for k, v := range fields {
			m[k] = v
		}
		m[field] = v
		b, err := cbor.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	name := doc(1)
	if string(good.Key[17:]) != string(name.Doc[:]) {
		name = doc(2)
	}
	for what, v := range map[string][]byte{
		"empty": {}, "flipped": append(bytes.Clone(good.Value[:len(good.Value)-1]), 0xff),
		"not CBOR":        sealed(4, []byte{0xff}),
		"half a head":     sealed(4, with(2, []byte("short"))),
		"no number":       sealed(4, with(1, 0)),
		"a short hash":    sealed(4, with(3, []byte("short"))),
		"packed too far":  sealed(4, with(5, 99)),
		"a number as map": sealed(4, with(4, map[int]int{})),
	} {
		set(t, s, good.Key, v)
		l := openLog(t, s)
		_, err := l.Header(ctx, name)
		if e := wantAs[*persist.DamagedError](t, err); e.Name != name || e.Seq != 0 {
			t.Fatalf("%s: %v", what, err)
		}
		_, err = l.Append(ctx, name, adding(1, []byte("x")))
		wantAs[*persist.DamagedError](t, err)
		_, err = changes(l, name, 1)
		wantAs[*persist.DamagedError](t, err)
		wantAs[*persist.DamagedError](t, l.Pack(ctx, name))
		wantAs[*persist.DamagedError](t, l.PutCache(ctx, name, 1, 0, nil))
		wantAs[*persist.DamagedError](t, l.Move(ctx, name, doc(9)))
		wantAs[*persist.DamagedError](t, l.Move(ctx, other(name), name))
		seen := map[persist.Name]bool{}
		for n, slim := range l.Docs() {
			seen[n] = slim.Num != 0
		}
		if len(seen) != 2 || seen[name] || !seen[other(name)] {
			t.Fatalf("%s: Docs gives %v", what, seen)
		}
		wantChanges(t, l, other(name), 1, []byte{"12"[other(name).Doc[7]-1]})
		l.Close()
	}
	for what, v := range map[string][]byte{"codec": sealed(99, nil), "field": sealed(4, with(77, 1))} {
		set(t, s, good.Key, v)
		l := openLog(t, s)
		_, err := l.Header(ctx, name)
		wantAs[*persist.TooNewError](t, err)
		wantAs[*persist.TooNewError](t, l.Remove(ctx, name))
		_, err = l.Append(ctx, name, adding(1, []byte("x")))
		wantAs[*persist.TooNewError](t, err)
		if got, err := s.Get(ctx, good.Key); err != nil || !bytes.Equal(got, v) {
			t.Fatalf("a header with a newer %s was touched", what)
		}
		l.Close()
	}
	set(t, s, good.Key, []byte("damaged"))
	l = openLog(t, s)
	if err := l.Remove(ctx, name); err != nil {
		t.Fatalf("Remove of a damaged document: %v", err)
	}
	if h := mustAppend(t, l, name, adding(0, []byte("anew"))); h.Num != 3 {
		t.Fatalf("the new document has number %d, under which the old changes lie", h.Num)
	}
	wantChanges(t, l, name, 1, []byte("anew"))
	set(t, s, []byte("d short"), []byte("x"))
	_, err := persist.OpenLog(ctx, s, joiner{})
	wantAs[*persist.DamagedError](t, err)
}

func other(n persist.Name) persist.Name {
	if n == doc(1) {
		return doc(2)
	}
	return doc(1)
}

// TestTooNew finds a record of a codec that this program does not know.
func TestTooNew(t *testing.T) {
	s := memstore.New()
	l := openLog(t, s)
	mustAppend(t, l, doc(1), adding(0, some(50, "n")...))
	r := entries(t, s, "r")[25]
	v := sealed(42, []byte("sealed envelope"))
	set(t, s, r.Key, v)
	got, err := changes(l, doc(1), 1)
	if e := wantAs[*persist.TooNewError](t, err); e.Have != 42 || len(got) != 25 {
		t.Fatalf("%v after %d changes", err, len(got))
	}
	wantAs[*persist.TooNewError](t, l.Pack(ctx, doc(1)))
	if got, err := s.Get(ctx, r.Key); err != nil || !bytes.Equal(got, v) {
		t.Fatal("the record was touched")
	}
}

// TestCounterLost opens a store without its counter of document numbers.
func TestCounterLost(t *testing.T) {
	s := memstore.New()
	l := openLog(t, s)
	mustAppend(t, l, doc(1), adding(0, []byte("1")))
	mustAppend(t, l, doc(2), adding(0, []byte("2")))
	if err := l.Remove(ctx, doc(2)); err != nil {
		t.Fatal(err)
	}
	l.Close()
	for _, v := range [][]byte{nil, {}, []byte("damaged"), sealed(4, []byte{9}), sealed(7, nil)} {
		set(t, s, []byte("n"), v)
		l := openLog(t, s)
		if h := mustAppend(t, l, doc(2), adding(0)); h.Num < 1<<32 {
			t.Fatalf("number %d may have been given out before", h.Num)
		}
		if err := l.Remove(ctx, doc(2)); err != nil {
			t.Fatal(err)
		}
		l.Close()
	}
}
