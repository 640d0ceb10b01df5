package account

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/network"
	"github.com/ssmdeck/ssmdeck/internal/rawapi"
	"github.com/ssmdeck/ssmdeck/internal/render"
)

// hostRole is the setting that holds the role of Default Host Management.
const hostRole = "/ssm/managed-instance/default-ec2-instance-management-role"

// NewDHMCCmd is `ssmdeck dhmc`.
func NewDHMCCmd(env *cli.Env) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "dhmc <command>",
		Aliases: []string{"default-host-management"},
		Short:   "Default Host Management: EC2 instances managed without an instance profile",
		Long: `With Default Host Management, EC2 instances that have no instance profile get a
role from Systems Manager, and so become managed nodes: with an agent of 3.2.582.0
or newer, and IMDSv2. It is switched on for the account and Region.`,
		Example: "  $ ssmdeck dhmc status\n  $ ssmdeck dhmc enable",
		Args:    cobra.ArbitraryArgs,
		RunE:    cli.RunGroup,
	}
	env.Subcommands(cmd, newDHMCStatusCmd, newDHMCEnableCmd, newDHMCDisableCmd)
	return cmd
}

// hostManagement is the answer of `dhmc status`.
type hostManagement struct {
	Enabled bool      `json:"enabled"`
	Role    string    `json:"role,omitempty"`
	Changed time.Time `json:"changed,omitzero"`
	By      string    `json:"by,omitempty"`
}

func newDHMCStatusCmd(env *cli.Env) *cobra.Command {
	return &cobra.Command{
		Use: "status", Aliases: []string{"get", "show"},
		Short:   "Whether it is on, and with which role",
		Example: "  $ ssmdeck dhmc status\n  $ ssmdeck dhmc status -o json --query enabled",
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
			s, err := readHostManagement(cmd.Context(), svc)
			if err != nil {
				return err
			}
			return render.Object(env.Out, ro, s, func(d *render.Detail) {
				word := "off"
				if s.Enabled {
					word = "on"
				}
				d.ID(s.Role)
				d.Field("default host management", word)
				d.Field("role", s.Role)
				d.Human("changed", render.Timestamp(s.Changed), render.Ago(ro.Now, s.Changed))
				d.Field("by", s.By)
			})
		},
	}
}

func readHostManagement(ctx context.Context, svc *rawapi.Service) (hostManagement, error) {
	row, err := getSetting(ctx, svc, hostRole)
	if err != nil {
		return hostManagement{}, err
	}
	s := hostManagement{Role: row.text("SettingValue"), Changed: row.time("LastModifiedDate"), By: row.text("LastModifiedUser")}
	if s.Role == "$None" || s.Role == "None" {
		s.Role = ""
	}
	s.Enabled = s.Role != ""
	return s, nil
}

func newDHMCEnableCmd(env *cli.Env) *cobra.Command {
	var role string
	var overwrite, dryRun bool
	cmd := &cobra.Command{
		Use: "enable", Short: "Switch it on, with a role of the service's or one of your own",
		Long: `Switch Default Host Management on for the account and Region. Without --role the
service makes and keeps a role (that takes iam:CreateRole and
iam:AttachRolePolicy); with --role it is one of yours, which must trust
ssm.amazonaws.com and have the policy AmazonSSMManagedEC2InstanceDefaultPolicy.`,
		Example: `  $ ssmdeck dhmc enable
  $ ssmdeck dhmc enable --role arn:aws:iam::123456789012:role/host-management --dry-run`,
		Args: cli.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return dhmcEnable(cmd.Context(), env, role, overwrite, dryRun)
		},
	}
	cmd.Flags().StringVar(&role, "role", "", "`ARN` of a role of your own")
	cmd.Flags().BoolVar(&overwrite, "overwrite", false, "replace the role that is registered now")
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "print what would be sent, and send nothing")
	return cmd
}

