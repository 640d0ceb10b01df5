package coreutils

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/ssmdeck/ssmdeck/internal/simulator/virtual/program"
)

// maxSort bounds what sort keeps in memory, in bytes.
const maxSort = 256 << 20

// cutRange is one of the ranges of cut -f, from 1; to is 0 for no end.
type cutRange struct{ from, to int }

func parseRanges(spec string) ([]cutRange, bool) {
	var list []cutRange
	for part := range strings.SplitSeq(spec, ",") {
		lo, hi, dash := strings.Cut(part, "-")
		r := cutRange{from: 1}
		var err1, err2 error
		if lo != "" {
			r.from, err1 = strconv.Atoi(lo)
		}
		switch {
		case !dash:
			r.to = r.from
		case hi != "":
			r.to, err2 = strconv.Atoi(hi)
		}
		if err1 != nil || err2 != nil || r.from < 1 || (lo == "" && hi == "") || (r.to != 0 && r.to < r.from) {
			return nil, false
		}
		list = append(list, r)
	}
	return list, true
}

func inRanges(list []cutRange, n int) bool {
	for _, r := range list {
		if n >= r.from && (r.to == 0 || n <= r.to) {
			return true
		}
	}
	return false
}

func cut(ctx context.Context, p *program.Proc) int {
	f, files, st := p.Flags("d:f:c:b:s delimiter=d: fields=f: characters=c: bytes=b: only-delimited=s output-delimiter=o:")
	if st >= 0 {
		return st
	}
	spec := f.Value("f", f.Value("c", f.Value("b", "")))
	if spec == "" {
		p.Errorf("you must specify a list of bytes, characters, or fields")
		return 1
	}
	ranges, ok := parseRanges(spec)
	delim := f.Value("d", "\t")
	switch {
	case !ok:
		p.Errorf("invalid field range")
		return 1
	case len([]rune(delim)) != 1:
		p.Errorf("the delimiter must be a single character")
		return 1
	}
	return p.EachFile(ctx, files, func(_ string, r io.Reader) error {
		return p.EachLine(r, func(line []byte, _ bool) bool {
			if !f.Has("f") {
				var keep []rune
				for i, c := range []rune(string(line)) {
					if inRanges(ranges, i+1) {
						keep = append(keep, c)
					}
				}
				return p.Printf("%s\n", string(keep))
			}
			if !bytes.Contains(line, []byte(delim)) {
				return f.Has("s") || p.Printf("%s\n", line)
			}
			var keep []string
			for i, part := range strings.Split(string(line), delim) {
				if inRanges(ranges, i+1) {
					keep = append(keep, part)
				}
			}
			return p.Printf("%s\n", strings.Join(keep, f.Value("o", delim)))
		})
	})
}

// sortKey is one -k FROM[,TO][nr].
type sortKey struct {
	from, to         int
	numeric, reverse bool
	human, fold      bool
}

func parseKey(spec string, base sortKey) (sortKey, bool) {
	k := base
	lo, hi, _ := strings.Cut(spec, ",")
	read := func(text string) (int, bool) {
		digits := strings.TrimRight(text, "nrhfbg")
		for _, c := range text[len(digits):] {
			switch c {
			case 'n', 'g':
				k.numeric = true
			case 'h':
				k.human = true
			case 'r':
				k.reverse = true
			case 'f':
				k.fold = true
			}
		}
		digits, _, _ = strings.Cut(digits, ".")
		n, err := strconv.Atoi(digits)
		return n, err == nil && n > 0
	}
	var ok bool
	if k.from, ok = read(lo); !ok {
		return k, false
	}
	if hi != "" {
		k.to, ok = read(hi)
	}
	return k, ok
}

func sortCmd(ctx context.Context, p *program.Proc) int {
	f, files, st := p.Flags("nrufhgbVst:k:o: numeric-sort=n reverse=r unique=u ignore-case=f human-numeric-sort=h field-separator=t: key=k: stable=s output=o: version-sort=V")
	if st >= 0 {
		return st
	}
	base := sortKey{numeric: f.Has("n") || f.Has("g"), reverse: f.Has("r"), human: f.Has("h"), fold: f.Has("f")}
	var keys []sortKey
	for _, spec := range f.Values("k") {
		k, ok := parseKey(spec, base)
		if !ok {
			p.Errorf("invalid number at field start: invalid count at start of '%s'", spec)
			return 2
		}
		keys = append(keys, k)
	}
	var lines []string
	size := 0
	status := p.EachFile(ctx, files, func(_ string, r io.Reader) error {
		return p.EachLine(r, func(line []byte, _ bool) bool {
			lines = append(lines, string(line))
			size += len(line) + 16
			return size < maxSort
		})
	})
	if status != 0 {
		return 2
	}
	if size >= maxSort {
		p.Errorf("memory exhausted")
		return 2
	}
	compare := comparer(keys, base, f.Value("t", ""))
	slices.SortStableFunc(lines, func(a, b string) int {
		c := compare(a, b)
		if c == 0 && !f.Has("s") && !f.Has("u") {
			c = strings.Compare(a, b)
			if base.reverse {
				c = -c
			}
		}
		return c
	})
	if f.Has("u") {
		lines = slices.CompactFunc(lines, func(a, b string) bool { return compare(a, b) == 0 })
	}
	out := io.Writer(p.Out())
	if name := f.Value("o", ""); name != "" {
		w, err := p.Shell.Open(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o666)
		if err != nil {
			return p.FileError(name, err) + 1
		}
		defer w.Close()
		out = w
	}
	for _, line := range lines {
		if _, err := io.WriteString(out, line+"\n"); err != nil {
			break
		}
	}
	return 0
}

