package schematest

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"tombolo/schema"
)

// The lenses of random schemas.

type wholeName struct {
	Full string `doc:"fullName"`
}

type nameParts struct {
	First string `doc:"first"`
	Last  string `doc:"last"`
}

var split = schema.Lens[wholeName, nameParts]{
	Rev: 1,
	Up: func(o wholeName, _ *nameParts) (n nameParts, err error) {
		n.First, n.Last, _ = strings.Cut(o.Full, " ")
		return n, nil
	},
	Down: func(n nameParts, _ wholeName) (wholeName, error) {
		return wholeName{strings.TrimSpace(n.First + " " + n.Last)}, nil
	},
}

var join = schema.Lens[nameParts, wholeName]{
	Rev:  1,
	Up:   func(o nameParts, _ *wholeName) (wholeName, error) { return split.Down(o, wholeName{}) },
	Down: func(n wholeName, _ nameParts) (nameParts, error) { return split.Up(n, nil) },
}

var statuses = []string{"todo", "doing", "done", "archived"}

var statusOfDone = schema.Lens[bool, string]{
	Rev: 1,
	Up: func(done bool, prev *string) (string, error) {
		switch {
		case prev != nil && (*prev == "done" || *prev == "archived") == done && *prev != "":
			return *prev, nil
		case done:
			return "done", nil
		}
		return "todo", nil
	},
	Down: func(s string, _ bool) (bool, error) { return s == "done" || s == "archived", nil },
}

type oneStatus struct {
	Status string `doc:"status"`
}

type twoStates struct {
	State    string `doc:"state"`
	Archived bool   `doc:"archived"`
}

var states = []string{"todo", "doing", "done"}

var stateOfStatus = schema.Lens[oneStatus, twoStates]{
	Rev: 1,
	Up: func(o oneStatus, prev *twoStates) (twoStates, error) {
		switch {
		case o.Status == "archived" && prev != nil && prev.State != "":
			return twoStates{prev.State, true}, nil
		case o.Status == "archived":
			return twoStates{"done", true}, nil
		case o.Status == "":
			return twoStates{"todo", false}, nil
		}
		return twoStates{o.Status, false}, nil
	},
	Down: func(n twoStates, _ oneStatus) (oneStatus, error) {
		if n.Archived {
			return oneStatus{"archived"}, nil
		}
		return oneStatus{n.State}, nil
	},
}

// growth is the lens from an enum to one with more values, which older versions see as the first one.
func growth(old, more []string) schema.Lens[string, string] {
	down := func(n string) string {
		if slices.Contains(old, n) {
			return n
		}
		return old[0]
	}
	return schema.Lens[string, string]{
		Rev: 1,
		Up: func(o string, prev *string) (string, error) {
			switch {
			case prev != nil && slices.Contains(more, *prev) && down(*prev) == o:
				return *prev, nil
			case o == "":
				return more[0], nil
			}
			return o, nil
		},
		Down: func(n string, _ string) (string, error) { return down(n), nil },
	}
}

// hours makes minutes hours.
var hours = schema.Lens[int64, float64]{
	Rev: 1,
	Up:  func(minutes int64, _ *float64) (float64, error) { return float64(minutes) / 60, nil },
	Down: func(hours float64, minutes int64) (int64, error) {
		if float64(minutes)/60 == hours || !(math.Abs(hours) < 1e15) {
			return minutes, nil
		}
		return int64(math.Round(hours * 60)), nil
	},
}

// decimal writes whole numbers as texts; what is none leaves the number as it is.
var decimal = schema.Lens[int64, string]{
	Rev: 1,
	Up: func(n int64, prev *string) (string, error) {
		if prev != nil {
			if was, err := strconv.ParseInt(*prev, 10, 64); err == nil && was == n {
				return *prev, nil
			}
		}
		return strconv.FormatInt(n, 10), nil
	},
	Down: func(s string, n int64) (int64, error) {
		if is, err := strconv.ParseInt(s, 10, 64); err == nil {
			return is, nil
		}
		return n, nil
	},
}
