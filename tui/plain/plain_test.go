package plain

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/grid"
	"github.com/ssmdeck/ssmdeck/internal/terminal"
	"github.com/ssmdeck/ssmdeck/tui/deck"
	"github.com/ssmdeck/ssmdeck/tui/feed"
)

var update = flag.Bool("update", false, "write the transcripts anew")

var now = time.Date(2026, 11, 27, 14, 2, 31, 0, time.UTC)

var here = grid.Place{Account: "123456789012", Region: "eu-west-1"}

// nodes is a page of names.
type nodes struct {
	source *feed.Source[string]
	id     string
	filter string
	at     string
	marked map[string]bool
	detail string
	opened string
	do     map[string]tea.Cmd // actions by name
	writes map[string]bool
}

// loaded is a detail that has come.
type loaded string

func (p *nodes) ID() string                { return p.id }
func (p *nodes) Title() string             { return strings.ToUpper(p.id[:1]) + p.id[1:] }
func (p *nodes) SetSize(int, int)          {}
func (p *nodes) View() string              { return "" }
func (p *nodes) Wants() []feed.Want        { return []feed.Want{{Feed: p.source, Every: time.Minute}} }
func (p *nodes) Filter() string            { return p.filter }
func (p *nodes) Layout() json.RawMessage   { return nil }
func (p *nodes) SetLayout(json.RawMessage) {}

func (p *nodes) Update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case deck.Tick:
		if p.at != "" && p.detail == "" {
			at := p.at
			return func() tea.Msg { return loaded("agent of " + at + " 3.3") }
		}
	case loaded:
		p.detail = string(msg)
	case tea.KeyPressMsg:
		if msg.String() == "space" {
			p.marked[p.at] = !p.marked[p.at]
		}
	case string: // what Open.Then and Line.Done bring
		p.opened = msg
	}
	return nil
}

// Subject is the first row once the one chosen is gone, as of a list.
func (p *nodes) Subject() string {
	rows := p.source.Rows()
	if p.at != "" && len(rows) > 0 && !slices.ContainsFunc(rows, func(r grid.Row[string]) bool { return r.Value == p.at }) {
		return rows[0].Value
	}
	return p.at
}

func (p *nodes) Actions() []deck.Action {
	var out []deck.Action
	for _, name := range slices.Sorted(func(yield func(string) bool) {
		for k := range p.do {
			if !yield(k) {
				return
			}
		}
	}) {
		a := deck.Action{Name: name, Help: "do " + name + " with the node", Writes: p.writes[name], Do: func() tea.Cmd { return p.do[name] }}
		if p.at == "" {
			a.Off = "no node is chosen"
		}
		out = append(out, a)
	}
	return out
}

func (p *nodes) SetFilter(text string) error {
	if strings.HasPrefix(text, "bad") {
		return fault.Usagef("there is no filter key %q", text).WithHint("use one of: name")
	}
	p.filter = text
	return nil
}

func (p *nodes) Back() bool {
	had := p.filter != ""
	p.filter = ""
	return had
}

func (p *nodes) Status() deck.Status {
	st := deck.Status{}
	for _, on := range p.marked {
		if on {
			st.Marked++
		}
	}
	return st
}

func (p *nodes) Plain() deck.Plain {
	out := deck.Plain{Summary: []string{fmt.Sprintf("%d nodes", len(p.source.Rows()))}}
	if p.opened != "" {
		out.Summary = append(out.Summary, "told: "+p.opened)
	}
	for _, r := range p.source.Rows() {
		name := r.Value
		if !strings.Contains(name, p.filter) {
			continue
		}
		out.Items = append(out.Items, deck.Item{Text: name + " is online", Detail: []string{"Name: " + name, "Agent: " + p.detail}, Choose: func() bool {
			if !slices.ContainsFunc(p.source.Rows(), func(r grid.Row[string]) bool { return r.Value == name }) {
				return false
			}
			if p.at != name {
				p.at, p.detail = name, ""
			}
			return true
		}})
	}
	return out
}

