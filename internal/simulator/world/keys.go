package world

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"encoding/json"
	"slices"
	"strings"
)

// Key is a customer or service managed encryption key. Its material is made
// anew for each World.
type Key struct {
	ID    string // UUID
	Alias string // alias/name, or empty
	ARN   string

	nodeDenied bool
	aead       cipher.AEAD
}

// keyStore seals and opens with the keys of the account, as KMS does.
type keyStore struct{ keys []Key }

func (w *World) addKeys() error {
	w.keys = &keyStore{}
	specs := append([]KeySpec{{ID: "11111111-2222-3333-4444-555555555555", Alias: "alias/aws/ssm"}}, w.sc.Keys...)
	for _, s := range specs {
		var material [32]byte
		_, _ = rand.Read(material[:]) // never fails
		block, err := aes.NewCipher(material[:])
		if err != nil {
			return err
		}
		aead, err := cipher.NewGCM(block)
		if err != nil {
			return err
		}
		w.keys.keys = append(w.keys.keys, Key{ID: s.ID, Alias: s.Alias, ARN: w.ARN("kms", "key/"+s.ID), nodeDenied: s.NodeDenied, aead: aead})
	}
	return nil
}

// Key finds a key by id, alias or either's ARN.
func (w *World) Key(name string) (Key, error) {
	i := slices.IndexFunc(w.keys.keys, func(k Key) bool {
		return name == k.ID || name == k.ARN ||
			k.Alias != "" && (name == k.Alias || strings.HasPrefix(name, "arn:") && strings.HasSuffix(name, ":"+k.Alias))
	})
	if i < 0 {
		return Key{}, Errorf("NotFoundException", "Key '%s' does not exist", name)
	}
	return w.keys.keys[i], nil
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

// Open is Decrypt that also tells the key.
func (w *World) Open(sealed []byte, encContext map[string]string) ([]byte, Key, error) {
	bad := Errorf("InvalidCiphertextException", "")
	if len(sealed) < 2 || sealed[0] != sealVersion || len(sealed) < 2+int(sealed[1]) {
		return nil, Key{}, bad
	}
	id, rest := sealed[2:2+int(sealed[1])], sealed[2+int(sealed[1]):]
	i := slices.IndexFunc(w.keys.keys, func(k Key) bool { return bytes.Equal([]byte(k.ID), id) })
	if i < 0 {
		return nil, Key{}, bad
	}
	k := w.keys.keys[i]
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
