package sessions

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/aws/smithy-go"

	"github.com/ssmdeck/ssmdeck/internal/awsapi"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/pattern"
	"github.com/ssmdeck/ssmdeck/sessionclient"
)

// deniedDocument finds the document in what a refusal of StartSession names.
var deniedDocument = pattern.Lazy(`:document/([a-zA-Z0-9_.-]{3,128})`)

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
	var api smithy.APIError
	answered := errors.As(err, &api)
	err = awsapi.Explain(op, err)
	var e *fault.Error
	if !answered || !errors.As(err, &e) {
		return err
	}
	message := api.ErrorMessage()
	switch {
	case e.Code == "AccessDeniedException" && deniedDocument().MatchString(message):
		name := deniedDocument().FindStringSubmatch(message)[1]
		e.Err = &plainError{"your role may not use session document " + name, e.Err}
		e.Hint = "ask for ssm:StartSession on the document, or choose another with --document"
	case e.Code == "AccessDeniedException" && s.opts.Access == nil:
		e.Hint += "; where access is granted on request, ask with `ssmdeck access request " + req.Target + " --reason TEXT`"
	case strings.Contains(message, "advanced-instances tier"):
		e.Kind = fault.Failed
		e.Err = &plainError{"sessions to hybrid nodes need the advanced-instances tier, which is not turned on", e.Err}
		e.Hint = "turn on /ssm/managed-instance/activation-tier (it costs money per node), or use `ssmdeck run`"
	case limitReached(e.Code):
		e.Kind = fault.Limit
		e.Hint = "end sessions that nobody needs: `ssmdeck session list`, `ssmdeck session terminate`"
	}
	return err
}

// limitReached reports whether an error code speaks of a quota.
func limitReached(code string) bool {
	for _, part := range []string{"Quota", "LimitExceeded", "TooManySessions"} {
		if strings.Contains(code, part) && !strings.HasPrefix(code, "Request") { // RequestLimitExceeded is a throttle
			return true
		}
	}
	return false
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

// plainError is a sentence of ours in place of an error.
type plainError struct {
	text string
	err  error
}

func (e *plainError) Error() string { return e.text }
func (e *plainError) Unwrap() error { return e.err }

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
		return ExplainEnd(fault.New(fault.Failed, op, "%w", &plainError{strings.TrimSpace(ended.Reason), ended}), target)
	default:
		return fault.New(fault.Failed, op, "%w", err)
	}
}

// ending is a reason an agent or the service gives for the end of a session, by
// a part of its text, and what to do about it. NODE in the hint is the target.
type ending struct {
	part, hint string
	kind       fault.Kind
}

// endings are the reasons that are known. The texts are those of agents and of
// the service.
var endings = [...]ending{
	{part: "no such host", hint: "see how the node resolves it: `ssmdeck exec NODE -- getent hosts HOST`"},
	{part: "server misbehaving", hint: "the node's name servers do not answer: see `ssmdeck exec NODE -- cat /etc/resolv.conf`"},
	{part: "Forwarding to IP address", hint: "agents forward to no metadata and no loopback address; for a port of the node itself leave out the host"},
	{part: "Unable to connect to specified port", hint: "see what listens there: `ssmdeck exec NODE -- ss -ltn`"},
	{part: "is not supported by this version of ssm agent", hint: "update the agent: `ssmdeck run -t NODE --document AWS-UpdateSSMAgent`"},
	{part: "selected CloudWatch Logs log group", hint: "encrypt the log group with a KMS key and allow logs:DescribeLogGroups for the node's role, or `ssmdeck session prefs set log-encryption=off`"},
	{part: "selected Amazon S3 bucket", hint: "encrypt the bucket, or `ssmdeck session prefs set s3-encryption=off`"},
	{part: "RunAs user", hint: "make the user on the node, or see run-as in `ssmdeck session prefs get`"},
	{part: "RunAs default user", hint: "set one: `ssmdeck session prefs set run-as=USER`"},
	{part: "due to inactivity", hint: "see idle-timeout in `ssmdeck session prefs get`"},
	{part: "maximum duration", hint: "see max-duration in `ssmdeck session prefs get`"},
	{part: "KMS challenge response", hint: "the node wants clients that answer its KMS challenge: update ssmdeck", kind: fault.Auth},
	{part: "Fetching data key failed", hint: "allow kms:Decrypt on the session key for the node's role", kind: fault.Auth},
	{part: "Handshake timed out", hint: "try again; the key service or the network was too slow"},
	{part: "Unable to start shell", hint: "see the agent's log on the node, and shell-profile-linux in `ssmdeck session prefs get`"},
	{part: "Unable to start command", hint: "see the agent's log on the node"},
}

// ExplainEnd adds the hint, and where it is plain the kind, that belongs to the
// reason for which a session ended, if err's text holds one that is known and
// err has no hint of its own. target is the node.
func ExplainEnd(err error, target string) error {
	var e *fault.Error
	if !errors.As(err, &e) || fault.HintOf(err) != "" {
		return err
	}
	text := strings.ToLower(e.Error())
	for _, known := range endings {
		if !strings.Contains(text, strings.ToLower(known.part)) {
			continue
		}
		better := *e
		better.Hint = strings.ReplaceAll(known.hint, "NODE", target)
		if better.Kind == fault.Failed {
			better.Kind = known.kind
		}
		return &better
	}
	return err
}
