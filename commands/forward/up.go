package forward

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/commands/savedforwards"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/fleet"
	"github.com/ssmdeck/ssmdeck/internal/forwards"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/theme"
	"github.com/ssmdeck/ssmdeck/portforward"
)

type upOptions struct {
	file       string
	background bool
	detached   bool // we are the background process
}

func newUpCmd(env *cli.Env) *cobra.Command {
	var o upOptions
	cmd := &cobra.Command{
		Use:   "up [<name or group>...]",
		Short: "Start saved forwards, all or by name",
		Long: `Start the forwards saved in forwards.yaml, beside the configuration file, and in
.ssmdeck.yaml of the project (found upwards to the root of the repository). Their
ports listen at once, all of them or none. A session is opened when somebody
connects and closed after ten minutes without a connection.

  forwards:
    orders-db:
      node: tag:role=bastion        # as for every command; looked up when needed
      spec: 15432:orders.cluster-xyz.eu-west-1.rds.amazonaws.com:5432
      profile: prod                 # optional, like all below
      region: eu-west-1
      description: orders, read only
      groups: [db]
      lanes: 4                      # sessions at once
      idle: 10m                     # close a session that is not used
      bind: 127.0.0.1
      reason: daily work
    web:
      node: web-1
      spec: [8080:80, 8443:443]

On a terminal a view shows state, connections and rates; 1 to 9 choose a line, R
restarts it, X stops it or starts it again, q quits. Elsewhere, and with --progress plain, every change is a
line on standard error, and with -o jsonl an object on standard output.

With --background the forwards run on behind the shell; ` + "`ssmdeck forward list`" + `
shows them, ` + "`ssmdeck forward stop`" + ` ends them. They wait for a new login when
credentials expire.`,
		Example: `  # Everything that is saved, with a view of it
  $ ssmdeck forward up

  # Some, behind the shell
  $ ssmdeck forward up orders-db web --background
  $ ssmdeck forward list
  $ ssmdeck forward stop web`,
		Args:              cobra.ArbitraryArgs,
		ValidArgsFunction: completeForwards(env, &o.file, false),
		RunE: func(cmd *cobra.Command, args []string) error {
			err := o.run(cmd.Context(), env, args)
			if o.detached {
				return tellParent(env, err)
			}
			return err
		},
	}
	cmd.Flags().StringVar(&o.file, "file", "", "`file` of forwards, read alone (default forwards.yaml beside the configuration, and .ssmdeck.yaml of the project)")
	cmd.Flags().BoolVarP(&o.background, "background", "b", false, "run on behind the shell")
	cmd.Flags().BoolVar(&o.detached, "detached", false, "")
	_ = cmd.Flags().MarkHidden("detached")
	return cmd
}

func (o *upOptions) run(ctx context.Context, env *cli.Env, words []string) error {
	ro, err := env.RenderOptions()
	if err != nil {
		return err
	}
	progress, err := render.ParseProgressMode(env.Flags.Progress)
	if err != nil {
		return err
	}
	chosen, err := o.choose(env, words)
	if err != nil {
		return err
	}
	reg, err := savedforwards.Registry(env)
	if err != nil {
		return err
	}
	var mine atomic.Pointer[forwards.Mine]
	acc := newAccounts(ctx, env, mine.Load)
	chosen, err = o.leaveRunning(ctx, env, acc, reg, chosen)
	if err != nil || len(chosen) == 0 {
		return err
	}
	if o.background && !o.detached {
		return startBackground(ctx, env, ro)
	}
	sup, err := forwards.Bind(chosen, acc.opener)
	if err != nil {
		return err
	}
	defer sup.Close()
	base := "" // what outlives a login must not have its socket where logging out removes it
	if !o.detached {
		base, _ = env.Lookup("XDG_RUNTIME_DIR")
	}
	server, err := forwards.Listen(base)
	if err != nil {
		return err
	}
	defer server.Close()
	m, err := reg.Register(forwards.Record{
		PID: os.Getpid(), Started: time.Now(), Background: o.detached, Socket: server.Path(), Forwards: entryNames(chosen), Sessions: []forwards.OpenSession{},
	})
	if err != nil {
		return err
	}
	defer m.Leave()
	mine.Store(m)

	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	view, wait := o.view(ctx, env, ro, progress, sup, cancel)
	sup.Emit = view.event
	_, acc.mute = view.(*boardView)
	server.Serve(ctx, sup)
	go func() {
		select {
		case <-sup.Ended():
			cancel()
		case <-ctx.Done():
		}
	}()
	if o.detached {
		reportReady(env, sup)
	}
	sup.Run(ctx)
	cancel()
	return wait()
}

