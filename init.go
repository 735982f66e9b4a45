package tombolo

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"tombolo/doc"
	"tombolo/space"
	"tombolo/sync"
)

// Init writes what a named document begins with. It is an option of [Space.Open], and runs only where neither this device nor a connected one has the
// document: Open waits until all connected devices have said what they have of the space, for as long as ctx allows.
//
// What it writes is one change that follows from the document and from what is written, so that devices that run it apart give each item once. With
// another version of the code that writes something else, both are in the document. So it must write the same on every device: random values and times
// of now are errors, as far as they can be told. See [doc.Init].
type Init func(*doc.Tx) error

func (i Init) open(o *opening) { o.init = i }

// NotYetError reports a document that this device does not have and another one may have: those that have not been asked, because they are not
// connected or because that takes its time. It is an [ErrNotFound], too.
type NotYetError struct {
	URL     doc.URL
	Unasked []Device
}

func (e *NotYetError) Error() string {
	names := make([]string, len(e.Unasked))
	for i, d := range e.Unasked {
		if names[i] = d.Name; d.Name == "" {
			names[i] = d.Peer
		}
	}
	return fmt.Sprintf("%s: %v yet; not asked so far: %s", e.URL, ErrNotFound, strings.Join(names, ", "))
}

// Unwrap gives [ErrNotFound].
func (e *NotYetError) Unwrap() error { return ErrNotFound }

// notFound is the error about a document that is not here.
func (e *Engine) notFound(u doc.URL) error {
	away, waiting := e.unasked(sync.Key{Space: u.Space, Doc: u.Doc})
	if devices := append(away, waiting...); len(devices) > 0 {
		return &NotYetError{URL: u, Unasked: devices}
	}
	return fmt.Errorf("%s: %w", u, ErrNotFound)
}

// unasked are the other devices that may have a document and have not said so: those that are not connected, and those that are about to say.
func (e *Engine) unasked(key sync.Key) (away, waiting []Device) {
	connected := e.connected()
	for _, m := range e.members(key.Space) {
		if m.Peer == e.Self().Peer || m.Role == space.Reader.String() {
			continue
		}
		e.core.mu.Lock()
		answer := e.core.core.Answered(sync.PeerID(m.Peer), key)
		e.core.mu.Unlock()
		switch {
		case answer == sync.Waiting, answer == sync.Away && connected[m.Peer]: // the connection is older than its session
			waiting = append(waiting, m.Device)
		case answer != sync.Given:
			away = append(away, m.Device)
		}
	}
	return away, waiting
}

// initial is what a document begins with that connected devices do not have; nothing where one of them brought it.
func (h *Handle) initial(ctx context.Context, n newDocument) ([][]byte, error) {
	if err := h.askAll(ctx); err != nil {
		return nil, err
	}
	if h.exists() {
		return nil, nil
	}
	changes, err := doc.Init(n.id, n.app, h.e.now(), func(tx *doc.Tx) error {
		if err := tx.SetName(n.name); err != nil {
			return err
		}
		return n.init(tx)
	})
	if err != nil {
		return nil, fmt.Errorf("begin %s: %w", h.URL(), err)
	}
	return changes, nil
}

// askAll waits until every connected device has said what it has of the document, or one has brought it.
func (h *Handle) askAll(ctx context.Context) error {
	if h.d.ephemeral {
		return nil
	}
	for {
		news := h.e.News() // before looking: what comes in between is not missed
		u := h.URL()
		_, waits := h.e.unasked(sync.Key{Space: u.Space, Doc: u.Doc})
		if len(waits) == 0 || h.exists() {
			return nil
		}
		select {
		case <-news:
		case <-ctx.Done():
			return errors.Join(ctx.Err(), &NotYetError{URL: u, Unasked: waits})
		case <-h.e.closed:
			return ErrClosed
		}
	}
}
