package pagefleet_test

import (
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"

	"github.com/ssmdeck/ssmdeck/internal/fleet"
	"github.com/ssmdeck/ssmdeck/internal/grid"
	"github.com/ssmdeck/ssmdeck/tui/deck"
	"github.com/ssmdeck/ssmdeck/tui/sources"
	"github.com/ssmdeck/ssmdeck/tui/tuitest"
)

// action is the action of a key or, without one, a name.
func (f *fixture) action(t *testing.T, key string) deck.Action {
	t.Helper()
	for _, a := range f.page.Actions() {
		if a.Key == key || a.Key == "" && a.Name == key {
			return a
		}
	}
	t.Fatalf("there is no action %q", key)
	return deck.Action{}
}

// do runs an action and returns what it asks the root for.
func (f *fixture) do(t *testing.T, key string) []tea.Msg {
	t.Helper()
	a := f.action(t, key)
	if a.Off != "" {
		t.Fatalf("%s is off: %s", key, a.Off)
	}
	return messages(a.Do())
}

// messages are what a command brings for the root.
func messages(cmd tea.Cmd) []tea.Msg {
	if cmd == nil {
		return nil
	}
	switch msg := cmd().(type) {
	case nil:
		return nil
	case tea.BatchMsg:
		var all []tea.Msg
		for _, c := range msg {
			all = append(all, messages(c)...)
		}
		return all
	default:
		return []tea.Msg{msg}
	}
}

// lines are the command lines among messages.
func lines(msgs []tea.Msg) []deck.Line {
	var out []deck.Line
	for _, m := range msgs {
		if l, ok := m.(deck.Line); ok {
			out = append(out, l)
		}
	}
	return out
}

// fill fills in the form among messages.
func fill(t *testing.T, msgs []tea.Msg, values map[string]string) []tea.Msg {
	t.Helper()
	for _, m := range msgs {
		form, ok := m.(deck.Form)
		if !ok {
			continue
		}
		all := map[string]string{}
		for _, field := range form.Fields {
			all[field.Name] = field.Value
			if v, ok := values[field.Name]; ok {
				all[field.Name] = v
			}
			if field.Check != nil {
				if err := field.Check(all[field.Name]); err != nil {
					t.Fatalf("%s %q: %v", field.Name, all[field.Name], err)
				}
			}
		}
		return messages(form.Done(all))
	}
	t.Fatalf("no form among %v", msgs)
	return nil
}

func one(t *testing.T, msgs []tea.Msg) deck.Line {
	t.Helper()
	all := lines(msgs)
	if len(all) != 1 {
		t.Fatalf("%d lines among %v", len(all), msgs)
	}
	return all[0]
}

func said(l deck.Line) string { return strings.Join(l.Words, " ") }

func TestLinesOfOneNode(t *testing.T) {
	f := open(t).fill()
	f.Press("j") // 東京サーバー, online
	const id = "i-0c3d4e5f607182930"
	for key, want := range map[string]struct {
		line  string
		how   deck.How
		level deck.Level
	}{
		"s":    {"shell " + id, deck.OnScreen, deck.Read},
		"ssh":  {"ssh " + id, deck.OnScreen, deck.Read},
		"y":    {"node get " + id + " -o yaml", deck.InPane, deck.Read},
		"p":    {"patch scan -t " + id + " --no-wait", deck.Quietly, deck.Change},
		"U":    {"node agents update -t " + id, deck.InPane, deck.Change},
		"ping": {"node ping -t " + id, deck.InPane, deck.Read},
	} {
		l := one(t, f.do(t, key))
		if said(l) != want.line || l.How != want.how || l.Level != want.level || l.At != tuitest.Place {
			t.Errorf("%s: %q how %d level %d at %v", key, said(l), l.How, l.Level, l.At)
		}
	}
}

func TestOfflineNodesAreOffered(t *testing.T) {
	f := open(t).fill() // web-2 is lost
	for _, key := range []string{"s", "f", "ssh"} {
		if a := f.action(t, key); !strings.Contains(a.Off, "d says why") {
			t.Errorf("%s on a node that is lost: %q", key, a.Off)
		}
	}
	if a := f.action(t, "deregister"); !strings.Contains(a.Off, "outside EC2") {
		t.Errorf("an instance can be deregistered: %q", a.Off)
	}
	f.Press("G") // warehouse
	l := one(t, f.do(t, "deregister"))
	if l.Level != deck.Destructive || l.Type != "warehouse" || said(l) != "node deregister mi-0c5d6e7f8a9b0c1d2" {
		t.Errorf("got %+v", l)
	}
}

