package world

import (
	"cmp"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"maps"
	"slices"
	"strings"
	"time"
)

// Activation lets machines register as managed nodes: up to Limit of them, until
// Expires.
type Activation struct {
	ID, Description, DefaultName string
	Role                         string // name, or path and name, as it was given
	Limit, Count                 int
	Created, Expires             time.Time
	Expired                      bool
	Tags                         map[string]string
}

// activation is one with its code, which is told once and never again.
type activation struct {
	Activation
	code string
}

// CreateActivation makes an activation of what is given and returns its code,
// 20 characters. Its errors are those of the API operation.
func (w *World) CreateActivation(a Activation) (Activation, string, error) {
	role, ok := w.Role(a.Role)
	if !ok || !role.TrustsSSM() {
		return a, "", Errorf("ValidationException", "Nonexistent role or missing ssm service principal in trust policy: arn:aws:iam::%s:role/%s", w.sc.Account, strings.TrimPrefix(a.Role, "/"))
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	a.ID, a.Created, a.Count, a.Expired = newUUID(), w.now(), 0, false
	a.Tags = maps.Clone(a.Tags)
	var random [15]byte
	_, _ = rand.Read(random[:]) // never fails
	code := base64.StdEncoding.EncodeToString(random[:])
	w.activations[a.ID] = &activation{a, code}
	return a, code, nil
}

// Activations returns all activations, the latest first.
func (w *World) Activations() []Activation {
	w.mu.Lock()
	defer w.mu.Unlock()
	all := make([]Activation, 0, len(w.activations))
	for _, a := range w.activations {
		c := a.Activation
		c.Tags = maps.Clone(a.Tags)
		c.Expired = !w.now().Before(a.Expires)
		all = append(all, c)
	}
	slices.SortFunc(all, func(a, b Activation) int {
		return cmp.Or(b.Created.Compare(a.Created), strings.Compare(a.ID, b.ID))
	})
	return all
}

// HasActivation reports whether there is an activation.
func (w *World) HasActivation(id string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.activations[id] != nil
}

// DeleteActivation removes an activation. Nodes that registered with it stay.
func (w *World) DeleteActivation(id string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if _, ok := w.activations[id]; !ok {
		return Errorf("InvalidActivation", "Activation %s does not exist.", id)
	}
	delete(w.activations, id)
	return nil
}

// redeem takes one registration off an activation. Whether one exists is told to
// those only who have its code. Callers hold w.mu.
func (w *World) redeem(id, code string) (*activation, error) {
	a, ok := w.activations[id]
	if !ok || subtle.ConstantTimeCompare([]byte(a.code), []byte(code)) != 1 {
		return nil, Errorf("InvalidActivation", "")
	}
	switch {
	case !w.now().Before(a.Expires):
		return nil, Errorf("ActivationExpired", "")
	case a.Count >= a.Limit:
		return nil, Errorf("RegistrationLimitExceeded", "Registration limit of %d reached for activation %s.", a.Limit, id)
	}
	a.Count++
	return a, nil
}
