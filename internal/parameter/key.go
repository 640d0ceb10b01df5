package parameter

import (
	"cmp"
	"strings"
)

// ownKey is the account's own key for SecureStrings, taken where none is named; it is
// another in each account and Region, under the same name.
const ownKey = "alias/aws/ssm"

// OwnKey reports whether a key is the account's own.
func OwnKey(key string) bool { return SameKey(key, ownKey) }

// SameKey reports whether two ways to name a KMS key name the same one, as far as that
// can be seen: an ARN ends in the alias or the id that it is of, and no name is the
// account's own key.
func SameKey(a, b string) bool {
	a, b = cmp.Or(a, ownKey), cmp.Or(b, ownKey)
	tail := func(key string) string {
		if !strings.HasPrefix(key, "arn:") {
			return key
		}
		if i := strings.Index(key, ":alias/"); i >= 0 {
			return key[i+1:]
		}
		return key[strings.LastIndexByte(key, '/')+1:]
	}
	if strings.HasPrefix(a, "arn:") && strings.HasPrefix(b, "arn:") {
		return a == b
	}
	return tail(a) == tail(b)
}
