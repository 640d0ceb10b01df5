package metrics

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/golang/mock/gomock"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/patch"
)

var now = time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)

func slice(key string, nodes, bad int) patch.Slice {
	return patch.Slice{Key: key, Counts: patch.Counts{
		Nodes: nodes, Compliant: nodes - bad, NonCompliant: bad, WithCritical: bad / 2, WithPendingReboot: 1, NeverScanned: 3, Oldest: now.Add(-90 * time.Minute),
	}}
}

func TestDataAreThoseOfTheCounts(t *testing.T) {
	total := slice("", 30, 8)
	data, omitted := Data(total.Counts, []patch.Slice{slice("db", 10, 6), slice("", 12, 2), slice("web", 8, 0)}, 2, now)
	if omitted != 1 || len(data) != 3*len(Metrics()) {
		t.Fatalf("%d values, %d groups left out", len(data), omitted)
	}
	got := map[string]float64{}
	for _, d := range data {
		got[d.Group+"/"+d.Metric] = d.Value
		if !d.At.Equal(now) {
			t.Errorf("%s is of %s", d.Metric, d.At)
		}
	}
	for key, want := range map[string]float64{
		"/Nodes": 30, "/NonCompliantNodes": 8, "/CriticalMissing": 4, "/PendingReboot": 1, "/NeverScanned": 3, "/OldestScanHours": 1.5,
		"db/NonCompliantNodes": 6, "(none)/Nodes": 12,
	} {
		if v, ok := got[key]; !ok || v != want {
			t.Errorf("%s is %v, %v, want %v", key, v, ok, want)
		}
	}
	if data, _ := Data(total.Counts, []patch.Slice{total}, 20, now); len(data) != len(Metrics()) {
		t.Errorf("without groups %d values", len(data))
	}
	if data, _ := Data(patch.Counts{}, nil, 20, now); len(data) != len(Metrics()) || data[len(data)-1].Value != 0 {
		t.Errorf("of nothing: %+v", data)
	}
}

func TestGroupsAreDimensions(t *testing.T) {
	for group, want := range map[string]string{
		"web": "web", "web servers": "web servers", "": NoGroup, "  ": NoGroup, ":x": `\u003ax`, "wéb": `w\u00e9b`, `a"b\c`: `a\u0022b\u005cc`, strings.Repeat("x", 2000): strings.Repeat("x", 1024),
	} {
		if got := GroupValue(group); got != want {
			t.Errorf("%q is %q, want %q", group, got, want)
		}
	}
}

func TestPublishSendsAThousandACall(t *testing.T) {
	m := NewMockapi(gomock.NewController(t))
	var sizes []int
	seen := map[string]bool{}
	m.EXPECT().PutMetricData(gomock.Any(), gomock.Any()).Times(3).DoAndReturn(func(_ context.Context, in *cloudwatch.PutMetricDataInput, _ ...func(*cloudwatch.Options)) (*cloudwatch.PutMetricDataOutput, error) {
		sizes = append(sizes, len(in.MetricData))
		for _, d := range in.MetricData {
			key := aws.ToString(d.MetricName)
			for _, dim := range d.Dimensions {
				key += aws.ToString(dim.Name) + "=" + aws.ToString(dim.Value)
			}
			if seen[key] || d.Timestamp == nil || d.Value == nil {
				t.Errorf("%s is sent twice or without a value", key)
			}
			seen[key] = true
		}
		return &cloudwatch.PutMetricDataOutput{}, nil
	})
	var groups []patch.Slice
	for i := range 300 {
		groups = append(groups, slice(fmt.Sprint(i), 5, 1))
	}
	data, _ := Data(patch.Counts{}, groups, 300, now)
	sent, err := (&Service{m}).Publish(t.Context(), Namespace, data)
	if err != nil || sent != len(data) || fmt.Sprint(sizes) != "[1000 1000 408]" || !seen["NodesPatchGroup=7"] || !seen["Nodes"] {
		t.Errorf("sent %d of %d in %v, %v", sent, len(data), sizes, err)
	}
}

func TestPublishSaysHowFarItCame(t *testing.T) {
	m := NewMockapi(gomock.NewController(t))
	gomock.InOrder(
		m.EXPECT().PutMetricData(gomock.Any(), gomock.Any()).Return(&cloudwatch.PutMetricDataOutput{}, nil),
		m.EXPECT().PutMetricData(gomock.Any(), gomock.Any()).Return(nil, errors.New("the line is cut")),
	)
	sent, err := (&Service{m}).Publish(t.Context(), Namespace, make([]Datum, 1500))
	if err == nil || sent != 1000 {
		t.Errorf("sent %d, %v", sent, err)
	}
}

