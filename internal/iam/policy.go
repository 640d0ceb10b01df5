package iam

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
)

// Result is what policies say about an action.
type Result int

// The results.
const (
	NotAllowed        Result = iota // no policy allows it
	Allowed                         //
	Perhaps                         // allowed under a condition, or on some resources
	Denied                          // a policy denies it
	OutOfBounds                     // the permissions boundary does not allow it
	OutOfOrganization               // a policy of the organization does not allow it
)

// Decision is the result for one action, and the policy that brought it about.
type Decision struct {
	Action string
	Result Result
	Policy string // "" when it is not known, or when no policy says anything
}

// Document is a policy of IAM or of a VPC endpoint.
type Document struct {
	Name       string
	statements []statement
}

// statement is the part of the policy grammar that decides here. A condition is
// not evaluated.
type statement struct {
	Effect      string
	Action      oneOrMany
	NotAction   oneOrMany
	Resource    oneOrMany
	NotResource oneOrMany
	Principal   json.RawMessage
	Condition   map[string]json.RawMessage
}

// oneOrMany is a text or a list of them.
type oneOrMany []string

// UnmarshalJSON reads either form.
func (o *oneOrMany) UnmarshalJSON(data []byte) error {
	var one string
	if json.Unmarshal(data, &one) == nil {
		*o = oneOrMany{one}
		return nil
	}
	return json.Unmarshal(data, (*[]string)(o))
}

// statements is a statement or a list of them.
type statements []statement

// UnmarshalJSON reads either form.
func (s *statements) UnmarshalJSON(data []byte) error {
	if len(data) > 0 && data[0] == '{' {
		var one statement
		err := json.Unmarshal(data, &one)
		*s = statements{one}
		return err
	}
	return json.Unmarshal(data, (*[]statement)(s))
}

// ParseDocument reads a policy.
func ParseDocument(name, text string) (Document, error) {
	var doc struct{ Statement statements }
	if err := json.Unmarshal([]byte(text), &doc); err != nil {
		return Document{}, errors.New("policy " + name + " is not JSON of the policy grammar")
	}
	return Document{Name: name, statements: doc.Statement}, nil
}

// coreDocument is what Core allows: all that agents ask for.
var coreDocument = Document{Name: Core, statements: []statement{{
	Effect: "Allow", Resource: oneOrMany{"*"},
	Action: oneOrMany{
		"ssm:DescribeAssociation", "ssm:GetDeployablePatchSnapshotForInstance", "ssm:GetDocument", "ssm:DescribeDocument",
		"ssm:GetManifest", "ssm:GetParameter", "ssm:GetParameters", "ssm:ListAssociations", "ssm:ListInstanceAssociations",
		"ssm:PutInventory", "ssm:PutComplianceItems", "ssm:PutConfigurePackageResult", "ssm:UpdateAssociationStatus",
		"ssm:UpdateInstanceAssociationStatus", "ssm:UpdateInstanceInformation",
		"ssmmessages:CreateControlChannel", "ssmmessages:CreateDataChannel", "ssmmessages:OpenControlChannel", "ssmmessages:OpenDataChannel",
		"ec2messages:AcknowledgeMessage", "ec2messages:DeleteMessage", "ec2messages:FailMessage", "ec2messages:GetEndpoint",
		"ec2messages:GetMessages", "ec2messages:SendReply",
	},
}}}

// Documents reads the documents of policies. Those that cannot be read are left
// out and named in the error.
func Documents(policies []Policy) ([]Document, error) {
	var (
		docs   []Document
		faults []error
	)
	for _, p := range policies {
		if p.IsCore() {
			docs = append(docs, coreDocument)
			continue
		}
		d, err := ParseDocument(p.Name, p.Document)
		if err != nil {
			faults = append(faults, err)
			continue
		}
		docs = append(docs, d)
	}
	return docs, errors.Join(faults...)
}

// Decide says what documents, taken together, say about an action, as IAM does:
// a denial wins over everything.
func Decide(docs []Document, action string) Decision {
	d := Decision{Action: action}
	for _, doc := range docs {
		for _, s := range doc.statements {
			if !s.about(action) {
				continue
			}
			limited := len(s.Condition) > 0 || !s.everywhere()
			switch {
			case s.Effect == "Deny" && !limited:
				return Decision{Action: action, Result: Denied, Policy: doc.Name}
			case s.Effect != "Allow" || d.Result == Allowed:
			case limited:
				d.Result, d.Policy = Perhaps, doc.Name
			default:
				d.Result, d.Policy = Allowed, doc.Name
			}
		}
	}
	return d
}

func (s statement) about(action string) bool {
	if len(s.NotAction) > 0 {
		return !matchAny(s.NotAction, action)
	}
	return matchAny(s.Action, action)
}

// everywhere reports whether the statement is about every resource and, in a
// policy that names principals, about everybody.
func (s statement) everywhere() bool {
	if len(s.NotResource) > 0 || len(s.Resource) > 0 && !slices.Contains(s.Resource, "*") {
		return false
	}
	switch p := strings.Join(strings.Fields(string(s.Principal)), ""); p {
	case "", `"*"`, `{"AWS":"*"}`, `{"AWS":["*"]}`:
		return true
	}
	return false
}

func matchAny(patterns []string, action string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return wildcard(strings.ToLower(p), strings.ToLower(action)) })
}

// wildcard matches * and ? as IAM does: both also across colons.
func wildcard(pattern, s string) bool {
	p, i, star, mark := 0, 0, -1, 0
	for i < len(s) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, mark = p, i
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == s[i]):
			p++
			i++
		case star >= 0:
			mark++
			p, i = star+1, mark
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}

// Trusts reports whether a trust policy lets a service, such as
// ec2.amazonaws.com, assume the role.
func Trusts(document, service string) (bool, error) {
	doc, err := ParseDocument("of trust", document)
	if err != nil {
		return false, err
	}
	trusted := false
	for _, s := range doc.statements {
		var principal struct{ Service oneOrMany }
		if !s.about("sts:AssumeRole") || json.Unmarshal(s.Principal, &principal) != nil {
			continue
		}
		// In China the service's name ends in .cn too.
		names := slices.ContainsFunc(principal.Service, func(n string) bool { return strings.TrimSuffix(n, ".cn") == service })
		switch {
		case !names:
		case s.Effect == "Deny" && len(s.Condition) == 0:
			return false, nil
		case s.Effect == "Allow":
			trusted = true
		}
	}
	return trusted, nil
}
