package tombolo_test

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"tombolo"
	"tombolo/doc"
	"tombolo/doc/core"
	"tombolo/persist"
	"tombolo/persist/memstore"
	"tombolo/persist/sealed"
)

// cheap is the least work a passphrase may cost.
var cheap = sealed.Cost{Passes: 2, Memory: 19 << 10, Threads: 1}

func with(s sealed.Secret) tombolo.Unlock {
	return func(context.Context) (sealed.Secret, error) { return s, nil }
}

func passphrase(text string) tombolo.Unlock { return with(sealed.Passphrase(text, cheap)) }

func sealedDir(t *testing.T) (dir string, recovery sealed.Secret) {
	t.Helper()
	dir = t.TempDir()
	recovery, err := tombolo.Seal(dir, sealed.Passphrase("correct horse", cheap))
	must(t, err)
	return dir, recovery
}

func openSealed(t *testing.T, dir string, unlock tombolo.Unlock) *tombolo.Engine {
	t.Helper()
	e, err := tombolo.Open(t.Context(), dir, &tombolo.Options{Unlock: unlock, Offline: true, Name: "device " + secret})
	must(t, err)
	t.Cleanup(func() { e.Close() })
	return e
}

// wantRefused checks that a directory does not open, and what is said.
func wantRefused(t *testing.T, dir string, opts tombolo.Options, target error, text string) {
	t.Helper()
	opts.Offline = true
	e, err := tombolo.Open(t.Context(), dir, &opts)
	if err == nil {
		e.Close()
	}
	if err == nil || target != nil && !errors.Is(err, target) || !strings.Contains(err.Error(), text) {
		t.Errorf("Open: %v; want %v with %q", err, target, text)
	}
}

// eachFile calls see with every file of a directory.
func eachFile(t *testing.T, dir string, see func(path string, b []byte)) {
	t.Helper()
	must(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() || d.Name() == "ballast" {
			return err
		}
		b, err := os.ReadFile(path)
		see(path, b)
		return err
	}))
}

// A directory of its own that is sealed has nothing of its documents, its device and its peers in any file, while it is open and after; one that
// is not has all of it, so the search can find it.
func TestSealedDirectoryShowsNothing(t *testing.T) {
	for name, hide := range map[string]bool{"plain": false, "sealed": true} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			var unlock tombolo.Unlock
			if hide {
				unlock = passphrase("correct horse") // a new directory becomes sealed by it
			}
			e := openSealed(t, dir, unlock)
			if tombolo.Sealed(dir) != hide {
				t.Fatalf("Sealed: %v", !hide)
			}
			u := writeSecret(t, e)
			self := e.Self().Peer
			open := t.TempDir()
			must(t, os.CopyFS(open, os.DirFS(dir)))
			must(t, e.Close())
			words := map[string]string{
				"text": secret, "document ID": string(u.Doc[:]), "space ID": string(u.Space[:]), "peer ID": self,
				"identity": "\x08\x01\x12\x40", // what libp2p writes before the key
			}
			for what, word := range words {
				found := ""
				for _, d := range []string{open, dir} {
					eachFile(t, d, func(path string, b []byte) {
						if bytes.Contains(b, []byte(word)) {
							found = path
						}
					})
				}
				if hide && found != "" {
					t.Errorf("the %s stands in %s", what, found)
				}
				if !hide && found == "" {
					t.Errorf("the %s is not found in a plain directory: the search proves nothing", what)
				}
			}
			// What was sealed is all there.
			e = openSealed(t, dir, unlock)
			if e.Self().Peer != self || e.Self().Name != "device "+secret {
				t.Errorf("the device is %v now", e.Self())
			}
			wantSecret(t, e, u)

			// What a program keeps beside it is hidden in the same way.
			own := e.Hide("window", []byte("own "+secret))
			got, err := e.Reveal("window", own)
			if err != nil || string(got) != "own "+secret || bytes.Contains(own, []byte(secret)) == hide {
				t.Errorf("hidden as %q, revealed as %q, %v", own, got, err)
			}
			if _, err := e.Reveal("other", own); errors.Is(err, persist.ErrAltered) != hide {
				t.Errorf("revealed in another place: %v", err)
			}
		})
	}
}

func wantSecret(t *testing.T, e *tombolo.Engine, u doc.URL) {
	t.Helper()
	h, err := e.Document(t.Context(), u)
	must(t, err)
	defer h.Close()
	b, err := h.JSON("")
	if err != nil || !strings.Contains(string(b), "value "+secret) {
		t.Errorf("the document is %s, %v", b, err)
	}
}

