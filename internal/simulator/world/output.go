package world

import (
	"strings"
	"sync"
)

// Limits of command output in bytes, and the marks left where it is cut: those
// of the agent (source of amazon-ssm-agent, pluginutil and iohandler).
const (
	maxStdout = 24000
	maxStderr = 8000
	maxOutput = 2500 // stdout and stderr together, in ListCommandInvocations

	cutMark       = "--output truncated--"
	cutOutputMark = "---Output truncated---"
	cutErrorMark  = "---Error truncated----"
	errorTitle    = "\n----------ERROR-------\n"
)

// capture keeps the beginning of what is written to it, one byte more than its
// limit so that a cut can be seen.
type capture struct {
	limit int
	also  *outputSink // gets everything; may be nil

	mu  sync.Mutex
	buf []byte
}

func newCapture(limit int) *capture { return &capture{limit: limit} }

// Write never fails and never keeps more than the limit.
func (c *capture) Write(p []byte) (int, error) {
	_, _ = c.also.Write(p)
	c.mu.Lock()
	defer c.mu.Unlock()
	room := max(0, c.limit+1-len(c.buf))
	c.buf = append(c.buf, p[:min(len(p), room)]...)
	return len(p), nil
}

// String returns what was kept.
func (c *capture) String() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return string(c.buf)
}

// cut shortens s to limit bytes, the mark included.
func cut(s string, limit int) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	if len(s) <= limit {
		return s
	}
	return prefix(s, limit-len(cutMark)) + cutMark
}

// prefix returns at most n bytes of s, whole characters only.
func prefix(s string, n int) string {
	for n > 0 && n < len(s) && s[n]&0xC0 == 0x80 {
		n--
	}
	return s[:min(n, len(s))]
}

// Output joins stdout and stderr the way ListCommandInvocations shows them, in
// at most 2,500 bytes.
func (r PluginResult) Output() string {
	out, errs, title := r.Stdout, r.Stderr, ""
	if errs != "" {
		title = errorTitle
	}
	room := maxOutput - len(title)
	if len(out)+len(errs) <= room {
		return out + title + errs
	}
	half := room / 2
	outRoom, errRoom := half, half
	switch {
	case len(errs) < half:
		outRoom = room - len(errs)
	case len(out) < half:
		errRoom = room - len(out)
	}
	if len(out) > outRoom {
		out = prefix(out, outRoom-len(cutOutputMark)) + cutOutputMark
	}
	if len(errs) > errRoom {
		errs = prefix(errs, errRoom-len(cutErrorMark)) + cutErrorMark
	}
	return out + title + errs
}
