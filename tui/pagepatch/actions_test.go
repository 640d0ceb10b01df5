package pagepatch_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"

	"github.com/ssmdeck/ssmdeck/internal/fleet"
	"github.com/ssmdeck/ssmdeck/internal/grid"
	"github.com/ssmdeck/ssmdeck/tui/deck"
	"github.com/ssmdeck/ssmdeck/tui/sources"
	"github.com/ssmdeck/ssmdeck/tui/tuitest"
)

// asked are the lines that messages ask for.
func asked(msgs []tea.Msg) (lines []deck.Line) {
	for _, m := range msgs {
		if l, ok := m.(deck.Line); ok {
			lines = append(lines, l)
		}
	}
	return lines
}

// fill answers the form that an action asks for.
func (w *world) fill(t *testing.T, key string, values map[string]string) []deck.Line {
	t.Helper()
	for _, m := range w.act(t, key) {
		f, ok := m.(deck.Form)
		if !ok {
			continue
		}
		all := map[string]string{}
		for _, field := range f.Fields {
			all[field.Name] = field.Value
		}
		for name, v := range values {
			all[name] = v
		}
		for _, field := range f.Fields {
			if field.Check != nil && all[field.Name] != "" {
				if err := field.Check(all[field.Name]); err != nil {
					t.Fatalf("%s: %v", field.Name, err)
				}
			}
			if field.Only && !slices.Contains(field.Choices(""), all[field.Name]) {
				t.Fatalf("%s: %q is not offered", field.Name, all[field.Name])
			}
		}
		return asked(messages(f.Done(all)))
	}
	t.Fatalf("%s asks for nothing", key)
	return nil
}

func words(l deck.Line) string { return strings.Join(l.Words, " ") }

const (
	web1 = "i-00000000000000001"
	db1  = "i-00000000000000005"
)

func TestScanIsALineForEachPlace(t *testing.T) {
	w := full(t)
	other := grid.Place{Account: "210987654321", Region: "cn-north-1"}
	w.set.Patches.Set(other, []fleet.Node{node(99, "far-1", "Amazon Linux", "2023", nil), node(98, "far-2", "Amazon Linux", "2023", nil)}, tuitest.Now)
	w.Changed(sources.Patches)
	w.Press("space")
	if err := w.p.SetFilter("far"); err != nil {
		t.Fatal(err)
	}
	w.Press("space")
	lines := asked(w.act(t, "p"))
	if len(lines) != 2 {
		t.Fatalf("%d lines for two places", len(lines))
	}
	for _, l := range lines {
		want := map[grid.Place]string{tuitest.Place: "patch scan " + web1, other: "patch scan i-00000000000000063"}[l.At]
		if words(l) != want || l.Level != deck.Change || !slices.Contains(l.Refresh, sources.Patches) || !slices.Contains(l.Refresh, sources.Attempts) {
			t.Errorf("%s: %q at level %d, want %q", l.At, words(l), l.Level, want)
		}
	}
	// A whole place is its nodes by their ids: what has come since was not chosen.
	w = full(t)
	w.Press("h")
	if l := asked(w.act(t, "p")); len(l) != 1 || slices.Contains(l[0].Words, "all") || len(l[0].Words) != 2+len(w.set.Patches.Rows()) {
		t.Errorf("got %+v", l)
	}
	w.Press("j") // web
	if l := asked(w.act(t, "p")); len(l) != 1 || len(l[0].Words) != 2+4 {
		t.Errorf("got %+v", l)
	}
}

// More nodes than a line holds are named on standard input, which the preview reads, too.
func TestManyNodesAreNamedOnStandardInput(t *testing.T) {
	w := full(t)
	many := make([]fleet.Node, 600)
	for i := range many {
		many[i] = node(i+1, fmt.Sprintf("web-%d", i), "Amazon Linux", "2023", nil)
	}
	w.set.Patches.Set(tuitest.Place, many, tuitest.Now)
	w.Changed(sources.Patches)
	w.Press("h")
	all := append(asked(w.act(t, "p")), w.fill(t, "P", map[string]string{"reboot": "never"})...)
	all = append(all, w.fill(t, "e", map[string]string{"group": "web"})...)
	if len(all) != 3 {
		t.Fatalf("%d lines", len(all))
	}
	for _, l := range all {
		if len(words(l)) > 200 || !slices.Contains(l.Words, "-") || strings.Count(string(l.Input), "\n") != 600 || !strings.Contains(fmt.Sprint(l.Facts), "standard input") {
			t.Errorf("%q with %d bytes of input: %v", words(l), len(l.Input), l.Facts)
		}
	}
}

