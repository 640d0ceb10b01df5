package forwards

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/portforward"
)

func anyNode(string) error { return nil }

func TestParse(t *testing.T) {
	got, err := Parse("f.yaml", []byte(`
# a comment
forwards:
  db:
    node: tag:role=bastion
    spec: 15432:db.internal:5432
    profile: prod
    region: eu-west-1
    bind: "::1"
    reason: daily work
    description: "the: database"
    groups: [a, b]
    lanes: 8
    idle: 90s
  web: {node: web-1, specs: ["8080:80", 443]}
`), false, anyNode)
	if err != nil {
		t.Fatal(err)
	}
	want := []Entry{
		{
			Name: "db", Node: "tag:role=bastion", Specs: []portforward.Spec{{Local: 15432, Host: "db.internal", Port: 5432}},
			Profile: "prod", Region: "eu-west-1", Bind: "::1", Reason: "daily work", Description: "the: database",
			Groups: []string{"a", "b"}, Lanes: 8, Idle: 90 * time.Second, File: "f.yaml", Line: 5,
		},
		{
			Name: "web", Node: "web-1", Specs: []portforward.Spec{{Local: 8080, Port: 80}, {Local: 443, Same: true, Port: 443}},
			Idle: DefaultIdle, File: "f.yaml", Line: 15,
		},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%+v, want\n%+v", got, want)
	}
}

func TestParseRefuses(t *testing.T) {
	const ok = "forwards:\n  a:\n    node: n\n    spec: 80\n"
	tests := []struct {
		name, text string
		project    bool
		want       []string
	}{
		{"a top-level key", "forward: {}\n", false, []string{`f:1: unknown key "forward" in the file (did you mean "forwards"?)`}},
		{"credentials", ok + "    role_arn: x\n", true, []string{`f:5: unknown key "role_arn" in forward "a"`}},
		{"a command", ok + "    command: rm\n", true, []string{`f:5: unknown key "command" in forward "a"`}},
		{"a key twice", ok + "    node: m\n", false, []string{`f:5: `}},
		{"a bad spec", "forwards:\n  a: {node: n, spec: [80, 'x y:1']}\n", false, []string{`f:2: forward "x y:1": `}},
		{"everything at once", "forwards:\n  a: {spec: 80}\n  b: {node: n}\n  'c d': {node: bad, spec: 1, lanes: 0, idle: 1ms}\n", false, []string{
			`f:2: forward "a" has no node`, `f:3: forward "b" has no spec`, `f:4: the name "c d" is not`, `f:4: lanes "0" is not`, `f:4: idle "1ms" is not`, `f:4: forward "c d": no such form`,
		}},
		{"an open door in a project", "forwards:\n  a: {node: n, spec: '0.0.0.0:80:h:80'}\n", true, []string{"f:2: forward \"a\": a project's file may listen on loopback addresses only"}},
		{"an open door by bind", ok + "    bind: '*'\n", true, []string{"a project's file may listen on loopback addresses only"}},
		{"a bind that is none", ok + "    bind: example.com\n", false, []string{`the local address "example.com" is no IP address`}},
		{"a long reason", ok + "    reason: " + strings.Repeat("x", 257) + "\n", false, []string{"the reason has more than 256 characters"}},
		{"two documents", ok + "---\n" + ok, false, []string{"only one YAML document is allowed"}},
		{"no YAML", "forwards: [", false, []string{"f:"}},
		{"a list", "- a\n", false, []string{"f:1: the file must be a list of `key: value` lines"}},
		{"a mapping for a text", "forwards:\n  a: {node: {x: y}, spec: 80}\n", false, []string{"f:2: node must be a single value"}},
	}
	check := func(expr string) error {
		if expr == "bad" {
			return errors.New("no such form")
		}
		return nil
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Parse("f", []byte(tt.text), tt.project, check)
			if fault.KindOf(err) != fault.Usage || err == nil {
				t.Fatalf("got %v, want a usage error", err)
			}
			for _, w := range tt.want {
				if !strings.Contains(err.Error(), w) {
					t.Errorf("got\n%v\nwithout %q", err, w)
				}
			}
		})
	}
	if _, err := Parse("f", []byte("forwards:\n  a: {node: n, spec: '0.0.0.0:80:h:80'}\n"), false, check); err != nil {
		t.Errorf("the user's own file: %v", err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("forwards:\n  a: {node: n, spec: [80, 'x:1'], lanes: 3, idle: 3s}\n"))
	f.Add([]byte("forwards: &x\n  a: *x\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		entries, err := Parse("f", data, true, anyNode)
		if err != nil {
			return
		}
		for i := range entries {
			e := &entries[i]
			if e.Name == "" || e.Node == "" || len(e.Specs) == 0 || e.Idle < leastIdle || e.Lanes < 0 || e.Lanes > portforward.MostLanes {
				t.Fatalf("%q was read as %+v", data, e)
			}
		}
	})
}

