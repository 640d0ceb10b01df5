package sessions

import (
	"context"
	"errors"
	"strconv"
	"strings"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/sessionclient"
)

// SSHRequest is a connection to a port of the node itself, carried as it is.
type SSHRequest struct {
	Target   string // node id
	Port     int
	Document string // "": AWS-StartSSHSession. Another gets portNumber too
	Reason   string
}

// What agents say of a destination that does not answer, and those too old to
// know sessions that carry a port.
const (
	textNoConnect = "Unable to connect to specified port"
	textNoPorts   = "Plugin with name Port "
)

// SSH starts a session that carries the bytes of one connection, for
// portforward.Stdio. It makes one call before the data channel opens.
func (s *Service) SSH(ctx context.Context, req SSHRequest, opts ...sessionclient.Option) (*Session, error) {
	document := req.Document
	if document == "" {
		document = DocumentSSH
	}
	session, err := s.Open(ctx, Request{
		Target: req.Target, Document: document, Reason: req.Reason,
		Parameters: map[string][]string{"portNumber": {strconv.Itoa(req.Port)}},
	}, append([]sessionclient.Option{sessionclient.WithHandshake()}, opts...)...)
	return session, ExplainSSH(req, err)
}

// ExplainSSH puts the end of a connection, before or after it began, in the
// words of somebody who wanted SSH.
func ExplainSSH(req SSHRequest, err error) error {
	var known *fault.Error
	if err == nil || !errors.As(err, &known) {
		return err
	}
	op := "connect to port " + strconv.Itoa(req.Port) + " of " + req.Target
	switch text := err.Error(); {
	case strings.Contains(text, textNoConnect):
		_, cause, _ := strings.Cut(text, textNoConnect)
		cause = strings.TrimLeft(cause, ": ")
		if cause == "" {
			cause = "no answer"
		}
		return fault.New(fault.Failed, op, "the node cannot: %s", cause).
			WithHint("check that an SSH server runs there: `ssmdeck exec %s -- systemctl status sshd`", req.Target)
	case strings.Contains(text, textNoPorts):
		return AgentTooOld(op, req.Target, "")
	}
	return err
}

// AgentTooOld is the error for a node whose agent, of the given version if that
// is known, has no sessions that carry a port.
func AgentTooOld(op, target, version string) error {
	if version != "" {
		version = " " + version
	}
	return fault.New(fault.Failed, op, "its SSM agent%s is too old to carry SSH", version).
		WithHint("update it to 2.3.672.0 or later: `ssmdeck run -t %s --document AWS-UpdateSSMAgent`", target)
}
