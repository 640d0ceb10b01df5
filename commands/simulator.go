package commands

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/simulator"
	"github.com/ssmdeck/ssmdeck/internal/simulator/control"
	"github.com/ssmdeck/ssmdeck/internal/simulator/world"
)

// simulatorOptions are what `simulator` and `demo` have in common.
type simulatorOptions struct {
	scenario  string
	shell     string
	allowRoot bool
	faults    []string
}

func (o *simulatorOptions) bind(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&o.scenario, "scenario", "", "YAML `file` that describes the account; the demo fleet without it")
	f.StringVar(&o.shell, "shell", "virtual", "`kind` of shells that nodes run: virtual (in memory) or host (real shells of this machine)")
	f.BoolVar(&o.allowRoot, "allow-root", false, "let host shells run although this is root")
	f.StringArrayVar(&o.faults, "fault", nil, "trouble on data channels, as `KEY=VALUE`: latency=50ms, loss=0.05, cut_every=5s, pace=true, …")
	cli.CompleteFlag(cmd, "shell", func() []string { return []string{"virtual", "host"} })
}

// options reads the scenario and lays the faults over it.
func (o *simulatorOptions) options() (simulator.Options, error) {
	so := simulator.Options{Shell: o.shell, AllowRoot: o.allowRoot, Scenario: world.Demo()}
	if o.scenario != "" {
		f, err := os.Open(o.scenario)
		if err != nil {
			return so, fault.New(fault.Usage, "read the scenario", "%w", err)
		}
		defer f.Close()
		if so.Scenario, err = world.ReadScenario(o.scenario, f); err != nil {
			return so, err
		}
	}
	return so, o.layFaults(so.Scenario)
}

// enliven makes the account live: the larger demo fleet, or what the scenario has.
func (o *simulatorOptions) enliven(so *simulator.Options) {
	switch {
	case o.scenario == "":
		living := world.LivingDemo()
		living.Faults = so.Scenario.Faults
		so.Scenario = living
	case so.Scenario.Alive == nil:
		so.Scenario.Alive = &world.AliveSpec{}
	}
}

// layFaults reads --fault with the scenario's own parser, so that keys, values
// and complaints are the same in both places.
func (o *simulatorOptions) layFaults(s *world.Scenario) error {
	if len(o.faults) == 0 {
		return nil
	}
	var y bytes.Buffer
	y.WriteString("faults:\n")
	for _, f := range o.faults {
		key, value, ok := strings.Cut(f, "=")
		if !ok || strings.ContainsAny(f, "\n#") {
			return fault.Usagef("--fault %q is not of the form KEY=VALUE", f).WithHint("for instance --fault cut_every=5s")
		}
		fmt.Fprintf(&y, "  %s: %s\n", key, value)
	}
	over, err := world.ParseScenario("--fault", y.Bytes())
	if err != nil {
		return err
	}
	s.Faults = over.Faults
	return nil
}

func newSimulatorCmd(env *cli.Env) *cobra.Command {
	var (
		o      simulatorOptions
		listen string
		tls    bool
		sign   string
		agent  string
		alive  bool
	)
	cmd := &cobra.Command{
		Use:   "simulator",
		Short: "Serve a simulated Systems Manager on this machine",
		Long: `Serve a simulated Systems Manager on a loopback address and print the environment
that makes AWS clients use it: ssmdeck, the AWS CLI, the official session plugin,
any SDK. Keys are made anew for each start; requests must be signed with them.

It runs until Ctrl-C. What nodes are told to run is interpreted in memory, unless
--shell host asks for real shells of this machine. GET /simulator/stats counts
the calls and the open sessions; POST /simulator/clock puts the clock of the
account forward, and maintenance windows run on the way.`,
		Example: `  # In one terminal
  $ ssmdeck simulator --listen 127.0.0.1:4599 > sim.env

  # In another
  $ . ./sim.env
  $ ssmdeck ls
  $ aws ssm start-session --target i-0123456789abcdef0

  # For a real agent on this machine
  $ ssmdeck simulator --tls --listen 127.0.0.1:4599 --agent-config amazon-ssm-agent.json > sim.env

  # A fleet on which something goes on all the time
  $ ssmdeck simulator --alive --listen 127.0.0.1:4599 > sim.env

  # What next week's maintenance windows do, now
  $ curl -H 'Content-Type: application/json' -d '{"advance": "168h"}' "$AWS_ENDPOINT_URL/simulator/clock"

  # A bad network, and agents as slow as real ones
  $ ssmdeck simulator --fault latency=40ms --fault loss=0.02 --fault pace=true`,
		Args: cli.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			so, err := o.options()
			if err != nil {
				return err
			}
			so.Listen, so.TLS = listen, tls
			if alive {
				o.enliven(&so)
			}
			if agent != "" && !tls {
				return fault.Usagef("--agent-config needs --tls").WithHint("agents talk to nobody without it")
			}
			if so.Sign, err = control.ParseMode(sign); err != nil {
				return err
			}
			return serveSimulator(cmd.Context(), env, so, agent)
		},
	}
	o.bind(cmd)
	cmd.Flags().StringVar(&listen, "listen", "127.0.0.1:0", "loopback `address` to serve on; port 0 is a free one")
	cmd.Flags().BoolVar(&tls, "tls", false, "serve https and wss, with a certificate made for this start")
	cmd.Flags().BoolVar(&alive, "alive", false, "let the account live by itself: agents come and go, colleagues work, windows open")
	cmd.Flags().StringVar(&agent, "agent-config", "", "write the amazon-ssm-agent.json that leads a real agent here to `file`")
	cmd.Flags().StringVar(&sign, "sign", "require", "`how` strictly signatures are verified: require, accept, ignore")
	return cmd
}

func serveSimulator(ctx context.Context, env *cli.Env, so simulator.Options, agentConfig string) (err error) {
	ro, err := env.RenderOptions()
	if err != nil {
		return err
	}
	if so.Logger, err = env.Log(); err != nil {
		return err
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
	if agentConfig != "" {
		if err := os.WriteFile(agentConfig, srv.AgentConfig(), 0o644); err != nil { //nolint:gosec // the agent of another user reads it, and it holds no secret
			return fault.New(fault.Usage, "write "+agentConfig, "%w", cli.PlainPathError(err))
		}
	}
	if err := printEnv(env.Out, ro, srv.Env()); err != nil {
		return err
	}
	env.Note("ssmdeck: the simulator serves %s until Ctrl-C", srv.URL())
	<-ctx.Done()
	return nil
}

// printEnv prints variables as a POSIX shell takes them, or as an object.
func printEnv(w io.Writer, o render.Options, vars []string) error {
	object := map[string]string{}
	var lines strings.Builder
	for _, kv := range vars {
		k, v, _ := strings.Cut(kv, "=")
		object[k] = v
		fmt.Fprintf(&lines, "export %s='%s'\n", k, v)
	}
	switch o.Format {
	case render.FormatAuto, render.FormatTable, render.FormatText:
		_, err := io.WriteString(w, lines.String())
		return err
	default:
		return render.Object(w, o, object, func(d *render.Detail) {
			for _, kv := range vars {
				k, v, _ := strings.Cut(kv, "=")
				d.Field(k, v)
			}
		})
	}
}
