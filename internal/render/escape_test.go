package render

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/theme"
)

// hostile are texts a node, a tag or a service may hold.
var hostile = []string{
	"\x1b[2J\x1b[H", "\x1b]0;title\x07", "\x1b]52;c;ZXZpbA==\x1b\\", "\x1bP+q\x1b\\", "\x1b[31mred", "\x1b[8mhidden",
	"\x9b31m", "\u009b2J", "\u0090x\u009c", "\x7f", "a\rb", "a\nb", "a\tb", "\x00", "\x08\x08", "\xff\xfe", "\xe2\x80", "\x1b", "\x1b[", "\x1b[1;",
	"\u202eabc", "\u2066x\u2069", "\u2028", "\u200b", "\ufeff", "a\U000e0041", "\u3164", "\u00ad", "\x0e\x0f", "\x1b(0", "\x1bc", "\x1b[?1049h",
}

// unsafeIn returns what in s may not reach a terminal; SGR and line feeds are
// allowed when sgrOK, line feeds and tabs always.
func unsafeIn(s string, sgrOK bool) string {
	for len(s) > 0 {
		if n := sgr(s); sgrOK && n > 0 {
			s = s[n:]
			continue
		}
		r, n := utf8.DecodeRuneInString(s)
		if r == utf8.RuneError && n == 1 || r < ' ' && r != '\n' && r != '\t' || r == 0x7f || hidden(r) {
			return fmt.Sprintf("%q at %q", s[:n], s[:min(len(s), 20)])
		}
		s = s[n:]
	}
	return ""
}

func hostileRows() []node {
	var rows []node
	for _, h := range hostile {
		rows = append(rows, node{ID: h, Name: h + "x" + h, Ping: h, Account: h, Tags: map[string]string{h: h}})
	}
	return rows
}

func TestNothingPipedHoldsAnEscape(t *testing.T) {
	colored := theme.New(theme.Dark, true, false)
	queries := []string{"", "[]", "[].name", "[].{a: name, b: tags}", "[].[id, name]", "[0]", "[0].name", "[].tags", "[0].tags", "[[0].id, tags]"}
	for _, f := range append(Formats(), "") {
		for _, q := range queries {
			o := Options{Format: Format(f), Query: q, Styles: colored, Now: now}
			var b, notes bytes.Buffer
			o.Notes = &notes
			if err := nodes(colored).Write(&b, o, seq(hostileRows())); err != nil {
				t.Fatalf("%s %q: %v", f, q, err)
			}
			if bad := unsafeIn(b.String(), false); bad != "" {
				t.Errorf("%s %q: printed %s", f, q, bad)
			}
			if notes.Len() > 0 {
				t.Errorf("%s %q: noted %q", f, q, notes.String())
			}
		}
		for _, row := range hostileRows() {
			var b bytes.Buffer
			err := Object(&b, Options{Format: Format(f), Styles: colored}, row, func(d *Detail) {
				d.ID(row.ID)
				d.Human(row.Name, row.Name, colored.Bad.Render(row.Name))
				d.Section(row.Ping + "s")
				d.Block("k", row.Name)
			})
			if err != nil {
				t.Fatal(err)
			}
			if bad := unsafeIn(b.String(), false); bad != "" {
				t.Errorf("%s of one: printed %s", f, bad)
			}
		}
	}
}

func TestATerminalGetsColoursOnly(t *testing.T) {
	for _, color := range []bool{true, false} {
		st := theme.New(theme.Dark, color, false)
		table := nodes(st)
		// A careless Human: foreign text goes straight in.
		table.Columns[1].Human = func(n node) string { return st.Good.Render(n.Name) }
		for _, f := range append(Formats(), "") {
			for _, width := range []int{20, 80, 300} {
				var b bytes.Buffer
				if err := table.Write(&b, Options{Format: Format(f), Width: width, Styles: st}, seq(hostileRows())); err != nil {
					t.Fatal(err)
				}
				human := f == "" || f == "table" || f == "wide"
				if bad := unsafeIn(b.String(), human && color); bad != "" {
					t.Errorf("colour %v, %s, width %d: printed %s", color, f, width, bad)
				}
				if strings.Contains(b.String(), "\x1b") != (human && color) {
					t.Errorf("colour %v, %s: escapes do not match", color, f)
				}
			}
		}
	}
}

func TestAColourEndsWithItsCell(t *testing.T) {
	st := theme.New(theme.Dark, true, false)
	table := Table[string]{Columns: []Column[string]{{Name: "A", Human: func(s string) string { return s }, Text: func(s string) string { return s }}, {Name: "B", Text: func(string) string { return "b" }}}}
	for _, width := range []int{6, 40} {
		var b bytes.Buffer
		if err := table.Write(&b, Options{Width: width, Styles: st, NoHeaders: true}, seq([]string{"\x1b[31mred and long"})); err != nil {
			t.Fatal(err)
		}
		line := b.String()
		if reset, next := strings.LastIndex(line, "\x1b[m"), strings.LastIndex(line, "b"); reset < 0 || reset > next {
			t.Errorf("width %d: the colour runs on: %q", width, line)
		}
	}
}

