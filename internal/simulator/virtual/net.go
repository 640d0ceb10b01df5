package virtual

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/simulator/virtual/program"
)

// dialTimeout is how long a connection attempt may take, as curl's default
// would be on a network that drops packets; real time, bounded by the context.
const dialTimeout = 30 * time.Second

var errNoNetwork = errors.New("Network is unreachable")

// netReason is what a program says about a failed connection.
func netReason(err error) string {
	var dns *net.DNSError
	switch {
	case errors.As(err, &dns):
		return "Name or service not known"
	case errors.Is(err, context.DeadlineExceeded):
		return "Connection timed out"
	case errors.Is(err, errNoNetwork):
		return errNoNetwork.Error()
	}
	return "Connection refused"
}

// local reports whether host means the node itself.
func (m *Machine) local(host string) bool {
	switch host {
	case "localhost", "127.0.0.1", "::1", "0.0.0.0", m.spec.IP, m.spec.Hostname, m.spec.Hostname + "." + m.domain():
		return true
	}
	return false
}

// listening returns the service on a port of the node, or "".
func (m *Machine) listening(port int) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	for name, s := range m.services {
		if s.port == port && port != 0 && s.state == Running {
			return name
		}
	}
	return ""
}

// dial connects to host:port: to a service of the node itself, which answers
// like one, or through the Dial of the Spec.
func (m *Machine) dial(ctx context.Context, addr string) (net.Conn, error) {
	host, portText, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, &net.DNSError{Err: "no such host", Name: addr}
	}
	port, err := strconv.Atoi(portText)
	if err != nil {
		return nil, &net.DNSError{Err: "unknown port", Name: portText}
	}
	if m.local(host) {
		name := m.listening(port)
		if name == "" {
			return nil, errors.New("connection refused")
		}
		return m.serveLocal(name), nil
	}
	if host == metadataHost && port == 80 {
		return m.serveLocal(metadataHost), nil
	}
	if m.spec.Dial == nil {
		return nil, errNoNetwork
	}
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	return m.spec.Dial(ctx, "tcp", addr)
}

// localConn is a connection to a service of the node. Close waits for it.
type localConn struct {
	net.Conn
	done chan struct{}
}

func (c localConn) Close() error {
	err := c.Conn.Close()
	<-c.done
	return err
}

// serveLocal returns a connection to a service of the node.
func (m *Machine) serveLocal(name string) net.Conn {
	client, server := net.Pipe()
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer server.Close()
		switch name {
		case metadataHost, "nginx", "httpd", "apache2":
			m.serveHTTP(server, name)
		case "sshd", "ssh":
			io.WriteString(server, "SSH-2.0-OpenSSH_8.7\r\n")
			io.Copy(io.Discard, server)
		default:
			io.Copy(io.Discard, server)
		}
	}()
	return localConn{client, done}
}

// serveHTTP answers one request.
func (m *Machine) serveHTTP(conn net.Conn, name string) {
	req, err := readRequest(bufio.NewReader(conn))
	if err != nil {
		return
	}
	status, body := 0, ""
	if name == metadataHost {
		status, body = m.metadata(req)
	} else {
		status, body = m.webPage(name, req)
	}
	length := len(body)
	if req.method == "HEAD" {
		body = ""
	}
	fmt.Fprintf(conn, "HTTP/1.1 %d %s\r\nServer: %s\r\nContent-Type: %s\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s",
		status, statusText(status), serverName(name), contentType(body), length, body)
}

func serverName(name string) string {
	switch name {
	case metadataHost:
		return "EC2ws"
	case "nginx":
		return "nginx/1.26.2"
	}
	return "Apache/2.4.62"
}

func contentType(body string) string {
	if strings.HasPrefix(body, "<") {
		return "text/html"
	}
	return "text/plain"
}

func statusText(code int) string {
	switch code {
	case 200:
		return "OK"
	case 401:
		return "Unauthorized"
	case 403:
		return "Forbidden"
	case 405:
		return "Method Not Allowed"
	}
	return "Not Found"
}

// request is what we need of an HTTP request.
type request struct {
	method, path string
	headers      map[string]string // by lower-case name
}

func readRequest(br *bufio.Reader) (request, error) {
	r := request{headers: map[string]string{}}
	line, err := br.ReadString('\n')
	if err != nil {
		return r, err
	}
	words := strings.Fields(line)
	if len(words) < 2 {
		return r, io.ErrUnexpectedEOF
	}
	r.method, r.path = words[0], words[1]
	for range 100 {
		line, err := br.ReadString('\n')
		if err != nil {
			return r, err
		}
		name, value, ok := strings.Cut(strings.TrimSpace(line), ":")
		if !ok {
			n, _ := strconv.Atoi(r.headers["content-length"])
			_, err := io.CopyN(io.Discard, br, int64(max(n, 0)))
			return r, err
		}
		r.headers[strings.ToLower(name)] = strings.TrimSpace(value)
	}
	return r, io.ErrUnexpectedEOF
}

