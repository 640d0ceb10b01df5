package sessionclient

import (
	"errors"
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
		return errors.New("the service gave no token for the session")
	}
	u, err := url.Parse(t.StreamURL)
	if err != nil || u.Host == "" {
		return errors.New("the service gave no usable stream URL for the session")
	}
	switch u.Scheme {
	case "wss", "https":
		return nil
	case "ws", "http":
		if isLoopback(u.Hostname()) {
			return nil
		}
		return fmt.Errorf("refusing an unencrypted stream to %s: only loopback may be reached without TLS", u.Hostname())
	default:
		return fmt.Errorf("the stream URL has the unknown scheme %q", u.Scheme)
	}
}

func isLoopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}
