package control

import (
	"slices"

	"github.com/ssmdeck/ssmdeck/internal/simulator/world"
)

// AWS Organizations, public API model 2016-11-28: what lists accounts. Only the
// management account of a scenario that has members may ask.
const (
	organizationsTarget  = "AWSOrganizationsV20161128"
	organizationsService = "organizations"

	organizationID   = "o-demo123456"
	organizationPage = 20 // MaxResults, and what there is without it
)

func organizationsOperations() map[string]operation {
	return map[string]operation{
		"DescribeOrganization":             op(organizationsService, (*call).describeOrganization),
		"ListRoots":                        op(organizationsService, (*call).listRoots),
		"ListAccounts":                     op(organizationsService, (*call).listAccounts),
		"ListAccountsForParent":            op(organizationsService, (*call).listAccountsForParent),
		"ListOrganizationalUnitsForParent": op(organizationsService, (*call).listUnitsForParent),
		"ListParents":                      op(organizationsService, (*call).listParents),
	}
}

// inOrganization refuses callers that are in none.
func (c *call) inOrganization() error {
	if len(c.account.Accounts) == 0 {
		return &apiError{Code: "AWSOrganizationsNotInUseException", Message: "Your account is not a member of an organization."}
	}
	return nil
}

// manages refuses everybody but the management account.
func (c *call) manages() error {
	if err := c.inOrganization(); err != nil {
		return err
	}
	if c.world.Account() != c.account.Account || c.caller.account() != c.account.Account {
		return &apiError{Code: "AccessDeniedException", Message: "You don't have permissions to access this resource."}
	}
	return nil
}

func (c *call) organizationARN(kind, path string) string {
	return "arn:aws:organizations::" + c.account.Account + ":" + kind + "/" + organizationID + path
}

func (c *call) describeOrganization(*struct{}) (any, error) {
	if err := c.inOrganization(); err != nil {
		return nil, err
	}
	own := c.account.Members()[0]
	type organization struct {
		Arn                string
		ID                 string `json:"Id"`
		FeatureSet         string
		MasterAccountArn   string
		MasterAccountID    string `json:"MasterAccountId"`
		MasterAccountEmail string
	}
	return map[string]any{"Organization": organization{
		c.organizationARN("organization", ""), organizationID, "ALL", c.organizationARN("account", "/"+own.ID), own.ID, own.Email,
	}}, nil
}

type organizationPageIn struct {
	NextToken  string `api:"len=0..100000"`
	MaxResults *int   `api:"range=1..20"`
}

type rootOut struct {
	Arn  string
	ID   string `json:"Id"`
	Name string
}

func (c *call) listRoots(in *organizationPageIn) (any, error) {
	if err := c.manages(); err != nil {
		return nil, err
	}
	roots, next, err := page(c, "ListRoots", []rootOut{{c.organizationARN("root", "/"+world.RootID), world.RootID, "Root"}},
		func(r rootOut) string { return r.ID }, in.NextToken, in.MaxResults, organizationPage)
	return struct {
		Roots     []rootOut
		NextToken string `json:",omitempty"`
	}{roots, next}, err
}

type accountOut struct {
	Arn    string
	ID     string `json:"Id"`
	Name   string
	Email  string
	Status string
	State  string
}

func (c *call) accounts(action string, members []world.AccountSpec, in organizationPageIn) (any, error) {
	members, next, err := page(c, action, members, func(a world.AccountSpec) string { return a.ID }, in.NextToken, in.MaxResults, organizationPage)
	if err != nil {
		return nil, &apiError{Code: "InvalidInputException", Message: "You provided invalid values for one or more of the request parameters: NextToken."}
	}
	out := make([]accountOut, len(members))
	for i, a := range members {
		out[i] = accountOut{c.organizationARN("account", "/"+a.ID), a.ID, a.Name, a.Email, a.Status, a.Status}
	}
	return struct {
		Accounts  []accountOut
		NextToken string `json:",omitempty"`
	}{out, next}, nil
}

