package commands

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/ssmdeck/ssmdeck/commands/api"
	"github.com/ssmdeck/ssmdeck/commands/cli/clitest"
	"github.com/ssmdeck/ssmdeck/internal/rawapi"
)

// ownCommands returns what people see, without the operations of `api`, whose flags
// are the fields of the API.
func ownCommands() []*cobra.Command {
	return slices.DeleteFunc(everyCommand(newRootCmd(clitest.Quiet())), func(c *cobra.Command) bool { return c.GroupID == api.Operations })
}

func pathOf(c *cobra.Command) string { return strings.TrimPrefix(c.CommandPath(), "ssmdeck ") }

// A letter is one flag everywhere.
func TestALetterIsOneFlag(t *testing.T) {
	letters := map[string]string{}
	newRootCmd(clitest.Quiet()).PersistentFlags().VisitAll(func(f *pflag.Flag) {
		if f.Shorthand != "" {
			letters[f.Shorthand] = f.Name
		}
	})
	letters["f"], letters["t"], letters["w"] = "file", "target", "watch"
	others := map[string]string{ // as in tail, cp and kubectl logs
		"forward logs -f": "follow", "session logs -f": "follow", "cp -r": "recursive",
	}
	for _, c := range ownCommands() {
		c.LocalNonPersistentFlags().VisitAll(func(f *pflag.Flag) {
			switch want := letters[f.Shorthand]; {
			case f.Shorthand == "" || f.Name == "help":
			case want == "":
				letters[f.Shorthand] = f.Name
			case want != f.Name && others[pathOf(c)+" -"+f.Shorthand] != f.Name:
				t.Errorf("%s: -%s is --%s, and --%s elsewhere", pathOf(c), f.Shorthand, f.Name, want)
			}
		})
	}
}

// A flag takes the same kind of value everywhere, and has its letter everywhere.
func TestAFlagIsTheSameEverywhere(t *testing.T) {
	type form struct{ kind, letter string }
	shared := map[string]form{
		"target":      {"stringArray", "t"},
		"watch":       {"bool", "w"},
		"wait":        {"duration", ""},
		"no-wait":     {"bool", ""},
		"timeout":     {"string", ""}, // the service's own: how long a node may take
		"poll":        {"duration", ""},
		"since":       {"string", ""},
		"tag":         {"stringArray", ""}, // chooses
		"tags":        {"stringSlice", ""}, // are put on what is made
		"filter":      {"string", ""},
		"dry-run":     {"bool", ""},
		"force":       {"bool", ""},
		"file":        {"string", "f"}, // is read
		"out":         {"string", ""},  // is written
		"out-dir":     {"string", ""},
		"param":       {"stringArray", ""},
		"concurrency": {"string", ""},
		"max-errors":  {"string", ""},
		"doc-version": {"string", ""},
		"reason":      {"string", ""},
		"comment":     {"string", ""},
		"fix":         {"bool", ""},
	}
	differs := map[string]string{ // what --FLAG of a command is instead, and why
		"document apply --file":     "several, as kubectl apply takes them",
		"forward list --file":       "the file of forwards",
		"forward up --file":         "the file of forwards",
		"forward save --file":       "the file of forwards",
		"ssh-config install --file": "ssh's configuration",
		"ssh-config remove --file":  "ssh's configuration",
		"cp --concurrency":          "a number alone: copies have no rate control of the service",
	}
	global := map[string]string{ // flags that take the place of a global one
		"activation create --limit":     "the API's limit of registrations",
		"activation create --role":      "a role of the nodes; nothing is assumed where something is made",
		"cloud-connector create --role": "a role of the connector",
		"dhmc enable --role":            "a role of the nodes",
		"cp --region":                   "the global flag without its letter, which copies folders",
	}
	used := map[string]bool{}
	root := newRootCmd(clitest.Quiet())
	for _, c := range ownCommands() {
		c.LocalNonPersistentFlags().VisitAll(func(f *pflag.Flag) {
			key := pathOf(c) + " --" + f.Name
			if root.PersistentFlags().Lookup(f.Name) != nil {
				used[key] = true
				if global[key] == "" {
					t.Errorf("%s takes the place of the global flag", key)
				}
			}
			if want, ok := shared[f.Name]; ok && (form{f.Value.Type(), f.Shorthand}) != want {
				used[key] = true
				if differs[key] == "" {
					t.Errorf("%s is -%s %s, and -%s %s elsewhere", key, f.Shorthand, f.Value.Type(), want.letter, want.kind)
				}
			}
			name, _ := pflag.UnquoteUsage(f)
			if f.Value.Type() == "bool" && name != "" && f.NoOptDefVal == "true" {
				t.Errorf("%s takes no value, and its help names one: %s", key, name)
			}
			if f.Value.Type() != "bool" && !f.Hidden && slices.Contains([]string{"string", "strings", "stringArray", "int", "duration"}, name) && !strings.Contains(f.Usage, "`") {
				t.Errorf("%s: its help does not name its value", key)
			}
		})
	}
	for _, list := range []map[string]string{differs, global} {
		for key := range list {
			if !used[key] {
				t.Errorf("%s is no exception any more", key)
			}
		}
	}
}

