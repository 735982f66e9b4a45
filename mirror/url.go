package mirror

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/url"
	"path"
	"strings"
	"time"
)

// URLOptions adjusts a [URL]. The zero value is good.
type URLOptions struct {
	Client  *http.Client  // nil means one of its own, which knows the proxies of the environment
	Header  http.Header   // sent with every request, for example Authorization
	Timeout time.Duration // for one request with its answer; zero means 30 s
}

// URL is the place at an http or https URL: GET reads, PUT writes. The server must give a strong ETag and heed If-Match and If-None-Match;
// one without ETag is only read. A URL has no room for the mirror's state: give one in [Options.State], for example a [StateFile], or an
// edit made there while the program was away is taken for one that removes nothing. It is polled: choose [Options.Poll] as the server can
// bear. opts may be nil.
func URL(rawURL string, opts *URLOptions) (Place, error) {
	u, err := url.Parse(rawURL)
	if err != nil {
		return nil, fmt.Errorf("mirror: %w", hideURL(err))
	}
	if u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, fmt.Errorf("mirror: %q is not a place; give a URL such as https://example.com/notes.json", u.Redacted())
	}
	p := &remote{url: u}
	if opts != nil {
		p.opts = *opts
	}
	if p.opts.Client == nil {
		p.opts.Client = &http.Client{}
	}
	if p.opts.Timeout <= 0 {
		p.opts.Timeout = 30 * time.Second
	}
	return p, nil
}

type remote struct {
	url  *url.URL
	opts URLOptions
}

// noTag stands for a content whose ETag cannot guard a write.
const noTag = "none"

// Name leaves user, password and query out.
func (p *remote) Name() string { return p.url.Host + p.url.EscapedPath() }

func (p *remote) Read(ctx context.Context, known string) ([]byte, string, error) {
	header := http.Header{}
	if known != "" && known != noTag {
		header.Set("If-None-Match", known)
	}
	var data []byte
	resp, err := p.do(ctx, http.MethodGet, header, nil, func(body io.Reader) (err error) {
		data, err = readAll(body)
		return err
	})
	if err != nil {
		return nil, "", err
	}
	switch resp.StatusCode {
	case http.StatusNotModified:
		return nil, known, ErrUnchanged
	case http.StatusNotFound, http.StatusGone:
		return nil, "", ErrNotThere
	case http.StatusOK:
		tag := strong(resp)
		if tag == "" {
			tag = noTag
		}
		if tag == known && tag != noTag { // a server that does not heed If-None-Match
			return nil, known, ErrUnchanged
		}
		return data, tag, nil
	}
	return nil, "", fmt.Errorf("read %s: the server says %s", p.Name(), resp.Status)
}

func (p *remote) Write(ctx context.Context, data []byte, tag string) (string, error) {
	header := http.Header{"Content-Type": {p.mediaType()}}
	switch tag {
	case noTag:
		return "", fmt.Errorf("write %s: the server gives no strong ETag, so what others write there could be overwritten; use it with StartAutoLoad alone", p.Name())
	case "":
		header.Set("If-None-Match", "*")
	default:
		header.Set("If-Match", tag)
	}
	resp, err := p.do(ctx, http.MethodPut, header, data, func(body io.Reader) error {
		_, err := io.Copy(io.Discard, io.LimitReader(body, 64<<10)) // so that the connection can be used again
		return err
	})
	if err != nil {
		return "", err
	}
	switch {
	case resp.StatusCode == http.StatusPreconditionFailed || resp.StatusCode == http.StatusConflict:
		return "", ErrChanged
	case resp.StatusCode/100 != 2:
		return "", fmt.Errorf("write %s: the server says %s", p.Name(), resp.Status)
	}
	return strong(resp), nil
}

// do sends a request and hands over the answer's body.
func (p *remote) do(ctx context.Context, method string, header http.Header, data []byte, read func(io.Reader) error) (*http.Response, error) {
	ctx, cancel := context.WithTimeout(ctx, p.opts.Timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, p.url.String(), bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept-Encoding", "identity") // the ETag of a compressed answer names other bytes
	for _, h := range []http.Header{p.opts.Header, header} {
		for k, v := range h {
			req.Header[http.CanonicalHeaderKey(k)] = v
		}
	}
	resp, err := p.opts.Client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("the server of %s cannot be reached; check the address, and that it runs: %w", p.Name(), hideURL(err))
	}
	defer resp.Body.Close()
	if err := read(resp.Body); err != nil {
		return nil, fmt.Errorf("%s %s: %w", strings.ToLower(method), p.Name(), err)
	}
	return resp, nil
}

// hideURL is the reason in an error without the URL, which may have a key in its query.
func hideURL(err error) error {
	if e, ok := errors.AsType[*url.Error](err); ok {
		return e.Err
	}
	return err
}

// strong is the answer's ETag where it names the very bytes, else empty.
func strong(resp *http.Response) string {
	if tag := resp.Header.Get("ETag"); !strings.HasPrefix(tag, "W/") {
		return tag
	}
	return ""
}

func (p *remote) mediaType() string {
	if path.Ext(p.url.Path) == ".automerge" {
		return "application/octet-stream"
	}
	return "application/json"
}

// Watch is nil: a URL is polled.
func (p *remote) Watch(context.Context) iter.Seq[struct{}] { return nil }
