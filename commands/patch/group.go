package patch

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/commands/nodechoice"
	"github.com/ssmdeck/ssmdeck/internal/baseline"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/fleet"
	"github.com/ssmdeck/ssmdeck/internal/render"
)

func newGroupCmd(env *cli.Env) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "group <command>",
		Aliases: []string{"groups"},
		Short:   "Patch groups: which nodes go by which baseline",
		Long: `A node is in a patch group by its tag "Patch Group", or PatchGroup where the
instance shows its tags in its metadata; upper and lower case count. A group can be
registered with one baseline an operating system. Nodes whose group is not registered
for their system go by the default baseline.`,
		Example: `  $ ssmdeck patch group list
  $ ssmdeck patch group register web prod-al2023
  $ ssmdeck patch group baseline web --os al2023`,
		Args: cobra.ArbitraryArgs,
		RunE: cli.RunGroup,
	}
	env.Subcommands(cmd, newGroupListCmd, newGroupGetCmd, newGroupRegisterCmd, newGroupDeregisterCmd, newGroupBaselineCmd)
	return cmd
}

// groupRow is a patch group for one operating system: registered, or carried by
// nodes, or both.
type groupRow struct {
	Group        string `json:"group"`
	OS           string `json:"os"`
	Baseline     string `json:"baseline"` // id
	BaselineName string `json:"baseline_name"`
	Registered   bool   `json:"registered"` // else it is the default that counts
	Nodes        int    `json:"nodes"`
	LongTag      int    `json:"nodes_patch_group_tag"` // carry "Patch Group"
	ShortTag     int    `json:"nodes_patchgroup_tag"`  // carry PatchGroup
}

func newGroupListCmd(env *cli.Env) *cobra.Command {
	var os osFlag
	cmd := &cobra.Command{
		Use: "list", Aliases: []string{"ls"},
		Short: "List the patch groups with their baselines and nodes",
		Long: `List the patch groups that are registered with baselines, and those that nodes
carry without it: these go by the default baseline of their operating system, and
are warned about, since a slip of the pen looks the same. So are nodes that carry
both tags with different values.`,
		Example: `  $ ssmdeck patch group list
  $ ssmdeck patch group list --os windows -o json
  $ ssmdeck patch group list --all-regions`,
		Args: cli.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			system, err := os.parse()
			if err != nil {
				return err
			}
			ro, err := env.RenderOptions()
			if err != nil {
				return err
			}
			if err := cli.CheckGridTable(env, groupTable, ro); err != nil {
				return err
			}
			return cli.WriteGrid(cmd.Context(), env, groupTable, ro, func(ctx context.Context, env *cli.Env) (iter.Seq2[groupRow, error], error) {
				rows, partly, err := patchGroups(ctx, env, system, "")
				return cli.WithPartial(rows, partly), err
			})
		},
	}
	os.bind(cmd, "only groups of this")
	return cli.Spans(cmd)
}

// patchGroups joins what is registered with what nodes carry; group narrows to one.
// partly says that the tags of some nodes could not be read, which are not counted.
func patchGroups(ctx context.Context, env *cli.Env, os, group string) (list []groupRow, partly, err error) {
	svc, err := openBaselines(ctx, env)
	if err != nil {
		return nil, nil, err
	}
	rows := map[string]*groupRow{}
	at := func(group, os string) *groupRow {
		key := group + "\x00" + os
		if rows[key] == nil {
			rows[key] = &groupRow{Group: group, OS: os}
		}
		return rows[key]
	}
	for m, err := range svc.Groups(ctx, baseline.GroupQuery{OS: os, NamePrefix: group}) {
		if err != nil {
			return nil, nil, err
		}
		if group != "" && m.Group != group {
			continue
		}
		r := at(m.Group, m.Baseline.OS)
		r.Registered, r.Baseline, r.BaselineName = true, m.Baseline.ID, m.Baseline.Name
	}
	nodes, gaps, err := taggedFleet(ctx, env)
	if err != nil {
		return nil, nil, err
	}
	for _, g := range gaps {
		partly = fault.New(fault.RemoteFailed, "count the nodes of patch groups", "the tags of %s cannot be read: %w", cli.Plural(g.Nodes, "node"), g.Err)
	}
	countGroups(env, nodes, os, group, at)
	if err := nameDefaults(ctx, svc, rows); err != nil {
		return nil, nil, err
	}
	return sortedGroups(env, rows), partly, nil
}