func dhmcEnable(ctx context.Context, env *cli.Env, role string, overwrite, dryRun bool) error {
	ro, err := env.RenderOptions()
	if err != nil {
		return err
	}
	op, err := rawapi.Find("RegisterDefaultHostManagementConfiguration")
	if err != nil {
		return err
	}
	r := op.NewRequest(nil)
	r.Set("PermissionModel", "SERVICE_MANAGED")
	if role != "" {
		if !strings.HasPrefix(role, "arn:") || !strings.Contains(role, ":role/") {
			return fault.Usagef("--role %q is not the ARN of a role", role).WithHint("write arn:aws:iam::123456789012:role/NAME")
		}
		r.Set("PermissionModel", "SELF_MANAGED")
		r.Set("RoleArn", role)
	}
	if overwrite {
		r.Set("Overwrite", true)
	}
	if err := r.Check(); err != nil {
		return err
	}
	if dryRun {
		return env.ShowRequest(ro, r)
	}
	if err := env.RefuseWrite(op, false); err != nil {
		return err
	}
	svc, err := env.API(ctx)
	if err != nil {
		return err
	}
	now, err := readHostManagement(ctx, svc)
	if err != nil && fault.KindOf(err) != fault.Auth {
		return err
	}
	if now.Enabled && !overwrite {
		return fault.New(fault.Failed, "enable default host management", "it is on already, with the role %s", now.Role).
			WithHint("--overwrite replaces the role")
	}
	question := ""
	switch {
	case err != nil && overwrite:
		question = "replace the role of default host management, if it has one (that could not be read)"
	case now.Enabled:
		question = fmt.Sprintf("replace the role %s of default host management", now.Role)
	}
	if question != "" {
		if err := env.Confirm(ctx, question); err != nil {
			return err
		}
	}
	answer, err := svc.Call(ctx, r)
	if err != nil {
		return err
	}
	var out struct{ RoleArn string }
	if err := json.Unmarshal(answer, &out); err != nil {
		return fault.New(fault.Failed, op.Kebab, "%w", err)
	}
	env.Note("default host management is on; instances without a profile get %s within half an hour", out.RoleArn)
	return nil
}

func newDHMCDisableCmd(env *cli.Env) *cobra.Command {
	dryRun := false
	cmd := &cobra.Command{
		Use: "disable", Short: "Switch it off: instances without an instance profile stop being managed",
		Long: `Switch Default Host Management off for the account and Region. EC2 instances
without an instance profile stop being managed nodes; which run now is shown and
asked about.`,
		Example: "  $ ssmdeck dhmc disable",
		Args:    cli.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return dhmcDisable(cmd.Context(), env, dryRun) },
	}
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "say what would happen, and send nothing")
	return cmd
}

func dhmcDisable(ctx context.Context, env *cli.Env, dryRun bool) error {
	op, err := rawapi.Find("DeregisterDefaultHostManagementConfiguration")
	if err != nil {
		return err
	}
	if err := env.RefuseWrite(op, dryRun); err != nil {
		return err
	}
	svc, err := env.API(ctx)
	if err != nil {
		return err
	}
	now, err := readHostManagement(ctx, svc)
	if err != nil && fault.KindOf(err) != fault.Auth {
		return err
	}
	if err == nil && !now.Enabled {
		env.Note("no change: default host management is off already")
		return nil
	}
	if err := sayUnprofiled(ctx, env); err != nil {
		return err
	}
	if dryRun {
		env.Note("dry run: %s was not sent", op.Name)
		return nil
	}
	if err := env.Confirm(ctx, "switch default host management off in "+regionName(ctx, env)); err != nil {
		return err
	}
	if _, err := svc.Call(ctx, op.NewRequest(nil)); err != nil {
		return err
	}
	env.Note("default host management is off")
	return nil
}

// sayUnprofiled says which running instances have no instance profile. Not being
// allowed to look is said, too.
func sayUnprofiled(ctx context.Context, env *cli.Env) error {
	scope, err := env.Scope(ctx)
	if err != nil {
		return err
	}
	machines, err := network.New(scope.Config()).Running(ctx)
	switch {
	case fault.KindOf(err) == fault.Auth:
		env.Note("EC2 instances without an instance profile stop being managed; which those are could not be read (ec2:DescribeInstances)")
		return nil
	case err != nil:
		return err
	}
	var names []string
	for _, m := range machines {
		if m.Profile == "" {
			names = append(names, m.String())
		}
	}
	if len(names) == 0 {
		env.Note("every running instance has an instance profile: none depends on it")
		return nil
	}
	const shown = 10
	more := ""
	if len(names) > shown {
		more = fmt.Sprintf(", and %d more", len(names)-shown)
		names = names[:shown]
	}
	env.Note("these running instances have no instance profile and stop being managed: %s%s", strings.Join(names, ", "), more)
	return nil
}

// regionName is the Region for a question.
func regionName(ctx context.Context, env *cli.Env) string {
	scope, err := env.Scope(ctx)
	if err != nil {
		return "this Region"
	}
	return scope.Region()
}
