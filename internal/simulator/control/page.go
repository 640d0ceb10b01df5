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
	Node string `json:",omitempty"` // of the last item; see pageByNode
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

// after is the place of the first of n items that follows the page. The place of
// the last one is asked first: several may have the same key.
func (c cursor) after(n int, key func(i int) string) int {
	next := min(c.Next, n)
	if next > 0 && key(next-1) == c.Last {
		return next
	}
	for i := range n {
		if key(i) == c.Last {
			return i + 1
		}
	}
	return next
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
		start = cur.after(len(items), func(i int) string { return key(items[i]) })
	}
	n := def
	if size != nil {
		n = *size
	}
	end := min(start+n, len(items))
	if end == len(items) {
		return items[start:], "", nil
	}
	return items[start:end], c.tokens.seal(cursor{Op: op, Last: key(items[end-1]), Next: end}), nil
}

// pageByNode is page over what belongs to nodes, in the order of the nodes' ids:
// only that of the nodes on the page is made, by expand.
func pageByNode[T any](c *call, op string, ids []string, expand func(world.Node) ([]T, error), key func(T) string, in request, def int) ([]T, string, error) {
	var cur cursor
	if token := in.text("NextToken"); token != "" {
		var ok bool
		if cur, ok = c.tokens.open(op, token); !ok {
			return nil, "", badToken(op)
		}
	}
	n := def
	if size := in.size(); size != nil {
		n = *size
	}
	start, _ := slices.BinarySearch(ids, cur.Node)
	var list []T
	var places []cursor
	for _, id := range ids[start:] {
		node, ok := c.world.NodeInfo(id)
		if !ok {
			continue // it has gone meanwhile
		}
		items, err := expand(node)
		if err != nil {
			return nil, "", err
		}
		from := 0
		if node.ID == cur.Node {
			from = cur.after(len(items), func(i int) string { return key(items[i]) })
		}
		for i := from; i < len(items); i++ {
			if len(list) == n {
				return list, c.tokens.seal(places[n-1]), nil
			}
			list, places = append(list, items[i]), append(places, cursor{op, key(items[i]), i + 1, node.ID})
		}
	}
	return list, "", nil
}
