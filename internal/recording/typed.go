package recording

import (
	"bytes"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/pattern"
)

// echoWait is how long typed characters may take to come back.
const echoWait = 2 * time.Second

// secretPrompt is a line after which what is typed is none of ours, even if it is
// shown.
var secretPrompt = pattern.Lazy(`(?i)(pass(word|phrase|code|wd)?|\bpin\b|otp|token|secret|verification code|mfa code)[^\n]{0,60}[:?>]\s*$`)

// typedLines decides which typed lines were shown by the far end. A line counts
// as shown when the characters that came back since it began are exactly the
// typed ones. It is decided at the first new line that comes back after Enter; one
// that does not come back in time is given up earlier.
type typedLines struct {
	lines []typedLine
}

type typedLine struct {
	at    time.Duration
	size  int    // bytes of text, the end included
	echo  []byte // typed, and not come back yet
	other bool   // something else came back
	ended bool
}

// input takes what was typed, with \n at the end of lines. prompt is what the
// far end's present line shows.
func (t *typedLines) input(now time.Duration, text, prompt []byte, settle func(n int, echoed bool)) {
	for _, c := range text {
		if len(t.lines) == 0 || t.lines[len(t.lines)-1].ended {
			t.lines = append(t.lines, typedLine{at: now, other: secretPrompt().Match(prompt)})
		}
		l := &t.lines[len(t.lines)-1]
		l.size++
		if c == '\n' {
			l.ended = true
		} else {
			l.echo = append(l.echo, c)
		}
	}
	// Keys that show nothing wait for nothing.
	for len(t.lines) > 0 && t.lines[0].ended && t.lines[0].size == 1 {
		t.settle(settle)
	}
}

// output takes what came back.
func (t *typedLines) output(now time.Duration, text []byte, settle func(n int, echoed bool)) {
	for len(t.lines) > 0 && t.lines[0].at+echoWait < now && !t.lines[0].shown() {
		t.settle(settle)
	}
	for _, c := range text {
		if len(t.lines) == 0 {
			return
		}
		l := &t.lines[0]
		switch {
		case c == '\n':
			if l.ended {
				t.settle(settle)
			}
		case len(l.echo) > 0 && c == l.echo[0]:
			l.echo = l.echo[1:]
		default:
			l.other = true
			if l.ended {
				t.settle(settle)
			}
		}
	}
}

func (t *typedLines) settle(settle func(n int, echoed bool)) {
	l := t.lines[0]
	t.lines = t.lines[1:]
	settle(l.size, l.shown())
}

// shown reports whether all that was typed has come back, and nothing else.
func (l *typedLine) shown() bool { return !l.other && len(l.echo) == 0 }

// lastLine is the text after the last \n.
func lastLine(text []byte) []byte { return text[bytes.LastIndexByte(text, '\n')+1:] }
