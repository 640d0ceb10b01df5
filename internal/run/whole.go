package run

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"io"
	"strings"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/logstore"
	"github.com/ssmdeck/ssmdeck/internal/wait"
)

const (
	// maxWhole is how much of one stream is kept in memory when it is read from
	// where the command put it, in bytes; who wants more copies it (Service.Copy).
	maxWhole = 4 << 20
	// maxWholes is the same over all nodes of a run.
	maxWholes = 64 << 20

	// Agents send the last lines to CloudWatch Logs before they report a node as
	// done, and the lines can be read some seconds later. A stream is taken for
	// complete when it has been quiet for quietFor, or once the node has been done
	// for arrival.
	quietFor = 2 * time.Second
	arrival  = 15 * time.Second
)

// keeping is where a command's agents put the whole output.
type keeping struct {
	bucket, prefix string // S3
	group          string // CloudWatch Logs
}

func keepingOf(c Command) keeping { return keeping{c.S3Bucket, c.S3Prefix, c.LogGroup} }

// or fills what a service did not repeat with what it was asked for.
func (k keeping) or(r Request) keeping {
	return keeping{cmp.Or(k.bucket, r.S3Bucket), cmp.Or(k.prefix, r.S3Prefix), cmp.Or(k.group, r.LogGroup)}
}

func (k keeping) anywhere() bool { return k.bucket != "" || k.group != "" }

// part is one stream of one step on one node.
type part struct {
	command, node string
	step          string // as the API names the plugin
	stream        string // stdout, stderr
	url           string // what the API says of S3; may be empty
	ended         *time.Time
	head          string // what the API gave, without the mark of the cut
}

// objects returns where in S3 the stream can be: where the service says, else by
// the layout of the agents. Documents of schema 1.2, AWS's own for scripts among
// them, name their one plugin after the action; others name the step.
func (k keeping) objects(p part) []logstore.Object {
	if o, ok := logstore.ParseObject(p.url); ok {
		return []logstore.Object{o}
	}
	if k.bucket == "" {
		return nil
	}
	folders := []string{"awsrunShellScript/" + p.step, "awsrunPowerShellScript/" + p.step}
	if name, ok := strings.CutPrefix(p.step, "aws:"); ok || p.step == "" {
		folders = []string{"awsrunShellScript/0.awsrunShellScript", "awsrunPowerShellScript/0.awsrunPowerShellScript"}
		if ok {
			folders = []string{"aws" + name + "/0.aws" + name}
		}
	}
	base := p.command + "/" + p.node + "/"
	if prefix := strings.Trim(k.prefix, "/"); prefix != "" {
		base = prefix + "/" + base
	}
	var all []logstore.Object
	for _, f := range folders {
		all = append(all, logstore.Object{Bucket: k.bucket, Key: base + f + "/" + p.stream})
	}
	return all
}

// logStream is the stream in CloudWatch Logs: command/node/step/stdout.
func (k keeping) logStream(p part) (logstore.Stream, bool) {
	if k.group == "" {
		return logstore.Stream{}, false
	}
	step := strings.ReplaceAll(cmp.Or(p.step, "aws:runShellScript"), ":", "-")
	return logstore.Stream{Group: k.group, Name: p.command + "/" + p.node + "/" + step + "/" + p.stream}, true
}

// where says in words where all of a stream is.
func (k keeping) where(p part) string {
	if objects := k.objects(p); len(objects) > 0 {
		return objects[0].String()
	}
	if s, ok := k.logStream(p); ok {
		return s.String()
	}
	return ""
}

// absent says in words that a stream is not where it should be; "" when it should
// be nowhere.
func (k keeping) absent(p part, err error) string {
	where := k.where(p)
	switch {
	case where == "":
		return ""
	case errors.Is(err, errPartly):
		return "should be at " + where + ", and is not all there"
	default:
		return "should be at " + where + ", and is not there: may the node's role write there?"
	}
}

// errPartly says that what is kept is not what the API shows the beginning of, or
// not all of it. Nothing was written then.
var errPartly = errors.New("what is kept of the output is not all of it")

// copyWhole writes a stream as it is kept: from S3, which has the bytes, else from
// CloudWatch Logs, which has the lines. When it is nowhere, or not whole, nothing
// is written and the error is logstore.ErrMissing or errPartly.
func copyWhole(ctx context.Context, from store, k keeping, p part, w io.Writer) error {
	if from == nil {
		return logstore.ErrMissing
	}
	for _, o := range k.objects(p) {
		check := &headCheck{w: w, head: p.head}
		err := from.ReadObject(ctx, o, nil, check.write)
		if !errors.Is(err, logstore.ErrMissing) {
			return cmp.Or(err, check.end())
		}
	}
	s, ok := k.logStream(p)
	if !ok {
		return logstore.ErrMissing
	}
	for {
		check := &headCheck{w: w, head: strings.ReplaceAll(p.head, "\r", ""), loose: true}
		err := cmp.Or(copyStream(ctx, from.Open(s, time.Time{}), p.ended, check.write), check.end())
		late := p.ended != nil && time.Since(*p.ended) < arrival
		if !late || !errors.Is(err, logstore.ErrMissing) && !errors.Is(err, errPartly) {
			return err
		}
		if err := wait.Sleep(ctx, quietFor); err != nil {
			return err
		}
	}
}

