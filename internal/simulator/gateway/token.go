package gateway

import (
	"crypto/rand"
	"encoding/base64"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/simulator/world"
)

// side is one end of a session.
type side int

const (
	clientSide side = iota
	agentSide
)

// other returns the opposite end.
func (s side) other() side { return 1 - s }

// token is good for one opening of one end of one channel.
type token struct {
	channel string // session id, or the instance id of a control channel
	side    side
	expires time.Time
}

// issue makes a token, with g.mu held. Tokens are secrets.
func (g *Gateway) issue(channel string, to side, f *world.Faults) string {
	now := time.Now()
	for value, t := range g.tokens {
		if now.After(t.expires) {
			delete(g.tokens, value)
		}
	}
	var random [48]byte
	_, _ = rand.Read(random[:]) // never fails
	value := "AAEAA" + base64.RawURLEncoding.EncodeToString(random[:])
	ttl := f.TokenTTL
	if ttl <= 0 {
		ttl = defaultTokenTTL
	}
	g.tokens[value] = token{channel: channel, side: to, expires: now.Add(ttl)}
	return value
}

// redeem uses a token up. It reports false for one that is unknown, was used or
// has expired, or is not for this end of this channel.
func (g *Gateway) redeem(value, channel string, by side) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	t, ok := g.tokens[value]
	if !ok || t.channel != channel || t.side != by {
		return false
	}
	delete(g.tokens, value)
	return !time.Now().After(t.expires)
}
