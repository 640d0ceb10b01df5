package param

import (
	"context"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/commands/accountdata"
	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/internal/awsapi"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/parameter"
	"github.com/ssmdeck/ssmdeck/internal/render"
)

func newSharedCmd(env *cli.Env) *cobra.Command {
	withMe := false
	cmd := &cobra.Command{
		Use:   "shared [path | name | pattern]",
		Short: "Which parameters are shared, with whom",
		Long: `List the parameters that other accounts may read, and who may. Each advanced parameter
takes one call. With --with-me those that other accounts share with this one are listed;
what was shared with a resource policy alone is not among them, and can be read by its
ARN all the same.`,
		Example: `  $ ssmdeck param shared
  $ ssmdeck param shared /app/prod -o json
  $ ssmdeck param shared --with-me`,
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: completeParamPath(env, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return sharedList(cmd.Context(), env, strings.Join(args, ""), withMe)
		},
	}
	cmd.Flags().BoolVar(&withMe, "with-me", false, "what others share with this account")
	return cmd
}

func sharedList(ctx context.Context, env *cli.Env, where string, withMe bool) error {
	ro, err := cli.ListOptions(env, sharedTable)
	if err != nil {
		return err
	}
	if withMe && where != "" {
		return fault.Usagef("--with-me lists all that others share, and takes no path").WithHint("narrow it with --query or grep")
	}
	sel, err := parameter.Select(where)
	if err != nil {
		return err
	}
	svc, err := openParameters(ctx, env)
	if err != nil {
		return err
	}
	if withMe {
		sel.Shared = true
	} else {
		sel.Tiers = []string{parameter.Advanced}
	}
	found, err := findParams(ctx, env, svc, sel, false, false)
	if err != nil {
		return err
	}
	rows := []paramShared{}
	if withMe {
		for _, p := range found {
			if p.ARN == "" {
				p.ARN = p.Name
			}
			rows = append(rows, paramShared{Name: p.Name, ARN: p.ARN, With: []string{}, Type: p.Type, Tier: p.Tier})
		}
		return cli.WriteList(env, sharedTable, ro, rows)
	}
	rows, err = sharesOf(ctx, env, found)
	return cli.WriteSeq(env, sharedTable, ro, cli.WithPartial(rows, err))
}

// sharesOf reads with whom parameters are shared; those that are not are left out.
func sharesOf(ctx context.Context, env *cli.Env, list []parameter.Parameter) ([]paramShared, error) {
	api, err := env.API(ctx)
	if err != nil {
		return nil, err
	}
	list = slices.DeleteFunc(slices.Clone(list), func(p parameter.Parameter) bool { return p.Tier != parameter.Advanced || p.ARN == "" })
	shares := make([]paramShared, len(list))
	err = awsapi.Parallel(ctx, len(list), func(ctx context.Context, i int) error {
		p := list[i]
		policies, err := accountdata.PoliciesOf(ctx, api, p.ARN)
		if err != nil {
			return err
		}
		s := paramShared{Name: p.Name, ARN: p.ARN, Type: p.Type, Tier: p.Tier}
		for _, one := range policies {
			share, _ := parameter.ShareFrom(one.Policy)
			s.With, s.History = append(s.With, share.With...), s.History || share.History
			s.PolicyIDs = append(s.PolicyIDs, one.PolicyID)
		}
		slices.Sort(s.With)
		s.With = slices.Compact(s.With)
		shares[i] = s
		return nil
	})
	return slices.DeleteFunc(shares, func(s paramShared) bool { return len(s.PolicyIDs) == 0 }), err
}

func sharedTable(render.Options) render.Table[paramShared] {
	type row = paramShared
	return render.Table[row]{
		ID: func(s row) string { return s.ARN }, Empty: "nothing is shared",
		Columns: []render.Column[row]{
			{Name: "NAME", ID: true, Text: func(s row) string { return s.Name }},
			{Name: "OWNER", Text: func(s row) string { return accountOfARN(s.ARN) }},
			{Name: "WITH", Text: func(s row) string { return strings.Join(s.With, " ") }},
			{Name: "TYPE", Text: func(s row) string { return s.Type }},
			{Name: "HISTORY", Wide: true, Text: func(s row) string { return map[bool]string{true: "yes", false: "no"}[s.History] }},
			{Name: "POLICIES", Wide: true, ID: true, Text: func(s row) string { return strings.Join(s.PolicyIDs, " ") }},
			{Name: "ARN", Wide: true, ID: true, Text: func(s row) string { return s.ARN }},
		},
	}
}
