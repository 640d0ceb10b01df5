package world

import (
	"encoding/json"
	"maps"
	"path"
	"slices"
	"strings"
)

// The service principals that roles of the simulator trust.
const (
	principalSSM = "ssm.amazonaws.com"
	principalEC2 = "ec2.amazonaws.com"
)

// defaultRole is the role for hybrid nodes of a scenario that lists no roles:
// the name that AWS's own instructions use.
const defaultRole = "SSMServiceRole"

// nodeRole is the role, and the instance profile, of instances that name none.
const nodeRole = "ssm-node"

// corePolicy is AWS's own policy for managed nodes.
const corePolicy = "AmazonSSMManagedInstanceCore"

// RoleSpec is a role of IAM.
type RoleSpec struct {
	Name string `yaml:"name"`
	Path string `yaml:"path"` // "/" when absent; "/service-role/"
	// Trust are the service principals that may assume the role;
	// ssm.amazonaws.com when absent.
	Trust []string `yaml:"trust"`
	// Policies are the names of attached policies: of the scenario, or of AWS;
	// AmazonSSMManagedInstanceCore when absent.
	Policies []string          `yaml:"policies"`
	Inline   map[string]string `yaml:"inline"`   // name → JSON
	Boundary string            `yaml:"boundary"` // name of a policy
	// Enforced: who has assumed the role may do what its policies allow, and no
	// more. Other roles let their callers do everything.
	Enforced bool `yaml:"enforced"`
	// Deleted: nodes and profiles still name it, and there is none.
	Deleted bool `yaml:"deleted"`
}

// PolicySpec is a policy of the account.
type PolicySpec struct {
	Name     string `yaml:"name"`
	Document string `yaml:"document"` // JSON
}

// ProfileSpec is an instance profile. Each role that an instance names has one of
// the same name, which need not be listed.
type ProfileSpec struct {
	Name string `yaml:"name"`
	Role string `yaml:"role"` // "" leaves it empty
}

// awsPolicies are the policies of AWS that there are.
var awsPolicies = map[string]string{
	corePolicy: `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["ssm:DescribeAssociation","ssm:GetDeployablePatchSnapshotForInstance","ssm:GetDocument","ssm:DescribeDocument","ssm:GetManifest","ssm:GetParameter","ssm:GetParameters","ssm:ListAssociations","ssm:ListInstanceAssociations","ssm:PutInventory","ssm:PutComplianceItems","ssm:PutConfigurePackageResult","ssm:UpdateAssociationStatus","ssm:UpdateInstanceAssociationStatus","ssm:UpdateInstanceInformation"],"Resource":"*"},{"Effect":"Allow","Action":["ssmmessages:CreateControlChannel","ssmmessages:CreateDataChannel","ssmmessages:OpenControlChannel","ssmmessages:OpenDataChannel"],"Resource":"*"},{"Effect":"Allow","Action":["ec2messages:AcknowledgeMessage","ec2messages:DeleteMessage","ec2messages:FailMessage","ec2messages:GetEndpoint","ec2messages:GetMessages","ec2messages:SendReply"],"Resource":"*"}]}`,
	"AmazonSSMManagedEC2InstanceDefaultPolicy": `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["ssm:*","ssmmessages:*","ec2messages:*"],"Resource":"*"}]}`,
	"AmazonS3ReadOnlyAccess":                   `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:Get*","s3:List*"],"Resource":"*"}]}`,
}

// TrustsSSM reports whether hybrid nodes can have the role.
func (r RoleSpec) TrustsSSM() bool { return slices.Contains(r.Trust, principalSSM) }

// TrustPolicy is the role's trust policy as JSON.
func (r RoleSpec) TrustPolicy() string {
	var p struct {
		Version   string
		Statement []map[string]any
	}
	p.Version = "2012-10-17"
	for _, service := range r.Trust {
		p.Statement = append(p.Statement, map[string]any{
			"Effect": "Allow", "Principal": map[string]string{"Service": service}, "Action": "sts:AssumeRole",
		})
	}
	text, err := json.Marshal(p)
	if err != nil {
		panic(err) // texts always encode
	}
	return string(text)
}

