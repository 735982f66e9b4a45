package sync_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"tombolo/doc"
	"tombolo/sync"
)

var errBad = errors.New("bad on purpose")

// knows is a desk that has documents 1 to n, each at heads "a".
func knows(t testing.TB, self sync.PeerID, n int) *desk {
	d := newDesk(t, self)
	for i := range n {
		d.core.Know(key(i+1), doc.HeadsHash(id(i+1), heads("a")))
	}
	return d
}

func TestLiveChange(t *testing.T) {
	d := knows(t, "d", 1)
	d.meet(both)
	d.step(sync.Changed{Key: key(1), Before: heads("a"), After: heads("b"), Changes: [][]byte{{1}}})
	if p := only[sync.Push](d); p.Heads[0] != hash("b") || len(p.Changes) != 1 {
		t.Fatalf("%+v", p)
	}
	d.say(sync.Durable{Space: home, Doc: id(1), Heads: heads("b")})
	if len(d.fx.Acks) != 1 || d.core.LoadOf(mallory).Talks != 0 {
		t.Fatalf("acknowledged, and still talked about: %+v", d.fx)
	}
	d.say(sync.Push{Space: home, Doc: id(1), Changes: [][]byte{{2}}, Heads: heads("c")})
	d.step(sync.Took{Take: d.fx.Take[0], Before: heads("b"), After: heads("c"), New: [][]byte{{2}}})
	if m := only[sync.Durable](d); m.Heads[0] != hash("c") {
		t.Fatalf("%+v", m)
	}
	if n := d.core.LoadOf(mallory); n.Talks != 0 {
		t.Fatalf("still talked about: %+v", n)
	}
	// Too many changes to keep at hand: they are looked up.
	d.step(sync.Changed{Key: key(1), Before: heads("c"), After: heads("d")})
	if len(d.heard()) > 0 || len(d.fx.Find) != 1 || d.fx.Find[0].Known[0] != hash("c") {
		t.Fatalf("%+v", d.fx)
	}
}

// What a reader sends is not taken; where it stands is.
func TestReadersChangesAreNotTaken(t *testing.T) {
	reader := both
	reader.Accept = false
	d := knows(t, "d", 1)
	d.meet(reader)
	if d.say(sync.Push{Space: home, Doc: id(1), Changes: [][]byte{{1}}, Heads: heads("x")}); len(d.fx.Take) > 0 {
		t.Fatal("a push is taken")
	}
	d.say(sync.Delta{Space: home, Doc: id(1), Part: []byte("pack"), Last: true, Heads: heads("x")})
	if len(d.fx.Take) != 1 || d.fx.Take[0].Pack != nil || d.core.LoadOf(mallory).Spooled > 0 {
		t.Fatalf("a pack is taken: %+v", d.fx.Take)
	}
	d.step(sync.Took{Take: d.fx.Take[0], Before: heads("a"), After: heads("a"), Missing: heads("x")})
	if n := d.core.LoadOf(mallory); n.Wants+n.Asking+n.Talks > 0 {
		t.Fatalf("it is asked: %+v", n)
	}
	d.stays()
}

func TestPacksBeyondTheLimit(t *testing.T) {
	part := make([]byte, sync.MaxPart)
	one := newDesk(t, "d")
	one.meet(both)
	for range sync.MaxPack / len(part) {
		one.say(sync.Delta{Space: home, Doc: id(1), Part: part, Cont: true})
		one.stays()
	}
	one.say(sync.Delta{Space: home, Doc: id(1), Part: part, Cont: true})
	if got := one.dropped(); !strings.Contains(got, "a pack of more than") {
		t.Error(got)
	}

	many := newDesk(t, "d")
	many.meet(both)
	n := 0
	for ; len(many.fx.Drop) == 0 && n*len(part) <= 2*sync.MaxSpool; n++ {
		many.say(sync.Delta{Space: home, Doc: id(n), Part: part, Cont: true})
	}
	if got := many.core.LoadOf(mallory); got.Spooled > sync.MaxSpool+len(part) || len(many.fx.Drop) == 0 {
		t.Errorf("%d packs that do not end: %+v", n, got)
	}
}

