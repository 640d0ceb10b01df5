package patch

import (
	"context"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/internal/baseline"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/render"
)

// catalogueChoice are the flags that choose patches of the catalogue.
type catalogueChoice struct {
	products, classes, severities, cves, patches []string
	since                                        cli.SinceFlag
}

func (o *catalogueChoice) bind(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringSliceVar(&o.products, "product", nil, "only patches for these `products`, such as AmazonLinux2023, WindowsServer2022")
	f.StringSliceVar(&o.classes, "classification", nil, "only patches of these `classifications`")
	f.StringSliceVar(&o.severities, "severity", nil, "only patches of these `severities`")
	f.StringSliceVar(&o.cves, "cve", nil, "only patches for these `CVEs`")
	f.StringSliceVar(&o.patches, "patch", nil, "only these `patches`: KB numbers or packages")
	o.since.Bind(cmd, "patches released")
}

// query is what the service filters; what it has no filter for, match does. The words
// are held against what is documented for the system, before any call.
func (o *catalogueChoice) query(os string) (baseline.CatalogueQuery, error) {
	severity := "SEVERITY"
	if !slices.Contains(baseline.Keys(os), severity) {
		severity = "PRIORITY"
		if os == "WINDOWS" {
			severity = "MSRC_SEVERITY"
		}
	}
	for _, c := range []struct {
		flag, key string
		values    []string
	}{{"--product", "PRODUCT", o.products}, {"--classification", "CLASSIFICATION", o.classes}, {"--severity", severity, o.severities}} {
		if err := baseline.Fault("", baseline.CheckValues(os, c.flag, c.key, c.values)); err != nil {
			return nil, err
		}
	}
	for _, cve := range o.cves {
		if !baseline.IsCVE(cve) {
			return nil, fault.Usagef("--cve %q is no CVE", cve).WithHint("write it as CVE-2026-1234")
		}
	}
	q := baseline.CatalogueQuery{}
	if os == "WINDOWS" {
		q["CLASSIFICATION"], q["MSRC_SEVERITY"], q["PATCH_ID"] = o.classes, o.severities, o.patches
		return q, nil
	}
	q["NAME"] = o.patches
	if severity == "SEVERITY" {
		q["SEVERITY"] = o.severities
	}
	for _, cve := range o.cves {
		q["CVE_ID"] = append(q["CVE_ID"], strings.ToUpper(cve))
	}
	return q, nil
}

// match applies all of the choice.
func (o *catalogueChoice) match(p baseline.Patch, since time.Time) bool {
	any := func(words []string, of ...string) bool {
		return len(words) == 0 || slices.ContainsFunc(words, func(w string) bool {
			return slices.ContainsFunc(of, func(s string) bool { return strings.EqualFold(s, w) })
		})
	}
	return any(o.products, p.Product) && any(o.classes, p.Classification) && any(o.severities, p.Severity) && any(o.cves, p.CVEs...) &&
		any(o.patches, p.ID, p.Name) && (since.IsZero() || !p.Released.Before(since))
}

func newAvailableCmd(env *cli.Env) *cobra.Command {
	var (
		os osFlag
		o  catalogueChoice
	)
	cmd := &cobra.Command{
		Use:   "available --os <system>",
		Short: "List the patches that there are for an operating system",
		Long: `List the patches that the service knows for an operating system, newest first:
whether a baseline approves them is shown by ssmdeck patch effective. The service has
such a catalogue for Windows Server and Amazon Linux; for other systems nodes ask
their repositories, and the list may be empty.`,
		Example: `  $ ssmdeck patch available --os windows --product WindowsServer2022 --since 30d
  $ ssmdeck patch available --os al2023 --severity Critical,Important -o json
  $ ssmdeck patch available --os al2 --cve CVE-2026-2001`,
		Args: cli.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			system, err := os.parse()
			if err != nil {
				return err
			}
			if system == "" {
				return fault.Usagef("%s: missing --os", cmd.CommandPath()).WithHint("name the operating system, such as --os al2023")
			}
			return available(cmd.Context(), env, &o, system)
		},
	}
	os.bind(cmd, "patches for this")
	o.bind(cmd)
	return cli.Spans(cmd)
}

