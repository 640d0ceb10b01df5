package control

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestFilterLogEvents(t *testing.T) {
	f := newFixture(t, storage, nil)
	for i := range 6 {
		f.world.PutLogEvent("/g", []string{"c1/a", "c1/b", "c2/a"}[i%3], fmt.Sprint(i))
	}
	body := func(rest string) string { return `{"logGroupName":"/g"` + rest + `}` }
	for rest, want := range map[string]string{
		"": "0 1 2 3 4 5", `,"logStreamNamePrefix":"c1/"`: "0 1 3 4", `,"logStreamNames":["c2/a"]`: "2 5",
		`,"startTime":99999999999999`: "",
	} {
		if page, code := f.logs("FilterLogEvents", body(rest)); messages(page) != want || code != "" {
			t.Errorf("%s: %q, %s", rest, messages(page), code)
		}
	}
	var all, ids []string
	for token := ""; ; {
		page, code := f.logs("FilterLogEvents", body(`,"limit":2`+token))
		if code != "" {
			t.Fatal(page)
		}
		all = append(all, messages(page))
		events, _ := page["events"].([]any)
		for i := range events {
			ids = append(ids, fmt.Sprint(at(page, "events", i, "eventId")))
		}
		next, more := page["nextToken"].(string)
		if !more {
			break
		}
		token = `,"nextToken":"` + next + `"`
	}
	if strings.Join(all, "|") != "0 1|2 3|4 5" || len(slices.Compact(slices.Sorted(slices.Values(ids)))) != 6 {
		t.Errorf("pages %v with ids %v", all, ids)
	}
	for rest, want := range map[string]string{
		`,"nextToken":"x"`: "InvalidParameterException", `,"filterPattern":"ERROR"`: "InvalidParameterException",
		`,"logStreamNames":["c2/a"],"logStreamNamePrefix":"c"`: "InvalidParameterException",
		`,"logStreamNames":["nosuch"]`:                         "ResourceNotFoundException",
	} {
		if _, code := f.logs("FilterLogEvents", body(rest)); code != want {
			t.Errorf("%s: %s", rest, code)
		}
	}
	if _, code := f.logs("FilterLogEvents", `{"logGroupName":"/none"}`); code != "ResourceNotFoundException" {
		t.Error(code)
	}
}
