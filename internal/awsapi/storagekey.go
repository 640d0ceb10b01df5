package awsapi

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/ssmdeck/ssmdeck/internal/fault"
)

// storageKeyBytes is the length of a key for AES-256.
const storageKeyBytes = 32

// StorageKey makes a data key for a file (kms:GenerateDataKey): plain is the 32-byte
// key, sealed the same under keyID, for OpenStorageKey. The caller wipes plain after
// use.
func (s *Scope) StorageKey(ctx context.Context, keyID string, encContext map[string]string) (plain, sealed []byte, err error) {
	op := "make a data key with " + keyID
	out, err := s.KMS().GenerateDataKey(ctx, &kms.GenerateDataKeyInput{
		KeyId: aws.String(keyID), KeySpec: types.DataKeySpecAes256, EncryptionContext: encContext,
	})
	if err != nil {
		return nil, nil, Explain(op, err)
	}
	if len(out.Plaintext) != storageKeyBytes || len(out.CiphertextBlob) == 0 {
		return nil, nil, fault.New(fault.Failed, op, "KMS answered with a key of %d bytes, want %d", len(out.Plaintext), storageKeyBytes)
	}
	return out.Plaintext, out.CiphertextBlob, nil
}

// OpenStorageKey opens the sealed key of StorageKey (kms:Decrypt), for which the same
// context is needed. The caller wipes plain after use.
func (s *Scope) OpenStorageKey(ctx context.Context, sealed []byte, encContext map[string]string) (plain []byte, err error) {
	op := "open the data key"
	out, err := s.KMS().Decrypt(ctx, &kms.DecryptInput{CiphertextBlob: sealed, EncryptionContext: encContext})
	if err != nil {
		return nil, Explain(op, err)
	}
	if len(out.Plaintext) != storageKeyBytes {
		return nil, fault.New(fault.Failed, op, "KMS answered with a key of %d bytes, want %d", len(out.Plaintext), storageKeyBytes)
	}
	return out.Plaintext, nil
}