// desk is a dashboard under test; it runs a script.
type desk struct {
	t       *testing.T
	o       Options
	fleet   *nodes
	windows *nodes
	lines   []string
	answer  func(in io.Reader, out, errs io.Writer) int
	wait    func(ctx context.Context) int
}

func (d *desk) Run(ctx context.Context, words []string, at grid.Place, in io.Reader, out, errs io.Writer) int {
	d.lines = append(d.lines, strings.Join(words, " ")+" @"+at.Region)
	switch {
	case d.wait != nil:
		return d.wait(ctx)
	case d.answer == nil:
		return 0
	}
	return d.answer(in, out, errs)
}

func newDesk(t *testing.T, names ...string) *desk {
	d := &desk{t: t}
	dk := &deck.Deck{Now: now, Location: time.UTC, Where: deck.Where{Account: here.Account, Alias: "prod-admin", Region: here.Region, Scopes: 1}}
	fd := feed.NewDesk(nil, func() time.Time { return now })
	t.Cleanup(fd.Close)
	page := func(id string) *nodes {
		s := feed.NewSource(id, func(context.Context, grid.Cell, func([]string)) ([]string, error) { return nil, nil })
		return &nodes{source: s, id: id, marked: map[string]bool{}, do: map[string]tea.Cmd{}, writes: map[string]bool{}}
	}
	d.fleet, d.windows = page("fleet"), page("windows")
	d.fleet.source.Set(here, names, now.Add(-42*time.Second))
	d.windows.source.Set(here, nil, now)
	d.o = Options{Deck: dk, Desk: fd, Pages: []deck.Page{d.fleet, d.windows}, Run: d, Now: func() time.Time { return now }}
	return d
}

// play types lines and returns what is printed, the lines with it.
func (d *desk) play(lines ...string) string {
	d.t.Helper()
	var out bytes.Buffer
	in := &script{lines: lines, echo: &out}
	if _, err := Show(d.t.Context(), in, &out, &out, d.o); err != nil {
		d.t.Fatal(err)
	}
	return out.String()
}

// script is a person who types line by line; what is typed is echoed, as a terminal does.
type script struct {
	lines []string
	echo  io.Writer
	// meanwhile happens before a line is typed.
	meanwhile map[string]func()
}

func (s *script) Read(p []byte) (int, error) {
	if len(s.lines) == 0 {
		return 0, io.EOF
	}
	line := s.lines[0] + "\n"
	if f := s.meanwhile[s.lines[0]]; f != nil {
		f()
	}
	s.lines = s.lines[1:]
	_, _ = io.WriteString(s.echo, line)
	return copy(p, line), nil
}

// paper is what was printed, by whoever writes on it at a time.
type paper struct {
	mu      sync.Mutex
	text    bytes.Buffer
	awaited string
	printed chan struct{} // closed when that is
}

func (p *paper) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	n, err := p.text.Write(b)
	p.look()
	return n, err
}

func (p *paper) look() {
	if p.printed != nil && strings.HasSuffix(p.text.String(), p.awaited) {
		close(p.printed)
		p.printed = nil
	}
}

// await waits until what was printed ends with something.
func (p *paper) await(end string) {
	printed := make(chan struct{})
	p.mu.Lock()
	p.awaited, p.printed = end, printed
	p.look()
	p.mu.Unlock()
	<-printed
}

func (p *paper) String() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text.String()
}

// transcript holds what was printed against testdata/NAME.txt.
func (d *desk) transcript(name, got string) {
	d.t.Helper()
	path := filepath.Join("testdata", name+".txt")
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			d.t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			d.t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		d.t.Fatalf("%v: write it with go test -update", err)
	}
	if got != string(want) {
		d.t.Errorf("%s is not what it was.\ngot:\n%s\nwant:\n%s", name, got, want)
	}
	for i := range len(got) {
		if got[i] < ' ' && got[i] != '\n' || got[i] > 126 {
			d.t.Fatalf("%s has %q: not plain text", name, got[max(i-20, 0):i+1])
		}
	}
}

