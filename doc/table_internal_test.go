package doc

import (
	"bytes"
	"encoding/hex"
	"testing"
	"time"

	"tombolo/doc/gate"
)

// The bytes below are on people's disks from the first release on: a change here splits records that two devices fill apart.
const (
	goldenRecordID = "0000014qr6tkmhgbovb0"
	goldenInner    = "856f4a83452eb40401680180b56ec5ae31408bb83064147d5f744d5198e6be03791f98143d9dce9e9334bc10513b8ba095d5e1f4d3ef13ad1c4abd45010700000110070707070707070707070707070707070701020202150634014202560270027f017f057f0474616773017f027f007f00"
	goldenDeeper   = "856f4a83fffce0c8016501f36ffff7c4acfb15c72d7979cda85eddb0f3931c202baab5d234d5062b7087f710993a31900e632cbcdbe63da89c1babf20108000001108366f710b521e8e85c4dfb13b5e01cc90701020202150334014202560270027f017f077f0161017f027f007f00"
)

func TestInnerGolden(t *testing.T) {
	id := NamedID("com.example.notes", "shopping")
	d, err := New(id, bytes.NewReader(bytes.Repeat([]byte{7}, 16)))
	check(t, err)
	_, err = d.Apply(Genesis(id, "com.example.notes"))
	check(t, err)
	type row struct {
		Title string              `doc:"title"`
		Tags  []string            `doc:"tags,omitempty"`
		Sub   map[string][]string `doc:"sub,omitempty"`
	}
	table := MustTable[row]("/tasks")
	var made string
	_, err = d.Edit(Note{Time: time.Unix(1, 0)}, func(tx *Tx) (err error) {
		made, err = table.Create(tx, "", row{Title: "milk"})
		return err
	})
	check(t, err)
	if made != goldenRecordID {
		t.Errorf("the record's ID is %q", made)
	}
	e, err := d.Edit(Note{Time: time.Unix(2, 0)}, func(tx *Tx) error {
		return table.Update(tx, made, func(r *row) error {
			r.Tags = []string{"red"}
			r.Sub = map[string][]string{"a": {}}
			return nil
		})
	})
	check(t, err)
	got := map[string]bool{}
	for _, c := range e.Changes {
		got[hex.EncodeToString(c.Raw)] = true
	}
	for _, want := range []string{goldenInner, goldenDeeper} {
		if !got[want] {
			t.Errorf("no change\n%s\namong\n%v", want, got)
		}
	}
	if len(e.Changes) != 4 { // tags, sub, sub/a and the edit
		t.Errorf("%d changes", len(e.Changes))
	}
	for _, c := range e.Changes {
		if _, err := gate.Parse(c.Raw); err != nil {
			t.Error(err)
		}
	}
	b, err := d.Save(nil)
	check(t, err)
	changes, err := ReadSaved(b, nil)
	check(t, err)
	again, err := Load(id, changes, bytes.NewReader(make([]byte, 16)))
	check(t, err)
	x, err := d.JSON("")
	check(t, err)
	y, err := again.JSON("")
	check(t, err)
	if !bytes.Equal(x, y) {
		t.Errorf("the core has\n%s, not\n%s", y, x)
	}
}
