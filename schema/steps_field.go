package schema

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"tombolo/doc"
	"tombolo/doc/value"
)

// maxName is how many bytes a name may have. Names become keys of every object.
const maxName = 64

func checkNames(names ...string) error {
	for _, name := range names {
		if err := checkName(name); err != nil {
			return err
		}
	}
	return nil
}

func checkName(name string) error {
	switch {
	case name == "":
		return errors.New("a name is missing")
	case len(name) > maxName:
		return fmt.Errorf("the name %q… is longer than %d bytes", name[:20], maxName)
	case strings.Contains(name, "."):
		return fmt.Errorf("the name %q has a dot; paths are for Hoist and Plunge, other steps name the object type that has the field", name)
	}
	for i, r := range name {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
		if !letter && (i == 0 || !(r >= '0' && r <= '9' || r == '_' || r == '-')) {
			return fmt.Errorf("%q is not a name; names are letters (a to z), digits, _ and -, and begin with a letter", name)
		}
	}
	return nil
}

// checkPath is for paths through nested fields, such as "settings.theme".
func checkPath(path string) error {
	names := strings.Split(path, ".")
	if len(names) < 2 {
		return fmt.Errorf("the path %q leads through no nested field; write it like \"settings.theme\"", path)
	}
	return checkNames(names...)
}

// check says whether a field may be declared in an object type, and notes the types it names.
func (c *compiler) check(typ string, f Field) error {
	if err := checkName(f.name); err != nil {
		return err
	}
	if err := c.checkOptions(f); err != nil {
		return err
	}
	switch f.kind {
	case KindTable:
		return c.refer(f, f.object, false)
	case KindNested:
		return c.checkNested(typ, f)
	case KindList:
		if f.elem.kind == KindNested {
			return c.refer(f, f.elem.object, true)
		}
	}
	return nil
}

// refer notes that a field names a type, which may be declared later in this version.
func (c *compiler) refer(f Field, typ string, list bool) error {
	if typ == Root {
		return fmt.Errorf("the field %q cannot hold the document's own type; declare an object type of its own", f.name)
	}
	c.refs = append(c.refs, ref{c.text, f.name, typ, list})
	return nil
}

// checkNested looks at the nested type first, since its tree is copied.
func (c *compiler) checkNested(typ string, f Field) error {
	if err := c.refer(f, f.object, false); err != nil {
		return err
	}
	circle := fmt.Errorf("the nested field %q would contain itself, by way of %q; use a Table, whose records may have tables of their own type", f.name, f.object)
	if f.object == typ || c.busy[f.object] {
		return circle
	}
	if w, ok := c.waiting[f.object]; ok && c.objects[f.object] == nil {
		if err := c.run(w.number, w.step); err != nil {
			return err
		}
	}
	in := c.objects[f.object]
	if in == nil {
		return fmt.Errorf("the field %q names the object type %q, which is not declared; declare it with Object(%[2]q, …) in this version or an earlier one", f.name, f.object)
	}
	for o := range in.all {
		if o.typ == typ {
			return circle
		}
	}
	return nil
}

// checkOptions says whether the options of a field fit its kind, and the elements of a list theirs.
func (c *compiler) checkOptions(f Field) error {
	if err := checkOptions(f); err != nil {
		return fmt.Errorf("field %q: %w", f.name, err)
	}
	if f.kind != KindList {
		return nil
	}
	switch e := f.elem; {
	case e == nil || !e.kind.register() && e.kind != KindNested:
		return fmt.Errorf("field %q: the elements of a list are registers, such as String(\"\"), or Nested(\"\", …); use a Table for records", f.name)
	case e.name != "":
		return fmt.Errorf("field %q: elements have no names; write %q as \"\"", f.name, e.name)
	case e.opts.hasDef || e.opts.policy != UseDefault:
		return fmt.Errorf("field %q: elements take Enum and Check only; there is no element without a value", f.name)
	default:
		if err := checkOptions(*e); err != nil {
			return fmt.Errorf("the elements of %q: %w", f.name, err)
		}
	}
	return nil
}

func checkOptions(f Field) error {
	o := f.opts
	switch {
	case o.policy > FailRead:
		return fmt.Errorf("the policy %d is none of UseDefault, KeepRaw and FailRead", o.policy)
	case o.hasDef && !f.kind.register():
		return fmt.Errorf("%s has no default: it begins empty, since what is in it merges", a(f.kind))
	case o.enum != nil && f.kind != KindString:
		return fmt.Errorf("Enum is for strings, and this is %s", a(f.kind))
	case len(o.checks) > 0 && !f.kind.register():
		return fmt.Errorf("Check is for registers, and this is %s, which merges: check it where it is shown", a(f.kind))
	}
	for i, text := range o.enum {
		if text == "" || !utf8.ValidString(text) || slices.Contains(o.enum[:i], text) {
			return fmt.Errorf("the enum has %q twice, empty, or not in UTF-8", text)
		}
	}
	for _, ch := range o.checks {
		switch {
		case ch.err != nil:
			return ch.err
		case ch.rev < 1:
			return errors.New("the Rev of a Check is 1 or more: another function is another Rev")
		case ch.kind != f.kind:
			return fmt.Errorf("the function of Check is for %s, and this is %s", a(ch.kind), a(f.kind))
		}
	}
	if !o.hasDef {
		return nil
	}
	def, err := defaultOf(f)
	if err != nil {
		return err
	}
	if _, err := (&node{kind: f.kind, opts: o}).accept(def); err != nil {
		return fmt.Errorf("the default does not fit: %w", err)
	}
	return nil
}

// defaultOf is the default of a field in Go form.
func defaultOf(f Field) (any, error) {
	v, err := value.Marshal(f.opts.def)
	if err != nil {
		return nil, fmt.Errorf("the default cannot be stored: %w", err)
	}
	if v == nil {
		return nil, errors.New("the default is nil; without Default a field has no value until one is written")
	}
	out, ok := convert(f.kind, v)
	if _, text := v.(doc.Text); !ok || text {
		return nil, fmt.Errorf("the default is of type %T, which is no %s", f.opts.def, f.kind)
	}
	return out, nil
}

// options are those of a field that was checked, as nodes have them.
func (c *compiler) options(f Field) options {
	o := f.opts
	if o.hasDef {
		o.def, _ = defaultOf(f)
	}
	o.enum, o.checks = slices.Clone(o.enum), slices.Clone(o.checks)
	for i := range o.checks {
		ch := &o.checks[i]
		if c.before == nil {
			continue
		}
		version, step, before, call := c.version, c.text, c.before, ch.call
		ch.call = func(v any) error {
			if err := guarded(before, Call{version, step, "Check"}); err != nil {
				return err
			}
			return call(v)
		}
	}
	return o
}

// call is a step as it is written in Go.
func call(name string, args ...string) string {
	quoted := make([]string, len(args))
	for i, a := range args {
		quoted[i] = strconv.Quote(a)
	}
	return name + "(" + strings.Join(quoted, ", ") + ")"
}
