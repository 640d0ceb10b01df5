package session

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/commands/connect"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/preferences"
	"github.com/ssmdeck/ssmdeck/internal/render"
)

func newPrefsCmd(env *cli.Env) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "prefs <command>",
		Aliases: []string{"preferences"},
		Short:   "Session Manager's settings: logs, encryption, time limits, users",
		Long: `Show and change Session Manager's settings of the account and Region: where
session logs go, encryption, time limits, the user shells run as. They are kept
in the document ` + preferences.Account + `; --document names another Session
document with settings of its own.

The settings:

` + settingsHelp(),
		Example: `  $ ssmdeck session prefs get
  $ ssmdeck session prefs set idle-timeout=30m s3-bucket=audit-logs s3-prefix=sessions`,
		Args: cobra.ArbitraryArgs,
		RunE: cli.RunGroup,
	}
	env.Subcommands(cmd, newPrefsGetCmd, newPrefsSetCmd, newPrefsDiffCmd, newRunAsDocumentCmd)
	return cmd
}

// settingsHelp lists the settings and what values they take.
func settingsHelp() string {
	var b strings.Builder
	for _, s := range preferences.Settings() {
		fmt.Fprintf(&b, "  %-22s %s\n", s.Name, s.Form)
	}
	return strings.TrimRight(b.String(), "\n")
}

// prefsOptions say which document is meant.
type prefsOptions struct{ document string }

func (o *prefsOptions) bind(env *cli.Env, cmd *cobra.Command) {
	cmd.Flags().StringVar(&o.document, "document", preferences.Account, "Session `document` with the settings")
	_ = cmd.RegisterFlagCompletionFunc("document", connect.CompleteSessionDocument(env))
}

// get reads the present settings.
func (o *prefsOptions) get(ctx context.Context, env *cli.Env) (*preferences.Service, preferences.Preferences, error) {
	svc, err := env.Preferences(ctx)
	if err != nil {
		return nil, preferences.Preferences{}, err
	}
	p, err := svc.Get(ctx, o.document)
	return svc, p, err
}

func newPrefsGetCmd(env *cli.Env) *cobra.Command {
	var o prefsOptions
	cmd := &cobra.Command{
		Use:     "get",
		Aliases: []string{"show"},
		Short:   "Show the settings in effect",
		Example: `  $ ssmdeck session prefs get
  $ ssmdeck session prefs get -o yaml > prefs.yaml
  $ ssmdeck session prefs get --query inputs.s3BucketName -o text`,
		Args: cli.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ro, err := env.RenderOptions()
			if err != nil {
				return err
			}
			_, p, err := o.get(cmd.Context(), env)
			if err != nil {
				return err
			}
			if !p.Exists {
				env.Note("document %s does not exist: these are the service's defaults", p.Document)
			}
			return render.Object(env.Out, ro, p, func(d *render.Detail) { prefsDetails(d, ro, p) })
		},
	}
	o.bind(env, cmd)
	return cmd
}

func prefsDetails(d *render.Detail, o render.Options, p preferences.Preferences) {
	d.ID(p.Document)
	for _, s := range preferences.Settings() {
		value := p.Value(s)
		human := render.Visible(value)
		if p.IsDefault(s) {
			human = o.Styles.Dim.Render(human)
		}
		d.Human(s.Name, value, human)
	}
}

// prefsChange is what set and diff share: settings from a file and as typed.
type prefsChange struct {
	prefsOptions
	file  string
	data  []byte   // of the file
	pairs []string // NAME=VALUE, profiles loaded
}

// load reads the files and checks what was typed, before any call.
func (o *prefsChange) load(env *cli.Env, pairs []string) (err error) {
	if o.file != "" {
		if o.data, err = env.ReadFile(o.file); err != nil {
			return err
		}
	}
	for _, pair := range pairs {
		name, value, _ := strings.Cut(pair, "=")
		if path, isFile := strings.CutPrefix(value, "@"); isFile && strings.HasPrefix(name, "shell-profile") {
			data, err := env.ReadFile(path)
			if err != nil {
				return err
			}
			pair = name + "=" + strings.TrimRight(string(data), "\r\n")
		}
		o.pairs = append(o.pairs, pair)
	}
	_, err = preferences.Preferences{}.With(o.pairs)
	return err
}

// apply returns p as it is wanted.
func (o *prefsChange) apply(p preferences.Preferences) (_ preferences.Preferences, err error) {
	if o.file != "" {
		if p, err = p.WithFile(o.data); err != nil {
			return p, err
		}
	}
	return p.With(o.pairs)
}

