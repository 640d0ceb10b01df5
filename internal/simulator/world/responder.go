package world

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
)

// responder returns what answers on a port with the given behaviour.
func responder(serve, label string) func(net.Conn) {
	switch serve {
	case serveDiscard:
		return func(c net.Conn) { _, _ = io.Copy(io.Discard, c) }
	case serveHTTP:
		return func(c net.Conn) { answerHTTP(c, label) }
	case servePostgres:
		return answerPostgres
	case serveBanner:
		return func(c net.Conn) {
			if _, err := io.WriteString(c, "SSH-2.0-OpenSSH_8.7\r\n"); err == nil {
				echo(c)
			}
		}
	}
	return echo
}

// echo sends back what it gets and, after the other side's half-close, closes.
func echo(c net.Conn) { _, _ = io.Copy(c, c) }

// answerHTTP answers every request with a short page that names the port.
func answerHTTP(c net.Conn, label string) {
	r := bufio.NewReader(c)
	for {
		req, err := http.ReadRequest(r)
		if err != nil {
			return
		}
		if _, err := io.Copy(io.Discard, io.LimitReader(req.Body, 64<<20)); err != nil {
			return
		}
		body := fmt.Sprintf("hello from %s\n%s %s\n", label, req.Method, req.URL.Path)
		if req.Method == http.MethodHead {
			body = ""
		}
		_, err = fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nServer: ssmdeck-simulator\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
		if err != nil || req.Close {
			return
		}
	}
}

// Codes of the first packet of a PostgreSQL client (protocol 3.0, "Message
// Formats": SSLRequest, GSSENCRequest).
const (
	pgSSL = 80877103
	pgGSS = 80877104
)

// answerPostgres speaks just enough of PostgreSQL's protocol for a client to
// log in without a password and to get one row for every simple query.
func answerPostgres(c net.Conn) {
	r := bufio.NewReader(c)
	for {
		code, err := pgStartup(r)
		if err != nil {
			return
		}
		if code != pgSSL && code != pgGSS {
			break
		}
		if _, err := c.Write([]byte{'N'}); err != nil {
			return
		}
	}
	hello := pgMessage(nil, 'R', []byte{0, 0, 0, 0})
	hello = pgMessage(hello, 'S', []byte("server_version\x0015.4\x00"))
	hello = pgMessage(hello, 'S', []byte("client_encoding\x00UTF8\x00"))
	hello = pgMessage(hello, 'Z', []byte{'I'})
	if _, err := c.Write(hello); err != nil {
		return
	}
	for {
		kind, body, err := pgRead(r)
		if err != nil || kind == 'X' {
			return
		}
		if _, err := c.Write(pgAnswer(kind, body)); err != nil {
			return
		}
	}
}

// pgStartup reads a packet without a type byte and returns its code.
func pgStartup(r io.Reader) (uint32, error) {
	var head [8]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return 0, err
	}
	size := binary.BigEndian.Uint32(head[:])
	if size < 8 || size > 10000 { // the server's own limit
		return 0, fmt.Errorf("startup packet of %d bytes", size)
	}
	_, err := io.CopyN(io.Discard, r, int64(size)-8)
	return binary.BigEndian.Uint32(head[4:]), err
}

func pgRead(r io.Reader) (kind byte, body []byte, err error) {
	var head [5]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return 0, nil, err
	}
	size := binary.BigEndian.Uint32(head[1:])
	if size < 4 || size > 1<<20 {
		return 0, nil, fmt.Errorf("message of %d bytes", size)
	}
	body = make([]byte, size-4)
	_, err = io.ReadFull(r, body)
	return head[0], body, err
}

func pgMessage(dst []byte, kind byte, body []byte) []byte {
	dst = append(dst, kind)
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(body)+4))
	return append(dst, body...)
}

func pgAnswer(kind byte, body []byte) []byte {
	if kind != 'Q' {
		fail := pgMessage(nil, 'E', []byte("SERROR\x00C0A000\x00Mthe simulated database knows simple queries only\x00\x00"))
		return pgMessage(fail, 'Z', []byte{'I'})
	}
	query := strings.TrimRight(string(body), "\x00")
	value := "ssmdeck simulated database, you asked: " + query
	row := []byte{0, 1}                         // one column
	row = append(row, "?column?\x00"...)        // its name
	row = append(row, 0, 0, 0, 0, 0, 0)         // of no table
	row = append(row, 0, 0, 0, 25, 255, 255)    // text, variable size
	row = append(row, 255, 255, 255, 255, 0, 0) // no modifier, text format
	data := binary.BigEndian.AppendUint32([]byte{0, 1}, uint32(len(value)))
	answer := pgMessage(nil, 'T', row)
	answer = pgMessage(answer, 'D', append(data, value...))
	answer = pgMessage(answer, 'C', []byte("SELECT 1\x00"))
	return pgMessage(answer, 'Z', []byte{'I'})
}
