package pagecommands

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"

	"github.com/ssmdeck/ssmdeck/internal/fleet"
	"github.com/ssmdeck/ssmdeck/internal/grid"
	"github.com/ssmdeck/ssmdeck/internal/run"
	"github.com/ssmdeck/ssmdeck/internal/theme"
	"github.com/ssmdeck/ssmdeck/tui/deck"
	"github.com/ssmdeck/ssmdeck/tui/tuitest"
)

func TestETAOnlyWithARate(t *testing.T) {
	at := func(s int) time.Time { return tuitest.Now.Add(time.Duration(s) * time.Second) }
	tests := []struct {
		name  string
		seen  map[int]int // done by second
		now   int
		total int
		want  time.Duration // 0: none
	}{
		{"nothing was seen", nil, 0, 100, 0},
		{"one look is no rate", map[int]int{0: 50}, 10, 100, 0},
		{"too short", map[int]int{0: 0, 1: 10}, 2, 100, 0},
		{"too few", map[int]int{0: 10, 9: 12}, 10, 100, 0},
		{"10 in 10 s, 90 left", map[int]int{0: 0, 5: 5, 10: 10}, 10, 100, 90 * time.Second},
		{"it slows down while nothing ends", map[int]int{0: 0, 10: 10}, 20, 100, 180 * time.Second},
		{"nothing has ended for a long time", map[int]int{0: 0, 10: 10}, 80, 100, 0},
		{"only the last minute counts", map[int]int{0: 0, 10: 90, 100: 91, 130: 94, 160: 97}, 160, 100, 30 * time.Second},
		{"done", map[int]int{0: 0, 10: 100}, 10, 100, 0},
	}
	for _, tt := range tests {
		var p pace
		var seconds []int
		for s := range tt.seen {
			seconds = append(seconds, s)
		}
		slices.Sort(seconds)
		for _, s := range seconds {
			p.note(at(s), tt.seen[s])
		}
		if got, ok := p.eta(at(tt.now), tt.total); got != tt.want || ok != (tt.want > 0) {
			t.Errorf("%s: %v, %v; want %v", tt.name, got, ok, tt.want)
		}
	}
}

func TestRingKeepsHeadAndTail(t *testing.T) {
	for _, size := range []int{1, 3, 7, 100} {
		r := ring{most: 10}
		text := "0123456789" + strings.Repeat("x", 85) + "abcdefghij"
		for part := range slices.Chunk([]byte(text), size) {
			if n, err := r.Write(part); n != len(part) || err != nil {
				t.Fatalf("write: %d, %v", n, err)
			}
		}
		if got, want := r.String(), "0123456789\n[85 bytes left out here]\nabcdefghij"; got != want {
			t.Errorf("in pieces of %d: %q", size, got)
		}
	}
	r := ring{most: 10}
	_, _ = r.Write([]byte("0123456789abcdefghij"))
	if got := r.String(); got != "0123456789abcdefghij" {
		t.Errorf("what fits is %q", got)
	}
	r = ring{most: 10}
	_, _ = r.Write([]byte(strings.Repeat("東京", 20)))
	if got := r.String(); !utf8.ValidString(got) || !strings.HasPrefix(got, "東京東\n") || !strings.HasSuffix(got, "\n京東京") {
		t.Errorf("a character is cut in two: %q", got)
	}
}

func TestACellShowsTheWorstOfItsNodes(t *testing.T) {
	b := &board{}
	for i := range 1000 {
		s := run.Success
		if i == 500 {
			s = run.Failed
		}
		b.sum.Apply(node(fmt.Sprint("i-", i), "", s, 0, 0))
	}
	b.gen++
	var g cellGrid
	styles := theme.New(theme.Dark, false, false)
	text := strings.Join(g.draw(b, 40, 2, styles), "\n")
	if strings.Count(text, styles.Glyphs.Bad) != 1 || !strings.Contains(text, "one cell is") {
		t.Errorf("cells are %q", text)
	}
	for _, l := range g.lines {
		if ansi.StringWidth(l) > 40 {
			t.Errorf("a line is %d cells wide", ansi.StringWidth(l))
		}
	}
}

