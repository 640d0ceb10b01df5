package control

import (
	"net/http"
	"net/url"
	"time"
)

// iamVersion is the version of the API of IAM, which tells its requests from
// those of others.
const iamVersion = "2010-05-08"

// iamActions are what the simulator does of IAM.
var iamActions = map[string]func(*call, url.Values) ([]element, error){
	"GetRole": (*call).getRole,

	"GetInstanceProfile":       (*call).getInstanceProfile,
	"ListAttachedRolePolicies": (*call).listAttachedRolePolicies,
	"ListRolePolicies":         (*call).listRolePolicies,
	"GetRolePolicy":            (*call).getRolePolicy,
	"GetPolicy":                (*call).getPolicy,
	"GetPolicyVersion":         (*call).getPolicyVersion,
	"SimulatePrincipalPolicy":  (*call).simulatePrincipalPolicy,
	"AttachRolePolicy":         (*call).attachRolePolicy,
}

// roleCreated is when the roles of the simulator were made.
var roleCreated = time.Date(2024, 3, 1, 9, 0, 0, 0, time.UTC)

func (c *call) getRole(form url.Values) ([]element, error) {
	name := form.Get("RoleName")
	r, ok := c.world.Role(name)
	if !ok || name != r.Name { // this action takes bare names only
		return nil, noSuchEntity("The role with name " + name + " cannot be found.")
	}
	return []element{c.role("Role", r)}, nil
}

func noSuchEntity(message string) error {
	return &apiError{Status: http.StatusNotFound, Code: "NoSuchEntity", Message: message}
}
