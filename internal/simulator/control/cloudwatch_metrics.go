package control

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/simulator/world"
)

// Limits of CloudWatch (API reference, PutMetricData; CloudWatch quotas).
const (
	metricDataItems  = 1000 // of one PutMetricData
	metricDimensions = 30
	metricPast       = 14 * 24 * time.Hour
	metricFuture     = 2 * time.Hour
	metricPoints     = 2000 // that a series keeps here
	metricPage       = 500  // of ListMetrics
	metricValueMost  = 0x1p360
)

// metricPoint is what was put for one moment.
type metricPoint struct {
	at                    time.Time
	sum, count, min, most float64
}

const pointsMember = "points"

func pointsOf(r world.Record) []metricPoint {
	points, _ := r[pointsMember].([]metricPoint)
	return points
}

// badValue is the error of a parameter that is not taken.
func badValue(format string, args ...any) error {
	return world.Errorf("InvalidParameterValue", format, args...)
}

func requiredParameter(name string) error {
	return world.Errorf("MissingParameter", "The parameter %s is required.", name)
}

// dimensions reads and checks a list of dimensions, in the order of their names.
func (r request) dimensions(name string) ([]any, error) {
	var pairs []request
	for _, d := range r.objects(name) {
		if d.text("Name") == "" || d.text("Value") == "" || strings.HasPrefix(d.text("Name"), ":") || len(d.text("Name")) > 255 || len(d.text("Value")) > 1024 {
			return nil, badValue("The parameter %s.member has an invalid name or value.", name)
		}
		if slices.ContainsFunc(pairs, func(o request) bool { return o.text("Name") == d.text("Name") }) {
			return nil, badValue("The parameter %s has a repeated name: %s.", name, d.text("Name"))
		}
		pairs = append(pairs, d)
	}
	if len(pairs) > metricDimensions {
		return nil, badValue("The collection %s must not have a size greater than %d.", name, metricDimensions)
	}
	slices.SortFunc(pairs, func(a, b request) int { return strings.Compare(a.text("Name"), b.text("Name")) })
	list := []any{}
	for _, d := range pairs {
		list = append(list, map[string]any{"Name": d.text("Name"), "Value": d.text("Value")})
	}
	return list, nil
}

// seriesID tells series apart.
func seriesID(namespace, name string, dimensions []any) string {
	var b strings.Builder
	b.WriteString(namespace + "\x00" + name)
	for _, d := range dimensions {
		m, _ := d.(map[string]any)
		b.WriteString("\x00" + request(m).text("Name") + "\x01" + request(m).text("Value"))
	}
	return b.String()
}

func (c *call) putMetricData(t *world.Tables, in request) (map[string]any, error) {
	namespace, data := in.text("Namespace"), in.objects("MetricData")
	switch {
	case namespace == "":
		return nil, requiredParameter("Namespace")
	case len(namespace) > 255, strings.HasPrefix(namespace, ":"), strings.HasPrefix(namespace, "AWS/"):
		return nil, badValue("The value %s for parameter Namespace is invalid.", namespace)
	case len(data) == 0:
		return nil, requiredParameter("MetricData")
	case len(data) > metricDataItems:
		return nil, badValue("The collection MetricData must not have a size greater than %d.", metricDataItems)
	}
	type put struct {
		id     string
		record world.Record
		point  metricPoint
	}
	var puts []put
	for i, d := range data { // all of them or none
		path := "MetricData.member." + strconv.Itoa(i+1)
		name := d.text("MetricName")
		if name == "" {
			return nil, requiredParameter(path + ".MetricName")
		}
		dims, err := d.dimensions("Dimensions")
		if err != nil {
			return nil, err
		}
		point, err := c.metricPoint(path, d)
		if err != nil {
			return nil, err
		}
		puts = append(puts, put{
			seriesID(namespace, name, dims),
			world.Record{"Namespace": namespace, "MetricName": name, "Dimensions": dims, "Unit": d.text("Unit")},
			point,
		})
	}
	for _, p := range puts {
		if old, ok := t.Get(world.KindMetric, p.id); ok {
			points := append(slices.Clone(pointsOf(old)), p.point)
			slices.SortStableFunc(points, func(a, b metricPoint) int { return a.at.Compare(b.at) })
			p.record[pointsMember] = points[max(0, len(points)-metricPoints):]
		} else {
			p.record[pointsMember] = []metricPoint{p.point}
		}
		t.Put(world.KindMetric, p.id, p.record)
	}
	return nil, nil
}