func TestFormMakesTheLine(t *testing.T) {
	s := newScreen(t)
	s.known(commands()...)
	s.Desk.Cells = []grid.Cell{{Place: tuitest.Place}}
	form := asked[deck.Form](t, s.action(t, "r").Do())
	values := map[string]string{}
	for _, f := range form.Fields {
		values[f.Name] = f.Value
		if f.Check != nil && f.Name != "targets" && f.Check("") != nil {
			t.Errorf("%s must be filled in: %v", f.Name, f.Check(""))
		}
	}
	if values["targets"] != "tag:env=prod" {
		t.Errorf("targets are those of the run under the cursor: %q", values["targets"])
	}
	if say := asked[deck.Say](t, form.Done(values)); say.Err == nil {
		t.Error("nothing to run is no error")
	}
	values["command"], values["concurrency"], values["errors"], values["timeout"], values["comment"] = "uptime; df -h", "20%", "1", "10m", "a look"
	line := asked[deck.Line](t, form.Done(values))
	want := []string{"run", "-t", "tag:env=prod", "--concurrency", "20%", "--max-errors", "1", "--exec-timeout", "10m", "--comment", "a look", "--no-wait", "--", "uptime; df -h"}
	if !slices.Equal(line.Words, want) || line.Level != deck.Change || line.At != tuitest.Place {
		t.Errorf("the line is %q", line.Words)
	}
	if i := slices.Index(line.Preview, "--dry-run"); i < 0 || slices.Contains(line.Preview, "--no-wait") {
		t.Errorf("the preview is %q", line.Preview)
	}
	values["command"], values["document"], values["params"] = "", "My-Doc", "a=1\n\nb=x y\n"
	line = asked[deck.Line](t, form.Done(values))
	if text := strings.Join(line.Words, "|"); !strings.Contains(text, "--document|My-Doc|--param|a=1|--param|b=x y|") || strings.Contains(text, "|--|") {
		t.Errorf("a document is run as %q", line.Words)
	}
}

func TestFormChecks(t *testing.T) {
	s := newScreen(t)
	fields := map[string]deck.Field{}
	for _, f := range s.page.fields(tuitest.Place, "") {
		fields[f.Name] = f
	}
	for _, bad := range []struct{ field, value string }{
		{"targets", " "}, {"targets", "tag:"}, {"concurrency", "many"}, {"errors", "-1"}, {"timeout", "3 weeks"}, {"params", "a"},
	} {
		if fields[bad.field].Check(bad.value) == nil {
			t.Errorf("%s takes %q", bad.field, bad.value)
		}
	}
	for _, good := range []struct{ field, value string }{
		{"targets", "web-1 tag:env=prod"}, {"targets", "all"}, {"concurrency", "10%"}, {"errors", "0"}, {"timeout", "90s"},
	} {
		if err := fields[good.field].Check(good.value); err != nil {
			t.Errorf("%s refuses %q: %v", good.field, good.value, err)
		}
	}
	s.set.Nodes.Set(tuitest.Place, []fleet.Node{{ID: "i-1", Name: "web-1", Tags: map[string]string{"env": "prod", "aws:x": "y"}}}, tuitest.Now)
	if got := fields["targets"].Choices("tag:role=db e"); !slices.Contains(got, "tag:role=db tag:env=prod") {
		t.Errorf("choices are %q", got)
	}
	if got := fields["targets"].Choices(""); slices.Contains(got, "tag:aws:x=y") || got[0] != "all" {
		t.Errorf("choices are %q", got)
	}
}

