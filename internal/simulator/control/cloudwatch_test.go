package control

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
)

// Each protocol of CloudWatch, from a request to what it answered: the same maps.
var cloudWatchProtocols = map[string]func(f *fixture, op string, in map[string]any) (out map[string]any, code string){
	"CBOR": func(f *fixture, op string, in map[string]any) (map[string]any, string) {
		r := httptest.NewRequest(http.MethodPost, "http://127.0.0.1"+rpcPath+op, bytes.NewReader(encodeCBOR(in)))
		r.Header.Set("smithy-protocol", "rpc-v2-cbor")
		rec := f.send(r, encodeCBOR(in))
		if rec.Header().Get("smithy-protocol") != "rpc-v2-cbor" {
			f.t.Errorf("%s: the answer has no protocol", op)
		}
		v, err := decodeCBOR(rec.Body.Bytes())
		if err != nil {
			f.t.Fatalf("%s: %v", op, err)
		}
		return v.(map[string]any), rec.Header().Get("x-amzn-ErrorType")
	},
	"JSON": func(f *fixture, op string, in map[string]any) (map[string]any, string) {
		body, err := json.Marshal(jsonTimes(in))
		if err != nil {
			f.t.Fatal(err)
		}
		r := httptest.NewRequest(http.MethodPost, "http://127.0.0.1/", bytes.NewReader(body))
		r.Header.Set("X-Amz-Target", cloudWatchTarget+"."+op)
		rec := f.send(r, body)
		out := map[string]any{}
		dec := json.NewDecoder(rec.Body)
		dec.UseNumber()
		if err := dec.Decode(&out); err != nil {
			f.t.Fatalf("%s: %v", op, err)
		}
		return out, rec.Header().Get("x-amzn-ErrorType")
	},
}

// send signs a request to CloudWatch and returns the answer.
func (f *fixture) send(r *http.Request, body []byte) *httptest.ResponseRecorder {
	f.t.Helper()
	sign(r, string(body), cloudWatchSigning, f.creds, f.world.Now())
	rec := httptest.NewRecorder()
	f.ServeHTTP(rec, r)
	return rec
}

func datum(name, group string, value float64) any {
	d := map[string]any{"MetricName": name, "Value": value}
	if group != "" {
		d["Dimensions"] = []any{map[string]any{"Name": "PatchGroup", "Value": group}}
	}
	return d
}

func alarmRequest(metric, treat string) map[string]any {
	return map[string]any{
		"AlarmName": "a", "Namespace": "X", "MetricName": metric, "Statistic": "Maximum", "Period": 300, "EvaluationPeriods": 1, "Threshold": 2.0,
		"ComparisonOperator": "GreaterThanThreshold", "TreatMissingData": treat,
	}
}

func TestAlarmsFollowTheirMetrics(t *testing.T) {
	for name, call := range cloudWatchProtocols {
		t.Run(name, func(t *testing.T) {
			now := noon
			f := newFixture(t, "", func() time.Time { return now })
			do := func(op string, in map[string]any) map[string]any {
				t.Helper()
				out, code := call(f, op, in)
				if code != "" {
					t.Fatalf("%s: %v", op, out)
				}
				return out
			}
			state := func() any {
				t.Helper()
				alarms := do("DescribeAlarms", map[string]any{})["MetricAlarms"].([]any)
				return alarms[0].(map[string]any)["StateValue"]
			}
			do("PutMetricAlarm", alarmRequest("A", "missing"))
			if got := state(); got != alarmUnknown {
				t.Errorf("without data it is %v", got)
			}
			do("PutMetricData", map[string]any{"Namespace": "X", "MetricData": []any{datum("A", "", 3), datum("A", "web", 1)}})
			if got := state(); got != alarmOn {
				t.Errorf("above the threshold it is %v", got)
			}
			now = now.Add(10 * time.Minute)
			do("PutMetricData", map[string]any{"Namespace": "X", "MetricData": []any{datum("A", "", 2)}})
			if got := state(); got != alarmOK {
				t.Errorf("at the threshold it is %v", got)
			}
			now = now.Add(10 * time.Minute)
			do("PutMetricAlarm", alarmRequest("A", "ignore"))
			if got := state(); got != alarmOK {
				t.Errorf("without data, which is ignored, it is %v", got)
			}
			do("PutMetricAlarm", alarmRequest("A", "breaching"))
			if got := state(); got != alarmOn {
				t.Errorf("without data, which breaches, it is %v", got)
			}
			points := do("GetMetricStatistics", map[string]any{
				"Namespace": "X", "MetricName": "A", "StartTime": noon, "EndTime": noon.Add(time.Hour), "Period": 3600, "Statistics": []any{"Maximum", "SampleCount"},
			})["Datapoints"].([]any)
			if len(points) != 1 || fmt.Sprintf("%v %v", points[0].(map[string]any)["Maximum"], points[0].(map[string]any)["SampleCount"]) != "3 2" {
				t.Errorf("points %v", points)
			}
			question := func(stat string) map[string]any {
				return map[string]any{"StartTime": noon.AddDate(-100, 0, 0), "EndTime": noon.AddDate(100, 0, 0), "MetricDataQueries": []any{map[string]any{
					"Id": "q", "MetricStat": map[string]any{"Metric": map[string]any{"Namespace": "X", "MetricName": "A"}, "Period": 1, "Stat": stat},
				}}}
			}
			data := do("GetMetricData", question("Maximum"))["MetricDataResults"].([]any)
			if values := data[0].(map[string]any)["Values"]; fmt.Sprint(values) != "[2 3]" {
				t.Errorf("the points of two centuries are %v", values)
			}
			if out, code := call(f, "GetMetricData", question("p99")); code == "" {
				t.Errorf("p99 is %v", out)
			}
			if list := do("ListMetrics", map[string]any{"Namespace": "X"})["Metrics"].([]any); len(list) != 2 {
				t.Errorf("metrics %v", list)
			}
			do("DeleteAlarms", map[string]any{"AlarmNames": []any{"a"}})
			if alarms := do("DescribeAlarms", map[string]any{})["MetricAlarms"].([]any); len(alarms) != 0 {
				t.Errorf("left are %v", alarms)
			}
		})
	}
}

