package dashfile

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

// Word is one word of a line, made of texts and of values put between them.
type Word []Part

// Part is a text, or a value when Field is set: "Node.ID".
type Part struct{ Text, Field string }

// literal is a word without values; empty: it has some.
func (w Word) literal() string {
	if len(w) != 1 {
		return ""
	}
	return w[0].Text
}

func (w Word) hasValue() bool {
	return slices.ContainsFunc(w, func(p Part) bool { return p.Field != "" })
}

// is reports whether the word is the value of a field and nothing else.
func (w Word) is(field string) bool { return len(w) == 1 && w[0].Field == field }

// split makes words of a line, with the quotes of a shell and nothing else of it.
func split(line string) (words []Word, err error) {
	var b builder
	quote := byte(0)
	for i := 0; i < len(line); {
		if strings.HasPrefix(line[i:], open) {
			n, err := b.value(line[i:])
			if err != nil {
				return nil, err
			}
			i += n
			continue
		}
		c := line[i]
		i++
		switch {
		case quote == 0 && (c == '\'' || c == '"'):
			quote, b.begun = c, true
		case quote != 0 && c == quote:
			quote = 0
		case c == '\\' && quote == 0, c == '\\' && quote == '"' && i < len(line) && strings.IndexByte("\"\\$`", line[i]) >= 0:
			if i == len(line) {
				return nil, fmt.Errorf("nothing follows the backslash at the end")
			}
			b.add(line[i])
			i++
		case quote != '\'' && (c == '$' || c == '`'), quote == 0 && strings.IndexByte("|&;<>", c) >= 0:
			return nil, fmt.Errorf("no shell reads this line, and %q would mean nothing: put it into single quotes where it is meant as it is", c)
		case quote == 0 && (c == ' ' || c == '\t' || c == '\n'):
			words = b.end(words)
		default:
			b.add(c)
		}
	}
	if quote != 0 {
		return nil, fmt.Errorf("the quote %c is not closed", quote)
	}
	return b.end(words), nil
}

// parts reads one word, in which nothing but values means anything.
func parts(text string) (Word, error) {
	b := builder{begun: true}
	for i := 0; i < len(text); {
		if !strings.HasPrefix(text[i:], open) {
			b.add(text[i])
			i++
			continue
		}
		n, err := b.value(text[i:])
		if err != nil {
			return nil, err
		}
		i += n
	}
	return b.end(nil)[0], nil
}

// builder puts a word together.
type builder struct {
	word  Word
	text  []byte
	begun bool // also an empty word is one
}

const open, shut = "{{", "}}"

func (b *builder) add(c byte) {
	b.text, b.begun = append(b.text, c), true
}

func (b *builder) flush() {
	if len(b.text) > 0 {
		b.word, b.text = append(b.word, Part{Text: string(b.text)}), nil
	}
}

func (b *builder) end(words []Word) []Word {
	if !b.begun {
		return words
	}
	if b.flush(); len(b.word) == 0 {
		b.word = Word{{}}
	}
	words = append(words, b.word)
	*b = builder{}
	return words
}

// value reads a placeholder at the start of a text, and returns how long it is. What
// Systems Manager itself puts in, {{ssm:/a/name}}, stays as it is.
func (b *builder) value(text string) (n int, err error) {
	inner, _, closed := strings.Cut(text[len(open):], shut)
	if !closed {
		return 0, fmt.Errorf("%q is not closed by %q", open, shut)
	}
	n = len(open) + len(inner) + len(shut)
	inner = strings.TrimSpace(inner)
	field, dotted := strings.CutPrefix(inner, ".")
	switch {
	case inner == `"`+open+`"`:
		b.text, b.begun = append(b.text, open...), true
	case strings.HasPrefix(inner, "ssm:"), strings.HasPrefix(inner, "ssm-secure:"):
		b.text, b.begun = append(b.text, text[:n]...), true
	case !dotted || field == "":
		return 0, fmt.Errorf(`%s%s%s is no value: those are written as %s, and %s itself as {{"{{"}}`, open, inner, shut, placeholder(NodeID), open)
	default:
		b.flush()
		b.word, b.begun = append(b.word, Part{Field: field}), true
	}
	return n, nil
}

