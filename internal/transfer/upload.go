package transfer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/sessions"
)

// cleanupWait bounds the removal of what a failed copy left on a node.
const cleanupWait = 10 * time.Second

// upload is a copy to one node.
type upload struct {
	s     *Service
	req   *Request
	node  Node
	trees []tree
	roots []string // the name of each tree at the destination; "": its contents
	skip  []bool   // trees that are left alone
	add   func(int64)
	res   *Result
	crew  crew

	broken sync.Map // of *entry: those that failed

	dir    string // the folder that everything ends in
	parent string // the same as a word
	stage  string // as a word: the staging folder

	windows bool
	again   bool // the staging folder holds what an earlier copy left
}

// upload copies trees to the node.
func (s *Service) upload(ctx context.Context, node Node, req *Request, trees []tree, add func(int64), res *Result) (err error) {
	u := &upload{s: s, req: req, node: node, trees: trees, add: add, res: res}
	u.windows = node.Platform == "windows"
	var first *worker
	if u.windows {
		first = s.openText(ctx, ctx, node)
	} else if first, err = s.openWorker(ctx, ctx, node); err != nil {
		return err
	}
	var size int64
	for i := range trees {
		size += trees[i].size()
	}
	u.crew = crew{first: first, want: req.lanes(size), open: func(opening context.Context) (*worker, error) { return u.another(opening, ctx) }}
	defer func() {
		u.crew.dismiss()
		first.close()
		if err != nil && u.stage != "" && !req.Resume {
			u.cleanup(ctx)
		}
	}()
	if err := u.begin(ctx, size); err != nil {
		return err
	}
	// The checksums are made while the files travel.
	var hashing sync.WaitGroup
	defer hashing.Wait()
	hashing.Go(func() {
		u.each(func(e *entry, _ string) bool {
			if u.alone(e) {
				_, _ = e.sum() // asked for again, and kept
			}
			return true
		})
	})
	if err := u.crew.run(ctx, u.produce); err != nil {
		return err
	}
	u.crew.want = 0 // those that are here are enough
	if err := u.crew.run(ctx, u.verify); err != nil {
		return err
	}
	u.crew.dismiss()
	return u.commit(ctx)
}

// another opens one more worker on the same staging folder.
func (u *upload) another(ctx, life context.Context) (*worker, error) {
	w, err := u.s.openWorker(ctx, life, u.node)
	if err != nil {
		u.s.debug("one lane less", "node", u.node.ID, "error", err)
		return nil, err
	}
	if err := w.do(ctx, "join "+u.stage+" "+u.parent, nil); err != nil {
		w.close()
		return nil, err
	}
	return w, nil
}

// begin makes the staging folder and finds out what the copies are called.
func (u *upload) begin(ctx context.Context, size int64) error {
	name, keep := ".ssmdeck-"+token(8), ""
	text := u.crew.first.text
	if text != nil {
		if err := text.tooMuch(u.node, size); err != nil {
			return err
		}
		keep = "1" // the worker that makes it ends at once
	}
	if u.req.Resume {
		name, keep = ".ssmdeck-part-"+identity(u.req.Dest, u.trees), "1"
	}
	dest := u.req.Dest
	reply, err := u.crew.first.ask(ctx, strings.Join([]string{"stage", u.wordOf(dest), u.wordOf(u.parentOf(dest)), u.quote(name), u.quote(keep)}, " "), nil)
	if err != nil {
		return err
	}
	words := strings.Fields(reply)
	if len(words) < 3 || words[0] != "begun" {
		return u.crew.first.odd(reply)
	}
	is := words[2]
	u.again = len(words) > 3 && text == nil
	u.dir = u.parentOf(dest)
	if is == "dir" {
		u.dir = dest
	}
	u.parent = u.wordOf(u.dir)
	u.stage = u.parent + "/" + quote(name)
	if u.windows {
		u.stage = "(" + u.parent + "+'\\'+" + quotePS(name) + ")"
	}
	if text != nil {
		text.remember(u.node, u.stage, u.parent)
		u.crew.want = 1
	}
	if free, err := strconv.ParseInt(words[1], 10, 64); err == nil && free<<10 < size && !u.again {
		return fault.New(fault.RemoteFailed, "copy on "+u.node.String(), "%d MiB are to be copied and %d MiB are free there", size>>20, free>>10).
			WithHint("make room there: `ssmdeck exec %s -- df -h`", u.node.ID)
	}
	return u.name(ctx, is)
}

