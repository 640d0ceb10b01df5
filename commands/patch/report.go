package patch

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/commands/junit"
	"github.com/ssmdeck/ssmdeck/commands/nodechoice"
	"github.com/ssmdeck/ssmdeck/internal/config"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/fleet"
	"github.com/ssmdeck/ssmdeck/internal/history"
	"github.com/ssmdeck/ssmdeck/internal/patch"
	"github.com/ssmdeck/ssmdeck/internal/patchreport"
	"github.com/ssmdeck/ssmdeck/internal/render"
)

// reportOptions are those of `patch report`.
type reportOptions struct {
	nodes  nodechoice.Scanned
	gate   patchGate
	by     string
	format string
	out    string
	title  string
	force  bool

	scope string // of the history
	asked string // which nodes are meant, as it was typed
}

// reportDimensions are what the rows of a report are.
var reportDimensions = []patch.Dimension{
	patch.ByGroup, patch.ByNode, patch.ByLevel, patch.BySeverity, patch.ByClassification, patch.ByPatch, patch.ByCVE, patch.ByBaseline, patch.ByPlatform, patch.ByAge,
}

// reportFormats are the formats of --format, beside those of -o, with the ends of
// file names that mean them.
var reportFormats = map[string]render.Format{
	".html": render.FormatHTML, ".htm": render.FormatHTML, ".md": render.FormatMarkdown, ".markdown": render.FormatMarkdown, ".xml": render.FormatJUnit,
	".csv": render.FormatCSV, ".json": render.FormatJSON, ".jsonl": render.FormatJSONL, ".yaml": render.FormatYAML, ".yml": render.FormatYAML, ".txt": render.FormatText,
}

func newReportCmd(env *cli.Env) *cobra.Command {
	o := reportOptions{by: string(patch.ByGroup)}
	cmd := &cobra.Command{
		Use:   "report [<target>...]",
		Short: "A report to keep: HTML with charts, Markdown, JUnit, CSV, JSON",
		Long: `Write a report on the patching of nodes, of several accounts and Regions too. Without
a target it is about every managed node, online or not.

  html      a page that needs nothing but itself: charts, the trend, every node;
            no script, no link. It prints well
  markdown  the same as text, for a ticket or a wiki
  junit     a test for each node, for CI systems
  csv       the rows that --by names; table, text and jsonl do the same
  json      everything at once; yaml does the same

Without -o or --format the end of the file's name after --out says it. A file is written
as a whole or not at all, for its owner alone, and never over another one without
--force.

--by patch, cve, severity and classification read the patches of the nodes, and put
them into the page, too. The trend is what earlier looks from this machine at the same
nodes have counted (see ` + "`ssmdeck patch history`" + `).

What could not be read is said at the head of the report, and the exit code is 6.`,
		Example: `  $ ssmdeck patch report --out patching.html
  $ ssmdeck patch report --tag env=prod --by patch --title "Production, March" --out march.html
  $ ssmdeck patch report --accounts org --all-regions --format html --out all.html
  $ ssmdeck patch report --by node -o csv > nodes.csv
  $ ssmdeck patch report --tag env=prod --format junit --fail-on critical --out patching.xml`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.parse(args); err != nil {
				return err
			}
			return o.run(cmd.Context(), env)
		},
	}
	o.nodes.Bind(env, cmd)
	bindNoHistory(&o.nodes, cmd)
	o.gate.bind(cmd)
	f := cmd.Flags()
	f.StringVar(&o.by, "by", o.by, "what the rows are: a `dimension` among "+reportWords())
	f.StringVar(&o.format, "format", "", "the `format`, as -o takes it: html, markdown, junit, csv, json, …")
	f.StringVar(&o.out, "out", "", "write to this `file`")
	f.StringVar(&o.title, "title", "Patch compliance", "`title` of the page")
	f.BoolVar(&o.force, "force", false, "replace the file if it exists")
	cli.CompleteFlag(cmd, "by", func() []string { return strings.Split(reportWords(), ", ") })
	cli.CompleteFlag(cmd, "format", func() []string { return []string{"html", "markdown", "junit", "csv", "json", "jsonl", "yaml", "text"} })
	return cli.Spans(cmd)
}

func reportWords() string {
	words := make([]string, len(reportDimensions))
	for i, d := range reportDimensions {
		words[i] = string(d)
	}
	return strings.Join(words, ", ")
}

func (o *reportOptions) parse(args []string) error {
	if !slices.Contains(reportDimensions, patch.Dimension(o.by)) {
		err := fault.Usagef("--by %q is no dimension", o.by)
		if near := fault.Nearest(o.by, strings.Split(reportWords(), ", ")); near != "" {
			return err.WithHint("did you mean --by %s?", near)
		}
		return err.WithHint("use: %s", reportWords())
	}
	if err := o.nodes.Parse(args); err != nil {
		return err
	}
	o.scope = scope(&o.nodes, args)
	words := slices.Concat(args, o.nodes.Choice.Targets)
	for _, t := range o.nodes.Choice.Tags {
		words = append(words, "tag:"+t)
	}
	if f := o.nodes.Choice.Filter; f != "" {
		words = append(words, "where "+f)
	}
	o.asked = cmp.Or(strings.Join(words, " "), "every managed node")
	return o.gate.check()
}

