package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/simulator/agent/mailbox"
	"github.com/ssmdeck/ssmdeck/internal/simulator/shell"
	"github.com/ssmdeck/ssmdeck/internal/simulator/world"
	"github.com/ssmdeck/ssmdeck/sessionclient/wire"
)

func readJSON(t testing.TB, file string, v any) {
	t.Helper()
	b, err := os.ReadFile("testdata/" + file)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, v); err != nil {
		t.Fatal(file, err)
	}
}

// diff returns a description of the difference between want and got, or "".
func diff(want, got any) string {
	if reflect.DeepEqual(want, got) {
		return ""
	}
	return fmt.Sprintf("- %+v\n+ %+v", want, got)
}

// machine is a shell.Machine made of functions.
type machine struct {
	run   func(ctx context.Context, c shell.Command, io shell.IO) (int, error)
	start func(ctx context.Context, o shell.TTYOptions) (shell.TTY, error)
}

func (m *machine) Run(ctx context.Context, c shell.Command, io shell.IO) (int, error) {
	return m.run(ctx, c, io)
}

func (m *machine) Start(ctx context.Context, o shell.TTYOptions) (shell.TTY, error) {
	return m.start(ctx, o)
}

// echoTTY is a terminal whose program echoes what is typed until that is
// "exit\n".
type echoTTY struct {
	mu   sync.Mutex
	more sync.Cond // on mu
	buf  []byte
	over bool
	size [2]int
}

func newEchoTTY(greeting string) *echoTTY {
	t := &echoTTY{buf: []byte(greeting)}
	t.more.L = &t.mu
	return t
}

func (t *echoTTY) Read(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for len(t.buf) == 0 {
		if t.over {
			return 0, io.EOF
		}
		t.more.Wait()
	}
	n := copy(b, t.buf)
	t.buf = t.buf[n:]
	return n, nil
}

func (t *echoTTY) print(text string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.buf = append(t.buf, text...)
	t.more.Broadcast()
}

func (t *echoTTY) Write(b []byte) (int, error) {
	t.print(string(b))
	if string(b) == "exit\n" {
		_ = t.Close()
	}
	return len(b), nil
}

func (t *echoTTY) Close() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.over = true
	t.more.Broadcast()
	return nil
}

func (t *echoTTY) Resize(cols, rows int) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.size = [2]int{cols, rows}
	return nil
}

func (t *echoTTY) Wait() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	for !t.over {
		t.more.Wait()
	}
	return 0
}

// keys is a world.DataKeys that knows one key and records the context.
type keys struct {
	plain   []byte
	context map[string]string
	err     error
}

func (k *keys) Decrypt(_ context.Context, _ []byte, encContext map[string]string) ([]byte, error) {
	k.context = encContext
	return k.plain, k.err
}

var errRefused = errors.New("dial tcp 127.0.0.1:5432: connect: connection refused")

func spec(sessionType, properties string) world.SessionSpec {
	return world.SessionSpec{
		ID: "session-1", NodeID: "i-0123456789abcdef0", SessionType: sessionType,
		Properties: json.RawMessage(properties), IdleTimeout: time.Hour,
	}
}

func node() world.NodeRuntime {
	return world.NodeRuntime{
		ID: "i-0123456789abcdef0", Platform: "linux", AgentVersion: "3.3.0.0",
		Dial:    func(context.Context, string, int) (net.Conn, error) { return nil, errRefused },
		Resolve: func(string) error { return nil },
	}
}

// peer is the gateway and the client in one: the far end of an agent's Conn.
type peer struct {
	t      *testing.T
	conn   *Conn
	seq    int64
	next   int64 // number of the next output message wanted
	output map[wire.PayloadType][]byte
	types  []wire.PayloadType // of the messages, in order
	last   wire.Message
	mute   bool // acknowledge nothing
}

