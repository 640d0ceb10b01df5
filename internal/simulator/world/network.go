package world

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// Behaviours that a port of a scenario can have instead of an address.
const (
	serveEcho     = "echo"
	serveDiscard  = "discard"
	serveHTTP     = "http"
	servePostgres = "postgres-greeting"
	serveBanner   = "banner" // the server speaks first, then echoes
	serveHang     = "hang"   // dialling it never ends, as a filtered port
)

// forbidden are the addresses that the agent does not forward to: instance and
// container metadata, time and name service of EC2.
var forbidden = []netip.Addr{
	netip.MustParseAddr("169.254.169.254"), netip.MustParseAddr("169.254.169.253"),
	netip.MustParseAddr("169.254.169.123"), netip.MustParseAddr("169.254.169.250"),
	netip.MustParseAddr("169.254.169.251"), netip.MustParseAddr("fd00:ec2::254"),
	netip.MustParseAddr("fd00:ec2::253"), netip.MustParseAddr("fd00:ec2::123"),
	netip.MustParseAddr("fd00:ec2::240"),
}

// network is what the nodes can reach. Every port with a behaviour is a real
// listener on loopback, opened when first dialled.
type network struct {
	sc    *Scenario
	nodes []NodeSpec // reach each other by address and computer name

	ctx    context.Context
	cancel context.CancelFunc
	group  sync.WaitGroup

	mu     sync.Mutex
	hosts  []HostSpec
	open   map[string]string // behaviour and label → address of its listener
	closed bool
}

func newNetwork(sc *Scenario) *network {
	n := &network{sc: sc, hosts: slices.Clone(sc.Hosts), nodes: sc.Nodes, open: map[string]string{}}
	for _, d := range sc.Databases {
		n.hosts = append(n.hosts, d.hosts()...)
	}
	n.ctx, n.cancel = context.WithCancel(context.Background())
	return n
}

func (n *network) close() {
	n.mu.Lock()
	n.closed = true
	n.mu.Unlock()
	n.cancel()
	n.group.Wait()
}

// address returns where to connect for a port: what is an address already, or
// that of the listener with the behaviour. label tells equal ones apart.
func (n *network) address(serve, label string) (string, error) {
	if strings.Contains(serve, ":") {
		return serve, nil
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if a, ok := n.open[serve+" "+label]; ok {
		return a, nil
	}
	if n.closed {
		return "", net.ErrClosed
	}
	var lc net.ListenConfig
	l, err := lc.Listen(context.Background(), "tcp", "127.0.0.1:0") // at once; there is nothing to cancel
	if err != nil {
		return "", err
	}
	n.open[serve+" "+label] = l.Addr().String()
	n.group.Go(func() { n.serve(l, responder(serve, label)) })
	return l.Addr().String(), nil
}

// serve accepts until the network closes, and waits for the connections.
func (n *network) serve(l net.Listener, handle func(net.Conn)) {
	stop := context.AfterFunc(n.ctx, func() { _ = l.Close() })
	defer stop()
	var conns sync.WaitGroup
	defer conns.Wait()
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		conns.Go(func() {
			stop := context.AfterFunc(n.ctx, func() { _ = c.Close() })
			defer stop()
			defer c.Close()
			handle(c)
		})
	}
}

// nodeNetwork is the network as one node sees it.
type nodeNetwork struct {
	net   *network
	node  NodeSpec
	ports map[int]string
	host  bool   // localhost is that of the machine we run on
	agent string // version
	// looked is what the agent knows of hosts once it has looked one up; nil for
	// who looks up each time.
	looked *lookup
}

// lookup are the hosts as they were.
type lookup struct {
	mu    sync.Mutex
	hosts []HostSpec // nil: as they are now
}

// noLoopback is the first agent version that does not forward to loopback
// addresses of the remote-host document (release notes of the agent).
const noLoopback = "3.3.4851.0"

func isLocal(host string) bool {
	if host == "" || strings.EqualFold(host, "localhost") {
		return true
	}
	a, err := netip.ParseAddr(host)
	return err == nil && a.Unmap().IsLoopback()
}