// metricPoint reads the value or the set of statistics of a datum.
func (c *call) metricPoint(path string, d request) (metricPoint, error) {
	now := c.world.Now()
	p := metricPoint{at: now.Truncate(time.Second)}
	if at, ok := moment(d["Timestamp"]); ok {
		if at.Before(now.Add(-metricPast)) || at.After(now.Add(metricFuture)) {
			return p, badValue("The parameter %s.Timestamp must specify a time within the past two weeks.", path)
		}
		p.at = at
	}
	value, hasValue := amount(d["Value"])
	set := d.object("StatisticValues")
	switch {
	case hasValue && set != nil:
		return p, world.Errorf("InvalidParameterCombination", "The parameters %s.Value and %s.StatisticValues are mutually exclusive and you have specified both.", path, path)
	case hasValue:
		if math.IsNaN(value) || math.Abs(value) > metricValueMost {
			return p, badValue("The value for parameter %s.Value is not in the range of values.", path)
		}
		p.sum, p.count, p.min, p.most = value, 1, value, value
	case set != nil:
		p.sum, _ = amount(set["Sum"])
		p.count, _ = amount(set["SampleCount"])
		p.min, _ = amount(set["Minimum"])
		p.most, _ = amount(set["Maximum"])
	default:
		return p, requiredParameter(path + ".Value")
	}
	return p, nil
}

func (c *call) listMetrics(t *world.Tables, in request) (map[string]any, error) {
	series := keep(t.All(world.KindMetric), func(r world.Record) bool {
		if ns := in.text("Namespace"); ns != "" && textOf(r, "Namespace") != ns {
			return false
		}
		if name := in.text("MetricName"); name != "" && textOf(r, "MetricName") != name {
			return false
		}
		dims, _ := r["Dimensions"].([]any)
		return !slices.ContainsFunc(in.objects("Dimensions"), func(want request) bool {
			return !slices.ContainsFunc(dims, func(d any) bool {
				have, _ := d.(map[string]any)
				return have["Name"] == want.text("Name") && (want.text("Value") == "" || have["Value"] == want.text("Value"))
			})
		})
	})
	series, token, err := page(c, "ListMetrics", series, func(r world.Record) string {
		dims, _ := r["Dimensions"].([]any)
		return seriesID(textOf(r, "Namespace"), textOf(r, "MetricName"), dims)
	}, in.text("NextToken"), nil, metricPage)
	if err != nil {
		return nil, world.Errorf("InvalidParameterValue", "The value for parameter NextToken is invalid.")
	}
	list := []any{}
	for _, r := range series {
		list = append(list, map[string]any{"Namespace": r["Namespace"], "MetricName": r["MetricName"], "Dimensions": r["Dimensions"]})
	}
	return map[string]any{"Metrics": list, "NextToken": absentWhenEmpty(token)}, nil
}

