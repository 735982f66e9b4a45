package tombolo

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"tombolo/doc"
	"tombolo/doc/pack"
	"tombolo/p2p"
	"tombolo/persist"
	"tombolo/persist/badgerstore"
	"tombolo/persist/sealed"
)

// Severity says how much a Finding matters.
type Severity string

const (
	SeverityNote    Severity = "note"    // nothing is missing; good to know, or mended by the next start
	SeverityProblem Severity = "problem" // something does not read, or is gone
)

// Finding is one thing that is not as it should be. Its texts are sentences for people.
type Finding struct {
	Severity Severity `json:"severity"`
	Where    string   `json:"where"` // a file of the directory, or a document's URL
	What     string   `json:"what"`
	Do       string   `json:"do,omitempty"` // what to do about it
}

// Diagnosis is the outcome of [Examine] and [Repair].
type Diagnosis struct {
	Sound     bool      `json:"sound"`     // nothing was found but notes
	Documents int       `json:"documents"` // that were read and compared with their headers
	Findings  []Finding `json:"findings"`
	Repaired  []string  `json:"repaired,omitempty"` // what Repair did, in sentences
}

// Attending hears of an examination while it goes on. Both functions may be nil; they are called one at a time.
type Attending struct {
	Found    func(Finding)
	Progress func(done, total uint64) // documents
}

// Examine checks everything in the directory of a device that no engine has open, an [InUseError] otherwise: the identity, the files beside the
// store, the store, its settings, and every document, which is read whole and compared with its header. It changes no record; the store is opened
// as every start opens it, and is not opened where that would lose something. opts is as for [Open], for Unlock, Log and App.
//
// Damage is a Finding and no error. Errors: ErrSealed and those of Options.Unlock, *persist.TooNewError for a store of a newer version, and ctx's.
func Examine(ctx context.Context, dir string, opts *Options, at Attending) (Diagnosis, error) {
	o := opts.withDefaults()
	x := newExaminer(at)
	if !Exists(dir) {
		return x.Diagnosis, fmt.Errorf("there is no device in %s", dir)
	}
	lock, err := lockDir(dir)
	if err != nil {
		return x.Diagnosis, err
	}
	err = x.examineDir(ctx, dir, o)
	return x.done(), errors.Join(err, lock.Close())
}

// Examine is the function of that name for the directory of this engine, beside its work: the store is open, so what would keep it from opening
// is not looked at.
func (e *Engine) Examine(ctx context.Context, at Attending) (Diagnosis, error) {
	if err := e.use(); err != nil {
		return Diagnosis{}, err
	}
	defer e.work.Done()
	ctx, end := e.until(ctx)
	defer end()
	x := newExaminer(at)
	if e.copied.dir != "" {
		x.examineMembers(e.copied.dir, e.keys)
		x.examineLeftovers(e.copied.dir)
	}
	if err := x.checkStore(ctx, e.store); err != nil {
		return x.done(), cause(ctx, err)
	}
	err := x.examineLog(ctx, e.log, e.opts)
	return x.done(), cause(ctx, err)
}

// examiner gathers what is found.
type examiner struct {
	Diagnosis
	at Attending
}

func newExaminer(at Attending) *examiner {
	return &examiner{Diagnosis: Diagnosis{Findings: []Finding{}}, at: at}
}

func (x *examiner) find(s Severity, where, what, do string) {
	f := Finding{Severity: s, Where: where, What: what, Do: do}
	x.Findings = append(x.Findings, f)
	if x.at.Found != nil {
		x.at.Found(f)
	}
}

func (x *examiner) done() Diagnosis {
	x.Sound = true
	for _, f := range x.Findings {
		x.Sound = x.Sound && f.Severity != SeverityProblem
	}
	return x.Diagnosis
}

const (
	doRepair = "run 'peer doctor --repair', then 'peer run' beside a device that has the same documents"
	doStart  = "nothing: the next start writes it again"
)

