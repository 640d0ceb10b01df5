package awsapi

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/ssmdeck/ssmdeck/internal/wait"
)

const (
	// throttleAttempts: with 10, none of 200 calls against a 20-a-second
	// service failed; with the SDK's 3, 19 did.
	throttleAttempts = 10
	// faultAttempts is for everything else that may pass: waiting half a minute
	// to learn that a proxy is down helps nobody.
	faultAttempts = 3
	maxBackoff    = 10 * time.Second
	// learningAttempts is for throttles by which a rate is learned: the pacer sees to
	// it that they are few, and the call is only out of luck.
	learningAttempts = 60
	learningBackoff  = 2 * time.Second
)

// retryer is the SDK's standard one with two counts of attempts, without its
// quota (the pacer does that work), and deaf to sentOnceError.
type retryer struct{ *retry.Standard }

func newRetryer() aws.Retryer {
	return retryer{retry.NewStandard(func(o *retry.StandardOptions) {
		o.MaxAttempts = learningAttempts
		o.MaxBackoff = maxBackoff
		o.RateLimiter = ratelimit.None
	})}
}

func (r retryer) IsErrorRetryable(err error) bool {
	var once *sentOnceError
	return !errors.As(err, &once) && r.Standard.IsErrorRetryable(err)
}

// RetryDelay also ends the attempts early that are not throttles of a rate that is being
// learned: an error returned from here becomes the call's.
func (r retryer) RetryDelay(attempt int, err error) (time.Duration, error) {
	var learning *learningError
	if errors.As(err, &learning) {
		return wait.Jitter(min(time.Duration(attempt)*100*time.Millisecond, learningBackoff)), nil
	}
	var after *afterThrottles
	if errors.As(err, &after) {
		attempt -= after.learned
	}
	if attempt >= throttleAttempts || attempt >= faultAttempts && !isThrottle(err) {
		return 0, err
	}
	return r.Standard.RetryDelay(attempt, err)
}

// learningError marks a throttle from which the pacer has learned a rate.
type learningError struct{ err error }

func (e *learningError) Error() string { return e.err.Error() }
func (e *learningError) Unwrap() error { return e.err }

// afterThrottles is another failure of a call that had throttles before, from which a
// rate was learned: those are no attempts of it.
type afterThrottles struct {
	learned int
	err     error
}

func (e *afterThrottles) Error() string { return e.err.Error() }
func (e *afterThrottles) Unwrap() error { return e.err }

// learnedKey is where a call counts its throttles from which a rate was learned: an *int.
type learnedKey struct{}

func isThrottle(err error) bool {
	return retry.IsErrorThrottles(retry.DefaultThrottles).IsErrorThrottle(err) == aws.TrueTernary
}

// sentOnceError marks the failure of a call that must not be repeated although
// nobody knows whether it was carried out.
type sentOnceError struct {
	operation string
	err       error
}

func (e *sentOnceError) Error() string { return e.err.Error() }
func (e *sentOnceError) Unwrap() error { return e.err }

// maybeDone reports whether a failed request may have been carried out all the
// same: the service answered with a fault of its own, or did not answer a
// request that had left.
func maybeDone(err error) bool {
	if status := answerStatus(err); status != 0 {
		return status >= http.StatusInternalServerError || status < http.StatusBadRequest
	}
	return !neverLeft(err)
}

// answerStatus is the HTTP status of the answer in err, 0 when there was none:
// the SDK puts an empty response into the errors of requests that failed.
func answerStatus(err error) int {
	var resp *smithyhttp.ResponseError
	if errors.As(err, &resp) && resp.Response != nil && resp.Response.Response != nil {
		return resp.HTTPStatusCode()
	}
	return 0
}

// neverLeft reports whether a request failed before its first byte was sent:
// no address, no connection, no trust.
func neverLeft(err error) bool {
	var dns *net.DNSError
	var op *net.OpError
	var cert *tls.CertificateVerificationError
	var unknown x509.UnknownAuthorityError
	var host x509.HostnameError
	switch {
	case errors.As(err, &dns), errors.As(err, &cert), errors.As(err, &unknown), errors.As(err, &host):
		return true
	case isProxy(err):
		return true
	case errors.As(err, &op):
		return op.Op == "dial"
	case errors.Is(err, context.Canceled):
		return true // nobody repeats it anyway
	default:
		var send *smithyhttp.RequestSendError
		return !errors.As(err, &send) && !errors.Is(err, context.DeadlineExceeded)
	}
}

// Unanswered reports whether err is the failure of a call that may have been
// carried out all the same. Who has given it a token that makes it safe may send
// it again.
func Unanswered(err error) bool {
	var once *sentOnceError
	return errors.As(err, &once)
}
