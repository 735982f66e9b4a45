package storetest

import (
	"bytes"
	"context"
	"slices"
	"testing"

	"tombolo/persist"
)

func testGet(t *testing.T, s persist.Store) {
	want(t, s, "a")
	want(t, s, "")
	apply(t, s, batch("a", "1", "empty", ""))
	want(t, s, "a", "1")
	want(t, s, "empty", "")
	want(t, s, "aa")
	apply(t, s, batch("a", "2"))
	want(t, s, "a", "2")
	b := &persist.Batch{}
	b.Delete([]byte("a"))
	b.Delete([]byte("never there"))
	apply(t, s, b)
	want(t, s, "a")
	apply(t, s, batch("a", "3"))
	want(t, s, "a", "3")
}

func testOrder(t *testing.T, s persist.Store) {
	apply(t, s, batch("b", "1", "a\xff", "2", "a", "3"))
	apply(t, s, batch("\x00", "4", "a\x00", "5", "\xff\xff", "6", "B", "7"))
	got, err := list(context.Background(), s, "")
	exp := []string{"\x00", "4", "B", "7", "a", "3", "a\x00", "5", "a\xff", "2", "b", "1", "\xff\xff", "6"}
	if err != nil || !slices.Equal(got, exp) {
		t.Fatalf("List gave %q, %v; want %q", got, err, exp)
	}
}

func testPrefix(t *testing.T, s persist.Store) {
	apply(t, s, batch("a", "1", "ab", "2", "abc", "3", "ac", "4", "\xff", "5", "\xff\xff", "6", "\xffa", "7"))
	for prefix, exp := range map[string][]string{
		"ab":           {"ab", "2", "abc", "3"},
		"a":            {"a", "1", "ab", "2", "abc", "3", "ac", "4"},
		"abcd":         nil,
		"A":            nil,
		"\xff":         {"\xff", "5", "\xffa", "7", "\xff\xff", "6"},
		"\xff\xff":     {"\xff\xff", "6"},
		"\xff\xff\xff": nil,
	} {
		if got, err := list(context.Background(), s, prefix); err != nil || !slices.Equal(got, exp) {
			t.Errorf("List(%q) gave %q, %v; want %q", prefix, got, err, exp)
		}
	}
}

// testStop leaves a loop early, and uses a sequence twice.
func testStop(t *testing.T, s persist.Store) {
	apply(t, s, batch("a", "1", "b", "2"))
	seq := s.List(context.Background(), nil)
	for e, err := range seq {
		if err != nil || string(e.Key) != "a" {
			t.Fatalf("first entry: %q, %v", e.Key, err)
		}
		break
	}
	apply(t, s, batch("c", "3"))
	var keys []byte
	for e, err := range seq {
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, e.Key...)
	}
	if string(keys) != "abc" {
		t.Fatalf("the second loop saw %q, want abc", keys)
	}
}

// testSnapshot alters the store under a loop.
func testSnapshot(t *testing.T, s persist.Store) {
	apply(t, s, batch("a", "1", "b", "1", "d", "1"))
	var got []string
	for e, err := range s.List(context.Background(), nil) {
		if err != nil {
			t.Fatal(err)
		}
		if len(got) == 0 {
			b := batch("b", "2", "c", "2")
			b.Delete([]byte("d"))
			apply(t, s, b)
			want(t, s, "b", "2")
		}
		got = append(got, string(e.Key), string(e.Value))
	}
	if exp := []string{"a", "1", "b", "1", "d", "1"}; !slices.Equal(got, exp) {
		t.Fatalf("List gave %q, want %q: it saw a write made after it began", got, exp)
	}
}

// testCopies scribbles over everything that was passed and returned.
func testCopies(t *testing.T, s persist.Store) {
	key, value := []byte("key"), []byte("value")
	b := &persist.Batch{}
	b.Put(key, value)
	copy(key, "xxx")
	copy(value, "xxxxx")
	apply(t, s, b)
	want(t, s, "key", "value")

	got, err := s.Get(context.Background(), []byte("key"))
	if err != nil {
		t.Fatal(err)
	}
	copy(got, "yyyyy")
	want(t, s, "key", "value")

	prefix := []byte("k")
	seq := s.List(context.Background(), prefix)
	prefix[0] = 'z'
	seen := 0
	for e, err := range seq {
		if err != nil {
			t.Fatal(err)
		}
		seen++
		copy(e.Key, "zzz")
		copy(e.Value, "zzzzz")
	}
	if seen != 1 {
		t.Fatalf("List gave %d entries after its prefix was altered by the caller, want 1", seen)
	}
	want(t, s, "key", "value")

	apply(t, s, batch("large", string(bytes.Repeat([]byte("L"), persist.MaxValue))))
	large, err := s.Get(context.Background(), []byte("large"))
	if err != nil || len(large) != persist.MaxValue {
		t.Fatalf("Get gave %d bytes, %v", len(large), err)
	}
	clear(large)
	want(t, s, "large", string(bytes.Repeat([]byte("L"), persist.MaxValue)))
}