// webPage is what the web server of the node answers; the request is logged.
func (m *Machine) webPage(name string, r request) (int, string) {
	file, _, _ := strings.Cut(r.path, "?")
	root := "/usr/share/nginx/html"
	if name != "nginx" {
		root = "/var/www/html"
	}
	if strings.HasSuffix(file, "/") {
		file += "index.html"
	}
	status := 200
	body, err := m.fs.ReadFile(webCred, root+"/"+strings.TrimLeft(file, "/"))
	switch {
	case err == nil:
	case r.path == "/health" || r.path == "/healthz":
		body = []byte("ok\n")
	default:
		status, body = 404, []byte("<html>\n<head><title>404 Not Found</title></head>\n<body>\n<center><h1>404 Not Found</h1></center>\n</body>\n</html>\n")
	}
	m.appendFile("/var/log/nginx/access.log", fmt.Sprintf("127.0.0.1 - - [%s] \"%s %s HTTP/1.1\" %d %d \"-\" \"%s\"\n",
		m.now().UTC().Format("02/Jan/2006:15:04:05 -0700"), r.method, r.path, status, len(body), r.headers["user-agent"]))
	return status, string(body)
}

func (m *Machine) networkPrograms() map[string]program.Func {
	return map[string]program.Func{
		"curl": m.curl, "wget": m.wget, "nc": m.nc, "ncat": m.nc, "getent": m.getent, "ss": m.sockets, "netstat": m.sockets,
		"ip": m.ip, "ifconfig": m.ip, "pg_isready": m.pgIsReady,
	}
}

func (m *Machine) nc(ctx context.Context, p *program.Proc) int {
	f, args, st := p.Flags("zvunlw:i:N46")
	if st >= 0 {
		return st
	}
	if len(args) != 2 || f.Has("l") || f.Has("u") {
		p.Errorf("the simulated nc knows: nc [-zvn] [-w seconds] host port")
		return 2
	}
	if w := f.Value("w", ""); w != "" {
		sec, err := strconv.Atoi(w)
		if err != nil || sec < 1 {
			p.Errorf("timeout must be a positive number of seconds")
			return 2
		}
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Duration(sec)*time.Second)
		defer cancel()
	}
	lo, hi, isRange := strings.Cut(args[1], "-")
	from, err1 := strconv.Atoi(lo)
	to := from
	var err2 error
	if isRange {
		to, err2 = strconv.Atoi(hi)
	}
	if err1 != nil || err2 != nil || to < from || to-from > 1000 {
		p.Errorf("port number invalid: %s", args[1])
		return 1
	}
	status := 1
	for port := from; port <= to && ctx.Err() == nil; port++ {
		conn, err := m.dial(ctx, net.JoinHostPort(args[0], strconv.Itoa(port)))
		if err != nil {
			if f.Has("v") || !f.Has("z") {
				p.Errorf("connect to %s port %d (tcp) failed: %s", args[0], port, netReason(err))
			}
			continue
		}
		status = 0
		if f.Has("v") {
			fmt.Fprintf(p.Stderr, "Connection to %s %d port [tcp/%s] succeeded!\n", args[0], port, portName(port))
		}
		if !f.Has("z") {
			status = m.converse(ctx, p, conn)
		}
		conn.Close()
	}
	return status
}

func portName(port int) string {
	if name, ok := map[int]string{22: "ssh", 80: "http", 443: "https", 3306: "mysql", 5432: "postgresql", 6379: "redis"}[port]; ok {
		return name
	}
	return "*"
}

// converse copies both ways until the far side closes or ctx ends.
func (m *Machine) converse(ctx context.Context, p *program.Proc, conn net.Conn) int {
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	ctx2, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		// The reader is tied to the context of the program; when the far side
		// closes first, the next thing typed ends this copy, as with nc.
		buf := make([]byte, 32<<10)
		for ctx2.Err() == nil {
			n, err := p.Stdin.Read(buf)
			if n > 0 {
				if _, err := conn.Write(buf[:n]); err != nil {
					return
				}
			}
			if err != nil {
				if c, ok := conn.(interface{ CloseWrite() error }); ok {
					c.CloseWrite()
				}
				return
			}
		}
	}()
	p.Copy(conn)
	cancel()
	<-done
	return 0
}

