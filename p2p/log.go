package p2p

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/libp2p/go-libp2p/gologshim"
)

// libp2p has one logger per process and part, which fixes its handler at its
// first line. So one handler of ours is installed at the first Start and asks
// each time where to write: to the node that was started last.
var (
	installLog sync.Once
	logTarget  atomic.Pointer[slog.Logger]
)

// captureLog sends libp2p's lines to log from now on.
func captureLog(log *slog.Logger) {
	logTarget.Store(log)
	installLog.Do(func() { gologshim.SetDefaultHandler(libraryLog{}) })
}

// releaseLog discards libp2p's lines if they still went to log.
func releaseLog(log *slog.Logger) { logTarget.CompareAndSwap(log, nil) }

// libraryLog passes lines on two levels quieter: what is a warning to a library
// (a refused dial) is an ordinary day here.
type libraryLog struct {
	wrap []func(slog.Handler) slog.Handler // With… calls, in order, to repeat on the target
}

// quieter is the distance between three of slog's levels.
const quieter = 8

// Enabled asks the target, at the quieter level.
func (h libraryLog) Enabled(ctx context.Context, l slog.Level) bool {
	t := logTarget.Load()
	return t != nil && t.Enabled(ctx, l-quieter)
}

// Handle writes to the node started last, or nowhere.
func (h libraryLog) Handle(ctx context.Context, r slog.Record) error {
	t := logTarget.Load()
	if t == nil {
		return nil
	}
	out := t.Handler()
	for _, w := range h.wrap {
		out = w(out)
	}
	r = r.Clone()
	r.Level -= quieter
	return out.Handle(ctx, r)
}

// WithAttrs remembers the attributes for whichever target there will be.
func (h libraryLog) WithAttrs(attrs []slog.Attr) slog.Handler {
	return h.with(func(t slog.Handler) slog.Handler { return t.WithAttrs(attrs) })
}

// WithGroup remembers the group likewise.
func (h libraryLog) WithGroup(name string) slog.Handler {
	return h.with(func(t slog.Handler) slog.Handler { return t.WithGroup(name) })
}

func (h libraryLog) with(w func(slog.Handler) slog.Handler) slog.Handler {
	return libraryLog{append(slices.Clip(h.wrap), w)}
}