func many(n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = fmt.Sprintf("web-%02d", i+1)
	}
	return out
}

func TestListsAndViews(t *testing.T) {
	d := newDesk(t, many(45)...)
	d.fleet.source.Fail(grid.Place{Account: "123456789012", Region: "us-east-1"}, fault.New(fault.Auth, "", "access denied").WithHint("ask for ssm:DescribeInstanceInformation"))
	d.transcript("lists", d.play(
		"", "n", "n", "n", "p", "/ web-1", "/bad=x", "/", "v", "v win", "b", "b", "m 1,3-4", "m 1-99", "m", "l", "h", "nonsense", "99", "q",
	))
}

func TestItemsAndActions(t *testing.T) {
	d := newDesk(t, "web-1", "db\x1b[31m-1")
	d.answer = func(_ io.Reader, out, errs io.Writer) int {
		fmt.Fprint(out, "nginx\x1b[2J restarted\r\nno line break")
		fmt.Fprintln(errs, "ssmdeck: error: it is broken")
		return 3
	}
	d.fleet.do["run"] = deck.Ask(deck.Line{
		Words: []string{"run", "web-1", "--", "systemctl restart nginx"}, At: here, What: "run on 1 node", Level: deck.Change,
		Facts: []deck.Fact{{Name: "Nodes", Value: "web-1"}}, Preview: []string{"run", "web-1", "--dry-run"},
		Done: func(r deck.Result) tea.Msg { return fmt.Sprintf("exit %d of %s, out %q", r.Code, r.Words[0], r.Out) },
	})
	d.fleet.do["copy"] = deck.Ask(deck.Copy{Text: "i-0123", What: "the id"})
	d.fleet.do["console"] = deck.Ask(deck.Browse{URL: "https://console.example/i-0123"})
	d.fleet.do["columns"] = deck.Ask(deck.Columns{})
	d.fleet.do["say"] = tea.Sequence(deck.Ask(deck.Say{Text: "one"}), deck.Ask(deck.Say{Err: fault.Usagef("two").WithHint("three")}))
	d.fleet.do["yaml"] = deck.Ask(deck.Show{Title: "web-1", Text: strings.Repeat("key: value\n", 90)})
	d.transcript("items", d.play(
		"a", "", "2", "1", "1", "x", "2", "1", "3", "1", "4", "y", "1", "4", "n", "1", "5", "1", "6", "", "s", "l",
	))
	if want := []string{"run web-1 --dry-run @eu-west-1", "run web-1 --yes -- systemctl restart nginx @eu-west-1", "run web-1 --dry-run @eu-west-1"}; !slices.Equal(d.lines, want) {
		t.Errorf("ran %q, want %q", d.lines, want)
	}
}

// Rows come and go between what was listed and the number that is typed: nothing is
// done to one that has taken another's place.
func TestANumberIsAboutWhatWasListed(t *testing.T) {
	shell := func(d *desk) { d.fleet.do["shell"] = deck.Ask(deck.Line{Words: []string{"shell", "i-1"}, At: here}) }
	for _, tt := range []struct {
		name  string
		typed []string
		at    string // when the second of three rows goes
		want  string
	}{
		{"a number", []string{"2", "1", "", "q"}, "2", "Item 2 is gone"},
		{"a mark", []string{"m 2", "q"}, "m 2", "Item 2 is gone"},
		{"an action", []string{"2", "1", "q"}, "1", "what it was about is gone"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := newDesk(t, "web-1", "web-2", "web-3")
			shell(d)
			var out bytes.Buffer
			in := &script{lines: tt.typed, echo: &out, meanwhile: map[string]func(){tt.at: func() {
				d.fleet.source.Set(here, []string{"web-1", "web-3"}, now)
			}}}
			if _, err := Show(t.Context(), in, &out, &out, d.o); err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(out.String(), tt.want) || strings.Contains(out.String(), "1 marked") || len(d.lines) > 0 {
				t.Errorf("ran %q:\n%s", d.lines, &out)
			}
		})
	}
}

