package main

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/automerge/automerge-go"

	"tombolo/doc/gate"
)

// seed is a document that cases start from.
type seed struct {
	name    string
	raws    [][]byte // honest changes in causal order
	next    [][]byte // further honest changes, each on top of all of raws
	hostile [][]byte // chunks of a file that harmed the core, in the order of that file, raws among them

	parsed    []gate.Change
	changes   []change // parsed, taken apart
	ops       int      // in all of them
	histories map[historyKey]*history
}

// corpus is what a run starts from. It depends on the random seed's first part and the files only, so every process has the same.
type corpus struct {
	seeds   []*seed
	hostile []*seed
	refused []string // changes of fixtures that the gate does not admit
	notes   []string // what there is and what is missing, for a person
}

// makeCorpus builds the documents and reads the fixtures below root, the module's directory.
func makeCorpus(root string) (*corpus, error) {
	c := &corpus{}
	for _, s := range scenes {
		made, err := s.seed()
		if err != nil {
			return nil, fmt.Errorf("make the document %q: %w", s.name, err)
		}
		c.seeds = append(c.seeds, made)
	}
	if err := c.fixtures(root); err != nil {
		return nil, err
	}
	return c, c.hostiles(root)
}

// scene is a document and how it comes about.
type scene struct {
	name string
	play func(s *stage) error
}

// stage is a document being made. Actors, times and order are fixed, so its bytes are the same in every process.
type stage struct {
	doc    *automerge.Doc
	editor editor
	actors int
}

// fork is another device's copy.
func (s *stage) fork() (*automerge.Doc, error) {
	d, err := s.doc.Fork()
	if err != nil {
		return nil, err
	}
	s.actors++
	return d, d.SetActorID(fmt.Sprintf("%030x%02x", 0xc0ffee, 0xff-7*s.actors&0xff))
}

// apart lets n devices edit at the same time and merges what they did.
func (s *stage) apart(n int, edit func(i int, d *automerge.Doc) error) error {
	copies := make([]*automerge.Doc, n)
	for i := range copies {
		d, err := s.fork()
		if err == nil {
			err = edit(i, d)
		}
		if err == nil {
			err = s.editor.commit(d)
		}
		if err != nil {
			return err
		}
		copies[i] = d
	}
	for _, d := range copies {
		if _, err := s.doc.Merge(d); err != nil {
			return err
		}
	}
	return nil
}

func (sc scene) seed() (*seed, error) {
	s := &stage{doc: automerge.New(), editor: editor{rand.New(rand.NewPCG(uint64(len(sc.name)), uint64(sc.name[0])))}}
	if err := s.doc.SetActorID(fmt.Sprintf("%032x", 0x80)); err != nil {
		return nil, err
	}
	if err := sc.play(s); err != nil {
		return nil, err
	}
	return s.seed(sc.name)
}

// seed takes the changes off the stage, and lets a few devices go on from there.
func (s *stage) seed(name string) (*seed, error) {
	made := &seed{name: name}
	all, err := s.doc.Changes()
	if err != nil {
		return nil, err
	}
	for _, ch := range all {
		made.raws = append(made.raws, bytes.Clone(ch.Save()))
	}
	for range 10 {
		d, err := s.fork()
		if err == nil {
			err = s.editor.edit(d, 1+s.editor.IntN(5))
		}
		if err != nil {
			return nil, err
		}
		heads := d.Heads()
		ch, err := d.Change(heads[0])
		if err != nil {
			return nil, err
		}
		made.next = append(made.next, bytes.Clone(ch.Save()))
	}
	return made, made.read()
}

// read parses what the seed has.
func (s *seed) read() error {
	for _, raw := range s.raws {
		parsed, err := gate.Parse(raw)
		if err != nil {
			return err
		}
		apart, err := parse(parsed.Raw)
		if err != nil {
			return err
		}
		s.parsed, s.changes = append(s.parsed, parsed), append(s.changes, apart)
		s.ops += len(apart.ops)
	}
	s.histories = map[historyKey]*history{}
	return nil
}

