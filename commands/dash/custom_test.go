package dash_test

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ssmdeck/ssmdeck/commands"
	"github.com/ssmdeck/ssmdeck/commands/dash"
	"github.com/ssmdeck/ssmdeck/internal/automation"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/grid"
	"github.com/ssmdeck/ssmdeck/internal/sessions"
	"github.com/ssmdeck/ssmdeck/internal/simulator/world"
	"github.com/ssmdeck/ssmdeck/tui/deck"
	"github.com/ssmdeck/ssmdeck/tui/feed"
	"github.com/ssmdeck/ssmdeck/tui/sources"
	"github.com/ssmdeck/ssmdeck/tui/tuitest"
)

// ownFlow is a flow on the view Fleet with a file of the user's own.
func ownFlow(t *testing.T, file string, o flowOptions) *flow {
	t.Helper()
	path := filepath.Join(t.TempDir(), "dash.yaml")
	if err := os.WriteFile(path, []byte(file), 0o600); err != nil {
		t.Fatal(err)
	}
	o.env = map[string]string{"SSMDECK_DASH": path}
	o.dash = dash.Options{View: "fleet", Calls: 1000}
	f := startFlow(t, o)
	f.waitUntil("waiting for dash.yaml to be read", func() bool { // until then its keys do nothing
		f.mu.Lock()
		defer f.mu.Unlock()
		return f.own
	})
	return f
}

// settled holds a file against the real views and commands.
func settled(t *testing.T, text string) (map[string]deck.Level, string) {
	t.Helper()
	f := startFlow(t, flowOptions{dash: dash.Options{View: "fleet", Calls: 100}})
	levels, faults, err := dash.Settled(t.Context(), f.env(flowOptions{}), commands.Run, dash.Options{Calls: 100, Parse: commands.Parse}, text)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, err := range faults {
		all = append(all, err.Error())
	}
	return levels, strings.Join(all, "\n")
}

const webs = `
views:
  - {name: lost in prod, view: fleet, filter: 'ping=lost tag:env=prod', key: alt+1}
  - {name: enabled windows, view: windows, filter: state=enabled, key: alt+w}
commands:
  - name: restart
    key: alt+r
    run: run {{.Nodes}} --no-wait -- systemctl restart {{.Ask.service}}
    ask: [{name: service, title: Which service, default: nginx}]
    confirm: disruptive
  - {name: who is it, key: alt+i, run: 'node get {{.Node.ID}}'}
`

func TestFlowOwnViews(t *testing.T) {
	f := ownFlow(t, webs, flowOptions{})
	f.waitFor("web-1", "worker-dev")
	f.press("?")
	f.write("your view")
	f.waitFor("alt+1", "fleet ping=lost tag:env=prod")
	f.press("esc", "alt+1")
	f.waitFor("filter: ping=lost tag:env=prod")
	f.press("alt+w") // from any view
	f.waitFor("8▸Windows", "filter: state=enabled")
	f.press(":")
	f.write("lost in pr")
	f.waitFor("your view: fleet")
	f.press("enter")
	f.waitFor("2▸Fleet", "filter: ping=lost tag:env=prod")
}

// What the user's own line decrypts is no longer there than what v shows.
func TestFlowOwnCommandThatDecrypts(t *testing.T) {
	f := ownFlow(t, "commands:\n  - {name: look, key: alt+l, run: 'param get /myapp/prod/db-password --decrypt'}\n", flowOptions{})
	f.waitFor("web-1", "worker-dev")
	f.press("alt+l")
	f.waitFor("Enter does it")
	f.press("enter")
	f.waitFor(secretOfDemo, "hidden again in")
	f.press("esc", "@", "enter")
	f.waitFor("it showed secrets: nothing of it was kept")
}

