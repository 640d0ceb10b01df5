package account

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/commands/accountdata"
	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/rawapi"
)

// NewPolicyCmd is `ssmdeck policy`.
func NewPolicyCmd(env *cli.Env) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "policy <command>",
		Aliases: []string{"policies", "resource-policy"},
		Short:   "Resource policies: who of other accounts may use a parameter, document or OpsItems",
		Long: `Show and change the resource policies of advanced parameters, of documents, and
of the group of OpsItems. The id and hash of a policy, which the service wants
when one is changed, are looked up.`,
		Example: "  $ ssmdeck policy get arn:aws:ssm:us-east-1:123456789012:parameter/shared/url\n" +
			"  $ ssmdeck policy put arn:aws:ssm:us-east-1:123456789012:parameter/shared/url -f policy.json",
		Args: cobra.ArbitraryArgs,
		RunE: cli.RunGroup,
	}
	env.Subcommands(cmd, policyGet.command, newPolicyPutCmd, policyDelete.command)
	return cmd
}

var policyARN = declaredInput{name: "ARN", field: "ResourceArn", value: func(text string) (any, error) {
	if !strings.HasPrefix(text, "arn:") || strings.Count(text, ":") < 5 {
		return nil, fault.Usagef("%q is no ARN", text).WithHint("write arn:aws:ssm:REGION:ACCOUNT:parameter/NAME")
	}
	return text, nil
}}

var policyGet = declared{
	use: "get <ARN>", aliases: []string{"show", "list"}, short: "Show the policies of a resource",
	example:   "  $ ssmdeck policy get arn:aws:ssm:us-east-1:123456789012:parameter/shared/url\n  $ ssmdeck policy get arn:aws:ssm:us-east-1:123456789012:document/restart --query '[0].policy' -o text",
	operation: "GetResourcePolicies", args: []declaredInput{policyARN}, about: "policies of %s", id: "PolicyId", empty: "the resource has no policy",
	columns: []declaredColumn{
		{name: "POLICY ID", path: "PolicyId", id: true}, {name: "POLICY", path: "Policy"}, {name: "HASH", path: "PolicyHash", wide: true, id: true},
	},
}

var policyDelete = declared{
	use: "delete <ARN> [policy id]", aliases: []string{"rm"}, short: "Delete a policy of a resource",
	long: `Delete a policy of a resource: other accounts lose what it gave them. The id may
be left out when the resource has one policy.`,
	example:   "  $ ssmdeck policy delete arn:aws:ssm:us-east-1:123456789012:parameter/shared/url",
	operation: "DeleteResourcePolicy",
	args:      []declaredInput{policyARN, {name: "policy id", field: "PolicyId", optional: true}},
	before: func(ctx context.Context, _ *cli.Env, svc *rawapi.Service, r *rawapi.Request, args []string) (ask string, err error) {
		id := ""
		if len(args) > 1 {
			id = args[1]
		}
		p, err := onePolicy(ctx, svc, args[0], id)
		if err != nil {
			return "", err
		}
		if p.PolicyID == "" {
			return "", fault.New(fault.NotFound, "", "%s has no policy", args[0])
		}
		r.Set("PolicyId", p.PolicyID)
		r.Set("PolicyHash", p.PolicyHash)
		return "", nil
	},
	about: "delete the policy of %s", confirm: "delete the policy of %s: other accounts lose what it gives them", done: "the policy of %s is deleted",
}

// onePolicy returns the policy of a resource: the one with an id, or the only one;
// none is no error when no id was asked for.
func onePolicy(ctx context.Context, svc *rawapi.Service, arn, id string) (accountdata.Policy, error) {
	all, err := accountdata.PoliciesOf(ctx, svc, arn)
	if err != nil {
		return accountdata.Policy{}, err
	}
	var ids []string
	for _, p := range all {
		if id == "" && len(all) == 1 || id != "" && p.PolicyID == id {
			return p, nil
		}
		ids = append(ids, p.PolicyID)
	}
	switch {
	case id != "":
		return accountdata.Policy{}, fault.New(fault.NotFound, "", "%s has no policy %s", arn, id)
	case len(all) > 1:
		return accountdata.Policy{}, fault.New(fault.NotFound, "", "%s has %d policies", arn, len(all)).WithHint("name one: %s", strings.Join(ids, ", "))
	}
	return accountdata.Policy{}, nil
}

// newPolicyPutCmd is declared but for the file.
func newPolicyPutCmd(env *cli.Env) *cobra.Command {
	var file, id string
	d := declared{
		use: "put <ARN>", aliases: []string{"set"}, short: "Give a resource a policy, or replace the one it has",
		long: `Give a resource a policy from a JSON file, or replace the one it has. A policy
that somebody else changes at the same moment is not overwritten: the service
refuses, and nothing is changed.`,
		example:   "  $ ssmdeck policy put arn:aws:ssm:us-east-1:123456789012:parameter/shared/url -f policy.json",
		operation: "PutResourcePolicy", args: []declaredInput{policyARN}, about: "put the policy of %s", done: "%s has the policy",
		before: func(ctx context.Context, env *cli.Env, svc *rawapi.Service, r *rawapi.Request, args []string) (ask string, err error) {
			policy, err := readPolicy(env, file)
			if err != nil {
				return "", err
			}
			r.Set("Policy", policy)
			now, err := onePolicy(ctx, svc, args[0], id)
			if err != nil {
				return "", err
			}
			if now.PolicyID == "" {
				return "", nil
			}
			if accountdata.SameJSON(now.Policy, policy) {
				env.Note("no change: %s has this policy already", args[0])
				return "", errNoChange
			}
			r.Set("PolicyId", now.PolicyID)
			r.Set("PolicyHash", now.PolicyHash)
			return "replace the policy " + now.PolicyID + " of " + args[0], nil
		},
	}
	cmd := d.command(env)
	cmd.Flags().StringVarP(&file, "file", "f", "", "`file` with the policy, - for standard input")
	cmd.Flags().StringVar(&id, "policy-id", "", "replace the policy with this `id`, where there are several")
	return cmd
}

// readPolicy reads a policy and sees that it can be one.
func readPolicy(env *cli.Env, file string) (string, error) {
	if file == "" {
		return "", fault.Usagef("missing the policy").WithHint("give its file with -f policy.json, or -f - for standard input")
	}
	data, err := env.ReadInput()(file)
	if err != nil {
		return "", err
	}
	var policy map[string]json.RawMessage
	if err := json.Unmarshal(data, &policy); err != nil {
		return "", fault.Usagef("%s is not JSON: %v", file, err)
	}
	if len(policy["Statement"]) == 0 {
		return "", fault.Usagef("%s has no Statement: it is no policy", file)
	}
	return string(data), nil
}
