package theme

import (
	"errors"
	"os"
	"strings"
	"testing"

	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/colorprofile"

	"github.com/ssmdeck/ssmdeck/internal/fault"
)

func TestParseLook(t *testing.T) {
	tests := []struct{ text, want string }{
		{"red", "\x1b[31mx\x1b[m"},
		{"Bright-Black bold", "\x1b[1;90mx\x1b[m"},
		{"9", "\x1b[91mx\x1b[m"},
		{"208", "\x1b[38;5;208mx\x1b[m"},
		{"#ffcc00 on black", "\x1b[38;2;255;204;0;40mx\x1b[m"},
		{"bold on #000080", "\x1b[1;48;2;0;0;128mx\x1b[m"},
		{"reverse", "\x1b[7mx\x1b[m"},
		{"default", "x"},
	}
	for _, tt := range tests {
		l, err := parseLook(tt.text)
		if err != nil {
			t.Errorf("%q: %v", tt.text, err)
			continue
		}
		if got := l.style(colorprofile.TrueColor).Render("x"); got != tt.want {
			t.Errorf("%q draws %q, want %q", tt.text, got, tt.want)
		}
	}
	l, err := parseLook("underline")
	if err != nil || !l.style(colorprofile.TrueColor).GetUnderline() {
		t.Errorf("underline: %+v, %v", l, err)
	}
}

func TestParseLookRefuses(t *testing.T) {
	tests := []struct{ text, want string }{
		{"", "there is no colour"},
		{"256", "not between 0 and 255"},
		{"#fc0", `"#fc0" is not #rrggbb`},
		{"#gggggg", "is not #rrggbb"},
		{"#+12345", "is not #rrggbb"},
		{"gren", `did you mean "green"?`},
		{"red blue", "two colours"},
		{"red on", "a colour must follow on"},
		{"red on black on white", "two backgrounds"},
		{"on bold", `"bold" is no colour`},
		{"\x1b[31m", `"\x1b[31m" is no colour`},
	}
	for _, tt := range tests {
		_, err := parseLook(tt.text)
		if fault.KindOf(err) != fault.Usage || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%q: got %v, want a usage error with %q", tt.text, err, tt.want)
		}
	}
}

func TestParseTakesWhatIsSaidOverTheBase(t *testing.T) {
	th, err := Parse("mine", "mine.yaml", []byte("base: light\nbad: '#ff0000 bold'\nsources: [1, 200, 'green bold']\n"))
	if err != nil {
		t.Fatal(err)
	}
	s := th.Styles(colorprofile.TrueColor, false)
	if s.Variant != "mine" || !s.Color {
		t.Errorf("variant %q, colour %v", s.Variant, s.Color)
	}
	if got := s.Bad.Render("x"); got != "\x1b[1;38;2;255;0;0mx\x1b[m" {
		t.Errorf("bad draws %q", got)
	}
	if got, want := s.Warn.Render("x"), New(Light, true, false).Warn.Render("x"); got != want {
		t.Errorf("warn draws %q, want that of the base %q", got, want)
	}
	if len(s.sources) != 3 {
		t.Errorf("%d sources, want 3", len(s.sources))
	}
}

// A terminal with few colours shows the nearest of 256, and of 16 what the base has: a
// colour turned into one of the sixteen may be that of the background.
func TestFewerColours(t *testing.T) {
	th, err := Parse("mine", "mine.yaml", []byte("bad: '#ff0000'\ngood: bright-green\n"))
	if err != nil {
		t.Fatal(err)
	}
	for p, want := range map[colorprofile.Profile][2]string{
		colorprofile.TrueColor: {"\x1b[38;2;255;0;0mx\x1b[m", "\x1b[92mx\x1b[m"},
		colorprofile.ANSI256:   {"\x1b[38;5;196mx\x1b[m", "\x1b[92mx\x1b[m"},
		colorprofile.ANSI:      {"\x1b[1;31mx\x1b[m", "\x1b[92mx\x1b[m"},
		colorprofile.ASCII:     {"x", "x"},
	} {
		s := th.Styles(p, false)
		if got := s.Bad.Render("x"); got != want[0] {
			t.Errorf("%s: bad draws %q, want %q", p, got, want[0])
		}
		if got := s.Good.Render("x"); got != want[1] {
			t.Errorf("%s: good draws %q, want %q", p, got, want[1])
		}
	}
	for _, v := range Variants() {
		styled(BuiltIn(Variant(v)).Styles(colorprofile.ANSI, false), func(role string, st lipgloss.Style) {
			if got := st.Render("x"); strings.Contains(got, "38;") || strings.Contains(got, "48;") {
				t.Errorf("%s with sixteen colours: %s draws %q", v, role, got)
			}
		})
	}
}

func TestParseTellsAllFaults(t *testing.T) {
	th, err := Parse("mine", "themes/mine.yaml", []byte("base: lihgt\ngod: red\ngood: #00ff00\nbad: rad\nwarn: [red]\nsources:\n  - red\n  - nothing-such\n"))
	want := []string{
		"themes/mine.yaml:1: base: \"lihgt\" is none of the built-in themes; did you mean light?",
		"themes/mine.yaml:2: unknown key \"god\" in the theme (did you mean \"good\"?)",
		"themes/mine.yaml:3: good has no value: a colour that begins with # stands in quotes",
		"themes/mine.yaml:4: bad: \"rad\" is no colour (did you mean \"red\"?)",
		"themes/mine.yaml:5: warn must be a single value",
		"themes/mine.yaml:8: sources: \"nothing-such\" is no colour: use one of the sixteen names, a number from 0 to 255 or #rrggbb",
	}
	if fault.KindOf(err) != fault.Usage || err.Error() != strings.Join(want, "\n") {
		t.Errorf("faults:\n%v", err)
	}
	if fault.HintOf(err) == "" {
		t.Error("no hint")
	}
	if got, dark := th.Styles(colorprofile.TrueColor, false).Bad.Render("x"), New(Dark, true, false).Bad.Render("x"); got != dark {
		t.Errorf("a broken theme draws %q, want that of its base %q", got, dark)
	}
}

