package portforward

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"strconv"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/fault"
)

// Options change how Listen listens.
type Options struct {
	// Bind is the local address of specs that name none: an IP address,
	// "localhost" or "*". The default is 127.0.0.1.
	Bind string
}

const (
	defaultBind = "127.0.0.1"
	// nearby is how many ports above a taken one are tried for the suggestion.
	nearby = 20
	// unprivileged is the first port anybody may listen on.
	unprivileged = 1024
	// holderWait bounds the search for the process that holds a port.
	holderWait = 2 * time.Second
	// answerWait is how long the owner of an existing socket may take to accept.
	answerWait = time.Second
)

// Listener is the local end of a tunnel.
type Listener struct {
	net.Listener
	exposed bool
	socket  *socketFile
}

// Exposed reports whether other machines may be able to connect.
func (l *Listener) Exposed() bool { return l.exposed }

// Addr is where to connect to.
func (l *Listener) Addr() net.Addr {
	if l.socket != nil {
		return &net.UnixAddr{Name: l.socket.path, Net: "unix"} // it was moved there
	}
	return l.Listener.Addr()
}

// Close stops listening. A unix socket's file is removed.
func (l *Listener) Close() error {
	err := l.Listener.Close()
	if l.socket != nil {
		l.socket.remove()
	}
	return err
}

// Listen opens the local end of spec. An explicit port that is taken, or not
// allowed, is an error of kind Failed that says who holds it, where the system
// tells, and suggests a free one; a port that was not given is then replaced by
// a free one.
func Listen(spec Spec, opts Options) (*Listener, error) {
	if spec.Socket != "" {
		return listenSocket(spec.Socket)
	}
	addr, err := bindAddr(spec.Bind, opts.Bind)
	if err != nil {
		return nil, err
	}
	ln, err := listenTCP(addr, spec.Local)
	if err != nil && spec.Same && (inUse(err) || denied(err)) {
		ln, err = listenTCP(addr, 0)
	}
	if err != nil {
		return nil, listenError(addr, spec.Local, err)
	}
	return &Listener{Listener: ln, exposed: !addr.IsLoopback()}, nil
}

// bindAddr is the first given address. "localhost" is 127.0.0.1: a name must not
// decide where we listen.
func bindAddr(given ...string) (netip.Addr, error) {
	for _, b := range append(given, defaultBind) {
		switch b {
		case "":
			continue
		case "localhost":
			b = defaultBind
		case "*":
			return netip.Addr{}, nil // all addresses of both families
		}
		addr, err := netip.ParseAddr(b)
		if err != nil {
			return addr, fault.Usagef("the local address %q is no IP address, localhost or *", b)
		}
		return addr.Unmap(), nil
	}
	panic("unreachable: the default is an address")
}

// listenTCP listens on exactly the address: net.Listen alone takes 0.0.0.0 for
// both families.
func listenTCP(addr netip.Addr, port int) (net.Listener, error) {
	network := "tcp"
	switch {
	case addr.Is4():
		network = "tcp4"
	case addr.Is6():
		network = "tcp6"
	}
	var lc net.ListenConfig
	return lc.Listen(context.Background(), network, join(addr, port)) // an address: nothing to wait for
}

func join(addr netip.Addr, port int) string {
	h := ""
	if addr.IsValid() {
		h = addr.String()
	}
	return net.JoinHostPort(h, strconv.Itoa(port))
}

// listenError explains why a port cannot be had.
func listenError(addr netip.Addr, port int, err error) error {
	op := "listen on " + join(addr, port)
	switch {
	case inUse(err):
		ctx, cancel := context.WithTimeout(context.Background(), holderWait)
		defer cancel()
		cause := errors.New("the port is in use")
		if who := holder(ctx, port); who != "" {
			cause = fmt.Errorf("the port is in use by %s", who)
		}
		return suggest(&fault.Error{Op: op, Err: cause}, addr, port)
	case denied(err):
		return suggest(fault.New(fault.Failed, op, "permission denied"), addr, port)
	default:
		var sys *os.SyscallError
		if errors.As(err, &sys) {
			err = sys
		}
		return &fault.Error{Op: op, Err: err}
	}
}

func suggest(e *fault.Error, addr netip.Addr, port int) error {
	if free := freePort(addr, port); free != 0 {
		return e.WithHint("use another local port, for instance %d, which is free, or 0 for any", free)
	}
	return e.WithHint("use another local port, or 0 for any")
}

// freePort is a port near the wanted one, else any; 0 if there is none. A
// privileged one is looked for 8000 higher: 80 becomes 8080.
func freePort(addr netip.Addr, port int) int {
	if port < unprivileged {
		port += 8000 - 1
	}
	try := func(p int) int {
		ln, err := listenTCP(addr, p)
		if err != nil {
			return 0
		}
		defer ln.Close()
		return ln.Addr().(*net.TCPAddr).Port
	}
	for p := port + 1; p <= min(port+nearby, maxPort); p++ {
		if try(p) != 0 {
			return p
		}
	}
	return try(0)
}

// socketFile is the file of a unix socket of ours.
type socketFile struct {
	path string
	info fs.FileInfo // when it was made
}

// remove deletes the file unless it was replaced by somebody else's.
func (s *socketFile) remove() {
	if now, err := os.Lstat(s.path); err == nil && os.SameFile(now, s.info) {
		_ = os.Remove(s.path)
	}
}

// listenSocket opens a unix socket that only this user may connect to.
func listenSocket(path string) (*Listener, error) {
	op := "listen on " + unixPrefix + path
	if err := clearStale(path); err != nil {
		return nil, &fault.Error{Op: op, Err: err, Hint: "use another path, or end who uses this one"}
	}
	ln, err := privateSocket(path)
	if err != nil {
		return nil, &fault.Error{Op: op, Err: bare(err)}
	}
	ln.SetUnlinkOnClose(false) // we do, if it is still ours
	info, err := os.Lstat(path)
	if err != nil {
		_ = ln.Close()
		return nil, &fault.Error{Op: op, Err: bare(err)}
	}
	return &Listener{Listener: ln, socket: &socketFile{path, info}}, nil
}

// clearStale removes a socket on which nobody listens any more. Whatever else is
// at path stays, and is an error.
func clearStale(path string) error {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return bare(err)
	case info.Mode()&fs.ModeSocket == 0:
		return errors.New("the file exists and is no socket")
	}
	d := net.Dialer{Timeout: answerWait}
	conn, err := d.DialContext(context.Background(), "unix", path)
	if err == nil {
		_ = conn.Close()
		return errors.New("the socket is in use")
	}
	if !unanswered(err) { // no permission, a full backlog: somebody may be there
		return fmt.Errorf("the socket exists: %w", bare(err))
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return bare(err)
	}
	return nil
}

// bare drops the path from an error that is shown beside it.
func bare(err error) error {
	var (
		pe  *fs.PathError
		le  *os.LinkError
		sys *os.SyscallError
	)
	switch {
	case errors.As(err, &pe):
		return pe.Err
	case errors.As(err, &le):
		return le.Err
	case errors.As(err, &sys):
		return sys.Err
	default:
		return err
	}
}
