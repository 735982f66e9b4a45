package persist_test

import (
	"encoding/binary"
	"testing"

	"tombolo/persist"
	"tombolo/persist/memstore"
)

// FuzzHeader: whatever stands where a header should, with a right sum or a wrong one, the log opens or says why not, and what it reads as a
// header stays what it is when changes follow.
func FuzzHeader(f *testing.F) {
	s := memstore.New()
	l := openLog(f, s)
	mustAppend(f, l, doc(1), adding(0, some(3, "d")...))
	header := entries(f, s, "d")[0]
	f.Add(header.Value, false)
	f.Add(header.Value[5:], true)
	f.Add([]byte{0xa0}, true)
	f.Add([]byte{0xa4, 1, 1, 3, 0x40, 4, 0x1b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 5, 1}, true)
	all := entries(f, s, "")
	f.Fuzz(func(t *testing.T, value []byte, right bool) {
		if right { // past the sum, which the fuzzer cannot guess
			value = sealed(header.Value[0], value)
		}
		s := memstore.New()
		for _, e := range all {
			set(t, s, e.Key, e.Value)
		}
		set(t, s, header.Key, append([]byte{}, value...))
		l, err := persist.OpenLog(ctx, s, joiner{})
		if err != nil {
			return
		}
		defer l.Close()
		h, err := l.Header(ctx, doc(1))
		if err != nil {
			return
		}
		if got, err := changes(l, doc(1), 1); err == nil && uint64(len(got)) != h.Last {
			t.Fatalf("%d changes of %d, and no error", len(got), h.Last)
		}
		a := adding(h.Last, []byte("one more"))
		a.Meta = h.Meta
		after, err := l.Append(ctx, doc(1), a)
		if err == nil && (after.Last != h.Last+1 || after.Num != h.Num) {
			t.Fatalf("%+v became %+v", h, after)
		}
	})
}

// FuzzRecord: whatever stands where a record should, reading gives the changes before it and then says what is wrong, or gives all.
func FuzzRecord(f *testing.F) {
	s := memstore.New()
	l := openLog(f, s)
	given := some(4, "d")
	appendPack(f, l, doc(1), 0, given[:2]...)
	mustAppend(f, l, doc(1), adding(2, given[2:]...))
	records, all := entries(f, s, "r"), entries(f, s, "")
	for i, r := range records {
		f.Add(byte(i), r.Value[0], r.Value[5:])
	}
	f.Add(byte(0), byte(2), append(binary.AppendUvarint([]byte{2}, 1<<62), 'x'))
	f.Add(byte(1), byte(1), []byte{1, 0x80})
	f.Add(byte(1), byte(3), []byte("more"))
	f.Fuzz(func(t *testing.T, at, codec byte, body []byte) {
		s := memstore.New()
		for _, e := range all {
			set(t, s, e.Key, e.Value)
		}
		r := records[int(at)%len(records)]
		set(t, s, r.Key, sealed(codec, body))
		l, err := persist.OpenLog(ctx, s, joiner{})
		if err != nil {
			t.Fatalf("a record keeps the log from opening: %v", err)
		}
		defer l.Close()
		got, err := changes(l, doc(1), 1)
		if err == nil && len(got) != len(given) {
			t.Fatalf("%d changes of %d, and no error", len(got), len(given))
		}
		if packing := l.Pack(ctx, doc(1)); packing != nil || err != nil {
			return
		}
		if again, err := changes(l, doc(1), 1); err != nil || len(again) != len(given) {
			t.Fatalf("packed, it has %d changes of %d, %v", len(again), len(given), err)
		}
	})
}
