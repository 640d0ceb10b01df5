package picker

import (
	"context"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/ssmdeck/ssmdeck/internal/theme"
)

var update = flag.Bool("update", false, "write the golden frames anew")

func plain(ascii bool) *theme.Styles { return theme.New(theme.Plain, false, ascii) }

func shop() []Item {
	return []Item{
		{ID: "i-0123456789abcdef0", Name: "web-1", State: "online", Level: theme.Good, Address: "10.0.1.10", Detail: "Amazon Linux 2023"},
		{ID: "i-0a1b2c3d4e5f60718", Name: "web-2", State: "online", Level: theme.Good, Address: "10.0.1.11", Detail: "Amazon Linux 2023"},
		{ID: "mi-0b2c3d4e5f6071829", Name: "東京オフィス", State: "online", Level: theme.Good, Address: "192.168.0.4", Detail: "Ubuntu 22.04"},
		{ID: "i-0c3d4e5f607182930", State: "lost", Level: theme.Bad, Address: "10.0.9.9", Detail: "Microsoft Windows Server 2022 Datacenter"},
		{ID: "i-0d4e5f60718293041", Name: "evil\x1b[2Jname", State: "lost", Level: theme.Bad},
	}
}

// play presses keys: words are keys by name, everything else is typed.
func play(m *model, keys ...string) *model {
	names := map[string]key{
		"<enter>": keyEnter, "<esc>": keyEscape, "<up>": keyUp, "<down>": keyDown, "<pgdn>": keyPageDown, "<pgup>": keyPageUp,
		"<home>": keyHome, "<end>": keyEnd, "<tab>": keyMark, "<bs>": keyBackspace, "<word>": keyDeleteWord, "<all>": keyDeleteAll, "<int>": keyInterrupt,
	}
	for _, k := range keys {
		p := press{keyText, k}
		if named, ok := names[k]; ok {
			p = press{key: named}
		}
		taken := make(chan bool, 1)
		m.Update(pressed{p, taken})
		<-taken
	}
	return m
}