func TestSpoolIsGivenBack(t *testing.T) {
	d := newDesk(t, "d")
	d.meet(both)
	d.say(sync.Delta{Space: home, Doc: id(1), Part: []byte("one "), Cont: true}, sync.Delta{Space: home, Doc: id(1), Part: []byte("pack")})
	if len(d.fx.Take) != 1 || string(d.fx.Take[0].Pack) != "one pack" || d.fx.Take[0].Tail != nil {
		t.Fatalf("%+v", d.fx.Take)
	}
	d.say(sync.Delta{Space: home, Doc: id(1), Part: []byte("half"), Cont: true})
	d.core.Forget(key(1))
	if n := d.core.LoadOf(mallory); n.Spooled != 0 || n.Talks != 0 {
		t.Fatalf("%+v", n)
	}
}

// ask lets the desk ask for document n and gives back what it said.
func ask(d *desk, n int, announced ...string) sync.Have {
	d.t.Helper()
	d.say(sync.Push{Space: home, Doc: id(n), Changes: [][]byte{{1}}, Heads: heads(announced...)})
	d.step(sync.Took{Take: d.fx.Take[0], Missing: heads(announced...)})
	d.step(sync.Found{Find: d.fx.Find[0]})
	return only[sync.Have](d)
}

func TestAnnouncedAndNeverDelivered(t *testing.T) {
	d := newDesk(t, "d")
	d.meet(both)
	ask(d, 1, "never")
	d.say(sync.Delta{Space: home, Doc: id(1), Last: true, Heads: heads("never")})
	d.step(sync.Took{Take: d.fx.Take[0], Missing: heads("never")})
	d.stays() // once can happen: it is asked again
	d.step(sync.Found{Find: d.fx.Find[0]})
	only[sync.Have](d)
	d.say(sync.Delta{Space: home, Doc: id(1), Last: true, Heads: heads("never")})
	d.step(sync.Took{Take: d.fx.Take[0], Missing: heads("never")})
	if got := d.dropped(); !strings.Contains(got, "do not contain what they announce") || d.fx.Drop[0].Blameless {
		t.Error(got)
	}
}

func TestBadChanges(t *testing.T) {
	d := newDesk(t, "d")
	d.meet(both)
	d.say(sync.Push{Space: home, Doc: id(1), Changes: [][]byte{{1}}, Heads: heads("a")})
	d.step(sync.Took{Take: d.fx.Take[0], Bad: errBad})
	if got := d.dropped(); got != errBad.Error() {
		t.Error(got)
	}
}

// A device that cannot write, or read, tries again later: each document once, however often it failed.
func TestThisDeviceFails(t *testing.T) {
	d := knows(t, "d", 2)
	d.meet(both)
	for range 100 {
		d.say(sync.Push{Space: home, Doc: id(1), Changes: [][]byte{{1}}, Heads: heads("b")})
		d.step(sync.Took{Take: d.fx.Take[0], Before: heads("a"), After: heads("a"), Err: errBad})
	}
	d.say(sync.Have{Space: home, Doc: id(2)})
	d.step(sync.Found{Find: d.fx.Find[0], Err: errBad})
	if n := d.core.LoadOf(mallory); n.Stuck != 2 || n.Finding+n.Looking != 0 {
		t.Fatalf("%+v", n)
	}
	if want := noon.Add(sync.RetryAfter); !d.fx.Wake.Equal(want) {
		t.Fatalf("it wakes at %v", d.fx.Wake)
	}
	if d.step(sync.Tick{}); len(d.fx.Find) > 0 {
		t.Fatal("a tick that comes early")
	}
	d.now = d.fx.Wake
	if d.step(sync.Tick{}); len(d.fx.Find) != 2 || !d.fx.Find[0].Stand || d.fx.Find[1].Stand || !d.fx.Wake.IsZero() {
		t.Fatalf("%+v", d.fx)
	}
	stand := d.fx.Find[0]
	d.step(sync.Found{Find: stand, Err: errBad}) // where it stands cannot be read either
	if n := d.core.LoadOf(mallory); n.Asking != 0 || n.Stuck != 1 {
		t.Fatalf("%+v", n)
	}
	d.now = d.fx.Wake
	if d.step(sync.Tick{}); len(d.fx.Find) != 1 || !d.fx.Find[0].Stand {
		t.Fatalf("%+v", d.fx)
	}
}

