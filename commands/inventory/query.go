package inventory

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/commands/nodechoice"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/fleet"
	"github.com/ssmdeck/ssmdeck/internal/inventory"
	"github.com/ssmdeck/ssmdeck/internal/pkgversion"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/terms"
)

type query struct {
	choice nodechoice.Choice
	scheme string
	failOn []string
	by     string
}

// What --fail-on takes.
const (
	failFound   = "found"
	failUnknown = "unknown"
)

func newQueryCmd(env *cli.Env) *cobra.Command {
	var o query
	cmd := &cobra.Command{
		Use:   "query <query>",
		Short: "Ask which nodes have what, in which versions",
		Long: `Find the nodes for which all terms of a query hold, and the entries that fit.

  app:NAME           an application is installed; also with < <= > >= = != VERSION
  service:NAME       a service is there (Windows); also with = or != and its status
  update:KB...       an update is installed (Windows)
  role:NAME          a role or feature (Windows), file:NAME, component:NAME
  TYPE.ATTRIBUTE=V   an attribute of any type: AWS:Network.IPV4=10.*, Custom:Rack.Row=7
  !TERM              none of a node's entries is like that
  platform:linux     and everything that --filter takes: tag:env=prod, agent<3.3, os~ubuntu

Bounds in one term are about the same entry: app:openssl>=3.0<3.0.7. Terms of their
own may each be true of another one.

Names are exact, with their case, and * stands for anything. Versions compare as
the node's system does it: rpm, deb, dotted numbers on Windows, semantic versions
for the rest. What a version in the query leaves out (epoch, release) does not
count: app:openssl=3.0.2 is true for 1:3.0.2-0ubuntu1.10.

Nodes that reported nothing of a type are not in the answer. How many they are is
said, and --fail-on unknown makes an error of it.`,
		Example: `  $ ssmdeck inventory query 'app:openssl<3.0 platform:linux'
  $ ssmdeck inventory query 'app:openssl<3.0' --by version
  $ ssmdeck inventory query '!app:falcon-sensor tag:env=prod' -o name
  $ ssmdeck inventory query 'app:log4j*>=2.0<2.17.1' --all-regions --fail-on found
  $ ssmdeck inventory query "app:'Google Chrome'<120"`,
		Args: cli.ExactArgs("the query"),
		RunE: func(cmd *cobra.Command, args []string) error {
			q, err := inventory.ParseQuery(args[0])
			if err != nil {
				return err
			}
			return o.run(cmd.Context(), env, q, "")
		},
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			if len(args) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return inventory.Words(), cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
		},
	}
	o.bind(env, cmd)
	return cli.Spans(cmd)
}

func newListCmd(env *cli.Env) *cobra.Command {
	var (
		o      query
		kind   string
		wheres []string
	)
	cmd := &cobra.Command{
		Use:     "list [target]...",
		Aliases: []string{"ls"},
		Short:   "List what nodes reported of one type",
		Long: `List the entries of a type over all nodes, or over those that are chosen, one a
line. --where narrows by attributes, as TYPE.ATTRIBUTE=VALUE does in a query, also
with * and with < and >.`,
		Example: `  $ ssmdeck inventory list --where Name=openssl
  $ ssmdeck inventory list --type AWS:Service --where Status=Stopped --filter platform=windows
  $ ssmdeck inventory list web-1 web-2 --where 'Name=python3*' -o csv
  $ ssmdeck inventory list --type Custom:Rack --columns node,row`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := inventory.CheckType(kind, false); err != nil {
				return err
			}
			var words []string
			for _, w := range wheres {
				words = append(words, terms.QuoteWord(kind+"."+w))
			}
			q, err := inventory.ParseQuery(strings.Join(words, " "))
			if len(words) == 0 {
				q, err = inventory.Everything(kind), nil
			}
			if err != nil {
				return err
			}
			o.choice.Targets = append(o.choice.Targets, args...)
			return o.run(cmd.Context(), env, q, kind)
		},
	}
	o.bind(env, cmd)
	cmd.Flags().StringVar(&kind, "type", inventory.Application, "the `type` to list, see `ssmdeck inventory types`")
	cmd.Flags().StringArrayVar(&wheres, "where", nil, "only entries for which the `condition` ATTRIBUTE=VALUE holds; repeat for more")
	cli.CompleteFlag(cmd, "type", typeNames(false))
	cmd.ValidArgsFunction = nodechoice.CompleteTargets(env)
	return cli.Spans(cmd)
}

