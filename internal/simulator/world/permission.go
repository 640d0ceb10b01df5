package world

import (
	"encoding/json"
	"slices"
	"strings"
)

// Identity and key policies as IAM weighs them, without conditions (IAM User
// Guide, "Policy evaluation logic"): a denial wins, and what nothing allows is
// denied.

// texts is a text or a list of them, as policies have them.
type texts []string

// UnmarshalJSON reads either form.
func (t *texts) UnmarshalJSON(data []byte) error {
	var one string
	if json.Unmarshal(data, &one) == nil {
		*t = texts{one}
		return nil
	}
	return json.Unmarshal(data, (*[]string)(t))
}

// policyStatement is a statement of a policy. Principal is a text or an object.
type policyStatement struct {
	Effect                                   string
	Action, NotAction, Resource, NotResource texts
	Principal                                json.RawMessage
}

// statementsOf reads a policy; one that cannot be read has none.
func statementsOf(document string) []policyStatement {
	var many struct{ Statement []policyStatement }
	if json.Unmarshal([]byte(document), &many) == nil {
		return many.Statement
	}
	var one struct{ Statement policyStatement }
	if json.Unmarshal([]byte(document), &one) == nil {
		return []policyStatement{one.Statement}
	}
	return nil
}

// IsPolicy reports whether a text is the JSON of a policy.
func IsPolicy(document string) bool { return len(statementsOf(document)) > 0 }

// covers reports whether a statement is about an action on a resource. An empty
// resource is any that the statement is about.
func (s policyStatement) covers(action, resource string) bool {
	action = strings.ToLower(action)
	about := func(patterns texts) bool {
		return slices.ContainsFunc(patterns, func(p string) bool { return wildcard(strings.ToLower(p), action) })
	}
	on := func(patterns texts) bool {
		return slices.ContainsFunc(patterns, func(p string) bool { return wildcard(p, resource) })
	}
	switch {
	case len(s.NotAction) > 0 && about(s.NotAction), len(s.NotAction) == 0 && !about(s.Action):
		return false
	case resource == "":
		return s.Effect == "Allow" || slices.Contains(s.Resource, "*")
	case len(s.NotResource) > 0:
		return !on(s.NotResource)
	}
	return on(s.Resource)
}

// principals are the accounts, ARNs and stars that a statement is for.
func (s policyStatement) principals() []string {
	var all string
	if json.Unmarshal(s.Principal, &all) == nil {
		return []string{all}
	}
	var some struct{ AWS texts }
	_ = json.Unmarshal(s.Principal, &some) // anything else is for nobody
	return some.AWS
}

// wildcard matches * and ? anywhere, slashes and colons included.
func wildcard(pattern, s string) bool {
	star, back := -1, 0
	i, j := 0, 0
	for i < len(s) {
		switch {
		case j < len(pattern) && pattern[j] == '*':
			star, back = j, i
			j++
		case j < len(pattern) && (pattern[j] == '?' || pattern[j] == s[i]):
			i, j = i+1, j+1
		case star >= 0:
			back++
			i, j = back, star+1
		default:
			return false
		}
	}
	return strings.Trim(pattern[j:], "*") == ""
}

// accountOf is the account in an ARN.
func accountOf(arn string) string {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) < 6 {
		return ""
	}
	return parts[4]
}

// roleOf is the role of a caller's ARN, empty for a user.
func roleOf(caller string) string {
	_, rest, ok := strings.Cut(caller, ":assumed-role/")
	if !ok {
		return ""
	}
	role, _, _ := strings.Cut(rest, "/")
	return role
}

// denied is the refusal of IAM; kind is identity-based or resource-based.
func denied(caller, action, resource, kind string) *Error {
	return Errorf("AccessDeniedException", "User: %s is not authorized to perform: %s on resource: %s because no %s policy allows the %s action",
		caller, action, resource, kind, action)
}