// What is offered means the node or the tag it was made of, and nothing else.
func TestATargetThatIsOfferedMeansWhatItIsCalled(t *testing.T) {
	s := newScreen(t)
	var nodes []fleet.Node
	for i, name := range []string{"web-1", "東京-web", "web-*", "tag:env=prod", "file:/etc/hosts", "@group", "web-1!db-1", "web-[1-9]", "-x", "10.0.0.0/8", "web\u200b", "a b", "web,db", "i-0123456789abcdef0"} {
		nodes = append(nodes, fleet.Node{ID: fmt.Sprintf("i-%d", i), Name: name, Tags: map[string]string{"app": name}})
	}
	s.set.Nodes.Set(tuitest.Place, nodes, tuitest.Now)
	for _, word := range s.page.targetWords(tuitest.Place, "") {
		switch got, err := fleet.ParseTarget(word); {
		case word == "all":
		case err != nil || strings.Contains(word, "\u200b"):
			t.Errorf("%q is offered: %v", word, err)
		case got.Kind == fleet.KindTag && len(got.Values) == 1 && slices.ContainsFunc(nodes, func(n fleet.Node) bool { return n.Name == got.Values[0] }):
		case got.Kind == fleet.KindName && slices.ContainsFunc(nodes, func(n fleet.Node) bool { return n.Name == got.Value }):
		default:
			t.Errorf("%q is offered, and is %+v", word, got)
		}
	}
	if got := s.page.targetWords(tuitest.Place, "web-1"); !slices.Contains(got, "web-1") || !slices.Contains(got, "tag:app=web-1") {
		t.Errorf("choices are %q", got)
	}
}

func TestWhatWasSentIsOpened(t *testing.T) {
	s := newScreen(t)
	s.known(commands()...)
	s.svc.events = restart(true)
	done := started(tuitest.Place)
	if msg := done(deck.Result{Code: 5, Err: []byte("no node matches")}); msg != nil {
		t.Errorf("a failed line opens %v", msg)
	}
	s.Send(done(deck.Result{Out: []byte(idC + "\n" + idD + "\n")}))
	s.Has("run k3v9q2m1zt")
	s.Send(sent{tuitest.Place, []string{idA}})
	s.Has("command 8f2c91d0")
}

func TestSeveralPlacesAreAsked(t *testing.T) {
	s := newScreen(t)
	other := grid.Place{Account: "123456789012", Region: "us-east-1"}
	s.Desk.Cells = []grid.Cell{{Place: tuitest.Place}, {Place: other}}
	form := asked[deck.Form](t, s.action(t, "r").Do())
	if form.Fields[0].Name != "place" || form.Fields[0].Value != tuitest.Place.String() {
		t.Fatalf("the first field is %+v", form.Fields[0])
	}
	line := asked[deck.Line](t, form.Done(map[string]string{"place": other.String(), "targets": "all", "command": "uptime"}))
	if line.At != other {
		t.Errorf("it goes to %s", line.At)
	}
}

func TestPlainSaysTheSame(t *testing.T) {
	s := opened(t, restart(true))
	p := s.page.Plain()
	text := strings.Join(p.Summary, "\n")
	for _, want := range []string{"1,100 of 1,100 nodes done", "2 nodes failed", "1 node timed out", "1,097 nodes ok"} {
		if !strings.Contains(text, want) {
			t.Errorf("the summary lacks %q:\n%s", want, text)
		}
	}
	p.Items[1].Choose()
	if e, ok := s.page.current(); !ok || e.row.NodeID != "i-0077" {
		t.Error("choosing an item does not put the cursor on it")
	}
	s.Press("esc")
	p = s.page.Plain()
	if len(p.Items) != 3 || !strings.Contains(p.Items[0].Text, "812 of 1,100 nodes done, 3 failed") {
		t.Errorf("the list is %+v", p)
	}
}

func TestLayoutIsKept(t *testing.T) {
	s := newScreen(t)
	s.known(commands()...)
	s.page.list.ShowColumn(2, false)
	kept := s.page.Layout()
	other := newScreen(t)
	other.known(commands()...)
	other.page.SetLayout(kept)
	other.Lacks("DOCUMENT")
	other.page.SetLayout([]byte("{"))
	other.page.SetLayout(nil)
	other.Lacks("DOCUMENT")
}