// copyStream reads a stream until it is complete, as far as that can be known.
func copyStream(ctx context.Context, c *logstore.Cursor, ended *time.Time, emit func([]byte) error) error {
	quiet := time.Now()
	for {
		events, end, err := c.Next(ctx)
		if err != nil {
			return err
		}
		for _, e := range events {
			quiet = time.Now()
			if err := emit([]byte(lines(e.Message))); err != nil {
				return err
			}
		}
		if !end {
			continue
		}
		if time.Since(quiet) >= quietFor || ended != nil && time.Since(*ended) >= arrival {
			return nil
		}
		if err := wait.Sleep(ctx, fastest); err != nil {
			return err
		}
	}
}

// lines is the text of an event: agents leave out its last line feed.
func lines(message string) string {
	if strings.HasSuffix(message, "\n") {
		return message
	}
	return message + "\n"
}

// headCheck passes a stream on once its beginning was seen to be the right one.
type headCheck struct {
	w     io.Writer
	head  string // as it must begin
	loose bool   // carriage returns, which log streams may leave out, do not count
	held  []byte // until the beginning was seen
	open  bool
}

func (h *headCheck) write(b []byte) error {
	if h.open {
		_, err := h.w.Write(b)
		return err
	}
	h.held = append(h.held, b...)
	seen := h.held
	if h.loose {
		seen = bytes.ReplaceAll(seen, []byte("\r"), nil)
	}
	n := min(len(seen), len(h.head))
	if string(seen[:n]) != h.head[:n] {
		return errPartly
	}
	if n < len(h.head) {
		return nil
	}
	h.open = true
	_, err := h.w.Write(h.held)
	h.held = nil
	return err
}

func (h *headCheck) end() error {
	if !h.open && h.head != "" {
		return errPartly
	}
	return nil
}

// beginning is what the API gave of a stream without the mark of the cut, as far
// as it must be the same as what is kept: the service counts characters and may
// have cut one in two.
func beginning(s string) string {
	trimmed := strings.TrimRight(s, " \t\r\n")
	for _, mark := range []string{cutLong, cutShort, cutShortError} {
		if head, ok := strings.CutSuffix(strings.ToLower(trimmed), strings.ToLower(mark)); ok {
			s = trimmed[:len(head)]
			break
		}
	}
	return strings.TrimRight(s, "\r\n\uFFFD")
}

// complete replaces what the API cut of a step's output by all of it, where that
// is kept. room is how many bytes may still be kept in memory.
func complete(ctx context.Context, from store, k keeping, p part, o *Output, room *int) error {
	if !o.Truncated || !k.anywhere() && o.StdoutURL == "" {
		return nil
	}
	o.Truncated = false
	for _, s := range []struct {
		name string
		url  string
		text *string
		most int
	}{{"stdout", o.StdoutURL, &o.Stdout, maxStdout}, {"stderr", o.StderrURL, &o.Stderr, maxStderr}} {
		if !isCutAt(*s.text, s.most) {
			continue
		}
		p.stream, p.url, p.head = s.name, s.url, beginning(*s.text)
		if *room <= len(*s.text) { // the run has kept enough
			o.Truncated, o.More = true, cmp.Or(o.More, k.where(p))
			continue
		}
		kept := &bounded{room: min(maxWhole, *room)}
		err := copyWhole(ctx, from, k, p, kept)
		switch {
		case err == nil:
			*s.text = strings.ToValidUTF8(kept.String(), "\uFFFD")
			*room -= len(*s.text)
			continue
		case ctx.Err() != nil:
			return ctx.Err()
		}
		o.Truncated = true
		switch {
		case errors.Is(err, errFull):
			*s.text = strings.ToValidUTF8(kept.String(), "") + "\n" + cutLong
			*room -= len(*s.text)
			o.More = cmp.Or(o.More, k.where(p))
		case errors.Is(err, errPartly), errors.Is(err, logstore.ErrMissing):
			o.More = cmp.Or(o.More, k.absent(p, err))
		default:
			o.More = cmp.Or(o.More, k.where(p))
			return err
		}
	}
	return nil
}

// bounded keeps the beginning of what is written to it and refuses the rest.
type bounded struct {
	strings.Builder
	room int
}

// errFull ends the reading of more than is kept.
var errFull = errors.New("more than is kept")

func (b *bounded) Write(p []byte) (int, error) {
	n := min(len(p), b.room-b.Len())
	b.Builder.Write(p[:n])
	if n < len(p) {
		return n, errFull
	}
	return n, nil
}

// explainWhole words an error of reading what is kept.
func explainWhole(err error) string {
	var known *fault.Error
	if errors.As(err, &known) {
		return known.Error()
	}
	return plain(err)
}
