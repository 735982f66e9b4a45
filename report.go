package tombolo

import "time"

// Source is where an opened document came from.
type Source string

// The sources of a document.
const (
	Created   Source = "created" // this Open made it
	FromStore Source = "store"   // it was on this device's disk
	FromPeer  Source = "peer"    // another device sent it while Open waited
)

// OpenReport says what opening a document found. It is of the moment of opening, and does not change.
type OpenReport struct {
	Source  Source        `json:"source"`
	Bytes   int           `json:"bytes"`          // of its changes, without compression; of the value where Cached
	Changes int           `json:"changes"`        // in its history
	App     string        `json:"app,omitempty"`  // from its marks
	Name    string        `json:"name,omitempty"` // from its marks
	Took    time.Duration `json:"took"`           // from the call to its end, in nanoseconds
	Cached  bool          `json:"cached"`         // its value was on disk, and the changes are read behind it
}

// Report is what opening the document with this handle found.
func (h *Handle) Report() OpenReport {
	d := h.lock()
	defer d.mu.Unlock()
	return h.report
}

// report is what a handle being opened finds. Called with mu held.
func (d *document) report(begun time.Time) OpenReport {
	return OpenReport{
		Source: FromStore, Bytes: d.bytes, Changes: d.durable, App: d.meta.App, Name: d.meta.Name, Took: time.Since(begun), Cached: d.value != nil,
	}
}

// reported brings the report of a handle up to what its opening came to in the end. existed says that the document was on disk before.
func (h *Handle) reported(begun time.Time, existed, made bool) {
	d := h.lock()
	defer d.mu.Unlock()
	switch {
	case existed:
		h.report.Took = time.Since(begun)
	case made:
		h.report = d.report(begun)
		h.report.Source = Created
	default: // it came meanwhile
		h.report = d.report(begun)
		if d.fromPeer {
			h.report.Source = FromPeer
		}
	}
}
