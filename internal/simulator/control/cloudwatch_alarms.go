package control

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/simulator/world"
)

var comparisons = map[string]func(value, threshold float64) bool{
	"GreaterThanOrEqualToThreshold": func(v, t float64) bool { return v >= t },
	"GreaterThanThreshold":          func(v, t float64) bool { return v > t },
	"LessThanThreshold":             func(v, t float64) bool { return v < t },
	"LessThanOrEqualToThreshold":    func(v, t float64) bool { return v <= t },
}

var missingDataWays = []string{"breaching", "notBreaching", "ignore", "missing"}

const (
	alarmOK      = "OK"
	alarmOn      = "ALARM"
	alarmUnknown = "INSUFFICIENT_DATA"

	alarmPage = 50 // of DescribeAlarms without MaxRecords
)

// putMetricAlarm makes an alarm on one metric, or replaces it; its state stays.
func (c *call) putMetricAlarm(t *world.Tables, in request) (map[string]any, error) {
	name := in.text("AlarmName")
	switch {
	case name == "":
		return nil, requiredParameter("AlarmName")
	case len(name) > 255:
		return nil, badValue("The value for parameter AlarmName is too long.")
	case in.text("MetricName") == "" || in.text("Namespace") == "":
		return nil, requiredParameter("MetricName")
	case comparisons[in.text("ComparisonOperator")] == nil:
		return nil, badValue("The value %s for parameter ComparisonOperator is invalid.", in.text("ComparisonOperator"))
	case !slices.Contains(statistics, in.text("Statistic")):
		return nil, badValue("The value %s for parameter Statistic is invalid.", in.text("Statistic"))
	}
	treat := in.text("TreatMissingData")
	if treat == "" {
		treat = "missing"
	}
	period, periods := whole(in["Period"], 0), whole(in["EvaluationPeriods"], 0)
	points := whole(in["DatapointsToAlarm"], periods)
	threshold, ok := amount(in["Threshold"])
	switch {
	case !slices.Contains(missingDataWays, treat):
		return nil, badValue("The value %s for parameter TreatMissingData is invalid.", treat)
	case !slices.Contains([]int{1, 5, 10, 20, 30}, period) && (period < 60 || period%60 != 0):
		return nil, badValue("The parameter Period must be 1, 5, 10, 20, 30 or any multiple of 60.")
	case periods < 1 || points < 1 || points > periods:
		return nil, badValue("The parameters EvaluationPeriods and DatapointsToAlarm are invalid.")
	case period*periods > 7*86400, period < 3600 && period*periods > 86400:
		return nil, badValue("Metrics cannot be checked across more than a day (EvaluationPeriods * Period must be <= 86400).")
	case !ok:
		return nil, requiredParameter("Threshold")
	}
	dims, err := in.dimensions("Dimensions")
	if err != nil {
		return nil, err
	}
	for _, member := range []string{"AlarmActions", "OKActions", "InsufficientDataActions"} {
		actions := in.texts(member)
		if len(actions) > 5 {
			return nil, badValue("The collection %s must not have a size greater than 5.", member)
		}
		for _, a := range actions {
			if !strings.HasPrefix(a, "arn:aws") {
				return nil, badValue("Invalid arn syntax: %s", a)
			}
		}
	}
	now := c.world.Now().Truncate(time.Millisecond)
	alarm := world.Record{
		"AlarmName": name, "AlarmArn": c.world.ARN("cloudwatch", "alarm:"+name), "AlarmDescription": in.text("AlarmDescription"),
		"Namespace": in.text("Namespace"), "MetricName": in.text("MetricName"), "Dimensions": dims, "Statistic": in.text("Statistic"), "Unit": absentWhenEmpty(in.text("Unit")),
		"Period": period, "EvaluationPeriods": periods, "DatapointsToAlarm": points, "Threshold": threshold, "ComparisonOperator": in.text("ComparisonOperator"),
		"TreatMissingData": treat, "ActionsEnabled": yes(in["ActionsEnabled"], true), "AlarmConfigurationUpdatedTimestamp": now,
		"StateValue": alarmUnknown, "StateReason": "Unchecked: Initial alarm creation", "StateUpdatedTimestamp": now,
	}
	for _, member := range []string{"AlarmActions", "OKActions", "InsufficientDataActions"} {
		list := []any{}
		for _, a := range in.texts(member) {
			list = append(list, a)
		}
		alarm[member] = list
	}
	if old, ok := t.Get(world.KindAlarm, name); ok {
		for _, member := range []string{"StateValue", "StateReason", "StateUpdatedTimestamp"} {
			alarm[member] = old[member]
		}
	}
	t.Put(world.KindAlarm, name, alarm)
	return nil, nil
}

