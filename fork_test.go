package tombolo_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"tombolo"
	"tombolo/doc"
	"tombolo/persist"
	"tombolo/persist/badgerstore"
)

// everyFile is what a directory holds, its lock included.
func everyFile(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := files(t, dir)
	b, err := os.ReadFile(filepath.Join(dir, "lock"))
	must(t, err)
	out["lock"] = string(b)
	return out
}

func sameFiles(t *testing.T, before, after map[string]string) {
	t.Helper()
	for path, b := range before {
		if after[path] != b {
			t.Errorf("%s is not what it was", path)
		}
	}
	if len(after) != len(before) {
		t.Errorf("there were %d files, and are %d", len(before), len(after))
	}
}

// fork makes a fork in a directory of its own.
func fork(t *testing.T, from string, opts tombolo.ForkOptions) (string, tombolo.Forked) {
	t.Helper()
	to := filepath.Join(t.TempDir(), "fork")
	f, err := tombolo.Fork(t.Context(), from, to, opts)
	must(t, err)
	if left, err := filepath.Glob(to + ".*"); err != nil || len(left) > 0 {
		t.Errorf("%v is left, %v", left, err)
	}
	return to, f
}

func TestForkHasEverythingAndChangesNothing(t *testing.T) {
	dir := t.TempDir()
	e, urls := device(t, dir, tombolo.Options{Name: "old"})
	had, self, home := contents(t, e), e.Self(), e.Home().ID()
	must(t, e.Close())
	before := everyFile(t, dir)
	var told []string
	to, f := fork(t, dir, tombolo.ForkOptions{
		Device: &tombolo.Options{Name: "trial"},
		Check: func(ctx context.Context, h *tombolo.Handle) error {
			if h.URL().Doc == urls[1].Doc {
				return errors.New("not to my liking")
			}
			return h.Change(ctx, "", put("/checked", true))
		},
		Progress: func(doing string, done, total uint64) {
			if doing == "check" {
				told = append(told, fmt.Sprint(done, "/", total))
			} else if doing != "copy" || done > total {
				t.Errorf("progress: %s %d of %d", doing, done, total)
			}
		},
	})
	sameFiles(t, before, everyFile(t, dir))
	if f.Dir != to || f.DryRun || len(f.LeftOut) > 0 || f.Device.Name != "trial" || f.Device.Peer == self.Peer || strings.Join(told, " ") != "1/3 2/3 3/3" {
		t.Errorf("the fork is %+v, progress %v", f, told)
	}
	n := open(t, to, tombolo.Options{Offline: true})
	if n.Self() != f.Device || len(n.Spaces()) != 1 || n.Home().ID() == home || n.Home().Role() != "owner" {
		t.Errorf("it is %+v in %v", n.Self(), n.Spaces())
	}
	ids := []doc.ID{}
	for _, d := range f.Documents {
		u, err := doc.ParseURL(d.URL)
		must(t, err)
		ids = append(ids, u.Doc)
		if u.Space != n.Home().ID() || d.State != tombolo.StateReady || (d.Error != "") != (u.Doc == urls[1].Doc) {
			t.Errorf("the report says %+v", d)
		}
		if u.Doc == urls[0].Doc && d.Name != "secretnamed" {
			t.Errorf("the report says %+v", d)
		}
	}
	if !slices.IsSortedFunc(ids, func(a, b doc.ID) int { return slices.Compare(a[:], b[:]) }) || len(ids) != 3 {
		t.Errorf("the report has %v", ids)
	}
	if got := contents(t, n); got[urls[1].Doc] != had[urls[1].Doc] || len(got) != 3 {
		t.Error("it has other documents")
	}
	h, err := n.Home().Open(t.Context(), "secretnamed")
	must(t, err)
	defer h.Close()
	if got := text(t, h); got != `{"checked":true,"last":true,"n":299}` {
		t.Errorf("the checked document is %s", got)
	}
}

func TestForkDryRun(t *testing.T) {
	dir := t.TempDir()
	e, _ := device(t, dir, tombolo.Options{})
	must(t, e.Close())
	before := everyFile(t, dir)
	beside := t.TempDir()
	f, err := tombolo.Fork(t.Context(), dir, filepath.Join(beside, "x"), tombolo.ForkOptions{
		DryRun: true,
		Check:  func(_ context.Context, h *tombolo.Handle) error { panic("oh") },
	})
	must(t, err)
	if !f.DryRun || len(f.Documents) != 3 || !strings.Contains(f.Documents[0].Error, "the check panicked: oh") {
		t.Errorf("%+v", f)
	}
	if left, err := os.ReadDir(beside); err != nil || len(left) > 0 {
		t.Errorf("%v is left, %v", left, err)
	}
	sameFiles(t, before, everyFile(t, dir))
}

