package commands

import (
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/commands/cli/clitest"
	"github.com/ssmdeck/ssmdeck/internal/document"
	"github.com/ssmdeck/ssmdeck/internal/fault"
)

func TestScan(t *testing.T) {
	for line, want := range map[string]string{
		"run --document D --tag a=b":                              "D  []",
		"run --document=D --document-version 3 --foo x --bar=y":   "D 3 [foo bar]",
		"run --document D --doc-version latest --foo x":           "D $LATEST [foo]",
		"run --foo --document D -t web-1":                         "D  [foo]",
		"run --document D -- --foo":                               "D  []",
		"run -t --foo --document D":                               "D  []",
		"run -twebs --document D --x 1":                           "D  [x]",
		"-p prod run --document D -q --foo x":                     "D  [foo]",
		"run --tag a=b --foo x":                                   "  [foo]",
		"automation start D --instance-id i-0":                    "D  [instance-id]",
		"auto start --watch D --x y":                              "D  [x]",
		"automation start -w --wait 5m D --doc-version 2 --x":     "D 2 [x]",
		"-o json automation start D --param a=b":                  "D  []",
		"automation list --status Failed":                         "  []",
		"automation start":                                        "  []",
		"session start web-1 --document D --foo x":                "  []",
		"document render D --foo x":                               "  []",
		"nothing run":                                             "  []",
		"automation start D --target-param InstanceId -t tag:a=b": "D  []",
	} {
		t.Run(line, func(t *testing.T) {
			s, err := scanArguments(clitest.Quiet(), strings.Fields(line))
			if err != nil {
				t.Fatal(err)
			}
			if got := s.document + " " + s.version + " [" + strings.Join(s.unknown, " ") + "]"; got != want {
				t.Errorf("got %s, want %s", got, want)
			}
		})
	}
	for line, want := range map[string]string{
		"automation start --instance-id i-0 D":     "stands before the document",
		"run --document D --wait soon --foo x":     "is not a duration",
		"run --document D --context a --context b": "given twice",
	} {
		if _, err := scanArguments(clitest.Quiet(), strings.Fields(line)); fault.KindOf(err) != fault.Usage || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", line, err, want)
		}
	}
}

// paramsOf returns run with the flags of a document.
func paramsOf(t *testing.T, params ...document.Parameter) (*documentParams, *cobra.Command) {
	t.Helper()
	p := &documentParams{command: documentCommands[0], doc: document.Document{Name: "D", Parameters: params}}
	cmd, _, err := newTree(clitest.Quiet(), p).Find([]string{"run"})
	if err != nil {
		t.Fatal(err)
	}
	return p, cmd
}

func TestFlagsOfADocumentFillParam(t *testing.T) {
	_, cmd := paramsOf(t,
		document.Parameter{Name: "InstanceType", Type: document.String},
		document.Parameter{Name: "Hosts", Type: document.StringList},
		document.Parameter{Name: "Reboot", Type: document.Boolean},
		document.Parameter{Name: "allowDowngrade", Type: document.String, AllowedValues: []string{"True", "False"}},
	)
	words := joinSwitches(cmd, strings.Fields("run --instance-type m5.large --Hosts a --hosts b --reboot false --allow-downgrade -- --reboot true"))
	if err := cmd.ParseFlags(words[1:]); err != nil {
		t.Fatal(err)
	}
	got, err := cmd.Flags().GetStringArray("param")
	if want := "InstanceType=m5.large Hosts=a Hosts=b Reboot=false allowDowngrade=True"; err != nil || strings.Join(got, " ") != want {
		t.Errorf("got %s, want %s, %v", got, want, err)
	}
	if rest := cmd.Flags().Args(); !slices.Equal(rest, []string{"--reboot", "true"}) {
		t.Errorf("behind --: %q", rest)
	}
}

func TestFlagsOfOursAreNotTaken(t *testing.T) {
	p, cmd := paramsOf(t,
		document.Parameter{Name: "Wait", Type: document.String}, document.Parameter{Name: "region", Type: document.String},
		document.Parameter{Name: "LogFile", Type: document.String}, document.Parameter{Name: "Size", Type: document.String},
		document.Parameter{Name: "size", Type: document.String},
	)
	var taken []string
	for _, par := range p.taken {
		taken = append(taken, par.Name)
	}
	if strings.Join(taken, " ") != "Wait region LogFile size" {
		t.Errorf("taken: %q", taken)
	}
	if cmd.Flags().Lookup("Wait") != nil || cmd.Flags().Lookup("size") == nil {
		t.Error("--Wait beside --wait, or no --size")
	}
	for name, want := range map[string]string{
		"Wait": "--param Wait=VALUE", "siz": "did you mean --size?", "LogFile": "--param LogFile=VALUE", "zzzzzz": "its parameters are",
	} {
		err := p.checkNames(cmd, []string{name})
		if fault.KindOf(err) != fault.Usage || !strings.Contains(fault.HintOf(err), want) {
			t.Errorf("%s: %v, %s", name, err, fault.HintOf(err))
		}
	}
}

func TestOtherCommandsAskForNoDocument(t *testing.T) {
	env := clitest.Quiet()
	env.Lookup = func(name string) (string, bool) { // what a call needs is read from settings first
		t.Errorf("%s is asked for", name)
		return "", false
	}
	for _, line := range []string{"ls", "exec web-1 -- run start --foo", "run -t web-1 -- uptime", "run --document D -t web-1", "automation start D"} {
		words := strings.Fields(line)
		got, params, err := documentFlags(t.Context(), env, words)
		if err != nil || !slices.Equal(got, words) || params != nil {
			t.Errorf("%s: %q, %v", line, got, err)
		}
	}
}
