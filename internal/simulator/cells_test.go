package simulator

import (
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/simulator/control"
	"github.com/ssmdeck/ssmdeck/internal/simulator/world"
)

const shop = `
nodes: [{id: i-00000000000000001}]
regions:
  eu-west-1: {nodes: [{id: i-00000000000000002}]}
  ap-south-1: {unreachable: true}
organizational_units:
  - {id: ou-demo-prodprod, name: prod}
  - {id: ou-demo-deepdeep, name: deep, parent: ou-demo-prodprod}
accounts:
  - id: "222222222222"
    ou: ou-demo-prodprod
    roles: [Reader]
    external_id: secret-handshake
    regions: {eu-west-1: {nodes: [{id: i-00000000000000003}]}}
  - {id: "333333333333", status: SUSPENDED, ou: ou-demo-deepdeep}
`

func startShop(t *testing.T) *Server {
	t.Helper()
	sc, err := world.ParseScenario("shop", []byte(shop))
	if err != nil {
		t.Fatal(err)
	}
	return start(t, Options{Scenario: sc})
}

// ask sends a signed request and returns the status and the answer.
func ask(t *testing.T, s *Server, c control.Credentials, region, service, target, body string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL()+"/", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if target == "" {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	} else {
		r.Header.Set("X-Amz-Target", target)
	}
	if c.SessionToken != "" {
		r.Header.Set("X-Amz-Security-Token", c.SessionToken)
	}
	signatureIn(r, body, region, service, c)
	resp, err := client(t, s).Do(r)
	if err != nil {
		return 0, err.Error()
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

func assume(t *testing.T, s *Server, role, externalID string) (control.Credentials, string) {
	t.Helper()
	form := url.Values{"Action": {"AssumeRole"}, "Version": {"2011-06-15"}, "RoleArn": {role}, "RoleSessionName": {"test"}}
	if externalID != "" {
		form.Set("ExternalId", externalID)
	}
	_, body := ask(t, s, s.Credentials(), "us-east-1", "sts", "", form.Encode())
	var answer struct {
		Key    string `xml:"AssumeRoleResult>Credentials>AccessKeyId"`
		Secret string `xml:"AssumeRoleResult>Credentials>SecretAccessKey"`
		Token  string `xml:"AssumeRoleResult>Credentials>SessionToken"`
	}
	_ = xml.Unmarshal([]byte(body), &answer) // an error has none of these
	return control.Credentials{AccessKeyID: answer.Key, SecretAccessKey: answer.Secret, SessionToken: answer.Token}, body
}

func TestEachRegionAndAccountIsAWorldOfItsOwn(t *testing.T) {
	s := startShop(t)
	const member = "arn:aws:iam::222222222222:role/"
	for name, tt := range map[string]struct{ role, externalID string }{
		"without the external id":     {member + "Reader", ""},
		"with another one":            {member + "Reader", "guess"},
		"a role that trusts others":   {member + "Writer", "secret-handshake"},
		"a suspended account":         {"arn:aws:iam::333333333333:role/Reader", ""},
		"an account of somebody else": {"arn:aws:iam::555555555555:role/Reader", ""},
	} {
		if c, body := assume(t, s, tt.role, tt.externalID); c.AccessKeyID != "" || !strings.Contains(body, "<Code>AccessDenied</Code>") {
			t.Errorf("%s: %s", name, body)
		}
	}
	reader, body := assume(t, s, member+"Reader", "secret-handshake")
	if reader.AccessKeyID == "" {
		t.Fatal(body)
	}
	for _, tt := range []struct {
		who    control.Credentials
		region string
		want   string
	}{
		{s.Credentials(), "us-east-1", "i-00000000000000001"},
		{s.Credentials(), "eu-west-1", "i-00000000000000002"},
		{reader, "eu-west-1", "i-00000000000000003"},
		{s.Credentials(), "eu-north-1", "InvalidSignatureException"},
		{s.Credentials(), "ap-south-1", "EOF"},
	} {
		if _, got := ask(t, s, tt.who, tt.region, "ssm", "AmazonSSM.DescribeInstanceInformation", "{}"); !strings.Contains(got, tt.want) {
			t.Errorf("%s in %s: %s", tt.who.AccessKeyID, tt.region, got)
		}
	}
	if _, got := ask(t, s, reader, "eu-west-1", "sts", "", "Action=GetCallerIdentity&Version=2011-06-15"); !strings.Contains(got, "<Account>222222222222</Account>") {
		t.Errorf("identity of the role: %s", got)
	}
	if s.In("222222222222", "eu-west-1") == nil || s.In("222222222222", "us-east-1") != nil || s.In("123456789012", "us-east-1") != s.World() {
		t.Error("the worlds are not where they should be")
	}
	if n := s.Stats().Calls["DescribeInstanceInformation"]; n != 3 {
		t.Errorf("%d calls were counted, want 3", n)
	}
}

func TestOrganizationsAndRegions(t *testing.T) {
	s := startShop(t)
	reader, body := assume(t, s, "arn:aws:iam::222222222222:role/Reader", "secret-handshake")
	if reader.AccessKeyID == "" {
		t.Fatal(body)
	}
	const o = "AWSOrganizationsV20161128."
	for _, tt := range []struct {
		who                     control.Credentials
		region, service, op, in string
		want                    string
		status                  int
	}{
		{s.Credentials(), "us-east-1", "organizations", o + "ListAccounts", "{}", `"Status":"SUSPENDED"`, 200},
		{s.Credentials(), "us-east-1", "organizations", o + "ListAccounts", `{"MaxResults":1}`, `"NextToken":"`, 200},
		{s.Credentials(), "us-east-1", "organizations", o + "ListAccounts", `{"MaxResults":21}`, "ValidationException", 400},
		{s.Credentials(), "us-east-1", "organizations", o + "ListAccounts", `{"NextToken":"x"}`, "InvalidInputException", 400},
		{s.Credentials(), "us-east-1", "organizations", o + "ListRoots", "{}", `"Id":"r-demo"`, 200},
		{s.Credentials(), "us-east-1", "organizations", o + "ListAccountsForParent", `{"ParentId":"ou-demo-prodprod"}`, `"Id":"222222222222"`, 200},
		{s.Credentials(), "us-east-1", "organizations", o + "ListAccountsForParent", `{"ParentId":"ou-demo-nonenone"}`, "ParentNotFoundException", 400},
		{s.Credentials(), "us-east-1", "organizations", o + "ListAccountsForParent", `{"ParentId":"prod"}`, "ValidationException", 400},
		{s.Credentials(), "us-east-1", "organizations", o + "ListOrganizationalUnitsForParent", `{"ParentId":"ou-demo-prodprod"}`, `"Name":"deep"`, 200},
		{s.Credentials(), "us-east-1", "organizations", o + "ListParents", `{"ChildId":"222222222222"}`, `"Type":"ORGANIZATIONAL_UNIT"`, 200},
		{s.Credentials(), "us-east-1", "organizations", o + "ListParents", `{"ChildId":"ou-demo-prodprod"}`, `"Type":"ROOT"`, 200},
		{s.Credentials(), "us-east-1", "organizations", o + "ListParents", `{"ChildId":"999999999999"}`, "ChildNotFoundException", 400},
		{s.Credentials(), "us-east-1", "organizations", o + "DescribeOrganization", "{}", `"MasterAccountId":"123456789012"`, 200},
		{reader, "us-east-1", "organizations", o + "ListAccounts", "{}", "AccessDeniedException", 400},
		{s.Credentials(), "us-east-1", "ec2", "", "Action=DescribeRegions&Version=2016-11-15", "<regionName>eu-west-1</regionName>", 200},
		{s.Credentials(), "us-east-1", "ec2", "", "Action=DescribeRegions&AllRegions=true&Version=2016-11-15", "<optInStatus>not-opted-in</optInStatus>", 200},
		{s.Credentials(), "us-east-1", "ec2", "", "Action=DescribeRegions&RegionName.1=mars-1&Version=2016-11-15", "InvalidParameterValue", 400},
	} {
		status, got := ask(t, s, tt.who, tt.region, tt.service, tt.op, tt.in)
		if status != tt.status || !strings.Contains(got, tt.want) {
			t.Errorf("%s %s: %d %s", tt.op, tt.in, status, got)
		}
	}
	alone := start(t, Options{})
	if _, got := ask(t, alone, alone.Credentials(), "us-east-1", "organizations", o+"DescribeOrganization", "{}"); !strings.Contains(got, "AWSOrganizationsNotInUseException") {
		t.Errorf("an account without an organization: %s", got)
	}
}

// TestASessionIsItsRegions: the upgrade is signed for the Region of the node, and
// the gateway of another knows nothing of it.
func TestASessionIsItsRegions(t *testing.T) {
	s := startShop(t)
	if _, got := ask(t, s, s.Credentials(), "eu-west-1", "ssm", "AmazonSSM.StartSession", `{"Target":"i-00000000000000002"}`); !strings.Contains(got, "StreamUrl") {
		t.Fatal(got)
	}
	if n := s.Stats().OpenSessions; n != 1 {
		t.Errorf("%d sessions are open", n)
	}
	if _, got := ask(t, s, s.Credentials(), "us-east-1", "ssm", "AmazonSSM.StartSession", `{"Target":"i-00000000000000002"}`); strings.Contains(got, "StreamUrl") {
		t.Errorf("a node of another Region was reached: %s", got)
	}
}

func TestASlowRegion(t *testing.T) {
	sc, err := world.ParseScenario("slow", []byte("regions: {eu-west-1: {delay: 50ms}}"))
	if err != nil {
		t.Fatal(err)
	}
	s := start(t, Options{Scenario: sc})
	began := time.Now()
	if status, got := ask(t, s, s.Credentials(), "eu-west-1", "ssm", "AmazonSSM.ListDocuments", "{}"); status != http.StatusOK || time.Since(began) < 50*time.Millisecond {
		t.Errorf("%s after %v", fmt.Sprint(status, got), time.Since(began))
	}
}
