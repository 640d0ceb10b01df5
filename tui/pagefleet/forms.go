package pagefleet

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"unicode"

	tea "charm.land/bubbletea/v2"

	"github.com/ssmdeck/ssmdeck/internal/document"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/fleet"
	"github.com/ssmdeck/ssmdeck/internal/run"
	"github.com/ssmdeck/ssmdeck/tui/deck"
	"github.com/ssmdeck/ssmdeck/tui/sources"
	"github.com/ssmdeck/ssmdeck/tui/widget"
)

var errNoProfile = fault.Usagef("an instance without a role can do nothing: name an instance profile")

// ifGiven are the words of a flag, none when its value is empty.
func ifGiven(flag, value string) []string {
	if value = strings.TrimSpace(value); value != "" {
		return []string{flag, value}
	}
	return nil
}

// run asks what to run on the chosen nodes.
func (p *Page) run() tea.Cmd {
	batches := p.chosen()
	check := func(parse func(string) error) func(string) error {
		return func(v string) error {
			if v = strings.TrimSpace(v); v == "" {
				return nil
			}
			return parse(v)
		}
	}
	return deck.Ask(deck.Form{
		Title: "Run on " + whatOf(batches),
		Fields: []deck.Field{
			{Name: "command", Label: "Command", Many: true, Help: "a script for the node's own shell"},
			{Name: "document", Label: "Document", Help: "in place of a command: AWS-UpdateSSMAgent", Choices: matching(documentNames())},
			deck.ParamsField("params", "of the document: NAME=VALUE, one a line"),
			{
				Name: "concurrency", Label: "At a time", Help: "50, or a percentage",
				Check: check(func(v string) error { _, err := run.ParseConcurrency(v); return err }),
			},
			{
				Name: "errors", Label: "Stop after", Help: "0 failures, or a percentage",
				Check: check(func(v string) error { _, err := run.ParseMaxErrors(v); return err }),
			},
			{
				Name: "timeout", Label: "May take", Help: "how long on a node: 1h",
				Check: check(func(v string) error { _, err := run.ParseExecTimeout(v); return err }),
			},
			{Name: "comment", Label: "Comment", Help: "for the command's history"},
		},
		Check: checkRun,
		Done:  func(v map[string]string) tea.Cmd { return p.runLines(batches, v) },
	})
}

// checkRun wants one thing to run.
func checkRun(v map[string]string) error {
	command, doc := strings.TrimSpace(v["command"]) != "", strings.TrimSpace(v["document"]) != ""
	switch {
	case !command && !doc:
		return fault.Usagef("nothing to run: write a command or name a document")
	case command && doc:
		return fault.Usagef("a command and a document were given: give one of them")
	}
	return nil
}

// runLines are the lines of a form that was filled in.
func (p *Page) runLines(batches []batch, v map[string]string) tea.Cmd {
	if err := checkRun(v); err != nil {
		return deck.Ask(deck.Say{Err: err})
	}
	command, doc := strings.TrimSpace(v["command"]), strings.TrimSpace(v["document"])
	return forEach(batches, func(b batch) deck.Line {
		targets, input := b.targets()
		params, secrets := deck.ParamWords(v["params"])
		if secrets != nil { // they need standard input, and the line can be as long as it takes
			targets, input = b.named(), secrets
		}
		words := append([]string{"run"}, targets...)
		words = append(words, ifGiven("--document", doc)...)
		words = append(words, params...)
		words = append(words, ifGiven("--concurrency", v["concurrency"])...)
		words = append(words, ifGiven("--max-errors", v["errors"])...)
		words = append(words, ifGiven("--exec-timeout", v["timeout"])...)
		words = append(words, ifGiven("--comment", v["comment"])...)
		words = append(words, "--no-wait")
		if command != "" {
			words = append(words, "--", command)
		}
		return deck.Line{
			Words: words, At: b.at, What: "run on " + b.what(), Facts: b.facts(), Level: deck.Change, How: deck.Quietly,
			Input: input, Refresh: []string{sources.Commands}, Done: func(r deck.Result) tea.Msg { return sent{r} },
		}
	})
}

// whatOf names the nodes of several places.
func whatOf(batches []batch) string {
	n := 0
	for _, b := range batches {
		n += len(b.nodes)
	}
	if n == 1 {
		return batches[0].what()
	}
	return widget.Count(n, "node")
}

// documentNames are the documents of AWS that are run most.
func documentNames() []string {
	return []string{document.ShellScript, "AWS-RunPowerShellScript", "AWS-UpdateSSMAgent", "AWS-RunPatchBaseline", "AWS-ConfigureAWSPackage", "AWS-GatherSoftwareInventory", "AWS-InstallApplication", "AWS-ApplyAnsiblePlaybooks"}
}

func matching(words []string) func(string) []string {
	return func(typed string) []string {
		typed = strings.ToLower(typed)
		return slices.DeleteFunc(slices.Clone(words), func(w string) bool { return !strings.Contains(strings.ToLower(w), typed) })
	}
}

