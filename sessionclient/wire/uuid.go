package wire

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
)

// UUID is a message id in the byte order of RFC 4122. On the wire its two
// halves are swapped; Append and Decode see to that.
type UUID [16]byte

// NewUUID returns a random (version 4) UUID.
func NewUUID() UUID {
	var u UUID
	_, _ = rand.Read(u[:]) // documented never to fail
	u[6] = u[6]&0x0f | 0x40
	u[8] = u[8]&0x3f | 0x80
	return u
}

// AppendTo appends the textual form of u to dst, without allocating.
func (u UUID) AppendTo(dst []byte) []byte {
	dst = hex.AppendEncode(dst, u[0:4])
	dst = append(dst, '-')
	dst = hex.AppendEncode(dst, u[4:6])
	dst = append(dst, '-')
	dst = hex.AppendEncode(dst, u[6:8])
	dst = append(dst, '-')
	dst = hex.AppendEncode(dst, u[8:10])
	dst = append(dst, '-')
	return hex.AppendEncode(dst, u[10:16])
}

// String returns the textual form: dd01e56b-ff48-483e-a508-b5f073f31b16.
func (u UUID) String() string { return string(u.AppendTo(make([]byte, 0, 36))) }

// ParseUUID reads the textual form.
func ParseUUID(s string) (UUID, error) {
	u, ok := parseUUID([]byte(s))
	if !ok {
		return u, fmt.Errorf("%q is not a UUID", s)
	}
	return u, nil
}

func parseUUID(s []byte) (u UUID, ok bool) {
	if len(s) != 36 || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return u, false
	}
	for _, part := range [...][3]int{{0, 0, 8}, {4, 9, 13}, {6, 14, 18}, {8, 19, 23}, {10, 24, 36}} {
		if _, err := hex.Decode(u[part[0]:], s[part[1]:part[2]]); err != nil {
			return UUID{}, false
		}
	}
	return u, true
}
