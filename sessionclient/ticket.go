package sessionclient

import (
	"fmt"
	"log/slog"
	"net"
	"net/url"
)

// Ticket is what StartSession and ResumeSession answer. Token is a bearer
// secret: a Ticket never prints it, and neither the query of the URL.
type Ticket struct {
	SessionID string
	Token     string
	StreamURL string
}

// String names the session only.
func (t Ticket) String() string { return "ticket for session " + t.SessionID }

// GoString is String, for %#v.
func (t Ticket) GoString() string { return t.String() }

// LogValue is String, for slog.
func (t Ticket) LogValue() slog.Value { return slog.StringValue(t.String()) }

// validate refuses tickets that would send the token anywhere but to a TLS
// server or, unencrypted, to this machine.
func (t Ticket) validate() error {
	if t.Token == "" {
		return &ticketError{"the service gave no token for the session"}
	}
	u, err := url.Parse(t.StreamURL)
	if err != nil || u.Host == "" {
		return &ticketError{"the service gave no usable stream URL for the session"}
	}
	switch u.Scheme {
	case "wss", "https":
		return nil
	case "ws", "http":
		if isLoopback(u.Hostname()) {
			return nil
		}
		return &ticketError{fmt.Sprintf("refusing an unencrypted stream to %q: only loopback may be reached without TLS", u.Hostname())}
	default:
		return &ticketError{fmt.Sprintf("the stream URL has the unknown scheme %q", u.Scheme)}
	}
}

// ticketError is a ticket that must not or cannot be used.
type ticketError struct{ text string }

func (e *ticketError) Error() string { return e.text }

func isLoopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}
