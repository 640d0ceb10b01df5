package forwards

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ssmdeck/ssmdeck/portforward"
	"github.com/ssmdeck/ssmdeck/sessionclient"
)

func TestNameOf(t *testing.T) {
	tcp := &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 8080}
	tests := []struct {
		name   string
		end    net.Addr
		labels []string
		want   string
	}{
		{"a node by its name", tcp, []string{"", "web-1", "i-0a"}, "web-1:8080"},
		{"a database", tcp, []string{"orders-prod", "web-1", "i-0a"}, "orders-prod:8080"},
		{"a node without a name", tcp, []string{"", "", "i-0a"}, "i-0a:8080"},
		{"a name that a shell would take apart", tcp, []string{"", "web $(1)", "i-0a"}, "i-0a:8080"},
		{"a name that not every keyboard has", tcp, []string{"", "東京", "i-0a"}, "i-0a:8080"},
		{"a socket", &net.UnixAddr{Name: "/tmp/my db.sock", Net: "unix"}, []string{"web-1"}, "web-1:my-db.sock"},
		{"nothing that can be typed", tcp, []string{"東/1"}, "--1:8080"},
		{"a long one", tcp, []string{strings.Repeat("é", 80)}, strings.Repeat("-", 64) + ":8080"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := NameOf(tt.end, tt.labels...); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// single is a typed forward that runs, as its command runs it.
func single(t *testing.T, svc *service) (s *Single, local string, wait func() error) {
	t.Helper()
	spec := portforward.Spec{Port: 80}
	ln, err := portforward.Listen(portforward.Spec{Port: 80, Same: true}, portforward.Options{})
	if err != nil {
		t.Fatal(err)
	}
	local = ln.Addr().String()
	ctx, cancel := context.WithCancel(t.Context())
	s = NewSingle(Row{Name: "n:80", Local: []string{local}, Remote: []string{spec.Remote()}, Node: "n"}, cancel)
	f := &portforward.Forward{Opener: s.Opener(svc), Node: "n"}
	ready := make(chan struct{})
	var (
		once sync.Once
		run  sync.WaitGroup
		end  error
	)
	run.Go(func() {
		end = f.Run(ctx, []portforward.Spec{spec}, []net.Listener{s.Listener(ln)}, func(e portforward.Event) {
			s.Event(e)
			if e.Type == portforward.Ready {
				once.Do(func() { close(ready) })
			}
		})
		s.End()
	})
	select {
	case <-ready:
	case <-time.After(30 * time.Second):
		t.Fatal("not ready")
	}
	t.Cleanup(func() {
		cancel()
		run.Wait()
		if n := svc.running(); n != 0 {
			t.Errorf("%d sessions are open", n)
		}
	})
	return s, local, func() error { run.Wait(); return end }
}

func TestATypedForwardIsSeenAndStopped(t *testing.T) {
	svc := &service{errs: map[int]error{}}
	s, local, wait := single(t, svc)
	c := talk(t, local)
	r := s.Rows()[0]
	if r.State != Open || r.Lanes != 1 || r.Open != 1 || r.In != 4 || r.Out != 4 || r.Local[0] != local || r.Remote[0] != "localhost:80" || r.Node != "n" {
		t.Errorf("row %+v", r)
	}
	s.Rename("n:80-2")
	if got := s.Stop(t.Context(), []string{"n:80", "other"}); got != nil || s.Stopped() {
		t.Errorf("another one is meant, and %v was stopped", got)
	}
	if got := s.Stop(t.Context(), []string{"n:80-2"}); !slices.Equal(got, []string{"n:80-2"}) || !s.Stopped() {
		t.Errorf("stopped %v", got)
	}
	if n := svc.running(); n != 0 {
		t.Errorf("%d sessions when the stop returns", n)
	}
	if _, err := c.Read(make([]byte, 1)); err == nil {
		t.Error("the connection goes on")
	}
	if err := wait(); err != nil {
		t.Errorf("its command failed: %v", err)
	}
	if got := s.Rows()[0].State; got != Closed {
		t.Errorf("it is %s", got)
	}
	if got := s.Stop(t.Context(), []string{"n:80-2"}); got != nil {
		t.Errorf("stopped again: %v", got)
	}
	if got := s.Restart(t.Context(), []string{"n:80-2"}); got != nil {
		t.Errorf("restarted when it was over: %v", got)
	}
}

func TestATypedForwardIsRestarted(t *testing.T) {
	svc := &service{errs: map[int]error{}}
	s, local, _ := single(t, svc)
	c := talk(t, local)
	if got := s.Restart(t.Context(), []string{"n:80"}); !slices.Equal(got, []string{"n:80"}) {
		t.Errorf("restarted %v", got)
	}
	if _, err := c.Read(make([]byte, 1)); err == nil {
		t.Error("the connection goes on")
	}
	talk(t, local)
	if svc.mu.Lock(); svc.opened != 2 {
		t.Errorf("%d sessions in all, want another one", svc.opened)
	}
	svc.mu.Unlock()
	if s.Stopped() {
		t.Error("it counts as stopped")
	}
}

// hanging opens nothing the first time, until it is told not to.
type hanging struct {
	portforward.Opener
	begun chan struct{}
	calls int
}

func (h *hanging) Open(ctx context.Context, spec portforward.Spec, events func(sessionclient.Event)) (portforward.Session, error) {
	if h.calls++; h.calls == 1 {
		close(h.begun)
		<-ctx.Done()
		return nil, ctx.Err()
	}
	return h.Opener.Open(ctx, spec, events)
}

func TestARestartGivesUpASessionThatIsBeingOpened(t *testing.T) {
	svc := &service{errs: map[int]error{}}
	s := NewSingle(Row{Name: "n:80"}, func() {})
	defer s.End()
	h := &hanging{Opener: svc, begun: make(chan struct{})}
	got := make(chan error, 1)
	go func() {
		session, err := s.Opener(h).Open(t.Context(), portforward.Spec{Port: 80}, nil)
		if err == nil {
			err = session.Close()
		}
		got <- err
	}()
	<-h.begun
	if names := s.Restart(t.Context(), []string{"n:80"}); !slices.Equal(names, []string{"n:80"}) {
		t.Errorf("restarted %v", names)
	}
	select {
	case err := <-got:
		if err != nil || h.calls != 2 {
			t.Errorf("%v after %d attempts", err, h.calls)
		}
	case <-time.After(30 * time.Second):
		t.Fatal("the opening goes on to hang")
	}
}

func TestClaim(t *testing.T) {
	reg := Registry{Dir: filepath.Join(t.TempDir(), "state", "forwards")}
	server := func() *Server {
		s, err := Listen("")
		if err != nil {
			t.Fatal(err)
		}
		s.Serve(t.Context(), NewSingle(Row{}, func() {}))
		return s
	}
	claim := func(s *Server) *Mine {
		m, err := reg.Claim(t.Context(), Record{PID: 7, Started: time.Now(), Socket: s.Path()}, "web-1:8080")
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	one, two := server(), server()
	first, second := claim(one), claim(two)
	if first.Name() != "web-1:8080" || second.Name() != "web-1:8080-2" {
		t.Errorf("got %s and %s", first.Name(), second.Name())
	}
	if runtime.GOOS != "windows" {
		for path, want := range map[string]os.FileMode{first.record.file: 0o600, reg.Dir: 0o700, filepath.Dir(one.Path()): 0o700} {
			if info, err := os.Stat(path); err != nil || info.Mode().Perm() != want {
				t.Errorf("%s: %v, %v, want %v", path, info.Mode(), err, want)
			}
		}
	}
	alive, dead, err := reg.Look(t.Context())
	if err != nil || len(alive) != 2 || len(dead) != 0 || !alive[0].Unsaved || alive[0].Here() {
		t.Errorf("alive %+v, dead %+v, %v", alive, dead, err)
	}

	// The name of a killed process is free, and its sessions are not forgotten.
	first.Opened(OpenSession{ID: "s1"})
	one.Close()
	three := server()
	third := claim(three)
	if third.Name() != "web-1:8080" {
		t.Errorf("got %s", third.Name())
	}
	_, dead, err = reg.Look(t.Context())
	if err != nil || len(dead) != 1 || len(dead[0].Sessions) != 1 || dead[0].Sessions[0].ID != "s1" {
		t.Errorf("dead %+v, %v", dead, err)
	}
	if err := reg.Bury(dead[0], time.Now(), func(OpenSession) error { return nil }); err != nil {
		t.Error(err)
	}
	for _, m := range []*Mine{second, third} {
		m.Leave()
	}
	two.Close()
	three.Close()
	if left, _ := os.ReadDir(reg.Dir); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
}

// However many want the name of a dead process at once, what that has left open is not
// forgotten, and each has a name of its own.
func TestClaimOfManyAtOnce(t *testing.T) {
	live, err := Listen("")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(live.Close)
	live.Serve(t.Context(), NewSingle(Row{}, func() {}))
	const many = 16
	for range 20 {
		reg := Registry{Dir: t.TempDir()}
		gone, err := reg.Claim(t.Context(), Record{PID: 7, Started: time.Now(), Socket: filepath.Join(t.TempDir(), "gone")}, "web-1:8080")
		if err != nil {
			t.Fatal(err)
		}
		gone.Opened(OpenSession{ID: "s1"})
		start := make(chan struct{})
		var group sync.WaitGroup
		for pid := range many {
			group.Go(func() {
				<-start
				if _, err := reg.Claim(t.Context(), Record{PID: 100 + pid, Started: time.Now(), Socket: live.Path()}, "web-1:8080"); err != nil {
					t.Error(err)
				}
			})
		}
		close(start)
		group.Wait()
		alive, dead, err := reg.Look(t.Context())
		if err != nil || len(alive) != many || len(dead) != 1 || len(dead[0].Sessions) != 1 {
			t.Fatalf("%d alive, dead %+v, %v", len(alive), dead, err)
		}
	}
}

func TestClaimWhereNothingCanBeWritten(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := (Registry{Dir: file}).Claim(t.Context(), Record{}, "a:1"); err == nil || errors.Is(err, os.ErrExist) {
		t.Errorf("got %v", err)
	}
}