func comparer(keys []sortKey, base sortKey, sep string) func(a, b string) int {
	if len(keys) == 0 {
		return func(a, b string) int { return compareBy(base, a, b) }
	}
	return func(a, b string) int {
		for _, k := range keys {
			if c := compareBy(k, keyText(k, a, sep), keyText(k, b, sep)); c != 0 {
				return c
			}
		}
		return 0
	}
}

func keyText(k sortKey, line, sep string) string {
	fields := strings.Fields(line)
	joint := " "
	if sep != "" {
		fields, joint = strings.Split(line, sep), sep
	}
	to := len(fields)
	if k.to > 0 {
		to = min(k.to, to)
	}
	if k.from > to {
		return ""
	}
	return strings.Join(fields[k.from-1:to], joint)
}

func compareBy(k sortKey, a, b string) int {
	c := 0
	switch {
	case k.human:
		c = cmp.Compare(humanNumber(a), humanNumber(b))
	case k.numeric:
		c = cmp.Compare(leadingNumber(a), leadingNumber(b))
	case k.fold:
		c = strings.Compare(strings.ToUpper(a), strings.ToUpper(b))
	default:
		c = strings.Compare(a, b)
	}
	if k.reverse {
		return -c
	}
	return c
}

// leadingNumber returns the number that text begins with, else 0.
func leadingNumber(text string) float64 {
	text = strings.TrimLeft(text, " \t")
	end := 0
	for end < len(text) && strings.IndexByte("0123456789.-+", text[end]) >= 0 && (end == 0 || text[end] != '-' && text[end] != '+') {
		end++
	}
	n, _ := strconv.ParseFloat(text[:end], 64)
	return n
}

func humanNumber(text string) float64 {
	n := leadingNumber(text)
	trimmed := strings.TrimLeft(text, " \t0123456789.-+")
	if trimmed != "" {
		if i := strings.IndexByte("KMGTP", trimmed[0]&^0x20); i >= 0 {
			for range i + 1 {
				n *= 1024
			}
		}
	}
	return n
}

func uniq(ctx context.Context, p *program.Proc) int {
	f, files, st := p.Flags("cduif: count=c repeated=d unique=u ignore-case=i")
	if st >= 0 {
		return st
	}
	last, n := "", 0
	flush := func() bool {
		if n == 0 || (f.Has("d") && n < 2) || (f.Has("u") && n > 1) {
			return true
		}
		if f.Has("c") {
			return p.Printf("%7d %s\n", n, last)
		}
		return p.Printf("%s\n", last)
	}
	same := func(line string) bool {
		return line == last || (f.Has("i") && strings.EqualFold(line, last))
	}
	if len(files) > 1 {
		files = files[:1]
	}
	status := p.EachFile(ctx, files, func(_ string, r io.Reader) error {
		return p.EachLine(r, func(line []byte, _ bool) bool {
			if n > 0 && same(string(line)) {
				n++
				return true
			}
			ok := flush()
			last, n = string(line), 1
			return ok
		})
	})
	flush()
	return status
}

func paste(ctx context.Context, p *program.Proc) int {
	f, files, st := p.Flags("sd: serial=s delimiters=d:")
	if st >= 0 {
		return st
	}
	var cols [][]string
	streams := 0 // several - share the standard input, a line each in turn
	for _, name := range files {
		streams += oneIf(name == "-")
	}
	status := p.EachFile(ctx, files, func(name string, r io.Reader) error {
		var col []string
		err := p.EachLine(r, func(line []byte, _ bool) bool {
			col = append(col, string(line))
			return true
		})
		cols = append(cols, col)
		return err
	})
	if streams > 1 && !f.Has("s") {
		cols = dealOut(files, cols, streams)
	}
	sep := f.Value("d", "\t")
	if f.Has("s") {
		for _, col := range cols {
			p.Printf("%s\n", strings.Join(col, sep))
		}
		return status
	}
	for i := 0; ; i++ {
		row, any := make([]string, len(cols)), false
		for c, col := range cols {
			if i < len(col) {
				row[c], any = col[i], true
			}
		}
		if !any || !p.Printf("%s\n", strings.Join(row, sep)) {
			return status
		}
	}
}

