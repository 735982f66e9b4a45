package backup_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"io"
	"iter"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"tombolo/persist"
	"tombolo/persist/backup"
	"tombolo/persist/memstore"
)

var record = flag.String("record-backup", "", "record a backup as testdata/`NAME`.backup, for this and all later versions to read")

func TestMain(m *testing.M) {
	flag.Parse()
	if *record == "" {
		backup.CheapPassphrases()
	}
	goleak.VerifyTestMain(m)
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// filled is a store with the given entries.
func filled(t testing.TB, entries map[string]string) persist.Store {
	t.Helper()
	s := memstore.New()
	for k, v := range entries {
		b := &persist.Batch{}
		b.Put([]byte(k), []byte(v))
		must(t, s.Apply(t.Context(), b))
	}
	return s
}

// header and change are keys as a log has them.
func header(doc byte) string { return string(persist.HeaderKey(persist.Name{Doc: [16]byte{doc}})) }

func change(num, seq uint64) string {
	k := binary.BigEndian.AppendUint64([]byte{'r'}, num)
	return string(append(binary.BigEndian.AppendUint64(k, seq), 0, 0))
}

var sample = map[string]string{
	"f": "\x09\x01", "n": "next",
	header(1): "one", header(2): "two",
	change(1, 1): "first", change(1, 2): "second", change(2, 1): strings.Repeat("third ", 1000),
	"xhome": "h", "xinvite/a": "secret", "xname": "",
}

var sampleHead = backup.Head{
	Created: time.Unix(1_795_000_000, 0), Peer: "12D3KooWTest", Name: "laptop", Documents: 2, Identity: []byte("key"),
}

// archive is what Write makes of a store.
func archive(t testing.TB, entries map[string]string, opts *backup.Options) []byte {
	t.Helper()
	var b bytes.Buffer
	_, err := backup.Write(t.Context(), &b, filled(t, entries), sampleHead, opts)
	must(t, err)
	return b.Bytes()
}

// read reads an archive to its end.
func read(ctx context.Context, r io.Reader) (backup.Head, backup.Summary, map[string]string, error) {
	a, err := backup.NewReader(r)
	if err != nil {
		return backup.Head{}, backup.Summary{}, nil, err
	}
	defer a.Close()
	got := map[string]string{}
	for e, err := range a.Entries(ctx) {
		if err != nil {
			return backup.Head{}, backup.Summary{}, nil, err
		}
		got[string(e.Key)] = string(e.Value)
	}
	return a.Head(), a.Summary(), got, nil
}

func TestRoundTrip(t *testing.T) {
	in := maps.Clone(sample)
	in["c"+strings.Repeat("\x01", 11)] = "a cache"
	in["g"+strings.Repeat("\x01", 8)] = "garbage"
	var told []uint64
	b := archive(t, in, &backup.Options{
		Leave:    func(setting []byte) bool { return string(setting) == "invite/a" },
		Progress: func(n uint64) { told = append(told, n) },
	})
	head, sum, got, err := read(t.Context(), bytes.NewReader(b))
	must(t, err)
	want := maps.Clone(sample)
	delete(want, "xinvite/a")
	if !maps.Equal(got, want) {
		t.Errorf("read %q, want %q", got, want)
	}
	if fmt.Sprint(head) != fmt.Sprint(sampleHead) {
		t.Errorf("the head is %v, want %v", head, sampleHead)
	}
	if sum.Documents != 2 || sum.Entries != uint64(len(want)) || sum.Damaged != 0 || sum.Bytes < 6000 {
		t.Errorf("it counts %+v", sum)
	}
	if !slices.Equal(told, []uint64{1, 2}) {
		t.Errorf("progress was %v", told)
	}
	if len(b) > 1000 {
		t.Errorf("it takes %d bytes: is it compressed?", len(b))
	}
}

func TestSealed(t *testing.T) {
	plain := archive(t, sample, nil)
	pass, other := backup.Key{Passphrase: []byte("correct horse")}, backup.Key{Passphrase: []byte("battery staple")}
	asked := backup.Key{Recipients: []string{recipient}}
	holder := backup.Key{Identities: []string{"# created: today\n" + identity}}
	for name, c := range map[string]struct{ to, from, wrong backup.Key }{
		"passphrase": {pass, pass, other},
		"recipient":  {asked, holder, pass},
	} {
		t.Run(name, func(t *testing.T) {
			b := seal(t, plain, c.to)
			for _, secret := range []string{"second", "third", "laptop", "home", "12D3Koo", "\x28\xb5\x2f\xfd"} {
				if bytes.Contains(b, []byte(secret)) {
					t.Errorf("%q is in the sealed file", secret)
				}
			}
			r, err := backup.Unseal(bytes.NewReader(b), c.from)
			must(t, err)
			if _, _, got, err := read(t.Context(), r); err != nil || !maps.Equal(got, sample) {
				t.Errorf("it reads %q, %v", got, err)
			}
			if _, err := backup.Unseal(bytes.NewReader(b), c.wrong); !errors.Is(err, backup.ErrKey) {
				t.Errorf("another key gives %v", err)
			}
		})
	}
	if got := fmt.Sprintf("%v %+v %#v", pass, pass, pass); strings.Contains(got, "horse") || strings.Contains(got, "99") {
		t.Errorf("a key prints as %s", got)
	}
	if got := pass.LogValue().String(); got != "[hidden]" {
		t.Errorf("a key is logged as %s", got)
	}
}

func seal(t testing.TB, plain []byte, k backup.Key) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := backup.Seal(&b, k)
	must(t, err)
	_, err = w.Write(plain)
	must(t, errors.Join(err, w.Close()))
	return b.Bytes()
}

