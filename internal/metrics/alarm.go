package metrics

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/ssmdeck/ssmdeck/internal/awsapi"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/pattern"
)

// What a period without data means to an alarm (API reference, PutMetricAlarm).
const (
	MissingBreaching    = "breaching"    // the publisher is silent: that is an alarm, too
	MissingNotBreaching = "notBreaching" // all is well
	MissingIgnore       = "ignore"       // the state stays
	MissingMissing      = "missing"      // INSUFFICIENT_DATA
)

// MissingWays are the four of them.
func MissingWays() []string {
	return []string{MissingBreaching, MissingNotBreaching, MissingIgnore, MissingMissing}
}

// Limits of an alarm (API reference, PutMetricAlarm; EventBridge quotas).
const (
	maxAlarmName = 255
	MaxTopics    = 5             // of an alarm, and targets of a rule
	maxWatched   = 7 * 24 * hour // period times periods, for periods of an hour or more
	maxShort     = 24 * hour     // for shorter ones
	hour         = time.Hour
)

// Alarm is an alarm on one metric: it rises when the value was above the threshold
// in each of so many periods. The JSON names are part of the output contract.
type Alarm struct {
	Name      string        `json:"name"`
	Namespace string        `json:"namespace"`
	Metric    string        `json:"metric"`
	Group     string        `json:"patch_group,omitempty"` // empty: of all nodes
	Threshold float64       `json:"threshold"`
	Period    time.Duration `json:"-"`
	Periods   int           `json:"periods"`
	Missing   string        `json:"missing_data"`
	Topics    []string      `json:"topics,omitempty"`    // told when it rises
	OKTopics  []string      `json:"ok_topics,omitempty"` // told when it falls

	// What the service says of one that is there.
	State   string    `json:"state,omitempty"` // OK, ALARM, INSUFFICIENT_DATA
	Reason  string    `json:"reason,omitempty"`
	Updated time.Time `json:"updated,omitzero"` // when the state changed
	// Other is what it watches when that is nothing of ours: "AWS/EC2 CPUUtilization".
	Other string `json:"-"`
}

// Watches says in a few words when the alarm rises.
func (a Alarm) Watches() string {
	if a.Other != "" {
		return a.Other
	}
	s := fmt.Sprintf("%s > %s", a.Metric, strings.TrimSuffix(fmt.Sprintf("%.2f", a.Threshold), ".00"))
	if a.Group != "" {
		s += " in group " + a.Group
	}
	return s
}

var topicARN = pattern.Lazy(`^arn:aws[a-z-]*:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]{1,256}(\.fifo)?$`)

// CheckTopics refuses what is no ARN of a standard topic of SNS, one in another
// Region than region, and more than MaxTopics.
func CheckTopics(flag string, topics []string, region string) error {
	if len(topics) > MaxTopics {
		return fault.Usagef("--%s: at most %d topics can be told", flag, MaxTopics)
	}
	for _, t := range topics {
		if !topicARN().MatchString(t) {
			return fault.Usagef("--%s %q is not the ARN of an SNS topic", flag, t).WithHint("write it like arn:aws:sns:eu-west-1:123456789012:patching")
		}
		if strings.HasSuffix(t, ".fifo") {
			return fault.Usagef("--%s %s is a FIFO topic, which alarms and rules cannot tell", flag, t).WithHint("use a standard topic")
		}
		if r := strings.Split(t, ":")[3]; region != "" && r != region {
			return fault.Usagef("--%s %s is in %s, and this works in %s", flag, t, r, region).WithHint("use a topic of the Region of the nodes")
		}
	}
	return nil
}

// Check refuses, before any call, what PutMetricAlarm would refuse.
func (a Alarm) Check() error {
	switch {
	case a.Name == "" || len(a.Name) > maxAlarmName || strings.TrimSpace(a.Name) != a.Name || strings.ContainsFunc(a.Name, func(r rune) bool { return r < ' ' || r > '~' }):
		return fault.Usagef("%q is not a name of an alarm", a.Name).WithHint("use 1 to 255 characters of ASCII, without a space at the ends")
	case a.Threshold < 0:
		return fault.Usagef("--threshold %v: no number of nodes is below 0", a.Threshold).WithHint("--threshold 0 is an alarm at the first node")
	case a.Period < time.Minute || a.Period%time.Minute != 0:
		return fault.Usagef("--period %s is not a number of whole minutes", a.Period).WithHint("write 1h or 24h; it should be no shorter than the time between two publications")
	case a.Periods < 1:
		return fault.Usagef("--periods %d: at least one is needed", a.Periods)
	case a.Period >= hour && a.Period*time.Duration(a.Periods) > maxWatched, a.Period < hour && a.Period*time.Duration(a.Periods) > maxShort:
		return fault.Usagef("--period %s times --periods %d is more than an alarm can look back: seven days, one day for periods under an hour", a.Period, a.Periods)
	case !slices.Contains(MissingWays(), a.Missing):
		return fault.Usagef("--missing-data %q is no way to take missing data", a.Missing).WithHint("use: %s", strings.Join(MissingWays(), ", "))
	}
	return CheckNamespace(a.Namespace)
}

