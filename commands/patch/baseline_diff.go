package patch

import (
	"context"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/internal/baseline"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/render"
)

func newBaselineDiffCmd(env *cli.Env) *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use:   "diff <baseline> [other]",
		Short: "Compare two baselines, or a baseline with a file",
		Long: `Compare what two baselines say, or with -f a baseline with a file. Names count,
since they are part of it; ids, dates and groups do not. The status is 6 when
something differs.`,
		Example: `  $ ssmdeck patch baseline diff prod-al2023 test-al2023
  $ ssmdeck patch baseline diff prod-al2023 -f prod-al2023.yaml`,
		Args: func(cmd *cobra.Command, args []string) error {
			if cmd.Flags().Changed("file") {
				return cli.ExactArgs("the baseline")(cmd, args)
			}
			return cli.ExactArgs("the baseline", "the other baseline, or -f")(cmd, args)
		},
		ValidArgsFunction: completeBaseline(env, 2),
		RunE:              func(cmd *cobra.Command, args []string) error { return baselineDiff(cmd.Context(), env, args, file) },
	}
	cli.BindFile(cmd, &file)
	return cmd
}

// baselineDifference is the answer of `patch baseline diff` for machines.
type baselineDifference struct {
	Baseline string `json:"baseline"`
	From     string `json:"from"`
	To       string `json:"to"`
	Same     bool   `json:"same"`
	Diff     string `json:"diff,omitempty"`
}

func baselineDiff(ctx context.Context, env *cli.Env, args []string, file string) error {
	ro, err := env.RenderOptions()
	if err != nil {
		return err
	}
	var other baseline.Baseline
	otherName := file
	if file != "" {
		if other, err = readBaselineFile(env, file, false); err != nil {
			return err
		}
	}
	svc, err := openBaselines(ctx, env)
	if err != nil {
		return err
	}
	b, err := svc.Read(ctx, args[0], other.OS)
	if err != nil {
		return err
	}
	if file == "" {
		if other, err = svc.Read(ctx, args[1], ""); err != nil {
			return err
		}
		otherName = other.Label()
	}
	lines := baseline.Diff(b.Label(), otherName, b, other)
	d := baselineDifference{Baseline: b.ID, From: b.Label(), To: otherName, Same: len(lines) == 0, Diff: strings.Join(lines, "\n")}
	if plainFormat(ro) {
		err = cli.WriteDiff(env, ro, lines)
	} else {
		err = render.Object(env.Out, ro, d, func(v *render.Detail) {
			v.ID(b.ID)
			v.Field("From", d.From)
			v.Field("To", d.To)
			v.Block("Diff", d.Diff)
		})
	}
	switch {
	case err != nil:
		return err
	case !d.Same:
		return &fault.Exit{Code: fault.RemoteFailed.ExitCode()}
	}
	env.Note("no difference")
	return nil
}

// plainFormat reports whether people read the answer as text, so that it need not be
// rows or fields.
func plainFormat(ro render.Options) bool {
	return ro.Query == "" && slices.Contains([]render.Format{render.FormatAuto, render.FormatTable, render.FormatText}, ro.Format)
}
