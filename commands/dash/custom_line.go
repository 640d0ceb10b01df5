package dash

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/ssmdeck/ssmdeck/internal/dashfile"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/transfer"
	"github.com/ssmdeck/ssmdeck/tui/deck"
)

// ownLine is a command line of the user's own, and what the commands say of it.
type ownLine struct {
	dashfile.Command
	path  string     // of the ssmdeck command; empty for another program
	level deck.Level // how it is asked for
	shows bool       // it decrypts: its output may be secret
}

// Commands that only read, so that their lines run at once, in a dashboard that may
// change nothing, too. Of any other it is not known, and it is asked for.
var reading = strings.Fields(`ls node-list node-get node-summary command-list command-get command-output command-watch run-list run-show
	run-watch run-compare session-list session-get session-logs param-list param-tree param-expiring param-cost patch-status patch-node
	patch-missing patch-effective patch-available patch-properties patch-baseline-list patch-baseline-get patch-group-list patch-group-get
	compliance-list compliance-nodes compliance-summary inventory-get inventory-list inventory-count inventory-query inventory-types
	document-list document-get document-describe document-versions automation-list automation-get automation-steps automation-watch
	window-list window-get window-preview window-schedule window-coverage window-execution-list window-execution-get activation-list
	activation-get setting-list setting-get dhmc-status sync-list tag-list doctor version`)

// The last words of commands that interrupt somebody, and of those that destroy.
var (
	disrupting = []string{"cancel", "terminate", "stop", "install", "remove", "disable", "reset", "restart", "deny", "reject", "rollback", "restore", "move"}
	destroying = []string{"delete", "deregister", "disassociate", "purge"}
)

// attended are commands that want the terminal, and unattended those that are no use
// inside of the dashboard.
var (
	attended   = []string{"shell", "ssh", "param edit", "session replay"}
	unattended = []string{"dash", "demo", "simulator", "completion", "ssh-proxy", "help"}
)

// judge reads a command as ssmdeck would, with samples for what is put into it.
func (w *wiring) judge(c dashfile.Command) (ownLine, error) {
	l := ownLine{Command: c, level: deck.Change}
	if !c.Program {
		cmd, err := w.sampled(c)
		if err != nil {
			return l, err
		}
		if err := fits(cmd); err != nil {
			return l, err
		}
		l.path, l.level = pathOf(cmd), least(cmd)
		l.shows = slices.ContainsFunc([]string{"decrypt", "show"}, cmd.Flags().Changed)
		l.Screen = l.Screen || slices.Contains(attended, l.path)
	}
	if c.Confirm != dashfile.Unsaid && l.level == deck.Read {
		return l, fault.Usagef("it only reads, and there is nothing to confirm").WithHint("leave confirm out")
	}
	l.level = max(l.level, map[dashfile.Level]deck.Level{
		dashfile.Change: deck.Change, dashfile.Disruptive: deck.Disruptive, dashfile.Destructive: deck.Destructive,
	}[c.Confirm])
	return l, nil
}

// guesses are values for questions without a default.
var guesses = []string{"sample", "1", "1m", "80", "2030-01-01", "k=v", "/sample", "20%"}

// foreign stands for a value that is somebody else's work.
const foreign = "zz-foreign-zz"

// sampled is the command of a line with sample values in it.
func (w *wiring) sampled(c dashfile.Command) (*cobra.Command, error) {
	var first error
	for _, guess := range guesses {
		v := dashfile.Values{Ask: map[string]string{}, Nodes: []string{"i-0123456789abcdef0", "i-0123456789abcdef1"}, Field: sample}
		for _, a := range c.Ask {
			v.Ask[a.Name] = guess
			if len(a.Choices) > 0 {
				v.Ask[a.Name] = a.Choices[0]
			}
			if a.Default != "" {
				v.Ask[a.Name] = a.Default
			}
		}
		line, err := c.Fill(v)
		var cmd *cobra.Command
		if err == nil {
			cmd, err = w.parse(w.env, line.Words)
		}
		if err == nil {
			return cmd, nil
		}
		if first == nil {
			first = err
		}
		if len(c.Ask) == 0 {
			break
		}
	}
	return nil, first
}

func sample(field string) string {
	switch field {
	case dashfile.NodeID:
		return "i-0123456789abcdef0"
	case dashfile.ParameterName:
		return "/sample"
	case dashfile.RunID, dashfile.CommandID, dashfile.ExecutionID:
		return "01234567-89ab-cdef-0123-456789abcdef"
	case dashfile.SessionID:
		return "sample-0123456789abcdef0"
	case dashfile.WindowID:
		return "mw-0123456789abcdef0"
	case dashfile.Account:
		return "123456789012"
	case dashfile.Region:
		return "eu-west-1"
	case dashfile.Profile:
		return "sample"
	}
	return foreign
}

