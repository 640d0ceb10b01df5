package dash_test

import (
	"cmp"
	"errors"
	"testing"
	"time"

	"github.com/ssmdeck/ssmdeck/commands/dash"
	"github.com/ssmdeck/ssmdeck/internal/automation"
	"github.com/ssmdeck/ssmdeck/internal/forwards"
	"github.com/ssmdeck/ssmdeck/internal/grid"
	"github.com/ssmdeck/ssmdeck/internal/sessions"
	"github.com/ssmdeck/ssmdeck/internal/simulator/world"
	"github.com/ssmdeck/ssmdeck/tui/sources"
)

// Every list whose rows come from places is narrowed by account= and region=, in each
// alternative, and is as it was without them.
func TestEveryListIsNarrowedToAPlace(t *testing.T) {
	s, opts, _ := onSimulator(t, everywhere(t), "--regions", "us-east-1,eu-west-1")
	set := dash.Feeds()
	for i, p := range opts.Pages {
		s.Press(string(rune('1' + i)))
		if p.ID() == "overview" {
			continue
		}
		for _, at := range set.Nodes.Places() { // of what the simulator has none
			set.Executions.Set(at, []automation.Execution{{ID: "51ab" + at.Region, State: "Success"}}, time.Now())
			set.Sessions.Set(at, []sessions.Entry{{ID: "ann-" + at.Region}}, time.Now())
			set.Past.Set(at, []sessions.Entry{{ID: "bob-" + at.Region}}, time.Now())
		}
		s.Wait(time.Second)
		s.Changed(sources.Executions)
		s.Changed(sources.Sessions)
		count := func(filter string) int {
			t.Helper()
			if err := p.SetFilter(filter); err != nil {
				t.Errorf("%s: %s: %v", p.ID(), filter, err)
			}
			return p.Status().Shown
		}
		sections := []string{""}
		if p.ID() == "sessions" {
			sections = []string{"active: ", "past: "}
		}
		for _, section := range sections {
			all := count(section)
			us, eu := count(section+"region=us-east-1"), count(section+"account=123456789012 region=eu-west-1")
			if us+eu != all || us == 0 || eu == 0 {
				t.Errorf("%s%s: %d rows, %d in us-east-1, %d in eu-west-1", section, p.ID(), all, us, eu)
			}
			if n := count(section + "region=us-east-1 | region=eu-west-1"); n != all {
				t.Errorf("%s%s: %d rows in either, of %d", section, p.ID(), n, all)
			}
			if n := count(section + "account=999999999999"); n != 0 {
				t.Errorf("%s%s: %d rows in an account that is none of its", section, p.ID(), n)
			}
			count(section)
		}
	}
	open := opts.Pages[4]
	if err := errors.Join(open.SetFilter("forwards:"), open.SetFilter("region=us-east-1")); err != nil || open.Status().Crumbs[0] != "Active" || open.Filter() == "" {
		t.Errorf("forwards, which have no place, do not lead to the sessions: %v %q", open.Status().Crumbs, err)
	}
	s.Press("2", ":")
	s.Type("@us-e")
	s.Has("@us-east-1", "of these rows those in us-east-1", "patch @us-east-1")
	s.Press("enter")
	s.Has("filter: region=us-east-1")
	s.Press("esc")
	s.Lacks("filter: region")
	s.Press("1", ":")
	s.Type("fleet ping=online @eu-west-1")
	s.Press("enter")
	s.Has("2▸Fleet", "filter: ping=online region=eu-west-1")
	s.Press(":")
	s.Type("fleet @ap-south-1")
	s.Has("(no place of this dashboard; it has ")
	set.Saved.Set(grid.Place{}, []forwards.Entry{{Name: "orders-tunnel"}}, time.Now())
	s.Press("esc", ":")
	s.Type("orders-tunnel @eu-west-1")
	s.Has("it is neither a view nor anything known there") // nobody knows where a forward leads
}

