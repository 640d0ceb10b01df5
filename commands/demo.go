package commands

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/commands/dash"
	"github.com/ssmdeck/ssmdeck/internal/awsapi"
	"github.com/ssmdeck/ssmdeck/internal/config"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/simulator"
	"github.com/ssmdeck/ssmdeck/internal/simulator/world"
	"github.com/ssmdeck/ssmdeck/internal/theme"
)

func newDemoCmd(env *cli.Env) *cobra.Command {
	var (
		o simulatorOptions
		d demoOptions
	)
	cmd := &cobra.Command{
		Use:   "demo [-- <command>...]",
		Short: "Try ssmdeck on a simulated fleet, without an AWS account",
		Long: `Start the simulator inside this process and open the dashboard on it. The fleet is
alive: agents are lost and come back, colleagues send commands and open sessions, an
automation waits for approval, a maintenance window opens. Leaving the dashboard ends
the demo.

With --tour, and where there is no terminal, the main job is shown instead: the
fleet, a command in production, a shell, a forward to a private database. On a
terminal a prompt follows where any ssmdeck command can be typed against that fleet;
--prompt goes there at once. That fleet is small and keeps still.

With a command behind --, that one command runs against a fresh fleet, and its
exit code is ours. Nothing leaves this machine, and your AWS configuration is
neither read nor needed.`,
		Example: `  $ ssmdeck demo
  $ ssmdeck demo --tour
  $ ssmdeck demo -- ls --tag env=prod
  $ ssmdeck demo -- exec web-1 -- uptime`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error { return d.run(cmd, env, &o, args) },
	}
	o.bind(cmd)
	f := cmd.Flags()
	f.BoolVar(&d.tour, "tour", false, "show the main job, then a prompt, instead of the dashboard")
	f.BoolVar(&d.prompt, "prompt", false, "go to a prompt at once instead of the dashboard")
	dash.BindMouse(f, &d.noMouse)
	f.BoolVar(&d.noTour, "no-tour", false, "the old name of --prompt")
	_ = f.MarkHidden("no-tour") // it exists
	return cmd
}

// demoOptions say what the demo shows.
type demoOptions struct{ tour, prompt, noTour, noMouse bool }

func (d demoOptions) check(words []string) error {
	switch {
	case d.tour && (d.prompt || d.noTour):
		return fault.Usagef("--tour and --prompt exclude each other").WithHint("the tour ends at the prompt by itself")
	case len(words) > 0 && (d.tour || d.prompt || d.noTour):
		return fault.Usagef("a command behind -- is run by itself: leave out --tour and --prompt")
	}
	return nil
}

// run starts the simulator, shows what is to be shown, and ends it.
func (d demoOptions) run(cmd *cobra.Command, env *cli.Env, o *simulatorOptions, args []string) error {
	loose, words, _ := cli.SplitDash(cmd, args)
	if len(loose) > 0 {
		return fault.Usagef("demo: unexpected argument %q", loose[0]).
			WithHint("put the command behind --: ssmdeck demo -- %s", loose[0])
	}
	if err := d.check(words); err != nil {
		return err
	}
	so, err := o.options()
	if err != nil {
		return err
	}
	if so.Logger, err = env.Log(); err != nil {
		return err
	}
	quiet := d.tour || d.prompt || d.noTour || env.Terminal() == nil || !cli.IsTerminal(env.Out) || theme.Dumb(env.Lookup)
	if len(words) == 0 && !quiet {
		o.enliven(&so)
	}
	return withSimulator(cmd.Context(), env, so, func(inner *cli.Env) error {
		switch {
		case len(words) > 0:
			return command(cmd.Context(), inner, words)
		case quiet:
			return demo(cmd.Context(), env, inner, d.prompt || d.noTour)
		}
		return dash.Open(cmd.Context(), inner, Run, dash.Options{View: "overview", NoMouse: d.noMouse})
	})
}

