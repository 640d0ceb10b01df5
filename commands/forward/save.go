package forward

import (
	"time"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/commands/nodechoice"
	"github.com/ssmdeck/ssmdeck/commands/savedforwards"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/fleet"
	"github.com/ssmdeck/ssmdeck/internal/forwards"
	"github.com/ssmdeck/ssmdeck/internal/pattern"
	"github.com/ssmdeck/ssmdeck/portforward"
)

func newSaveCmd(env *cli.Env) *cobra.Command {
	e := forwards.Entry{}
	var file string
	cmd := &cobra.Command{
		Use:   "save <name> <node> <spec>...",
		Short: "Give a forward a name, for `forward up`",
		Long: `Write a forward into forwards.yaml, beside the configuration file, without starting
it. What is in the file stays, comments too. --profile and --region become part of
it when they are given.`,
		Example: `  $ ssmdeck forward save orders-db tag:role=bastion 15432:orders.cluster-xyz.eu-west-1.rds.amazonaws.com:5432 --profile prod
  $ ssmdeck forward up orders-db`,
		Args: cli.MinArgs("the name", "the node", "the spec"),
		ValidArgsFunction: func(cmd *cobra.Command, args []string, to string) ([]string, cobra.ShellCompDirective) {
			if len(args) == 1 {
				return nodechoice.Words(cmd.Context(), env), cobra.ShellCompDirectiveNoFileComp
			}
			return nil, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			e.Name, e.Node = args[0], args[1]
			return save(env, e, args[2:], file)
		},
	}
	cmd.Flags().StringVar(&file, "file", "", "`file` of forwards to write to")
	cmd.Flags().StringVar(&e.Description, "description", "", "`text` for people")
	cmd.Flags().StringSliceVar(&e.Groups, "group", nil, "`word` that starts it together with others; repeat for more")
	cmd.Flags().StringVar(&e.Bind, "bind", "", "local `address` to listen on")
	cmd.Flags().StringVar(&e.Reason, "reason", "", "`text` for the sessions' history, up to 256 characters")
	cmd.Flags().IntVar(&e.Lanes, "lanes", 0, "most sessions at once, `1 to 32`")
	cmd.Flags().DurationVar(&e.Idle, "idle", forwards.DefaultIdle, "`time` after which an unused session is closed")
	return cmd
}

var forwardName = pattern.Lazy(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

func save(env *cli.Env, e forwards.Entry, words []string, file string) error {
	var err error
	if e.Specs, err = parseSpecs(words); err != nil {
		return err
	}
	switch {
	case !forwardName().MatchString(e.Name):
		return fault.Usagef("the name %q is not made of letters, digits, dots, hyphens and underscores", e.Name)
	case e.Lanes < 0 || e.Lanes > portforward.MostLanes:
		return fault.Usagef("--lanes %d is not between 1 and %d", e.Lanes, portforward.MostLanes)
	case e.Idle < time.Second:
		return fault.Usagef("--idle %s is less than a second", e.Idle)
	}
	typed := env.Flags.Typed()
	e.Profile, e.Region = typed["profile"], typed["region"]
	path := file
	if path == "" {
		saved, err := savedforwards.Load(env, "")
		if err != nil {
			return err
		}
		path = saved.Path
	}
	check := func(expr string) error { _, err := fleet.ParseTarget(expr); return err }
	if err := forwards.Save(path, e, check); err != nil {
		return err
	}
	env.Note("saved in %s; `ssmdeck forward up %s` starts it", path, e.Name)
	return nil
}
