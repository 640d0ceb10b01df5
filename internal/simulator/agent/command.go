package agent

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"sync"

	"github.com/ssmdeck/ssmdeck/internal/simulator/shell"
	"github.com/ssmdeck/ssmdeck/sessionclient/wire"
)

// Control characters that interrupt a command.
const (
	ctrlC         = 0x03
	ctrlBackslash = 0x1c
)

// collectBytes bounds the output of a command without separate streams, which
// is kept until the command ends. The real agent keeps it in a file without a
// bound; here the command gets a broken pipe beyond it.
const collectBytes = 256 << 20

// textUpdate is sent to clients too old for separate output streams.
const textUpdate = "Please update session manager plugin version (minimum required version 1.2.312.0) " +
	"for fully support of separate StdOut/StdErr output.\r\n"

// commandSession is a command without a terminal.
type commandSession struct {
	machine   shell.Machine
	command   shell.Command
	separate  bool
	hint      string
	out       *outlet
	stdout    *textWriter
	stderr    *textWriter
	interrupt chan struct{} // capacity 1
	pauses    bool          // a pause of the service is fatal

	mu      sync.Mutex
	kill    context.CancelFunc // set by run
	aborted bool
}

func newCommand(w *worker, p properties) (*commandSession, error) {
	// The rule of the real agent's document schema.
	prefix := regexp.MustCompile(`^[0-9a-zA-Z\r\n_:-]{0,30}$`)
	if !prefix.MatchString(p.StdOutPrefix) || !prefix.MatchString(p.StdErrPrefix) {
		return nil, errors.New("output separator prefix has characters that are not allowed")
	}
	s := &commandSession{
		machine:   w.cfg.Node.Machine,
		separate:  bool(p.Separate),
		out:       w.out,
		interrupt: make(chan struct{}, 1),
		stdout:    &textWriter{out: w.out, ptype: wire.PayloadOutput, prefix: p.StdOutPrefix, defects: w.opts.TextDefects},
		stderr:    &textWriter{out: w.out, ptype: wire.PayloadStdErr, prefix: p.StdErrPrefix, defects: w.opts.TextDefects},
		pauses:    bool(p.Separate) && w.opts.PauseLosesOutput,
	}
	s.command = shell.Command{Script: p.Commands, Elevated: bool(p.RunAsElevate), Interrupt: s.interrupt}
	if s.separate && !clientSplitsOutput(w.hs.clientVersion) {
		s.hint = textUpdate
	}
	w.pace = w.opts.Pace && !s.separate
	return s, nil
}

func (s *commandSession) room() <-chan struct{} { return nil }

// input looks for control characters; commands have no standard input.
//
// Deviation: after an interrupt the real agent's reader handles nothing more
// until the command has ended, not even acknowledgements.
func (s *commandSession) input(t wire.PayloadType, payload []byte) verdict {
	if t != wire.PayloadOutput || bytes.IndexByte(payload, ctrlC) < 0 && bytes.IndexByte(payload, ctrlBackslash) < 0 {
		return taken
	}
	select {
	case s.interrupt <- struct{}{}:
	default: // one is on its way already
	}
	return taken
}

// paused is called when the service pauses the output.
func (s *commandSession) paused() {
	if !s.pauses {
		return
	}
	s.mu.Lock()
	s.aborted = true
	kill := s.kill
	s.mu.Unlock()
	s.out.close(true)
	if kill != nil {
		kill()
	}
}

func (s *commandSession) run(ctx context.Context) Result {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s.mu.Lock()
	s.kill = cancel
	s.mu.Unlock()
	if s.hint != "" {
		_ = s.out.write(wire.PayloadOutput, false, []byte(s.hint))
	}
	streams := shell.IO{Stdout: s.stdout, Stderr: s.stderr}
	var collected collector
	if !s.separate {
		streams = shell.IO{Stdout: &collected, Stderr: &collected}
	}
	status, err := s.machine.Run(ctx, s.command, streams)
	s.mu.Lock()
	aborted := s.aborted
	s.mu.Unlock()
	switch {
	case aborted:
		return failed("Data Channel not in active status")
	case err != nil && ctx.Err() != nil:
		return Result{}
	case err != nil:
		return s.notStarted(err)
	}
	return s.finish(&collected, status)
}

// finish sends what is left after the command has ended. What cannot be written
// any more has no reader.
func (s *commandSession) finish(collected *collector, status int) Result {
	if !s.separate {
		_, _ = s.stdout.Write(collected.buf.Bytes())
		_ = s.stdout.finish()
		return Result{}
	}
	_ = s.stdout.finish()
	_ = s.stderr.finish()
	_ = s.out.write(wire.PayloadExitCode, true, wire.AppendExitCode(nil, status))
	return Result{}
}

// notStarted reports a command that could not be started at all. The real agent
// takes one to three seconds to find out.
func (s *commandSession) notStarted(err error) Result {
	text := fmt.Sprintf("Unable to start command: %v", err)
	_ = s.out.write(wire.PayloadStdErr, true, []byte(text))
	return failed(text)
}

// collector keeps all output of a command, both streams mixed.
type collector struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

// Write fails when too much is kept already.
func (c *collector) Write(b []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.buf.Len()+len(b) > collectBytes {
		return 0, io.ErrShortWrite
	}
	return c.buf.Write(b)
}
