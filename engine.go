package tombolo

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	gosync "sync"
	"time"

	"tombolo/doc"
	"tombolo/doc/pack"
	"tombolo/p2p"
	"tombolo/persist"
	"tombolo/persist/badgerstore"
	"tombolo/persist/sealed"
	"tombolo/schema"
	"tombolo/sync"
)

// Engine is this device: its documents, its memberships, and its connections. It owns its directory until Close.
type Engine struct {
	opts     Options
	lock     *dirLock
	store    persist.Store
	log      *persist.Log
	codec    *pack.Codec
	schemas  map[string][]*schema.Schema // by their Apps
	keys     *sealed.Keys                // of a sealed directory, else nil
	identity *p2p.Identity
	node     *p2p.Node // nil when offline

	run    context.Context // ends in Close, once connections and edits under way are done with
	cancel context.CancelFunc
	gate   gosync.Mutex     // between use and Close
	closed chan struct{}    // closed when Close begins
	work   gosync.WaitGroup // what the engine started, and the calls of others it is in
	close  gosync.Once
	failed error // what Close returns

	core     coreState
	mem      memberships
	copied   membersCopy
	box      blackBox
	disk     disk
	ward     ward
	tombs    tombs
	restored restorations

	joining   gosync.Mutex // one Join at a time changes which space is the home
	following gosync.Mutex // one follower of the membership at a time: the network's state is then the newest

	docsMu    gosync.Mutex
	documents map[sync.Key]*document
	ephemeral map[sync.Key]*document // see Never
	resting   []*document            // in memory though nobody uses them, the oldest first

	jobs    gosync.Mutex // guards the queues of all documents
	workers chan struct{}
}

// Files in an engine's directory.
const (
	identityFile = "identity.key"
	lockFile     = "lock"
	boxFile      = "blackbox"
	storeDir     = "store"
)

// Exists reports whether dir holds an engine's data, or what is left of it.
func Exists(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, identityFile))
	return err == nil || usedBefore(dir)
}

