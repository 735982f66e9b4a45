package tombolo

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	gosync "sync"
	"time"

	"tombolo/doc"
	"tombolo/doc/pack"
	"tombolo/p2p"
	"tombolo/persist"
	"tombolo/persist/badgerstore"
	"tombolo/sync"
)

// Engine is this device: its documents, its memberships, and its connections. It owns its directory until Close.
type Engine struct {
	opts     Options
	lock     *dirLock
	store    persist.Store
	log      *persist.Log
	codec    *pack.Codec
	identity *p2p.Identity
	node     *p2p.Node // nil when offline

	run    context.Context // ends when Close begins
	cancel context.CancelFunc
	closed chan struct{}
	work   gosync.WaitGroup // everything the engine started
	close  gosync.Once
	failed error // what Close returns

	core coreState
	mem  memberships

	docsMu    gosync.Mutex
	documents map[sync.Key]*document
	resting   []*document // in memory though nobody uses them, the oldest first

	jobs    gosync.Mutex // guards the queues of all documents
	workers chan struct{}
}

// Files in an engine's directory.
const (
	identityFile = "identity.key"
	lockFile     = "lock"
	storeDir     = "store"
)

// Exists reports whether dir holds an engine's data.
func Exists(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, identityFile))
	return err == nil
}

// Open starts the engine of a directory, which is made if it is not there: with an identity of its own, and a home space. ctx covers
// the opening only; Close ends what Open began. The errors say what to try; an [InUseError] names the process that has the directory.
func Open(ctx context.Context, dir string, opts *Options) (_ *Engine, err error) {
	e := &Engine{
		opts:      opts.withDefaults(),
		codec:     pack.New(),
		closed:    make(chan struct{}),
		documents: map[sync.Key]*document{},
		workers:   make(chan struct{}, 2*runtime.GOMAXPROCS(0)),
	}
	e.run, e.cancel = context.WithCancel(context.Background())
	defer func() {
		if err != nil {
			err = errors.Join(err, e.Close())
		}
	}()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("open %s: %w", dir, err)
	}
	if e.lock, err = lockDir(dir); err != nil {
		return nil, err
	}
	if err := e.openIdentity(dir); err != nil {
		return nil, err
	}
	if e.store = e.opts.Store; e.store == nil {
		if e.store, err = badgerstore.Open(filepath.Join(dir, storeDir), &badgerstore.Options{Log: e.opts.Log}); err != nil {
			return nil, fmt.Errorf("open %s: %w", dir, err)
		}
	}
	if e.log, err = persist.OpenLog(ctx, e.store, e.codec); err != nil {
		return nil, fmt.Errorf("open %s: %w", dir, err)
	}
	if err := e.openMemberships(ctx); err != nil {
		return nil, fmt.Errorf("open %s: %w", dir, err)
	}
	e.openCore()
	if err := e.openAcks(ctx); err != nil {
		return nil, fmt.Errorf("open %s: %w", dir, err)
	}
	e.work.Go(e.sweep)
	if !e.opts.Offline {
		if err := e.openNode(ctx); err != nil {
			return nil, err
		}
	}
	return e, nil
}

// openIdentity reads the device's key, or makes it in a directory that has never been used. A directory that has documents and no key
// is not given another: the other devices would not know it.
func (e *Engine) openIdentity(dir string) error {
	path := filepath.Join(dir, identityFile)
	id, err := p2p.LoadIdentity(path)
	if errors.Is(err, p2p.ErrNoIdentity) {
		if _, serr := os.Stat(filepath.Join(dir, storeDir)); serr == nil {
			return fmt.Errorf("%s has documents and no %s: restore that file from a backup, or move the directory away and join again", dir, identityFile)
		}
		id, err = p2p.CreateIdentity(path, e.opts.Rand)
	}
	e.identity = id
	return err
}

func (e *Engine) openNode(ctx context.Context) error {
	node, err := p2p.Start(ctx, p2p.Options{
		Identity:    e.identity,
		Listen:      e.opts.Listen,
		NoDiscovery: e.opts.NoDiscovery,
		Log:         e.opts.Log,
		Now:         e.opts.Now,
		Events: p2p.Events{
			Up:    e.peerUp,
			Frame: e.frame,
			Down:  e.peerDown,
			Sent:  func(p p2p.PeerID, n int) { e.step(sync.Sent{Peer: sync.PeerID(p), N: n}) },
			Addrs: e.remember,
			Pair:  e.pair,
		},
	})
	if err != nil {
		return fmt.Errorf("start the network: %w", err)
	}
	e.node = node // no event comes before the first Allow
	return e.expectMembers(ctx)
}

