package control_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"tombolo/cmd/peer/internal/control"
)

// serve starts a node's server in dir and stops it with the test.
func serve(t *testing.T, dir string, handle control.Handler) *control.Server {
	t.Helper()
	l, err := control.Listen(dir)
	if err != nil {
		t.Fatal(err)
	}
	srv := control.Serve(l, handle)
	t.Cleanup(func() {
		if err := srv.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return srv
}

func dial(t *testing.T, dir string) net.Conn {
	t.Helper()
	conn, err := control.Dial(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	return conn
}

type result struct {
	exit     int
	out, err string
	progress string
	failure  error
}

func do(ctx context.Context, conn net.Conn, in io.Reader, args ...string) result {
	var r result
	var out, stderr bytes.Buffer
	r.exit, r.failure = control.Do(ctx, conn, control.Request{Args: args, Terminal: true}, control.Streams{
		In: in, Out: &out, Err: &stderr, Progress: func(doing string, done, total uint64) { r.progress = fmt.Sprint(doing, " ", done, "/", total) },
	})
	r.out, r.err = out.String(), stderr.String()
	return r
}

func TestCommandTravels(t *testing.T) {
	dir := t.TempDir()
	serve(t, dir, func(_ context.Context, req control.Request, s control.Streams) int {
		fmt.Fprintf(s.Out, "%q %v\n", req.Args, req.Terminal)
		n, err := io.Copy(s.Out, s.In)
		fmt.Fprintf(s.Err, "%d %v", n, err)
		s.Progress("copied", uint64(n), 1<<40)
		return 7
	})
	// Larger than one frame, in both directions; arguments that are empty, or no UTF-8.
	big := strings.Repeat("0123456789abcdef", 20<<10)
	got := do(t.Context(), dial(t, dir), strings.NewReader(big), "doc", "", "\xff\n")
	want := result{
		exit: 7, out: fmt.Sprintf("%q true\n", []string{"doc", "", "\xff\n"}) + big,
		err: fmt.Sprintf("%d <nil>", len(big)), progress: fmt.Sprintf("copied %d/%d", len(big), 1<<40),
	}
	if got != want {
		t.Errorf("got exit %d, err %q, progress %q, failure %v, %d bytes out", got.exit, got.err, got.progress, got.failure, len(got.out))
	}

	if got := do(t.Context(), dial(t, dir), strings.NewReader("")); got.out != "[] true\n" || got.failure != nil {
		t.Errorf("without arguments: %+v", got)
	}
}

// A command that reads nothing must leave standard input alone: a shell loop may be reading it.
func TestInputIsOnlyReadWhenAsked(t *testing.T) {
	dir := t.TempDir()
	serve(t, dir, func(context.Context, control.Request, control.Streams) int { return 0 })
	in := strings.NewReader("next line of the script")
	if got := do(t.Context(), dial(t, dir), in, "status"); got.failure != nil {
		t.Fatal(got.failure)
	}
	if in.Len() != len("next line of the script") {
		t.Errorf("input was consumed: %d bytes are left", in.Len())
	}
}

func TestInputStreams(t *testing.T) {
	dir := t.TempDir()
	echoed, echo := io.Pipe()
	serve(t, dir, func(_ context.Context, _ control.Request, s control.Streams) int {
		io.Copy(echo, s.In)
		return 0
	})
	in, feed := io.Pipe()
	done := make(chan result, 1)
	go func() { done <- do(context.Background(), dial(t, dir), in) }()
	for _, line := range []string{"first", "second"} { // the second is written when the first has arrived
		io.WriteString(feed, line)
		got := make([]byte, len(line))
		if _, err := io.ReadFull(echoed, got); err != nil || string(got) != line {
			t.Fatalf("got %q, %v", got, err)
		}
	}
	feed.Close()
	if got := <-done; got.failure != nil {
		t.Error(got.failure)
	}
}

func TestInputFailureTravels(t *testing.T) {
	dir := t.TempDir()
	serve(t, dir, func(_ context.Context, _ control.Request, s control.Streams) int {
		_, err := io.ReadAll(s.In)
		fmt.Fprint(s.Err, err)
		return 1
	})
	in := io.MultiReader(strings.NewReader("half"), failing{})
	if got := do(t.Context(), dial(t, dir), in); got.err != "read standard input: bad disk" {
		t.Errorf("got %+v", got)
	}
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errors.New("bad disk") }

func TestInterrupt(t *testing.T) {
	dir := t.TempDir()
	started := make(chan struct{})
	serve(t, dir, func(ctx context.Context, _ control.Request, s control.Streams) int {
		close(started)
		_, err := s.In.Read(make([]byte, 1)) // input never comes: the context must end the read
		fmt.Fprint(s.Err, err)
		return 1
	})
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-started; cancel() }()
	never, feed := io.Pipe()
	defer feed.Close()
	if got := do(ctx, dial(t, dir), never); got.err != control.ErrInterrupted.Error() || got.exit != 1 || got.failure != nil {
		t.Errorf("got %+v", got)
	}
}

func TestClientDies(t *testing.T) {
	dir := t.TempDir()
	started, cause := make(chan struct{}), make(chan error, 1)
	serve(t, dir, func(ctx context.Context, _ control.Request, s control.Streams) int {
		close(started)
		<-ctx.Done()
		cause <- context.Cause(ctx)
		return 1
	})
	conn := dial(t, dir)
	go func() { <-started; conn.Close() }()
	if got := do(t.Context(), conn, strings.NewReader("")); !errors.Is(got.failure, control.ErrLost) {
		t.Errorf("got %+v", got)
	}
	if err := <-cause; !errors.Is(err, control.ErrInterrupted) {
		t.Errorf("cause %v", err)
	}
}

func TestNodeStops(t *testing.T) {
	dir := t.TempDir()
	started := make(chan struct{})
	srv := serve(t, dir, func(ctx context.Context, _ control.Request, s control.Streams) int {
		close(started)
		<-ctx.Done()
		fmt.Fprint(s.Err, context.Cause(ctx))
		return 1
	})
	go func() { <-started; srv.Close() }()
	if got := do(t.Context(), dial(t, dir), strings.NewReader("")); got.err != control.ErrStopped.Error() || got.exit != 1 {
		t.Errorf("got %+v", got)
	}
	srv.Close()
	if _, err := control.Dial(t.Context(), dir); !errors.Is(err, control.ErrNoNode) {
		t.Errorf("after the stop: %v", err)
	}
	if _, err := os.Lstat(filepath.Join(dir, "peer.sock")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the socket is still there: %v", err)
	}
}

// Nothing a client sends may end the node, or reach a command.
func TestBadClients(t *testing.T) {
	dir := t.TempDir()
	var calls atomic.Int32
	serve(t, dir, func(ctx context.Context, _ control.Request, _ control.Streams) int {
		calls.Add(1)
		<-ctx.Done()
		return 1
	})
	for name, sent := range map[string]string{
		"another version":    "\x02\x01\x00\x00\x00\x01\x00",
		"a huge request":     "\x01\x01\xff\xff\xff\xff",
		"input first":        "\x01\x02\x00\x00\x00\x01x",
		"an empty request":   "\x01\x01\x00\x00\x00\x00",
		"malformed request":  "\x01\x01\x00\x00\x00\x02\x00x",
		"malformed flag":     "\x01\x01\x00\x00\x00\x01\x09",
		"unasked input":      "\x01\x01\x00\x00\x00\x01\x00" + strings.Repeat("\x02\x00\x00\x00\x01x", 2),
		"an unknown kind":    "\x01\x01\x00\x00\x00\x01\x00\xee\x00\x00\x00\x00",
		"a huge input frame": "\x01\x01\x00\x00\x00\x01\x00\x02\xff\xff\xff\xff",
	} {
		conn := dial(t, dir)
		if _, err := io.WriteString(conn, sent); err != nil {
			t.Fatal(err)
		}
		// The node answers with its version and hangs up; a command that began is told to end.
		if _, err := io.ReadAll(conn); err != nil && !strings.Contains(err.Error(), "reset") {
			t.Errorf("%s: %v", name, err)
		}
		conn.Close()
	}
	if got := calls.Load(); got != 3 {
		t.Errorf("%d commands began, want the 3 whose request was good", got)
	}
}

func TestBadNodes(t *testing.T) {
	for name, c := range map[string]struct{ sent, want string }{
		"silence":          {"", "went away"},
		"another version":  {"\x09", "speaks version 9 of the local protocol and this program version 1"},
		"an unknown frame": {"\x01\x63\x00\x00\x00\x00", "makes no sense (kind 99, 0 bytes)"},
		"a cut frame":      {"\x01\x06\x00\x00\x00\x09abc", "went away"},
		"cut progress":     {"\x01\x08\x00\x00\x00\x08abcdefgh", "makes no sense (kind 8, 8 bytes)"},
	} {
		ours, theirs := net.Pipe()
		go func() {
			go io.Copy(io.Discard, theirs)
			io.WriteString(theirs, c.sent)
			theirs.Close()
		}()
		if got := do(t.Context(), ours, strings.NewReader("")); got.failure == nil || !strings.Contains(got.failure.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", name, got.failure, c.want)
		}
	}
}

func TestBadArguments(t *testing.T) {
	for arg, want := range map[string]string{
		strings.Repeat("x", control.MaxRequest): control.ErrTooLarge.Error(),
		"a\x00b":                                "NUL",
	} {
		ours, _ := net.Pipe()
		if got := do(t.Context(), ours, nil, arg); got.failure == nil || !strings.Contains(got.failure.Error(), want) {
			t.Errorf("got %v, want %q", got.failure, want)
		}
	}
}

func TestSocket(t *testing.T) {
	deep := filepath.Join(t.TempDir(), strings.Repeat("a-long-name/", 12))
	if err := os.MkdirAll(deep, 0o700); err != nil {
		t.Fatal(err)
	}
	for name, dir := range map[string]string{"short": t.TempDir(), "long": deep} {
		if _, err := control.Dial(t.Context(), dir); !errors.Is(err, control.ErrNoNode) {
			t.Errorf("%s: nobody there: %v", name, err)
		}
		// What a node leaves that died: a socket without a process.
		l, err := control.Listen(dir)
		if err != nil {
			t.Fatal(err)
		}
		socket := filepath.Join(dir, "peer.sock")
		if err := os.Rename(socket, socket+".kept"); err != nil {
			t.Fatal(err)
		}
		l.Close()
		if err := os.Rename(socket+".kept", socket); err != nil {
			t.Fatal(err)
		}
		if _, err := control.Dial(t.Context(), dir); !errors.Is(err, control.ErrNoNode) {
			t.Errorf("%s: dead node: %v", name, err)
		}

		serve(t, dir, func(context.Context, control.Request, control.Streams) int { return 3 })
		if got := do(t.Context(), dial(t, dir), strings.NewReader("")); got.exit != 3 || got.failure != nil {
			t.Errorf("%s: got %+v", name, got)
		}
		if info, err := os.Lstat(socket); err != nil || info.Mode() != os.ModeSocket|0o600 {
			t.Errorf("%s: the socket is %v, %v", name, info.Mode(), err)
		}
	}
}

func TestListenFails(t *testing.T) {
	if _, err := control.Listen(filepath.Join(t.TempDir(), "missing")); err == nil {
		t.Error("listened in a directory that does not exist")
	}
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "peer.sock", "x"), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := control.Listen(dir); err == nil {
		t.Error("replaced a directory that holds something")
	}
}
