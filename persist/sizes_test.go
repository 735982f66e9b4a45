package persist_test

import (
	"fmt"
	"testing"

	"tombolo/persist"
	"tombolo/persist/memstore"
)

// TestSizes has one document of each kind and compares the sum with what lies in the store.
func TestSizes(t *testing.T) {
	s := memstore.New()
	l := openLog(t, s)
	mustAppend(t, l, doc(1), adding(0, some(100, "packed")...))
	if err := l.Pack(ctx, doc(1)); err != nil {
		t.Fatal(err)
	}
	mustAppend(t, l, doc(1), adding(100, large(600<<10))) // in three parts
	mustAppend(t, l, doc(2), adding(0, some(3, "loose")...))
	mustAppend(t, l, doc(3), adding(0, some(3, "aside")...))
	mustAppend(t, l, doc(4), adding(0, some(3, "lost")...))
	if err := l.PutCache(ctx, doc(2), 1, 3, large(500<<10)); err != nil {
		t.Fatal(err)
	}
	if err := l.PutCache(ctx, doc(4), 1, 3, []byte("derived")); err != nil {
		t.Fatal(err)
	}
	if err := l.Settings().Put(ctx, []byte("k"), []byte("v")); err != nil {
		t.Fatal(err)
	}
	if _, err := l.SetAside(ctx, doc(3), 0); err != nil {
		t.Fatal(err)
	}
	l.Close()
	for _, e := range entries(t, s, "d") {
		if e.Key[24] == 4 {
			set(t, s, e.Key, []byte("no header"))
		}
	}

	l = openLog(t, s)
	told := ""
	got, err := l.Sizes(ctx, func(done, total uint64) { told += fmt.Sprint(done, "/", total, " ") })
	if err != nil {
		t.Fatal(err)
	}
	if told != "1/2 2/2 " {
		t.Errorf("progress: %s", told)
	}
	one, two, lost := got.Docs[doc(1)], got.Docs[doc(2)], got.Docs[doc(4)]
	if one.Packed == 0 || one.Packed > 6<<10 || one.Loose < 600<<10 || one.Caches != 0 || one.Header == 0 {
		t.Errorf("the packed document has %+v", one)
	}
	if two.Packed != 0 || two.Loose == 0 || two.Loose > 1<<10 || two.Caches < 500<<10 {
		t.Errorf("the loose document has %+v", two)
	}
	if len(got.Docs) != 3 || lost.Header == 0 || lost.Loose != 0 || got.Orphans == 0 || got.Aside == 0 || got.Rest == 0 {
		t.Errorf("%+v", got)
	}
	all := got.Aside + got.Orphans + got.Rest + one.Sum() + two.Sum() + lost.Sum()
	var want uint64
	for _, e := range entries(t, s, "") {
		want += uint64(len(e.Key) + len(e.Value))
	}
	if all != want {
		t.Errorf("%d bytes are accounted for, of %d", all, want)
	}

	s.Close()
	_, err = l.Sizes(ctx, nil)
	wantErr(t, err, persist.ErrClosed)
}

func TestDropCaches(t *testing.T) {
	s := &flaky{Store: memstore.New()}
	l := openLog(t, s)
	put := func(n int, kind byte, at uint64, data []byte) {
		t.Helper()
		if err := l.PutCache(ctx, doc(n), kind, at, data); err != nil {
			t.Fatal(err)
		}
	}
	for n := range 3 {
		mustAppend(t, l, doc(n+1), adding(0, some(3, "a")...))
	}
	put(1, 1, 3, []byte("an old kind"))
	put(1, 2, 2, large(500<<10)) // two changes of three
	put(2, 2, 3, large(500<<10))
	put(2, 3, 3, []byte("torn"))
	put(3, 2, 1, []byte("of a document that was set aside"))
	for _, e := range entries(t, s, "c") {
		if e.Key[9] == 3 {
			set(t, s, e.Key, e.Value[:3])
		}
	}
	if _, err := l.SetAside(ctx, doc(3), 0); err != nil {
		t.Fatal(err)
	}
	stale := func(_ persist.Name, kind byte, at, last uint64) bool { return kind == 1 || at < last }

	s.arm(failFrom(1), nil)
	_, err := l.DropCaches(ctx, stale)
	wantErr(t, err, errDisk)
	s.arm(nil, nil)
	before := len(entries(t, s, "c"))
	dropped, err := l.DropCaches(ctx, stale)
	if err != nil || dropped < 500<<10 || dropped > 501<<10 {
		t.Fatalf("%d bytes dropped, %v", dropped, err)
	}
	if after := len(entries(t, s, "c")); before != 9 || after != 4 {
		t.Fatalf("%d parts of caches before, %d after", before, after)
	}
	if _, _, err := l.Cache(ctx, doc(2), 2); err != nil {
		t.Fatal(err)
	}
	if dropped, err = l.DropCaches(ctx, stale); err != nil || dropped != 0 {
		t.Fatalf("the second time %d bytes dropped, %v", dropped, err)
	}
}
