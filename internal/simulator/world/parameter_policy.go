package world

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// mostPolicies is how many policies a parameter can have (User Guide, "Assigning
// parameter policies").
const mostPolicies = 10

// The types of parameter policies.
const (
	policyExpiration = "Expiration"
	policyExpiring   = "ExpirationNotification"
	policyUnchanged  = "NoChangeNotification"
)

// The states of parameter policies that the simulator has.
const (
	policyPending  = "Pending"
	policyFinished = "Finished"
)

// ParameterPolicy is a policy of a parameter.
type ParameterPolicy struct {
	Type   string
	Text   string // JSON
	Status string // Pending, Finished

	at    time.Time     // Expiration: when
	span  time.Duration // the others: before that, or after the last change
	since time.Time     // it was given
}

type policyText struct {
	Type       string
	Version    string
	Attributes map[string]any
}

// newPolicies reads the policies of a PutParameter. Without any, those before
// stay; [{}] takes them away.
func (w *World) newPolicies(text string, before []ParameterPolicy, now time.Time) ([]ParameterPolicy, error) {
	if text == "" {
		kept := slices.Clone(before)
		for i := range kept {
			if kept[i].Type == policyUnchanged {
				kept[i].Status = policyPending // its time begins anew
			}
		}
		return kept, nil
	}
	var raw []json.RawMessage
	if err := json.Unmarshal([]byte(text), &raw); err != nil || raw == nil {
		return nil, Errorf("ValidationException", "The policies are not a JSON array of parameter policies.")
	}
	if len(raw) > mostPolicies {
		return nil, Errorf("PoliciesLimitExceededException", "You specified more than the maximum number of allowed policies for the parameter. The maximum is %d.", mostPolicies)
	}
	var policies []ParameterPolicy
	for _, one := range raw {
		p, empty, err := readPolicy(one)
		switch {
		case err != nil:
			return nil, err
		case !empty:
			p.since = now
			policies = append(policies, p)
		}
	}
	return policies, fitting(policies)
}

func readPolicy(raw json.RawMessage) (p ParameterPolicy, empty bool, err error) {
	var t policyText
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	if dec.Decode(&t) != nil {
		return p, false, Errorf("ValidationException", "The policies are not a JSON array of parameter policies.")
	}
	if t.Type == "" && t.Version == "" && t.Attributes == nil {
		return p, true, nil
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, raw); err != nil {
		return p, false, err
	}
	p = ParameterPolicy{Type: t.Type, Text: compact.String(), Status: policyPending}
	if t.Version != "1.0" {
		return p, false, badAttribute("Version must be 1.0, not %q.", t.Version)
	}
	switch t.Type {
	case policyExpiration:
		p.at, err = policyTime(attribute(t, "Timestamp"))
	case policyExpiring:
		p.span, err = policySpan(attribute(t, "Before"), attribute(t, "Unit"))
	case policyUnchanged:
		p.span, err = policySpan(attribute(t, "After"), attribute(t, "Unit"))
	default:
		err = Errorf("InvalidPolicyTypeException", "The policy type isn't supported. Parameter Store supports the following policy types: Expiration, ExpirationNotification, and NoChangeNotification.")
	}
	return p, false, err
}

func badAttribute(format string, args ...any) error {
	return Errorf("InvalidPolicyAttributeException", "A policy attribute or its value is invalid. %s", fmt.Sprintf(format, args...))
}

func attribute(t policyText, name string) string {
	if t.Attributes[name] == nil {
		return ""
	}
	return fmt.Sprint(t.Attributes[name])
}

