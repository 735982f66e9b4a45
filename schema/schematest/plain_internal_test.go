package schematest

import (
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"tombolo/doc"
	"tombolo/schema"
)

// plainNotes has versions that keep {notes, text}; change may spoil them.
func plainNotes(t *testing.T, change func([]schema.PlainVersion)) *schema.Plain {
	t.Helper()
	versions := []schema.PlainVersion{
		{Number: 1, Load: func(_ *schema.PlainEnv, legacy any) (any, error) {
			m, _ := legacy.(map[string]any)
			notes, _ := m["notes"].([]any)
			return map[string]any{"notes": slices.Concat([]any{}, notes), "text": doc.Text("")}, nil
		}},
		{Number: 2, Load: func(_ *schema.PlainEnv, v any) (any, error) { return v, nil }},
	}
	if change != nil {
		change(versions)
	}
	p, err := schema.NewPlain("com.example.notes", versions...)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// What is wrong with an application's functions is found.
func TestPlainFaults(t *testing.T) {
	runs := 0
	for want, change := range map[string]func([]schema.PlainVersion){
		"": nil,
		"gave another value the second time": func(v []schema.PlainVersion) {
			v[1].Load = func(*schema.PlainEnv, any) (any, error) { runs++; return runs, nil }
		},
		"cannot read": func(v []schema.PlainVersion) {
			v[1].Load = func(*schema.PlainEnv, any) (any, error) { return nil, errors.New("cannot read") }
		},
		"what Save took is not in what Load gives": func(v []schema.PlainVersion) {
			v[0].Save = func(*schema.PlainEnv, any) (any, error) { return map[string]any{"notes": []any{}}, nil }
		},
		"it must write nothing": func(v []schema.PlainVersion) {
			v[1].Save = func(_ *schema.PlainEnv, x any) (any, error) {
				m := x.(map[string]any)
				m["notes"] = append(m["notes"].([]any), "saved")
				return m, nil
			}
		},
	} {
		p, o := plainNotes(t, change), PlainOptions{}.withDefaults()
		var err error
		for seed := 0; seed < 5 && err == nil; seed++ {
			_, err = plainPlay(p, o, seed, []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19})
		}
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%v instead of %q", err, want)
		}
	}
}

// IDs by position give two late insertions one record, so that one of them goes when both are taken in.
func TestPlainFindsLoss(t *testing.T) {
	p := plainNotes(t, func(v []schema.PlainVersion) {
		v[1].Load = func(env *schema.PlainEnv, older any) (any, error) {
			records := map[string]any{}
			for i, note := range older.(map[string]any)["notes"].([]any) {
				records[env.NewID(strconv.Itoa(i))] = note
			}
			return map[string]any{"records": records, "text": doc.Text("")}, nil
		}
	})
	o := PlainOptions{
		Legacy: []func(*doc.Tx) error{func(tx *doc.Tx) error { return tx.Put(map[string]any{"notes": []any{"a"}}) }},
		Edit: func(_ *rand.Rand, version int, data any, token string) any {
			m := data.(map[string]any)
			if version == 1 {
				m["notes"] = append(m["notes"].([]any), token)
			} else {
				m["text"] = m["text"].(doc.Text) + doc.Text(token)
			}
			return m
		},
	}.withDefaults()
	steps := make([]int, o.Steps)
	for i := range steps {
		steps[i] = i
	}
	for seed := 140; seed < 440; seed++ { // 146 finds it
		f, err := plainPlay(p, o, seed, steps)
		if err == nil {
			continue
		}
		short := plainShrink(steps, func(steps []int) bool { _, err := plainPlay(p, o, seed, steps); return err != nil })
		if !strings.Contains(err.Error(), "neither in the data nor in a late edit") || len(short) > 20 || len(f.told) == 0 {
			t.Fatal(err, short, f.told)
		}
		return
	}
	t.Fatal("nothing was found")
}

func TestPlainShrink(t *testing.T) {
	steps := []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}
	got := plainShrink(steps, func(s []int) bool { return slices.Contains(s, 3) && slices.Contains(s, 8) })
	if !slices.Equal(got, []int{3, 8}) {
		t.Fatal(got)
	}
}

func TestPlainRecordedFaults(t *testing.T) {
	dir := t.TempDir()
	p, o := plainNotes(t, nil), PlainOptions{Fixtures: dir}.withDefaults()
	files, err := plainNew(p, o, 2)
	if err != nil || len(files) != 2 {
		t.Fatal(files, err)
	}
	if files, err = plainNew(p, o, 1); err != nil || len(files) != 1 {
		t.Fatal(files, err)
	}
	file := files[0]
	fails := func(p *schema.Plain, want string) {
		t.Helper()
		if err := plainReplay(p, o, 1, file); err == nil || !strings.Contains(err.Error(), want) {
			t.Fatalf("%v instead of %q", err, want)
		}
	}
	fails(p, "is not recorded: run this test with -update")
	for m := 1; m <= 2; m++ {
		changes, err := plainChanges(file)
		if err != nil {
			t.Fatal(err)
		}
		d, err := doc.Load(doc.NamedID(p.App(), "plain"), changes, plainRandom{rand.New(rand.NewPCG(1, 2))})
		if err != nil {
			t.Fatal(err)
		}
		text, err := plainLook(p.At(m), d)
		if err != nil {
			t.Fatal(err)
		}
		if err := plainWrite(strings.TrimSuffix(file, ".changes")+".as-v"+string(rune('0'+m))+".json", []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := plainReplay(p, o, 1, file); err != nil {
		t.Fatal(err)
	}
	fails(plainNotes(t, func(v []schema.PlainVersion) {
		v[1].Load = func(*schema.PlainEnv, any) (any, error) { return map[string]any{}, nil }
	}), "released functions must not change")
	fails(plainNotes(t, func(v []schema.PlainVersion) {
		v[1].Load = func(*schema.PlainEnv, any) (any, error) { panic("oh") }
	}), "panic: oh")

	if err := plainRecord(dir, 1, "fresh", nil); !errors.Is(err, os.ErrExist) {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for name, bad := range map[string][]byte{"is damaged": whole[:len(whole)-1], "genesis": nil} {
		file = filepath.Join(dir, "v1", name+".changes")
		if err := plainWrite(file, bad); err != nil {
			t.Fatal(err)
		}
		if name == "genesis" {
			name = "another application"
		}
		fails(p, name)
	}
	file = filepath.Join(dir, "none")
	fails(p, "no such file")
}