func TestRun(t *testing.T) {
	f := open(t).fill()
	f.Press("space", "space") // web-2, which is lost, and 東京サーバー
	l := one(t, fill(t, f.do(t, "r"), map[string]string{"command": "uptime\ndate", "concurrency": "10%", "errors": "2", "timeout": "1h", "comment": "a look"}))
	want := "run -t i-0a1b2c3d4e5f60718 -t i-0c3d4e5f607182930 --concurrency 10% --max-errors 2 --exec-timeout 1h --comment a look --no-wait -- uptime\ndate"
	if said(l) != want {
		t.Errorf("got  %q\nwant %q", said(l), want)
	}
	if len(l.Facts) != 2 || l.Facts[0].Value != "2: web-2, 東京サーバー" || l.Facts[1].Name != "Offline" || !strings.Contains(l.Facts[1].Value, "1: web-2") {
		t.Errorf("the box says %v", l.Facts)
	}
	l = one(t, fill(t, f.do(t, "r"), map[string]string{"document": "AWS-UpdateSSMAgent", "params": "allowDowngrade=false\n\n"}))
	if !strings.HasSuffix(said(l), "--document AWS-UpdateSSMAgent --param allowDowngrade=false --no-wait") {
		t.Errorf("got %q", said(l))
	}
	for _, v := range []map[string]string{{}, {"command": "date", "document": "AWS-UpdateSSMAgent"}} {
		if got := fill(t, f.do(t, "r"), v); len(lines(got)) != 0 {
			t.Errorf("%v became %v", v, got)
		}
	}
}

func TestWhatWasSentIsOpened(t *testing.T) {
	f := open(t).fill()
	l := one(t, f.do(t, "p"))
	for _, tt := range []struct {
		result deck.Result
		want   string
	}{
		{deck.Result{Out: []byte("2b196342-d7d4-436e-8f09-3883a1116ac3\n3b196342-d7d4-436e-8f09-3883a1116ac3\n")}, "id=2b196342-d7d4-436e-8f09-3883a1116ac3"},
		{deck.Result{Code: 4, Out: []byte("2b196342\n")}, ""},
		{deck.Result{Out: []byte("something else\n")}, ""},
		{deck.Result{}, ""},
	} {
		got := ""
		for _, m := range messages(f.page.Update(l.Done(tt.result))) {
			if o, ok := m.(deck.Open); ok && o.Page == "commands" {
				got = o.Filter
			}
		}
		if got != tt.want {
			t.Errorf("%+v opens %q, want %q", tt.result, got, tt.want)
		}
	}
}

func TestSeveralPlacesAreSeveralLines(t *testing.T) {
	f := open(t).fill()
	other := grid.Place{Account: "222222222222", Region: "us-east-1"}
	nodes := someNodes()[:1]
	nodes[0].Name = "far"
	f.set.Nodes.Set(other, nodes, tuitest.Now)
	f.Deck.Where.Scopes = 2
	f.Changed(sources.Nodes)
	f.Size(200, 30)
	f.Has("REGION", "us-east-1")
	f.Press("*")
	all := lines(f.do(t, "p"))
	if len(all) != 2 || all[0].At == all[1].At {
		t.Fatalf("got %d lines: %v", len(all), all)
	}
	for _, l := range all {
		if want := map[grid.Place]int{tuitest.Place: 7, other: 1}[l.At]; strings.Count(said(l), "-t ") != want {
			t.Errorf("%v: %s", l.At, said(l))
		}
	}
}

