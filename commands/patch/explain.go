package patch

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/commands/nodechoice"
	"github.com/ssmdeck/ssmdeck/internal/baseline"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/fleet"
	"github.com/ssmdeck/ssmdeck/internal/patch"
	"github.com/ssmdeck/ssmdeck/internal/render"
)

// explanation is why patches of a node are as they are.
type explanation struct {
	Node    string `json:"node"`
	Name    string `json:"name"`
	OS      string `json:"os"`
	Product string `json:"product,omitempty"`
	baseline.Applies
	Why string `json:"why"`
	// LastScan is what the node's last scan or installation went by.
	LastScan *lastScan        `json:"last_scan,omitempty"`
	Patches  []explainedPatch `json:"patches"`

	node  fleet.Node
	rules []baseline.Rule // of the baseline, where one of them decides
}

// lastScan is when a node was last looked at, and with what.
type lastScan struct {
	Operation string    `json:"operation"`
	Ended     time.Time `json:"ended,omitzero"`
	Baseline  string    `json:"baseline"`
	Group     string    `json:"group,omitempty"`
	// Changed: the node would be scanned by something else now; Modified: the baseline
	// has been changed since.
	Changed  bool `json:"baseline_changed"`
	Modified bool `json:"baseline_modified_since"`
}

// explainedPatch is a patch of the node with what its baseline makes of it now.
type explainedPatch struct {
	baseline.Patch
	State    string            `json:"state,omitempty"` // of the last scan; empty: it did not list the patch
	Decision baseline.Decision `json:"decision"`
	Days     *int              `json:"days_left,omitempty"`
	Disagree bool              `json:"scan_disagrees,omitempty"` // the scan decided otherwise
	Would    string            `json:"would_approve,omitempty"`  // what would have it approved
}

func newExplainCmd(env *cli.Env) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "explain <node> [patch | cve]",
		Short: "Why patches of a node are approved, wait, or are rejected",
		Long: `Say which baseline a node goes by and why - its patch group with the tag that says so,
or the default of its operating system - and then for each patch that it lacks, or for
the one that is named by KB number, package, advisory or CVE: which rule or list
decides, how many days are left, and when nothing covers it what would.

The node's last scan may have gone by something else: that is said where its baseline
is another one now, was changed since, or decides otherwise.`,
		Example: `  $ ssmdeck patch explain web-1
  $ ssmdeck patch explain web-1 openssl
  $ ssmdeck patch explain i-0123456789abcdef0 CVE-2026-2001 -o json`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 2 {
				return cli.ExactArgs("the node", "the patch")(cmd, args)
			}
			return cli.MinArgs("the node")(cmd, args)
		},
		ValidArgsFunction: nodechoice.CompleteNode(env),
		RunE: func(cmd *cobra.Command, args []string) error {
			word := ""
			if len(args) > 1 {
				word = args[1]
			}
			return explain(cmd.Context(), env, args[0], word)
		},
	}
	return cmd
}

func explain(ctx context.Context, env *cli.Env, expr, word string) error {
	ro, err := env.RenderOptions()
	if err != nil {
		return err
	}
	if err := cli.CheckObject(ro, explanation{}); err != nil {
		return err
	}
	n, err := nodechoice.FindNode(ctx, env, expr)
	if err != nil {
		return err
	}
	nodes, err := env.Fleet(ctx)
	if err != nil {
		return err
	}
	n, gaps, err := nodes.Facts(ctx, n.ID)
	if err != nil {
		return err
	}
	for _, g := range gaps {
		if g.Part != fleet.PartEC2 || n.Tags == nil { // without tags its group is not known
			return fault.New(fault.KindOf(g.Err), "explain the patches of "+n.String(), "its %s cannot be read: %w", g.Part, g.Err)
		}
	}
	svc, err := openBaselines(ctx, env)
	if err != nil {
		return err
	}
	x, b, err := explainNode(ctx, svc, n)
	if err != nil {
		return err
	}
	scope, err := env.Scope(ctx)
	if err != nil {
		return err
	}
	if x.Patches, err = patchesToExplain(ctx, svc, patch.New(scope.SSM()), x, word); err != nil {
		return err
	}
	for i := range x.Patches {
		x.Patches[i].decide(&b, ro.Now)
		if x.Patches[i].Decision.Rule > 0 {
			x.rules = b.Rules
		}
	}
	slices.SortStableFunc(x.Patches, func(p, q explainedPatch) int {
		return outcomeRank(p.Decision.Outcome) - outcomeRank(q.Decision.Outcome)
	})
	return render.Object(env.Out, ro, x, func(d *render.Detail) { x.details(d, ro, word) })
}

