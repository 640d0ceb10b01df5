package pageparams

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/grid"
	"github.com/ssmdeck/ssmdeck/internal/parameter"
	"github.com/ssmdeck/ssmdeck/tui/deck"
	"github.com/ssmdeck/ssmdeck/tui/feed"
	"github.com/ssmdeck/ssmdeck/tui/sources"
	"github.com/ssmdeck/ssmdeck/tui/tuitest"
)

// canary is a value that nothing may show unasked.
const canary = "hunter2-canary"

// store is a page on a screen over parameters that a test holds.
type store struct {
	*tuitest.Screen
	page    *Page
	set     *sources.Set
	reads   []string // what was read, "decrypt" behind secrets
	failing error
}

func open(t testing.TB) *store {
	t.Helper()
	s := &store{set: &sources.Set{Parameters: feed.NewSource[parameter.Parameter](sources.Parameters, nil)}}
	s.Screen = tuitest.New(t, func(d *deck.Deck, desk *feed.Desk) []deck.Page {
		s.page = New(d, desk, s.set, Services{Value: s.value, History: s.history, Tags: s.tags})
		return []deck.Page{s.page, other{New(d, desk, s.set, Services{})}}
	})
	return s
}

// other is another page.
type other struct{ *Page }

func (other) ID() string { return "other" }

func (s *store) value(_ context.Context, _ grid.Place, name string, decrypt bool) (parameter.Parameter, error) {
	s.reads = append(s.reads, strings.TrimSpace(fmt.Sprint(name, " ", map[bool]string{true: "decrypt"}[decrypt])))
	p := parameter.Parameter{Name: name, Value: "value of " + name}
	if decrypt {
		p.Value = canary
	}
	if strings.HasSuffix(name, "hosts") {
		p.Value = "a,b\x1b[31m,c"
	}
	return p, s.failing
}

func (s *store) history(_ context.Context, _ grid.Place, name string, decrypt bool) ([]parameter.Parameter, error) {
	s.reads = append(s.reads, strings.TrimSpace(fmt.Sprint("history of ", name, " ", map[bool]string{true: "decrypt"}[decrypt])))
	typ := parameter.String
	values := []string{"three\nsame\n", "two\nsame\n", "one"}
	if strings.Contains(name, "password") {
		typ, values = parameter.SecureString, []string{"", "", ""}
		if decrypt {
			values = []string{canary, "old-" + canary, "older"}
		}
	}
	var out []parameter.Parameter
	for i, v := range values {
		p := parameter.Parameter{Name: name, Type: typ, Value: v, Version: int64(3 - i), Modified: tuitest.Now.Add(-time.Duration(i+1) * time.Hour), ModifiedBy: "arn:aws:iam::123456789012:user/alice"}
		if i == 1 {
			p.Labels = []string{"live"}
		}
		out = append(out, p)
	}
	return out, s.failing
}

func (s *store) tags(context.Context, grid.Place, string) (map[string]string, error) {
	return map[string]string{"team": "shop", "env": "prod\a"}, s.failing
}

func (s *store) fill() {
	at := func(d time.Duration) time.Time { return tuitest.Now.Add(-d) }
	expiry := func(d time.Duration) []parameter.Policy {
		return []parameter.Policy{{Type: parameter.Expiration, Text: `{"Type":"Expiration","Version":"1.0","Attributes":{"Timestamp":"` + tuitest.Now.Add(d).Format(time.RFC3339) + `"}}`}}
	}
	s.set.Parameters.Set(tuitest.Place, []parameter.Parameter{
		{Name: "/app/prod/db-password", Type: parameter.SecureString, Version: 3, Tier: parameter.Standard, KeyID: "alias/aws/ssm", Modified: at(100 * 24 * time.Hour), ModifiedBy: "arn:aws:iam::123456789012:user/alice", Description: "of the database"},
		{Name: "/app/prod/db-url", Type: parameter.String, Version: 3, Tier: parameter.Standard, Modified: at(2 * time.Hour), ModifiedBy: "arn:aws:sts::123456789012:assumed-role/Deploy/ci"},
		{Name: "/app/prod/hosts", Type: parameter.StringList, Version: 1, Tier: parameter.Standard, Modified: at(time.Hour)},
		{Name: "/app/stage/db-url", Type: parameter.String, Version: 1, Tier: parameter.Standard, Modified: at(26 * time.Hour)},
		{Name: "/pay/prod/key", Type: parameter.SecureString, Version: 12, Tier: parameter.Advanced, KeyID: "alias/pay", Modified: at(40 * 24 * time.Hour), Policies: expiry(3*24*time.Hour + time.Hour)},
		{Name: "/pay/prod/東京", Type: parameter.String, Version: 2, Tier: parameter.Advanced, Modified: at(9 * 24 * time.Hour), Policies: expiry(90 * 24 * time.Hour), Description: "日本"},
		{Name: "root", Type: parameter.String, Version: 1, Tier: parameter.Standard, Modified: at(time.Minute)},
	}, tuitest.Now)
	s.Changed(sources.Parameters)
}