func TestFlowOwnCommandOnMarkedNodes(t *testing.T) {
	f := ownFlow(t, webs, flowOptions{})
	f.waitFor("web-1", "worker-dev")
	f.filter("tag:role=web ping=online")
	f.waitFor("5 of 13")
	f.press("*", "alt+i") // about one node
	f.waitFor("who is it: it is about one row, and 5 are chosen")
	f.press("alt+r")
	f.waitFor("restart on 5 nodes", "Which service", "nginx")
	f.press("enter")
	f.waitFor("restart on 5 nodes?", "5: ", "and 1 more", "ssmdeck run -t i-", "restart nginx", "dash.yaml:6", "y does it")
	f.press("enter") // is no yes to what interrupts
	f.press("y")
	line := f.waitLine("run -t")
	if strings.Count(line, "-t i-") != 5 || !strings.HasSuffix(line, "--no-wait --yes -- systemctl restart nginx") {
		t.Errorf("ran %q", line)
	}
	f.press("esc", "esc", "esc")
	f.filter("name=web-1")
	f.press("alt+i") // only reads: it runs at once
	if line := f.waitLine("node get"); line != "node get i-0123456789abcdef0" {
		t.Errorf("ran %q", line)
	}
}

const hostileName = `-x "a" 'b' $(id>/tmp/x) ; rm`

// hostileFleet has a node whose name and tag are made to be more than a name.
func hostileFleet(t *testing.T) *world.Scenario {
	sc, err := world.ParseScenario("test.yaml", []byte(fmt.Sprintf(
		"account: \"123456789012\"\nregion: us-east-1\nnodes:\n  - {id: i-0aaaaaaaaaaaaaaaa, name: %q, tags: {owner: \"x; reboot\"}}\n", hostileName)))
	if err != nil {
		t.Fatal(err)
	}
	return sc
}

func TestFlowNamesOfTheFleetAreNothingButNames(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the program is a script of a POSIX shell")
	}
	dir := t.TempDir()
	script, got := filepath.Join(dir, "note"), filepath.Join(dir, "got")
	if err := os.WriteFile(script, []byte("#!/bin/sh\nprintf '<%s>' \"$@\" > "+got+"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	f := ownFlow(t, fmt.Sprintf(`
commands:
  - {name: note, key: alt+n, exec: '%[1]s -- "{{.Node.Name}}" to={{.Node.Tag.owner}} {{.Node.ID}}'}
  - {name: flag, key: alt+f, exec: '%[1]s {{.Node.Name}}'}
  - {name: echo, key: alt+e, run: 'exec {{.Node.ID}} -- echo for {{.Node.Tag.owner}}'}
  - {name: mine, key: alt+m, run: 'param set /x {{.Node.Tag.owner}}'}
  - {name: none, key: alt+z, run: 'exec {{.Node.ID}} -- echo {{.Node.Tag.nosuch}}'}
`, script), flowOptions{scenario: hostileFleet(t)})
	f.waitFor("-x \"a\" 'b'", "x; reboot", "us-east-1a")
	f.press("alt+n")
	f.waitFor("note on -x", "Where", "us-east-1", script+` -- '-x "a" '\''b'\''`, `$(id>/tmp/x) ; rm' "to=x; reboot"`, "i-0aaaaaaaaaaaaaaaa", "dash.yaml:3", "Enter does it")
	f.press("esc")
	if _, err := os.Stat(got); err == nil {
		t.Fatal("the program ran before anybody said yes")
	}
	f.waitGone("Enter does it")
	f.press("alt+n")
	f.waitFor("Enter does it")
	f.press("enter")
	f.waitFor("note on -x", "ended: exit 0")
	data, err := os.ReadFile(got)
	if want := "<--><" + hostileName + "><to=x; reboot><i-0aaaaaaaaaaaaaaaa>"; err != nil || string(data) != want {
		t.Errorf("it was given %s, %v; want %s", data, err, want)
	}
	f.press("alt+f")
	f.waitFor("would be read as a flag")
	f.press("alt+m")
	f.waitFor("would be more than a name to ssmdeck")
	f.press("alt+z")
	f.waitFor("{{.Node.Tag.nosuch}} is empty, or not known of -x")
	f.press("alt+e") // the shell of the node is given one word
	f.waitFor(`-- echo for "x; reboot"`, "Enter does it")
	f.press("enter")
	f.waitLine("exec i-0aaaaaaaaaaaaaaaa")
	f.waitFor("for x; reboot")
}

func TestFlowReadOnlyOffersWhatReads(t *testing.T) {
	got := filepath.Join(t.TempDir(), "got")
	f := ownFlow(t, webs+fmt.Sprintf("  - {name: touch it, key: alt+t, exec: 'touch %s'}\n", got), flowOptions{flags: []string{"--read-only"}})
	f.waitFor("web-1", "worker-dev")
	f.filter("name=web-1")
	f.press("alt+r")
	f.waitFor("restart would change something, and this dashboard is read-only")
	f.press("alt+t")
	f.waitFor("touch it would change something")
	f.press("alt+i")
	f.waitLine("node get i-0123456789abcdef0")
	if _, err := os.Stat(got); err == nil {
		t.Error("a program ran")
	}
}

// The user's own are there in plain text, too, behind what the view offers.
func TestPlainTextOffersTheUsersOwn(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the program is one of POSIX")
	}
	f := ownFlow(t, webs+"  - {name: say it, exec: 'echo it is {{.Node.ID}}'}\n", flowOptions{})
	f.waitFor("web-1", "worker-dev")
	play := func(typed ...string) string {
		env := f.env(flowOptions{env: map[string]string{"SSMDECK_DASH": os.Getenv("SSMDECK_DASH")}})
		var out bytes.Buffer
		env.Out, env.Err, env.In = &out, &out, strings.NewReader(strings.Join(typed, "\n")+"\n")
		if code := commands.Run(t.Context(), env.Again([]string{"dash", "fleet", "--plain"}, nil)); code != 0 {
			t.Fatalf("exit %d:\n%s", code, &out)
		}
		return out.String()
	}
	listed := play("/ name=web-1", "1", "", "q")
	number := regexp.MustCompile(`(\d+)\. say it: your command: echo it is {{\.Node\.ID}}`).FindStringSubmatch(listed)
	if number == nil || !strings.Contains(listed, "lost in prod (alt+1): your view: fleet ping=lost tag:env=prod") {
		t.Fatalf("they are not offered:\n%s", listed)
	}
	said := play("/ name=web-1", "1", number[1], "y", "q")
	for _, want := range []string{"Command: echo it is i-0123456789abcdef0", "Where: ", "it is i-0123456789abcdef0\n", "Back in the dashboard."} {
		if !strings.Contains(said, want) {
			t.Errorf("%q is not said:\n%s", want, said)
		}
	}
}