func TestMachineFormatsKeepTheExactText(t *testing.T) {
	var rows []node
	for _, h := range hostile {
		if utf8.ValidString(h) {
			rows = append(rows, node{ID: h, Name: "<&>" + h})
		}
	}
	var got []node
	if err := json.Unmarshal([]byte(write(t, Options{Format: FormatJSON}, rows)), &got); err != nil {
		t.Fatal(err)
	}
	for i := range rows {
		if got[i].ID != rows[i].ID || got[i].Name != rows[i].Name {
			t.Errorf("json: got %q, want %q", got[i].Name, rows[i].Name)
		}
	}
	records, err := csv.NewReader(strings.NewReader(write(t, Options{Format: FormatCSV, Columns: []string{"name"}}, []node{{Name: "a\n\t\"b\",c"}}))).ReadAll()
	if err != nil || records[1][0] != "a\n\t\"b\",c" {
		t.Errorf("csv: got %q, %v", records, err)
	}
	lines := strings.Split(strings.TrimSuffix(write(t, Options{Format: FormatJSONL}, rows), "\n"), "\n")
	if len(lines) != len(rows) {
		t.Errorf("jsonl: got %d lines, want %d", len(lines), len(rows))
	}
	lines = strings.Split(strings.TrimSuffix(write(t, Options{}, rows), "\n"), "\n")
	if len(lines) != len(rows) {
		t.Errorf("text: got %d lines, want %d", len(lines), len(rows))
	}
	for _, l := range lines {
		if strings.Count(l, "\t") != 3 {
			t.Errorf("text: %q has not 4 fields", l)
		}
	}
}

func TestVisible(t *testing.T) {
	tests := []struct{ in, want string }{
		{"plain text", "plain text"},
		{`C:\Users\n`, `C:\Users\n`},
		{"a\nb\tc\rd", `a\nb\tc\rd`},
		{"\x1b[2J\x00\x7f", `\x1b[2J\x00\x7f`},
		{"\u009b2J", `\u009b2J`},
		{"\x9b\xff", `\x9b\xff`},
		{"a\u202eb", `a\u202eb`},
		{"数据 é 👩‍💻", "数据 é 👩‍💻"},
		{"\uFFFD", "\uFFFD"},
		{"web\u200d-1", `web\u200d-1`},
		{"数\u200d据", `数\u200d据`},
		{"می\u200cخواهم", "می\u200cخواهم"},
		{"क्\u200dष", "क्\u200dष"},
		{"⚠\ufe0f 1\ufe0f\u20e3 👍🏽 🇩🇪", "⚠\ufe0f 1\\ufe0f\u20e3 👍🏽 🇩🇪"},
		{"web\ufe0f 1\ufe0f \ufe0f", `web\ufe0f 1\ufe0f \ufe0f`},
		{"👩\u200d", `👩\u200d`},
		{"👩\u200d\u200d💻", `👩\u200d\u200d💻`},
		{"x🏽", `x\U0001f3fd`},
		{"soft\u00adhyphen", `soft\u00adhyphen`},
		{"ㅤ\u3164\u115f\uffa0\u2800", `\u3164\u3164\u115f\uffa0\u2800`},
		{"a\U000e0041\U000e0100\u034f\ufff9\U0001d173\u0600", `a\U000e0041\U000e0100\u034f\ufff9\U0001d173\u0600`},
		{"\u0301a", `\u0301a`},
		{"\u20dda", `\u20dda`},
		{"e\u0301 ki\u0302", "e\u0301 ki\u0302"},
		{"z" + strings.Repeat("\u0301", 8), "z" + strings.Repeat("\u0301", 6) + `\u0301` + "\u0301"},
		{"", ""},
	}
	for _, tt := range tests {
		if got := Visible(tt.in); got != tt.want {
			t.Errorf("%q: got %q, want %q", tt.in, got, tt.want)
		}
	}
}

func TestCut(t *testing.T) {
	tests := []struct {
		name string
		f    func(string, int, string) string
		in   string
		w    int
		want string
	}{
		{"what fits stays", CutEnd, "abc", 3, "abc"},
		{"at the end", CutEnd, "abcdef", 4, "abc…"},
		{"wide characters are not split", CutEnd, "数据库", 4, "数…"},
		{"nothing fits", CutEnd, "abc", 0, ""},
		{"the mark alone", CutEnd, "abc", 1, "…"},
		{"colours stay whole", CutEnd, "\x1b[31mabcdef\x1b[m", 4, "\x1b[31mabc…\x1b[m"},
		{"an id in the middle", CutMiddle, "i-0123456789abcdef0", 9, "i-01…def0"},
		{"an id that fits", CutMiddle, "i-01234567", 10, "i-01234567"},
		{"an id in two cells", CutMiddle, "i-01234567", 2, "i…"},
		{"wide characters in the middle", CutMiddle, "数据库数据库", 7, "数…库"},
		{"nothing fits in the middle", CutMiddle, "abc", 0, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.f(tt.in, tt.w, "…"); got != tt.want || Width(got) > tt.w {
				t.Errorf("got %q (%d cells), want %q", got, Width(got), tt.want)
			}
		})
	}
}

