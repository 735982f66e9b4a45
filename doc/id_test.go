package doc_test

import (
	"errors"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"tombolo/doc"
)

func TestURL(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var u doc.URL
		copy(u.Doc[:], rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(rt, "doc"))
		copy(u.Space[:], rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(rt, "space"))
		s := u.String()
		for _, form := range []string{s, strings.ToUpper(s), " " + s + "\n"} {
			if back, err := doc.ParseURL(form); err != nil || back != u {
				rt.Fatalf("%q: %v, %v", form, back, err)
			}
		}
		i := rapid.IntRange(len("tombolo:"), len(s)-1).Draw(rt, "typo at")
		c := rapid.SampledFrom([]byte("abcdefghijklmnopqrstuvwxyz234567189é")).Draw(rt, "typo")
		if typo := s[:i] + string(c) + s[i+1:]; typo != s {
			if _, err := doc.ParseURL(typo); !errors.Is(err, doc.ErrURL) {
				rt.Fatalf("took %q for %q: %v", typo, s, err)
			}
		}
	})
	for _, s := range []string{"", "x", "tombolo:", "tombolo:abc", "https://example.com"} {
		if _, err := doc.ParseURL(s); !errors.Is(err, doc.ErrURL) {
			t.Errorf("%q: %v", s, err)
		}
	}
}

func TestNamedID(t *testing.T) {
	if got := doc.NamedID("com.example.notes", "shopping").String(); got != goldenNamed {
		t.Errorf("NamedID is %s, was %s in every release", got, goldenNamed)
	}
	if doc.NamedID("a", "bc") == doc.NamedID("ab", "c") {
		t.Error("app and name run together")
	}
}

const goldenNamed = "he4yzsu2gdt2t4nfxh66r5t54u"
