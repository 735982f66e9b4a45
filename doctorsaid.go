package tombolo

import (
	"context"
	"log/slog"
	"strings"
	gosync "sync"
)

// said is a slog handler that keeps warnings, besides passing everything on: a store that mends a file at opening says so in its log only.
type said struct {
	slog.Handler
	to *warnings
}

type warnings struct {
	mu    gosync.Mutex
	lines []string
}

func (s said) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= slog.LevelWarn || s.Handler.Enabled(ctx, level)
}

func (s said) Handle(ctx context.Context, r slog.Record) error {
	if r.Level >= slog.LevelWarn {
		var facts []string
		r.Attrs(func(a slog.Attr) bool {
			facts = append(facts, a.Value.String())
			return true
		})
		line := r.Message
		if len(facts) > 0 {
			line += " (" + strings.Join(facts, ", ") + ")"
		}
		s.to.mu.Lock()
		s.to.lines = append(s.to.lines, line)
		s.to.mu.Unlock()
	}
	if !s.Handler.Enabled(ctx, r.Level) {
		return nil
	}
	return s.Handler.Handle(ctx, r)
}

func (s said) WithAttrs(attrs []slog.Attr) slog.Handler {
	s.Handler = s.Handler.WithAttrs(attrs)
	return s
}

func (s said) WithGroup(name string) slog.Handler {
	s.Handler = s.Handler.WithGroup(name)
	return s
}

// examineSaid reports what the store said while it was opened, where that is not in another finding.
func (x *examiner) examineSaid(w *warnings) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, line := range w.lines {
		known := false
		for _, f := range x.Findings {
			known = known || strings.Contains(line, f.What)
		}
		if !known {
			x.find(SeverityNote, storeDir, line, "")
		}
	}
}
