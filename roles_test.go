package tombolo_test

import (
	"errors"
	"strings"
	gosync "sync"
	"testing"
	"time"

	"tombolo"
	"tombolo/p2p"
)

// clock is a time that tests move.
type clock struct {
	mu    gosync.Mutex
	ahead time.Duration
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Add(c.ahead)
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ahead += d
}

func invites(t *testing.T, e *tombolo.Engine, in tombolo.Invite) string {
	t.Helper()
	inv, err := e.Invite(t.Context(), in)
	must(t, err)
	return inv.Link
}

// A reader gets everything and writes nothing.
func TestReader(t *testing.T) {
	laptop := inMemory(t, tombolo.Options{Name: "laptop"})
	guest := inMemory(t, tombolo.Options{Name: "guest"})
	j, err := guest.Join(patience(t), invites(t, laptop, tombolo.Invite{Role: "reader"}), tombolo.JoinOptions{})
	must(t, err)
	if j.Space.Role() != "reader" || j.Device.Name != "laptop" {
		t.Errorf("joined as %s from %+v", j.Space.Role(), j.Device)
	}
	h, err := laptop.Home().Create(t.Context(), map[string]any{"n": 1})
	must(t, err)
	defer h.Close()
	there := arrives(t, guest, h.URL())
	if err := there.Change(t.Context(), "", put("/n", 2)); !errors.Is(err, tombolo.ErrReadOnly) {
		t.Errorf("a reader's change: %v", err)
	}
	if _, err := j.Space.Create(t.Context(), nil); !errors.Is(err, tombolo.ErrReadOnly) {
		t.Errorf("a reader's document: %v", err)
	}
	if _, err := guest.Invite(t.Context(), tombolo.Invite{Space: j.Space}); err == nil {
		t.Error("a reader could invite")
	}
	set(t, h, "/n", 3)
	must(t, h.Wait(patience(t), tombolo.OnDevices(2)))
	reads(t, there, `{"n":3}`)
}

// An invitation is for one device, for a while, and for what it says.
func TestInvitations(t *testing.T) {
	var c clock
	laptop := inMemory(t, tombolo.Options{Now: c.now})
	desk := inMemory(t, tombolo.Options{})
	late := inMemory(t, tombolo.Options{})

	used := invites(t, laptop, tombolo.Invite{})
	_, err := laptop.Join(t.Context(), used, tombolo.JoinOptions{})
	if err == nil || !strings.Contains(err.Error(), "made by this device") {
		t.Errorf("one's own invitation: %v", err)
	}
	_, err = desk.Join(patience(t), used, tombolo.JoinOptions{})
	must(t, err)
	if _, err := late.Join(patience(t), used, tombolo.JoinOptions{}); !errors.Is(err, p2p.ErrUnreachable) && !errors.Is(err, p2p.ErrRefused) {
		t.Errorf("an invitation used twice: %v", err)
	}

	old := invites(t, laptop, tombolo.Invite{Expires: time.Minute})
	c.advance(2 * time.Minute)
	if _, err := late.Join(patience(t), old, tombolo.JoinOptions{}); !errors.Is(err, p2p.ErrUnreachable) && !errors.Is(err, p2p.ErrRefused) {
		t.Errorf("an expired invitation: %v", err)
	}
	gone := inMemory(t, tombolo.Options{Now: func() time.Time { return time.Now().Add(time.Hour) }})
	if _, err := gone.Join(patience(t), old, tombolo.JoinOptions{}); err == nil || !strings.Contains(err.Error(), "expired") {
		t.Errorf("an expired invitation, seen by who uses it: %v", err)
	}
	if n := len(late.Spaces()) + len(gone.Spaces()); n != 2 {
		t.Errorf("whoever was refused has %d spaces", n)
	}
	for _, bad := range []tombolo.Invite{{Role: "owner"}, {Role: "king"}, {Expires: -1}, {Expires: 365 * 24 * time.Hour}} {
		if _, err := laptop.Invite(t.Context(), bad); err == nil {
			t.Errorf("an invitation was made for %+v", bad)
		}
	}
}

