package sessions

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/ssmdeck/ssmdeck/internal/awsapi"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/sessionclient"
)

// The documents of AWS that sessions are started with.
const (
	DocumentNonInteractive = "AWS-StartNonInteractiveCommand"
	DocumentInteractive    = "AWS-StartInteractiveCommand"
	DocumentPort           = "AWS-StartPortForwardingSession"
	DocumentRemoteHost     = "AWS-StartPortForwardingSessionToRemoteHost"
	DocumentSSH            = "AWS-StartSSHSession"
)

// alwaysHandshakes reports whether agents begin the document's sessions with a
// handshake whatever the account's preferences are: ports and commands without
// a terminal.
func alwaysHandshakes(document string) bool {
	switch document {
	case DocumentNonInteractive, DocumentPort, DocumentRemoteHost, DocumentSSH:
		return true
	default:
		return false
	}
}

// The call that ends a session must also work while everything else is being
// torn down, and a person who leaves a dead session does not wait for it.
const (
	terminateWait = 2 * time.Second
	abortWait     = time.Second
)

// Channel is what a data channel needs of a scope: *awsapi.Scope has it.
type Channel interface {
	sessionclient.KeySource
	SignUpgrade(ctx context.Context, r *http.Request) error
	HTTPClient() *http.Client
}

// Options are the details of a Service.
type Options struct {
	UserAgent string
	Log       *slog.Logger // nil: none
	// Opened is told of a session as soon as it exists at the service, Ended once
	// the service knows that it is over: what is between can be written down by
	// those who must leave nothing behind. Nil: nobody.
	Opened, Ended func(id string)
}

// Service opens sessions in one account and Region.
type Service struct {
	api     api
	channel Channel
	opts    Options
}

// New returns a Service that uses the clients of scope.
func New(scope *awsapi.Scope, o Options) *Service {
	return newService(scope.SSM(), scope, o)
}

func newService(a api, c Channel, o Options) *Service {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Opened == nil {
		o.Opened = func(string) {}
	}
	if o.Ended == nil {
		o.Ended = func(string) {}
	}
	return &Service{api: a, channel: c, opts: o}
}

// Request says what to open. An empty Document is the account's preference for
// shells (SSM-SessionManagerRunShell).
type Request struct {
	Target     string // node id
	Document   string
	Parameters map[string][]string
	Reason     string // 1 to 256 characters, kept in the session's history
}

// Session is an open session that is terminated at the service by Close.
type Session struct {
	*sessionclient.Session
	svc  *Service
	id   string
	once sync.Once
}

// Open starts a session and waits until its agent is ready. When anything after
// StartSession fails, the session is terminated before Open returns.
func (s *Service) Open(ctx context.Context, req Request, opts ...sessionclient.Option) (*Session, error) {
	op := "start session on " + req.Target
	in := &ssm.StartSessionInput{Target: aws.String(req.Target), Parameters: req.Parameters}
	if req.Document != "" {
		in.DocumentName = aws.String(req.Document)
	}
	if req.Reason != "" {
		in.Reason = aws.String(req.Reason)
	}
	out, err := s.api.StartSession(ctx, in)
	if err != nil {
		return nil, s.explainStart(op, req, err)
	}
	ticket := sessionclient.Ticket{
		SessionID: aws.ToString(out.SessionId), Token: aws.ToString(out.TokenValue), StreamURL: aws.ToString(out.StreamUrl),
	}
	s.opts.Opened(ticket.SessionID)
	base := []sessionclient.Option{
		sessionclient.WithHTTPClient(s.channel.HTTPClient()),
		sessionclient.WithSigner(s.channel.SignUpgrade),
		sessionclient.WithKeys(s.channel, req.Target),
		sessionclient.WithResume(func(ctx context.Context) (sessionclient.Ticket, error) { return s.resume(ctx, ticket.SessionID) }),
		sessionclient.WithUserAgent(s.opts.UserAgent),
		sessionclient.WithLogger(s.opts.Log.With("session", ticket.SessionID)),
	}
	if alwaysHandshakes(req.Document) {
		base = append(base, sessionclient.WithHandshake())
	}
	inner, err := sessionclient.Dial(ctx, ticket, append(base, opts...)...)
	if err != nil {
		s.terminateQuietly(ctx, ticket.SessionID, terminateWait)
		return nil, explainDial(op, req.Target, err)
	}
	return &Session{Session: inner, svc: s, id: ticket.SessionID}, nil
}

// resume asks for a new token, with whatever credentials are current.
func (s *Service) resume(ctx context.Context, id string) (sessionclient.Ticket, error) {
	out, err := s.api.ResumeSession(ctx, &ssm.ResumeSessionInput{SessionId: aws.String(id)})
	var gone *types.DoesNotExistException
	switch {
	case errors.As(err, &gone):
		return sessionclient.Ticket{}, sessionclient.ErrSessionGone
	case err != nil:
		return sessionclient.Ticket{}, awsapi.Explain("resume session "+id, err)
	}
	return sessionclient.Ticket{
		SessionID: id, Token: aws.ToString(out.TokenValue), StreamURL: aws.ToString(out.StreamUrl),
	}, nil
}

