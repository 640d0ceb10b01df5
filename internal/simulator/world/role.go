package world

import (
	"encoding/json"
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

// RoleSpec is a role of IAM.
type RoleSpec struct {
	Name string `yaml:"name"`
	Path string `yaml:"path"` // "/" when absent; "/service-role/"
	// Trust are the service principals that may assume the role;
	// ssm.amazonaws.com when absent.
	Trust []string `yaml:"trust"`
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

// Roles returns the roles of the account: those of the scenario, those its nodes
// have, and, when it lists none, one for hybrid nodes.
func (w *World) Roles() []RoleSpec {
	roles := slices.Clone(w.sc.Roles)
	if len(roles) == 0 {
		roles = append(roles, RoleSpec{Name: defaultRole, Trust: []string{principalSSM}})
	}
	for _, n := range w.sc.Nodes {
		if n.IAMRole == "" || slices.ContainsFunc(roles, func(r RoleSpec) bool { return r.Name == n.IAMRole }) {
			continue
		}
		trust := principalEC2
		if n.ResourceType == "ManagedInstance" {
			trust = principalSSM
		}
		roles = append(roles, RoleSpec{Name: n.IAMRole, Trust: []string{trust}})
	}
	for i := range roles {
		fill(&roles[i].Path, "/")
		if roles[i].Trust == nil {
			roles[i].Trust = []string{principalSSM}
		}
	}
	return roles
}

// Role finds a role by its name, its path and name, or its ARN.
func (w *World) Role(name string) (RoleSpec, bool) {
	for _, r := range w.Roles() {
		if name == r.Name || strings.TrimPrefix(name, "/") == strings.TrimPrefix(r.Path, "/")+r.Name || name == w.RoleARN(r) {
			return r, true
		}
	}
	return RoleSpec{}, false
}