// wait lets time pass, a second after the other.
func (s *store) wait(d time.Duration) {
	for range int(d / time.Second) {
		s.Deck.Now = s.Deck.Now.Add(time.Second)
		s.Send(deck.Tick{})
	}
}

func (s *store) on(t *testing.T, name string) {
	t.Helper()
	s.page.flat = true
	if !s.page.list.Select(deck.Key(tuitest.Place, name)) {
		t.Fatalf("there is no %s", name)
	}
	s.Send(deck.Tick{})
}

// act runs the action of a key without the root, and returns what it asks for.
func (s *store) act(t *testing.T, key string) tea.Msg {
	t.Helper()
	for _, a := range s.page.Actions() {
		if a.Key == key || a.Name == key {
			if a.Off != "" {
				return deck.Say{Text: a.Off}
			}
			if cmd := a.Do(); cmd != nil {
				return cmd()
			}
			return nil
		}
	}
	t.Fatalf("no action %q", key)
	return nil
}

func words(t *testing.T, msg tea.Msg, want string) deck.Line {
	t.Helper()
	l, ok := msg.(deck.Line)
	if got := strings.Join(l.Words, " "); !ok || got != want {
		t.Errorf("got %T %q, want %q", msg, got, want)
	}
	return l
}

func TestFrames(t *testing.T) {
	s := open(t)
	s.fill()
	s.Press("l", "j", "l", "j")
	s.Golden("tree")
	s.on(t, "/pay/prod/key")
	s.Golden("list")
	s.on(t, "/app/prod/db-url")
	s.Press("enter", "tab")
	s.Golden("versions")
}

func TestTheTreeCountsAsTheFooterDoes(t *testing.T) {
	s := open(t)
	many := make([]parameter.Parameter, 9000)
	for i := range many {
		many[i] = parameter.Parameter{Name: fmt.Sprintf("/load/%04d", i), Type: parameter.String}
	}
	s.set.Parameters.Set(tuitest.Place, many, tuitest.Now)
	s.Changed(sources.Parameters)
	s.Has("▹ load/ (9,000)")
}

func TestTheTree(t *testing.T) {
	s := open(t)
	s.Has("loading")
	s.fill()
	s.Has("▹ app/ (4)", "▹ pay/ (2)", "root")
	s.Lacks("prod/", "db-url")
	s.Press("l", "j", "enter", "j")
	s.Has("▾ app/ (4)", "▾ prod/ (3)", "db-password", "▹ stage/ (1)")
	if r, _ := s.page.current(); r.path != "/app/prod/db-password" {
		t.Errorf("the cursor is on %s", r.path)
	}
	s.Press("T")
	s.Has("/app/prod/db-password", "/pay/prod/東京", "▲ in 3 d")
	if r, _ := s.page.current(); r.path != "/app/prod/db-password" {
		t.Errorf("the cursor is on %s", r.path)
	}
	s.Press("G", "T") // root
	if r, _ := s.page.current(); r.path != "root" {
		t.Errorf("the cursor is on %s", r.path)
	}
	s.Press("g", "h", "h")
	s.Lacks("db-password")
	s.Type("/key")
	s.Press("enter")
	s.Has("/pay/prod/key")
	s.Lacks("app/")
	s.Press("esc")
	s.Has("▹ app/ (4)")
	kept := s.page.Layout()
	s.Press("T")
	again := open(t)
	again.page.SetLayout(s.page.Layout())
	if !again.page.flat {
		t.Error("the list is not kept")
	}
	again.page.SetLayout(kept)
	if again.page.flat {
		t.Error("the tree is not kept")
	}
}

