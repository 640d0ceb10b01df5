package control

import (
	"fmt"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
)

func newModulus(bits uint) *big.Int {
	n := new(big.Int).Lsh(big.NewInt(1), bits)
	return n.Sub(n, big.NewInt(1))
}

const activationScenario = `
roles:
  - {name: SSMServiceRole}
  - {name: Edge, path: /service-role/}
  - {name: Web, trust: [ec2.amazonaws.com]}
nodes:
  - {id: i-0aaaaaaaaaaaaaaaa}
  - {id: mi-00000000000000004, name: shed, iam_role: Shed}
`

func TestActivations(t *testing.T) {
	now := noon
	f := newFixture(t, activationScenario, func() time.Time { return now })
	made := f.must("CreateActivation", fmt.Sprintf(`{"IamRole":"service-role/Edge","DefaultInstanceName":"till","Description":"shop 7",
		"RegistrationLimit":10,"ExpirationDate":%d,"Tags":[{"Key":"env","Value":"prod"}]}`, now.Add(7*24*time.Hour).Unix()))
	id, _ := made["ActivationId"].(string)
	code, _ := made["ActivationCode"].(string)
	if len(id) != 36 || len(code) != 20 {
		t.Fatalf("made %v", made)
	}
	now = now.Add(time.Minute)
	f.must("CreateActivation", `{"IamRole":"SSMServiceRole"}`)

	all := f.must("DescribeActivations", `{}`)
	if got := column(all["ActivationList"], "IamRole"); got != "SSMServiceRole service-role/Edge" {
		t.Errorf("roles are %s; the latest comes first", got)
	}
	one := at(f.must("DescribeActivations", `{"Filters":[{"FilterKey":"ActivationIds","FilterValues":["`+id+`"]}]}`), "ActivationList", 0)
	for key, want := range map[string]any{
		"ActivationId": id, "DefaultInstanceName": "till", "Description": "shop 7", "RegistrationLimit": 10.0,
		"RegistrationsCount": 0.0, "Expired": false, "ExpirationDate": float64(noon.Add(7 * 24 * time.Hour).Unix()), "CreatedDate": float64(noon.Unix()),
	} {
		if got := at(one, key); got != want {
			t.Errorf("%s is %v, want %v", key, got, want)
		}
	}
	if at(one, "Tags", 0, "Value") != "prod" {
		t.Errorf("tags are %v", at(one, "Tags"))
	}
	if strings.Contains(fmt.Sprint(all), code) {
		t.Error("the code is told again")
	}
	plain := at(all, "ActivationList", 0)
	if at(plain, "RegistrationLimit") != 1.0 || at(plain, "ExpirationDate") != float64(now.Add(24*time.Hour).Unix()) {
		t.Errorf("the defaults are %v", plain)
	}

	page := f.must("DescribeActivations", `{"MaxResults":1}`)
	rest := f.must("DescribeActivations", fmt.Sprintf(`{"MaxResults":1,"NextToken":%q}`, page["NextToken"]))
	if column(page["ActivationList"], "IamRole")+" "+column(rest["ActivationList"], "IamRole") != "SSMServiceRole service-role/Edge" || rest["NextToken"] != nil {
		t.Errorf("pages %v, %v", page, rest)
	}

	now = now.Add(8 * 24 * time.Hour)
	if at(f.must("DescribeActivations", `{"Filters":[{"FilterKey":"DefaultInstanceName","FilterValues":["till"]}]}`), "ActivationList", 0, "Expired") != true {
		t.Error("it does not expire")
	}
	f.must("DeleteActivation", `{"ActivationId":"`+id+`"}`)
	if _, code := f.ssm("DeleteActivation", `{"ActivationId":"`+id+`"}`); code != "InvalidActivation" {
		t.Errorf("deleted twice: %s", code)
	}
}

