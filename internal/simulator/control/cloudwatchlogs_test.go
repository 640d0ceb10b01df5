package control

import (
	"fmt"
	"strings"
	"testing"
)

// logs calls CloudWatch Logs.
func (f *fixture) logs(op, body string) (map[string]any, string) {
	f.t.Helper()
	return f.json("Logs_20140328."+op, body)
}

func messages(answer map[string]any) string {
	var all []string
	events, _ := answer["events"].([]any)
	for i := range events {
		all = append(all, fmt.Sprint(at(answer, "events", i, "message")))
	}
	return strings.Join(all, " ")
}

func TestLogEventsPageByPage(t *testing.T) {
	f := newFixture(t, storage, nil)
	for i := range 5 {
		f.world.PutLogEvent("/g", "s", fmt.Sprint(i))
	}
	body := func(rest string) string { return `{"logGroupName":"/g","logStreamName":"s"` + rest + `}` }
	first, _ := f.logs("GetLogEvents", body(`,"startFromHead":true,"limit":2`))
	if messages(first) != "0 1" {
		t.Errorf("the first page: %s", messages(first))
	}
	forward := first["nextForwardToken"].(string)
	var all []string
	for range 10 {
		page, code := f.logs("GetLogEvents", body(`,"limit":2,"nextToken":"`+forward+`"`))
		if code != "" {
			t.Fatal(page)
		}
		next := page["nextForwardToken"].(string)
		if next == forward { // the end of the stream
			break
		}
		all, forward = append(all, messages(page)), next
	}
	if strings.Join(all, "|") != "2 3|4" {
		t.Errorf("forward: %v", all)
	}
	f.world.PutLogEvent("/g", "s", "5")
	if page, _ := f.logs("GetLogEvents", body(`,"nextToken":"`+forward+`"`)); messages(page) != "5" {
		t.Errorf("what came meanwhile: %s", messages(page))
	}
	last, _ := f.logs("GetLogEvents", body(`,"limit":2`)) // the latest, without startFromHead
	if messages(last) != "4 5" {
		t.Errorf("the latest: %s", messages(last))
	}
	if page, _ := f.logs("GetLogEvents", body(`,"limit":3,"nextToken":"`+last["nextBackwardToken"].(string)+`"`)); messages(page) != "1 2 3" {
		t.Errorf("backward: %s", messages(page))
	}
}

func TestAPageOfLogEventsIsOneMegabyte(t *testing.T) {
	f := newFixture(t, storage, nil)
	for range 6 {
		f.world.PutLogEvent("/g", "s", strings.Repeat("x", 250_000))
	}
	page, _ := f.logs("GetLogEvents", `{"logGroupName":"/g","logStreamName":"s","startFromHead":true}`)
	if n := len(page["events"].([]any)); n != 4 {
		t.Errorf("%d events", n)
	}
}

func TestLogEventsOfATime(t *testing.T) {
	f := newFixture(t, storage, nil)
	f.world.PutLogEvent("/g", "s", "now")
	ms := f.world.Now().UnixMilli()
	for rest, want := range map[string]string{
		fmt.Sprintf(`"startTime":%d`, ms-60_000): "now", fmt.Sprintf(`"startTime":%d`, ms+60_000): "",
		fmt.Sprintf(`"endTime":%d`, ms-60_000): "", fmt.Sprintf(`"endTime":%d`, ms+60_000): "now",
	} {
		page, code := f.logs("GetLogEvents", `{"logGroupName":"/g","logStreamName":"s","startFromHead":true,`+rest+`}`)
		if messages(page) != want || code != "" {
			t.Errorf("%s: %v", rest, page)
		}
	}
}

func TestRefusalsOfCloudWatchLogs(t *testing.T) {
	f := newFixture(t, storage, nil)
	f.world.PutLogEvent("/g", "s", "x")
	for body, want := range map[string]string{
		`{"logGroupName":"/nosuch","logStreamName":"s"}`:                                       "ResourceNotFoundException",
		`{"logGroupName":"/g","logStreamName":"nosuch"}`:                                       "ResourceNotFoundException",
		`{"logStreamName":"s"}`:                                                                "InvalidParameterException",
		`{"logGroupName":"/g","logStreamName":"s","nextToken":"x"}`:                            "InvalidParameterException",
		`{"logGroupName":"/g","logStreamName":"s","nextToken":"f/99/s"}`:                       "InvalidParameterException",
		`{"logGroupName":"/g","logStreamName":"s","limit":10001}`:                              "ValidationException",
		`{"logGroupIdentifier":"arn:aws:logs:us-east-1:1:log-group:/g:*","logStreamName":"s"}`: "",
	} {
		if answer, code := f.logs("GetLogEvents", body); code != want {
			t.Errorf("%s: %v", body, answer)
		}
	}
	streams, _ := f.logs("DescribeLogStreams", `{"logGroupName":"/g","logStreamNamePrefix":"s"}`)
	if at(streams, "logStreams", 0, "logStreamName") != "s" {
		t.Errorf("streams %v", streams)
	}
	groups, _ := f.logs("DescribeLogGroups", `{"logGroupNamePrefix":"/"}`)
	if at(groups, "logGroups", 0, "logGroupName") != "/g" {
		t.Errorf("groups %v", groups)
	}
}