func TestTheFilter(t *testing.T) {
	s := open(t)
	s.fill()
	for text, want := range map[string]string{
		"type=SecureString": "/app/prod/db-password /pay/prod/key",
		"expires<7d":        "/pay/prod/key",
		"tier=Advanced":     "/pay/prod/key /pay/prod/東京",
		"modified<1d":       "/app/prod/db-url /app/prod/hosts root",
		"db !stage":         "/app/prod/db-password /app/prod/db-url",
		"by=ci":             "/app/prod/db-url",
		"version>3":         "/pay/prod/key",
	} {
		if err := s.page.SetFilter(text); err != nil {
			t.Errorf("%s: %v", text, err)
		}
		var got []string
		for _, i := range s.page.list.Shown() {
			got = append(got, s.page.rows[i].path)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s shows %q, want %q", text, got, want)
		}
	}
	_ = s.page.SetFilter("nothing")
	s.Has("no parameter fits the filter")
	if err := s.page.SetFilter("colour=red"); err == nil || s.page.Filter() != "nothing" {
		t.Errorf("got %v, and the filter is %q", err, s.page.Filter())
	}
}

func TestSeveralPlacesAreTreesOfTheirOwn(t *testing.T) {
	s := open(t)
	s.page.SetLayout(open(t).page.Layout()) // as it was left where there was one place
	s.Deck.Where.Scopes = 2
	s.fill()
	other := grid.Place{Account: "123456789012", Region: "us-east-1"}
	s.set.Parameters.Set(other, []parameter.Parameter{{Name: "/app/prod/db-url", Type: parameter.String, Version: 1}}, tuitest.Now)
	s.Changed(sources.Parameters)
	s.Has("eu-west-1/ (7)", "us-east-1/ (1)", "REGION")
	s.Press("G", "l", "j", "l", "j", "l", "j")
	s.Has("db-url")
	if r, _ := s.page.current(); r.at != other || r.path != "/app/prod/db-url" {
		t.Errorf("the cursor is on %+v", r)
	}
	s.Press("T", "*")
	got := s.act(t, "delete").(tea.BatchMsg)
	if len(got) != 2 {
		t.Errorf("%d lines to delete in two places", len(got))
	}
}

// The service takes names that look like flags.
func TestNamesAreNoFlagsOfTheLineThatDeletes(t *testing.T) {
	s := open(t)
	s.set.Parameters.Set(tuitest.Place, []parameter.Parameter{{Name: "--dry-run", Type: parameter.String}, {Name: "plain", Type: parameter.String}}, tuitest.Now)
	s.Changed(sources.Parameters)
	s.Press("T", "*")
	l := words(t, s.act(t, "delete"), "param delete -- --dry-run plain")
	if got := strings.Join(deck.Running(l), " "); got != "param delete --yes -- --dry-run plain" || strings.Join(l.Preview, " ") != "param delete --dry-run -- --dry-run plain" {
		t.Errorf("it runs %q, after %q", got, l.Preview)
	}
}

// Nor of any other line: nothing of it becomes a flag, or falls out of the line so that
// another word is the name.
func TestANameIsNoFlagOfAnyLine(t *testing.T) {
	s := open(t)
	s.set.Parameters.Set(tuitest.Place, []parameter.Parameter{{Name: "--endpoint-url=https://x", Type: parameter.String, Version: 3}}, tuitest.Now)
	s.Changed(sources.Parameters)
	s.Press("T")
	words(t, s.act(t, "e"), "param edit -- --endpoint-url=https://x")
	words(t, s.act(t, "$"), "param cost -- --endpoint-url=https://x")
	words(t, s.act(t, "E"), "param expiring --all -- --endpoint-url=https://x")
	label := s.act(t, "+").(deck.Form)
	words(t, label.Done(map[string]string{"labels": "live"})(), "param label -- --endpoint-url=https://x:3 live")
	move := s.act(t, "M").(deck.Form)
	l := words(t, move.Done(map[string]string{"to": "/b", "history": "all", "over": "stays"})(), "param move --history -- --endpoint-url=https://x /b")
	if got := strings.Join(l.Preview, " "); got != "param move --history --dry-run -- --endpoint-url=https://x /b" {
		t.Errorf("the preview is %q", got)
	}
}

