package schema

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"

	"tombolo/doc"
)

// Plain is the versions of a kind of document as plain Go code: for each a function that makes its data of the data of the version before. It is for
// applications that keep one value and want a `switch version` rather than a [Schema]. A Plain does not change, and is safe for concurrent use.
//
//	var notes, err = schema.NewPlain("com.example.notes",
//		schema.PlainVersion{Number: 1, Load: fromLegacy},
//		schema.PlainVersion{Number: 2, Load: twoOfOne, Save: checkTwo},
//	)
//	h := notes.Open(handle)
//	v, report, err := h.Load() // v is what version 2 has, whatever is stored
//	err = h.Save(ctx, changed)
//
// Each version keeps its data in a place of its own. Loading reads the newest place that this program knows and converts; it writes nothing. The first save by
// a version copies what it converted into its own place and writes there what the save changed; later saves write what differs. Places of older
// versions stay as they are. From the first save by version n on, older versions are read-only: they show what is in their own place, or
// nothing. What they wrote nevertheless, on a device that had not heard of it, is a [LateEdit].
//
// Two devices that upgrade the same data apart make the same copy, by the same change: they go on with the same texts and lists. Where their data differed
// there are two copies; one counts, the same on all devices, and what was written to the other one is a LateEdit, too.
//
// The limits: a copy must fit one change (16 MiB, a million values, elements and characters). Each version adds the data and its JSON to the
// document. Code from before all versions that writes the whole root as a map removes what it does not know, and so these places, which
// [PlainReport] says; a struct does not.
type Plain struct {
	app      string
	versions []PlainVersion // version n is at n-1
}

// PlainVersion is one version of the data. Data is in Go form: what package doc reads, such as map[string]any, []any, string, [doc.Text] and int64; see
// [PlainAs] for structs. Functions that were released must not change: the next version corrects them.
type PlainVersion struct {
	Number int
	// Load makes this version's data of the version before's. For version 1 that is what stands in the document's root as a map[string]any, from before
	// there were versions; nil for nothing. It gets memory of its own and runs twice: it must give the same each time and on every device, so no
	// clock, no random numbers, no map order. env has what it may use instead.
	Load func(env *PlainEnv, older any) (any, error)
	// Save, if not nil, makes what is stored of what the application gave: it checks, and puts in order. Load of the next version gets that.
	Save func(env *PlainEnv, value any) (any, error)
	// Detect, for version 1 alone, says whether a root that is not empty is data of this application. Without it, it is.
	Detect func(root map[string]any) bool
}

// PlainEnv is what a function may know besides its argument. It is the same on all devices.
type PlainEnv struct {
	Doc     doc.ID
	Version int // of the function
}

// NewID is an ID of 20 characters that follows from document, version and parts: the same on every device, for things that a new version
// gives an ID. Parts say what is to have it: rather what it is called than where it stands, since an old list that is edited late has others in these places.
func (e *PlainEnv) NewID(parts ...string) string {
	all := [][]byte{e.Doc[:], binary.BigEndian.AppendUint32(nil, uint32(e.Version))}
	for _, p := range parts {
		all = append(all, []byte(p))
	}
	sum := plainDigest("tombolo plain id 1", all...)
	return plainLetters.EncodeToString(sum[:])[:20]
}

var plainLetters = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// plainDigest is SHA-256 over a purpose and parts, each after its length.
func plainDigest(purpose string, parts ...[]byte) [32]byte {
	h := sha256.New()
	for _, p := range append([][]byte{[]byte(purpose)}, parts...) {
		h.Write(binary.AppendUvarint(nil, uint64(len(p))))
		h.Write(p)
	}
	return [32]byte(h.Sum(nil))
}

// NewPlain declares the versions of an application's documents. They are numbered from 1 without gaps, and each has a Load.
func NewPlain(app string, versions ...PlainVersion) (*Plain, error) {
	if len(versions) == 0 {
		return nil, errors.New("plain versions: there are none; begin with version 1")
	}
	for i, v := range versions {
		switch {
		case v.Number != i+1:
			return nil, fmt.Errorf("plain version %d: it stands where version %d belongs; number them from 1 without gaps, and keep old ones", v.Number, i+1)
		case v.Load == nil:
			return nil, fmt.Errorf("plain version %d: it has no Load; one that gives back its argument keeps the data as it is", v.Number)
		case v.Detect != nil && v.Number != 1:
			return nil, fmt.Errorf("plain version %d: Detect belongs to version 1, which loads data without a version", v.Number)
		}
	}
	return &Plain{app, append([]PlainVersion(nil), versions...)}, nil
}

