package dashfile

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ssmdeck/ssmdeck/internal/fault"
)

// mostInWords is up to how many nodes are named on the command line; the ids of more
// are read from standard input.
const mostInWords = 500

// Values are what is put into a line.
type Values struct {
	Row   string                    // what the row is called, for messages
	Field func(field string) string // empty: it has none, or that is not known
	Nodes []string                  // the ids behind .Nodes
	Ask   map[string]string         // the answers
}

// Line is a command line that can run.
type Line struct {
	Words []string
	Input []byte // what it reads from standard input; nil: nothing
}

// Fill puts values in. Each becomes a part of its word as it is, or is refused: one
// that is empty, that has characters which cannot be seen, that would be a flag, or
// that the program would read as more than a name.
func (c *Command) Fill(v Values) (Line, error) {
	var out Line
	own, dashes := c.ownWords(), 0
	for i, w := range c.Words {
		if w.is(Nodes) {
			words, input := targets(v.Nodes)
			if len(words) == 0 {
				return Line{}, c.refused(Nodes, "", v, "stands for nothing: no node is chosen")
			}
			out.Words, out.Input = append(out.Words, words...), input
			continue
		}
		word := ""
		for _, p := range w {
			if p.Field == "" {
				word += p.Text
				continue
			}
			value, err := c.value(p.Field, v)
			if err != nil {
				return Line{}, err
			}
			ended := dashes > 0 && (c.Program || dashes > 1)
			if why := c.unfit(p.Field, value, word == "" && !ended, !c.Program && i < own); why != "" {
				return Line{}, c.refused(p.Field, value, v, why)
			}
			word += value
		}
		if w.literal() == "--" {
			dashes++
		}
		out.Words = append(out.Words, word)
	}
	return out, nil
}

// targets are the words that name nodes, and what goes to standard input.
func targets(ids []string) (words []string, input []byte) {
	if len(ids) > mostInWords {
		return []string{"-t", "-"}, []byte(strings.Join(ids, "\n") + "\n")
	}
	for _, id := range ids {
		words = append(words, "-t", id)
	}
	return words, nil
}

func (c *Command) value(field string, v Values) (string, error) {
	value := ""
	if name, ok := strings.CutPrefix(field, askField); ok {
		value = v.Ask[name]
	} else if v.Field != nil {
		value = v.Field(field)
	}
	switch {
	case strings.TrimSpace(value) == "":
		return "", c.refused(field, "", v, "is empty, or not known")
	case !printable(value):
		return "", c.refused(field, value, v, "has characters that cannot be seen")
	}
	return value, nil
}

// unfit says why a value cannot be put in. first is set where the word begins with it
// and may be a flag; own where ssmdeck itself reads the word.
func (c *Command) unfit(field, value string, first, own bool) string {
	asked := strings.HasPrefix(field, askField)
	switch {
	case called(field) && leadsAway(value):
		return "would lead out of the folder that stands in front of it, or to all of it"
	case first && value[0] == '-':
		return "begins with a hyphen and would be read as a flag"
	case own && first && value[0] == '@':
		return "begins with @ and would be read as something else than a name"
	case own && !asked && (!plain(value) || strings.Contains(value, "://")):
		return "would be more than a name to ssmdeck: only letters, digits and . _ - / : + can be put in here"
	case c.joined() && !plain(value):
		return "would be read by a shell: only letters, digits and . _ - / : + can be put in here"
	}
	return ""
}

// called reports whether a field is what people call something, which can be whatever
// they like.
func called(field string) bool {
	return field == NodeName || field == WindowName || kind(field) == NodeTag
}

// leadsAway reports whether a value names, as a part of a path, no folder or file below
// the one in front of it: ".." and "/" in `rm -r /data/VALUE`.
func leadsAway(value string) bool {
	elements := strings.FieldsFunc(value, func(r rune) bool { return r == '/' || r == '\\' })
	return slices.Contains(elements, "..") || !slices.ContainsFunc(elements, func(e string) bool { return e != "." })
}

// joined reports whether the words are put together for a shell.
func (c *Command) joined() bool {
	for _, w := range c.Words {
		if slices.Contains(joiners, program(w.literal())) {
			return true
		}
	}
	return false
}

// plain reports whether a value means nothing but itself to shells, patterns and the
// grammar of targets and filters.
func plain(value string) bool {
	return !strings.ContainsFunc(value, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("._-/:+", r))
	})
}

func (c *Command) refused(field, value string, v Values, why string) error {
	of := ""
	if value != "" {
		of = fmt.Sprintf(": %q", value)
	}
	if v.Row != "" && !strings.HasPrefix(field, askField) {
		of += " of " + v.Row
	}
	return fault.New(fault.Refused, c.Name, "%s %s%s", placeholder(field), why, of).WithHint("nothing was run; see %q in line %d of the file", c.Name, c.Line)
}
