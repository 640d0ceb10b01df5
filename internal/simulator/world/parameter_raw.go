package world

import (
	"iter"
	"maps"
	"slices"
	"time"
)

// RawParameter is all that is known of a parameter, values in plain, for tests
// that count again.
type RawParameter struct {
	Name        string              `json:"name"`
	ARN         string              `json:"arn"`
	Type        string              `json:"type"`
	Tier        string              `json:"tier"`
	DataType    string              `json:"data_type"`
	KeyID       string              `json:"key_id,omitempty"`
	Description string              `json:"description,omitempty"`
	Pattern     string              `json:"allowed_pattern,omitempty"`
	Tags        map[string]string   `json:"tags"`
	Policies    []RawPolicy         `json:"policies"`
	Versions    []RawVersion        `json:"versions"`
	Labels      map[string]int64    `json:"labels"` // label → version
	Shared      []map[string]string `json:"resource_policies,omitempty"`
}

// RawPolicy is a policy of a parameter.
type RawPolicy struct {
	Type   string    `json:"type"`
	Text   string    `json:"text"`
	Status string    `json:"status"`
	Due    time.Time `json:"due"`
}

// RawVersion is a version of a parameter.
type RawVersion struct {
	Version  int64     `json:"version"`
	Value    string    `json:"value"`
	Sealed   string    `json:"sealed,omitempty"`
	Labels   []string  `json:"labels"`
	Tier     string    `json:"tier"`
	KeyID    string    `json:"key_id,omitempty"`
	Modified time.Time `json:"modified"`
	User     string    `json:"user"`
}

// RawParameters yields every parameter of the account, in order.
func (w *World) RawParameters() iter.Seq[RawParameter] {
	return func(yield func(RawParameter) bool) {
		for after := ""; ; {
			r, next := w.rawAfter(after)
			if next == "" || !yield(r) {
				return
			}
			after = next
		}
	}
}

// rawAfter is the parameter that follows a place, and its place; empty at the end.
func (w *World) rawAfter(after string) (r RawParameter, next string) {
	w.mu.Lock()
	w.params.walk("/", after, false, func(place string, p *Parameter) bool {
		next, r = place, w.raw(p)
		return false
	})
	w.mu.Unlock()
	if next == "" {
		return r, ""
	}
	_ = w.Tables(func(t *Tables) error { // never fails
		for _, record := range t.All(KindPolicy) {
			if textIn(record, "resource") == r.ARN {
				r.Shared = append(r.Shared, map[string]string{"id": textIn(record, "PolicyId"), "hash": textIn(record, "PolicyHash"), "policy": textIn(record, "Policy")})
			}
		}
		return nil
	})
	return r, next
}

// raw tells all of a parameter. Callers hold w.mu.
func (w *World) raw(p *Parameter) RawParameter {
	v := p.Latest()
	r := RawParameter{
		Name: p.Name, ARN: w.ParameterARN(p.Name), Type: v.Type, Tier: v.Tier, DataType: v.DataType, KeyID: v.KeyID,
		Description: v.Description, Pattern: v.AllowedPattern, Tags: maps.Clone(p.Tags), Policies: []RawPolicy{}, Labels: map[string]int64{},
	}
	if r.Tags == nil {
		r.Tags = map[string]string{}
	}
	for _, policy := range v.Policies {
		r.Policies = append(r.Policies, RawPolicy{policy.Type, policy.Text, policy.Status, policy.due(v)})
	}
	for _, v := range p.Versions {
		r.Versions = append(r.Versions, RawVersion{v.Number, v.Value, v.Sealed, append([]string{}, v.Labels...), v.Tier, v.KeyID, v.Modified, v.User})
		for _, l := range v.Labels {
			r.Labels[l] = v.Number
		}
	}
	return r
}

// ParameterEvents returns the events of Parameter Store since the start, the
// oldest first.
func (w *World) ParameterEvents() []ParameterEvent {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.events)
}
