package awsapi

import (
	"context"
	"crypto/rand"
	"fmt"
)

// Token returns a version 4 UUID: the ClientToken of a call. The service makes
// nothing twice for one token.
func Token() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand)
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// Again makes a call that has a Token, and makes it once more when no answer came.
func Again[T any](ctx context.Context, call func() (T, error)) (T, error) {
	out, err := call()
	if err != nil && Unanswered(err) && ctx.Err() == nil {
		return call()
	}
	return out, err
}
