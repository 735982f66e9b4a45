package doc_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"tombolo/doc"
)

func TestPatchJSON(t *testing.T) {
	for want, p := range map[string]doc.Patch{
		`{"op":"add","path":"/a~1b","new":null}`:                                                      {Path: doc.Pointer{"a/b"}, Kind: doc.PatchAdd},
		`{"op":"remove","path":"/l/0","old":{"x":{"$counter":5}}}`:                                    {Path: doc.Pointer{"l", "0"}, Kind: doc.PatchRemove, Old: map[string]any{"x": doc.Counter(5)}},
		`{"op":"replace","path":"","old":{},"new":{"t":{"$text":"é"}}}`:                               {Kind: doc.PatchReplace, Old: map[string]any{}, New: map[string]any{"t": doc.Text("é")}},
		`{"op":"splice","path":"/t","at":0,"old":{"$text":"a"},"new":{"$text":""}}`:                   {Path: doc.Pointer{"t"}, Kind: doc.PatchSplice, Old: doc.Text("a"), New: doc.Text("")},
		`{"op":"replace","path":"/n","old":{"$int":"9007199254740993"},"new":{"$float":"-Infinity"}}`: {},
	} {
		var back doc.Patch
		must(t, json.Unmarshal([]byte(want), &back))
		if p.Kind != 0 && !reflect.DeepEqual(back, p) {
			t.Errorf("%s was read as %+v", want, back)
		}
		b, err := json.Marshal(back)
		must(t, err)
		if string(b) != want {
			t.Errorf("%s came back as %s", want, b)
		}
	}
	for in, want := range map[string]string{
		`[]`:                                                  "patch",
		`{"path":"/a","new":1}`:                               `"op" is missing`,
		`{"op":"fly","path":"/"}`:                             "not a kind",
		`{"op":"add","path":"a","new":1}`:                     "begins with",
		`{"op":"add","path":"/a"}`:                            "other fields",
		`{"op":"add","path":"/a","old":1,"new":1}`:            "other fields",
		`{"op":"remove","path":"/a","new":1}`:                 "other fields",
		`{"op":"replace","path":"/a","at":1,"old":1,"new":1}`: "other fields",
		`{"op":"splice","path":"/a","old":"","new":""}`:       "other fields",
		`{"op":"add","path":"/a","new":{"$int":"x"}}`:         "patch",
	} {
		var p doc.Patch
		if err := json.Unmarshal([]byte(in), &p); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", in, err, want)
		}
	}
	if _, err := json.Marshal(doc.Patch{Kind: doc.PatchAdd, New: make(chan int)}); err == nil {
		t.Error("a channel was written")
	}
}