// A fork of a device in two spaces has all documents in one. Of two with one ID the home's stays.
func TestForkGathersSpaces(t *testing.T) {
	desk := open(t, t.TempDir(), tombolo.Options{Name: "desk"})
	dir := t.TempDir()
	laptop := open(t, dir, tombolo.Options{Name: "laptop"})
	pair(t, desk, laptop, false)
	theirs, err := desk.Home().Create(t.Context(), map[string]any{"theirs": 1})
	must(t, err)
	defer theirs.Close()
	both := map[*tombolo.Engine]*tombolo.Handle{}
	for _, e := range []*tombolo.Engine{desk, laptop} {
		h, err := e.Home().Open(t.Context(), "both")
		must(t, err)
		defer h.Close()
		set(t, h, "/by", e.Self().Name)
		both[e] = h
	}
	arrives(t, laptop, theirs.URL())
	reads(t, arrives(t, laptop, both[desk].URL()), `{"by":"desk"}`)
	for _, s := range []*tombolo.Space{laptop.Home(), desk.Home()} { // one that was purged at home, one elsewhere
		h, err := s.Create(t.Context(), nil)
		must(t, err)
		u := h.URL()
		arrives(t, laptop, u)
		must(t, errors.Join(h.Delete(t.Context()), h.Close()))
		becomes(t, laptop, u, true)
	}
	must(t, laptop.Close())
	to, f := fork(t, dir, tombolo.ForkOptions{})
	if len(f.LeftOut) != 1 || f.LeftOut[0] != both[desk].URL().String() || f.LeftOut[0] == both[laptop].URL().String() {
		t.Errorf("left out: %v", f.LeftOut)
	}
	n := open(t, to, tombolo.Options{Offline: true})
	got := contents(t, n)
	if len(got) != 2 || !strings.HasPrefix(got[theirs.URL().Doc], `{"theirs":1}`) || !strings.HasPrefix(got[both[laptop].URL().Doc], `{"by":"laptop"}`) {
		t.Errorf("it has %v", got)
	}
	st, err := n.Status(t.Context())
	must(t, err)
	if len(st.Documents) != 4 || len(st.Spaces) != 1 || len(st.Peers) != 0 || n.Home().ID() == desk.Home().ID() {
		t.Errorf("its status: %+v", st)
	}
	must(t, n.Close())
	settings := settingsOf(t, to)
	for _, prefix := range []string{"ack/", "addrs/", "invite/", "renewal"} {
		if slices.ContainsFunc(settings, func(k string) bool { return strings.HasPrefix(k, prefix) }) {
			t.Errorf("it has kept %s: %q", prefix, settings)
		}
	}
	if n := len(slices.DeleteFunc(settings, func(k string) bool { return !strings.HasPrefix(k, "space/") })); n != 1 {
		t.Errorf("it has kept %d spaces", n)
	}
}

// settingsOf are the keys of a closed device's settings.
func settingsOf(t *testing.T, dir string) (out []string) {
	t.Helper()
	store, err := badgerstore.Open(filepath.Join(dir, "store"), nil)
	must(t, err)
	for entry, err := range store.List(t.Context(), nil) {
		must(t, err)
		if key, ok := persist.SettingOf(entry.Key); ok {
			out = append(out, string(key))
		}
	}
	must(t, store.Close())
	return out
}

