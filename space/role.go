package space

import (
	"fmt"
	"strconv"
)

// Role is what a member may do in a space. A higher role may do all a lower one may. The numbers stand in records.
type Role uint8

// The roles, and the state of one who has none any more; the zero Role may do nothing.
const (
	Removed Role = 0
	Reader  Role = 1 // receives changes
	Writer  Role = 2 // and sends its own
	Owner   Role = 3 // and, if it made the space, decides about members
)

var roleNames = [...]string{Removed: "removed", Reader: "reader", Writer: "writer", Owner: "owner"}

// String is the role as one word of lower-case English.
func (r Role) String() string {
	if int(r) < len(roleNames) {
		return roleNames[r]
	}
	return "role " + strconv.Itoa(int(r))
}

// ParseRole reads a role that can be given: owner, writer or reader.
func ParseRole(s string) (Role, error) {
	for r := Reader; r <= Owner; r++ {
		if roleNames[r] == s {
			return r, nil
		}
	}
	return Removed, fmt.Errorf("space: %.20q is not a role; use owner, writer or reader", s)
}
