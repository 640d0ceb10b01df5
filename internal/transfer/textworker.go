package transfer

import (
	"context"
	"io"
	"strings"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/sessions"
)

// A textWorker does without a terminal, where AWS-StartInteractiveCommand cannot
// be used: every request is a command of its own, and what it is to read stands
// in the command's text. That takes a session for every 24 KiB, so it is for
// small things.
type textWorker struct {
	s     *Service
	state string // what the requests before have set, as lines of the script
}

const (
	textBlock = 24 << 10
	// textMost is how much is copied in this way at all.
	textMost = 4 << 20
	// windowsBlock is textBlock for Windows, where commands are shorter.
	windowsBlock = 16 << 10
)

// openText returns a worker without a terminal, nil when the node does not do
// that either.
func (s *Service) openText(ctx, _ context.Context, node Node) *worker {
	w := &worker{node: node, tag: []byte(token(12)), block: textBlock, text: &textWorker{s: s}}
	if node.Platform == "windows" {
		w.block = windowsBlock
		return w
	}
	reply, err := w.ask(ctx, `r ready "$Z"`, nil)
	if err != nil {
		s.debug("commands without a terminal do not work either", "node", node.ID, "error", err)
		return nil
	}
	w.gzip = reply == "ready 1"
	s.debug("without a terminal: what is copied stands in commands", "node", node.ID)
	return w
}

func (t *textWorker) ask(ctx context.Context, w *worker, line string, body func(io.Writer) error) (string, error) {
	script, err := t.script(w, line, body)
	if err != nil {
		return "", err
	}
	e, err := t.s.sessions.Exec(ctx, sessions.ExecRequest{
		Target: w.node.ID, Platform: w.node.Platform, Command: script, Reason: t.s.opts.Reason,
	}, t.s.options(w.node)...)
	if err != nil {
		return "", err
	}
	defer e.Close()
	defer context.AfterFunc(ctx, e.Abort)()
	var out, noise tail
	_, _, err = e.Copy(&out, &noise)
	if ctx.Err() != nil {
		return "", context.Cause(ctx)
	}
	_, reply, answered := strings.Cut(string(out.b), string(w.tag)+" ")
	reply, _, _ = strings.Cut(reply, "\n")
	reply = strings.TrimSuffix(reply, "\r")
	switch {
	case answered && strings.HasPrefix(reply, "err "):
		return "", remoteError(w.node, strings.TrimPrefix(reply, "err "))
	case answered:
		return reply, nil
	default:
		return "", lostError(w.node, err, noise.String())
	}
}

// script is a request with all that it needs.
func (t *textWorker) script(w *worker, line string, body func(io.Writer) error) (string, error) {
	var text strings.Builder
	if body != nil {
		if err := body(&text); err != nil {
			return "", err
		}
	}
	tag := string(w.tag)
	switch {
	case w.node.Platform == "windows" && body != nil:
		line += " '" + strings.ReplaceAll(text.String(), "\n", "") + "'"
		fallthrough
	case w.node.Platform == "windows":
		return powershell(workerScriptPS) + "$TagK='" + tag + "'; " + t.state + "try { " + line + " } catch { say ('err '+$_.Exception.Message) }", nil
	case body != nil:
		line += " <<'" + tag + "'\n" + text.String() + tag
	}
	return "K=" + tag + "\n" + workerScript + t.state + line + "\n", nil
}

// remember makes the requests to come work in the same staging folder.
func (t *textWorker) remember(node Node, stage, parent string) {
	if node.Platform == "windows" {
		t.state = "$Stage=" + stage + "; $Parent=" + parent + "; "
		return
	}
	t.state = "S=" + stage + "; P=" + parent + "; KEEP=1; OWN=1\n"
}

// tooMuch refuses what would take hundreds of sessions.
func (t *textWorker) tooMuch(node Node, size int64) error {
	switch {
	case size <= textMost:
		return nil
	case node.Platform == "windows":
		return fault.New(fault.Failed, "copy on "+node.String(), "at most %d MiB are copied to a Windows node: what is sent has to stand in commands", textMost>>20).
			WithHint("let the node fetch it, for instance from S3: `ssmdeck exec %s -- Read-S3Object ...`", node.ID)
	}
	return fault.New(fault.Auth, "copy on "+node.String(), "%s cannot be used here, and without it at most %d MiB are copied", sessions.DocumentInteractive, textMost>>20).
		WithHint("allow ssm:StartSession on the document %s for your role", sessions.DocumentInteractive)
}
