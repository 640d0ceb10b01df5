package portforward

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"slices"
)

// SOCKS version 5 (RFC 1928) and 4 with its extension 4a for names.
const (
	socksConnect = 1

	socks5NoAuth   = 0x00
	socks5NoMethod = 0xff
	socks5IPv4     = 1
	socks5Name     = 3
	socks5IPv6     = 4

	socks4Granted  = 0x5a
	socks4Rejected = 0x5b
	// socks4Text is the longest user id or name taken.
	socks4Text = 255
)

var errAuth = errors.New("the program insists on a SOCKS login; there is none here")

// readSocks5 reads the greeting, answers it and reads the request.
func readSocks5(br *bufio.Reader, w io.Writer) (ask, error) {
	head := make([]byte, 2) // version, number of methods
	if _, err := io.ReadFull(br, head); err != nil {
		return ask{}, err
	}
	methods := make([]byte, head[1])
	if _, err := io.ReadFull(br, methods); err != nil {
		return ask{}, err
	}
	if !slices.Contains(methods, socks5NoAuth) {
		return ask{}, &askError{reply: []byte{5, socks5NoMethod}, err: errAuth}
	}
	if _, err := w.Write([]byte{5, socks5NoAuth}); err != nil {
		return ask{}, err
	}
	request := make([]byte, 4) // version, command, reserved, kind of address
	if _, err := io.ReadFull(br, request); err != nil {
		return ask{}, err
	}
	if request[0] != 5 {
		return ask{}, &askError{reply: socks5Reply(byte(generalFailure)), err: fmt.Errorf("a SOCKS5 request of version %d", request[0])}
	}
	name, port, err := readSocks5Address(br, request[3])
	if err != nil {
		return ask{}, err
	}
	if request[1] != socksConnect {
		return ask{}, &askError{reply: socks5Reply(byte(badCommand)), err: errCommand(request[1])}
	}
	spec, err := proxySpec(name, port)
	if err != nil {
		return ask{}, &askError{reply: socks5Reply(byte(hostUnreachable)), err: err}
	}
	return ask{spec: spec, yes: socks5Reply(0), no: func(r refusal, _ error) []byte { return socks5Reply(byte(r)) }}, nil
}

func readSocks5Address(br *bufio.Reader, kind byte) (name string, port int, err error) {
	length := 0
	switch kind {
	case socks5IPv4:
		length = 4
	case socks5IPv6:
		length = 16
	case socks5Name:
		n, err := br.ReadByte()
		if err != nil {
			return "", 0, err
		}
		length = int(n)
	default:
		return "", 0, &askError{reply: socks5Reply(byte(badAddress)), err: fmt.Errorf("a SOCKS5 address of kind %d", kind)}
	}
	b := make([]byte, length+2)
	if _, err := io.ReadFull(br, b); err != nil {
		return "", 0, err
	}
	name = string(b[:length])
	if kind != socks5Name {
		addr, _ := netip.AddrFromSlice(b[:length]) // 4 or 16 bytes
		name = addr.String()
	}
	return name, int(binary.BigEndian.Uint16(b[length:])), nil
}

// socks5Reply is a reply without the address we are bound to, which is the
// agent's and which it does not tell.
func socks5Reply(code byte) []byte { return []byte{5, code, 0, socks5IPv4, 0, 0, 0, 0, 0, 0} }

func readSocks4(br *bufio.Reader) (ask, error) {
	head := make([]byte, 8) // version, command, port, address
	if _, err := io.ReadFull(br, head); err != nil {
		return ask{}, err
	}
	if _, err := readText(br); err != nil { // the user id
		return ask{}, err
	}
	ip := head[4:8]
	addr, _ := netip.AddrFromSlice(ip)
	name := addr.String()
	if bytes.Equal(ip[:3], []byte{0, 0, 0}) && ip[3] != 0 { // 4a
		var err error
		if name, err = readText(br); err != nil {
			return ask{}, err
		}
	}
	reject := socks4Reply(socks4Rejected)
	if head[1] != socksConnect {
		return ask{}, &askError{reply: reject, err: errCommand(head[1])}
	}
	spec, err := proxySpec(name, int(binary.BigEndian.Uint16(head[2:])))
	if err != nil {
		return ask{}, &askError{reply: reject, err: err}
	}
	return ask{spec: spec, yes: socks4Reply(socks4Granted), no: func(refusal, error) []byte { return reject }}, nil
}

// readText reads up to a NUL.
func readText(br *bufio.Reader) (string, error) {
	var text []byte
	for {
		switch c, err := br.ReadByte(); {
		case err != nil:
			return "", err
		case c == 0:
			return string(text), nil
		case len(text) == socks4Text:
			return "", &askError{reply: socks4Reply(socks4Rejected), err: errors.New("a SOCKS4 request with an endless text")}
		default:
			text = append(text, c)
		}
	}
}

func socks4Reply(code byte) []byte { return []byte{0, code, 0, 0, 0, 0, 0, 0} }

func errCommand(c byte) error {
	switch c {
	case 2:
		return errors.New("SOCKS BIND is not possible through a session")
	case 3:
		return errors.New("SOCKS UDP is not possible through a session")
	default:
		return fmt.Errorf("there is no SOCKS command %d", c)
	}
}
