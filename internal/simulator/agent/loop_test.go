package agent

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/simulator/agent/mailbox"
	"github.com/ssmdeck/ssmdeck/internal/simulator/shell"
	"github.com/ssmdeck/ssmdeck/internal/simulator/world"
	"github.com/ssmdeck/ssmdeck/sessionclient/wire"
)

const separate = `{"linux":{"commands":"x","separateOutputStream":"true"}}`

// printing is a node whose commands print text.
func printing(text string) world.NodeRuntime {
	n := node()
	n.Machine = &machine{
		run: func(_ context.Context, _ shell.Command, s shell.IO) (int, error) {
			_, err := io.WriteString(s.Stdout, text)
			if err != nil {
				return shell.StatusBrokenPipe, nil
			}
			return 0, nil
		},
		start: func(context.Context, shell.TTYOptions) (shell.TTY, error) {
			t := newEchoTTY(text)
			return t, t.Close()
		},
	}
	return n
}

func TestOutputIsCutIntoChunks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		text := strings.Repeat("0123456789äöü€\n", 1000)
		p := newPeer(t)
		wait, _ := start(t, p, spec("NonInteractiveCommands", separate), printing(text), Options{})
		p.shake("1.2.677.0")
		p.until(func(m *wire.Message) bool {
			if m.PayloadType == wire.PayloadOutput && (len(m.Payload) > 1024 || strings.ToValidUTF8(string(m.Payload), "") != string(m.Payload)) {
				t.Errorf("payload of %d bytes, valid text is %v; want at most 1024, whole characters",
					len(m.Payload), strings.ToValidUTF8(string(m.Payload), "") == string(m.Payload))
			}
			return false
		})
		wait()
		if got := string(p.output[wire.PayloadOutput]); got != text {
			t.Errorf("output has %d bytes, want %d", len(got), len(text))
		}
	})
}

func TestPacedOutputTakesItsTime(t *testing.T) {
	for _, tt := range []struct {
		name, kind, props string
		min, max          time.Duration
	}{
		{"shell", "Standard_Stream", "", 99 * time.Millisecond, 200 * time.Millisecond},
		{"mixed command", "NonInteractiveCommands", `{"linux":{"commands":"x"}}`, 99 * time.Millisecond, 200 * time.Millisecond},
		{"separate streams are not paced", "NonInteractiveCommands", separate, 0, 10 * time.Millisecond},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPeer(t)
				began := time.Now()
				wait, _ := start(t, p, spec(tt.kind, tt.props), printing(strings.Repeat("x", 100<<10)), Options{Pace: true})
				if tt.kind != "Standard_Stream" {
					p.shake("1.2.677.0")
				}
				p.until(func(*wire.Message) bool { return false })
				wait()
				if took := time.Since(began); took < tt.min || took > tt.max {
					t.Errorf("100 KiB took %v, want %v to %v", took, tt.min, tt.max)
				}
				if n := len(p.output[wire.PayloadOutput]); n != 100<<10 {
					t.Errorf("got %d bytes, want %d", n, 100<<10)
				}
			})
		})
	}
}

func TestFirstOutputOfAShellCanBeDelayed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := printing("hello")
		n.Agent.StartDelay = time.Second
		p := newPeer(t)
		began := time.Now()
		wait, _ := start(t, p, spec("Standard_Stream", ""), n, Options{})
		p.untilType(wire.PayloadOutput)
		if took := time.Since(began); took != time.Second {
			t.Errorf("first output after %v, want 1s", took)
		}
		p.until(func(*wire.Message) bool { return false })
		wait()
	})
}

func TestDrainIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPeer(t)
		p.mute = true
		began := time.Now()
		wait, _ := start(t, p, spec("Standard_Stream", ""), printing("tail"), Options{})
		resent := 0
		p.until(func(m *wire.Message) bool {
			if m.PayloadType == wire.PayloadOutput {
				resent++
			}
			return false
		})
		if r := wait(); r.Failed || time.Since(began) != defaultDrain {
			t.Errorf("result is %+v after %v, want success after 2s", r, time.Since(began))
		}
		if resent < 3 {
			t.Errorf("unacknowledged output was sent %d times in 2s, want it resent", resent)
		}
	})
}

