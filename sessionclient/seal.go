package sessionclient

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"errors"
	"fmt"
)

const (
	dataKeySize = 64 // bytes: the agent's key, then ours
	nonceSize   = 12
	// maxSealed keeps random 96-bit nonces safe for one key (NIST SP 800-38D).
	maxSealed = 1 << 32
)

var (
	errSealedShort = errors.New("encrypted payload is shorter than its nonce and tag")
	errSealedLimit = errors.New("too many messages under one session key: start a new session")
)

// seal encrypts what we send and decrypts what the agent sends: a 12-byte nonce,
// AES-256-GCM ciphertext, a 16-byte tag; no additional data.
type seal struct {
	encrypt, decrypt cipher.AEAD
	sealed           uint64
}

// newSeal splits the 64-byte data key: the first half is the agent's, with which
// we decrypt, the second ours.
func newSeal(dataKey []byte) (*seal, error) {
	if len(dataKey) != dataKeySize {
		return nil, fmt.Errorf("data key has %d bytes, want %d", len(dataKey), dataKeySize)
	}
	theirs, err := newGCM(dataKey[:dataKeySize/2])
	if err != nil {
		return nil, err
	}
	ours, err := newGCM(dataKey[dataKeySize/2:])
	if err != nil {
		return nil, err
	}
	return &seal{encrypt: ours, decrypt: theirs}, nil
}

func newGCM(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

// Seal encrypts one payload of ours.
func (s *seal) Seal(plain []byte) ([]byte, error) {
	if s.sealed >= maxSealed {
		return nil, errSealedLimit
	}
	s.sealed++
	nonce := make([]byte, nonceSize, nonceSize+len(plain)+s.encrypt.Overhead())
	_, _ = rand.Read(nonce) // documented never to fail
	return s.encrypt.Seal(nonce, nonce, plain, nil), nil
}

// Open decrypts one payload of the agent, which must not be used any more: the
// result takes its place.
func (s *seal) Open(payload []byte) ([]byte, error) {
	if len(payload) < nonceSize+s.decrypt.Overhead() {
		return nil, errSealedShort
	}
	sealed := payload[nonceSize:]
	plain, err := s.decrypt.Open(sealed[:0], payload[:nonceSize], sealed, nil)
	if err != nil {
		return nil, errors.New("encrypted payload does not fit the session key")
	}
	return plain, nil
}
