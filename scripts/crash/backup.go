package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"filippo.io/age"
)

// backup is a device that is backed up while it is edited, and without a node. The command or the node is killed
// meanwhile. A file under the name asked for is then a backup that verifies, and the device has all it acknowledged.
type backup struct {
	lab    *lab
	random *rand.Rand
	node   *node
	url    string
	keys   [2]backupKey
	made   int // files asked for
	files  int // files that were there after a kill
	parts  int // kills that left something unfinished
	lasts  [len(backupWays)][2]window
}

// backupWays are the names of what is killed.
var backupWays = [...]string{"the command", "the node", "the command without a node"}

const (
	killClient = iota
	killNode
	killAlone
)

const (
	// documents are in the store that is backed up, each of so many random bytes, beside the one that is edited.
	documents     = 16
	documentBytes = 300 << 10
)

func newBackup(l *lab, random *rand.Rand) story {
	t := &backup{lab: l, random: random}
	for i := range t.lasts {
		t.lasts[i] = [...]window{window(time.Second), window(firstGuess)}
	}
	return t
}

func (t *backup) prepare(ctx context.Context) error {
	var err error
	if t.keys, err = t.lab.backupKeys("backup"); err != nil {
		return err
	}
	t.node = t.lab.node("backup", "a")
	if err := errors.Join(t.node.init(ctx, t.random.IntN(2) == 0), t.node.start(ctx)); err != nil {
		return err
	}
	if t.url, err = t.node.fill(ctx, t.random); err != nil {
		return err
	}
	return t.node.stop()
}

// backupKey is what closes and opens a backup: flags for the commands.
type backupKey struct{ seal, open []string }

// with is a command line with flags.
func with(flags []string, args ...string) []string { return slices.Concat(args, flags) }

// backupKeys makes the two kinds there are for a story: a passphrase, which takes most of the time of a small backup, and
// a pair of keys.
func (l *lab) backupKeys(story string) (keys [2]backupKey, err error) {
	passphrase, pair := filepath.Join(l.dir, story, "passphrase"), filepath.Join(l.dir, story, "pair")
	id, err := age.GenerateX25519Identity()
	if err != nil {
		return keys, err
	}
	byPassphrase := []string{"--passphrase-file", passphrase}
	keys = [...]backupKey{
		{byPassphrase, byPassphrase},
		{[]string{"--recipient", id.Recipient().String()}, []string{"--identity-file", pair}},
	}
	return keys, errors.Join(os.WriteFile(passphrase, []byte("correct horse battery staple\n"), 0o600), os.WriteFile(pair, []byte(id.String()+"\n"), 0o600))
}

// fill makes documents, and one to edit, whose URL it gives.
func (n *node) fill(ctx context.Context, random *rand.Rand) (url string, err error) {
	bytes := make([]byte, documentBytes)
	for range documents {
		for i := range bytes {
			bytes[i] = byte(random.Uint32())
		}
		value, err := json.Marshal(map[string]string{"bytes": base64.StdEncoding.EncodeToString(bytes)})
		if err != nil {
			return "", err
		}
		if _, err := n.create(ctx, string(value)); err != nil {
			return "", err
		}
	}
	return n.create(ctx, `{"single":{}}`)
}

func (t *backup) round(ctx context.Context, _ int) (killed int, said string, err error) {
	t.made++
	file := filepath.Join(t.lab.dir, "backup", fmt.Sprintf("backup-%d", t.made))
	way := t.random.IntN(len(backupWays))
	before := t.node.streamed
	kind := t.random.IntN(len(t.keys))
	key, last := t.keys[kind], &t.lasts[way][kind]
	wait := last.pick(t.random)
	cmd := t.node.prepared(ctx, with(key.seal, "backup", file)...)
	var took time.Duration
	var hit bool
	switch way {
	case killClient:
		killed, took, err = t.killClient(ctx, cmd, wait)
		hit = killed > 0
	case killNode:
		hit, took, err = t.killNode(ctx, cmd, wait)
		killed = 1
	case killAlone:
		killed, took, err = cmd.killedAfter(wait)
		hit = killed > 0
	}
	last.learn(hit, took)
	if err != nil {
		return killed, "", err
	}
	kept, err := t.check(ctx, file, key)
	if err != nil {
		return killed, "", fmt.Errorf("%s, killed after %s: %w", backupWays[way], took.Round(time.Millisecond), err)
	}
	how := "killed " + backupWays[way]
	if killed == 0 {
		how = "came too late to kill " + backupWays[way]
	}
	return killed, fmt.Sprintf("%s after %4d ms, %s; acknowledged: %4d edits", how, took.Milliseconds(), kept, t.node.streamed-before), nil
}