var scenes = append([]scene{
	{"empty", func(*stage) error { return nil }},
	{"every type", func(s *stage) error {
		for range 3 {
			if err := put(s.doc.RootMap(), s.doc); err != nil {
				return err
			}
			if err := s.editor.commit(s.doc); err != nil {
				return err
			}
		}
		return s.apart(2, func(_ int, d *automerge.Doc) error { return put(d.RootMap(), d) })
	}},
	{"nested", func(s *stage) error {
		path := []any{"a"}
		for i := range 5 {
			if err := s.doc.Path(path...).Set(automerge.NewList()); err != nil {
				return err
			}
			if err := s.doc.Path(append(slices.Clone(path), 0)...).Set(automerge.NewMap()); err != nil {
				return err
			}
			path = append(path, 0, fmt.Sprint("in", i))
		}
		if err := s.editor.commit(s.doc); err != nil {
			return err
		}
		return s.apart(3, func(_ int, d *automerge.Doc) error { return d.Path(path...).Set("deep") })
	}},
	{"one list, many writers", func(s *stage) error {
		if err := s.doc.Path("l").Set([]any{int64(1), int64(2), int64(3)}); err != nil {
			return err
		}
		if err := s.editor.commit(s.doc); err != nil {
			return err
		}
		return s.apart(8, func(i int, d *automerge.Doc) error {
			l := d.Path("l").List()
			if err := l.Insert(1, fmt.Sprint(i), "x"); err != nil {
				return err
			}
			if i%2 == 0 {
				l, _ := automerge.As[*automerge.List](d.Path("l").Get())
				return l.Delete(0)
			}
			return d.Path("l", 0).Set(automerge.NewCounter(int64(i)))
		})
	}},
	{"one text, many writers", func(s *stage) error {
		if err := s.doc.Path("t").Set(automerge.NewText("héllo wörld 😀")); err != nil {
			return err
		}
		if err := s.editor.commit(s.doc); err != nil {
			return err
		}
		for range 3 {
			if err := s.apart(4, func(_ int, d *automerge.Doc) error { return s.editor.splice(d.Path("t").Text()) }); err != nil {
				return err
			}
		}
		return nil
	}},
	{"counters", func(s *stage) error {
		for _, k := range []string{"a", "b", "c"} {
			if err := s.doc.Path(k).Set(automerge.NewCounter(10)); err != nil {
				return err
			}
		}
		if err := s.doc.Path("l").Set([]any{automerge.NewCounter(1), automerge.NewCounter(2)}); err != nil {
			return err
		}
		if err := s.editor.commit(s.doc); err != nil {
			return err
		}
		return s.apart(5, func(i int, d *automerge.Doc) error {
			if err := d.Path("a").Counter().Inc(int64(i)); err != nil {
				return err
			}
			if i%2 == 0 {
				return d.Path("b").Set(automerge.NewCounter(int64(i)))
			}
			if err := d.Path("b").Counter().Inc(-3); err != nil {
				return err
			}
			return d.Path("l", 1).Counter().Inc(1)
		})
	}},
	{"conflicts", func(s *stage) error {
		for range 2 {
			err := s.apart(5, func(i int, d *automerge.Doc) error {
				kinds := []any{automerge.NewMap(), automerge.NewList(), automerge.NewText("t"), automerge.NewCounter(1), "s"}
				if err := d.Path("k").Set(kinds[i]); err != nil {
					return err
				}
				return s.editor.edit(d, 2)
			})
			if err != nil {
				return err
			}
		}
		return s.apart(2, func(i int, d *automerge.Doc) error {
			if i == 0 {
				return d.RootMap().Delete("k")
			}
			return d.Path("other").Set(true)
		})
	}},
	{"twenty writers", func(s *stage) error {
		return s.apart(20, func(i int, d *automerge.Doc) error { return d.Path(fmt.Sprint("k", i%6)).Set(int64(i)) })
	}},
	{"long text", func(s *stage) error {
		if err := s.doc.Path("t").Set(automerge.NewText(strings.Repeat("0123456789", 1000))); err != nil {
			return err
		}
		if err := s.editor.commit(s.doc); err != nil {
			return err
		}
		return s.apart(3, func(_ int, d *automerge.Doc) error { return s.editor.splice(d.Path("t").Text()) })
	}},
}, randomScenes(14)...)

// randomScenes are documents in which several devices do anything.
func randomScenes(n int) []scene {
	var list []scene
	for i := range n {
		list = append(list, scene{fmt.Sprint(i, " random"), func(s *stage) error {
			for range 3 + i/4 {
				if err := s.editor.edit(s.doc, 1+s.editor.IntN(8)); err != nil {
					return err
				}
				if err := s.apart(1+s.editor.IntN(4), func(_ int, d *automerge.Doc) error { return s.editor.edit(d, 1+s.editor.IntN(5)) }); err != nil {
					return err
				}
			}
			return nil
		}})
	}
	return list
}

// put writes a value of each type, in a fixed order.
func put(m *automerge.Map, d *automerge.Doc) error {
	for i, v := range []any{
		nil, true, false, int64(-5), uint64(7), 1.5, "string",
		[]byte{1, 2},
		automerge.NewCounter(3), automerge.NewText("text"),
		automerge.NewList(), automerge.NewMap(),
	} {
		if err := m.Set(fmt.Sprintf("%c", 'a'+i), v); err != nil {
			return err
		}
	}
	if err := d.Path("k").List().Append(int64(1), "two", 3.0, []byte{4}, true, nil, uint64(7)); err != nil {
		return err
	}
	return d.Path("l", "inner").Set("x")
}