func TestError(t *testing.T) {
	offline := fault.New(fault.Offline, "start session on i-0abc", "agent is not connected").WithHint("run `ssmdeck doctor i-0abc`")
	denied := &fault.Error{Kind: fault.Auth, Op: "list nodes", Err: errors.New("denied"), Code: "AccessDenied", RequestID: "r-1"}
	wrapped := fmt.Errorf("page 2: %w", &fault.Error{Kind: fault.Auth, Op: "outer", Err: denied})
	many := errors.New("one\n\n  two \r\n" + strings.Repeat("more\n", 12))
	tests := []struct {
		name        string
		err         error
		json, debug bool
		want        string
	}{
		{"nil", nil, false, true, ""},
		{"a remote status", fmt.Errorf("exec: %w", &fault.Exit{Code: 3}), true, true, ""},
		{"with a hint", offline, false, false, "ssmdeck: error: start session on i-0abc: agent is not connected\nssmdeck: hint: run `ssmdeck doctor i-0abc`\n"},
		{"a plain one", errors.New("x"), false, true, "ssmdeck: error: x\n"},
		{"without text", errors.New(""), false, false, "ssmdeck: error: unknown\n"},
		{"code without debug", denied, false, false, "ssmdeck: error: list nodes: denied\n"},
		{"code with debug", wrapped, false, true, "ssmdeck: error: page 2: outer: list nodes: denied\nssmdeck: debug: code AccessDenied, request id r-1\n"},
		{"many lines", many, false, false, "ssmdeck: error: one\n  two\n" + strings.Repeat("  more\n", 8) + "  and 4 more lines\n"},
		{"hostile text", errors.New("a\x1b[2J"), false, false, "ssmdeck: error: a\\x1b[2J\n"},
		{"json", offline, true, false, `{"error":{"kind":"offline","message":"start session on i-0abc: agent is not connected","hint":"run ` + "`ssmdeck doctor i-0abc`" + `"}}` + "\n"},
		{"json with code", wrapped, true, false, `{"error":{"kind":"auth","message":"page 2: outer: list nodes: denied","code":"AccessDenied","request_id":"r-1"}}` + "\n"},
		{"json of hostile text", errors.New("<a>\x1b\u009b\n"), true, false, `{"error":{"kind":"failed","message":"<a>\u001b\u009b\n"}}` + "\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var b bytes.Buffer
			Error(&b, nil, tt.err, tt.json, tt.debug)
			same(t, b.String(), tt.want)
		})
	}
	var b bytes.Buffer
	Error(&b, theme.New(theme.Dark, true, false), offline, false, false)
	if got := ansi.Strip(b.String()); got == b.String() || !strings.HasPrefix(got, "ssmdeck: error: start") {
		t.Errorf("in colour: %q", b.String())
	}
}

// What is shown is as wide as its parts, whatever stands beside it: columns stay
// columns.
func TestVisibleIsAsWideAsItsParts(t *testing.T) {
	for _, h := range append(hostile, "\u0600x", "\u0301a", "a\u200d", "🏽", "\u0e33", "\u093f", "🇩", "\u1160", "é", "数", "\ufe0f", "👩\u200d💻") {
		v := Visible(h)
		if got, want := Width(v+"  "+v+"  "), 2*Width(v)+4; got != want {
			t.Errorf("%q twice: %d cells, want %d", v, got, want)
		}
	}
}

// The library cuts what Visible has made to the width that is asked for: who counts on
// it adds the rest of the width, which must not be below nothing.
func TestVisibleIsCutToItsWidth(t *testing.T) {
	odd := []rune("a1 -\u0301\u0338\u20e3\u20dd\ufe0f\ufe0e\u200d\u200cé東⚠☁👩💻👍🏽🏻🇩🇪🇫\u0e33ก\u0eb3\u0cf3ಕ\u093fन\u094d\u0600ع\u1100\u1160\u1161\u11a8각\u17b4ក\u17d2\u2800…\ufffd\x1b\x7f\u009b\u202e")
	rng := rand.New(rand.NewPCG(1, 2))
	for range 20000 {
		s := make([]rune, rng.IntN(12))
		for i := range s {
			s[i] = odd[rng.IntN(len(odd))]
		}
		v := Visible(string(s))
		for w := 1; w < 14; w++ {
			if cut := ansi.Truncate(v, w, "…"); Width(cut) > w {
				t.Fatalf("%q cut to %d is %q, %d cells", v, w, cut, Width(cut))
			}
		}
	}
}
