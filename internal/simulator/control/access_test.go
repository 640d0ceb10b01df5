package control

import (
	"fmt"
	"testing"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/simulator/world"
)

const jit = `
nodes: [{id: i-00000000000000001}, {id: i-00000000000000002}]
access_requests: {nodes: [i-00000000000000001], decide_after: 10s, token_ttl: 5m, approval_ttl: 1h}
`

// token asks for the credentials of a request and signs with them from then on.
func (f *fixture) token(id string) (status string, issued bool) {
	f.t.Helper()
	answer, code := f.ssm("GetAccessToken", `{"AccessRequestId":"`+id+`"}`)
	if code != "" {
		f.t.Fatal(answer)
	}
	if answer["Credentials"] != nil {
		text := func(key string) string { return fmt.Sprint(at(answer, "Credentials", key)) }
		f.creds = Credentials{AccessKeyID: text("AccessKeyId"), SecretAccessKey: text("SecretAccessKey"), SessionToken: text("SessionToken")}
		issued = true
	}
	return fmt.Sprint(answer["AccessRequestStatus"]), issued
}

func TestAnAccessRequestFromPendingToExpired(t *testing.T) {
	now := noon
	f := newFixture(t, jit, func() time.Time { return now })
	const start = `{"Target":"i-00000000000000001"}`
	if _, code := f.ssm("StartSession", start); code != "AccessDeniedException" {
		t.Errorf("without a request: %s", code)
	}
	id, _ := f.must("StartAccessRequest", `{"Reason":"INC-1","Targets":[{"Key":"InstanceIds","Values":["i-00000000000000001"]}]}`)["AccessRequestId"].(string)
	if status, issued := f.token(id); status != "Pending" || issued {
		t.Errorf("at first: %s, credentials %v", status, issued)
	}
	own := f.creds
	now = now.Add(10 * time.Second)
	if status, issued := f.token(id); status != "Approved" || !issued {
		t.Fatalf("later: %s, credentials %v", status, issued)
	}
	session := fmt.Sprint(f.must("StartSession", start)["SessionId"])
	f.must("TerminateSession", `{"SessionId":"`+session+`"}`)
	for body, op := range map[string]string{
		`{"Target":"i-00000000000000002"}`:      "StartSession", // not what was asked for
		`{}`:                                    "DescribeInstanceInformation",
		`{"AccessRequestId":"` + id + `"}`:      "GetAccessToken",
		`{"Name":"SSM-SessionManagerRunShell"}`: "GetDocument",
	} {
		if answer, code := f.ssm(op, body); code != "AccessDeniedException" {
			t.Errorf("%s %s: %v", op, body, answer)
		}
	}
	now = now.Add(6 * time.Minute)
	if _, code := f.ssm("StartSession", start); code != "ExpiredTokenException" {
		t.Errorf("with credentials that ended: %s", code)
	}
	f.creds = own
	if status, issued := f.token(id); status != "Approved" || !issued {
		t.Errorf("renewed: %s", status)
	}
	f.creds = own
	now = now.Add(time.Hour)
	if status, issued := f.token(id); status != "Expired" || issued {
		t.Errorf("after the approval: %s", status)
	}
}

func TestAnApproverDecides(t *testing.T) {
	f := newFixture(t, jit, func() time.Time { return noon })
	id, _ := f.must("StartAccessRequest", `{"Reason":"x","Targets":[{"Key":"InstanceIds","Values":["i-00000000000000001"]}]}`)["AccessRequestId"].(string)
	own := f.creds
	for _, status := range []string{world.AccessRejected, world.AccessApproved, world.AccessRevoked} {
		if err := f.world.DecideAccess(id, status); err != nil {
			t.Fatal(err)
		}
		if got, issued := f.token(id); got != status || issued != (status == world.AccessApproved) {
			t.Errorf("%s: got %s, credentials %v", status, got, issued)
		}
		f.creds = own
	}
	list := f.must("DescribeOpsItems", `{"OpsItemFilters":[{"Key":"OpsItemType","Operator":"Equal","Values":["/aws/accessrequest"]},{"Key":"Status","Operator":"Equal","Values":["Revoked"]}]}`)
	if at(list, "OpsItemSummaries", 0, "OpsItemId") != id || at(list, "OpsItemSummaries", 0, "OpsItemType") != "/aws/accessrequest" {
		t.Errorf("the list is %v", list)
	}
	none := f.must("DescribeOpsItems", `{"OpsItemFilters":[{"Key":"AccessRequestByTargetResourceId","Operator":"Equal","Values":["i-00000000000000002"]}]}`)
	if len(none["OpsItemSummaries"].([]any)) != 0 {
		t.Errorf("requests for another node: %v", none)
	}
}

func TestRefusedAccessRequests(t *testing.T) {
	f := newFixture(t, jit, nil)
	for body, want := range map[string]string{
		`{"Targets":[{"Key":"InstanceIds","Values":["i-00000000000000001"]}]}`:                                    "ValidationException",
		`{"Reason":"x","Targets":[{"Key":"InstanceIds","Values":["i-00000000000000001","i-00000000000000002"]}]}`: "ValidationException",
		`{"Reason":"x","Targets":[{"Key":"tag:x","Values":["y"]}]}`:                                               "ValidationException",
		`{"Reason":"x","Targets":[{"Key":"InstanceIds","Values":["i-00000000000000009"]}]}`:                       "ResourceNotFoundException",
	} {
		if answer, code := f.ssm("StartAccessRequest", body); code != want {
			t.Errorf("%s: %v", body, answer)
		}
	}
	if _, code := f.ssm("GetAccessToken", `{"AccessRequestId":"oi-000000000000"}`); code != "ResourceNotFoundException" {
		t.Errorf("an unknown request: %s", code)
	}
}
