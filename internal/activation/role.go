package activation

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/ssmdeck/ssmdeck/internal/awsapi"
	"github.com/ssmdeck/ssmdeck/internal/fault"
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
		`aws iam attach-role-policy --role-name ` + name + ` --policy-arn arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore`,
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
	roleARN  = regexp.MustCompile(`^arn:aws[a-z-]*:iam::(\d{12}):role(/.+)$`)
	roleName = regexp.MustCompile(`^(/?(?:[\w+=,.@-]+/)*)([\w+=,.@-]{1,64})$`)
)

// ParseRole reads a role: a name, a path and a name, or an ARN.
func ParseRole(s string) (Role, error) {
	var r Role
	rest := s
	if m := roleARN.FindStringSubmatch(s); m != nil {
		r.Account, rest = m[1], m[2]
	}
	m := roleName.FindStringSubmatch(rest)
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
	out, err := s.roles.GetRole(limited, &iam.GetRoleInput{RoleName: aws.String(r.Name)})
	var missing *iamtypes.NoSuchEntityException
	switch {
	case errors.As(err, &missing):
		return r, &fault.Error{
			Kind: fault.NotFound, Op: op, Code: missing.ErrorCode(), Err: errors.New("there is no such role"),
			Hint: "check the name, or make the role as `ssmdeck activation create --help` shows",
		}
	case ctx.Err() != nil:
		return r, awsapi.Explain(op, ctx.Err())
	case err != nil:
		return r, &Unchecked{awsapi.Explain(op, err)}
	case out.Role == nil:
		return r, &Unchecked{fault.New(fault.Failed, op, "IAM answered without a role")}
	}
	if path := aws.ToString(out.Role.Path); path != "" && path != "/" {
		r.Path = path
	} else if path == "/" {
		r.Path = ""
	}
	policy, err := url.QueryUnescape(aws.ToString(out.Role.AssumeRolePolicyDocument))
	if err != nil || policy == "" {
		return r, &Unchecked{fault.New(fault.Failed, op, "its trust policy cannot be read")}
	}
	trusted, err := trusts(policy, principal)
	if err != nil {
		return r, &Unchecked{fault.New(fault.Failed, op, "its trust policy cannot be read: %w", err)}
	}
	if !trusted {
		return r, &fault.Error{
			Kind: fault.Usage, Op: op, Err: errors.New("its trust policy does not let " + principal + " assume it: nodes cannot have it"),
			Hint: "let it with `aws iam update-assume-role-policy --role-name " + r.Name + " --policy-document '" + trustPolicy + "'`, or name another role",
		}
	}
	return r, nil
}

// oneOrMore is a text or a list of them, as policies have them.
type oneOrMore []string

// UnmarshalJSON reads either form.
func (o *oneOrMore) UnmarshalJSON(b []byte) error {
	var one string
	if json.Unmarshal(b, &one) == nil {
		*o = oneOrMore{one}
		return nil
	}
	return json.Unmarshal(b, (*[]string)(o))
}

// statements are one or a list of them.
type statements []statement

// UnmarshalJSON reads either form.
func (s *statements) UnmarshalJSON(b []byte) error {
	if strings.HasPrefix(strings.TrimSpace(string(b)), "{") {
		var one statement
		if err := json.Unmarshal(b, &one); err != nil {
			return err
		}
		*s = statements{one}
		return nil
	}
	return json.Unmarshal(b, (*[]statement)(s))
}

type statement struct {
	Effect    string
	Action    oneOrMore
	Principal json.RawMessage
}

// trusts reports whether a trust policy lets a service assume the role.
// Conditions are not looked at: the service does.
func trusts(policy, service string) (bool, error) {
	var p struct{ Statement statements }
	if err := json.Unmarshal([]byte(policy), &p); err != nil {
		return false, err
	}
	for _, s := range p.Statement {
		assumes := slices.ContainsFunc(s.Action, func(a string) bool {
			return strings.EqualFold(a, "sts:AssumeRole") || a == "sts:*" || a == "*"
		})
		if s.Effect != "Allow" || !assumes {
			continue
		}
		var by struct{ Service oneOrMore }
		if json.Unmarshal(s.Principal, &by) == nil && slices.Contains(by.Service, service) {
			return true, nil
		}
	}
	return false, nil
}