func TestSecretsOfADirectory(t *testing.T) {
	dir, recovery := sealedDir(t)
	e := openSealed(t, dir, passphrase("correct horse"))
	u := writeSecret(t, e)
	must(t, e.Close())

	wantRefused(t, dir, tombolo.Options{Unlock: passphrase("Correct horse")}, sealed.ErrSecret, "the secret does not fit; check it, or use another one")
	wantRefused(t, dir, tombolo.Options{}, tombolo.ErrSealed, "Options.Unlock")
	asked := errors.New("the user closed the window")
	wantRefused(t, dir, tombolo.Options{Unlock: func(context.Context) (sealed.Secret, error) { return sealed.Secret{}, asked }}, asked, dir)
	wantRefused(t, dir, tombolo.Options{Unlock: passphrase("correct horse"), Store: newDisk()}, nil, "leave it out with Options.Store")

	written, err := sealed.RecoveryKey(recovery.Text())
	must(t, err)
	e = openSealed(t, dir, with(written))
	wantSecret(t, e, u)

	// Secrets change while the engine runs, and no record is written anew.
	keys, err := sealed.Open(dir, sealed.Passphrase("correct horse", cheap))
	must(t, err)
	must(t, keys.ChangePassphrase(sealed.Passphrase("correct horse", cheap), sealed.Passphrase("battery staple", cheap)))
	wantSecret(t, e, u)
	must(t, e.Close())
	wantRefused(t, dir, tombolo.Options{Unlock: passphrase("correct horse")}, sealed.ErrSecret, "does not fit")
	wantSecret(t, openSealed(t, dir, passphrase("battery staple")), u)
}

func TestSealRefuses(t *testing.T) {
	dir, _ := sealedDir(t)
	_, err := tombolo.Seal(dir, sealed.Passphrase("correct horse", cheap))
	wantText(t, err, "it was sealed before and never used")
	must(t, openSealed(t, dir, passphrase("correct horse")).Close())
	_, err = tombolo.Seal(dir, sealed.Passphrase("correct horse", cheap))
	wantText(t, err, "holds a device already")

	fresh := t.TempDir()
	_, err = tombolo.Seal(fresh, sealed.Passphrase("short", cheap))
	if !errors.Is(err, sealed.ErrWeak) || tombolo.Sealed(fresh) {
		t.Errorf("a weak passphrase: %v", err)
	}
	wantRefused(t, fresh, tombolo.Options{Unlock: passphrase("short")}, sealed.ErrWeak, fresh)
	if tombolo.Exists(fresh) || tombolo.Sealed(fresh) {
		t.Error("a refused secret left something")
	}

	// Existing data is not sealed behind its owner's back.
	e := openSealed(t, fresh, nil)
	u := writeSecret(t, e)
	_, err = tombolo.Seal(fresh, sealed.Passphrase("correct horse", cheap))
	if _, busy := errors.AsType[*tombolo.InUseError](err); !busy {
		t.Errorf("a directory in use: %v", err)
	}
	must(t, e.Close())
	wantRefused(t, fresh, tombolo.Options{Unlock: passphrase("correct horse")}, tombolo.ErrNotSealed, "restore it into a sealed directory")
	wantSecret(t, openSealed(t, fresh, nil), u)

	_, err = tombolo.Seal(filepath.Join(fresh, "lock", "below a file"), sealed.Passphrase("correct horse", cheap))
	wantText(t, err, "not a directory")
}

func wantText(t *testing.T, err error, text string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), text) {
		t.Errorf("got %v, want %q", err, text)
	}
}

