// Package control lets a command be carried out by the node that already runs on a directory: its arguments and standard
// input travel to the node over a unix socket, its output and exit code travel back.
//
//	l, err := control.Listen(dir)                    // the node, which owns dir
//	srv := control.Serve(l, func(ctx context.Context, req control.Request, s control.Streams) int { … })
//	defer srv.Close()
//	conn, err := control.Dial(ctx, dir)              // a command; ErrNoNode: nobody runs there
//	exit, err := control.Do(ctx, conn, control.Request{Args: os.Args[1:]}, streams)
//
// What it promises: only the owner of the directory reaches the socket (file mode 0600). Input is asked for by the node and
// not pushed, so a command that reads no input consumes none, and one that reads slowly holds its writer back. When the
// client is interrupted or dies, the context of its command ends. All sizes are bounded.
//
// # Protocol, version 1
//
// Each side begins with one byte, the version of the protocol it speaks. After it come frames: a byte for the kind, four
// bytes (big endian) for the length of the payload, the payload.
//
//	kind           payload                                      sender
//	1 request      1 if output is a terminal, else 0;           client, once, first
//	               then the arguments, each with a NUL before it
//	2 input        a piece of standard input, at most 64 KiB    client, one for each want
//	3 input end    empty, or why reading failed                 client, in place of an input
//	4 cancel       empty                                        client
//	5 want         empty: the command waits for input           node
//	6 output       a piece of standard output                   node
//	7 error        a piece of standard error                    node
//	8 progress     done and total, eight bytes each, then       node
//	               what is being done
//	9 exit         the exit code, one byte                      node, once, last
package control
