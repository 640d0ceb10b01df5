package compliance

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/commands/nodechoice"
	"github.com/ssmdeck/ssmdeck/internal/compliance"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/rawapi"
	"github.com/ssmdeck/ssmdeck/internal/render"
)

// putOptions are those of `compliance put`.
type putOptions struct {
	report compliance.Report
	items  []string
	file   string
	when   string
	dryRun bool
}

func newPutCmd(env *cli.Env) *cobra.Command {
	var o putOptions
	cmd := &cobra.Command{
		Use:   "put <node>",
		Short: "Report what a node complies with, of a type of your own",
		Long: `Report the items of a type of a node. They replace all items that the node had of this
type: leave one out, and it is gone; an empty file ([]) takes all away. What is there
is shown in the question that is asked before.

Items come from --item, or from a file in YAML or JSON, a list of

  - id: tls                      # what tells items apart
    title: TLS 1.2 or newer
    status: non-compliant        # or compliant
    severity: high               # critical, high, medium, low, informational, unspecified
    details: {Found: TLS 1.0}    # anything

A node can have 10 types of its own, and 10,000 items of one. --partial, with the
type Association, replaces the items of one association, whose compliance is reported
by hand.`,
		Example: `  $ ssmdeck compliance put web-1 --type Custom:Tls --item 'id=tls,title="TLS 1.2 or newer",status=compliant,severity=high'
  $ ssmdeck compliance put web-1 --type Custom:Cis --file report.yaml --execution-id run-42
  $ check-node | ssmdeck compliance put web-1 --type Custom:Cis --file - --yes`,
		Args:              cli.ExactArgs("the node"),
		ValidArgsFunction: nodechoice.CompleteNode(env),
		RunE: func(cmd *cobra.Command, args []string) error {
			return o.run(cmd.Context(), env, args[0])
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.report.Type, "type", "", "`type` of compliance: Custom:NAME, or Association")
	f.StringArrayVar(&o.items, "item", nil, "an `item`: id=…,title=…,status=…,severity=…,details={KEY=VALUE}; several make a list")
	f.StringVarP(&o.file, "file", "f", "", "items as YAML or JSON in this `file`, - for standard input")
	f.StringVar(&o.when, "executed", "", "`time` of the check, 2026-03-01T08:00:00Z; now when not given")
	f.StringVar(&o.report.ExecutionType, "execution-type", "", "`kind` of check, such as Command")
	f.StringVar(&o.report.ExecutionID, "execution-id", "", "`id` of the check, such as that of a command")
	f.BoolVar(&o.report.Partial, "partial", false, "replace the items of one association alone")
	f.BoolVar(&o.dryRun, "dry-run", false, "check, print what would be reported, and report nothing")
	cli.CompleteFlag(cmd, "type", func() []string { return []string{compliance.Custom, compliance.Association} })
	return cmd
}

// read makes the report of the flags and the file, with all faults at once.
func (o *putOptions) read(env *cli.Env) error {
	var faults []error
	switch {
	case o.report.Type == "":
		faults = append(faults, fault.Usagef("--type is missing").WithHint("for instance --type Custom:Tls"))
	case o.file != "" && len(o.items) > 0:
		return fault.Usagef("items come from --item or from --file, and both are given")
	case o.file == "" && len(o.items) == 0:
		return fault.Usagef("no item is given").WithHint("use --item, or --file; a file with [] takes all items away")
	}
	for _, text := range o.items {
		e, err := compliance.ParseEntry(text)
		if err != nil {
			faults = append(faults, err)
			continue
		}
		o.report.Items = append(o.report.Items, e)
	}
	if o.file != "" {
		data, err := env.ReadInput()(o.file)
		if err != nil {
			return err
		}
		if o.report.Items, err = compliance.ParseEntries(o.file, data); err != nil {
			faults = append(faults, err)
		}
	}
	o.report.Executed = time.Now()
	if o.when != "" {
		at, err := time.Parse(time.RFC3339, o.when)
		if err != nil {
			faults = append(faults, fault.Usagef("--executed %q is not a time", o.when).WithHint("write it as 2026-03-01T08:00:00Z"))
		}
		o.report.Executed = at
	}
	if o.report.Type != "" {
		faults = append(faults, o.report.Check()...)
	}
	return cli.AllFaults("compliance put", faults)
}

func (o *putOptions) run(ctx context.Context, env *cli.Env, expr string) error {
	ro, err := env.RenderOptions()
	if err != nil {
		return err
	}
	if err := o.read(env); err != nil {
		return err
	}
	op, err := rawapi.Find("PutComplianceItems")
	if err != nil {
		return err
	}
	if err := env.RefuseWrite(op, o.dryRun); err != nil {
		return err
	}
	node, err := nodechoice.FindNode(ctx, env, expr)
	if err != nil {
		return err
	}
	svc, err := openCompliance(ctx, env)
	if err != nil {
		return err
	}
	o.report.Node = node.ID
	had, err := complianceItems(ctx, svc, node.ID, compliance.Filter{})
	if err != nil {
		return err
	}
	if err := o.report.Fits(had); err != nil {
		return err
	}
	old := 0
	for _, item := range had {
		if item.Type == o.report.Type {
			old++
		}
	}
	if o.dryRun {
		env.Note("dry run: %s of %s not reported; the node has %d of %s", cli.Plural(len(o.report.Items), "item"), node, old, o.report.Type)
		return render.Object(env.Out, ro, o.report, func(d *render.Detail) { reportDetails(d, o.report) })
	}
	if o.report.Partial {
		old = min(old, len(o.report.Items)) // the items of other associations stay
	}
	if old > 0 {
		if err := env.Confirm(ctx, fmt.Sprintf("replace %s of %s on %s by %s", cli.Plural(old, "item"), o.report.Type, render.Visible(node.String()), cli.Plural(len(o.report.Items), "item"))); err != nil {
			return err
		}
	}
	if err := svc.Put(ctx, o.report); err != nil {
		return err
	}
	env.Note("%s of %s reported for %s", cli.Plural(len(o.report.Items), "item"), o.report.Type, render.Visible(node.String()))
	return nil
}

func reportDetails(d *render.Detail, r compliance.Report) {
	d.ID(r.Node)
	d.Field("Node", r.Node)
	d.Field("Type", r.Type)
	d.Field("Executed", render.Timestamp(r.Executed))
	for _, e := range r.Items {
		d.Section(e.ID)
		d.Field("Title", e.Title)
		d.Field("Status", e.Status)
		d.Field("Severity", e.Severity)
		for _, k := range slices.Sorted(maps.Keys(e.Details)) {
			d.Field(k, e.Details[k])
		}
	}
}
