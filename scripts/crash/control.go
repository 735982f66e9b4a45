package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// The store's only call that asks for syncs, and what the control has in its place.
const (
	syncingFile = "persist/badgerstore/options.go"
	syncing     = "WithSyncWrites(true)"
	notSyncing  = "WithSyncWrites(false)"
)

// control cuts the power of the same nodes, built so that their stores do not sync, and says what they lost. That must be
// something: otherwise the cuts show nothing.
func (l *lab) control(ctx context.Context, seed uint64) (said string, err error) {
	program, err := l.buildUnsynced(ctx)
	if err != nil {
		return "", fmt.Errorf("build the program without syncs: %w", err)
	}
	const tries = 5
	t := (&lab{dir: l.dir, program: program}).newPowercut("control", seed)
	err = t.prepare(ctx)
	cut := 0
	for ; cut < tries && err == nil; cut++ {
		if err = t.underLoad(ctx, t.copyOf(fmt.Sprintf("cut%d", cut)), cutUnderLoad); err == nil {
			err = t.check(ctx)
		}
	}
	removed := t.remove(ctx)
	switch lost, loads := verdict(err); {
	case lost > 0:
		return fmt.Sprintf("cut %d lost %d", cut, lost), removed
	case loads > 0:
		return fmt.Sprintf("nothing was readable after cut %d", cut), removed
	case err != nil:
		return "", fmt.Errorf("the program without syncs: %w", errors.Join(err, removed))
	}
	return "", errors.Join(fmt.Errorf("a program that does not sync lost nothing in %d cuts, so cuts like these show nothing", tries), removed)
}

// buildUnsynced builds the program from the sources here, but for the syncs.
func (l *lab) buildUnsynced(ctx context.Context) (program string, err error) {
	source, err := os.ReadFile(syncingFile)
	if err != nil {
		return "", err
	}
	changed := bytes.ReplaceAll(source, []byte(syncing), []byte(notSyncing))
	if bytes.Equal(source, changed) {
		return "", fmt.Errorf("%s does not say %s any more: have the control leave out what it says now", syncingFile, syncing)
	}
	original, err := filepath.Abs(syncingFile)
	if err != nil {
		return "", err
	}
	replacement, overlay := filepath.Join(l.dir, "unsynced.go"), filepath.Join(l.dir, "overlay.json")
	replace, err := json.Marshal(map[string]map[string]string{"Replace": {original: replacement}})
	if err != nil {
		return "", err
	}
	program = filepath.Join(l.dir, "peer-unsynced")
	return program, errors.Join(os.WriteFile(replacement, changed, 0o600), os.WriteFile(overlay, replace, 0o600),
		shell(ctx, "go", "build", "-overlay", overlay, "-o", program, "./cmd/peer"))
}
