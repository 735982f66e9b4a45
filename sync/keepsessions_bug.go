//go:build bug_keep_sessions

package sync

const keepSessions = true
