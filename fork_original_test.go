package tombolo_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tombolo"
	"tombolo/doc"
)

// The directory in which a fork is made may be the original, or lead into it.
func TestForkSparesTheOriginal(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "trial.forking")
	e, _ := device(t, dir, tombolo.Options{})
	must(t, e.Close())
	link := filepath.Join(t.TempDir(), "link")
	must(t, os.Symlink(dir, link))
	beside := filepath.Join(t.TempDir(), "beside")
	must(t, os.Symlink(filepath.Dir(dir), beside))
	before := everyFile(t, dir)
	for what, to := range map[string]string{
		"made in the original":               strings.TrimSuffix(dir, ".forking"),
		"made in the original, by a link":    filepath.Join(beside, "trial"),
		"inside by a link":                   filepath.Join(link, "fork"),
		"inside by a link, and further down": filepath.Join(link, "forks", "fork"),
		"inside where nothing is":            filepath.Join(dir, "forks", "fork"),
	} {
		for _, dry := range []bool{true, false} {
			_, err := tombolo.Fork(t.Context(), dir, to, tombolo.ForkOptions{DryRun: dry})
			if err == nil || !strings.Contains(err.Error(), "fork into another directory") {
				t.Errorf("%s: %v", what, err)
			}
			if !tombolo.Exists(dir) {
				t.Fatalf("%s: the original is gone", what)
			}
			sameFiles(t, before, everyFile(t, dir))
		}
	}
}

// Who invites a fork joins a stranger: its documents stay apart, unless its owner has them adopted, and then what was tried merges with the originals.
func TestForkIsInvited(t *testing.T) {
	dir := t.TempDir()
	laptop := open(t, dir, tombolo.Options{Name: "laptop"})
	h, err := laptop.Home().Create(t.Context(), map[string]any{"n": 1})
	must(t, err)
	u := h.URL()
	must(t, errors.Join(h.Close(), laptop.Close()))
	for _, adopt := range []bool{false, true} {
		to, _ := fork(t, dir, tombolo.ForkOptions{})
		trial := open(t, to, tombolo.Options{Name: "trial"})
		laptop = open(t, dir, tombolo.Options{Name: "laptop"})
		tried, err := trial.Document(t.Context(), doc.URL{Space: trial.Home().ID(), Doc: u.Doc})
		must(t, err)
		set(t, tried, "/tried", adopt)
		pair(t, laptop, trial, adopt)
		h = arrives(t, laptop, u)
		if adopt {
			reads(t, h, `{"m":1,"n":1,"tried":true}`)
			reads(t, tried, `{"m":1,"n":1,"tried":true}`)
		} else {
			set(t, h, "/m", 1)
			reads(t, arrives(t, trial, u), `{"m":1,"n":1}`)
			reads(t, tried, `{"n":1,"tried":false}`)
			reads(t, h, `{"m":1,"n":1}`)
		}
		must(t, errors.Join(tried.Close(), h.Close(), trial.Close(), laptop.Close()))
	}
}

// What a killed attempt left, at whatever step, is no device under the final name, and the next attempt begins anew.
func TestForkAfterAKilledAttempt(t *testing.T) {
	dir, _ := alone(t, 2)
	before := everyFile(t, dir)
	to := filepath.Join(t.TempDir(), "trial")
	left := map[string]string{}
	leave := func(step string) {
		if left[step] == "" {
			left[step] = filepath.Join(t.TempDir(), "left")
			copyDir(t, to+".forking", left[step])
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	_, err := tombolo.Fork(ctx, dir, to, tombolo.ForkOptions{
		Progress: func(doing string, _, _ uint64) { leave(doing) },
		Check: func(context.Context, *tombolo.Handle) error {
			leave("open")
			cancel()
			return nil
		},
	})
	if !errors.Is(err, context.Canceled) || tombolo.Exists(to) || tombolo.Exists(to+".forking") {
		t.Errorf("a cancelled attempt: %v", err)
	}
	for _, step := range []string{"copy", "open"} {
		must(t, os.Rename(left[step], to+".forking"))
		if tombolo.Exists(to) {
			t.Errorf("killed at %s: there is a device", step)
		}
		f, err := tombolo.Fork(t.Context(), dir, to, tombolo.ForkOptions{})
		must(t, err)
		if len(f.Documents) != 2 || tombolo.Exists(to+".forking") {
			t.Errorf("after one that was killed at %s: %+v", step, f)
		}
		must(t, open(t, to, tombolo.Options{Offline: true}).Close())
		must(t, os.RemoveAll(to))
	}
	sameFiles(t, before, everyFile(t, dir))
}