func (m *Machine) getent(ctx context.Context, p *program.Proc) int {
	if len(p.Args) < 2 {
		p.Errorf("wrong number of arguments")
		return 1
	}
	file := map[string]string{"hosts": "/etc/hosts", "ahosts": "/etc/hosts", "passwd": "/etc/passwd", "group": "/etc/group"}[p.Args[1]]
	if file == "" {
		p.Errorf("Unknown database: %s", p.Args[1])
		return 1
	}
	sep := map[bool]string{true: ":", false: " "}[file != "/etc/hosts"]
	found := len(p.Args) == 2
	p.EachFile(ctx, []string{file}, func(_ string, r io.Reader) error {
		return p.EachLine(r, func(line []byte, _ bool) bool {
			text := string(line)
			words := strings.FieldsFunc(text, func(c rune) bool { return strings.ContainsRune(sep+"\t", c) })
			for _, key := range p.Args[2:] {
				for i, w := range words {
					if w == key && (sep == " " || i == 0) {
						p.Printf("%s\n", text)
						found = true
						break
					}
				}
			}
			return len(p.Args) > 2 || p.Printf("%s\n", text)
		})
	})
	if !found {
		return 2
	}
	return 0
}

// sockets is ss and netstat.
func (m *Machine) sockets(_ context.Context, p *program.Proc) int {
	if _, _, st := p.Flags("tlnpuaero4 tcp=t listening=l numeric=n processes=p all=a udp=u"); st >= 0 {
		return st
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if p.Name() == "ss" {
		p.Printf("%-8s %-7s %-7s %-22s %-18s %s\n", "State", "Recv-Q", "Send-Q", "Local Address:Port", "Peer Address:Port", "Process")
	} else {
		p.Printf("Active Internet connections (only servers)\nProto Recv-Q Send-Q Local Address           Foreign Address         State       PID/Program name\n")
	}
	for port := 1; port < 65536; port++ {
		for _, s := range m.services {
			if s.port != port || s.state != Running {
				continue
			}
			name := commandName(s.command)
			if p.Name() == "ss" {
				p.Printf("%-8s %-7d %-7d %-22s %-18s users:((\"%s\",pid=%d,fd=6))\n", "LISTEN", 0, 511, fmt.Sprintf("0.0.0.0:%d", port), "0.0.0.0:*", name, s.pid)
			} else {
				p.Printf("tcp        0      0 %-23s %-23s LISTEN      %d/%s\n", fmt.Sprintf("0.0.0.0:%d", port), "0.0.0.0:*", s.pid, name)
			}
		}
	}
	return 0
}

// ip is ip addr, ip route and ifconfig.
func (m *Machine) ip(_ context.Context, p *program.Proc) int {
	what := ""
	for _, a := range p.Args[1:] {
		if !strings.HasPrefix(a, "-") && what == "" {
			what = a
		}
	}
	mac := fmt.Sprintf("0e:%02x:%02x:%02x:%02x:%02x", m.spec.vary("m1", 256), m.spec.vary("m2", 256), m.spec.vary("m3", 256), m.spec.vary("m4", 256), m.spec.vary("m5", 256))
	gateway := m.spec.IP[:strings.LastIndexByte(m.spec.IP, '.')+1] + "1"
	switch {
	case p.Name() == "ifconfig":
		p.Printf("ens5: flags=4163<UP,BROADCAST,RUNNING,MULTICAST>  mtu 9001\n        inet %s  netmask 255.255.255.0\n        ether %s  txqueuelen 1000  (Ethernet)\n\nlo: flags=73<UP,LOOPBACK,RUNNING>  mtu 65536\n        inet 127.0.0.1  netmask 255.0.0.0\n", m.spec.IP, mac)
	case strings.HasPrefix(what, "r"):
		p.Printf("default via %s dev ens5 proto dhcp src %s metric 512\n", gateway, m.spec.IP)
	case strings.HasPrefix(what, "a"), strings.HasPrefix(what, "l"):
		p.Printf("1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536 qdisc noqueue state UNKNOWN group default qlen 1000\n    link/loopback 00:00:00:00:00:00 brd 00:00:00:00:00:00\n    inet 127.0.0.1/8 scope host lo\n       valid_lft forever preferred_lft forever\n")
		p.Printf("2: ens5: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 9001 qdisc mq state UP group default qlen 1000\n    link/ether %s brd ff:ff:ff:ff:ff:ff\n    inet %s/24 metric 512 brd %s scope global dynamic ens5\n       valid_lft 2744sec preferred_lft 2744sec\n", mac, m.spec.IP, strings.TrimSuffix(gateway, "1")+"255")
	default:
		p.Errorf("the simulated ip knows addr, link and route")
		return 1
	}
	return 0
}

func (m *Machine) pgIsReady(ctx context.Context, p *program.Proc) int {
	f, _, st := p.Flags("h:p:U:d:t:q host=h: port=p: username=U: dbname=d: timeout=t:")
	if st >= 0 {
		return 3
	}
	addr := net.JoinHostPort(f.Value("h", "localhost"), f.Value("p", "5432"))
	conn, err := m.dial(ctx, addr)
	if err != nil {
		p.Printf("%s - no response\n", addr)
		return 2
	}
	conn.Close()
	p.Printf("%s - accepting connections\n", addr)
	return 0
}