func TestValues(t *testing.T) {
	s := open(t)
	s.fill()
	s.on(t, "/app/prod/db-url")
	s.Has("value of /app/prod/db-url")
	s.on(t, "/app/prod/hosts")
	s.Has(`b\x1b[31m`)
	s.on(t, "/app/prod/db-password")
	s.Has("(hidden) v shows it")
	for _, r := range s.reads {
		if strings.Contains(r, "password") {
			t.Errorf("a secret was read unasked: %s", r)
		}
	}
	s.failing = fault.New(fault.Auth, "read parameter root", "denied").WithHint("ask for ssm:GetParameter")
	s.on(t, "root")
	s.Has("denied", "ask for ssm:GetParameter")
}

func TestASecretIsShownWhenAskedForAndNotLonger(t *testing.T) {
	steps := map[string]func(s *store){
		"v again":      func(s *store) { s.Press("v") },
		"30 seconds":   func(s *store) { s.wait(30 * time.Second) },
		"another row":  func(s *store) { s.Press("j") },
		"esc":          func(s *store) { s.Press("esc") },
		"a filter":     func(s *store) { s.Type("/stage") },
		"another size": func(s *store) { s.Size(120, 30) },
		"another page": func(s *store) {
			s.Send(deck.Open{Page: "other"})
			s.Lacks(canary)
			s.Send(deck.Open{Page: "parameters"})
		},
		"out of sight":    func(s *store) { s.Deck.Now = s.Deck.Now.Add(5 * time.Second); s.Send(deck.Tick{}) },
		"time without us": func(s *store) { s.Send(conceal{s.page.secret.store}) },
		"gone": func(s *store) {
			s.set.Parameters.Set(tuitest.Place, nil, tuitest.Now)
			s.Changed(sources.Parameters)
		},
		"editing": func(s *store) { s.Press("e") },
	}
	for name, hide := range steps {
		t.Run(name, func(t *testing.T) {
			s := open(t)
			s.Answer = nil
			s.fill()
			s.on(t, "/app/prod/db-password")
			s.Lacks(canary)
			s.Press("v")
			s.Has(canary, "Hidden")
			s.wait(20 * time.Second)
			s.Has(canary, "in 10 s")
			hide(s)
			s.Lacks(canary)
			s.everywhereElse(t)
			if v, known, _ := s.page.secret.read(); known || v.value != "" || s.page.secret.open() {
				t.Error("the secret is kept")
			}
		})
	}
}

// everywhereElse looks for the secret in what outlives a frame.
func (s *store) everywhereElse(t *testing.T) {
	t.Helper()
	for _, text := range append([]string{string(s.page.Layout()), fmt.Sprint(s.page.Plain()), fmt.Sprint(s.page.Status())}, s.Lines...) {
		if strings.Contains(text, canary) {
			t.Errorf("the secret is in %q", text)
		}
	}
	for _, a := range s.page.Actions() {
		if strings.Contains(a.Name+a.Help+a.Off, canary) {
			t.Errorf("the secret is in the action %+v", a)
		}
	}
}

func TestALateSecretGoesNowhere(t *testing.T) {
	s := open(t)
	s.fill()
	s.on(t, "/app/prod/db-password")
	cmd := s.page.reveal()
	late := cmd()
	s.Press("j", "k") // it is not asked for any more
	s.Send(late)
	s.Lacks(canary)
	if s.page.secret.open() {
		t.Error("the secret is open")
	}
	s.failing = errors.New("kms: access denied")
	s.Press("v")
	s.Has("kms: access denied")
}

