// Package advice weighs where the secrets among parameters belong: Parameter Store or
// Secrets Manager, why, and what both cost. It makes no calls, and what it says never
// has a value or a part of one.
package advice

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/parameter"
)

// The verdicts.
const (
	Move   = "secrets-manager" // move it to Secrets Manager
	Keep   = "parameter-store" // it is where it belongs
	Secure = "secure-string"   // it is plain text: make it a SecureString, or move it
)

// The urgencies, the most urgent first.
const (
	Now   = "now"   // everybody who may read parameters reads a secret
	Soon  = "soon"  // a credential is old, or the next change does not fit
	Later = "later" // worth doing with the next change
	Never = "fine"
)

var urgencies = []string{Now, Soon, Later, Never}

// The kinds of reasons.
const (
	Plain    = "plain-secret" // a String that is a secret
	Old      = "old"          // not changed for longer than the limit
	Rotate   = "rotation"     // could be rotated
	Size     = "size"         // near the most that a parameter holds
	Keys     = "json"         // several values that belong together
	Often    = "often"        // changed often, by hand
	Shared   = "shared"       // with other accounts
	Regions  = "regions"      // kept in several Regions
	Advanced = "advanced"     // pays for a tier that it does not use
	Quiet    = "quiet"        // nothing speaks for Secrets Manager
)

// Reason is why.
type Reason struct {
	Kind string `json:"kind"`
	Text string `json:"text"`
}

// Advice is about one parameter. The JSON names are part of the output contract.
type Advice struct {
	Name     string        `json:"name"`
	Type     string        `json:"type"`
	Tier     string        `json:"tier"`
	Verdict  string        `json:"verdict"`
	Urgency  string        `json:"urgency"`
	Reasons  []Reason      `json:"reasons"`
	Versions int64         `json:"versions"`
	AgeDays  int           `json:"age_days"` // since the last change
	Now      parameter.USD `json:"usd_per_month_parameter"`
	Then     parameter.USD `json:"usd_per_month_secret"`
	Command  string        `json:"command,omitempty"` // what to type
}

// Has reports whether a kind of reason is among those of the advice.
func (a Advice) Has(kind string) bool {
	return slices.ContainsFunc(a.Reasons, func(r Reason) bool { return r.Kind == kind })
}

// Facts are what is known of a parameter beside itself.
type Facts struct {
	Accounts int      // with which it is shared; 0: none, or nobody has looked
	Regions  []string // others that have a parameter of this name
}

// Options say how parameters are weighed.
type Options struct {
	Now    time.Time
	MaxAge time.Duration // after which a secret counts as old; 0: never
}

// often is how many versions are many; near is how close to its limit a value is full.
const (
	often    = 10
	nearFull = 7 * 1024 // bytes of 8,192
)

// Of weighs a parameter. ok is false for those that are no secrets. The value of p may be
// empty: then only its name and what it has been through count.
func Of(p parameter.Parameter, f Facts, o Options) (a Advice, ok bool) {
	age := o.Now.Sub(p.Modified)
	a = Advice{Name: p.Name, Type: p.Type, Tier: p.Tier, Versions: p.Version, AgeDays: int(age / (24 * time.Hour)), Then: parameter.SecretPrice(1 + len(f.Regions))}
	if p.Modified.IsZero() {
		age, a.AgeDays = 0, 0
	}
	if p.Tier == parameter.Advanced {
		a.Now = parameter.AdvancedPrice(1 + len(f.Regions))
	}
	if !p.Secure() && !a.plain(p) {
		return Advice{}, false
	}
	score := a.weigh(p, f)
	if o.MaxAge > 0 && age > o.MaxAge {
		a.add(Old, "not changed for %d days", a.AgeDays)
	}
	a.decide(score)
	return a, true
}

func (a *Advice) add(kind, format string, args ...any) {
	a.Reasons = append(a.Reasons, Reason{kind, fmt.Sprintf(format, args...)})
}