func TestChoose(t *testing.T) {
	all := []Entry{{Name: "a", Groups: []string{"g"}}, {Name: "b"}, {Name: "c", Groups: []string{"g", "h", "b"}}}
	names := func(entries []Entry) string {
		var s string
		for i := range entries {
			s += entries[i].Name
		}
		return s
	}
	for words, want := range map[string]string{"": "abc", "c a": "ac", "g": "ac", "h b": "bc", "a a g": "ac", "b": "b"} {
		got, err := Choose(all, strings.Fields(words))
		if err != nil || names(got) != want {
			t.Errorf("%q: got %s, %v; want %s", words, names(got), err, want)
		}
	}
	if _, err := Choose(all, []string{"a", "x"}); fault.KindOf(err) != fault.NotFound {
		t.Errorf("got %v", err)
	}
}

func TestClashes(t *testing.T) {
	entry := func(name, bind string, specs ...string) Entry {
		e := Entry{Name: name, Bind: bind}
		for _, s := range specs {
			spec, err := portforward.ParseSpec(s)
			if err != nil {
				t.Fatal(err)
			}
			e.Specs = append(e.Specs, spec)
		}
		return e
	}
	if err := Clashes([]Entry{entry("a", "", "80:1", "0:1"), entry("b", "", "0:1"), entry("c", "::1", "80:1")}); err != nil {
		t.Errorf("different ends: %v", err)
	}
	err := Clashes([]Entry{entry("a", "", "80:1", "unix:/x:1"), entry("b", "127.0.0.1", "80:2"), entry("c", "", "unix:/x:2")})
	if err == nil || err.Error() != "a and b both want 127.0.0.1:80; a and c both want /x" {
		t.Errorf("got %v", err)
	}
}

func TestSources(t *testing.T) {
	root := t.TempDir()
	write := func(path, text string) {
		t.Helper()
		path = filepath.Join(root, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	file := func(names ...string) string {
		text := "forwards:\n"
		for _, n := range names {
			text += "  " + n + ": {node: n, spec: '0:80'}\n"
		}
		return text
	}
	write("config/ssmdeck/forwards.yaml", file("mine", "both"))
	write("other.yaml", file("other"))
	write("repo/.git/HEAD", "")
	write("repo/.ssmdeck.yaml", file("both", "theirs"))
	write("repo/a/b/file", "")
	write(".ssmdeck.yaml", file("outside")) // above the repository
	write("plain/sub/file", "")
	env := map[string]string{"XDG_CONFIG_HOME": filepath.Join(root, "config")}
	load := func(s Sources) (Saved, error) {
		s.GOOS, s.Check = "linux", anyNode
		s.Lookup = func(k string) (string, bool) { v, ok := env[k]; return v, ok }
		return s.Load()
	}
	names := func(s Saved) (n []string) {
		for i := range s.Entries {
			n = append(n, s.Entries[i].Name)
		}
		return n
	}
	saved, err := load(Sources{Folder: filepath.Join(root, "repo", "a", "b")})
	if got := names(saved); !slices.Equal(got, []string{"mine", "both", "theirs"}) || err != nil {
		t.Errorf("got %v, %v", got, err)
	}
	if !slices.Equal(saved.Hidden, []string{"both"}) || saved.Entries[1].File == saved.Project {
		t.Errorf("the user's own entry does not hold: %v %+v", saved.Hidden, saved.Entries[1])
	}
	if saved, err = load(Sources{Folder: filepath.Join(root, "plain", "sub")}); err != nil || saved.Project != "" {
		t.Errorf("outside of a repository: %v, %q", err, saved.Project)
	}
	if saved, err = load(Sources{File: filepath.Join(root, "other.yaml"), Folder: filepath.Join(root, "repo")}); err != nil || len(saved.Entries) != 1 {
		t.Errorf("a file that is named is read alone: %v, %v", err, names(saved))
	}
	if _, err = load(Sources{File: filepath.Join(root, "no.yaml")}); fault.KindOf(err) != fault.NotFound {
		t.Errorf("a named file that is missing: %v", err)
	}
	env["XDG_CONFIG_HOME"] = filepath.Join(root, "nothing")
	if saved, err = load(Sources{}); err != nil || len(saved.Entries) != 0 {
		t.Errorf("no file at all: %v, %v", err, names(saved))
	}
	env[Variable] = filepath.Join(root, "other.yaml")
	if saved, err = load(Sources{}); err != nil || len(saved.Entries) != 1 {
		t.Errorf("by variable: %v, %v", err, names(saved))
	}
}

func TestFirstUse(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "p.yaml")
	for i, tt := range []struct {
		text string
		want bool
	}{{"a", true}, {"a", false}, {"b", true}, {"b", false}, {"a", false}} {
		if err := os.WriteFile(path, []byte(tt.text), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := FirstUse(dir, path); got != tt.want {
			t.Errorf("step %d: got %t", i, got)
		}
	}
}