func TestVersions(t *testing.T) {
	s := open(t)
	s.fill()
	s.on(t, "/app/prod/db-url")
	s.Press("enter")
	s.Has("team=shop", `env=prod\x07`)
	s.Press("tab")
	s.Has("Versions 3", "live", "alice", "version 2 to 3", "- two", "+ three", "  same")
	s.Press("j")
	s.Has("version 1 to 2", "- one")
	l := words(t, s.act(t, "b"), "param rollback /app/prod/db-url 2")
	if l.Level != deck.Change || strings.Join(l.Preview, " ") != "param rollback /app/prod/db-url 2 --dry-run" {
		t.Errorf("the line is %+v", l)
	}
	f := s.act(t, "+").(deck.Form)
	words(t, f.Done(map[string]string{"labels": "last-good live"})(), "param label /app/prod/db-url:2 last-good live")
	if f.Fields[0].Check("aws-x") == nil || f.Fields[0].Check(" ") == nil || f.Fields[0].Check("good") != nil {
		t.Error("labels are not checked as the command does")
	}
	s.Press("j")
	s.Has("the first version that is kept")
	s.Press("esc")
	s.Lacks("Versions")
	s.Press("enter")
	c := s.act(t, "b").(deck.Choose)
	if len(c.Entries) != 2 || c.Entries[0].Name != "2 live" {
		t.Errorf("to choose from: %+v", c.Entries)
	}
	before := len(s.reads)
	s.Send(written{}) // a label does not make a version
	if len(s.reads) == before {
		t.Error("the versions are not read again after a change")
	}
}

func TestVersionsOfASecret(t *testing.T) {
	s := open(t)
	s.fill()
	s.on(t, "/app/prod/db-password")
	s.Press("enter", "tab")
	s.Has("not compared, for it is secret")
	s.Press("v")
	s.Has("+ "+canary, "- old-"+canary)
	if s.reads[len(s.reads)-1] != "history of /app/prod/db-password decrypt" {
		t.Errorf("read: %q", s.reads)
	}
	s.wait(30 * time.Second)
	s.Lacks(canary)
	s.Has("not compared, for it is secret")
	s.Press("v")
	s.Press("esc")
	s.Lacks(canary)
	s.everywhereElse(t)
}

func TestLines(t *testing.T) {
	s := open(t)
	s.fill()
	s.on(t, "/app/prod/db-url")
	if l := words(t, s.act(t, "e"), "param edit /app/prod/db-url"); l.How != deck.OnScreen || l.Level != deck.Change {
		t.Errorf("the line is %+v", l)
	}
	words(t, s.act(t, "A"), "param advise /app/prod/db-url")
	words(t, s.act(t, "$"), "param cost /app/prod/db-url")
	words(t, s.act(t, "E"), "param expiring /app/prod/db-url --all")
	if l := words(t, s.act(t, "delete"), "param delete /app/prod/db-url"); l.Level != deck.Destructive || l.Type != "/app/prod/db-url" {
		t.Errorf("the line is %+v", l)
	}
	if got := s.act(t, "y").(deck.Show).Text; !strings.Contains(got, "version: 3") || strings.Contains(got, "value of") {
		t.Errorf("as YAML:\n%s", got)
	}
	if got := s.act(t, "copy value").(deck.Copy).Text; got != "value of /app/prod/db-url" {
		t.Errorf("copied %q", got)
	}
	if got := s.act(t, "v").(deck.Say).Text; !strings.Contains(got, "no secret") {
		t.Errorf("got %q", got)
	}
	f := s.act(t, "m").(deck.Form)
	l := words(t, f.Done(map[string]string{"to": "/b", "history": "all, with labels", "over": "is written over"})(), "param copy /app/prod/db-url /b --history --overwrite")
	if l.Level != deck.Disruptive || l.Preview == nil {
		t.Errorf("the line is %+v", l)
	}
	f = s.act(t, "M").(deck.Form)
	words(t, f.Done(map[string]string{"to": "/b", "history": "the latest", "over": "stays"})(), "param move /app/prod/db-url /b")
	f = s.act(t, "=").(deck.Form)
	words(t, f.Done(map[string]string{"with": "eu-west-1:/x", "secrets": "not compared"})(), "param diff /app/prod/db-url eu-west-1:/x --no-secrets")
	f = s.act(t, "x").(deck.Form)
	words(t, f.Done(map[string]string{"path": "/app", "file": "a.env", "format": "dotenv", "secrets": secretWords[0]})(), "param export /app --file a.env --format dotenv --no-secrets")
	l = words(t, f.Done(map[string]string{"path": "/app", "file": "a.env", "secrets": secretWords[1]})(), "param export /app --file a.env --decrypt")
	if l.Level != deck.Change {
		t.Errorf("secrets are written into a file at level %d", l.Level)
	}
	s.on(t, "/app/prod/db-password")
	if got := s.act(t, "copy value").(deck.Say).Text; !strings.Contains(got, "hidden") {
		t.Errorf("got %q", got)
	}
	s.Press("v")
	if got := s.act(t, "copy value").(deck.Copy).Text; got != canary {
		t.Errorf("copied %q", got)
	}
	s.Press("space", "space")
	words(t, s.act(t, "="), "param diff /app/prod/db-password /app/prod/db-url --no-secrets")
}

