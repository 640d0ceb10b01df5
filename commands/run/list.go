package run

import (
	"context"
	"fmt"
	"iter"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/commands/runview"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/run"
)

func newListCmd(env *cli.Env) *cobra.Command {
	var (
		since cli.SinceFlag
		state string
		all   bool
	)
	cmd := &cobra.Command{
		Use:     "list",
		Aliases: []string{"ls"},
		Short:   "List runs of the last 30 days, newest first",
		Long: `List what was sent with ssmdeck, one line for a run however many commands it
took. --all lists commands sent by others too; each is a run of its own.`,
		Example: `  $ ssmdeck run list --since 24h
  $ ssmdeck run list --state failed -o json`,
		Args: cli.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			want, err := parseState(state)
			if err != nil {
				return err
			}
			after, err := since.Time(time.Now())
			if err != nil {
				return err
			}
			return list(cmd.Context(), env, after, want, all)
		},
	}
	since.Bind(cmd, "runs")
	cmd.Flags().StringVar(&state, "state", "", "only runs in this `state`: pending, running, ok, failed, timed_out, cancelled, cancelling")
	cmd.Flags().BoolVar(&all, "all", false, "list commands that ssmdeck did not send, too")
	cli.CompleteFlag(cmd, "state", commandStates)
	return cmd
}

func list(ctx context.Context, env *cli.Env, after time.Time, state run.State, all bool) error {
	ro, err := env.RenderOptions()
	if err != nil {
		return err
	}
	svc, err := env.Runner(ctx)
	if err != nil {
		return err
	}
	return cli.WriteSeq(env, table, ro, narrowed(svc.Runs(ctx, after), func(r run.Run) bool {
		return (all || r.ID != "") && (state == "" || r.State == state)
	}))
}

// narrowed leaves out what keep does not want.
func narrowed[T any](rows iter.Seq2[T, error], keep func(T) bool) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for r, err := range rows {
			if (err != nil || keep(r)) && !yield(r, err) {
				return
			}
		}
	}
}

func table(o render.Options) render.Table[run.Run] {
	return render.Table[run.Run]{
		ID:    func(r run.Run) string { return r.Ref() },
		Empty: "no runs match",
		Columns: []render.Column[run.Run]{
			{
				Name: "STATE", Text: func(r run.Run) string { return string(r.State) },
				Human: func(r run.Run) string { return runview.StateCell(o, r.State, r.Detail) },
			},
			{Name: "RUN", ID: true, Text: func(r run.Run) string { return r.Ref() }},
			{Name: "DOCUMENT", Text: func(r run.Run) string { return strings.Join(r.Documents, ",") }},
			{Name: "NODES", Right: true, Text: func(r run.Run) string { return fmt.Sprint(r.Targets) }},
			{Name: "FAILED", Right: true, Text: func(r run.Run) string { return fmt.Sprint(r.Errors + r.DeliveryTimedOut) }},
			cli.AgoColumn(o, "REQUESTED", func(r run.Run) time.Time { return r.Requested }),
			{Name: "COMMENT", Text: func(r run.Run) string { return r.Comment }},
			{Name: "COMMANDS", Wide: true, Right: true, Text: func(r run.Run) string {
				if r.Unsent() > 0 {
					return fmt.Sprintf("%d of %d", len(r.Commands), r.Of)
				}
				return fmt.Sprint(len(r.Commands))
			}},
		},
	}
}

// completeRun completes the ids of recent runs.
func completeRun(env *cli.Env) cobra.CompletionFunc {
	return func(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
		const most = 20
		ctx, cancel := context.WithTimeout(cmd.Context(), cli.CompletionWait)
		defer cancel()
		svc, err := env.Runner(ctx)
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		var words []string
		for r, err := range svc.Runs(ctx, time.Now().Add(-24*time.Hour)) {
			if err != nil || len(words) == most {
				break
			}
			words = append(words, r.Ref()+"\t"+strings.TrimSpace(string(r.State)+" "+r.Comment+" "+strings.Join(r.Documents, ",")))
		}
		return words, cobra.ShellCompDirectiveNoFileComp
	}
}
