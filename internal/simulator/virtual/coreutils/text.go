package coreutils

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/ssmdeck/ssmdeck/internal/simulator/virtual/memfs"
	"github.com/ssmdeck/ssmdeck/internal/simulator/virtual/program"
)

func cat(ctx context.Context, p *program.Proc) int {
	f, files, st := p.Flags("nbAetuvsET number=n show-all=A")
	if st >= 0 {
		return st
	}
	n := 0
	return p.EachFile(ctx, files, func(_ string, r io.Reader) error {
		if !f.Has("n") && !f.Has("b") && !f.Has("A") && !f.Has("E") && !f.Has("e") {
			return p.Copy(r)
		}
		return p.EachLine(r, func(line []byte, full bool) bool {
			if f.Has("n") || (f.Has("b") && len(line) > 0) {
				n++
				p.Printf("%6d\t", n)
			}
			p.Out().Write(line)
			if full && (f.Has("A") || f.Has("E") || f.Has("e")) {
				p.Printf("$")
			}
			return !full || p.Printf("\n")
		})
	})
}

// count reads a number with the suffixes of head, tail, dd and truncate.
func count(text string) (int64, error) {
	digits := strings.TrimRight(text, "bcwkKMGTiB")
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil {
		return 0, errors.New("invalid number")
	}
	unit := int64(1)
	switch suffix := text[len(digits):]; suffix {
	case "", "c":
	case "b":
		unit = 512
	case "k", "K", "KiB":
		unit = 1 << 10
	case "M", "MiB":
		unit = 1 << 20
	case "G", "GiB":
		unit = 1 << 30
	case "T", "TiB":
		unit = 1 << 40
	case "kB", "KB":
		unit = 1e3
	case "MB":
		unit = 1e6
	case "GB":
		unit = 1e9
	default:
		return 0, errors.New("invalid suffix")
	}
	if n > math.MaxInt64/unit || n < -math.MaxInt64/unit {
		return 0, errors.New("number too large")
	}
	return n * unit, nil
}

// oldStyle turns head -5 into head -n 5.
func oldStyle(p *program.Proc) {
	if len(p.Args) < 2 {
		return
	}
	if a := p.Args[1]; len(a) > 1 && a[0] == '-' && a[1] >= '0' && a[1] <= '9' {
		p.Args[1] = "-n" + a[1:]
	}
}

func head(ctx context.Context, p *program.Proc) int {
	oldStyle(p)
	f, files, st := p.Flags("n:c:qv lines=n: bytes=c: quiet=q verbose=v")
	if st >= 0 {
		return st
	}
	lines, err := count(f.Value("n", "10"))
	bytesN := int64(-1)
	if f.Has("c") {
		bytesN, err = count(f.Value("c", ""))
	}
	if err != nil {
		p.Errorf("invalid number of lines: '%s'", f.Value("n", f.Value("c", "")))
		return 1
	}
	first := true
	return p.EachFile(ctx, files, func(name string, r io.Reader) error {
		header(p, f, &first, name, len(files))
		if bytesN >= 0 {
			return p.Copy(io.LimitReader(r, bytesN))
		}
		if lines < 0 {
			return allButLast(p, r, int(-lines))
		}
		left := lines
		if left == 0 {
			return nil
		}
		return p.EachLine(r, func(line []byte, full bool) bool {
			p.Out().Write(line)
			if full {
				p.Out().WriteByte('\n')
			}
			left--
			return left > 0
		})
	})
}

// header prints ==> name <== between several files.
func header(p *program.Proc, f *program.Flags, first *bool, name string, files int) {
	if (files < 2 || f.Has("q")) && !f.Has("v") {
		return
	}
	if !*first {
		p.Printf("\n")
	}
	*first = false
	if name == "-" {
		name = "standard input"
	}
	p.Printf("==> %s <==\n", name)
}

func allButLast(p *program.Proc, r io.Reader, n int) error {
	var kept [][]byte
	return p.EachLine(r, func(line []byte, full bool) bool {
		kept = append(kept, bytes.Clone(line))
		if len(kept) > n {
			p.Out().Write(kept[0])
			kept = kept[1:]
			return p.Printf("\n")
		}
		return true
	})
}

func tail(ctx context.Context, p *program.Proc) int {
	oldStyle(p)
	f, files, st := p.Flags("n:c:fFqvs: lines=n: bytes=c: follow=f: retry=F quiet=q verbose=v")
	if st >= 0 {
		return st
	}
	spec := f.Value("n", "10")
	if f.Has("c") {
		spec = f.Value("c", "")
	}
	n, err := count(strings.TrimLeft(spec, "+-"))
	if err != nil {
		p.Errorf("invalid number of lines: '%s'", spec)
		return 1
	}
	var followed []*memfs.Handle
	first := true
	status := p.EachFile(ctx, files, func(name string, r io.Reader) error {
		header(p, f, &first, name, len(files))
		switch {
		case strings.HasPrefix(spec, "+") && f.Has("c"):
			if _, err := io.CopyN(io.Discard, r, n-1); err != nil {
				return nil
			}
			return p.Copy(r)
		case strings.HasPrefix(spec, "+"):
			return fromLine(p, r, n)
		case f.Has("c"):
			return lastBytes(p, r, n)
		}
		return lastLines(p, r, int(min(n, 1<<20)))
	})
	if !f.Has("f") && !f.Has("F") {
		return status
	}
	for _, name := range files {
		if h, err := p.Shell.FS().Open(p.Shell.Cred(), p.Shell.Abs(name), os.O_RDONLY, 0); err == nil {
			h.Seek(0, io.SeekEnd)
			followed = append(followed, h)
		}
	}
	if len(followed) == 0 && len(files) > 0 {
		p.Errorf("no files remaining")
		return 1
	}
	p.Flush()
	follow(ctx, p, followed)
	return status
}