func available(ctx context.Context, env *cli.Env, o *catalogueChoice, os string) error {
	ro, err := env.RenderOptions()
	if err != nil {
		return err
	}
	since, err := o.since.Time(ro.Now)
	if err != nil {
		return err
	}
	q, err := o.query(os)
	if err != nil {
		return err
	}
	if err := cli.CheckGridTable(env, availableTable, ro); err != nil {
		return err
	}
	return cli.WriteGrid(ctx, env, availableTable, ro, func(ctx context.Context, env *cli.Env) (iter.Seq2[baseline.Patch, error], error) {
		svc, err := openBaselines(ctx, env)
		if err != nil {
			return nil, err
		}
		list, err := svc.Catalogue(ctx, os, o.products, q)
		if err != nil {
			return nil, err
		}
		list = slices.DeleteFunc(list, func(p baseline.Patch) bool { return !o.match(p, since) })
		newestFirst(list, func(p baseline.Patch) baseline.Patch { return p })
		return cli.Each(list), nil
	})
}

// newestFirst orders by release, then by id.
func newestFirst[T any](list []T, of func(T) baseline.Patch) {
	slices.SortStableFunc(list, func(a, b T) int {
		x, y := of(a), of(b)
		if c := y.Released.Compare(x.Released); c != 0 {
			return c
		}
		return render.NaturalCompare(x.Key()+x.Product, y.Key()+y.Product)
	})
}

// cells are the columns that tables of patches begin with.
func cells[T any](o render.Options, of func(T) baseline.Patch) []render.Column[T] {
	return []render.Column[T]{
		{Name: "PATCH", ID: true, Text: func(r T) string { return of(r).ID }},
		{Name: "VERSION", Text: func(r T) string { return versionOf(of(r)) }},
		{Name: "CLASSIFICATION", Text: func(r T) string { return of(r).Classification }},
		{
			Name: "SEVERITY", Text: func(r T) string { return of(r).Severity },
			Human: func(r T) string { return severityHuman(o, of(r).Severity) },
			Less:  func(a, b T) bool { return severityRank(of(a).Severity) < severityRank(of(b).Severity) },
		},
		{
			Name: "RELEASED", Text: func(r T) string { return render.Timestamp(of(r).Released) },
			Human: func(r T) string { return render.Ago(o.Now, of(r).Released) },
			Less:  func(a, b T) bool { return of(a).Released.Before(of(b).Released) },
		},
	}
}

func versionOf(p baseline.Patch) string {
	if p.Release == "" {
		return p.Version
	}
	return p.Version + "-" + p.Release
}

// severityRank puts the worst first.
func severityRank(s string) int {
	i := slices.Index([]string{"critical", "important", "required", "moderate", "medium", "standard", "low", "optional", "extra"}, strings.ToLower(s))
	if i < 0 {
		return 99
	}
	return i
}

func severityHuman(o render.Options, s string) string {
	switch severityRank(s) {
	case 0:
		return o.Styles.Bad.Render(render.Visible(s))
	case 1:
		return o.Styles.Warn.Render(render.Visible(s))
	}
	return render.Visible(s)
}

func availableTable(o render.Options) render.Table[baseline.Patch] {
	self := func(p baseline.Patch) baseline.Patch { return p }
	return render.Table[baseline.Patch]{
		ID: func(p baseline.Patch) string { return p.ID }, Empty: "there is no such patch",
		Columns: append(cells(o, self), moreCells(self, false)...),
	}
}

// moreCells are the columns that tables of patches end with; the product is one of
// the wide ones where others matter more.
func moreCells[T any](of func(T) baseline.Patch, wideProduct bool) []render.Column[T] {
	return []render.Column[T]{
		{Name: "PRODUCT", Wide: wideProduct, Text: func(r T) string { return of(r).Product }},
		{
			Name: "CVES", Wide: true, Text: func(r T) string { return strings.Join(of(r).CVEs, ",") },
			Human: func(r T) string { return render.Visible(cli.SomeOf(of(r).CVEs, 2)) },
		},
		{Name: "TITLE", Wide: true, Text: func(r T) string { return of(r).Title }},
		{Name: "ADVISORIES", Wide: true, Text: func(r T) string { return strings.Join(of(r).Advisories, ",") }},
		{Name: "REPOSITORY", Wide: true, Text: func(r T) string { return of(r).Repository }},
		{Name: "URL", Wide: true, Text: func(r T) string { return of(r).URL }},
	}
}