// policyTime reads the forms ISO_INSTANT and ISO_OFFSET_DATE_TIME.
func policyTime(s string) (time.Time, error) {
	for _, form := range []string{time.RFC3339Nano, "2006-01-02T15:04Z07:00", "2006-01-02T15:04:05.999999999Z07:00:00"} {
		if t, err := time.Parse(form, s); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, badAttribute("Timestamp must be in the ISO_INSTANT or the ISO_OFFSET_DATE_TIME format.")
}

func policySpan(count, unit string) (time.Duration, error) {
	n, err := strconv.Atoi(count)
	day := map[string]time.Duration{"Days": 24 * time.Hour, "Hours": time.Hour}[unit]
	switch {
	case err != nil, n < 1, n > 100_000:
		return 0, badAttribute("Before and After must be whole numbers above 0.")
	case day == 0:
		return 0, badAttribute("Unit must be Days or Hours.")
	}
	return time.Duration(n) * day, nil
}

// fitting refuses policies that can't be together.
func fitting(policies []ParameterPolicy) error {
	count := map[string]int{}
	for _, p := range policies {
		count[p.Type]++
	}
	if count[policyExpiration] > 1 || count[policyExpiring] > 0 && count[policyExpiration] == 0 {
		return Errorf("IncompatiblePolicyException", "There is a conflict in the policies specified for this parameter. You can't, for example, specify two Expiration policies for a parameter. Review your policies, and try again.")
	}
	return nil
}

func policyEvent(name string) string { return "parameter " + placeOf(name) }

// due is when a policy of a version is to act.
func (p ParameterPolicy) due(v ParameterVersion) time.Time {
	switch p.Type {
	case policyExpiring:
		for _, other := range v.Policies {
			if other.Type == policyExpiration {
				return other.at.Add(-p.span)
			}
		}
	case policyUnchanged:
		return v.Modified.Add(p.span)
	}
	return p.at
}

// planPolicies puts the next thing that a parameter's policies do on the agenda.
// Callers hold w.mu.
func (w *World) planPolicies(p *Parameter) {
	var next time.Time
	v := p.Latest()
	for _, policy := range v.Policies {
		if at := policy.due(v); policy.Status == policyPending && (next.IsZero() || at.Before(next)) {
			next = at
		}
	}
	name := p.Name
	if next.IsZero() {
		w.agenda.drop(policyEvent(name))
		return
	}
	w.agenda.plan(policyEvent(name), next, rankEnd, func(time.Time) { w.actOnPolicies(name) })
}

// actOnPolicies does what a parameter's policies say by now.
func (w *World) actOnPolicies(name string) {
	if w.runPolicies(name) {
		w.unshare(w.ParameterARN(name))
	}
}

// runPolicies runs those that are due, notifications first, and reports whether
// the parameter has expired.
func (w *World) runPolicies(name string) (expired bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	p, ok := w.params.get(name)
	if !ok {
		return false
	}
	v := &p.Versions[len(p.Versions)-1]
	v.Policies = slices.Clone(v.Policies)
	for i := range v.Policies {
		policy := &v.Policies[i]
		if policy.Status != policyPending || policy.due(*v).After(w.now()) {
			continue
		}
		policy.Status = policyFinished
		if policy.Type == policyExpiration {
			expired = true
			continue
		}
		w.tellPolicy(p.Name, *v, *policy)
	}
	if !expired {
		w.planPolicies(p)
		return false
	}
	for _, policy := range v.Policies {
		if policy.Type == policyExpiration {
			w.tellPolicy(p.Name, *v, policy)
		}
	}
	w.dropParameter(p)
	return true
}

// tellPolicy tells what a policy has done. Callers hold w.mu.
func (w *World) tellPolicy(name string, v ParameterVersion, p ParameterPolicy) {
	reason := map[string]string{
		policyExpiration: "The parameter has expired and was deleted.",
		policyExpiring:   "The parameter will expire in " + spanText(p.span) + ".",
		policyUnchanged:  "The parameter has not been changed for " + spanText(p.span) + ".",
	}[p.Type]
	w.tell("Parameter Store Policy Action", name, map[string]string{
		"parameter-name": name, "parameter-type": v.Type, "policy-type": p.Type, "policy-content": p.Text, "action-status": "Success",
		"action-reason": reason + " This notification was generated based on the policy created at " + p.since.UTC().Format("2006-01-02T15:04:05.000Z"),
	})
}

func spanText(d time.Duration) string {
	n, unit := int(d/time.Hour), "hours"
	if n%24 == 0 {
		n, unit = n/24, "days"
	}
	if n == 1 {
		unit = strings.TrimSuffix(unit, "s")
	}
	return strconv.Itoa(n) + " " + unit
}
