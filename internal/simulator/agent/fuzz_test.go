package agent

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"testing"
	"time"

	"github.com/ssmdeck/ssmdeck/sessionclient/wire"
)

// FuzzClientFrames feeds arbitrary frames to an agent in each state: nothing may
// panic, and what is kept is bounded by what came.
func FuzzClientFrames(f *testing.F) {
	var file struct{ Cases []scenario }
	readJSON(f, "agent_scenarios.json", &file)
	for _, c := range file.Cases {
		var input []byte
		for _, s := range c.Steps {
			if b, err := hex.DecodeString(s.InHex); err == nil && len(b) > 0 {
				input = append(binary.BigEndian.AppendUint16(input, uint16(len(b))), b...)
			}
		}
		for state := range uint8(7) {
			f.Add(state, input)
		}
	}
	f.Fuzz(func(t *testing.T, state uint8, input []byte) {
		p := newPeer(nil)
		kinds := []string{
			"Standard_Stream", "Standard_Stream", "Port", "Port", "Port", "NonInteractiveCommands", "Standard_Stream",
		}
		kind := int(state) % len(kinds)
		s := spec(kinds[kind], `{"portNumber":"1","type":"LocalPortForwarding"}`)
		switch kinds[kind] {
		case "NonInteractiveCommands":
			s.Properties = []byte(separate)
		case "Standard_Stream":
			s.Properties = nil
		}
		if kind == 0 || kind == 6 {
			s.KMSKeyID = "key"
		}
		w := newWorker(t.Context(), Config{
			Spec: s, Node: node(), Dial: p.dial, Keys: &keys{plain: make([]byte, dataKeySize)},
		})
		defer w.timer.Stop()
		w.conn = p.conn
		w.cfg.Node.Machine = &machine{}
		if kind != 0 && kind != 6 { // else in the middle of the handshake
			w.hs.stage = stageOpen
			w.hs.clientVersion = []string{"", "1.2.677.0", "1.0.0.0"}[kind%3]
			h, err := newHandler(w)
			if err != nil {
				t.Fatal(err)
			}
			w.h = h
		} else {
			w.ch.write(time.Now(), wire.PayloadHandshakeRequest, w.hs.begin(time.Now()))
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel() // whatever is started ends at once
		w.ch.deliver = func(m *message) verdict { return w.deliver(ctx, m) }
		feed(w, p, input)
		if messages, bytes := w.ch.recv.Held(); bytes > len(input) || messages > len(input)/100+1 {
			t.Errorf("%d messages of %d bytes kept of %d bytes", messages, bytes, len(input))
		}
		w.out.close(true)
		w.group.Wait()
	})
}

// message is input, whose name the fuzz argument takes.
type message = input

// feed gives the worker one frame after the other, each behind its length.
func feed(w *worker, p *peer, input []byte) {
	now := time.Now()
	for len(input) >= 2 && w.conn != nil {
		n := min(int(binary.BigEndian.Uint16(input)), len(input)-2)
		w.conn.In.Push(input[2 : 2+n])
		input = input[2+n:]
		w.receive(now)
		now = now.Add(time.Millisecond)
		w.ch.offer(now)
		w.pump(now)
		p.conn.Out.Take(nil)
	}
}
