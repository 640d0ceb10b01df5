package sessions

import (
	"bytes"
	"context"
	"errors"
	"io"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/golang/mock/gomock"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/sessionclient"
	"github.com/ssmdeck/ssmdeck/sessionclient/wire"
)

// TestTerminatedOnEveryWayOut: once, under a context that is still good, unless
// the service knows already.
func TestTerminatedOnEveryWayOut(t *testing.T) {
	tests := []struct {
		name  string
		conn  *script
		leave func(s *Session, c *script)
		times int
	}{
		{"closed", newScript(output("$ ")), func(s *Session, _ *script) { _ = s.Close() }, 1},
		{"aborted", newScript(output("$ ")), func(s *Session, _ *script) { s.Abort() }, 1},
		{"both, at once", newScript(output("$ ")), func(s *Session, _ *script) {
			var wg sync.WaitGroup
			for range 5 {
				wg.Go(func() { _ = s.Close() })
				wg.Go(s.Abort)
			}
			wg.Wait()
		}, 1},
		{"ended by the service", newScript(output("$ "), closed("")), func(s *Session, _ *script) { <-s.Done() }, 0},
		{"ended by the service, with a reason", newScript(output("$ "), closed("timed out")), func(s *Session, _ *script) { <-s.Done() }, 0},
		{"gone when it was to be resumed", newScript(output("$ ")), func(s *Session, c *script) {
			_ = c.Close()
			<-s.Done()
		}, 0},
		{"a broken protocol", newScript(output("$ "), wire.Message{Type: wire.ChannelClosed, Payload: []byte("bye")}), func(s *Session, _ *script) { <-s.Done() }, 1},
		{"output that cannot be written", newScript(output("$ ")), func(s *Session, _ *script) {
			_, err := s.CopyOutput(failingWriter{}, io.Discard)
			if !errors.Is(err, io.ErrShortWrite) {
				panic(err)
			}
		}, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := NewMockapi(gomock.NewController(t))
			m.EXPECT().StartSession(gomock.Any(), gomock.Any()).Return(started(), nil)
			m.EXPECT().ResumeSession(gomock.Any(), gomock.Any()).AnyTimes().Return(nil, &types.DoesNotExistException{})
			m.EXPECT().TerminateSession(gomock.Any(), gomock.Any()).Times(tt.times).DoAndReturn(
				func(ctx context.Context, in *ssm.TerminateSessionInput, _ ...func(*ssm.Options)) (*ssm.TerminateSessionOutput, error) {
					if ctx.Err() != nil || *in.SessionId != "me-1" {
						t.Errorf("terminate %s under %v", *in.SessionId, ctx.Err())
					}
					return &ssm.TerminateSessionOutput{}, nil
				})
			ctx, cancel := context.WithCancel(t.Context())
			s, err := newService(m, noChannel{}, Options{}).Open(ctx, Request{Target: node}, dialing(tt.conn, nil))
			if err != nil {
				t.Fatal(err)
			}
			cancel() // it was for opening only
			tt.leave(s, tt.conn)
			_ = s.Close()
			s.Abort()
		})
	}
}

type failingWriter struct{}

func (failingWriter) Write([]byte) (int, error) { return 0, io.ErrShortWrite }

func TestOpenThatIsCancelledIsTerminated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := NewMockapi(gomock.NewController(t))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		m.EXPECT().StartSession(gomock.Any(), gomock.Any()).Return(started(), nil)
		m.EXPECT().TerminateSession(gomock.Any(), gomock.Any()).DoAndReturn(
			func(ctx context.Context, _ *ssm.TerminateSessionInput, _ ...func(*ssm.Options)) (*ssm.TerminateSessionOutput, error) {
				if ctx.Err() != nil {
					t.Error("terminated under a context that is over")
				}
				<-ctx.Done() // a service that does not answer
				return nil, ctx.Err()
			})
		start := time.Now()
		c, stop := context.WithCancel(ctx)
		time.AfterFunc(500*time.Millisecond, stop)
		_, err := newService(m, noChannel{}, Options{}).Open(c, Request{Target: node}, dialing(newScript(), nil))
		if fault.KindOf(err) != fault.Interrupted || time.Since(start) > 500*time.Millisecond+terminateWait {
			t.Errorf("got %s %v after %s", fault.KindOf(err), err, time.Since(start))
		}
	})
}

func TestWhereAHandshakeIsWaitedFor(t *testing.T) {
	start, err := wire.AppendService(nil, &wire.Message{Type: wire.StartPublication})
	if err != nil {
		t.Fatal(err)
	}
	for document, waits := range map[string]bool{
		DocumentNonInteractive: true, DocumentPort: true, DocumentRemoteHost: true, DocumentSSH: true,
		DocumentInteractive: false, "": false, "Mine": false,
	} {
		t.Run(document, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := NewMockapi(gomock.NewController(t))
				m.EXPECT().StartSession(gomock.Any(), gomock.Any()).Return(started(), nil)
				m.EXPECT().TerminateSession(gomock.Any(), gomock.Any()).Return(&ssm.TerminateSessionOutput{}, nil)
				conn := newScript(output("unused"))
				<-conn.frames
				conn.frames <- start
				s, err := newService(m, noChannel{}, Options{}).Open(t.Context(), Request{Target: node, Document: document}, dialing(conn, nil))
				if waits != (fault.KindOf(err) == fault.Offline) || !waits && err != nil {
					t.Errorf("a silent agent: %v", err)
				}
				if err == nil {
					_ = s.Close()
				}
			})
		})
	}
}

