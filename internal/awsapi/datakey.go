package awsapi

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"

	"github.com/ssmdeck/ssmdeck/internal/fault"
)

// dataKeyBytes is the length of a session's key material: 32 bytes for each
// direction.
const dataKeyBytes = 64

// DataKey makes a data key for an encrypted session (kms:GenerateDataKey):
// plain is the 64-byte key, sealed the same under keyID, for the node to open.
// The caller wipes plain after use.
func (s *Scope) DataKey(ctx context.Context, keyID string, encContext map[string]string) (plain, sealed []byte, err error) {
	op := "make a key for the encrypted session"
	out, err := s.KMS().GenerateDataKey(ctx, &kms.GenerateDataKeyInput{
		KeyId:             aws.String(keyID),
		NumberOfBytes:     aws.Int32(dataKeyBytes),
		EncryptionContext: encContext,
	})
	if err != nil {
		err = Explain(op, err)
		var e *fault.Error
		if errors.As(err, &e) && e.Kind == fault.NotFound {
			e.Hint = "check the KMS key in the session preferences (document SSM-SessionManagerRunShell)"
		}
		return nil, nil, err
	}
	if len(out.Plaintext) != dataKeyBytes || len(out.CiphertextBlob) == 0 {
		return nil, nil, fault.New(fault.Failed, op, "KMS answered with a key of %d bytes, want %d", len(out.Plaintext), dataKeyBytes)
	}
	return out.Plaintext, out.CiphertextBlob, nil
}
