package world

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"time"
)

// The states of keys (KMS API reference, KeyMetadata).
const (
	KeyEnabled         = "Enabled"
	KeyDisabled        = "Disabled"
	KeyPendingDeletion = "PendingDeletion"
)

// defaultParameterKey is the key of parameters and secrets that name none: AWS's
// own, which callers can use through the service without being allowed to.
const defaultParameterKey = "alias/aws/ssm"

// Key is a customer or service managed encryption key. Its material is made
// anew for each World.
type Key struct {
	ID          string   // UUID
	Alias       string   // the first of its aliases, alias/name, or empty
	Aliases     []string // all of them
	ARN         string
	Description string
	State       string
	Policy      string // JSON
	Managed     bool   // by AWS
	Grants      []Grant
	Created     time.Time
	Deletion    time.Time // pending deletion only

	nodeDenied bool
	aead       cipher.AEAD
}

// Grant lets somebody use a key whatever the policies say.
type Grant struct {
	ID         string
	Grantee    string   // ARN of a user, role or account
	Operations []string // Decrypt, Encrypt, GenerateDataKey, DescribeKey
	Created    time.Time
}

// keyStore seals and opens with the keys of the account, as KMS does. Its lock is
// a leaf.
type keyStore struct {
	mu   sync.Mutex
	keys []*Key
}

// awsKeys are the keys that AWS has in every account.
var awsKeys = []KeySpec{
	{ID: "11111111-2222-3333-4444-555555555555", Alias: defaultParameterKey},
	{ID: "11111111-2222-3333-4444-666666666666", Alias: "alias/aws/secretsmanager"},
}

func (w *World) addKeys() error {
	w.keys = &keyStore{}
	for i, s := range append(slices.Clone(awsKeys), w.sc.Keys...) {
		k, err := w.newKey(s)
		if err != nil {
			return err
		}
		if k.Managed = i < len(awsKeys); k.Managed {
			k.Policy = managedKeyPolicy(w.sc.Account)
		}
		w.keys.keys = append(w.keys.keys, k)
	}
	return nil
}

func (w *World) newKey(s KeySpec) (*Key, error) {
	var material [32]byte
	_, _ = rand.Read(material[:]) // never fails
	block, err := aes.NewCipher(material[:])
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, err
	}
	k := &Key{
		ID: s.ID, Alias: s.Alias, ARN: w.ARN("kms", "key/"+s.ID), Description: s.Description, State: KeyEnabled, Policy: s.Policy,
		Created: w.now(), nodeDenied: s.NodeDenied, aead: aead,
	}
	if s.Alias != "" {
		k.Aliases = []string{s.Alias}
	}
	switch s.State {
	case "disabled":
		k.State = KeyDisabled
	case "pending_deletion":
		k.State, k.Deletion = KeyPendingDeletion, w.now().AddDate(0, 0, 30)
	}
	if k.Policy == "" {
		k.Policy = keyPolicy(w.sc.Account, s.Users)
	}
	return k, nil
}

// find finds a key by id, alias or either's ARN. Callers hold its lock.
func (s *keyStore) find(name string) *Key {
	alias := name
	if i := strings.Index(name, ":alias/"); i >= 0 && strings.HasPrefix(name, "arn:") {
		alias = name[i+1:]
	}
	i := slices.IndexFunc(s.keys, func(k *Key) bool {
		return name == k.ID || name == k.ARN || slices.Contains(k.Aliases, alias)
	})
	if i < 0 {
		return nil
	}
	return s.keys[i]
}

// get is find, with the error of the service.
func (w *World) getKey(name string) (*Key, error) {
	k := w.keys.find(name)
	if k != nil {
		return k, nil
	}
	if strings.HasPrefix(name, "alias/") {
		return nil, Errorf("NotFoundException", "Alias %s is not found.", w.ARN("kms", name))
	}
	if !strings.HasPrefix(name, "arn:") {
		name = w.ARN("kms", "key/"+name)
	}
	return nil, Errorf("NotFoundException", "Key '%s' does not exist", name)
}

// Key finds a key by id, alias or either's ARN.
func (w *World) Key(name string) (Key, error) {
	w.keys.mu.Lock()
	defer w.keys.mu.Unlock()
	k, err := w.getKey(name)
	if err != nil {
		return Key{}, err
	}
	return k.copy(), nil
}

