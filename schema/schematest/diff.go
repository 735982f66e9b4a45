package schematest

import (
	"fmt"
	"strings"

	"tombolo/doc"
)

// diffOf says in lines what a reader of one view sees otherwise in another one.
func diffOf(want, got any) string {
	var lines []string
	compare("", want, got, &lines)
	const most = 20
	if len(lines) > most {
		lines = append(lines[:most], fmt.Sprintf("    and %d more", len(lines)-most))
	}
	return strings.Join(lines, "\n")
}

func compare(path string, want, got any, lines *[]string) {
	if doc.Equal(want, got) {
		return
	}
	w, isMap := want.(tree)
	g, both := got.(tree)
	if !isMap || !both {
		*lines = append(*lines, fmt.Sprintf("    %s\n      - %s\n      + %s", path, show(want), show(got)))
		return
	}
	all := map[string]bool{}
	for key := range w {
		all[key] = true
	}
	for key := range g {
		all[key] = true
	}
	for _, key := range sortedKeys(all) {
		in, has := w[key]
		out, also := g[key]
		at := path + doc.Pointer{key}.String()
		switch {
		case !also:
			*lines = append(*lines, fmt.Sprintf("    %s\n      - %s", at, show(in)))
		case !has:
			*lines = append(*lines, fmt.Sprintf("    %s\n      + %s", at, show(out)))
		default:
			compare(at, in, out, lines)
		}
	}
}