// name follows cp: into a folder that exists, else under the name that was given.
func (u *upload) name(ctx context.Context, is string) error {
	op, dest := "copy on "+u.node.String(), u.req.Dest
	if is == "dir" && u.req.Nameless {
		return fault.Usagef("copy on %s: %s is a folder there, and standard input has no name", u.node, dest).
			WithHint("give it one: %s/data", strings.TrimRight(dest, "/"))
	}
	if is != "dir" {
		switch {
		case len(u.trees) > 1 || strings.HasSuffix(dest, "/") && !u.trees[0].folder:
			return fault.New(fault.NotFound, op, "%s is not a folder", dest).WithHint("make it: `ssmdeck exec %s -- mkdir %s`", u.node.ID, dest)
		case is == "file" && u.trees[0].folder:
			return fault.New(fault.RemoteFailed, op, "%s is not a folder", dest)
		}
	}
	for i := range u.trees {
		t := &u.trees[i]
		root := t.base
		if is != "dir" {
			root = u.baseOf(dest)
		}
		skip := false
		if root != "" {
			reply, err := u.crew.first.ask(ctx, "chk "+u.quote(root), nil)
			if err != nil {
				return err
			}
			there := strings.TrimPrefix(reply, "is ")
			switch {
			case !t.folder && (there == "dir" || there == "linkdir"):
				return fault.New(fault.RemoteFailed, op, "%s is a folder there, and %s is none", root, t.source)
			case t.folder && (there == "file" || there == "link"):
				return fault.New(fault.RemoteFailed, op, "%s is not a folder there, and %s is one", root, t.source)
			}
			skip = u.req.NoClobber && !t.folder && there != "none"
		}
		u.roots, u.skip = append(u.roots, root), append(u.skip, skip)
		if skip {
			u.res.add(File{Source: t.source, Destination: u.shown(root), State: Skipped, Size: t.size(), Error: "it exists"})
			u.add(t.size())
		}
	}
	return nil
}

// shown is a name at the destination for people.
func (u *upload) shown(name string) string { return u.node.label() + ":" + path.Join(u.dir, name) }

// each calls f for every entry to copy, with its name below the parent.
func (u *upload) each(f func(e *entry, name string) bool) {
	for i := range u.trees {
		if u.skip[i] {
			continue
		}
		for j := range u.trees[i].entries {
			e := &u.trees[i].entries[j]
			if name := under(u.roots[i], e.name); name != "" && !f(e, name) {
				return
			}
		}
	}
}