// Nothing gets from a fork to the original and those it syncs with, or back: no edit, no deletion and no purge, also when somebody has them connect.
func TestForkNeverSyncsBack(t *testing.T) {
	dir := t.TempDir()
	laptop := open(t, dir, tombolo.Options{Name: "laptop"})
	desk := open(t, t.TempDir(), tombolo.Options{Name: "desk"})
	pair(t, laptop, desk, false)
	var urls []doc.URL
	for i := range 3 {
		h, err := laptop.Home().Create(t.Context(), map[string]any{"n": i})
		must(t, err)
		must(t, h.Wait(patience(t), tombolo.OnDevices(2)))
		urls = append(urls, h.URL())
		must(t, h.Close())
	}
	must(t, laptop.Close())
	to, f := fork(t, dir, tombolo.ForkOptions{})
	trial := open(t, to, tombolo.Options{})
	laptop = open(t, dir, tombolo.Options{})
	if st, err := trial.Status(t.Context()); err != nil || len(st.Peers) != 0 {
		t.Errorf("the fork knows %v, %v", st.Peers, err)
	}

	// One side alone does not make a connection.
	must(t, trial.Allow(laptop))
	if err := trial.Refused(patience(t), laptop); err != nil {
		t.Errorf("the original let the fork in: %v", err)
	}
	for _, e := range []*tombolo.Engine{laptop, desk} {
		must(t, e.Allow(trial))
		must(t, trial.Allow(e))
		must(t, trial.Connected(patience(t), e))
	}

	mine := func(e *tombolo.Engine, u doc.URL) *tombolo.Handle {
		t.Helper()
		h, err := e.Document(t.Context(), doc.URL{Space: e.Home().ID(), Doc: u.Doc})
		must(t, err)
		t.Cleanup(func() { h.Close() })
		return h
	}
	atDesk := arrives(t, desk, urls[0])
	set(t, mine(trial, urls[0]), "/fork", true)
	set(t, mine(laptop, urls[0]), "/original", true)
	reads(t, atDesk, `{"n":0,"original":true}`) // so what the laptop had to say to anyone is said
	set(t, atDesk, "/desk", true)
	reads(t, mine(laptop, urls[0]), `{"desk":true,"n":0,"original":true}`)

	h := mine(trial, urls[1])
	must(t, h.Delete(t.Context()))
	must(t, errors.Join(h.Close(), trial.Purge(t.Context(), h.URL())))
	h = mine(laptop, urls[2])
	must(t, h.Delete(t.Context()))
	must(t, h.Wait(patience(t), tombolo.OnDevices(2)))
	must(t, errors.Join(h.Close(), laptop.Purge(t.Context(), h.URL())))
	becomes(t, desk, urls[2], true)

	reads(t, mine(trial, urls[0]), `{"fork":true,"n":0}`)
	for _, e := range []*tombolo.Engine{laptop, desk} {
		becomes(t, e, urls[1], false)
	}
	becomes(t, trial, doc.URL{Space: trial.Home().ID(), Doc: urls[2].Doc}, false)
	for _, e := range []*tombolo.Engine{laptop, desk, trial} {
		st, err := e.Status(t.Context())
		must(t, err)
		for _, d := range st.Documents {
			for _, device := range d.Devices {
				if (device.Peer == f.Device.Peer) != (e == trial) {
					t.Errorf("%s says that %s has %s", e.Self().Name, device.Name, d.URL)
				}
			}
		}
	}
	must(t, laptop.Close())
	must(t, trial.Close())
	for path, e := range map[string][2]string{dir: {"laptop", f.Device.Peer}, to: {"trial", laptop.Self().Peer}} {
		if slices.ContainsFunc(settingsOf(t, path), func(k string) bool { return strings.Contains(k, e[1]) }) {
			t.Errorf("the %s keeps something of the other", e[0])
		}
	}
}

