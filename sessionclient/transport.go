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
	"unicode"

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

// What a Conn may have besides.
type (
	// batcher writes several messages, one frame each, in few writes.
	batcher interface {
		WriteBatch(messages [][]byte) error
	}
	// pinger can be asked whether the peer is alive. Ping returns when the
	// answer came; Heard is when anything at all last did.
	pinger interface {
		Ping(ctx context.Context) error
		Heard() time.Time
	}
	// opener wants the text that presents the token.
	opener interface {
		open(ctx context.Context, message []byte) error
	}
)

// errTooBig and errText are violations that no reconnection cures.
var (
	errTooBig = errors.New("the service sent a message of more than 1 MiB")
	errText   = errors.New("the service sent a text message where only binary ones are expected")
)

// UpgradeError is the HTTP answer to a refused websocket upgrade.
type UpgradeError struct {
	Status int
	Text   string // what the server said, shortened, without control characters
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

// closeError is a close frame of the service.
type closeError struct {
	code   websocket.StatusCode
	reason string
}

func (e *closeError) Error() string {
	s := fmt.Sprintf("the service closed the connection (%d", e.code)
	if e.reason != "" {
		s += " " + e.reason
	}
	return s + ")"
}

// dialWebsocket opens the data channel of t. Redirects are not followed: they
// would take signature and token to a place that nobody vouches for.
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
	client := http.Client{}
	if c.httpClient != nil {
		client = *c.httpClient
	}
	tap := &tap{base: client.Transport}
	if tap.base == nil {
		tap.base = http.DefaultTransport
	}
	client.Transport = tap
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	//nolint:bodyclose // the library documents that the body needs no closing
	ws, resp, err := websocket.Dial(ctx, t.StreamURL, &websocket.DialOptions{
		HTTPClient: &client, HTTPHeader: header, CompressionMode: websocket.CompressionDisabled,
	})
	if err != nil {
		return nil, dialError(resp, err)
	}
	ws.SetReadLimit(wire.MaxMessage)
	return &webConn{ws: ws, stream: tap.stream, scratch: make([]byte, 4<<10)}, nil
}

// openMessage is the text frame that presents the token. clientID is fixed for
// the life of a session.
func openMessage(t Ticket, clientID string) []byte {
	return wire.Marshal(wire.OpenDataChannel{
		MessageSchemaVersion: wire.SchemaVersion,
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
	if resp == nil {
		// The library's error repeats the URL; the innermost cause says enough.
		var u *url.Error
		if errors.As(err, &u) {
			err = u.Err
		}
		return fmt.Errorf("connect to the message gateway: %w", err)
	}
	text := ""
	switch {
	case resp.StatusCode == http.StatusSwitchingProtocols:
		text = "but does not speak websocket"
	case resp.Body != nil:
		b, _ := io.ReadAll(io.LimitReader(resp.Body, 300))
		text = plainText(string(b))
	}
	return &UpgradeError{Status: resp.StatusCode, Text: text}
}

// plainText makes one line of what a stranger says.
func plainText(s string) string {
	s = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) || r == unicode.ReplacementChar {
			return ' '
		}
		return r
	}, s)
	return strings.Join(strings.Fields(s), " ")
}

// closeWait is how long the answer to our close frame is waited for.
const closeWait = 150 * time.Millisecond

// webConn is a Conn over a websocket.
type webConn struct {
	ws      *websocket.Conn
	stream  *stream
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
		return &closeError{code: closed.Code, reason: plainText(closed.Reason)}
	}
	return fmt.Errorf("the connection broke: %w", err)
}

// Write sends one message as one frame. No deadline is set: a peer that is dead
// is found by pings, and Close unblocks.
func (w *webConn) Write(message []byte) error {
	return w.ws.Write(context.Background(), websocket.MessageBinary, message)
}

// WriteBatch sends each message as a frame.
func (w *webConn) WriteBatch(messages [][]byte) error {
	w.stream.hold()
	for _, m := range messages {
		err := w.Write(m)
		if err == nil {
			err = w.stream.ease()
		}
		if err != nil {
			return err
		}
	}
	return w.stream.release()
}

// open sends the opening text.
func (w *webConn) open(ctx context.Context, message []byte) error {
	return w.ws.Write(ctx, websocket.MessageText, message)
}

func (w *webConn) Ping(ctx context.Context) error { return w.ws.Ping(ctx) }

func (w *webConn) Heard() time.Time { return time.Unix(0, w.stream.heard.Load()) }

// Close drops the connection after a short attempt at a close frame. The library
// alone would wait up to 5 s for an answer.
func (w *webConn) Close() error {
	cut := time.AfterFunc(closeWait, func() { _ = w.stream.Close() })
	defer cut.Stop()
	return w.ws.Close(websocket.StatusNormalClosure, "")
}