// plain finds out whether a parameter that is not encrypted is a secret.
func (a *Advice) plain(p parameter.Parameter) bool {
	switch form := SecretForm(p.Value); {
	case form != "":
		a.add(Plain, "the value is %s, and a %s is not encrypted", form, p.Type)
	case NamesSecret(p.Name) && !reference(p.Value):
		a.add(Plain, "its name is that of a secret, and a %s is not encrypted", p.Type)
	default:
		return false
	}
	return true
}

// reference reports whether a value only says where a secret is.
func reference(value string) bool {
	return strings.HasPrefix(value, "arn:") || strings.HasPrefix(value, "/") || strings.HasPrefix(value, "{{resolve:")
}

// move is the score from which a parameter is better off in Secrets Manager.
const move = 3

// weigh adds up what speaks for Secrets Manager.
func (a *Advice) weigh(p parameter.Parameter, f Facts) (score int) {
	_, databaseURL := passwordURL(p.Value)
	members := jsonMembers(p.Value)
	pair := slices.ContainsFunc(keysOf(members), NamesSecret)
	switch {
	case databaseURL, namesDatabase(p.Name):
		a.add(Rotate, "a database password, which Secrets Manager can change on a schedule")
		score += move
	case pair && members["username"] != nil:
		a.add(Rotate, "a user and a password, which a rotation function can change")
		score += move
	}
	if len(members) > 1 && pair {
		a.add(Keys, "%d values in one: the rotation functions of AWS and its clients for databases read such JSON", len(members))
		score++
	}
	if n := len(p.Value); n > nearFull {
		a.add(Size, "%d bytes of the %d that a parameter holds; a secret holds 65536", n, parameter.AdvancedBytes)
		score += move
	}
	if p.Version >= often {
		a.add(Often, "changed %d times: a schedule would do it", p.Version-1)
		score++
	}
	if f.Accounts > 0 {
		others := "another account"
		if f.Accounts > 1 {
			others = fmt.Sprintf("%d other accounts", f.Accounts)
		}
		a.add(Shared, "shared with %s: a secret is read by its ARN, without the advanced tier", others)
		score += 2
	}
	if len(f.Regions) > 0 {
		a.add(Regions, "also in %s: Secrets Manager keeps replicas equal", strings.Join(f.Regions, ", "))
		score += move
	}
	if p.Tier == parameter.Advanced && p.Value != "" && len(p.Value) <= parameter.StandardBytes && len(p.Policies) == 0 && f.Accounts == 0 {
		a.add(Advanced, "%v a month for the advanced tier, which it does not need: it has %d bytes and no policies", parameter.AdvancedMonth, len(p.Value))
	}
	return score
}

func keysOf(m map[string]any) (keys []string) {
	for k := range m {
		keys = append(keys, k)
	}
	return keys
}

// decide makes a verdict of the score and the reasons.
func (a *Advice) decide(score int) {
	a.Verdict, a.Urgency = Keep, Never
	if score >= move {
		a.Verdict, a.Urgency = Move, Later
	}
	switch {
	case a.Has(Plain):
		a.Urgency = Now
		if a.Verdict == Keep {
			a.Verdict = Secure
		}
	case a.Has(Size), a.Has(Old):
		a.Urgency = Soon
	case a.Has(Advanced):
		a.Urgency = Later
	}
	if len(a.Reasons) == 0 {
		a.add(Quiet, "nothing speaks for Secrets Manager")
	}
}

// Compare orders advices: the most urgent first, then those to be moved, then by name.
func Compare(a, b Advice) int {
	verdicts := []string{Secure, Move, Keep}
	return cmp.Or(
		cmp.Compare(slices.Index(urgencies, a.Urgency), slices.Index(urgencies, b.Urgency)),
		cmp.Compare(slices.Index(verdicts, a.Verdict), slices.Index(verdicts, b.Verdict)),
		strings.Compare(a.Name, b.Name),
	)
}
