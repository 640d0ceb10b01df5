package sessions

import (
	"context"
	"errors"
	"io"
	"maps"
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
	// Parameters of Document beside command, which the command becomes.
	Parameters map[string][]string
	Reason     string
}

// Exec is a running command.
type Exec struct {
	*Session
	// Merged says that standard error arrives within standard output, because
	// the account offers no document that keeps them apart.
	Merged bool
	target string
	mark   string // before the exit status in the output; "": none
}

// Exec starts a command. Its exit status comes from the agent where the document
// has it sent; for POSIX shells it is also carried, unseen, at the end of the
// output, since documents are not bound to have it sent.
func (s *Service) Exec(ctx context.Context, req ExecRequest, opts ...sessionclient.Option) (*Exec, error) {
	if strings.TrimSpace(req.Command) == "" {
		return nil, fault.Usagef("there is no command to run")
	}
	e := &Exec{target: req.Target}
	command, document := req.Command, req.Document
	if req.Platform != "windows" {
		e.mark = newMark()
		command = wrap(req.Command, e.mark)
	}
	if document == "" {
		document = DocumentNonInteractive
	}
	open := func(document, command string) (err error) {
		params := map[string][]string{}
		maps.Copy(params, req.Parameters)
		params["command"] = []string{command}
		e.Session, err = s.Open(ctx, Request{
			Target: req.Target, Document: document, Reason: req.Reason,
			Parameters: params,
		}, opts...)
		return err
	}
	err := open(document, command)
	if req.Document == "" && NotOffered(err) {
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

// NotOffered reports whether a session was not opened because a Region or role
// does without the document.
func NotOffered(err error) bool {
	var document *types.InvalidDocument
	return errors.As(err, &document)
}

// Copy writes the command's output to stdout and stderr until it ends. known is
// false when nobody told the exit status.
func (e *Exec) Copy(stdout, stderr io.Writer) (status int, known bool, err error) {
	out := newMarkWriter(stdout, e.mark)
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
		err := fault.New(fault.Failed, "run command on node", "%s", strings.TrimSpace(exit.Reason))
		return 0, false, ExplainEnd(err, e.target)
	default:
		return 0, false, nil
	}
}