// scan scans the chosen nodes.
func (p *Page) scan() tea.Cmd {
	return forEach(p.chosen(), func(b batch) deck.Line {
		targets, input := b.targets()
		return deck.Line{
			Words: append(append([]string{"patch", "scan"}, targets...), "--no-wait"), At: b.at, What: "scan " + b.what() + " for missing patches",
			Facts: b.facts(), Level: deck.Change, How: deck.Quietly, Input: input,
			Refresh: []string{sources.Commands, sources.Patches}, Done: func(r deck.Result) tea.Msg { return sent{r} },
		}
	})
}

// install asks how to install on the chosen nodes.
func (p *Page) install() tea.Cmd {
	batches := p.chosen()
	return deck.Ask(deck.Form{
		Title: "Install patches on " + whatOf(batches),
		Fields: []deck.Field{
			{Name: "reboot", Label: "Reboot", Value: "if-needed", Choices: matching([]string{"if-needed", "never"}), Only: true},
			{Name: "waves", Label: "Waves", Help: "1,10%,50%,100%"},
			{Name: "health", Label: "Health", Help: "script that must succeed on every node after its installation"},
			{Name: "errors", Label: "Stop after", Help: "failed nodes: a number or a percentage"},
		},
		Done: func(v map[string]string) tea.Cmd {
			return forEach(batches, func(b batch) deck.Line {
				targets, input := b.targets()
				words := append([]string{"patch", "install"}, targets...)
				words = append(words, "--reboot", v["reboot"])
				words = append(words, ifGiven("--waves", v["waves"])...)
				words = append(words, ifGiven("--health", v["health"])...)
				words = append(words, ifGiven("--max-errors", v["errors"])...)
				return deck.Line{
					Words: words, At: b.at, What: "install patches on " + b.what(), Facts: b.facts(), Preview: dryRun(words),
					Level: deck.Disruptive, How: deck.InPane, Input: input, Refresh: []string{sources.Patches, sources.Nodes, sources.Commands},
				}
			})
		},
	})
}

// dryRun is the line that shows what would happen.
func dryRun(words []string) []string { return append(slices.Clone(words), "--dry-run") }

// updateAgents updates the agents of the chosen nodes.
func (p *Page) updateAgents() tea.Cmd {
	return forEach(p.chosen(), func(b batch) deck.Line {
		targets, input := b.targets()
		words := append([]string{"node", "agents", "update"}, targets...)
		return deck.Line{
			Words: words, At: b.at, What: "update the agents of " + b.what(), Facts: b.facts(), Preview: dryRun(words),
			Level: deck.Change, How: deck.InPane, Input: input, Refresh: []string{sources.Nodes, sources.Commands},
		}
	})
}

// editTags asks for tags: those of one node as they are, for several what to change.
func (p *Page) editTags() tea.Cmd {
	batches := p.chosen()
	if len(batches) == 0 {
		return forEach(batches, nil)
	}
	f := deck.Field{Name: "tags", Label: "Tags", Many: true, Help: "KEY=VALUE sets, KEY- removes; one a line", Check: checkTags}
	var had map[string]string
	title := "Tags of " + whatOf(batches)
	if tags, ok := p.tagsOf(batches); ok {
		had = lineTags(tags)
		f.Value, f.Help = tagValue(had), "KEY=VALUE, one a line; a line taken away removes its tag"
		if n := len(tags) - len(had); n > 0 {
			title += ", without " + widget.Count(n, "tag") + " that no line can say"
		}
	}
	return deck.Ask(deck.Form{Title: title, Fields: []deck.Field{f}, Done: func(v map[string]string) tea.Cmd {
		words := tagWords(v["tags"], had)
		if len(words) == 0 {
			return deck.Ask(deck.Say{Text: "no tag was changed"})
		}
		return forEach(batches, func(b batch) deck.Line {
			named, input, facts := strings.Join(b.ids(), ","), []byte(nil), b.facts()[:1] // offline or not, EC2 keeps the tags
			if len(b.nodes) > inWords {
				facts = append(facts, inputFact)
				named, input = "-", []byte(strings.Join(b.ids(), "\n")+"\n")
			}
			line := []string{"node", "tag", named}
			if slices.ContainsFunc(words, func(w string) bool { return strings.HasPrefix(w, "-") }) {
				line = append(line, "--") // a tag whose key looks like a flag
			}
			return deck.Line{
				Words: append(line, words...), At: b.at, What: "change tags of " + b.what(),
				Facts: append(facts, deck.Fact{Name: "Tags", Value: strings.Join(words, ", ")}), Level: deck.Change, How: deck.Quietly,
				Input: input, Refresh: []string{sources.Nodes}, Done: func(deck.Result) tea.Msg { return tagged{} },
			}
		})
	}})
}