// A file that is wrong keeps nobody from the dashboard, and what is right of it works.
func TestFlowABrokenFileIsAWarning(t *testing.T) {
	f := ownFlow(t, webs+"  - {name: later, run: frobnicate}\n  - {name: x, rnu: ls}\n", flowOptions{})
	f.waitFor("web-1", "dash.yaml:13: ", "(and 2 more faults)", "what is right of the file works")
	f.press(":")
	f.write("faults of")
	f.press("enter")
	f.waitFor("Faults of", `unknown key "rnu"`, `unknown command "frobnicate"`)
	f.press("esc", "alt+1")
	f.waitFor("filter: ping=lost tag:env=prod")

	f = ownFlow(t, "commands: [\n", flowOptions{})
	f.waitFor("web-1", "dash.yaml:", "what is right of the file works")
}

func TestOwnLinesThatCannotBe(t *testing.T) {
	command := func(line string) string {
		return "commands:\n  - name: x\n    " + line + "\n  - {name: fine, run: ls}\n"
	}
	ask := "\n    ask: [{name: a}]"
	for _, c := range []struct{ name, text, want string }{
		{"no command", command("run: frobnicate x"), `2: "x": unknown command "frobnicate"`},
		{"no command of a noun", command("run: node gte x"), "did you mean `ssmdeck node get`?"},
		{"nothing by itself", command("run: node"), `ssmdeck node does nothing by itself`},
		{"no flag", command("run: run {{.Nodes}} --concurency 3 -- uptime"), "--concurrency"},
		{"bad value", command("run: ls --limit many"), `--limit "many" is not a whole number`},
		{"no argument", command("run: command get"), `2: "x": `},
		{"help", command("run: ls --help"), `--help does nothing here`},
		{"another place", command("run: ls --profile other"), `--profile is not for a line of the dashboard`},
		{"not read-only", command("run: run {{.Nodes}} --read-only=false -- uptime"), `--read-only is not for a line`},
		{"yes", command("run: run {{.Nodes}} -y -- uptime"), `--yes is not for a line`},
		{"itself", command("run: dash"), `no use inside of the dashboard`},
		{"by name", command("run: shell {{.Node.Name}}"), `the node of shell cannot be a name`},
		{"target by name", command("run: run -t {{.Node.Name}} -- uptime"), `--target cannot be a name`},
		{"target by tag", command("run: run -t tag:env={{.Node.Tag.env}} -- uptime"), `--target cannot be a name`},
		{"copy to a name", command("run: cp ./x {{.Node.Name}}:/etc/x"), `the node of cp cannot be a name`},
		{"copy to what may be a node", command("run: cp {{.Node.ID}}:/x log-{{.Node.Name}}"), `the node of cp cannot be a name`},
		{"copy to a tag", command("run: 'cp ./x tag:env={{.Node.Tag.env}}:/x'"), `the node of cp cannot be a name`},
		{"repair by name", command("run: doctor {{.Node.Name}} --fix"), `the node of doctor cannot be a name`},
		{"inventory by name", command("run: inventory enable {{.Node.Name}}"), `the node of enable cannot be a name`},
		{"through a name", command("run: forward rds orders --via {{.Node.Name}}"), `--via cannot be a name`},
		{"window by name", command("run: window delete {{.Window.Name}}"), `the window of delete cannot be a name`},
		{"fine with a copy into a folder", command("run: 'cp {{.Node.ID}}:/var/log/{{.Node.Tag.app}}.log ./logs/{{.Node.Name}}.log'"), ""},
		{"fine with the name of a window", command("run: 'param list {{.Window.Name}}'"), ""},
		{"confirm what reads", command("run: ls\n    confirm: change"), `it only reads`},
		{"bad filter", "views:\n  - {name: x, view: fleet, filter: nosuch=1}\ncommands:\n  - {name: fine, run: ls}\n", `2: the filter of "x" is none of fleet: there is no filter key "nosuch"`},
		{"filter of another view", "views:\n  - {name: x, view: windows, filter: ping=lost}\ncommands:\n  - {name: fine, run: ls}\n", `none of windows`},
		{"fine with a question", command("run: run {{.Nodes}} --concurrency {{.Ask.a}} -- uptime" + ask), ""},
		{"fine with a document", command("run: run {{.Nodes}} --document My-Doc --service {{.Ask.a}}" + ask), ""},
		{"fine with a number", command("run: ls --limit {{.Ask.a}}" + ask), ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			levels, faults := settled(t, c.text)
			if c.want != "" && !strings.HasPrefix(faults, "dash.yaml:") || !strings.Contains(faults, c.want) || c.want == "" && faults != "" {
				t.Errorf("faults %q, want %q", faults, c.want)
			}
			if _, there := levels["x"]; there == (c.want != "") {
				t.Errorf("it is offered: %v", there)
			}
			if _, ok := levels["fine"]; !ok {
				t.Error("the entry that is right is gone")
			}
		})
	}
}

