package dashfile

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const good = `views:
  - {name: lost in prod, view: fleet, filter: 'ping=lost tag:env=prod', key: alt+1}
  - {name: the windows, view: windows}
commands:
  - name: restart
    view: [fleet, patch]
    key: f5
    run: ssmdeck run {{.Nodes}} --concurrency 20% -- systemctl restart {{.Ask.service}}
    ask: [{name: service, title: Which service, default: nginx, choices: [nginx, php-fpm]}]
    confirm: disruptive
  - name: forget key
    exec: [ssh-keygen, -R, '{{ .Node.IP }}']
  - {name: log, run: 'session logs {{.Session.ID}}', screen: true}
  - {name: everything, run: ls}
`

func TestWhatTheFileHas(t *testing.T) {
	f := Parse("d.yaml", []byte(good))
	if len(f.Faults) > 0 {
		t.Fatal(f.Faults)
	}
	if want := (View{"lost in prod", "fleet", "ping=lost tag:env=prod", "alt+1", 2}); f.Views[0] != want || len(f.Views) != 2 {
		t.Errorf("views %+v", f.Views)
	}
	if len(f.Commands) != 4 {
		t.Fatalf("%d commands", len(f.Commands))
	}
	r := f.Commands[0]
	if r.Text() != "ssmdeck run {{.Nodes}} --concurrency 20% -- systemctl restart {{.Ask.service}}" || r.Confirm != Disruptive ||
		r.Program || r.Screen || !r.Many() || r.Line != 5 || r.Key != "f5" {
		t.Errorf("%+v", r)
	}
	if a := r.Ask[0]; a.Name != "service" || a.Title != "Which service" || a.Default != "nginx" || !slices.Equal(a.Choices, []string{"nginx", "php-fpm"}) {
		t.Errorf("%+v", a)
	}
	for i, views := range []string{"fleet patch", "fleet", "sessions", "overview fleet patch commands sessions parameters automation windows"} {
		if got := strings.Join(f.Commands[i].Views, " "); got != views {
			t.Errorf("%s is offered on %s, not on %s", f.Commands[i].Name, got, views)
		}
	}
	if c := f.Commands[1]; !c.Program || !c.Screen || c.Text() != "ssh-keygen -R {{.Node.IP}}" {
		t.Errorf("%+v", c)
	}
}