func TestNamespaces(t *testing.T) {
	for _, good := range []string{Namespace, "x", "Shop/Patching_2.0#a:b-c"} {
		if err := CheckNamespace(good); err != nil {
			t.Errorf("%q: %v", good, err)
		}
	}
	for _, bad := range []string{"", ":x", "AWS/EC2", "a b", "ä", strings.Repeat("x", 256), `x"y`} {
		if fault.KindOf(CheckNamespace(bad)) != fault.Usage {
			t.Errorf("%q is taken", bad)
		}
	}
}

func good() Alarm {
	return Alarm{Name: "x", Namespace: Namespace, Metric: "Nodes", Period: 24 * time.Hour, Periods: 1, Missing: MissingBreaching}
}

func TestAlarmsAreCheckedBeforeTheyAreMade(t *testing.T) {
	if err := good().Check(); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name, want string
		change     func(*Alarm)
	}{
		{"no name", "not a name", func(a *Alarm) { a.Name = "" }},
		{"a long name", "not a name", func(a *Alarm) { a.Name = strings.Repeat("x", 256) }},
		{"a name with an end of line", "not a name", func(a *Alarm) { a.Name = "a\nb" }},
		{"a threshold below nothing", "--threshold", func(a *Alarm) { a.Threshold = -1 }},
		{"seconds", "--period", func(a *Alarm) { a.Period = 90 * time.Second }},
		{"no periods", "--periods", func(a *Alarm) { a.Periods = 0 }},
		{"more than a week", "look back", func(a *Alarm) { a.Periods = 8 }},
		{"short periods over a day", "look back", func(a *Alarm) { a.Period, a.Periods = time.Minute, 1441 }},
		{"a way of missing data", "--missing-data", func(a *Alarm) { a.Missing = "Breaching" }},
		{"a namespace", "--namespace", func(a *Alarm) { a.Namespace = "AWS/x" }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := good()
			tt.change(&a)
			if err := a.Check(); fault.KindOf(err) != fault.Usage || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestTopics(t *testing.T) {
	const topic = "arn:aws:sns:eu-west-1:123456789012:patching"
	tests := []struct {
		name, want string
		topics     []string
	}{
		{"fits", "", []string{topic}},
		{"none", "", nil},
		{"no ARN", "not the ARN", []string{"patching"}},
		{"of another service", "not the ARN", []string{"arn:aws:sqs:eu-west-1:123456789012:patching"}},
		{"in another Region", "this works in eu-west-1", []string{"arn:aws:sns:us-east-1:123456789012:patching"}},
		{"in order", "FIFO", []string{topic + ".fifo"}},
		{"too many", "at most 5", []string{topic, topic, topic, topic, topic, topic}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := CheckTopics("sns", tt.topics, "eu-west-1")
			if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("got %v", err)
			}
		})
	}
}

// What is sent and what is read back are the same alarm.
func TestAnAlarmComesBackAsItWasMade(t *testing.T) {
	m := NewMockapi(gomock.NewController(t))
	var kept *cloudwatch.PutMetricAlarmInput
	m.EXPECT().PutMetricAlarm(gomock.Any(), gomock.Any()).DoAndReturn(func(_ context.Context, in *cloudwatch.PutMetricAlarmInput, _ ...func(*cloudwatch.Options)) (*cloudwatch.PutMetricAlarmOutput, error) {
		kept = in
		return &cloudwatch.PutMetricAlarmOutput{}, nil
	})
	s := &Service{m}
	want := good()
	want.Group, want.Threshold, want.Topics = "web", 2.5, []string{"arn:aws:sns:eu-west-1:123456789012:patching"}
	if err := s.PutAlarm(t.Context(), want); err != nil {
		t.Fatal(err)
	}
	m.EXPECT().DescribeAlarms(gomock.Any(), gomock.Any()).Return(&cloudwatch.DescribeAlarmsOutput{MetricAlarms: []types.MetricAlarm{{
		AlarmName: kept.AlarmName, Namespace: kept.Namespace, MetricName: kept.MetricName, Dimensions: kept.Dimensions, Statistic: kept.Statistic, Threshold: kept.Threshold,
		ComparisonOperator: kept.ComparisonOperator, Period: kept.Period, EvaluationPeriods: kept.EvaluationPeriods, TreatMissingData: kept.TreatMissingData, AlarmActions: kept.AlarmActions,
	}}}, nil)
	got, found, err := s.FindAlarm(t.Context(), "x")
	if err != nil || !found || got.Other != "" || len(got.Differences(want)) != 0 {
		t.Errorf("got %+v, %v, %v: %v", got, found, err, got.Differences(want))
	}
	other := want
	other.Threshold, other.Topics, other.Periods = 3, nil, 2
	if diff := strings.Join(got.Differences(other), "; "); diff != "watches Nodes > 2.50 in group web -> Nodes > 3 in group web; periods 1 -> 2; tells arn:aws:sns:eu-west-1:123456789012:patching -> (none)" {
		t.Errorf("differences %s", diff)
	}
}