// tagsOf are the tags of the one node that is chosen; false for several, and where
// they are not known: then nothing that is missing is taken for one to remove.
func (p *Page) tagsOf(batches []batch) (map[string]string, bool) {
	if len(batches) != 1 || len(batches[0].nodes) != 1 {
		return nil, false
	}
	r := row{key: deck.Key(batches[0].at, batches[0].nodes[0].ID), n: &batches[0].nodes[0]}
	known := p.known(&r)
	if !known.joined() || lacksTags(known.n) {
		return nil, false
	}
	if known.n.Tags == nil {
		return map[string]string{}, true
	}
	return known.n.Tags, true
}

// tagged says that tags have been changed: what is known of the node is old.
type tagged struct{}

// lineTags are the tags that come back as they are when they are written one a line.
// The others are not in the form, and stay: what nobody has changed must not be changed.
func lineTags(tags map[string]string) map[string]string {
	out := make(map[string]string, len(tags))
	for k, v := range tags {
		line := k + "=" + v
		if !strings.Contains(k, "=") && strings.TrimSpace(line) == line && strings.IndexFunc(line, unicode.IsControl) < 0 {
			out[k] = v
		}
	}
	return out
}

// tagValue writes tags one a line, in order.
func tagValue(tags map[string]string) string {
	var lines []string
	for k, v := range tags {
		lines = append(lines, k+"="+v)
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

func tagLinesOf(text string) []string {
	lines := strings.Split(text, "\n")
	for i := range lines {
		lines[i] = strings.TrimSpace(lines[i])
	}
	return slices.DeleteFunc(lines, func(s string) bool { return s == "" })
}

func checkTags(text string) error {
	lines := tagLinesOf(text)
	if len(lines) == 0 {
		return nil
	}
	_, err := fleet.ParseTagChange(lines)
	return err
}

// tagWords are the changes that make what a node had into what was typed; had is nil
// where the lines are changes already.
func tagWords(text string, had map[string]string) []string {
	lines := tagLinesOf(text)
	if had == nil {
		return lines
	}
	var words []string
	kept := map[string]bool{}
	for _, l := range lines {
		key, value, set := strings.Cut(l, "=")
		if !set {
			continue // KEY-: it is not kept
		}
		kept[key] = true
		if old, was := had[key]; !was || old != value {
			words = append(words, l)
		}
	}
	for k := range had {
		if !kept[k] && !strings.HasPrefix(k, "aws:") {
			words = append(words, k+"-")
		}
	}
	slices.Sort(words)
	return words
}

// forward asks what to forward to. What there is in the node's network is offered as
// soon as it is known.
func (p *Page) forward() tea.Cmd {
	r := p.current()
	n, place, label := *r.n, r.at, r.label()
	load := p.wantDatabases(place)
	form := deck.Form{
		Title: "Forward through " + label,
		Fields: []deck.Field{
			{
				Name: "to", Label: "To", Help: "a port of the node, or HOST:PORT as the node sees it",
				Choices: func(typed string) []string { return p.reachable(place, n.VPC, typed) },
				Check:   func(v string) error { _, err := forwardSpec(v, ""); return err },
			},
			{
				Name: "local", Label: "Local port", Help: "the same, when it is free; 0 picks a free one",
				Check: func(v string) error { _, err := forwardSpec("80", v); return err },
			},
		},
		Done: func(v map[string]string) tea.Cmd {
			spec, err := forwardSpec(v["to"], v["local"])
			if err != nil {
				return deck.Ask(deck.Say{Err: err})
			}
			return deck.Ask(deck.Line{
				Words: []string{"forward", n.ID, spec}, At: place, What: "forward " + spec + " through " + label, How: deck.InPane,
				Refresh: []string{sources.Forwards, sources.Sessions},
			})
		},
	}
	return tea.Batch(load, deck.Ask(form))
}

// forwardSpec makes the spec of a forward of what was typed.
func forwardSpec(to, local string) (string, error) {
	first, _, _ := strings.Cut(strings.TrimSpace(to), " ") // what follows describes a choice
	host, port := "", first
	if strings.Contains(first, ":") {
		var err error
		if host, port, err = net.SplitHostPort(first); err != nil {
			return "", fault.Usagef("%q is neither a port nor HOST:PORT", first)
		}
	}
	if first == "" {
		return "", errors.New("say where to: a port of the node, or HOST:PORT")
	}
	if n, err := strconv.Atoi(port); err != nil || n < 1 || n > 65535 {
		return "", fault.Usagef("%q is not a port from 1 to 65535", port)
	}
	if local = strings.TrimSpace(local); local == "" {
		local = port
	}
	if n, err := strconv.Atoi(local); err != nil || n < 0 || n > 65535 {
		return "", fault.Usagef("%q is not a local port from 0 to 65535", local)
	}
	if host == "" {
		return local + ":" + port, nil
	}
	return local + ":" + net.JoinHostPort(host, port), nil
}

func copyFact(from, to string) deck.Fact {
	return deck.Fact{Name: "Copy", Value: fmt.Sprintf("%s to %s", from, to)}
}