// resolve answers a name lookup of the agent; see NodeRuntime.Resolve.
func (n nodeNetwork) resolve(host string) error {
	n.net.mu.Lock()
	hosts := slices.Clone(n.net.hosts)
	n.net.mu.Unlock()
	n.looked.mu.Lock()
	n.looked.hosts = hosts
	n.looked.mu.Unlock()
	if isLocal(host) && CompareVersions(n.agent, noLoopback) >= 0 {
		return &ForbiddenError{Host: host}
	}
	return n.lookup(host)
}

// lookup is what any program on the node gets for a name.
func (n nodeNetwork) lookup(host string) error {
	if a, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil {
		if slices.Contains(forbidden, a.Unmap()) {
			return &ForbiddenError{Host: host}
		}
		return nil
	}
	if _, known := n.find(host, 0); known || isLocal(host) || n.peer(host) != nil {
		return nil
	}
	return &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
}

// find returns the entry of a host and port; with port 0 that of any port.
func (n nodeNetwork) find(host string, port int) (h HostSpec, known bool) {
	hosts := n.hosts()
	if i := index(hosts, host, port); i >= 0 {
		return hosts[i], true
	}
	return h, false
}

// hosts are those that n knows.
func (n nodeNetwork) hosts() []HostSpec {
	if l := n.looked; l != nil {
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.hosts != nil {
			return l.hosts
		}
	}
	n.net.mu.Lock()
	defer n.net.mu.Unlock()
	return slices.Clone(n.net.hosts)
}

// index is that of find.
func index(hosts []HostSpec, host string, port int) int {
	host = strings.TrimSuffix(host, ".")
	return slices.IndexFunc(hosts, func(h HostSpec) bool { return strings.EqualFold(h.Name, host) && (port == 0 || h.Port == port) })
}

// point leads connections to a host elsewhere, for sessions to come.
func (n *network) point(host string, port int, connect string) error {
	if a, _, err := net.SplitHostPort(connect); err != nil || a == "" || !isLocal(a) {
		return fmt.Errorf("%q is not an address of this machine", connect)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	i := index(n.hosts, host, port)
	if i < 0 {
		return fmt.Errorf("there is no host %s with port %d", host, port)
	}
	n.hosts[i].Serve, n.hosts[i].Connect = "", connect
	return nil
}

// filtered reports whether security groups drop what the node sends there.
func (n nodeNetwork) filtered(host string, port int) bool {
	return slices.ContainsFunc(n.net.sc.Databases, func(d DatabaseSpec) bool {
		ours := slices.ContainsFunc(d.hosts(), func(h HostSpec) bool { return strings.EqualFold(h.Name, strings.TrimSuffix(host, ".")) })
		return ours && !n.net.sc.reaches(n.node, d, port)
	})
}

// peer returns the node that has host as its address or name.
func (n nodeNetwork) peer(host string) *NodeSpec {
	for i, p := range n.net.nodes {
		if host == p.IP || strings.EqualFold(strings.TrimSuffix(host, "."), p.ComputerName) {
			return &n.net.nodes[i]
		}
	}
	return nil
}

var errRefused = errors.New("connect: connection refused")

func (n nodeNetwork) dial(ctx context.Context, host string, port int) (net.Conn, error) {
	if err := n.lookup(host); err != nil {
		return nil, err
	}
	name := host
	if name == "" {
		name = "localhost"
	}
	serve, label := "", name+":"+strconv.Itoa(port)
	switch {
	case isLocal(host):
		serve = n.ports[port]
		if serve == "" && n.host {
			serve = net.JoinHostPort("localhost", strconv.Itoa(port))
		}
	default:
		if n.filtered(host, port) {
			serve = serveHang
		} else if h, known := n.find(host, port); known {
			serve = h.serve()
		} else if p := n.peer(host); p != nil && p.Ping == "online" {
			serve = p.Ports[port]
		}
	}
	switch serve {
	case "":
		return nil, fmt.Errorf("dial tcp %s: %w", net.JoinHostPort(name, strconv.Itoa(port)), errRefused)
	case serveHang:
		<-ctx.Done()
		return nil, ctx.Err()
	}
	addr, err := n.net.address(serve, label)
	if err != nil {
		return nil, err
	}
	var d net.Dialer
	return d.DialContext(ctx, "tcp", addr)
}
