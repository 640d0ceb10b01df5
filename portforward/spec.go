package portforward

import (
	"net"
	"net/netip"
	"strconv"
	"strings"

	"github.com/ssmdeck/ssmdeck/internal/fault"
)

// Spec is one thing to forward: a local end and a port at the far one.
type Spec struct {
	Bind   string // local address: an IP, "localhost", "*" for all; "" for the default
	Local  int    // local port; 0 for a free one
	Same   bool   // Local was not given: it is Port, or a free port when that is taken
	Socket string // path of a local unix socket, in place of Bind and Local
	Host   string // destination as seen from the node; "" is the node itself
	Port   int    // destination port, 1 to 65535
}

// specForms is the end of every complaint about a spec.
const specForms = "write PORT, LOCAL:PORT, HOST:PORT, LOCAL:HOST:PORT, BIND:LOCAL:HOST:PORT, unix:PATH:PORT or unix:PATH:HOST:PORT " +
	"(IPv6 in brackets, LOCAL 0 for a free port)"

const (
	unixPrefix = "unix:"
	maxPort    = 65535
	// maxHost is the longest domain name (RFC 1035, section 2.3.4).
	maxHost = 253
	// maxSocketPath fits sun_path of macOS (104) and Linux (108), with its NUL.
	maxSocketPath = 103
)

// ParseSpec reads a spec as ssh -L has it, with three conveniences: PORT alone,
// HOST:PORT (the local port is the same number then), and unix sockets. Errors
// are of kind Usage and name the legal forms. It performs no I/O.
func ParseSpec(s string) (Spec, error) {
	var (
		spec Spec
		err  error
	)
	if rest, ok := strings.CutPrefix(s, unixPrefix); ok {
		spec, err = parseSocket(rest)
	} else {
		spec, err = parseTCP(s)
	}
	if err != nil {
		return Spec{}, fault.Usagef("forward %q: %w", s, err).WithHint("%s", specForms)
	}
	return spec, nil
}

// part is one field between colons; literal says that it stood in brackets.
type part struct {
	text    string
	literal bool
}

func (p part) numeric() bool {
	return !p.literal && p.text != "" && strings.Trim(p.text, "0123456789") == ""
}

// split cuts s at colons outside brackets.
func split(s string) ([]part, error) {
	var parts []part
	for {
		var p part
		if rest, ok := strings.CutPrefix(s, "["); ok {
			inside, after, closed := strings.Cut(rest, "]")
			if !closed {
				return nil, fault.Usagef("a bracket is not closed")
			}
			if addr, err := netip.ParseAddr(inside); err != nil || !addr.Is6() {
				return nil, fault.Usagef("[%s] is no IPv6 address", inside)
			}
			if after != "" && after[0] != ':' {
				return nil, fault.Usagef("a colon must follow [%s]", inside)
			}
			p, s = part{inside, true}, after
		} else {
			end := strings.IndexByte(s, ':')
			if end < 0 {
				end = len(s)
			}
			p, s = part{s[:end], false}, s[end:]
		}
		parts = append(parts, p)
		if s == "" {
			return parts, nil
		}
		s = s[1:]
	}
}

func parseTCP(s string) (Spec, error) {
	parts, err := split(s)
	if err != nil {
		return Spec{}, err
	}
	var spec Spec
	last := len(parts) - 1
	if spec.Port, err = port("the destination port", parts[last], 1); err != nil {
		return Spec{}, err
	}
	switch head := parts[:last]; len(head) {
	case 0:
		spec.Local, spec.Same = spec.Port, true
	case 1:
		if head[0].text == "" || head[0].numeric() {
			spec.Local, err = localPort(head[0])
			break
		}
		if likePort(head[0]) {
			err = fault.Usagef("%q is neither a port nor a host", head[0].text)
			break
		}
		spec.Local, spec.Same = spec.Port, true
		spec.Host, err = host(head[0])
	case 2:
		err = spec.local(head[0], head[1])
	case 3:
		if spec.Bind, err = bind(head[0]); err == nil {
			err = spec.local(head[1], head[2])
		}
	default:
		err = fault.Usagef("it has %d parts, and an IPv6 address must stand in brackets", len(parts))
	}
	return spec, err
}

// likePort reports whether p is a mistyped port rather than a host: where either
// may stand, 8o80 is no name.
func likePort(p part) bool {
	return !p.literal && p.text != "" && p.text[0] >= '0' && p.text[0] <= '9' && !strings.Contains(p.text, ".")
}

