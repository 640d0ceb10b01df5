package parameter

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/pattern"
)

// The rules of sharing (user guide, "Working with shared parameters"; API reference,
// PutResourcePolicy).
const (
	maxSharePolicy = 1024 // bytes of one policy
)

// Actions of those a parameter is shared with: those of the permissions that Resource
// Access Manager has for it.
var (
	shareActions = []string{"ssm:DescribeParameters", "ssm:GetParameter", "ssm:GetParameters"}
	historyToo   = "ssm:GetParameterHistory"
)

// Share is a policy that lets others read a parameter, in the form that ShareFrom makes
// and reads.
type Share struct {
	With    []string // accounts, and ARNs of users and roles; sorted
	History bool     // older versions may be read, too
}

var (
	shareAccount = pattern.Lazy(`^[0-9]{12}$`)
	sharePerson  = pattern.Lazy(`^arn:aws[a-z-]*:iam::[0-9]{12}:(root|user/[\w+=,.@/-]+|role/[\w+=,.@/-]+)$`)
)

// Principal is a principal as shares have it: an account is the same as its root.
func Principal(who string) string {
	if account, ok := strings.CutSuffix(strings.TrimSpace(who), ":root"); ok {
		if i := strings.LastIndex(account, "::"); i >= 0 && shareAccount().MatchString(account[i+2:]) {
			return account[i+2:]
		}
	}
	return strings.TrimSpace(who)
}

// CheckPrincipal refuses what a parameter cannot be shared with.
func CheckPrincipal(who string) error {
	if shareAccount().MatchString(who) || sharePerson().MatchString(who) {
		return nil
	}
	return fault.Usagef("%q is no account, user or role", who).
		WithHint("write the 12 digits of an account, or arn:aws:iam::ACCOUNT:role/NAME; organizations take AWS Resource Access Manager")
}

type sharePolicy struct {
	Version   string
	Statement []shareStatement
}

type shareStatement struct {
	Sid       string `json:",omitempty"`
	Effect    string
	Principal sharePrincipal
	Action    shareList
	Resource  shareList
	Condition json.RawMessage `json:",omitempty"`
}

// sharePrincipal is whom a statement is for.
type sharePrincipal struct{ AWS shareList }

// UnmarshalJSON also reads a text, which is "*": everybody.
func (p *sharePrincipal) UnmarshalJSON(data []byte) error {
	var text string
	if json.Unmarshal(data, &text) == nil {
		p.AWS = shareList{text}
		return nil
	}
	type plain sharePrincipal
	return json.Unmarshal(data, (*plain)(p))
}

// shareList is one text or several.
type shareList []string

// UnmarshalJSON reads a text as a list of one.
func (l *shareList) UnmarshalJSON(data []byte) error {
	var one string
	if json.Unmarshal(data, &one) == nil {
		*l = shareList{one}
		return nil
	}
	var several []string
	if err := json.Unmarshal(data, &several); err != nil {
		return err
	}
	*l = several
	return nil
}

// Policy is the JSON of the share for a parameter by its ARN. It fails when it would be
// larger than the service takes.
func (s Share) Policy(arn string) (string, error) {
	actions := slices.Clone(shareActions)
	if s.History {
		actions = append(actions, historyToo)
	}
	one := shareStatement{Sid: "Share", Effect: "Allow", Action: actions, Resource: shareList{arn}}
	one.Principal.AWS = slices.Compact(slices.Sorted(slices.Values(s.With)))
	text, err := json.Marshal(sharePolicy{"2012-10-17", []shareStatement{one}})
	switch {
	case err != nil:
		return "", err
	case len(text) > maxSharePolicy:
		return "", fault.New(fault.Limit, "", "the policy for %d others would have %d bytes, and %d are allowed", len(s.With), len(text), maxSharePolicy).
			WithHint("share it with the organization, in AWS Resource Access Manager")
	}
	return string(text), nil
}

// ShareFrom reads a policy. ok is false when it is not one of the simple form of Policy:
// it stays as it is, and With are all that it names, "*" for everybody.
func ShareFrom(policy string) (s Share, ok bool) {
	var p sharePolicy
	if json.Unmarshal([]byte(policy), &p) != nil {
		return s, false
	}
	ok = len(p.Statement) == 1 && !hasMore(policy)
	for _, st := range p.Statement {
		if st.Effect != "Allow" {
			ok = false
			continue
		}
		for _, who := range st.Principal.AWS {
			who = Principal(who)
			ok = ok && CheckPrincipal(who) == nil
			s.With = append(s.With, who)
		}
		s.History = s.History || slices.Contains(st.Action, historyToo)
		rest := slices.DeleteFunc(slices.Clone(st.Action), func(a string) bool { return slices.Contains(shareActions, a) || a == historyToo })
		ok = ok && len(rest) == 0 && len(st.Condition) == 0 && slices.Contains(st.Action, "ssm:GetParameter")
	}
	slices.Sort(s.With)
	s.With = slices.Compact(s.With)
	return s, ok && len(s.With) > 0
}

// hasMore reports whether a policy has members that would be lost if it were written
// anew: NotPrincipal, or a service as a principal.
func hasMore(policy string) bool {
	var p struct {
		Statement []map[string]json.RawMessage
	}
	if json.Unmarshal([]byte(policy), &p) != nil {
		return true
	}
	for _, st := range p.Statement {
		for member, value := range st {
			switch member {
			case "Sid", "Effect", "Action", "Resource", "Condition":
			case "Principal":
				var kinds map[string]json.RawMessage
				if json.Unmarshal(value, &kinds) != nil || len(kinds) != 1 {
					return true
				}
			default:
				return true
			}
		}
	}
	return false
}

// KeyStatement is what the policy of a customer managed key must have, so that others can
// decrypt a SecureString that is shared with them: a statement, as JSON.
func KeyStatement(with []string) string {
	one := shareStatement{Sid: "ReadSharedParameters", Effect: "Allow", Action: shareList{"kms:Decrypt"}, Resource: shareList{"*"}}
	one.Principal.AWS = with
	text, _ := json.Marshal(one) // texts always encode
	return string(text)
}