func (o *query) bind(env *cli.Env, cmd *cobra.Command) {
	o.choice.Bind(env, cmd)
	cmd.ValidArgsFunction = nil // of the target flag
	f := cmd.Flags()
	f.StringVar(&o.scheme, "scheme", "", "compare versions by this `scheme`: rpm, deb, semver, windows; that of each node without it")
	f.StringVar(&o.by, "by", "", "count the nodes by a `key` instead: version, item, platform, os")
	f.StringSliceVar(&o.failOn, "fail-on", nil, "exit with 6 when there is such: `kinds` among found, unknown (nodes of which it cannot be said)")
	cli.CompleteFlag(cmd, "scheme", func() []string {
		var list []string
		for _, s := range pkgversion.Schemes() {
			list = append(list, string(s))
		}
		return list
	})
	cli.CompleteFlag(cmd, "by", countKeys)
	cli.CompleteFlag(cmd, "fail-on", func() []string { return []string{failFound, failUnknown} })
}

func countKeys() []string { return []string{"version", "item", "platform", "os"} }

// tally adds up what scopes that are asked at the same time have found.
type tally struct {
	mu               sync.Mutex
	matches, unknown int
}

func (t *tally) add(matches, unknown int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.matches += matches
	t.unknown += unknown
}

func (t *tally) sum() (matches, unknown int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.matches, t.unknown
}

// itemRow is an entry of a node.
type itemRow struct {
	Node     string          `json:"node"`
	Name     string          `json:"name"`
	Platform string          `json:"platform,omitempty"`
	Type     string          `json:"type,omitempty"`
	Item     string          `json:"item,omitempty"`
	Version  string          `json:"version,omitempty"`
	Captured time.Time       `json:"captured,omitzero"`
	Entry    inventory.Entry `json:"entry,omitempty"`
	os       string
}

func (r itemRow) key(by string) string {
	switch by {
	case "version":
		return r.Version
	case "item":
		return r.Item
	case "platform":
		return r.Platform
	}
	return r.os
}

// run asks the question, of kind when all of its terms are about that.
func (o *query) run(ctx context.Context, env *cli.Env, q inventory.Query, kind string) error {
	ro, err := env.RenderOptions()
	if err != nil {
		return err
	}
	for _, w := range o.failOn {
		if w != failFound && w != failUnknown {
			return fault.Usagef("--fail-on %q is nothing to fail on", w).WithHint("it takes found and unknown")
		}
	}
	if o.scheme != "" && !slices.Contains(pkgversion.Schemes(), pkgversion.Scheme(o.scheme)) {
		return fault.Usagef("--scheme %q is not a way to compare versions", o.scheme).WithHint("there are rpm, deb, semver, windows")
	}
	if o.by != "" && !slices.Contains(countKeys(), o.by) {
		return fault.Usagef("--by %q is nothing to count by", o.by).WithHint("there are %s", strings.Join(countKeys(), ", "))
	}
	targets, filter, err := o.choice.ParseSome(nil)
	if err != nil {
		return err
	}
	var found tally
	table := func(o render.Options) render.Table[itemRow] { return itemTable(o, kind) }
	list := func(ctx context.Context, env *cli.Env) ([]itemRow, error) {
		rows, unknown, err := o.ask(ctx, env, q, targets, filter.And(q.Nodes))
		found.add(len(rows), unknown)
		return rows, err
	}
	if o.by != "" {
		err = cli.WriteGrid(ctx, env, itemCounts(o.by), ro, func(ctx context.Context, env *cli.Env) (iter.Seq2[itemCount, error], error) {
			rows, err := list(ctx, env)
			return cli.Each(countItems(rows, o.by)), err
		})
	} else {
		if err := cli.CheckGridTable(env, table, ro); err != nil {
			return err
		}
		err = cli.WriteGrid(ctx, env, table, ro, func(ctx context.Context, env *cli.Env) (iter.Seq2[itemRow, error], error) {
			rows, err := list(ctx, env)
			return cli.Each(rows), err
		})
	}
	if err != nil {
		return err
	}
	matches, unknown := found.sum()
	switch {
	case matches > 0 && slices.Contains(o.failOn, failFound):
		return fault.New(fault.RemoteFailed, "inventory query", "%d found, and --fail-on is found", matches)
	case unknown > 0 && slices.Contains(o.failOn, failUnknown):
		return fault.New(fault.RemoteFailed, "inventory query", "of %s nothing can be said, and --fail-on is unknown", cli.Plural(unknown, "node")).
			WithHint("`ssmdeck inventory enable` makes agents gather inventory")
	}
	return nil
}