func TestParseOfNoTheme(t *testing.T) {
	for text, ok := range map[string]bool{"": true, "# nothing\n": true, "a: [": false, "- a\n": false, "base: plain\n": true, "base: mine\n": false, "bad: red\n---\nbad: blue\n": false} {
		th, err := Parse("mine", "mine.yaml", []byte(text))
		if (err == nil) != ok || th == nil {
			t.Errorf("%q: %v, %v", text, th, err)
		}
	}
	th, err := Parse("mine", "mine.yaml", []byte("base: plain\nbad: red\n"))
	if err != nil {
		t.Fatal(err)
	}
	if s := th.Styles(colorprofile.TrueColor, false); s.Bad.Render("x") == "x" || s.Good.Render("x") != "x" {
		t.Errorf("over plain: bad %q, good %q", s.Bad.Render("x"), s.Good.Render("x"))
	}
}

func FuzzParse(f *testing.F) {
	f.Add("base: light\nbad: '#ff0000 bold on 3'\nsources: [1, 2]\n")
	f.Add("a: &a [*a]\n")
	f.Fuzz(func(t *testing.T, text string) {
		th, err := Parse("mine", "mine.yaml", []byte(text))
		if th == nil {
			t.Fatal("no theme")
		}
		if err != nil && errors.Unwrap(err) == nil && err.Error() == "" {
			t.Fatal("an error without words")
		}
		th.Styles(colorprofile.ANSI256, false).Source("x").Render("x")
	})
}

func TestLegalName(t *testing.T) {
	for name, want := range map[string]bool{
		"mine": true, "my-2_dark": true, "dark": false, "auto": false, "contrast-light": false, "": false, "Mine": false, "../x": false, "a/b": false, ".x": false, "a.b": false,
	} {
		if got := LegalName(name); got != want {
			t.Errorf("%q: got %v, want %v", name, got, want)
		}
	}
}

func TestDepth(t *testing.T) {
	type env = map[string]string
	tests := []struct {
		name string
		use  bool
		env  env
		want colorprofile.Profile
	}{
		{"nothing known", true, nil, colorprofile.ANSI},
		{"no colour wanted", false, env{"COLORTERM": "truecolor", "TERM": "xterm-256color"}, colorprofile.ASCII},
		{"xterm", true, env{"TERM": "xterm"}, colorprofile.ANSI},
		{"256 colours", true, env{"TERM": "xterm-256color"}, colorprofile.ANSI256},
		{"true colour", true, env{"TERM": "xterm-256color", "COLORTERM": "truecolor"}, colorprofile.TrueColor},
		{"the console of Linux", true, env{"TERM": "linux"}, colorprofile.ANSI},
		{"tmux in a terminal of true colour", true, env{"TERM": "screen-256color", "COLORTERM": "truecolor", "TMUX": "/tmp/x,1,0"}, colorprofile.TrueColor},
		{"tmux in another", true, env{"TERM": "tmux-256color", "TMUX": "/tmp/x,1,0"}, colorprofile.ANSI256},
		{"GNU screen has none", true, env{"TERM": "screen-256color", "COLORTERM": "truecolor"}, colorprofile.ANSI256},
		{"NO_COLOR was heeded before", true, env{"TERM": "xterm-256color", "NO_COLOR": "1"}, colorprofile.ANSI256},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := Depth(tt.use, lookup(tt.env)); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

func TestParseVariantKnowsOwnThemes(t *testing.T) {
	if v, err := ParseVariant("Mine", "mine"); v != "mine" || err != nil {
		t.Errorf("got %q, %v", v, err)
	}
	if v, err := ParseVariant("auto"); v != Auto || err != nil {
		t.Errorf("got %q, %v", v, err)
	}
	_, err := ParseVariant("neon", "mine")
	if err == nil || !strings.Contains(err.Error(), "mine") || !strings.Contains(err.Error(), string(Contrast)) {
		t.Errorf("got %v, want an error with all names", err)
	}
}

// The documentation has every role, and every built-in theme.
func TestTheDocumentationHasAllRoles(t *testing.T) {
	text, err := os.ReadFile("../../docs/themes.md")
	if err != nil {
		t.Fatal(err)
	}
	var rows strings.Builder
	for _, r := range Roles() {
		rows.WriteString("| `" + r.Name + "` | " + r.Doc + " |\n")
	}
	rows.WriteString("| `" + Sources + "` | ")
	if !strings.Contains(string(text), rows.String()) {
		t.Errorf("docs/themes.md lacks these rows:\n%s", rows.String())
	}
	_, example, _ := strings.Cut(string(text), "```yaml\n")
	example, _, ok := strings.Cut(example, "```")
	if th, err := Parse("mine", "docs/themes.md", []byte(example)); !ok || err != nil || len(th.layers) < 2 {
		t.Errorf("the example is no theme: %v", err)
	}
	for _, v := range Variants() {
		if !strings.Contains(string(text), "| `"+v+"` | ") {
			t.Errorf("docs/themes.md lacks the theme %s", v)
		}
	}
}
