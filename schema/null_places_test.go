package schema_test

import (
	"context"
	"testing"

	"tombolo/doc"
	"tombolo/schema"
)

// Null is no value: where a member left it in the place of a container, writing goes on.
func TestNullInThePlaceOfContainers(t *testing.T) {
	v3 := schema.MustBind[issue3](issues(), 3)
	d := newDoc(t)
	_, err := d.Edit(doc.Note{}, func(tx *doc.Tx) error {
		return tx.Put(map[string]any{"settings": nil, "title": nil})
	})
	if err != nil {
		t.Fatal(err)
	}
	update(t, v3, d, func(i *issue3) { i.Theme = "dark" })
	if err := v3.Text(schema.Of(d, nil), "name").Splice(context.Background(), 0, 0, "Bug"); err != nil {
		t.Fatal(err)
	}
	if got := read(t, v3, d); got.Theme != "dark" || got.Name != "Bug" {
		t.Errorf("it shows %+v", got)
	}
	if err := v3.Text(schema.Of(d, nil), "name").Splice(context.Background(), 3, 0, "!"); err != nil {
		t.Fatal(err)
	}
	if got := read(t, v3, d); got.Name != "Bug!" {
		t.Errorf("it shows %+v", got)
	}
}