func TestManyNodesAreReadFromStandardInput(t *testing.T) {
	f := open(t)
	nodes := make([]fleet.Node, 501)
	for i := range nodes {
		nodes[i] = someNodes()[0]
		nodes[i].ID = "i-" + strings.Repeat("0", 14) + string(rune('a'+i/256%6)) + hex(i)
	}
	f.set.Nodes.Set(tuitest.Place, nodes, tuitest.Now)
	f.Changed(sources.Nodes)
	f.Press("*")
	l := one(t, f.do(t, "p"))
	if said(l) != "patch scan -t - --no-wait" || strings.Count(string(l.Input), "\n") != 501 {
		t.Errorf("%s with %d bytes of input", said(l), len(l.Input))
	}
	l = one(t, fill(t, f.do(t, "P"), nil))
	if got := strings.Join(l.Preview, " "); !strings.HasPrefix(got, "patch install -t - ") || !strings.HasSuffix(got, "--dry-run") {
		t.Errorf("the preview is %q", got)
	}
	l = one(t, fill(t, f.do(t, "e"), map[string]string{"tags": "env=prod\n-odd=1"}))
	if said(l) != "node tag - -- env=prod -odd=1" || strings.Count(string(l.Input), "\n") != 501 {
		t.Errorf("%s with %d bytes of input", said(l), len(l.Input))
	}
}

func hex(i int) string {
	const digits = "0123456789abcdef"
	return string([]byte{digits[i/16%16], digits[i%16]})
}

func TestInstallShowsWhatWouldHappen(t *testing.T) {
	f := open(t).fill()
	l := one(t, fill(t, f.do(t, "P"), map[string]string{"waves": "1,100%", "health": "systemctl is-active nginx"}))
	want := "patch install -t i-0a1b2c3d4e5f60718 --reboot if-needed --waves 1,100% --health systemctl is-active nginx"
	if said(l) != want || strings.Join(l.Preview, " ") != want+" --dry-run" || l.Level != deck.Disruptive {
		t.Errorf("got %q, preview %q, level %d", said(l), l.Preview, l.Level)
	}
}

func TestForward(t *testing.T) {
	f := open(t).fill()
	f.Press("j")
	msgs := f.do(t, "f")
	for _, m := range msgs {
		f.Send(m) // what has been read
	}
	for _, m := range msgs {
		form, ok := m.(deck.Form)
		if !ok {
			continue
		}
		got := form.Fields[0].Choices("ORDERS")
		if len(got) != 1 || !strings.HasPrefix(got[0], "orders.cluster-xyz.eu-west-1.rds.amazonaws.com:5432 ") {
			t.Errorf("offers %q", got)
		}
		if all := form.Fields[0].Choices(""); len(all) != 1 {
			t.Errorf("offers what another network has: %q", all)
		}
	}
	for to, want := range map[string]string{
		"80": "80:80", "db.internal:5432": "5432:db.internal:5432", "orders.example:5432  aurora orders": "5432:orders.example:5432", "[fd00::1]:443": "443:[fd00::1]:443",
	} {
		l := one(t, fill(t, msgs, map[string]string{"to": to}))
		if said(l) != "forward i-0c3d4e5f607182930 "+want {
			t.Errorf("%s: %s", to, said(l))
		}
	}
	l := one(t, fill(t, msgs, map[string]string{"to": "80", "local": "0"}))
	if said(l) != "forward i-0c3d4e5f607182930 0:80" {
		t.Errorf("got %s", said(l))
	}
	for _, m := range msgs {
		if form, ok := m.(deck.Form); ok {
			for _, wrong := range []string{"", "web", "host:", "host:99999", "a:b:c"} {
				if form.Fields[0].Check(wrong) == nil {
					t.Errorf("%q is taken", wrong)
				}
			}
		}
	}
}

func TestTags(t *testing.T) {
	f := open(t).fill()
	l := one(t, fill(t, f.do(t, "e"), map[string]string{"tags": "Name=web-2\nenv=staging\nteam=shop"}))
	if said(l) != "node tag i-0a1b2c3d4e5f60718 env=staging role- team=shop" || l.Level != deck.Change {
		t.Errorf("got %q", said(l))
	}
	if got := fill(t, f.do(t, "e"), nil); len(lines(got)) != 0 {
		t.Errorf("no change became %v", got)
	}
	f.Press("space", "space")
	l = one(t, fill(t, f.do(t, "e"), map[string]string{"tags": "env=dev\nowner-"}))
	if said(l) != "node tag i-0a1b2c3d4e5f60718,i-0c3d4e5f607182930 env=dev owner-" {
		t.Errorf("got %q", said(l))
	}
}

