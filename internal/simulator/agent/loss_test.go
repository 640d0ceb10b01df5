package agent

import (
	"bytes"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ssmdeck/ssmdeck/sessionclient/reliable"
	"github.com/ssmdeck/ssmdeck/sessionclient/wire"
)

// TestSilentlyDroppedOutputIsSentAgain has a client that throws away some of
// what it is sent, without a word, and holds no more ahead of a gap than real
// ones do. The window is full all the time.
func TestSilentlyDroppedOutputIsSentAgain(t *testing.T) {
	text := bytes.Repeat([]byte("0123456789abcdef"), 20_000<<10/16)
	for seed := range uint64(4) {
		synctest.Test(t, func(t *testing.T) {
			began := time.Now()
			p := newPeer(t)
			wait, _ := start(t, p, spec("NonInteractiveCommands", separate), printing(string(text)), Options{})
			p.shake("1.2.677.0")
			c := &droppingClient{
				peer: p, rng: rand.New(rand.NewPCG(seed, 1)), loss: 0.01 + float64(seed%2)/100,
				recv: reliable.NewReceiver[[]byte](reliable.Limits{}),
			}
			c.run(p.next)
			if r := wait(); r.Failed {
				t.Errorf("seed %d: result is %+v", seed, r)
			}
			got := append(p.output[wire.PayloadOutput], c.output...)
			if !bytes.Equal(got, text) {
				t.Errorf("seed %d: got %d bytes, want all %d as they were", seed, len(got), len(text))
			}
			if c.dropped < 150 || c.refused > 0 {
				t.Errorf("seed %d: %d messages dropped and %d refused, want many and none", seed, c.dropped, c.refused)
			}
			if took := time.Since(began); took > 30*time.Second {
				t.Errorf("seed %d: took %v, want at most 30s", seed, took)
			}
		})
	}
}

type droppingClient struct {
	*peer
	rng              *rand.Rand
	loss             float64
	recv             *reliable.Receiver[[]byte]
	output           []byte
	dropped, refused int
	deaf             int       // messages still to be dropped
	until            time.Time // and for how long at most: an outage lasts a time, however little is sent in it
}

// run takes output from number first on until the agent hangs up.
func (c *droppingClient) run(first int64) {
	for seq := range first { // the handshake
		c.recv.Receive(seq, 0, nil)
		c.recv.Take()
	}
	var msgs [][]byte
	for open := true; open; {
		<-c.conn.Out.Ready()
		time.Sleep(100 * time.Microsecond) // virtual: the way here
		msgs, open = c.conn.Out.Take(msgs)
		for _, raw := range msgs {
			c.one(raw)
		}
	}
}

func (c *droppingClient) one(raw []byte) {
	m, err := wire.Decode(raw)
	if err != nil {
		c.t.Fatal(err)
	}
	if m.Type != wire.OutputStreamData {
		return
	}
	if c.rng.Float64() < c.loss/100 {
		c.deaf, c.until = c.rng.IntN(500), time.Now().Add(10*time.Millisecond)
	}
	if time.Now().After(c.until) {
		c.deaf = 0
	}
	if c.deaf > 0 || c.rng.Float64() < c.loss {
		c.deaf = max(0, c.deaf-1)
		c.dropped++
		return
	}
	var payload []byte
	if m.PayloadType == wire.PayloadOutput {
		payload = m.Payload
	}
	if !c.recv.Receive(m.Seq, len(m.Payload)+heldOverhead, payload) {
		c.refused++
		return
	}
	c.ack(&m)
	for {
		b, ok := c.recv.Take()
		if !ok {
			return
		}
		c.output = append(c.output, b...)
	}
}
