package p2p

// ErrReplaced ends a session whose peer came back on a new connection.
var ErrReplaced = errReplaced
