package badgerstore

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
)

// quieter is a badger.Logger that says everything one level below Badger's own.
type quieter struct{ log *slog.Logger }

// Errorf logs at Warn.
func (q quieter) Errorf(format string, args ...any) { q.say(slog.LevelWarn, format, args) }

// Warningf logs at Info.
func (q quieter) Warningf(format string, args ...any) { q.say(slog.LevelInfo, format, args) }

// Infof logs at Debug.
func (q quieter) Infof(format string, args ...any) { q.say(slog.LevelDebug, format, args) }

// Debugf logs below Debug.
func (q quieter) Debugf(format string, args ...any) { q.say(slog.LevelDebug-4, format, args) }

func (q quieter) say(level slog.Level, format string, args []any) {
	ctx := context.Background()
	if q.log.Enabled(ctx, level) {
		q.log.Log(ctx, level, strings.TrimSpace(fmt.Sprintf(format, args...)))
	}
}
