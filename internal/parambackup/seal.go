package parambackup

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"

	"github.com/ssmdeck/ssmdeck/internal/fault"
)

// keyBytes is the length of the key that a backup is sealed with: AES-256.
const keyBytes = 32

// Context is the encryption context of the data keys: KMS opens a key only for who says
// the same, and its log tells what it was for.
var Context = map[string]string{"ssmdeck": "parameter-backup"}

// Seal is the first line of a sealed backup: with what it is opened.
type Seal struct {
	Cipher string `json:"cipher"`   // AES-256-GCM
	KeyID  string `json:"kms_key"`  // as it was given
	Key    []byte `json:"data_key"` // as KMS sealed it
	Nonce  []byte `json:"nonce"`
}

type sealLine struct {
	Sealed *Seal `json:"ssmdeck_sealed_backup"`
}

const sealCipher = "AES-256-GCM"

// Close seals a backup with a data key of at least 32 bytes, of which keyID and sealed
// say where it comes from. The first line is authenticated too.
func Close(plain, key []byte, keyID string, sealed []byte) ([]byte, error) {
	gcm, err := newGCM(key)
	if err != nil {
		return nil, err
	}
	s := Seal{Cipher: sealCipher, KeyID: keyID, Key: sealed, Nonce: make([]byte, gcm.NonceSize())}
	if _, err := rand.Read(s.Nonce); err != nil {
		return nil, err
	}
	head, err := json.Marshal(sealLine{&s})
	if err != nil {
		return nil, err
	}
	body := gcm.Seal(nil, s.Nonce, plain, head)
	out := append(head, '\n')
	out = base64.StdEncoding.AppendEncode(out, body)
	return append(out, '\n'), nil
}

// Sealed returns the seal of a file; nil when it has none.
func Sealed(data []byte) *Seal {
	head, _, _ := bytes.Cut(data, []byte("\n"))
	var line sealLine
	if json.Unmarshal(head, &line) != nil {
		return nil
	}
	return line.Sealed
}

// Open opens a sealed backup with the data key of its seal.
func Open(data, key []byte) ([]byte, error) {
	damaged := fault.Usagef("this backup is damaged, or sealed with another key").WithHint("nothing of it was used; take another copy of the file")
	s := Sealed(data)
	head, body, _ := bytes.Cut(data, []byte("\n"))
	if s == nil {
		return nil, damaged
	}
	if s.Cipher != sealCipher {
		return nil, fault.Usagef("this backup is sealed with %s, which this program does not know", s.Cipher).WithHint("use a newer ssmdeck")
	}
	gcm, err := newGCM(key)
	if err != nil {
		return nil, err
	}
	raw, err := base64.StdEncoding.AppendDecode(nil, bytes.TrimSpace(body))
	if err != nil || len(s.Nonce) != gcm.NonceSize() {
		return nil, damaged
	}
	plain, err := gcm.Open(nil, s.Nonce, raw, head)
	if err != nil {
		return nil, damaged
	}
	return plain, nil
}

func newGCM(key []byte) (cipher.AEAD, error) {
	if len(key) < keyBytes {
		return nil, fault.New(fault.Failed, "seal a backup", "the data key has %d bytes, and must have %d", len(key), keyBytes)
	}
	block, err := aes.NewCipher(key[:keyBytes])
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}
