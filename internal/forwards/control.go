package forwards

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/wait"
	"github.com/ssmdeck/ssmdeck/portforward"
)

// A conversation is one line of JSON each way. Fields are only ever added; an
// unknown operation is answered with an error.
const (
	OpStatus = "status"
	OpStop   = "stop" // Forwards by name; none: all
	// OpRestart closes their sessions and listens again, also where that was stopped.
	OpRestart = "restart"
)

const (
	mostLine = 64 << 10 // of a request
	// askWait bounds the conversation, but for closing sessions.
	askWait  = 5 * time.Second
	stopWait = 30 * time.Second
	// socketFolder begins the name of the private folder that holds a socket.
	socketFolder = "ssmdeck-forwards-"
)

// Request is what a process is asked.
type Request struct {
	Op       string   `json:"op"`
	Forwards []string `json:"forwards,omitempty"`
}

// Answer is what it says.
type Answer struct {
	Error    string   `json:"error,omitempty"`
	Forwards []Row    `json:"forwards,omitempty"`
	Stopped  []string `json:"stopped,omitempty"`
	// Restarted are the names that OpRestart has reached.
	Restarted []string `json:"restarted,omitempty"`
}

// decodeRequest reads a request. It comes from another process: nothing of it is
// trusted.
func decodeRequest(line []byte) (Request, error) {
	var r Request
	dec := json.NewDecoder(bytes.NewReader(line))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&r); err != nil {
		return Request{}, fmt.Errorf("no request: %w", err)
	}
	if r.Op != OpStatus && r.Op != OpStop && r.Op != OpRestart {
		return Request{}, fmt.Errorf("unknown operation %q", r.Op)
	}
	return r, nil
}

// Answering is what runs forwards here and answers for them: Supervisor and Single.
type Answering interface {
	Rows() []Row
	// Stop and Restart return the names that they have reached, when the sessions of
	// those are closed.
	Stop(ctx context.Context, names []string) []string
	Restart(ctx context.Context, names []string) []string
}

// Server answers other processes of this user.
type Server struct {
	ln   net.Listener
	path string
	wg   sync.WaitGroup
}

// Listen opens a socket that only this user can connect to, in a new private
// folder under base (such as $XDG_RUNTIME_DIR), else in the one for temporary
// files: paths of sockets are short.
func Listen(base string) (*Server, error) {
	if info, err := os.Stat(base); base == "" || err != nil || !info.IsDir() || len(base) > 60 {
		base = os.TempDir()
	}
	dir, err := os.MkdirTemp(base, socketFolder) // mode 0700
	if err != nil {
		return nil, fault.New(fault.Failed, "make a control socket", "%w", err)
	}
	path := filepath.Join(dir, "control")
	ln, err := portforward.Listen(portforward.Spec{Socket: path, Port: 1}, portforward.Options{})
	if err != nil {
		_ = os.Remove(dir)
		return nil, fault.New(fault.Failed, "make a control socket", "%w", err)
	}
	return &Server{ln: ln, path: path}, nil
}

// Path is where the server listens.
func (s *Server) Path() string { return s.path }

// Serve answers for what runs here until Close.
func (s *Server) Serve(ctx context.Context, here Answering) {
	s.wg.Go(func() {
		for {
			conn, err := s.ln.Accept()
			if err != nil {
				if errors.Is(err, net.ErrClosed) || ctx.Err() != nil {
					return
				}
				_ = wait.Sleep(ctx, 50*time.Millisecond) // out of files, say
				continue
			}
			s.wg.Go(func() { converse(ctx, conn, here) })
		}
	})
}

// Close ends the server and removes its socket. It waits for conversations.
func (s *Server) Close() {
	_ = s.ln.Close()
	s.wg.Wait()
	removeSocket(s.path)
}

// removeSocket removes a socket of ours and its folder, and nothing else.
func removeSocket(path string) {
	dir := filepath.Dir(path)
	if filepath.Base(path) != "control" || !strings.HasPrefix(filepath.Base(dir), socketFolder) {
		return
	}
	if info, err := os.Lstat(path); err == nil && info.Mode()&fs.ModeSocket != 0 {
		_ = os.Remove(path)
	}
	_ = os.Remove(dir)
}

func converse(ctx context.Context, conn net.Conn, here Answering) {
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(askWait))
	line, err := readLine(conn)
	if err != nil {
		return
	}
	var a Answer
	r, err := decodeRequest(line)
	switch {
	case err != nil:
		a.Error = err.Error()
	case r.Op == OpStatus:
		a.Forwards = here.Rows()
	case r.Op == OpStop, r.Op == OpRestart:
		_ = conn.SetDeadline(time.Now().Add(stopWait + askWait))
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopWait)
		if r.Op == OpStop {
			a.Stopped = here.Stop(ctx, namesOr(r.Forwards, here))
		} else {
			a.Restarted = here.Restart(ctx, namesOr(r.Forwards, here))
		}
		cancel()
	}
	_ = json.NewEncoder(conn).Encode(&a)
}

func namesOr(names []string, here Answering) []string {
	if len(names) > 0 {
		return names
	}
	for _, r := range here.Rows() {
		names = append(names, r.Name)
	}
	return names
}

func readLine(conn net.Conn) ([]byte, error) {
	scan := bufio.NewScanner(conn)
	scan.Buffer(make([]byte, 0, 4<<10), mostLine)
	if !scan.Scan() {
		return nil, errors.Join(scan.Err(), net.ErrClosed)
	}
	return scan.Bytes(), nil
}

// Ask asks the process behind a socket. An error for which nobody holds means
// that there is none any more.
func Ask(ctx context.Context, socket string, r Request) (Answer, error) {
	if socket == "" {
		return Answer{}, fs.ErrNotExist
	}
	limit := askWait
	if r.Op != OpStatus {
		limit += stopWait
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	var d net.Dialer
	conn, err := d.DialContext(ctx, "unix", socket)
	if err != nil {
		return Answer{}, err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })()
	if err := json.NewEncoder(conn).Encode(&r); err != nil {
		return Answer{}, err
	}
	var a Answer
	if err := json.NewDecoder(conn).Decode(&a); err != nil {
		return Answer{}, fmt.Errorf("the process does not answer: %w", err)
	}
	if a.Error != "" {
		return a, errors.New(a.Error)
	}
	return a, nil
}

// nobody reports whether an error of Ask means that the process is gone: its
// socket is not there, or nobody listens.
func nobody(err error) bool {
	var op *net.OpError
	return errors.Is(err, fs.ErrNotExist) || errors.As(err, &op) && op.Op == "dial" && !op.Timeout() && refused(err)
}
