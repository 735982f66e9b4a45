//go:build !bug_keep_sessions

package sync

// keepSessions is a seeded bug: what was sent in one connection is believed to have arrived in the next. `make check` builds the lab
// with it (tag bug_keep_sessions) and demands that the lab's tests fail.
const keepSessions = false