func TestFoldersTakeWhatIsBelow(t *testing.T) {
	s := open(t)
	s.fill()
	words(t, s.act(t, "A"), "param advise /app")
	f := s.act(t, "m").(deck.Form)
	words(t, f.Done(map[string]string{"to": "/b", "history": "the latest", "over": "stays"})(), "param copy /app /b --recursive")
	for _, key := range []string{"v", "e", "y", "delete", "b"} {
		if got, ok := s.act(t, key).(deck.Say); !ok || !strings.Contains(got.Text, "folder") {
			t.Errorf("%s: %v", key, got)
		}
	}
	if got := s.act(t, "n").(deck.Form).Fields[0].Value; got != "/app/" {
		t.Errorf("a new parameter begins with %q", got)
	}
}

func TestAValueIsNeverAmongTheWords(t *testing.T) {
	s := open(t)
	s.fill()
	f := s.act(t, "n").(deck.Form)
	if f.Fields[0].Check("/app/prod/db-url") != nil && f.Fields[0].Check("/app/prod/new") == nil && f.Fields[0].Check("aws/x y") != nil {
		value := f.Done(map[string]string{"name": "/app/prod/new", "type": parameter.SecureString, "key": "alias/app"})().(deck.Form)
		if !value.Fields[0].Secret {
			t.Error("a secret is typed in the open")
		}
		l := words(t, value.Done(map[string]string{"value": canary})(), "param set /app/prod/new - --type SecureString --key alias/app")
		if string(l.Input) != canary || l.Level != deck.Change || strings.Contains(l.What+fmt.Sprint(l.Facts), canary) {
			t.Errorf("the line is %+v", l)
		}
	} else {
		t.Error("names are not checked as the command does")
	}
	open := f.Done(map[string]string{"name": "/a", "type": parameter.String})().(deck.Form)
	if open.Fields[0].Secret || !open.Fields[0].Many {
		t.Errorf("the field is %+v", open.Fields[0])
	}
	search := s.act(t, "S").(deck.Form)
	l := words(t, search.Done(map[string]string{"text": canary, "path": "/app", "in": "values and secrets"})(), "param search - /app --values --decrypt")
	if string(l.Input) != canary {
		t.Errorf("the text goes to %q", l.Input)
	}
}

func TestWhatIsNotKnown(t *testing.T) {
	s := open(t)
	s.set.Parameters.Fail(tuitest.Place, fault.New(fault.Auth, "list parameters", "denied").WithHint("ask for ssm:DescribeParameters"))
	s.Changed(sources.Parameters)
	s.Has("not known", "ask for ssm:DescribeParameters")
	s.set.Parameters.Set(tuitest.Place, []parameter.Parameter{}, tuitest.Now)
	s.Changed(sources.Parameters)
	s.Has("there are no parameters")
	s.failing = errors.New("throttled")
	s.fill()
	s.on(t, "root")
	s.Press("enter", "tab")
	s.Has("not known: throttled")
}

func TestPlain(t *testing.T) {
	s := open(t)
	s.fill()
	p := s.page.Plain()
	if len(p.Items) != 3 || p.Items[0].Text != "folder /app, 4 parameters" || !strings.Contains(p.Summary[0], "7 parameters") {
		t.Errorf("plain: %+v", p)
	}
	s.Press("T")
	s.Type("/pay")
	s.Press("enter")
	p = s.page.Plain()
	if len(p.Items) != 2 || p.Items[0].Text != "/pay/prod/key, SecureString, version 12, modified 40 d ago, expires in 3 d" || !slices.Contains(p.Items[0].Detail, "Value: (hidden) v shows it") {
		t.Errorf("plain: %+v", p)
	}
}