// fields are those of rows that the words have, each once.
func (c *Command) fields() (fields []string) {
	for _, w := range c.Words {
		for _, p := range w {
			if p.Field != "" && !strings.HasPrefix(p.Field, askField) && !slices.Contains(everywhere, p.Field) && !slices.Contains(fields, p.Field) {
				fields = append(fields, p.Field)
			}
		}
	}
	return fields
}

// OfRows reports whether the command is about rows.
func (c *Command) OfRows() bool { return len(c.fields()) > 0 }

// Many reports whether the command is about all nodes that are chosen.
func (c *Command) Many() bool { return slices.Contains(c.fields(), Nodes) }

// check says what is wrong with the words.
func (c *Command) check() error {
	switch {
	case len(c.Words) == 0:
		return fmt.Errorf("there are no words")
	case c.Words[0].hasValue() || c.Words[0].literal() == "":
		return fmt.Errorf("what is run must be written out: a value cannot say it")
	}
	asked := map[string]bool{}
	for _, w := range c.Words {
		for _, p := range w {
			if p.Field == "" {
				continue
			}
			if err := c.checkField(p.Field); err != nil {
				return err
			}
			asked[strings.TrimPrefix(p.Field, askField)] = true
		}
	}
	for _, a := range c.Ask {
		if !asked[a.Name] {
			return fmt.Errorf("the answer to %q is not used: %s is nowhere", a.Name, placeholder(askField+a.Name))
		}
	}
	if err := c.checkNodes(); err != nil {
		return err
	}
	return c.checkScripts()
}

func (c *Command) checkField(field string) error {
	legal := knownFields()
	for _, a := range c.Ask {
		legal = append(legal, askField+a.Name)
	}
	known := slices.Contains(legal, field) && field != NodeTag+"KEY"
	if strings.HasPrefix(field, NodeTag) {
		known = field != NodeTag
	}
	switch {
	case known:
		return nil
	case strings.HasPrefix(field, askField) && len(c.Ask) == 0:
		return fmt.Errorf("%s is not known: nothing of that name is asked for", placeholder(field))
	}
	near := near(field, legal)
	if near == "" {
		near = ": there are " + strings.Join(legal, ", ")
	}
	return fmt.Errorf("%s is not known%s", placeholder(field), near)
}

// checkNodes holds .Nodes to its place.
func (c *Command) checkNodes() error {
	if !c.Many() {
		return nil
	}
	seen := 0
	for i, w := range c.Words {
		switch {
		case !slices.ContainsFunc(w, func(p Part) bool { return p.Field == Nodes }):
			continue
		case c.Program:
			return fmt.Errorf("%s is for run: another program does not know -t", placeholder(Nodes))
		case !w.is(Nodes):
			return fmt.Errorf("%s must be a word of its own: it becomes several", placeholder(Nodes))
		case i > c.ownWords():
			return fmt.Errorf("%s must stand in front of --", placeholder(Nodes))
		case c.Words[i-1].literal() == "-t" || c.Words[i-1].literal() == "--target":
			return fmt.Errorf("%s brings -t for each node: leave out the one in front of it", placeholder(Nodes))
		}
		seen++
	}
	if seen > 1 || len(c.fields()) > 1 {
		return fmt.Errorf("%s are all nodes together: nothing else of a node can be put in beside it", placeholder(Nodes))
	}
	return nil
}

// ownWords is how many words are for the program itself: those in front of --, from
// which on they are those of another one.
func (c *Command) ownWords() int {
	for i, w := range c.Words {
		if w.literal() == "--" {
			return i
		}
	}
	return len(c.Words)
}