func (k *Key) copy() Key {
	c := *k
	c.Aliases = slices.Clone(k.Aliases)
	return c
}

// Keys returns all keys, in the order in which they were made.
func (w *World) Keys() []Key {
	w.keys.mu.Lock()
	defer w.keys.mu.Unlock()
	all := make([]Key, len(w.keys.keys))
	for i, k := range w.keys.keys {
		all[i] = k.copy()
	}
	return all
}

// CreateKey makes a key; an empty policy is the usual one, which leaves it to the
// account.
func (w *World) CreateKey(description, policy string) (Key, error) {
	k, err := w.newKey(KeySpec{ID: newUUID(), Description: description, Policy: policy})
	if err != nil {
		return Key{}, err
	}
	w.keys.mu.Lock()
	defer w.keys.mu.Unlock()
	w.keys.keys = append(w.keys.keys, k)
	return k.copy(), nil
}

// EditKey changes a key that is not AWS's own; change must not call the World.
func (w *World) EditKey(name string, change func(k *Key) error) error {
	w.keys.mu.Lock()
	defer w.keys.mu.Unlock()
	k, err := w.getKey(name)
	if err != nil {
		return err
	}
	if k.Managed {
		return Errorf("AccessDeniedException", "Key %s is managed by AWS and can't be changed.", k.ARN)
	}
	return change(k)
}

// AddAlias gives a key one more name.
func (w *World) AddAlias(alias, key string) error {
	w.keys.mu.Lock()
	defer w.keys.mu.Unlock()
	if w.keys.find(alias) != nil {
		return Errorf("AlreadyExistsException", "An alias with the name %s already exists", w.ARN("kms", alias))
	}
	k, err := w.getKey(key)
	if err != nil {
		return err
	}
	k.Aliases = append(k.Aliases, alias)
	k.Alias = k.Aliases[0]
	return nil
}

// sealVersion starts every sealed blob, followed by the length and text of the
// key id, the nonce and the ciphertext.
const sealVersion = 1

// Seal encrypts plain under key; only Decrypt with the same context opens it.
func (k Key) Seal(plain []byte, encContext map[string]string) []byte {
	blob := []byte{sealVersion, byte(len(k.ID))}
	blob = append(blob, k.ID...)
	nonce := make([]byte, k.aead.NonceSize())
	_, _ = rand.Read(nonce) // never fails
	blob = append(blob, nonce...)
	return k.aead.Seal(blob, nonce, plain, contextData(encContext))
}

// contextData is an unambiguous form of an encryption context.
func contextData(c map[string]string) []byte {
	if len(c) == 0 {
		return nil
	}
	data, err := json.Marshal(c) // keys in order
	if err != nil {
		panic(err) // a map of strings always encodes
	}
	return binary.BigEndian.AppendUint32(data, uint32(len(c)))
}

// Decrypt opens what a key of this account sealed. It makes World a DataKeys.
func (w *World) Decrypt(_ context.Context, sealed []byte, encContext map[string]string) ([]byte, error) {
	plain, key, err := w.Open(sealed, encContext)
	if err == nil && key.nodeDenied {
		return nil, Errorf("AccessDeniedException", "The ciphertext refers to a customer master key that does not exist, does not exist in this region, or you are not allowed to access.")
	}
	return plain, err
}

// Open is Decrypt that also tells the key, and asks nobody whether it may.
func (w *World) Open(sealed []byte, encContext map[string]string) ([]byte, Key, error) {
	bad := Errorf("InvalidCiphertextException", "")
	if len(sealed) < 2 || sealed[0] != sealVersion || len(sealed) < 2+int(sealed[1]) {
		return nil, Key{}, bad
	}
	id, rest := sealed[2:2+int(sealed[1])], sealed[2+int(sealed[1]):]
	k, err := w.Key(string(id))
	if err != nil {
		return nil, Key{}, bad
	}
	if len(rest) < k.aead.NonceSize() {
		return nil, Key{}, bad
	}
	n := k.aead.NonceSize()
	plain, err := k.aead.Open(nil, rest[:n], rest[n:], contextData(encContext))
	if err != nil {
		return nil, Key{}, bad
	}
	return plain, k, nil
}