func TestForkIsRefused(t *testing.T) {
	dir := t.TempDir()
	e, _ := device(t, dir, tombolo.Options{})
	to := filepath.Join(t.TempDir(), "to")
	_, err := tombolo.Fork(t.Context(), dir, to, tombolo.ForkOptions{})
	if in, ok := errors.AsType[*tombolo.InUseError](err); !ok || in.PID != os.Getpid() {
		t.Errorf("of an open device: %v", err)
	}
	must(t, e.Close())
	full := t.TempDir()
	must(t, os.WriteFile(filepath.Join(full, "file"), nil, 0o600))
	over, cancel := context.WithCancel(t.Context())
	cancel()
	noIdentity := t.TempDir()
	copyDir(t, dir, noIdentity)
	must(t, os.Remove(filepath.Join(noIdentity, "identity.key")))
	noStore := t.TempDir()
	copyDir(t, dir, noStore)
	must(t, os.RemoveAll(filepath.Join(noStore, "store")))
	for _, c := range []struct {
		name, from, to string
		ctx            context.Context
		opts           tombolo.ForkOptions
		says           string
	}{
		{"nothing", filepath.Join(full, "nothing"), to, t.Context(), tombolo.ForkOptions{}, "there is no device"},
		{"no device", full, to, t.Context(), tombolo.ForkOptions{}, "there is no device"},
		{"full", dir, full, t.Context(), tombolo.ForkOptions{}, "is not empty"},
		{"itself", dir, dir, t.Context(), tombolo.ForkOptions{}, "no byte is to change"},
		{"inside", dir, filepath.Join(dir, "fork"), t.Context(), tombolo.ForkOptions{}, "no byte is to change"},
		{"identity", noIdentity, to, t.Context(), tombolo.ForkOptions{}, "peer doctor --repair"},
		{"store", noStore, to, t.Context(), tombolo.ForkOptions{}, "no documents"},
		{"cancelled", dir, to, over, tombolo.ForkOptions{}, "canceled"},
		{"secret", dir, to, t.Context(), tombolo.ForkOptions{Device: &tombolo.Options{Unlock: passphrase("no such secret")}}, "not sealed"},
	} {
		before := files(t, dir)
		_, err := tombolo.Fork(c.ctx, c.from, c.to, c.opts)
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", c.name, err)
		}
		sameFiles(t, before, files(t, dir))
		if _, err := os.Lstat(to + ".forking"); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: something is left, %v", c.name, err)
		}
	}
}

// A directory that nobody has opened where it is has no lock; who opens it while it is copied is noticed.
func TestForkOpenedMeanwhile(t *testing.T) {
	dir, _ := alone(t, 1)
	lock := filepath.Join(dir, "lock")
	must(t, os.Remove(lock))
	_, f := fork(t, dir, tombolo.ForkOptions{})
	if _, err := os.Lstat(lock); !errors.Is(err, fs.ErrNotExist) || len(f.Documents) != 1 {
		t.Errorf("forking made a lock, %v; the fork has %v", err, f.Documents)
	}
	to := filepath.Join(t.TempDir(), "to")
	_, err := tombolo.Fork(t.Context(), dir, to, tombolo.ForkOptions{Progress: func(doing string, _, _ uint64) {
		if doing == "copy" {
			must(t, os.WriteFile(lock, nil, 0o600))
		}
	}})
	if _, ok := errors.AsType[*tombolo.InUseError](err); !ok {
		t.Errorf("of a device that was opened meanwhile: %v", err)
	}
	if left, err := filepath.Glob(to + "*"); err != nil || len(left) > 0 {
		t.Errorf("%v is left, %v", left, err)
	}
}

func TestForkWithoutRoom(t *testing.T) {
	dir, _ := alone(t, 1)
	small := tinyDisk(t, 64<<10)
	_, err := tombolo.Fork(t.Context(), dir, filepath.Join(small, "to"), tombolo.ForkOptions{})
	if !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("on a disk that is too small: %v", err)
	}
	if left, err := os.ReadDir(small); err != nil || len(left) > 0 {
		t.Errorf("%v is left, %v", left, err)
	}
}

// A copy that is about to become a new device has to have done so first: what moves where would not be known.
func TestForkOfHalfRenewed(t *testing.T) {
	_, clone, _ := cloned(t)
	_, err := tombolo.Open(t.Context(), clone, &tombolo.Options{Offline: true, Copied: tombolo.CopiedNew, Rand: io.LimitReader(rand.Reader, 32)})
	if err == nil {
		t.Fatal("it became a new device without randomness")
	}
	_, err = tombolo.Fork(t.Context(), clone, filepath.Join(t.TempDir(), "to"), tombolo.ForkOptions{})
	wantText(t, err, "open it once")
	must(t, open(t, clone, tombolo.Options{Offline: true}).Close())
	if _, f := fork(t, clone, tombolo.ForkOptions{}); len(f.Documents) != 3 {
		t.Errorf("the fork has %v", f.Documents)
	}
}

// A device that was killed is forked with everything that it had acknowledged.
func TestForkAfterCrash(t *testing.T) {
	dir, crashed := t.TempDir(), filepath.Join(t.TempDir(), "crashed")
	e, _ := device(t, dir, tombolo.Options{})
	had := contents(t, e)
	copyDir(t, dir, crashed) // as a crash would leave it
	to, f := fork(t, crashed, tombolo.ForkOptions{})
	if n := open(t, to, tombolo.Options{Offline: true}); len(f.Documents) != 3 || !sameContents(contents(t, n), had) {
		t.Error("it has other documents")
	}
}