// Programs that read a word as a program of their own, behind a flag that ends like
// this, whatever the word was made of.
var (
	interpreters = []string{
		"sh", "bash", "dash", "zsh", "ksh", "ash", "fish", "cmd", "powershell", "pwsh", "python", "python2", "python3", "perl", "ruby", "node",
		"php", "lua", "su", "awk", "gawk", "mawk", "sed", "jq", "eval", "watch", "script", "osascript", "expect", "xterm", "psql", "mysql",
		"mariadb", "mongosh", "sqlite3", "vim", "nvim",
	}
	// joiners put their words together and have a shell read them, here or elsewhere.
	joiners = []string{"ssh", "mosh", "su", "eval", "watch", "script", "cmd", "powershell", "pwsh", "wsl", "tmux", "screen", "parallel"}
	// firstIsCode are interpreters whose program is the first word that is no flag.
	firstIsCode = []string{"awk", "gawk", "mawk", "sed", "jq", "eval", "watch"}
	// valued are flags of those that have a value behind them, which is no program.
	valued = []string{"-F", "-v", "--assign", "--arg", "-l", "-n"}
)

func program(word string) string {
	name := strings.ToLower(path.Base(strings.ReplaceAll(word, `\`, "/")))
	return strings.TrimSuffix(name, ".exe")
}

// checkScripts refuses values inside of what a shell or an interpreter reads.
func (c *Command) checkScripts() error {
	own := c.ownWords()
	if rest := c.Words[min(own+1, len(c.Words)):]; !c.Program && len(rest) == 1 && rest[0].hasValue() {
		return fmt.Errorf("the only word behind -- is read by the shell of the node, and with it what is put in: write its words apart, without quotes around all of them")
	}
	for i, w := range c.Words {
		name := program(w.literal())
		if slices.Contains(interpreters, name) && (c.Program || i >= own) && codeWithValue(name, c.Words[i+1:]) {
			return fmt.Errorf("%s would read what is put in as a program: give it as an argument, as in sh -c 'echo \"$1\"' sh %s", name, placeholder(NodeName))
		}
	}
	return nil
}

// codeWithValue reports whether a value is put into the program that is among the
// words of an interpreter.
func codeWithValue(name string, words []Word) bool {
	first := slices.Contains(firstIsCode, name)
	before := "" // the flag that the word belongs to
	for _, w := range words {
		text := w[0].Text
		switch {
		case w.hasValue() && (code(before) || attached(text) || first && (text == "" || text[0] != '-') && !takes(name, before)):
			return true
		case text == "--" && before != "": // of sh -c -- PROGRAM
			continue
		case w.hasValue():
		case strings.HasPrefix(text, "-"):
			before = text
			continue
		case first && !takes(name, before):
			first = false
		}
		before = ""
	}
	return false
}

// takes reports whether a flag of an interpreter whose program is a word by itself has
// the next word for a value.
func takes(name, flag string) bool {
	return slices.Contains(valued, flag) && !(flag == "-n" && name != "watch")
}

// code reports whether the word behind a flag is a program: -c, -ec, -ne, /c, -Command.
func code(flag string) bool {
	flag = strings.ToLower(flag)
	if slices.Contains([]string{"/c", "/k", "--eval", "--command", "-command", "--execute", "--expression", "--print"}, flag) {
		return true
	}
	if len(flag) < 2 || len(flag) > 6 || flag[0] != '-' || flag[1] == '-' {
		return false
	}
	return strings.ContainsRune("ce", rune(flag[len(flag)-1])) || flag == "-r" || flag == "-f" || flag == "-p"
}

// attached reports whether a word begins with such a flag, its program behind it:
// -cprint(…), --eval=….
func attached(text string) bool {
	flag, _, given := strings.Cut(strings.ToLower(text), "=")
	return given && code(flag) || slices.ContainsFunc([]string{"-c", "-e", "-r"}, func(f string) bool { return strings.HasPrefix(text, f) })
}

// Text is the line as it stands in the file, for people.
func (c *Command) Text() string {
	var out []string
	if !c.Program {
		out = append(out, "ssmdeck")
	}
	for _, w := range c.Words {
		text := ""
		for _, p := range w {
			if text += p.Text; p.Field != "" {
				text += placeholder(p.Field)
			}
		}
		out = append(out, text)
	}
	return strings.Join(out, " ")
}
