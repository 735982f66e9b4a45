package control

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"time"
)

// Why the context of a command ended; context.Cause gives it.
var (
	// ErrInterrupted reports that the client asked to stop, or went away.
	ErrInterrupted = errors.New("interrupted")
	// ErrStopped reports that the node stops.
	ErrStopped = errors.New("the node that carried this out has stopped; run the command again")
)

// farewell is how long a connection may take to hear how its command ended when the node stops.
const farewell = time.Second

// Streams is what a command reads and writes.
type Streams struct {
	In       io.Reader // standard input
	Out, Err io.Writer // standard output and error
	Progress Progress  // tells a person how far the command is
}

// Handler carries out a command and gives its exit code. It is called from several goroutines.
type Handler func(ctx context.Context, req Request, s Streams) (exit int)

// Server carries out what clients ask for, each connection one command.
type Server struct {
	listener net.Listener
	handle   Handler
	ctx      context.Context
	cancel   context.CancelCauseFunc
	wg       sync.WaitGroup
	closing  sync.Once
	closeErr error
}

// Serve starts answering on l, which the Server closes in the end.
func Serve(l net.Listener, handle Handler) *Server {
	ctx, cancel := context.WithCancelCause(context.Background())
	s := &Server{listener: l, handle: handle, ctx: ctx, cancel: cancel}
	s.wg.Go(s.accept)
	return s
}

// Close ends the commands being carried out with ErrStopped, waits for them and takes the socket away.
func (s *Server) Close() error {
	s.closing.Do(func() {
		s.cancel(ErrStopped)
		s.closeErr = s.listener.Close()
		s.wg.Wait()
	})
	return s.closeErr
}

func (s *Server) accept() {
	for {
		conn, err := s.listener.Accept()
		if s.ctx.Err() != nil {
			if err == nil {
				conn.Close()
			}
			return
		}
		if err != nil {
			// Out of file descriptors, most likely: others may free some, and Close must still find us.
			select {
			case <-s.ctx.Done():
				return
			case <-time.After(50 * time.Millisecond):
				continue
			}
		}
		s.wg.Go(func() { s.serve(conn) })
	}
}

// serve is the life of one connection. What is wrong with a client ends that client only, so nothing is reported.
func (s *Server) serve(conn net.Conn) {
	defer conn.Close()
	stop := context.AfterFunc(s.ctx, func() { conn.SetDeadline(time.Now().Add(farewell)) })
	defer stop()

	r := bufio.NewReader(conn)
	if theirs, err := r.ReadByte(); err != nil {
		return
	} else if _, err := conn.Write([]byte{version}); err != nil || theirs != version {
		return
	}
	k, payload, err := readFrame(r)
	if err != nil || k != kindRequest {
		return
	}
	req, err := decodeRequest(payload)
	if err != nil {
		return
	}

	ctx, cancel := context.WithCancelCause(s.ctx)
	in := &input{ctx: ctx, frames: &frameWriter{w: conn}, arrived: make(chan inputPiece, 1)}
	var wg sync.WaitGroup
	wg.Go(func() { cancel(listen(r, in)) })

	exit := s.handle(ctx, req, Streams{
		In:  in,
		Out: stream{in.frames, kindOutput},
		Err: stream{in.frames, kindError},
		Progress: func(doing string, done, total uint64) {
			in.frames.write(kindProgress, encodeProgress(doing, done, total))
		},
	})
	in.frames.write(kindExit, []byte{byte(exit)}) // a client that does not hear it is gone
	conn.Close()                                  // ends listen
	wg.Wait()
}

// listen takes what a client sends during its command and says why it ended.
func listen(r *bufio.Reader, in *input) error {
	for {
		k, payload, err := readFrame(r)
		if err != nil {
			return ErrInterrupted
		}
		piece := inputPiece{data: payload}
		switch k {
		case kindInput:
		case kindInputEnd:
			piece = inputPiece{err: io.EOF}
			if len(payload) > 0 {
				piece.err = errors.New("read standard input: " + string(payload))
			}
		default: // kindCancel, or something we do not know
			return ErrInterrupted
		}
		select {
		case in.arrived <- piece:
		default: // input that nobody asked for
			return ErrInterrupted
		}
	}
}

type inputPiece struct {
	data []byte
	err  error
}

// input is the client's standard input; each piece is asked for when the one before is used up.
type input struct {
	ctx     context.Context
	frames  *frameWriter
	arrived chan inputPiece // room for the one piece asked for
	piece   inputPiece
}

func (in *input) Read(p []byte) (int, error) {
	for len(in.piece.data) == 0 {
		if in.piece.err != nil {
			return 0, in.piece.err
		}
		if err := in.frames.write(kindWant, nil); err != nil {
			return 0, err
		}
		select {
		case in.piece = <-in.arrived:
		case <-in.ctx.Done():
			return 0, context.Cause(in.ctx)
		}
	}
	n := copy(p, in.piece.data)
	in.piece.data = in.piece.data[n:]
	return n, nil
}