// explainNode finds the baseline that a node goes by.
func explainNode(ctx context.Context, svc *baseline.Service, n fleet.Node) (x explanation, b baseline.Baseline, err error) {
	op := "explain the patches of " + n.String()
	x = explanation{Node: n.ID, Name: n.Name, OS: nodeOS(n), node: n}
	if x.OS == "" {
		return x, b, fault.New(fault.Failed, op, "there are no patch baselines for %s %s", render.Visible(n.PlatformName), render.Visible(n.PlatformVersion))
	}
	x.Product = baseline.NodeProduct(x.OS, n.PlatformName, n.PlatformVersion)
	assigned, err := svc.Assignment(ctx)
	if err != nil {
		return x, b, err
	}
	x.Applies = assigned.Of(x.OS, n.Tags)
	x.Why = x.Applies.Why(x.OS)
	if x.Baseline.ID == "" {
		return x, b, fault.New(fault.Failed, op, "%s has no default baseline", x.OS)
	}
	if b, err = svc.Get(ctx, x.Baseline.ID); err != nil {
		return x, b, err
	}
	if st := n.Patch; st != nil {
		x.LastScan = &lastScan{
			Operation: st.Operation, Ended: st.Ended, Baseline: st.Baseline, Group: st.Group,
			Changed: !baseline.SameID(st.Baseline, b.ID), Modified: baseline.SameID(st.Baseline, b.ID) && b.Modified.After(st.Ended),
		}
	}
	return x, b, nil
}

// patchesToExplain reads what is to be explained: what the node lacks, or what word names,
// on the node or else in the catalogue.
func patchesToExplain(ctx context.Context, svc *baseline.Service, patches *patch.Service, x explanation, word string) ([]explainedPatch, error) {
	var list []baseline.Patch
	var states []string
	wanted := []patch.State{patch.Missing, patch.Failed, patch.InstalledPendingReboot, patch.InstalledRejected, patch.AvailableSecurityUpdate}
	if word != "" {
		wanted = nil
	}
	if x.LastScan != nil {
		for p, err := range patches.OfNode(ctx, x.Node, wanted...) {
			if err != nil {
				return nil, err
			}
			s := baseline.FromScan(p.ID, p.Title, p.Classification, p.Severity, p.CVEs)
			if word == "" || s.MatchID(word) {
				list, states = append(list, s), append(states, string(p.State))
			}
		}
	}
	if err := svc.Enrich(ctx, x.OS, x.Product, list); err != nil {
		return nil, err
	}
	if word != "" && len(list) == 0 {
		found, err := svc.Search(ctx, x.OS, x.Product, word)
		switch {
		case err != nil:
			return nil, err
		case len(found) == 0:
			return nil, fault.New(fault.NotFound, "explain "+word+" on "+x.node.String(), "neither the node's last scan nor the catalogue of %s has it", cmp.Or(x.Product, x.OS)).
				WithHint("name a KB number, a package, an advisory or a CVE; `ssmdeck patch available --os %s` lists the catalogue", x.OS)
		}
		list, states = found, make([]string, len(found))
	}
	out := make([]explainedPatch, len(list))
	for i, p := range list {
		out[i] = explainedPatch{Patch: p, State: states[i]}
	}
	return out, nil
}

// decide fills in what the baseline makes of the patch now.
func (p *explainedPatch) decide(b *baseline.Baseline, now time.Time) {
	p.Decision = baseline.Decide(b, p.Patch, now)
	d := p.Decision
	if d.Outcome == baseline.Pending && !d.At.IsZero() {
		p.Days = baseline.Days(daysLeft(d.Left(now)))
	}
	asked := p.State == string(patch.Missing) || p.State == string(patch.Failed)
	switch {
	case d.Outcome == baseline.Unknown:
	case asked:
		p.Disagree = d.Outcome != baseline.Approved
	case p.State == string(patch.AvailableSecurityUpdate), p.State == string(patch.InstalledRejected):
		p.Disagree = d.Outcome == baseline.Approved
	}
	if d.Outcome != baseline.NotCovered {
		return
	}
	entry, nonSecurity, ok := baseline.Remedy(b, p.Patch, now)
	if !ok {
		return
	}
	add := " --add-approve"
	p.Would = "ssmdeck patch baseline update " + baseline.ShortID(b.ID)
	if b.AWS {
		add = " --approve"
		p.Would = fmt.Sprintf("ssmdeck patch baseline create NAME --os %s --from %s", b.OS, b.Name)
	}
	if entry != "" {
		p.Would += fmt.Sprintf("%s '%s'", add, entry)
	}
	if nonSecurity {
		p.Would += " --approve-non-security"
	}
}

