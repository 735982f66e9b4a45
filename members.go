package tombolo

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	gosync "sync"

	"tombolo/doc"
	"tombolo/p2p"
	"tombolo/persist"
	"tombolo/space"
	"tombolo/sync"
)

// memberships is which spaces there are, who belongs to them, and what is known to reach those devices. One lock holds it.
type memberships struct {
	mu      gosync.Mutex
	spaces  map[doc.SpaceID]*space.Members
	home    doc.SpaceID
	name    string // of this device
	paused  bool
	invites map[p2p.PeerID]invite
}

// Keys of the engine's records in the store. Values begin with a codec byte; docs/format.md has the list.
var (
	keyHome   = []byte("home") // the home space's ID
	keyName   = []byte("name") // this device's name
	keySpace  = "space/"       // + ID: the membership records of a space
	keyInvite = "invite/"      // + temporary peer ID: an invitation that is open
	keyAddrs  = "addrs/"       // + peer ID: where the peer was reached last
)

// openMemberships reads what is stored, takes back from the copy beside the store what that has lost, and makes this device's home space
// where there has been none.
func (e *Engine) openMemberships(ctx context.Context) error {
	m := &e.mem
	found, err := e.readMemberships(ctx)
	if err != nil {
		return err
	}
	if err := e.restoreMembers(ctx, found); err != nil {
		return err
	}
	if m.home == (doc.SpaceID{}) {
		if err := e.makeHome(ctx); err != nil {
			return err
		}
	}
	if s := m.spaces[m.home]; s == nil || s.Name(string(e.identity.ID())) == "" && s.Owner() != string(e.identity.ID()) {
		return errors.New("the store belongs to another device: give back its identity.key, or open it in that device's directory")
	}
	m.name = cmp.Or(m.name, m.spaces[m.home].Name(string(e.identity.ID())))
	e.keepMembers(ctx)
	return nil
}

// readMemberships reads what is stored. An error says that the store cannot be read at all.
func (e *Engine) readMemberships(ctx context.Context) (storedMemberships, error) {
	m, settings := &e.mem, e.log.Settings()
	m.spaces, m.invites = map[doc.SpaceID]*space.Members{}, map[p2p.PeerID]invite{}
	found := storedMemberships{bad: map[doc.SpaceID]error{}}
	for entry, err := range settings.List(ctx, []byte(keySpace)) {
		if err != nil {
			return found, err
		}
		id := entry.Key[len(keySpace):]
		s, err := openSpace(entry)
		switch {
		case len(id) != len(doc.SpaceID{}):
			found.err = errors.Join(found.err, err, fmt.Errorf("read the members of a space: a key of %d bytes", len(entry.Key)))
		case err != nil || doc.SpaceID(s.ID()) != doc.SpaceID(id):
			found.bad[doc.SpaceID(id)] = fmt.Errorf("read the members of the space %s: %w", doc.SpaceID(id), cmp.Or(err, errCodec))
		default:
			m.spaces[doc.SpaceID(id)] = s
		}
	}
	for entry, err := range settings.List(ctx, []byte(keyInvite)) {
		if err != nil {
			return found, err
		}
		var inv invite
		if err := decodeRecord(entry.Value, &inv); err != nil {
			e.opts.Log.Warn("an invitation does not read; make a new one where it was still to be used", "err", err)
			continue
		}
		m.invites[p2p.PeerID(entry.Key[len(keyInvite):])] = inv
	}
	var errHome, errName, err error
	if m.home, errHome, err = readSetting[doc.SpaceID](ctx, settings, keyHome); err != nil {
		return found, err
	}
	if m.name, errName, err = readSetting[string](ctx, settings, keyName); err != nil {
		return found, err
	}
	found.err = errors.Join(found.err, errHome, errName)
	return found, nil
}

