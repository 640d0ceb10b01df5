package awsapi

import (
	"context"
	"errors"
	"log/slog"
	"time"

	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"

	"github.com/ssmdeck/ssmdeck/internal/fault"
)

// instrument puts our middlewares and retryer into the scope's configuration.
// It runs after the credentials were resolved: the SDK's own calls for
// credentials are neither ours to count nor to refuse.
func (s *Scope) instrument(o Options) {
	s.cfg.Retryer = newRetryer
	watch := &watcher{meter: s.meter, log: o.Debug, origin: s.origin, creds: s.creds}
	pace := &pacing{pacer: o.Paces.at(s.place()), meter: s.meter}
	s.cfg.APIOptions = append(s.cfg.APIOptions, func(stack *middleware.Stack) error {
		if err := stack.Initialize.Add(watch, middleware.Before); err != nil {
			return err
		}
		if o.ReadOnly {
			if err := stack.Initialize.Add(readOnlyGuard{}, middleware.Before); err != nil {
				return err
			}
		}
		if err := stack.Initialize.Add(samePage{}, middleware.Before); err != nil {
			return err
		}
		if err := stack.Build.Add(plainBody{}, middleware.After); err != nil {
			return err
		}
		if err := stack.Deserialize.Add(silence{}, middleware.After); err != nil {
			return err
		}
		return stack.Finalize.Insert(pace, "Retry", middleware.After)
	})
	if o.AppVersion != "" {
		s.cfg.APIOptions = append(s.cfg.APIOptions, awsmiddleware.AddUserAgentKeyValue("ssmdeck", o.AppVersion))
	}
}

// readOnlyGuard is the one place where read-only is enforced.
type readOnlyGuard struct{}

func (readOnlyGuard) ID() string { return "ssmdeck.ReadOnly" }

func (readOnlyGuard) HandleInitialize(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
	op := awsmiddleware.GetOperationName(ctx)
	if Writes(op) {
		return middleware.InitializeOutput{}, middleware.Metadata{}, RefuseWrite(op)
	}
	return next.HandleInitialize(ctx, in)
}

// RefuseWrite is the error of an operation that a read-only scope does not send.
// Commands that ask before they send return it before they ask.
func RefuseWrite(operation string) error {
	return fault.New(fault.Refused, "", "%s changes something, and this is read-only", operation).
		WithHint("leave out --read-only, or choose a context that is not readonly")
}

// watcher sees each call once, from outside the retries: it counts, writes the
// debug line, notes on an error where the credentials came from, and has refused
// ones renewed.
type watcher struct {
	meter  *Meter
	log    *slog.Logger
	origin origin
	creds  *renewable
}

func (*watcher) ID() string { return "ssmdeck.Watch" }

func (w *watcher) HandleInitialize(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
	start := time.Now()
	out, md, err := next.HandleInitialize(context.WithValue(ctx, learnedKey{}, new(int)), in)
	took := time.Since(start)

	op := awsmiddleware.GetOperationName(ctx)
	attempts, throttles := attemptsOf(md)
	w.meter.called(op, took, attempts, throttles, err != nil)
	w.debug(ctx, op, took, attempts, md, err)
	if refusesCredentials(err) {
		w.creds.refuse()
	}
	if err != nil {
		err = &originError{origin: w.origin, err: err}
	}
	return out, md, err
}

// debug writes the line of one call. An error contributes its code only: its
// message may quote what was sent.
func (w *watcher) debug(ctx context.Context, op string, took time.Duration, attempts int, md middleware.Metadata, err error) {
	if w.log == nil {
		return
	}
	attrs := []slog.Attr{
		slog.String("operation", awsmiddleware.GetServiceID(ctx)+"."+op),
		slog.Int64("ms", took.Milliseconds()),
		slog.Int("attempts", attempts),
	}
	id, _ := awsmiddleware.GetRequestIDMetadata(md)
	if err != nil {
		if id == "" {
			id = requestID(err)
		}
		attrs = append(attrs, slog.String("error", errorCode(err)))
	}
	if id != "" {
		attrs = append(attrs, slog.String("request_id", id))
	}
	w.log.LogAttrs(ctx, slog.LevelDebug, "aws call", attrs...)
}

// attemptsOf counts the requests of one call and those that were throttled.
func attemptsOf(md middleware.Metadata) (attempts, throttles int) {
	results, _ := retry.GetAttemptResults(md)
	for _, r := range results.Results {
		if r.Err != nil && isThrottle(r.Err) {
			throttles++
		}
	}
	return len(results.Results), throttles
}

// errorCode is the service's code of an error, or a word for one that is not
// the service's.
func errorCode(err error) string {
	var api smithy.APIError
	switch {
	case errors.As(err, &api):
		return api.ErrorCode()
	case errors.Is(err, context.Canceled):
		return "Canceled"
	default:
		return "ClientError"
	}
}

// originError carries to Explain where the credentials of a call came from.
type originError struct {
	origin origin
	err    error
}

func (e *originError) Error() string { return e.err.Error() }
func (e *originError) Unwrap() error { return e.err }

type sendingKey struct{}

// OnceSent returns a context for a call that must be answered once it has been
// sent: it does not end with ctx, but when ctx has ended nothing is sent any more.
// The caller bounds it.
func OnceSent(ctx context.Context) context.Context {
	return context.WithValue(context.WithoutCancel(ctx), sendingKey{}, ctx)
}

// sending is the context that says how long a call may be sent.
func sending(ctx context.Context) context.Context {
	if c, ok := ctx.Value(sendingKey{}).(context.Context); ok {
		return c
	}
	return ctx
}

type gateKey struct{}

// Gate is asked before each request of a context, retries included. It waits for as long as
// the request has to; sent says, once or more often, that the request has been counted, or
// will not be sent.
type Gate func(ctx context.Context) (sent func(), err error)

// Gated is a context whose requests go through a gate before anything else holds them up:
// one that waits there takes the turn of no other.
func Gated(ctx context.Context, g Gate) context.Context {
	return context.WithValue(ctx, gateKey{}, g)
}

// PassGate waits at the gate of a context, if it has one.
func PassGate(ctx context.Context) (sent func(), err error) {
	if g, ok := ctx.Value(gateKey{}).(Gate); ok {
		return g(ctx)
	}
	return func() {}, nil
}

// pacing sees each request, inside the retries.
type pacing struct {
	pacer *pacer
	meter *Meter
}

func (*pacing) ID() string { return "ssmdeck.Pace" }

func (p *pacing) HandleFinalize(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (middleware.FinalizeOutput, middleware.Metadata, error) {
	op := awsmiddleware.GetOperationName(ctx)
	key := awsmiddleware.GetServiceID(ctx) + "." + op
	sent, err := PassGate(sending(ctx))
	if err != nil {
		return middleware.FinalizeOutput{}, middleware.Metadata{}, err
	}
	defer sent()
	if err := p.pacer.wait(sending(ctx), key, Writes(op)); err != nil {
		return middleware.FinalizeOutput{}, middleware.Metadata{}, err
	}
	p.meter.sent(time.Now())
	sent()
	out, md, err := next.HandleFinalize(ctx, in)
	learned, _ := ctx.Value(learnedKey{}).(*int)
	switch throttled := err != nil && isThrottle(err); {
	case p.pacer.answered(key, throttled):
		err = &learningError{err}
		if learned != nil {
			*learned++
		}
	case err != nil && learned != nil && *learned > 0:
		err = &afterThrottles{*learned, err}
	}
	if err != nil && !repeatable(op) && maybeDone(err) {
		err = &sentOnceError{operation: op, err: err}
	}
	return out, md, err
}
