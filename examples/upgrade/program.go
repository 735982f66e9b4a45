package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"

	"tombolo"
	"tombolo/doc"
	"tombolo/schema"
)

// release is one released version of the app, as one would build it from v1.go, v2.go or v3.go and the schema up to there.
type release struct {
	schema *schema.Schema
	edit   func(ctx context.Context, h *tombolo.Handle, message, what, text string) error
	see    func(h *tombolo.Handle) (map[string]string, error)
}

// released binds a version to its struct: it reads and writes documents as values of it, whatever versions wrote them.
func released[T any](version int, edits map[string]func(*T, string), sees func(T) map[string]string) release {
	known := issues.At(version)
	view := schema.MustBind[T](known, version)
	return release{
		schema: known,
		edit: func(ctx context.Context, h *tombolo.Handle, message, what, text string) error {
			edit := edits[what]
			if edit == nil {
				return fmt.Errorf("version %d has no %q", version, what)
			}
			return view.Update(ctx, h, message, func(issue *T) error {
				edit(issue, text)
				return nil
			})
		},
		see: func(h *tombolo.Handle) (map[string]string, error) {
			issue, report, err := view.Read(h)
			if err == nil && len(report.Invalid) > 0 {
				err = report.Invalid[0]
			}
			return sees(issue), err
		},
	}
}

var releases = map[string]release{"v1": v1, "v2": v2, "v3": v3}

// request is a line that the script writes to a program, and answer the line that it gets back. The first answer comes without a request, when the
// program has started.
type request struct {
	Do    string     // "invite", "join", "report", "edit", "see", "reach" or "settle"
	Edit  int        `json:",omitempty"` // which edit of the script it is
	What  string     `json:",omitempty"`
	Text  string     `json:",omitempty"` // of the edit, or the invitation
	Heads []doc.Hash `json:",omitempty"`
}

type answer struct {
	Error   string            `json:",omitempty"`
	Addrs   []string          `json:",omitempty"`
	Link    string            `json:",omitempty"`
	Heads   []doc.Hash        `json:",omitempty"`
	Changes uint64            `json:",omitempty"`
	Hash    string            `json:",omitempty"`
	Sees    map[string]string `json:",omitempty"`
}

// runProgram is the main function of all three programs: it opens the device and does what lines on its standard input ask for, until they end.
func runProgram(ctx context.Context, name string, args []string, in io.Reader, out, log io.Writer) (err error) {
	flags := flag.NewFlagSet(name, flag.ContinueOnError)
	dir := flags.String("dir", "", "the device's directory")
	device := flags.String("name", "", "what people call the device")
	listen := flags.String("listen", "", "the address to listen on; empty means no network")
	if err := flags.Parse(args); err != nil {
		return err
	}
	r := releases[name]
	eng, err := tombolo.Open(ctx, *dir, &tombolo.Options{
		App: r.schema.App(), Schemas: []*schema.Schema{r.schema}, Name: *device,
		Listen: []string{*listen}, Offline: *listen == "", NoDiscovery: true,
		Log: slog.New(slog.NewTextHandler(log, nil)),
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, eng.Close()) }()
	p := &program{release: r, eng: eng}
	defer func() { err = errors.Join(err, p.close()) }()
	say := json.NewEncoder(out)
	if err := say.Encode(answer{Addrs: eng.Addrs()}); err != nil {
		return err
	}
	requests := json.NewDecoder(in)
	for {
		var ask request
		if err := requests.Decode(&ask); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		a, err := p.answer(ctx, ask)
		if err != nil {
			a.Error = err.Error()
		}
		if err := say.Encode(a); err != nil {
			return err
		}
	}
}

type program struct {
	release
	eng   *tombolo.Engine
	issue *tombolo.Handle // nil until it is first asked for
}

func (p *program) answer(ctx context.Context, ask request) (a answer, err error) {
	switch ask.Do {
	case "invite":
		invitation, err := p.eng.Invite(ctx, tombolo.Invite{})
		return answer{Link: invitation.Link}, err
	case "join":
		_, err := p.eng.Join(ctx, ask.Text, tombolo.JoinOptions{Adopt: true})
		return a, err
	}
	if p.issue == nil {
		if p.issue, err = p.open(ctx, ask.Do == "report"); err != nil {
			return a, err
		}
	}
	switch ask.Do {
	case "edit", "report":
		err = p.once(ctx, fmt.Sprintf("%d: %s", ask.Edit, ask.What), ask.What, ask.Text)
	case "settle":
		_, err = p.schema.Settle(ctx, p.issue)
	case "reach":
		err = p.issue.Wait(ctx, func(s tombolo.DocumentStatus) bool { return slices.Equal(s.Heads, ask.Heads) })
	case "see":
		a.Sees, err = p.see(p.issue)
	default:
		err = fmt.Errorf("nobody can do %q", ask.Do)
	}
	if err != nil {
		return a, err
	}
	status, err := p.issue.Status(ctx)
	if err != nil {
		return a, err
	}
	hash, err := p.issue.Hash()
	a.Heads, a.Changes, a.Hash = status.Heads, status.Changes, fmt.Sprintf("%x", hash[:4])
	return a, err
}

// open opens the issue; a new one only for whoever reports it, and else the one that comes from another device, if it has not come yet.
func (p *program) open(ctx context.Context, report bool) (*tombolo.Handle, error) {
	const name = "issue 1"
	if report {
		return p.eng.Home().Open(ctx, name)
	}
	for {
		news := p.eng.News()
		h, err := p.eng.Home().Find(ctx, p.schema.App(), name)
		if !errors.Is(err, tombolo.ErrNotFound) {
			return h, err
		}
		<-news
	}
}

// once makes an edit unless it is in the document already: a program that was killed cannot say whether it still made it, but its history can.
func (p *program) once(ctx context.Context, message, what, text string) error {
	for entry, err := range p.issue.History() {
		if err != nil {
			return err
		}
		if entry.Message == message {
			return nil
		}
	}
	return p.edit(ctx, p.issue, message, what, text)
}

func (p *program) close() error {
	if p.issue == nil {
		return nil
	}
	return p.issue.Close()
}

// sorted is a list without the order in which edits made apart came together, which is another in each run.
func sorted(list []string) string {
	list = slices.Clone(list)
	slices.Sort(list)
	return strings.Join(list, ", ")
}
