package badgerstore_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"tombolo/persist/badgerstore"
)

// What a damaged store does when it is opened.
const (
	refused  = "refused"  // Open returns a DamagedError that names the file, and changes nothing
	reported = "reported" // it opens, Check says that something is missing, the rest is there
	whole    = "whole"    // it opens with all there was
)

// damage is one way to spoil a file. at is from 0 to 1, a place in it.
type damage struct {
	name string
	do   func(t *testing.T, path string, at float64)
}

var (
	flip = damage{"bit flip", func(t *testing.T, path string, at float64) {
		edit(t, path, func(b []byte) []byte { b[place(b, at)] ^= 4; return b })
	}}
	zero = damage{"zeros", func(t *testing.T, path string, at float64) {
		edit(t, path, func(b []byte) []byte { i := place(b, at); clear(b[i:min(i+4096, len(b))]); return b })
	}}
	blank = damage{"all zeros", func(t *testing.T, path string, _ float64) {
		edit(t, path, func(b []byte) []byte { clear(b); return b })
	}}
	cut = damage{"truncation", func(t *testing.T, path string, at float64) {
		edit(t, path, func(b []byte) []byte { return b[:place(b, at)] })
	}}
	gone = damage{"removal", func(t *testing.T, path string, _ float64) {
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}}
)

// place is an index into what a file holds besides its zeros at the end.
func place(b []byte, at float64) int {
	n := len(bytes.TrimRight(b, "\x00"))
	return min(int(at*float64(n)), max(n-1, 0))
}

func edit(t *testing.T, path string, change func([]byte) []byte) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, change(b), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestDamage damages each kind of file of a store whose process was killed, in
// each way, at several places. Nothing may end the process, and nothing may be
// missing without a word.
func TestDamage(t *testing.T) {
	dir, keys := killed(t, 40)
	for _, row := range []struct {
		file   string
		damage damage
		at     []float64
		want   []string // one of them
	}{
		{"MANIFEST", flip, spread(3), []string{refused}},
		{"MANIFEST", cut, spread(3), []string{refused}},
		{"MANIFEST", zero, spread(2), []string{refused}},
		{"MANIFEST", blank, nil, []string{refused}},
		{"MANIFEST", gone, nil, []string{refused}},

		// The index and what is behind it are a few percent of a table.
		{"*.sst", flip, spread(4), []string{reported}},
		{"*.sst", flip, []float64{0.989, 0.991, 0.993, 0.995, 0.997}, []string{refused, reported, whole}},
		{"*.sst", flip, []float64{1}, []string{refused}},
		{"*.sst", zero, spread(2), []string{reported}},
		{"*.sst", zero, []float64{0.999}, []string{refused}},
		{"*.sst", blank, nil, []string{refused}},
		{"*.sst", cut, spread(3), []string{refused}},
		{"*.sst", gone, nil, []string{refused}},

		{"*.mem", flip, spread(4), []string{reported}},
		{"*.mem", flip, []float64{0}, []string{whole}}, // its header
		{"*.mem", zero, spread(2), []string{reported}},
		{"*.mem", blank, nil, []string{reported}},
		{"*.mem", cut, spread(3), []string{reported}},
		{"*.mem", gone, nil, []string{reported}},

		{"*.vlog", flip, []float64{0}, []string{whole}},
		{"*.vlog", cut, spread(1), []string{whole}},
		{"*.vlog", blank, nil, []string{whole}},
		{"*.vlog", gone, nil, []string{whole}},
		{"KEYREGISTRY", flip, []float64{0.2, 0.8}, []string{whole}},
		{"KEYREGISTRY", cut, spread(1), []string{whole}},
		{"KEYREGISTRY", blank, nil, []string{whole}},
		{"KEYREGISTRY", gone, nil, []string{whole}},
		{"DISCARD", flip, spread(1), []string{whole}},
		{"DISCARD", cut, spread(1), []string{whole}},
		{"DISCARD", gone, nil, []string{whole}},
		{"commits", flip, spread(2), []string{whole}},
		{"commits", cut, spread(1), []string{whole}},
		{"commits", blank, nil, []string{whole}},
		{"commits", gone, nil, []string{whole}},
		{"LOCK", flip, spread(1), []string{whole}},
		{"LOCK", gone, nil, []string{whole}},
	} {
		t.Run(row.file+" "+row.damage.name, func(t *testing.T) {
			t.Parallel()
			if len(row.at) == 0 {
				row.at = []float64{0}
			}
			for _, at := range row.at {
				got := outcome(t, dir, keys, func(copied string) string {
					paths, err := filepath.Glob(filepath.Join(copied, row.file))
					if err != nil || len(paths) == 0 {
						t.Fatalf("no %s: %v", row.file, err)
					}
					path := paths[int(at*float64(len(paths)-1))]
					row.damage.do(t, path, at)
					if row.file == "MANIFEST" {
						return "" // or a table that a torn list still names
					}
					return filepath.Base(path)
				})
				if !slices.Contains(row.want, got) {
					t.Errorf("%s at %.4f: %s, want %s", row.damage.name, at, got, row.want)
				}
			}
		})
	}
}

