package node

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/commands/nodechoice"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/fleet"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/theme"
)

func newPingCmd(env *cli.Env) *cobra.Command {
	var choice nodechoice.Choice
	cmd := &cobra.Command{
		Use:   "ping <target>...",
		Short: "Ask whether nodes can be reached now",
		Long: `Ask Session Manager, for each node, whether its agent is connected at this moment
(GetConnectionStatus). The ping that lists show is up to five minutes old.

The exit code is 6 when a node is not connected, or cannot be asked about.`,
		Example: `  $ ssmdeck node ping web-1
  $ ssmdeck node ping 'web-[1-3]' db-admin
  $ ssmdeck node ping --tag env=prod -o json`,
		RunE: func(cmd *cobra.Command, args []string) error { return nodePing(cmd, env, choice, args) },
	}
	choice.Bind(env, cmd)
	return cmd
}

// pinged is what was heard of one node.
type pinged struct {
	ID        string    `json:"id"`
	Name      string    `json:"name"`
	Connected *bool     `json:"connected"` // null when it could not be asked
	Ping      string    `json:"ping"`
	LastPing  time.Time `json:"last_ping,omitzero"`
	Error     string    `json:"error,omitempty"`
}

func (p pinged) status() string {
	switch {
	case p.Connected == nil:
		return nodechoice.Unknown
	case *p.Connected:
		return "connected"
	default:
		return "not connected"
	}
}

func nodePing(cmd *cobra.Command, env *cli.Env, choice nodechoice.Choice, args []string) error {
	ctx := cmd.Context()
	if len(choice.Targets)+len(choice.Tags) == 0 {
		var err error
		if args, err = nodechoice.OrPickMany(ctx, env, args); err != nil {
			return err
		}
	}
	targets, filter, err := choice.Parse(cmd.CommandPath(), args)
	if err != nil {
		return err
	}
	ro, svc, nodes, err := nodechoice.ChosenNodes(ctx, env, pingTable, targets, filter)
	if err != nil {
		return err
	}
	rows, failed, err := pingAll(ctx, env, svc, nodes)
	if err != nil {
		return err
	}
	if err := cli.WriteList(env, pingTable, ro, rows); err != nil {
		return err
	}
	not := 0
	for _, r := range rows {
		if r.Connected == nil || !*r.Connected {
			not++
		}
	}
	switch {
	case not == 0:
		return nil
	case failed != nil && not == len(rows):
		return failed
	case failed != nil:
		env.Note("ssmdeck: note: some nodes could not be asked about: %s", cli.FirstLine(failed))
	}
	return fault.New(fault.RemoteFailed, "ping", "%d of %s not connected", not, cli.PluralAre(len(rows), "node")).
		WithHint("`ssmdeck doctor NODE` says why")
}

// pingAll asks about each node, and returns the first error of those that could
// not be asked about.
func pingAll(ctx context.Context, env *cli.Env, svc *fleet.Service, nodes []fleet.Node) (rows []pinged, failed, err error) {
	progress, err := env.Progress()
	if err != nil {
		return nil, nil, err
	}
	defer progress.Close()
	at := map[string]int{}
	rows = make([]pinged, len(nodes))
	for i, n := range nodes {
		at[n.ID] = i
		rows[i] = pinged{ID: n.ID, Name: n.Name, Ping: n.Ping, LastPing: n.LastPing}
	}
	var mu sync.Mutex
	done := 0
	err = svc.ConnectedAll(ctx, nodes, func(n fleet.Node, connected bool, err error) {
		mu.Lock()
		defer mu.Unlock()
		r := &rows[at[n.ID]]
		if err != nil {
			r.Error = err.Error()
			if failed == nil {
				failed = err
			}
		} else {
			r.Connected = &connected
		}
		done++
		progress.Set(render.Status{Label: "ping", Done: int64(done), Total: int64(len(nodes))})
	})
	if err != nil {
		return nil, nil, err
	}
	slices.SortStableFunc(rows, func(a, b pinged) int { return pingUrgency(a) - pingUrgency(b) })
	return rows, failed, nil
}

// pingUrgency puts what needs attention first.
func pingUrgency(p pinged) int {
	switch {
	case p.Connected == nil:
		return 0
	case !*p.Connected:
		return 1
	default:
		return 2
	}
}

func pingTable(o render.Options) render.Table[pinged] {
	levels := []theme.Level{theme.Unknown, theme.Bad, theme.Good}
	return render.Table[pinged]{
		ID:    func(p pinged) string { return p.ID },
		Empty: "no managed nodes match",
		Columns: []render.Column[pinged]{
			{
				Name: "CONNECTED", Text: pinged.status,
				Human: func(p pinged) string { return o.Styles.Status(levels[pingUrgency(p)], p.status()) },
			},
			{Name: "NODE ID", ID: true, Text: func(p pinged) string { return p.ID }},
			{Name: "NAME", Text: func(p pinged) string { return p.Name }},
			{Name: "PING", Text: func(p pinged) string { return p.Ping }},
			cli.AgoColumn(o, "LAST PING", func(p pinged) time.Time { return p.LastPing }),
			{Name: "ERROR", Wide: true, Text: func(p pinged) string { return p.Error }},
		},
	}
}
