package world

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"
)

// The recovery window of a secret in days (API reference, DeleteSecret).
const (
	recoveryDays    = 30 // when none is given
	recoveryDaysMin = 7
	recoveryDaysMax = 30
)

// DeleteSecret marks a secret for deletion after a number of days, 0 for the default, or
// removes it at once. The time is when it goes.
func (w *World) DeleteSecret(id string, days int, force bool) (Secret, time.Time, error) {
	switch {
	case days != 0 && (days < recoveryDaysMin || days > recoveryDaysMax):
		return Secret{}, time.Time{}, Errorf("InvalidParameterException", "The RecoveryWindowInDays value must be between %d and %d days (inclusive).", recoveryDaysMin, recoveryDaysMax)
	case force && days != 0:
		return Secret{}, time.Time{}, Errorf("InvalidParameterException", "You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays.")
	case days == 0:
		days = recoveryDays
	}
	if !w.hasSecret(id) {
		if _, replica := w.replica(id); force && !replica {
			return w.neverThere(id), w.now(), nil
		}
		return Secret{}, time.Time{}, w.notHere(id)
	}
	w.secrets.mu.Lock()
	defer w.secrets.mu.Unlock()
	s, err := w.secrets.find(id)
	switch {
	case err != nil:
		return Secret{}, time.Time{}, err
	case !s.Deletes.IsZero() && !force:
		return Secret{}, time.Time{}, Errorf("InvalidRequestException", "You can't perform this operation on the secret because it was already scheduled for deletion.")
	case len(s.Replicas) > 0:
		return Secret{}, time.Time{}, Errorf("InvalidRequestException", "You can't delete secret %s that still has replica regions [%s]", s.Name, strings.Join(regionsOf(s.Replicas), ", "))
	}
	w.agenda.drop("rotate " + s.ARN)
	if force {
		w.agenda.drop("delete " + s.ARN)
		delete(w.secrets.byName, s.Name)
		return copySecret(s), w.now(), nil
	}
	s.Deletes = w.now().Add(time.Duration(days) * 24 * time.Hour)
	arn := s.ARN
	w.agenda.plan("delete "+arn, s.Deletes, rankEnd, func(time.Time) { w.forgetSecret(arn) })
	return copySecret(s), s.Deletes, nil
}

// neverThere is what DeleteSecret answers when it is forced to delete what does not
// exist, which is no error (API reference, DeleteSecret).
func (w *World) neverThere(id string) Secret {
	if strings.HasPrefix(id, "arn:") {
		return Secret{Name: id[strings.LastIndexByte(id, ':')+1:], ARN: id}
	}
	return Secret{Name: id, ARN: w.secretARN(id)}
}

func regionsOf(replicas []SecretReplica) (names []string) {
	for _, r := range replicas {
		names = append(names, r.Region)
	}
	return names
}

// forgetSecret removes a secret whose recovery window has ended.
func (w *World) forgetSecret(arn string) {
	w.secrets.mu.Lock()
	defer w.secrets.mu.Unlock()
	maps.DeleteFunc(w.secrets.byName, func(_ string, s *Secret) bool {
		return s.ARN == arn && !s.Deletes.IsZero() && !s.Deletes.After(w.now())
	})
}

// RestoreSecret takes the mark for deletion off a secret.
func (w *World) RestoreSecret(id string) (Secret, error) {
	w.secrets.mu.Lock()
	defer w.secrets.mu.Unlock()
	s, err := w.secrets.find(id)
	if err != nil {
		return Secret{}, err
	}
	s.Deletes = time.Time{}
	w.agenda.drop("delete " + s.ARN)
	w.planRotation(s)
	return copySecret(s), nil
}

// TagSecret adds tags, or changes them.
func (w *World) TagSecret(id string, tags map[string]string) error {
	_, err := w.changeSecret(id, func(s *Secret) error {
		all := maps.Clone(s.Tags)
		if all == nil {
			all = map[string]string{}
		}
		maps.Copy(all, tags)
		if CheckTags(tags) != nil {
			return Errorf("InvalidParameterException", "Tag keys can't start with aws:.")
		}
		if len(all) > maxTags {
			return Errorf("InvalidParameterException", "You can't have more than %d tags on a secret.", maxTags)
		}
		s.Tags, s.Changed = all, w.now()
		return nil
	})
	return err
}