// TestSilentClientCostsLittle checks that an endless command stops when nobody
// acknowledges: memory is bounded by the window and the queue before it.
func TestSilentClientCostsLittle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		written := 0
		n := node()
		n.Machine = &machine{run: func(ctx context.Context, _ shell.Command, s shell.IO) (int, error) {
			for {
				k, err := s.Stdout.Write(make([]byte, 4096))
				written += k
				if err != nil {
					return shell.StatusBrokenPipe, nil
				}
			}
		}}
		p := newPeer(t)
		wait, cancel := start(t, p, spec("NonInteractiveCommands", separate), n, Options{})
		p.shake("1.2.677.0")
		p.mute = true
		time.Sleep(time.Minute)
		synctest.Wait()
		// What came together with the end of the handshake was acknowledged.
		if free, most := len(p.output[wire.PayloadOutput]), windowCount*defaultChunk+outletBytes+64<<10; written > most+free || written < windowCount*defaultChunk/2 {
			t.Errorf("command wrote %d bytes nobody acknowledged, want about %d", written-free, most)
		}
		cancel()
		wait()
	})
}

func TestAgentComesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPeer(t)
		var dials []time.Time
		fails := 3
		cfg := Config{Spec: spec("Standard_Stream", ""), Node: printing("x")}
		cfg.Node.Machine = &machine{start: func(context.Context, shell.TTYOptions) (shell.TTY, error) { return newEchoTTY("one"), nil }}
		cfg.Dial = func(context.Context) (*Conn, error) {
			dials = append(dials, time.Now())
			if len(dials) > 1 && len(dials) <= 1+fails {
				return nil, errors.New("network is unreachable")
			}
			return p.conn, nil
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan Result, 1)
		go func() { done <- Run(ctx, cfg) }()
		p.mute = true
		p.untilType(wire.PayloadOutput)
		old := p.conn
		p.conn = &Conn{In: mailbox.New(1 << 20), Out: mailbox.New(1 << 20)}
		old.In.Close()
		old.Out.Close()
		m := p.untilType(wire.PayloadOutput)
		if m.Seq != 0 || string(m.Payload) != "one" {
			t.Errorf("first message after the reconnection is number %d, %q; want number 0 again", m.Seq, m.Payload)
		}
		for i, least := range []time.Duration{100, 200, 400, 800} {
			if gap := dials[i+1].Sub(dials[i]); gap < least*time.Millisecond || gap > 2*least*time.Millisecond {
				t.Errorf("attempt %d came after %v, want %dms to twice that", i+1, gap, least)
			}
		}
		cancel()
		<-done
	})
}

func TestAgentGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dials := 0
		cfg := Config{Spec: spec("Standard_Stream", ""), Node: node()}
		cfg.Node.Machine = &machine{start: func(context.Context, shell.TTYOptions) (shell.TTY, error) { return newEchoTTY("x"), nil }}
		cfg.Dial = func(context.Context) (*Conn, error) { dials++; return nil, errors.New("unreachable") }
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan Result, 1)
		go func() { done <- Run(ctx, cfg) }()
		time.Sleep(time.Hour)
		synctest.Wait()
		if dials != 2+redialRetries {
			t.Errorf("%d attempts, want the first, one more and %d retries", dials, redialRetries)
		}
		select {
		case r := <-done:
			t.Errorf("session ended with %+v, want it to live on detached", r)
		default:
		}
		cancel()
		<-done
	})
}

func TestSessionThatIsOverEndsTheAgent(t *testing.T) {
	r := Run(t.Context(), Config{
		Spec: spec("Standard_Stream", ""), Node: printing(""),
		Dial: func(context.Context) (*Conn, error) { return nil, ErrTerminated },
	})
	if r.Failed {
		t.Errorf("result is %+v", r)
	}
}

