package parameter

import (
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/ssmdeck/ssmdeck/internal/fault"
)

// The rules of policies (user guide, "Assigning parameter policies"; API reference,
// PutParameter and its errors).
const (
	maxPolicies     = 10
	maxPoliciesText = 4096 // characters
	// NoPolicies is what removes all policies of a parameter.
	NoPolicies = "[{}]"
)

// The types of policies.
const (
	Expiration             = "Expiration"
	ExpirationNotification = "ExpirationNotification"
	NoChangeNotification   = "NoChangeNotification"
)

// Terms is what a policy says.
type Terms struct {
	Type   string
	At     time.Time // Expiration
	Amount int       // of the others: so long before the expiration, or after the last change
	Unit   string    // Days, Hours
	text   string    // as it was written
}

// Span is the amount as a duration.
func (t Terms) Span() time.Duration {
	if t.Unit == "Days" {
		return time.Duration(t.Amount) * 24 * time.Hour
	}
	return time.Duration(t.Amount) * time.Hour
}

// Text is the policy as JSON.
func (t Terms) Text() string {
	if t.text != "" {
		return t.text
	}
	type attributes struct {
		Timestamp string `json:",omitempty"`
		Before    string `json:",omitempty"`
		After     string `json:",omitempty"`
		Unit      string `json:",omitempty"`
	}
	var a attributes
	switch t.Type {
	case Expiration:
		a.Timestamp = t.At.UTC().Format("2006-01-02T15:04:05.000Z")
	case ExpirationNotification:
		a.Before, a.Unit = strconv.Itoa(t.Amount), t.Unit
	default:
		a.After, a.Unit = strconv.Itoa(t.Amount), t.Unit
	}
	text, _ := json.Marshal(struct {
		Type, Version string
		Attributes    attributes
	}{t.Type, "1.0", a})
	return string(text)
}

// PoliciesText is what PutParameter takes for policies; none remove those that are there.
func PoliciesText(list []Terms) string {
	if len(list) == 0 {
		return NoPolicies
	}
	texts := make([]string, len(list))
	for i, t := range list {
		texts[i] = t.Text()
	}
	return "[" + strings.Join(texts, ",") + "]"
}

// PoliciesOf is what PutParameter takes to give a parameter the policies of another;
// empty for none.
func PoliciesOf(list []Policy) string {
	texts := make([]string, len(list))
	for i, p := range list {
		texts[i] = p.Text
	}
	if len(texts) == 0 {
		return ""
	}
	return "[" + strings.Join(texts, ",") + "]"
}

// ParsePolicies reads a JSON array of policies; NoPolicies are none. The error is all
// that is wrong with it.
func ParsePolicies(text string) ([]Terms, error) {
	list, faults := parsePolicies(text)
	return list, errors.Join(faults...)
}

// Parse reads one policy as the service shows it.
func (p Policy) Parse() (Terms, error) {
	return parsePolicy(json.RawMessage(p.Text), "the policy "+p.Type)
}

func parsePolicies(text string) (list []Terms, faults []error) {
	var raw []json.RawMessage
	dec := json.NewDecoder(strings.NewReader(text))
	if err := dec.Decode(&raw); err != nil || raw == nil {
		return nil, []error{fault.Usagef("the policies are no JSON array of policies").WithHint(policyExample)}
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, []error{fault.Usagef("the policies go on behind their JSON array").WithHint(policyExample)}
	}
	if len(raw) == 0 {
		return nil, []error{fault.Usagef("the policies are an empty array").WithHint("%s removes all policies", NoPolicies)}
	}
	for i, r := range raw {
		if len(raw) == 1 && strings.Join(strings.Fields(string(r)), "") == "{}" {
			return nil, nil
		}
		t, err := parsePolicy(r, "policy "+strconv.Itoa(i+1))
		if err != nil {
			faults = append(faults, err)
			continue
		}
		list = append(list, t)
	}
	return list, faults
}

const policyExample = `write [{"Type":"Expiration","Version":"1.0","Attributes":{"Timestamp":"2030-01-31T12:00:00Z"}}], or use --expires, --notify-before, --notify-unchanged`

