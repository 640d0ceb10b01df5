package world

import (
	"bytes"
	"slices"
	"time"
)

func (v SecretVersion) same(text *string, binary []byte) bool {
	if text == nil || v.Text == nil {
		return text == nil && v.Text == nil && bytes.Equal(v.Binary, binary)
	}
	return *text == *v.Text
}

func noSecretValue() error {
	return Errorf("InvalidRequestException", "You must provide either SecretString or SecretBinary.")
}

// put adds a version with the labels given, or AWSCURRENT, which the first version
// has in any case (API reference, PutSecretValue); labels leave the version that
// had them. The same token with the same value changes nothing.
func (s *Secret) put(token string, text *string, binary []byte, stages []string, now time.Time) error {
	size := len(binary)
	if text != nil {
		size = len(*text)
	}
	switch {
	case text != nil && binary != nil:
		return Errorf("InvalidParameterException", "You can't specify both a binary secret value and a string secret value in the same secret.")
	case text == nil && binary == nil:
		return noSecretValue()
	case size == 0:
		return Errorf("InvalidParameterException", "The secret value can't be empty.")
	case size > secretBytes:
		return Errorf("ValidationException", "1 validation error detected: Value at 'secretString' failed to satisfy constraint: Member must have length less than or equal to %d", secretBytes)
	case len(stages) > secretStages:
		return Errorf("LimitExceededException", "You can't attach more than %d staging labels to a version.", secretStages)
	}
	if token == "" {
		token = newUUID()
	}
	if i := s.version(token); i >= 0 {
		if s.Versions[i].same(text, binary) {
			return nil
		}
		return s.tokenInUse(token)
	}
	if len(stages) == 0 || len(s.Versions) == 0 && !slices.Contains(stages, SecretCurrent) {
		stages = append(slices.Clone(stages), SecretCurrent)
	}
	v := SecretVersion{ID: token, Binary: bytes.Clone(binary), Created: now}
	if text != nil {
		value := *text
		v.Text = &value
	}
	s.Versions = append(s.Versions, v)
	for _, stage := range stages {
		s.label(token, stage)
	}
	s.Changed = now
	s.forget()
	return nil
}

// version is the place of the version with an id, -1 when there is none.
func (s *Secret) version(id string) int {
	return slices.IndexFunc(s.Versions, func(v SecretVersion) bool { return v.ID == id })
}

func (s *Secret) tokenInUse(token string) error {
	return Errorf("ResourceExistsException", "You can't use ClientRequestToken %s because that value is already in use for a version of secret %s.", token, s.ARN)
}

// label moves a staging label to a version. AWSPREVIOUS follows AWSCURRENT.
func (s *Secret) label(id, stage string) {
	had := s.at(stage)
	for i := range s.Versions {
		v := &s.Versions[i]
		v.Stages = slices.DeleteFunc(slices.Clone(v.Stages), func(l string) bool { return l == stage })
		if v.ID == id {
			v.Stages = append(v.Stages, stage)
		}
	}
	if stage == SecretCurrent && had != nil && had.ID != id {
		s.label(had.ID, SecretPrevious)
	}
}

// at is the version with a staging label; nil when there is none.
func (s *Secret) at(stage string) *SecretVersion {
	i := slices.IndexFunc(s.Versions, func(v SecretVersion) bool { return slices.Contains(v.Stages, stage) })
	if i < 0 {
		return nil
	}
	return &s.Versions[i]
}

// forget drops the oldest versions without labels beyond what is kept.
func (s *Secret) forget() {
	for len(s.Versions) > secretVersions {
		i := slices.IndexFunc(s.Versions, func(v SecretVersion) bool { return len(v.Stages) == 0 })
		if i < 0 {
			return
		}
		s.Versions = slices.Delete(s.Versions, i, i+1)
	}
}

// read is SecretValue of a secret that was found; it notes that it was read.
func (s *Secret) read(version, stage string, now time.Time) (Secret, SecretVersion, error) {
	if version == "" && stage == "" {
		stage = SecretCurrent
	}
	i := slices.IndexFunc(s.Versions, func(v SecretVersion) bool {
		return (version == "" || v.ID == version) && (stage == "" || slices.Contains(v.Stages, stage))
	})
	switch {
	case i >= 0:
		day := now.UTC().Truncate(24 * time.Hour)
		s.Accessed, s.Versions[i].Accessed = day, day
		c := copySecret(s)
		return c, c.Versions[i], nil
	case version != "" && stage != "":
		return Secret{}, SecretVersion{}, Errorf("InvalidRequestException", "You provided a VersionStage that is not associated to the provided VersionId.")
	case version != "":
		return Secret{}, SecretVersion{}, Errorf("ResourceNotFoundException", "Secrets Manager can't find the specified secret value for VersionId: %s", version)
	}
	return Secret{}, SecretVersion{}, Errorf("ResourceNotFoundException", "Secrets Manager can't find the specified secret value for staging label: %s", stage)
}
