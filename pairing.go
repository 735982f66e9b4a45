package tombolo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"tombolo/doc"
	"tombolo/p2p"
	"tombolo/persist"
	"tombolo/space"
)

// Invite says what an invitation gives.
type Invite struct {
	Space   *Space        // nil means the home space
	Role    string        // "writer" or "reader"; empty means writer
	Expires time.Duration // how long it can be used; zero means ten minutes
}

// Invitation is a link that lets one device into a space, once.
type Invitation struct {
	Link    string    `json:"link"`
	Expires time.Time `json:"expires"`
}

// invite is an open invitation as it is kept: the secret itself is only in the link.
type invite struct {
	Space doc.SpaceID `cbor:"1,keyasint"`
	Role  space.Role  `cbor:"2,keyasint"`
	Until int64       `cbor:"3,keyasint"` // Unix seconds
}

func (i invite) expires() time.Time { return time.Unix(i.Until, 0) }

// maxInvite bounds how long an invitation can be open: a forgotten link must not let anyone in a year later.
const maxInvite = 30 * 24 * time.Hour

// Invite makes an invitation: a link to give to one other device, which uses it with [Engine.Join] while this device is running.
// Only the owner of a space can invite.
func (e *Engine) Invite(ctx context.Context, in Invite) (Invitation, error) {
	if err := e.use(); err != nil {
		return Invitation{}, err
	}
	defer e.work.Done()
	if in.Space == nil {
		in.Space = e.Home()
	}
	if in.Role == "" {
		in.Role = p2p.RoleWriter
	}
	if in.Expires == 0 {
		in.Expires = 10 * time.Minute
	}
	role, err := space.ParseRole(in.Role)
	if err != nil || role == space.Owner {
		return Invitation{}, fmt.Errorf("an invitation is for a writer or a reader, not %q", in.Role)
	}
	if in.Expires < 0 || in.Expires > maxInvite {
		return Invitation{}, fmt.Errorf("an invitation is open for up to %s", maxInvite)
	}
	if e.role(in.Space.id, e.Self().Peer) != space.Owner {
		return Invitation{}, fmt.Errorf("only the owner of %q can invite: run this on the device that made it", in.Space.Name())
	}
	t := p2p.Ticket{Peer: e.identity.ID(), Space: in.Space.id, Role: in.Role, Expires: e.now().Add(in.Expires).Truncate(time.Second)}
	if _, err := io.ReadFull(e.opts.Rand, t.Secret[:]); err != nil {
		return Invitation{}, fmt.Errorf("make an invitation: %w", err)
	}
	if addrs := e.Addrs(); len(addrs) > 0 {
		t.Addrs = addrs[:min(len(addrs), p2p.MaxTicketAddrs)]
	}
	link, err := t.Link()
	if err != nil {
		return Invitation{}, fmt.Errorf("make an invitation: %w", err)
	}
	id, err := p2p.Invite(t.Secret, t.Peer)
	if err != nil {
		return Invitation{}, fmt.Errorf("make an invitation: %w", err)
	}
	inv := invite{Space: in.Space.id, Role: role, Until: t.Expires.Unix()}
	if err := e.log.Settings().Put(ctx, inviteKey(id), encodeRecord(inv)); err != nil {
		return Invitation{}, fmt.Errorf("keep the invitation: %w", err)
	}
	e.mem.mu.Lock()
	e.mem.invites[id] = inv
	paused := e.mem.paused // then Resume opens the door
	e.mem.mu.Unlock()
	if e.node != nil && !paused {
		if err := e.node.Expect(id, t.Expires); err != nil {
			return Invitation{}, err
		}
	}
	return Invitation{Link: link, Expires: t.Expires}, nil
}

func inviteKey(id p2p.PeerID) []byte { return append([]byte(keyInvite), id...) }

// dropInvite makes an invitation unusable, durably.
func (e *Engine) dropInvite(ctx context.Context, id p2p.PeerID) error {
	e.mem.mu.Lock()
	delete(e.mem.invites, id)
	e.mem.mu.Unlock()
	return e.log.Settings().Delete(ctx, inviteKey(id))
}

// pairRequest is what a joining device says, and pairReply what it learns. Field numbers are part of the wire format.
type pairRequest struct {
	Name string `cbor:"1,keyasint"`
}

type pairReply struct {
	Records [][]byte `cbor:"1,keyasint"` // the membership of the space, the new member included
	Name    string   `cbor:"2,keyasint"` // of the inviting device
}

var errNoInvite = errors.New("no such invitation")

// pair lets a device in that shows an open invitation. The invitation is used up, on disk, before anything else happens.
func (e *Engine) pair(id, peer p2p.PeerID, request []byte) ([]byte, error) {
	var req pairRequest
	if err := decodeRecord(request, &req); err != nil {
		return nil, err
	}
	e.mem.mu.Lock()
	inv, ok := e.mem.invites[id]
	delete(e.mem.invites, id)
	s := e.mem.spaces[inv.Space]
	e.mem.mu.Unlock()
	e.node.Forget(id)
	if !ok || e.now().After(inv.expires()) || s == nil {
		return nil, errNoInvite
	}
	if err := e.dropInvite(e.run, id); err != nil {
		return nil, err
	}
	e.mem.mu.Lock()
	record, err := s.SignMember(signer{e.identity}, string(peer), clipName(req.Name), inv.Role, e.now())
	e.mem.mu.Unlock()
	if err != nil {
		return nil, err
	}
	if _, err := e.addRecords(e.run, inv.Space, [][]byte{record}); err != nil {
		return nil, err
	}
	e.opts.Log.Info("joined", "peer", req.Name, "role", inv.Role.String())
	e.mem.mu.Lock()
	defer e.mem.mu.Unlock()
	return encodeRecord(pairReply{Records: s.Records(), Name: e.mem.name}), nil
}