// Close ends the engine: connections first, then everything under way is made durable, documents are packed, and the store is closed.
// It waits for all of it. A second Close returns what the first did.
func (e *Engine) Close() error {
	e.close.Do(func() {
		close(e.closed)
		e.stopCore()
		if e.node != nil {
			e.failed = e.node.Close()
		}
		if e.log != nil {
			e.rest()
			if err := e.keepAcks(e.run); err != nil {
				e.opts.Log.Warn("what other devices have will be asked for again", "err", err)
			}
		}
		e.cancel()
		e.work.Wait()
		if e.log != nil {
			e.failed = errors.Join(e.failed, e.log.Close())
		}
		if e.store != nil {
			e.failed = errors.Join(e.failed, e.store.Close())
		}
		if e.lock != nil {
			e.failed = errors.Join(e.failed, e.lock.Close())
		}
	})
	return e.failed
}

func (e *Engine) isClosed() error {
	select {
	case <-e.closed:
		return ErrClosed
	default:
		return nil
	}
}

// Self is this device.
func (e *Engine) Self() Device { return Device{Peer: string(e.identity.ID()), Name: e.deviceName()} }

// Addrs are the multiaddrs under which other devices can reach this one; none when offline.
func (e *Engine) Addrs() []string {
	if e.node == nil {
		return nil
	}
	return e.node.Addrs()
}

// Documents that nobody uses any more stay in memory for a while: the next command or message about them is likely near.
const (
	maxResting = 128              // documents with the graph of their changes
	maxFull    = 8                // of these, with the CRDT itself
	restFor    = 30 * time.Second // then a document that was edited is packed and the CRDT is given up
	sweepEvery = 5 * time.Second
)

// document is the engine's one value for a document, in memory or new.
func (e *Engine) document(key sync.Key) *document {
	e.docsMu.Lock()
	defer e.docsMu.Unlock()
	d := e.documents[key]
	if d == nil {
		d = &document{e: e, key: key, watchers: map[*watcher]struct{}{}}
		e.documents[key] = d
	}
	if i := slices.Index(e.resting, d); i >= 0 {
		e.resting = slices.Delete(e.resting, i, i+1)
	}
	return d
}

// idle is called, with d locked, when something in d has ended: when nothing is left that needs it, it may leave the memory.
func (e *Engine) idle(d *document) {
	e.docsMu.Lock()
	defer e.docsMu.Unlock()
	if !e.unused(d) || slices.Contains(e.resting, d) {
		return
	}
	d.rested = e.now()
	if e.resting = append(e.resting, d); len(e.resting) > maxResting {
		delete(e.documents, e.resting[0].key)
		e.resting = e.resting[1:]
	}
}

// unused reports that nothing needs d to stay in memory. Called with d and docsMu locked.
func (e *Engine) unused(d *document) bool {
	e.jobs.Lock()
	defer e.jobs.Unlock()
	return !d.working && len(d.jobs) == 0 && !d.saving && d.handles == 0 && e.documents[d.key] == d
}

// sweep packs documents that have gone quiet and gives up their CRDTs.
func (e *Engine) sweep() {
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	for {
		select {
		case <-e.closed:
			return
		case <-tick.C:
		}
		for _, d := range e.quiet() {
			d.rest(e.run)
			d.unload()
		}
		if err := e.keepAcks(e.run); err != nil && e.run.Err() == nil {
			e.opts.Log.Warn("the status of other devices is kept in memory only", "err", err)
		}
	}
}

// quiet are the documents whose CRDT has rested long enough, or is one too many.
func (e *Engine) quiet() []*document {
	e.docsMu.Lock()
	defer e.docsMu.Unlock()
	full := slices.DeleteFunc(slices.Clone(e.resting), func(d *document) bool { return !d.loaded.Load() })
	n := max(0, len(full)-maxFull)
	for n < len(full) && e.now().Sub(full[n].rested) >= restFor {
		n++
	}
	return full[:n]
}

// tidy has a document packed, beside its other work.
func (e *Engine) tidy(d *document) { d.enqueue(tidyJob{}) }

// rest makes what is under way durable and packs what is loose, before the engine closes.
func (e *Engine) rest() {
	e.docsMu.Lock()
	all := make([]*document, 0, len(e.documents))
	for _, d := range e.documents {
		all = append(all, d)
	}
	e.docsMu.Unlock()
	for _, d := range all {
		d.rest(e.run)
	}
}

// Document opens a document by its URL. [ErrNotFound] says that this device does not have it (yet); [doc.ParseURL] reads URLs.
func (e *Engine) Document(ctx context.Context, u doc.URL) (*Handle, error) {
	if err := e.isClosed(); err != nil {
		return nil, err
	}
	key := sync.Key{Space: u.Space, Doc: u.Doc}
	if _, err := e.log.Header(ctx, persist.Name{Space: u.Space, Doc: u.Doc}); err != nil {
		if errors.Is(err, persist.ErrNotFound) {
			return nil, fmt.Errorf("%s: %w", u, ErrNotFound)
		}
		return nil, err
	}
	return e.open(ctx, key)
}

func (e *Engine) now() time.Time { return e.opts.Now() }