// dealOut distributes the lines of the standard input over the columns named -.
func dealOut(files []string, cols [][]string, n int) [][]string {
	var all []string
	for i, name := range files {
		if name == "-" && len(cols[i]) > 0 {
			all = cols[i]
		}
	}
	k := 0
	for i, name := range files {
		if name != "-" {
			continue
		}
		cols[i] = nil
		for j := k; j < len(all); j += n {
			cols[i] = append(cols[i], all[j])
		}
		k++
	}
	return cols
}

// trSet expands the set of tr: ranges, classes and escapes.
func trSet(spec string) []rune {
	classes := map[string]string{
		"[:lower:]": "abcdefghijklmnopqrstuvwxyz", "[:upper:]": "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
		"[:digit:]": "0123456789", "[:space:]": " \t\n\v\f\r", "[:blank:]": " \t",
		"[:punct:]": "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~",
	}
	classes["[:alpha:]"] = classes["[:upper:]"] + classes["[:lower:]"]
	classes["[:alnum:]"] = classes["[:digit:]"] + classes["[:alpha:]"]
	for name, set := range classes {
		spec = strings.ReplaceAll(spec, name, strings.NewReplacer(`\`, `\\`, "-", `\-`).Replace(set))
	}
	escapes := map[rune]rune{'n': '\n', 't': '\t', 'r': '\r', '\\': '\\', '0': 0, 'a': '\a', 'v': '\v', 'f': '\f'}
	var set []rune
	rs := []rune(spec)
	for i := 0; i < len(rs); i++ {
		c := rs[i]
		switch {
		case c == '\\' && i+1 < len(rs):
			i++
			if e, ok := escapes[rs[i]]; ok {
				c = e
			} else {
				c = rs[i]
			}
			set = append(set, c)
		case c == '-' && len(set) > 0 && i+1 < len(rs) && rs[i+1] >= set[len(set)-1]:
			i++
			for r := set[len(set)-1] + 1; r <= rs[i] && len(set) < 1<<16; r++ {
				set = append(set, r)
			}
		default:
			set = append(set, c)
		}
	}
	return set
}

func tr(_ context.Context, p *program.Proc) int {
	f, sets, st := p.Flags("dscC delete=d squeeze-repeats=s complement=c")
	if st >= 0 {
		return st
	}
	want := 2
	if f.Has("d") != f.Has("s") || (f.Has("s") && len(sets) == 1) {
		want = 1
	}
	if len(sets) < want {
		p.Errorf("missing operand")
		return 1
	}
	from := trSet(sets[0])
	var to []rune
	if len(sets) > 1 {
		to = trSet(sets[1])
	}
	in := func(set []rune, c rune, complement bool) (int, bool) {
		i := slices.Index(set, c)
		if complement {
			return len(to) - 1, i < 0
		}
		return i, i >= 0
	}
	complement := f.Has("c") || f.Has("C")
	br := p.Lines(p.Stdin)
	last := rune(-1)
	for {
		c, size, err := br.ReadRune()
		if err != nil {
			return 0
		}
		i, hit := in(from, c, complement)
		switch {
		case hit && f.Has("d"):
			continue
		case hit && len(to) > 0:
			c = to[min(max(i, 0), len(to)-1)]
			size = 0
		}
		if f.Has("s") && c == last {
			squeeze, isComplement := to, false
			if len(to) == 0 {
				squeeze, isComplement = from, complement
			}
			if _, again := in(squeeze, c, isComplement); again {
				continue
			}
		}
		last = c
		if c == '\uFFFD' && size == 1 { // not UTF-8: pass the byte on
			br.UnreadRune()
			b, _ := br.ReadByte()
			p.Out().WriteByte(b)
			continue
		}
		if _, err := p.Out().WriteRune(c); err != nil {
			return 1
		}
	}
}

func cmpFiles(ctx context.Context, p *program.Proc) int {
	f, files, st := p.Flags("sl")
	if st >= 0 {
		return st
	}
	if len(files) != 2 {
		p.Errorf("missing operand")
		return 2
	}
	var data [2][]byte
	for i, name := range files {
		r, err := p.Open(ctx, name)
		if err == nil {
			data[i], err = io.ReadAll(r)
			r.Close()
		}
		if err != nil {
			p.FileError(name, err)
			return 2
		}
	}
	if bytes.Equal(data[0], data[1]) {
		return 0
	}
	if f.Has("s") {
		return 1
	}
	line := 1
	for i := range min(len(data[0]), len(data[1])) {
		if data[0][i] != data[1][i] {
			p.Printf("%s %s differ: byte %d, line %d\n", files[0], files[1], i+1, line)
			return 1
		}
		if data[0][i] == '\n' {
			line++
		}
	}
	shorter := files[0]
	if len(data[1]) < len(data[0]) {
		shorter = files[1]
	}
	fmt.Fprintf(p.Stderr, "cmp: EOF on %s after byte %d\n", shorter, min(len(data[0]), len(data[1])))
	return 1
}