// run runs a command of the page without the root.
func (s *store) run(cmd tea.Cmd) {
	if cmd == nil {
		return
	}
	switch msg := cmd().(type) {
	case tea.BatchMsg:
		for _, c := range msg {
			s.run(c)
		}
	default:
		s.run(s.page.Update(msg))
	}
}

func TestTheMouse(t *testing.T) {
	s := open(t)
	s.fill()
	s.Size(140, 40)
	click := func(x, y int) { s.run(s.page.Update(tea.MouseClickMsg{X: x, Y: y, Button: tea.MouseLeft})) }
	click(4, 3)
	if r, _ := s.page.current(); r.path != "root" {
		t.Errorf("the cursor is on %s", r.path)
	}
	click(130, 5)
	s.Has("Details", "Versions")
	click(130, 5)
	if s.page.pane != onVersions {
		t.Error("a click on the versions does not go there")
	}
	click(2, 0)
	if s.page.pane != onSheet {
		t.Error("a click on the details does not go there")
	}
}

func BenchmarkTenThousand(b *testing.B) {
	set := &sources.Set{Parameters: feed.NewSource[parameter.Parameter](sources.Parameters, nil)}
	var all []parameter.Parameter
	for i := range 10_000 {
		all = append(all, parameter.Parameter{Name: fmt.Sprintf("/app-%d/env-%d/key-%d", i%20, i%7, i), Type: parameter.String, Version: 1, Modified: tuitest.Now})
	}
	var page *Page
	s := tuitest.New(b, func(d *deck.Deck, desk *feed.Desk) []deck.Page {
		page = New(d, desk, set, Services{})
		return []deck.Page{page}
	})
	set.Parameters.Set(tuitest.Place, all, tuitest.Now)
	s.Changed(sources.Parameters)
	s.Press("T")
	for b.Loop() {
		s.Press("j")
		_ = s.Frame()
	}
}

func TestNoKeyAndNoSizeIsTooMuch(t *testing.T) {
	keys := []string{"j", "k", "l", "h", "enter", "tab", "shift+tab", "esc", "v", "T", "space", "*", "g", "G", "pgdown", "pgup", "<", ">", "I", "b", "+", "x", "=", "c", "y", "n", "up", "left", "right"}
	sizes := [][2]int{{80, 24}, {1, 1}, {40, 10}, {3, 2}, {140, 40}, {20, 3}, {99, 15}}
	s := open(t)
	random := rand.New(rand.NewPCG(1, 2))
	for i := range 3000 {
		switch random.IntN(40) {
		case 0:
			s.fill()
		case 1:
			s.set.Parameters.Set(tuitest.Place, nil, tuitest.Now)
			s.Changed(sources.Parameters)
		case 2:
			size := sizes[random.IntN(len(sizes))]
			s.Size(size[0], size[1])
		case 3:
			_ = s.page.SetFilter([]string{"", "db", "type=SecureString"}[random.IntN(3)])
		default:
			s.Press(keys[random.IntN(len(keys))])
		}
		if frame := s.Frame(); i%100 == 0 && strings.Count(frame, "\n") > 40 {
			t.Fatal("the frame is too high")
		}
		_ = s.page.Plain()
	}
}

// Where nothing is yet, a new parameter is made in the place that the form is about,
// and not wherever a line without one would go.
func TestTheFirstParameterHasAPlace(t *testing.T) {
	s := open(t)
	s.Desk.Cells = []grid.Cell{{Place: tuitest.Place}}
	s.set.Parameters.Set(tuitest.Place, nil, tuitest.Now)
	s.Changed(sources.Parameters)
	f := s.act(t, "n").(deck.Form)
	f = f.Done(map[string]string{"name": "/a", "type": parameter.String})().(deck.Form)
	if l := f.Done(map[string]string{"value": "x"})().(deck.Line); l.At != tuitest.Place {
		t.Errorf("it is made in %q", l.At)
	}
}
