package schematest

import "math/rand/v2"

// action is what one step of a run does.
type action uint8

const (
	doEdit action = iota
	doSync
	doMove // to another version of the program
	doRestart
)

// step is one step of a run. What it does in detail follows from its number and the seed, and from the state it meets.
type step struct {
	n      int
	action action
	peer   int
	other  int // of a sync: who gets; everybody where it is negative
}

// planOf is the steps of a seed.
func planOf(seed, steps, peers int) []step {
	rng := rand.New(rand.NewPCG(uint64(seed), 1))
	out := make([]step, steps)
	for i := range out {
		s := step{n: i, peer: rng.IntN(peers)}
		s.other = (s.peer + 1 + rng.IntN(peers-1)) % peers
		switch p := rng.IntN(100); {
		case p < 62:
			s.action = doEdit
		case p < 80:
			s.action = doSync
		case p < 87:
			s.action, s.other = doSync, -1
		case p < 94:
			s.action = doMove
		default:
			s.action = doRestart
		}
		out[i] = s
	}
	return out
}
