package sync_test

import (
	"fmt"
	"reflect"
	"testing"
	"time"

	"tombolo/doc"
	"tombolo/sync"
)

// play decodes bytes into events: a peer that says valid messages in any order, and a device that answers as the Core may expect of
// it. It returns everything the Core wanted done.
func play(t testing.TB, script []byte) (all []sync.Effects, core *sync.Core) {
	next := func() int {
		if len(script) == 0 {
			return 0
		}
		b := script[0]
		script = script[1:]
		return int(b)
	}
	names := []string{"a", "b", "c"}
	some := func() []doc.Hash { return heads(names[:next()%4]...) }
	d := newDesk(t, sync.PeerID([]string{"a", "z"}[next()%2]))
	d.slow = true
	durable := map[doc.ID][]doc.Hash{}
	for i := range next() % 3 {
		durable[id(i)] = heads("a")
		d.core.Know(key(i), doc.HeadsHash(id(i), heads("a")))
	}
	var takes []sync.Take
	var finds []sync.Find
	step := func(ev sync.Event) {
		d.step(ev)
		all = append(all, d.fx)
		takes, finds = append(takes, d.fx.Take...), append(finds, d.fx.Find...)
	}
	grant := func() sync.Grant {
		g := both
		how := next()
		g.Give, g.Accept, g.Members = how%2 == 0, how%4 < 2, [8]byte{byte(how % 3)}
		return g
	}
	say := func(m any) { step(sync.Received{Peer: mallory, Frame: sync.Encode(m)}) }
	g := grant()
	step(sync.PeerUp{Peer: mallory, Spaces: []sync.Grant{g}})
	say(hello(d, g))
	for len(script) > 0 {
		n := id(next() % 4)
		switch next() % 22 {
		case 0:
			step(sync.PeerUp{Peer: mallory, Spaces: []sync.Grant{grant()}})
		case 1:
			step(sync.PeerDown{Peer: mallory})
		case 2:
			step(sync.Granted{Peer: mallory, Spaces: []sync.Grant{grant()}[:next()%2]})
		case 3:
			say(hello(d, grant()))
		case 4:
			say(sync.Ranges{Space: home, Sums: make([]byte, 8*(next()%3))})
			step(sync.Joined{Space: home, Records: [][]byte{{1}}})
		case 5, 6:
			for i := len(d.said) - 1; i >= 0; i-- { // a summary equal to the Core's, or not
				if m, ok := d.said[i].(sync.Summary); ok {
					m.Count += uint64(next() % 2)
					say(m)
					break
				}
			}
		case 7:
			say(sync.List{Space: home, Items: []sync.Item{{Doc: n, Hash: [16]byte{byte(next())}}}, Last: next()%2 == 0})
		case 8:
			say(sync.Have{Space: home, Doc: n, Heads: some(), Sample: some()})
		case 9, 10:
			how := next()
			say(sync.Delta{Space: home, Doc: n, Part: make([]byte, how%3), Cont: how%2 == 0, Last: how%4 == 0, Heads: some(), Sample: some()})
		case 11:
			say(sync.Push{Space: home, Doc: n, Changes: [][]byte{{1}}, Heads: some()})
		case 12:
			say(sync.Durable{Space: home, Doc: n, Heads: some()})
		case 13:
			before := durable[n]
			durable[n] = heads("a", names[next()%3])
			step(sync.Changed{Key: sync.Key{Space: home, Doc: n}, Before: before, After: durable[n], Changes: make([][]byte, next()%6)})
		case 14, 15:
			if len(takes) > 0 {
				took := sync.Took{Take: takes[0], Before: durable[takes[0].Key.Doc]}
				takes, took.After = takes[1:], took.Before
				switch how := next() % 5; {
				case how == 0:
					took.Bad = errBad
				case how == 1:
					took.Err = errBad
				case how == 2:
					took.Missing = some()
				case took.Tail != nil && len(took.Tail.Heads) > 0:
					took.After, took.New = took.Tail.Heads, [][]byte{{1}}
					durable[took.Key.Doc] = took.After
				}
				step(took)
			}
		case 16, 17:
			if len(finds) > 0 {
				found := sync.Found{Find: finds[0], Heads: durable[finds[0].Key.Doc]}
				finds = finds[1:]
				switch how := next() % 4; how {
				case 0:
					found.Err = errBad
				case 1:
					found.Packs, found.Next = [][]byte{{1}}, 7
				case 2:
					found.Packs = [][]byte{make([]byte, sync.MaxPart+1)}
				}
				step(found)
			}
		case 18:
			d.now = d.now.Add(time.Duration(next()) * time.Second)
			step(sync.Tick{})
		case 19:
			if next()%2 == 0 {
				step(sync.Sent{Peer: mallory, N: 1 + next()*4096})
			} else {
				d.core.Forget(sync.Key{Space: home, Doc: n})
				delete(durable, n)
			}
		case 20:
			say(sync.Gone{Space: home, Docs: []doc.ID{n, id(next() % 4)}})
		case 21:
			if len(durable[n]) > 0 {
				step(sync.Purged{Key: sync.Key{Space: home, Doc: n}, HeadsHash: doc.HeadsHash(n, durable[n])})
				delete(durable, n)
			}
		}
		load := d.core.LoadOf(mallory)
		if load.Talks > 4 || load.Claims > 4 || load.Stuck > 4 || load.Asking < 0 || load.Asking > 4 || load.Finding < 0 || load.Spooled < 0 ||
			load.Spooled > sync.MaxSpool || load.Looking < 0 || load.Looking > sync.Window+sync.FindBytes {
			t.Fatalf("of four documents the Core keeps %+v", load)
		}
	}
	// When all work is done and the network is free, nothing may be held.
	for range 100 {
		if len(takes)+len(finds) == 0 {
			break
		}
		work, looks := takes, finds
		takes, finds = nil, nil
		for _, w := range work {
			step(sync.Took{Take: w, Before: durable[w.Key.Doc], After: durable[w.Key.Doc]})
		}
		for _, f := range looks {
			step(sync.Found{Find: f, Heads: durable[f.Key.Doc]})
		}
		step(sync.Sent{Peer: mallory, N: 1 << 30})
	}
	if load := d.core.LoadOf(mallory); load.Finding+load.Looking != 0 || len(takes)+len(finds) > 0 {
		t.Fatalf("it does not come to an end: %+v, %d takes, %d finds", load, len(takes), len(finds))
	}
	return all, d.core
}

// Whatever a peer says in whatever order, the Core does not panic, keeps little, comes to an end, and does the same every time.
func FuzzCore(f *testing.F) {
	f.Add([]byte("\x00\x02\x00\x00\x05\x00\x01\x07\x09\x00\x01\x08\x02\x01\x02\x10\x02\x02\x0b\x01\x01\x0e\x00"))
	f.Add([]byte("\x01\x01\x00\x00\x06\x01\x00\x0d\x01\x03\x00\x0c\x02\x00\x0d\x02\x05\x00\x10\x01\x00\x11\x02\x00\x13\x00\x09"))
	for i := range 40 { // something of everything
		var script []byte
		for j := range 200 {
			h := hash(fmt.Sprint(i, j))
			script = append(script, h[0])
		}
		f.Add(script)
	}
	f.Fuzz(func(t *testing.T, script []byte) {
		if len(script) > 4096 {
			return
		}
		first, _ := play(t, script)
		second, _ := play(t, script)
		if !reflect.DeepEqual(first, second) {
			t.Fatal("the same events gave other effects")
		}
	})
}
