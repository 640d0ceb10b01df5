package commands

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/rawapi"
	"github.com/ssmdeck/ssmdeck/internal/render"
)

// serviceSetting is one of the settings of Systems Manager for an account and
// Region: the API page of UpdateServiceSetting lists them.
type serviceSetting struct {
	id     string
	values []string // none: any text
	does   string
	costs  string // which values cost money, "" for none
}

var serviceSettings = []serviceSetting{
	{id: "/ssm/appmanager/appmanager-enabled", values: []string{"True", "False"}, does: "Application Manager"},
	{id: "/ssm/automation/customer-script-log-destination", values: []string{"CloudWatch"}, does: "where the output of aws:executeScript goes", costs: "CloudWatch Logs charges for what is written and kept"},
	{id: "/ssm/automation/customer-script-log-group-name", does: "the log group for that output", costs: "CloudWatch Logs charges for what is written and kept"},
	{id: "/ssm/automation/enable-adaptive-concurrency", values: []string{"True", "False"}, does: "more automations at once when there is room"},
	{id: "/ssm/documents/console/public-sharing-permission", values: []string{"Enable", "Disable"}, does: "documents may be shared with everybody"},
	{id: "/ssm/managed-instance/activation-tier", values: []string{"standard", "advanced"}, does: "tier of hybrid nodes", costs: "advanced charges for every hybrid node and hour"},
	{id: "/ssm/managed-instance/default-ec2-instance-management-role", does: "role for EC2 instances without an instance profile"},
	{id: "/ssm/opsinsights/opscenter", values: []string{"Enabled", "Disabled"}, does: "insights in OpsCenter", costs: "Enabled charges for the OpsItems that are made"},
	{id: "/ssm/parameter-store/default-parameter-tier", values: []string{"Standard", "Advanced", "Intelligent-Tiering"}, does: "tier of new parameters", costs: "Advanced, and Intelligent-Tiering where it chooses that, charge for every parameter and month"},
	{id: "/ssm/parameter-store/high-throughput-enabled", values: []string{"true", "false"}, does: "more calls of Parameter Store a second", costs: "true charges for every call of Parameter Store"},
}

func newSettingCmd(env *Env) *cobra.Command {
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
		RunE: runGroup,
	}
	env.subcommands(cmd, newSettingListCmd, settingGet.command, settingSet.command, settingReset.command)
	return cmd
}

func serviceSettingsHelp() string {
	var b strings.Builder
	for _, s := range serviceSettings {
		b.WriteString("  " + s.id + "\n      " + s.does)
		if len(s.values) > 0 {
			b.WriteString(": " + strings.Join(s.values, ", "))
		}
		if s.costs != "" {
			b.WriteString(" (" + s.costs + ")")
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

var settingArg = declaredInput{name: "setting", field: "SettingId", value: settingID, words: settingWords}

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

// settingID returns the id that a word means: itself, or the one that ends so.
func settingID(word string) (any, error) {
	if strings.HasPrefix(word, "/ssm/") || strings.HasPrefix(word, "arn:") {
		return word, nil
	}
	var names []string
	for _, s := range serviceSettings {
		if strings.HasSuffix(s.id, "/"+word) {
			return s.id, nil
		}
		names = append(names, s.id[strings.LastIndexByte(s.id, '/')+1:])
	}
	err := fault.New(fault.NotFound, "", "no setting %q", word)
	if near := fault.Nearest(word, names); near != "" {
		return nil, err.WithHint("did you mean %s?", near)
	}
	return nil, err.WithHint("`ssmdeck setting list` shows them all")
}

func settingWords() []string {
	words := make([]string, len(serviceSettings))
	for i, s := range serviceSettings {
		words[i] = s.id[strings.LastIndexByte(s.id, '/')+1:] + "\t" + s.does
	}
	return words
}

// settingChange checks a value, shows what changes, and says what costs money.
func settingChange(ctx context.Context, env *Env, svc *rawapi.Service, _ *rawapi.Request, args []string) (ask string, err error) {
	id, err := settingID(args[0])
	if err != nil {
		return "", err
	}
	i := slices.IndexFunc(serviceSettings, func(s serviceSetting) bool { return s.id == id })
	if i < 0 {
		return "", nil
	}
	s := serviceSettings[i]
	if len(s.values) > 0 && !slices.Contains(s.values, args[1]) {
		err := fault.Usagef("%s is %s, and not %q", s.id, strings.Join(s.values, " or "), args[1])
		if near := fault.Nearest(args[1], s.values); near != "" {
			return "", err.WithHint("did you mean %s?", near)
		}
		return "", err
	}
	switch now, err := getSetting(ctx, svc, s.id); {
	case fault.KindOf(err) == fault.Auth: // who may change may not always read
		env.note("  %s: (could not be read) -> %s", s.id, render.Visible(args[1]))
	case err != nil:
		return "", err
	case now.text("SettingValue") == args[1]:
		env.note("no change: %s is %s already", s.id, args[1])
		return "", errNoChange
	default:
		env.note("  %s: %s -> %s", s.id, render.Visible(now.text("SettingValue")), render.Visible(args[1]))
	}
	if s.costs != "" {
		env.note("ssmdeck: warning: %s", s.costs)
	}
	return "", nil
}

func getSetting(ctx context.Context, svc *rawapi.Service, id string) (record, error) {
	answer, err := svc.Do(ctx, "GetServiceSetting", map[string]any{"SettingId": id})
	if err != nil {
		return record{}, about("get setting "+id, err)
	}
	var fields struct{ ServiceSetting json.RawMessage }
	if err := json.Unmarshal(answer, &fields); err != nil {
		return record{}, fault.New(fault.Failed, "get setting "+id, "%w", err)
	}
	return newRecord(settingColumns, fields.ServiceSetting)
}

// about says what an error of a call is about, in the command's words.
func about(what string, err error) error {
	var e *fault.Error
	if !errors.As(err, &e) {
		return err
	}
	c := *e
	c.Op = what
	return &c
}

func newSettingListCmd(env *Env) *cobra.Command {
	table := declared{columns: settingColumns, id: "SettingId"}
	return &cobra.Command{
		Use: "list", Aliases: []string{"ls"},
		Short:   "List the settings with their values",
		Example: "  $ ssmdeck setting list\n  $ ssmdeck setting list -o json --query \"[?status!='Default']\"",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ro, err := env.renderOptions()
			if err != nil {
				return err
			}
			svc, err := env.API(cmd.Context())
			if err != nil {
				return err
			}
			return writeSeq(env, table.table, ro, func(yield func(record, error) bool) {
				for _, s := range serviceSettings {
					row, err := getSetting(cmd.Context(), svc, s.id)
					if !yield(row, err) || fault.KindOf(err) == fault.Auth || cmd.Context().Err() != nil {
						return // the next one would say the same
					}
				}
			})
		},
	}
}