// A line that has what it reads gets that, and not what somebody types next.
func TestScreenLineReadsItsOwnInput(t *testing.T) {
	d := newDesk(t, "web-1")
	got := ""
	d.answer = func(in io.Reader, _, _ io.Writer) int {
		all, err := io.ReadAll(in)
		got = fmt.Sprintf("%s %v", all, err)
		return 0
	}
	d.fleet.do["run"] = deck.Ask(deck.Line{Words: []string{"run", "-t", "-"}, At: here, How: deck.OnScreen, Input: []byte("i-1\ni-2\n")})
	if out := d.play("1", "1", "v"); got != "i-1\ni-2\n <nil>" || !strings.Contains(out, "> v\n1. Fleet") {
		t.Errorf("it was given %q:\n%s", got, out)
	}
}

// The log of what was run calls another program what it is.
func TestTheLogShowsProgramsAsTheyRan(t *testing.T) {
	d := newDesk(t, "web-1")
	d.o.Deck.Flags = func(at grid.Place) []string { return []string{"--region", at.Region} }
	d.o.Programs = program{}
	d.fleet.do["note"] = deck.Ask(deck.Line{Words: []string{"note", "web 1"}, Program: true, At: here, Level: deck.Change, How: deck.OnScreen})
	if out := d.play("1", "1", "y", "@"); strings.Count(out, `note "web 1"`) != 2 || strings.Contains(out, "ssmdeck note") {
		t.Errorf("%s", out)
	}
}

// program is another program, which does nothing.
type program struct{}

func (program) Run(context.Context, deck.Line, io.Reader, io.Writer, io.Writer) int { return 0 }

func TestLineIsStopped(t *testing.T) {
	d := newDesk(t, "web-1")
	stop := func() {}
	d.o.Stoppable = func(ctx context.Context) (context.Context, func()) {
		one, cancel := context.WithCancel(ctx)
		stop = cancel
		return one, cancel
	}
	d.fleet.do["run"] = deck.Ask(deck.Line{Words: []string{"run", "web-1"}, At: here})
	d.wait = func(ctx context.Context) int {
		stop() // Ctrl-C
		<-ctx.Done()
		return 130
	}
	if out := d.play("1", "1", "v"); !strings.Contains(out, "Stopped.\nIt failed with exit code 130.\n> v\n1. Fleet") {
		t.Errorf("%s", out)
	}
}

// Ctrl-C and the end of the input leave a question: what it was about does not happen.
func TestAQuestionIsLeft(t *testing.T) {
	field := func(f deck.Field) tea.Msg {
		return deck.Form{Title: "New", Fields: []deck.Field{f}, Done: func(map[string]string) tea.Cmd { return deck.Ask(deck.Say{Text: "it happened"}) }}
	}
	for name, asked := range map[string]tea.Msg{
		"a change":  deck.Line{Words: []string{"run", "web-1"}, At: here, Level: deck.Change},
		"a name":    deck.Line{Words: []string{"run", "web-1"}, At: here, Level: deck.Destructive},
		"a field":   field(deck.Field{Name: "name", Label: "Name", Value: "proposed"}),
		"a text":    field(deck.Field{Name: "name", Label: "Name", Many: true}),
		"a choice":  deck.Choose{Title: "Which", Entries: []deck.Entry{{Name: "one"}}, Done: func(int) tea.Cmd { return deck.Ask(deck.Say{Text: "it happened"}) }},
		"long text": deck.Show{Title: "Long", Text: strings.Repeat("x\n", 3*screenful)},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t, "web-1")
			d.wait = func(context.Context) int { t.Error("it is run"); return 0 }
			stop := func() {}
			d.o.Stoppable = func(ctx context.Context) (context.Context, func()) {
				one, cancel := context.WithCancel(ctx)
				stop = cancel
				return one, cancel
			}
			d.fleet.do["run"] = deck.Ask(asked)
			var out paper
			in := &script{lines: []string{"1", "1", "v"}, echo: &out, meanwhile: map[string]func(){"v": func() {
				stop() // Ctrl-C
				out.await("q leaves the dashboard.\n> ")
			}}}
			if _, err := Show(t.Context(), in, &out, &out, d.o); err != nil {
				t.Fatal(err)
			}
			if got := out.String(); !strings.Contains(got, "Left: nothing happens. q leaves the dashboard.\n> v\n1. Fleet") || strings.Contains(got, "it happened") {
				t.Errorf("after Ctrl-C:\n%s", got)
			}
			d.o.Stoppable = nil
			if got := d.play("1", "1"); !strings.HasSuffix(got, "The input is at its end: nothing happens.\n") || strings.Contains(got, "it happened") {
				t.Errorf("at the end of the input:\n%s", got)
			}
		})
	}
}

