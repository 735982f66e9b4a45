package tombolo

import (
	"fmt"
	"slices"
	"strings"

	"tombolo/doc"
	"tombolo/p2p"
	"tombolo/sync"
)

// The parts that [Options].Debug has speak.
const (
	debugPersist = "persist" // what is read from the store and written to it
	debugSync    = "sync"    // what is sent to other devices and comes from them
	debugSchema  = "schema"  // the layout that documents have
)

var debugParts = []string{debugPersist, debugSync, debugSchema}

func checkDebug(parts []string) error {
	for _, p := range parts {
		if !slices.Contains(debugParts, p) {
			return fmt.Errorf("there is no part %q to debug: choose among %s", p, strings.Join(debugParts, ", "))
		}
	}
	return nil
}

// debug writes a line of a part, where that was asked for. It never has what documents hold, nor their names.
func (e *Engine) debug(part, line string, attrs ...any) {
	if slices.Contains(e.opts.Debug, part) {
		e.opts.Log.With("part", part).Info(line, attrs...)
	}
}

// debugRead tells of a document that was read.
func (e *Engine) debugRead(full *doc.Doc, bytes int) {
	e.debug(debugPersist, fmt.Sprintf("restored %s, %s from store", full.ID().Short(), bytesText(bytes)))
	if marks, err := full.Marks(); err == nil {
		e.debug(debugSchema, fmt.Sprintf("%s has layout %d", full.ID().Short(), marks.Layout))
	}
}

// debugSync tells of the changes that an event brought from other devices and those that it has sent.
func (e *Engine) debugSync(ev sync.Event, fx sync.Effects) {
	if !slices.Contains(e.opts.Debug, debugSync) {
		return
	}
	tell := func(deed string, n int, key sync.Key, peer sync.PeerID) {
		e.debug(debugSync, fmt.Sprintf("%s %s of %s", deed, bytesText(n), key.Doc.Short()), "peer", p2p.PeerID(peer).Short())
	}
	for _, t := range fx.Take {
		if n := weight(t); n > 0 {
			tell("received", n, t.Key, t.Peer)
		}
	}
	var key sync.Key
	switch ev := ev.(type) {
	case sync.Changed:
		key = ev.Key
	case sync.Took:
		key = ev.Key
	case sync.Found:
		if key = ev.Key; ev.Stand {
			return // a question
		}
	default:
		return
	}
	for _, o := range fx.Send {
		tell("sent", len(o.Frame), key, o.Peer)
	}
}

// bytesText is a number of bytes for people.
func bytesText(n int) string {
	switch {
	case n < 1000:
		return fmt.Sprintf("%d B", n)
	case n < 1_000_000:
		return fmt.Sprintf("%.1f KB", float64(n)/1e3)
	}
	return fmt.Sprintf("%.1f MB", float64(n)/1e6)
}
