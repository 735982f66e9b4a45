package persist_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"testing"

	"tombolo/persist"
	"tombolo/persist/memstore"
)

func salvaged(t *testing.T, l *persist.Log, num, last uint64) (out [][]byte) {
	t.Helper()
	for c, err := range l.Salvage(ctx, num, last) {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, c)
	}
	return out
}

func asides(t *testing.T, l *persist.Log) (out []persist.Aside) {
	t.Helper()
	for a, err := range l.Asides(ctx) {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, a)
	}
	return out
}

// TestSalvage alters each record in turn: all others come back, a document of the same name begins anew, and the damaged one stays until it is
// dropped.
func TestSalvage(t *testing.T) {
	onStores(t, func(t *testing.T, s *flaky, reopen func()) {
		l := openLog(t, s)
		all := append(some(6, "d"), large(700<<10), []byte("last"))
		groups := [][][]byte{all[:3], all[3:4], all[4:5], all[5:6], all[6:7], all[6:7], all[6:7], all[7:]}
		for i, gone := range groups {
			name := doc(i + 1)
			appendPack(t, l, name, 0, all[:3]...)
			mustAppend(t, l, name, adding(3, all[3:]...))
			h, err := l.Header(ctx, name)
			if err != nil {
				t.Fatal(err)
			}
			recs := entries(t, s, string(recordPrefix(h.Num)))
			recs[i].Value[len(recs[i].Value)-1] ^= 1
			set(t, s, recs[i].Key, recs[i].Value)

			a, err := l.SetAside(ctx, name, 0)
			if err != nil || a.Num != h.Num || a.Header.Last != h.Last || !slices.Equal(a.Header.Heads, h.Heads) {
				t.Fatalf("SetAside gave %+v, %v; the header was %+v", a, err, h)
			}
			if _, err := l.Header(ctx, name); !errors.Is(err, persist.ErrNotFound) {
				t.Fatalf("Header of what was set aside: %v", err)
			}
			want := slices.DeleteFunc(slices.Clone(all), func(c []byte) bool {
				return slices.ContainsFunc(gone, func(g []byte) bool { return bytes.Equal(c, g) })
			})
			if got := salvaged(t, l, a.Num, h.Last); !slices.EqualFunc(got, want, bytes.Equal) {
				t.Fatalf("record %d: %d changes came back, want %d", i, len(got), len(want))
			}
			mustAppend(t, l, name, adding(0, want...))
		}
		l.Close()
		reopen()
		l = openLog(t, s)
		left := asides(t, l)
		if len(left) != len(groups) {
			t.Fatalf("%d set aside, want %d", len(left), len(groups))
		}
		for i, a := range left {
			if a.Name != doc(i+1) || a.Header == nil || a.Header.Last != uint64(len(all)) {
				t.Fatalf("entry %d is %+v", i, a)
			}
			if len(entries(t, s, string(recordPrefix(a.Num)))) != 8 {
				t.Fatal("its records were touched")
			}
			if err := l.DropAside(ctx, a); err != nil {
				t.Fatal(err)
			}
			if n := len(entries(t, s, string(recordPrefix(a.Num)))); n > 0 {
				t.Fatalf("%d records are left of what was dropped", n)
			}
			if _, err := l.Header(ctx, a.Name); err != nil {
				t.Fatalf("the document in its place: %v", err)
			}
		}
		if left := asides(t, l); len(left) > 0 {
			t.Fatalf("still set aside: %v", left)
		}
	})
}

func recordPrefix(num uint64) []byte {
	return fmt.Appendf(nil, "r\x00\x00\x00\x00\x00\x00\x00%c", rune(num))
}

func spoilHeader(t *testing.T, s persist.Store, name persist.Name) {
	t.Helper()
	header := entries(t, s, "d"+string(name.Space[:])+string(name.Doc[:]))[0]
	header.Value[7] ^= 1
	set(t, s, header.Key, header.Value)
}

