package coreutils

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/ssmdeck/ssmdeck/internal/simulator/virtual/memfs"
	"github.com/ssmdeck/ssmdeck/internal/simulator/virtual/program"
)

func base64Cmd(ctx context.Context, p *program.Proc) int {
	f, files, st := p.Flags("diw: decode=d ignore-garbage=i wrap=w:")
	if st >= 0 {
		return st
	}
	wrap, err := strconv.Atoi(f.Value("w", "76"))
	if err != nil || wrap < 0 {
		p.Errorf("invalid wrap size: '%s'", f.Value("w", ""))
		return 1
	}
	bad := false
	status := p.EachFile(ctx, files, func(_ string, r io.Reader) error {
		if f.Has("d") {
			_, err := io.Copy(p.Out(), base64.NewDecoder(base64.StdEncoding, r))
			var corrupt base64.CorruptInputError
			if errors.As(err, &corrupt) || errors.Is(err, io.ErrUnexpectedEOF) {
				p.Errorf("invalid input")
				bad = true
				return nil
			}
			return err
		}
		w := &wrapper{w: p.Out(), width: wrap}
		enc := base64.NewEncoder(base64.StdEncoding, w)
		if _, err := io.CopyBuffer(enc, r, make([]byte, 48<<10)); err != nil {
			return err
		}
		enc.Close()
		if w.col > 0 && wrap > 0 {
			p.Printf("\n")
		}
		return nil
	})
	return max(status, oneIf(bad))
}

// wrapper breaks lines at a width.
type wrapper struct {
	w          io.Writer
	width, col int
}

func (w *wrapper) Write(b []byte) (int, error) {
	n := len(b)
	for w.width > 0 && w.col+len(b) >= w.width {
		k := w.width - w.col
		if _, err := w.w.Write(append(b[:k:k], '\n')); err != nil {
			return 0, err
		}
		b, w.col = b[k:], 0
	}
	if _, err := w.w.Write(b); err != nil {
		return 0, err
	}
	w.col += len(b)
	return n, nil
}

func checksum(ctx context.Context, p *program.Proc) int {
	f, files, st := p.Flags("cbt check=c quiet=q")
	if st >= 0 {
		return st
	}
	sum := func(r io.Reader) (string, error) {
		var h hash.Hash
		switch p.Name() {
		case "md5sum":
			h = md5.New()
		case "sha1sum":
			h = sha1.New()
		case "sha512sum":
			h = sha512.New()
		default:
			h = sha256.New()
		}
		_, err := io.CopyBuffer(h, r, make([]byte, 256<<10))
		return fmt.Sprintf("%x", h.Sum(nil)), err
	}
	failed := 0
	status := p.EachFile(ctx, files, func(name string, r io.Reader) error {
		if !f.Has("c") {
			text, err := sum(r)
			if err == nil {
				p.Printf("%s  %s\n", text, name)
			}
			return err
		}
		return p.EachLine(r, func(line []byte, _ bool) bool {
			want, file, ok := strings.Cut(string(line), "  ")
			if !ok {
				return true
			}
			got := ""
			fr, err := p.Open(ctx, strings.TrimPrefix(file, "*"))
			if err == nil {
				got, err = sum(fr)
				fr.Close()
			}
			switch {
			case err != nil:
				p.FileError(file, err)
				failed++
				return p.Printf("%s: FAILED open or read\n", file)
			case got != want:
				failed++
				return p.Printf("%s: FAILED\n", file)
			}
			return f.Has("q") || p.Printf("%s: OK\n", file)
		})
	})
	if failed > 0 {
		p.Errorf("WARNING: %d computed checksum did NOT match", failed)
		return 1
	}
	return status
}

func dd(ctx context.Context, p *program.Proc) int {
	opt := map[string]string{"count": "-1", "skip": "0", "seek": "0"}
	for _, a := range p.Args[1:] {
		name, value, ok := strings.Cut(a, "=")
		switch name {
		case "if", "of", "bs", "count", "skip", "seek", "status", "conv", "ibs", "obs", "iflag", "oflag":
			opt[name] = value
		default:
			ok = false
		}
		if !ok {
			p.Errorf("unrecognized operand '%s'", a)
			return 1
		}
	}
	num := map[string]int64{}
	for _, name := range []string{"bs", "count", "skip", "seek"} {
		n, err := count(cmp.Or(opt[name], "512"))
		if err != nil || (n < 1 && name == "bs") || (n < 0 && opt[name] != "-1") {
			p.Errorf("invalid number: '%s'", opt[name])
			return 1
		}
		num[name] = n
	}
	// skip counts blocks of input, seek those of output.
	num["ibs"], num["obs"] = num["bs"], num["bs"]
	for _, name := range []string{"ibs", "obs"} {
		if opt[name] == "" || opt["bs"] != "" {
			continue
		}
		n, err := count(opt[name])
		if err != nil || n < 1 {
			p.Errorf("invalid number: '%s'", opt[name])
			return 1
		}
		num[name] = n
	}
	num["bs"] = num["ibs"]
	if num["bs"] > 64<<20 {
		p.Errorf("memory exhausted by input buffer of size %d bytes", num["bs"])
		return 1
	}
	in, out, done, err := ddFiles(ctx, p, opt, num)
	if err != nil {
		p.Errorf("%v", err)
		return 1
	}
	defer done()
	return ddCopy(ctx, p, in, out, num, opt["status"])
}

