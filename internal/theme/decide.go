package theme

import (
	"strings"

	"github.com/charmbracelet/colorprofile"

	"github.com/ssmdeck/ssmdeck/internal/fault"
)

// Lookup finds an environment variable; os.LookupEnv is one.
type Lookup = func(name string) (value string, ok bool)

// ColorMode is the value of --color.
type ColorMode string

// The colour modes.
const (
	ColorAuto   ColorMode = "auto" // ask the environment and the terminal
	ColorAlways ColorMode = "always"
	ColorNever  ColorMode = "never"
)

// ParseColorMode reads the value of --color; "" is ColorAuto. Anything else is
// a Usage error that lists the values.
func ParseColorMode(s string) (ColorMode, error) {
	switch m := ColorMode(strings.ToLower(s)); m {
	case "":
		return ColorAuto, nil
	case ColorAuto, ColorAlways, ColorNever:
		return m, nil
	}
	return "", fault.Usagef("unknown colour mode %q: use auto, always or never", s)
}

// UseColor decides whether a stream gets colour. The order, strongest first:
// the flag, NO_COLOR (set and not empty), CLICOLOR_FORCE (set, not empty, not
// 0), CLICOLOR=0, TERM=dumb, whether the stream is a terminal. Sources:
// no-color.org and bixense.com/clicolors.
func UseColor(mode ColorMode, env Lookup, isTerminal bool) bool {
	switch mode {
	case ColorAlways:
		return true
	case ColorNever:
		return false
	}
	if get(env, "NO_COLOR") != "" {
		return false
	}
	if force := get(env, "CLICOLOR_FORCE"); force != "" && force != "0" {
		return true
	}
	if get(env, "CLICOLOR") == "0" {
		return false
	}
	return isTerminal && !Dumb(env)
}

// Depth is how many colours a stream gets that gets any (see UseColor): none when use
// is false, else what the environment says of the terminal, sixteen at least. The
// terminal is not asked.
func Depth(use bool, env Lookup) colorprofile.Profile {
	if !use {
		return colorprofile.ASCII
	}
	// tmux turns colours into those that its own terminal has. It hands on COLORTERM,
	// while its TERM says nothing of true colour.
	if deep := strings.ToLower(get(env, "COLORTERM")); get(env, "TMUX") != "" && (deep == "truecolor" || deep == "24bit") {
		return colorprofile.TrueColor
	}
	var known []string // no NO_COLOR and the like: those were heeded
	for _, name := range []string{"TERM", "COLORTERM", "WT_SESSION", "GOOGLE_CLOUD_SHELL"} {
		if v := get(env, name); v != "" {
			known = append(known, name+"="+v)
		}
	}
	return max(colorprofile.Env(known), colorprofile.ANSI)
}

// Dumb reports whether TERM says that the terminal understands no escape
// sequences at all, so that nothing may be redrawn on it.
func Dumb(env Lookup) bool { return get(env, "TERM") == "dumb" }

// UseASCII decides whether glyphs must be ASCII: when forced by --ascii, when
// TERM is a terminal that lacks them, or when the locale is known not to be
// UTF-8. The locale is LC_ALL, else LC_CTYPE, else LANG (POSIX 8.2); none set is
// the POSIX locale, hence ASCII, except on Windows, where consoles are written in
// Unicode.
func UseASCII(forced bool, env Lookup) bool {
	if forced || lacksGlyphs(get(env, "TERM")) {
		return true
	}
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if v := strings.ToLower(get(env, name)); v != "" {
			return !strings.Contains(v, "utf-8") && !strings.Contains(v, "utf8")
		}
	}
	return get(env, "OS") != "Windows_NT"
}

// lacksGlyphs reports whether a terminal has no signs beyond its few hundred, whatever
// the locale says: the console of Linux, whose font has none of ours, and DEC's, which
// serial lines are (systemd takes them for a vt220).
func lacksGlyphs(term string) bool {
	model, isDEC := strings.CutPrefix(term, "vt")
	return term == "linux" || strings.HasPrefix(term, "linux-") || isDEC && model != "" && model[0] >= '0' && model[0] <= '9'
}

func get(env Lookup, name string) string {
	if env == nil {
		return ""
	}
	v, _ := env(name)
	return v
}