// spread returns n places over a file, and some more.
func spread(n int, more ...float64) []float64 {
	random := rand.New(rand.NewPCG(uint64(n), 7))
	for i := range n {
		more = append(more, (float64(i)+random.Float64())/float64(n+1))
	}
	return more
}

// TestManifestRolledBack cuts MANIFEST between its records, which leaves one
// that is not torn. It names tables that are gone, or lacks some that are there.
func TestManifestRolledBack(t *testing.T) {
	for name, make := range map[string]func(*testing.T) (string, int){
		"killed": func(t *testing.T) (string, int) { return killed(t, 3) },
		"closed": func(t *testing.T) (string, int) { return closed(t), closedKeys },
	} {
		t.Run(name, func(t *testing.T) {
			dir, keys := make(t)
			b, err := os.ReadFile(filepath.Join(dir, "MANIFEST"))
			if err != nil {
				t.Fatal(err)
			}
			for end := 8; end < len(b); end += 8 + int(binary.BigEndian.Uint32(b[end:])) {
				got := outcome(t, dir, keys, func(copied string) string {
					edit(t, filepath.Join(copied, "MANIFEST"), func(b []byte) []byte { return b[:end] })
					return "" // it names the list, or a table that is on the list and gone
				})
				if got != refused {
					t.Errorf("MANIFEST cut at %d of %d: %s", end, len(b), got)
				}
			}
		})
	}
}

// TestOlderLog spoils the older of two write-ahead logs. The newer one has the
// last commit, so that only the numbers in between tell.
func TestOlderLog(t *testing.T) {
	dir, keys := killed(t, 40)
	logs, _ := filepath.Glob(filepath.Join(dir, "*.mem"))
	if len(logs) != 1 {
		t.Fatalf("%d logs, want 1", len(logs))
	}
	older := filepath.Base(logs[0])
	var number int
	if _, err := fmt.Sscanf(older, "%d.mem", &number); err != nil {
		t.Fatal(err)
	}
	edit(t, logs[0], func(b []byte) []byte {
		half := endOfTransaction(t, b, len(bytes.TrimRight(b, "\x00"))/2)
		newer := slices.Concat(b[:20], b[half:])
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%05d.mem", number+1)), newer, 0o600); err != nil {
			t.Fatal(err)
		}
		return b[:half]
	})
	for _, row := range []struct {
		damage damage
		want   string
	}{
		{damage{"none", func(*testing.T, string, float64) {}}, whole},
		{flip, reported},
		{zero, reported},
		{blank, reported},
		{cut, reported},
		{gone, reported},
	} {
		t.Run(row.damage.name, func(t *testing.T) {
			got := outcome(t, dir, keys, func(copied string) string {
				row.damage.do(t, filepath.Join(copied, older), 0.6)
				return older
			})
			if got != row.want {
				t.Errorf("%s, want %s", got, row.want)
			}
		})
	}
}

// endOfTransaction returns the first end of a transaction behind from.
func endOfTransaction(t *testing.T, log []byte, from int) int {
	i := from + bytes.Index(log[from:], []byte("!badger!txn"))
	for end := i; end < i+64; end++ { // key, version, the number in digits, then the CRC of it all
		if crc := crc32.Checksum(log[i-5:end], crc32.MakeTable(crc32.Castagnoli)); crc == binary.BigEndian.Uint32(log[end:]) {
			return end + 4
		}
	}
	t.Fatal("no end of a transaction found")
	return 0
}

