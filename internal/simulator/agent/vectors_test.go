package agent

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/simulator/shell"
	"github.com/ssmdeck/ssmdeck/internal/simulator/world"
	"github.com/ssmdeck/ssmdeck/sessionclient/wire"
)

func TestVersionGates(t *testing.T) {
	var file struct {
		Cases []struct {
			ClientVersion                          string
			AgentUsesMux                           bool
			AgentDisablesSmuxKeepAlive             bool
			AgentPrintsUpdateHintForSeparateOutput bool
		}
	}
	readJSON(t, "version_gates_agent.json", &file)
	for _, c := range file.Cases {
		if got := clientMultiplexes(c.ClientVersion); got != c.AgentUsesMux {
			t.Errorf("%q multiplexes is %v, want %v", c.ClientVersion, got, c.AgentUsesMux)
		}
		if got := clientDisablesKeepAlive(c.ClientVersion); got != c.AgentDisablesSmuxKeepAlive {
			t.Errorf("%q disables keep-alive is %v, want %v", c.ClientVersion, got, c.AgentDisablesSmuxKeepAlive)
		}
		if got := !clientSplitsOutput(c.ClientVersion); got != c.AgentPrintsUpdateHintForSeparateOutput {
			t.Errorf("%q gets the hint is %v, want %v", c.ClientVersion, got, c.AgentPrintsUpdateHintForSeparateOutput)
		}
	}
	for version, want := range map[string]bool{"3.3.807.0": false, "3.3.808.0": true, "3.3.1142.0": true, "3.2.9999.0": false} {
		if got := agentChallenges(version); got != want {
			t.Errorf("agent %s challenges is %v, want %v", version, got, want)
		}
	}
}

func TestEncryptionVectors(t *testing.T) {
	var file struct {
		Cases []struct {
			Name, PlaintextKeyHex, NonceHex, PayloadHex, PlaintextHex string
		}
	}
	readJSON(t, "kms.json", &file)
	s, err := newSealer(unhex(t, file.Cases[0].PlaintextKeyHex))
	if err != nil {
		t.Fatal(err)
	}
	first := true
	for _, c := range file.Cases[1:] {
		payload, plain := unhex(t, c.PayloadHex), unhex(t, c.PlaintextHex)
		switch c.Name {
		case "client to agent":
			if got, err := s.open(payload); err != nil || !bytes.Equal(got, plain) {
				t.Errorf("opens to %x, %v; want %x", got, err, plain)
			}
		case "agent to client":
			if first { // the counter goes on by itself from here
				copy(s.nonce[:], unhex(t, c.NonceHex))
				first = false
			}
			if got := s.seal(plain); !bytes.Equal(got, payload) {
				t.Errorf("seals to %x, want %x", got, payload)
			}
		case "decrypting own output (wrong half of the key)": // what a client sealed, opened by a client
			if _, err := clientSealer(t, unhex(t, file.Cases[0].PlaintextKeyHex)).open(payload); !errors.Is(err, errSealed) {
				t.Errorf("%s: got %v, want an error", c.Name, err)
			}
		default:
			if _, err := s.open(payload); !errors.Is(err, errSealed) {
				t.Errorf("%s: got %v, want an error", c.Name, err)
			}
		}
	}
}

// TestMultiplexerVectors feeds odd frames to a port session.
func TestMultiplexerVectors(t *testing.T) {
	var file struct {
		Cases []struct {
			Name, Hex, AcceptError string
			AcceptedStreamID       uint32 `json:"acceptedStreamId"`
		}
	}
	readJSON(t, "smux.json", &file)
	tried := 0
	for _, c := range file.Cases {
		if c.Hex == "" {
			continue
		}
		tried++
		t.Run(c.Name, func(t *testing.T) {
			// No synctest here: the multiplexer's users share a pool of channels.
			dials := 0
			n := node()
			n.Dial = func(context.Context, string, int) (net.Conn, error) { dials++; return nil, errRefused }
			p := newPeer(t)
			wait, cancel := start(t, p, spec("Port", `{"portNumber":"1","type":"LocalPortForwarding"}`), n, Options{})
			p.shake("1.2.677.0")
			p.send(wire.PayloadOutput, unhex(t, c.Hex))
			wantDials := 0
			if c.AcceptedStreamID != 0 {
				wantDials = 1
			}
			if strings.HasPrefix(c.Name, "SYN with a non-zero length") {
				wantDials = 0 // intended difference: our multiplexer takes it for an error
			}
			if wantDials == 1 {
				m := p.untilType(wire.PayloadOutput)
				want := fmt.Sprintf("01010000%02x000000", c.AcceptedStreamID) // the FIN that follows the error flag
				if got := hex.EncodeToString(m.Payload); got != want || !slices.Contains(p.types, wire.PayloadFlag) {
					t.Errorf("answered %s after %v, want a flag and %s", got, p.types, want)
				}
				cancel()
			}
			r := wait()
			if r.Failed == (wantDials == 1) || dials != wantDials {
				t.Errorf("%d dials and failed is %v, want %d and %v", dials, r.Failed, wantDials, wantDials == 0)
			}
			cancel()
		})
	}
	if tried != 7 {
		t.Errorf("%d cases with frames, want 7", tried)
	}
}

