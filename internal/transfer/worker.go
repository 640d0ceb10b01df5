package transfer

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/sessions"
)

// worker is a shell on a node that does what it is asked, one thing at a time.
type worker struct {
	node    Node
	exec    *sessions.Exec
	tag     []byte        // begins its answers
	replies chan string   // closed when the session is over
	done    chan struct{} // closed at the end of the session
	end     error         // valid then: why it ended early
	noise   tail          // what else it prints
	line    []byte        // not yet finished
	tar     bool
	gzip    bool
	stop    func() bool
	block   int64 // how much it takes at once; a multiple of seekUnit
	text    *textWorker

	mu       sync.Mutex    // of writing
	ahead    bool          // requests may be sent before the last is answered
	answered chan struct{} // closed when the last request is
}

// openWorker starts the worker script and waits, as long as ctx allows, until it
// is ready. The session ends with life at the latest.
func (s *Service) openWorker(ctx, life context.Context, node Node) (*worker, error) {
	w := &worker{node: node, block: blockSize, tag: []byte(token(12)), replies: make(chan string, 4), done: make(chan struct{}), answered: closedChan()}
	script := "K=" + string(w.tag) + "\n" + workerScript + workerLoop
	e, err := s.sessions.Exec(ctx, sessions.ExecRequest{
		Target: node.ID, Platform: node.Platform, Document: sessions.DocumentInteractive, Reason: s.opts.Reason, Command: script,
	}, s.options(node)...)
	if sessions.NotOffered(err) || fault.KindOf(err) == fault.Auth {
		if t := s.openText(ctx, life, node); t != nil {
			return t, nil
		}
	}
	if err != nil {
		return nil, err
	}
	w.exec = e
	w.stop = context.AfterFunc(life, e.Abort)
	go func() {
		defer close(w.done)
		_, _, w.end = e.Copy(w, w)
		close(w.replies)
	}()
	reply, err := w.answer(ctx)
	if err != nil {
		w.close()
		return nil, err
	}
	words := strings.Fields(reply)
	if len(words) < 4 || words[0] != "ready" {
		w.close()
		return nil, w.odd(reply)
	}
	w.tar, w.gzip = words[1] == "t1", words[2] == "z1"
	w.ahead = words[3] == "x1"
	s.debug("worker ready", "node", node.ID, "session", e.Info().SessionID, "tar", w.tar, "gzip", w.gzip)
	return w, nil
}

// token returns n random bytes as text that no output holds by chance.
func token(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b) // documented never to fail
	return hex.EncodeToString(b)
}

// maxLine bounds a line of output; answers are far shorter, but for those with
// many checksums.
const maxLine = 1 << 20

// Write takes the output apart into answers and noise. It never fails.
func (w *worker) Write(p []byte) (int, error) {
	n := len(p)
	for len(p) > 0 {
		i := bytes.IndexByte(p, '\n')
		if i < 0 {
			if len(w.line)+len(p) <= maxLine {
				w.line = append(w.line, p...)
			}
			break
		}
		line := append(w.line, p[:i]...)
		p = p[i+1:]
		w.line = w.line[:0]
		line = bytes.TrimSuffix(line, []byte{'\r'})
		if rest, ok := bytes.CutPrefix(line, w.tag); ok && len(rest) > 0 && rest[0] == ' ' {
			w.replies <- string(rest[1:])
		} else {
			_, _ = w.noise.Write(append(line, '\n'))
		}
	}
	return n, nil
}

func closedChan() chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}

