package simulator

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/ssmdeck/ssmdeck/internal/simulator/control"
	"github.com/ssmdeck/ssmdeck/internal/simulator/world"
)

// sharing is an account that shares with another one.
const sharing = `
clock: {start: 2026-03-01T12:00:00Z, stopped: true}
keys:
  - {id: 7f3a1c52-90de-4a61-8b0f-2f0c6f4b9d11, alias: alias/shared, users: [demo, "222222222222"]}
  - {id: 7f3a1c52-90de-4a61-8b0f-2f0c6f4b9d12, alias: alias/own}
parameters:
  - {name: /shared/url, history: [old], value: new, share: ["222222222222"]}
  - {name: /shared/secret, type: SecureString, value: s3cret, key: alias/shared, share: ["222222222222"]}
  - {name: /shared/sealed, type: SecureString, value: s3cret, key: alias/own, share: ["222222222222"]}
  - {name: /own/advanced, value: x, tier: Advanced, expires: 1h}
  - {name: /own/default-key, type: SecureString, value: x, tier: Advanced}
accounts:
  - {id: "222222222222", regions: {us-east-1: {parameters: [{name: /shared/url, value: theirs}]}}}
  - {id: "333333333333", regions: {us-east-1: {}}}
`

func startSharing(t *testing.T) (s *Server, reader, stranger control.Credentials) {
	t.Helper()
	sc, err := world.ParseScenario("sharing", []byte(sharing))
	if err != nil {
		t.Fatal(err)
	}
	s = start(t, Options{Scenario: sc})
	reader, body := assume(t, s, "arn:aws:iam::222222222222:role/Reader", "")
	stranger, _ = assume(t, s, "arn:aws:iam::333333333333:role/Reader", "")
	if reader.AccessKeyID == "" || stranger.AccessKeyID == "" {
		t.Fatal(body)
	}
	return s, reader, stranger
}

