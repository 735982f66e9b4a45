package tombolo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/fxamacker/cbor/v2"

	"tombolo/doc"
	"tombolo/persist"
	"tombolo/persist/sealed"
	"tombolo/sync"
)

func sealedWith(keys *sealed.Keys, inner persist.Store) persist.Store {
	if keys == nil {
		return inner
	}
	return sealed.New(inner, keys)
}

// examineLog reads all that a log has. Caches are not looked at: they are used only where they give what the header says.
func (x *examiner) examineLog(ctx context.Context, log *persist.Log, o Options) error {
	if err := x.examineSettings(ctx, log.Settings()); err != nil {
		return err
	}
	waiting, err := x.examineAsides(ctx, log)
	if err != nil {
		return err
	}
	var names []persist.Name
	for name := range log.Docs() {
		names = append(names, name)
	}
	for i, name := range names {
		if x.at.Progress != nil {
			x.at.Progress(uint64(i), uint64(len(names)))
		}
		if waiting[sync.Key{Space: name.Space, Doc: name.Doc}] {
			continue // what it has by now is known to be a part
		}
		if err := x.examineDocument(ctx, log, name, o); err != nil {
			return err
		}
	}
	if x.at.Progress != nil {
		x.at.Progress(uint64(len(names)), uint64(len(names)))
	}
	return nil
}

// examineOrphans looks for records that belong to no document. In a store that is written to meanwhile, those of a new document would look like it.
func (x *examiner) examineOrphans(ctx context.Context, log *persist.Log) error {
	orphans, err := log.Orphans(ctx)
	if n := len(orphans); n > 0 {
		x.find(SeverityNote, storeDir, fmt.Sprintf("there are records of %s whose headers are gone", number(n, "document")),
			"if documents are missing: 'peer doctor --repair' finds out whose they are, where another device knows those documents")
	}
	return err
}

var errRecord = errors.New("it is damaged, or of a newer version")

// examineSettings looks whether the engine's records read, those whose form this version knows.
func (x *examiner) examineSettings(ctx context.Context, settings persist.Settings) error {
	home := false
	for entry, err := range settings.List(ctx, nil) {
		if err != nil {
			return err
		}
		word, _, _ := bytes.Cut(entry.Key, []byte("/"))
		where := storeDir + ": " + fmt.Sprintf("%q", word)
		home = home || bytes.Equal(entry.Key, keyHome)
		var lost lostRecord
		if bytes.Equal(entry.Key, keyLost) && decodeRecord(entry.Value, &lost) == nil {
			x.find(SeverityProblem, storeDir, fmt.Sprintf("at a start on %s the store was empty, or had lost memberships: documents may be missing",
				time.UnixMilli(lost.Since).Local().Format("2006-01-02 15:04")), "run 'peer run' beside the other devices, which bring the documents back; "+
				"'peer doctor --repair' takes note that you know")
		}
		err = entry.Err
		switch {
		case err != nil:
		case len(entry.Value) == 0 || entry.Value[0] != codecCBOR:
			err = errRecord
		case bytes.HasPrefix(entry.Key, []byte(keySpace)):
			_, err = openSpace(entry)
		default:
			err = cbor.Wellformed(entry.Value[1:])
		}
		if err == nil {
			continue
		}
		if isOwnSetting(entry.Key) || bytes.HasPrefix(entry.Key, []byte(keyAddrs)) {
			x.find(SeverityNote, where, fmt.Sprintf("a record does not read: %v", err), "nothing: it is asked for, or made, again")
		} else {
			x.find(SeverityProblem, where, fmt.Sprintf("a record does not read: %v", err), doRepair)
		}
	}
	if !home {
		x.find(SeverityProblem, storeDir, "the store does not say which space is this device's home", doRepair)
	}
	return nil
}

// examineAsides looks at documents that were set aside, and gives those that wait for what they lack.
func (x *examiner) examineAsides(ctx context.Context, log *persist.Log) (map[sync.Key]bool, error) {
	waiting := map[sync.Key]bool{}
	said := map[sync.Key]bool{}
	for a, err := range log.Asides(ctx) {
		if err != nil {
			return nil, err
		}
		key := sync.Key{Space: a.Name.Space, Doc: a.Name.Doc}
		if said[key] {
			continue
		}
		said[key] = true
		u := doc.URL{Space: key.Space, Doc: key.Doc}
		r, bad, err := readSetting[damageRecord](ctx, log.Settings(), damagedKey(key))
		if err != nil {
			return nil, err
		}
		switch {
		case r.Healed:
			x.find(SeverityNote, u.String(), "the document was damaged and is accepted as it is; what did not read is kept", "")
		case bad != nil || r.Why == "":
			x.report(quarantineFinding(u, "its records do not read"))
		default:
			x.report(quarantineFinding(u, r.Why))
		}
		waiting[key] = !r.Healed
	}
	return waiting, nil
}

func (x *examiner) report(f Finding) { x.find(f.Severity, f.Where, f.What, f.Do) }

// examineTries is how often a document is read that does not fit its header and is written to meanwhile.
const examineTries = 5

// examineDocument reads a document and compares it with its header. Where an engine writes to it meanwhile, it may be read again.
func (x *examiner) examineDocument(ctx context.Context, log *persist.Log, name persist.Name, o Options) error {
	u := doc.URL{Space: name.Space, Doc: name.Doc}
	for try := 1; ; try++ {
		before, herr := log.Header(ctx, name)
		err := herr
		if err == nil {
			err = compareDocument(ctx, log, name, before, o)
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if errors.Is(err, persist.ErrNotFound) {
			return nil // it moved or went while we looked
		}
		if after, aerr := log.Header(ctx, name); err != nil && herr == nil && aerr == nil && after.Last != before.Last && try < examineTries {
			continue
		}
		x.Documents++
		if newer, ok := errors.AsType[*persist.TooNewError](err); ok {
			x.find(SeverityNote, u.String(), "the document was written by a newer version: "+newer.Error(), "update this program")
		} else if err != nil {
			x.find(SeverityProblem, u.String(), fmt.Sprintf("the document does not read: %v", err),
				"run 'peer doctor --repair': it is set aside, what can be read is kept, and the rest comes from a device that has it")
		}
		return nil
	}
}

// compareDocument rebuilds a document and says what is wrong with it.
func compareDocument(ctx context.Context, log *persist.Log, name persist.Name, h persist.Header, o Options) (err error) {
	var changes [][]byte
	for raw, err := range log.Changes(ctx, name, 1) {
		if err != nil {
			return err
		}
		if changes = append(changes, raw); uint64(len(changes)) == h.Last {
			break // what came since is behind it
		}
	}
	full, err := doc.Load(name.Doc, changes, o.Rand)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, full.Close()) }()
	heads := full.Graph().Heads()
	switch {
	case uint64(full.Graph().Len()) != h.Last || !slices.Equal(heads, hashes(h.Heads)):
		return errors.New("its changes do not lead to the heads in its header")
	case doc.HeadsHash(name.Doc, heads) != h.HeadsHash:
		return errors.New("its header contradicts itself")
	}
	_, err = decodeMeta(h.Meta)
	return err
}

// number is a number with its noun.
func number(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