// Open starts the engine of a directory, which is made if it is not there: with an identity of its own, and a home space. ctx covers
// the opening only; Close ends what Open began. A Store in opts is the engine's from here on: it is closed when Open fails, too. The
// errors say what to try; an [InUseError] names the process that has the directory.
func Open(ctx context.Context, dir string, opts *Options) (_ *Engine, err error) {
	e := &Engine{
		opts:      opts.withDefaults(),
		codec:     pack.New(),
		closed:    make(chan struct{}),
		documents: map[sync.Key]*document{},
		ephemeral: map[sync.Key]*document{},
		workers:   make(chan struct{}, 2*runtime.GOMAXPROCS(0)),
	}
	e.store, e.schemas = e.opts.Store, schemasByApp(e.opts.Schemas)
	e.run, e.cancel = context.WithCancel(context.Background())
	defer func() {
		if err != nil {
			err = errors.Join(err, e.Close())
		}
	}()
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("open %s: %w", dir, err) // before anything is made
	}
	if err := checkDebug(e.opts.Debug); err != nil {
		return nil, fmt.Errorf("open %s: %w", dir, err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("open %s: %w", dir, err)
	}
	if e.lock, err = lockDir(dir); err != nil {
		return nil, err
	}
	if e.store != nil && e.opts.Unlock != nil {
		return nil, errors.New("Options.Unlock is for the store in the directory: leave it out with Options.Store, and put persist/sealed around that one")
	}
	if e.store == nil {
		if e.keys, err = openKeys(ctx, dir, e.opts.Unlock); err != nil {
			return nil, err
		}
	}
	if err := e.openIdentity(dir); err != nil {
		return nil, err
	}
	if e.store == nil {
		e.copied.dir = dir
		store, err := badgerstore.Open(filepath.Join(dir, storeDir), &badgerstore.Options{Log: e.opts.Log, Node: e.opts.Node})
		if err != nil {
			return nil, fmt.Errorf("open %s: %w", dir, err)
		}
		e.store = store
	}
	if e.keys != nil {
		e.store = sealed.New(e.store, e.keys)
	}
	if e.log, err = persist.OpenLog(ctx, e.store, e.codec); err != nil {
		return nil, fmt.Errorf("open %s: %w", dir, err)
	}
	e.mendKeys() // they are those of this store: it has opened
	if err := e.checkStore(ctx); err != nil {
		return nil, fmt.Errorf("open %s: %w", dir, err)
	}
	if err := e.checkInstance(ctx, dir); err != nil {
		return nil, fmt.Errorf("open %s: %w", dir, err)
	}
	if err := e.openBox(ctx, filepath.Join(dir, boxFile)); err != nil {
		return nil, fmt.Errorf("open %s: %w", dir, err)
	}
	if err := e.openWard(ctx); err != nil {
		return nil, fmt.Errorf("open %s: %w", dir, err)
	}
	if err := e.openMemberships(ctx); err != nil {
		return nil, fmt.Errorf("open %s: %w", dir, err)
	}
	if err := e.finishRenewal(ctx, dir); err != nil {
		return nil, fmt.Errorf("open %s: %w", dir, err)
	}
	if err := keepIdentity(dir); err != nil {
		e.opts.Log.Warn("there is no second copy of this device's identity; the next start tries again", "err", err)
	}
	e.openCore()
	if err := e.openTombs(ctx); err != nil {
		return nil, fmt.Errorf("open %s: %w", dir, err)
	}
	if err := e.openRestorations(ctx); err != nil {
		return nil, fmt.Errorf("open %s: %w", dir, err)
	}
	if err := e.openAcks(ctx); err != nil {
		return nil, fmt.Errorf("open %s: %w", dir, err)
	}
	e.work.Go(e.sweep)
	e.work.Go(e.scrub)
	for _, key := range e.quarantined() { // one may have been whole when the last process ended
		e.enqueue(key, healJob{})
	}
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
	id, err := loadIdentity(path, e.keys)
	if errors.Is(err, p2p.ErrNoIdentity) {
		if usedBefore(dir) {
			return fmt.Errorf("%s has documents and no %s: 'peer doctor --repair' puts back the copy beside it; without one, restore a backup, or move the directory away and join again", dir, identityFile)
		}
		id, err = e.createIdentity(path)
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
		e.gate.Lock()
		close(e.closed)
		e.gate.Unlock()
		e.stopCore()
		if e.node != nil {
			e.failed = e.node.Close()
		}
		if e.log != nil {
			e.failed = errors.Join(e.failed, e.rest())
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
		if e.box.file != nil {
			e.failed = errors.Join(e.failed, e.box.file.Close())
		}
		if e.lock != nil {
			e.failed = errors.Join(e.failed, e.lock.Close())
		}
	})
	return e.failed
}

// use lets a call in that needs the store and may start work: Close waits for it until it ends with e.work.Done. ErrClosed once Close
// has begun.
func (e *Engine) use() error {
	e.gate.Lock()
	defer e.gate.Unlock()
	if err := e.isClosed(); err != nil {
		return err
	}
	e.work.Add(1)
	return nil
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

// Document opens a document by its URL. [ErrNotFound] says that this device does not have it; the error is a [NotYetError] while a device that may
// have it has not been asked. [doc.ParseURL] reads URLs.
func (e *Engine) Document(ctx context.Context, u doc.URL, options ...OpenOption) (*Handle, error) {
	if err := e.use(); err != nil {
		return nil, err
	}
	defer e.work.Done()
	key := sync.Key{Space: u.Space, Doc: u.Doc}
	o := e.opening(options)
	if o.init != nil {
		return nil, errNoInit
	}
	if o.saving.never && e.isEphemeral(key) {
		return e.openAs(ctx, key, o)
	}
	if _, err := e.log.Header(ctx, persist.Name{Space: u.Space, Doc: u.Doc}); err != nil {
		if ill := e.damaged(key); ill != nil {
			return nil, ill
		}
		if errors.Is(err, persist.ErrNotFound) {
			return nil, e.notFound(u)
		}
		if !isDamage(err) {
			return nil, err
		}
	}
	h, err := e.openAs(ctx, key, o)
	if err == nil && !h.exists() { // it was purged since, or moved, or what lies behind its cached value does not read
		if err = e.damaged(key); err == nil {
			err = e.notFound(u)
		}
		return nil, errors.Join(err, h.Close())
	}
	return h, err
}

func (e *Engine) now() time.Time { return e.opts.Now() }
