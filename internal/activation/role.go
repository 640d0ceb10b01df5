package activation

import (
	"context"
	"strings"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/awsapi"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/iam"
	"github.com/ssmdeck/ssmdeck/internal/pattern"
)

// principal is who must be able to assume the role of hybrid nodes.
const principal = "ssm.amazonaws.com"

// roleWait bounds the check of a role: in a network without a way to IAM it
// would hold everything up.
const roleWait = 5 * time.Second

// maxRole is the length of what the service takes as a role, path and all.
const maxRole = 64

// ExampleRole is the name that AWS's own instructions use.
const ExampleRole = "SSMServiceRole"

// MakeRole are the commands that make a role for hybrid nodes.
func MakeRole(name string) []string {
	return []string{
		`aws iam create-role --role-name ` + name + ` --assume-role-policy-document '` + trustPolicy + `'`,
		`aws iam attach-role-policy --role-name ` + name + ` --policy-arn ` + iam.CoreARN("aws"),
	}
}

// trustPolicy lets Systems Manager give a role to nodes.
const trustPolicy = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"` + principal + `"},"Action":"sts:AssumeRole"}]}`

// Role is a role as it was typed.
type Role struct {
	Path    string // "/service-role/", or empty
	Name    string
	Account string // of an ARN, or empty
}

// String is the role as the service takes it: no ARN, no slash in front.
func (r Role) String() string { return strings.TrimPrefix(r.Path, "/") + r.Name }

var (
	roleARN  = pattern.Lazy(`^arn:aws[a-z-]*:iam::(\d{12}):role(/.+)$`)
	roleName = pattern.Lazy(`^(/?(?:[\w+=,.@-]+/)*)([\w+=,.@-]{1,64})$`)
)

// ParseRole reads a role: a name, a path and a name, or an ARN.
func ParseRole(s string) (Role, error) {
	var r Role
	rest := s
	if m := roleARN().FindStringSubmatch(s); m != nil {
		r.Account, rest = m[1], m[2]
	}
	m := roleName().FindStringSubmatch(rest)
	if m == nil || len(strings.TrimPrefix(rest, "/")) > maxRole {
		return Role{}, fault.Usagef("--role %q is not a role", s).WithHint("give its name, or path and name: SSMServiceRole, service-role/Edge")
	}
	if r.Name = m[2]; m[1] != "" && m[1] != "/" {
		r.Path = "/" + strings.TrimPrefix(m[1], "/")
	}
	return r, nil
}

// Unchecked says why a role could not be looked at. It is a remark, no failure:
// the service looks at it again.
type Unchecked struct{ Err error }

// Error returns the reason.
func (u *Unchecked) Error() string { return u.Err.Error() }

// Unwrap returns the reason.
func (u *Unchecked) Unwrap() error { return u.Err }

// CheckRole looks whether nodes can have a role: it must exist and trust Systems
// Manager. It returns the role as IAM has it, with its path. Errors: NotFound,
// Usage for a role that does not trust, and *Unchecked when IAM does not answer
// or does not tell; then the role is returned as it was typed.
func (s *Service) CheckRole(ctx context.Context, r Role) (Role, error) {
	op := "check role " + r.String()
	limited, cancel := context.WithTimeout(ctx, roleWait)
	defer cancel()
	found, ok, err := s.roles.Role(limited, r.Name)
	switch {
	case ctx.Err() != nil:
		return r, awsapi.Explain(op, ctx.Err())
	case err != nil:
		return r, &Unchecked{err}
	case !ok:
		return r, fault.New(fault.NotFound, op, "there is no such role").
			WithHint("check the name, or make the role as `ssmdeck activation create --help` shows")
	}
	if m := roleARN().FindStringSubmatch(found.ARN); m != nil {
		r.Path = strings.TrimSuffix(m[2], r.Name)
	}
	trusted, err := iam.Trusts(found.Trust, principal)
	if err != nil {
		return r, &Unchecked{fault.New(fault.Failed, op, "%w", err)}
	}
	if !trusted {
		return r, fault.New(fault.Usage, op, "its trust policy does not let %s assume it: nodes cannot have it", principal).
			WithHint("let it with `aws iam update-assume-role-policy --role-name %s --policy-document '%s'`, or name another role", r.Name, trustPolicy)
	}
	return r, nil
}
