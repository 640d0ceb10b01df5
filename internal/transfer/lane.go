package transfer

import (
	"archive/tar"
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"sync"

	"github.com/ssmdeck/ssmdeck/sessionclient"
)

// runLanes does the jobs of each lane in turn, all lanes at once, and returns
// the first error.
func (d *download) runLanes(ctx context.Context, lanes [][]*job) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var wg sync.WaitGroup
	var mu sync.Mutex // of all incoming
	for _, jobs := range lanes {
		wg.Go(func() {
			for gone := 0; len(jobs) > 0 && ctx.Err() == nil; {
				n, script := d.batch(jobs)
				l := &lane{d: d, ctx: ctx, mu: &mu, jobs: jobs[:n]}
				err := l.run(script)
				left := l.unsettled()
				switch {
				case errors.Is(err, sessionclient.ErrSessionGone) && gone < maxGone:
					// Agents wait two seconds for a client that is away when a command
					// ends. What was missed then comes once more.
					gone++
					jobs = append(left, jobs[n:]...)
					continue
				case err == nil && len(left) > 0:
					err = lostError(d.node, nil, "")
				}
				if err != nil {
					cancel(err)
				}
				jobs, gone = jobs[n:], 0
			}
		})
	}
	wg.Wait()
	return context.Cause(ctx)
}

// maxGone is how often a session may be gone when its connection comes back.
const maxGone = 3

// unsettled returns the jobs that are still to be done, as if they were new.
func (l *lane) unsettled() []*job {
	l.mu.Lock()
	defer l.mu.Unlock()
	var left []*job
	for _, j := range l.jobs {
		if j.settled {
			continue
		}
		left = append(left, j)
		l.d.add(-j.counted)
		j.counted = 0
		if j.b != nil {
			for _, f := range j.b.files {
				f.got = ""
			}
		}
	}
	return left
}

// batch makes the script for as many jobs as one session takes.
func (d *download) batch(jobs []*job) (n int, script string) {
	if d.node.Platform == "windows" {
		return d.batchWindows(jobs)
	}
	var b strings.Builder
	pack := 0
	if d.req.Compress {
		pack = 1
	}
	fmt.Fprintf(&b, "PACK=%d\n%s", pack, readerScript)
	for ; n < len(jobs) && (n == 0 || b.Len() < scriptBudget); n++ {
		j := jobs[n]
		if j.b != nil {
			fmt.Fprintf(&b, "b %d %s %d\n", n, j.b.folder, smallFile+1)
			continue
		}
		whole := ""
		if j.whole {
			whole = strconv.FormatInt(j.f.e.size, 10)
		}
		fmt.Fprintf(&b, "f %d %d %d %d %s %s\n", n, j.off/unit, j.off, j.n, j.f.word, whole)
	}
	return n, b.String()
}

// lane is one session that brings jobs one after the other.
type lane struct {
	d    *download
	ctx  context.Context
	mu   *sync.Mutex
	jobs []*job
	pipe *io.PipeWriter // to whoever takes the data of the current job
	buf  *bufio.Writer  // before it: messages are small
	took chan taken
}

// taken is what became of the data of a job.
type taken struct {
	sum string
	err error
}

func (l *lane) run(script string) error {
	err := l.d.s.read(l.ctx, l.d.node, script, &feed{control: l.control, data: l.data})
	if l.pipe != nil { // it broke off
		l.pipe.CloseWithError(io.ErrUnexpectedEOF)
		<-l.took
	}
	return err
}

func (l *lane) data(p []byte) error {
	if l.pipe == nil {
		return errGarbled
	}
	_, err := l.buf.Write(p)
	return err
}

// control takes a line of the reader.
func (l *lane) control(line string) error {
	verb, rest, _ := strings.Cut(line, " ")
	first, rest, _ := strings.Cut(rest, " ")
	i, err := strconv.Atoi(first)
	switch {
	case verb == "x":
		return remoteError(l.d.node, first+" "+rest)
	case err != nil || i < 0 || i >= len(l.jobs):
		return errNoSuchJob
	}
	j := l.jobs[i]
	switch verb {
	case "e":
		l.fail(j, errors.New(lastPart(rest)))
	case "r", "z", "R", "Z":
		if l.pipe != nil || (j.b != nil) != (verb == "R" || verb == "Z") {
			return errNoSuchJob
		}
		return l.start(j, verb == "z" || verb == "Z")
	case "s":
		return l.end(j, rest)
	case "w":
		l.mu.Lock()
		defer l.mu.Unlock()
		if j.f == nil {
			return errNoSuchJob
		}
		j.settled = true
		j.f.sum = rest
		l.d.ended(l.ctx, j.f)
	default:
		return errNoSuchJob
	}
	return nil
}

func (l *lane) fail(j *job, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	j.settled = true
	if j.f != nil && j.f.err == nil { // the files of a bundle come alone, then
		j.f.err = err
	}
}

// start begins to take the data of a job.
func (l *lane) start(j *job, packed bool) error {
	take := l.takeRange
	if j.b != nil {
		take = l.takeBundle
	}
	r, w := io.Pipe()
	l.pipe, l.took = w, make(chan taken, 1)
	l.buf = bufio.NewWriterSize(w, 64<<10)
	go func(took chan<- taken) {
		var t taken
		var in io.Reader = r
		if packed {
			var z *gzip.Reader
			if z, t.err = gzip.NewReader(r); t.err == nil {
				in = z
			}
		}
		if t.err == nil {
			t.sum, t.err = take(j, in)
		}
		if t.err != nil {
			r.CloseWithError(t.err) // writes fail with it
		} else {
			_, _ = io.Copy(io.Discard, r)
		}
		took <- t
	}(l.took)
	return nil
}

