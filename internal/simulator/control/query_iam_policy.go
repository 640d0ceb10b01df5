package control

import (
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/simulator/world"
)

// role is a role as answers hold it.
func (c *call) role(name string, r world.RoleSpec) element {
	kids := []element{
		leaf("Path", r.Path),
		leaf("RoleName", r.Name),
		leaf("RoleId", "AROA"+r.Name),
		leaf("Arn", c.world.RoleARN(r)),
		leaf("CreateDate", roleCreated.Format(time.RFC3339)),
		leaf("AssumeRolePolicyDocument", url.PathEscape(r.TrustPolicy())),
		number("MaxSessionDuration", 3600),
	}
	if r.Boundary != "" {
		kids = append(kids, el("PermissionsBoundary",
			leaf("PermissionsBoundaryType", "Policy"), leaf("PermissionsBoundaryArn", c.world.PolicyARN(r.Boundary))))
	}
	return el(name, kids...)
}

func (c *call) getInstanceProfile(form url.Values) ([]element, error) {
	name := form.Get("InstanceProfileName")
	p, ok := c.world.Profile(name)
	if !ok {
		return nil, noSuchEntity("Instance Profile " + name + " cannot be found.")
	}
	roles := list[string]("Roles", nil, nil)
	if r, ok := c.world.Role(p.Role); ok {
		roles.kids = append(roles.kids, c.role("member", r))
	} else if p.Role != "" { // deleted by force: the profile still says its name
		roles.kids = append(roles.kids, c.role("member", world.RoleSpec{Name: p.Role, Path: "/"}))
	}
	return []element{el("InstanceProfile", leaf("Path", "/"), leaf("InstanceProfileName", p.Name), leaf("InstanceProfileId", "AIPA"+p.Name),
		leaf("Arn", c.profileARN(p.Name)), leaf("CreateDate", roleCreated.Format(time.RFC3339)), roles)}, nil
}

func (c *call) profileARN(name string) string {
	return "arn:aws:iam::" + c.world.Account() + ":instance-profile/" + name
}

// namedRole finds the role that a request is about.
func (c *call) namedRole(form url.Values) (world.RoleSpec, error) {
	name := form.Get("RoleName")
	r, ok := c.world.Role(name)
	if !ok || name != r.Name {
		return r, noSuchEntity("The role with name " + name + " cannot be found.")
	}
	return r, nil
}

func (c *call) listAttachedRolePolicies(form url.Values) ([]element, error) {
	r, err := c.namedRole(form)
	if err != nil {
		return nil, err
	}
	return []element{list("AttachedPolicies", r.Policies, func(name string) element {
		return el("member", leaf("PolicyName", name), leaf("PolicyArn", c.world.PolicyARN(name)))
	}), truth("IsTruncated", false)}, nil
}

func (c *call) listRolePolicies(form url.Values) ([]element, error) {
	r, err := c.namedRole(form)
	if err != nil {
		return nil, err
	}
	return []element{texts("PolicyNames", "member", slices.Sorted(maps.Keys(r.Inline))), truth("IsTruncated", false)}, nil
}

func (c *call) getRolePolicy(form url.Values) ([]element, error) {
	r, err := c.namedRole(form)
	if err != nil {
		return nil, err
	}
	name := form.Get("PolicyName")
	document, ok := r.Inline[name]
	if !ok {
		return nil, noSuchEntity("The role policy with name " + name + " cannot be found.")
	}
	return []element{leaf("RoleName", r.Name), leaf("PolicyName", name), leaf("PolicyDocument", url.PathEscape(document))}, nil
}

func (c *call) getPolicy(form url.Values) ([]element, error) {
	arn := form.Get("PolicyArn")
	name, _, ok := c.world.Policy(arn)
	if !ok {
		return nil, noSuchEntity("Policy " + arn + " was not found.")
	}
	return []element{el("Policy", leaf("PolicyName", name), leaf("PolicyId", "ANPA"+name), leaf("Arn", arn), leaf("Path", "/"),
		leaf("DefaultVersionId", "v1"), truth("IsAttachable", true))}, nil
}

func (c *call) getPolicyVersion(form url.Values) ([]element, error) {
	arn, version := form.Get("PolicyArn"), form.Get("VersionId")
	_, document, ok := c.world.Policy(arn)
	if !ok || version != "v1" {
		return nil, noSuchEntity("Policy " + arn + " version " + version + " does not exist or is not attachable.")
	}
	return []element{el("PolicyVersion", leaf("Document", url.PathEscape(document)), leaf("VersionId", version), truth("IsDefaultVersion", true))}, nil
}

func (c *call) attachRolePolicy(form url.Values) ([]element, error) {
	if err := c.world.AttachPolicy(form.Get("RoleName"), form.Get("PolicyArn")); err != nil {
		return nil, noSuchEntity(asAPIError(err).Message) // the only error there is
	}
	return nil, nil
}

// simulatePrincipalPolicy decides for roles by their policies, and for the
// caller by what the scenario denies.
func (c *call) simulatePrincipalPolicy(form url.Values) ([]element, error) {
	source := form.Get("PolicySourceArn")
	actions := numbered(form, "ActionNames.member.")
	if len(actions) == 0 {
		return nil, &apiError{Code: "InvalidInput", Message: "ActionNames must not be empty"}
	}
	if !strings.HasPrefix(source, "arn:aws:iam::") || strings.HasSuffix(source, ":root") {
		return nil, &apiError{Code: "InvalidInput", Message: "Invalid Entity Arn: " + source + " does not clearly define entity type and name."}
	}
	r, isRole := c.world.Role(source)
	if !isRole && !strings.Contains(source, ":user/") {
		return nil, noSuchEntity("Entity " + source + " cannot be found.")
	}
	return []element{list("EvaluationResults", actions, func(action string) element {
		verdict := world.Verdict{Allowed: !c.world.Denies(action)}
		if isRole {
			verdict = c.world.May(r, action)
		}
		return evaluated(action, verdict)
	}), truth("IsTruncated", false)}, nil
}

func evaluated(action string, v world.Verdict) element {
	decision := "implicitDeny"
	switch {
	case v.Denied:
		decision = "explicitDeny"
	case v.Allowed:
		decision = "allowed"
	}
	statements := list[string]("MatchedStatements", nil, nil)
	if v.Policy != "" && !v.OutOfBounds {
		statements.kids = append(statements.kids, el("member", leaf("SourcePolicyId", v.Policy), leaf("SourcePolicyType", "IAM Policy")))
	}
	kids := []element{leaf("EvalActionName", action), leaf("EvalResourceName", "*"), leaf("EvalDecision", decision), statements}
	if v.OutOfBounds {
		kids = append(kids, el("PermissionsBoundaryDecisionDetail", truth("AllowedByPermissionsBoundary", false)))
	}
	if v.OutOfOrg {
		kids = append(kids, el("OrganizationsDecisionDetail", truth("AllowedByOrganizations", false)))
	}
	return el("member", kids...)
}