func TestForeignAlarmsAreKnownAsSuch(t *testing.T) {
	a := alarmOf(types.MetricAlarm{AlarmName: aws.String("cpu"), Namespace: aws.String("AWS/EC2"), MetricName: aws.String("CPUUtilization"), Threshold: aws.Float64(80), ComparisonOperator: types.ComparisonOperatorGreaterThanThreshold})
	if a.Other == "" || !strings.Contains(a.Watches(), "AWS/EC2 CPUUtilization") {
		t.Errorf("got %+v", a)
	}
}

func TestAlarmsArePagedToTheEnd(t *testing.T) {
	m := NewMockapi(gomock.NewController(t))
	of := func(name, namespace string) types.MetricAlarm {
		return types.MetricAlarm{AlarmName: aws.String(name), Namespace: aws.String(namespace), MetricName: aws.String("Nodes")}
	}
	gomock.InOrder(
		m.EXPECT().DescribeAlarms(gomock.Any(), gomock.Any()).Return(&cloudwatch.DescribeAlarmsOutput{MetricAlarms: []types.MetricAlarm{of("a", Namespace), of("b", "AWS/EC2")}, NextToken: aws.String("2")}, nil),
		m.EXPECT().DescribeAlarms(gomock.Any(), gomock.Any()).Return(&cloudwatch.DescribeAlarmsOutput{MetricAlarms: []types.MetricAlarm{of("c", Namespace)}}, nil),
	)
	list, err := (&Service{m}).Alarms(t.Context(), Namespace)
	if err != nil || len(list) != 2 || list[1].Name != "c" {
		t.Errorf("got %+v, %v", list, err)
	}
}

func TestSchedules(t *testing.T) {
	s := Schedule{Namespace: Namespace, Groups: 20}
	for _, good := range []string{"rate(1 hour)", "rate(5 minutes)", "rate(12 hours)", "cron(0 6 * * ? *)", "cron(0/15 6 ? * MON-FRI *)"} {
		s.Expression = good
		if err := s.Check(); err != nil {
			t.Errorf("%q: %v", good, err)
		}
	}
	for _, bad := range []string{"", "1h", "rate(1 hours)", "rate(2 hour)", "rate(0 hours)", "cron(0 6 * * *)", "cron(0 6 * * * *)", "cron(0 6 ? * ? *)", "rate(1 hour)\n  x: y"} {
		s.Expression = bad
		if fault.KindOf(s.Check()) != fault.Usage {
			t.Errorf("%q is taken", bad)
		}
	}
}

func TestTheTemplateHoldsWhatWasChosen(t *testing.T) {
	text := Schedule{Namespace: "Shop/Patching", Expression: "cron(0 6 * * ? *)", Groups: 7}.Template()
	for _, want := range []string{
		`"cloudwatch:namespace": "Shop/Patching"`, "ScheduleExpression: cron(0 6 * * ? *)", `            namespace: "Shop/Patching"`, "            groups: 7",
		"        schemaVersion: \"0.3\"", `assumeRole: "{{ AutomationAssumeRole }}"`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in the template", want)
		}
	}
	for _, left := range []string{"{{namespace}}", "{{groups}}", "{{schedule}}", "{{runbook}}", "{{metrics}}", "\t"} {
		if strings.Contains(text, left) {
			t.Errorf("%q is left in the template", left)
		}
	}
	for _, m := range Names() { // the runbook publishes all that an alarm can be on
		if !strings.Contains(text, `"`+m+`": 0`) {
			t.Errorf("the runbook does not publish %s", m)
		}
	}
	if n := strings.Count(text, "Action:"); n != 6 { // two of trust, four of permissions
		t.Errorf("%d statements: is each needed?", n)
	}
}
