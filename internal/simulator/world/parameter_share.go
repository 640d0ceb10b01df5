package world

import (
	"slices"
	"strings"
)

// sharedActions are what a resource policy can let other accounts do with a
// parameter: those of RAM's managed permissions (User Guide, "Working with shared
// parameters in Parameter Store").
var sharedActions = []string{"ssm:GetParameter", "ssm:GetParameters", "ssm:GetParameterHistory", "ssm:DescribeParameters"}

// SetPeers tells a World of the others that a server has, which parameters can be
// shared with and by. It is called before anything is served.
func (w *World) SetPeers(peers []*World) { w.peers = peers }

// peer is the world of another account in a Region, nil when there is none.
func (w *World) peer(account, region string) *World {
	i := slices.IndexFunc(w.peers, func(p *World) bool { return p.sc.Account == account && p.sc.Region == region })
	if i < 0 {
		return nil
	}
	return w.peers[i]
}

// CheckShared refuses a resource policy that a parameter can't have. document is
// its JSON.
func (w *World) CheckShared(arn, document string) error {
	statements := statementsOf(document)
	if len(statements) == 0 {
		return Errorf("MalformedResourcePolicyDocumentException", "The policy is not a JSON object with a Statement.")
	}
	p, found := w.Parameter(arn)
	if !found {
		return Errorf("ResourceNotFoundException", "Parameter %s does not exist.", arn)
	}
	if v := p.Latest(); v.Type == typeSecureString {
		if k, err := w.Key(v.key); err == nil && k.Managed {
			return Errorf("ResourcePolicyInvalidParameterException", "A SecureString parameter that is encrypted with an AWS managed key can't be shared.")
		}
	}
	for _, s := range statements {
		switch {
		case s.Effect != "Allow" && s.Effect != "Deny", len(s.Action) == 0, len(s.principals()) == 0:
			return Errorf("MalformedResourcePolicyDocumentException", "A statement of the policy lacks Effect, Principal or Action.")
		case slices.ContainsFunc(s.Resource, func(r string) bool { return r != arn }), len(s.NotResource) > 0, len(s.NotAction) > 0:
			return Errorf("MalformedResourcePolicyDocumentException", "The Resource of a statement must be %s.", arn)
		}
		for _, a := range s.Action {
			if !slices.ContainsFunc(sharedActions, func(known string) bool { return strings.EqualFold(a, known) }) {
				return Errorf("ResourcePolicyInvalidParameterException", "Action %s can't be allowed by the policy of a parameter.", a)
			}
		}
	}
	return nil
}

// sharedWith reports whether the policies of a parameter let a caller of another
// account do something; an empty action is any.
func (w *World) sharedWith(account, caller, arn, action string) bool {
	var statements []policyStatement
	_ = w.Tables(func(t *Tables) error { // never fails
		for _, r := range t.All(KindPolicy) {
			if textIn(r, "resource") == arn {
				statements = append(statements, statementsOf(textIn(r, "Policy"))...)
			}
		}
		return nil
	})
	allowed := false
	for _, s := range statements {
		if action != "" && !slices.ContainsFunc(s.Action, func(a string) bool { return strings.EqualFold(a, action) }) {
			continue
		}
		if !slices.ContainsFunc(s.principals(), func(p string) bool {
			ok, _ := isFor(p, caller)
			return ok || p == account
		}) {
			continue
		}
		if s.Effect == "Deny" {
			return false
		}
		allowed = true
	}
	return allowed
}

// SharedParameters returns the latest versions of what other accounts share with
// a caller of this one, with ARNs for names, sorted.
func (w *World) SharedParameters(caller string) []ParameterHit {
	var hits []ParameterHit
	for _, other := range w.peers {
		if other.sc.Region != w.sc.Region || other.sc.Account == w.sc.Account {
			continue
		}
		for _, arn := range other.policied() {
			if !other.sharedWith(w.sc.Account, caller, arn, "") {
				continue
			}
			if p, ok := other.Parameter(arn); ok {
				hits = append(hits, ParameterHit{arn, p.Latest()})
			}
		}
	}
	slices.SortFunc(hits, func(a, b ParameterHit) int { return strings.Compare(a.Name, b.Name) })
	return hits
}

// policied are the ARNs of the parameters that have resource policies.
func (w *World) policied() []string {
	var arns []string
	_ = w.Tables(func(t *Tables) error { // never fails
		for _, r := range t.All(KindPolicy) {
			if arn := textIn(r, "resource"); strings.Contains(arn, ":parameter/") && !slices.Contains(arns, arn) {
				arns = append(arns, arn)
			}
		}
		return nil
	})
	return arns
}

// unshare removes the resource policies of what is no more. Callers do not hold
// w.mu.
func (w *World) unshare(arn string) {
	_ = w.Tables(func(t *Tables) error { // never fails
		for _, r := range t.All(KindPolicy) {
			if textIn(r, "resource") == arn {
				t.Delete(KindPolicy, arn+" "+textIn(r, "PolicyId"))
			}
		}
		return nil
	})
}