func parsePolicy(raw json.RawMessage, what string) (Terms, error) {
	var p struct {
		Type, Version string
		Attributes    map[string]any
	}
	dec := json.NewDecoder(strings.NewReader(string(raw)))
	dec.UseNumber()
	if err := dec.Decode(&p); err != nil {
		return Terms{}, fault.Usagef("%s is no JSON object with Type, Version and Attributes", what).WithHint(policyExample)
	}
	t := Terms{Type: p.Type, text: string(raw)}
	attribute := func(name string) string {
		switch v := p.Attributes[name].(type) {
		case string:
			return v
		case json.Number:
			return v.String()
		}
		return ""
	}
	var wanted []string
	switch p.Type {
	case Expiration:
		wanted = []string{"Timestamp"}
	case ExpirationNotification:
		wanted = []string{"Before", "Unit"}
	case NoChangeNotification:
		wanted = []string{"After", "Unit"}
	default:
		e := fault.Usagef("%s has the type %s", what, quoted(p.Type))
		return t, e.WithHint("types are %s, %s, %s", Expiration, ExpirationNotification, NoChangeNotification)
	}
	what += " (" + p.Type + ")"
	if p.Version != "1.0" {
		return t, fault.Usagef("%s has the version %s", what, quoted(p.Version)).WithHint(`the version is "1.0"`)
	}
	for _, name := range wanted {
		if attribute(name) == "" {
			return t, fault.Usagef("%s has no attribute %s", what, name).WithHint(policyExample)
		}
	}
	if p.Type == Expiration {
		at, err := parseInstant(attribute("Timestamp"))
		if err != nil {
			return t, fault.Usagef("%s: the Timestamp %s is no moment", what, quoted(attribute("Timestamp"))).
				WithHint("write it with its zone: 2030-01-31T12:00:00.000Z or 2030-01-31T12:00:00+01:00")
		}
		t.At = at
		return t, nil
	}
	n, err := strconv.Atoi(attribute(wanted[0]))
	if err != nil || n < 1 || n > maxAmount {
		return t, fault.Usagef("%s: %s is %s, not a number of at least 1", what, wanted[0], quoted(attribute(wanted[0])))
	}
	t.Amount, t.Unit = n, attribute("Unit")
	if t.Unit != "Days" && t.Unit != "Hours" {
		return t, fault.Usagef("%s: the Unit is %s", what, quoted(t.Unit)).WithHint("it is Days or Hours")
	}
	return t, nil
}

// maxAmount keeps a span within what a duration holds; it is longer than a century.
const maxAmount = 1_000_000

// parseInstant reads ISO_INSTANT and ISO_OFFSET_DATE_TIME as Java has them: seconds may
// be missing, and an offset may have them.
func parseInstant(text string) (at time.Time, err error) {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04Z07:00", "2006-01-02T15:04:05.999999999-07:00:00"} {
		if at, err = time.Parse(layout, text); err == nil {
			return at, nil
		}
	}
	return at, err
}

// checkPolicies says everything that the service would refuse about policies.
func checkPolicies(text string, now time.Time) []error {
	if n := utf8.RuneCountInString(text); n > maxPoliciesText {
		return []error{fault.Usagef("the policies have %d characters; %d are allowed", n, maxPoliciesText)}
	}
	list, faults := parsePolicies(text)
	if n := len(list); n > maxPolicies {
		faults = append(faults, fault.Usagef("%d policies; a parameter can have %d", n, maxPolicies))
	}
	ends, notices := 0, 0
	for _, t := range list {
		switch {
		case t.Type == ExpirationNotification:
			notices++
		case t.Type != Expiration:
		case t.At.Before(now):
			ends++
			faults = append(faults, fault.Usagef("the parameter would expire at %s, which has passed", t.At.Format(time.RFC3339)).
				WithHint("at its expiration the service deletes a parameter: choose a later time"))
		default:
			ends++
		}
	}
	switch {
	case ends > 1:
		faults = append(faults, fault.Usagef("%d policies say when the parameter expires; one can", ends))
	case ends == 0 && notices > 0 && len(faults) == 0:
		faults = append(faults, fault.Usagef("a notice of the expiration, and no expiration").WithHint("add --expires, or leave the notice out"))
	}
	return faults
}

// policyDoubts tells of notices that are due before they can be of use.
func policyDoubts(text string, now time.Time) (list []string) {
	terms, err := ParsePolicies(text)
	if text == "" || err != nil {
		return nil
	}
	for _, e := range terms {
		for _, n := range terms {
			if e.Type == Expiration && n.Type == ExpirationNotification && n.Span() > e.At.Sub(now) {
				list = append(list, "the notice "+strconv.Itoa(n.Amount)+" "+strings.ToLower(n.Unit)+" before the expiration is due already")
			}
		}
	}
	return list
}

// SamePolicies reports whether text is what a parameter has already: the same policies,
// whatever their order and spelling.
func SamePolicies(text string, current []Policy) bool {
	list, err := ParsePolicies(text)
	if err != nil || len(list) != len(current) {
		return false
	}
	left := slices.Clone(list)
	for _, p := range current {
		have, err := p.Parse()
		if err != nil {
			return false
		}
		i := slices.IndexFunc(left, func(t Terms) bool {
			return t.Type == have.Type && t.At.Equal(have.At) && t.Amount == have.Amount && t.Unit == have.Unit
		})
		if i < 0 {
			return false
		}
		left = slices.Delete(left, i, i+1)
	}
	return true
}
