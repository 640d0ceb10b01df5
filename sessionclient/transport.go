package sessionclient

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/coder/websocket"

	"github.com/ssmdeck/ssmdeck/sessionclient/wire"
)

// Conn is one connection of a data channel: whole binary messages each way. Read
// and Write may run concurrently with each other and with Close, which unblocks
// both. The slice that Read returns belongs to the caller; Write does not keep
// the one it is given.
type Conn interface {
	Read() ([]byte, error)
	Write(message []byte) error
	Close() error
}

// pinger is a Conn that can be asked whether the peer is alive. Ping returns
// when the answer came.
type pinger interface {
	Ping(ctx context.Context) error
}

// errTooBig and errText are violations that no reconnection cures.
var (
	errTooBig = errors.New("the service sent a message of more than 1 MiB")
	errText   = errors.New("the service sent a text message where only binary ones are expected")
)

// UpgradeError is the HTTP answer to a refused websocket upgrade.
type UpgradeError struct {
	Status int
	Text   string // what the server said, shortened
}

func (e *UpgradeError) Error() string {
	s := fmt.Sprintf("the message gateway answered %d %s", e.Status, http.StatusText(e.Status))
	if e.Text != "" {
		s += ": " + e.Text
	}
	if e.Status == http.StatusForbidden || e.Status == http.StatusUnauthorized {
		s += " (is ssmmessages:OpenDataChannel allowed?)"
	}
	return s
}

// dialWebsocket opens the data channel of t and sends its opening text.
func (c *config) dialWebsocket(ctx context.Context, t Ticket) (Conn, error) {
	if err := t.validate(); err != nil {
		return nil, err
	}
	header := http.Header{}
	if c.userAgent != "" {
		header.Set("User-Agent", c.userAgent)
	}
	if c.sign != nil {
		if err := c.signInto(ctx, t.StreamURL, header); err != nil {
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			c.onEvent(Event{Kind: Unsigned, Err: err})
		}
	}
	ws, resp, err := websocket.Dial(ctx, t.StreamURL, &websocket.DialOptions{
		HTTPClient: c.httpClient, HTTPHeader: header, CompressionMode: websocket.CompressionDisabled,
	})
	if err != nil {
		return nil, dialError(resp, err)
	}
	ws.SetReadLimit(wire.MaxMessage)
	return &webConn{ws: ws, scratch: make([]byte, 4<<10)}, nil
}

// openMessage is the text frame that presents the token. clientID is fixed for
// the life of a session.
func openMessage(t Ticket, clientID string) []byte {
	return wire.Marshal(wire.OpenDataChannel{
		MessageSchemaVersion: "1.0",
		RequestID:            wire.NewUUID().String(),
		TokenValue:           t.Token,
		ClientID:             clientID,
		ClientVersion:        ClientVersion,
	})
}

// signInto signs a request for exactly streamURL and takes over its headers; the
// URL itself is dialed unchanged.
func (c *config) signInto(ctx context.Context, streamURL string, header http.Header) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, streamURL, nil)
	if err != nil {
		return errors.New("the stream URL cannot be signed")
	}
	if err := c.sign(ctx, r); err != nil {
		return err
	}
	for _, name := range []string{"Authorization", "X-Amz-Date", "X-Amz-Security-Token"} {
		if v := r.Header.Get(name); v != "" {
			header.Set(name, v)
		}
	}
	return nil
}

func dialError(resp *http.Response, err error) error {
	if resp == nil || resp.StatusCode == http.StatusSwitchingProtocols {
		// The library's error repeats the URL; the innermost cause says enough.
		var u *url.Error
		if errors.As(err, &u) {
			err = u.Err
		}
		return fmt.Errorf("connect to the message gateway: %w", err)
	}
	text := ""
	if resp.Body != nil {
		b, _ := io.ReadAll(io.LimitReader(resp.Body, 300))
		text = strings.Join(strings.Fields(string(b)), " ")
	}
	return &UpgradeError{Status: resp.StatusCode, Text: text}
}

// closeWait is how long the answer to our close frame is waited for.
const closeWait = 150 * time.Millisecond

// webConn is a Conn over a websocket.
type webConn struct {
	ws      *websocket.Conn
	scratch []byte
}

func (w *webConn) Read() ([]byte, error) {
	typ, r, err := w.ws.Reader(context.Background())
	if err != nil {
		return nil, readError(err)
	}
	n := 0
	for {
		if n == len(w.scratch) {
			w.scratch = append(w.scratch, make([]byte, len(w.scratch))...)
		}
		m, err := r.Read(w.scratch[n:])
		n += m
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, readError(err)
		}
	}
	if typ != websocket.MessageBinary {
		return nil, errText
	}
	return append([]byte(nil), w.scratch[:n]...), nil
}

func readError(err error) error {
	if errors.Is(err, websocket.ErrMessageTooBig) {
		return errTooBig
	}
	var closed websocket.CloseError
	if errors.As(err, &closed) {
		return fmt.Errorf("the service closed the connection (%d %s)", closed.Code, closed.Reason)
	}
	return fmt.Errorf("the connection broke: %w", err)
}

// Write sends one message as one frame. No deadline is set: a peer that does not
// read is noticed by pings, and Close unblocks.
func (w *webConn) Write(message []byte) error {
	return w.ws.Write(context.Background(), websocket.MessageBinary, message)
}

// open sends the opening text.
func (w *webConn) open(message []byte) error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	return w.ws.Write(ctx, websocket.MessageText, message)
}

func (w *webConn) Ping(ctx context.Context) error { return w.ws.Ping(ctx) }

// Close drops the connection after a short attempt at a close frame.
func (w *webConn) Close() error {
	// The library waits up to 5 s for the peer's answer; a peer that is gone or
	// does not answer shall not hold us up.
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = w.ws.Close(websocket.StatusNormalClosure, "")
	}()
	select {
	case <-done:
		return nil
	case <-time.After(closeWait):
		err := w.ws.CloseNow()
		<-done
		return err
	}
}
