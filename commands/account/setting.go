package account

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/commands/accountdata"
	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/rawapi"
	"github.com/ssmdeck/ssmdeck/internal/render"
)

// NewSettingCmd is `ssmdeck setting`.
func NewSettingCmd(env *cli.Env) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "setting <command>",
		Aliases: []string{"settings"},
		Short:   "Settings of Systems Manager for the account and Region",
		Long: `Show and change the settings of Systems Manager, which are for everybody in the
account and Region. A setting may be named by the end of its id:
high-throughput-enabled.

The settings:

` + serviceSettingsHelp(),
		Example: `  $ ssmdeck setting list
  $ ssmdeck setting set default-parameter-tier Intelligent-Tiering`,
		Args: cobra.ArbitraryArgs,
		RunE: cli.RunGroup,
	}
	env.Subcommands(cmd, newSettingListCmd, settingGet.command, settingSet.command, settingReset.command)
	return cmd
}

func serviceSettingsHelp() string {
	var b strings.Builder
	for _, s := range accountdata.Settings {
		b.WriteString("  " + s.ID + "\n      " + s.Does)
		if len(s.Values) > 0 {
			b.WriteString(": " + strings.Join(s.Values, ", "))
		}
		if s.Costs != "" {
			b.WriteString(" (" + s.Costs + ")")
		}
		b.WriteString("\n")
	}
	return strings.TrimRight(b.String(), "\n")
}

// settingColumns are those of get and of list.
var settingColumns = []declaredColumn{
	{name: "SETTING", path: "SettingId", id: true},
	{name: "VALUE", path: "SettingValue"},
	{name: "STATUS", path: "Status"},
	{name: "CHANGED", path: "LastModifiedDate", time: true},
	{name: "BY", path: "LastModifiedUser", wide: true, id: true},
	{name: "ARN", path: "ARN", wide: true, id: true},
}

var settingArg = declaredInput{name: "setting", field: "SettingId", value: accountdata.SettingID, words: settingWords}

var settingGet = declared{
	use: "get <setting>", aliases: []string{"show"}, short: "Show a setting",
	example:   "  $ ssmdeck setting get high-throughput-enabled\n  $ ssmdeck setting get default-parameter-tier --query value -o text",
	operation: "GetServiceSetting", args: []declaredInput{settingArg},
	columns: settingColumns, item: "ServiceSetting", id: "SettingId",
}

var settingSet = declared{
	use: "set <setting> <value>", short: "Change a setting, for everybody in the account and Region",
	long: `Change a setting, for everybody in the account and Region. What it was and what
it will be is shown and asked about; a value that costs money is said to do so.`,
	example:   "  $ ssmdeck setting set default-parameter-tier Intelligent-Tiering\n  $ ssmdeck setting set high-throughput-enabled true --dry-run",
	operation: "UpdateServiceSetting", args: []declaredInput{settingArg, {name: "value", field: "SettingValue"}},
	before: settingChange, confirm: "set %s to %s for everybody in the account and Region", done: "%s is now %s",
}

var settingReset = declared{
	use: "reset <setting>", short: "Set a setting back to the service's default",
	example:   "  $ ssmdeck setting reset high-throughput-enabled",
	operation: "ResetServiceSetting", args: []declaredInput{settingArg},
	confirm: "set %s back to its default for everybody in the account and Region", done: "%s has its default again",
}

func settingWords() []string {
	words := make([]string, len(accountdata.Settings))
	for i, s := range accountdata.Settings {
		words[i] = s.ID[strings.LastIndexByte(s.ID, '/')+1:] + "\t" + s.Does
	}
	return words
}

// settingChange checks a value, shows what changes, and says what costs money.
func settingChange(ctx context.Context, env *cli.Env, svc *rawapi.Service, _ *rawapi.Request, args []string) (ask string, err error) {
	id, err := accountdata.SettingID(args[0])
	if err != nil {
		return "", err
	}
	i := slices.IndexFunc(accountdata.Settings, func(s accountdata.Setting) bool { return s.ID == id })
	if i < 0 {
		return "", nil
	}
	s := accountdata.Settings[i]
	if len(s.Values) > 0 && !slices.Contains(s.Values, args[1]) {
		err := fault.Usagef("%s is %s, and not %q", s.ID, strings.Join(s.Values, " or "), args[1])
		if near := fault.Nearest(args[1], s.Values); near != "" {
			return "", err.WithHint("did you mean %s?", near)
		}
		return "", err
	}
	switch now, err := getSetting(ctx, svc, s.ID); {
	case fault.KindOf(err) == fault.Auth: // who may change may not always read
		env.Note("  %s: (could not be read) -> %s", s.ID, render.Visible(args[1]))
	case err != nil:
		return "", err
	case now.text("SettingValue") == args[1]:
		env.Note("no change: %s is %s already", s.ID, args[1])
		return "", errNoChange
	default:
		env.Note("  %s: %s -> %s", s.ID, render.Visible(now.text("SettingValue")), render.Visible(args[1]))
	}
	if s.Costs != "" {
		env.Note("ssmdeck: warning: %s", s.Costs)
	}
	return "", nil
}

func getSetting(ctx context.Context, svc *rawapi.Service, id string) (record, error) {
	answer, err := svc.Do(ctx, "GetServiceSetting", map[string]any{"SettingId": id})
	if err != nil {
		return record{}, accountdata.About("get setting "+id, err)
	}
	var fields struct{ ServiceSetting json.RawMessage }
	if err := json.Unmarshal(answer, &fields); err != nil {
		return record{}, fault.New(fault.Failed, "get setting "+id, "%w", err)
	}
	return newRecord(settingColumns, fields.ServiceSetting)
}

func newSettingListCmd(env *cli.Env) *cobra.Command {
	table := declared{columns: settingColumns, id: "SettingId"}
	return &cobra.Command{
		Use: "list", Aliases: []string{"ls"},
		Short:   "List the settings with their values",
		Example: "  $ ssmdeck setting list\n  $ ssmdeck setting list -o json --query \"[?status!='Default']\"",
		Args:    cli.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ro, err := env.RenderOptions()
			if err != nil {
				return err
			}
			svc, err := env.API(cmd.Context())
			if err != nil {
				return err
			}
			return cli.WriteSeq(env, table.table, ro, func(yield func(record, error) bool) {
				for _, s := range accountdata.Settings {
					row, err := getSetting(cmd.Context(), svc, s.ID)
					if !yield(row, err) || fault.KindOf(err) == fault.Auth || cmd.Context().Err() != nil {
						return // the next one would say the same
					}
				}
			})
		},
	}
}
