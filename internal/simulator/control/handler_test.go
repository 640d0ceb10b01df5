package control

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/simulator/model"
)

func TestRequestsThatAreNoOperation(t *testing.T) {
	f := newFixture(t, "", nil)
	tests := []struct {
		name, target, body, code, message string
	}{
		{"an operation nobody has", "AmazonSSM.Fly", "{}", "UnknownOperationException", ""},
		{"a service we do not know", "DynamoDB.GetItem", "{}", "UnknownOperationException", ""},
		{"broken JSON", "AmazonSSM.GetConnectionStatus", `{"Target":`, "SerializationException", ""},
		{"other bytes than UTF-8", "AmazonSSM.PutParameter", `{"Name":"/a","Type":"String","Value":"` + "\xff" + `"}`, "SerializationException", ""},
		{"two documents", "AmazonSSM.GetConnectionStatus", `{} {}`, "SerializationException", ""},
		{"no object", "AmazonSSM.GetConnectionStatus", `[]`, "SerializationException", ""},
		{"a number for text", "AmazonSSM.GetConnectionStatus", `{"Target":5}`, "SerializationException", "NUMBER_VALUE can not be converted to a String"},
		{"text for a number", "AmazonSSM.DescribeInstanceInformation", `{"MaxResults":"5"}`, "SerializationException", "STRING_VALUE can not be converted to an Integer"},
		{"text for a list", "AmazonSSM.SendCommand", `{"DocumentName":"abc","InstanceIds":"i-1"}`, "SerializationException", "STRING_VALUE can not be converted to a List"},
		{"a number beyond 32 bits", "AmazonSSM.DescribeInstanceInformation", `{"MaxResults":1e300}`, "SerializationException", ""},
		{"a member that is missing", "AmazonSSM.GetConnectionStatus", `{}`, "ValidationException", "1 validation error detected: Value null at 'target' failed to satisfy constraint: Member must not be null"},
		{"a member in lower case", "AmazonSSM.GetConnectionStatus", `{"target":"x"}`, "ValidationException", "Value null at 'target'"},
		{"null", "AmazonSSM.GetConnectionStatus", `{"Target":null}`, "ValidationException", "Member must not be null"},
		{"a number too small", "AmazonSSM.DescribeInstanceInformation", `{"MaxResults":4}`, "ValidationException", "1 validation error detected: Value '4' at 'maxResults' failed to satisfy constraint: Member must have value greater than or equal to 5"},
		{"a number too large", "AmazonSSM.GetParametersByPath", `{"Path":"/","MaxResults":11}`, "ValidationException", "Member must have value less than or equal to 10"},
		{"a text too long", "AmazonSSM.GetConnectionStatus", `{"Target":"` + strings.Repeat("x", 401) + `"}`, "ValidationException", "Member must have length less than or equal to 400"},
		{"an enum", "AmazonSSM.DescribeSessions", `{"State":"Open"}`, "ValidationException", "Value 'Open' at 'state' failed to satisfy constraint: Member must satisfy enum value set: [Active, History]"},
		{"a pattern", "AmazonSSM.StartSession", `{"Target":"i-1","DocumentName":"a b"}`, "ValidationException", "Value 'a b' at 'documentName' failed to satisfy constraint: Member must satisfy regular expression pattern: ^[a-zA-Z0-9_\\-.:/]{3,128}$"},
		{"a filter without values", "AmazonSSM.DescribeInstanceInformation", `{"Filters":[{"Key":"PingStatus"}]}`, "ValidationException", "Value null at 'filters.1.member.values'"},
		{"a filter in the wrong case", "AmazonSSM.DescribeInstanceProperties", `{"InstancePropertyFilterList":[{"Key":"PingStatus","ValueSet":["Online"]}]}`, "ValidationException", "2 validation errors detected"},
		{"51 ids", "AmazonSSM.SendCommand", `{"DocumentName":"AWS-RunShellScript","InstanceIds":[` + strings.TrimSuffix(strings.Repeat(`"i-00000000000000001",`, 51), ",") + `]}`, "ValidationException", "at 'instanceIds' failed to satisfy constraint: Member must have length less than or equal to 50"},
		{"11 names", "AmazonSSM.GetParameters", `{"Names":[` + strings.TrimSuffix(strings.Repeat(`"a",`, 11), ",") + `]}`, "ValidationException", "Member must have length less than or equal to 10"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			answer, code := f.json(tt.target, tt.body)
			message, _ := answer["message"].(string)
			if code != tt.code || !strings.Contains(message, tt.message) {
				t.Errorf("got %v", answer)
			}
		})
	}
}

func TestAnEmptyBodyIsAnEmptyObject(t *testing.T) {
	f := newFixture(t, "", nil)
	if answer, code := f.ssm("DescribeInstanceInformation", ""); code != "" {
		t.Errorf("got %v", answer)
	}
}