// end is called with the checksum that the node made of what it has sent.
func (l *lane) end(j *job, sum string) error {
	if l.pipe == nil {
		return errNoSuchJob
	}
	_ = l.buf.Flush() // fails with what took says
	_ = l.pipe.Close()
	t := <-l.took
	l.pipe = nil
	var short *shortError
	switch {
	case errors.As(t.err, &short):
		l.fail(j, short)
		return nil
	case t.err != nil:
		return t.err
	case j.b != nil:
		l.endBundle(j, t.sum == sum)
		return nil
	case t.sum != sum:
		l.fail(j, errDiffers)
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if j.f.ranges == 1 {
		j.f.got = sum
	}
	if !j.whole { // else that checksum is still to come
		j.settled = true
		l.d.ended(l.ctx, j.f)
	}
	return nil
}

// endBundle settles the files of a bundle: when its checksum is wrong, one of
// them changed, and all come again.
func (l *lane) endBundle(j *job, right bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	j.settled = true
	for _, f := range j.b.files {
		if f.got == "" {
			continue
		}
		if right {
			f.done = true
		} else {
			l.d.add(-f.e.size)
			f.got = ""
		}
	}
}

// shortError is a file of which less came than it was long.
type shortError struct{}

func (*shortError) Error() string { return "it became shorter while it was copied" }

// takeRange writes a range into its staged file and returns its checksum.
func (l *lane) takeRange(j *job, r io.Reader) (string, error) {
	f, err := l.d.sink.open(j.f.index)
	if err != nil {
		return "", localFault("write to "+l.d.sink.dir, err)
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.Size() > j.f.e.size { // of an attempt before
		if err := f.Truncate(j.f.e.size); err != nil {
			return "", l.writeError(err)
		}
	}
	h := sha256.New()
	out := io.MultiWriter(io.NewOffsetWriter(f, j.off), h, progress(func(n int64) { l.count(j, n) }))
	n, err := io.CopyBuffer(struct{ io.Writer }{out}, io.LimitReader(r, j.n), make([]byte, 64<<10))
	switch {
	case err != nil:
		return "", l.writeError(err)
	case n < j.n:
		return "", &shortError{}
	}
	if extra, _ := io.CopyN(io.Discard, r, 1); extra > 0 {
		return "", errGarbled
	}
	if err := f.Close(); err != nil {
		return "", localFault("write to "+l.d.sink.dir, err)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// writeError tells a write that failed here from data that are no archive.
func (l *lane) writeError(err error) error {
	var p *os.PathError
	if errors.As(err, &p) {
		return localFault("write to "+l.d.sink.dir, err)
	}
	return err
}

// count tells progress of n bytes of a job. One goroutine at a time does for it.
func (l *lane) count(j *job, n int64) {
	j.counted += n
	l.d.add(n)
}

// progress counts what is written.
type progress func(int64)

func (p progress) Write(b []byte) (int, error) {
	p(int64(len(b)))
	return len(b), nil
}

// takeBundle unpacks archives that follow each other, into staged files, and
// returns the checksum of all contents. Only files that were listed are
// written; what else is there is read and forgotten.
func (l *lane) takeBundle(j *job, r io.Reader) (string, error) {
	all := sha256.New()
	buf := make([]byte, 64<<10)
	for block := make([]byte, 512); ; {
		if _, err := io.ReadFull(r, block); errors.Is(err, io.EOF) {
			return hex.EncodeToString(all.Sum(nil)), nil
		} else if err != nil {
			return "", err
		}
		if len(bytes.Trim(block, "\x00")) == 0 {
			continue // what fills up the archive before
		}
		tr := tar.NewReader(io.MultiReader(bytes.NewReader(bytes.Clone(block)), r))
		for {
			h, err := tr.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return "", fmt.Errorf("unpack: %w", err)
			}
			if err := l.takeMember(j, h, tr, all, buf); err != nil {
				return "", err
			}
		}
	}
}

func (l *lane) takeMember(j *job, h *tar.Header, r io.Reader, all io.Writer, buf []byte) error {
	name := strings.TrimPrefix(h.Name, "./")
	b := j.b
	f := b.files[name]
	if h.Typeflag == tar.TypeLink { // the same file under another name
		first := b.files[strings.TrimPrefix(h.Linkname, "./")]
		if first == nil || first.got == "" {
			return nil
		}
		src, err := os.Open(l.d.sink.local(l.d.sink.staged(first.index)))
		if err != nil {
			return localFault("read from "+l.d.sink.dir, err)
		}
		defer src.Close()
		r = src
	} else if h.Typeflag != tar.TypeReg {
		return nil
	}
	if f == nil || f.got != "" {
		_, err := io.CopyBuffer(struct{ io.Writer }{all}, r, buf)
		return err
	}
	out, err := l.d.sink.open(f.index)
	if err != nil {
		return localFault("write to "+l.d.sink.dir, err)
	}
	defer out.Close()
	sum := sha256.New()
	n, err := io.CopyBuffer(struct{ io.Writer }{io.MultiWriter(out, sum, all)}, r, buf)
	if err == nil {
		err = out.Truncate(n) // an attempt before may have brought more
	}
	if err != nil {
		return l.writeError(err)
	}
	l.count(j, f.e.size)
	f.e.size = n // it may have grown since it was listed
	f.got = hex.EncodeToString(sum.Sum(nil))
	return out.Close()
}