// Every mistake has its line, and leaves the other entries alone.
func TestMistakes(t *testing.T) {
	const fine = "\n  - {name: fine, run: ls}\n"
	command := func(line string) string { return "commands:\n  - name: x\n    " + line + fine }
	for _, c := range []struct{ name, text, want string }{
		{"unknown part", "comands: []\ncommands:" + fine, `1: unknown key "comands" in the file (did you mean "commands"?)`},
		{"part twice", "views: []\nviews: []\ncommands:" + fine, `2: key "views" appears twice in the file`},
		{"no list", "views: {a: b}\ncommands:" + fine, `1: views must be a list, each entry behind a hyphen`},
		{"entry is a text", "views:\n  - fleet\ncommands:" + fine, "2: a view must be a list of `key: value` lines"},
		{"entry is nothing", "views:\n  -\ncommands:" + fine, "2: a view must be a list of `key: value` lines"},
		{"view without name", "views:\n  - {view: fleet}\ncommands:" + fine, `2: the view has no name`},
		{"view of none", "views:\n  - {name: a}\ncommands:" + fine, `2: the view has no view`},
		{"no such view", "views:\n  - name: a\n    view: flet\ncommands:" + fine, `3: view "flet" is none of overview, fleet`},
		{"nearest view", "views:\n  - name: a\n    view: flet\ncommands:" + fine, `did you mean "fleet"?`},
		{"unknown key", command("run: ls\n    confrim: change"), `4: unknown key "confrim" in a command (did you mean "confirm"?)`},
		{"key twice", command("run: ls\n    run: ls"), `4: key "run" appears twice in a command`},
		{"alias", "commands:\n  - &a {name: x, run: ls}\n  - *a" + fine, "3: a command must be a list of `key: value` lines"},
		{"no line", command("view: fleet"), `2: the command has neither run, an ssmdeck command line, nor exec`},
		{"two lines", command("run: ls\n    exec: ls"), `4: the command has run and exec`},
		{"wrong type", command("run: {a: b}"), `3: run must be a single value`},
		{"wrong type of word", command("run: [ls, [a]]"), `3: a word of run must be a single value`},
		{"wrong bool", command("run: ls\n    screen: perhaps"), `4: screen must be true or false`},
		{"screen of a program", command("exec: ls\n    screen: true"), `4: screen is for run`},
		{"wait of a line", command("run: ls\n    wait: true"), `4: wait is for exec`},
		{"wrong level", command("run: ls\n    confirm: maybe"), `4: confirm "maybe" is none of change, disruptive, destructive`},
		{"level like one", command("run: ls\n    confirm: disruptiv"), `did you mean "disruptive"?`},
		{"name twice", "commands:\n  - {name: x, run: ls}\n  - {name: x, run: ls}" + fine, `3: the name "x" is taken: it stands in line 2, too`},
		{"name of a view", "views:\n  - {name: x, view: fleet}\ncommands:\n  - {name: x, run: ls}" + fine, `4: the name "x" is taken`},
		{"key taken", "commands:\n  - {name: x, run: ls, key: alt+x}\n  - {name: y, run: ls, key: alt+x}" + fine, `3: the key "alt+x" is taken`},
		{"unseen name", "commands:\n  - {name: \"a\\u202eb\", run: ls}" + fine, `2: name has characters that cannot be seen`},
		{"long name", "commands:\n  - {name: " + strings.Repeat("x", 61) + ", run: ls}" + fine, `2: the name is longer than 60 characters`},
		{"view twice", command("run: ls\n    view: [fleet, fleet]"), `4: view has "fleet" twice`},
		{"no view", command("run: ls\n    view: []"), `4: view must not be empty`},
		{"unknown value", command("run: shell {{.Node.Id}}"), `3: {{.Node.Id}} is not known (did you mean "Node.ID"?)`},
		{"no value", command("run: shell {{node}}"), `3: {{node}} is no value`},
		{"not closed", command("run: 'shell {{.Node.ID'"), `3: "{{" is not closed by "}}"`},
		{"tag without key", command("run: shell {{.Node.Tag.}}"), `3: {{.Node.Tag.}} is not known`},
		{"not asked", command("run: run {{.Nodes}} -- {{.Ask.a}} b"), `3: {{.Ask.a}} is not known: nothing of that name is asked for`},
		{"asked for nothing", command("run: ls\n    ask: [{name: a}]"), `3: the answer to "a" is not used`},
		{"question without name", command("run: ls\n    ask: [{title: a}]"), `4: the question has no name`},
		{"bad name of a question", command("run: ls\n    ask: [{name: a-b}]"), `4: the name "a-b" of a question is not made of`},
		{"asked twice", command("run: ls {{.Ask.a}}\n    ask: [{name: a}, {name: a}]"), `4: the question "a" is asked twice`},
		{"default is no choice", command("run: ls {{.Ask.a}}\n    ask: [{name: a, default: x, choices: [y]}]"), `4: the default "x" is none of the choices`},
		{"choice twice", command("run: ls {{.Ask.a}}\n    ask: [{name: a, choices: [y, y]}]"), `4: choices has "y" twice`},
		{"rows of another view", command("run: shell {{.Node.ID}}\n    view: [fleet, windows]"), `3: rows of windows have no {{.Node.ID}}`},
		{"rows of no view", command("run: shell {{.Node.ID}} {{.Window.ID}}"), `3: no view has rows with all of {{.Node.ID}}, {{.Window.ID}}`},
		{"program is a value", command("exec: '{{.Node.Name}} x'"), `3: what is run must be written out`},
		{"nodes of a program", command("exec: 'ping {{.Nodes}}'"), `3: {{.Nodes}} is for run`},
		{"nodes in a word", command("run: run --x={{.Nodes}} -- a b"), `3: {{.Nodes}} must be a word of its own`},
		{"nodes behind --", command("run: run -- a {{.Nodes}}"), `3: {{.Nodes}} must stand in front of --`},
		{"nodes with -t", command("run: run -t {{.Nodes}} -- a b"), `3: {{.Nodes}} brings -t for each node`},
		{"nodes and a node", command("run: run {{.Nodes}} -- a {{.Node.Name}}"), `3: {{.Nodes}} are all nodes together`},
		{"pipe", command("run: ls | wc"), `3: no shell reads this line, and '|' would mean nothing`},
		{"variable", command("exec: 'echo $HOME'"), `3: no shell reads this line, and '$' would mean nothing`},
		{"variable in quotes", command(`exec: 'echo "$HOME"'`), `3: no shell reads this line`},
		{"open quote", command(`exec: echo "a`), `3: the quote " is not closed`},
		{"backslash", command(`exec: 'echo \'`), `3: nothing follows the backslash`},
		{"shell", command(`exec: "sh -c 'echo {{.Node.Name}}'"`), `3: sh would read what is put in as a program`},
		{"shell by path", command(`exec: "sudo /bin/bash -ec 'echo {{.Node.Name}}'"`), `3: bash would read what is put in as a program`},
		{"shell of the node", command(`run: "run {{.Nodes}} -- sh -c 'echo {{.Ask.a}}'"` + "\n    ask: [{name: a}]"), `3: sh would read what is put in as a program`},
		{"interpreter", command(`exec: "python3 -c 'print({{.Node.Name}})'"`), `3: python3 would read what is put in as a program`},
		{"interpreter with its program attached", command(`exec: "python3 -cprint({{.Node.Name}})"`), `3: python3 would read what is put in as a program`},
		{"flags of an interpreter together", command(`exec: "perl -lane 'print {{.Node.Name}}'"`), `3: perl would read what is put in as a program`},
		{"two hyphens in front of the program", command(`exec: "bash -c -- 'echo {{.Node.Name}}'"`), `3: bash would read what is put in as a program`},
		{"sed with a flag", command(`exec: "sed -n 's/a/{{.Node.Name}}/p' f"`), `3: sed would read what is put in as a program`},
		{"awk with a flag", command(`exec: "awk -F : '{print {{.Node.Name}}}' f"`), `3: awk would read what is put in as a program`},
		{"SQL", command(`run: "exec {{.Node.ID}} -- psql -c 'drop table {{.Node.Name}}'"`), `3: psql would read what is put in as a program`},
		{"a long flag", command(`exec: "node --eval={{.Node.Name}}"`), `3: node would read what is put in as a program`},
		{"one word behind --", command(`run: "exec {{.Node.ID}} -- 'echo {{.Node.Name}}'"`), `3: the only word behind -- is read by the shell of the node`},
		{"no words", command("run: ssmdeck"), `3: there are no words`},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := Parse("d.yaml", []byte(c.text))
			var all []string
			for _, err := range f.Faults {
				all = append(all, err.Error())
			}
			text := strings.Join(all, "\n")
			if !strings.Contains(text, c.want) || !strings.HasPrefix(text, "d.yaml:") {
				t.Errorf("faults\n%s\nwant %s", text, c.want)
			}
			if n := len(f.Commands); n == 0 || f.Commands[n-1].Name != "fine" {
				t.Errorf("the entry that is right is gone: %+v", f.Commands)
			}
			for _, cmd := range f.Commands[:len(f.Commands)-1] {
				if cmd.Name == "x" && !strings.Contains(c.want, "taken") && c.name != "alias" {
					t.Errorf("the entry that is wrong is there: %+v", cmd)
				}
			}
		})
	}
}