func newPrefsSetCmd(env *cli.Env) *cobra.Command {
	var (
		o      prefsChange
		dryRun bool
	)
	cmd := &cobra.Command{
		Use:   "set [NAME=VALUE]...",
		Short: "Change settings, for everybody in the account and Region",
		Long: `Change settings. What is not named stays, also inputs of the document that
ssmdeck does not know. The difference is shown and asked about, for the change
is for everybody in the account and Region; --yes answers beforehand, --dry-run
ends after the difference.

A new version of the document is written and made the default one. When somebody
else has written one meanwhile, nothing is changed.

The settings:

` + settingsHelp() + `

"default" is the value that applies without the document. A file for -f holds
settings by these names, or is what ` + "`get -o yaml`" + ` printed.`,
		Example: `  $ ssmdeck session prefs set idle-timeout=30m max-duration=8h
  $ ssmdeck session prefs set log-group=/ssm/sessions log-encryption=off streaming=on
  $ ssmdeck session prefs set shell-profile-linux=@profile.sh run-as=deploy
  $ ssmdeck session prefs set -f prefs.yaml --dry-run`,
		ValidArgsFunction: completeSettings,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 && o.file == "" {
				return fault.Usagef("%s: missing the setting", cmd.CommandPath()).WithHint("usage: %s", cli.UsageLine(cmd))
			}
			return prefsSet(cmd.Context(), env, o, args, dryRun)
		},
	}
	o.bind(env, cmd)
	cmd.Flags().StringVarP(&o.file, "file", "f", "", "take settings from `file`; - is standard input")
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "show the difference and change nothing")
	return cmd
}

func prefsSet(ctx context.Context, env *cli.Env, o prefsChange, pairs []string, dryRun bool) error {
	ro, err := env.RenderOptions()
	if err != nil {
		return err
	}
	if err := o.load(env, pairs); err != nil {
		return err
	}
	svc, before, err := o.get(ctx, env)
	if err != nil {
		return err
	}
	after, err := o.apply(before)
	if err != nil {
		return err
	}
	changes := preferences.Diff(before, after)
	if dryRun {
		return cli.WriteList(env, changesTable, ro, changes)
	}
	if len(changes) == 0 && before.Exists {
		env.Note("no change: the settings are so already")
		return nil
	}
	for _, c := range changes {
		env.Note("  %s: %s -> %s", c.Setting, render.Visible(c.From), render.Visible(c.To))
	}
	for _, w := range after.Warnings() {
		env.Note("ssmdeck: warning: %s", w)
	}
	scope, err := env.Scope(ctx)
	if err != nil {
		return err
	}
	what := fmt.Sprintf("change %s of %s for everybody in %s", cli.Plural(len(changes), "setting"), o.document, scope.Region())
	if err := env.Confirm(ctx, what); err != nil {
		return err
	}
	r, err := svc.Apply(ctx, after)
	if err != nil {
		return err
	}
	switch {
	case r.Same:
		env.Note("no change: the settings are so already")
	case r.Created:
		env.Note("made document %s", o.document)
	default:
		env.Note("%s is now at version %s", o.document, r.Version)
	}
	return nil
}

func changesTable(render.Options) render.Table[preferences.Change] {
	return render.Table[preferences.Change]{
		ID:    func(c preferences.Change) string { return c.Setting },
		Empty: "no difference",
		Columns: []render.Column[preferences.Change]{
			{Name: "SETTING", Text: func(c preferences.Change) string { return c.Setting }},
			{Name: "FROM", Text: func(c preferences.Change) string { return c.From }},
			{Name: "TO", Text: func(c preferences.Change) string { return c.To }},
			{Name: "INPUT", Wide: true, Text: func(c preferences.Change) string { return c.Input }},
		},
	}
}

func newPrefsDiffCmd(env *cli.Env) *cobra.Command {
	var o prefsChange
	cmd := &cobra.Command{
		Use:   "diff <file>",
		Short: "Compare the settings with a file",
		Long: `Compare the settings in effect with a file in YAML or JSON: settings by their
names (idle-timeout: 30m), or what ` + "`session prefs get -o yaml`" + ` printed. What
the file does not name is not compared. The status is 6 when something differs.`,
		Example: `  $ ssmdeck session prefs diff prefs.yaml
  $ ssmdeck session prefs diff prefs.yaml || ssmdeck session prefs set -f prefs.yaml`,
		Args: cli.ExactArgs("the file"),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.file = args[0]
			return prefsDiff(cmd.Context(), env, o)
		},
	}
	o.bind(env, cmd)
	return cmd
}

func prefsDiff(ctx context.Context, env *cli.Env, o prefsChange) error {
	ro, err := env.RenderOptions()
	if err != nil {
		return err
	}
	if err := o.load(env, nil); err != nil {
		return err
	}
	_, now, err := o.get(ctx, env)
	if err != nil {
		return err
	}
	file, err := o.apply(now)
	if err != nil {
		return err
	}
	changes := preferences.Diff(now, file)
	if err := cli.WriteList(env, changesTable, ro, changes); err != nil {
		return err
	}
	if len(changes) > 0 {
		return &fault.Exit{Code: fault.RemoteFailed.ExitCode()}
	}
	return nil
}

// completeSettings completes NAME=VALUE.
func completeSettings(_ *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
	var words []string
	name, _, hasValue := strings.Cut(typed, "=")
	for _, s := range preferences.Settings() {
		switch {
		case !hasValue:
			words = append(words, s.Name+"=\t"+s.Form)
		case s.Name == name && strings.HasPrefix(s.Form, "on or off"):
			words = append(words, name+"=on", name+"=off")
		}
	}
	return words, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
}
