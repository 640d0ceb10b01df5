package patch

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/internal/baseline"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/render"
)

// effectiveRow is a patch with what a baseline makes of it.
type effectiveRow struct {
	baseline.Patch
	Status   string    `json:"status"` // approved, pending, rejected, not covered, unknown
	Explicit bool      `json:"explicit"`
	Rule     int       `json:"rule,omitempty"`
	Level    string    `json:"level,omitempty"`
	At       time.Time `json:"approved_at,omitzero"`         // or will be
	Days     *int      `json:"days_left,omitempty"`          // until it is approved
	Why      string    `json:"why"`                          // as we read the rules
	Source   string    `json:"decided_by"`                   // service, ssmdeck
	Differs  bool      `json:"differs_from_rules,omitempty"` // the service says other than we read the rules
}

// effectiveStatuses are the words of --status.
var effectiveStatuses = []string{"approved", "pending", "rejected", "not-covered", "unknown"}

func newEffectiveCmd(env *cli.Env) *cobra.Command {
	var (
		os       osFlag
		o        catalogueChoice
		statuses []string
	)
	cmd := &cobra.Command{
		Use:   "effective <baseline>",
		Short: "List what a baseline approves now, approves later, and rejects",
		Long: `List the patches that a baseline approves, those that wait, with the days that are
left, and those it rejects. For Windows the service says so itself; for other systems
the rules are applied to the catalogue here, as they are documented: nodes decide by
their own repositories, which may hold more. Which of the two it was is said, and in
the field decided_by. What no rule covers is left out unless --status asks for it.`,
		Example: `  $ ssmdeck patch effective prod-al2023 --status pending
  $ ssmdeck patch effective AWS-DefaultPatchBaseline --product WindowsServer2022 --since 60d
  $ ssmdeck patch effective prod-al2023 --status not-covered --severity Critical`,
		Args: cli.ExactArgs("the baseline"), ValidArgsFunction: completeBaseline(env, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			system, err := os.parse()
			if err != nil {
				return err
			}
			return effective(cmd.Context(), env, args[0], system, &o, statuses)
		},
	}
	o.bind(cmd)
	os.bind(cmd, "where several have the name, that of this")
	cmd.Flags().StringSliceVar(&statuses, "status", nil, "only patches with this `status`: "+strings.Join(effectiveStatuses, ", "))
	cli.CompleteFlag(cmd, "status", func() []string { return effectiveStatuses })
	return cmd
}

func effective(ctx context.Context, env *cli.Env, word, os string, o *catalogueChoice, statuses []string) error {
	for _, s := range statuses {
		if !slices.Contains(effectiveStatuses, s) {
			return fault.Usagef("--status %q is no status of a patch", s).WithHint("there are %s", strings.Join(effectiveStatuses, ", "))
		}
	}
	ro, err := env.RenderOptions()
	if err != nil {
		return err
	}
	since, err := o.since.Time(ro.Now)
	if err != nil {
		return err
	}
	if os != "" {
		if _, err := o.query(os); err != nil {
			return err
		}
	}
	if err := effectiveTable(ro).Check(ro); err != nil {
		return err
	}
	svc, err := openBaselines(ctx, env)
	if err != nil {
		return err
	}
	b, err := svc.Read(ctx, word, os)
	if err != nil {
		return err
	}
	if _, err := o.query(b.OS); err != nil {
		return err
	}
	rows, err := effectiveRows(ctx, env, svc, &b, o, ro.Now, slices.Contains(statuses, "not-covered"))
	if err != nil {
		return err
	}
	rows = slices.DeleteFunc(rows, func(r effectiveRow) bool {
		status := strings.ReplaceAll(r.Status, " ", "-")
		return !o.match(r.Patch, since) || len(statuses) > 0 && !slices.Contains(statuses, status) || len(statuses) == 0 && status == "not-covered"
	})
	newestFirst(rows, func(r effectiveRow) baseline.Patch { return r.Patch })
	return cli.WriteList(env, effectiveTable, ro, rows)
}

