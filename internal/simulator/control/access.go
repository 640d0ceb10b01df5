package control

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

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
	expires := c.world.Now().Add(c.world.Scenario().Access.TokenTTL)
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

type describeOpsItemsIn struct {
	OpsItemFilters []struct {
		Key      string   `api:"required"`
		Values   []string `api:"required"`
		Operator string   `api:"required,enum=Equal|Contains|GreaterThan|LessThan"`
	}
	MaxResults *int `api:"range=1..50"`
	NextToken  string
}

type opsItemSummary struct {
	OpsItemID        string `json:"OpsItemId"`
	OpsItemType      string
	Title            string
	Status           string
	Source           string
	CreatedBy        string
	CreatedTime      epoch
	LastModifiedBy   string
	LastModifiedTime epoch
	OperationalData  map[string]opsItemData
}

type opsItemData struct{ Value, Type string }

const accessItemType = "/aws/accessrequest"

// describeOpsItems knows one kind of OpsItem, access requests. The form of
// their operational data is not documented.
func (c *call) describeOpsItems(in *describeOpsItemsIn) (any, error) {
	list := c.world.AccessRequests()
	for _, f := range in.OpsItemFilters {
		has, err := opsItemField(f.Key)
		if err != nil {
			return nil, err
		}
		if f.Operator != "Equal" && f.Operator != "Contains" {
			return nil, world.Errorf("OpsItemInvalidParameterException", "Operator %s is not supported for %s.", f.Operator, f.Key)
		}
		list = slices.DeleteFunc(list, func(r world.AccessRequest) bool {
			return !slices.ContainsFunc(f.Values, func(v string) bool {
				return slices.ContainsFunc(has(r), func(have string) bool {
					return have == v || f.Operator == "Contains" && strings.Contains(have, v)
				})
			})
		})
	}
	list, token, err := page(c, "DescribeOpsItems", list, func(r world.AccessRequest) string { return r.ID }, in.NextToken, in.MaxResults, 50)
	if err != nil {
		return nil, err
	}
	out := struct {
		OpsItemSummaries []opsItemSummary
		NextToken        string `json:"NextToken,omitempty"`
	}{[]opsItemSummary{}, token}
	for _, r := range list {
		data, err := json.Marshal(map[string]any{"targetResourceIds": r.Nodes, "requesterArn": r.Owner, "reason": r.Reason})
		if err != nil {
			return nil, err
		}
		changed := r.Created
		if !r.Decided.IsZero() {
			changed = r.Decided
		}
		out.OpsItemSummaries = append(out.OpsItemSummaries, opsItemSummary{
			OpsItemID: r.ID, OpsItemType: accessItemType, Title: "Access request: " + r.Reason, Status: opsItemStatus(r.Status),
			Source: "SSM", CreatedBy: r.Owner, CreatedTime: epoch{r.Created}, LastModifiedBy: r.Owner, LastModifiedTime: epoch{changed},
			OperationalData: map[string]opsItemData{accessItemType: {string(data), "SearchableString"}},
		})
	}
	return out, nil
}

// opsItemField returns what a filter looks at.
func opsItemField(key string) (func(world.AccessRequest) []string, error) {
	switch key {
	case "OpsItemType":
		return func(world.AccessRequest) []string { return []string{accessItemType} }, nil
	case "Status":
		return func(r world.AccessRequest) []string { return []string{opsItemStatus(r.Status)} }, nil
	case "OpsItemId":
		return func(r world.AccessRequest) []string { return []string{r.ID} }, nil
	case "AccessRequestByRequesterArn", "CreatedBy":
		return func(r world.AccessRequest) []string { return []string{r.Owner} }, nil
	case "AccessRequestByTargetResourceId":
		return func(r world.AccessRequest) []string { return r.Nodes }, nil
	}
	return nil, world.Errorf("OpsItemInvalidParameterException", "The simulator does not know the filter %s.", key)
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
