package dashfile

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// command reads one command.
func command(t *testing.T, line string) *Command {
	t.Helper()
	f := Parse("d.yaml", []byte("commands:\n  - name: x\n    "+line+"\n"))
	if len(f.Faults) > 0 {
		t.Fatal(f.Faults)
	}
	return &f.Commands[0]
}

func TestWordsAreSplitAsAShellDoesIt(t *testing.T) {
	for line, want := range map[string][]string{
		`a  b`:                           {"a", "b"},
		`a 'b c' "d e"f`:                 {"a", "b c", "d ef"},
		`a '' b`:                         {"a", "", "b"},
		`a\ b 'c\d' "e\"f\g"`:            {"a b", `c\d`, `e"f\g`},
		`a '$x | y'`:                     {"a", "$x | y"},
		`a {{ssm:/x/y}}{{ "{{" }}`:       {"a", "{{ssm:/x/y}}{{"},
		`docker --format '{{"{{"}}.N}}'`: {"docker", "--format", "{{.N}}"},
	} {
		words, err := split(line)
		if err != nil {
			t.Errorf("%s: %v", line, err)
			continue
		}
		var got []string
		for _, w := range words {
			got = append(got, w.literal())
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %q, not %q", line, got, want)
		}
	}
}

const evil = `a "b" 'c' $(x) ` + "`y`" + ` ; | & > *`