func ddFiles(ctx context.Context, p *program.Proc, opt map[string]string, num map[string]int64) (in io.Reader, out io.Writer, done func(), err error) {
	in, out, done = p.Stdin, p.Stdout, func() {}
	if name := opt["if"]; name != "" {
		f, err := p.Open(ctx, name)
		if err != nil {
			return nil, nil, nil, fmt.Errorf("failed to open '%s': %s", name, memfs.Reason(err))
		}
		in, done = f, func() { f.Close() }
	}
	if num["skip"] > 0 {
		io.CopyN(io.Discard, in, num["skip"]*num["bs"])
	}
	name := opt["of"]
	if name == "" {
		return in, out, done, nil
	}
	flag := os.O_WRONLY | os.O_CREATE | os.O_TRUNC
	if strings.Contains(opt["conv"], "notrunc") || num["seek"] > 0 {
		flag = os.O_WRONLY | os.O_CREATE
	}
	w, err := p.Shell.Open(name, flag, 0o666)
	if err != nil {
		return nil, nil, nil, fmt.Errorf("failed to open '%s': %s", name, memfs.Reason(err))
	}
	if s, ok := w.(io.Seeker); ok && num["seek"] > 0 {
		if _, err := s.Seek(num["seek"]*num["obs"], io.SeekStart); err != nil {
			return nil, nil, nil, fmt.Errorf("'%s': cannot seek: %s", name, memfs.Reason(err))
		}
	}
	return in, w, func() { w.Close() }, nil
}

func ddCopy(ctx context.Context, p *program.Proc, in io.Reader, out io.Writer, num map[string]int64, mode string) int {
	start := p.Shell.Now()
	buf := make([]byte, num["bs"])
	var full, part, total int64
	status := 0
	for n := int64(0); (num["count"] < 0 || n < num["count"]) && ctx.Err() == nil; n++ {
		k, err := io.ReadFull(in, buf)
		if k > 0 {
			if _, werr := out.Write(buf[:k]); werr != nil {
				if out != p.Stdout {
					p.Errorf("error writing: %s", memfs.Reason(werr))
				}
				status = 1
				break
			}
			total += int64(k)
		}
		switch {
		case k == len(buf):
			full++
		case k > 0:
			part++
		}
		if err != nil {
			if !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
				status = p.FileError("error reading", err)
			}
			break
		}
	}
	if mode == "none" || ctx.Err() != nil {
		return status
	}
	fmt.Fprintf(p.Stderr, "%d+%d records in\n%d+%d records out\n", full, part, full, part)
	if mode != "noxfer" {
		took := max(p.Shell.Now().Sub(start).Seconds(), 1e-6)
		fmt.Fprintf(p.Stderr, "%d bytes (%s) copied, %.6g s, %.1f MB/s\n", total, decimal(total), took, float64(total)/took/1e6)
	}
	return status
}

// decimal prints a size in powers of 1000.
func decimal(n int64) string {
	v, unit := float64(n), 0
	for v >= 1000 && unit < 4 {
		v /= 1000
		unit++
	}
	return fmt.Sprintf("%.3g %s", v, [...]string{"B", "kB", "MB", "GB", "TB"}[unit])
}

// maxInflated bounds what gunzip makes of one file in memory, in bytes.
const maxInflated = 256 << 20

func gzipCmd(ctx context.Context, p *program.Proc) int {
	f, files, st := p.Flags("dckfnqv123456789 decompress=d stdout=c keep=k force=f")
	if st >= 0 {
		return st
	}
	expand := f.Has("d") || p.Name() != "gzip"
	toStdout := f.Has("c") || p.Name() == "zcat" || len(files) == 0
	return p.EachFile(ctx, files, func(name string, r io.Reader) error {
		if toStdout || name == "-" {
			return gzipStream(p.Out(), r, expand)
		}
		dst := name + ".gz"
		if expand {
			var ok bool
			if dst, ok = strings.CutSuffix(name, ".gz"); !ok {
				return errors.New("unknown suffix -- ignored")
			}
		}
		if _, err := p.Stat(dst); err == nil && !f.Has("f") {
			return fmt.Errorf("%s already exists", dst)
		}
		var buf bytes.Buffer
		if err := gzipStream(&buf, io.LimitReader(r, maxInflated), expand); err != nil {
			return err
		}
		w, err := p.Shell.Open(dst, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o644)
		if err != nil {
			return err
		}
		defer w.Close()
		if _, err := w.Write(buf.Bytes()); err != nil {
			return err
		}
		if f.Has("k") {
			return nil
		}
		return p.Shell.FS().Remove(p.Shell.Cred(), p.Shell.Abs(name))
	})
}

func gzipStream(w io.Writer, r io.Reader, expand bool) error {
	if !expand {
		z := gzip.NewWriter(w)
		if _, err := io.Copy(z, r); err != nil {
			return err
		}
		return z.Close()
	}
	z, err := gzip.NewReader(r)
	if err != nil {
		return errors.New("not in gzip format")
	}
	if _, err := io.Copy(w, io.LimitReader(z, maxInflated)); err != nil {
		return errors.New("unexpected end of file")
	}
	return nil
}