// Documents wait for the peer as a set: they are looked up when there is room, and each once.
func TestWindow(t *testing.T) {
	const docs = 200
	d := knows(t, "d", docs)
	d.meet(both)
	d.slow = true
	pack := make([]byte, sync.FindBytes)
	most, answered := 0, map[doc.ID]int{}
	finds := []sync.Find{}
	step := func(ev sync.Event) {
		d.step(ev)
		finds = append(finds, d.fx.Find...)
		load := d.core.LoadOf(mallory)
		most = max(most, load.UnderWay)
		if load.Finding > sync.MaxFinding || load.Dirty > docs {
			t.Fatalf("%+v", load)
		}
	}
	for round := range 3 {
		for i := range docs {
			before := []string{"a", "b", "c", "d"}[round : round+2]
			step(sync.Changed{Key: key(i + 1), Before: heads(before[0]), After: heads(before[1])})
		}
	}
	for len(finds) > 0 || d.core.LoadOf(mallory).UnderWay > 0 {
		for len(finds) > 0 {
			f := finds[0]
			finds = finds[1:]
			answered[f.Key.Doc]++
			step(sync.Found{Find: f, Packs: [][]byte{pack[:f.Bytes]}, Heads: heads("d")})
		}
		step(sync.Sent{Peer: mallory, N: d.core.LoadOf(mallory).UnderWay})
	}
	if limit := sync.Window + sync.FindBytes + 16<<10; most > limit {
		t.Errorf("%d bytes were under way, %d are allowed", most, limit)
	}
	for i := range docs {
		if n := answered[id(i+1)]; n < 1 || n > 2 { // one whose look-up was under way when it changed again is looked up twice
			t.Fatalf("document %d was looked up %d times", i+1, n)
		}
	}
	if n := d.core.LoadOf(mallory); n.Finding+n.Looking+n.Dirty != 0 {
		t.Errorf("%+v", n)
	}
}

// A document that is forgotten while the peer waits for it is answered all the same: else the peer would wait for ever.
func TestForgottenWhileAsked(t *testing.T) {
	d := knows(t, "d", 3)
	d.meet(both)
	d.say(sync.Have{Space: home, Doc: id(1), Heads: heads("x")})
	find := d.fx.Find[0]
	d.core.Forget(key(1))
	d.step(sync.Found{Find: find, Heads: heads("a")})
	if d.step(sync.Found{Find: d.fx.Find[0]}); !only[sync.Delta](d).Last {
		t.Fatal("no end of the answer")
	}
	if n := d.core.LoadOf(mallory); n.Talks != 0 {
		t.Errorf("%+v", n)
	}
	d.say(sync.Have{Space: home, Doc: id(1), Heads: heads("x")}) // and when it is asked for later
	if m := only[sync.Delta](d); !m.Last || len(m.Heads) > 0 {
		t.Errorf("%+v", m)
	}
	ask(d, 9, "y")
	d.core.Forget(key(9))
	d.say(sync.Delta{Space: home, Doc: id(9), Last: true})
	d.step(sync.Took{Take: d.fx.Take[0]})
	if n := d.core.LoadOf(mallory); n.Asking != 0 {
		t.Errorf("a document forgotten here keeps its place among those asked for: %+v", n)
	}
}

// Of what a peer makes up about documents that do not exist, little is kept.
func TestMadeUpDocuments(t *testing.T) {
	d := knows(t, "d", 1)
	d.meet(both)
	for i := range 1000 {
		d.say(sync.Durable{Space: home, Doc: id(100 + i), Heads: heads("x")}, sync.Have{Space: home, Doc: id(100 + i), Heads: heads("x")})
	}
	if n := d.core.LoadOf(mallory); n.Claims+n.Talks+n.Dirty+n.Finding != 0 {
		t.Errorf("%+v", n)
	}
	for name, last := range map[string]func(d *desk){
		"parts": func(d *desk) { d.say(sync.Delta{Space: home, Doc: id(1), Part: []byte("p"), Cont: true}) },
		"heads": func(d *desk) {
			d.say(sync.Push{Space: home, Doc: id(1), Heads: heads("x")})
			d.step(sync.Took{Take: d.fx.Take[0], Missing: heads("x")})
		},
	} {
		d := newDesk(t, "d")
		d.meet(both)
		d.core.Crowd(mallory, home)
		if last(d); !strings.Contains(d.dropped(), "talks about more than") {
			t.Errorf("%s: %s", name, d.dropped())
		}
	}
}