// Nouns can be said in the plural, and verbs in the words of other tools.
func TestNounsAndVerbs(t *testing.T) {
	also := map[string]string{"list": "ls", "get": "show", "show": "get", "describe": "show", "delete": "rm"}
	without := []string{
		"document get", // prints the content; describe is what others call show
		"ssh-config show",
	}
	nouns := map[string][]string{
		"node": {"nodes", "instance"}, "activation": {"activations"}, "session": {"sessions"}, "command": {"commands", "cmd"},
		"document": {"documents", "doc"}, "automation": {"automations", "auto", "runbook"}, "setting": {"settings"}, "sync": {"syncs"},
		"tag": {"tags"}, "policy": {"policies"}, "cloud-connector": {"cloud-connectors"}, "shell": {"sh"}, "forward": {"fwd"},
		"window": {"windows", "maintenance-window", "mw"},
	}
	root := newRootCmd(clitest.Quiet())
	for noun, aliases := range nouns {
		for _, alias := range aliases {
			if c, _, err := root.Find([]string{alias}); err != nil || c.Name() != noun {
				t.Errorf("%s is not %s", alias, noun)
			}
		}
	}
	for _, c := range ownCommands() {
		if want := also[c.Name()]; want != "" && c.HasParent() && c.Parent() != root && !slices.Contains(without, pathOf(c)) && !c.HasAlias(want) {
			t.Errorf("%s has no alias %s", pathOf(c), want)
		}
		if c.HasSubCommands() && c.Runnable() && c.Name() != "run" && strings.HasSuffix(c.Use, "<command>") && strings.HasSuffix(pathOf(c), "s") && c.Parent() == root && nouns[c.Name()] != nil {
			t.Errorf("%s: nouns are singular", pathOf(c))
		}
	}
}

// What changes something in the account can be tried without.
func TestWritesHaveADryRun(t *testing.T) {
	without := map[string]string{
		"access request": "asks people, changes nothing",
		"shell":          "opens a session", "exec": "opens a session", "forward": "opens a session", "ssh": "opens a session",
		"automation approve": "a decision about one thing", "automation reject": "a decision about one thing",
		"automation resume":      "goes on with one thing",
		"document review submit": "a decision about one thing", "document review approve": "a decision about one thing",
		"document review reject": "a decision about one thing", "document review comment": "a decision about one thing",
	}
	root := newRootCmd(clitest.Quiet())
	seen := 0
	for _, op := range rawapi.Operations() {
		for _, path := range op.Commands {
			if !op.Writes {
				continue
			}
			c, _, err := root.Find(strings.Fields(path))
			if err != nil {
				continue // of a capability that is yet to come, which another test looks after
			}
			seen++
			if c.Flags().Lookup("dry-run") == nil && without[path] == "" {
				t.Errorf("%s (%s) has no --dry-run", path, op.Name)
			}
		}
	}
	if seen < 20 {
		t.Errorf("only %d", seen)
	}
}

func TestTheChangelogHasEveryCommand(t *testing.T) {
	text, err := os.ReadFile("../CHANGELOG.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range newRootCmd(clitest.Quiet()).Commands() {
		if c.IsAvailableCommand() && c.Name() != "help" && !strings.Contains(string(text), "`"+c.Name()+"`") && !strings.Contains(string(text), "`"+c.Name()+" ") {
			t.Errorf("CHANGELOG.md does not name %s", c.Name())
		}
	}
}