func TestAValueIsExactlyAPartOfItsWord(t *testing.T) {
	ask := "\n    ask: [{name: a}]"
	for _, c := range []struct {
		name, line, value string
		want              []string // nil: refused
		why               string
	}{
		{"in a program", "exec: notify {{.Node.Name}} x", evil, []string{"notify", evil, "x"}, ""},
		{"inside a word", "exec: notify --who={{.Node.Name}}:22", evil, []string{"notify", "--who=" + evil + ":22"}, ""},
		{"in quotes", `exec: 'notify "to {{.Node.Name}}"'`, evil, []string{"notify", "to " + evil}, ""},
		{"twice", "exec: cp {{.Node.Name}} {{.Node.Name}}", "b", []string{"cp", "b", "b"}, ""},
		{"what looks like a value", "exec: notify {{.Node.Name}}", "{{.Node.ID}}", []string{"notify", "{{.Node.ID}}"}, ""},
		{"behind --", "run: run -t {{.Node.ID}} -- echo a {{.Node.Tag.owner}}", evil, []string{"run", "-t", "i-0abc", "--", "echo", "a", evil}, ""},
		{"hyphen", "exec: notify {{.Node.Name}}", "-rf", nil, "would be read as a flag"},
		{"hyphen within", "exec: notify --who={{.Node.Name}}", "-rf", []string{"notify", "--who=-rf"}, ""},
		{"hyphen behind --", "exec: notify -- {{.Node.Name}}", "-rf", []string{"notify", "--", "-rf"}, ""},
		{"hyphen for the command of the node", "run: run -t {{.Node.ID}} -- cat {{.Node.Name}}", "-rf", nil, "would be read as a flag"},
		{"hyphen behind its --", "run: run -t {{.Node.ID}} -- cat -- {{.Node.Name}}", "-rf", []string{"run", "-t", "i-0abc", "--", "cat", "--", "-rf"}, ""},
		{"out of a folder", "run: exec {{.Node.ID}} -- rm -r /data/{{.Node.Tag.app}}", "../etc", nil, "would lead out of the folder"},
		{"out of a folder of Windows", `exec: notify 'C:\data\{{.Node.Name}}'`, `x\..\..\y`, nil, "would lead out of the folder"},
		{"all of a folder", "run: exec {{.Node.ID}} -- rm -r /data/{{.Node.Tag.app}}", "./", nil, "or to all of it"},
		{"dots within a name", "exec: notify /data/{{.Node.Name}}", "a..b", []string{"notify", "/data/a..b"}, ""},
		{"an answer is one's own", "run: exec i-0 -- ls /data/{{.Ask.a}}" + ask, "../x", []string{"exec", "i-0", "--", "ls", "/data/../x"}, ""},
		{"tmux", "exec: tmux new-window 'ssh {{.Node.Name}}'", "a;b", nil, "would be read by a shell"},
		{"words of PowerShell", "run: exec {{.Node.ID}} -- powershell Get-Item {{.Node.Name}}", "$(b)", nil, "would be read by a shell"},
		{"an argument of a script", `exec: "sh -c 'echo \"$1\"' sh {{.Node.Name}}"`, evil, []string{"sh", "-c", `echo "$1"`, "sh", evil}, ""},
		{"a variable of awk", `exec: "awk -v n={{.Node.Name}} '{print n}' f"`, "a b", []string{"awk", "-v", "n=a b", "{print n}", "f"}, ""},
		{"a file of sed", `exec: "sed -n 1p {{.Node.Name}}"`, "a b", []string{"sed", "-n", "1p", "a b"}, ""},
		{"empty", "exec: notify {{.Node.Name}}", "", nil, "{{.Node.Name}} is empty, or not known of web-1"},
		{"blank", "exec: notify {{.Node.Name}}", "  ", nil, "is empty"},
		{"escape sequence", "exec: notify {{.Node.Name}}", "a\x1b[2J", nil, "characters that cannot be seen"},
		{"line break", "exec: notify {{.Node.Name}}", "a\nb", nil, "characters that cannot be seen"},
		{"bidi", "exec: notify {{.Node.Name}}", "a\u202eb", nil, "characters that cannot be seen"},
		{"no UTF-8", "exec: notify {{.Node.Name}}", "a\xff", nil, "characters that cannot be seen"},
		{"ssmdeck's own word", "run: session list --who {{.Node.Name}}", "web-1.example:22", []string{"session", "list", "--who", "web-1.example:22"}, ""},
		{"an expression", "run: session list --who {{.Node.Name}}", "a|b", nil, "would be more than a name to ssmdeck"},
		{"a pattern", "run: session list --who {{.Node.Name}}", "web-*", nil, "would be more than a name to ssmdeck"},
		{"a file", "run: session list --who {{.Node.Name}}", "file:///etc/passwd", nil, "would be more than a name to ssmdeck"},
		{"a group", "run: session list --who {{.Node.Name}}", "@all", nil, "begins with @"},
		{"ssh", "exec: ssh host echo {{.Node.Name}}", "a;b", nil, "would be read by a shell"},
		{"plain for ssh", "exec: ssh host echo {{.Node.Name}}", "web-1", []string{"ssh", "host", "echo", "web-1"}, ""},
		{"ssmdeck ssh", "run: ssh {{.Node.ID}} echo {{.Ask.a}}" + ask, "a;b", nil, "would be read by a shell"},
		{"an answer", "run: param set /x {{.Ask.a}}" + ask, evil, []string{"param", "set", "/x", evil}, ""},
		{"an answer like a flag", "run: param set /x {{.Ask.a}}" + ask, "--overwrite", nil, "would be read as a flag"},
		{"an empty answer", "run: param set /x {{.Ask.a}}" + ask, " ", nil, "{{.Ask.a}} is empty"},
	} {
		t.Run(c.name, func(t *testing.T) {
			cmd := command(t, c.line)
			got, err := cmd.Fill(Values{Row: "web-1", Ask: map[string]string{"a": c.value}, Field: func(field string) string {
				if field == NodeID {
					return "i-0abc"
				}
				return c.value
			}})
			if c.want == nil {
				if err == nil || !strings.Contains(err.Error(), c.why) {
					t.Errorf("%q, %v; want a refusal: %s", got.Words, err, c.why)
				}
				return
			}
			if err != nil || !slices.Equal(got.Words, c.want) {
				t.Errorf("%q, %v; want %q", got.Words, err, c.want)
			}
		})
	}
}

func TestAllNodesThatAreChosen(t *testing.T) {
	cmd := command(t, "run: run {{.Nodes}} -- uptime")
	got, err := cmd.Fill(Values{Nodes: []string{"i-1", "i-2"}})
	if want := []string{"run", "-t", "i-1", "-t", "i-2", "--", "uptime"}; err != nil || !slices.Equal(got.Words, want) || got.Input != nil {
		t.Errorf("%q %q, %v", got.Words, got.Input, err)
	}
	if _, err := cmd.Fill(Values{}); err == nil {
		t.Error("a command about no node")
	}
	var many []string
	for i := range mostInWords + 1 {
		many = append(many, fmt.Sprintf("i-%d", i))
	}
	got, err = cmd.Fill(Values{Nodes: many})
	if want := []string{"run", "-t", "-", "--", "uptime"}; err != nil || !slices.Equal(got.Words, want) || strings.Count(string(got.Input), "\n") != len(many) {
		t.Errorf("%q, %d bytes, %v", got.Words, len(got.Input), err)
	}
}