func TestFrames(t *testing.T) {
	sized := func(o Options, width, height int) *model {
		m := newModel(o)
		m.Update(tea.WindowSizeMsg{Width: width, Height: height})
		return m
	}
	o := Options{Title: "node", Items: shop(), Styles: plain(false)}
	many := o
	many.Many = true
	ascii := o
	ascii.Styles = plain(true)
	large := Options{Title: "node", Items: fleet(10_000), Styles: plain(false)}
	loading := o
	loading.Load = nil
	for name, m := range map[string]*model{
		"all":       sized(o, 100, 24),
		"filtered":  play(sized(o, 100, 24), "web", "<down>"),
		"marked":    play(sized(many, 100, 24), "<tab>", "<down>", "<tab>"),
		"no-match":  play(sized(o, 100, 24), "nothing like it"),
		"narrow":    sized(o, 40, 24),
		"tiny":      sized(many, 16, 5),
		"one-cell":  sized(o, 1, 1),
		"ascii":     play(sized(ascii, 80, 24), "<end>"),
		"large":     play(sized(large, 80, 8), "<pgdn>", "<pgdn>", "<up>"),
		"last-page": play(sized(large, 80, 24), "<end>"),
		"empty":     sized(Options{Title: "node", Styles: plain(false)}, 60, 24),
		"wide-text": play(sized(o, 60, 24), "東京"),
	} {
		t.Run(name, func(t *testing.T) {
			got := m.View().Content + "\n"
			for i, line := range strings.Split(got, "\n") {
				if w := ansi.StringWidth(line); w > max(m.width, 3) {
					t.Errorf("line %d is %d cells wide, of %d: %q", i, w, m.width, line)
				}
			}
			if strings.Contains(got, "\x1b") {
				t.Errorf("an escape byte without colour, or from a name: %q", got)
			}
			path := filepath.Join("testdata", name+".golden")
			if *update {
				if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if got != strings.ReplaceAll(string(want), "\r\n", "\n") {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

func TestColour(t *testing.T) {
	m := newModel(Options{Title: "node", Items: shop(), Styles: theme.New(theme.Dark, true, false)})
	if got := m.View().Content; !strings.Contains(got, "\x1b[") || strings.Contains(got, "\x1b[2J") {
		t.Errorf("got %q", got)
	}
}

func TestChoosing(t *testing.T) {
	ids := func(items []Item, at ...int) (out []string) {
		for _, i := range at {
			out = append(out, items[i].ID)
		}
		return out
	}
	s := shop()
	for _, tt := range []struct {
		name string
		many bool
		keys []string
		want []string
		left bool
	}{
		{"the first", false, []string{"<enter>"}, ids(s, 0), false},
		{"by arrows", false, []string{"<down>", "<down>", "<up>", "<enter>"}, ids(s, 1), false},
		{"not beyond the ends", false, []string{"<up>", "<pgdn>", "<pgdn>", "<down>", "<enter>"}, ids(s, 4), false},
		{"by name", false, []string{"web-", "2", "<enter>"}, ids(s, 1), false},
		{"after a correction", false, []string{"web-3", "<bs>", "1", "<enter>"}, ids(s, 0), false},
		{"a word taken back", false, []string{"web lost", "<word>", "<enter>"}, ids(s, 0), false},
		{"everything taken back", false, []string{"web-2", "<all>", "<end>", "<home>", "<enter>"}, ids(s, 0), false},
		{"nothing fits: Enter waits", false, []string{"nosuch", "<enter>", "<all>", "<enter>"}, ids(s, 0), false},
		{"Tab marks one only where many may be", false, []string{"<tab>", "<enter>"}, ids(s, 0), false},
		{"many, in the order of marking", true, []string{"<down>", "<tab>", "<home>", "<tab>", "<enter>"}, ids(s, 1, 0), false},
		{"a mark taken back", true, []string{"<tab>", "<tab>", "<home>", "<tab>", "<enter>"}, ids(s, 1), false},
		{"marks outlive the filter", true, []string{"web-2", "<tab>", "<all>", "lost", "<tab>", "<enter>"}, ids(s, 1, 3), false},
		{"Esc", false, []string{"web", "<esc>"}, nil, true},
		{"Ctrl-C", true, []string{"<tab>", "<int>"}, nil, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := play(newModel(Options{Items: s, Many: tt.many, Styles: plain(false)}), tt.keys...)
			if !m.over || m.left != tt.left || !slices.Equal(m.chosen, tt.want) {
				t.Errorf("over %v, left %v, chosen %v, want %v", m.over, m.left, m.chosen, tt.want)
			}
			if m.View().Content != "" {
				t.Error("something stays on the screen")
			}
		})
	}
}

func TestLoading(t *testing.T) {
	s := shop()
	m := newModel(Options{Items: s[:3], Many: true, Styles: plain(false), Load: nil})
	play(m, "<down>", "<tab>") // marks web-2, goes to Tokyo
	m.Update(loaded{items: []Item{s[4], s[2], s[1]}})
	if id := m.rows[m.hits[m.cursor]].ID; id != s[2].ID || !m.marked[s[1].ID] {
		t.Errorf("the cursor went to %s, marks %v", id, m.order)
	}
	m.Update(loaded{items: []Item{s[0]}})
	if len(m.order) != 0 || m.cursor != 0 {
		t.Errorf("a mark on what is gone: %v", m.order)
	}
	m.Update(loaded{err: errors.New("no network")})
	if m.over || len(m.rows) != 1 {
		t.Error("a list that could not be refreshed is gone")
	}
	if got := m.View().Content; !strings.Contains(got, "not up to date") {
		t.Errorf("nothing is said:\n%s", got)
	}
	for name, msg := range map[string]loaded{"none at all": {}, "an error": {err: errors.New("denied")}} {
		m := newModel(Options{Styles: plain(false)})
		if m.Update(msg); !m.over || m.left {
			t.Errorf("%s: the picker stays open on nothing", name)
		}
	}
}

// A list that the end of the picker has cut off has not failed: nothing is drawn for it
// on the way out.
func TestAListThatIsCutOffHasNotFailed(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	load := func(ctx context.Context) ([]Item, error) { return shop(), ctx.Err() }
	told := 0
	reload(ctx, load, func(tea.Msg) { told++ })
	cancel()
	reload(ctx, load, func(tea.Msg) { told++ })
	if told != 1 {
		t.Errorf("%d of two loads are told, want the one that ended in time", told)
	}
}

func BenchmarkFrame10000(b *testing.B) {
	m := newModel(Options{Title: "node", Items: fleet(10_000), Styles: theme.New(theme.Dark, true, false)})
	b.ReportAllocs()
	for b.Loop() {
		_ = m.View()
	}
}

func BenchmarkOpen10000(b *testing.B) {
	items := fleet(10_000)
	b.ReportAllocs()
	for b.Loop() {
		_ = newModel(Options{Items: items}).hits
	}
}
