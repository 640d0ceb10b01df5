package world

import (
	"crypto/rand"
	"maps"
	"math/big"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/pattern"
)

// The staging labels that Secrets Manager moves by itself.
const (
	SecretCurrent  = "AWSCURRENT"
	SecretPending  = "AWSPENDING"
	SecretPrevious = "AWSPREVIOUS"
)

// SecretKey is the alias of the AWS managed key that secrets without a key of their own
// are encrypted with.
const SecretKey = "alias/aws/secretsmanager"

// Limits of Secrets Manager (API reference, CreateSecret and PutSecretValue; user
// guide, "AWS Secrets Manager quotas").
const (
	secretBytes    = 65536
	secretVersions = 100 // that have a label, and about as many without
	secretStages   = 20  // of a version
)

// Secret is a secret of Secrets Manager with its versions.
type Secret struct {
	Name, ARN, Description string
	KeyID                  string // as the user gave it; empty: SecretKey
	Created, Changed       time.Time
	Accessed               time.Time // the day of the last read; zero: never
	Deletes                time.Time // when it will be gone; zero: it stays
	Rotation               SecretRotation
	Tags                   map[string]string
	Policy                 string
	Versions               []SecretVersion // the oldest first
	Replicas               []SecretReplica
	Primary                string // the Region of which it is a replica; empty: it is none
}

// SecretVersion is one version of a secret. Either Text or Binary is set.
type SecretVersion struct {
	ID       string // the client request token that made it
	Text     *string
	Binary   []byte
	Stages   []string
	Created  time.Time
	Accessed time.Time
}

// SecretRotation is how a secret is rotated.
type SecretRotation struct {
	Enabled       bool
	LambdaARN     string
	Days          int    // AutomaticallyAfterDays
	Schedule      string // a schedule expression, instead of Days
	Duration      string // of the rotation window: 3h
	Rotated, Next time.Time
}

// SecretReplica is the copy of a secret in another Region.
type SecretReplica struct{ Region, KeyID string }

// secretStore holds the secrets by name. Its lock is a leaf.
type secretStore struct {
	mu     sync.Mutex
	byName map[string]*Secret
}

func copySecret(s *Secret) Secret {
	c := *s
	c.Tags = maps.Clone(s.Tags)
	c.Versions, c.Replicas = slices.Clone(s.Versions), slices.Clone(s.Replicas)
	for i := range c.Versions {
		c.Versions[i].Stages = slices.Clone(c.Versions[i].Stages)
	}
	return c
}

var secretChars = pattern.Lazy(`^[A-Za-z0-9/_+=.@!-]{1,512}$`)

func noSecret() error {
	return Errorf("ResourceNotFoundException", "Secrets Manager can't find the specified secret.")
}

// find returns a secret by name, ARN or ARN without its random end. Callers hold the lock.
func (s *secretStore) find(id string) (*Secret, error) {
	if secret, ok := s.byName[id]; ok {
		return secret, nil
	}
	if strings.HasPrefix(id, "arn:") {
		for _, secret := range s.byName {
			if secret.ARN == id || secret.ARN[:len(secret.ARN)-7] == id {
				return secret, nil
			}
		}
	}
	return nil, noSecret()
}

// live is find for those that are not marked for deletion.
func (s *secretStore) live(id string) (*Secret, error) {
	secret, err := s.find(id)
	if err == nil && !secret.Deletes.IsZero() {
		return nil, Errorf("InvalidRequestException", "You can't perform this operation on the secret because it was marked for deletion.")
	}
	return secret, err
}

// changeSecret calls change with a secret that is not marked for deletion.
func (w *World) changeSecret(id string, change func(s *Secret) error) (Secret, error) {
	if !w.hasSecret(id) {
		return Secret{}, w.notHere(id)
	}
	w.secrets.mu.Lock()
	defer w.secrets.mu.Unlock()
	s, err := w.secrets.live(id)
	if err != nil {
		return Secret{}, err
	}
	next := copySecret(s)
	if err := change(&next); err != nil {
		return Secret{}, err
	}
	*s = next
	return copySecret(s), nil
}

