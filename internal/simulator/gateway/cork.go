package gateway

import (
	"bufio"
	"net"
	"net/http"
	"sync"
)

// corkBytes is how much is gathered before it is written all the same.
const corkBytes = 64 << 10

// cork is a connection whose small writes can be gathered into one: the
// websocket library flushes after each message, and a system call for each of
// many small messages is most of what they cost.
type cork struct {
	net.Conn
	read []byte // was read ahead of the upgrade

	mu  sync.Mutex
	in  bool // writes are gathered
	buf []byte
}

// Read returns first what was read ahead.
func (c *cork) Read(b []byte) (int, error) {
	if len(c.read) > 0 {
		n := copy(b, c.read)
		c.read = c.read[n:]
		return n, nil
	}
	return c.Conn.Read(b)
}

// Write writes, or gathers when the cork is in.
func (c *cork) Write(b []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.in {
		return c.Conn.Write(b)
	}
	c.buf = append(c.buf, b...)
	if len(c.buf) < corkBytes {
		return len(b), nil
	}
	if err := c.flush(); err != nil {
		return 0, err
	}
	return len(b), nil
}

// put puts the cork in; pull takes it out and writes what was gathered.
func (c *cork) put() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.in = true
}

func (c *cork) pull() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.in = false
	return c.flush()
}

// flush writes what was gathered, with mu held.
func (c *cork) flush() error {
	if len(c.buf) == 0 {
		return nil
	}
	_, err := c.Conn.Write(c.buf)
	c.buf = c.buf[:0]
	return err
}

// corker is a ResponseWriter that puts a cork on the connection it gives away.
type corker struct {
	http.ResponseWriter
	conn *cork // set by Hijack
}

// Hijack takes over the connection, with a larger read buffer than the server's.
func (w *corker) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := http.NewResponseController(w.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	ahead, _ := rw.Reader.Peek(rw.Reader.Buffered()) // cannot fail: it is buffered
	w.conn = &cork{Conn: conn, read: append([]byte(nil), ahead...)}
	return w.conn, bufio.NewReadWriter(bufio.NewReaderSize(w.conn, corkBytes), bufio.NewWriter(w.conn)), nil
}