// taggedFleet lists all nodes with their tags.
func taggedFleet(ctx context.Context, env *cli.Env) ([]fleet.Node, []fleet.Gap, error) {
	nodes, err := env.Fleet(ctx)
	if err != nil {
		return nil, nil, err
	}
	return nodes.Table(ctx, fleet.Query{}, fleet.PartEC2|fleet.PartTags)
}

// countGroups adds the nodes to the groups that they carry.
func countGroups(env *cli.Env, nodes []fleet.Node, os, group string, at func(group, os string) *groupRow) {
	var both []string
	for _, n := range nodes {
		name, _, other := baseline.GroupOf(n.Tags)
		system := nodeOS(n)
		if name == "" || os != "" && system != os || group != "" && name != group && other != group {
			continue
		}
		if other != "" {
			both = append(both, n.String())
		}
		r := at(name, system)
		r.Nodes++
		if n.Tags[baseline.GroupTag] == name {
			r.LongTag++
		}
		if n.Tags[baseline.GroupTagShort] == name {
			r.ShortTag++
		}
	}
	if len(both) > 0 {
		env.Note("ssmdeck: warning: %s the tags %q and %q with different values: %s; which of them counts is not documented", countHave(len(both)), baseline.GroupTag, baseline.GroupTagShort, render.Visible(cli.SomeOf(both, 5)))
	}
}

func countHave(n int) string {
	if n == 1 {
		return "1 node carries"
	}
	return cli.Plural(n, "node") + " carry"
}

// nodeOS is the operating system of a node as baselines name it.
func nodeOS(n fleet.Node) string {
	return baseline.NodeOS(n.Platform, n.PlatformName, n.PlatformVersion)
}

// nameDefaults fills in the default baseline of groups that are not registered, with
// one list.
func nameDefaults(ctx context.Context, svc *baseline.Service, rows map[string]*groupRow) error {
	all := true
	for _, r := range rows {
		all = all && r.Registered
	}
	if all {
		return nil
	}
	defaults := map[string]baseline.Identity{}
	for b, err := range svc.List(ctx, baseline.Query{}) {
		if err != nil {
			return err
		}
		if b.Default {
			defaults[b.OS] = b
		}
	}
	for _, r := range rows {
		if b, ok := defaults[r.OS]; ok && !r.Registered {
			r.Baseline, r.BaselineName = b.ID, b.Name
		}
	}
	return nil
}

