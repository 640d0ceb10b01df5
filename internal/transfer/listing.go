package transfer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/sessions"
	"github.com/ssmdeck/ssmdeck/sessionclient"
)

// Bounds of a listing, which a node may make as long as it likes.
const (
	maxEntries   = 2 << 20
	maxNames     = 512 << 20 // bytes of names and links together
	maxName      = 64 << 10
	maxRecord    = 2*maxName + 256
	maxScript    = 48 << 10 // parameters of a session end at 64 KiB, and are quoted on their way
	scriptBudget = 24 << 10
)

// listing is what a node says that its paths hold.
type listing struct {
	node  Node
	trees []tree
	tar   bool
	left  []File // what cannot be copied
	names int    // bytes
}

// list asks what is at paths of a node. A path that cannot be copied is an error.
func (s *Service) list(ctx context.Context, node Node, paths []string, recursive bool) (*listing, error) {
	if node.Platform == "windows" {
		return s.listWindows(ctx, node, paths, recursive)
	}
	var script strings.Builder
	script.WriteString(listScript)
	if recursive {
		script.WriteString("RECURSE=1\n")
	}
	script.WriteString("{\n")
	for i, p := range paths {
		fmt.Fprintf(&script, "one %d %s\n", i, quotePath(p))
	}
	script.WriteString("} | enc\n")
	return s.runList(ctx, node, paths, recursive, script.String())
}

// runList runs the script of a listing, again when its end was missed.
func (s *Service) runList(ctx context.Context, node Node, paths []string, recursive bool, script string) (l *listing, err error) {
	for range maxGone {
		if l, err = s.listOnce(ctx, node, paths, recursive, script); !errors.Is(err, sessionclient.ErrSessionGone) {
			break
		}
	}
	return l, err
}

