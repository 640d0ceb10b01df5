package agent

import (
	"bytes"
	"context"
	"encoding/json"
	"sync"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/simulator/shell"
	"github.com/ssmdeck/ssmdeck/internal/wait"
	"github.com/ssmdeck/ssmdeck/sessionclient/wire"
)

// shellSession is a login shell or a given command on a terminal.
type shellSession struct {
	machine shell.Machine
	options shell.TTYOptions
	profile string // typed first
	windows bool
	nobody  bool          // run-as is on and names no user
	delay   time.Duration // before the first output
	in      *inlet
	out     *textWriter
}

func newShell(w *worker, command string) *shellSession {
	s := &shellSession{
		machine: w.cfg.Node.Machine,
		options: shell.TTYOptions{
			Command: command, User: w.cfg.Spec.RunAsUser,
			Env: []string{"TERM=xterm-256color", "LANG=C.UTF-8"},
		},
		windows: w.cfg.Node.Platform == platformWindows,
		nobody:  w.cfg.Spec.RunAs && w.cfg.Spec.RunAsUser == "" && w.cfg.Node.Platform != platformWindows,
		delay:   w.cfg.Node.Agent.StartDelay,
		in:      newInlet(),
		out:     &textWriter{out: w.out, ptype: wire.PayloadOutput, defects: w.opts.TextDefects},
	}
	if command == "" {
		s.profile = w.cfg.Spec.ShellProfile
	}
	w.pace = w.opts.Pace
	return s
}

func (s *shellSession) room() <-chan struct{} { return s.in.room }

func (s *shellSession) input(t wire.PayloadType, payload []byte) verdict {
	if t != wire.PayloadOutput && t != wire.PayloadSize {
		return taken // everything else means nothing to a shell
	}
	return s.in.offer(t, payload)
}

func (s *shellSession) run(ctx context.Context) Result {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if s.nobody {
		return failed("Unable to start shell: please set the RunAs default user")
	}
	tty, err := s.machine.Start(ctx, s.options)
	if err != nil {
		return failed("Unable to start shell: " + err.Error())
	}
	var typing sync.WaitGroup
	typing.Go(func() { s.feed(ctx, tty) })
	err = s.print(ctx, tty)
	cancel()
	_ = tty.Close() // the program has ended or is no longer wanted
	typing.Wait()
	tty.Wait()
	if err != nil && ctx.Err() == nil {
		return failed(err.Error())
	}
	return Result{}
}

// print passes on the output until it ends.
func (s *shellSession) print(ctx context.Context, tty shell.TTY) error {
	if err := wait.Sleep(ctx, s.delay); err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { _ = tty.Close() }) // ends a pending Read
	defer stop()
	buf := make([]byte, 32<<10)
	for {
		n, err := tty.Read(buf)
		if _, werr := s.out.Write(buf[:n]); werr != nil {
			return werr
		}
		if err != nil { // io.EOF, or a terminal that is gone: both are the end
			return s.out.finish()
		}
	}
}

// feed types what the client sends and tells the size of its window.
func (s *shellSession) feed(ctx context.Context, tty shell.TTY) {
	if s.profile != "" {
		if _, err := tty.Write([]byte(s.profile + "\n")); err != nil {
			return
		}
	}
	var items []item
	for {
		var err error
		if items, err = s.in.next(ctx, items); err != nil {
			return
		}
		for _, it := range items {
			if it.ptype == wire.PayloadSize {
				resize(tty, it.payload)
				continue
			}
			if _, err := tty.Write(s.newlines(it.payload)); err != nil {
				return // the program is ending; what is typed now is lost
			}
		}
	}
}

func resize(tty shell.TTY, payload []byte) {
	var size wire.TerminalSize
	if json.Unmarshal(payload, &size) != nil || size.Cols == 0 || size.Rows == 0 || size.Cols > 0xffff || size.Rows > 0xffff {
		return
	}
	_ = tty.Resize(int(size.Cols), int(size.Rows)) // a program that ended has no size
}

// newlines applies the rule of Windows agents: without a \r\n in it, every line
// feed of an input is a carriage return.
func (s *shellSession) newlines(b []byte) []byte {
	if !s.windows || bytes.Contains(b, []byte("\r\n")) {
		return b
	}
	return bytes.ReplaceAll(b, []byte{'\n'}, []byte{'\r'})
}