// readSetting reads one of the engine's records: the zero value where there is none, or where it does not read (bad says why).
func readSetting[T any](ctx context.Context, settings persist.Settings, key []byte) (v T, bad, err error) {
	b, err := settings.Get(ctx, key)
	switch {
	case errors.Is(err, persist.ErrNotFound):
		return v, nil, nil
	case errors.Is(err, persist.ErrAltered):
		bad = err
	case err != nil:
		return v, nil, err
	default:
		bad = decodeRecord(b, &v)
	}
	if bad != nil {
		return *new(T), fmt.Errorf("read this device's %s: %w", key, bad), nil
	}
	return v, nil, nil
}

func openSpace(entry persist.Entry) (*space.Members, error) {
	var records [][]byte
	if err := cmp.Or(entry.Err, decodeRecord(entry.Value, &records)); err != nil {
		return nil, err
	}
	return space.Open(records, verify)
}

// makeHome founds the device's own space, in one write with its name.
func (e *Engine) makeHome(ctx context.Context) error {
	name := e.opts.Name
	if name == "" {
		host, err := os.Hostname()
		if err != nil {
			return fmt.Errorf("find a name for this device: %w; give it one", err)
		}
		name = host
	}
	var nonce [16]byte
	if _, err := io.ReadFull(e.opts.Rand, nonce[:]); err != nil {
		return fmt.Errorf("make the home space: %w", err)
	}
	genesis, err := space.SignGenesis(signer{e.identity}, name, nonce, e.now())
	if err != nil {
		return fmt.Errorf("make the home space: %w", err)
	}
	s, err := space.Open([][]byte{genesis}, verify)
	if err != nil {
		return fmt.Errorf("make the home space: %w", err)
	}
	self, err := s.SignMember(signer{e.identity}, string(e.identity.ID()), name, space.Owner, e.now())
	if err == nil {
		_, err = s.Add(self) // the genesis has the space's name; this record has the device's
	}
	if err != nil {
		return fmt.Errorf("make the home space: %w", err)
	}
	m := &e.mem
	m.home, m.name = doc.SpaceID(s.ID()), name
	m.spaces[m.home] = s
	var b persist.Batch
	b.Put(keyHome, encodeRecord(m.home))
	b.Put(keyName, encodeRecord(name))
	b.Put(spaceKey(m.home), encodeRecord(s.Records()))
	return e.log.Settings().Apply(ctx, &b)
}

func spaceKey(id doc.SpaceID) []byte { return append([]byte(keySpace), id[:]...) }

// signer and verify lend the device's identity to package space.
type signer struct{ id *p2p.Identity }

func (s signer) ID() string                      { return string(s.id.ID()) }
func (s signer) Sign(msg []byte) ([]byte, error) { return s.id.Sign(msg) }

func verify(peer string, msg, sig []byte) bool { return p2p.Verify(p2p.PeerID(peer), msg, sig) }

func (e *Engine) deviceName() string {
	e.mem.mu.Lock()
	defer e.mem.mu.Unlock()
	return e.mem.name
}

func (m *memberships) ids() []doc.SpaceID {
	return slices.SortedFunc(maps.Keys(m.spaces), func(a, b doc.SpaceID) int { return slices.Compare(a[:], b[:]) })
}

func (e *Engine) role(id doc.SpaceID, peer string) space.Role {
	e.mem.mu.Lock()
	defer e.mem.mu.Unlock()
	if s := e.mem.spaces[id]; s != nil {
		role, _ := s.Role(peer)
		return role
	}
	return space.Removed
}

// members are the devices that belong to a space, by name.
func (e *Engine) members(id doc.SpaceID) []MemberStatus {
	e.mem.mu.Lock()
	defer e.mem.mu.Unlock()
	s := e.mem.spaces[id]
	if s == nil {
		return nil
	}
	self := string(e.identity.ID())
	var out []MemberStatus
	for m := range s.All() {
		if m.Role == space.Removed {
			continue
		}
		name := m.Name
		if m.Peer == self {
			name = e.mem.name
		}
		out = append(out, MemberStatus{Device: Device{Peer: m.Peer, Name: name}, Role: m.Role.String()})
	}
	slices.SortFunc(out, func(a, b MemberStatus) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Peer, b.Peer)) })
	return out
}