// UntagSecret removes tags.
func (w *World) UntagSecret(id string, keys []string) error {
	_, err := w.changeSecret(id, func(s *Secret) error {
		maps.DeleteFunc(s.Tags, func(k, _ string) bool { return slices.Contains(keys, k) })
		s.Changed = w.now()
		return nil
	})
	return err
}

// SetSecretPolicy gives a secret a resource policy; empty removes it.
func (w *World) SetSecretPolicy(id, policy string) (Secret, error) {
	return w.changeSecret(id, func(s *Secret) error { s.Policy = policy; return nil })
}

// ReplicateSecret adds replicas.
func (w *World) ReplicateSecret(id string, add []SecretReplica, overwrite bool) (Secret, error) {
	return w.changeSecret(id, func(s *Secret) error {
		for _, r := range add {
			i := slices.IndexFunc(s.Replicas, func(old SecretReplica) bool { return old.Region == r.Region })
			switch {
			case r.Region == w.Region():
				return Errorf("InvalidParameterException", "Invalid replica region %s: it is the Region of the primary secret.", r.Region)
			case i >= 0 && !overwrite:
				return Errorf("InvalidRequestException", "The secret %s already has a replica in %s.", s.Name, r.Region)
			case i >= 0:
				s.Replicas[i] = r
			default:
				s.Replicas = append(s.Replicas, r)
			}
		}
		return nil
	})
}

// RemoveReplicas removes the replicas in some Regions.
func (w *World) RemoveReplicas(id string, regions []string) (Secret, error) {
	return w.changeSecret(id, func(s *Secret) error {
		s.Replicas = slices.DeleteFunc(s.Replicas, func(r SecretReplica) bool { return slices.Contains(regions, r.Region) })
		return nil
	})
}

// rotationTakes is how long a simulated rotation function runs.
const rotationTakes = 30 * time.Second

// RotateSecret sets how a secret is rotated, empty fields left as they are, and rotates
// it now unless later. A rotation makes a version AWSPENDING and moves it to AWSCURRENT
// when the function has run. The id of that version is returned.
func (w *World) RotateSecret(id, token string, r SecretRotation, later bool) (Secret, string, error) {
	if token == "" {
		token = newUUID()
	}
	s, err := w.changeSecret(id, func(s *Secret) error {
		if r.LambdaARN != "" {
			s.Rotation.LambdaARN = r.LambdaARN
		}
		if r.Days != 0 || r.Schedule != "" {
			s.Rotation.Days, s.Rotation.Schedule = r.Days, r.Schedule
		}
		if r.Duration != "" {
			s.Rotation.Duration = r.Duration
		}
		switch {
		case s.Rotation.LambdaARN == "":
			return Errorf("InvalidRequestException", "No Lambda rotation function ARN is associated with this secret.")
		case s.at(SecretCurrent) == nil:
			return Errorf("InvalidRequestException", "The secret has no version with the staging label AWSCURRENT.")
		case s.at(SecretPending) != nil && !slices.Contains(s.at(SecretPending).Stages, SecretCurrent):
			return Errorf("InvalidRequestException", "A previous rotation isn't complete. That rotation will be reattempted.")
		}
		s.Rotation.Enabled = true
		s.Rotation.Next = time.Time{}
		if s.Rotation.Days > 0 {
			s.Rotation.Next = w.now().Add(time.Duration(s.Rotation.Days) * 24 * time.Hour)
		}
		if later {
			return nil
		}
		return s.begin(token, w.now())
	})
	if err != nil {
		return s, "", err
	}
	w.secrets.mu.Lock()
	defer w.secrets.mu.Unlock()
	w.planRotation(&s)
	if later {
		return s, "", nil
	}
	w.planEnd(s.ARN, token)
	return s, token, nil
}

// begin makes the AWSPENDING version of a rotation.
func (s *Secret) begin(token string, now time.Time) error {
	text := rotated(s.at(SecretCurrent))
	return s.put(token, &text, nil, []string{SecretPending}, now)
}

// rotated is a value as a rotation function makes it: another password in the JSON of
// a database, else another text of the same length.
func rotated(v *SecretVersion) string {
	next := RandomText(32, alphanumeric)
	if v == nil || v.Text == nil {
		return next
	}
	var members map[string]any
	if json.Unmarshal([]byte(*v.Text), &members) == nil && members["password"] != nil {
		members["password"] = next
		if data, err := json.Marshal(members); err == nil {
			return string(data)
		}
	}
	return RandomText(min(max(len(*v.Text), 1), secretBytes), alphanumeric)
}

