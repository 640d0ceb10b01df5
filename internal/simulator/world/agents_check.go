package world

import "time"

// agents fills in and checks how real agents are treated, and the roles they can
// have.
func (c *checker) agents() {
	a := &c.sc.Agents
	if a.LostAfter == 0 {
		a.LostAfter = 10 * time.Minute
	}
	if a.TokenTTL == 0 {
		a.TokenTTL = time.Hour
	}
	if a.LostAfter < 0 {
		c.failf(at("agents", "lost_after"), "lost_after: must not be negative")
	}
	if a.TokenTTL < 0 {
		c.failf(at("agents", "token_ttl"), "token_ttl: must not be negative")
	}
	for i, r := range c.sc.Roles {
		c.match(at("roles", i, "name"), r.Name, `[\w+=,.@-]{1,64}`)
		c.match(at("roles", i, "path"), r.Path, `|/([\w+=,.@-]+/)*`)
	}
}