// placing are the global flags that say where a line goes and what it may do, which is
// not the line's to say.
var placing = []string{
	"config", "context", "profile", "region", "regions", "all-regions", "accounts", "role", "external-id", "endpoint-url", "read-only", "yes",
}

// choosing are the flags that say which nodes a line is about.
var choosing = []string{"target", "window-target", "node", "tag", "filter", "group", "instance", "via"}

// fits says what a line of the user's own cannot have.
func fits(cmd *cobra.Command) error {
	path := pathOf(cmd)
	if path == "" || slices.Contains(unattended, strings.Fields(path)[0]) {
		return fault.Usagef("%s is no use inside of the dashboard", cmd.CommandPath())
	}
	var wrong error
	cmd.Flags().Visit(func(f *pflag.Flag) {
		switch {
		case f.Name == "help":
			wrong = fault.Usagef("--help does nothing here")
		case slices.Contains(placing, f.Name):
			wrong = fault.Usagef("--%s is not for a line of the dashboard", f.Name).WithHint("the row says where it goes, and the box asks")
		case slices.Contains(choosing, f.Name) && strings.Contains(f.Value.String(), foreign):
			wrong = byID("--" + f.Name)
		}
	})
	if args := ownArgs(cmd); wrong == nil && slices.ContainsFunc(args, func(a string) bool { return strings.Contains(a, foreign) }) {
		wrong = byName(cmd, args)
	}
	return wrong
}

// ownArgs are the arguments of a command without those behind --.
func ownArgs(cmd *cobra.Command) []string {
	args := cmd.Flags().Args()
	if dash := cmd.ArgsLenAtDash(); dash >= 0 {
		args = args[:dash]
	}
	return args
}

// byName refuses arguments that choose something by what it is called.
func byName(cmd *cobra.Command, args []string) error {
	names := func(kinds ...string) bool {
		return slices.ContainsFunc(kinds, func(k string) bool { return strings.Contains(cmd.Use, "<"+k) || strings.Contains(cmd.Use, "["+k) })
	}
	switch {
	case names("node", "target", "<target"), pathOf(cmd) == "cp" && slices.ContainsFunc(args, placed):
		return byID("the node of " + cmd.Name())
	case names("window", "<window"):
		return fault.Usagef("the window of %s cannot be a name: another window can have the same, or be called like an id", cmd.Name()).
			WithHint("use {{.%s}}", dashfile.WindowID)
	}
	return nil
}

// placed reports whether a value says on which machine a side of a copy is, or may say
// it: NODE:PATH is one of a node.
func placed(arg string) bool {
	before, _, found := strings.Cut(arg, foreign)
	at, err := transfer.ParsePlace(arg, false)
	return found && (err != nil || strings.Contains(at.Target, foreign) || !strings.ContainsAny(before, ":/"))
}

// byID refuses names and tags where nodes are chosen: another node can have the same,
// and one can be called like an expression.
func byID(what string) error {
	return fault.Usagef("%s cannot be a name, an address or a tag: another node can have the same", what).
		WithHint("use {{.%s}} or {{.%s}}", dashfile.NodeID, dashfile.Nodes)
}

// pathOf is a command without ssmdeck: "param get".
func pathOf(cmd *cobra.Command) string {
	_, path, _ := strings.Cut(cmd.CommandPath(), " ")
	return path
}

// least is how a command is asked for at least, as the views do it.
func least(cmd *cobra.Command) deck.Level {
	path := pathOf(cmd)
	words := strings.Fields(path)
	last := words[len(words)-1]
	if words[0] == "api" { // of all operations there are, the verb comes first
		verb, _, _ := strings.Cut(last, "-")
		if verb == "terminate" || slices.Contains(destroying, verb) {
			return deck.Destructive
		}
		return deck.Disruptive
	}
	switch {
	case slices.Contains(destroying, last):
		return deck.Destructive
	case slices.Contains(disrupting, last), slices.ContainsFunc([]string{"fix", "overwrite", "target-param"}, cmd.Flags().Changed):
		return deck.Disruptive
	case slices.Contains(reading, strings.Join(words, "-")):
		return deck.Read
	}
	return deck.Change
}

// same checks that a line with its values is still the command that it was without.
func (w *wiring) same(l *ownLine, words []string) error {
	if l.Program {
		return nil
	}
	cmd, err := w.parse(w.env, words)
	switch {
	case err != nil:
		return fmt.Errorf("%s: %w", l.Name, err)
	case pathOf(cmd) != l.path || least(cmd) > l.level:
		return fault.New(fault.Refused, l.Name, "with these values it would be another command: ssmdeck %s", pathOf(cmd)).
			WithHint("nothing was run; see line %d of the file", l.Line)
	}
	return nil
}
