package sessions

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/sessionclient"
)

// ExecRequest is a command to run through a session, without a terminal.
type ExecRequest struct {
	Target   string
	Platform string // linux, macos or windows
	Command  string // one line or a script for the node's shell
	Document string // "": AWS-StartNonInteractiveCommand, or what replaces it
	Reason   string
}

// Exec is a running command.
type Exec struct {
	*Session
	// Merged says that standard error arrives within standard output, because
	// the account offers no document that keeps them apart.
	Merged bool
	mark   string // after which the exit status stands in the output; "": none
}

// Exec starts a command. Its exit status comes from the agent where the document
// has it sent; for POSIX shells it is also carried, unseen, at the end of the
// output, since documents are not bound to send it.
func (s *Service) Exec(ctx context.Context, req ExecRequest, opts ...sessionclient.Option) (*Exec, error) {
	if strings.TrimSpace(req.Command) == "" {
		return nil, fault.Usagef("there is no command to run")
	}
	e := &Exec{}
	command, document := req.Command, req.Document
	if req.Platform != "windows" {
		e.mark = newMark()
		command = wrap(req.Command, e.mark)
	}
	if document == "" {
		document = DocumentNonInteractive
	}
	open := func(document, command string) (err error) {
		e.Session, err = s.Open(ctx, Request{
			Target: req.Target, Document: document, Reason: req.Reason,
			Parameters: map[string][]string{"command": {command}},
		}, opts...)
		return err
	}
	err := open(document, command)
	if req.Document == "" && notOffered(err) {
		e.Merged = true
		if e.mark != "" {
			// A terminal would turn line feeds into CR LF and echo input.
			command = "stty -opost -echo 2>/dev/null; " + command
		}
		err = open(DocumentInteractive, command)
	}
	if err != nil {
		return nil, err
	}
	return e, nil
}

// notOffered reports whether a Region or role does without the document.
func notOffered(err error) bool {
	var document *types.InvalidDocument
	return errors.As(err, &document)
}

// Copy writes the command's output to stdout and stderr until it ends. known is
// false when nobody told the exit status.
func (e *Exec) Copy(stdout, stderr io.Writer) (status int, known bool, err error) {
	out := &markWriter{w: stdout, mark: []byte(e.mark)}
	exit, err := e.CopyOutput(out, stderr)
	if flushErr := out.flush(); err == nil {
		err = flushErr
	}
	switch {
	case err != nil:
		return 0, false, err
	case exit.HasCode:
		return exit.Code, true, nil
	case out.found:
		return out.status, true, nil
	case exit.Reason != "":
		return 0, false, fault.New(fault.Failed, "run command on node", "%s", strings.TrimSpace(exit.Reason))
	default:
		return 0, false, nil
	}
}

// markStart is a byte that text does not hold, so that output is rarely held back.
const markStart = 0x1e

// newMark returns an unguessable text, so that output cannot fake it.
func newMark() string {
	var b [12]byte
	_, _ = rand.Read(b[:]) // documented never to fail
	return hex.EncodeToString(b[:])
}

// wrap makes a POSIX shell print the mark and the exit status after the command
// has run, and exit with it. The command runs in a subshell, so that its own
// exit does not skip that. A line of its own is needed only where the command
// could swallow the closing parenthesis: comments and here-documents.
func wrap(command, mark string) string {
	sep := " "
	if strings.ContainsAny(command, "#\n") || strings.Contains(command, "<<") || strings.HasSuffix(command, `\`) {
		sep = "\n"
	}
	return fmt.Sprintf(`(%s%s%s); rc=$?; printf '\036%s:%%d' "$rc"; exit "$rc"`, sep, command, sep, mark)
}

// markWriter passes output on, but for the mark and the status at its very end.
type markWriter struct {
	w      io.Writer
	mark   []byte
	held   []byte
	found  bool
	status int
}

// maxHeld is the longest tail that may still become a mark: start, 24 hexadecimal
// digits, a colon, and up to ten digits of status.
const maxHeld = 1 + 24 + 1 + 10

func (m *markWriter) Write(p []byte) (int, error) {
	if len(m.mark) == 0 {
		return m.w.Write(p)
	}
	data := p
	if len(m.held) > 0 {
		data = append(m.held, p...)
		m.held = nil
	}
	// Hold back from the last start byte, if a mark fits behind it.
	if i := bytes.LastIndexByte(data, markStart); i >= 0 && len(data)-i <= maxHeld {
		m.held = bytes.Clone(data[i:])
		data = data[:i]
	}
	if len(data) > 0 {
		if _, err := m.w.Write(data); err != nil {
			return 0, err
		}
	}
	return len(p), nil
}

// flush decides what the held tail is.
func (m *markWriter) flush() error {
	if len(m.held) == 0 {
		return nil
	}
	if rest, ok := bytes.CutPrefix(m.held[1:], append(bytes.Clone(m.mark), ':')); ok {
		if n, err := strconv.Atoi(string(rest)); err == nil && n >= 0 {
			m.found, m.status, m.held = true, n, nil
			return nil
		}
	}
	_, err := m.w.Write(m.held)
	m.held = nil
	return err
}