// A tag that is not one line, or not the same again when it is read as one, is left
// alone: what nobody has changed must not be changed.
func TestTagsThatNoLineSaysStayAsTheyAre(t *testing.T) {
	f := open(t).fill()
	var nodes []fleet.Node
	for _, r := range f.set.Nodes.Rows() {
		if r.Place == tuitest.Place {
			if r.Value.ID == "i-0a1b2c3d4e5f60718" {
				r.Value.Tags = map[string]string{"env": "prod", "note": "a\nowner=eve", "a=b": "c", "blank": "x ", " k": "v", "bell": "\a"}
			}
			nodes = append(nodes, r.Value)
		}
	}
	f.set.Nodes.Set(tuitest.Place, nodes, tuitest.Now)
	f.Changed(sources.Nodes)
	asked := f.do(t, "e")
	for _, m := range asked {
		if form, ok := m.(deck.Form); ok && (form.Fields[0].Value != "env=prod" || !strings.Contains(form.Title, "without 5 tags")) {
			t.Errorf("%s: %q", form.Title, form.Fields[0].Value)
		}
	}
	if got := lines(fill(t, asked, nil)); len(got) != 0 {
		t.Errorf("no change became %v", got)
	}
	if l := one(t, fill(t, f.do(t, "e"), map[string]string{"tags": "env=dev"})); said(l) != "node tag i-0a1b2c3d4e5f60718 env=dev" {
		t.Errorf("got %q", said(l))
	}
}

func TestRepair(t *testing.T) {
	f := open(t).fill()
	f.Press("d", "j") // from the first failure to the role
	l := one(t, f.do(t, "enter"))
	if said(l) != "doctor i-0a1b2c3d4e5f60718 --fix" || said(deck.Line{Words: l.Preview}) != "doctor i-0a1b2c3d4e5f60718 --fix --dry-run" || l.Level < deck.Change {
		t.Errorf("got %+v", l)
	}
	n := len(f.asked["doctor"])
	f.Send(l.Done(deck.Result{}))
	if len(f.asked["doctor"]) != n+1 {
		t.Error("it was not examined again after the repair")
	}
	f.Press("k")
	var shown deck.Show
	for _, m := range f.do(t, "enter") {
		shown, _ = m.(deck.Show)
	}
	if !strings.Contains(shown.Text, "last ping 3 h ago") || strings.ContainsRune(shown.Text, 0x1b) {
		t.Errorf("shows %q", shown.Text)
	}
}

func TestConsoleOfThePartition(t *testing.T) {
	for region, want := range map[string]string{
		"eu-west-1":     "https://eu-west-1.console.aws.amazon.com/systems-manager/",
		"cn-north-1":    "https://cn-north-1.console.amazonaws.cn/systems-manager/",
		"us-gov-west-1": "https://us-gov-west-1.console.amazonaws-us-gov.com/systems-manager/",
	} {
		f := open(t)
		f.set.Nodes.Set(grid.Place{Account: "1", Region: region}, someNodes(), tuitest.Now)
		f.Changed(sources.Nodes)
		var got deck.Browse
		for _, m := range f.do(t, "o") {
			got, _ = m.(deck.Browse)
		}
		if !strings.HasPrefix(got.URL, want) || !strings.Contains(got.URL, "i-0a1b2c3d4e5f60718") {
			t.Errorf("%s: %s", region, got.URL)
		}
	}
}

func TestCopyQuotesAndExportAsksThePlaces(t *testing.T) {
	f := open(t).fill()
	f.Deck.Flags = func(grid.Place) []string { return []string{"--region", "eu-west-1"} }
	for _, m := range f.do(t, "c") {
		c, ok := m.(deck.Choose)
		if !ok {
			t.Fatalf("got %v", m)
		}
		got, _ := messages(c.Done(0))[0].(deck.Copy)
		if got.Text != "ssmdeck shell i-0a1b2c3d4e5f60718 --region eu-west-1" {
			t.Errorf("copied %q", got.Text)
		}
	}
	if err := f.page.SetFilter("ping=lost"); err != nil {
		t.Fatal(err)
	}
	for _, m := range f.do(t, "x") {
		c, ok := m.(deck.Choose)
		if !ok {
			t.Fatalf("got %v", m)
		}
		if l := one(t, messages(c.Done(0))); said(l) != "ls --filter ping=lost --with ec2,tags,patch -o csv" || l.At != tuitest.Place {
			t.Errorf("got %q", said(l))
		}
	}
}