func newPeer(t *testing.T) *peer {
	return &peer{
		t: t, conn: &Conn{In: mailbox.New(4 << 20), Out: mailbox.New(4 << 20)}, output: map[wire.PayloadType][]byte{},
	}
}

func (p *peer) dial(context.Context) (*Conn, error) { return p.conn, nil }

// send sends one input message and returns its number.
func (p *peer) send(t wire.PayloadType, payload []byte) int64 {
	p.t.Helper()
	p.put(t, payload, p.seq)
	p.seq++
	return p.seq - 1
}

func (p *peer) put(t wire.PayloadType, payload []byte, seq int64) {
	p.t.Helper()
	b, err := wire.Append(nil, &wire.Message{
		Type: wire.InputStreamData, Created: 1, Seq: seq, ID: wire.NewUUID(), PayloadType: t, Payload: payload,
	})
	if err != nil {
		p.t.Fatal(err)
	}
	p.conn.In.Push(b)
}

func (p *peer) ack(m *wire.Message) {
	payload := wire.AppendAck(nil, wire.Ack{MessageType: m.Type, MessageID: m.ID, Seq: m.Seq})
	b, err := wire.Append(nil, &wire.Message{Type: wire.Acknowledge, Created: 1, Flags: 3, Payload: payload})
	if err != nil {
		p.t.Fatal(err)
	}
	p.conn.In.Push(b)
}

// until reads what the agent sends, acknowledging output, until a message
// pleases want. It reports false when the agent hangs up or 30 s have passed.
func (p *peer) until(want func(*wire.Message) bool) bool {
	p.t.Helper()
	timeout := time.After(30 * time.Second)
	for {
		select {
		case <-p.conn.Out.Ready():
		case <-timeout:
			return false
		}
		msgs, open := p.conn.Out.Take(nil)
		found := false
		for _, raw := range msgs {
			m, err := wire.Decode(raw)
			if err != nil {
				p.t.Fatal(err)
			}
			p.take(&m)
			found = found || want(&m)
		}
		if found {
			return true
		}
		if !open {
			return false
		}
	}
}

func (p *peer) take(m *wire.Message) {
	if m.Type != wire.OutputStreamData {
		return
	}
	if !p.mute {
		p.ack(m)
	}
	if m.Seq != p.next {
		return
	}
	p.next++
	p.output[m.PayloadType] = append(p.output[m.PayloadType], m.Payload...)
	p.types = append(p.types, m.PayloadType)
	p.last = *m
}

// untilType reads until an output message of type t comes.
func (p *peer) untilType(t wire.PayloadType) *wire.Message {
	p.t.Helper()
	var found wire.Message
	if !p.until(func(m *wire.Message) bool {
		if m.Type == wire.OutputStreamData && m.PayloadType == t {
			found = *m
			return true
		}
		return false
	}) {
		p.t.Fatalf("agent hung up without a message of payload type %d", t)
	}
	return &found
}

// shake answers the HandshakeRequest of a session without encryption.
func (p *peer) shake(version string) {
	p.t.Helper()
	p.untilType(wire.PayloadHandshakeRequest)
	p.send(wire.PayloadHandshakeResponse, response(version))
	p.untilType(wire.PayloadHandshakeComplete)
}

func response(version string) []byte {
	return wire.Marshal(wire.HandshakeResponse{
		ClientVersion:          version,
		ProcessedClientActions: []wire.ProcessedAction{{ActionType: wire.ActionSessionType, ActionStatus: 1}},
	})
}

// start runs an agent; the returned function waits for its result.
func start(t *testing.T, p *peer, s world.SessionSpec, n world.NodeRuntime, o Options) (wait func() Result, cancel func()) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan Result, 1)
	go func() {
		done <- Run(ctx, Config{Spec: s, Node: n, Dial: p.dial, Options: o, Keys: &keys{plain: make([]byte, dataKeySize)}})
	}()
	return func() Result { return <-done }, stop
}
