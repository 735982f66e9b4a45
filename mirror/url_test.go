package mirror_test

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"tombolo/mirror"
)

// web is a server with one file.
type web struct {
	*httptest.Server
	mu     sync.Mutex
	data   []byte // nil: nothing
	weak   bool   // its ETags are
	deaf   bool   // to If-None-Match
	status int    // what it answers, if not 0
	heard  http.Header
}

func serve(t *testing.T) *web {
	w := &web{}
	w.Server = httptest.NewServer(w)
	t.Cleanup(w.Close)
	return w
}

func (w *web) put(data []byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.data = data
}

func (w *web) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.heard = r.Header.Clone()
	tag := fmt.Sprintf(`"%x"`, sha256.Sum256(w.data))
	if w.weak {
		tag = "W/" + tag
	}
	match, none := r.Header.Get("If-Match"), r.Header.Get("If-None-Match")
	switch {
	case w.status != 0:
		rw.WriteHeader(w.status)
	case r.Method == http.MethodPut && (none == "*" && w.data != nil || match != "" && (w.data == nil || match != tag)):
		rw.WriteHeader(http.StatusPreconditionFailed)
	case r.Method == http.MethodPut:
		w.data, _ = io.ReadAll(r.Body)
		rw.Header().Set("ETag", fmt.Sprintf(`"%x"`, sha256.Sum256(w.data)))
		rw.WriteHeader(http.StatusNoContent)
	case w.data == nil:
		rw.WriteHeader(http.StatusNotFound)
	case none == tag && !w.deaf:
		rw.WriteHeader(http.StatusNotModified)
	default:
		rw.Header().Set("ETag", tag)
		rw.Write(w.data)
	}
}

// A URL is a place like others; its state is in a file of the program's choice.
func TestURL(t *testing.T) {
	h := document(t, map[string]any{"items": []any{"a"}})
	w := serve(t)
	p, err := mirror.URL(w.URL+"/notes.json?key=secret", &mirror.URLOptions{Header: http.Header{"authorization": {"Bearer x"}}})
	must(t, err)
	if p.Name() != strings.TrimPrefix(w.URL, "http://")+"/notes.json" || p.Watch(t.Context()) != nil {
		t.Errorf("named %s", p.Name())
	}
	opts := &mirror.Options{State: mirror.StateFile(filepath.Join(t.TempDir(), "state"))}
	m := newMirror(t, h, p, opts)
	must(t, m.StartAutoLoad(t.Context(), nil))
	must(t, m.Save(t.Context()))
	if w.heard.Get("Authorization") != "Bearer x" || w.heard.Get("Content-Type") != "application/json" {
		t.Errorf("the server heard %v", w.heard)
	}
	must(t, m.Close())
	w.put([]byte(`{"items":["a","b"]}`))
	set(t, h, "/items/0", "A")
	m = newMirror(t, h, p, opts)
	must(t, m.StartAutoLoad(t.Context(), nil))
	must(t, m.Save(t.Context()))
	wants(t, h, `{"items":["A","b"]}`)
	shows(t, p, `{"items":["A","b"]}`)
	w.deaf = true
	must(t, m.Save(t.Context()))
	for _, status := range []int{http.StatusInternalServerError, http.StatusForbidden} {
		w.status = status
		if err := m.Load(t.Context()); err == nil || !strings.Contains(err.Error(), http.StatusText(status)) {
			t.Errorf("the server says %d: %v", status, err)
		}
		if _, err := p.Write(t.Context(), nil, ""); err == nil || !strings.Contains(err.Error(), http.StatusText(status)) {
			t.Errorf("the server says %d: %v", status, err)
		}
	}
}

// Where a write could not be guarded there is none; reading works.
func TestWithoutETag(t *testing.T) {
	h := document(t, map[string]any{"n": 1})
	w := serve(t)
	w.weak, w.data = true, []byte(`{"n":1}`)
	p, err := mirror.URL(w.URL, nil)
	must(t, err)
	m := newMirror(t, h, p, nil)
	must(t, m.Load(t.Context()))
	w.put([]byte(`{"n":2}`))
	must(t, m.Load(t.Context()))
	wants(t, h, `{"n":2}`)
	set(t, h, "/n", 3)
	if err := m.Save(t.Context()); err == nil || !strings.Contains(err.Error(), "no strong ETag") {
		t.Errorf("written: %v", err)
	}
}

// Whatever a server does, it ends, and nothing secret is told.
func TestBadServers(t *testing.T) {
	for _, bad := range []string{"notes.json", "ftp://host/x", "http://", "http://a b", "://secret"} {
		if _, err := mirror.URL(bad, nil); err == nil {
			t.Errorf("%q is a place", bad)
		}
	}
	if _, err := mirror.URL("ftp://me:secret@host/x", nil); err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("told: %v", err)
	}
	done := make(chan struct{})
	slow := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-done:
		case <-r.Context().Done():
		}
	}))
	defer slow.Close()
	defer close(done)
	endless := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		block := make([]byte, 1<<20)
		for {
			if _, err := w.Write(block); err != nil {
				return
			}
		}
	}))
	defer endless.Close()
	gone := httptest.NewServer(nil)
	gone.Close()
	for url, want := range map[string]string{slow.URL: "deadline exceeded", endless.URL: "more than 64 MiB", gone.URL: "refused"} {
		timeout := time.Minute
		if url == slow.URL {
			timeout = time.Millisecond
		}
		p, err := mirror.URL(strings.Replace(url, "http://", "http://me:secret@", 1)+"/x.automerge?key=secret", &mirror.URLOptions{Timeout: timeout})
		must(t, err)
		_, _, err = p.Read(t.Context(), "")
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret") || errors.Is(err, mirror.ErrNotThere) {
			t.Errorf("read %s: %v", url, err)
		}
		if url == endless.URL {
			continue // it answers 200 before it is asked what
		}
		if _, err = p.Write(t.Context(), []byte("x"), ""); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("write %s: %v", url, err)
		}
	}
}