// TestSetAsideWithoutHeader finds the records of a document whose header does not read.
func TestSetAsideWithoutHeader(t *testing.T) {
	s := memstore.New()
	l := openLog(t, s)
	for i := range 3 {
		mustAppend(t, l, doc(i+1), adding(0, some(3, fmt.Sprint(i))...))
	}
	spoilHeader(t, s, doc(2))
	set(t, s, []byte("n"), nil) // the counter of numbers is lost, too
	l.Close()
	l = openLog(t, s)
	orphans, err := l.Orphans(ctx)
	if err != nil || !slices.Equal(orphans, []uint64{2}) {
		t.Fatalf("Orphans gave %v, %v; want 2", orphans, err)
	}
	a, err := l.SetAside(ctx, doc(2), orphans[0])
	if err != nil || a.Num != 2 || a.Header != nil {
		t.Fatalf("SetAside gave %+v, %v", a, err)
	}
	if got := salvaged(t, l, 2, 0); !slices.EqualFunc(got, some(3, "1"), bytes.Equal) {
		t.Fatalf("salvaged %q", got)
	}
	if orphans, err := l.Orphans(ctx); err != nil || len(orphans) > 0 {
		t.Fatalf("Orphans gave %v, %v", orphans, err)
	}
	mustAppend(t, l, doc(2), adding(0, some(3, "1")...))
	if h, err := l.Header(ctx, doc(2)); err != nil || h.Num <= 3 {
		t.Fatalf("the new document has number %d, %v: what was set aside must keep its own", h.Num, err)
	}

	_, err = l.SetAside(ctx, doc(9), 0)
	if !errors.Is(err, persist.ErrNotFound) {
		t.Fatalf("SetAside of nothing: %v", err)
	}
	spoilHeader(t, s, doc(1))
	l.Close()
	l = openLog(t, s)
	if a, err = l.SetAside(ctx, doc(1), 0); err != nil || a.Num < 4 {
		t.Fatalf("SetAside without records gave %+v, %v; want a number of its own", a, err)
	}
	if all := asides(t, l); len(all) != 2 || all[0].Header != nil || all[1].Header != nil {
		t.Fatalf("set aside: %+v", all)
	}
}

// TestSetAsideFails leaves everything as it was when the disk does not take it.
func TestSetAsideFails(t *testing.T) {
	s := &flaky{Store: memstore.New()}
	l := openLog(t, s)
	mustAppend(t, l, doc(1), adding(0, some(3, "a")...))
	s.arm(failFrom(1), nil)
	if _, err := l.SetAside(ctx, doc(1), 0); !errors.Is(err, errDisk) {
		t.Fatalf("SetAside on a broken disk: %v", err)
	}
	s.arm(nil, nil)
	if _, err := l.Header(ctx, doc(1)); err != nil {
		t.Fatal(err)
	}
	a, err := l.SetAside(ctx, doc(1), 0)
	if err != nil {
		t.Fatal(err)
	}
	if a, err = l.RenameAside(ctx, a, doc(2)); err != nil || a.Name != doc(2) {
		t.Fatalf("RenameAside gave %+v, %v", a, err)
	}
	if all := asides(t, l); len(all) != 1 || all[0].Name != doc(2) || all[0].Header == nil {
		t.Fatalf("renamed: %+v", all)
	}
	if _, err := l.RenameAside(ctx, persist.Aside{Num: 77}, doc(2)); !errors.Is(err, persist.ErrNotFound) {
		t.Fatalf("RenameAside of nothing: %v", err)
	}
	s.arm(failFrom(2), nil)
	if err := l.DropAside(ctx, a); !errors.Is(err, errDisk) {
		t.Fatalf("DropAside on a broken disk: %v", err)
	}
	s.arm(nil, nil)
	l.Close()
	l = openLog(t, s)
	if n := len(entries(t, s, "r")); n > 0 || len(asides(t, l)) > 0 {
		t.Fatalf("%d records are left after the next opening", n)
	}
}

// TestHeaderGoesBad sets a document aside whose header read when the log was opened: its records stay with it.
func TestHeaderGoesBad(t *testing.T) {
	s := memstore.New()
	l := openLog(t, s)
	mustAppend(t, l, doc(1), adding(0, some(3, "a")...))
	mustAppend(t, l, doc(2), adding(0, some(3, "b")...))
	l.Close()
	l = openLog(t, s)
	spoilHeader(t, s, doc(2))
	a, err := l.SetAside(ctx, doc(2), 0)
	if err != nil || a.Num != 2 || a.Header != nil {
		t.Fatalf("SetAside gave %+v, %v", a, err)
	}
	if got := salvaged(t, l, a.Num, 0); !slices.EqualFunc(got, some(3, "b"), bytes.Equal) {
		t.Fatalf("salvaged %q", got)
	}
	l.Close()
}