func TestTooLargeABodyIsRefused(t *testing.T) {
	f := newFixture(t, "", nil)
	rec := f.post("AmazonSSM.PutParameter", strings.Repeat(" ", maxBody+1))
	if rec.Code != http.StatusRequestEntityTooLarge {
		t.Errorf("got %d %s", rec.Code, rec.Body)
	}
}

func TestOnlyPostToTheRoot(t *testing.T) {
	f := newFixture(t, "", nil)
	for _, r := range []*http.Request{
		httptest.NewRequest(http.MethodGet, "http://127.0.0.1/", nil),
		httptest.NewRequest(http.MethodPost, "http://127.0.0.1/other", nil),
	} {
		rec := httptest.NewRecorder()
		f.ServeHTTP(rec, r)
		if rec.Code != http.StatusNotFound {
			t.Errorf("%s %s: %d", r.Method, r.URL, rec.Code)
		}
	}
}

func TestThrottleByOperation(t *testing.T) {
	now := noon
	f := newFixture(t, "throttle: {ListDocuments: 2}", func() time.Time { return now })
	codes := func() (out string) {
		for range 3 {
			_, code := f.ssm("ListDocuments", "{}")
			out += code + " "
		}
		return out
	}
	if got := codes(); got != "  ThrottlingException " {
		t.Errorf("at first %q", got)
	}
	now = now.Add(500 * time.Millisecond)
	if got := codes(); got != " ThrottlingException ThrottlingException " {
		t.Errorf("half a second later %q", got)
	}
	f.must("DescribeParameters", "{}")
	if calls := f.Calls(); calls["ListDocuments"] != 6 || calls["DescribeParameters"] != 1 {
		t.Errorf("calls %v", calls)
	}
}

func TestTimesAreSecondsSince1970(t *testing.T) {
	for at, want := range map[time.Time]string{
		time.Unix(1700000000, 123_456_789): "1700000000.123",
		time.Unix(1700000000, 0):           "1700000000",
	} {
		got, err := json.Marshal(epoch{at})
		if err != nil || string(got) != want {
			t.Errorf("got %s, %v; want %s", got, err, want)
		}
	}
}

func TestNextTokensCannotBeMadeUp(t *testing.T) {
	f := newFixture(t, "demo", nil)
	first := f.must("DescribeInstanceInformation", `{"MaxResults":5}`)
	token, _ := first["NextToken"].(string)
	for name, tok := range map[string]string{
		"nonsense": "abc", "base64": "YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXo=", "cut": token[:len(token)-4],
	} {
		if _, code := f.ssm("DescribeInstanceInformation", `{"NextToken":"`+tok+`"}`); code != "InvalidNextToken" {
			t.Errorf("%s: %q", name, code)
		}
	}
	if _, code := f.ssm("DescribeParameters", `{"NextToken":"`+token+`"}`); code != "InvalidNextToken" {
		t.Errorf("the token of another operation: %q", code)
	}
}

func FuzzRequest(f *testing.F) {
	f.Add("SendCommand", `{"DocumentName":"AWS-RunShellScript","Targets":[{"Key":"tag:env","Values":["prod"]}],"Parameters":{"commands":["id"]}}`)
	f.Add("DescribeInstanceInformation", `{"Filters":[{"Key":"tag:env","Values":["prod"]}],"MaxResults":5}`)
	f.Add("StartSession", `{"Target":"i-0123456789abcdef0","Parameters":{"a":["b"]}}`)
	f.Add("PutParameter", `{"Name":"/a","Value":"b","Type":"SecureString","Tags":[{"Key":"a","Value":""}]}`)
	f.Add("CreateDocument", `{"Name":"abc","Content":"{}","DocumentFormat":"YAML"}`)
	f.Add("DescribeSessions", `{"State":"Active","Filters":[{"key":"InvokedAfter","value":"x"}]}`)
	for _, name := range model.Names() {
		body, err := json.Marshal(minimal(model.SSM()[name].Request))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(name, string(body))
	}
	shared := newFixture(f, "nodes: [{id: i-0123456789abcdef0, tags: {env: prod}}]", nil)
	f.Fuzz(func(t *testing.T, op, body string) {
		fix := &fixture{Handler: shared.Handler, t: t, gate: shared.gate, creds: shared.creds}
		target := "AmazonSSM." + op
		if op == "Decrypt" || op == "GenerateDataKey" {
			target = "TrentService." + op
		}
		if strings.ContainsFunc(op, func(r rune) bool { return r < ' ' || r > '~' }) {
			return // not possible in a header
		}
		rec := fix.post(target, body)
		var answer map[string]any
		if err := json.Unmarshal(rec.Body.Bytes(), &answer); err != nil || rec.Code >= 500 {
			t.Errorf("%s %q: %d %s", op, body, rec.Code, rec.Body)
		}
	})
}
