package powershell

import (
	"fmt"
	"regexp"
	"strings"
	"time"
)

// format is the -f operator: {0}, {1:N2}, {0,10}.
func (s *Shell) format(pattern string, args []any) (any, error) {
	re := regexp.MustCompile(`\{(\d+)(?:,(-?\d+))?(?::([^}]*))?\}|\{\{|\}\}`)
	var failed error
	out := re.ReplaceAllStringFunc(pattern, func(m string) string {
		if m == "{{" || m == "}}" {
			return m[:1]
		}
		g := re.FindStringSubmatch(m)
		i, width := atoi(g[1]), atoi(g[2])
		if i >= len(args) {
			failed = s.throw("FormatError", "Error formatting a string: Index (zero based) must be greater than or equal to zero and less than the size of the argument list.")
			return ""
		}
		v := formatValue(args[i], g[3])
		if width > 1000 || width < -1000 {
			width = 0
		}
		return fmt.Sprintf("%*s", width, v)
	})
	return out, failed
}

// atoi reads the digits of text, up to a sane bound.
func atoi(text string) int {
	n, neg := 0, strings.HasPrefix(text, "-")
	for _, c := range text {
		if c >= '0' && c <= '9' {
			n = min(n*10+int(c-'0'), 1<<20)
		}
	}
	if neg {
		return -n
	}
	return n
}

func formatValue(v any, spec string) string {
	if t, ok := v.(time.Time); ok && spec != "" {
		return formatTime(t, spec)
	}
	f, isNum := numeric(v)
	if spec == "" || !isNum {
		return text(v)
	}
	digits := min(max(atoi(spec[1:]), 0), 20)
	switch spec[0] &^ 0x20 {
	case 'N':
		if spec == "N" {
			digits = 2
		}
		return thousands(fmt.Sprintf("%.*f", digits, f))
	case 'F':
		if len(spec) == 1 {
			digits = 2
		}
		return fmt.Sprintf("%.*f", digits, f)
	case 'D':
		return fmt.Sprintf("%0*d", digits, int64(f))
	case 'X':
		return fmt.Sprintf("%0*X", digits, int64(f))
	case 'P':
		return fmt.Sprintf("%.2f %%", f*100)
	}
	return text(v)
}

// thousands puts commas into a number.
func thousands(s string) string {
	intPart, frac, hasFrac := strings.Cut(s, ".")
	neg := strings.HasPrefix(intPart, "-")
	intPart = strings.TrimPrefix(intPart, "-")
	for i := len(intPart) - 3; i > 0; i -= 3 {
		intPart = intPart[:i] + "," + intPart[i:]
	}
	if hasFrac {
		intPart += "." + frac
	}
	if neg {
		return "-" + intPart
	}
	return intPart
}