// What a sealed directory has beside the store is missed or altered: it is said, and nothing is made anew in its place.
func TestSealedFilesDamaged(t *testing.T) {
	dir, _ := sealedDir(t)
	must(t, openSealed(t, dir, passphrase("correct horse")).Close())
	unlock := tombolo.Options{Unlock: passphrase("correct horse")}
	keys, identity := filepath.Join(dir, sealed.FileName), filepath.Join(dir, "identity.key")

	// One of the two is enough, and is said to be.
	must(t, os.Rename(keys, keys+".aside"))
	found, err := tombolo.Examine(t.Context(), dir, &unlock, tombolo.Attending{})
	must(t, err)
	if len(found.Findings) != 1 || !found.Sound || found.Findings[0].Where != "keys" {
		t.Errorf("the doctor finds %v", found)
	}
	log, heard := listen()
	e, err := tombolo.Open(t.Context(), dir, &tombolo.Options{Unlock: unlock.Unlock, Log: log, Offline: true})
	must(t, err)
	heard.says(t, "the keys of this sealed directory were damaged and are put back")
	must(t, e.Close())
	must(t, os.Remove(keys))
	must(t, os.Remove(filepath.Join(dir, sealed.CopyName)))
	wantRefused(t, dir, unlock, tombolo.ErrKeysLost, "put it back from a backup")
	wantRefused(t, dir, tombolo.Options{}, tombolo.ErrKeysLost, "put it back from a backup")
	must(t, os.Rename(keys+".aside", keys))

	b, err := os.ReadFile(identity)
	must(t, err)
	for i := range b {
		bad := bytes.Clone(b)
		bad[i] ^= 1 << (i % 8)
		must(t, os.WriteFile(identity, bad, 0o600))
		if i%16 == 0 {
			wantRefused(t, dir, unlock, nil, "the identity file is damaged")
		}
	}
	must(t, os.WriteFile(identity, b, 0o600))

	whole, err := os.ReadFile(keys)
	must(t, err)
	whole[len(whole)/2] ^= 1
	must(t, os.WriteFile(keys, whole, 0o600))
	must(t, os.RemoveAll(filepath.Join(dir, sealed.CopyName)))
	wantRefused(t, dir, unlock, sealed.ErrKeysFile, "the keys file is damaged; put a copy from a backup")
	whole[len(whole)/2] ^= 1
	must(t, os.WriteFile(keys, whole, 0o600))
	must(t, openSealed(t, dir, passphrase("correct horse")).Close())
}

// A copy of a sealed directory is noticed as any other is, and becomes another device whose identity is as hidden.
func TestSealedDirectoryCopied(t *testing.T) {
	dir, _ := sealedDir(t)
	e := openSealed(t, dir, passphrase("correct horse"))
	u := writeSecret(t, e)
	self := e.Self()
	must(t, e.Close())
	copied := filepath.Join(t.TempDir(), "copy")
	must(t, os.CopyFS(copied, os.DirFS(dir)))
	eachFile(t, copied, func(path string, _ []byte) { must(t, os.Chmod(path, 0o600)) }) // CopyFS does not keep modes

	_, err := tombolo.Open(t.Context(), copied, &tombolo.Options{Unlock: passphrase("correct horse"), Offline: true})
	if _, noticed := errors.AsType[*tombolo.CopiedError](err); !noticed {
		t.Fatalf("open a copy: %v", err)
	}
	e, err = tombolo.Open(t.Context(), copied, &tombolo.Options{Unlock: passphrase("correct horse"), Offline: true, Copied: tombolo.CopiedNew, Name: "second"})
	must(t, err)
	if e.Self().Peer == self.Peer {
		t.Error("a new device with the old identity")
	}
	h, err := e.Document(t.Context(), doc.URL{Space: e.Home().ID(), Doc: u.Doc})
	must(t, err)
	must(t, errors.Join(h.Close(), e.Close()))
	eachFile(t, copied, func(path string, b []byte) {
		if bytes.Contains(b, []byte(secret)) || bytes.Contains(b, []byte("\x08\x01\x12\x40")) {
			t.Errorf("%s shows what it should hide", path)
		}
	})
	found, err := tombolo.Examine(t.Context(), copied, &tombolo.Options{Unlock: passphrase("correct horse")}, tombolo.Attending{})
	if err != nil || !found.Sound {
		t.Errorf("the doctor finds %v, %v", found, err)
	}
}

// What the black box of a sealed directory notes shows nothing, and is understood at the next start.
func TestSealedBlackBox(t *testing.T) {
	dir, _ := sealedDir(t)
	e := openSealed(t, dir, passphrase("correct horse"))
	u := writeSecret(t, e)
	h, err := e.Document(t.Context(), u)
	must(t, err)
	saved, err := h.Export(t.Context())
	must(t, err)
	must(t, errors.Join(h.Close(), e.Close()))

	keys, err := sealed.Open(dir, sealed.Passphrase("correct horse", cheap))
	must(t, err)
	note := core.Entry{Space: u.Space, Doc: u.Doc, Hash: core.Digest(saved), From: "phone " + strings.Repeat("ä", 100)}
	path := filepath.Join(dir, "blackbox")
	box, _, err := core.OpenBox(path)
	must(t, err)
	must(t, box.Before(core.Entry{From: "what no engine with these keys wrote"}))
	must(t, box.Before(tombolo.Cover(keys, note)))
	must(t, box.Close())
	b, err := os.ReadFile(path)
	must(t, err)
	for what, word := range map[string][]byte{"space": note.Space[:], "document": note.Doc[:], "digest": note.Hash[:], "sender": []byte("phone")} {
		if bytes.Contains(b, word) {
			t.Errorf("the %s stands in the black box", what)
		}
	}

	log, heard := listen()
	e, err = tombolo.Open(t.Context(), dir, &tombolo.Options{Unlock: passphrase("correct horse"), Offline: true, Log: log})
	must(t, err)
	defer e.Close()
	heard.says(t, "a note of the black box does not read")
	heard.says(t, "the last process ended")
	_, err = e.Home().Import(t.Context(), "", saved)
	held, ok := errors.AsType[*tombolo.QuarantinedError](err)
	if !ok || held.Doc != u.Doc || held.Space != u.Space || !strings.HasPrefix(held.From, "phone ä") {
		t.Errorf("import what was noted: %v", err)
	}
	// What goes into the core is noted and taken back with the same keys.
	must(t, e.Pardon(t.Context(), note.Hash))
	h, err = e.Home().Import(t.Context(), "", saved)
	must(t, err)
	must(t, h.Close())
	b, err = os.ReadFile(path)
	must(t, err)
	if len(bytes.Trim(b, "\x00")) > 0 {
		t.Error("a note stays in the black box")
	}
}

