package metrics

import (
	_ "embed"
	"strconv"
	"strings"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/pattern"
)

// The template and the runbook in it, with places for what is chosen.
var (
	//go:embed scaffold.yaml
	scaffold string
	//go:embed runbook.yaml
	runbook string
)

// Schedule is what publishes on a schedule inside the account.
type Schedule struct {
	Namespace  string
	Expression string // of EventBridge: rate(1 hour), cron(0 6 * * ? *)
	Groups     int    // so many patch groups have metrics of their own
}

var expressions = pattern.Lazy(`^(rate\((1 (minute|hour|day)|([2-9]|[1-9][0-9]+) (minutes|hours|days))\)|cron\([^ ()]+( [^ ()]+){5}\))$`)

// Check refuses what the template could not hold.
func (s Schedule) Check() error {
	if !expressions().MatchString(s.Expression) {
		return fault.Usagef("--schedule %q is no schedule of EventBridge", s.Expression).
			WithHint("write rate(1 hour), rate(6 hours) or cron(0 6 * * ? *); cron has six fields, and its times are UTC")
	}
	if strings.HasPrefix(s.Expression, "cron(") {
		fields := strings.Fields(strings.TrimSuffix(strings.TrimPrefix(s.Expression, "cron("), ")"))
		if (fields[2] == "?") == (fields[4] == "?") {
			return fault.Usagef("--schedule %q: exactly one of day of month and day of week is ?", s.Expression).WithHint("for instance cron(0 6 * * ? *) or cron(0 6 ? * MON *)")
		}
	}
	return CheckNamespace(s.Namespace)
}

// Runbook is the Automation runbook, as YAML.
func (s Schedule) Runbook() string { return s.fill(runbook) }

// Template is the template of CloudFormation, as YAML: the runbook, what starts it,
// and two roles with what they need and no more.
func (s Schedule) Template() string {
	var lines strings.Builder
	for line := range strings.Lines(s.Runbook()) {
		if strings.TrimSpace(line) != "" {
			lines.WriteString("        ")
		}
		lines.WriteString(line)
	}
	return strings.Replace(s.fill(scaffold), "{{runbook}}", strings.TrimRight(lines.String(), "\n"), 1)
}

func (s Schedule) fill(text string) string {
	return strings.NewReplacer("{{namespace}}", s.Namespace, "{{schedule}}", s.Expression, "{{groups}}", strconv.Itoa(s.Groups),
		"{{metrics}}", strconv.Itoa(len(Metrics()))).Replace(text)
}
