package p2p

import (
	"crypto/ed25519"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
)

// MaxPair is the largest request and the largest reply of a pairing, in bytes.
const MaxPair = 64 << 10

// A pairing on its stream, with four bytes of big endian length before each:
// the joiner writes its public key (32), a signature (64) and the request; the
// inviter writes a status and, when it is paired, the reply. Every refusal
// looks the same, so that a found ticket says nothing about itself.
const (
	pairPaired  = 0
	pairRefused = 1

	pairHead = ed25519.PublicKeySize + ed25519.SignatureSize
)

const (
	pairStep = 10 * time.Second // to carry one message
	pairStay = time.Minute      // how long a guest may stay connected, and the user may think
)

// pairDomain begins what the joiner signs.
const pairDomain = "tombolo pair 1\x00"

// pairText is what the joiner signs: that this very request is for this inviter
// and this invitation. The IDs carry their length, so no two triples give the
// same text.
func pairText(inviter, invite peer.ID, request []byte) []byte {
	b := []byte(pairDomain)
	for _, id := range []peer.ID{inviter, invite} {
		b = binary.BigEndian.AppendUint16(b, uint16(len(id)))
		b = append(b, id...)
	}
	return append(b, request...)
}

// acceptPair is libp2p's notice of a pairing stream.
func (n *Node) acceptPair(st network.Stream) {
	ran := n.spawn(func() {
		err := n.pair(st)
		if err != nil {
			n.log.Info("pairing refused", "err", err)
			_ = st.Reset()
		}
		_ = st.Conn().Close()
	})
	if !ran {
		_ = st.Reset()
	}
}

// pair answers one joiner. The error is for our log; the joiner learns only
// that it is refused.
func (n *Node) pair(st network.Stream) error {
	invite := st.Conn().RemotePeer()
	if !n.door.invited(invite) || !n.beginPairing(invite) {
		return errors.New("p2p: not invited, or already pairing")
	}
	defer n.endPairing(invite)
	_ = st.SetReadDeadline(time.Now().Add(pairStep))
	msg, err := readMessage(st, pairHead+MaxPair)
	if err != nil {
		return fmt.Errorf("p2p: pairing request: %w", err)
	}
	reply, err := n.judge(invite, msg)
	status := byte(pairPaired)
	if err != nil {
		status, reply = pairRefused, nil
	}
	_ = st.SetWriteDeadline(time.Now().Add(pairStep))
	werr := writeMessage(st, append([]byte{status}, reply...))
	if werr == nil {
		werr = st.CloseWrite()
	}
	if werr == nil { // the joiner hangs up when it has read the answer
		_ = st.SetReadDeadline(time.Now().Add(pairStep))
		_, _ = io.Copy(io.Discard, io.LimitReader(st, MaxPair))
	}
	return errors.Join(err, werr)
}

// judge checks that the request was signed by the key it names, and asks the
// user.
func (n *Node) judge(invite peer.ID, msg []byte) ([]byte, error) {
	if len(msg) < pairHead {
		return nil, errors.New("p2p: pairing request: too short")
	}
	key, sig, request := msg[:ed25519.PublicKeySize], msg[ed25519.PublicKeySize:pairHead], msg[pairHead:]
	joiner, err := idOf(ed25519.PublicKey(key))
	if err != nil {
		return nil, err
	}
	if !ed25519.Verify(key, pairText(n.self, invite, request), sig) {
		return nil, errors.New("p2p: pairing request: the signature does not fit")
	}
	if joiner == n.self || joiner == invite {
		return nil, errors.New("p2p: pairing request: a device cannot pair with itself")
	}
	reply, err := n.opts.Events.Pair(PeerID(invite.String()), PeerID(joiner.String()), request)
	if err == nil && len(reply) > MaxPair {
		return nil, fmt.Errorf("p2p: Events.Pair answered %d bytes; %d are allowed", len(reply), MaxPair)
	}
	return reply, err
}

// beginPairing reports whether no other joiner is using the invite right now.
func (n *Node) beginPairing(invite peer.ID) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.pairing[invite] {
		return false
	}
	n.pairing[invite] = true
	return true
}

func (n *Node) endPairing(invite peer.ID) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.pairing, invite)
}

// limitPairing hangs up on a guest that stays without pairing.
func (n *Node) limitPairing(conn network.Conn) {
	t := time.NewTimer(pairStay)
	defer t.Stop()
	select {
	case <-t.C:
	case <-n.ctx.Done():
	}
	_ = conn.Close()
}

// writeMessage writes length and bytes at once.
func writeMessage(w io.Writer, b []byte) error {
	_, err := w.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(b))), b...))
	return err
}

// readMessage reads what writeMessage wrote, if it has at most limit bytes.
func readMessage(r io.Reader, limit int) ([]byte, error) {
	var h [4]byte
	if _, err := io.ReadFull(r, h[:]); err != nil {
		return nil, err
	}
	n := binary.BigEndian.Uint32(h[:])
	if n > uint32(limit) {
		return nil, fmt.Errorf("%w: a message of %d bytes", errGarbage, n)
	}
	b := make([]byte, n)
	_, err := io.ReadFull(r, b)
	return b, err
}
