package control

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"slices"

	"github.com/ssmdeck/ssmdeck/internal/simulator/model"
	"github.com/ssmdeck/ssmdeck/internal/simulator/world"
)

// tokenKey authenticates the NextTokens of one server, so that a client cannot
// make them up.
type tokenKey [32]byte

func newTokenKey() (k tokenKey) {
	_, _ = rand.Read(k[:]) // never fails
	return k
}

// cursor is what a NextToken holds: the key of the last item of the page, and
// its place in case that item is gone.
type cursor struct {
	Op   string
	Last string
	Next int
}

func (k tokenKey) seal(c cursor) string {
	data, err := json.Marshal(c)
	if err != nil {
		panic(err) // strings and a number always encode
	}
	mac := hmac.New(sha256.New, k[:])
	mac.Write(data)
	return base64.StdEncoding.EncodeToString(append(mac.Sum(nil)[:16], data...))
}

func (k tokenKey) open(op, token string) (c cursor, ok bool) {
	data, err := base64.StdEncoding.DecodeString(token)
	if err != nil || len(data) < 16 {
		return c, false
	}
	mac := hmac.New(sha256.New, k[:])
	mac.Write(data[16:])
	if !hmac.Equal(mac.Sum(nil)[:16], data[:16]) || json.Unmarshal(data[16:], &c) != nil {
		return c, false
	}
	return c, c.Op == op && c.Next >= 0
}

// badToken is the error of an operation for a token that it did not make: some
// have one of their own.
func badToken(op string) error {
	const message = "The specified token is not valid."
	if o, ok := model.SSM()[op]; ok && !slices.Contains(o.Errors, "InvalidNextToken") {
		return invalid(message)
	}
	return world.Errorf("InvalidNextToken", message)
}

// page returns the items that follow token, at most size or def, and the token
// of the rest. key tells items apart; items added or removed between two pages
// neither repeat nor hide others.
func page[T any](c *call, op string, items []T, key func(T) string, token string, size *int, def int) ([]T, string, error) {
	start := 0
	if token != "" {
		cur, ok := c.tokens.open(op, token)
		if !ok {
			return nil, "", badToken(op)
		}
		start = min(cur.Next, len(items))
		if i := slices.IndexFunc(items, func(t T) bool { return key(t) == cur.Last }); i >= 0 {
			start = i + 1
		}
	}
	n := def
	if size != nil {
		n = *size
	}
	end := min(start+n, len(items))
	if end == len(items) {
		return items[start:], "", nil
	}
	return items[start:end], c.tokens.seal(cursor{op, key(items[end-1]), end}), nil
}