// App is the application whose documents these are.
func (p *Plain) App() string { return p.app }

// Newest is the version that this program reads and writes.
func (p *Plain) Newest() int { return len(p.versions) }

// At is p as an older program has it, for tests. It panics where there is no such version, as slices do.
func (p *Plain) At(version int) *Plain {
	if version < 1 || version > len(p.versions) {
		panic(fmt.Sprintf("schema: there is no plain version %d, only 1 to %d", version, len(p.versions)))
	}
	return &Plain{p.app, p.versions[:version:version]}
}

// PlainReport is what reading found besides the value.
type PlainReport struct {
	Version int        // whose place the data was read from: 0 for data without a version, or none
	Late    []LateEdit // what was written elsewhere and is not in the data; by version and place
	Future  int        // the newest version above this program's that wrote; 0 for none. The document is then read-only here
	// Removed is the newest version whose place somebody removed, or most of what is in it, while no place of it or of a later one counts; 0 for none. The data
	// is then older than what that version had: a version of the document from before has it, see [doc.Doc.Revert]. Of a document whose value is shown before its
	// changes are read, it is 0 until they are.
	Removed int
}

// Load reads the data of the newest version. It is a pure read: through a document that was never saved by this version it goes through all functions from
// the stored version on. Errors are a [PlainError] of a function, a [VersionError] where only newer versions have data, and [ErrNotOurs].
func (p *Plain) Load(d Document) (any, PlainReport, error) {
	id, root, gone, err := p.read(d)
	if err != nil {
		return nil, PlainReport{}, err
	}
	return p.load(id, root, gone)
}

func (p *Plain) load(id doc.ID, root map[string]any, gone []string) (any, PlainReport, error) {
	r := plainReader{p, id, plainPlacesOf(root)}
	report := PlainReport{Future: r.future()}
	at, value, err := r.current()
	if err != nil {
		return nil, report, err
	}
	report.Version, report.Removed = at.version, r.removed(gone, at)
	if report.Late, err = r.late(at); err != nil {
		return nil, report, err
	}
	return value, report, nil
}

// read copies what a document holds, so that no function of the application runs while it is locked. gone are the names
// of places that were removed.
func (p *Plain) read(d Document) (id doc.ID, root map[string]any, gone []string, err error) {
	var whole any
	err = d.Content(func(c doc.Content) error {
		id = c.ID
		if err := p.ours(c); err != nil {
			return err
		}
		gone = plainGone(c)
		whole, err = plainTree(c.Root)
		return err
	})
	if err != nil {
		return id, nil, nil, err
	}
	root, _ = whole.(map[string]any)
	return id, root, gone, nil
}

func (p *Plain) ours(c doc.Content) error {
	if app := c.Marks().App; app != p.app {
		return fmt.Errorf("%w: it is of %q, this program reads %q", ErrNotOurs, app, p.app)
	}
	return nil
}

// ErrPlainLoading says that a document cannot be saved yet: see [PlainHandle.Save].
var ErrPlainLoading = errors.New("the document has not been loaded: call Load, wait for it, and save what follows from what it gave")

// ErrPlainFailed says that a document cannot be saved since loading it failed: what is stored is more than this program could read.
var ErrPlainFailed = errors.New("the document could not be loaded, so saving would write over what is stored: load it again, or update this program")

// PlainError says which function of which version failed. It is an [ErrStep].
type PlainError struct {
	Version int
	Func    string // "Load", "Save" or "Detect"
	Err     error  // what it returned, or its panic
}

func (e *PlainError) Error() string {
	return fmt.Sprintf("%v: %s of plain version %d: %v; nothing was written", ErrStep, e.Func, e.Version, strings.TrimSpace(e.Err.Error()))
}

// Unwrap gives [ErrStep] and what the function returned.
func (e *PlainError) Unwrap() []error { return []error{ErrStep, e.Err} }