// clipName keeps a stranger's name within what a record holds.
func clipName(s string) string {
	return string([]rune(s)[:min(len([]rune(s)), space.MaxName/4)])
}

// JoinOptions adjusts [Engine.Join]. The zero value joins the space beside one's own.
type JoinOptions struct {
	// Adopt makes the joined space this device's home and moves the documents of the old home into it. Named documents that both
	// have merge.
	Adopt bool
}

// Joined is the outcome of [Engine.Join].
type Joined struct {
	Space   *Space
	Device  Device // that invited
	Adopted int    // documents moved into the space
}

// Join uses an invitation: this device becomes a member of the space it is for. The inviting device must be running and reachable.
func (e *Engine) Join(ctx context.Context, link string, opts JoinOptions) (Joined, error) {
	if err := e.use(); err != nil {
		return Joined{}, err
	}
	defer e.work.Done()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(e.run, cancel)() // Close does not wait for other devices
	j, err := e.join(ctx, link, opts)
	if err != nil && e.isClosed() != nil {
		err = fmt.Errorf("%w: %w", ErrClosed, err)
	}
	return j, err
}

func (e *Engine) join(ctx context.Context, link string, opts JoinOptions) (Joined, error) {
	if e.node == nil {
		return Joined{}, ErrOffline
	}
	t, err := p2p.ParseLink(link)
	if err != nil {
		return Joined{}, err
	}
	if err := e.mayJoin(t, opts); err != nil {
		return Joined{}, err
	}
	reply, addrs, err := p2p.Join(ctx, p2p.JoinOptions{
		Ticket:      t,
		Identity:    e.identity,
		Request:     encodeRecord(pairRequest{Name: e.deviceName()}),
		NoDiscovery: e.opts.NoDiscovery,
		Log:         e.opts.Log,
	})
	if err != nil {
		return Joined{}, err
	}
	e.joining.Lock()
	defer e.joining.Unlock()
	var r pairReply
	if err := decodeRecord(reply, &r); err != nil {
		return Joined{}, fmt.Errorf("the inviting device answered something unreadable: %w", err)
	}
	if err := e.enter(ctx, t, r, addrs); err != nil {
		return Joined{}, err
	}
	e.keepMembers(ctx)
	out := Joined{Space: &Space{e, t.Space}, Device: Device{Peer: string(t.Peer), Name: r.Name}}
	if opts.Adopt {
		if e.role(t.Space, string(e.identity.ID())) < space.Writer { // whatever the link said
			return Joined{}, errors.Join(errReaderAdopts, e.followMembers(ctx))
		}
		if out.Adopted, err = e.adopt(ctx, t.Space); err != nil {
			return Joined{}, err
		}
	}
	return out, e.followMembers(ctx)
}

var errReaderAdopts = errors.New("a reader cannot bring documents along: join without adopting, or ask for a writer's invitation")

// mayJoin says what speaks against using an invitation, before anyone is asked.
func (e *Engine) mayJoin(t p2p.Ticket, opts JoinOptions) error {
	if e.now().After(t.Expires) {
		return fmt.Errorf("the invitation expired at %s: ask for a new one", t.Expires.Local().Format("2006-01-02 15:04"))
	}
	if t.Peer == e.identity.ID() {
		return errors.New("this invitation was made by this device: use it on another one")
	}
	if !opts.Adopt {
		return nil
	}
	if t.Role == p2p.RoleReader {
		return errReaderAdopts
	}
	home := e.Home()
	if home.id != t.Space && len(e.members(home.id)) > 1 {
		return fmt.Errorf("the home %q has other members, who would lose sight of its documents: join without adopting", home.Name())
	}
	return nil
}

// enter keeps the membership that an inviting device gave.
func (e *Engine) enter(ctx context.Context, t p2p.Ticket, r pairReply, addrs []string) error {
	s, err := space.Open(r.Records, verify)
	if err != nil {
		return fmt.Errorf("the inviting device answered with a broken membership: %w", err)
	}
	if doc.SpaceID(s.ID()) != doc.SpaceID(t.Space) {
		return errors.New("the inviting device answered for another space than it invited to: ask for a new invitation")
	}
	if _, ok := s.Role(string(e.identity.ID())); !ok {
		return errors.New("the inviting device did not let this one in: ask for a new invitation")
	}
	e.mem.mu.Lock()
	defer e.mem.mu.Unlock()
	if old := e.mem.spaces[t.Space]; old != nil { // it joined before: what it learned since stays
		for _, raw := range old.Records() {
			if _, err := s.Add(raw); err != nil {
				return fmt.Errorf("the inviting device answered with another membership: %w", err)
			}
		}
	}
	var b persist.Batch
	b.Put(spaceKey(t.Space), encodeRecord(s.Records()))
	b.Put(addrsKey(t.Peer), encodeRecord(addrs))
	if err := e.log.Settings().Apply(ctx, &b); err != nil {
		return fmt.Errorf("keep the membership: %w", err)
	}
	e.mem.spaces[t.Space] = s
	return nil
}