func TestExecKeepsToTheDocumentThatWasAskedFor(t *testing.T) {
	m := NewMockapi(gomock.NewController(t))
	m.EXPECT().StartSession(gomock.Any(), gomock.Any()).Times(1).Return(nil, &types.InvalidDocument{})
	_, err := newService(m, noChannel{}, Options{}).Exec(t.Context(), ExecRequest{Target: node, Command: "id", Document: "Mine"})
	if fault.KindOf(err) != fault.NotFound {
		t.Errorf("got %v", err)
	}
}

func TestExecStatus(t *testing.T) {
	mark := func(text string) wire.Message { return output(text) }
	exitCode := func(text string) wire.Message {
		return wire.Message{Type: wire.OutputStreamData, PayloadType: wire.PayloadExitCode, Payload: []byte(text)}
	}
	tests := []struct {
		name     string
		messages []wire.Message // M stands for the mark
		out      string
		status   int
		known    bool
		fails    bool
	}{
		{"the agent tells", []wire.Message{output("a"), exitCode("EXIT_CODE: 3"), closed("")}, "a", 3, true, false},
		{"only the mark tells", []wire.Message{mark("a\x1eM:4\x1e"), closed("")}, "a", 4, true, false},
		{"both tell, and the agent saw more", []wire.Message{mark("\x1eM:0\x1e"), exitCode("EXIT_CODE: 137"), closed("")}, "", 137, true, false},
		{"nobody tells", []wire.Message{output("a"), closed("")}, "a", 0, false, false},
		{"the service ends it", []wire.Message{output("a"), closed("session timed out")}, "a", 0, false, true},
		{"a status and a reason", []wire.Message{mark("\x1eM:5\x1e"), closed("terminated")}, "", 5, true, false},
		{"a malformed status", []wire.Message{output("a"), exitCode("EXIT_CODE: x"), closed("")}, "a", 0, false, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			messages := tt.messages
			for i := range messages {
				if messages[i].Type == wire.OutputStreamData {
					messages[i].Seq = int64(i)
					messages[i].Payload = bytes.ReplaceAll(messages[i].Payload, []byte("M"), []byte(testMark))
				}
			}
			s, err := sessionclient.Dial(t.Context(), sessionclient.Ticket{SessionID: "me-1", Token: "t"}, dialing(newScript(messages...), nil))
			if err != nil {
				t.Fatal(err)
			}
			e := &Exec{Session: &Session{Session: s}, mark: testMark}
			var out bytes.Buffer
			status, known, err := e.Copy(&out, io.Discard)
			if out.String() != tt.out || status != tt.status || known != tt.known || (err != nil) != tt.fails {
				t.Errorf("got %q, %d (%t), %v", out.String(), status, known, err)
			}
		})
	}
}

// flood is a Conn that gives n messages of output and then the end.
type flood struct {
	n, seq  int
	payload []byte
}

func (f *flood) Read() ([]byte, error) {
	m := closed("")
	switch {
	case f.seq < f.n:
		m = wire.Message{Type: wire.OutputStreamData, PayloadType: wire.PayloadOutput, Seq: int64(f.seq), Payload: f.payload}
	case f.seq > f.n:
		return nil, io.EOF
	}
	f.seq++
	m.Created = 1
	return wire.Append(nil, &m)
}
func (f *flood) Write([]byte) error { return nil }
func (f *flood) Close() error       { return nil }

// TestExecIsConstantInMemory passes on much more than may be held.
func TestExecIsConstantInMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("moves 256 MiB")
	}
	const size = 8 << 10
	f := &flood{n: 256 << 20 / size, payload: bytes.Repeat([]byte("\x1e234567\n"), size/8)}
	s, err := sessionclient.Dial(t.Context(), sessionclient.Ticket{SessionID: "me-1", Token: "t"}, dialing(f, nil))
	if err != nil {
		t.Fatal(err)
	}
	e := &Exec{Session: &Session{Session: s}, mark: testMark}
	w := &watchedWriter{}
	if _, _, err := e.Copy(w, io.Discard); err != nil || w.n != 256<<20 {
		t.Errorf("copied %d bytes, %v", w.n, err)
	}
	t.Logf("peak of the heap: %.1f MiB", float64(w.peak)/(1<<20))
	if w.peak > 64<<20 {
		t.Errorf("the heap grew to %d MiB", w.peak>>20)
	}
}

// watchedWriter looks at the heap now and then.
type watchedWriter struct {
	n, calls int
	peak     uint64
}

func (w *watchedWriter) Write(p []byte) (int, error) {
	w.n += len(p)
	if w.calls++; w.calls%512 == 0 {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		w.peak = max(w.peak, m.HeapAlloc)
	}
	return len(p), nil
}
