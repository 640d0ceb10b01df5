package parameter

import (
	"slices"
	"strings"
	"time"
)

// Due is what a policy of a parameter will do, and when. The JSON names are part of the
// output contract.
type Due struct {
	Name string `json:"name"`
	// Event is what happens: expires (the parameter is deleted), expiry-notice or
	// unchanged-notice (an event of EventBridge).
	Event  string    `json:"event"`
	At     time.Time `json:"at"`
	Late   bool      `json:"late"` // it should have happened
	Status string    `json:"status,omitempty"`
	Type   string    `json:"type"`
	Tier   string    `json:"tier,omitempty"`
}

// The events of Due.
const (
	Expires         = "expires"
	ExpiryNotice    = "expiry-notice"
	UnchangedNotice = "unchanged-notice"
)

// finished is the status of a policy that has done what it says (API reference,
// ParameterInlinePolicy).
const finished = "Finished"

// DueOf tells what the policies of a parameter will do, the next first. What has been done
// is left out: a notice that was sent. unread are the policies that are not understood.
func DueOf(p Parameter, now time.Time) (list []Due, unread []Policy) {
	var expires time.Time
	terms := make([]Terms, len(p.Policies))
	known := make([]bool, len(p.Policies))
	for i, policy := range p.Policies {
		t, err := policy.Parse()
		if err != nil {
			unread = append(unread, policy)
			continue
		}
		if terms[i], known[i] = t, true; t.Type == Expiration {
			expires = t.At
		}
	}
	add := func(event string, at time.Time, policy Policy) {
		if event != Expires && policy.Status == finished || at.IsZero() {
			return
		}
		list = append(list, Due{Name: p.Name, Event: event, At: at.UTC(), Late: !at.After(now), Status: policy.Status, Type: p.Type, Tier: p.Tier})
	}
	for i, t := range terms {
		switch {
		case !known[i]:
		case t.Type == Expiration:
			add(Expires, t.At, p.Policies[i])
		case t.Type == ExpirationNotification && !expires.IsZero():
			add(ExpiryNotice, expires.Add(-t.Span()), p.Policies[i])
		case t.Type == NoChangeNotification && !p.Modified.IsZero():
			add(UnchangedNotice, p.Modified.Add(t.Span()), p.Policies[i])
		}
	}
	slices.SortStableFunc(list, CompareDue)
	return list, unread
}

// CompareDue orders by time, then by name.
func CompareDue(a, b Due) int {
	if c := a.At.Compare(b.At); c != 0 {
		return c
	}
	return strings.Compare(a.Name, b.Name)
}
