package portforward

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// mostHead bounds the request line and header of an HTTP request.
const mostHead = 64 << 10

// hopHeaders are between the program and its proxy, and not for the destination
// (RFC 9110, section 7.6.1).
var hopHeaders = []string{"Connection", "Proxy-Connection", "Keep-Alive", "Proxy-Authorization", "Proxy-Authenticate", "Te"}

// readHTTP reads a request to a proxy: CONNECT host:port, or a plain request with
// a whole URL. A plain one is rewritten for its destination, which is asked to
// close afterwards, so that a connection has one request and one destination.
func readHTTP(br *bufio.Reader) (ask, error) {
	head, err := readHead(br)
	if err != nil {
		return ask{}, err
	}
	req, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(head)))
	if err != nil {
		return ask{}, httpRefusal(http.StatusBadRequest, fmt.Errorf("a malformed HTTP request: %w", err))
	}
	switch {
	case req.Method == http.MethodConnect:
		return askConnect(req)
	case !req.URL.IsAbs() || req.URL.Host == "":
		return ask{}, httpRefusal(http.StatusBadRequest, errors.New("this is a proxy, not a web server: a request must name its host"))
	case req.URL.Scheme != "http":
		return ask{}, httpRefusal(http.StatusNotImplemented, fmt.Errorf("a plain request for the scheme %q: use CONNECT", req.URL.Scheme))
	default:
		return askPlain(req)
	}
}

// readHead reads up to the empty line.
func readHead(br *bufio.Reader) ([]byte, error) {
	var head []byte
	for {
		line, err := br.ReadSlice('\n')
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return nil, err
		}
		if len(head)+len(line) > mostHead {
			return nil, httpRefusal(http.StatusRequestHeaderFieldsTooLarge, fmt.Errorf("an HTTP header of more than %d bytes", mostHead))
		}
		start := len(head) == 0 || head[len(head)-1] == '\n'
		head = append(head, line...)
		if start && (string(line) == "\r\n" || string(line) == "\n") {
			return head, nil
		}
	}
}

func askConnect(req *http.Request) (ask, error) {
	spec, err := authority(req.Host, 0)
	if err != nil {
		return ask{}, httpRefusal(http.StatusBadRequest, err)
	}
	return ask{spec: spec, yes: []byte("HTTP/1.1 200 Connection established\r\n\r\n"), no: httpNo}, nil
}

func askPlain(req *http.Request) (ask, error) {
	spec, err := authority(req.URL.Host, 80)
	if err != nil {
		return ask{}, httpRefusal(http.StatusBadRequest, err)
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: %s\r\n", req.Method, req.URL.RequestURI(), req.URL.Host)
	upgrade := strings.EqualFold(req.Header.Get("Connection"), "upgrade") && req.Header.Get("Upgrade") != ""
	named := strings.Split(strings.Join(req.Header.Values("Connection"), ","), ",")
	for _, name := range append(named, hopHeaders...) {
		if name = strings.TrimSpace(name); !upgrade || !strings.EqualFold(name, "Upgrade") {
			req.Header.Del(name)
		}
	}
	if upgrade {
		req.Header.Set("Connection", "Upgrade")
	} else {
		req.Header.Set("Connection", "close")
	}
	// Reading took what frames the body out of the header; the body itself
	// passes as it is.
	switch {
	case len(req.TransferEncoding) > 0:
		req.Header.Set("Transfer-Encoding", strings.Join(req.TransferEncoding, ", "))
		req.Header.Del("Content-Length")
	case req.ContentLength > 0:
		req.Header.Set("Content-Length", strconv.FormatInt(req.ContentLength, 10))
	}
	_ = req.Header.Write(&b) // into memory
	b.WriteString("\r\n")
	return ask{spec: spec, early: b.Bytes(), no: httpNo}, nil
}

// authority reads host:port; without a port it is that of fallback, 0 for none.
func authority(text string, fallback int) (Spec, error) {
	u := url.URL{Host: text}
	name, port := u.Hostname(), fallback
	if p := u.Port(); p != "" {
		n, err := strconv.Atoi(p)
		if err != nil {
			return Spec{}, fmt.Errorf("the port %q is no number", p)
		}
		port = n
	}
	if port == 0 {
		return Spec{}, fmt.Errorf("%q has no port", text)
	}
	if name == "" {
		return Spec{}, fmt.Errorf("%q has no host", text)
	}
	return proxySpec(name, port)
}

// httpRefusal is a request that is not served.
func httpRefusal(status int, err error) *askError {
	return &askError{reply: httpAnswer(status, err.Error()), err: err}
}

// httpNo is the answer when the destination cannot be reached.
func httpNo(r refusal, err error) []byte {
	status := http.StatusBadGateway
	switch {
	case r == notAllowed:
		status = http.StatusForbidden
	case r == timedOut:
		status = http.StatusGatewayTimeout
	case errors.Is(err, errBusy):
		status = http.StatusServiceUnavailable
	}
	return httpAnswer(status, err.Error())
}

func httpAnswer(status int, text string) []byte {
	text = "ssmdeck: " + strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, text) + "\n"
	return fmt.Appendf(nil, "HTTP/1.1 %d %s\r\nContent-Type: text/plain; charset=utf-8\r\nX-Content-Type-Options: nosniff\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s",
		status, http.StatusText(status), len(text), text)
}
