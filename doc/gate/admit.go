package gate

import "errors"

// Admit adds changes to a document's graph, given in causal order: known ones are skipped; one whose dependencies neither the graph
// nor the changes before it have is left out, and those dependencies are named. Any other flaw is an error, and then the graph is as
// it was.
func Admit(g *Graph, raws [][]byte) (fresh []Change, missing []Hash, err error) {
	before := g.Len()
	for _, raw := range raws {
		c, err := Parse(raw)
		if err == nil {
			_, err = g.Add(c)
		}
		if lacks, ok := errors.AsType[*MissingError](err); ok {
			missing = append(missing, lacks.Missing...)
			continue
		}
		if errors.Is(err, ErrKnown) {
			continue
		}
		if err != nil {
			g.Truncate(before)
			return nil, nil, err
		}
		fresh = append(fresh, c)
	}
	return fresh, missing, nil
}
