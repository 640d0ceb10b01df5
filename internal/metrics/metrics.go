// Package metrics publishes numbers of patching to CloudWatch, and keeps the alarms
// on them: Patch Manager publishes none itself.
package metrics

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/ssmdeck/ssmdeck/internal/awsapi"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/patch"
	"github.com/ssmdeck/ssmdeck/internal/pattern"
)

// Namespace is where the metrics are when nothing else is said.
const Namespace = "SSMDeck/Patch"

// GroupDimension tells the numbers of a patch group from those of all nodes, which
// have no dimension.
const GroupDimension = "PatchGroup"

// NoGroup is the value of GroupDimension for nodes in no patch group.
const NoGroup = "(none)"

// Limits of CloudWatch (API reference, PutMetricData and Dimension).
const (
	putItems          = 1000 // of one PutMetricData
	maxNamespace      = 255
	maxDimensionValue = 1024
)

// Metric is a number that is published.
type Metric struct {
	Name string
	What string // in a few words
	of   func(c patch.Counts, now time.Time) float64
}

// Metrics are all of them.
func Metrics() []Metric {
	count := func(f func(patch.Counts) int) func(patch.Counts, time.Time) float64 {
		return func(c patch.Counts, _ time.Time) float64 { return float64(f(c)) }
	}
	return []Metric{
		{"Nodes", "managed nodes", count(func(c patch.Counts) int { return c.Nodes })},
		{"NonCompliantNodes", "nodes that are not as their baseline wants them", count(func(c patch.Counts) int { return c.NonCompliant })},
		{"CriticalMissing", "nodes that lack critical patches", count(func(c patch.Counts) int { return c.WithCritical })},
		{"SecurityMissing", "nodes that lack security patches", count(func(c patch.Counts) int { return c.WithSecurity })},
		{"FailedNodes", "nodes where a patch failed", count(func(c patch.Counts) int { return c.WithFailed })},
		{"PendingReboot", "nodes that wait for a reboot", count(func(c patch.Counts) int { return c.WithPendingReboot })},
		{"NeverScanned", "nodes that were never scanned", count(func(c patch.Counts) int { return c.NeverScanned })},
		{"OldestScanHours", "age of the oldest scan in hours", func(c patch.Counts, now time.Time) float64 {
			if c.Oldest.IsZero() {
				return 0
			}
			return max(0, math.Round(now.Sub(c.Oldest).Hours()*10)/10)
		}},
	}
}

// Names are the names of the metrics.
func Names() []string {
	var names []string
	for _, m := range Metrics() {
		names = append(names, m.Name)
	}
	return names
}

// CheckMetric refuses a name that is none of Metrics, in any case of letters, and
// returns how it is written.
func CheckMetric(name string) (string, error) {
	for _, known := range Names() {
		if strings.EqualFold(name, known) {
			return known, nil
		}
	}
	err := fault.Usagef("--metric %q is none that is published", name)
	if near := fault.Nearest(name, Names()); near != "" {
		return "", err.WithHint("did you mean %s?", near)
	}
	return "", err.WithHint("use: %s", strings.Join(Names(), ", "))
}

// Datum is one value of a metric. The JSON names are part of the output contract.
type Datum struct {
	Metric string    `json:"metric"`
	Group  string    `json:"patch_group,omitempty"` // empty: of all nodes
	Value  float64   `json:"value"`
	Unit   string    `json:"unit"` // Count or None
	At     time.Time `json:"time"`
}

// Data are the values of all metrics for all nodes, and for the worst patch groups,
// most of them; omitted is how many groups were left out. Each group costs a custom
// metric for every name, so they are bounded.
func Data(total patch.Counts, groups []patch.Slice, most int, now time.Time) (data []Datum, omitted int) {
	at := now.UTC().Truncate(time.Second)
	add := func(group string, c patch.Counts) {
		for _, m := range Metrics() {
			unit := types.StandardUnitCount
			if m.Name == "OldestScanHours" {
				unit = types.StandardUnitNone
			}
			data = append(data, Datum{Metric: m.Name, Group: group, Value: m.of(c, now), Unit: string(unit), At: at})
		}
	}
	add("", total)
	if len(groups) == 1 && groups[0].Key == "" {
		return data, 0 // there are no groups: the same numbers once more
	}
	for i, g := range groups {
		if i >= most {
			return data, len(groups) - most
		}
		add(GroupValue(g.Key), g.Counts)
	}
	return data, 0
}

// GroupValue is a patch group as the value of a dimension: those take ASCII only, and
// something at all, so other characters are written as \u and their number. The
// runbook of Schedule does the same.
func GroupValue(group string) string {
	var b strings.Builder
	for _, r := range group {
		if r >= ' ' && r <= '~' && r != '"' && r != '\\' {
			b.WriteRune(r)
			continue
		}
		fmt.Fprintf(&b, `\u%04x`, r)
	}
	v := b.String()
	switch {
	case strings.TrimSpace(v) == "":
		return NoGroup
	case strings.HasPrefix(v, ":"):
		v = `\u003a` + v[1:]
	}
	return v[:min(len(v), maxDimensionValue)]
}

var namespaces = pattern.Lazy(`^[A-Za-z0-9._/#:\-]+$`)

// CheckNamespace refuses what PutMetricData would refuse.
func CheckNamespace(s string) error {
	switch {
	case s == "" || len(s) > maxNamespace || !namespaces().MatchString(s) || strings.HasPrefix(s, ":"):
		return fault.Usagef("--namespace %q is not a namespace of metrics", s).
			WithHint("use letters, digits, and . - _ / # :, up to 255 of them, and no : in front; for instance %s", Namespace)
	case strings.HasPrefix(s, "AWS/"):
		return fault.Usagef("--namespace %s is reserved: AWS/ is for the services themselves", s).WithHint("leave it out for %s", Namespace)
	}
	return nil
}

// Service works in one account and Region. It keeps nothing.
type Service struct{ api api }

// New returns a Service for the account of cfg.
func New(cfg aws.Config) *Service { return &Service{cloudwatch.NewFromConfig(cfg)} }

// Publish sends data, a thousand values a call, and returns how many of them were
// sent: with an error, the rest was not.
func (s *Service) Publish(ctx context.Context, namespace string, data []Datum) (sent int, err error) {
	for chunk := range slices.Chunk(data, putItems) {
		in := &cloudwatch.PutMetricDataInput{Namespace: aws.String(namespace)}
		for _, d := range chunk {
			in.MetricData = append(in.MetricData, types.MetricDatum{
				MetricName: aws.String(d.Metric), Timestamp: aws.Time(d.At), Value: aws.Float64(d.Value), Unit: types.StandardUnit(d.Unit), Dimensions: dimensions(d.Group),
			})
		}
		if _, err := s.api.PutMetricData(ctx, in); err != nil {
			return sent, awsapi.Explain(fmt.Sprintf("publish metrics to %s", namespace), err)
		}
		sent += len(chunk)
	}
	return sent, nil
}

func dimensions(group string) []types.Dimension {
	if group == "" {
		return nil
	}
	return []types.Dimension{{Name: aws.String(GroupDimension), Value: aws.String(group)}}
}