// A key made for these tests.
const (
	recipient = "age1fh9s0l3pg2v9md5q02hx5als6qry97lqmyy833zt54d3q40c85wqwj7xmr"
	identity  = "AGE-SECRET-KEY-1G56A6X9KP8X9F0PVY7FALXE7UNJ8VL7J3MGQ2WU60SRJS7HV4V2S3AU730"
)

func TestKeysRefused(t *testing.T) {
	for name, k := range map[string]backup.Key{
		"nothing":          {},
		"weak":             {Passphrase: []byte("1234567")},
		"both":             {Passphrase: []byte("correct horse"), Recipients: []string{recipient}},
		"not a recipient":  {Recipients: []string{"age1nonsense"}},
		"only an identity": {Identities: []string{identity}},
	} {
		if _, err := backup.Seal(io.Discard, k); err == nil {
			t.Errorf("%s: it seals", name)
		}
	}
	for name, k := range map[string]backup.Key{"nothing": {}, "a recipient": {Recipients: []string{recipient}}, "nonsense": {Identities: []string{"hunter2"}}} {
		_, err := backup.Unseal(strings.NewReader("age-encryption.org/v1\n"), k)
		if err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: opening gives %v", name, err)
		}
	}
}

// TestEveryByteCounts flips each byte of a sealed file, and of a plain one, and cuts it off everywhere.
func TestEveryByteCounts(t *testing.T) {
	plain := archive(t, sample, nil)
	key := backup.Key{Identities: []string{identity}}
	for name, c := range map[string]struct {
		file []byte
		open func(io.Reader) (io.Reader, error)
	}{
		"sealed": {seal(t, plain, backup.Key{Recipients: []string{recipient}}), func(r io.Reader) (io.Reader, error) { return backup.Unseal(r, key) }},
		"plain":  {plain, func(r io.Reader) (io.Reader, error) { return r, nil }},
	} {
		t.Run(name, func(t *testing.T) {
			try := func(b []byte) (map[string]string, error) {
				r, err := c.open(bytes.NewReader(b))
				if err != nil {
					return nil, err
				}
				_, _, got, err := read(t.Context(), r)
				return got, err
			}
			_, err := try(c.file)
			must(t, err)
			for i := range c.file {
				for _, mask := range []byte{1, 0x80} {
					b := bytes.Clone(c.file)
					b[i] ^= mask
					got, err := try(b)
					if err == nil && (name == "sealed" || !maps.Equal(got, sample)) {
						t.Fatalf("byte %d flipped (%#x): nobody notices", i, mask)
					}
					if err != nil {
						known(t, err)
					}
				}
				if _, err := try(c.file[:i]); err == nil {
					t.Fatalf("cut off after %d bytes: nobody notices", i)
				} else {
					known(t, err)
				}
			}
			if _, err := try(append(bytes.Clone(c.file), 0)); err == nil {
				t.Error("a byte more: nobody notices")
			}
		})
	}
}

// known checks that an error says what is wrong with an archive.
func known(t *testing.T, err error) {
	t.Helper()
	_, damaged := errors.AsType[*backup.DamagedError](err)
	_, newer := errors.AsType[*persist.TooNewError](err)
	if !damaged && !newer && !errors.Is(err, backup.ErrKey) && !errors.Is(err, backup.ErrNotBackup) {
		t.Fatalf("an error that says nothing: %v", err)
	}
}