// Who rewrites a link gets no more than was meant.
func TestAlteredLink(t *testing.T) {
	laptop := inMemory(t, tombolo.Options{})
	guest := inMemory(t, tombolo.Options{})
	mine, err := guest.Home().Create(t.Context(), nil)
	must(t, err)
	defer mine.Close()
	ticket, err := p2p.ParseLink(invites(t, laptop, tombolo.Invite{Role: "reader"}))
	must(t, err)
	ticket.Role = p2p.RoleWriter
	link, err := ticket.Link()
	must(t, err)
	home := guest.Home().ID()
	if _, err := guest.Join(patience(t), link, tombolo.JoinOptions{Adopt: true}); err == nil || !strings.Contains(err.Error(), "a reader cannot") {
		t.Errorf("a reader adopted with an altered link: %v", err)
	}
	if guest.Home().ID() != home {
		t.Error("the home changed")
	}
	set(t, mine, "/n", 1)
	for _, s := range guest.Spaces()[1:] {
		if s.Role() != "reader" {
			t.Errorf("an altered link made a %s", s.Role())
		}
	}

	ticket, err = p2p.ParseLink(invites(t, laptop, tombolo.Invite{}))
	must(t, err)
	ticket.Space[0] ^= 1
	link, err = ticket.Link()
	must(t, err)
	if _, err := guest.Join(patience(t), link, tombolo.JoinOptions{}); err == nil || !strings.Contains(err.Error(), "another space") {
		t.Errorf("a link for another space: %v", err)
	}
	if _, err := guest.Join(t.Context(), "tombolo:nonsense", tombolo.JoinOptions{}); err == nil {
		t.Error("nonsense is an invitation")
	}
}

// Adopting is refused where documents would be lost from sight.
func TestAdoptRefused(t *testing.T) {
	laptop := inMemory(t, tombolo.Options{})
	desk := inMemory(t, tombolo.Options{})
	phone := inMemory(t, tombolo.Options{})
	pair(t, desk, phone, false)
	_, err := desk.Join(patience(t), invites(t, laptop, tombolo.Invite{}), tombolo.JoinOptions{Adopt: true})
	if err == nil || !strings.Contains(err.Error(), "other members") {
		t.Errorf("a home with other members was given up: %v", err)
	}
	_, err = phone.Join(patience(t), invites(t, laptop, tombolo.Invite{Role: "reader"}), tombolo.JoinOptions{Adopt: true})
	if err == nil || !strings.Contains(err.Error(), "a reader cannot") {
		t.Errorf("a reader adopted: %v", err)
	}
	offline := inMemory(t, tombolo.Options{Offline: true})
	if _, err := offline.Join(t.Context(), invites(t, laptop, tombolo.Invite{}), tombolo.JoinOptions{}); !errors.Is(err, tombolo.ErrOffline) {
		t.Errorf("join without a network: %v", err)
	}
	if err := offline.Pause(t.Context()); !errors.Is(err, tombolo.ErrOffline) {
		t.Errorf("pause without a network: %v", err)
	}
}

// Every member learns of every other from the owner.
func TestMembersLearnOfEachOther(t *testing.T) {
	laptop := inMemory(t, tombolo.Options{Name: "laptop"})
	desk := inMemory(t, tombolo.Options{Name: "desk"})
	phone := inMemory(t, tombolo.Options{Name: "phone"})
	pair(t, laptop, desk, true)
	pair(t, laptop, phone, true)
	h, err := desk.Home().Create(t.Context(), map[string]any{"n": 1})
	must(t, err)
	defer h.Close()
	reads(t, arrives(t, phone, h.URL()), `{"n":1}`) // by way of the laptop
	ctx := patience(t)
	for {
		news := desk.News()
		s, err := desk.Status(ctx)
		must(t, err)
		if m := s.Spaces[0].Members; len(m) == 3 && m[2].Name == "phone" && m[1].Role == "owner" {
			return
		}
		select {
		case <-news:
		case <-ctx.Done():
			t.Fatalf("the desk knows only %+v", s.Spaces[0].Members)
		}
	}
}

// Paused, a device talks to nobody and lets nobody in; resumed, it catches up.
func TestPause(t *testing.T) {
	laptop := inMemory(t, tombolo.Options{})
	desk := inMemory(t, tombolo.Options{})
	phone := inMemory(t, tombolo.Options{})
	pair(t, laptop, desk, false)
	h, err := laptop.Home().Create(t.Context(), map[string]any{"n": 1})
	must(t, err)
	defer h.Close()
	there := arrives(t, desk, h.URL())
	must(t, h.Wait(patience(t), tombolo.OnDevices(2)))
	before := invites(t, laptop, tombolo.Invite{})
	must(t, laptop.Pause(t.Context()))
	must(t, laptop.Pause(t.Context()))
	must(t, h.Wait(patience(t), func(s tombolo.DocumentStatus) bool { return !s.Devices[1].Connected }))
	during := invites(t, laptop, tombolo.Invite{})
	for _, link := range []string{before, during} {
		if _, err := phone.Join(patience(t), link, tombolo.JoinOptions{}); err == nil {
			t.Error("a paused device let another in")
		}
	}
	set(t, h, "/n", 2)
	set(t, there, "/m", 3)
	s, err := laptop.Status(t.Context())
	must(t, err)
	if !s.Paused || s.Documents[0].Devices[1].Durable {
		t.Errorf("status while paused: %+v", s)
	}
	must(t, laptop.Resume(t.Context()))
	reads(t, there, `{"m":3,"n":2}`)
	reads(t, h, `{"m":3,"n":2}`)
	_, err = phone.Join(patience(t), during, tombolo.JoinOptions{})
	must(t, err)
}