// transcript is a recorded conversation of a real client with a real agent.
type transcript struct {
	Name   string
	Events []struct {
		Dir     string
		WireHex string
	}
}

// TestTranscripts plays the client's side of recorded conversations to our agent
// and compares what it says.
func TestTranscripts(t *testing.T) {
	var file struct{ Cases []transcript }
	readJSON(t, "transcripts.json", &file)
	setups := map[string]struct {
		spec world.SessionSpec
		node func(n *world.NodeRuntime)
	}{
		"port forwarding with two connections, ended by Ctrl-C": {
			spec("Port", `{"localPortNumber":"7010","portNumber":"9992","type":"LocalPortForwarding"}`),
			func(n *world.NodeRuntime) {
				n.Dial = func(context.Context, string, int) (net.Conn, error) {
					near, far := net.Pipe()
					go func() { _, _ = io.Copy(far, far); _ = far.Close() }()
					return near, nil
				}
			},
		},
		"port forwarding, destination refuses": {
			spec("Port", `{"localPortNumber":"7011","portNumber":"1","type":"LocalPortForwarding"}`), func(*world.NodeRuntime) {},
		},
		"shell without KMS: no handshake": {
			spec("Standard_Stream", ""),
			func(n *world.NodeRuntime) {
				n.Machine = &machine{start: func(context.Context, shell.TTYOptions) (shell.TTY, error) { return newScriptTTY(), nil }}
			},
		},
		"non-interactive command with separate output streams": {
			spec("NonInteractiveCommands", `{"linux":{"commands":"x","separateOutputStream":"true"}}`),
			func(n *world.NodeRuntime) {
				n.Machine = &machine{run: func(_ context.Context, _ shell.Command, s shell.IO) (int, error) {
					_, _ = io.WriteString(s.Stderr, "err\n")
					_, _ = io.WriteString(s.Stdout, "out\n")
					return 7, nil
				}}
			},
		},
	}
	for _, c := range file.Cases {
		setup, ok := setups[c.Name]
		if !ok {
			t.Fatalf("no setup for %q", c.Name)
		}
		t.Run(c.Name, func(t *testing.T) {
			n := node()
			setup.node(&n)
			replay(t, &c, setup.spec, n)
		})
	}
}

// scriptTTY answers like the shell of the transcript.
type scriptTTY struct {
	*echoTTY
}

func newScriptTTY() *scriptTTY { return &scriptTTY{newEchoTTY("# ")} }

func (t *scriptTTY) Write(b []byte) (int, error) {
	switch string(b) {
	case "echo hi\n":
		t.print("echo hi\r\nhi\r\n# ")
	case "exit\n":
		t.print("exit\r\n")
		_ = t.Close()
	}
	return len(b), nil
}