// TestHostile reads archives that are well sealed and wrong inside.
func TestHostile(t *testing.T) {
	whole := inflate(t, archive(t, map[string]string{"f": "1"}, nil))
	head := whole[:bytes.LastIndex(whole, []byte("\x02\x01f\x011"))]
	for name, c := range map[string]struct{ raw, want string }{
		"another file":    {"hello\n", "no backup"},
		"empty":           {"", "cut off"},
		"a long line":     {strings.Repeat("x", 100), "no backup"},
		"no number":       {"tombolo backup x\n", "no backup"},
		"a later format":  {"tombolo backup 2\n\x01\x00", "newer than this program knows (1)"},
		"no head":         {"tombolo backup 1\n\x02\x00", "a record of kind 2"},
		"a huge head":     {"tombolo backup 1\n\x01\xff\xff\xff\x7f", "the limit is"},
		"a bad head":      {"tombolo backup 1\n\x01\x01\xff", "damaged"},
		"no tail":         {string(head), "cut off"},
		"unknown record":  {string(head) + "\x09", "a record of kind 9"},
		"a huge key":      {string(head) + "\x02\xff\xff\xff\xff\x0f", "the limit is 512"},
		"a huge value":    {string(head) + "\x02\x01k\xff\xff\xff\xff\x0f", "the limit is 262144"},
		"an endless size": {string(head) + "\x02" + strings.Repeat("\xff", 20), "overflow"},
		"one entry twice": {strings.Replace(string(whole), "\x02\x01f\x011", "\x02\x01f\x011\x02\x01f\x011", 1), "it has 2 entries, and its end says 1"},
		"another value":   {strings.Replace(string(whole), "\x02\x01f\x011", "\x02\x01f\x012", 1), "its SHA-256 is another"},
		"more behind":     {string(whole) + "x", "behind its end"},
	} {
		_, _, _, err := read(t.Context(), bytes.NewReader(deflate(t, []byte(c.raw))))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
}

func inflate(t testing.TB, b []byte) []byte {
	t.Helper()
	z, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1))
	must(t, err)
	defer z.Close()
	out, err := z.DecodeAll(b, nil)
	must(t, err)
	return out
}

func deflate(t testing.TB, b []byte) []byte {
	t.Helper()
	z, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1))
	must(t, err)
	defer z.Close()
	return z.EncodeAll(b, nil)
}

// TestOneMoment edits the store while it is written.
func TestOneMoment(t *testing.T) {
	s := filled(t, sample)
	edited := false
	var b bytes.Buffer
	_, err := backup.Write(t.Context(), &b, s, sampleHead, &backup.Options{Progress: func(uint64) {
		if !edited {
			edited = true
			w := &persist.Batch{}
			w.Put([]byte("xhome"), []byte("another"))
			w.Delete([]byte(change(2, 1)))
			must(t, s.Apply(t.Context(), w))
		}
	}})
	must(t, err)
	if _, _, got, err := read(t.Context(), &b); err != nil || !maps.Equal(got, sample) || !edited {
		t.Errorf("it reads %q, %v", got, err)
	}
}

// altered is a store that finds some of its entries altered.
type altered struct{ persist.Store }

func (a altered) List(ctx context.Context, prefix []byte) iter.Seq2[persist.Entry, error] {
	return func(yield func(persist.Entry, error) bool) {
		for e, err := range a.Store.List(ctx, prefix) {
			if string(e.Key) == change(1, 2) {
				e.Value, e.Err = nil, persist.ErrAltered
			}
			if string(e.Key) == "xname" {
				e = persist.Entry{Err: persist.ErrAltered}
			}
			if !yield(e, err) {
				return
			}
		}
	}
}

func TestDamagedEntriesStayOut(t *testing.T) {
	var b bytes.Buffer
	sum, err := backup.Write(t.Context(), &b, altered{filled(t, sample)}, sampleHead, nil)
	must(t, err)
	if sum.Damaged != 2 {
		t.Errorf("it counts %+v, want 2 damaged", sum)
	}
	_, again, got, err := read(t.Context(), &b)
	must(t, err)
	if again != sum || len(got) != len(sample)-2 {
		t.Errorf("it reads %+v with %d entries, want %+v", again, len(got), sum)
	}
}

var errDisk = errors.New("the disk is full")

type fullDisk struct{ left int }

func (d *fullDisk) Write(b []byte) (int, error) {
	if d.left -= len(b); d.left < 0 {
		return 0, errDisk
	}
	return len(b), nil
}

