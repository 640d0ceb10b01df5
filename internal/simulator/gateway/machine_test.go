package gateway

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/ssmdeck/ssmdeck/internal/simulator/shell"
)

// fakeMachine understands a few words. It is a stand-in for a real shell, so
// that these tests need none.
type fakeMachine struct {
	mu      sync.Mutex
	options shell.TTYOptions
	tty     *fakeTTY
}

// Run executes: "say <out> <err> <status>", "flood <n>", "wait", "missing".
func (m *fakeMachine) Run(ctx context.Context, c shell.Command, s shell.IO) (int, error) {
	word := strings.Fields(c.Script)
	switch word[0] {
	case "say":
		_, _ = io.WriteString(s.Stderr, word[2])
		_, _ = io.WriteString(s.Stdout, word[1])
		var status int
		_, _ = fmt.Sscan(word[3], &status)
		return status, nil
	case "flood":
		var n int
		_, _ = fmt.Sscan(word[1], &n)
		for i := range n {
			if _, err := fmt.Fprintf(s.Stdout, "%09d\n", i); err != nil {
				return shell.StatusBrokenPipe, nil
			}
		}
		return 0, nil
	case "wait":
		_, _ = io.WriteString(s.Stdout, "waiting")
		select {
		case <-c.Interrupt:
			return shell.StatusInterrupted, nil
		case <-ctx.Done():
			return shell.StatusKilled, ctx.Err()
		}
	}
	return 0, errors.New("exec: no shell")
}

// Start opens a terminal that echoes what is typed and ends with "exit\r".
func (m *fakeMachine) Start(_ context.Context, o shell.TTYOptions) (shell.TTY, error) {
	t := &fakeTTY{done: make(chan struct{})}
	t.r, t.w = io.Pipe()
	t.greet.Go(func() { _, _ = t.w.Write([]byte("prompt$ " + o.Command)) })
	m.mu.Lock()
	defer m.mu.Unlock()
	m.options, m.tty = o, t
	return t, nil
}

type fakeTTY struct {
	r     *io.PipeReader
	w     *io.PipeWriter
	greet sync.WaitGroup
	once  sync.Once
	done  chan struct{}
	mu    sync.Mutex
	size  [2]int
}

func (t *fakeTTY) Read(b []byte) (int, error) { return t.r.Read(b) }

func (t *fakeTTY) Write(b []byte) (int, error) {
	t.greet.Wait()
	n, err := t.w.Write(b)
	if string(b) == "exit\r" {
		t.end()
	}
	return n, err
}

func (t *fakeTTY) end() {
	t.once.Do(func() { close(t.done) })
	_ = t.w.Close()
}

func (t *fakeTTY) Close() error {
	t.end()
	err := t.r.Close()
	t.greet.Wait()
	return err
}

func (t *fakeTTY) Resize(cols, rows int) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.size = [2]int{cols, rows}
	return nil
}

func (t *fakeTTY) Wait() int { <-t.done; return 0 }