// RoleARN is the Amazon resource name of a role.
func (w *World) RoleARN(r RoleSpec) string {
	return "arn:aws:iam::" + w.sc.Account + ":role" + r.Path + r.Name
}

// rolesOf are the roles of the account: those of the scenario, those its nodes
// have, and, when it lists none, one for hybrid nodes.
func rolesOf(sc *Scenario) map[string]*RoleSpec {
	roles := map[string]*RoleSpec{}
	add := func(r RoleSpec) {
		if roles[r.Name] != nil {
			return
		}
		fill(&r.Path, "/")
		if r.Trust == nil {
			r.Trust = []string{principalSSM}
		}
		if r.Policies == nil {
			r.Policies = []string{corePolicy}
		}
		r.Policies, r.Inline = slices.Clone(r.Policies), maps.Clone(r.Inline)
		roles[r.Name] = &r
	}
	for _, r := range sc.Roles {
		add(r)
	}
	if len(sc.Roles) == 0 {
		add(RoleSpec{Name: defaultRole})
	}
	add(RoleSpec{Name: nodeRole, Trust: []string{principalEC2}})
	for _, n := range sc.Nodes {
		switch {
		case n.IAMRole == "":
		case n.ResourceType == "ManagedInstance":
			add(RoleSpec{Name: n.IAMRole})
		default:
			add(RoleSpec{Name: n.IAMRole, Trust: []string{principalEC2}})
		}
	}
	maps.DeleteFunc(roles, func(_ string, r *RoleSpec) bool { return r.Deleted })
	return roles
}

// Roles returns the roles of the account in the order of their names.
func (w *World) Roles() []RoleSpec {
	w.mu.Lock()
	defer w.mu.Unlock()
	var all []RoleSpec
	for _, name := range slices.Sorted(maps.Keys(w.roles)) {
		r := *w.roles[name]
		r.Policies = slices.Clone(r.Policies)
		all = append(all, r)
	}
	return all
}

// Role finds a role by its name, its path and name, or its ARN.
func (w *World) Role(name string) (RoleSpec, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	r, ok := w.roles[name[strings.LastIndexByte(name, '/')+1:]]
	if !ok || name != r.Name && strings.TrimPrefix(name, "/") != strings.TrimPrefix(r.Path, "/")+r.Name && name != w.RoleARN(*r) {
		return RoleSpec{}, false
	}
	c := *r
	c.Policies = slices.Clone(r.Policies)
	return c, true
}

// Profile finds an instance profile: one that is listed, or that of a role which
// an instance names.
func (w *World) Profile(name string) (ProfileSpec, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.profile(name)
}

func (w *World) profile(name string) (ProfileSpec, bool) {
	if i := slices.IndexFunc(w.sc.Profiles, func(p ProfileSpec) bool { return p.Name == name }); i >= 0 {
		return w.sc.Profiles[i], true
	}
	if r := w.roles[name]; r != nil && slices.Contains(r.Trust, principalEC2) {
		return ProfileSpec{Name: name, Role: name}, true
	}
	return ProfileSpec{}, false
}

// Policy returns the document of a policy by its ARN or name.
func (w *World) Policy(arn string) (name, document string, ok bool) {
	name = arn[strings.LastIndexByte(arn, '/')+1:]
	if i := slices.IndexFunc(w.sc.Policies, func(p PolicySpec) bool { return p.Name == name }); i >= 0 {
		return name, w.sc.Policies[i].Document, arn == name || arn == w.PolicyARN(name)
	}
	document, ok = awsPolicies[name]
	return name, document, ok && (arn == name || arn == w.PolicyARN(name))
}

// PolicyARN is the Amazon resource name of a policy.
func (w *World) PolicyARN(name string) string {
	if _, ours := awsPolicies[name]; ours {
		return "arn:aws:iam::aws:policy/" + name
	}
	return "arn:aws:iam::" + w.sc.Account + ":policy/" + name
}