// A key that somebody has is nobody else's, and the command is there without it.
func TestOwnKeysTakeNothingAway(t *testing.T) {
	for key, want := range map[string]string{
		"s": `it is "shell" of Fleet`, "/": `it is "filter the rows" on every view`, "j": `it is "the next row" on every view`, "3": "the view of that number",
		"f1": "all keys of this view", "Z": "keys of your own are alt+a to alt+z", "alt+enter": "keys of your own are", "alt+x": "", "f12": "",
	} {
		levels, faults := settled(t, fmt.Sprintf("commands:\n  - name: x\n    run: ls\n    key: %q\n", key))
		if want != "" && !strings.HasPrefix(faults, fmt.Sprintf("dash.yaml:2: the key %q of \"x\": ", key)) || !strings.Contains(faults, want) || want == "" && faults != "" {
			t.Errorf("%s: %q, want %q", key, faults, want)
		}
		if _, ok := levels["x"]; !ok {
			t.Errorf("%s: the command is gone", key)
		}
	}
}

// No view has a key that can be the user's own, in whatever state it is.
func TestNoViewHasAKeyOfTheUsers(t *testing.T) {
	for view, list := range allActions(t) {
		for _, a := range list {
			if strings.HasPrefix(a.Key, "alt+") || len(a.Key) > 1 && a.Key[0] == 'f' {
				t.Errorf("%s of %s is %q", a.Key, view, a.Name)
			}
		}
	}
}