// ask asks in one account and Region, and says of how many nodes nothing is known.
func (o *query) ask(ctx context.Context, env *cli.Env, q inventory.Query, targets []fleet.Target, filter fleet.Filter) (rows []itemRow, unknown int, err error) {
	svc, err := env.Fleet(ctx)
	if err != nil {
		return nil, 0, err
	}
	nodes, err := nodechoice.NodesOrAll(ctx, svc, targets, filter)
	if err != nil {
		return nil, 0, err
	}
	inv, err := openInventory(ctx, env)
	if err != nil {
		return nil, 0, err
	}
	told, end, err := env.Counted("read the inventory of nodes")
	if err != nil {
		return nil, 0, err
	}
	answer, err := inv.Search(ctx, q, nodes, inventory.Options{Scheme: pkgversion.Scheme(o.scheme), Told: told})
	end()
	if err != nil {
		return nil, 0, err
	}
	for _, m := range answer.Matches {
		rows = append(rows, itemRow{
			Node: m.Node.ID, Name: m.Node.Name, Platform: m.Node.Platform, Type: m.Type, Item: m.Entry.Name(), Version: m.Entry.Version(),
			Captured: m.Captured, Entry: m.Entry, os: m.Node.PlatformName + " " + m.Node.PlatformVersion,
		})
	}
	if n := len(answer.Unknown); n > 0 {
		unknown = n
		env.Note("ssmdeck: %s not in this answer, having reported nothing of that kind: %s", cli.PluralAre(n, "node"), render.Visible(foldNodes(answer.Unknown)))
	}
	for _, kind := range slices.Sorted(maps.Keys(answer.Without)) {
		unknown = max(unknown, answer.Without[kind])
		env.Note("ssmdeck: of all nodes, %d reported nothing of %s and cannot be in this answer; `ssmdeck inventory status --type %s` names them",
			answer.Without[kind], kind, kind)
	}
	return rows, unknown, nil
}

// foldNodes writes nodes by their names, briefly.
func foldNodes(nodes []fleet.Node) string {
	var names []string
	for _, n := range nodes {
		names = append(names, n.Name)
		if n.Name == "" {
			names[len(names)-1] = n.ID
		}
	}
	return render.CutEnd(render.Fold(names), 300, "...")
}

// itemTable shows entries: those of kind with its attributes, those of several
// types by what all have.
func itemTable(o render.Options, kind string) render.Table[itemRow] {
	t := render.Table[itemRow]{
		ID: func(r itemRow) string { return r.Node }, Empty: "no node reported that",
		Columns: []render.Column[itemRow]{
			{Name: "NODE", ID: true, Text: func(r itemRow) string { return r.Node }},
			{Name: "NAME", Text: func(r itemRow) string { return r.Name }},
		},
	}
	attributes := inventory.Columns(kind)
	if len(attributes) == 0 {
		t.Columns = append(t.Columns,
			render.Column[itemRow]{Name: "ITEM", Text: func(r itemRow) string { return r.Item }},
			render.Column[itemRow]{Name: "VERSION", Text: func(r itemRow) string { return r.Version }},
			render.Column[itemRow]{Name: "TYPE", Wide: true, Text: func(r itemRow) string { return r.Type }},
		)
		t.Columns = append(t.Columns, render.Column[itemRow]{
			Name: "ENTRY", Wide: !strings.HasPrefix(kind, "Custom:"), Text: func(r itemRow) string { return r.Entry.String() },
		})
	}
	for i, a := range attributes {
		header := attributeHeader(a)
		if a == "Name" {
			header = "ITEM"
		}
		t.Columns = append(t.Columns, render.Column[itemRow]{Name: header, Wide: i >= 3, Text: func(r itemRow) string { return r.Entry[a] }})
	}
	t.Columns = append(t.Columns,
		render.Column[itemRow]{Name: "PLATFORM", Wide: true, Text: func(r itemRow) string { return r.Platform }},
		cli.AgoColumn(o, "CAPTURED", func(r itemRow) time.Time { return r.Captured }))
	return t
}

// itemCount is on how many nodes something is.
type itemCount struct {
	Value string `json:"value"`
	Nodes int    `json:"nodes"`
	Names string `json:"names"` // folded, to be used as a target
}

func countItems(rows []itemRow, by string) []itemCount {
	nodes := map[string]map[string]string{} // by value and id; names may be shared
	for _, r := range rows {
		v := r.key(by)
		if nodes[v] == nil {
			nodes[v] = map[string]string{}
		}
		nodes[v][r.Node] = cmp.Or(r.Name, r.Node)
	}
	var list []itemCount
	for _, v := range slices.SortedFunc(maps.Keys(nodes), render.NaturalCompare) {
		names := slices.Compact(slices.Sorted(maps.Values(nodes[v])))
		list = append(list, itemCount{v, len(nodes[v]), render.Fold(names)})
	}
	return list
}

func itemCounts(by string) func(render.Options) render.Table[itemCount] {
	return func(render.Options) render.Table[itemCount] {
		return render.Table[itemCount]{
			ID: func(c itemCount) string { return c.Value }, Empty: "no node reported that",
			Columns: []render.Column[itemCount]{
				{Name: strings.ToUpper(by), Text: func(c itemCount) string { return c.Value }},
				{Name: "NODES", Right: true, Text: func(c itemCount) string { return fmt.Sprint(c.Nodes) }},
				{Name: "NAMES", Text: func(c itemCount) string { return c.Names }},
			},
		}
	}
}
