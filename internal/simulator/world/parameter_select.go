package world

import (
	"slices"
	"strconv"
	"strings"
)

// Parameter finds a parameter of the account by name or ARN.
func (w *World) Parameter(name string) (*Parameter, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	p, ok := w.params.get(w.parameterKey(name))
	if !ok {
		return nil, false
	}
	return copyParameter(p), true
}

// Selection is what a name with or without a selector leads to.
type Selection struct {
	ParameterHit
	ARN      string
	Selector string // as it was given, with its colon
	// Owner is the world that the parameter is in.
	Owner *World
}

// Select finds a parameter for a caller of this account: by its name, or by its ARN
// when it is of this account, of AWS or shared by another account. After a colon
// follows a version number or a label. The action is what sharing must allow.
func (w *World) Select(caller, action, name string) (Selection, error) {
	base, selector := SplitSelector(name)
	owner, key, err := w.ownerOf(caller, base, action)
	if err != nil {
		return Selection{}, err
	}
	if err := checkAsked(key, selector); err != nil {
		return Selection{}, err
	}
	owner.mu.Lock()
	defer owner.mu.Unlock()
	x := owner.params
	if strings.HasPrefix(key, publicRoot) {
		x = owner.publicIndex()
	}
	p, ok := x.get(key)
	if !ok {
		return Selection{}, Errorf("ParameterNotFound", "")
	}
	v, err := p.selected(selector, base)
	if err != nil {
		return Selection{}, err
	}
	s := Selection{ParameterHit: ParameterHit{p.Name, v}, ARN: owner.ParameterARN(p.Name), Selector: selector, Owner: owner}
	switch {
	case owner != w:
		s.Name = s.ARN // a name would be one of the reader's account
	case base == key:
		s.Name = key // at the root, with the slash or without it, as it was asked for
	}
	return s, nil
}

// selected is the version that a selector means. Callers hold w.mu.
func (p *Parameter) selected(selector, name string) (ParameterVersion, error) {
	if selector == "" {
		return p.Latest(), nil
	}
	n, numErr := strconv.ParseInt(selector[1:], 10, 64)
	for _, v := range p.Versions {
		if numErr == nil && v.Number == n || slices.Contains(v.Labels, selector[1:]) {
			return v, nil
		}
	}
	if numErr != nil {
		return ParameterVersion{}, Errorf("ParameterVersionNotFound", "Systems Manager could not find version label %s of %s. Verify the version label and try again.", selector[1:], name)
	}
	return ParameterVersion{}, Errorf("ParameterVersionNotFound", "Systems Manager could not find version %s of %s. Verify the version and try again.", selector[1:], name)
}

// ownerOf is the world that a name or ARN leads to, and the name there. Another
// account's must be shared for the action.
func (w *World) ownerOf(caller, name, action string) (*World, string, error) {
	if !strings.HasPrefix(name, "arn:") {
		return w, name, nil
	}
	parts := strings.SplitN(name, ":", 6)
	if len(parts) < 6 || parts[2] != "ssm" || !strings.HasPrefix(parts[5], "parameter/") {
		return nil, "", Errorf("ValidationException", "Invalid parameter ARN: %s", name)
	}
	region, account, key := parts[3], parts[4], strings.TrimPrefix(parts[5], "parameter")
	switch {
	case region != w.sc.Region:
		return nil, "", Errorf("ParameterNotFound", "")
	case account == w.sc.Account, account == "" && strings.HasPrefix(key, publicRoot):
		return w, key, nil
	}
	owner := w.peer(account, region)
	if owner == nil || !owner.sharedWith(w.sc.Account, caller, owner.ParameterARN(key), action) {
		return nil, "", denied(caller, action, name, "resource-based")
	}
	return owner, key, nil
}

// ParameterHistory returns a parameter with all its versions: of this account, or
// shared with it for that.
func (w *World) ParameterHistory(caller, name string) (*Parameter, *World, error) {
	owner, key, err := w.ownerOf(caller, name, "ssm:GetParameterHistory")
	if err != nil {
		return nil, nil, err
	}
	p, ok := owner.Parameter(key)
	if strings.HasPrefix(key, publicRoot) {
		p, ok = owner.publicParameter(key)
	}
	if !ok {
		return nil, nil, Errorf("ParameterNotFound", "")
	}
	return p, owner, nil
}