// ask has the worker evaluate line, sends it body and returns its answer. Of
// several at once, each is sent while those before wait for their answers, where
// the node's programs read no more than they are told.
func (w *worker) ask(ctx context.Context, line string, body func(io.Writer) error) (string, error) {
	if w.text != nil {
		return w.text.ask(ctx, w, line, body)
	}
	w.mu.Lock()
	// A write fails when the worker has ended. It may have said why before.
	if _, err := io.WriteString(w.exec, line+"\n"); err == nil && body != nil {
		_ = body(w.exec)
	}
	before, mine := w.answered, make(chan struct{})
	w.answered = mine
	if w.ahead {
		w.mu.Unlock()
	} else {
		defer w.mu.Unlock()
	}
	defer close(mine)
	select {
	case <-before:
		return w.answer(ctx)
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
}

// depth is how many requests keep the worker busy.
func (w *worker) depth() int {
	if w.ahead {
		return 2
	}
	return 1
}

func (w *worker) answer(ctx context.Context) (string, error) {
	select {
	case reply, ok := <-w.replies:
		if text, failed := strings.CutPrefix(reply, "err "); failed {
			return "", remoteError(w.node, text)
		}
		if ok {
			return reply, nil
		}
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
	if ctx.Err() != nil {
		return "", context.Cause(ctx)
	}
	<-w.done
	return "", lostError(w.node, w.end, w.noise.String())
}

func (w *worker) odd(reply string) error {
	return fault.New(fault.Failed, "copy on "+w.node.String(), "its shell answers oddly: %q", reply)
}

// do is ask for what is answered with ok.
func (w *worker) do(ctx context.Context, line string, body func(io.Writer) error) error {
	reply, err := w.ask(ctx, line, body)
	if err == nil && reply != "ok" {
		err = w.odd(reply)
	}
	return err
}

// close ends the session. What it staged is the business of its script.
func (w *worker) close() {
	if w.text != nil {
		return
	}
	w.stop()
	_ = w.exec.Close()
	for range w.replies { // Write may be waiting to be heard
	}
	<-w.done
}

// The form of base64 that every decoder takes: lines of 76.
const (
	lineBytes = 57
	lineText  = 76 + 1
)

// textSize is how long n bytes are as lines of base64.
func textSize(n int64) int64 {
	size := n / lineBytes * lineText
	if rest := n % lineBytes; rest > 0 {
		size += int64(base64.StdEncoding.EncodedLen(int(rest))) + 1
	}
	return size
}

// sendText writes n bytes of r as lines of base64. What r has not is zero.
func sendText(w io.Writer, r io.Reader, n int64) error {
	const lines = 512
	in, out := make([]byte, lines*lineBytes), make([]byte, 0, lines*lineText)
	for n > 0 {
		k := int(min(n, int64(len(in))))
		if got, err := io.ReadFull(r, in[:k]); err != nil {
			clear(in[got:k]) // the far end counts on k bytes; the checksum of the whole tells
		}
		out = out[:0]
		for b := in[:k]; len(b) > 0; {
			m := min(len(b), lineBytes)
			out = append(base64.StdEncoding.AppendEncode(out, b[:m]), '\n')
			b = b[m:]
		}
		if _, err := w.Write(out); err != nil {
			return err
		}
		n -= int64(k)
	}
	return nil
}

// tail keeps the end of what is written to it.
type tail struct{ b []byte }

const tailBytes = 4 << 10

func (t *tail) Write(p []byte) (int, error) {
	t.b = append(t.b, p...)
	if over := len(t.b) - tailBytes; over > 0 {
		t.b = append(t.b[:0], t.b[over:]...)
	}
	return len(p), nil
}

// String returns the last line that says something.
func (t *tail) String() string {
	lines := strings.Split(strings.TrimSpace(strings.ToValidUTF8(string(t.b), "?")), "\n")
	return strings.TrimSpace(lines[len(lines)-1])
}

// remoteError is what a worker or a reader said.
func remoteError(node Node, text string) error {
	op := "copy on " + node.String()
	text = lastWords(text)
	e := fault.New(fault.RemoteFailed, op, "%s", text)
	switch {
	case strings.Contains(text, "No space left"), strings.Contains(text, "quota exceeded"):
		return e.WithHint("make room there: `ssmdeck exec %s -- df -h`", node.ID)
	case strings.Contains(text, "Permission denied"):
		return e.WithHint("commands run as ssm-user; copy to a folder of its own, such as /tmp, and move it with `ssmdeck exec %s -- sudo mv ...`", node.ID)
	case strings.Contains(text, "is denied"): // as Windows has it
		return e
	case strings.Contains(text, "no such folder"), strings.Contains(text, "No such file"), strings.Contains(text, "Could not find"):
		e.Kind = fault.NotFound
		return e.WithHint("look with `ssmdeck exec %s -- ls`", node.ID)
	case strings.Contains(text, "checksum"):
		e.Kind = fault.Failed
		return e.WithHint("nothing was put into place; copy again")
	}
	return e
}

// lastWords cuts what a shell puts before the reason: "sh: 1: cannot open x: ".
func lastWords(text string) string {
	text = strings.TrimSpace(text)
	if _, quoted, ok := strings.Cut(text, `argument(s): "`); ok { // an exception of .NET, as PowerShell tells it
		text = strings.TrimSuffix(quoted, `"`)
	}
	for _, prefix := range []string{"sh: ", "dd: ", "mkdir: ", "tar: ", "mv: "} {
		text = strings.TrimPrefix(text, prefix)
	}
	if number, rest, ok := strings.Cut(text, ": "); ok && strings.Trim(number, "0123456789") == "" {
		text = rest
	}
	return text
}

// lastPart is the reason at the end of what a shell says of a file, whose name
// is known: "sh: 1: cannot open x: Permission denied".
func lastPart(text string) string {
	if strings.Contains(text, "argument(s): ") {
		return lastWords(text)
	}
	text = strings.TrimSpace(text)
	if i := strings.LastIndex(text, ": "); i >= 0 {
		return text[i+2:]
	}
	return text
}

// lostError is a session that ended before its work was done.
func lostError(node Node, err error, noise string) error {
	op := "copy on " + node.String()
	if err == nil {
		text := "its session ended before the copy did"
		if noise != "" {
			text = fmt.Sprintf("%s: %s", text, noise)
		}
		return fault.New(fault.Failed, op, "%s", text).WithHint("somebody may have terminated it: see `ssmdeck session list --history`; copy again, with --resume to keep what arrives")
	}
	return fault.New(fault.KindOf(err), op, "the session was lost: %w", err).WithHint("copy again, with --resume to keep what arrives")
}