// Every line that a view asks for is asked for as strictly when it is the user's own.
func TestOwnLinesAreAskedForAsTheViewsDo(t *testing.T) {
	f := allLoaded(t)
	env := f.env(flowOptions{})
	seen := map[string]bool{}
	for _, p := range f.pages {
		c := &lineCollector{t: t, page: p, lines: map[string]deck.Line{}}
		for _, a := range p.Actions() {
			if a.Off == "" && a.Do != nil {
				c.take(a.Do(), 3)
			}
		}
		for _, l := range c.lines {
			level, err := dash.Least(env, commands.Parse, l.Words)
			if err != nil {
				t.Errorf("%q: %v", l.Words, err)
				continue
			}
			if level < l.Level {
				t.Errorf("%q is asked for at %d, and at %d by %s", l.Words, level, l.Level, p.ID())
			}
			seen[strings.Join(l.Words[:1], " ")] = true
		}
	}
	if len(seen) < 8 {
		t.Errorf("only lines of %v were seen", slices.Sorted(maps.Keys(seen)))
	}
	for words, want := range map[string]deck.Level{
		"param delete /x": deck.Destructive, "node deregister mi-0a": deck.Destructive, "session terminate x": deck.Disruptive, "ls": deck.Read,
		"doctor i-0a": deck.Read, "doctor i-0a --fix": deck.Disruptive, "param get /x": deck.Change, "api delete-parameter --name x": deck.Destructive,
		"api get-parameter --name x": deck.Disruptive, "run cancel x": deck.Disruptive, "window delete mw-1": deck.Destructive,
	} {
		if got, err := dash.Least(env, commands.Parse, strings.Fields(words)); err != nil || got != want {
			t.Errorf("%s: %d, %v; want %d", words, got, err, want)
		}
	}
}

// The commands that only read are there.
func TestCommandsThatOnlyReadAreThere(t *testing.T) {
	f := startFlow(t, flowOptions{dash: dash.Options{View: "fleet", Calls: 100}})
	env := f.env(flowOptions{})
	for _, path := range dash.Reading() {
		words := []string{path}
		if _, err := commands.Parse(env, words); err != nil && fault.KindOf(err) == fault.Usage {
			words = strings.Split(path, "-")
		}
		found := false
		for _, args := range [][]string{nil, {"x"}, {"x", "y"}, {"AWS:Application.Publisher"}, {"01234567-89ab-cdef-0123-456789abcdef"}, {"mw-0123456789abcdef0"}} {
			if level, err := dash.Least(env, commands.Parse, slices.Concat(words, args)); err == nil && level == deck.Read {
				found = true
			}
		}
		if !found {
			t.Errorf("%s is no command, or takes something else", path)
		}
	}
}