// AttachPolicy attaches a policy to a role, if it is not.
func (w *World) AttachPolicy(role, arn string) error {
	name, _, ok := w.Policy(arn)
	w.mu.Lock()
	defer w.mu.Unlock()
	r := w.roles[role]
	switch {
	case r == nil:
		return Errorf("NoSuchEntity", "The role with name %s cannot be found.", role)
	case !ok:
		return Errorf("NoSuchEntity", "Policy %s does not exist or is not attachable.", arn)
	case !slices.Contains(r.Policies, name):
		r.Policies = append(r.Policies, name)
		delete(w.site.able, role)
	}
	w.settle()
	return nil
}

// Verdict is what policies say about an action.
type Verdict struct {
	Allowed, Denied bool   // neither: nothing is said
	Policy          string // that decided
	OutOfBounds     bool   // it is the permissions boundary that does not allow it
	OutOfOrg        bool   // it is the organization
}

// May says what a role's policies say about an action.
func (w *World) May(role RoleSpec, action string) Verdict {
	v := Verdict{}
	weigh := func(name, document string) {
		switch allow, deny := decides(document, action); {
		case deny:
			v = Verdict{Denied: true, Policy: name}
		case allow && !v.Denied && !v.Allowed:
			v = Verdict{Allowed: true, Policy: name}
		}
	}
	for _, p := range role.Policies {
		_, document, _ := w.Policy(p)
		weigh(p, document)
	}
	for _, name := range slices.Sorted(maps.Keys(role.Inline)) {
		weigh(name, role.Inline[name])
	}
	if role.Boundary != "" && !v.Denied {
		_, document, _ := w.Policy(role.Boundary)
		if allow, deny := decides(document, action); !allow || deny {
			v = Verdict{Denied: deny, OutOfBounds: true, Policy: role.Boundary}
		}
	}
	if v.Allowed && slices.Contains(w.sc.OrganizationDenied, action) {
		v = Verdict{OutOfOrg: true}
	}
	return v
}

// decides says whether a policy allows or denies an action; conditions and
// resources are not looked at.
func decides(document, action string) (allow, deny bool) {
	var doc struct{ Statement []map[string]any }
	if json.Unmarshal([]byte(document), &doc) != nil {
		return false, false
	}
	for _, s := range doc.Statement {
		list, _ := s["Action"].([]any)
		if one, ok := s["Action"].(string); ok {
			list = []any{one}
		}
		for _, a := range list {
			pattern, _ := a.(string)
			if ok, err := path.Match(strings.ToLower(pattern), strings.ToLower(action)); err == nil && ok {
				allow = allow || s["Effect"] == "Allow"
				deny = deny || s["Effect"] == "Deny"
			}
		}
	}
	return allow && !deny, deny
}

func (c *checker) iam() {
	known := func(name string) bool {
		_, ours := awsPolicies[name]
		return ours || slices.ContainsFunc(c.sc.Policies, func(p PolicySpec) bool { return p.Name == name })
	}
	for i, p := range c.sc.Policies {
		c.match(at("policies", i, "name"), p.Name, `[\w+=,.@-]{1,128}`)
		if !json.Valid([]byte(p.Document)) {
			c.failf(at("policies", i, "document"), "document: is not JSON")
		}
	}
	for i, r := range c.sc.Roles {
		c.match(at("roles", i, "name"), r.Name, `[\w+=,.@-]{1,64}`)
		for _, p := range r.Policies {
			if !known(p) {
				c.failf(at("roles", i, "policies"), "policies: there is no policy %s", p)
			}
		}
		if r.Boundary != "" && !known(r.Boundary) {
			c.failf(at("roles", i, "boundary"), "boundary: there is no policy %s", r.Boundary)
		}
		for name, document := range r.Inline {
			if !json.Valid([]byte(document)) {
				c.failf(at("roles", i, "inline", name), "inline: %s is not JSON", name)
			}
		}
	}
	for i, p := range c.sc.Profiles {
		c.match(at("instance_profiles", i, "name"), p.Name, `[\w+=,.@-]{1,128}`)
	}
}