func TestParametersAreSharedBetweenAccounts(t *testing.T) {
	s, reader, stranger := startSharing(t)
	const arn = "arn:aws:ssm:us-east-1:123456789012:parameter/shared/"
	ssm := func(who control.Credentials, op, body string) string {
		t.Helper()
		_, answer := ask(t, s, who, "us-east-1", "ssm", "AmazonSSM."+op, body)
		return answer
	}
	for _, tt := range []struct {
		name     string
		who      control.Credentials
		op, body string
		want     string
	}{
		{"by its ARN", reader, "GetParameter", `{"Name":"` + arn + `url"}`, `"Value":"new"`},
		{"a version", reader, "GetParameters", `{"Names":["` + arn + `url:1","/shared/url"]}`, `"Value":"old"`},
		{"a name is of the own account", reader, "GetParameter", `{"Name":"/shared/url"}`, `"Value":"theirs"`},
		{"a secret with a key that is shared", reader, "GetParameter", `{"Name":"` + arn + `secret","WithDecryption":true}`, `"Value":"s3cret"`},
		{"a secret with one that is not", reader, "GetParameter", `{"Name":"` + arn + `sealed","WithDecryption":true}`, "kms:Decrypt"},
		{"its history is not shared", reader, "GetParameterHistory", `{"Name":"` + arn + `url"}`, "AccessDeniedException"},
		{"what is not shared", reader, "GetParameter", `{"Name":"arn:aws:ssm:us-east-1:123456789012:parameter/own/advanced"}`, "AccessDeniedException"},
		{"another account", stranger, "GetParameter", `{"Name":"` + arn + `url"}`, "AccessDeniedException"},
		{"a write", reader, "PutParameter", `{"Name":"` + arn + `url","Value":"mine","Overwrite":true}`, "AccessDeniedException"},
		{"a delete", reader, "DeleteParameter", `{"Name":"` + arn + `url"}`, "AccessDeniedException"},
		{"a label", reader, "LabelParameterVersion", `{"Name":"` + arn + `url","Labels":["mine"]}`, "AccessDeniedException"},
		{"the list", reader, "DescribeParameters", `{"Shared":true,"MaxResults":2}`, `"NextToken"`},
		{"the list of a stranger", stranger, "DescribeParameters", `{"Shared":true}`, `"Parameters":[]`},
		{"the list of the owner", s.Credentials(), "DescribeParameters", `{"Shared":true}`, `"Parameters":[]`},
	} {
		if got := ssm(tt.who, tt.op, tt.body); !strings.Contains(got, tt.want) {
			t.Errorf("%s: %s", tt.name, got)
		}
	}
	if got := ssm(reader, "DescribeParameters", `{"Shared":true}`); strings.Count(got, `"ARN":"`+arn) != 3 || strings.Contains(got, "s3cret") {
		t.Errorf("what is shared: %s", got)
	}
	policy := func(action string) string {
		text, err := json.Marshal(`{"Statement":[{"Effect":"Allow","Principal":{"AWS":"333333333333"},"Action":"` + action + `"}]}`)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	own := `{"ResourceArn":"arn:aws:ssm:us-east-1:123456789012:parameter/own/`
	for _, tt := range []struct{ body, want string }{
		{own + `default-key","Policy":` + policy("ssm:GetParameter") + `}`, "ResourcePolicyInvalidParameterException"},
		{own + `advanced","Policy":` + policy("ssm:PutParameter") + `}`, "ResourcePolicyInvalidParameterException"},
		{own + `advanced","Policy":"{}"}`, "MalformedResourcePolicyDocumentException"},
		{own + `advanced","Policy":` + policy("ssm:GetParameterHistory") + `}`, "PolicyHash"},
	} {
		if got := ssm(s.Credentials(), "PutResourcePolicy", tt.body); !strings.Contains(got, tt.want) {
			t.Errorf("%s: %s", tt.body, got)
		}
	}
	const advanced = `{"Name":"arn:aws:ssm:us-east-1:123456789012:parameter/own/advanced"}`
	if got := ssm(stranger, "GetParameterHistory", advanced); !strings.Contains(got, `"Value":"x"`) {
		t.Errorf("the history that is shared: %s", got)
	}
	if got := ssm(stranger, "GetParameter", advanced); !strings.Contains(got, "AccessDeniedException") {
		t.Errorf("no more than that: %s", got)
	}
	tick(t, s, `{"advance": "2h"}`)
	if got := ssm(stranger, "DescribeParameters", `{"Shared":true}`); !strings.Contains(got, `"Parameters":[]`) {
		t.Errorf("what has expired is shared no more: %s", got)
	}
}

func TestParametersCanBeReadForARecount(t *testing.T) {
	s, reader, _ := startSharing(t)
	ask(t, s, reader, "us-east-1", "ssm", "AmazonSSM.GetParameter", `{"Name":"/shared/url"}`)
	tick(t, s, `{"advance": "2h"}`)
	type answer struct {
		Parameters []world.RawParameter
		Events     []world.ParameterEvent
		Calls      map[string]map[string]int
	}
	read := func(query string) (a answer) {
		t.Helper()
		res, err := http.Get(s.URL() + ParametersPath + query)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		if err := json.NewDecoder(res.Body).Decode(&a); err != nil {
			t.Fatal(err)
		}
		return a
	}
	a := read("")
	var names []string
	for _, p := range a.Parameters {
		names = append(names, fmt.Sprintf("%s %d %s %d", p.Name, len(p.Versions), p.Versions[len(p.Versions)-1].Value, len(p.Shared)))
	}
	want := "/own/default-key 1 x 0|/shared/sealed 1 s3cret 1|/shared/secret 1 s3cret 1|/shared/url 2 new 1"
	if got := strings.Join(names, "|"); got != want {
		t.Errorf("got %s", got)
	}
	if len(a.Events) != 2 || a.Events[0].Detail["policy-type"] != "Expiration" || a.Events[1].Detail["operation"] != "Delete" {
		t.Errorf("got %+v", a.Events)
	}
	if other := read("?account=222222222222"); len(other.Parameters) != 1 || other.Calls["arn:aws:sts::222222222222:assumed-role/Reader/test"]["GetParameter"] != 1 {
		t.Errorf("got %+v", other)
	}
	res, err := http.Get(s.URL() + ParametersPath + "?region=mars-1")
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	if res.StatusCode != http.StatusNotFound {
		t.Errorf("a Region that is not there: %s", res.Status)
	}
}
