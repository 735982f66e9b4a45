package control

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"syscall"
)

// socketName is the socket's name in the directory of a node.
const socketName = "peer.sock"

// maxPath is how long the path of a unix socket may be everywhere: 104 bytes on macOS with the final NUL, 108 on Linux.
const maxPath = 103

// ErrNoNode reports that no node answers on a directory.
var ErrNoNode = errors.New("no node is running on this directory")

// Listen opens the socket in dir for the node that owns dir. The caller must hold the directory (its lock): a socket that
// is there already then belongs to a node that died, and is replaced.
func Listen(dir string) (net.Listener, error) {
	socket := filepath.Join(dir, socketName)
	if err := os.Remove(socket); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("replace the socket of an earlier node: %w", err)
	}
	path, forget, err := reachable(dir)
	if err != nil {
		return nil, err
	}
	defer forget()
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		return nil, fmt.Errorf("listen for commands on %s: %w", socket, err)
	}
	l.SetUnlinkOnClose(false) // it would unlink the path it was bound by, which may be gone; ownListener removes the socket
	if err := os.Chmod(socket, 0o600); err != nil {
		l.Close()
		return nil, fmt.Errorf("protect the socket for commands: %w", err)
	}
	return &ownListener{UnixListener: l, socket: socket}, nil
}

// ownListener takes its socket away when it closes.
type ownListener struct {
	*net.UnixListener
	socket string
}

func (l *ownListener) Close() error {
	// First the file: once the listener is closed and the directory's lock is free, a socket there may be a new node's.
	rm := os.Remove(l.socket)
	if errors.Is(rm, os.ErrNotExist) {
		rm = nil
	}
	return errors.Join(rm, l.UnixListener.Close())
}

// Dial reaches the node that runs on dir. The error wraps ErrNoNode if there is no socket, or nobody behind it.
func Dial(ctx context.Context, dir string) (net.Conn, error) {
	if _, err := os.Lstat(filepath.Join(dir, socketName)); errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("%w: %s", ErrNoNode, dir)
	}
	path, forget, err := reachable(dir)
	if err != nil {
		return nil, err
	}
	defer forget()
	var d net.Dialer
	conn, err := d.DialContext(ctx, "unix", path)
	if errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("%w: %s", ErrNoNode, dir)
	}
	if err != nil {
		return nil, fmt.Errorf("reach the node running on %s: %w", dir, err)
	}
	return conn, nil
}

// reachable gives a path to dir's socket that is short enough for the system. A long one goes through a symbolic link to
// dir in a new private directory, which is needed only while binding or dialing: the socket itself is in dir.
func reachable(dir string) (path string, forget func(), err error) {
	path = filepath.Join(dir, socketName)
	if len(path) <= maxPath {
		return path, func() {}, nil
	}
	abs, err := filepath.Abs(dir)
	if err != nil {
		return "", nil, err
	}
	temp, err := os.MkdirTemp(shortTemp(), "tombolo")
	if err != nil {
		return "", nil, fmt.Errorf("shorten the path of %s: %w", dir, err)
	}
	forget = func() { os.RemoveAll(temp) }
	link := filepath.Join(temp, "d")
	if err := os.Symlink(abs, link); err != nil {
		forget()
		return "", nil, fmt.Errorf("shorten the path of %s: %w", dir, err)
	}
	return filepath.Join(link, socketName), forget, nil
}

// shortTemp is the directory for temporary files, or /tmp if that one's path is itself too long.
func shortTemp() string {
	const room = len("/tombolo0123456789/d/") + len(socketName)
	if temp := os.TempDir(); len(temp)+room <= maxPath {
		return temp
	}
	return "/tmp"
}