func entryNames(entries []forwards.Entry) []string {
	names := make([]string, len(entries))
	for i := range entries {
		names[i] = entries[i].Name
	}
	return names
}

// choose reads the files and checks what of them is wanted.
func (o *upOptions) choose(env *cli.Env, words []string) ([]forwards.Entry, error) {
	saved, err := savedforwards.Load(env, o.file)
	if err != nil {
		return nil, err
	}
	if len(saved.Entries) == 0 {
		return nil, fault.New(fault.NotFound, "", "%w", errNoForwards).
			WithHint("write them into %s; `ssmdeck forward up --help` shows how", saved.Path)
	}
	chosen, err := forwards.Choose(saved.Entries, words)
	if err != nil {
		return nil, err
	}
	if err := forwards.Clashes(chosen); err != nil {
		return nil, err
	}
	if !o.detached {
		tellProject(env, saved, chosen)
	}
	return chosen, nil
}

// leaveRunning ends what killed processes have left, and leaves out what runs
// already in another process.
func (o *upOptions) leaveRunning(ctx context.Context, env *cli.Env, acc *accounts, reg forwards.Registry, chosen []forwards.Entry) ([]forwards.Entry, error) {
	alive, dead, err := reg.Look(ctx)
	if err != nil {
		return nil, err
	}
	acc.bury(ctx, reg, dead)
	running := map[string]int{}
	for _, p := range alive {
		for _, r := range p.Rows {
			if r.State != forwards.Closed {
				running[r.Name] = p.PID
			}
		}
	}
	var left []string
	chosen = slices.DeleteFunc(slices.Clone(chosen), func(e forwards.Entry) bool {
		pid, is := running[e.Name]
		if is {
			left = append(left, fmt.Sprintf("%s runs already (process %d)", e.Name, pid))
		}
		return is
	})
	switch {
	case len(left) == 0:
	case len(chosen) > 0 || o.background:
		for _, l := range left {
			env.Note("ssmdeck: %s", l)
		}
	default:
		return nil, fault.New(fault.Failed, "", "%s", strings.Join(left, "; ")).
			WithHint("`ssmdeck forward list` shows it, `ssmdeck forward stop %s` ends it", firstWord(left[0]))
	}
	return chosen, nil
}

func firstWord(s string) string {
	w, _, _ := strings.Cut(s, " ")
	return w
}

// upView shows what many forwards do.
type upView interface{ event(e forwards.Event) }

// view chooses how to show it. wait ends the view when the forwards have ended,
// and returns what went wrong with it.
func (o *upOptions) view(ctx context.Context, env *cli.Env, ro render.Options, progress render.ProgressMode, sup *forwards.Supervisor, quit func()) (view upView, wait func() error) {
	if o.detached { // standard output was for the process that started us
		return &lineView{env: env, stamped: true}, func() error { return nil }
	}
	switch ro.Format {
	case render.FormatJSON, render.FormatJSONL:
		v := &jsonView{enc: json.NewEncoder(env.Out)}
		return v, func() error { return v.err }
	}
	fancy := progress == render.ProgressAuto || progress == render.ProgressBar
	if fancy && !env.Flags.Quiet && cli.IsTerminal(env.In) && cli.IsTerminal(env.Err) && !theme.Dumb(env.Lookup) {
		if v := newBoardView(env, sup, quit); v != nil {
			return v, v.start(ctx)
		}
	}
	return &lineView{env: env}, func() error { return nil }
}

