package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"

	"tombolo"
	"tombolo/doc"
)

// print writes v as a line of JSON with --json, and otherwise what text writes for people.
func (p *peer) print(v any, text func(w io.Writer)) error {
	if p.json {
		return writeJSON(p.out, v)
	}
	var b strings.Builder
	text(&b)
	_, err := io.WriteString(p.out, b.String())
	return err
}

// writeJSON writes v as one line.
func writeJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

// table writes rows in aligned columns; the first row is the heading.
func table(w io.Writer, rows [][]string) {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, row := range rows {
		fmt.Fprintln(tw, strings.TrimRight(strings.Join(row, "\t"), "\t"))
	}
	tw.Flush() // fails only if w does, whose error the caller sees
}

// printable replaces what could steer a terminal: names and addresses are chosen by others.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return unicode.ReplacementChar
	}, s)
}

// named is a device for people: its name, or the end of its peer ID, which differs where the beginning does not.
func named(d tombolo.Device) string {
	if d.Name != "" {
		return printable(d.Name)
	}
	return short(d.Peer)
}

// short is enough of a peer ID to tell devices apart.
func short(peer string) string {
	const tail = 8
	if len(peer) <= tail {
		return peer
	}
	return "…" + peer[len(peer)-tail:]
}

// brief is enough of a document's heads to see whether two are the same.
func brief(heads []doc.Hash) string {
	if len(heads) == 0 {
		return "-"
	}
	parts := make([]string, len(heads))
	for i, h := range heads {
		parts[i] = h.String()[:8]
	}
	return strings.Join(parts, ",")
}

// ago says how long before now t was.
func ago(now, t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	switch d := now.Sub(t); {
	case d < time.Second:
		return "just now"
	case d < time.Minute:
		return fmt.Sprintf("%d s ago", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%d min ago", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h ago", int(d.Hours()))
	default:
		return fmt.Sprintf("%d days ago", int(d.Hours()/24))
	}
}

// count is a number with its noun.
func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
