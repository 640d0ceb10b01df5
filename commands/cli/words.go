package cli

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/fleet"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/theme"
)

// TagLine is a set of tags on one line, in the order of their keys.
func TagLine(tags map[string]string) string {
	var words []string
	for _, k := range slices.Sorted(maps.Keys(tags)) {
		words = append(words, k+"="+tags[k])
	}
	return strings.Join(words, ",")
}

// LowerAll is the words in lower case.
func LowerAll(list []string) []string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = strings.ToLower(s)
	}
	return out
}

// Pad fills s with spaces up to width bytes.
func Pad(s string, width int) string {
	return s + strings.Repeat(" ", max(0, width-len(s)))
}

// FirstLine is the first line of an error's text, safe to show.
func FirstLine(err error) string {
	s, _, _ := strings.Cut(render.Visible(err.Error()), "\n")
	return s
}

// Moment adds a time: exact for machines, local and relative for people.
func Moment(d *render.Detail, o render.Options, key string, t time.Time) {
	if t.IsZero() {
		d.Field(key, "")
		return
	}
	d.Human(key, render.Timestamp(t), render.Local(t, o.Location)+", "+render.Ago(o.Now, t))
}

// PluralWere is "1 node was", "3 nodes were".
func PluralWere(n int, noun string) string {
	return Plural(n, noun) + map[bool]string{true: " was", false: " were"}[n == 1]
}

// PluralAre is "1 node is", "3 nodes are".
func PluralAre(n int, noun string) string {
	return Plural(n, noun) + map[bool]string{true: " is", false: " are"}[n == 1]
}

// NumberColumn is a count, with a level where it is not 0; nothing where it is not known.
func NumberColumn[T any](o render.Options, name string, level theme.Level, known func(T) bool, of func(T) int) render.Column[T] {
	text := func(v T) string {
		if known != nil && !known(v) {
			return ""
		}
		return strconv.Itoa(of(v))
	}
	return render.Column[T]{
		Name: name, Right: true, Text: text,
		Human: func(v T) string {
			s := text(v)
			switch {
			case s == "":
				return o.Styles.Dim.Render("-")
			case s == "0":
				return o.Styles.Dim.Render(s)
			case level == theme.Unknown:
				return s
			}
			return o.Styles.Level(level).Render(s)
		},
		Less: func(a, b T) bool { return of(a) < of(b) },
	}
}

// SplitWords cuts a command line into words as a shell does, with quotes and
// backslashes and without anything else.
func SplitWords(line string) ([]string, error) {
	var (
		words []string
		word  strings.Builder
		in    bool // a word has begun
		quote rune
		bare  bool // the next character stands for itself
	)
	for _, r := range line {
		switch {
		case bare:
			word.WriteRune(r)
			bare = false
		case r == '\\' && quote != '\'':
			bare, in = true, true
		case quote != 0 && r == quote:
			quote = 0
		case quote != 0:
			word.WriteRune(r)
		case r == '\'' || r == '"':
			quote, in = r, true
		case r == ' ' || r == '\t':
			if in {
				words = append(words, word.String())
				word.Reset()
				in = false
			}
		default:
			word.WriteRune(r)
			in = true
		}
	}
	if quote != 0 || bare {
		return nil, fault.Usagef("the line ends inside a quote")
	}
	if in {
		words = append(words, word.String())
	}
	return words, nil
}

// SomeNames names the first few nodes.
func SomeNames(nodes []fleet.Node) string {
	const most = 5
	var names []string
	for _, n := range nodes[:min(len(nodes), most)] {
		names = append(names, cmp.Or(n.Name, n.ID))
	}
	if len(nodes) > most {
		names = append(names, fmt.Sprintf("and %d more", len(nodes)-most))
	}
	return strings.Join(names, ", ")
}

// Plural returns "1 node" or "3 nodes".
func Plural(n int, noun string) string {
	stem, y := strings.CutSuffix(noun, "y")
	switch {
	case n == 1:
	case y && !strings.HasSuffix(stem, "e") && !strings.HasSuffix(stem, "a"):
		noun = stem + "ies"
	case strings.HasSuffix(noun, "ch"), strings.HasSuffix(noun, "s"):
		noun += "es"
	default:
		noun += "s"
	}
	return fmt.Sprintf("%d %s", n, noun)
}

// SomeOf shows the first most words and how many more there are.
func SomeOf(words []string, most int) string {
	if len(words) <= most {
		return strings.Join(words, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(words[:most], ", "), len(words)-most)
}

// VisibleLine makes a line of foreign output safe for a terminal, without its
// end. Tabs stay.
func VisibleLine(line string) string {
	parts := strings.Split(strings.TrimRight(line, "\r\n"), "\t")
	for i := range parts {
		parts[i] = render.Visible(parts[i])
	}
	return strings.Join(parts, "\t")
}

// ForStream returns foreign output as it may be written to a stream: to a
// terminal line by line and harmless, into a pipe as it is.
func ForStream(stream any, text string) string {
	if !IsTerminal(stream) {
		return text
	}
	var b strings.Builder
	for line := range strings.Lines(text) {
		b.WriteString(VisibleLine(line))
		b.WriteByte('\n')
	}
	return b.String()
}

// OrNone is s, or a word for nothing.
func OrNone(s string) string {
	if s == "" {
		return "(none)"
	}
	return s
}
