package transfer

import (
	"path"
	"strings"

	"github.com/ssmdeck/ssmdeck/internal/fault"
)

// Place is one side of a copy.
type Place struct {
	Target string // a target expression of package fleet; "": this machine
	Path   string // never empty; "-" alone on this machine: standard input or output
}

// Local reports whether the place is on this machine.
func (p Place) Local() bool { return p.Target == "" }

// Standard reports whether the place is standard input or output.
func (p Place) Standard() bool { return p.Local() && p.Path == "-" }

func (p Place) String() string {
	if p.Local() {
		return p.Path
	}
	return p.Target + ":" + p.Path
}

// targetPrefixes begin target expressions that have a colon of their own.
var targetPrefixes = []string{"tag:", "name:", "file:", "ecs:"}

// ParsePlace reads NODE:PATH or a local path, by scp's rule: what has a colon
// before its first slash is on a node. windows says that this machine has drive
// letters. A path left out is the home folder of whoever runs commands there.
func ParsePlace(s string, windows bool) (Place, error) {
	if s == "" {
		return Place{}, fault.Usagef("a path is empty").WithHint("write NODE:PATH, or a path of this machine")
	}
	for _, prefix := range targetPrefixes {
		if rest, ok := strings.CutPrefix(s, prefix); ok {
			n := targetEnd(prefix, rest)
			if n < 0 {
				return Place{}, fault.Usagef("%q has no path", s).
					WithHint("write %s:/path; a local file of this name is ./%s", s, s)
			}
			return remote(s[:len(prefix)+n], rest[n+1:]), nil
		}
	}
	colon := strings.IndexByte(s, ':')
	slash := strings.IndexByte(s, '/')
	switch {
	case colon <= 0, slash >= 0 && slash < colon, isDrive(s, windows):
		return Place{Path: s}, nil
	case windows && strings.IndexByte(s[:colon], '\\') >= 0:
		return Place{Path: s}, nil
	}
	return remote(s[:colon], s[colon+1:]), nil
}

func remote(target, p string) Place {
	if p == "" {
		p = "."
	}
	return Place{Target: target, Path: p}
}

// isDrive reports whether s begins with a drive letter. C:\ is one wherever we
// run: no node path begins with a backslash.
func isDrive(s string, windows bool) bool {
	if len(s) < 2 || s[1] != ':' || (s[0]|0x20 < 'a' || s[0]|0x20 > 'z') {
		return false
	}
	return windows || len(s) > 2 && s[2] == '\\'
}

// targetEnd finds the colon between a target, whose prefix is cut off, and the
// path. Tag keys may hold colons (aws:autoscaling:groupName=web), so with a
// value it is the first colon behind =, and without one the last of all.
func targetEnd(prefix, s string) int {
	if prefix != "tag:" {
		if prefix == "file:" && len(s) > 2 && isDrive(s, true) {
			if n := strings.IndexByte(s[2:], ':'); n >= 0 {
				return n + 2
			}
			return -1
		}
		return strings.IndexByte(s, ':')
	}
	equals := strings.IndexByte(s, '=')
	if equals < 0 || strings.Contains(s[:equals], ":/") {
		// No value: the = belongs to the path.
		if n := strings.Index(s, ":/"); n >= 0 {
			return n
		}
		return strings.LastIndexByte(s, ':')
	}
	for i := equals + 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case ':':
			return i
		}
	}
	return -1
}

// base returns the name a copy of the path has by default; "" means that the
// contents are meant, as in cp -r folder/. elsewhere.
func base(p string) string {
	trimmed := strings.TrimRight(p, "/")
	if trimmed == "" {
		return ""
	}
	if b := path.Base(trimmed); b != "." && b != ".." {
		return b
	}
	return ""
}

// remoteBase is base for a path of a node, where ~ is the home folder. Here it
// is the shell that knows that, and what is left is a file of this name.
func remoteBase(p string) string {
	if strings.TrimRight(p, "/") == "~" {
		return ""
	}
	return base(p)
}