func effectiveRows(ctx context.Context, env *cli.Env, svc *baseline.Service, b *baseline.Baseline, o *catalogueChoice, now time.Time, uncovered bool) ([]effectiveRow, error) {
	var rows []effectiveRow
	if baseline.HasEffective(b.OS) && !uncovered {
		differ := 0
		for e, err := range svc.Effective(ctx, b.ID) {
			if err != nil {
				return nil, err
			}
			r := serviceSays(e, baseline.Decide(b, e.Patch, now), now)
			if r.Differs {
				differ++
			}
			rows = append(rows, r)
		}
		env.Note("ssmdeck: the service says what %s makes of each patch", b.Label())
		if differ > 0 {
			env.Note("ssmdeck: warning: of %s the service says other than the documented rules (differs_from_rules)", cli.Plural(differ, "patch"))
		}
		return rows, nil
	}
	q, err := o.query(b.OS)
	if err != nil {
		return nil, err
	}
	products := o.products
	if len(products) == 0 {
		products = b.Narrow()
	}
	list, err := svc.Catalogue(ctx, b.OS, products, q)
	if err != nil {
		return nil, err
	}
	for _, p := range list {
		rows = append(rows, weSay(p, baseline.Decide(b, p, now), now))
	}
	env.Note("ssmdeck: the rules of %s were applied here to the %d patches of the catalogue; nodes decide by their own repositories", b.Label(), len(list))
	return rows, nil
}

// serviceSays is the row of a patch of which the service tells the status.
func serviceSays(e baseline.Effective, d baseline.Decision, now time.Time) effectiveRow {
	status := map[string]baseline.Outcome{
		"APPROVED": baseline.Approved, "EXPLICIT_APPROVED": baseline.Approved, "PENDING_APPROVAL": baseline.Pending, "EXPLICIT_REJECTED": baseline.Rejected,
	}[e.Status]
	r := effectiveRow{
		Patch: e.Patch, Status: string(status), Explicit: strings.HasPrefix(e.Status, "EXPLICIT"), Level: e.Level, At: e.At, Source: "service",
		Rule: d.Rule, Why: d.Why, Differs: d.Outcome != status && d.Outcome != baseline.Unknown,
	}
	if status == "" {
		r.Status = strings.ToLower(e.Status)
	}
	if r.Differs {
		r.Rule, r.Why = 0, "by the documented rules it is "+string(d.Outcome)+": "+d.Why
	}
	r.wait(now)
	return r
}

// weSay is the row of a patch that was decided here.
func weSay(p baseline.Patch, d baseline.Decision, now time.Time) effectiveRow {
	r := effectiveRow{Patch: p, Status: string(d.Outcome), Explicit: d.Entry != "", Rule: d.Rule, Level: d.Level, At: d.At, Why: d.Why, Source: "ssmdeck"}
	r.wait(now)
	return r
}

// wait says how many days are left of a patch that waits: begun ones count.
func (r *effectiveRow) wait(now time.Time) {
	if r.Status == string(baseline.Pending) && !r.At.IsZero() {
		r.Days = baseline.Days(daysLeft(r.At.Sub(now)))
	}
}

func daysLeft(d time.Duration) int {
	const day = 24 * time.Hour
	return max(0, int((d+day-1)/day))
}

func statusHuman(o render.Options, status string, days *int) string {
	switch baseline.Outcome(status) {
	case baseline.Approved:
		return o.Styles.Good.Render(status)
	case baseline.Pending:
		if days != nil {
			status = fmt.Sprintf("in %s", cli.Plural(*days, "day"))
		}
		return o.Styles.Warn.Render(status)
	case baseline.Rejected:
		return o.Styles.Bad.Render(status)
	case baseline.NotCovered, baseline.Unknown:
	}
	return o.Styles.Dim.Render(render.Visible(status))
}

func effectiveTable(o render.Options) render.Table[effectiveRow] {
	of := func(r effectiveRow) baseline.Patch { return r.Patch }
	columns := append(cells(o, of),
		render.Column[effectiveRow]{
			Name: "STATUS", Text: func(r effectiveRow) string { return r.Status },
			Human: func(r effectiveRow) string { return statusHuman(o, r.Status, r.Days) },
		},
		render.Column[effectiveRow]{Name: "BY", Text: func(r effectiveRow) string {
			switch {
			case r.Explicit:
				return "list"
			case r.Rule > 0:
				return "rule " + strconv.Itoa(r.Rule)
			}
			return ""
		}},
		render.Column[effectiveRow]{Name: "LEVEL", Wide: true, Text: func(r effectiveRow) string { return r.Level }},
		render.Column[effectiveRow]{Name: "APPROVED AT", Wide: true, Text: func(r effectiveRow) string { return render.Timestamp(r.At) }},
		render.Column[effectiveRow]{Name: "WHY", Wide: true, Text: func(r effectiveRow) string { return r.Why }},
	)
	return render.Table[effectiveRow]{ID: func(r effectiveRow) string { return r.ID }, Empty: "there is no such patch", Columns: append(columns, moreCells(of, true)...)}
}
