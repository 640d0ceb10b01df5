package sessionclient

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ssmdeck/ssmdeck/sessionclient/wire"
)

func TestShellWithoutHandshake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{t: t, agent: newAgent(t, echo)}
		time.AfterFunc(time.Second, func() { w.agent.do(func() { w.agent.send(wire.PayloadOutput, []byte("sh-5.2$ ")) }) })
		s, err := Dial(t.Context(), ticket, w.options(WithSize(132, 43))...)
		if err != nil {
			t.Fatal(err)
		}
		if got := s.Info().Kind; got != wire.StandardStream {
			t.Errorf("kind %q, want a shell", got)
		}
		if _, err := s.Write([]byte("ls\n")); err != nil {
			t.Fatal(err)
		}
		got := make([]byte, 11)
		if _, err := io.ReadFull(s, got); err != nil {
			t.Fatal(err)
		}
		if want := "sh-5.2$ ls\n"; string(got) != want {
			t.Errorf("read %q, want %q", got, want)
		}
		s.Resize(80, 24)
		synctest.Wait()
		w.agent.closeChannel("")
		exit, err := s.Wait()
		if err != nil || exit.Reason != "" || exit.HasCode {
			t.Errorf("ended with %+v, %v; want an ordinary end", exit, err)
		}
		var inputs []string
		for _, m := range w.agent.raw {
			if m.Type == wire.InputStreamData {
				inputs = append(inputs, fmt.Sprintf("%d:%s", m.PayloadType, m.Payload))
			}
		}
		want := `3:{"cols":132,"rows":43} 1:ls` + "\n" + ` 3:{"cols":80,"rows":24}`
		if got := strings.Join(inputs, " "); got != want {
			t.Errorf("agent got %q, want %q", got, want)
		}
	})
}

func TestNothingIsSentBeforeTheAgentIsReady(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{t: t, agent: newAgent(t, func(a *agent, typ wire.PayloadType, _ []byte) {
			if typ == wire.PayloadHandshakeResponse {
				time.AfterFunc(3*time.Second, func() {
					a.do(func() { a.send(wire.PayloadHandshakeComplete, []byte(`{"CustomerMessage":"hello"}`)) })
				})
			}
		})}
		time.AfterFunc(time.Second, func() {
			w.agent.do(func() {
				w.agent.send(wire.PayloadHandshakeRequest, request("3.3.1142.0",
					wire.ActionSessionType, wire.SessionTypeRequest{SessionType: wire.StandardStream},
					"Juggle", map[string]int{"balls": 3}))
			})
		})
		s, err := Dial(t.Context(), ticket, w.options(WithSize(80, 24))...)
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		var order []string
		for _, m := range w.agent.raw {
			if m.Type == wire.InputStreamData {
				order = append(order, fmt.Sprint(m.PayloadType))
			}
		}
		if got, want := strings.Join(order, ","), "6,3"; got != want {
			t.Errorf("payload types sent: %s, want %s", got, want)
		}
		want := `{"ClientVersion":"` + ClientVersion + `","ProcessedClientActions":[` +
			`{"ActionType":"SessionType","ActionStatus":1,"ActionResult":null,"Error":""},` +
			`{"ActionType":"Juggle","ActionStatus":3,"ActionResult":null,"Error":"unsupported action \"Juggle\""}],` +
			`"Errors":["unsupported action \"Juggle\""]}`
		for _, m := range w.agent.raw {
			if m.PayloadType == wire.PayloadHandshakeResponse && string(m.Payload) != want {
				t.Errorf("response\n%s, want\n%s", m.Payload, want)
			}
		}
		if w.kinds() != "message" || w.events[0].Text != "hello" {
			t.Errorf("events %s, want the customer message", w.kinds())
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	})
}

func TestCommandStreamsAndExitCode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{t: t}
		w.agent = newAgent(t, func(a *agent, typ wire.PayloadType, _ []byte) {
			if typ != wire.PayloadHandshakeResponse {
				return
			}
			a.send(wire.PayloadHandshakeComplete, []byte(`{}`))
			a.send(wire.PayloadOutput, []byte("out\n"))
			a.send(wire.PayloadStdErr, []byte("err\n"))
			a.send(99, []byte("from the future"))
			a.send(wire.PayloadExitCode, []byte("EXIT_CODE: 7"))
			time.AfterFunc(time.Second, func() { a.closeChannel("") })
		})
		time.AfterFunc(0, func() {
			w.agent.do(func() {
				w.agent.send(wire.PayloadHandshakeRequest, request("3.3.1142.0",
					wire.ActionSessionType, wire.SessionTypeRequest{SessionType: wire.NonInteractiveCommands}))
			})
		})
		s, err := Dial(t.Context(), ticket, w.options(WithSize(80, 24))...)
		if err != nil {
			t.Fatal(err)
		}
		var stdout, stderr bytes.Buffer
		exit, err := s.CopyOutput(&stdout, &stderr)
		if err != nil {
			t.Fatal(err)
		}
		if !exit.HasCode || exit.Code != 7 {
			t.Errorf("exit %+v, want code 7", exit)
		}
		if stdout.String() != "out\n" || stderr.String() != "err\n" {
			t.Errorf("stdout %q, stderr %q", stdout.String(), stderr.String())
		}
	})
}

func TestQuietProgramGetsInput(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{t: t, agent: newAgent(t, echo)}
		time.AfterFunc(time.Second, func() {
			w.agent.do(func() {
				b, _ := wire.AppendService(nil, &wire.Message{Type: wire.StartPublication})
				_ = w.agent.conn.Write(b)
			})
		})
		start := time.Now()
		s, err := Dial(t.Context(), ticket, w.options()...)
		if err != nil {
			t.Fatal(err)
		}
		if d := time.Since(start); d != time.Second+quietGrace {
			t.Errorf("ready after %s, want %s", d, time.Second+quietGrace)
		}
		_, _ = s.Write([]byte("x"))
		b := make([]byte, 1)
		if _, err := s.Read(b); err != nil || b[0] != 'x' {
			t.Errorf("read %q, %v", b, err)
		}
		_ = s.Close()
	})
}

func TestGapAtTheEndIsAnError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := newPipe(faults{}, 1)
		for _, seq := range []int64{0, 2} {
			b, _ := wire.Append(nil, &wire.Message{Type: wire.OutputStreamData, Created: 1, Seq: seq, PayloadType: wire.PayloadOutput, Payload: []byte("x")})
			_ = server.Write(b)
		}
		b, _ := wire.AppendService(nil, &wire.Message{Type: wire.ChannelClosed, Created: 1, Payload: []byte(`{}`)})
		_ = server.Write(b)
		s, err := Dial(t.Context(), ticket, WithDialer(func(context.Context, Ticket) (Conn, error) { return client, nil }))
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(s)
		if string(got) != "x" || !errors.Is(err, errGap) {
			t.Errorf("read %q, %v; want the part before the gap and an error", got, err)
		}
	})
}