func TestAFileThatIsNoYAML(t *testing.T) {
	for text, want := range map[string]string{
		"views: [": "d.yaml:", "views: []\n---\nviews: []\n": "d.yaml:2: only one YAML document", "- a\n": "d.yaml:1: the file must be a list of `key: value` lines",
	} {
		f := Parse("d.yaml", []byte(text))
		if len(f.Faults) != 1 || !strings.HasPrefix(f.Faults[0].Error(), want) || len(f.Views)+len(f.Commands) > 0 {
			t.Errorf("%q: %+v", text, f)
		}
	}
	for _, text := range []string{"", "# nothing\n", "views:\ncommands:\n"} {
		if f := Parse("d.yaml", []byte(text)); len(f.Faults) > 0 {
			t.Errorf("%q: %v", text, f.Faults)
		}
	}
}

func TestLoad(t *testing.T) {
	dir := t.TempDir()
	env := map[string]string{"XDG_CONFIG_HOME": dir}
	lookup := func(name string) (string, bool) { v, ok := env[name]; return v, ok }
	load := func() File { return Load(lookup, "linux") }
	if f := load(); f.Path != "" || len(f.Faults) > 0 {
		t.Errorf("no file is something: %+v", f)
	}
	path := filepath.Join(dir, "ssmdeck", "dash.yaml")
	if err := os.MkdirAll(path, 0o700); err != nil {
		t.Fatal(err)
	}
	if f := load(); len(f.Faults) != 1 || !strings.Contains(f.Faults[0].Error(), "no regular file") {
		t.Errorf("a folder is %+v", f)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	write := func(text string) {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(good)
	if f := load(); len(f.Faults) > 0 || len(f.Commands) != 4 || f.Path != path {
		t.Errorf("%+v", f)
	}
	write("# " + strings.Repeat("x", maxFile))
	if f := load(); len(f.Faults) != 1 || !strings.Contains(f.Faults[0].Error(), "larger than") {
		t.Errorf("%+v", f.Faults)
	}
	env[Variable] = filepath.Join(dir, "other.yaml")
	if f := load(); len(f.Faults) != 1 || !strings.Contains(f.Faults[0].Error(), Variable+" names it") {
		t.Errorf("%+v", f.Faults)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(good))
	f.Add([]byte("commands:\n  - {name: x, exec: \"a 'b {{.Node.Tag.x}}' \\\\ c\"}"))
	f.Fuzz(func(t *testing.T, data []byte) {
		hostile := `-$(x) "'; |` + "`"
		v := Values{Field: func(string) string { return hostile }, Nodes: []string{"i-1"}}
		for _, c := range Parse("d.yaml", data).Commands {
			v.Ask = map[string]string{}
			for _, a := range c.Ask {
				v.Ask[a.Name] = hostile
			}
			line, err := c.Fill(v)
			if err != nil || c.Many() {
				continue
			}
			if len(line.Words) != len(c.Words) {
				t.Errorf("%q became %q", c.Text(), line.Words)
			}
			for i, w := range c.Words {
				if w.hasValue() && !strings.Contains(line.Words[i], hostile) || !w.hasValue() && strings.Contains(line.Words[i], hostile) && w.literal() != line.Words[i] {
					t.Errorf("word %d of %q became %q", i, c.Text(), line.Words[i])
				}
			}
		}
	})
}