// absentWhenEmpty leaves an empty text out of an answer.
func absentWhenEmpty(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// aggregate is one statistic of the points from start up to end; ok is false when
// there are none.
func aggregate(points []metricPoint, start, end time.Time, statistic string) (v float64, ok bool) {
	var sum, count float64
	low, high := math.Inf(1), math.Inf(-1)
	for _, p := range points {
		if p.at.Before(start) || !p.at.Before(end) {
			continue
		}
		sum, count, low, high = sum+p.sum, count+p.count, min(low, p.min), max(high, p.most)
	}
	if count == 0 {
		return 0, false
	}
	switch statistic {
	case "Sum":
		return sum, true
	case "SampleCount":
		return count, true
	case "Minimum":
		return low, true
	case "Maximum":
		return high, true
	}
	return sum / count, true
}

var statistics = []string{"SampleCount", "Average", "Sum", "Minimum", "Maximum"}

// span reads StartTime, EndTime and the period of a question for points.
func span(in request, period int) (start, end time.Time, step time.Duration, err error) {
	start, okStart := moment(in["StartTime"])
	end, okEnd := moment(in["EndTime"])
	switch {
	case !okStart:
		return start, end, 0, requiredParameter("StartTime")
	case !okEnd:
		return start, end, 0, requiredParameter("EndTime")
	case !start.Before(end):
		return start, end, 0, badValue("The parameter StartTime must be less than the parameter EndTime.")
	case period < 1 || period >= 60 && period%60 != 0:
		return start, end, 0, badValue("The parameter Period must be greater than or equal to 1 and a multiple of 60.")
	}
	step = time.Duration(period) * time.Second
	return start.Truncate(step), end, step, nil
}

// periods are the beginnings of the periods from start up to end in which there are
// points. Who asks for a century in seconds gets no more.
func periods(points []metricPoint, start, end time.Time, step time.Duration) (list []time.Time) {
	for _, p := range points { // in the order of time
		if p.at.Before(start) || !p.at.Before(end) || p.count == 0 {
			continue
		}
		at := start.Add(p.at.Sub(start) / step * step)
		if len(list) == 0 || !list[len(list)-1].Equal(at) {
			list = append(list, at)
		}
	}
	return list
}

func (c *call) getMetricStatistics(t *world.Tables, in request) (map[string]any, error) {
	dims, err := in.dimensions("Dimensions")
	if err != nil {
		return nil, err
	}
	start, end, step, err := span(in, whole(in["Period"], 0))
	if err != nil {
		return nil, err
	}
	wanted := in.texts("Statistics")
	if len(wanted) == 0 {
		return nil, world.Errorf("MissingParameter", "At least one of the parameters Statistics and ExtendedStatistics must be specified.")
	}
	for _, s := range wanted {
		if !slices.Contains(statistics, s) {
			return nil, badValue("The value %s for parameter Statistics is invalid.", s)
		}
	}
	if end.Sub(start)/step > 1440 {
		return nil, world.Errorf("InvalidParameterCombination", "You have requested up to %d datapoints, which exceeds the limit of 1,440.", end.Sub(start)/step)
	}
	r, _ := t.Get(world.KindMetric, seriesID(in.text("Namespace"), in.text("MetricName"), dims))
	list := []any{}
	for _, at := range periods(pointsOf(r), start, end, step) {
		point := map[string]any{"Timestamp": at, "Unit": unitOf(r)}
		for _, s := range wanted {
			point[s], _ = aggregate(pointsOf(r), at, at.Add(step), s)
		}
		list = append(list, point)
	}
	return map[string]any{"Label": in.text("MetricName"), "Datapoints": list}, nil
}

func unitOf(r world.Record) string {
	if u := textOf(r, "Unit"); u != "" {
		return u
	}
	return "None"
}

// getMetricData answers queries that name a metric; metric math is not simulated.
func (c *call) getMetricData(t *world.Tables, in request) (map[string]any, error) {
	queries := in.objects("MetricDataQueries")
	if len(queries) == 0 {
		return nil, requiredParameter("MetricDataQueries")
	}
	results := []any{}
	for _, q := range queries {
		stat := q.object("MetricStat")
		if stat == nil {
			return nil, badValue("The value for parameter MetricDataQueries.member.Expression is not supported here.")
		}
		metric := stat.object("Metric")
		dims, err := metric.dimensions("Dimensions")
		if err != nil {
			return nil, err
		}
		start, end, step, err := span(in, whole(stat["Period"], 0))
		if err != nil {
			return nil, err
		}
		if !slices.Contains(statistics, stat.text("Stat")) {
			return nil, badValue("The value %s for parameter MetricDataQueries.member.MetricStat.Stat is not supported here.", stat.text("Stat"))
		}
		r, _ := t.Get(world.KindMetric, seriesID(metric.text("Namespace"), metric.text("MetricName"), dims))
		times, values := []any{}, []any{}
		for _, at := range periods(pointsOf(r), start, end, step) {
			v, _ := aggregate(pointsOf(r), at, at.Add(step), stat.text("Stat"))
			times, values = append(times, at), append(values, v)
		}
		if in.text("ScanBy") != "TimestampAscending" {
			slices.Reverse(times)
			slices.Reverse(values)
		}
		label := q.text("Label")
		if label == "" {
			label = metric.text("MetricName")
		}
		results = append(results, map[string]any{"Id": q.text("Id"), "Label": label, "Timestamps": times, "Values": values, "StatusCode": "Complete"})
	}
	return map[string]any{"MetricDataResults": results, "Messages": []any{}}, nil
}
