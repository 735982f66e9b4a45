package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"tombolo"
)

func (p *peer) statusCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "status",
		Short: "Show devices, connections, and which device has what on its disk",
		Args:  usage(cobra.NoArgs),
		RunE: p.onEngine(existing, func(ctx context.Context, eng *tombolo.Engine, _ []string) error {
			st, err := eng.Status(ctx)
			if err != nil {
				return err
			}
			return p.print(st, func(w io.Writer) { p.printStatus(w, st) })
		}),
	}
}

func (p *peer) printStatus(w io.Writer, st tombolo.Status) {
	fmt.Fprintf(w, "%s  %s\n", named(st.Device), st.Device.Peer)
	for _, addr := range st.Addrs {
		fmt.Fprintf(w, "  at %s\n", printable(addr))
	}
	if st.Store.State == tombolo.StateReadOnly {
		fmt.Fprintf(w, "  the disk is nearly full (%d MiB free, %d MiB needed): documents can be read and take no changes until there is room\n",
			st.Store.Free>>20, st.Store.Need>>20)
	}
	if st.Paused {
		fmt.Fprintf(w, "  paused: no connections until 'peer%s resume'\n", p.dirFlag())
	}
	if p.engine == nil {
		fmt.Fprintf(w, "  no node is running; start it with: peer%s run\n", p.dirFlag())
	}

	rows := [][]string{{"SPACE", "ROLE", "MEMBER", "ROLE", "PEER"}}
	for _, s := range st.Spaces {
		name := orDash(s.Name)
		if s.Home {
			name += " (home)"
		}
		role := s.Role
		for _, m := range s.Members {
			rows = append(rows, []string{name, role, named(m.Device), m.Role, short(m.Peer)})
			name, role = "", ""
		}
	}
	section(w, rows)

	rows = [][]string{{"DEVICE", "CONNECTION", "SINCE", "ADDRESS", "WHY NOT"}}
	for _, c := range st.Peers {
		state := "none"
		if c.Connected {
			state = "connected"
		}
		rows = append(rows, []string{named(c.Device), state, ago(p.now(), c.Since), orDash(c.Addr), printable(withoutPackages(c.Error))})
	}
	section(w, rows)

	rows = [][]string{{"DOCUMENT", "ON DISK OF", "STATE", "SINCE", "HEADS"}}
	for _, d := range st.Documents {
		name := orDash(d.Name)
		if d.Name == "" {
			name = d.URL
		}
		if !d.Deleted.IsZero() {
			name += " (deleted)"
		}
		for _, on := range d.Devices {
			is := state(on)
			if on.Self && d.State != tombolo.StateReady {
				is = d.State
			}
			rows = append(rows, []string{name, named(on.Device), is, ago(p.now(), on.Since), brief(on.Heads)})
			name = ""
		}
	}
	section(w, rows)
	for _, d := range st.Documents {
		if d.State == tombolo.StateQuarantined {
			fmt.Fprintf(w, "\n%s does not read on this disk: %s\nIt heals when a device that has it is connected; 'peer%s doctor' says what else helps.\n",
				d.URL, printable(d.Problem), p.dirFlag())
		} else if d.Problem != "" {
			fmt.Fprintf(w, "\n%s is %s: %s\n", d.URL, d.State, printable(withoutPackages(d.Problem)))
		}
	}
}

// state is what is known of a device's copy, in a word.
func state(d tombolo.DeviceStatus) string {
	switch {
	case d.Self:
		return "here"
	case d.Durable:
		return "same"
	case d.Heads == nil && d.Since.IsZero():
		return "unknown"
	case len(d.Heads) == 0:
		return "nothing"
	default:
		return "differs"
	}
}

// section is a table below an empty line; nothing if it has only its heading.
func section(w io.Writer, rows [][]string) {
	if len(rows) > 1 {
		fmt.Fprintln(w)
		table(w, rows)
	}
}