// NewSecret is what CreateSecret is given. Text and Binary may both be absent: the
// secret has no version then.
type NewSecret struct {
	Name, Description, KeyID, Token string
	Text                            *string
	Binary                          []byte
	Tags                            map[string]string
	Replicas                        []SecretReplica
}

// CreateSecret makes a secret. The same request again, with its token, changes nothing.
func (w *World) CreateSecret(n NewSecret) (Secret, error) {
	switch {
	case !secretChars().MatchString(n.Name):
		return Secret{}, Errorf("ValidationException", "Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: -/_+=.@!")
	case len(n.Tags) > maxTags:
		return Secret{}, Errorf("InvalidParameterException", "You can't have more than %d tags on a secret.", maxTags)
	}
	if err := CheckTags(n.Tags); err != nil {
		return Secret{}, Errorf("InvalidParameterException", "Tag keys can't start with aws:.")
	}
	if err := w.secretKey(n.KeyID); err != nil {
		return Secret{}, err
	}
	w.secrets.mu.Lock()
	defer w.secrets.mu.Unlock()
	if old, ok := w.secrets.byName[n.Name]; ok {
		return w.createdBefore(old, n)
	}
	now := w.now()
	s := &Secret{
		Name: n.Name, ARN: w.secretARN(n.Name), Description: n.Description,
		KeyID: n.KeyID, Created: now, Changed: now, Tags: maps.Clone(n.Tags), Replicas: slices.Clone(n.Replicas),
	}
	if n.Text != nil || n.Binary != nil {
		if err := s.put(n.Token, n.Text, n.Binary, nil, now); err != nil {
			return Secret{}, err
		}
	}
	w.secrets.byName[n.Name] = s
	return copySecret(s), nil
}

// secretARN makes an ARN for a new secret.
func (w *World) secretARN(name string) string {
	return w.ARN("secretsmanager", "secret:"+name+"-"+RandomText(6, alphanumeric))
}

// createdBefore answers a CreateSecret for a name that is taken.
func (w *World) createdBefore(old *Secret, n NewSecret) (Secret, error) {
	if !old.Deletes.IsZero() {
		return Secret{}, Errorf("InvalidRequestException", "You can't create this secret because a secret with this name is already scheduled for deletion.")
	}
	if i := old.version(n.Token); i >= 0 {
		if old.Versions[i].same(n.Text, n.Binary) {
			return copySecret(old), nil
		}
		return Secret{}, old.tokenInUse(n.Token)
	}
	return Secret{}, Errorf("ResourceExistsException", "The operation failed because the secret %s already exists.", n.Name)
}

// secretKey refuses a KMS key that is not there.
func (w *World) secretKey(id string) error {
	if id == "" || id == SecretKey || strings.HasSuffix(id, ":"+SecretKey) {
		return nil
	}
	if _, err := w.Key(id); err != nil {
		return Errorf("EncryptionFailure", "Secrets Manager can't encrypt the protected secret text using the provided KMS key.")
	}
	return nil
}

func (w *World) hasSecret(id string) bool {
	w.secrets.mu.Lock()
	defer w.secrets.mu.Unlock()
	_, err := w.secrets.find(id)
	return err == nil
}

// Secret returns a secret, also one that is marked for deletion, and a replica.
func (w *World) Secret(id string) (Secret, error) {
	if !w.hasSecret(id) {
		if s, ok := w.replica(id); ok {
			return s, nil
		}
		return Secret{}, noSecret()
	}
	w.secrets.mu.Lock()
	defer w.secrets.mu.Unlock()
	s, err := w.secrets.find(id)
	if err != nil {
		return Secret{}, err
	}
	return copySecret(s), nil
}

