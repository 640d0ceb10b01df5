package posix

import (
	"strconv"
	"strings"
)

// SetStatus sets $?.
func (s *Shell) SetStatus(status int) { s.status = status }

// Prompt returns PS1, or PS2 for a continuation, with its escapes expanded.
func (s *Shell) Prompt(continued bool) string {
	if continued {
		return s.expandPrompt(s.Get("PS2"))
	}
	return s.expandPrompt(s.Get("PS1"))
}

func (s *Shell) expandPrompt(text string) string {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] != '\\' || i+1 == len(text) {
			b.WriteByte(text[i])
			continue
		}
		i++
		switch text[i] {
		case 's':
			b.WriteString(s.cfg.Name)
		case 'v':
			b.WriteString("5.2")
		case 'V':
			b.WriteString("5.2.15")
		case '$':
			b.WriteString(map[bool]string{true: "#", false: "$"}[s.isRoot()])
		case 'u':
			b.WriteString(s.Get("USER"))
		case 'h':
			host, _, _ := strings.Cut(s.Get("HOSTNAME"), ".")
			b.WriteString(host)
		case 'H':
			b.WriteString(s.Get("HOSTNAME"))
		case 'w', 'W':
			b.WriteString(s.promptDir(text[i] == 'W'))
		case 't':
			b.WriteString(s.cfg.Now().UTC().Format("15:04:05"))
		case 'A':
			b.WriteString(s.cfg.Now().UTC().Format("15:04"))
		case 'd':
			b.WriteString(s.cfg.Now().UTC().Format("Mon Jan 02"))
		case 'n':
			b.WriteString("\r\n")
		case 'e':
			b.WriteByte(0x1b)
		case '?':
			b.WriteString(strconv.Itoa(s.status))
		case '[', ']': // mark what takes no room; the editor sees that itself
		case '\\':
			b.WriteByte('\\')
		case '0':
			if strings.HasPrefix(text[i:], "033") {
				b.WriteByte(0x1b)
				i += 2
			}
		default:
			b.WriteByte('\\')
			b.WriteByte(text[i])
		}
	}
	return b.String()
}

func (s *Shell) isRoot() bool { return s.cfg.Cred.User == "" || s.cfg.Cred.User == "root" }

func (s *Shell) promptDir(last bool) string {
	dir := s.dir
	if home := s.Get("HOME"); home != "" && home != "/" {
		if rest, ok := strings.CutPrefix(dir, home); ok && (rest == "" || rest[0] == '/') {
			dir = "~" + rest
		}
	}
	if last && dir != "/" {
		dir = dir[strings.LastIndexByte(dir, '/')+1:]
	}
	return dir
}
