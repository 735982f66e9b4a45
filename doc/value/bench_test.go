package value_test

import (
	"testing"

	"tombolo/doc/value"
)

func BenchmarkWalk(b *testing.B) {
	in := aScalars()
	b.ReportAllocs()
	for b.Loop() {
		v, _ := value.Of(in)
		look(v)
	}
}

func BenchmarkCheck(b *testing.B) {
	in := aScalars()
	b.ReportAllocs()
	for b.Loop() {
		v, _ := value.Of(in)
		if err := v.Check(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkMarshal(b *testing.B) {
	in := aScalars()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := value.Marshal(in); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkUnmarshal(b *testing.B) {
	tree, err := value.Marshal(aScalars())
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		var out scalars
		if err := value.Unmarshal(tree, &out); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkRecords is 10,000 small structs in a map, as an application keeps them.
func BenchmarkRecords(b *testing.B) {
	type record struct {
		Name  string   `doc:"name"`
		Done  bool     `doc:"done"`
		Count int      `doc:"count"`
		Tags  []string `doc:"tags"`
	}
	in := map[int]record{}
	for i := range 10_000 {
		in[i] = record{Name: "a name", Count: i, Tags: []string{"x"}}
	}
	tree, err := value.Marshal(in)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("check", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			v, _ := value.Of(in)
			if err := v.Check(); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("check tree", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			v, _ := value.Of(tree)
			if err := v.Check(); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("unmarshal", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			var out map[int]record
			if err := value.Unmarshal(tree, &out); err != nil {
				b.Fatal(err)
			}
		}
	})
}