func TestActivationRefusals(t *testing.T) {
	f := newFixture(t, activationScenario, func() time.Time { return noon })
	for name, tt := range map[string]struct{ op, body, code string }{
		"no role":                {"CreateActivation", `{}`, "ValidationException"},
		"an unknown role":        {"CreateActivation", `{"IamRole":"Nobody"}`, "ValidationException"},
		"a role of EC2":          {"CreateActivation", `{"IamRole":"Web"}`, "ValidationException"},
		"a past date":            {"CreateActivation", `{"IamRole":"SSMServiceRole","ExpirationDate":1}`, "InvalidParameters"},
		"too far ahead":          {"CreateActivation", fmt.Sprintf(`{"IamRole":"SSMServiceRole","ExpirationDate":%d}`, noon.Add(31*24*time.Hour).Unix()), "InvalidParameters"},
		"no date":                {"CreateActivation", `{"IamRole":"SSMServiceRole","ExpirationDate":{}}`, "SerializationException"},
		"a limit of none":        {"CreateActivation", `{"IamRole":"SSMServiceRole","RegistrationLimit":0}`, "ValidationException"},
		"a limit of too many":    {"CreateActivation", `{"IamRole":"SSMServiceRole","RegistrationLimit":1001}`, "ValidationException"},
		"an unknown activation":  {"DeleteActivation", `{"ActivationId":"00000000-0000-4000-8000-000000000000"}`, "InvalidActivation"},
		"an unknown filter":      {"DescribeActivations", `{"Filters":[{"FilterKey":"Owner","FilterValues":["x"]}]}`, "ValidationException"},
		"a filter without key":   {"DescribeActivations", `{"Filters":[{"FilterValues":["x"]}]}`, "InvalidFilter"},
		"an unknown hybrid node": {"DeregisterManagedInstance", `{"InstanceId":"mi-0000000000000000f"}`, "InvalidInstanceId"},
		"an instance of EC2":     {"DeregisterManagedInstance", `{"InstanceId":"i-0aaaaaaaaaaaaaaaa"}`, "ValidationException"},
		"an EC2 role":            {"UpdateManagedInstanceRole", `{"InstanceId":"mi-00000000000000004","IamRole":"Web"}`, "ValidationException"},
	} {
		if _, code := f.ssm(tt.op, tt.body); code != tt.code {
			t.Errorf("%s: %s, want %s", name, code, tt.code)
		}
	}
}

func TestHybridNodesChangeRoleAndLeave(t *testing.T) {
	f := newFixture(t, activationScenario, nil)
	f.must("UpdateManagedInstanceRole", `{"InstanceId":"mi-00000000000000004","IamRole":"service-role/Edge"}`)
	list := f.must("DescribeInstanceInformation", `{"Filters":[{"Key":"InstanceIds","Values":["mi-00000000000000004"]}]}`)
	if got := column(list["InstanceInformationList"], "IamRole"); got != "service-role/Edge" {
		t.Errorf("the role is %s", got)
	}
	f.must("DeregisterManagedInstance", `{"InstanceId":"mi-00000000000000004"}`)
	all := f.must("DescribeInstanceInformation", `{}`)
	if got := column(all["InstanceInformationList"], "InstanceId"); got != "i-0aaaaaaaaaaaaaaaa" {
		t.Errorf("nodes that are left: %s", got)
	}
	if _, code := f.ssm("SendCommand", `{"DocumentName":"AWS-RunShellScript","InstanceIds":["mi-00000000000000004"],"Parameters":{"commands":["x"]}}`); code != "InvalidInstanceId" {
		t.Errorf("a command for it: %s", code)
	}
}

// iam sends a signed query to IAM.
func (f *fixture) iam(form url.Values) *httptest.ResponseRecorder {
	f.t.Helper()
	form.Set("Version", iamVersion)
	body := form.Encode()
	r := httptest.NewRequest(http.MethodPost, "http://127.0.0.1/", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	sign(r, body, "iam", f.creds, f.world.Now())
	rec := httptest.NewRecorder()
	f.ServeHTTP(rec, r)
	return rec
}

func TestGetRole(t *testing.T) {
	f := newFixture(t, activationScenario+"region: eu-west-1\n", nil)
	for name, want := range map[string][]string{
		"SSMServiceRole": {"<Arn>arn:aws:iam::123456789012:role/SSMServiceRole</Arn>", "ssm.amazonaws.com"},
		"Edge":           {"<Arn>arn:aws:iam::123456789012:role/service-role/Edge</Arn>", "<Path>/service-role/</Path>"},
		"Web":            {"ec2.amazonaws.com"},
		"Shed":           {"ssm.amazonaws.com"}, // a node has it
	} {
		rec := f.iam(url.Values{"Action": {"GetRole"}, "RoleName": {name}})
		for _, w := range want {
			if rec.Code != http.StatusOK || !strings.Contains(rec.Body.String(), w) {
				t.Errorf("%s: %d %s, want %s", name, rec.Code, rec.Body, w)
			}
		}
	}
	if rec := f.iam(url.Values{"Action": {"GetRole"}, "RoleName": {"Nobody"}}); rec.Code != http.StatusNotFound || !strings.Contains(rec.Body.String(), "<Code>NoSuchEntity</Code>") {
		t.Errorf("an unknown role: %d %s", rec.Code, rec.Body)
	}
}