// MayOn says whether a caller of this account may do something with a
// resource: the scenario's denials hold for everybody, the policies of a role that
// is enforced for those who have assumed it. With an empty resource it asks
// whether there is any that the caller may do it with.
func (w *World) MayOn(caller, action, resource string) error {
	if resource == "" && roleOf(caller) == "" {
		return nil
	}
	if resource != "" && w.deniedOn(action, resource) {
		return Errorf("AccessDeniedException", "User: %s is not authorized to perform: %s on resource: %s with an explicit deny in an identity-based policy", caller, action, resource)
	}
	if w.enforced(caller, action, resource) != verdictAllow {
		return denied(caller, action, orStar(resource), "identity-based")
	}
	return nil
}

// MayWrite is MayOn for what changes a resource, which another account can't.
func (w *World) MayWrite(caller, action, resource string) error {
	if account := accountOf(resource); account != "" && account != w.sc.Account {
		return denied(caller, action, resource, "resource-based")
	}
	return w.MayOn(caller, action, resource)
}

func orStar(resource string) string {
	if resource == "" {
		return "*"
	}
	return resource
}

// Denies reports whether the scenario denies an action whatever it is done with.
func (w *World) Denies(action string) bool { return w.deniedOn(action, "") }

// deniedOn reports whether the scenario denies an action on a resource: its list
// has entries of an action, which may be followed by a space and what the name,
// alias or ARN is like (see isLike).
func (w *World) deniedOn(action, resource string) bool {
	return slices.ContainsFunc(w.sc.Denied, func(entry string) bool {
		what, on, limited := strings.Cut(entry, " ")
		if !wildcard(strings.ToLower(what), strings.ToLower(action)) {
			return false
		}
		return !limited || resource != "" && isLike(strings.TrimSpace(on), resource)
	})
}

// isLike reports whether a text of a scenario means a resource, given by its ARN or
// alias: the name of a parameter or a secret does, too.
func isLike(on, resource string) bool {
	if wildcard(on, resource) {
		return true
	}
	if _, place, ok := strings.Cut(resource, ":parameter/"); ok {
		return wildcard(placeOf(on), "/"+place)
	}
	_, name, ok := strings.Cut(resource, ":secret:")
	return ok && (wildcard(on, name) || wildcard(on+"-??????", name))
}

// verdict is what the policies of a caller say.
type verdict int

const (
	verdictNone verdict = iota // nothing
	verdictAllow
	verdictDeny
)

// enforced is what the policies of the caller's role say; others than those of an
// enforced role may do everything.
func (w *World) enforced(caller, action, resource string) verdict {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.enforcedNow(caller, action, resource)
}

// enforcedNow is enforced for those who hold w.mu.
func (w *World) enforcedNow(caller, action, resource string) verdict {
	r := w.roles[roleOf(caller)]
	if r == nil || !r.Enforced {
		return verdictAllow
	}
	var documents []string
	for _, name := range r.Policies {
		_, document, _ := w.Policy(name)
		documents = append(documents, document)
	}
	for _, document := range r.Inline {
		documents = append(documents, document)
	}
	v := weigh(documents, action, resource)
	if r.Boundary != "" && v == verdictAllow {
		_, document, _ := w.Policy(r.Boundary)
		v = weigh([]string{document}, action, resource)
	}
	return v
}

func weigh(documents []string, action, resource string) verdict {
	v := verdictNone
	for _, document := range documents {
		for _, s := range statementsOf(document) {
			switch {
			case !s.covers(action, resource):
			case s.Effect == "Deny":
				return verdictDeny
			case s.Effect == "Allow":
				v = verdictAllow
			}
		}
	}
	return v
}

// isFor reports whether a principal of a policy means a caller, and whether it
// means the whole account, which then decides by its own policies.
func isFor(principal, caller string) (ok, account bool) {
	id, role := accountOf(caller), roleOf(caller)
	switch {
	case principal == "*", principal == id, principal == "arn:aws:iam::"+id+":root":
		return true, principal != "*"
	case principal == caller:
		return true, false
	case role != "":
		return strings.HasPrefix(principal, "arn:aws:iam::"+id+":role/") && principal[strings.LastIndexByte(principal, '/')+1:] == role, false
	}
	return false, false
}
