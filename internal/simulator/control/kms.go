package control

import (
	"crypto/rand"

	"github.com/ssmdeck/ssmdeck/internal/simulator/world"
)

type generateDataKeyIn struct {
	KeyID             string            `json:"KeyId" api:"required,len=1..2048"`
	EncryptionContext map[string]string `json:"EncryptionContext"`
	NumberOfBytes     *int              `api:"range=1..1024"`
	KeySpec           string            `api:"enum=AES_256|AES_128"`
}

func (c *call) generateDataKey(in *generateDataKeyIn) (any, error) {
	size := map[string]int{"AES_256": 32, "AES_128": 16}[in.KeySpec]
	switch {
	case (in.NumberOfBytes == nil) == (in.KeySpec == ""):
		return nil, invalid("Please specify either number of bytes or key spec.")
	case in.NumberOfBytes != nil:
		size = *in.NumberOfBytes
	}
	k, err := c.world.Key(in.KeyID)
	if err != nil {
		return nil, err
	}
	plain := make([]byte, size)
	_, _ = rand.Read(plain) // never fails
	return struct {
		CiphertextBlob []byte
		Plaintext      []byte
		KeyID          string `json:"KeyId"`
	}{k.Seal(plain, in.EncryptionContext), plain, k.ARN}, nil
}

type decryptIn struct {
	CiphertextBlob      []byte            `api:"required,len=1..6144"`
	EncryptionContext   map[string]string `json:"EncryptionContext"`
	KeyID               string            `json:"KeyId" api:"len=1..2048"`
	EncryptionAlgorithm string            `api:"enum=SYMMETRIC_DEFAULT|RSAES_OAEP_SHA_1|RSAES_OAEP_SHA_256|SM2PKE"`
}

func (c *call) decrypt(in *decryptIn) (any, error) {
	plain, key, err := c.world.Open(in.CiphertextBlob, in.EncryptionContext)
	if err != nil {
		return nil, err
	}
	if in.KeyID != "" {
		if k, err := c.world.Key(in.KeyID); err != nil || k.ID != key.ID {
			return nil, world.Errorf("IncorrectKeyException", "The key ID in the request does not identify a CMK that can perform this operation.")
		}
	}
	return struct {
		Plaintext           []byte
		KeyID               string `json:"KeyId"`
		EncryptionAlgorithm string
	}{plain, key.ARN, "SYMMETRIC_DEFAULT"}, nil
}