// rendering is how the report is written, checked before any call.
func (o *reportOptions) rendering(env *cli.Env) (render.Options, error) {
	ro, err := env.RenderOptions()
	if err != nil {
		return ro, err
	}
	typed := env.Flags.Typed()[config.Output] != ""
	switch f := o.format; {
	case f != "" && typed && render.Format(f) != ro.Format:
		return ro, fault.Usagef("--format %s and -o %s contradict each other", f, ro.Format).WithHint("leave one of them out")
	case f != "":
		if ro.Format, err = render.ParseFormat(f); err != nil {
			return ro, fault.Usagef("--format %q is none", f).WithHint("use html, markdown, junit, csv, json, jsonl, yaml or text")
		}
	case o.out != "" && !typed:
		end := strings.ToLower(filepath.Ext(o.out))
		if ro.Format = reportFormats[end]; ro.Format == "" {
			return ro, fault.Usagef("--out %s does not say which format is wanted", o.out).WithHint("add --format html, or use a name that ends in .html, .md, .xml, .csv or .json")
		}
	}
	if o.out != "" {
		ro.Width = 0 // a file is no terminal
		if err := o.file().Check(); err != nil {
			return ro, err
		}
	}
	switch ro.Format {
	case render.FormatHTML, render.FormatMarkdown, render.FormatJUnit:
		if ro.Query != "" || len(ro.Columns) > 0 || ro.SortBy != "" || ro.Limit > 0 {
			return ro, fault.Usagef("-o %s is the whole report: it takes neither --query, --columns, --sort-by nor --limit", ro.Format)
		}
		return ro, nil
	case render.FormatJSON, render.FormatYAML:
		return ro, nil
	}
	switch by := patch.Dimension(o.by); {
	case o.patches():
		return ro, tallyTable(ro, by).Check(ro)
	case by == patch.ByNode:
		return ro, reportNodeTable(ro, true).Check(ro)
	case by == patch.ByLevel:
		return ro, levelTable(ro).Check(ro)
	default:
		return ro, sliceTable(ro, by).Check(ro)
	}
}

// patches reports whether single patches must be read.
func (o *reportOptions) patches() bool {
	switch patch.Dimension(o.by) {
	case patch.BySeverity, patch.ByClassification, patch.ByPatch, patch.ByCVE:
		return true
	}
	return false
}

// file is where the report is written to, for its owner alone.
func (o *reportOptions) file() cli.OutputFile {
	return cli.OutputFile{Flag: "out", Path: o.out, Force: o.force, Mode: 0o600}
}

// patched is what was read in one place.
type patched struct {
	look
	nodes []patch.NodePatches
}

func (o *reportOptions) run(ctx context.Context, env *cli.Env) error {
	ro, err := o.rendering(env)
	if err != nil {
		return err
	}
	found, incomplete := everyPlace(ctx, env, func(ctx context.Context, env *cli.Env) (patched, error, error) {
		l, err := read(ctx, &o.nodes, env, fleet.PartEC2|fleet.PartTags)
		if err != nil {
			return patched{}, nil, err
		}
		noteReport(env, l.report)
		keep(ctx, &o.nodes, env, l, o.scope)
		o.gate.add(l.report.Total)
		out, partial := patched{look: l}, l.partial
		if o.patches() {
			var unread error
			if out.nodes, unread, err = reading(ctx, env, l.report.Nodes, patch.Wanted{CVEs: o.by == string(patch.ByCVE) || o.by == string(patch.ByPatch), Whole: o.nodes.Whole()}); err != nil {
				return patched{}, nil, err
			}
			partial = errors.Join(partial, unread)
		}
		return out, partial, nil
	})
	if found == nil {
		return incomplete
	}
	r := o.report(env, found)
	if o.patches() {
		noteUnseen(env, rowsOf(r))
	}
	if err := o.deliver(env, ro, r); err != nil {
		return err
	}
	return o.gate.end(env, "patch report", incomplete)
}

// report puts together what was found, with what the history has.
func (o *reportOptions) report(env *cli.Env, found []placed[patched]) *patchreport.Report {
	var looks []history.Look
	if store, err := lookStore(env); err == nil && !o.nodes.NoHistory && env.Local == nil {
		if looks, _, err = store.Looks(); err != nil {
			env.Note("ssmdeck: warning: there is no trend: %v", err)
		}
	}
	var places []patchreport.Place
	var patches []patch.NodePatches
	for _, f := range found {
		p := patchreport.Place{Account: f.account, Region: f.region, Rows: f.value.report.Nodes}
		if f.failure != nil {
			p.Failure = f.failure.Error()
		}
		p.Looks = history.Latest(looks, len(looks), history.Look{Account: f.account, Region: f.region, Scope: o.scope}.Same)
		places, patches = append(places, p), append(patches, f.value.nodes...)
	}
	r := patchreport.New(o.title, "ssmdeck "+env.Build.Version, o.asked, places, time.Now())
	if o.patches() {
		r.By = patch.Dimension(o.by)
		r.Patches = patch.Tallies(patches, r.By, r.Made)
	}
	return r
}

