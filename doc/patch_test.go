package doc_test

import (
	"strings"
	"testing"

	"tombolo/doc"
)

// Cases after RFC 6902, appendix A, and our own.
func TestPatch(t *testing.T) {
	for _, c := range []struct{ from, patch, want, err string }{
		{`{"foo":"bar"}`, `[{"op":"add","path":"/baz","value":"qux"}]`, `{"baz":"qux","foo":"bar"}`, ""},
		{`{"foo":["bar","baz"]}`, `[{"op":"add","path":"/foo/1","value":"qux"}]`, `{"foo":["bar","qux","baz"]}`, ""},
		{`{"baz":"qux","foo":"bar"}`, `[{"op":"remove","path":"/baz"}]`, `{"foo":"bar"}`, ""},
		{`{"foo":["bar","qux","baz"]}`, `[{"op":"remove","path":"/foo/1"}]`, `{"foo":["bar","baz"]}`, ""},
		{`{"baz":"qux"}`, `[{"op":"replace","path":"/baz","value":"boo"}]`, `{"baz":"boo"}`, ""},
		{`{"baz":"qux","foo":["a",2,"c"]}`, `[{"op":"test","path":"/baz","value":"qux"},{"op":"test","path":"/foo/1","value":2}]`, `{"baz":"qux","foo":["a",2,"c"]}`, ""},
		{`{"baz":"qux"}`, `[{"op":"test","path":"/baz","value":"bar"}]`, "", "test failed"},
		{`{"foo":"bar"}`, `[{"op":"add","path":"/child","value":{"grandchild":{}}}]`, `{"child":{"grandchild":{}},"foo":"bar"}`, ""},
		{`{"foo":"bar"}`, `[{"op":"add","path":"/baz/bat","value":"qux"}]`, "", "create it first"},
		{`{"/":9,"~1":10}`, `[{"op":"test","path":"/~01","value":10}]`, `{"/":9,"~1":10}`, ""},
		{`{"/":9,"~1":10}`, `[{"op":"test","path":"/~01","value":"10"}]`, "", "test failed"},
		{`{"foo":["bar"]}`, `[{"op":"add","path":"/foo/-","value":["abc","def"]}]`, `{"foo":["bar",["abc","def"]]}`, ""},
		{`{"foo":["bar"]}`, `[{"op":"add","path":"/foo/2","value":1}]`, "", "beyond the end"},
		{`{"foo":1}`, `[{"op":"replace","path":"/no","value":1}]`, "", "there is nothing"},
		{`{"foo":1}`, `[{"op":"add","path":"","value":{"a":{"$text":"t"}}}]`, `{"a":{"$text":"t"}}`, ""},
		{`{"foo":1}`, `[{"op":"add","path":"","value":[]}]`, "", "is a map"},
		{`{"foo":1}`, `[{"op":"add","path":"/a","value":1},{"op":"remove","path":"/no"}]`, "", "operation 2"},
		{`{"foo":{"bar":"baz","waldo":"fred"},"qux":{"corge":"grault"}}`, `[{"op":"move","from":"/foo/waldo","path":"/qux/thud"}]`, `{"foo":{"bar":"baz"},"qux":{"corge":"grault","thud":"fred"}}`, ""},
		{`{"foo":["all","grass","cows","eat"]}`, `[{"op":"move","from":"/foo/1","path":"/foo/3"}]`, `{"foo":["all","cows","eat","grass"]}`, ""},
		{`{"l":[1,{"a":{"$text":"t"}}]}`, `[{"op":"copy","from":"/l/1","path":"/l/-"},{"op":"copy","from":"/l/1/a","path":"/m"}]`, `{"l":[1,{"a":{"$text":"t"}},{"a":{"$text":"t"}}],"m":{"$text":"t"}}`, ""},
		{`{"a":{"b":1}}`, `[{"op":"move","from":"/a","path":"/a/b"}]`, "", "into itself"},
		{`{"a":{"b":1}}`, `[{"op":"move","from":"/a","path":"/a"}]`, `{"a":{"b":1}}`, ""},
		{`{"a":1}`, `[{"op":"move","from":"/no","path":"/a"}]`, "", "there is nothing"},
		{`{"a":1}`, `[{"op":"copy","path":"/a"}]`, "", `"from" is missing`},
		{`{"foo":1}`, `[{"op":"fly","path":"/a"}]`, "", "not an operation"},
		{`{"foo":1}`, `[{"op":"add","path":"/a"}]`, "", `needs "value"`},
		{`{"foo":1}`, `[{"op":"add"}]`, "", `"path" is missing`},
		{`{"foo":1}`, `[{"path":"/a"}]`, "", `"op" is missing`},
		{`{"foo":1}`, `[1]`, "", "not an object"},
		{`{"foo":1}`, `{}`, "", "list of operations"},
		{`{"foo":1}`, `[`, "", "ends before"},
		{`{"foo":1}`, `[{"op":"add","path":"a","value":1}]`, "", `begins with "/"`},
	} {
		d := open(t, doc.ID{20})
		v, err := doc.DecodeJSON([]byte(c.from))
		must(t, err)
		edit(t, d, func(tx *doc.Tx) error { return tx.Put(v) })
		_, err = d.Edit(doc.Note{}, func(tx *doc.Tx) error { return tx.Patch([]byte(c.patch)) })
		switch {
		case c.err == "":
			must(t, err)
			wantJSON(t, d, c.want)
		case err == nil || !strings.Contains(err.Error(), c.err):
			t.Errorf("%s: error %v, want %q", c.patch, err, c.err)
		default:
			wantJSON(t, d, c.from)
		}
	}
}