// sortedGroups puts the rows in order and warns of those that no baseline knows.
func sortedGroups(env *cli.Env, rows map[string]*groupRow) []groupRow {
	var out []groupRow
	registered := map[string]bool{}
	for _, r := range rows {
		registered[r.Group] = registered[r.Group] || r.Registered
		out = append(out, *r)
	}
	slices.SortFunc(out, func(a, b groupRow) int { return cmp.Or(cmp.Compare(a.Group, b.Group), cmp.Compare(a.OS, b.OS)) })
	var names []string
	for name, ok := range registered {
		if ok {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	warned := map[string]bool{}
	for _, r := range out {
		if registered[r.Group] || warned[r.Group] {
			continue
		}
		warned[r.Group] = true
		near := ""
		if word := fault.Nearest(r.Group, names); word != "" {
			near = fmt.Sprintf(" (did its tag mean %s?)", word)
		}
		env.Note("ssmdeck: warning: no baseline knows the patch group %s%s: its nodes go by the default baseline", render.Visible(r.Group), render.Visible(near))
	}
	return out
}

func groupTable(o render.Options) render.Table[groupRow] {
	return render.Table[groupRow]{
		ID: func(r groupRow) string { return r.Group }, Empty: "there is no patch group",
		Columns: []render.Column[groupRow]{
			{Name: "GROUP", Text: func(r groupRow) string { return r.Group }},
			{Name: "OS", Text: func(r groupRow) string { return r.OS }},
			{Name: "BASELINE", Text: func(r groupRow) string { return r.BaselineName }},
			{
				Name: "BY", Text: func(r groupRow) string { return byWhat(r.Registered) },
				Human: func(r groupRow) string {
					if r.Registered {
						return byWhat(true)
					}
					return o.Styles.Warn.Render(byWhat(false))
				},
			},
			{Name: "NODES", Right: true, Text: func(r groupRow) string { return strconv.Itoa(r.Nodes) }},
			{Name: "BASELINE ID", ID: true, Text: func(r groupRow) string { return baseline.ShortID(r.Baseline) }},
			{Name: "PATCH GROUP TAG", Wide: true, Right: true, Text: func(r groupRow) string { return strconv.Itoa(r.LongTag) }},
			{Name: "PATCHGROUP TAG", Wide: true, Right: true, Text: func(r groupRow) string { return strconv.Itoa(r.ShortTag) }},
		},
	}
}

func byWhat(registered bool) string {
	if registered {
		return "registered"
	}
	return "default"
}

// groupState is the answer of `patch group get`.
type groupState struct {
	Group     string     `json:"group"`
	Baselines []groupRow `json:"baselines"`
	baseline.GroupState
}

func newGroupGetCmd(env *cli.Env) *cobra.Command {
	cmd := &cobra.Command{
		Use: "get <group>", Aliases: []string{"show"},
		Short: "Show a patch group: its baselines, and its nodes by what scans found",
		Long: `Show which baselines a patch group is registered with, and how many of its nodes
have missing, failed and other patches. Each number is from the node's last scan,
whenever that was: ssmdeck patch status has the times.`,
		Example: `  $ ssmdeck patch group get web
  $ ssmdeck patch group get 'web servers' --query with_missing`,
		Args: cli.ExactArgs("the patch group"), ValidArgsFunction: completeGroup(env),
		RunE: func(cmd *cobra.Command, args []string) error { return groupGet(cmd.Context(), env, args[0]) },
	}
	return cmd
}

func groupGet(ctx context.Context, env *cli.Env, group string) error {
	if err := baseline.CheckGroup(group); err != nil {
		return err
	}
	ro, err := env.RenderOptions()
	if err != nil {
		return err
	}
	if err := cli.CheckObject(ro, groupState{}); err != nil {
		return err
	}
	svc, err := openBaselines(ctx, env)
	if err != nil {
		return err
	}
	rows, partly, err := patchGroups(ctx, env, "", group)
	switch {
	case err != nil:
		return err
	case len(rows) == 0 && partly != nil:
		return partly
	case len(rows) == 0:
		return unknownGroup(ctx, svc, group)
	}
	state, err := svc.State(ctx, group)
	if err != nil {
		return err
	}
	g := groupState{group, rows, state}
	err = render.Object(env.Out, ro, g, func(d *render.Detail) {
		d.ID(group)
		d.Field("Group", group)
		d.Section("Baselines")
		for _, r := range rows {
			d.Field(r.OS, fmt.Sprintf("%s (%s, %s), %s", r.BaselineName, baseline.ShortID(r.Baseline), byWhat(r.Registered), cli.Plural(r.Nodes, "node")))
		}
		d.Section("Nodes")
		for _, f := range []struct {
			name string
			n    int
		}{
			{"All", g.Nodes},
			{"With missing patches", g.Missing},
			{"With failed", g.Failed},
			{"Waiting for a reboot", g.PendingReboot},
			{"With rejected", g.Rejected},
			{"Critical non-compliant", g.CriticalNonCompliant},
			{"Security non-compliant", g.SecurityNonCompliant},
			{"Other non-compliant", g.OtherNonCompliant},
			{"Security updates available", g.Available},
			{"With installed", g.Installed},
			{"With installed other", g.InstalledOther},
			{"With not applicable", g.NotApplicable},
		} {
			d.Field(f.name, strconv.Itoa(f.n))
		}
	})
	return errors.Join(err, partly)
}

// unknownGroup is the error of a group that is neither registered nor carried.
func unknownGroup(ctx context.Context, svc *baseline.Service, group string) error {
	err := fault.New(fault.NotFound, "find the patch group "+group, "no baseline and no node knows it")
	var names []string
	for m, merr := range svc.Groups(ctx, baseline.GroupQuery{}) {
		if merr != nil {
			break
		}
		names = append(names, m.Group)
	}
	if near := fault.Closest(group, names, 3); len(near) > 0 {
		return err.WithHint("did you mean %s?", strings.Join(near, " or "))
	}
	return err.WithHint("`ssmdeck patch group list` shows them; upper and lower case count")
}

// completeGroup completes the name of a patch group.
func completeGroup(env *cli.Env) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return nodechoice.Beginning(groupWords(cmd.Context(), env), typed), cobra.ShellCompDirectiveNoFileComp
	}
}

func groupWords(ctx context.Context, env *cli.Env) (words []string) {
	if ctx == nil {
		ctx = context.Background()
	}
	ctx, cancel := context.WithTimeout(ctx, cli.CompletionWait)
	defer cancel()
	svc, err := openBaselines(ctx, env)
	if err != nil {
		return nil
	}
	for m, err := range svc.Groups(ctx, baseline.GroupQuery{}) {
		if err != nil {
			break
		}
		words = append(words, render.Visible(m.Group)+"\t"+m.Baseline.OS+" "+render.Visible(m.Baseline.Name))
	}
	return words
}
