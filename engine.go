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

	run    context.Context // ends in Close, once connections and edits under way are done with
	cancel context.CancelFunc
	gate   gosync.Mutex     // between use and Close
	closed chan struct{}    // closed when Close begins
	work   gosync.WaitGroup // what the engine started, and the calls of others it is in
	close  gosync.Once
	failed error // what Close returns

	core coreState
	mem  memberships
	box  blackBox
	disk disk
	ward ward

	joining   gosync.Mutex // one Join at a time changes which space is the home
	following gosync.Mutex // one follower of the membership at a time: the network's state is then the newest

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
	boxFile      = "blackbox"
	storeDir     = "store"
)

// Exists reports whether dir holds an engine's data.
func Exists(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, identityFile))
	return err == nil
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
		workers:   make(chan struct{}, 2*runtime.GOMAXPROCS(0)),
	}
	e.store = e.opts.Store
	e.run, e.cancel = context.WithCancel(context.Background())
	defer func() {
		if err != nil {
			err = errors.Join(err, e.Close())
		}
	}()
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("open %s: %w", dir, err) // before anything is made
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("open %s: %w", dir, err)
	}
	if e.lock, err = lockDir(dir); err != nil {
		return nil, err
	}
	if err := e.openIdentity(dir); err != nil {
		return nil, err
	}
	if e.store == nil {
		if e.store, err = badgerstore.Open(filepath.Join(dir, storeDir), &badgerstore.Options{Log: e.opts.Log}); err != nil {
			return nil, fmt.Errorf("open %s: %w", dir, err)
		}
	}
	if e.log, err = persist.OpenLog(ctx, e.store, e.codec); err != nil {
		return nil, fmt.Errorf("open %s: %w", dir, err)
	}
	if err := e.checkStore(ctx); err != nil {
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
		e.gate.Lock()
		close(e.closed)
		e.gate.Unlock()
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

// Document opens a document by its URL. [ErrNotFound] says that this device does not have it (yet); [doc.ParseURL] reads URLs.
func (e *Engine) Document(ctx context.Context, u doc.URL) (*Handle, error) {
	if err := e.use(); err != nil {
		return nil, err
	}
	defer e.work.Done()
	key := sync.Key{Space: u.Space, Doc: u.Doc}
	if _, err := e.log.Header(ctx, persist.Name{Space: u.Space, Doc: u.Doc}); err != nil {
		if ill := e.damaged(key); ill != nil {
			return nil, ill
		}
		if errors.Is(err, persist.ErrNotFound) {
			return nil, fmt.Errorf("%s: %w", u, ErrNotFound)
		}
		if !isDamage(err) {
			return nil, err
		}
	}
	return e.open(ctx, key)
}

func (e *Engine) now() time.Time { return e.opts.Now() }