// Secrets returns all secrets in the order of their names, also those that are marked
// for deletion, and replicas.
func (w *World) Secrets() []Secret {
	all := append(w.ownSecrets(), w.replicas()...)
	slices.SortStableFunc(all, func(a, b Secret) int { return strings.Compare(a.Name, b.Name) })
	return all
}

func (w *World) ownSecrets() []Secret {
	w.secrets.mu.Lock()
	defer w.secrets.mu.Unlock()
	var all []Secret
	for _, name := range slices.Sorted(maps.Keys(w.secrets.byName)) {
		all = append(all, copySecret(w.secrets.byName[name]))
	}
	return all
}

// SecretValue reads a version: by its id, its staging label, both, or AWSCURRENT.
func (w *World) SecretValue(id, version, stage string) (Secret, SecretVersion, error) {
	if !w.hasSecret(id) {
		if s, ok := w.replica(id); ok {
			return s.read(version, stage, w.now())
		}
		return Secret{}, SecretVersion{}, noSecret()
	}
	w.secrets.mu.Lock()
	defer w.secrets.mu.Unlock()
	s, err := w.secrets.live(id)
	if err != nil {
		return Secret{}, SecretVersion{}, err
	}
	return s.read(version, stage, w.now())
}

// PutSecretValue adds a version; token is its id.
func (w *World) PutSecretValue(id, token string, text *string, binary []byte, stages []string) (Secret, error) {
	if text == nil && binary == nil {
		return Secret{}, noSecretValue() // whether or not there is the secret
	}
	return w.changeSecret(id, func(s *Secret) error { return s.put(token, text, binary, stages, w.now()) })
}

// UpdateSecret changes the description and the key where they are not nil, and adds a
// version where there is a value.
func (w *World) UpdateSecret(id, token string, description, key, text *string, binary []byte) (Secret, error) {
	if key != nil {
		if err := w.secretKey(*key); err != nil {
			return Secret{}, err
		}
	}
	return w.changeSecret(id, func(s *Secret) error {
		if key != nil {
			s.KeyID = *key
		}
		if description != nil {
			s.Description = *description
		}
		s.Changed = w.now()
		if text == nil && binary == nil {
			return nil
		}
		return s.put(token, text, binary, nil, w.now())
	})
}

// MoveStage takes a staging label off one version, and puts it on another; either may be
// empty.
func (w *World) MoveStage(id, stage, from, to string) (Secret, error) {
	return w.changeSecret(id, func(s *Secret) error {
		now := s.at(stage)
		switch {
		case to != "" && s.version(to) < 0, from != "" && s.version(from) < 0:
			return Errorf("ResourceNotFoundException", "Secrets Manager can't find the specified secret version.")
		case from != "" && (now == nil || now.ID != from):
			return Errorf("InvalidParameterException", "The staging label %s isn't attached to version %s.", stage, from)
		case to != "" && from == "" && now != nil && now.ID != to:
			return Errorf("InvalidParameterException", "The parameter RemoveFromVersionId can't be empty. Staging label %s is currently attached to version %s, so you must explicitly reference that version in RemoveFromVersionId.", stage, now.ID)
		case to == "" && stage == SecretCurrent:
			return Errorf("InvalidParameterException", "You can't remove the staging label AWSCURRENT from a version.")
		case to != "":
			s.label(to, stage)
		case now != nil:
			now.Stages = slices.DeleteFunc(now.Stages, func(l string) bool { return l == stage })
		}
		s.Changed = w.now()
		return nil
	})
}

// alphanumeric are the characters of passwords that rotations make.
const alphanumeric = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

// RandomText is n characters of an alphabet, which is not empty.
func RandomText(n int, alphabet string) string {
	b := make([]byte, n)
	for i := range b {
		k, _ := rand.Int(rand.Reader, big.NewInt(int64(len(alphabet)))) // never fails
		b[i] = alphabet[k.Int64()]
	}
	return string(b)
}
