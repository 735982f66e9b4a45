package doc

import (
	"bytes"
	"encoding/hex"
	"testing"
	"time"

	"github.com/automerge/automerge-go"

	"tombolo/doc/gate"
)

// The bytes below are on people's disks from the first release on: a change here splits documents that were created apart.
func TestGenesisGolden(t *testing.T) {
	id := NamedID("com.example.notes", "shopping")
	for _, c := range []struct {
		name string
		raw  []byte
		want string
	}{
		{"genesis", Genesis(id, "com.example.notes"), goldenGenesis},
		{"genesis without app", Genesis(ID{1}, ""), goldenNoApp},
		{"list at /items", containerAt(id, "com.example.notes", Pointer{"items"}, kindList).raw, goldenList},
		{"text at /a/b", containerAt(id, "com.example.notes", Pointer{"a", "b"}, kindText).raw, goldenText},
		{"removed containers", containerAt(id, "com.example.notes", Pointer{"$m", "gone"}, kindMap).raw, goldenGone},
	} {
		if got := hex.EncodeToString(c.raw); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.name, got, c.want)
		}
		if _, err := gate.Parse(c.raw); err != nil {
			t.Errorf("%s: the gate refuses it: %v", c.name, err)
		}
	}
}

// The core itself, told to do the same under the same actor, makes the same bytes.
func TestEncodingIsTheCores(t *testing.T) {
	id := NamedID("app", "name")
	core := automerge.New()
	commit := func(actor []byte, write func()) []byte {
		t.Helper()
		check(t, core.SetActorID(hex.EncodeToString(actor)))
		write()
		h, err := core.Commit("", automerge.CommitOptions{Time: &time.Time{}})
		check(t, err)
		c, err := core.Change(h)
		check(t, err)
		return c.Save()
	}
	root := core.RootMap()
	got := commit(genesisActor(id, "app"), func() {
		m := automerge.NewMap()
		check(t, root.Set(marksKey, m))
		check(t, m.Set(markApp, "app"))
		check(t, m.Set(markLayout, uint64(layout)))
	})
	if !bytes.Equal(got, Genesis(id, "app")) {
		t.Errorf("genesis:\n core %x\n ours %x", got, Genesis(id, "app"))
	}
	for i, c := range []struct {
		path Pointer
		kind kind
		new  any
	}{
		{Pointer{"list"}, kindList, automerge.NewList()},
		{Pointer{"map"}, kindMap, automerge.NewMap()},
		{Pointer{"text"}, kindText, automerge.NewText("")},
	} {
		fresh, err := core.Fork(automerge.ChangeHash(hashOf(Genesis(id, "app"))))
		check(t, err)
		core, root = fresh, fresh.RootMap()
		want := containerAt(id, "app", c.path, c.kind)
		got := commit(want.actor, func() { check(t, root.Set(c.path[0], c.new)) })
		if !bytes.Equal(got, want.raw) {
			t.Errorf("%d %s:\n core %x\n ours %x", i, c.path, got, want.raw)
		}
		if c.kind == kindMap {
			inner := containerAt(id, "app", Pointer{"map", "in"}, kindList)
			got := commit(inner.actor, func() {
				check(t, core.Path("map").Map().Set("in", automerge.NewList()))
			})
			if !bytes.Equal(got, inner.raw) {
				t.Errorf("/map/in:\n core %x\n ours %x", got, inner.raw)
			}
		}
	}
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