func (s *Service) listOnce(ctx context.Context, node Node, paths []string, recursive bool, script string) (*listing, error) {
	l := &listing{node: node}
	for _, p := range paths {
		name := p
		if node.Platform == "windows" {
			name = strings.ReplaceAll(p, `\`, "/")
		}
		l.trees = append(l.trees, tree{source: p, base: remoteBase(name)})
	}
	var (
		words   string
		pending []byte
	)
	f := &feed{
		control: func(line string) error {
			if w, ok := strings.CutPrefix(line, "x "); ok {
				words = w
			}
			l.tar = l.tar || strings.HasPrefix(line, "t t1")
			return nil
		},
		data: func(p []byte) error {
			var err error
			pending, err = l.records(append(pending, p...), recursive)
			return err
		},
	}
	err := s.read(ctx, node, script, f)
	switch {
	case words != "":
		return nil, remoteError(node, words)
	case err != nil:
		return nil, err
	}
	for i := range l.trees {
		if len(l.trees[i].entries) == 0 {
			return nil, remoteError(node, l.trees[i].source+": No such file or directory")
		}
	}
	return l, nil
}

// read runs a reader's script on a node and gives its output to f.
func (s *Service) read(ctx context.Context, node Node, script string, f *feed) error {
	if len(script) > maxScript {
		return fault.Usagef("the paths are too long for one copy").WithHint("copy some at a time, or the folder they are in")
	}
	e, err := s.sessions.Exec(ctx, sessions.ExecRequest{
		Target: node.ID, Platform: node.Platform, Command: script, Reason: s.opts.Reason,
	}, s.options(node)...)
	if err != nil {
		return err
	}
	defer e.Close()
	defer context.AfterFunc(ctx, e.Abort)()
	s.debug("reading", "node", node.ID, "session", e.Info().SessionID, "merged", e.Merged)
	var noise tail
	ended, control := false, f.control
	f.control = func(line string) error {
		if line == "." {
			ended = true
			return nil
		}
		return control(line)
	}
	status, known, err := e.Copy(f, &noise)
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case f.err != nil:
		return on(node, f.err)
	case err != nil:
		return lostError(node, err, "")
	case !known && !ended:
		return lostError(node, nil, noise.String())
	case status != 0 && noise.String() != "":
		return remoteError(node, noise.String())
	}
	return nil
}

// on says which node an error is about, unless it does.
func on(node Node, err error) error {
	var known *fault.Error
	if errors.As(err, &known) {
		return err
	}
	return fault.New(fault.KindOf(err), "copy on "+node.String(), "%w", err)
}

// records takes whole records off b and returns the rest.
func (l *listing) records(b []byte, recursive bool) ([]byte, error) {
	for {
		fields := bytes.SplitN(b, []byte{0}, 4)
		if len(fields) < 4 {
			if len(b) > maxRecord {
				return nil, errGarbled
			}
			return bytes.Clone(b), nil
		}
		if err := l.record(string(fields[0]), string(fields[1]), string(fields[2]), recursive); err != nil {
			return nil, err
		}
		b = fields[3]
	}
}

func (l *listing) record(head, name, link string, recursive bool) error {
	f := strings.Split(head, "\t")
	if len(f) != 5 {
		return errGarbled
	}
	i, err := strconv.Atoi(f[0])
	if err != nil || i < 0 || i >= len(l.trees) {
		return errGarbled
	}
	t := &l.trees[i]
	if f[1] == "!" {
		return remoteError(l.node, t.source+": "+lastWords(name))
	}
	mode, err1 := strconv.ParseUint(f[2], 8, 32)
	seconds, err2 := strconv.ParseFloat(f[3], 64)
	size, err3 := strconv.ParseInt(f[4], 10, 64)
	if err1 != nil || err2 != nil || err3 != nil || size < 0 || !(math.Abs(seconds) <= 1e11) || len(f[1]) != 1 {
		return errGarbled
	}
	if l.names += len(name) + len(link); l.names > maxNames || len(t.entries)+len(l.left) > maxEntries {
		return fault.New(fault.Failed, "copy on "+l.node.String(), "%s holds too many files for one copy", t.source).
			WithHint("copy the folders in it one by one")
	}
	e := entry{name: name, kind: kind(f[1][0]), mode: fs.FileMode(mode) & fs.ModePerm, mtime: time.Unix(int64(math.Floor(seconds)), 0), size: size, link: link}
	if _, fraction, ok := strings.Cut(f[3], "."); ok {
		if n, err := strconv.Atoi((fraction + "000000000")[:9]); err == nil {
			e.mtime = time.Unix(int64(seconds), int64(n))
		}
	}
	switch {
	case name == "" && e.kind == kindFolder && !recursive:
		return fault.Usagef("%s is a folder", t.source).WithHint("add -r to copy it with what is in it")
	case f[1] == "x":
		l.left = append(l.left, File{Source: path.Join(t.source, name), State: Failed, Error: "its contents cannot be listed"})
		return nil
	case name == "":
		t.folder = e.kind == kindFolder
	case !safeName(name):
		l.left = append(l.left, File{Source: path.Join(t.source, name), State: Failed, Error: "its name cannot be used here"})
		return nil
	}
	switch e.kind {
	case kindFile:
	case kindFolder, kindLink:
		e.size = 0
	default:
		l.left = append(l.left, File{Source: path.Join(t.source, name), State: Failed, Error: errSpecial.Error()})
		return nil
	}
	t.entries = append(t.entries, e)
	return nil
}

// safeName reports whether a name from a node stays below the folder it is
// joined to, on this system. Nodes are not trusted.
func safeName(name string) bool {
	if name == "" || len(name) > maxName || strings.IndexByte(name, 0) >= 0 {
		return false
	}
	for part := range strings.SplitSeq(name, "/") {
		if part == "" || part == "." || part == ".." {
			return false
		}
	}
	if filepath.Separator == '\\' && strings.ContainsAny(name, `\:`) {
		return false
	}
	return filepath.IsLocal(filepath.FromSlash(name))
}
