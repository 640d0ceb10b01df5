package virtual

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/simulator/virtual/memfs"
	"github.com/ssmdeck/ssmdeck/internal/simulator/virtual/program"
)

// metadataHost is the address of the instance metadata service.
const metadataHost = "169.254.169.254"

// webCred reads what a web server may read.
var webCred = memfs.Cred{User: "nginx"}

// metadataToken is the session token of the simulated metadata service; it
// opens nothing else.
const metadataToken = "AQAEASIMULATEDxxTOKENxxOFxxAxxVIRTUALxxNODE=="

// metadata answers a request to the instance metadata service, version 2 only.
func (m *Machine) metadata(r request) (int, string) {
	if r.path == "/latest/api/token" {
		if r.method != http.MethodPut {
			return 405, ""
		}
		return 200, metadataToken
	}
	if r.headers["x-aws-ec2-metadata-token"] != metadataToken {
		return 401, "<?xml version=\"1.0\" encoding=\"iso-8859-1\"?>\n<html><head><title>401 - Unauthorized</title></head><body><h1>401 - Unauthorized</h1></body></html>\n"
	}
	zone := m.spec.Region + string(rune('a'+m.spec.vary("zone", 3)))
	values := map[string]string{
		"instance-id": m.spec.NodeID, "instance-type": m.spec.InstanceType, "local-ipv4": m.spec.IP,
		"hostname": m.spec.Hostname + "." + m.domain(), "local-hostname": m.spec.Hostname + "." + m.domain(),
		"ami-id": fmt.Sprintf("ami-%017x", m.spec.vary("ami", 1<<30)), "placement/availability-zone": zone,
		"placement/region": m.spec.Region, "services/domain": "amazonaws.com",
		"iam/security-credentials/": "AmazonSSMManagedInstanceCore",
	}
	for k, v := range m.spec.Tags {
		values["tags/instance/"+k] = v
	}
	name, ok := strings.CutPrefix(r.path, "/latest/meta-data/")
	switch {
	case ok && (name == "" || name == "tags/instance/" || name == "placement/"):
		return 200, metadataIndex(values, name)
	case ok && values[name] != "":
		return 200, values[name]
	case r.path == "/latest/dynamic/instance-identity/document":
		return 200, fmt.Sprintf("{\n  \"accountId\" : \"123456789012\",\n  \"availabilityZone\" : %q,\n  \"instanceId\" : %q,\n  \"instanceType\" : %q,\n  \"privateIp\" : %q,\n  \"region\" : %q\n}", zone, m.spec.NodeID, m.spec.InstanceType, m.spec.IP, m.spec.Region)
	}
	return 404, "<?xml version=\"1.0\" encoding=\"iso-8859-1\"?>\n<html><head><title>404 - Not Found</title></head><body><h1>404 - Not Found</h1></body></html>\n"
}

// metadataIndex lists what is directly below a prefix.
func metadataIndex(values map[string]string, prefix string) string {
	seen := map[string]bool{}
	var names []string
	for name := range values {
		rest, ok := strings.CutPrefix(name, prefix)
		if !ok {
			continue
		}
		if i := strings.IndexByte(rest, '/'); i >= 0 {
			rest = rest[:i+1]
		}
		if !seen[rest] {
			seen[rest] = true
			names = append(names, rest)
		}
	}
	return strings.Join(sorted(names), "\n")
}

const curlFlags = "sSfikIvLkgo:OX:H:d:w:m:u:A:e:b:c:4 silent=s show-error=S fail=f include=i head=I verbose=v location=L insecure=k output=o: remote-name=O request=X: header=H: data=d: data-raw=d: write-out=w: max-time=m: connect-timeout=C: user=u: user-agent=A: retry=R: noproxy=N: compressed=Z fail-with-body=f"

// curl fetches http URLs.
func (m *Machine) curl(ctx context.Context, p *program.Proc) int {
	f, urls, st := p.Flags(curlFlags)
	if st > 0 {
		return 2
	}
	if st == 0 {
		return 0
	}
	if len(urls) == 0 {
		io.WriteString(p.Stderr, "curl: try 'curl --help' or 'curl --manual' for more information\n")
		return 2
	}
	if t := f.Value("m", f.Value("C", "")); t != "" {
		sec, err := strconv.ParseFloat(t, 64)
		if err != nil || sec <= 0 || sec > 1e6 {
			p.Errorf("option --max-time: expected a proper numerical parameter")
			return 2
		}
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Duration(sec*float64(time.Second)))
		defer cancel()
	}
	status := 0
	for _, u := range urls {
		if !strings.Contains(u, "://") {
			u = "http://" + u
		}
		if s := m.fetch(ctx, p, f, u, 0); s != 0 {
			status = s
		}
	}
	return status
}