func rowsOf(r *patchreport.Report) []patch.Row {
	rows := make([]patch.Row, len(r.Nodes))
	for i, n := range r.Nodes {
		rows[i] = n.Row
	}
	return rows
}

// deliver writes the report to where it was asked for.
func (o *reportOptions) deliver(env *cli.Env, ro render.Options, r *patchreport.Report) error {
	if o.out == "" {
		return o.write(env.Out, ro, r)
	}
	var b bytes.Buffer
	if err := o.write(&b, ro, r); err != nil {
		return err
	}
	if err := o.file().Write(b.Bytes()); err != nil {
		return err
	}
	env.Note("ssmdeck: wrote %s", render.Visible(o.out))
	return nil
}

// write writes the report in its format.
func (o *reportOptions) write(w io.Writer, ro render.Options, r *patchreport.Report) error {
	switch ro.Format {
	case render.FormatHTML:
		return r.HTML(w)
	case render.FormatMarkdown:
		return r.Markdown(w)
	case render.FormatJUnit:
		return reportJUnit(r).Write(w)
	case render.FormatJSON, render.FormatYAML:
		return render.Object(w, ro, r, nil)
	}
	switch by := patch.Dimension(o.by); by {
	case patch.ByNode:
		return reportNodeTable(ro, len(r.Places) > 1).Write(w, ro, cli.Each(r.Nodes))
	case patch.ByGroup:
		return sliceTable(ro, by).Write(w, ro, cli.Each(r.Groups))
	case patch.ByBaseline:
		return sliceTable(ro, by).Write(w, ro, cli.Each(r.Baselines))
	case patch.ByPlatform:
		return sliceTable(ro, by).Write(w, ro, cli.Each(r.Platforms))
	case patch.ByAge:
		return sliceTable(ro, by).Write(w, ro, cli.Each(r.Ages))
	case patch.ByLevel:
		return levelTable(ro).Write(w, ro, cli.Each(r.Levels))
	default:
		return tallyTable(ro, by).Write(w, ro, cli.Each(r.Patches))
	}
}

// reportNodeTable is one line for each node, with its place where there are several.
func reportNodeTable(ro render.Options, several bool) render.Table[patchreport.Node] {
	var front []render.Column[patchreport.Node]
	if several {
		front = []render.Column[patchreport.Node]{
			{Name: "ACCOUNT", Text: func(n patchreport.Node) string { return n.Account }},
			{Name: "REGION", Text: func(n patchreport.Node) string { return n.Region }},
		}
	}
	return render.Wrap(rowTable(ro), func(n patchreport.Node) patch.Row { return n.Row }, front...)
}

// reportJUnit is a suite for each place and patch group, and a case for each node.
// A node that was never scanned fails: nobody knows that it is well. A place of which
// not everything could be read is an error of its own.
func reportJUnit(r *patchreport.Report) junit.Suites {
	all := junit.Suites{Suites: []junit.Suite{}}
	at := map[string]int{}
	for _, p := range r.Places {
		if p.Failure != "" {
			all.Suites = append(all.Suites, junit.Suite{Name: p.String(), Tests: 1, Errors: 1, Cases: []junit.Case{
				{Class: p.String(), Name: "read", Error: &junit.Message{Message: p.Failure, Type: "unread"}},
			}})
		}
	}
	for _, n := range r.Nodes {
		name := n.Account + "/" + n.Region + "/" + cmp.Or(n.Group, "no group")
		i, seen := at[name]
		if !seen {
			i = len(all.Suites)
			at[name] = i
			all.Suites = append(all.Suites, junit.Suite{Name: name})
		}
		s := &all.Suites[i]
		k := junit.Case{Class: name, Name: cmp.Or(n.Name, n.ID) + " (" + n.ID + ")"}
		s.Tests++
		switch n.Status {
		case patch.Compliant:
			k.Out = "compliant at the scan of " + render.Timestamp(n.Scanned)
		case patch.Unknown:
			s.Errors++
			k.Error = &junit.Message{Message: "the patch state could not be read", Type: string(n.Status)}
		case patch.NeverScanned:
			s.Failures++
			k.Failure = &junit.Message{Message: "never scanned", Type: string(n.Status)}
		default:
			s.Failures++
			k.Failure = &junit.Message{Message: n.Wrong(), Type: string(n.Status), Text: "scanned " + render.Timestamp(n.Scanned)}
		}
		s.Cases = append(s.Cases, k)
	}
	return all
}
