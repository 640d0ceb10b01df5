package sessionclient

import (
	"fmt"
	"strings"
	"testing"
)

func TestTicketKeepsItsSecret(t *testing.T) {
	for _, format := range []string{"%v", "%+v", "%#v", "%s"} {
		if s := fmt.Sprintf(format, ticket); strings.Contains(s, "secret") {
			t.Errorf("%s prints %q", format, s)
		}
	}
}

func TestTicketValidate(t *testing.T) {
	tests := []struct {
		url string
		ok  bool
	}{
		{"wss://ssmmessages.eu-west-1.amazonaws.com/v1/data-channel/x?role=publish_subscribe", true},
		{"ws://127.0.0.1:4599/v1/data-channel/x", true},
		{"ws://[::1]:4599/x", true},
		{"ws://localhost:1/x", true},
		{"ws://example.com/x", false},
		{"ftp://example.com/x", false},
		{"", false},
		{"wss://", false},
	}
	for _, tt := range tests {
		err := Ticket{Token: "t", StreamURL: tt.url}.validate()
		if (err == nil) != tt.ok {
			t.Errorf("%q: %v, want ok %t", tt.url, err, tt.ok)
		}
	}
}
