// History turns the commits of a file into an editing history, keystroke by keystroke, in the layout that examples/mainjob replays:
// one JSON object, gzipped, {"startContent":"","endContent":"…","txns":[{"patches":[[position,removed,"inserted"]]}]}.
//
//	go run ./scripts/history README.md internal/trace/history.json.gz
package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
)

type txn struct {
	Patches [][]any `json:"patches"`
}

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: go run ./scripts/history FILE OUT")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "history:", err)
		os.Exit(1)
	}
}

func run(file, out string) error {
	log, err := exec.Command("git", "log", "--reverse", "--format=%H", "--", file).Output()
	if err != nil {
		return fmt.Errorf("git log: %w", err)
	}
	var txns []txn
	var text []rune
	for _, commit := range strings.Fields(string(log)) {
		next, err := exec.Command("git", "show", commit+":"+file).Output()
		if err != nil {
			continue // the commit removed it
		}
		txns = append(txns, typed(text, []rune(string(next)))...)
		text = []rune(string(next))
	}
	b, err := json.Marshal(map[string]any{"startContent": "", "endContent": string(text), "txns": txns})
	if err != nil {
		return err
	}
	var z bytes.Buffer
	w, err := gzip.NewWriterLevel(&z, gzip.BestCompression)
	if err != nil {
		return err
	}
	if _, err := w.Write(b); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	fmt.Printf("%d edits, %d characters at the end\n", len(txns), len(text))
	return os.WriteFile(out, z.Bytes(), 0o644)
}

// typed is how someone types have into want, going down the text line by line: what goes is deleted from behind, what comes is typed.
func typed(have, want []rune) []txn {
	old, now := lines(have), lines(want)
	keep := common(old, now)
	var out []txn
	at, i, j := 0, 0, 0
	key := func(at, remove int, insert string) { out = append(out, txn{[][]any{{at, remove, insert}}}) }
	for _, k := range append(keep, [2]int{len(old), len(now)}) {
		gone, come := 0, 0
		for ; i < k[0]; i++ {
			gone += len(old[i])
		}
		for n := gone; n > 0; n-- {
			key(at+n-1, 1, "")
		}
		for ; j < k[1]; j++ {
			for _, c := range now[j] {
				key(at+come, 0, string(c))
				come++
			}
		}
		at += come
		if i < len(old) {
			at += len(old[i])
		}
		i, j = i+1, j+1
	}
	return out
}

func lines(text []rune) [][]rune {
	var out [][]rune
	for len(text) > 0 {
		n := 0
		for n < len(text) && text[n] != '\n' {
			n++
		}
		n = min(n+1, len(text))
		out, text = append(out, text[:n]), text[n:]
	}
	return out
}

// common is the longest common subsequence of two lists of lines, as pairs of indexes.
func common(a, b [][]rune) [][2]int {
	best := make([][]int, len(a)+1)
	for i := range best {
		best[i] = make([]int, len(b)+1)
	}
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			if string(a[i]) == string(b[j]) {
				best[i][j] = best[i+1][j+1] + 1
			} else {
				best[i][j] = max(best[i+1][j], best[i][j+1])
			}
		}
	}
	var out [][2]int
	for i, j := 0, 0; i < len(a) && j < len(b); {
		switch {
		case string(a[i]) == string(b[j]):
			out = append(out, [2]int{i, j})
			i, j = i+1, j+1
		case best[i+1][j] >= best[i][j+1]:
			i++
		default:
			j++
		}
	}
	return out
}