// local reads LOCAL:HOST.
func (s *Spec) local(l, h part) (err error) {
	if s.Local, err = localPort(l); err != nil {
		return err
	}
	s.Host, err = host(h)
	return err
}

func parseSocket(rest string) (Spec, error) {
	var spec Spec
	path, tail := cutPath(rest)
	if path == "" {
		return Spec{}, fault.Usagef("the path of the socket is missing")
	}
	if len(path) > maxSocketPath {
		return Spec{}, fault.Usagef("the path of the socket is longer than %d bytes", maxSocketPath)
	}
	if strings.ContainsRune(path, 0) {
		return Spec{}, fault.Usagef("the path of the socket has a NUL byte")
	}
	parts, err := split(tail)
	if err != nil {
		return Spec{}, err
	}
	spec.Socket = path
	if len(parts) > 1 {
		if spec.Host, err = host(parts[0]); err != nil {
			return Spec{}, err
		}
	}
	spec.Port, err = port("the destination port", parts[len(parts)-1], 1)
	return spec, err
}

// cutPath divides PATH:PORT and PATH:HOST:PORT. The path ends at the first
// colon, except that of a Windows drive.
func cutPath(s string) (path, tail string) {
	from := 0
	if len(s) > 2 && s[1] == ':' && (s[2] == '\\' || s[2] == '/') {
		from = 2
	}
	end := strings.IndexByte(s[from:], ':')
	if end < 0 {
		return s, ""
	}
	return s[:from+end], s[from+end+1:]
}

func port(what string, p part, least int) (int, error) {
	if p.text == "" && !p.literal {
		return 0, fault.Usagef("%s is missing", what)
	}
	if !p.numeric() {
		return 0, fault.Usagef("%s %q is no number", what, p.text)
	}
	n, err := strconv.Atoi(p.text)
	if err != nil || n < least || n > maxPort {
		return 0, fault.Usagef("%s %s is not between %d and %d", what, p.text, least, maxPort)
	}
	return n, nil
}

func localPort(p part) (int, error) {
	if p.text == "" && !p.literal {
		return 0, nil
	}
	return port("the local port", p, 0)
}

// host checks a destination: a name or an address. What the node makes of it is
// the node's business, but it must be nothing else than a host.
func host(p part) (string, error) {
	switch {
	case p.literal:
		return p.text, nil
	case p.text == "":
		return "", fault.Usagef("the destination host is missing")
	case p.numeric():
		return "", fault.Usagef("the destination host %q is a number, not a name or address", p.text)
	case len(p.text) > maxHost:
		return "", fault.Usagef("the destination host is longer than %d bytes", maxHost)
	case p.text[0] == '-':
		return "", fault.Usagef("the destination host %q starts with a hyphen", p.text)
	}
	for _, r := range p.text {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '.', r == '-', r == '_':
		default:
			return "", fault.Usagef("the destination host %q has the character %q", p.text, r)
		}
	}
	return p.text, nil
}

func bind(p part) (string, error) {
	if p.literal || p.text == "localhost" || p.text == "*" {
		return p.text, nil
	}
	if addr, err := netip.ParseAddr(p.text); err == nil && addr.Is4() {
		return p.text, nil
	}
	return "", fault.Usagef("the local address %q is no IP address, localhost or *", p.text)
}

// Remote names the destination as the node sees it: "host:port". The node itself
// is "localhost".
func (s Spec) Remote() string {
	h := s.Host
	if h == "" {
		h = "localhost"
	}
	return net.JoinHostPort(h, strconv.Itoa(s.Port))
}

// String writes the spec so that ParseSpec reads it back.
func (s Spec) String() string {
	var parts []string
	switch {
	case s.Socket != "":
		parts = append(parts, unixPrefix+s.Socket)
	case s.Bind != "":
		parts = append(parts, bracket(s.Bind), strconv.Itoa(s.Local))
	case !s.Same:
		parts = append(parts, strconv.Itoa(s.Local))
	}
	if s.Host != "" {
		parts = append(parts, bracket(s.Host))
	}
	return strings.Join(append(parts, strconv.Itoa(s.Port)), ":")
}

func bracket(h string) string {
	if strings.Contains(h, ":") {
		return "[" + h + "]"
	}
	return h
}