func TestCloudWatchRefuses(t *testing.T) {
	many := make([]any, metricDataItems+1)
	for i := range many {
		many[i] = datum("A", "", 1)
	}
	with := func(change func(map[string]any)) map[string]any {
		a := alarmRequest("A", "missing")
		change(a)
		return a
	}
	tests := []struct {
		name, op, code string
		in             map[string]any
	}{
		{"no data", "PutMetricData", "MissingRequiredParameterException", map[string]any{"Namespace": "X"}},
		{"a reserved namespace", "PutMetricData", "InvalidParameterValueException", map[string]any{"Namespace": "AWS/X", "MetricData": []any{datum("A", "", 1)}}},
		{"too many data", "PutMetricData", "InvalidParameterValueException", map[string]any{"Namespace": "X", "MetricData": many}},
		{"a time long ago", "PutMetricData", "InvalidParameterValueException", map[string]any{"Namespace": "X", "MetricData": []any{map[string]any{"MetricName": "A", "Value": 1.0, "Timestamp": noon.AddDate(0, 0, -15)}}}},
		{"no value", "PutMetricData", "MissingRequiredParameterException", map[string]any{"Namespace": "X", "MetricData": []any{map[string]any{"MetricName": "A"}}}},
		{"a period of 90 seconds", "PutMetricAlarm", "InvalidParameterValueException", with(func(a map[string]any) { a["Period"] = 90 })},
		{"more than a day", "PutMetricAlarm", "InvalidParameterValueException", with(func(a map[string]any) { a["EvaluationPeriods"] = 289 })},
		{"no such comparison", "PutMetricAlarm", "InvalidParameterValueException", with(func(a map[string]any) { a["ComparisonOperator"] = "Above" })},
		{"missing data", "PutMetricAlarm", "InvalidParameterValueException", with(func(a map[string]any) { a["TreatMissingData"] = "Breaching" })},
		{"an action that is no ARN", "PutMetricAlarm", "InvalidParameterValueException", with(func(a map[string]any) { a["AlarmActions"] = []any{"topic"} })},
		{"an alarm that is not there", "DeleteAlarms", "ResourceNotFound", map[string]any{"AlarmNames": []any{"b"}}},
		{"what nobody does", "Fly", "UnknownOperationException", map[string]any{}},
		{"a denied call", "ListMetrics", "AccessDeniedException", map[string]any{}},
	}
	f := newFixture(t, "denied: [cloudwatch:ListMetrics]", func() time.Time { return noon })
	for _, tt := range tests {
		for name, call := range cloudWatchProtocols {
			t.Run(tt.name+" in "+name, func(t *testing.T) {
				out, code := call(f, tt.op, tt.in)
				if code != tt.code || !strings.HasSuffix(fmt.Sprint(out["__type"]), "#"+tt.code) {
					t.Errorf("got %s %v", code, out)
				}
				if tt.code == "AccessDeniedException" && !strings.Contains(fmt.Sprint(out["message"]), "cloudwatch:ListMetrics") {
					t.Errorf("the action is not named: %v", out)
				}
			})
		}
	}
}

// SDKs compress a body from 10 KB on.
func TestCloudWatchReadsCompressedBodies(t *testing.T) {
	f := newFixture(t, "", nil)
	var body bytes.Buffer
	z := gzip.NewWriter(&body)
	_, _ = z.Write(encodeCBOR(map[string]any{"Namespace": "X", "MetricData": []any{datum("A", "", 1)}}))
	_ = z.Close()
	r := httptest.NewRequest(http.MethodPost, "http://127.0.0.1"+rpcPath+"PutMetricData", bytes.NewReader(body.Bytes()))
	r.Header.Set("Content-Encoding", "gzip")
	if rec := f.send(r, body.Bytes()); rec.Code != http.StatusOK {
		t.Errorf("got %d %x", rec.Code, rec.Body.Bytes())
	}
}

func TestCloudWatchSpeaksTheQueryProtocol(t *testing.T) {
	f := newFixture(t, "", nil)
	do := func(form url.Values) string {
		t.Helper()
		form.Set("Version", cloudWatchVersion)
		body := []byte(form.Encode())
		r := httptest.NewRequest(http.MethodPost, "http://127.0.0.1/", bytes.NewReader(body))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
		rec := f.send(r, body)
		return fmt.Sprint(rec.Code, " ", rec.Body.String())
	}
	if got := do(url.Values{
		"Action": {"PutMetricData"}, "Namespace": {"X"}, "MetricData.member.1.MetricName": {"A"}, "MetricData.member.1.Value": {"3.5"},
		"MetricData.member.1.Dimensions.member.1.Name": {"PatchGroup"}, "MetricData.member.1.Dimensions.member.1.Value": {"web"},
	}); !strings.HasPrefix(got, "200") {
		t.Fatal(got)
	}
	if got := do(url.Values{"Action": {"ListMetrics"}}); !strings.Contains(got, "<member><Name>PatchGroup</Name><Value>web</Value></member>") {
		t.Error(got)
	}
	if got := do(url.Values{"Action": {"PutMetricData"}, "Namespace": {"AWS/X"}}); !strings.HasPrefix(got, "400") || !strings.Contains(got, "<Code>InvalidParameterValue</Code>") {
		t.Error(got)
	}
}