// staged is the word for a name in the staging folder.
func (u *upload) staged(name string) string {
	if u.windows {
		return `($Stage+'\t\'+` + quotePS(strings.ReplaceAll(name, "/", `\`)) + ")"
	}
	return `"$S"/t/` + quote(name)
}

// quote, wordOf, parentOf and baseOf know the kind of system.
func (u *upload) quote(s string) string {
	if u.windows {
		return quotePS(s)
	}
	return quote(s)
}

func (u *upload) wordOf(p string) string {
	if u.windows {
		return quotePathPS(p)
	}
	return quotePath(p)
}

func (u *upload) parentOf(p string) string {
	if !u.windows {
		return parent(p)
	}
	p = strings.ReplaceAll(p, `\`, "/")
	if drive, rest, ok := strings.Cut(p, ":/"); ok && !strings.Contains(strings.TrimRight(rest, "/"), "/") {
		return drive + ":/"
	}
	return parent(p)
}

func (u *upload) baseOf(p string) string {
	if u.windows {
		p = strings.ReplaceAll(p, `\`, "/")
	}
	return remoteBase(p)
}

// alone reports whether a file travels by itself and not in a bundle.
func (u *upload) alone(e *entry) bool {
	return e.kind == kindFile && (e.size > smallFile || !u.crew.first.tar)
}

// lineBudget bounds how much one line asks of a worker, in bytes.
const lineBudget = 8 << 10

// produce yields the tasks that bring everything into the staging folder.
func (u *upload) produce(ctx context.Context, yield func(task) bool) {
	if !u.folders(ctx, yield) {
		return
	}
	b, ok := newBundle(), true
	flush := func() bool {
		full := b
		b = newBundle()
		return yield(func(ctx context.Context, w *worker) error { return u.sendBundle(ctx, w, full) })
	}
	added := 0
	u.each(func(e *entry, name string) bool {
		switch {
		case u.alone(e):
			ok = u.sendFile(ctx, e, name, yield)
		case e.kind == kindFolder:
		case u.windows && e.kind == kindLink:
			u.failed(e, name, errNoLinks)
		case !u.crew.first.tar: // a link
			line := "lnk " + u.quote(e.link) + " " + u.staged(name)
			ok = yield(func(ctx context.Context, w *worker) error { return w.do(ctx, line, nil) })
		default:
			if err := b.add(e, name); err != nil {
				u.failed(e, name, err)
				break
			}
			if added++; b.full() {
				ok = flush()
				added = 0
			}
		}
		return ok
	})
	if ok && added > 0 {
		flush()
	}
}

// folders makes them, before anything else is sent: by one worker, so that all
// can rely on them.
func (u *upload) folders(ctx context.Context, yield func(task) bool) bool {
	var lines []string
	var line strings.Builder
	cut := func() {
		if line.Len() > 0 {
			lines = append(lines, "mk"+line.String())
			line.Reset()
		}
	}
	u.each(func(e *entry, name string) bool {
		if e.kind == kindFolder {
			line.WriteString(" " + u.staged(name))
			if u.windows || line.Len() > lineBudget {
				cut()
			}
		}
		return true
	})
	cut()
	if len(lines) == 0 {
		return true
	}
	made := make(chan struct{})
	if !yield(func(ctx context.Context, w *worker) error {
		defer close(made)
		for _, l := range lines {
			if err := w.do(ctx, l, nil); err != nil {
				return err
			}
		}
		return nil
	}) {
		return false
	}
	select {
	case <-made:
		return true
	case <-ctx.Done():
		return false
	}
}

// sendFile yields a task for every block of a file that is not there yet.
func (u *upload) sendFile(ctx context.Context, e *entry, name string, yield func(task) bool) bool {
	have := u.kept(ctx, e, name, yield)
	size := u.crew.first.block
	for off := int64(0); off == 0 || off < e.size; off += size {
		if _, failed := u.broken.Load(e); failed {
			return true // the rest is of no use
		}
		n := min(size, e.size-off)
		if sum, ok := have[off]; ok && sum == sumRange(e.path, off, n) {
			u.add(n)
			continue
		}
		if !yield(func(ctx context.Context, w *worker) error { return u.sendBlock(ctx, w, e, name, off, n) }) {
			return false
		}
	}
	return true
}

// kept asks for the checksums of what an earlier copy has brought of a file, by
// the offset of the block.
func (u *upload) kept(ctx context.Context, e *entry, name string, yield func(task) bool) map[int64]string {
	have := map[int64]string{}
	if !u.again || e.size == 0 {
		return have
	}
	known := make(chan []string, 1)
	yield(func(ctx context.Context, w *worker) error {
		reply, err := w.ask(ctx, fmt.Sprintf("sums %s %d %d", u.staged(name), e.size, u.crew.first.block), nil)
		if err == nil {
			known <- strings.Fields(strings.TrimPrefix(reply, "sums"))
		}
		return err
	})
	select {
	case sums := <-known:
		for i, sum := range sums {
			have[int64(i)*u.crew.first.block] = sum
		}
	case <-ctx.Done():
	}
	return have
}

// sendBlock sends n bytes of a file from off on.
func (u *upload) sendBlock(ctx context.Context, w *worker, e *entry, name string, off, n int64) error {
	f, err := os.Open(e.path)
	if err != nil {
		u.failed(e, name, reason(err))
		return nil
	}
	defer f.Close()
	block := func() io.Reader { return io.NewSectionReader(f, off, n) }
	pack, size, body := 0, n, block()
	if u.req.Compress && w.gzip {
		sample := make([]byte, min(n, sampleBytes))
		k, _ := f.ReadAt(sample, off)
		if shrinks(sample[:k]) {
			packed := squeeze(block())
			pack, size, body = 1, int64(len(packed)), strings.NewReader(string(packed))
		}
	}
	err = w.do(ctx, fmt.Sprintf("put %s %d %d %d %d", u.staged(name), seekUnit, off/seekUnit, textSize(size), pack), func(out io.Writer) error {
		return sendText(out, body, size)
	})
	if err == nil {
		u.add(n)
	}
	return err
}

func (u *upload) sendBundle(ctx context.Context, w *worker, b *bundle) error {
	data, sum, err := b.finish()
	if err != nil {
		return err
	}
	pack := 0
	if u.req.Compress && w.gzip && shrinks(data) {
		pack, data = 1, squeeze(strings.NewReader(string(data)))
	}
	err = w.do(ctx, fmt.Sprintf("bun %d %d %s", textSize(int64(len(data))), pack, sum), func(out io.Writer) error {
		return sendText(out, strings.NewReader(string(data)), int64(len(data)))
	})
	if err != nil {
		return err
	}
	for _, m := range b.members {
		u.res.add(File{Source: m.e.path, Destination: u.shown(m.name), Size: m.e.size, SHA256: m.sum, State: Copied})
	}
	u.add(b.bytes)
	return nil
}

// failed notes, once, a file that is not copied; the others are.
func (u *upload) failed(e *entry, name string, err error) {
	if _, known := u.broken.LoadOrStore(e, true); known {
		return
	}
	u.res.add(File{Source: e.path, Destination: u.shown(name), Size: e.size, State: Failed, Error: err.Error()})
}

// verify yields a task for each file that came in blocks: compare the checksum
// of the whole, then set permissions and time.
func (u *upload) verify(_ context.Context, yield func(task) bool) {
	u.each(func(e *entry, name string) bool {
		if !u.alone(e) {
			return true
		}
		return yield(func(ctx context.Context, w *worker) error { return u.verifyFile(ctx, w, e, name) })
	})
}

func (u *upload) verifyFile(ctx context.Context, w *worker, e *entry, name string) error {
	want, err := e.sum()
	if err == nil {
		var reply string
		if reply, err = w.ask(ctx, "sum "+u.staged(name), nil); err != nil {
			return err
		}
		switch got := strings.TrimPrefix(reply, "sum "); {
		case got == want:
		case !e.unchanged():
			err = errChanged
		default:
			err = errChecksum
		}
	}
	if err != nil {
		u.failed(e, name, err)
		return w.do(ctx, "drop "+u.staged(name), nil)
	}
	if err := w.do(ctx, u.meta(u.staged(name), e), nil); err != nil {
		return err
	}
	u.res.add(File{Source: e.path, Destination: u.shown(name), Size: e.size, SHA256: want, State: Copied})
	return nil
}

// meta is the call that sets permissions and time.
func (u *upload) meta(word string, e *entry) string {
	t := e.mtime.UTC()
	if u.windows {
		return fmt.Sprintf("meta %s %04o %s", word, e.mode.Perm(), quotePS(t.Format("2006-01-02T15:04:05Z")))
	}
	return fmt.Sprintf("meta %s %04o %s @%d", word, e.mode.Perm(), t.Format("200601021504.05"), t.Unix())
}

// commit gives folders their permissions and times and moves everything into
// place.
func (u *upload) commit(ctx context.Context) error {
	w := u.crew.first
	var folders []task
	var closed []string // folders that their owner may not write
	b, n := newBundle(), 0
	u.each(func(e *entry, name string) bool {
		if e.kind != kindFolder {
			return true
		}
		if e.mode&0o700 != 0o700 {
			closed = append(closed, fmt.Sprintf("mod %s %04o", u.quote(name), e.mode.Perm()))
		}
		if w.tar {
			n++
			_ = b.add(e, name) // into memory
			return true
		}
		open := *e
		open.mode |= 0o700
		line := u.meta(u.staged(name), &open)
		folders = append(folders, func(ctx context.Context, w *worker) error { return w.do(ctx, line, nil) })
		return true
	})
	if n > 0 {
		folders = append(folders, func(ctx context.Context, w *worker) error { return u.sendBundle(ctx, w, b) })
	}
	slices.Reverse(folders) // what is inside first: it changes the time of what it is in
	for _, t := range folders {
		if err := t(ctx, w); err != nil {
			return err
		}
	}
	skip := ""
	if u.req.NoClobber {
		skip = "1"
	}
	reply, err := w.ask(ctx, "fin "+u.quote(skip), nil)
	if err == nil && reply != "done" {
		err = w.odd(reply)
	}
	if err != nil {
		return err
	}
	u.stage = "" // gone
	slices.Reverse(closed)
	for _, line := range closed {
		if err := w.do(ctx, line, nil); err != nil {
			return err
		}
	}
	_, _ = w.ask(ctx, "bye", nil) // all is in place, whether that arrives or not
	return nil
}

// cleanup removes the staging folder through a session of its own: those of the
// copy may be dead.
func (u *upload) cleanup(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupWait)
	defer cancel()
	e, err := u.s.sessions.Exec(ctx, sessions.ExecRequest{
		Target: u.node.ID, Platform: u.node.Platform, Reason: u.s.opts.Reason,
		Command: u.removal(),
	}, u.s.options(u.node)...)
	if err != nil {
		u.s.debug("what was copied so far stays", "node", u.node.ID, "folder", u.stage, "error", err)
		return
	}
	defer e.Close()
	defer context.AfterFunc(ctx, e.Abort)()
	_, _, err = e.Copy(io.Discard, io.Discard)
	u.s.debug("removed what was copied so far", "node", u.node.ID, "error", err)
}

func (u *upload) removal() string {
	if u.windows {
		return powershell(preludePS) + "[IO.Directory]::Delete(" + u.stage + ",$true)"
	}
	return newline + "cd 2>/dev/null; rm -rf " + u.stage
}

// errNoLinks is a link for a system that makes them for administrators only.
var errNoLinks = errors.New("links are not made on Windows nodes")