func TestWriteFails(t *testing.T) {
	whole := archive(t, sample, nil)
	for _, room := range []int{0, 1, len(whole) - 1} {
		if _, err := backup.Write(t.Context(), &fullDisk{room}, filled(t, sample), sampleHead, nil); !errors.Is(err, errDisk) {
			t.Errorf("%d bytes of room: %v", room, err)
		}
	}
	closed := filled(t, sample)
	must(t, closed.Close())
	if _, err := backup.Write(t.Context(), io.Discard, closed, sampleHead, nil); !errors.Is(err, persist.ErrClosed) {
		t.Errorf("a closed store: %v", err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := backup.Write(ended, io.Discard, filled(t, sample), sampleHead, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("an ended context: %v", err)
	}
	if _, _, _, err := read(ended, bytes.NewReader(whole)); !errors.Is(err, context.Canceled) {
		t.Errorf("reading with an ended context: %v", err)
	}
	long := sampleHead
	long.Name = strings.Repeat("x", 1<<17)
	if _, err := backup.Write(t.Context(), io.Discard, filled(t, sample), long, nil); !errors.Is(err, persist.ErrTooLarge) {
		t.Errorf("a huge name: %v", err)
	}
}

// TestReadFails has the disk fail: the archive may be whole, and nothing says otherwise.
func TestReadFails(t *testing.T) {
	b := seal(t, archive(t, sample, nil), backup.Key{Recipients: []string{recipient}})
	broken := &os.PathError{Op: "read", Path: "usb", Err: errDisk}
	for _, n := range []int{3, 40, len(b) - 20} {
		r, err := backup.Unseal(io.MultiReader(bytes.NewReader(b[:n]), failing{broken}), backup.Key{Identities: []string{identity}})
		if err == nil {
			_, _, _, err = read(t.Context(), r)
		}
		if _, damaged := errors.AsType[*backup.DamagedError](err); damaged || !errors.Is(err, errDisk) {
			t.Errorf("failing after %d bytes: %v", n, err)
		}
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// TestAnyStore writes stores of any content and reads them back.
func TestAnyStore(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		in := map[string]string{}
		for range rapid.IntRange(0, 40).Draw(r, "entries") {
			key := rapid.SliceOfN(rapid.Byte(), 1, 40).Draw(r, "key")
			if key[0] == '!' {
				key[0] = 'x'
			}
			in[string(key)] = string(rapid.SliceOfN(rapid.Byte(), 0, 100).Draw(r, "value"))
		}
		_, _, got, err := read(t.Context(), bytes.NewReader(archive(t, in, nil)))
		if err != nil {
			r.Fatal(err)
		}
		maps.DeleteFunc(in, func(k, _ string) bool { return !persist.Portable([]byte(k)) })
		if !maps.Equal(got, in) {
			r.Fatalf("read %q, want %q", got, in)
		}
	})
}

// TestBackupsOfBefore reads the backups that releases have written. One is recorded for each change of the format:
//
//	go test -run TestBackupsOfBefore -record-backup 2026-11-format-1 ./persist/backup
func TestBackupsOfBefore(t *testing.T) {
	key := backup.Key{Passphrase: []byte("recorded for ever")}
	if *record != "" {
		f, err := os.OpenFile(filepath.Join("testdata", *record+".backup"), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644) // never changes
		must(t, err)
		_, err = f.Write(seal(t, archive(t, sample, nil), key))
		must(t, errors.Join(err, f.Close()))
	}
	names, err := filepath.Glob("testdata/*.backup")
	must(t, err)
	if len(names) == 0 {
		t.Fatal("no backup is recorded in testdata")
	}
	for _, name := range names {
		f, err := os.Open(name)
		must(t, err)
		defer f.Close()
		plain, err := backup.Unseal(f, key)
		must(t, err)
		head, _, got, err := read(t.Context(), plain)
		must(t, err)
		if !maps.Equal(got, sample) || fmt.Sprint(head) != fmt.Sprint(sampleHead) {
			t.Errorf("%s reads as %v, %q", name, head, got)
		}
	}
}

func FuzzRead(f *testing.F) {
	whole := inflate(f, archive(f, sample, nil))
	f.Add(whole)
	f.Add(whole[:len(whole)/2])
	f.Add([]byte("tombolo backup 1\n\x01\x00\x02\x01k\x01v"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		a, err := backup.NewPlainReader(bytes.NewReader(raw))
		if err != nil {
			known(t, err)
			return
		}
		for e, err := range a.Entries(t.Context()) {
			if err != nil {
				known(t, err)
			} else if len(e.Key) > persist.MaxKey || len(e.Value) > persist.MaxValue {
				t.Fatalf("an entry of %d and %d bytes", len(e.Key), len(e.Value))
			}
		}
	})
}

func BenchmarkWrite(b *testing.B) {
	entries := map[string]string{}
	for i := range uint64(10_000) {
		entries[change(i/10, i%10)] = fmt.Sprintf("change %d of a document, about as long as one is, %x", i, i*i*i)
	}
	s := filled(b, entries)
	for b.Loop() {
		if _, err := backup.Write(b.Context(), io.Discard, s, sampleHead, nil); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkRead(b *testing.B) {
	entries := map[string]string{}
	for i := range uint64(10_000) {
		entries[change(i/10, i%10)] = fmt.Sprintf("change %d of a document, about as long as one is, %x", i, i*i*i)
	}
	a := archive(b, entries, nil)
	for b.Loop() {
		if _, _, _, err := read(b.Context(), bytes.NewReader(a)); err != nil {
			b.Fatal(err)
		}
	}
}
