package control

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
)

// ErrLost reports that the node went away in the middle of a command, which may or may not have happened.
var ErrLost = errors.New("the running node went away before it had answered; look whether the change is there, then try again")

// VersionError reports a node that speaks another version of the protocol.
type VersionError struct{ Node, Ours byte }

func (e *VersionError) Error() string {
	return fmt.Sprintf("the running node speaks version %d of the local protocol and this program version %d; "+
		"stop the node and start it with this program", e.Node, e.Ours)
}

// Do has the node behind conn carry out a command and closes conn. It returns the command's exit code. When ctx ends, the
// node is asked to stop, and Do still waits for its answer.
//
// A read of s.In that blocks when the command ends is left to itself, with its goroutine: nothing in Go interrupts a read
// of standard input, and the process is about to end.
func Do(ctx context.Context, conn net.Conn, req Request, s Streams) (exit int, err error) {
	defer conn.Close()
	payload, err := req.encode()
	if err != nil {
		return 0, err
	}
	frames := &frameWriter{w: conn}
	if _, err := conn.Write([]byte{version}); err != nil {
		return 0, lost(err)
	}
	// A node of another version hangs up while we write: what counts is then the byte it left for us.
	sent := frames.write(kindRequest, payload)
	r := bufio.NewReader(conn)
	theirs, err := r.ReadByte()
	switch {
	case err != nil:
		return 0, lost(err)
	case theirs != version:
		return 0, &VersionError{Node: theirs, Ours: version}
	case sent != nil:
		return 0, lost(sent)
	}

	stop := context.AfterFunc(ctx, func() { frames.write(kindCancel, nil) }) // fails only if the node is gone: readFrame says so
	defer stop()
	for {
		k, payload, err := readFrame(r)
		if err != nil {
			return 0, lost(err)
		}
		switch {
		case k == kindWant:
			go answer(frames, s.In)
		case k == kindOutput:
			_, err = s.Out.Write(payload)
		case k == kindError:
			_, err = s.Err.Write(payload)
		case k == kindProgress && len(payload) >= progressHead:
			s.Progress(decodeProgress(payload))
		case k == kindExit && len(payload) == 1:
			return int(payload[0]), nil
		default:
			return 0, fmt.Errorf("the running node sent a frame that makes no sense (kind %d, %d bytes)", k, len(payload))
		}
		if err != nil {
			return 0, fmt.Errorf("write output: %w", err)
		}
	}
}

// answer sends the next piece of input. The node asks again only after it has come, so there is one of these at a time.
func answer(frames *frameWriter, in io.Reader) {
	piece := make([]byte, maxPiece)
	n, err := in.Read(piece)
	for n == 0 && err == nil {
		n, err = in.Read(piece)
	}
	// Whether the node hears us is seen where its frames are read.
	switch {
	case n > 0:
		frames.write(kindInput, piece[:n])
	case errors.Is(err, io.EOF):
		frames.write(kindInputEnd, nil)
	default:
		why := []byte(err.Error())
		frames.write(kindInputEnd, why[:min(len(why), maxPiece)])
	}
}

func lost(err error) error { return fmt.Errorf("%w (%v)", ErrLost, err) }