// replay feeds the client's messages as they were, each after the agent has said
// what the recorded one had said by then.
func replay(t *testing.T, c *transcript, s world.SessionSpec, n world.NodeRuntime) {
	p := newPeer(t)
	wait, cancel := start(t, p, s, n, Options{})
	defer cancel()
	want := map[wire.PayloadType][]byte{}
	next := int64(0)
	acked := map[int64]bool{}
	inputs := map[int64]bool{}
	enough := func() bool {
		for pt, w := range want {
			if pt != wire.PayloadHandshakeComplete && len(p.output[pt]) < len(w) || len(p.output[pt]) == 0 {
				return false
			}
		}
		return true
	}
	note := func(m *wire.Message) bool {
		if a, err := wire.ParseAck(m.Payload); m.Type == wire.Acknowledge && err == nil {
			acked[a.Seq] = true
		}
		return false
	}
	for _, e := range c.Events {
		m, err := wire.Decode(unhex(t, e.WireHex))
		if err != nil {
			t.Fatal(err)
		}
		switch {
		case e.Dir == "agent>client" && m.Type == wire.OutputStreamData && m.Seq == next:
			next++
			want[m.PayloadType] = append(want[m.PayloadType], m.Payload...)
		case e.Dir == "client>agent":
			if !enough() && !p.until(func(m *wire.Message) bool { note(m); return enough() }) {
				t.Fatalf("agent said %v, want %v", p.output, want)
			}
			p.conn.In.Push(unhex(t, e.WireHex))
			// A size that comes as the command ends may find nobody any more.
			if m.Type == wire.InputStreamData && m.PayloadType != wire.PayloadSize {
				inputs[m.Seq] = true
			}
		}
	}
	p.until(note) // to the end
	if r := wait(); r.Failed || r.Output != "" {
		t.Errorf("result is %+v, want success", r)
	}
	for pt, w := range want {
		if got := p.output[pt]; pt != wire.PayloadHandshakeComplete && !bytes.Equal(got, w) {
			t.Errorf("payload type %d: agent said %q, want %q", pt, got, w)
		}
	}
	for seq := range inputs {
		if !acked[seq] {
			t.Errorf("input %d was not acknowledged", seq)
		}
	}
}

// sink is a connection that takes nothing until it is opened.
type sink struct {
	net.Conn
	open chan struct{}
	mu   sync.Mutex
	got  []byte
}

func (s *sink) Write(b []byte) (int, error) {
	<-s.open
	s.mu.Lock()
	defer s.mu.Unlock()
	s.got = append(s.got, b...)
	return len(b), nil
}

// TestInputIsAcknowledgedAfterHandling checks it with a destination that stalls.
func TestInputIsAcknowledgedAfterHandling(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		defer far.Close()
		dest := &sink{Conn: near, open: make(chan struct{})}
		n := node()
		connect := make(chan struct{})
		n.Dial = func(context.Context, string, int) (net.Conn, error) { <-connect; return dest, nil }
		p := newPeer(t)
		wait, cancel := start(t, p, spec("Port", `{"portNumber":"22"}`), n, Options{})
		p.shake("1.2.677.0")
		acks := func() (count int) {
			synctest.Wait()
			msgs, _ := p.conn.Out.Take(nil)
			for _, raw := range msgs {
				if m, err := wire.Parse(raw); err == nil && m.Type == wire.Acknowledge {
					count++
				}
			}
			return count
		}
		acks()
		early := p.send(wire.PayloadOutput, []byte("early"))
		if got := acks(); got != 0 {
			t.Errorf("%d acknowledgements before the destination is connected, want none", got)
		}
		close(connect)
		synctest.Wait()
		p.put(wire.PayloadOutput, []byte("early"), early) // it was not kept: sent again
		const size, total = 8 << 10, 1000
		want := []byte("early")
		for i := range total {
			payload := bytes.Repeat([]byte{byte(i)}, size)
			want = append(want, payload...)
			p.send(wire.PayloadOutput, payload)
		}
		stalled := acks()
		if limit := 2*inletBytes/size + 3; stalled == 0 || stalled > limit {
			t.Errorf("%d acknowledgements of %d from a stalled destination, want some, at most %d", stalled, total+1, limit)
		}
		close(dest.open)
		if got := stalled + acks(); got != total+1 {
			t.Errorf("%d acknowledgements in the end, want %d", got, total+1)
		}
		if !bytes.Equal(dest.got, want) {
			t.Errorf("destination got %d bytes, want %d in order", len(dest.got), len(want))
		}
		cancel()
		wait()
	})
}

func TestHandshakeTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPeer(t)
		began := time.Now()
		wait, cancel := start(t, p, spec("Port", `{"portNumber":"1"}`), node(), Options{})
		defer cancel()
		p.untilType(wire.PayloadHandshakeRequest)
		if r := wait(); r != failed(textHandshake+textTimeout) || time.Since(began) != handshakeTimeout {
			t.Errorf("result is %+v after %v, want a timeout after 15s", r, time.Since(began))
		}
	})
}
