package sessionclient

import (
	"bufio"
	"bytes"
	"crypto/sha1"
	"encoding/base64"
	"encoding/binary"
	"io"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/ssmdeck/ssmdeck/sessionclient/wire"
)

// fastPeer is service and agent in one, on a real socket, with a websocket of
// its own: it costs little and allocates nothing per message, so that
// measurements are those of the client. It trusts the client and TCP: no digest
// is checked, nothing is resent. What the client sends again is not taken again.
type fastPeer struct {
	tb    testing.TB
	conn  net.Conn
	in    *bufio.Reader
	buf   []byte // the message last read
	head  [14]byte
	mask  [8]byte
	input func(p *fastPeer, payload []byte)
	next  int64 // the number of the next message of the client

	mu     sync.Mutex // of what follows
	room   sync.Cond
	out    []byte
	frame  []byte
	seq    int64 // of the next message
	unread int   // messages not acknowledged
	over   bool
}

// peerWindow is how many messages the peer sends without an acknowledgement.
const peerWindow = 1000

// dialFast starts a peer and a session with it. input is called with the payload
// of every data message.
func dialFast(tb testing.TB, input func(*fastPeer, []byte), opts ...Option) (*Session, *fastPeer) {
	tb.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	defer l.Close()
	p := &fastPeer{tb: tb, input: input}
	p.room.L = &p.mu
	served, accepted := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(served)
		conn, err := l.Accept()
		if err != nil {
			tb.Error(err)
			return
		}
		p.conn, p.in = conn, bufio.NewReaderSize(conn, 256<<10)
		close(accepted)
		p.serve()
	}()
	s, err := Dial(tb.Context(), Ticket{SessionID: "s", Token: "t", StreamURL: "ws://" + l.Addr().String()}, opts...)
	if err != nil {
		tb.Fatal(err)
	}
	<-accepted
	tb.Cleanup(func() {
		s.Abort()
		_ = p.conn.Close()
		<-served
	})
	if _, err := s.Next(); err != nil {
		tb.Fatal(err)
	}
	return s, p
}