// everyone is all other members of all spaces.
func (e *Engine) everyone() []Device {
	seen := map[string]Device{}
	for _, s := range e.Spaces() {
		for _, m := range e.members(s.id) {
			seen[m.Peer] = m.Device
		}
	}
	delete(seen, string(e.identity.ID()))
	return slices.SortedFunc(maps.Values(seen), func(a, b Device) int { return cmp.Compare(a.Peer, b.Peer) })
}

func (e *Engine) spaceStatus() []SpaceStatus {
	home := e.Home().id
	var out []SpaceStatus
	for _, s := range e.Spaces() {
		out = append(out, SpaceStatus{ID: s.id.String(), Name: s.Name(), Home: s.id == home, Role: s.Role(), Members: e.members(s.id)})
	}
	return out
}

// nameOf is a device's name: as the membership says, or as it calls itself, or the end of its ID.
func (e *Engine) nameOf(p sync.PeerID) string {
	for _, d := range e.everyone() {
		if d.Peer == string(p) && d.Name != "" {
			return d.Name
		}
	}
	e.core.mu.Lock()
	defer e.core.mu.Unlock()
	if name := e.core.met[p]; name != "" {
		return name
	}
	return p2p.PeerID(p).Short()
}

// grants is what this device shares with a peer, as its membership records say.
func (e *Engine) grants(p p2p.PeerID) []sync.Grant {
	self := string(e.identity.ID())
	e.mem.mu.Lock()
	defer e.mem.mu.Unlock()
	var out []sync.Grant
	for _, id := range e.mem.ids() {
		s := e.mem.spaces[id]
		theirs, ok := s.Role(string(p))
		ours, member := s.Role(self)
		if !ok || !member {
			continue
		}
		digest := s.Digest()
		out = append(out, sync.Grant{
			Space:   id,
			Secret:  s.Key(),
			Members: [8]byte(digest[:8]),
			Give:    ours >= space.Writer,
			Accept:  theirs >= space.Writer,
		})
	}
	return out
}

// addRecords merges membership records into a space and keeps the result. It tells whether anything changed; then the connections
// follow the new state.
func (e *Engine) addRecords(ctx context.Context, id doc.SpaceID, records [][]byte) (bool, error) {
	e.mem.mu.Lock()
	s := e.mem.spaces[id]
	if s == nil {
		e.mem.mu.Unlock()
		return false, nil
	}
	var errs error
	changed := false
	before := s.Records()
	for _, raw := range records {
		news, err := s.Add(raw)
		changed, errs = changed || news, errors.Join(errs, err)
	}
	all := s.Records()
	if changed {
		if err := e.log.Settings().Put(ctx, spaceKey(id), encodeRecord(all)); err != nil {
			// Nobody is let in on the word of a record that the next start would not know.
			old, oerr := space.Open(before, verify)
			if oerr == nil {
				e.mem.spaces[id] = old
			}
			e.mem.mu.Unlock()
			return false, errors.Join(errs, err, oerr)
		}
	}
	e.mem.mu.Unlock()
	if changed {
		e.keepMembers(ctx)
		if err := e.followMembers(ctx); err != nil {
			return true, errors.Join(errs, err)
		}
		e.step(sync.Joined{Space: id, Records: all})
	}
	return changed, errs
}

// learn merges what a peer says about the members of a space.
func (e *Engine) learn(l sync.Learned) {
	if _, err := e.addRecords(e.run, l.Space, l.Records); err != nil && e.run.Err() == nil {
		e.opts.Log.Warn("membership records of a peer were refused", "peer", e.nameOf(l.Peer), "err", err)
	}
}