// Close flushes and closes the data channel and terminates the session, unless
// the far end has ended it already. It is idempotent.
func (s *Session) Close() error {
	over := s.over()
	_ = s.Session.Close()
	s.terminate(over, terminateWait)
	return nil
}

// Abort is Close without flushing. It also cuts a Close short that is flushing.
func (s *Session) Abort() {
	over := s.over()
	s.Session.Abort()
	s.terminate(over, abortWait)
}

// over reports whether the far end has ended the session already. A session
// that ends because we asked its agent to is not over in this sense: the service
// is told as well.
func (s *Session) over() bool {
	select {
	case <-s.Done():
		exit, err := s.Wait()
		return err == nil && !exit.Closed || errors.Is(err, sessionclient.ErrSessionGone)
	default:
		return false
	}
}

// terminate ends the session at the service, once, unless it is over.
func (s *Session) terminate(over bool, wait time.Duration) {
	s.once.Do(func() {
		if _, err := s.Wait(); !over && !errors.Is(err, sessionclient.ErrSessionGone) {
			s.svc.terminateQuietly(context.Background(), s.id, wait)
		} else {
			s.svc.opts.Ended(s.id)
		}
	})
}

// terminateQuietly ends a session when there is nobody to tell about a failure:
// the service ends idle sessions by itself. It works under a cancelled ctx.
func (s *Service) terminateQuietly(ctx context.Context, id string, wait time.Duration) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), wait)
	defer cancel()
	if _, err := s.api.TerminateSession(ctx, &ssm.TerminateSessionInput{SessionId: aws.String(id)}); err != nil {
		s.opts.Log.Debug("session not terminated", "session", id, "error", awsapi.Explain("terminate", err))
		return
	}
	s.opts.Ended(id)
}

// Terminate ends a session by id. The service takes any id without a word, so
// it is looked up first: an unknown one is NotFound, and one that has ended
// already reports ended. Where looking up is not allowed the id is used as it is.
func (s *Service) Terminate(ctx context.Context, id string) (ended bool, err error) {
	op := "terminate session " + id
	for _, past := range []bool{false, true} {
		found, err := s.find(ctx, id, past)
		if found && past {
			return true, nil
		}
		if found || err != nil {
			_, err := s.api.TerminateSession(ctx, &ssm.TerminateSessionInput{SessionId: aws.String(id)})
			return false, awsapi.Explain(op, err)
		}
	}
	return false, fault.New(fault.NotFound, op, "there is no such session, and none has ended in the last 30 days").
		WithHint("`ssmdeck session list` lists the running ones")
}

// find looks for a session among the running or the past ones.
func (s *Service) find(ctx context.Context, id string, past bool) (bool, error) {
	for e, err := range s.List(ctx, Filter{History: past, ID: id}) {
		if err != nil {
			return false, err
		}
		if e.ID == id {
			return true, nil
		}
	}
	return false, nil
}

// explainStart adds what StartSession's own errors leave out.
func (s *Service) explainStart(op string, req Request, err error) error {
	var document *types.InvalidDocument
	if errors.As(err, &document) && req.Document != "" {
		return &fault.Error{
			Kind: fault.NotFound, Op: op, Code: document.ErrorCode(),
			Hint: "check the name and that your role may use it, or choose another with --document",
			Err:  &documentError{name: req.Document, err: err},
		}
	}
	return awsapi.Explain(op, err)
}

// documentError is a session document that the service does not offer.
type documentError struct {
	name string
	err  error
}

func (e *documentError) Error() string {
	return "session document " + e.name + " does not exist here or cannot be used for sessions"
}
func (e *documentError) Unwrap() error { return e.err }

// explainDial gives the ways in which a data channel does not come up their kinds.
func explainDial(op, target string, err error) error {
	var (
		known   *fault.Error
		upgrade *sessionclient.UpgradeError
		ended   *sessionclient.EndedError
	)
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return awsapi.Explain(op, err)
	case errors.As(err, &known):
		return &fault.Error{Kind: known.Kind, Op: op, Hint: known.Hint, Code: known.Code, RequestID: known.RequestID, Err: err}
	case errors.Is(err, sessionclient.ErrNotReady):
		return fault.New(fault.Offline, op, "%w", err).
			WithHint("run `ssmdeck node get %s` to see whether its agent is online", target)
	case errors.As(err, &upgrade) && (upgrade.Status == http.StatusForbidden || upgrade.Status == http.StatusUnauthorized):
		return fault.New(fault.Auth, op, "%w", err).
			WithHint("allow ssmmessages:OpenDataChannel for your role")
	case errors.As(err, &ended):
		return fault.New(fault.Failed, op, "%s", strings.TrimSpace(ended.Reason))
	default:
		return fault.New(fault.Failed, op, "%w", err)
	}
}