// A secret is not seen, whatever was read before, and Ctrl-C leaves it.
func TestASecretIsLeft(t *testing.T) {
	for name, err := range map[string]error{"by Ctrl-C": terminal.ErrInterrupted, "by Ctrl-D": io.EOF} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t, "web-1")
			asked := 0
			d.o.Secret = func(context.Context, string) (string, error) {
				if asked++; asked == 1 {
					return "", terminal.ErrSeveralLines
				}
				return "", err
			}
			d.fleet.do["run"] = deck.Ask(deck.Form{Title: "New", Fields: []deck.Field{{Name: "v", Label: "Value", Secret: true}}})
			got := d.play("1", "1", "v")
			if asked != 2 || !strings.Contains(got, "several lines were pasted: nothing was taken") || !strings.Contains(got, "Left: nothing happens. q leaves the dashboard.\n> v\n1. Fleet") {
				t.Errorf("asked %d times\n%s", asked, got)
			}
		})
	}
}

func TestForms(t *testing.T) {
	d := newDesk(t, "web-1")
	var got map[string]string
	d.o.Secret = func(_ context.Context, prompt string) (string, error) { return "hidden after " + prompt, nil }
	d.fleet.do["new"] = deck.Ask(deck.Form{
		Title: "New parameter",
		Fields: []deck.Field{
			{Name: "name", Label: "Name", Help: "a path", Check: func(v string) error {
				if !strings.HasPrefix(v, "/") {
					return fault.Usagef("%q is no path", v).WithHint("begin with /")
				}
				return nil
			}},
			{Name: "tier", Label: "Tier", Value: "Standard", Only: true, Choices: func(typed string) []string {
				var out []string
				for _, c := range []string{"Standard", "Advanced", "Antique"} {
					if strings.HasPrefix(c, typed) {
						out = append(out, c)
					}
				}
				return out
			}},
			{Name: "text", Label: "Text", Many: true},
			{Name: "value", Label: "Value", Secret: true},
		},
		Done: func(values map[string]string) tea.Cmd {
			got = values
			return deck.Ask(deck.Say{Text: "made"})
		},
	})
	d.fleet.do["pick"] = deck.Ask(deck.Choose{Title: "Which label", Entries: []deck.Entry{{Name: "current", Detail: "version 7"}, {Name: "old", Off: "it is gone"}}, Done: func(i int) tea.Cmd {
		return deck.Ask(deck.Say{Text: fmt.Sprint("picked ", i)})
	}})
	d.transcript("forms", d.play(
		"1", "1", "x", "/pay", "A", "Z", "Adv", "one", "two", "", "1", "1", ".", "1", "2", "7", "2", "1", "1", "2", "",
	))
	want := map[string]string{"name": "/pay", "tier": "Advanced", "text": "one\ntwo", "value": "hidden after Value: "}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("values %q, want %q", got, want)
	}
}