func TestInstallIsDisruptiveAndPreviewed(t *testing.T) {
	w := full(t)
	w.Size(140, 40)
	w.Send(deck.Tick{})
	l := w.fill(t, "P", map[string]string{"reboot": "if-needed", "waves": "1,100%", "health": "curl -sf localhost", "pause": ""})
	want := "patch install " + web1 + " --reboot if-needed --waves 1,100% --max-errors 0 --health curl -sf localhost"
	if len(l) != 1 || words(l[0]) != want || l[0].Level != deck.Disruptive {
		t.Fatalf("got %+v", l)
	}
	if strings.Join(l[0].Preview, " ") != want+" --dry-run --columns status,wave,name,missing,reboot,patches" {
		t.Errorf("the preview is %v", l[0].Preview)
	}
	if facts := fmt.Sprint(l[0].Facts); !strings.Contains(facts, "web-1") || !strings.Contains(facts, "nodes reboot when") || !strings.Contains(facts, "6 missing or failed") ||
		!strings.Contains(facts, "glibc.x86_64, openssl.x86_64, systemd.x86_64") {
		t.Errorf("the box says %s", facts)
	}
	// What is long gone is scanned anew, but not for the preview, which sends nothing.
	w.Press("j")
	l = w.fill(t, "P", map[string]string{"reboot": "never"})
	if len(l) != 1 || !slices.Contains(l[0].Words, "--scan-first") || slices.Contains(l[0].Preview, "--scan-first") || l[0].Words[2] != db1 {
		t.Errorf("got %+v", l)
	}
}

func TestInstallOfAPatchesNodes(t *testing.T) {
	w := full(t)
	w.Press("v", "j", "j", "j") // systemd
	l := asked(w.act(t, "p"))
	if len(l) != 1 || words(l[0]) != "patch scan "+web1+" i-00000000000000002" {
		t.Errorf("got %+v", l)
	}
}

func TestLinesThatShow(t *testing.T) {
	w := full(t)
	w.Size(140, 40)
	w.Send(deck.Tick{})
	for key, want := range map[string]string{
		"b": "patch baseline get " + linA, "d": "patch explain " + web1, "y": "patch node " + web1 + " -o yaml", "s": "shell " + web1,
	} {
		l := asked(w.act(t, key))
		if len(l) != 1 || words(l[0]) != want || l[0].Level != deck.Read {
			t.Errorf("%s: got %+v, want %s", key, l, want)
		}
	}
	w.Press("l", "j")
	if l := asked(w.act(t, "d")); words(l[0]) != "patch explain "+web1+" openssl.x86_64" {
		t.Errorf("got %+v", l)
	}
	if m := w.act(t, "c"); m[0].(deck.Copy).Text != "openssl.x86_64" {
		t.Errorf("copied %v", m)
	}
	if m := w.act(t, "o"); !strings.Contains(m[0].(deck.Browse).URL, web1) {
		t.Errorf("opened %v", m)
	}
}

// Of the two tags that mean a patch group a node keeps the one that it has.
func TestPatchGroupIsChangedByItsTag(t *testing.T) {
	w := full(t)
	all := nodes()
	all[1].Tags = map[string]string{"PatchGroup": "web"}
	w.set.Patches.Set(tuitest.Place, all, tuitest.Now)
	w.Changed(sources.Patches)
	w.Press("space", "space", "space") // web-1, db-1, web-2
	l := w.fill(t, "e", map[string]string{"group": "canary"})
	if len(l) != 2 || words(l[0]) != "node tag "+web1+","+db1+" Patch Group=canary" || words(l[1]) != "node tag i-00000000000000002 PatchGroup=canary" {
		t.Errorf("got %+v", l)
	}
	if !slices.Contains(l[0].Preview, "--dry-run") {
		t.Errorf("the preview is %v", l[0].Preview)
	}
}

func TestExport(t *testing.T) {
	w := full(t)
	l := w.fill(t, "x", map[string]string{"out": "all.html"})
	if len(l) != 1 || words(l[0]) != "patch report --out all.html --by group --title Patch compliance" {
		t.Errorf("got %+v", l)
	}
	w.Press("space")
	l = w.fill(t, "x", map[string]string{"out": "one.csv", "by": "node"})
	if len(l) != 1 || !strings.HasPrefix(words(l[0]), "patch report "+web1+" --out one.csv --by node") {
		t.Errorf("got %+v", l)
	}
}

// What changes something is marked, so that read-only mode refuses it.
func TestWritesAreMarked(t *testing.T) {
	w := full(t)
	for _, a := range w.p.Actions() {
		if want := strings.Contains("p P e", a.Key); a.Writes != want {
			t.Errorf("%s: Writes is %v", a.Name, a.Writes)
		}
	}
}
