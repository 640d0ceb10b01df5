package world

import (
	"cmp"
	"crypto/rand"
	"maps"
	"slices"
	"strings"
	"time"
)

// sessionHistory is how many ended sessions are kept; the service keeps 30 days.
const sessionHistory = 5000

// Session is a session as DescribeSessions tells of it.
type Session struct {
	ID, Target, Owner, DocumentName string
	Status                          string // Session… constants
	Reason, Details                 string
	Started, Ended                  time.Time // Ended is zero while it lives
	MaxDuration                     time.Duration
	// Elsewhere: it is of a client that is not there, as colleagues of a living
	// account are. No channel belongs to it.
	Elsewhere bool
}

// Over reports whether the session has ended.
func (s Session) Over() bool {
	return s.Status == SessionTerminated || s.Status == SessionFailed
}

// NewSessionID makes a session id the way the service does now: the caller's
// name, a hyphen and 26 characters of base 36, at most 96 in all.
func NewSessionID(owner string) string {
	const alphabet = "0123456789abcdefghijklmnopqrstuvwxyz"
	var b [26]byte
	_, _ = rand.Read(b[:]) // never fails
	for i, c := range b {
		b[i] = alphabet[int(c)%len(alphabet)]
	}
	return owner[:min(len(owner), 96-27)] + "-" + string(b[:])
}

// AddSession records a new session, Connecting from now on.
func (w *World) AddSession(spec SessionSpec) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.sessions[spec.ID] = &Session{
		ID: spec.ID, Target: spec.NodeID, Owner: spec.Owner, DocumentName: spec.DocumentName,
		Status: SessionConnecting, Reason: spec.Reason, Started: w.now(), MaxDuration: spec.MaxDuration,
	}
	w.forgetSessions()
}

// forgetSessions drops the oldest ended sessions beyond sessionHistory.
func (w *World) forgetSessions() {
	if len(w.sessions) <= 2*sessionHistory {
		return
	}
	var over []*Session
	for _, s := range w.sessions {
		if s.Over() {
			over = append(over, s)
		}
	}
	slices.SortFunc(over, func(a, b *Session) int { return a.Ended.Compare(b.Ended) })
	for _, s := range over[:max(0, len(over)-sessionHistory)] {
		delete(w.sessions, s.ID)
	}
}

// SessionStatus records the state of a session. details is what the agent had
// to say about its end, or empty. An ended session never changes again.
func (w *World) SessionStatus(id, status, details string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	s, ok := w.sessions[id]
	if !ok || s.Over() {
		return
	}
	s.Status = status
	if s.Over() {
		s.Ended = w.now()
		s.Details = details
	}
}

// Session returns one session.
func (w *World) Session(id string) (Session, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	s, ok := w.sessions[id]
	if !ok {
		return Session{}, false
	}
	return *s, true
}

// Sessions returns all sessions that have ended, or all that have not, the
// latest first.
func (w *World) Sessions(over bool) []Session {
	w.mu.Lock()
	defer w.mu.Unlock()
	var list []Session
	for s := range maps.Values(w.sessions) {
		if s.Over() == over {
			list = append(list, *s)
		}
	}
	slices.SortFunc(list, func(a, b Session) int {
		return cmp.Or(b.Started.Compare(a.Started), strings.Compare(a.ID, b.ID))
	})
	return list
}
