package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// page is one file on a web server, with ETag and If-Match.
type page struct {
	mu   sync.Mutex
	data []byte
}

func (s *page) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	tag := func() string { sum := sha256.Sum256(s.data); return `"` + hex.EncodeToString(sum[:8]) + `"` }
	if r.Method == http.MethodPut {
		if s.data == nil && r.Header.Get("If-None-Match") != "*" || s.data != nil && r.Header.Get("If-Match") != tag() {
			w.WriteHeader(http.StatusPreconditionFailed)
			return
		}
		s.data, _ = io.ReadAll(r.Body)
		w.Header().Set("ETag", tag())
		return
	}
	if s.data == nil {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("ETag", tag())
	w.Write(s.data)
}

// What was edited at a web address between two runs is merged: the state of the first run is kept.
func TestMirrorURL(t *testing.T) {
	t.Run("plain", func(t *testing.T) { testMirrorURL(t, nil, nil) })
	t.Run("sealed", func(t *testing.T) {
		testMirrorURL(t, []string{"--key-file", filepath.Join(t.TempDir(), "key")}, []string{"--seal"})
	})
}

func testMirrorURL(t *testing.T, flags, initFlags []string) {
	web := &page{}
	srv := httptest.NewServer(web)
	defer srv.Close()
	dir := t.TempDir()
	peer := func(args ...string) string {
		t.Helper()
		var out, errs bytes.Buffer
		p := &peer{args: slices.Concat([]string{"--dir", dir, "--json"}, flags, args), in: strings.NewReader(""), out: &out, err: &errs, now: time.Now}
		if code := p.execute(t.Context()); code != exitOK {
			t.Fatalf("peer %s: exit %d: %s", strings.Join(args, " "), code, errs.String())
		}
		return out.String()
	}
	peer(append([]string{"init", "--name", "laptop"}, initFlags...)...)
	url := strings.Split(peer("doc", "create", `{"gone":1,"n":1}`), `"`)[3]
	address := srv.URL + "/notes.json?key=secret"
	if out := peer("mirror", url, address, "--once"); !strings.Contains(out, `"save"`) || strings.Contains(out, "secret") {
		t.Errorf("the first time: %s", out)
	}
	web.mu.Lock()
	web.data = []byte(`{"n":1,"new":true}`)
	web.mu.Unlock()
	peer("doc", "set", url, "/n", "2")
	if out := peer("mirror", url, address, "--once"); !strings.Contains(out, `"load"`) || !strings.Contains(out, `"save"`) {
		t.Errorf("the second time: %s", out)
	}
	if got := peer("doc", "get", url); got != `{"n":2,"new":true}`+"\n" {
		t.Errorf("the document is %s", got)
	}
	states, err := filepath.Glob(filepath.Join(dir, "mirrors", "*"))
	if err != nil || len(states) != 1 {
		t.Fatalf("states: %v, %v", states, err)
	}
	state, err := os.ReadFile(states[0])
	if err != nil || bytes.Contains(state, []byte("heads")) == (flags != nil) {
		t.Errorf("the state is %q, %v", state, err)
	}
}

// TestFromHere: the node gets the command line with a path that means the same file there.
func TestFromHere(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	for _, c := range []struct{ where, want string }{
		{"-notes.json", filepath.Join(dir, "-notes.json")},
		{"https://example.com/a.json", "https://example.com/a.json"},
	} {
		p := &peer{args: []string{"--dir", "x", "mirror", "--once", "--", "URL", c.where}, out: io.Discard, err: io.Discard}
		p.execute(t.Context()) // fails: there is no device
		want := "mirror --dir=" + filepath.Join(dir, "x") + " --once=true -- URL " + c.want
		if got := strings.Join(p.args, " "); got != want {
			t.Errorf("%s: got %q, want %q", c.where, got, want)
		}
	}
}