func TestChannelClosedEndsTheAgent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := node()
		n.Machine = &machine{run: func(ctx context.Context, _ shell.Command, _ shell.IO) (int, error) {
			<-ctx.Done()
			return shell.StatusKilled, ctx.Err()
		}}
		p := newPeer(t)
		wait, _ := start(t, p, spec("NonInteractiveCommands", separate), n, Options{})
		p.shake("1.2.677.0")
		b, err := wire.AppendService(nil, &wire.Message{Type: wire.ChannelClosed, Created: 1, Payload: []byte("{}")})
		if err != nil {
			t.Fatal(err)
		}
		p.conn.In.Push(b)
		if r := wait(); r.Failed {
			t.Errorf("result is %+v", r)
		}
	})
}

func TestPauseCanLoseOutput(t *testing.T) {
	for _, loses := range []bool{true, false} {
		t.Run(fmt.Sprint(loses), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPeer(t)
				wait, cancel := start(t, p, spec("NonInteractiveCommands", separate),
					printing(strings.Repeat("x", 16<<20)), Options{PauseLosesOutput: loses})
				p.shake("1.2.677.0")
				p.mute = true
				synctest.Wait()
				for _, mt := range []wire.MessageType{wire.PausePublication, wire.StartPublication} {
					b, err := wire.AppendService(nil, &wire.Message{Type: mt, Payload: []byte("{}")})
					if err != nil {
						t.Fatal(err)
					}
					p.conn.In.Push(b)
					synctest.Wait()
				}
				p.mute = false
				p.until(func(*wire.Message) bool { return false })
				r := wait()
				cancel()
				n := len(p.output[wire.PayloadOutput])
				if loses && (r != failed("Data Channel not in active status") || n == 16<<20) {
					t.Errorf("result is %+v with %d bytes, want a failure and output lost", r, n)
				}
				if !loses && (r.Failed || n != 16<<20) {
					t.Errorf("result is %+v with %d bytes, want all of it", r, n)
				}
			})
		})
	}
}

func TestRefusedByTheClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPeer(t)
		wait, _ := start(t, p, spec("Port", `{"portNumber":"1"}`), node(), Options{})
		p.untilType(wire.PayloadHandshakeRequest)
		p.send(wire.PayloadHandshakeResponse, []byte(
			`{"ClientVersion":"1.2.677.0","ProcessedClientActions":[{"ActionType":"SessionType","ActionStatus":3,"Error":"what?"}]}`))
		p.until(func(*wire.Message) bool { return false })
		want := "Encountered error while initiating handshake. SessionType failed on client with status 3 error: what?"
		if r := wait(); r != failed(want) {
			t.Errorf("result is %+v, want %q", r, want)
		}
	})
}

func TestUnknownSessionType(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPeer(t)
		wait, _ := start(t, p, spec("Telepathy", ""), node(), Options{})
		p.shake("1.2.677.0")
		p.until(func(*wire.Message) bool { return false })
		want := "Plugin with name Telepathy is not supported by this version of ssm agent, please update to latest version"
		if r := wait(); r != failed(want) {
			t.Errorf("result is %+v, want %q", r, want)
		}
	})
}

func TestChallengeCanBeRequired(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := printing("")
		n.AgentVersion, n.Agent.RequireChallenge = "3.3.1142.0", true
		s := spec("Standard_Stream", "")
		s.KMSKeyID = "key"
		p := newPeer(t)
		wait, _ := start(t, p, s, n, Options{})
		p.untilType(wire.PayloadHandshakeRequest)
		p.send(wire.PayloadHandshakeResponse, []byte(`{"ClientVersion":"1.2.677.0","ProcessedClientActions":[`+
			`{"ActionType":"SessionType","ActionStatus":1},{"ActionType":"KMSEncryption","ActionStatus":1,"ActionResult":{"KMSCipherTextKey":"YmxvYg=="}}]}`))
		p.until(func(*wire.Message) bool { return false })
		if r := wait(); !r.Failed || !strings.Contains(r.Output, "not acknowledged by the client") {
			t.Errorf("result is %+v, want a refusal", r)
		}
	})
}