// Differences says in what other differs from a, a line for each setting: "threshold
// 0 → 5".
func (a Alarm) Differences(other Alarm) []string {
	var lines []string
	diff := func(what, from, to string) {
		if from != to {
			lines = append(lines, fmt.Sprintf("%s %s -> %s", what, cmp.Or(from, "(none)"), cmp.Or(to, "(none)")))
		}
	}
	diff("watches", a.Watches(), other.Watches())
	diff("period", a.Period.String(), other.Period.String())
	diff("periods", fmt.Sprint(a.Periods), fmt.Sprint(other.Periods))
	diff("missing data", a.Missing, other.Missing)
	diff("tells", strings.Join(a.Topics, ", "), strings.Join(other.Topics, ", "))
	diff("tells when well again", strings.Join(a.OKTopics, ", "), strings.Join(other.OKTopics, ", "))
	return lines
}

// FindAlarm returns the alarm of a name; found is false when there is none.
func (s *Service) FindAlarm(ctx context.Context, name string) (a Alarm, found bool, err error) {
	out, err := s.api.DescribeAlarms(ctx, &cloudwatch.DescribeAlarmsInput{AlarmNames: []string{name}, AlarmTypes: []types.AlarmType{types.AlarmTypeMetricAlarm, types.AlarmTypeCompositeAlarm}})
	switch {
	case err != nil:
		return a, false, awsapi.Explain("look for the alarm "+name, err)
	case len(out.CompositeAlarms) > 0:
		return Alarm{Name: name, Other: "a composite alarm"}, true, nil
	case len(out.MetricAlarms) == 0:
		return a, false, nil
	}
	return alarmOf(out.MetricAlarms[0]), true, nil
}

// Alarms lists the alarms on metrics of a namespace.
func (s *Service) Alarms(ctx context.Context, namespace string) ([]Alarm, error) {
	var list []Alarm
	for a, err := range awsapi.Pages("list the alarms", func(token *string) ([]types.MetricAlarm, *string, error) {
		out, err := s.api.DescribeAlarms(ctx, &cloudwatch.DescribeAlarmsInput{MaxRecords: aws.Int32(100), NextToken: token, AlarmTypes: []types.AlarmType{types.AlarmTypeMetricAlarm}})
		if err != nil {
			return nil, nil, err
		}
		return out.MetricAlarms, out.NextToken, nil
	}, alarmOf) {
		if err != nil {
			return nil, err
		}
		if a.Namespace == namespace {
			list = append(list, a)
		}
	}
	return list, nil
}

func alarmOf(m types.MetricAlarm) Alarm {
	a := Alarm{
		Name: aws.ToString(m.AlarmName), Namespace: aws.ToString(m.Namespace), Metric: aws.ToString(m.MetricName), Threshold: aws.ToFloat64(m.Threshold),
		Period: time.Duration(aws.ToInt32(m.Period)) * time.Second, Periods: int(aws.ToInt32(m.EvaluationPeriods)), Missing: cmp.Or(aws.ToString(m.TreatMissingData), MissingMissing),
		Topics: m.AlarmActions, OKTopics: m.OKActions, State: string(m.StateValue), Reason: aws.ToString(m.StateReason), Updated: aws.ToTime(m.StateUpdatedTimestamp),
	}
	for _, d := range m.Dimensions {
		if aws.ToString(d.Name) == GroupDimension {
			a.Group = aws.ToString(d.Value)
		}
	}
	if !slices.Contains(Names(), a.Metric) || m.ComparisonOperator != types.ComparisonOperatorGreaterThanThreshold || m.Statistic != types.StatisticMaximum {
		a.Other = strings.TrimSpace(fmt.Sprintf("%s %s %s %v", a.Namespace, a.Metric, m.ComparisonOperator, a.Threshold))
	}
	return a
}

// PutAlarm makes an alarm, or changes the one with its name.
func (s *Service) PutAlarm(ctx context.Context, a Alarm) error {
	in := &cloudwatch.PutMetricAlarmInput{
		AlarmName: aws.String(a.Name), Namespace: aws.String(a.Namespace), MetricName: aws.String(a.Metric), Dimensions: dimensions(a.Group),
		AlarmDescription: aws.String("Patching: " + a.Watches() + ". The numbers come from `ssmdeck patch metrics publish`, or from what `ssmdeck patch metrics scaffold` set up."),
		Statistic:        types.StatisticMaximum, ComparisonOperator: types.ComparisonOperatorGreaterThanThreshold, Threshold: aws.Float64(a.Threshold),
		Period: aws.Int32(int32(a.Period / time.Second)), EvaluationPeriods: aws.Int32(int32(a.Periods)), DatapointsToAlarm: aws.Int32(int32(a.Periods)),
		TreatMissingData: aws.String(a.Missing), ActionsEnabled: aws.Bool(true), AlarmActions: a.Topics, OKActions: a.OKTopics,
	}
	if _, err := s.api.PutMetricAlarm(ctx, in); err != nil {
		return awsapi.Explain("make the alarm "+a.Name, err)
	}
	return nil
}

// DeleteAlarm deletes an alarm.
func (s *Service) DeleteAlarm(ctx context.Context, name string) error {
	if _, err := s.api.DeleteAlarms(ctx, &cloudwatch.DeleteAlarmsInput{AlarmNames: []string{name}}); err != nil {
		return awsapi.Explain("delete the alarm "+name, err)
	}
	return nil
}