// tellMembers answers a peer whose membership log of a space differs from ours.
func (e *Engine) tellMembers(t sync.Told) {
	e.mem.mu.Lock()
	var records [][]byte
	if s := e.mem.spaces[t.Space]; s != nil {
		records = s.Records()
	}
	e.mem.mu.Unlock()
	if records != nil {
		e.step(sync.Joined{Peer: t.Peer, Space: t.Space, Records: records})
	}
}

// expectMembers lets every member and every open invitation in, when the network has just started or goes on.
func (e *Engine) expectMembers(ctx context.Context) error {
	e.mem.mu.Lock()
	open := maps.Clone(e.mem.invites)
	e.mem.mu.Unlock()
	for id, inv := range open {
		if e.now().After(inv.expires()) {
			if err := e.dropInvite(ctx, id); err != nil {
				return err
			}
			continue
		}
		if err := e.node.Expect(id, inv.expires()); err != nil {
			return err
		}
	}
	return e.followMembers(ctx)
}

// followMembers makes the network let in whom the membership records name, and nobody else.
func (e *Engine) followMembers(ctx context.Context) error {
	if e.node == nil {
		return nil
	}
	e.following.Lock()
	defer e.following.Unlock()
	e.mem.mu.Lock()
	paused := e.mem.paused
	invites := maps.Clone(e.mem.invites)
	e.mem.mu.Unlock()
	if paused {
		for id := range invites {
			e.node.Forget(id)
		}
		for _, p := range e.node.Peers() {
			e.node.Revoke(p.Peer)
		}
		return nil
	}
	want := map[p2p.PeerID]bool{}
	for _, d := range e.everyone() {
		p := p2p.PeerID(d.Peer)
		want[p] = true
		addrs, err := e.addrsOf(ctx, p)
		if err != nil {
			return err
		}
		if err := e.node.Allow(p, addrs); err != nil {
			return fmt.Errorf("admit %s: %w", d.Name, err)
		}
		e.step(sync.Granted{Peer: sync.PeerID(p), Spaces: e.grants(p)})
	}
	for _, p := range e.node.Peers() {
		if !want[p.Peer] {
			e.node.Revoke(p.Peer)
		}
	}
	return nil
}

// Pause ends all connections and lets nobody in until [Engine.Resume]: for a metered network, or to work undisturbed. Documents can be
// used as before. It ends with the engine.
func (e *Engine) Pause(ctx context.Context) error { return e.setPaused(ctx, true) }

// Resume goes on talking to other devices after [Engine.Pause].
func (e *Engine) Resume(ctx context.Context) error { return e.setPaused(ctx, false) }

func (e *Engine) setPaused(ctx context.Context, paused bool) error {
	if err := e.use(); err != nil {
		return err
	}
	defer e.work.Done()
	if e.node == nil {
		return ErrOffline
	}
	e.mem.mu.Lock()
	e.mem.paused = paused
	e.mem.mu.Unlock()
	follow := e.expectMembers
	if paused {
		follow = e.followMembers
	}
	if err := follow(ctx); err != nil {
		return errors.Join(e.isClosed(), err)
	}
	return nil
}

func addrsKey(p p2p.PeerID) []byte { return append([]byte(keyAddrs), p...) }

func (e *Engine) addrsOf(ctx context.Context, p p2p.PeerID) ([]string, error) {
	b, err := e.log.Settings().Get(ctx, addrsKey(p))
	if errors.Is(err, persist.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var addrs []string
	return addrs, decodeRecord(b, &addrs)
}

// remember keeps the addresses under which a peer was reached, for the next start.
func (e *Engine) remember(p p2p.PeerID, addrs []string) {
	if err := e.log.Settings().Put(e.run, addrsKey(p), encodeRecord(addrs)); err != nil && e.run.Err() == nil {
		e.opts.Log.Warn("a peer's addresses could not be kept", "peer", e.nameOf(sync.PeerID(p)), "err", err)
	}
	e.keepMembers(e.run)
}
