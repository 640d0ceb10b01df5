package recording

import (
	"bytes"
	"slices"
	"strconv"
	"strings"

	"github.com/ssmdeck/ssmdeck/internal/vt"
)

// Safe passes on what a recording shows, and leaves out what would act on the
// terminal beyond that: its title and clipboard, its keyboard and mouse, prints,
// window operations, requests that it would answer as if somebody typed. The
// zero value is at the beginning of a recording.
type Safe struct {
	scan vt.Scanner
	seq  []byte
	long bool // the present sequence is too long to be one that passes
	lead bool // the byte before was 0xc2, which begins C1 control characters
}

// maxSafe is the longest sequence that passes.
const maxSafe = 256

// Append appends to dst what of p, which is valid UTF-8, is safe.
func (s *Safe) Append(dst []byte, p string) []byte {
	for i := range len(p) {
		c := p[i]
		if s.lead {
			s.lead = false
			if c >= 0x80 && c < 0xa0 { // U+0080 to U+009F
				s.scan.Step(c)
				continue
			}
			dst = append(dst, 0xc2)
		}
		switch s.scan.Step(c) {
		case vt.Text:
			if c == 0xc2 {
				s.lead = true
				continue
			}
			dst = append(dst, c)
		case vt.Control:
			if strings.IndexByte("\a\b\t\n\v\f\r\x0e\x0f", c) >= 0 {
				dst = append(dst, c)
			}
		case vt.Sequence:
			s.take(c)
		case vt.End:
			s.take(c)
			if !s.long && safeSequence(s.seq) {
				dst = append(dst, s.seq...)
			}
			s.seq, s.long = s.seq[:0], false
		}
	}
	return dst
}

// take adds a byte to the present sequence. ESC begins a new one.
func (s *Safe) take(c byte) {
	if c == 0x1b && len(s.seq) > 0 && !s.scan.InString() {
		s.seq, s.long = s.seq[:0], false
	}
	if s.long = s.long || len(s.seq) >= maxSafe; !s.long {
		s.seq = append(s.seq, c)
	}
}

// The private modes that change what is seen.
var seenModes = []int{5, 6, 7, 12, 25, 47, 1047, 1048, 1049, 2026}

// safeSequence reports whether a whole sequence only draws.
func safeSequence(seq []byte) bool {
	if len(seq) < 2 || bytes.ContainsFunc(seq[1:], func(r rune) bool { return r < 0x20 || r > 0x7e }) {
		return false
	}
	body, final := string(seq[1:len(seq)-1]), seq[len(seq)-1]
	if len(seq) == 2 {
		return strings.IndexByte("78DEHM=>", final) >= 0
	}
	if strings.IndexByte("()*+", body[0]) >= 0 {
		return len(body) == 1
	}
	params, ok := strings.CutPrefix(body, "[")
	switch {
	case !ok:
		return false
	case params == "!" && final == 'p': // soft reset
		return true
	case strings.HasSuffix(params, " ") && final == 'q': // shape of the cursor
		return numbers(params[:len(params)-1])
	case strings.HasPrefix(params, "?"):
		return (final == 'h' || final == 'l') && numbers(params[1:]) && !slices.ContainsFunc(strings.Split(params[1:], ";"), func(p string) bool {
			n, err := strconv.Atoi(p)
			return err != nil || !slices.Contains(seenModes, n)
		})
	case final == 'h' || final == 'l':
		return params == "4" || params == "20"
	default:
		return numbers(params) && strings.IndexByte("@ABCDEFGHIJKLMPSTXZ`abdefgjkmrsu", final) >= 0
	}
}

func numbers(s string) bool { return strings.Trim(s, "0123456789;:") == "" }

// Plain appends to dst the text of p, without control sequences and carriage
// returns. The scanner keeps the state between two pieces.
func Plain(dst []byte, scan *vt.Scanner, p string) []byte {
	for i := range len(p) {
		switch c := p[i]; scan.Step(c) {
		case vt.Text:
			if !isC1(p[i:]) && (i == 0 || !isC1(p[i-1:])) {
				dst = append(dst, c)
			}
		case vt.Control:
			if c == '\n' || c == '\t' {
				dst = append(dst, c)
			}
		default:
		}
	}
	return dst
}

// isC1 reports whether p begins with one of the control characters U+0080 to
// U+009F, some of which begin sequences as ESC does.
func isC1(p string) bool { return len(p) > 1 && p[0] == 0xc2 && p[1] >= 0x80 && p[1] < 0xa0 }