// examineDir looks at everything, from the outside to the inside.
func (x *examiner) examineDir(ctx context.Context, dir string, o Options) error {
	if o.Store != nil {
		return errors.New("Examine is for the store in the directory, not for Options.Store")
	}
	keys, err := openKeys(ctx, dir, o.Unlock)
	if err != nil {
		return err
	}
	x.examineKeys(keys)
	x.examineIdentity(dir, keys)
	x.examineBox(dir)
	x.examineMembers(dir, keys)
	x.examineLeftovers(dir)
	path := filepath.Join(dir, storeDir)
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
		x.find(SeverityProblem, storeDir, "the store with all documents is gone",
			"run 'peer run' beside a device that has the documents: it begins with an empty store, and they come back; or restore a backup")
		return nil
	}
	var w warnings
	o.Log = slog.New(said{o.Log.Handler(), &w})
	open, err := openForReading(ctx, path, keys, o)
	if isBroken(err) {
		x.find(SeverityProblem, storeDir, fmt.Sprintf("the store does not open: %v", err), doRepair)
		return nil
	}
	if err != nil {
		return err
	}
	if err = x.checkStore(ctx, open.store); err == nil {
		x.examineSaid(&w)
		x.examineInstance(ctx, dir, keys, open.log)
		err = x.examineLog(ctx, open.log, o)
	}
	if err == nil {
		err = x.examineOrphans(ctx, open.log)
	}
	return errors.Join(err, open.Close())
}

// readStore is a store that is open, with its log, of which no record is written.
type readStore struct {
	store persist.Store
	log   *persist.Log
}

func (r readStore) Close() error { return errors.Join(r.log.Close(), r.store.Close()) }

func openForReading(ctx context.Context, path string, keys *sealed.Keys, o Options) (readStore, error) {
	inner, err := badgerstore.Open(path, &badgerstore.Options{Log: o.Log})
	if err != nil {
		return readStore{}, err
	}
	store := sealedWith(keys, inner)
	log, err := persist.OpenLog(ctx, unwritten{store}, pack.New())
	if err != nil {
		return readStore{}, errors.Join(err, store.Close())
	}
	return readStore{store, log}, nil
}

// unwritten is a store that takes no writes.
type unwritten struct{ persist.Store }

var errUnwritten = errors.New("the store is empty, or a part of it is gone")

func (unwritten) Apply(context.Context, *persist.Batch) error { return errUnwritten }

// isBroken tells a store that is damaged from one that is in use, newer, sealed, or on a full disk.
func isBroken(err error) bool {
	_, newer := errors.AsType[*persist.TooNewError](err)
	switch {
	case err == nil, newer, errors.Is(err, persist.ErrLocked), errors.Is(err, persist.ErrNoSpace), errors.Is(err, persist.ErrSealed),
		errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return false
	}
	return true
}

func (x *examiner) checkStore(ctx context.Context, store persist.Store) error {
	can, ok := store.(interface{ Check(context.Context) error })
	if !ok {
		return nil
	}
	err := can.Check(ctx)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		x.find(SeverityProblem, storeDir, err.Error(), doRepair+"; --repair also takes note that you know")
	}
	return nil
}

func (x *examiner) examineIdentity(dir string, keys *sealed.Keys) {
	_, err := loadIdentity(filepath.Join(dir, identityFile), keys)
	_, cerr := loadIdentity(filepath.Join(dir, identityCopyFile), keys)
	if errors.Is(err, p2p.ErrNoIdentity) {
		err = errMissing // and not one that says to make a new device
	}
	switch {
	case err != nil && cerr == nil:
		x.find(SeverityProblem, identityFile, fmt.Sprintf("the identity of this device cannot be used: %v", err),
			"run 'peer doctor --repair', which puts back the copy of it")
	case err != nil:
		x.find(SeverityProblem, identityFile, fmt.Sprintf("the identity of this device cannot be used, and there is no good copy of it: %v", err),
			"restore it from a backup; without one, the documents can be moved to a new device only by another member")
	case cerr != nil:
		x.find(SeverityNote, identityCopyFile, "the second copy of the identity is missing or damaged", doStart)
	}
}