func fromLine(p *program.Proc, r io.Reader, n int64) error {
	at := int64(0)
	return p.EachLine(r, func(line []byte, full bool) bool {
		if at++; at < n {
			return true
		}
		p.Out().Write(line)
		return !full || p.Printf("\n")
	})
}

func lastBytes(p *program.Proc, r io.Reader, n int64) error {
	var keep []byte
	buf := make([]byte, 64<<10)
	for {
		k, err := r.Read(buf)
		if keep = append(keep, buf[:k]...); int64(len(keep)) > n {
			keep = append(keep[:0], keep[int64(len(keep))-n:]...)
		}
		if err != nil {
			p.Out().Write(keep)
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
	}
}

func lastLines(p *program.Proc, r io.Reader, n int) error {
	var ring [][]byte
	next, open := 0, false
	err := p.EachLine(r, func(line []byte, full bool) bool {
		open = !full
		switch {
		case n == 0:
		case len(ring) < n:
			ring = append(ring, bytes.Clone(line))
		default:
			ring[next] = append(ring[next][:0], line...)
			next = (next + 1) % n
		}
		return true
	})
	for i := range ring {
		p.Out().Write(ring[(next+i)%len(ring)])
		if i < len(ring)-1 || !open {
			p.Out().WriteByte('\n')
		}
	}
	return err
}

// follow prints what is appended to the files until ctx ends.
func follow(ctx context.Context, p *program.Proc, files []*memfs.Handle) {
	for ctx.Err() == nil {
		changed := p.Shell.FS().Changed() // before looking, so that nothing is missed
		for _, h := range files {
			if at, err := h.Seek(0, io.SeekCurrent); err == nil && h.Size() < at {
				h.Seek(0, io.SeekStart) // truncated
			}
			p.Copy(h)
		}
		select {
		case <-changed:
		case <-ctx.Done():
		}
	}
}

func wc(ctx context.Context, p *program.Proc) int {
	f, files, st := p.Flags("lwcm lines=l words=w bytes=c chars=m")
	if st >= 0 {
		return st
	}
	var total [4]int64
	show := func(n [4]int64, name string) {
		var cols []string
		for i, flag := range []string{"l", "w", "m", "c"} {
			none := !f.Has("l") && !f.Has("w") && !f.Has("c") && !f.Has("m") && flag != "m"
			if f.Has(flag) || none {
				cols = append(cols, strconv.FormatInt(n[i], 10))
			}
		}
		if len(cols) > 1 {
			for i := range cols {
				cols[i] = fmt.Sprintf("%7s", cols[i])
			}
		}
		if name != "-" {
			cols = append(cols, name)
		}
		p.Printf("%s\n", strings.Join(cols, " "))
	}
	if len(files) == 0 {
		files = []string{"-"}
	}
	status := p.EachFile(ctx, files, func(name string, r io.Reader) error {
		n, err := countAll(r)
		for i := range n {
			total[i] += n[i]
		}
		if err == nil {
			show(n, name)
		}
		return err
	})
	if len(files) > 1 {
		show(total, "total")
	}
	return status
}

// countAll returns lines, words, characters and bytes.
func countAll(r io.Reader) (n [4]int64, err error) {
	buf := make([]byte, 64<<10)
	inWord := false
	for {
		k, err := r.Read(buf)
		for _, b := range buf[:k] {
			if b == '\n' {
				n[0]++
			}
			space := b == ' ' || (b >= '\t' && b <= '\r')
			if !space && !inWord {
				n[1]++
			}
			inWord = !space
			if utf8.RuneStart(b) {
				n[2]++
			}
		}
		n[3] += int64(k)
		if errors.Is(err, io.EOF) {
			return n, nil
		}
		if err != nil {
			return n, err
		}
	}
}

func tee(_ context.Context, p *program.Proc) int {
	f, files, st := p.Flags("ai append=a")
	if st >= 0 {
		return st
	}
	flag := os.O_WRONLY | os.O_CREATE | os.O_TRUNC
	if f.Has("a") {
		flag = os.O_WRONLY | os.O_CREATE | os.O_APPEND
	}
	status := 0
	outs := []io.Writer{p.Stdout}
	for _, name := range files {
		w, err := p.Shell.Open(name, flag, 0o666)
		if err != nil {
			status = p.FileError(name, err)
			continue
		}
		defer w.Close()
		outs = append(outs, w)
	}
	io.Copy(io.MultiWriter(outs...), p.Stdin)
	return status
}

func seq(_ context.Context, p *program.Proc) int {
	sep, args := "\n", p.Args[1:]
	width := false
	for len(args) > 0 && (args[0] == "-w" || strings.HasPrefix(args[0], "-s")) {
		if args[0] == "-w" {
			width, args = true, args[1:]
			continue
		}
		if args[0] != "-s" {
			sep, args = args[0][2:], args[1:]
			continue
		}
		if len(args) < 2 {
			p.Errorf("option requires an argument -- 's'")
			return 1
		}
		sep, args = args[1], args[2:]
	}
	if len(args) == 0 || len(args) > 3 {
		p.Errorf("missing operand")
		return 1
	}
	n := []float64{1, 1, 1}
	decimals := 0
	for i, a := range args {
		v, err := strconv.ParseFloat(a, 64)
		if err != nil || math.IsNaN(v) {
			p.Errorf("invalid floating point argument: '%s'", a)
			return 1
		}
		if _, frac, ok := strings.Cut(a, "."); ok {
			decimals = max(decimals, len(frac))
		}
		switch {
		case len(args) == 1:
			n[2] = v
		case len(args) == 2:
			n[i*2] = v
		default:
			n[i] = v
		}
	}
	if n[1] == 0 {
		p.Errorf("invalid Zero increment value: '%s'", args[1])
		return 1
	}
	return printSeq(p, n[0], n[1], n[2], decimals, sep, width)
}

func printSeq(p *program.Proc, from, step, to float64, decimals int, sep string, width bool) int {
	wide := 0
	if width {
		wide = max(len(strconv.FormatFloat(from, 'f', decimals, 64)), len(strconv.FormatFloat(to, 'f', decimals, 64)))
	}
	out := p.Out()
	var buf []byte
	for i := 0.0; ; i++ {
		v := from + i*step
		if (step > 0 && v > to) || (step < 0 && v < to) {
			break
		}
		buf = buf[:0]
		if i > 0 {
			buf = append(buf, sep...)
		}
		start := len(buf)
		if decimals == 0 {
			buf = strconv.AppendInt(buf, int64(v), 10)
		} else {
			buf = strconv.AppendFloat(buf, v, 'f', decimals, 64)
		}
		for len(buf)-start < wide {
			buf = append(buf[:start], append([]byte{'0'}, buf[start:]...)...)
		}
		if _, err := out.Write(buf); err != nil {
			return 1
		}
	}
	if (step > 0) == (from <= to) || from == to {
		out.WriteByte('\n')
	}
	return 0
}

func yes(_ context.Context, p *program.Proc) int {
	text := "y"
	if len(p.Args) > 1 {
		text = strings.Join(p.Args[1:], " ")
	}
	block := bytes.Repeat([]byte(text+"\n"), 1+(16<<10)/(len(text)+1))
	for {
		if _, err := p.Stdout.Write(block); err != nil {
			return 1
		}
	}
}

func tac(ctx context.Context, p *program.Proc) int {
	return p.EachFile(ctx, p.Args[1:], func(_ string, r io.Reader) error {
		var all [][]byte
		err := p.EachLine(r, func(line []byte, _ bool) bool {
			all = append(all, bytes.Clone(line))
			return true
		})
		for i := len(all) - 1; i >= 0; i-- {
			p.Printf("%s\n", all[i])
		}
		return err
	})
}

func rev(ctx context.Context, p *program.Proc) int {
	return p.EachFile(ctx, p.Args[1:], func(_ string, r io.Reader) error {
		return p.EachLine(r, func(line []byte, _ bool) bool {
			rs := []rune(string(line))
			for i, j := 0, len(rs)-1; i < j; i, j = i+1, j-1 {
				rs[i], rs[j] = rs[j], rs[i]
			}
			return p.Printf("%s\n", string(rs))
		})
	})
}

func nl(ctx context.Context, p *program.Proc) int {
	f, files, st := p.Flags("b:")
	if st >= 0 {
		return st
	}
	n := 0
	return p.EachFile(ctx, files, func(_ string, r io.Reader) error {
		return p.EachLine(r, func(line []byte, _ bool) bool {
			if len(line) == 0 && f.Value("b", "t") != "a" {
				return p.Printf("       \n")
			}
			n++
			return p.Printf("%6d\t%s\n", n, line)
		})
	})
}

func fold(ctx context.Context, p *program.Proc) int {
	f, files, st := p.Flags("w:s width=w:")
	if st >= 0 {
		return st
	}
	width, err := count(f.Value("w", "80"))
	if err != nil || width < 1 {
		p.Errorf("invalid number of columns: '%s'", f.Value("w", ""))
		return 1
	}
	return p.EachFile(ctx, files, func(_ string, r io.Reader) error {
		return p.EachLine(r, func(line []byte, _ bool) bool {
			rs := []rune(string(line))
			for int64(len(rs)) > width {
				p.Printf("%s\n", string(rs[:width]))
				rs = rs[width:]
			}
			return p.Printf("%s\n", string(rs))
		})
	})
}
