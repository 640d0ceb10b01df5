package gateway

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/ssmdeck/ssmdeck/sessionclient/wire"
)

// BenchmarkMux measures one unpaced port session over loopback with 1 KiB
// payloads, from a client that does as little as possible itself.
func BenchmarkMux(b *testing.B) {
	b.Run("upload", benchmarkUpload)
	b.Run("download", benchmarkDownload)
	b.Run("echo", benchmarkEcho)
}

// rawClient has shaken hands and opened stream 3 to the destination.
type rawClient struct {
	b    *testing.B
	ws   *websocket.Conn
	cork *cork
	mu   sync.Mutex
	cond *sync.Cond
	sent int64
	got  int64 // acknowledgements
}

func newRawClient(b *testing.B, port int) *rawClient {
	r := newRig(b, nil)
	spec := r.spec("Port", forwarding(port))
	token, url, err := r.Open(b.Context(), spec)
	if err != nil {
		b.Fatal(err)
	}
	k := &rawClient{b: b}
	k.cond = sync.NewCond(&k.mu)
	// The client of the benchmark gathers its writes as a fast client would.
	transport := &http.Transport{DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
		c, err := (&net.Dialer{}).DialContext(ctx, network, addr)
		k.cork = &cork{Conn: c}
		return k.cork, err
	}}
	k.ws, _, err = websocket.Dial(b.Context(), url, &websocket.DialOptions{HTTPClient: &http.Client{Transport: transport}})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = k.ws.CloseNow() })
	k.ws.SetReadLimit(1 << 20)
	text := wire.Marshal(wire.OpenDataChannel{MessageSchemaVersion: "1.0", TokenValue: token, ClientVersion: clientVersion})
	if err := k.ws.Write(b.Context(), websocket.MessageText, text); err != nil {
		b.Fatal(err)
	}
	for ready := false; !ready; {
		m := k.read()
		switch m.PayloadType {
		case wire.PayloadHandshakeRequest:
			k.send(wire.PayloadHandshakeResponse, []byte(`{"ClientVersion":"`+clientVersion+`","ProcessedClientActions":[]}`))
		case wire.PayloadHandshakeComplete:
			ready = true
		}
	}
	k.send(wire.PayloadOutput, frame(0, nil))
	return k
}

// frame is one frame of the multiplexer for stream 3.
func frame(cmd byte, data []byte) []byte {
	f := []byte{1, cmd, 0, 0, 3, 0, 0, 0}
	binary.LittleEndian.PutUint16(f[2:], uint16(len(data)))
	return append(f, data...)
}

// read returns the next message that is not an acknowledgement, acknowledged.
func (k *rawClient) read() wire.Message {
	for {
		_, raw, err := k.ws.Read(context.Background())
		if err != nil {
			return wire.Message{}
		}
		m, err := wire.Decode(raw)
		if err != nil {
			k.b.Error(err)
		}
		switch m.Type {
		case wire.Acknowledge:
			k.mu.Lock()
			k.got++
			k.mu.Unlock()
			k.cond.Broadcast()
		case wire.OutputStreamData:
			k.acknowledge(&m)
			return m
		}
	}
}

func (k *rawClient) acknowledge(m *wire.Message) {
	payload := wire.AppendAck(nil, wire.Ack{MessageType: m.Type, MessageID: m.ID, Seq: m.Seq})
	ack, _ := wire.Append(nil, &wire.Message{Type: wire.Acknowledge, Created: 1, Flags: 3, Payload: payload})
	_ = k.ws.Write(context.Background(), websocket.MessageBinary, ack)
}

func (k *rawClient) send(t wire.PayloadType, payload []byte) {
	msg, err := wire.Append(nil, &wire.Message{
		Type: wire.InputStreamData, Created: 1, Seq: k.sent, PayloadType: t, Payload: payload,
	})
	if err != nil {
		k.b.Fatal(err)
	}
	k.sent++
	if err := k.ws.Write(context.Background(), websocket.MessageBinary, msg); err != nil {
		k.b.Fatal(err)
	}
}

func benchmarkUpload(b *testing.B) {
	var got int64
	done := make(chan struct{})
	port := server(b, func(c net.Conn) {
		got, _ = io.Copy(io.Discard, bufio.NewReaderSize(c, 256<<10))
		close(done)
	})
	k := newRawClient(b, port)
	go func() {
		for k.read().Type != "" {
		}
	}()
	data := frame(2, bytes.Repeat([]byte{7}, 1016))
	b.SetBytes(1016)
	b.ReportAllocs()
	b.ResetTimer()
	k.cork.put()
	for i := range b.N {
		if i%64 == 0 {
			_ = k.cork.pull()
			k.mu.Lock()
			for k.sent-k.got > 4000 {
				k.cond.Wait()
			}
			k.mu.Unlock()
			k.cork.put()
		}
		k.send(wire.PayloadOutput, data)
	}
	_ = k.cork.pull()
	k.send(wire.PayloadOutput, frame(1, nil))
	<-done
	b.StopTimer()
	if want := int64(b.N) * 1016; got != want {
		b.Errorf("destination got %d bytes, want %d", got, want)
	}
}

func benchmarkDownload(b *testing.B) {
	port := server(b, func(c net.Conn) {
		data := make([]byte, 1016)
		w := bufio.NewWriterSize(c, 64<<10)
		for range b.N {
			_, _ = w.Write(data)
		}
		_ = w.Flush()
		_ = c.(*net.TCPConn).CloseWrite()
		_, _ = io.Copy(io.Discard, c)
	})
	b.SetBytes(1016)
	b.ReportAllocs()
	k := newRawClient(b, port)
	b.ResetTimer()
	payload := 0
	for payload < b.N*1016 {
		m := k.read()
		if m.Type == "" {
			b.Fatal("connection lost")
		}
		payload += len(m.Payload)
	}
}

func benchmarkEcho(b *testing.B) {
	k := newRawClient(b, server(b, echo))
	data := frame(2, []byte("0123456789abcdef"))
	var worst time.Duration
	b.ResetTimer()
	for range b.N {
		began := time.Now()
		k.send(wire.PayloadOutput, data)
		k.read()
		worst = max(worst, time.Since(began))
	}
	b.ReportMetric(float64(worst.Microseconds()), "µs-worst")
}
