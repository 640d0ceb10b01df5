package control

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/ssmdeck/ssmdeck/internal/simulator/world"
)

type startAccessRequestIn struct {
	Reason  string `api:"required,len=1..256" pattern:"^[\\s\\S]{1,256}$"`
	Targets []struct {
		Key    string   `api:"len=1..163" pattern:"^[\\p{L}\\p{Z}\\p{N}_.:/=\\-@]*$|resource-groups:ResourceTypeFilters|resource-groups:Name"`
		Values []string `api:"items=0..50"`
	} `api:"required,items=1..5"`
	Tags []tag `api:"items=0..1000"`
}

func (c *call) startAccessRequest(in *startAccessRequestIn) (any, error) {
	var nodes []string
	for _, t := range in.Targets {
		if t.Key != "InstanceIds" {
			return nil, invalid(fmt.Sprintf("Target key %s is not supported for access requests: use InstanceIds.", t.Key))
		}
		nodes = append(nodes, t.Values...)
	}
	if len(nodes) != 1 {
		return nil, invalid(fmt.Sprintf("An access request is for one node, not %d.", len(nodes)))
	}
	r, err := c.world.RequestAccess(c.caller.ARN, in.Reason, nodes)
	if err != nil {
		return nil, err
	}
	return map[string]string{"AccessRequestId": r.ID}, nil
}

type getAccessTokenIn struct {
	AccessRequestID string `json:"AccessRequestId" api:"required" pattern:"^(oi)-[0-9a-f]{12}$"`
}

type accessCredentials struct {
	AccessKeyID     string `json:"AccessKeyId"`
	SecretAccessKey string
	SessionToken    string
	ExpirationTime  epoch
}

type getAccessTokenOut struct {
	AccessRequestStatus string
	Credentials         *accessCredentials `json:"Credentials,omitempty"`
}

// getAccessToken makes credentials that open sessions to the request's nodes.
// What else the real ones allow is not documented; here they open, resume and
// end sessions and nothing more.
func (c *call) getAccessToken(in *getAccessTokenIn) (any, error) {
	r, err := c.world.AccessRequest(in.AccessRequestID)
	if err != nil {
		return nil, err
	}
	out := getAccessTokenOut{AccessRequestStatus: r.Status}
	if r.Status != world.AccessApproved {
		return out, nil
	}
	expires := c.verifier.now().Add(c.world.Scenario().Access.TokenTTL)
	creds := temporary(c.world.Account(), "AWSSSMJustInTimeAccess", c.caller.Name, expires)
	creds.Caller.Nodes, creds.Caller.AccessRequest = slices.Clone(r.Nodes), r.ID
	c.verifier.Issue(creds)
	out.Credentials = &accessCredentials{creds.AccessKeyID, creds.SecretAccessKey, creds.SessionToken, epoch{expires}}
	return out, nil
}

// accessOperations are what the credentials of an access request can call.
var accessOperations = []string{"StartSession", "ResumeSession", "TerminateSession"}

// mayCall holds the credentials of an access request against an operation.
func mayCall(caller Caller, service, name string) error {
	if caller.AccessRequest == "" || service == "sts" || service == "ssm" && slices.Contains(accessOperations, name) {
		return nil
	}
	return world.Errorf("AccessDeniedException", "User: %s is not authorized to perform: %s:%s because no identity-based policy allows the %s:%s action",
		caller.ARN, service, name, service, name)
}

const accessItemType = "/aws/accessrequest"

// accessItem is an access request as an OpsItem. The form of its operational data
// is not documented.
func accessItem(r world.AccessRequest) world.Record {
	data, err := json.Marshal(map[string]any{"targetResourceIds": r.Nodes, "requesterArn": r.Owner, "reason": r.Reason})
	if err != nil {
		panic(err) // texts always encode
	}
	changed := r.Created
	if !r.Decided.IsZero() {
		changed = r.Decided
	}
	return world.Record{
		"OpsItemId": r.ID, "OpsItemType": accessItemType, "Title": "Access request: " + r.Reason, "Status": opsItemStatus(r.Status),
		"Source": "SSM", "CreatedBy": r.Owner, "CreatedTime": r.Created, "LastModifiedBy": r.Owner, "LastModifiedTime": changed,
		"OperationalData": world.Record{accessItemType: world.Record{"Value": string(data), "Type": "SearchableString"}},
		"nodes":           r.Nodes,
	}
}

// opsItemStatus is a request's state as its OpsItem has it.
func opsItemStatus(status string) string {
	switch status {
	case world.AccessPending:
		return "PendingApproval"
	case world.AccessExpired:
		return "Closed"
	}
	return status
}