// TestTornWrite leaves a part of the next transaction behind the last one, as a
// crash does. That is no damage.
func TestTornWrite(t *testing.T) {
	dir, keys := killed(t, 12)
	next, _ := killed(t, 13)
	logs, _ := filepath.Glob(filepath.Join(dir, "*.mem"))
	more, err := os.ReadFile(filepath.Join(next, filepath.Base(logs[0])))
	if err != nil {
		t.Fatal(err)
	}
	end := len(bytes.TrimRight(more, "\x00"))
	for _, torn := range []int{1, 5, 40, 300} {
		got := outcome(t, dir, keys, func(copied string) string {
			edit(t, filepath.Join(copied, filepath.Base(logs[0])), func(b []byte) []byte {
				copy(b, more[:end-torn])
				return b
			})
			return ""
		})
		if got != whole {
			t.Errorf("a log that lacks the last %d bytes of what nobody was told: %s", torn, got)
		}
	}
}

// outcome damages a copy of the store in dir, which has keys, opens it and says what came of
// it. What it gives once, it gives for good: also after its tables were merged.
func outcome(t *testing.T, dir string, keys int, spoil func(copied string) (file string)) string {
	t.Helper()
	ctx := context.Background()
	copied := t.TempDir()
	copyStore(t, dir, copied)
	file := spoil(copied)
	sum := fingerprint(t, copied)
	s, err := badgerstore.Open(copied, nil)
	if err != nil {
		e, ok := errors.AsType[*badgerstore.DamagedError](err)
		if !ok || file != "" && e.File != file || !strings.Contains(err.Error(), file) {
			t.Errorf("Open: %v, want a DamagedError that names %s", err, file)
		}
		if fingerprint(t, copied) != sum {
			t.Errorf("the refusal changed the directory")
		}
		return refused
	}
	defer s.Close()
	right, wrong := keysIn(t, s)
	if wrong > 0 {
		t.Errorf("%d wrong values", wrong)
	}
	lost := s.Check(ctx)
	if missing := keys - len(right); missing > 0 && lost == nil {
		t.Errorf("%d keys are missing, and nothing is said", missing)
	} else if missing == 0 && lost != nil {
		t.Errorf("nothing is missing, but: %v", lost)
	}
	if lost != nil && !strings.Contains(lost.Error(), copied) {
		t.Errorf("the report does not say where: %v", lost)
	}

	fill(t, s, 1000, 3)
	if err := s.Compact(ctx, nil); err != nil {
		t.Errorf("Compact: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
	s, err = badgerstore.Open(copied, nil)
	if err != nil {
		t.Fatalf("the next opening: %v", err)
	}
	defer s.Close()
	if err := s.Check(ctx); err != nil {
		t.Errorf("the next opening finds something new: %v", err)
	}
	again, wrong := keysIn(t, s)
	if wrong > 0 || len(again) != len(right)+3*perBatch {
		t.Errorf("after merging %d keys and %d wrong ones, want %d", len(again), wrong, len(right)+3*perBatch)
	}
	if lost != nil {
		return reported
	}
	return whole
}

// TestDamageTogether damages several files at random places. DAMAGES=200 does
// it more often. The file with the number of commits stays out of it: when that
// is gone together with the end of a log, nothing is left that could tell.
func TestDamageTogether(t *testing.T) {
	rounds := 4
	if n, err := strconv.Atoi(os.Getenv("DAMAGES")); err == nil {
		rounds = n
	}
	dir, keys := killed(t, 25)
	for seed := range uint64(rounds) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 11))
			outcome(t, dir, keys, func(copied string) string {
				for range 1 + random.IntN(4) {
					entries, err := os.ReadDir(copied)
					if err != nil {
						t.Fatal(err)
					}
					path := filepath.Join(copied, entries[random.IntN(len(entries))].Name())
					if filepath.Base(path) == "commits" {
						continue
					}
					kind := []damage{flip, flip, zero, cut, blank, gone}[random.IntN(6)]
					if info, err := os.Stat(path); err != nil || info.Size() == 0 && kind.name != gone.name {
						continue // emptied by the one before
					}
					kind.do(t, path, random.Float64())
				}
				return ""
			})
		})
	}
}