func (c *call) listAccounts(in *organizationPageIn) (any, error) {
	if err := c.manages(); err != nil {
		return nil, err
	}
	return c.accounts("ListAccounts", c.account.Members(), *in)
}

type parentIn struct {
	ParentID   string `json:"ParentId" api:"required,len=1..100" pattern:"^(r-[0-9a-z]{4,32})|(ou-[0-9a-z]{4,32}-[a-z0-9]{8,32})$"`
	NextToken  string `api:"len=0..100000"`
	MaxResults *int   `api:"range=1..20"`
}

// parent refuses a parent that does not exist.
func (c *call) parent(id string) error {
	if err := c.manages(); err != nil {
		return err
	}
	if id != world.RootID && !slices.ContainsFunc(c.account.Units, func(u world.UnitSpec) bool { return u.ID == id }) {
		return &apiError{Code: "ParentNotFoundException", Message: "You specified parent that doesn't exist."}
	}
	return nil
}

func (c *call) listAccountsForParent(in *parentIn) (any, error) {
	if err := c.parent(in.ParentID); err != nil {
		return nil, err
	}
	members := slices.DeleteFunc(c.account.Members(), func(a world.AccountSpec) bool { return a.Unit != in.ParentID })
	return c.accounts("ListAccountsForParent "+in.ParentID, members, organizationPageIn{in.NextToken, in.MaxResults})
}

func (c *call) listUnitsForParent(in *parentIn) (any, error) {
	if err := c.parent(in.ParentID); err != nil {
		return nil, err
	}
	units := slices.DeleteFunc(slices.Clone(c.account.Units), func(u world.UnitSpec) bool { return u.Parent != in.ParentID })
	units, next, err := page(c, "ListOrganizationalUnitsForParent "+in.ParentID, units, func(u world.UnitSpec) string { return u.ID },
		in.NextToken, in.MaxResults, organizationPage)
	if err != nil {
		return nil, &apiError{Code: "InvalidInputException", Message: "You provided invalid values for one or more of the request parameters: NextToken."}
	}
	out := make([]rootOut, len(units))
	for i, u := range units {
		out[i] = rootOut{c.organizationARN("ou", "/"+u.ID), u.ID, u.Name}
	}
	return struct {
		OrganizationalUnits []rootOut
		NextToken           string `json:",omitempty"`
	}{out, next}, nil
}

type childIn struct {
	ChildID string `json:"ChildId" api:"required,len=1..100" pattern:"^([0-9]{12})|(ou-[0-9a-z]{4,32}-[a-z0-9]{8,32})$"`
}

func (c *call) listParents(in *childIn) (any, error) {
	if err := c.manages(); err != nil {
		return nil, err
	}
	parent := ""
	if a, ok := c.account.Member(in.ChildID); ok {
		parent = a.Unit
	}
	for _, u := range c.account.Units {
		if u.ID == in.ChildID {
			parent = u.Parent
		}
	}
	if parent == "" {
		return nil, &apiError{Code: "ChildNotFoundException", Message: "You specified child that doesn't exist."}
	}
	kind := "ORGANIZATIONAL_UNIT"
	if parent == world.RootID {
		kind = "ROOT"
	}
	type parentOut struct {
		ID   string `json:"Id"`
		Type string
	}
	return map[string]any{"Parents": []parentOut{{parent, kind}}}, nil
}

// trusts reports, as an error of STS, why a role of an account does not let the
// caller in. A scenario without members takes every role of every account.
func (h *Handler) trusts(caller Caller, arn, account, role, externalID string) error {
	a, ok := h.account.Member(account)
	switch {
	case len(h.account.Accounts) == 0, account == h.account.Account:
		return nil
	case ok && a.Status == world.AccountActive && (a.ExternalID == "" || a.ExternalID == externalID) &&
		(len(a.Roles) == 0 || slices.Contains(a.Roles, role)):
		return nil
	}
	return &apiError{Code: "AccessDenied", Message: "User: " + caller.ARN + " is not authorized to perform: sts:AssumeRole on resource: " + arn}
}