func outcomeRank(o baseline.Outcome) int {
	return slices.Index([]baseline.Outcome{baseline.Approved, baseline.Pending, baseline.Rejected, baseline.NotCovered, baseline.Unknown}, o)
}

func (x *explanation) details(d *render.Detail, ro render.Options, word string) {
	d.ID(x.Node)
	d.Field("Node", x.node.String())
	d.Field("OS", x.OS)
	d.Field("Product", x.Product)
	d.Field("Baseline", fmt.Sprintf("%s (%s)", x.Baseline.Name, baseline.ShortID(x.Baseline.ID)))
	d.Field("Because", x.Why)
	if x.OtherGroup != "" {
		d.Field("But", fmt.Sprintf("its tag %q says %q: which of the two counts is not documented", baseline.GroupTagShort, x.OtherGroup))
	}
	switch s := x.LastScan; {
	case s == nil:
		d.Field("Last scan", "never: what the node lacks is not known")
	default:
		cli.Moment(d, ro, "Last scan", s.Ended)
		d.Field("Operation", s.Operation)
		switch {
		case s.Changed:
			d.Field("It went by", baseline.ShortID(s.Baseline)+", another baseline; scan again for what this one says")
		case s.Modified:
			d.Field("Since then", "the baseline was changed; scan again for what it says now")
		}
	}
	if len(x.rules) > 0 {
		d.Section("Rules")
		for i, r := range x.rules {
			d.Field(fmt.Sprintf("Rule %d", i+1), r.Sentence())
		}
	}
	d.Section("Patches")
	if len(x.Patches) == 0 && word == "" && x.LastScan != nil {
		d.Field("None", "the last scan found nothing that is not as it should be")
	}
	for _, p := range x.Patches {
		d.Human(p.label(), string(p.Decision.Outcome)+": "+p.says(p.Decision.Why), p.mark(ro)+": "+render.Visible(p.says(p.short())))
	}
}

// short is why, where the sentence of the rule stands above.
func (p *explainedPatch) short() string {
	d := p.Decision
	if d.Rule == 0 || d.Outcome == baseline.Unknown {
		return d.Why
	}
	return fmt.Sprintf("rule %d", d.Rule)
}

// label is the patch with its version.
func (p *explainedPatch) label() string {
	if v := versionOf(p.Patch); v != "" {
		return p.ID + " " + v
	}
	return p.ID
}

func (p *explainedPatch) mark(ro render.Options) string {
	return statusHuman(ro, string(p.Decision.Outcome), p.Days)
}

// says is the sentence about a patch, beginning with why.
func (p *explainedPatch) says(why string) string {
	d := p.Decision
	parts := []string{why}
	switch {
	case d.Outcome == baseline.Pending && p.Days != nil:
		parts = append(parts, fmt.Sprintf("released %s, %s left until %s", day(p.Released), cli.Plural(*p.Days, "day"), day(d.At)))
	case d.Outcome == baseline.Approved && d.Rule > 0 && !d.At.IsZero():
		parts = append(parts, fmt.Sprintf("released %s, approved since %s", day(p.Released), day(d.At)))
	}
	scan := "not in the last scan"
	if p.State != "" {
		scan = "the last scan says " + p.State
	}
	if p.Disagree {
		scan += ", which is not what the baseline says now"
	}
	parts = append(parts, scan)
	if p.Would != "" {
		parts = append(parts, "this would approve it: "+p.Would)
	}
	return strings.Join(parts, "; ")
}

func day(t time.Time) string {
	if t.IsZero() {
		return "on a day that is not known"
	}
	return t.UTC().Format(time.DateOnly)
}
