package portforward

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strings"

	"github.com/ssmdeck/ssmdeck/internal/fault"
)

// refusal says why a destination cannot be reached, in the numbers of RFC 1928,
// section 6.
type refusal byte

const (
	generalFailure    refusal = 1
	notAllowed        refusal = 2
	hostUnreachable   refusal = 4
	connectionRefused refusal = 5
	timedOut          refusal = 6 // "TTL expired" is as near as it gets
	badCommand        refusal = 7
	badAddress        refusal = 8
)

// classify finds the number for an error. What the agent says comes as text only.
func classify(err error) refusal {
	text := strings.ToLower(err.Error())
	switch {
	case errors.Is(err, errRefused), strings.Contains(text, "connection refused"), strings.Contains(text, "unable to connect"):
		return connectionRefused
	case errors.Is(err, context.DeadlineExceeded), strings.Contains(text, "no session within"), strings.Contains(text, "timed out"), strings.Contains(text, "i/o timeout"):
		return timedOut
	case errors.Is(err, errBusy):
		return generalFailure
	case strings.Contains(text, "forbidden"), fault.KindOf(err) == fault.Refused:
		return notAllowed
	case strings.Contains(text, "no such host"), strings.Contains(text, "lookup "), strings.Contains(text, "no route"):
		return hostUnreachable
	default:
		return generalFailure
	}
}

// askError is a request that is refused; reply tells the program.
type askError struct {
	reply []byte
	err   error
}

func (e *askError) Error() string { return e.err.Error() }
func (e *askError) Unwrap() error { return e.err }

// readAsk finds out what the program at the other end of conn wants. Programs of
// all kinds use one port: a SOCKS request begins with its version, an HTTP request
// with a letter. An askError has the reply to give; for any other error there is
// nobody to talk to.
func readAsk(conn io.ReadWriter) (ask, error) {
	br := bufio.NewReader(conn)
	first, err := br.Peek(1)
	if err != nil {
		return ask{}, err
	}
	var a ask
	switch c := first[0]; {
	case c == 5:
		a, err = readSocks5(br, conn)
	case c == 4:
		a, err = readSocks4(br)
	case c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z':
		a, err = readHTTP(br)
	default:
		return ask{}, &askError{err: fmt.Errorf("byte %#02x begins neither SOCKS nor HTTP", c)}
	}
	if err != nil {
		return ask{}, err
	}
	rest, _ := br.Peek(br.Buffered())
	a.early = append(a.early, rest...)
	return a, nil
}

// proxySpec makes a Spec of a host and a port. The node itself has its own kind
// of session: agents need not allow loopback addresses as remote hosts.
func proxySpec(name string, port int) (Spec, error) {
	if port < 1 || port > maxPort {
		return Spec{}, fault.Usagef("port %d is not between 1 and %d", port, maxPort)
	}
	spec := Spec{Port: port}
	if addr, err := netip.ParseAddr(name); err == nil {
		if addr.Zone() != "" {
			return Spec{}, fault.Usagef("the address %s has a zone", name)
		}
		if name = addr.Unmap().String(); name != "127.0.0.1" && name != "::1" {
			spec.Host = name
		}
		return spec, nil
	}
	name = strings.ToLower(name)
	if strings.TrimSuffix(name, ".") == "localhost" {
		return spec, nil
	}
	var err error
	spec.Host, err = host(part{text: name})
	return spec, err
}
