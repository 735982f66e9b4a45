package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"tombolo"
	"tombolo/doc"
)

func (p *peer) docCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "doc",
		Short: "Create, read, edit and follow documents",
		Args:  usage(noCommand),
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(
		p.createCommand(), p.listCommand(), p.getCommand(), p.hashCommand(),
		p.setCommand(), p.patchCommand(), p.putCommand(), p.removeCommand(), p.spliceCommand(),
		p.historyCommand(), p.diffCommand(), p.revertCommand(), p.exportCommand(), p.importCommand(),
		p.watchCommand(), p.waitCommand(),
		p.deleteCommand(), p.undeleteCommand(), p.purgeCommand(),
	)
	return cmd
}

// version is a document and its heads, as commands print them that make or change one.
type version struct {
	URL   string   `json:"url"`
	Heads []string `json:"heads"`
}

func versionOf(h *tombolo.Handle) version {
	return version{URL: h.URL().String(), Heads: hexes(h.Heads())}
}

func hexes(heads []doc.Hash) []string {
	out := make([]string, len(heads))
	for i, h := range heads {
		out[i] = h.String()
	}
	return out
}

// withDocument opens the document that text names for do, and closes it.
func withDocument(ctx context.Context, eng *tombolo.Engine, text string, do func(h *tombolo.Handle) error) error {
	u, err := doc.ParseURL(text)
	if err != nil {
		return err
	}
	h, err := eng.Document(ctx, u)
	if errors.Is(err, tombolo.ErrNotFound) {
		return fmt.Errorf("%w; 'peer doc ls' shows those it has, and others come when 'peer run' reaches their device", err)
	}
	if err != nil {
		return err
	}
	err = do(h)
	if _, ok := errors.AsType[*doc.PathError](err); ok {
		err = fmt.Errorf("%w; 'peer doc get %s' shows what is there", err, text)
	}
	return errors.Join(err, h.Close())
}