// killClient kills the command while a node takes edits.
func (t *backup) killClient(ctx context.Context, cmd *command, wait time.Duration) (killed int, took time.Duration, err error) {
	if err := t.node.start(ctx); err != nil {
		return 0, 0, err
	}
	var load sync.WaitGroup
	load.Go(func() { t.node.stream(ctx, t.url, streamOf) })
	killed, took, err = cmd.killedAfter(wait)
	load.Wait() // the node goes on
	return killed, took, errors.Join(err, t.node.loadErr, t.node.stop())
}

// killNode kills a node that takes edits under the command. It was a hit when the command had not ended.
func (t *backup) killNode(ctx context.Context, cmd *command, wait time.Duration) (hit bool, took time.Duration, err error) {
	if err := t.node.start(ctx); err != nil {
		return false, 0, err
	}
	loading, end := context.WithCancel(ctx)
	defer end()
	var load sync.WaitGroup
	load.Go(func() { t.node.stream(loading, t.url, streamOf) })
	begun := time.Now()
	ended := make(chan struct{})
	if err := cmd.Start(); err != nil {
		return false, 0, err
	}
	go func() {
		_ = cmd.Wait() // its node is killed under it
		close(ended)
	}()
	select {
	case <-ended:
	case <-time.After(wait):
		hit = true
	}
	took = time.Since(begun)
	err = t.node.kill()
	end()
	load.Wait()
	select {
	case <-ended:
	case <-time.After(patience):
		err = errors.Join(err, fmt.Errorf("peer backup did not end although its node is gone: %w", cmd.Process.Kill()))
		<-ended
	}
	return hit, took, errors.Join(err, t.node.loadErr)
}

// check looks at the file, if there is one, and at the device.
func (t *backup) check(ctx context.Context, file string, key backupKey) (kept string, err error) {
	if _, err := os.Stat(file); err == nil {
		if err := t.verify(ctx, file, key); err != nil {
			return "", err
		}
		t.files++
		kept = "the file verifies"
	} else if !errors.Is(err, fs.ErrNotExist) {
		return "", err
	} else if left, err := filepath.Glob(file + "*"); err != nil {
		return "", err
	} else if kept = "no file"; len(left) > 0 {
		t.parts++
		kept = "an unfinished file"
	}
	for _, name := range []string{file, file + ".part"} {
		if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
	}
	if err := t.node.examine(ctx); err != nil {
		return "", err
	}
	all, err := t.node.list(ctx)
	if err != nil {
		return "", err
	}
	if missing := documents + 1 - len(all); missing > 0 {
		return "", &lostError{missing, fmt.Sprintf("%d documents are missing", missing)}
	}
	return kept, t.node.holdsOwn(ctx, t.url)
}

func (t *backup) verify(ctx context.Context, file string, key backupKey) error {
	if err := t.node.command(ctx, nil, with(key.open, "verify", file)...); err != nil {
		return &loadError{err}
	}
	return nil
}

// finish makes a backup in peace.
func (t *backup) finish(ctx context.Context) (string, error) {
	file := filepath.Join(t.lab.dir, "backup", "last")
	if err := t.node.command(ctx, nil, with(t.keys[0].seal, "backup", file)...); err != nil {
		return "", err
	}
	if err := t.verify(ctx, file, t.keys[0]); err != nil {
		return "", err
	}
	if err := t.node.readAll(ctx); err != nil {
		return "", err
	}
	return fmt.Sprintf("%d kills left an unfinished file, %d came when the file was there and verified; all %d edits and %d documents are there",
		t.parts, t.files, t.node.streamed, documents+1), nil
}

func (t *backup) abort() error { return abort(t.node) }