// TestChangesWithinThePage: an action that asks the root for nothing has changed the
// page, and that is told.
func TestChangesWithinThePage(t *testing.T) {
	d := newDesk(t, "web-1", "web-2")
	d.fleet.do["examine"] = func() tea.Msg { return loaded("it is too old") }
	d.fleet.do["look"] = func() tea.Msg { return "somewhere else" }
	out := d.play("2", "1", "2", "2")
	if !strings.Contains(out, "Agent: it is too old") || strings.Count(out, "Items 1 to 2 of 2.") != 2 || strings.Count(out, "told: somewhere else") != 1 {
		t.Errorf("%s", out)
	}
}

func TestOpenGoesToThePageBehindANumber(t *testing.T) {
	d := newDesk(t, "web-1")
	d.fleet.do["open"] = deck.Ask(deck.Open{Page: "windows", Filter: "sun", Then: "look here"})
	out := d.play("1", "1", "b", "b")
	if !strings.Contains(out, "Windows. ") || !strings.Contains(out, "Filter: sun") || !strings.Contains(out, "told: look here") || strings.Count(out, "Fleet. ") != 2 {
		t.Errorf("%s", out)
	}
}

// TestWaitsForTheFirstRows: a list is printed when it is known, and says so when it
// is not known in time.
func TestWaitsForTheFirstRows(t *testing.T) {
	for _, late := range []time.Duration{20 * time.Second, 10 * time.Minute} {
		synctest.Test(t, func(t *testing.T) {
			d := newDesk(t)
			slow := feed.NewSource("slow", func(ctx context.Context, _ grid.Cell, _ func([]string)) ([]string, error) {
				select {
				case <-time.After(late):
					return []string{"web-9"}, nil
				case <-ctx.Done():
					return nil, context.Cause(ctx)
				}
			})
			fd := feed.NewDesk([]grid.Cell{{Place: here}}, nil)
			fd.Open(fd.Cells, nil)
			d.fleet.source, d.o.Desk, d.o.Now = slow, fd, time.Now
			out := d.play("q")
			fd.Close()
			known := strings.Contains(out, "web-9 is online")
			if known != (late < loadPatience) || known == strings.Contains(out, "Type r to look again") {
				t.Errorf("after %v:\n%s", late, out)
			}
		})
	}
}

func TestEndsWithItsContextAndWithACrash(t *testing.T) {
	d := newDesk(t, "web-1")
	ctx, cancel := context.WithCancelCause(t.Context())
	over := errors.New("terminated")
	reading, _ := io.Pipe()
	d.o.Begin = func() tea.Msg {
		cancel(over)
		return nil
	}
	if _, err := Show(ctx, reading, io.Discard, io.Discard, d.o); !errors.Is(err, over) {
		t.Errorf("ended with %v", err)
	}
	d = newDesk(t, "web-1")
	d.fleet.do["crash"] = d.o.Desk.Go(func(context.Context) tea.Msg { panic("no such thing") })
	path := filepath.Join(t.TempDir(), "trace")
	d.o.CrashFile = func() (io.WriteCloser, string, error) {
		f, err := os.Create(path)
		return f, path, err
	}
	_, err := Show(t.Context(), strings.NewReader("1\n1\n"), io.Discard, io.Discard, d.o)
	if err == nil || !strings.Contains(err.Error(), "no such thing") || strings.Contains(err.Error(), "goroutine") || !strings.Contains(fault.HintOf(err), path) {
		t.Errorf("ended with %v (%s)", err, fault.HintOf(err))
	}
	if trace, err := os.ReadFile(path); err != nil || !strings.Contains(string(trace), "plain_test.go") {
		t.Errorf("the trace is %q, %v", trace, err)
	}
}

func TestOutputIsKeptToALimit(t *testing.T) {
	var k kept
	k.add(make([]byte, outputMost-1))
	k.add([]byte("abc"))
	if len(k.b) != outputMost || k.b[outputMost-1] != 'a' {
		t.Errorf("%d bytes kept", len(k.b))
	}
}