// fetch gets one URL and returns the exit status of curl.
func (m *Machine) fetch(ctx context.Context, p *program.Proc, f *program.Flags, raw string, redirects int) int {
	fail := func(code int, format string, args ...any) int {
		if !f.Has("s") || f.Has("S") {
			p.Errorf("(%d) %s", code, fmt.Sprintf(format, args...))
		}
		return code
	}
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" {
		return fail(3, "URL using bad/illegal format or missing URL")
	}
	if u.Scheme != "http" {
		return fail(1, "Protocol \"%s\" is not simulated; only http is", u.Scheme)
	}
	port := u.Port()
	if port == "" {
		port = "80"
	}
	conn, err := m.dial(ctx, net.JoinHostPort(u.Hostname(), port))
	if err != nil {
		if netReason(err) == "Name or service not known" {
			return fail(6, "Could not resolve host: %s", u.Hostname())
		}
		if ctx.Err() != nil {
			return fail(28, "Connection timed out")
		}
		return fail(7, "Failed to connect to %s port %s after 0 ms: Couldn't connect to server", u.Hostname(), port)
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	resp, err := roundTrip(ctx, conn, p, f, u)
	if err != nil {
		if ctx.Err() != nil {
			return fail(28, "Operation timed out")
		}
		return fail(52, "Empty reply from server")
	}
	defer resp.Body.Close()
	if to := resp.Header.Get("Location"); f.Has("L") && to != "" && resp.StatusCode/100 == 3 {
		if redirects >= 50 {
			return fail(47, "Maximum (50) redirects followed")
		}
		next, err := u.Parse(to)
		if err != nil {
			return fail(3, "URL using bad/illegal format or missing URL")
		}
		return m.fetch(ctx, p, f, next.String(), redirects+1)
	}
	if f.Has("f") && resp.StatusCode >= 400 {
		return fail(22, "The requested URL returned error: %d", resp.StatusCode)
	}
	return m.save(p, f, u, resp, fail)
}

// roundTrip sends the request that the options describe.
func roundTrip(ctx context.Context, conn net.Conn, p *program.Proc, f *program.Flags, u *url.URL) (*http.Response, error) {
	method := http.MethodGet
	body := strings.Join(f.Values("d"), "&")
	if f.Has("d") {
		method = http.MethodPost
	}
	if f.Has("I") {
		method = http.MethodHead
	}
	method = f.Value("X", method)
	req, err := http.NewRequestWithContext(ctx, method, u.String(), strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	if !f.Has("d") {
		req.Body, req.ContentLength = nil, 0
	} else {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	req.Header.Set("User-Agent", f.Value("A", "curl/8.5.0"))
	req.Header.Set("Accept", "*/*")
	for _, h := range f.Values("H") {
		name, value, _ := strings.Cut(h, ":")
		if strings.EqualFold(name, "Host") {
			req.Host = strings.TrimSpace(value)
		}
		req.Header.Set(name, strings.TrimSpace(value))
	}
	if user, pass, ok := strings.Cut(f.Value("u", ""), ":"); ok {
		req.SetBasicAuth(user, pass)
	}
	req.Close = true
	var sent bytes.Buffer
	if err := req.Write(&sent); err != nil {
		return nil, err
	}
	if f.Has("v") {
		fmt.Fprintf(p.Stderr, "* Connected to %s\n> %s HTTP/1.1\n", u.Host, method+" "+u.RequestURI())
	}
	if _, err := conn.Write(sent.Bytes()); err != nil {
		return nil, err
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), req)
	if err == nil && f.Has("v") {
		fmt.Fprintf(p.Stderr, "< %s %s\n", resp.Proto, resp.Status)
	}
	return resp, err
}

// save writes the response where the options say.
func (m *Machine) save(p *program.Proc, f *program.Flags, u *url.URL, resp *http.Response, fail func(int, string, ...any) int) int {
	name := f.Value("o", "")
	if f.Has("O") {
		name = path.Base(u.Path)
	}
	var out io.Writer = p.Out()
	if name != "" && name != "-" {
		w, err := p.Shell.Open(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o666)
		if err != nil {
			return fail(23, "Failure writing output to destination: %s", memfs.Reason(err))
		}
		defer w.Close()
		out = w
	}
	if f.Has("i") || f.Has("I") {
		fmt.Fprintf(out, "%s %s\r\n", resp.Proto, resp.Status)
		for _, k := range sorted(keys(resp.Header)) {
			fmt.Fprintf(out, "%s: %s\r\n", k, resp.Header.Get(k))
		}
		io.WriteString(out, "\r\n")
	}
	n, err := io.Copy(out, resp.Body)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		return fail(56, "Recv failure: Connection reset by peer")
	}
	if format := f.Value("w", ""); format != "" {
		p.Printf("%s", strings.NewReplacer("%{http_code}", strconv.Itoa(resp.StatusCode), "%{response_code}", strconv.Itoa(resp.StatusCode),
			"%{size_download}", strconv.FormatInt(n, 10), "%{time_total}", "0.002", `\n`, "\n", `\t`, "\t").Replace(format))
	}
	return 0
}

func keys[V any](m map[string]V) []string {
	list := make([]string, 0, len(m))
	for k := range m {
		list = append(list, k)
	}
	return list
}

// wget fetches to a file by name, or with -qO- to the standard output.
func (m *Machine) wget(ctx context.Context, p *program.Proc) int {
	f, urls, st := p.Flags("qO:T:t:S output-document=O: quiet=q timeout=T: tries=t: spider=P")
	if st >= 0 {
		return st
	}
	if len(urls) == 0 {
		p.Errorf("missing URL")
		return 1
	}
	for _, u := range urls {
		args := []string{"curl", "-sSf"}
		switch name := f.Value("O", ""); {
		case f.Has("P"):
			args = append(args, "-o", "/dev/null")
		case name != "":
			args = append(args, "-o", name)
		default:
			base := path.Base(u)
			if !strings.Contains(strings.TrimPrefix(u, "http://"), "/") || base == "" || base == "." {
				base = "index.html"
			}
			args = append(args, "-o", base)
		}
		if t := f.Value("T", ""); t != "" {
			args = append(args, "-m", t)
		}
		p.Args = append(args, u)
		switch status := m.curl(ctx, p); status {
		case 0:
		case 22:
			return 8
		default:
			return 4
		}
	}
	return 0
}