func (p *peer) createCommand() *cobra.Command {
	var name, app string
	cmd := &cobra.Command{
		Use:   "create [JSON|-]",
		Short: "Create a document and print its URL",
		Long: "Create a document and print its URL. With --name it is the same document on every device that creates it,\n" +
			"and creating it again without a value prints its URL again.",
		Args: usage(cobra.MaximumNArgs(1)),
		PreRunE: func(*cobra.Command, []string) error {
			if app != "" && name == "" {
				return usageError{errors.New("--app needs --name: it is the application that the name belongs to")}
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&name, "name", "", "the document's name, which leads every device to the same document")
	cmd.Flags().StringVar(&app, "app", "", "the application that the name belongs to, such as com.example.notes")
	cmd.RunE = p.onEngine(existing, func(ctx context.Context, eng *tombolo.Engine, args []string) error {
		var value map[string]any
		if len(args) > 0 {
			var err error
			if value, err = p.object(ctx, args[0]); err != nil {
				return err
			}
		}
		h, err := create(ctx, eng.Home(), app, name, value)
		if err != nil {
			return err
		}
		return p.printMade(h)
	})
	return cmd
}

// printMade closes a document that was just made and prints its URL.
func (p *peer) printMade(h *tombolo.Handle) error {
	v := versionOf(h)
	if err := h.Close(); err != nil {
		return err
	}
	return p.print(v, func(w io.Writer) { fmt.Fprintln(w, v.URL) })
}

// create makes a document with a value, nil for none. A named one that is there already keeps the value it has.
func create(ctx context.Context, home *tombolo.Space, app, name string, value map[string]any) (*tombolo.Handle, error) {
	if name == "" {
		if value == nil {
			return home.Create(ctx, nil)
		}
		return home.Create(ctx, value)
	}
	if value == nil {
		h, err := home.OpenNamed(ctx, app, name)
		return h, undeletes(err)
	}
	h, err := home.Find(ctx, app, name)
	if err == nil {
		url := h.URL()
		if at, err := h.Deleted(ctx); err != nil || !at.IsZero() {
			return nil, errors.Join(cmp.Or(err, undeletes(&tombolo.DeletedError{URL: url, Since: at})), h.Close())
		}
		return nil, errors.Join(fmt.Errorf("this device has a document of that name; change it with: peer doc put %s JSON", url), h.Close())
	}
	if !errors.Is(err, tombolo.ErrNotFound) {
		return nil, err
	}
	if h, err = home.OpenNamed(ctx, app, name); err != nil {
		return nil, undeletes(err)
	}
	if err := h.Change(ctx, "create", func(tx *doc.Tx) error { return tx.Put(value) }); err != nil {
		return nil, errors.Join(err, h.Close())
	}
	return h, nil
}

func (p *peer) listCommand() *cobra.Command {
	var deleted bool
	cmd := &cobra.Command{
		Use:   "ls",
		Short: "List the documents on this device",
		Args:  usage(cobra.NoArgs),
	}
	cmd.Flags().BoolVar(&deleted, "deleted", false, "list those that are deleted instead")
	cmd.RunE = p.onEngine(existing, func(ctx context.Context, eng *tombolo.Engine, _ []string) error {
		type entry struct {
			version
			Space   string    `json:"space"`
			App     string    `json:"app"`
			Name    string    `json:"name"`
			Changes uint64    `json:"changes"`
			Deleted time.Time `json:"deleted,omitzero"`
		}
		list, empty := (*tombolo.Space).List, "No documents yet; make one with: peer"+p.dirFlag()+" doc create"
		entries := []entry{}
		rows := [][]string{{"NAME", "APP", "CHANGES", "SPACE", "URL"}}
		if deleted {
			list, empty = (*tombolo.Space).ListDeleted, "No deleted documents"
			rows[0] = append(rows[0], "DELETED")
		}
		for _, space := range eng.Spaces() {
			infos, err := list(space, ctx)
			if err != nil {
				return err
			}
			for _, i := range infos {
				url := i.URL.String()
				entries = append(entries, entry{version{url, hexes(i.Heads)}, space.ID().String(), i.App, i.Name, i.Changes, i.Deleted})
				row := []string{orDash(i.Name), orDash(i.App), strconv.FormatUint(i.Changes, 10), orDash(space.Name()), url}
				if deleted {
					row = append(row, ago(p.now(), i.Deleted))
				}
				rows = append(rows, row)
			}
		}
		return p.print(entries, func(w io.Writer) {
			if len(entries) == 0 {
				fmt.Fprintln(w, empty)
				return
			}
			table(w, rows)
		})
	})
	return cmd
}

// orDash is a cell of a table.
func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return printable(s)
}

func (p *peer) getCommand() *cobra.Command {
	var at string
	cmd := &cobra.Command{
		Use:   "get URL [POINTER]",
		Short: "Print a document, or the value at a JSON Pointer in it, as JSON",
		Args:  usage(cobra.RangeArgs(1, 2)),
	}
	cmd.Flags().StringVar(&at, "at", "", "the version to read, as its heads (default: the newest)")
	cmd.RunE = p.onEngine(existing, func(ctx context.Context, eng *tombolo.Engine, args []string) error {
		return withDocument(ctx, eng, args[0], func(h *tombolo.Handle) error {
			path := ""
			if len(args) > 1 {
				path = args[1]
			}
			value, err := jsonAt(h, at, path)
			if err != nil {
				return err
			}
			var out bytes.Buffer
			if p.json {
				out.Write(value) // the canonical form, byte for byte
			} else if err := json.Indent(&out, value, "", "  "); err != nil {
				return fmt.Errorf("lay out the document: %w", err)
			}
			out.WriteByte('\n')
			_, err = p.out.Write(out.Bytes())
			return err
		})
	})
	return cmd
}

// jsonAt is the canonical JSON of a value, now or at the version that text names.
func jsonAt(h *tombolo.Handle, text, path string) ([]byte, error) {
	if text == "" {
		return h.JSON(path)
	}
	heads, err := headsOf(h, text)
	if err != nil {
		return nil, err
	}
	then, err := h.At(heads)
	if err != nil {
		return nil, err
	}
	return then.JSON(path)
}

func (p *peer) hashCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "hash URL",
		Short: "Print the SHA-256 of a document's canonical JSON: equal on devices that have the same",
		Args:  usage(cobra.ExactArgs(1)),
		RunE: p.onEngine(existing, func(ctx context.Context, eng *tombolo.Engine, args []string) error {
			return withDocument(ctx, eng, args[0], func(h *tombolo.Handle) error {
				sum, err := h.Hash()
				if err != nil {
					return err
				}
				shape := struct {
					version
					Hash string `json:"hash"`
				}{versionOf(h), hex.EncodeToString(sum[:])}
				return p.print(shape, func(w io.Writer) { fmt.Fprintln(w, shape.Hash) })
			})
		}),
	}
}
