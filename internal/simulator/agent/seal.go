package agent

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"errors"

	"github.com/ssmdeck/ssmdeck/sessionclient/wire"
)

// Sizes of session encryption: AES-256-GCM with keys from a 64-byte data key.
const (
	dataKeySize = 64
	nonceSize   = 12
)

var errSealed = errors.New("encrypted payload is damaged")

// sealer encrypts what the agent sends and decrypts what the client sends. A
// payload is nonce, ciphertext and tag; there is no additional data.
type sealer struct {
	out, in cipher.AEAD
	nonce   [nonceSize]byte // of the next payload; a little-endian counter
}

// newSealer splits the data key: the agent encrypts with the first half, the
// client with the second. The nonce counts up from a random value, as the real
// agent's does.
func newSealer(key []byte) (*sealer, error) {
	if len(key) != dataKeySize {
		return nil, errors.New("data key does not have 64 bytes")
	}
	s := &sealer{}
	for i, aead := range []*cipher.AEAD{&s.out, &s.in} {
		block, err := aes.NewCipher(key[i*dataKeySize/2 : (i+1)*dataKeySize/2])
		if err != nil {
			return nil, err
		}
		if *aead, err = cipher.NewGCM(block); err != nil {
			return nil, err
		}
	}
	_, _ = rand.Read(s.nonce[:]) // never fails
	return s, nil
}

// seal returns plain encrypted under the next nonce.
func (s *sealer) seal(plain []byte) []byte {
	dst := make([]byte, nonceSize, nonceSize+len(plain)+s.out.Overhead())
	copy(dst, s.nonce[:])
	for i := range s.nonce {
		s.nonce[i]++
		if s.nonce[i] != 0 {
			break
		}
	}
	return s.out.Seal(dst, dst[:nonceSize], plain, nil)
}

// open decrypts a payload of the client.
func (s *sealer) open(sealed []byte) ([]byte, error) {
	if len(sealed) < nonceSize { // the real agent panics here
		return nil, errSealed
	}
	plain, err := s.in.Open(nil, sealed[:nonceSize], sealed[nonceSize:], nil)
	if err != nil {
		return nil, errSealed
	}
	return plain, nil
}

// sealedOut reports whether payloads of type t are encrypted on their way to
// the client.
func sealedOut(t wire.PayloadType) bool {
	return t == wire.PayloadOutput || t == wire.PayloadStdErr || t == wire.PayloadExitCode
}

// sealedIn is the same for the other direction.
func sealedIn(t wire.PayloadType) bool { return t == wire.PayloadOutput }
