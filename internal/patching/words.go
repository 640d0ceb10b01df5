package patching

import (
	"strings"

	"github.com/ssmdeck/ssmdeck/internal/pattern"
	"github.com/ssmdeck/ssmdeck/internal/run"
)

const (
	mostWords   = 5   // lines of Words
	longestWord = 240 // bytes of one
)

var (
	// trouble is how lines of package managers, Windows Update and the document's own
	// scripts say that something went wrong.
	trouble = pattern.Lazy(`(?i)\b(error|errors|failed|failure|fatal|unable|cannot|can't|could not|couldn't|denied|refused|exception|traceback|no space|not enough|timed out|timeout|unmet|conflicts?|broken|0x8[0-9a-f]{7})\b`)
	// counting are lines of a summary: they say how many, not why.
	counting = pattern.Lazy(`(?i)^\W*\w*(failed|error)\w*\s*(count)?\s*[:=]\s*\d+\W*$|\b(0|no) (errors?|failed|failures)\b|\bfailed\s*[:=]?\s*0\b|(failed|noncompliant)count`)
	// reboots are lines that tell of a reboot that was made, not of the option or of one
	// that is still needed.
	rebootMade = pattern.Lazy(`(?i)\b(rebooting|rebooted|initiating (a )?reboot|restarting (the )?(computer|system|instance|machine)|reboot(ed)? (was )?(complete|completed|performed|initiated)|resum(ed|ing) after (a |the )?reboot)\b`)
	denies     = pattern.Lazy(`(?i)\b(not|no|without|skip\w*|never)\b`)
)

// Words picks from what an operation printed the lines that say why it failed: those
// that name one of the patches, those that speak of trouble, else the last ones. They
// are as the node wrote them: show them with control characters made visible.
func Words(stdout, stderr string, patches ...string) []string {
	var named, bad, last []string
	seen := map[string]bool{}
	for _, text := range []string{stderr, stdout} {
		for line := range strings.Lines(text) {
			line = strings.TrimSpace(line)
			if line == "" || seen[line] {
				continue
			}
			seen[line] = true
			if len(line) > longestWord {
				line = strings.ToValidUTF8(line[:longestWord], "") + "…"
			}
			wrong := trouble().MatchString(line) && !counting().MatchString(line)
			switch {
			case wrong && names(line, patches):
				named = append(named, line)
			case wrong:
				bad = append(bad, line)
			default:
				last = append(last, line)
			}
		}
	}
	if words := append(named, bad...); len(words) > 0 {
		return words[:min(len(words), mostWords)]
	}
	return last[max(0, len(last)-3):]
}

// names reports whether a line names one of the patches: KB5034441, or a package
// with or without its architecture.
func names(line string, patches []string) bool {
	for _, p := range patches {
		name, _, _ := strings.Cut(p, ".")
		if name != "" && strings.Contains(line, name) {
			return true
		}
	}
	return false
}

// rebooted reports whether what a node printed tells that it rebooted; the service
// has no word for it. nil: there is more output than was read, or none.
func rebooted(row run.Row) *bool {
	told := tellsOfReboot(row.Stdout)
	if !told && (!row.HasOutput || row.Truncated || row.Preview) {
		return nil
	}
	return &told
}

func tellsOfReboot(stdout string) bool {
	for line := range strings.Lines(stdout) {
		if rebootMade().MatchString(line) && !denies().MatchString(line) {
			return true
		}
	}
	return false
}
