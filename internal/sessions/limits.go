package sessions

import (
	"context"
	"encoding/json"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/ssmdeck/ssmdeck/internal/awsapi"
)

// documentPreferences holds the account's preferences for sessions.
const documentPreferences = "SSM-SessionManagerRunShell"

// defaultIdle is the idle limit where nobody has set one.
const defaultIdle = 20 * time.Minute

// Limits are how long the account lets a session live. The service enforces
// them; they are here to be shown.
type Limits struct {
	Idle time.Duration // without traffic
	Max  time.Duration // altogether; 0: without limit
}

// limits reads them beside a session that is being opened.
type limits struct {
	cancel context.CancelFunc
	done   chan struct{}
	known  atomic.Pointer[Limits]
}

// readLimits asks for the limits of a session document, and gives up silently
// when that is not allowed. It does not hold up the session.
func (s *Service) readLimits(ctx context.Context, document string) *limits {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	l := &limits{cancel: cancel, done: make(chan struct{})}
	go func() {
		defer close(l.done)
		defer cancel()
		for _, name := range []string{document, documentPreferences} {
			if name == "" {
				continue
			}
			out, err := s.api.GetDocument(ctx, &ssm.GetDocumentInput{Name: aws.String(name), DocumentFormat: types.DocumentFormatJson})
			if err != nil {
				s.opts.Log.Debug("limits of the session not known", "document", name, "error", awsapi.Explain("read the limits", err))
				return
			}
			if found, ok := parseLimits(aws.ToString(out.Content)); ok {
				l.known.Store(&found)
				return
			}
		}
	}()
	return l
}

// stop ends the asking and waits for it.
func (l *limits) stop() {
	if l != nil {
		l.cancel()
		<-l.done
	}
}

// parseLimits reads the limits of a session document. ok is false when it has no
// settings of its own.
func parseLimits(content string) (l Limits, ok bool) {
	var doc struct {
		Inputs *struct {
			Idle any `json:"idleSessionTimeout"`
			Max  any `json:"maxSessionDuration"`
		} `json:"inputs"`
	}
	if err := json.Unmarshal([]byte(content), &doc); err != nil || doc.Inputs == nil {
		return Limits{}, false
	}
	l = Limits{Idle: minutes(doc.Inputs.Idle), Max: minutes(doc.Inputs.Max)}
	if l.Idle == 0 {
		l.Idle = defaultIdle
	}
	return l, true
}

// minutes reads a number of minutes, which documents write as text or number.
// What is none, or none that the service accepts (1 to 1440), is 0.
func minutes(v any) time.Duration {
	n := 0
	switch v := v.(type) {
	case string:
		n, _ = strconv.Atoi(strings.TrimSpace(v))
	case float64:
		n = int(v)
	}
	if n < 1 || n > 1440 {
		return 0
	}
	return time.Duration(n) * time.Minute
}

// Limits returns the limits of the account, once they are known. They are asked
// for with Request.Limits only.
func (s *Session) Limits() (Limits, bool) {
	if s.limits == nil {
		return Limits{}, false
	}
	l := s.limits.known.Load()
	if l == nil {
		return Limits{}, false
	}
	return *l, true
}

// Started is when the service started the session.
func (s *Session) Started() time.Time { return s.started }