var errMissing = errors.New("the file is missing")

// examineInstance says of a copy that it is one, which the next start asks about.
func (x *examiner) examineInstance(ctx context.Context, dir string, keys *sealed.Keys, log *persist.Log) {
	mark, _, err := readSetting[instanceRecord](ctx, log.Settings(), keyInstance)
	identity, ierr := loadIdentity(filepath.Join(dir, identityFile), keys)
	if err != nil || ierr != nil || mark.Peer != string(identity.ID()) {
		return // a finding of its own, or another device's store
	}
	if here, err := places(dir, mark.Salt); err == nil && mark.elsewhere(here) {
		x.find(SeverityNote, identityFile, (&CopiedError{Dir: dir}).Error(), "'peer run --moved', or 'peer run --as-new-device'")
	}
}

// examineBox looks at the notes about Automerge's core, as far as can be said without opening them.
func (x *examiner) examineBox(dir string) {
	b, err := readUpTo(filepath.Join(dir, boxFile), 1<<20)
	switch {
	case errors.Is(err, os.ErrNotExist):
		x.find(SeverityNote, boxFile, "the notes on what Automerge's core was reading are gone", doStart)
		return
	case err != nil:
		x.find(SeverityNote, boxFile, fmt.Sprintf("the notes on what Automerge's core was reading do not read: %v", err), doStart)
		return
	}
	const slot = 512
	for len(b) > 0 {
		if n := min(slot, len(b)); b[0] > 1 || n < slot {
			x.find(SeverityNote, boxFile, "the notes on what Automerge's core was reading are damaged", doStart)
			return
		}
		if b[0] == 1 {
			x.find(SeverityNote, boxFile, "the last process ended while Automerge's core was reading a document", "nothing: those bytes are kept from the core")
			return
		}
		b = b[slot:]
	}
}

func (x *examiner) examineMembers(dir string, keys *sealed.Keys) {
	r, err := readMembersFile(dir, keys)
	if err == nil {
		_, err = r.spaces()
	}
	if errors.Is(err, os.ErrNotExist) {
		x.find(SeverityNote, membersFile, "the copy of this device's memberships is missing", doStart)
	} else if err != nil {
		x.find(SeverityNote, membersFile, fmt.Sprintf("the copy of this device's memberships does not read: %v", err), doStart)
	}
}

// examineLeftovers looks for stores that were put aside.
func (x *examiner) examineLeftovers(dir string) {
	if isDir(filepath.Join(dir, salvageDir)) {
		x.find(SeverityNote, salvageDir, "a repair was interrupted", "run 'peer doctor --repair' again, which removes this")
	}
	for _, d := range putAside(dir) {
		switch story := d.story(); {
		case d.salvaged():
			x.find(SeverityNote, d.name, "what was put aside because it did not read is kept", "run 'peer run' beside a device that has what is missing, or restore that from a backup; remove this when every document is as it should be")
		case story != "":
			x.find(SeverityProblem, d.name, "an earlier start found: "+story, doRepair)
		default:
			x.find(SeverityProblem, d.name, "this was put aside because it did not read, and has not been searched for what still does", doRepair)
		}
	}
}

// quarantineFinding says what a quarantined document waits for.
func quarantineFinding(u doc.URL, why string) Finding {
	return Finding{
		Severity: SeverityProblem, Where: u.String(), What: "the document is quarantined: " + why,
		Do: "run 'peer run' beside a device that has it: it heals; or restore it from a backup; or go on with what could be read: 'peer doctor --repair --accept " +
			u.String() + "'",
	}
}