// A document that is damaged is in the fork as it is, and named.
func TestForkWithDamage(t *testing.T) {
	dir, urls := alone(t, 3)
	inStore(t, dir, func(s persist.Store) {
		key := persist.HeaderKey(persist.Name{Space: urls[1].Space, Doc: urls[1].Doc})
		b, err := s.Get(t.Context(), key)
		must(t, err)
		b[len(b)-1] ^= 1
		var batch persist.Batch
		batch.Put(key, b)
		must(t, s.Apply(t.Context(), &batch))
	})
	before := everyFile(t, dir)
	to, f := fork(t, dir, tombolo.ForkOptions{})
	sameFiles(t, before, everyFile(t, dir))
	if len(f.Documents) != 3 {
		t.Fatalf("the fork has %+v", f.Documents)
	}
	for _, d := range f.Documents {
		u, err := doc.ParseURL(d.URL)
		must(t, err)
		if ill := u.Doc == urls[1].Doc; ill != (d.State == tombolo.StateQuarantined) || ill != strings.Contains(d.Error, "damaged") {
			t.Errorf("the report has %+v", d)
		}
	}
	open(t, to, tombolo.Options{Offline: true})
}

// The schemas of the program that is tried say what it may do with each document.
func TestForkReportsSchemas(t *testing.T) {
	dir := t.TempDir()
	e := open(t, dir, tombolo.Options{App: notesApp, Offline: true})
	want := map[doc.ID]string{}
	for what, first := range map[string]func(*doc.Tx) error{
		"plain": put("/title", "x"), "old": by(noteSchema.At(1), "/title", "x"),
		"invalid": by(noteSchema.At(1), "/stars", "many"), "another kind": by(listSchema, "/list", "x"),
		"needs 9": func(tx *doc.Tx) error { return errors.Join(by(noteSchema, "/title", "x")(tx), tx.RequireWriter(9)) },
		"forked": func(tx *doc.Tx) error {
			return errors.Join(by(noteSchema, "/title", "x")(tx), by(otherNoteSchema, "/color", true)(tx))
		},
	} {
		h, err := e.Home().Create(t.Context(), first)
		must(t, err)
		want[h.URL().Doc] = what
		must(t, h.Close())
	}
	must(t, e.Close())
	device := options(noteSchema)
	_, f := fork(t, dir, tombolo.ForkOptions{Device: &device, Check: func(ctx context.Context, h *tombolo.Handle) error {
		return h.Change(ctx, "", put("/title", "tried"))
	}})
	got := map[string]string{}
	for _, d := range f.Documents {
		u, err := doc.ParseURL(d.URL)
		must(t, err)
		got[want[u.Doc]] = fmt.Sprint(len(d.Schema), d.Forks, d.MinWriter, " ", d.State, d.Invalid, d.Problem != "", d.Error != "")
	}
	for what, says := range map[string]string{
		"plain": "0[]0 ready 0 false false", "old": "1[]0 ready 0 false false", "invalid": "1[]0 ready 1 false false",
		"another kind": "1[]0 read-only 0 true true", "needs 9": "1[]9 read-only 0 true true", "forked": "2[2]0 read-only 1 true true",
	} {
		if strings.ReplaceAll(got[what], " ", "") != strings.ReplaceAll(says, " ", "") {
			t.Errorf("%s: %q; want %q", what, got[what], says)
		}
	}
}

// A fork of a sealed device is sealed by the same secrets.
func TestForkOfSealed(t *testing.T) {
	dir, _ := sealedDir(t)
	unlock := passphrase("correct horse")
	e := openSealed(t, dir, unlock)
	u := writeSecret(t, e)
	must(t, e.Close())
	to, f := fork(t, dir, tombolo.ForkOptions{Device: &tombolo.Options{Unlock: unlock}})
	if len(f.Documents) != 1 {
		t.Errorf("it has %v", f.Documents)
	}
	wantHidden(t, to)
	n := openSealed(t, to, unlock)
	wantSecret(t, n, doc.URL{Space: n.Home().ID(), Doc: u.Doc})
	_, err := tombolo.Fork(t.Context(), dir, filepath.Join(t.TempDir(), "x"), tombolo.ForkOptions{})
	if !errors.Is(err, tombolo.ErrSealed) {
		t.Errorf("without a secret: %v", err)
	}
}
