package tombolo

import (
	"bytes"
	"context"
	"errors"
	"slices"

	"tombolo/doc"
	"tombolo/persist"
	"tombolo/sync"
)

// A fork keeps nothing by which it could meet other devices again: no membership, no address, nothing of what they had. All documents go into its one
// new space, under which no other device knows them.

var errBegun = errors.New("the original has begun to become a new device; open it once, so that it is done, and try again")

// isSharedSetting reports whether a setting is about what a device shares with others, beside those of isDeviceSetting. What was purged in the
// home stays purged, and moves.
func isSharedSetting(key []byte) bool {
	return bytes.HasPrefix(key, []byte(keySpace)) || bytes.HasPrefix(key, []byte(keyRestored))
}

// gather moves the documents of all spaces but the home there, and takes away what is left of those spaces. A document whose ID the home has
// already goes: the original has it. Called when the home has its own documents.
func (e *Engine) gather(ctx context.Context) error {
	home := e.mem.home
	var others []persist.Name
	has := map[doc.ID]bool{}
	for name := range e.names() {
		if name.Space == home {
			has[name.Doc] = true
		} else {
			others = append(others, name)
		}
	}
	slices.SortFunc(others, func(a, b persist.Name) int { return bytes.Compare(a.Space[:], b.Space[:]) })
	spaces := map[doc.SpaceID]bool{}
	for _, name := range others {
		if has[name.Doc] {
			if err := e.leaveOut(ctx, name); err != nil {
				return err
			}
			continue
		}
		has[name.Doc], spaces[name.Space] = true, true
	}
	for id := range spaces {
		if _, err := e.moveAtRest(ctx, id, home); err != nil { // what does not move is still listed, and said to be damaged
			return err
		}
	}
	return e.dropSettings(ctx, func(key []byte) bool {
		return bytes.HasPrefix(key, []byte(keyPurged)) && !bytes.HasPrefix(key, slices.Concat([]byte(keyPurged), home[:]))
	})
}

// leaveOut removes a document from the fork.
func (e *Engine) leaveOut(ctx context.Context, name persist.Name) error {
	key := sync.Key{Space: name.Space, Doc: name.Doc}
	if e.opts.forking != nil {
		e.opts.forking.leftOut = append(e.opts.forking.leftOut, doc.URL{Space: name.Space, Doc: name.Doc})
	}
	e.ward.mu.Lock()
	if p := e.ward.patients[key]; p != nil { // nothing of it is waited for
		p.asides, p.kept = nil, slices.Concat(p.kept, p.asides)
	}
	e.ward.mu.Unlock()
	if err := e.dropAsides(ctx, key); err != nil {
		return err
	}
	if err := e.log.Remove(ctx, name); !errors.Is(err, persist.ErrNotFound) {
		return err
	}
	return nil
}
