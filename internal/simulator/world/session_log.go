package world

import (
	"bytes"
	"encoding/json"
	"strings"
	"time"
)

// maxSessionLog bounds what is kept of one session's output in bytes. Real
// agents keep it in a file without a bound.
const maxSessionLog = 64 << 20

// eventBytes is how much of a log real agents put into one event.
const eventBytes = 200_000

// The agent's words when logs must be encrypted and cannot be.
const textLogEncryption = "We couldn't start the session because encryption is not set up on the selected CloudWatch Logs log group. " +
	"Either encrypt the log group or choose an option to enable logging without encryption."

// SessionLog takes the output of one session and puts it where the preferences
// say, as the agent does: an object <prefix>/<session>.log at the end, and
// events in the log stream <session>, at the end or, as JSON, while it runs. It
// is not safe for concurrent use.
type SessionLog struct {
	w    *World
	spec SessionSpec
	all  []byte
	line []byte // streaming: an unfinished line
}

// LogSession returns the log of a new session, nil when it has none. The error
// is the reason for which its agent refuses to start it.
func (w *World) LogSession(spec SessionSpec) (*SessionLog, string) {
	l := spec.Logging
	if l.Bucket == "" && l.Group == "" {
		return nil, ""
	}
	if l.Group != "" && bool(l.Encrypted) {
		if g, ok := w.logGroup(l.Group); !ok || !g.Encrypted {
			return nil, textLogEncryption
		}
	}
	return &SessionLog{w: w, spec: spec}, ""
}

// Write takes output. It never fails.
func (l *SessionLog) Write(b []byte) (int, error) {
	n := len(b)
	if l.streams() {
		l.line = append(l.line, b...)
		if i := bytes.LastIndexByte(l.line, '\n'); i >= 0 {
			l.stream(l.line[:i+1])
			l.line = append([]byte(nil), l.line[i+1:]...)
		}
	}
	l.all = append(l.all, b[:min(n, maxSessionLog-len(l.all))]...)
	return n, nil
}

func (l *SessionLog) streams() bool {
	return l.spec.Logging.Group != "" && bool(l.spec.Logging.Streaming)
}

// Close uploads. A session without output leaves no log, as with real agents.
func (l *SessionLog) Close() error {
	if l.streams() && len(l.line) > 0 {
		l.stream(l.line)
		l.line = nil
	}
	if len(l.all) == 0 {
		return nil
	}
	where := l.spec.Logging
	if where.Bucket != "" {
		key := l.spec.ID + ".log"
		if where.Prefix != "" {
			key = where.Prefix + "/" + key
		}
		l.w.PutObject(where.Bucket, key, l.all)
	}
	if where.Group != "" && !bool(where.Streaming) {
		for _, part := range eventParts(strings.ReplaceAll(string(l.all), "\r\n", "\n")) {
			l.w.PutLogEvent(where.Group, l.spec.ID, part)
		}
	}
	return nil
}

// eventParts cuts a log at line ends into what fits events; the last line feed
// is left out, as the agent does.
func eventParts(s string) []string {
	var parts []string
	for len(s) > eventBytes {
		n := strings.LastIndexByte(s[:eventBytes], '\n') + 1
		if n == 0 {
			n = eventBytes
		}
		parts = append(parts, s[:n])
		s = s[n:]
	}
	return append(parts, strings.TrimSuffix(s, "\n"))
}

// streamEvent is the message of an event while a session runs.
type streamEvent struct {
	Version   string            `json:"eventVersion"`
	Time      string            `json:"eventTime"`
	Region    string            `json:"awsRegion"`
	Target    map[string]string `json:"target"`
	Identity  map[string]string `json:"userIdentity"`
	RunAsUser string            `json:"runAsUser"`
	SessionID string            `json:"sessionId"`
	Data      []string          `json:"sessionData"`
}

// stream writes whole lines as one event.
func (l *SessionLog) stream(lines []byte) {
	text := strings.ReplaceAll(strings.ReplaceAll(string(lines), "\r", ""), "\t", " ")
	user := l.spec.RunAsUser
	if user == "" {
		user = "ssm-user"
	}
	msg, err := json.Marshal(streamEvent{
		Version: "1.0", Time: l.w.Now().UTC().Format(time.RFC3339), Region: l.w.Region(),
		Target: map[string]string{"id": l.spec.NodeID}, Identity: map[string]string{"arn": l.spec.Owner},
		RunAsUser: user, SessionID: l.spec.ID, Data: strings.Split(strings.TrimSuffix(text, "\n"), "\n"),
	})
	if err != nil {
		panic(err) // texts always encode
	}
	l.w.PutLogEvent(l.spec.Logging.Group, l.spec.ID, string(msg))
}