// The file that the documentation shows is right.
func TestTheFileOfTheDocumentation(t *testing.T) {
	page, err := os.ReadFile("../../docs/dashboard.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(page), "```yaml\n")
	text, _, _ := strings.Cut(rest, "```")
	levels, faults := settled(t, text)
	want := map[string]deck.Level{"restart": deck.Disruptive, "owner of the node": deck.Read, "forget host key": deck.Change}
	if faults != "" || !maps.Equal(levels, want) {
		t.Errorf("%v, faults %q", levels, faults)
	}
}

// What a file can name of the rows of a view is what the rows have.
func TestRowsHaveWhatLinesCanName(t *testing.T) {
	fields := map[string][]string{
		"fleet": {"Node.ID", "Node.Name", "Node.IP", "Node.Tag.env"}, "patch": {"Node.ID", "Node.Name", "Node.Tag.env"},
		"commands": {"Run.ID", "Command.ID"}, "sessions": {"Session.ID", "Node.ID"}, "parameters": {"Parameter.Name"},
		"automation": {"Execution.ID"}, "windows": {"Window.ID", "Window.Name"}, "overview": nil,
	}
	f := allLoaded(t)
	at, set := grid.Place{Account: "123456789012", Region: "us-east-1"}, dash.Feeds() // what the demo fleet has none of
	set.Sessions.Set(at, []sessions.Entry{{ID: "ada-0a", Target: "i-0123456789abcdef0"}}, time.Now())
	set.Executions.Set(at, []automation.Execution{{ID: "01234567-89ab-cdef-0123-456789abcdef"}}, time.Now())
	for _, p := range f.pages {
		p.Update(feed.Changed{Feed: sources.Sessions})
		p.Update(feed.Changed{Feed: sources.Executions})
		c, ok := p.(deck.Choosing)
		if ok != (fields[p.ID()] != nil) {
			t.Errorf("%s has rows: %v", p.ID(), ok)
		}
		if !ok {
			continue
		}
		found := map[string]bool{}
		for _, k := range []string{"", "j", "j", "j", "tab", "j", "j", "T", "j", "enter", "j"} {
			if k != "" {
				p.Update(tuitest.Key(k))
			}
			for _, a := range p.Actions() {
				if a.Key == k && a.Off == "" && k != "" && !a.Writes {
					asks(p, a.Do())
				}
			}
			for _, r := range c.Chosen() {
				if r.ID == "" || r.Label == "" || r.Kind == "" || r.At.Region == "" {
					t.Errorf("%s: a row is not known: %+v", p.ID(), r)
				}
				for _, field := range fields[p.ID()] {
					found[field] = found[field] || r.Value(field) != ""
				}
				if r.Value("Nonsense.ID") != "" || r.Value("Node.Tag.nosuch") != "" {
					t.Errorf("%s: a row has what nobody has", p.ID())
				}
			}
		}
		for _, field := range fields[p.ID()] {
			if !found[field] {
				t.Errorf("no row of %s has %s", p.ID(), field)
			}
		}
	}
}

// One line goes to one place: rows of several are several boxes, each with its nodes.
func TestFlowOwnCommandInSeveralRegions(t *testing.T) {
	sc, err := world.ParseScenario("test.yaml", []byte(`account: "123456789012"
region: us-east-1
nodes: [{id: i-0aaaaaaaaaaaaaaaa, name: a-1}]
regions:
  eu-west-1: {nodes: [{id: i-0bbbbbbbbbbbbbbbb, name: b-1}]}
`))
	if err != nil {
		t.Fatal(err)
	}
	f := ownFlow(t, "commands:\n  - {name: up, key: alt+u, run: 'run {{.Nodes}} --no-wait -- uptime {{.Ask.a}}', ask: [{name: a, default: x}]}\n",
		flowOptions{scenario: sc, flags: []string{"--regions", "us-east-1,eu-west-1"}})
	f.waitFor("a-1", "b-1")
	f.press("*", "alt+u")
	f.waitFor("up on 2 nodes")
	f.press("enter")
	regions := map[string]string{"i-0aaaaaaaaaaaaaaaa": "us-east-1", "i-0bbbbbbbbbbbbbbbb": "eu-west-1"}
	ran := func(node string) bool {
		f.mu.Lock()
		defer f.mu.Unlock()
		return slices.ContainsFunc(f.lines, func(l string) bool { return strings.HasPrefix(l, "run -t "+node) })
	}
	// The second box may come before or after the answer to the first, and the pane of what
	// runs may stand before it.
	checked, closed := map[string]bool{}, map[string]bool{}
	f.waitUntil("waiting for both lines", func() bool {
		shown := f.screen()
		line := regexp.MustCompile(`run -t (i-0\w+)`).FindStringSubmatch(shown)
		switch box := strings.Contains(shown, "Enter does it"); {
		case line == nil:
		case box && !ran(line[1]):
			region := regions[line[1]]
			where := regexp.MustCompile(`Where +\S+ +(\S+)`).FindStringSubmatch(shown)
			if where == nil || where[1] != region || !strings.Contains(shown, "--region "+region) {
				t.Errorf("%s is not in %s:\n%s", line[1], region, shown)
			}
			checked[line[1]] = true
			f.press("enter")
		case !box && strings.Contains(shown, "exit 0") && !closed[line[1]]:
			closed[line[1]] = true
			f.press("esc")
		}
		return ran("i-0aaaaaaaaaaaaaaaa") && ran("i-0bbbbbbbbbbbbbbbb")
	})
	if len(checked) == 0 {
		t.Error("no box was seen")
	}
}

// What comes with a repository defines nothing.
func TestTheFileOfAProjectDefinesNothingOfTheUsersOwn(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{".ssmdeck.yaml", "dash.yaml"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("commands:\n  - {name: theirs, key: alt+x, exec: 'touch ran'}\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(dir)
	f := startFlow(t, flowOptions{dash: dash.Options{View: "fleet", Calls: 1000}})
	f.waitFor("web-1", "worker-dev", "compliant")
	f.press("alt+x", ":")
	f.write("theirs")
	f.waitFor(": theirs")
	if s := f.screen(); strings.Contains(s, "your command") {
		t.Errorf("it is offered:\n%s", s)
	}
	f.press("enter", "esc")
	f.waitGone(": theirs")
	if _, err := os.Stat(filepath.Join(dir, "ran")); err == nil {
		t.Error("it ran")
	}
}

// A line about no row goes to the account that the dashboard looks at, whatever the
// credentials have become that it was opened with.
func TestFlowOwnLinesAboutNoRowStayInTheAccount(t *testing.T) {
	f := ownFlow(t, "commands:\n  - {name: say, key: alt+s, run: 'exec i-0123456789abcdef0 -- echo said it here'}\n", flowOptions{})
	f.waitFor("web-1", "worker-dev")
	t.Setenv("AWS_ACCESS_KEY_ID", "AKIAOTHERACCOUNT0000")
	f.press("alt+s")
	f.waitFor("say?", "Where", "Enter does it")
	f.press("enter")
	f.waitLine("exec i-0123456789abcdef0")
	f.waitUntil("waiting for the end", func() bool { return strings.Contains(f.screen(), "exit ") || strings.Contains(f.screen(), "done") })
	if s := f.screen(); strings.Count(s, "said it here") < 2 {
		t.Errorf("it went elsewhere:\n%s", s)
	}
}

// A profile is put in only where it leads to the account of the row by itself.
func TestOwnLinesGetNoProfileOfAnotherAccount(t *testing.T) {
	f := startFlow(t, flowOptions{dash: dash.Options{View: "fleet", Calls: 100}})
	for _, c := range []struct {
		flags []string
		at    grid.Place
		want  string
	}{
		{[]string{"--profile", "ops"}, grid.Place{Account: "111111111111", Region: "us-east-1"}, "ops"},
		{[]string{"--profile", "ops", "--accounts", "222222222222", "--role", "Ops"}, grid.Place{Account: "222222222222", Region: "us-east-1"}, ""},
		{[]string{"--profile", "ops", "--profile", "dev"}, grid.Place{Profile: "dev", Account: "222222222222", Region: "us-east-1"}, "dev"},
	} {
		got, err := dash.ValueAt(t.Context(), f.env(flowOptions{flags: c.flags}), commands.Run, dash.Options{Calls: 100}, c.at, "Profile")
		if err != nil || got != c.want {
			t.Errorf("%q: %q, %v; want %q", c.flags, got, err, c.want)
		}
	}
}
