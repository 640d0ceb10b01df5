package theme

import (
	"reflect"
	"strings"
	"testing"

	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/ssmdeck/ssmdeck/internal/fault"
)

// allStyles calls f with every exported style of s and its name.
func allStyles(s *Styles, f func(name string, st lipgloss.Style)) {
	v := reflect.ValueOf(s).Elem()
	for i := range v.NumField() {
		if !v.Type().Field(i).IsExported() {
			continue
		}
		if st, ok := v.Field(i).Interface().(lipgloss.Style); ok {
			f(v.Type().Field(i).Name, st)
		}
	}
}

func TestWithoutColourNothingEscapes(t *testing.T) {
	for _, s := range []*Styles{New(Plain, true, false), New(Dark, false, false), New(Light, false, true), New("", false, false)} {
		if s.Color {
			t.Errorf("%s: Color is true", s.Variant)
		}
		n := 0
		allStyles(s, func(name string, st lipgloss.Style) {
			n++
			if got := st.Render("word"); got != "word" {
				t.Errorf("%s.%s renders %q, want the bare word", s.Variant, name, got)
			}
		})
		if n < 15 {
			t.Fatalf("only %d styles were found", n)
		}
		for l := Unknown; l < levels; l++ {
			if got := s.Status(l, "w"); strings.ContainsRune(got, '\x1b') || !strings.HasSuffix(got, " w") {
				t.Errorf("status %d is %q", l, got)
			}
		}
		if got := s.Source("i-1").Render("x"); got != "x" {
			t.Errorf("source renders %q", got)
		}
	}
}

func TestColoursAreOfThePalette(t *testing.T) {
	for _, v := range []Variant{Dark, Light} {
		allStyles(New(v, true, false), func(name string, st lipgloss.Style) {
			got := st.Render("word")
			if strings.Contains(got, "38;") || strings.Contains(got, "48;") {
				t.Errorf("%s.%s uses an extended colour: %q", v, name, got)
			}
			if name != "Unknown" && got == "word" {
				t.Errorf("%s.%s is not set", v, name)
			}
			if ansi.Strip(got) != "word" {
				t.Errorf("%s.%s changes the text: %q", v, name, got)
			}
		})
	}
}

func TestStatusEqualsRender(t *testing.T) {
	s := New(Dark, true, false)
	for l := Unknown; l < levels; l++ {
		want := s.Level(l).Render(s.Glyphs.Level(l) + " online")
		if got := s.Status(l, "online"); got != want {
			t.Errorf("level %d: got %q, want %q", l, got, want)
		}
	}
	if got, want := s.Status(99, "x"), "· x"; got != want {
		t.Errorf("an unknown level is %q, want %q", got, want)
	}
}

func TestLevelsDifferWithoutColour(t *testing.T) {
	for _, ascii := range []bool{false, true} {
		s := New(Plain, false, ascii)
		seen := map[string]Level{}
		for l := Unknown; l < levels; l++ {
			g := s.Glyphs.Level(l)
			if other, taken := seen[g]; taken {
				t.Errorf("ascii=%v: levels %d and %d share glyph %q", ascii, l, other, g)
			}
			seen[g] = l
		}
	}
}

func TestGlyphWidths(t *testing.T) {
	for _, g := range []Glyphs{utf8Glyphs(), asciiGlyphs()} {
		v := reflect.ValueOf(g)
		var all []string
		for i := range v.NumField() {
			switch f := v.Field(i).Interface().(type) {
			case string:
				if v.Type().Field(i).Name != "Arrow" {
					all = append(all, f)
				}
			case []string:
				all = append(all, f...)
			}
		}
		for _, s := range all {
			if w := ansi.StringWidth(s); w != 1 {
				t.Errorf("glyph %q is %d cells wide, want 1", s, w)
			}
			if g.Ellipsis == "~" && s[0] >= 0x80 {
				t.Errorf("ASCII set has %q", s)
			}
		}
	}
}

func TestSourceIsStable(t *testing.T) {
	s := New(Dark, true, false)
	styles := map[string]bool{}
	for _, id := range []string{"i-0a1", "i-0b2", "i-0c3", "i-0d4", "i-0e5", "web-1", "web-2", "db"} {
		a, b := s.Source(id).Render("x"), New(Dark, true, false).Source(id).Render("x")
		if a != b {
			t.Errorf("%s: %q then %q", id, a, b)
		}
		styles[a] = true
	}
	if len(styles) < 3 {
		t.Errorf("8 sources share %d styles, want at least 3", len(styles))
	}
}

func lookup(env map[string]string) Lookup {
	return func(name string) (string, bool) { v, ok := env[name]; return v, ok }
}