// withSimulator starts a simulator and gives f an environment in which every
// command goes there. What belongs to the user (configuration, caches, AWS
// variables) is out of sight.
func withSimulator(ctx context.Context, env *cli.Env, so simulator.Options, f func(inner *cli.Env) error) (err error) {
	home, err := os.MkdirTemp("", "ssmdeck-demo-")
	if err != nil {
		return fault.New(fault.Failed, "make a folder for the demo", "%w", err)
	}
	defer os.RemoveAll(home)
	file, saved := filepath.Join(home, "config.yaml"), filepath.Join(home, "forwards.yaml")
	for path, text := range map[string]string{file: "", saved: demoForwards(so.Scenario)} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			return fault.New(fault.Failed, "make a folder for the demo", "%w", err)
		}
	}
	srv, err := simulator.Start(ctx, so)
	if err != nil {
		return err
	}
	defer func() {
		if closeErr := srv.Close(); err == nil {
			err = closeErr
		}
	}()
	own := map[string]string{
		"SSMDECK_CONFIG": file, "SSMDECK_CACHE_DIR": filepath.Join(home, "cache"), "SSMDECK_FORWARDS": saved,
		"XDG_STATE_HOME": filepath.Join(home, "state"), "LocalAppData": home,
	}
	maps.Copy(own, typedSettings(env))
	creds := srv.Credentials()
	inner := &cli.Env{
		Build: env.Build, In: env.In, Out: env.Out, Err: env.Err, Interrupts: env.Interrupts, Paces: new(awsapi.Paces),
		Lookup: func(name string) (string, bool) {
			if v, ok := own[name]; ok {
				return v, true
			}
			switch name {
			case "SSMDECK_OUTPUT", "SSMDECK_COLOR", "SSMDECK_THEME", "SSMDECK_ASCII", "SSMDECK_NO_PROMPT", "SSMDECK_DEBUG", "SSMDECK_LOG_FILE", "SSMDECK_ESCAPE_CHAR", "SSMDECK_HISTORY":
				return env.Lookup(name)
			}
			if isAWSName(name) {
				return "", false
			}
			return env.Lookup(name)
		},
		Local: &awsapi.Static{
			Endpoint: srv.URL(), Region: so.Scenario.Region,
			AccessKeyID: creds.AccessKeyID, SecretAccessKey: creds.SecretAccessKey,
		},
	}
	inner.UseThemesOf(env)
	return f(inner)
}

// demoForwards are saved forwards for the fleet of the demo; another scenario has none.
func demoForwards(s *world.Scenario) string {
	for _, n := range s.Nodes {
		if n.Name == "web-1" {
			return `forwards:
  orders-db:
    node: tag:role=web
    spec: 15432:my-db.cluster-xyz.us-east-1.rds.amazonaws.com:5432
    description: orders, through a web server
    groups: [db]
  site:
    node: web-1
    spec: 18080:80
    description: the shop as web-1 sees it
`
		}
	}
	return ""
}

// isAWSName reports whether a variable is AWS's or another of ours.
func isAWSName(name string) bool {
	return len(name) > 4 && name[:4] == "AWS_" || len(name) > 8 && name[:8] == "SSMDECK_"
}

// command runs one ssmdeck command line in this environment. An error has been
// reported when it returns; what comes back is an exit status, if not 0.
func command(ctx context.Context, env *cli.Env, words []string) error {
	if code := Run(ctx, env.Anew(words)); code != 0 {
		return &fault.Exit{Code: code}
	}
	return nil
}

// typedSettings are the flags of the demo that hold inside it, as variables: how it
// looks, and that nothing may be changed.
func typedSettings(env *cli.Env) map[string]string {
	s, err := env.Settings()
	if err != nil {
		return nil // the demo needs no settings
	}
	own := map[string]string{}
	for _, t := range []struct {
		key         config.Key
		name, value string
	}{
		{config.Theme, "SSMDECK_THEME", s.Theme},
		{config.Color, "SSMDECK_COLOR", s.Color},
		{config.ASCII, "SSMDECK_ASCII", strconv.FormatBool(s.ASCII)},
		{config.ReadOnly, "SSMDECK_READ_ONLY", strconv.FormatBool(s.ReadOnly)},
	} {
		if s.Origin(t.key).Source == config.FromFlag {
			own[t.name] = t.value
		}
	}
	return own
}

// demo shows the tour and, on a terminal, opens the prompt.
func demo(ctx context.Context, env, inner *cli.Env, noTour bool) error {
	term := env.Terminal()
	if !noTour || term == nil {
		t := &tour{env: inner, styles: env.Styles(env.Out), out: env.Out}
		if err := t.run(ctx); err != nil {
			return err
		}
	}
	if term == nil {
		return nil
	}
	fmt.Fprintf(env.Out, "\nNow it is your turn: type ssmdeck commands, %s for the list, %s to leave.\n",
		env.Styles(env.Out).Accent.Render("help"), env.Styles(env.Out).Accent.Render("exit"))
	return prompt(ctx, inner, term)
}
