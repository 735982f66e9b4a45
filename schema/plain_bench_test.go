package schema_test

import (
	"context"
	"fmt"
	"testing"

	"tombolo/doc"
	"tombolo/schema"
)

// benchPlain is a document of 1,000 tags at version 1.
func benchPlain(b *testing.B) (*schema.Plain, schema.Document) {
	b.Helper()
	p, err := schema.NewPlain(plainApp, plainVersions()...)
	if err != nil {
		b.Fatal(err)
	}
	d, err := doc.New(doc.NamedID(plainApp, "bench"), plainZeros{})
	if err != nil {
		b.Fatal(err)
	}
	if _, err := d.Apply(doc.Genesis(d.ID(), plainApp)); err != nil {
		b.Fatal(err)
	}
	h := p.At(1).Open(schema.Of(d, nil))
	if _, _, err := h.Load(); err != nil {
		b.Fatal(err)
	}
	tags := []any{}
	for i := range 1000 {
		tags = append(tags, fmt.Sprint("tag ", i))
	}
	if err := h.Save(context.Background(), map[string]any{"title": doc.Text("bench"), "tags": tags}); err != nil {
		b.Fatal(err)
	}
	return p, schema.Of(d, nil)
}

type plainZeros struct{}

func (plainZeros) Read(p []byte) (int, error) { return len(p), nil }

// BenchmarkPlainLoad reads a version's own place of 1,000 values, or makes it of the place of the version before.
func BenchmarkPlainLoad(b *testing.B) {
	p, d := benchPlain(b)
	for n, name := range []string{"own", "older"} {
		b.Run(name, func(b *testing.B) {
			at := p.At(n + 1)
			for b.Loop() {
				if _, _, err := at.Load(d); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkPlainSave writes one value where there are 1,000.
func BenchmarkPlainSave(b *testing.B) {
	p, d := benchPlain(b)
	h := p.At(1).Open(d)
	v, _, err := h.Load()
	if err != nil {
		b.Fatal(err)
	}
	data := v.(map[string]any)
	n := 0
	for b.Loop() {
		n++
		data["title"] = doc.Text(fmt.Sprint("bench ", n))
		if err := h.Save(context.Background(), data); err != nil {
			b.Fatal(err)
		}
	}
}