// A few documents are asked for at a time, and an answer makes room for the next.
func TestAsksAreFew(t *testing.T) {
	const docs = 100
	d := newDesk(t, "a")
	d.greet(both)
	d.say(sync.Summary{Space: home, Count: docs})
	var items []sync.Item
	for i := range docs {
		items = append(items, sync.Item{Doc: id(i + 1), Hash: [16]byte{1}})
	}
	d.say(sync.List{Space: home, Items: items, Last: true})
	finds := d.fx.Find
	if len(finds) != sync.MaxAsking {
		t.Fatalf("%d documents are asked for", len(finds))
	}
	for n := 0; len(finds) > 0; n++ {
		f := finds[0]
		finds = finds[1:]
		d.heard()
		d.step(sync.Found{Find: f})
		m := only[sync.Have](d)
		d.say(sync.Delta{Space: home, Doc: m.Doc, Part: []byte("pack"), Last: true, Heads: heads("a")})
		d.step(sync.Took{Take: d.fx.Take[0], After: heads("a"), New: [][]byte{{1}}})
		finds = append(finds, d.fx.Find...)
		if load := d.core.LoadOf(mallory); load.Asking > sync.MaxAsking {
			t.Fatalf("%+v", load)
		}
	}
	if n := d.core.LoadOf(mallory); n.Asking+n.Wants+n.Talks != 0 {
		t.Errorf("at the end: %+v", n)
	}
}

// A list goes out as the network takes it, and the comparison waits for all of it.
func TestLongListsWait(t *testing.T) {
	const docs = 60_000
	d := knows(t, "d", docs)
	d.greet(both)
	d.slow = true
	d.heard()
	d.say(sync.Summary{Space: home}, sync.List{Space: home, Last: true})
	count, last := 0, false
	for !last {
		if n := d.core.LoadOf(mallory); n.UnderWay > sync.Window+sync.MaxFrame {
			t.Fatalf("%d bytes are under way", n.UnderWay)
		}
		for _, m := range d.heard() {
			l, ok := m.(sync.List)
			if count += len(l.Items); ok {
				last = l.Last
			}
		}
		if !last && len(d.fx.Acks)+d.core.LoadOf(mallory).Talks > 0 {
			t.Fatal("compared before the list is out")
		}
		d.step(sync.Sent{Peer: mallory, N: d.core.LoadOf(mallory).UnderWay})
	}
	if n := d.core.LoadOf(mallory); count != docs || n.Talks != docs {
		t.Errorf("%d documents listed: %+v", count, n)
	}
	if d.say(sync.List{Space: home, Last: true}); d.dropped() != "a list that was not its turn" {
		t.Error("a second list")
	}
}

// Of equal documents nothing is kept per peer.
func TestEqualDocumentsCostNothing(t *testing.T) {
	d := knows(t, "d", 10_000)
	d.meet(both)
	if n := d.core.LoadOf(mallory); n != (sync.Load{}) {
		t.Errorf("%+v", n)
	}
	if allocs := testing.AllocsPerRun(10, func() { d.core.Step(noon, sync.Tick{}) }); allocs > 10 {
		t.Errorf("a tick takes %v allocations", allocs)
	}
}

// No message names heads that nobody said were durable.
func TestHeadsAreDurable(t *testing.T) {
	d := knows(t, "d", 1)
	d.meet(both)
	d.say(sync.Push{Space: home, Doc: id(1), Changes: [][]byte{{1}}, Heads: heads("b")})
	if said := d.heard(); len(said) > 0 {
		t.Fatalf("before it is on disk: %+v", said)
	}
	take := d.fx.Take[0]
	d.say(sync.Have{Space: home, Doc: id(1), Heads: heads("b")})
	d.step(sync.Found{Find: d.fx.Find[0], Heads: heads("a")})
	if m := only[sync.Delta](d); fmt.Sprint(m.Heads) != fmt.Sprint(heads("a")) {
		t.Fatalf("%+v", m)
	}
	d.step(sync.Took{Take: take, Before: heads("a"), After: heads("b"), New: [][]byte{{1}}})
	for _, m := range d.heard() {
		if m, ok := m.(sync.Durable); !ok || m.Heads[0] != hash("b") {
			t.Fatalf("%+v", m)
		}
	}
}