// Bytes of all records flipped, and every two records swapped: the engine says so where documents are concerned, and gives out no wrong
// value ever.
func TestSealedRecordsAltered(t *testing.T) {
	dir := t.TempDir()
	keys, err := sealed.Create(t.TempDir(), sealed.NewRecoveryKey())
	must(t, err)
	inner := &kept{Store: memstore.New()}
	begin := func(s persist.Store) (*tombolo.Engine, lines, error) {
		log, heard := listen()
		e, err := tombolo.Open(t.Context(), dir, &tombolo.Options{Store: sealed.New(s, keys), Offline: true, Log: log})
		return e, heard, err
	}
	e, _, err := begin(inner)
	must(t, err)
	docs := []doc.URL{writeSecret(t, e)}
	h, err := e.Home().Open(t.Context(), "second")
	must(t, err)
	set(t, h, "/n", 1)
	docs = append(docs, h.URL())
	must(t, h.Close())
	must(t, e.Close())
	var all []persist.Entry
	for entry, err := range inner.List(t.Context(), nil) {
		must(t, err)
		all = append(all, entry)
	}

	// sound opens a store with some entries altered, and reports whether anything was noticed. A document that reads has its value.
	sound := func(altered ...persist.Entry) bool {
		t.Helper()
		s := &kept{Store: memstore.New()}
		var b persist.Batch
		for _, entry := range append(slices.Clone(all), altered...) {
			b.Put(entry.Key, entry.Value)
		}
		must(t, s.Apply(t.Context(), &b))
		e, heard, err := begin(s)
		if err != nil {
			return false
		}
		noticed := false
		for _, u := range docs {
			h, err := e.Document(t.Context(), u)
			if err != nil {
				noticed = true
				continue
			}
			got, err := h.JSON("")
			must(t, h.Close())
			switch {
			case err != nil:
				noticed = true
			case u == docs[0] && !strings.Contains(string(got), "value "+secret), u == docs[1] && string(got) != `{"n":1}`:
				t.Errorf("a document reads as %s", got)
			}
		}
		must(t, e.Close())
		for len(heard) > 0 {
			noticed = strings.Contains(<-heard, "WARN") || noticed
		}
		return !noticed
	}
	if !sound() {
		t.Fatal("a store that nobody touched is complained about")
	}
	for i, a := range all {
		flips := []int{0, 1, 24, 25, len(a.Value) - 1}
		if a.Key[0] == 'r' || a.Key[0] == 'd' {
			flips = append(flips, len(a.Value)/2, len(a.Value)/3)
		}
		for _, at := range flips {
			bad := persist.Entry{Key: a.Key, Value: bytes.Clone(a.Value)}
			bad.Value[at] ^= 1 << (at % 8)
			if sound(bad) && (a.Key[0] == 'r' || a.Key[0] == 'd') {
				t.Errorf("byte %d of record %d (%q) flipped, and nothing was said", at, i, a.Key[:1])
			}
		}
		for _, b := range all[:i] {
			swapped := []persist.Entry{{Key: a.Key, Value: b.Value}, {Key: b.Key, Value: a.Value}}
			if sound(swapped...) {
				t.Errorf("records %q and %q swapped, and nothing was said", a.Key[:1], b.Key[:1])
			}
		}
	}
}

// kept is a store that outlives the engine that closes it.
type kept struct{ persist.Store }

func (k *kept) Close() error { return nil }