// planEnd has a rotation end when its function has run.
func (w *World) planEnd(arn, version string) {
	w.agenda.plan("end rotation "+arn, w.now().Add(rotationTakes), rankEnd, func(at time.Time) { w.endRotation(arn, version, at) })
}

func (w *World) endRotation(arn, version string, at time.Time) {
	w.secrets.mu.Lock()
	defer w.secrets.mu.Unlock()
	s, err := w.secrets.live(arn)
	if err != nil {
		return
	}
	if p := s.at(SecretPending); p == nil || p.ID != version {
		return
	}
	s.label(version, SecretCurrent)
	s.Rotation.Rotated, s.Changed = at, at
}

// planRotation has a secret rotated when it is next due. Callers hold the lock, or have
// a copy.
func (w *World) planRotation(s *Secret) {
	arn := s.ARN
	if !s.Rotation.Enabled || s.Rotation.Next.IsZero() {
		w.agenda.drop("rotate " + arn)
		return
	}
	w.agenda.plan("rotate "+arn, s.Rotation.Next, rankStart, func(at time.Time) { w.rotateNow(arn, at) })
}

// rotateNow is a rotation by schedule.
func (w *World) rotateNow(arn string, at time.Time) {
	token := newUUID()
	w.secrets.mu.Lock()
	defer w.secrets.mu.Unlock()
	s, err := w.secrets.live(arn)
	if err != nil || !s.Rotation.Enabled || s.begin(token, at) != nil {
		return
	}
	s.Rotation.Next = at.Add(time.Duration(s.Rotation.Days) * 24 * time.Hour)
	w.planRotation(s)
	w.planEnd(arn, token)
}

// CancelRotation turns the rotation of a secret off, and stops one that runs.
func (w *World) CancelRotation(id string) (Secret, error) {
	s, err := w.changeSecret(id, func(s *Secret) error {
		s.Rotation.Enabled, s.Rotation.Next = false, time.Time{}
		return nil
	})
	if err == nil {
		w.agenda.drop("rotate " + s.ARN)
		w.agenda.drop("end rotation " + s.ARN)
	}
	return s, err
}

// SecretSpec is a secret of a scenario. Only Name is required.
type SecretSpec struct {
	Name        string            `yaml:"name"`
	Value       string            `yaml:"value"`
	Previous    string            `yaml:"previous"` // the version before, AWSPREVIOUS
	Description string            `yaml:"description"`
	Key         string            `yaml:"key"` // KMS key: id, alias or ARN
	Tags        map[string]string `yaml:"tags"`
	Lambda      string            `yaml:"rotation_lambda"`
	RotateDays  int               `yaml:"rotation_days"`
}

func (w *World) addSecrets() error {
	for _, s := range w.sc.Secrets {
		n := NewSecret{Name: s.Name, Description: s.Description, KeyID: s.Key, Tags: s.Tags}
		switch {
		case s.Previous != "":
			n.Text = &s.Previous
		case s.Value != "":
			n.Text = &s.Value
		}
		if _, err := w.CreateSecret(n); err != nil {
			return err
		}
		if s.Previous != "" && s.Value != "" {
			if _, err := w.PutSecretValue(s.Name, "", &s.Value, nil, nil); err != nil {
				return err
			}
		}
		if s.Lambda != "" {
			if _, _, err := w.RotateSecret(s.Name, "", SecretRotation{LambdaARN: s.Lambda, Days: s.RotateDays}, true); err != nil {
				return err
			}
		}
	}
	return nil
}

// checkSecrets checks the secrets of a scenario.
func (c *checker) checkSecrets() {
	seen := map[string]bool{}
	for i, s := range c.sc.Secrets {
		c.match(at("secrets", i, "name"), s.Name, `[A-Za-z0-9/_+=.@!-]{1,512}`)
		switch {
		case seen[s.Name]:
			c.failf(at("secrets", i, "name"), "name: %s is there twice", s.Name)
		case len(s.Value) > secretBytes:
			c.failf(at("secrets", i, "value"), "value: larger than %d bytes", secretBytes)
		case s.RotateDays != 0 && (s.RotateDays < 1 || s.RotateDays > 1000):
			c.failf(at("secrets", i, "rotation_days"), "rotation_days: must be between 1 and 1000")
		case s.Lambda != "" && s.Value == "":
			c.failf(at("secrets", i, "rotation_lambda"), "rotation_lambda: the secret has no value")
		}
		seen[s.Name] = true
	}
}
