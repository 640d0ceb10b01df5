package parameter

import (
	"strings"
	"testing"
	"time"
)

func TestWhatPoliciesWillDo(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	expiration := Policy{Type: Expiration, Text: `{"Type":"Expiration","Version":"1.0","Attributes":{"Timestamp":"2026-03-11T12:00:00.000Z"}}`, Status: "Pending"}
	past := Policy{Type: Expiration, Text: `{"Type":"Expiration","Version":"1.0","Attributes":{"Timestamp":"2026-02-28T12:00:00+01:00"}}`}
	notice := Policy{Type: ExpirationNotification, Text: `{"Type":"ExpirationNotification","Version":"1.0","Attributes":{"Before":"3","Unit":"Days"}}`}
	sent := notice
	sent.Status = "Finished"
	unchanged := Policy{Type: NoChangeNotification, Text: `{"Type":"NoChangeNotification","Version":"1.0","Attributes":{"After":"48","Unit":"Hours"}}`}
	tests := []struct {
		name     string
		policies []Policy
		want     string
		unread   int
	}{
		{"none", nil, "", 0},
		{"the next first", []Policy{expiration, notice, unchanged}, "unchanged-notice 2026-03-01T10:00:00Z late, expiry-notice 2026-03-08T12:00:00Z, expires 2026-03-11T12:00:00Z", 0},
		{"a notice that was sent", []Policy{expiration, sent}, "expires 2026-03-11T12:00:00Z", 0},
		{"one that should have gone", []Policy{past}, "expires 2026-02-28T11:00:00Z late", 0},
		{"a notice without an expiration", []Policy{notice}, "", 0},
		{"one that nobody knows", []Policy{{Type: "New", Text: `{"Type":"New"}`}, expiration}, "expires 2026-03-11T12:00:00Z", 1},
		{"one that is broken", []Policy{{Type: Expiration, Text: `{`}}, "", 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			list, unread := DueOf(Parameter{Name: "/a", Modified: now.Add(-50 * time.Hour), Policies: tt.policies}, now)
			var got []string
			for _, d := range list {
				text := d.Event + " " + d.At.Format(time.RFC3339)
				if d.Late {
					text += " late"
				}
				got = append(got, text)
			}
			if text := strings.Join(got, ", "); text != tt.want || len(unread) != tt.unread {
				t.Errorf("got %s and %d unread", text, len(unread))
			}
		})
	}
}
