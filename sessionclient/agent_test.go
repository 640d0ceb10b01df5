package sessionclient

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/ssmdeck/ssmdeck/sessionclient/reliable"
	"github.com/ssmdeck/ssmdeck/sessionclient/wire"
)

// agent plays the far end in tests: it speaks wire and reliable over pipes, with
// its own loop. The simulator has a complete one; this one does just what a test
// scripts it to do, in virtual time.
type agent struct {
	t       *testing.T
	mu      sync.Mutex
	snd     *reliable.Sender
	rcv     *reliable.Receiver[item]
	conn    Conn
	onInput func(a *agent, typ wire.PayloadType, payload []byte) // called with mu held
	acks    map[int64]int
	raw     []wire.Message // everything received, in order of arrival
	noAck   bool
	stopped chan struct{}
}

func newAgent(t *testing.T, onInput func(*agent, wire.PayloadType, []byte)) *agent {
	return &agent{
		t: t, onInput: onInput, acks: map[int64]int{}, stopped: make(chan struct{}),
		snd: reliable.NewSender(reliable.Window{Bytes: 4 << 20, Messages: 4096}),
		rcv: reliable.NewReceiver[item](reliable.Limits{}),
	}
}

// serve handles one connection until it breaks.
func (a *agent) serve(conn Conn) {
	a.mu.Lock()
	a.conn = conn
	a.snd.Reconnected(time.Now())
	a.mu.Unlock()
	done := make(chan struct{})
	go func() {
		ticker := time.NewTicker(20 * time.Millisecond)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
				a.mu.Lock()
				if a.conn == conn {
					a.snd.Expire(time.Now())
					a.flush()
				}
				a.mu.Unlock()
			case <-done:
				return
			}
		}
	}()
	defer close(done)
	for {
		b, err := conn.Read()
		if err != nil {
			return
		}
		m, err := wire.Decode(b)
		if err != nil {
			continue
		}
		a.mu.Lock()
		a.take(m)
		a.flush()
		a.mu.Unlock()
	}
}

func (a *agent) take(m wire.Message) {
	a.raw = append(a.raw, m)
	switch m.Type {
	case wire.Acknowledge:
		ack, err := wire.ParseAck(m.Payload)
		if err != nil {
			a.t.Errorf("client sent a malformed acknowledge: %v", err)
			return
		}
		a.acks[ack.Seq]++
		a.snd.Acked(time.Now(), ack.Seq)
	case wire.InputStreamData:
		if a.noAck {
			return
		}
		if a.rcv.Receive(m.Seq, len(m.Payload), item{m.PayloadType, m.Payload}) {
			a.post(&wire.Message{
				Type: wire.Acknowledge, Flags: 3,
				Payload: wire.AppendAck(nil, wire.Ack{MessageType: wire.InputStreamData, MessageID: m.ID, Seq: m.Seq}),
			})
		}
		for {
			it, ok := a.rcv.Take()
			if !ok {
				return
			}
			a.onInput(a, it.typ, it.payload)
		}
	}
}

// send queues one numbered message to the client.
func (a *agent) send(typ wire.PayloadType, payload []byte) {
	m := wire.Message{Type: wire.OutputStreamData, Seq: a.snd.NextSeq(), PayloadType: typ, Payload: payload, ID: wire.NewUUID(), Created: 1}
	if m.Seq == 0 {
		m.Flags = wire.FlagSyn
	}
	frame, err := wire.Append(nil, &m)
	if err != nil {
		a.t.Errorf("agent: %v", err)
		return
	}
	a.snd.Push(frame)
}

func (a *agent) flush() {
	for {
		frame, ok := a.snd.Next(time.Now())
		if !ok {
			return
		}
		if a.conn != nil {
			_ = a.conn.Write(frame)
		}
	}
}

// post sends an unnumbered message.
func (a *agent) post(m *wire.Message) {
	m.ID, m.Created = wire.NewUUID(), 1
	frame, err := wire.Append(nil, m)
	if err != nil {
		a.t.Errorf("agent: %v", err)
		return
	}
	if a.conn != nil {
		_ = a.conn.Write(frame)
	}
}

// do runs f with the lock and sends what it queued.
func (a *agent) do(f func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	f()
	a.flush()
}

// closeChannel is the service's channel_closed.
func (a *agent) closeChannel(output string) {
	payload, _ := json.Marshal(wire.Closed{MessageType: "channel_closed", SchemaVersion: 1, Output: output})
	frame, err := wire.AppendService(nil, &wire.Message{Type: wire.ChannelClosed, Created: 1, Payload: payload})
	if err != nil {
		a.t.Errorf("agent: %v", err)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	_ = a.conn.Write(frame)
}

// drained reports whether everything sent was acknowledged.
func (a *agent) drained() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	n, _ := a.snd.InFlight()
	return n == 0
}

func request(version string, actions ...any) []byte {
	var req wire.HandshakeRequest
	req.AgentVersion = version
	for i := 0; i+1 < len(actions); i += 2 {
		req.RequestedClientActions = append(req.RequestedClientActions, wire.RequestedAction{
			ActionType: actions[i].(string), ActionParameters: wire.Marshal(actions[i+1]),
		})
	}
	return wire.Marshal(req)
}

// faults are the troubles of a pipe.
type faults struct {
	loss, dup, reorder float64
	delay              time.Duration
}

// pipeEnd is a Conn over channels with faults, made for virtual time.
type pipeEnd struct {
	in     chan []byte
	peer   *pipeEnd
	closed chan struct{}
	once   *sync.Once
	f      faults
	mu     sync.Mutex
	held   []byte
	rng    *rand.Rand
	next   int64 // for sent
}

func newPipe(f faults, seed uint64) (*pipeEnd, *pipeEnd) {
	closed, once := make(chan struct{}), new(sync.Once)
	mk := func(s uint64) *pipeEnd {
		return &pipeEnd{in: make(chan []byte, 1<<14), closed: closed, once: once, f: f, rng: rand.New(rand.NewPCG(s, seed))}
	}
	a, b := mk(1), mk(2)
	a.peer, b.peer = b, a
	return a, b
}

func (p *pipeEnd) Read() ([]byte, error) {
	select {
	case b := <-p.in:
		return b, nil
	case <-p.closed:
		return nil, errPipe
	}
}

func (p *pipeEnd) Write(b []byte) error {
	select {
	case <-p.closed:
		return errPipe
	default:
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.rng.Float64() < p.f.loss {
		return nil
	}
	b = bytes.Clone(b)
	if p.rng.Float64() < p.f.dup {
		p.pass(b)
	}
	if p.held != nil {
		p.pass(b)
		b, p.held = p.held, nil
	} else if p.rng.Float64() < p.f.reorder {
		p.held = b
		return nil
	}
	p.pass(b)
	return nil
}

func (p *pipeEnd) pass(b []byte) {
	if p.f.delay == 0 {
		select {
		case p.peer.in <- b:
		case <-p.closed:
		}
		return
	}
	time.AfterFunc(p.f.delay, func() {
		select {
		case p.peer.in <- b:
		case <-p.closed:
		}
	})
}

func (p *pipeEnd) Close() error {
	p.once.Do(func() { close(p.closed) })
	return nil
}
