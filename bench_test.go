package tombolo_test

import (
	"testing"

	"tombolo"
	"tombolo/persist/memstore"
)

func benchOpen(b *testing.B, opts tombolo.Options) *tombolo.Engine {
	b.Helper()
	opts.NoDiscovery, opts.Listen = true, []string{"/ip4/127.0.0.1/tcp/0"}
	e, err := tombolo.Open(b.Context(), b.TempDir(), &opts)
	check(b, err)
	b.Cleanup(func() { check(b, e.Close()) })
	return e
}

func check(b *testing.B, err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

func benchPair(b *testing.B, owner, joiner *tombolo.Engine) {
	b.Helper()
	inv, err := owner.Invite(b.Context(), tombolo.Invite{})
	check(b, err)
	_, err = joiner.Join(b.Context(), inv.Link, tombolo.JoinOptions{})
	check(b, err)
}

// One edit at a time, each on the disk before the next.
func BenchmarkChangeDurable(b *testing.B) {
	h, err := benchOpen(b, tombolo.Options{Offline: true}).Home().Create(b.Context(), nil)
	check(b, err)
	defer h.Close()
	i := 0
	for b.Loop() {
		check(b, h.Change(b.Context(), "", put("/n", i)))
		i++
	}
}

// Edits of which 64 are on their way to the disk at a time.
func BenchmarkChangePipelined64(b *testing.B) {
	h, err := benchOpen(b, tombolo.Options{Offline: true}).Home().Create(b.Context(), nil)
	check(b, err)
	defer h.Close()
	var under [64]*tombolo.Pending
	i := 0
	for b.Loop() {
		if p := under[i%len(under)]; p != nil {
			check(b, p.Wait(b.Context()))
		}
		under[i%len(under)], err = h.ChangeAsync(b.Context(), "", put("/n", i))
		check(b, err)
		i++
	}
	for _, p := range under {
		if p != nil {
			check(b, p.Wait(b.Context()))
		}
	}
}

// From the edit until the other device shows it; both have it on disk.
func BenchmarkEditVisibleThere(b *testing.B) {
	laptop, desk := benchOpen(b, tombolo.Options{}), benchOpen(b, tombolo.Options{})
	benchPair(b, laptop, desk)
	h, err := laptop.Home().Create(b.Context(), nil)
	check(b, err)
	defer h.Close()
	check(b, h.Wait(b.Context(), tombolo.OnDevices(2)))
	there, err := desk.Document(b.Context(), h.URL())
	check(b, err)
	defer there.Close()
	seen := make(chan struct{})
	events := there.Watch(b.Context())
	go func() {
		for range events {
			seen <- struct{}{}
		}
		close(seen)
	}()
	i := 0
	for b.Loop() {
		check(b, h.Change(b.Context(), "", put("/n", i)))
		<-seen
		i++
	}
	check(b, there.Close()) // ends the watch
	for range seen {
	}
}

// A device joins, and gets 200 small documents.
func BenchmarkFirstSync200(b *testing.B) {
	laptop := benchOpen(b, tombolo.Options{Store: memstore.New()})
	const count = 200
	for i := range count {
		h, err := laptop.Home().Create(b.Context(), map[string]any{"n": i})
		check(b, err)
		check(b, h.Close())
	}
	for b.Loop() {
		b.StopTimer()
		desk := benchOpen(b, tombolo.Options{Store: memstore.New()})
		b.StartTimer()
		benchPair(b, laptop, desk)
		for here := 0; here < count; {
			news := desk.News()
			s, err := desk.Status(b.Context())
			check(b, err)
			if here = len(s.Documents); here < count {
				<-news
			}
		}
		b.StopTimer()
		check(b, desk.Close())
		b.StartTimer()
	}
}