// evaluated is an alarm with the state that its metric puts it in now.
func (c *call) evaluated(t *world.Tables, alarm world.Record) world.Record {
	dims, _ := alarm["Dimensions"].([]any)
	series, _ := t.Get(world.KindMetric, seriesID(textOf(alarm, "Namespace"), textOf(alarm, "MetricName"), dims))
	period, _ := alarm["Period"].(int)
	periods, _ := alarm["EvaluationPeriods"].(int)
	needed, _ := alarm["DatapointsToAlarm"].(int)
	threshold, _ := alarm["Threshold"].(float64)
	step := time.Duration(period) * time.Second
	now := c.world.Now()
	end := now.Add(time.Millisecond) // what is put now counts
	breaching, known := 0, 0
	for range periods {
		v, ok := aggregate(pointsOf(series), end.Add(-step), end, textOf(alarm, "Statistic"))
		switch {
		case ok && comparisons[textOf(alarm, "ComparisonOperator")](v, threshold):
			breaching++
		case !ok && textOf(alarm, "TreatMissingData") == "breaching":
			breaching++
		}
		if ok || strings.HasSuffix(strings.ToLower(textOf(alarm, "TreatMissingData")), "breaching") {
			known++
		}
		end = end.Add(-step)
	}
	state, reason := alarmOK, fmt.Sprintf("Threshold Crossed: %d datapoints were not over the threshold (%v).", known-breaching, threshold)
	switch {
	case breaching >= needed:
		state, reason = alarmOn, fmt.Sprintf("Threshold Crossed: %d out of the last %d datapoints crossed the threshold (%v).", breaching, periods, threshold)
	case known == 0 && textOf(alarm, "TreatMissingData") == "ignore":
		return alarm
	case known == 0:
		state, reason = alarmUnknown, "Insufficient Data: no datapoints were received."
	}
	if state == textOf(alarm, "StateValue") {
		return alarm
	}
	next := with(alarm, world.Record{"StateValue": state, "StateReason": reason, "StateUpdatedTimestamp": now.Truncate(time.Millisecond)})
	t.Put(world.KindAlarm, textOf(alarm, "AlarmName"), next)
	return next
}

func (c *call) describeAlarms(t *world.Tables, in request) (map[string]any, error) {
	names, prefix := in.texts("AlarmNames"), in.text("AlarmNamePrefix")
	if len(names) > 0 && prefix != "" {
		return nil, world.Errorf("InvalidParameterCombination", "AlarmNamePrefix and AlarmNames are mutually exclusive.")
	}
	var alarms []world.Record
	for _, a := range t.All(world.KindAlarm) {
		name := textOf(a, "AlarmName")
		if !strings.HasPrefix(name, prefix) || len(names) > 0 && !slices.Contains(names, name) {
			continue
		}
		a = c.evaluated(t, a)
		if s := in.text("StateValue"); s != "" && s != textOf(a, "StateValue") {
			continue
		}
		alarms = append(alarms, a)
	}
	slices.SortFunc(alarms, func(a, b world.Record) int { return strings.Compare(textOf(a, "AlarmName"), textOf(b, "AlarmName")) })
	size := whole(in["MaxRecords"], alarmPage)
	if size < 1 || size > 100 {
		return nil, badValue("The value for parameter MaxRecords is invalid.")
	}
	alarms, token, err := page(c, "DescribeAlarms", alarms, func(r world.Record) string { return textOf(r, "AlarmName") }, in.text("NextToken"), &size, size)
	if err != nil {
		return nil, world.Errorf("InvalidNextToken", "The specified nextToken is invalid.")
	}
	list := []any{}
	for _, a := range alarms {
		m := maps.Clone(a)
		maps.DeleteFunc(m, func(_ string, v any) bool { return v == nil || v == "" })
		list = append(list, m)
	}
	return map[string]any{"MetricAlarms": list, "CompositeAlarms": []any{}, "NextToken": absentWhenEmpty(token)}, nil
}

// deleteAlarms deletes all that are named or none.
func (c *call) deleteAlarms(t *world.Tables, in request) (map[string]any, error) {
	names := in.texts("AlarmNames")
	if len(names) == 0 {
		return nil, requiredParameter("AlarmNames")
	}
	for _, name := range names {
		if _, ok := t.Get(world.KindAlarm, name); !ok {
			return nil, &apiError{Status: 404, Code: "ResourceNotFound", Message: "Some alarms do not exist: " + name}
		}
	}
	for _, name := range names {
		t.Delete(world.KindAlarm, name)
	}
	return nil, nil
}
