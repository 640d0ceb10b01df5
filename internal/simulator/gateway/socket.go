package gateway

import (
	"context"
	"errors"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/coder/websocket"
	"github.com/ssmdeck/ssmdeck/internal/simulator/agent/mailbox"
	"github.com/ssmdeck/ssmdeck/sessionclient/wire"
)

// socket is one websocket and the queue in front of its writer.
type socket struct {
	ws   *websocket.Conn
	conn *cork
	box  *mailbox.Box
	slab []byte // memory for incoming messages

	mu     sync.Mutex
	code   websocket.StatusCode // of the goodbye after the box is closed
	reason string
}

// accept upgrades a request. Compression is off and any origin is welcome. A
// message larger than limit bytes closes the socket with 1009.
func (g *Gateway) accept(w http.ResponseWriter, r *http.Request, limit int) (*socket, error) {
	c := &corker{ResponseWriter: w}
	ws, err := websocket.Accept(c, r, &websocket.AcceptOptions{
		InsecureSkipVerify: true, // any origin: this is not a browser's service
		CompressionMode:    websocket.CompressionDisabled,
	})
	if err != nil {
		return nil, err
	}
	if limit <= 0 {
		limit = wire.MaxMessage
	}
	ws.SetReadLimit(int64(limit))
	k := &socket{ws: ws, conn: c.conn, box: mailbox.New(boxBytes), code: websocket.StatusNormalClosure}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		k.kill()
		return nil, errClosed
	}
	g.sockets[k] = struct{}{}
	return k, nil
}

// release hangs up for good.
func (g *Gateway) release(k *socket) {
	k.kill()
	_ = k.ws.CloseNow()
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.sockets, k)
}

// kill drops the connection without a close frame: the peer sees 1006.
func (k *socket) kill() {
	_ = k.conn.Close()
	k.box.Close()
}

// bye closes the socket politely, after what waits in its box is written.
func (k *socket) bye(code websocket.StatusCode, reason string) {
	k.mu.Lock()
	k.code, k.reason = code, reason
	k.mu.Unlock()
	k.box.Close()
}

// write is the only writer: it runs until the box is closed or the peer has gone.
func (k *socket) write() {
	var msgs [][]byte
	for open := true; open; {
		<-k.box.Ready()
		msgs, open = k.box.Take(msgs)
		if k.writeAll(msgs) != nil {
			k.kill()
			return
		}
	}
	k.mu.Lock()
	code, reason := k.code, k.reason
	k.mu.Unlock()
	_ = k.ws.Close(code, reason) // waits for the peer's close frame, 5 s at most
}

// writeAll writes messages with as few system calls as possible.
func (k *socket) writeAll(msgs [][]byte) error {
	if len(msgs) > 1 {
		k.conn.put()
	}
	for _, msg := range msgs {
		// No context: kill ends a blocked write.
		if err := k.ws.Write(context.Background(), websocket.MessageBinary, msg); err != nil {
			return err
		}
	}
	if len(msgs) > 1 {
		return k.conn.pull()
	}
	return nil
}

// slabSize is how much memory is allocated at a time for incoming messages,
// which are small and many. minRead is the least a read asks for.
const (
	slabSize = 64 << 10
	minRead  = 2 << 10
)

// read returns the next message, in memory that is never used again. Kill ends
// a blocked read.
func (k *socket) read() (websocket.MessageType, []byte, error) {
	t, r, err := k.ws.Reader(context.Background())
	if err != nil {
		return 0, nil, err
	}
	from := len(k.slab)
	for {
		if cap(k.slab)-len(k.slab) < minRead {
			part := k.slab[from:]
			k.slab = append(make([]byte, 0, max(slabSize, 2*len(part)+minRead)), part...)
			from = 0
		}
		n, err := r.Read(k.slab[len(k.slab):cap(k.slab)])
		k.slab = k.slab[:len(k.slab)+n]
		if errors.Is(err, io.EOF) {
			to := len(k.slab)
			return t, k.slab[from:to:to], nil
		}
		if err != nil {
			return 0, nil, err
		}
	}
}

// opening reads the text frame that must come first, within openTimeout.
func (k *socket) opening(v any) error {
	t := time.AfterFunc(openTimeout, k.kill)
	defer t.Stop()
	kind, text, err := k.read()
	if err != nil {
		return err
	}
	if kind != websocket.MessageText {
		return errors.New("first frame is not text")
	}
	return wire.Unmarshal("opening", text, v)
}