func (p *fastPeer) serve() {
	defer func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.over = true
		p.room.Broadcast()
	}()
	r, err := http.ReadRequest(p.in)
	if err != nil {
		p.tb.Error(err)
		return
	}
	key := sha1.Sum([]byte(r.Header.Get("Sec-WebSocket-Key") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	_, _ = io.WriteString(p.conn, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "+
		base64.StdEncoding.EncodeToString(key[:])+"\r\n\r\n")
	p.send([]byte("$"))
	for {
		opcode, err := p.read()
		if err != nil || opcode == 8 {
			return
		}
		if opcode == 2 {
			p.take()
		}
		if p.in.Buffered() == 0 && p.flush() != nil {
			return
		}
	}
}

// read reads one frame of the client, which is masked, into buf.
func (p *fastPeer) read() (opcode byte, err error) {
	h := &p.head
	if _, err := io.ReadFull(p.in, h[:2]); err != nil {
		return 0, err
	}
	n, rest := uint64(h[1]&0x7f), h[2:2]
	switch n {
	case 126:
		rest = h[2:4]
	case 127:
		rest = h[2:10]
	}
	if _, err := io.ReadFull(p.in, rest); err != nil {
		return 0, err
	}
	if len(rest) > 0 {
		n = 0
		for _, b := range rest {
			n = n<<8 | uint64(b)
		}
	}
	mask := &p.mask
	if _, err := io.ReadFull(p.in, mask[:4]); err != nil {
		return 0, err
	}
	copy(mask[4:], mask[:4])
	if uint64(cap(p.buf)) < n {
		p.buf = make([]byte, n)
	}
	p.buf = p.buf[:n]
	if _, err := io.ReadFull(p.in, p.buf); err != nil {
		return 0, err
	}
	key, b := binary.LittleEndian.Uint64(mask[:]), p.buf
	for ; len(b) >= 8; b = b[8:] {
		binary.LittleEndian.PutUint64(b, binary.LittleEndian.Uint64(b)^key)
	}
	for i := range b {
		b[i] ^= mask[i]
	}
	return h[0] & 0x0f, nil
}

// take handles the message in buf.
func (p *fastPeer) take() {
	m, err := wire.Parse(p.buf)
	if err != nil {
		p.tb.Error(err)
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	switch m.Type {
	case wire.Acknowledge:
		p.unread--
		p.room.Signal()
	case wire.InputStreamData:
		var payload [256]byte
		p.append(&wire.Message{
			Type: wire.Acknowledge, Flags: 3, Created: 1, ID: m.ID,
			Payload: wire.AppendAck(payload[:0], wire.Ack{MessageType: wire.InputStreamData, MessageID: m.ID, Seq: m.Seq}),
		})
		if m.Seq != p.next { // it waited too long for our acknowledgement; TCP keeps the order
			return
		}
		p.next++
		if p.input != nil {
			p.input(p, m.Payload)
		}
	}
}

// append queues a message as a frame. mu is held.
func (p *fastPeer) append(m *wire.Message) {
	frame, err := wire.Append(p.frame[:0], m)
	if err != nil {
		p.tb.Error(err)
	}
	p.frame = frame
	switch n := len(frame); {
	case n < 126:
		p.out = append(p.out, 0x82, byte(n))
	case n < 1<<16:
		p.out = binary.BigEndian.AppendUint16(append(p.out, 0x82, 126), uint16(n))
	default:
		p.out = binary.BigEndian.AppendUint64(append(p.out, 0x82, 127), uint64(n))
	}
	p.out = append(p.out, frame...)
}

// output queues an Output message. mu is held.
func (p *fastPeer) output(payload []byte) {
	p.append(&wire.Message{Type: wire.OutputStreamData, PayloadType: wire.PayloadOutput, Created: 1, Seq: p.seq, Payload: payload})
	p.seq++
	p.unread++
}

// send writes an Output message when the window has room.
func (p *fastPeer) send(payload []byte) {
	p.mu.Lock()
	for p.unread >= peerWindow && !p.over {
		if len(p.out) > 0 {
			p.mu.Unlock()
			_ = p.flush()
			p.mu.Lock()
			continue
		}
		p.room.Wait()
	}
	p.output(payload)
	full := len(p.out) >= 64<<10 || p.unread == 1
	p.mu.Unlock()
	if full {
		_ = p.flush()
	}
}

// flush writes what is queued.
func (p *fastPeer) flush() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.out) == 0 {
		return nil
	}
	_, err := p.conn.Write(p.out)
	p.out = p.out[:0]
	return err
}

// TestFastPeer holds the peer of the benchmarks itself to the truth, also when it is
// so slow that the client sends again.
func TestFastPeer(t *testing.T) {
	var got bytes.Buffer
	received, resent := make(chan struct{}), make(chan struct{})
	s, p := dialFast(t, func(p *fastPeer, b []byte) {
		<-resent
		if got.Write(b); got.Len() == 1<<20 {
			close(received)
		}
	})
	data := bytes.Repeat([]byte("0123456789abcdef"), 1<<16)
	if _, err := s.Write(data[:16]); err != nil {
		t.Fatal(err)
	}
	for s.Stats().Resends == 0 {
		time.Sleep(time.Millisecond) // a counter tells nobody
	}
	close(resent)
	if _, err := s.Write(data[16:]); err != nil {
		t.Fatal(err)
	}
	<-received
	if !bytes.Equal(got.Bytes(), data) {
		t.Error("the peer got something else")
	}
	go func() {
		for b := data; len(b) > 0; b = b[min(len(b), 1000):] {
			p.send(b[:min(len(b), 1000)])
		}
		_ = p.flush()
	}()
	back := make([]byte, len(data))
	if _, err := io.ReadFull(s, back); err != nil || !bytes.Equal(back, data) {
		t.Errorf("read something else, %v", err)
	}
}