type jsonView struct {
	enc *json.Encoder
	err error
}

func (v *jsonView) event(e forwards.Event) {
	if err := v.enc.Encode(e); err != nil && v.err == nil {
		v.err = err
	}
}

// sayAgain is how long a line is not repeated that says the same as the last of
// its kind, as the attempts of an evening without network do.
const sayAgain = 5 * time.Minute

// lineView writes a line for each change.
type lineView struct {
	env     *cli.Env
	stamped bool // with the time, for a log
	by      map[string]*forwardView
	said    map[string]time.Time
}

// news reports whether something is to be said: not what was said of a forward
// lately, unless things went well since.
func (v *lineView) news(e forwards.Event) bool {
	switch e.Type {
	case portforward.Ready, portforward.Reopened, forwards.Stopped:
		for what := range v.said {
			if strings.HasPrefix(what, e.Forward+" ") && (e.Type == forwards.Stopped || !strings.HasPrefix(what, e.Forward+" "+string(portforward.Listening))) {
				delete(v.said, what)
			}
		}
		return true
	case portforward.Failed, portforward.Listening, forwards.OpeningSession:
	default:
		return true
	}
	what := fmt.Sprint(e.Forward, " ", e.Type, " ", e.Local, " ", e.Remote, " ")
	if e.Err != nil {
		what += e.Err.Error()
	}
	if last, said := v.said[what]; said && (e.Type == portforward.Listening || e.Time.Sub(last) < sayAgain) {
		return false
	}
	v.said[what] = e.Time
	return true
}

func (v *lineView) event(e forwards.Event) {
	if v.by == nil {
		v.by, v.said = map[string]*forwardView{}, map[string]time.Time{}
	}
	f := v.by[e.Forward]
	if f == nil {
		f = &forwardView{env: v.env, node: fleet.Node{ID: e.Node}, glyphs: v.env.ErrStyles().Glyphs.Arrow, lazy: true, exposed: map[string]bool{}}
		v.by[e.Forward] = f
	}
	if e.Type == portforward.Listening {
		f.node.ID = e.Node
		f.exposed[e.Local] = e.Exposed
	}
	if !v.news(e) {
		return
	}
	text := upText(f, e)
	if text == "" || v.env.Flags.Quiet && !v.stamped && e.Type != portforward.Listening {
		return
	}
	for line := range strings.Lines(text) {
		line = strings.TrimPrefix(strings.TrimSpace(line), "ssmdeck: ")
		if v.stamped {
			fmt.Fprintf(v.env.Err, "%s %s %s\n", e.Time.UTC().Format(time.RFC3339), e.Forward, line)
		} else {
			fmt.Fprintf(v.env.Err, "ssmdeck: %s: %s\n", e.Forward, line)
		}
	}
}

// upText is what a person is told of an event of a saved forward.
func upText(f *forwardView, e forwards.Event) string {
	switch e.Type {
	case forwards.OpeningSession:
		return "opening a session for " + render.Visible(e.Remote)
	case forwards.Stopped:
		if e.Err != nil {
			return "cannot listen: " + cli.FirstLine(e.Err)
		}
		return "stopped"
	case portforward.Ready, portforward.Reopened:
		return strings.TrimSpace("the session is open" + "\n" + f.text(e.Event))
	case portforward.Ended:
		if text := f.text(e.Event); text != "" {
			return text
		}
		return "the session is closed"
	case portforward.Failed:
		if e.Connection > 0 && e.Wait == 0 && e.Err == nil {
			return ""
		}
		text := "failed: " + cli.FirstLine(e.Err)
		if hint := fault.HintOf(e.Err); hint != "" {
			text += " (" + render.Visible(hint) + ")"
		}
		if e.Wait > 0 {
			text += "; a connection may try again in " + render.Duration(e.Wait)
		}
		return text
	default:
		return f.text(e.Event)
	}
}
