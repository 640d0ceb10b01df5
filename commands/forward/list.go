package forward

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/levels"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/commands/savedforwards"
	"github.com/ssmdeck/ssmdeck/internal/forwards"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/portforward"
)

// listedForward is a forward that is saved, runs, or both.
type listedForward struct {
	Name        string     `json:"name"`
	State       string     `json:"state"` // "stopped" when it does not run
	Local       []string   `json:"local"`
	Remote      []string   `json:"remote"`
	Node        string     `json:"node"`
	Sessions    int        `json:"sessions"`
	Open        int64      `json:"open"`
	Half        int64      `json:"half_closed"` // of those open
	Connections int64      `json:"connections"`
	In          int64      `json:"bytes_in"`
	Out         int64      `json:"bytes_out"`
	Error       string     `json:"error,omitempty"`
	Hint        string     `json:"hint,omitempty"`
	PID         int        `json:"pid,omitempty"`
	Background  bool       `json:"background,omitempty"`
	Started     *time.Time `json:"started,omitempty"`
	Profile     string     `json:"profile,omitempty"`
	Region      string     `json:"region,omitempty"`
	Groups      []string   `json:"groups,omitempty"`
	Description string     `json:"description,omitempty"`
	File        string     `json:"file,omitempty"`
	InRate      float64    `json:"bytes_in_per_second"`
	OutRate     float64    `json:"bytes_out_per_second"`
	Saved       bool       `json:"saved"` // false: it was typed, and is gone when it ends
}

const stoppedState = "stopped"

func newListCmd(env *cli.Env) *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use:     "list",
		Aliases: []string{"ls"},
		Short:   "Forwards that run or are saved",
		Long: `List the saved forwards, and every forward of yours that runs on this machine: saved
or typed, in this terminal, in others, in the dashboard and behind the shell. What a
killed process has left open is ended.

A forward that is in no file has the name of the node, or of the database, and its
local port: web-1:8080. Where two have the same, the second is web-1:8080-2.`,
		Example: `  $ ssmdeck forward list
  $ ssmdeck forward list -o json --query '[?state==` + "`open`" + `].name'`,
		Args: cli.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return forwardList(cmd.Context(), env, file) },
	}
	cmd.Flags().StringVar(&file, "file", "", "`file` of forwards, read alone")
	return cmd
}

func forwardList(ctx context.Context, env *cli.Env, file string) error {
	ro, err := env.RenderOptions()
	if err != nil {
		return err
	}
	saved, err := savedforwards.Load(env, file)
	if err != nil {
		return err
	}
	alive, err := runningForwards(ctx, env)
	if err != nil {
		return err
	}
	return cli.WriteList(env, table, ro, listForwards(saved.Entries, alive))
}

// runningForwards asks what runs, and ends what killed processes have left.
func runningForwards(ctx context.Context, env *cli.Env) ([]forwards.Running, error) {
	reg, err := savedforwards.Registry(env)
	if err != nil {
		return nil, err
	}
	alive, dead, err := reg.Look(ctx)
	if err != nil {
		return nil, err
	}
	newAccounts(ctx, env, func() *forwards.Mine { return nil }).bury(ctx, reg, dead)
	return alive, nil
}

// listForwards joins what is saved and what runs, which may not be saved any more.
func listForwards(saved []forwards.Entry, alive []forwards.Running) []listedForward {
	var list []listedForward
	for i := range saved {
		e := &saved[i]
		list = append(list, listedForward{
			Name: e.Name, State: stoppedState, Local: e.Local(), Remote: e.Remote(), Node: e.Node,
			Profile: e.Profile, Region: e.Region, Groups: e.Groups, Description: e.Description, File: e.File, Saved: true,
		})
	}
	for i := range alive {
		p := &alive[i]
		for _, r := range p.Rows {
			if r.State == forwards.Closed {
				continue
			}
			at := slices.IndexFunc(list, func(f listedForward) bool { return f.Name == r.Name })
			if at < 0 {
				list = append(list, listedForward{Name: r.Name, Saved: !p.Unsaved, Profile: p.Profile, Region: p.Region})
				at = len(list) - 1
			}
			f := &list[at]
			f.State, f.PID, f.Background, f.Started = string(r.State), p.PID, p.Background, &p.Started
			if r.State == forwards.Mute { // nothing else is known of it
				continue
			}
			f.Local, f.Remote, f.Node = r.Local, r.Remote, r.Node
			f.Sessions, f.Open, f.Half, f.Connections, f.In, f.Out = r.Lanes, r.Open, r.Half, r.Total, r.In, r.Out
			f.InRate, f.OutRate, f.Error, f.Hint = r.InRate, r.OutRate, r.Error, r.Hint
		}
	}
	return list
}

func table(o render.Options) render.Table[listedForward] {
	count := func(n int64) string { return strconv.FormatInt(n, 10) }
	bytes := func(name string, get func(listedForward) int64) render.Column[listedForward] {
		return render.Column[listedForward]{
			Name: name, Right: true, Text: func(f listedForward) string { return count(get(f)) },
			Human: func(f listedForward) string {
				if f.PID == 0 {
					return ""
				}
				return render.Bytes(get(f))
			},
			Less: func(a, b listedForward) bool { return get(a) < get(b) },
		}
	}
	return render.Table[listedForward]{
		ID:    func(f listedForward) string { return f.Name },
		Empty: "no forward is saved, and none runs",
		Columns: []render.Column[listedForward]{
			{Name: "NAME", ID: true, Text: func(f listedForward) string { return f.Name }},
			{
				Name: "STATE", Text: func(f listedForward) string { return f.State },
				Human: func(f listedForward) string { return o.Styles.Status(levels.Forward(forwards.State(f.State)), f.State) },
			},
			{Name: "LOCAL", Text: func(f listedForward) string { return strings.Join(f.Local, " ") }},
			{Name: "REMOTE", Text: func(f listedForward) string { return strings.Join(f.Remote, " ") }},
			{Name: "NODE", Text: func(f listedForward) string { return f.Node }},
			{
				Name: "CONNECTIONS", Right: true, Text: func(f listedForward) string { return count(f.Open) },
				Human: func(f listedForward) string {
					if f.PID == 0 {
						return ""
					}
					return portforward.Counters{Open: f.Open, Half: f.Half}.Now()
				},
			},
			bytes("IN", func(f listedForward) int64 { return f.In }),
			bytes("OUT", func(f listedForward) int64 { return f.Out }),
			{Name: "ERROR", Text: func(f listedForward) string { return f.Error }},
			{Name: "PID", Wide: true, Text: func(f listedForward) string { return count(int64(f.PID)) }},
			{Name: "PROFILE", Wide: true, Text: func(f listedForward) string { return f.Profile }},
			{Name: "DESCRIPTION", Wide: true, Text: func(f listedForward) string { return f.Description }},
			{Name: "FILE", Wide: true, Text: func(f listedForward) string { return f.File }},
			{Name: "SAVED", Text: func(f listedForward) string {
				if f.Saved {
					return "yes"
				}
				return "no"
			}},
		},
	}
}