func TestUseColor(t *testing.T) {
	type env = map[string]string
	tests := []struct {
		name string
		mode ColorMode
		env  env
		tty  bool
		want bool
	}{
		{"a terminal gets colour", ColorAuto, nil, true, true},
		{"a pipe does not", ColorAuto, nil, false, false},
		{"never wins over everything", ColorNever, env{"CLICOLOR_FORCE": "1"}, true, false},
		{"always wins over NO_COLOR", ColorAlways, env{"NO_COLOR": "1", "TERM": "dumb"}, false, true},
		{"NO_COLOR wins over CLICOLOR_FORCE", ColorAuto, env{"NO_COLOR": "1", "CLICOLOR_FORCE": "1"}, true, false},
		{"NO_COLOR=0 is still set", ColorAuto, env{"NO_COLOR": "0"}, true, false},
		{"an empty NO_COLOR is not set", ColorAuto, env{"NO_COLOR": ""}, true, true},
		{"CLICOLOR_FORCE colours a pipe", ColorAuto, env{"CLICOLOR_FORCE": "1"}, false, true},
		{"CLICOLOR_FORCE wins over CLICOLOR=0 and dumb", ColorAuto, env{"CLICOLOR_FORCE": "1", "CLICOLOR": "0", "TERM": "dumb"}, true, true},
		{"CLICOLOR_FORCE=0 forces nothing", ColorAuto, env{"CLICOLOR_FORCE": "0"}, false, false},
		{"an empty CLICOLOR_FORCE forces nothing", ColorAuto, env{"CLICOLOR_FORCE": ""}, false, false},
		{"CLICOLOR=0 turns it off", ColorAuto, env{"CLICOLOR": "0"}, true, false},
		{"CLICOLOR=1 does not colour a pipe", ColorAuto, env{"CLICOLOR": "1"}, false, false},
		{"a dumb terminal gets none", ColorAuto, env{"TERM": "dumb"}, true, false},
		{"the empty mode is auto", "", nil, true, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := UseColor(tt.mode, lookup(tt.env), tt.tty); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
	if UseColor(ColorAuto, nil, false) {
		t.Error("no environment and no terminal: got colour")
	}
}

func TestUseASCII(t *testing.T) {
	type env = map[string]string
	tests := []struct {
		name   string
		forced bool
		env    env
		want   bool
	}{
		{"forced", true, env{"LANG": "en_US.UTF-8"}, true},
		{"UTF-8", false, env{"LANG": "en_US.UTF-8"}, false},
		{"utf8 spelt the other way", false, env{"LC_CTYPE": "C.utf8"}, false},
		{"LC_ALL wins", false, env{"LC_ALL": "C", "LANG": "en_US.UTF-8"}, true},
		{"an empty LC_ALL does not count", false, env{"LC_ALL": "", "LANG": "en_US.UTF-8"}, false},
		{"Latin-1", false, env{"LANG": "de_DE.ISO-8859-1"}, true},
		{"nothing set is POSIX", false, nil, true},
		{"nothing set on Windows", false, env{"OS": "Windows_NT"}, false},
		{"the console of Linux", false, env{"TERM": "linux", "LANG": "en_US.UTF-8"}, true},
		{"a console with few colours", false, env{"TERM": "linux-16color", "LANG": "en_US.UTF-8"}, true},
		{"a serial line", false, env{"TERM": "vt220", "LANG": "en_US.UTF-8"}, true},
		{"another that begins so", false, env{"TERM": "vte-256color", "LANG": "en_US.UTF-8"}, false},
		{"no terminal", false, env{"TERM": "", "LANG": "en_US.UTF-8"}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := UseASCII(tt.forced, lookup(tt.env)); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

func TestParse(t *testing.T) {
	if v, err := ParseVariant("LIGHT"); v != Light || err != nil {
		t.Errorf("got %q, %v", v, err)
	}
	if v, err := ParseVariant(""); v != Dark || err != nil {
		t.Errorf("empty: got %q, %v", v, err)
	}
	if m, err := ParseColorMode(""); m != ColorAuto || err != nil {
		t.Errorf("empty: got %q, %v", m, err)
	}
	if m, err := ParseColorMode("Never"); m != ColorNever || err != nil {
		t.Errorf("got %q, %v", m, err)
	}
	_, err1 := ParseVariant("neon")
	_, err2 := ParseColorMode("maybe")
	for _, err := range []error{err1, err2} {
		if fault.KindOf(err) != fault.Usage {
			t.Errorf("%v is not a usage error", err)
		}
	}
}

func BenchmarkStatus(b *testing.B) {
	s := New(Dark, true, false)
	b.ReportAllocs()
	for b.Loop() {
		s.Status(Good, "online")
	}
}
