package schematest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"tombolo/doc"
	"tombolo/schema"
)

// tries is how many combinations of values of several fields a law is tried with.
const tries = 150

// Laws tries the functions of every lens with usual and unusual values, with all of an enum, or with the samples of a field. A function fails the test that
// gives an error or panics where its fields allow the values, that gives another result the second time, or that changes what it was given. A value
// that does not come back is a warning in the log, which says what it means: many good lenses have such values.
func Laws(t *testing.T, s *schema.Schema, o Options) {
	t.Helper()
	o = o.withDefaults(s)
	sh, err := shapeOf(s)
	if err != nil {
		t.Fatal(err)
	}
	for _, tr := range lenses(s) {
		l := &law{t: t, tr: tr}
		olds, err := sh.values(o, tr.Version-1, tr.Object, tr.Olds, true)
		if err != nil {
			t.Fatal(err)
		}
		news, err := sh.values(o, tr.Version, tr.Object, tr.News, false)
		if err != nil {
			t.Fatal(err)
		}
		l.check(olds, news)
		for _, kind := range sortedKeys(l.warned) {
			if more := l.warned[kind] - len(l.said[kind]); more > 0 {
				l.said[kind] = append(l.said[kind], fmt.Sprintf("and for %d others", more))
			}
			t.Logf("warning: %s: %s\n  %s", tr.Step, kind, strings.Join(l.said[kind], "\n  "))
		}
	}
}

// lenses are the translations by functions of the application.
func lenses(s *schema.Schema) []schema.Translation {
	return slices.DeleteFunc(s.Translations(), func(tr schema.Translation) bool {
		return tr.News[0].Kind == schema.KindText
	})
}

// values are combinations of values that fields may hold together, with what they show before anybody wrote them if asked for.
func (sh *shape) values(o Options, version int, typ string, fields []schema.FieldInfo, unwritten bool) ([][]any, error) {
	each := make([][]any, len(fields))
	total := 1
	for i, f := range fields {
		values := slices.Clone(candidates(o, typ, []string{f.Name}, f))
		if unwritten && f.Group == "" {
			values = append(values, f.Default)
		}
		for _, v := range values {
			ok, err := sh.allows(version, typ, f, v)
			if err != nil {
				return nil, err
			}
			if ok {
				each[i] = append(each[i], v)
			}
		}
		total = min(total*len(each[i]), tries+1)
	}
	if total <= tries {
		out := [][]any{{}}
		for _, values := range each {
			var longer [][]any
			for _, prefix := range out {
				for _, v := range values {
					longer = append(longer, append(slices.Clone(prefix), v))
				}
			}
			out = longer
		}
		return out, nil
	}
	rng := rand.New(rand.NewPCG(uint64(version), 2))
	out := make([][]any, tries)
	for n := range out {
		for i, values := range each {
			if i == n%len(each) {
				out[n] = append(out[n], values[n/len(each)%len(values)])
			} else {
				out[n] = append(out[n], values[rng.IntN(len(values))])
			}
		}
	}
	return out, nil
}

// law is one lens being tried.
type law struct {
	t      *testing.T
	tr     schema.Translation
	failed int
	warned map[string]int
	said   map[string][]string
}

const (
	lostOld   = "an older version that writes such a value reads another one after a newer version edits a field of this step"
	lostOther = "an older version that writes such a value while newer ones know another one reads another one after a newer version edits a field of this step"
	lostNew   = "such a value becomes another one in newer versions once an older version writes what it sees again"
)

func (l *law) check(olds, news [][]any) {
	for i, old := range olds {
		up, ok := l.call("Up", l.tr.Up, old, nil)
		if !ok {
			continue
		}
		lost := false
		if !l.tr.OneWay {
			if back, ok := l.call("Down", l.tr.Down, up, old); ok && !alike(back, old) {
				lost = true
				l.warn(lostOld, "%s goes up to %s and comes down as %s", show(old), show(up), show(back))
			}
		}
		for n := range min(len(news), 12) {
			prev := news[(i*5+n*7)%len(news)]
			up, ok := l.call("Up", l.tr.Up, old, prev)
			if !ok || l.tr.OneWay || lost {
				continue
			}
			if back, ok := l.call("Down", l.tr.Down, up, old); ok && !alike(back, old) {
				l.warn(lostOther, "%s, after %s, goes up to %s and comes down as %s", show(old), show(prev), show(up), show(back))
			}
		}
	}
	for i, nw := range news {
		if l.tr.OneWay {
			break
		}
		for n := range min(len(olds), 5) {
			down, ok := l.call("Down", l.tr.Down, nw, olds[(i*5+n*3)%len(olds)])
			if !ok {
				continue
			}
			if back, ok := l.call("Up", l.tr.Up, down, nw); ok && !doc.Equal(back, nw) {
				l.warn(lostNew, "%s goes down to %s and comes up as %s", show(nw), show(down), show(back))
			}
		}
	}
}

// alike says whether values are the same, or zero where there was nothing.
func alike(back, old []any) bool {
	return slices.EqualFunc(back, old, func(b, o any) bool {
		return doc.Equal(b, o) || o == nil && slices.ContainsFunc(zeros, func(z any) bool { return doc.Equal(b, z) })
	})
}

var zeros = []any{"", doc.Text(""), int64(0), 0.0, false, time.Time{}, []byte{}}

func (l *law) warn(kind, format string, args ...any) {
	if l.warned == nil {
		l.warned, l.said = map[string]int{}, map[string][]string{}
	}
	l.warned[kind]++
	said := fmt.Sprintf(format, args...)
	if len(l.said[kind]) < 3 && !slices.Contains(l.said[kind], said) {
		l.said[kind] = append(l.said[kind], said)
	}
}

// call calls a function of the lens twice. It is false where that failed the test, or is not worth telling again.
func (l *law) call(name string, fn func(a, b []any) ([]any, error), a, b []any) ([]any, bool) {
	l.t.Helper()
	const most = 5
	wrong := func(format string, args ...any) ([]any, bool) {
		if l.failed++; l.failed <= most {
			l.t.Errorf("%s of %s in version %d: %s", name, l.tr.Step, l.tr.Version, fmt.Sprintf(format, args...))
		}
		return nil, false
	}
	with := show(a)
	if b != nil {
		with += " and " + show(b)
	}
	copyOf := func(v []any) []any {
		if v == nil {
			return nil
		}
		return clone(v).([]any)
	}
	x, y := copyOf(a), copyOf(b)
	first, err := fn(x, y)
	if err != nil {
		return wrong("%v, with %s; a document may hold these values, so give them a translation, or keep them out by Enum or Check (or name the fields' values in Options.Samples)", err, with)
	}
	if !doc.Equal(x, a) || !doc.Equal(y, b) {
		return wrong("it changes its arguments, %s", with)
	}
	kept := copyOf(first)
	second, err := fn(copyOf(a), copyOf(b))
	if err != nil || !doc.Equal(kept, second) {
		return wrong("it gives %s with %s, and %s (%v) the second time; it must depend on its arguments alone", show(kept), with, show(second), err)
	}
	return kept, true
}
