package sessions

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
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
	// Access, when set, is the scope with the credentials of an access request.
	// They open, resume and end sessions; everything else, the keys of encrypted
	// sessions too, is done with the caller's own.
	Access *awsapi.Scope
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
	if o.Access == nil {
		return newService(scope.SSM(), scope, o)
	}
	return newService(splitAPI{api: o.Access.SSM(), own: scope.SSM()}, splitChannel{Channel: o.Access, own: scope}, o)
}

// splitAPI looks things up with the caller's own credentials.
type splitAPI struct {
	api
	own api
}

func (s splitAPI) DescribeSessions(ctx context.Context, in *ssm.DescribeSessionsInput, o ...func(*ssm.Options)) (*ssm.DescribeSessionsOutput, error) {
	return s.own.DescribeSessions(ctx, in, o...)
}

func (s splitAPI) GetDocument(ctx context.Context, in *ssm.GetDocumentInput, o ...func(*ssm.Options)) (*ssm.GetDocumentOutput, error) {
	return s.own.GetDocument(ctx, in, o...)
}

// splitChannel makes keys with the caller's own credentials.
type splitChannel struct {
	Channel
	own sessionclient.KeySource
}

func (s splitChannel) DataKey(ctx context.Context, keyID string, encContext map[string]string) (plain, sealed []byte, err error) {
	return s.own.DataKey(ctx, keyID, encContext)
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

// Noting returns a Service that tells of its sessions, see Options.Opened.
func (s *Service) Noting(opened, ended func(id string)) *Service {
	t := *s
	t.opts.Opened, t.opts.Ended = opened, ended
	return &t
}

// Request says what to open. An empty Document is the account's preference for
// shells (SSM-SessionManagerRunShell).
type Request struct {
	Target     string // node id
	Document   string
	Parameters map[string][]string
	Reason     string // 1 to 256 characters, kept in the session's history
	Limits     bool   // find out the account's limits beside, see Session.Limits
}

// Session is an open session that is terminated at the service by Close.
type Session struct {
	*sessionclient.Session
	svc     *Service
	id      string
	started time.Time
	limits  *limits // nil: nobody asked for them
	once    sync.Once
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
	out, err := s.start(ctx, in)
	if err != nil {
		return nil, s.explainStart(op, req, err)
	}
	return s.Attach(ctx, sessionclient.Ticket{
		SessionID: aws.ToString(out.SessionId), Token: aws.ToString(out.TokenValue), StreamURL: aws.ToString(out.StreamUrl),
	}, req, opts...)
}

// start calls StartSession. A call that is cut off may have started a session
// whose id nobody knows, so when ctx ends it is given a moment to be answered,
// and the session is terminated. One that still waits for its turn is not sent.
func (s *Service) start(ctx context.Context, in *ssm.StartSessionInput) (*ssm.StartSessionOutput, error) {
	calling, cancel := context.WithCancel(awsapi.OnceSent(ctx))
	defer cancel()
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(terminateWait, cancel) })
	defer stop()
	out, err := s.api.StartSession(calling, in)
	if err == nil && ctx.Err() != nil {
		s.terminateQuietly(ctx, aws.ToString(out.SessionId), terminateWait)
		return nil, ctx.Err()
	}
	return out, err
}

// Attach is Open for a session that somebody has started already with req, and
// whose ticket was not used yet.
func (s *Service) Attach(ctx context.Context, ticket sessionclient.Ticket, req Request, opts ...sessionclient.Option) (*Session, error) {
	started := time.Now()
	var lim *limits
	if req.Limits {
		lim = s.readLimits(ctx, req.Document)
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
		lim.stop()
		s.terminateQuietly(ctx, ticket.SessionID, terminateWait)
		return nil, explainDial("start session on "+req.Target, req.Target, err)
	}
	return &Session{Session: inner, svc: s, id: ticket.SessionID, started: started, limits: lim}, nil
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
		s.limits.stop()
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