// A document is found once it has been read, which happens when nothing else is meant,
// and is run or started through the form of its page.
func TestThePaletteFindsDocuments(t *testing.T) {
	sc := world.Demo()
	sc.Documents = append(sc.Documents, world.DocumentSpec{Name: "rotate", Type: "Automation", Format: "YAML", Content: rotation})
	f := startFlow(t, flowOptions{dash: dash.Options{View: "fleet"}, scenario: sc})
	f.waitFor("web-1")
	f.press(":")
	f.write("web-1")
	f.waitFor("node  i-0123456789abcdef0")
	if f.srv.Stats().Calls["ListDocuments"] != 0 {
		t.Error("documents are read although what is typed is a node")
	}
	f.press("esc", ":")
	f.write("run shellscr")
	f.waitFor("AWS-RunShellScript", "run it on nodes")
	f.press("enter")
	f.waitFor("Run a command", "4▸Commands", "Document", "AWS-RunShellScript")
	f.press("esc", ":")
	f.write("rotate")
	f.waitFor("runbook  start it")
	f.press("enter")
	f.waitFor("start rotate in", "Database (needed)")
	if n := f.srv.Stats().Calls["ListDocuments"]; n == 0 || n > 3 {
		t.Errorf("documents were read with %d calls", n)
	}
	f.press("esc", ":")
	f.write("run no-such-document")
	f.waitFor("documents no-such-document", "(there are none that fit)")
}

// A database is found by its name, and forwarded to by the line that `forward` takes.
func TestThePaletteForwardsToADatabase(t *testing.T) {
	f := startFlow(t, flowOptions{dash: dash.Options{View: "fleet"}})
	f.waitFor("web-1")
	f.press(":")
	f.write("rds orders-prod")
	f.waitFor("forward to the cluster")
	f.press("enter")
	f.waitFor("Forward to a database", "cluster/orders-prod")
	f.press("tab", "tab")
	f.write("0")
	f.press("enter")
	if line := f.waitLine("forward rds"); line != "forward rds cluster/orders-prod --port 0" {
		t.Errorf("it runs %q", line)
	}
	f.waitFor("127.0.0.1:", "orders-prod.cluster-")
}

// What has been read is found by its name and its id, and leads to where it is.
func TestThePaletteFindsEveryKind(t *testing.T) {
	s, _, _ := onSimulator(t, everywhere(t))
	for typed, want := range map[string]string{
		"i-0123456789abcdef0": "Fleet › web-1",
		"weekly-patching":     "filter: id=mw-",
		"/myapp/prod/db":      "filter: name=/myapp/prod/db-url",
	} {
		s.Press("2", ":")
		s.Type(typed)
		s.Press("enter")
		s.Has(want)
		s.Press("esc")
	}
	set := dash.Feeds()
	ids := map[string]string{}
	for _, c := range set.Commands.All() {
		ids["command"] = cmp.Or(c.RunID, c.ID)
	}
	at := set.Nodes.Places()[0]
	ids["automation"], ids["session"], ids["forward"] = "51ab0000", "ann-0123456789abcdef0", "orders-tunnel"
	for kind, id := range ids {
		set.Executions.Set(at, []automation.Execution{{ID: "51ab0000-0000-4000-8000-000000000001", Document: "rotate-db", State: "Success"}}, time.Now())
		set.Past.Set(at, []sessions.Entry{{ID: "ann-0123456789abcdef0", Target: "i-0123456789abcdef0", Status: "Terminated"}}, time.Now())
		set.Saved.Set(grid.Place{}, []forwards.Entry{{Name: "orders-tunnel"}}, time.Now())
		s.Press("2", ":")
		s.Type(id)
		s.Has(id, kind)
		s.Press("enter")
		s.Lacks("2▸Fleet")
	}
	if len(ids) < 4 {
		t.Errorf("only %v were looked for", ids)
	}
}
