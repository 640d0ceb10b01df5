// Package dashfile reads what people give the dashboard of their own: saved views,
// and command lines about the rows of its views. It knows the file and how values of
// rows come into words; what a command line means is for others to say.
//
// Values come from the fleet, whose names and tags may be somebody else's work. A line
// is split into words before any value is put in, and a value is never split, expanded
// or read by a shell.
package dashfile

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"unicode"

	"go.yaml.in/yaml/v4"

	"github.com/ssmdeck/ssmdeck/internal/config"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/pattern"
	"github.com/ssmdeck/ssmdeck/internal/strictyaml"
)

const (
	// fileName is the user's file, beside the configuration. A file that comes with a
	// repository is never read: it could run anything.
	fileName = "dash.yaml"
	// Variable names another file.
	Variable = "SSMDECK_DASH"
	// maxFile bounds what is read.
	maxFile = 1 << 20
	// longestName is how many characters a name may have.
	longestName = 60
)

// File is what a file holds. Entries with a fault are not in it.
type File struct {
	Path     string
	Views    []View
	Commands []Command
	// Faults say what is wrong with the rest, each with file and line.
	Faults []error
}

// View is a saved view.
type View struct {
	Name   string
	View   string // the page: "fleet"
	Filter string // of its rows; empty: all
	Key    string // empty: none
	Line   int    // in the file
}

// Command is a command line of the user's own.
type Command struct {
	Name    string
	Views   []string // where it is offered
	Key     string   // empty: none
	Words   []Word   // without ssmdeck
	Program bool     // the words are another program's, and not ssmdeck's
	Ask     []Ask
	Confirm Level
	Screen  bool // it is given the terminal
	Wait    bool // what it wrote stays on the screen until Enter
	Line    int  // in the file
}

// Ask is a value that is asked for.
type Ask struct {
	Name, Title, Default string
	Choices              []string // nothing else goes; empty: anything does
}

// Level is how strictly a command is asked for at least.
type Level int

// The levels, as confirm names them.
const (
	Unsaid Level = iota
	Change
	Disruptive
	Destructive
)

var levelNames = []string{"change", "disruptive", "destructive"}

// The keys of the file and of its parts, in the order in which the documentation has
// them.
var (
	topKeys     = []string{"views", "commands"}
	viewKeys    = []string{"name", "view", "filter", "key"}
	commandKeys = []string{"name", "view", "key", "run", "exec", "ask", "confirm", "screen", "wait"}
	askKeys     = []string{"name", "title", "default", "choices"}
)

var (
	legalKey = pattern.Lazy(`^(alt\+[a-z0-9]|f[2-9]|f1[0-2])$`)
	legalAsk = pattern.Lazy(`^[A-Za-z][A-Za-z0-9_]*$`)
)

// LegalKeys says in words which keys can be the user's own.
const LegalKeys = "alt+a to alt+z, alt+0 to alt+9, and f2 to f12"

// LegalKey reports whether a key can be the user's own: no view and no list uses it.
func LegalKey(key string) bool { return legalKey().MatchString(key) }

// Load reads the user's file. Whatever is wrong with it is among the faults: it keeps
// nobody from the dashboard. No file is nothing.
func Load(lookup config.Lookup, goos string) File {
	path, named := "", false
	if v, _ := lookup(Variable); v != "" {
		path, named = v, true
	} else {
		usual, err := config.Path(lookup, goos)
		if err != nil {
			return File{} // nobody has a file where there is no place for it
		}
		path = filepath.Join(filepath.Dir(usual), fileName)
	}
	data, err := config.ReadRegular(path, maxFile)
	switch {
	case errors.Is(err, fs.ErrNotExist) && !named:
		return File{}
	case errors.Is(err, fs.ErrNotExist):
		return File{Path: path, Faults: []error{fmt.Errorf("%s: there is no such file, and %s names it", path, Variable)}}
	case err != nil:
		return File{Path: path, Faults: []error{fmt.Errorf("%s: %w", path, err)}}
	}
	return Parse(path, data)
}

// Parse reads the YAML of a file. What is wrong with an entry leaves the others alone.
func Parse(path string, data []byte) File {
	p := &parser{File: strictyaml.File{Path: path}, names: map[string]int{}, keys: map[string]int{}}
	p.out.Path = path
	root, err := p.Load(data)
	if err != nil {
		return File{Path: path, Faults: []error{err}}
	}
	if root != nil {
		p.Mapping(root, "the file", topKeys, func(key string, v *yaml.Node) {
			p.list(v, key, map[string]func(*yaml.Node){"views": p.view, "commands": p.command}[key])
		})
	}
	p.out.Faults = p.Faults()
	return p.out
}

type parser struct {
	strictyaml.File
	out         File
	names, keys map[string]int // where each is, by line
}

// whole reports whether f found nothing wrong.
func (p *parser) whole(f func()) bool {
	before := len(p.Faults())
	f()
	return len(p.Faults()) == before
}

func (p *parser) view(n *yaml.Node) {
	v := View{Line: n.Line}
	if !p.whole(func() {
		at := p.entry(n, "a view", viewKeys, map[string]func(*yaml.Node){
			"name":   func(n *yaml.Node) { v.Name = p.name(n) },
			"view":   func(n *yaml.Node) { v.View = p.oneOf(n, "view", ViewNames()) },
			"filter": func(n *yaml.Node) { v.Filter = p.text(n, "filter") },
			"key":    func(n *yaml.Node) { v.Key = p.key(n) },
		})
		p.needed(n, at, "the view", "name", "view")
	}) {
		return
	}
	p.out.Views = append(p.out.Views, v)
}

func (p *parser) command(n *yaml.Node) {
	c := Command{Line: n.Line}
	if !p.whole(func() {
		at := p.entry(n, "a command", commandKeys, map[string]func(*yaml.Node){
			"name": func(n *yaml.Node) { c.Name = p.name(n) },
			"view": func(n *yaml.Node) {
				c.Views = p.texts(n, "view", func(n *yaml.Node) string { return p.oneOf(n, "view", ViewNames()) })
			},
			"key":     func(n *yaml.Node) { c.Key = p.key(n) },
			"run":     func(n *yaml.Node) { c.Words = p.words(n, "run") },
			"exec":    func(n *yaml.Node) { c.Words, c.Program, c.Screen = p.words(n, "exec"), true, true },
			"ask":     func(n *yaml.Node) { p.list(n, "ask", func(n *yaml.Node) { p.ask(&c, n) }) },
			"confirm": func(n *yaml.Node) { c.Confirm = p.level(n) },
			"screen":  func(n *yaml.Node) { c.Screen = p.yes(n, "screen") },
			"wait":    func(n *yaml.Node) { c.Wait = p.yes(n, "wait") },
		})
		p.needed(n, at, "the command", "name")
		switch {
		case at["run"] == nil && at["exec"] == nil:
			p.Fail(n, "the command has neither run, an ssmdeck command line, nor exec, another program's")
		case at["run"] != nil && at["exec"] != nil:
			p.Fail(at["exec"], "the command has run and exec, and can have only one")
		case at["exec"] != nil && at["screen"] != nil:
			p.Fail(at["screen"], "screen is for run: another program has the terminal anyway")
		case at["run"] != nil && at["wait"] != nil:
			p.Fail(at["wait"], "wait is for exec: the output of an ssmdeck line stays in its pane")
		case at["run"] != nil:
			p.complete(&c, at["run"], at["view"])
		default:
			p.complete(&c, at["exec"], at["view"])
		}
	}) {
		return
	}
	p.out.Commands = append(p.out.Commands, c)
}

// complete checks what only the whole command tells: what is put into its words, and
// where that is known.
func (p *parser) complete(c *Command, line, view *yaml.Node) {
	if !c.Program && len(c.Words) > 0 && c.Words[0].literal() == "ssmdeck" {
		c.Words = c.Words[1:]
	}
	if err := c.check(); err != nil {
		p.Fail(line, "%v", err)
		return
	}
	if view == nil {
		if c.Views = viewsWith(c.fields()); len(c.Views) == 0 {
			p.Fail(line, "no view has rows with all of %s", placeholders(c.fields()))
		}
		return
	}
	for _, v := range c.Views {
		if lacks := missing(v, c.fields()); len(lacks) > 0 {
			p.Fail(line, "rows of %s have no %s", v, placeholders(lacks))
		}
	}
}

func (p *parser) ask(c *Command, n *yaml.Node) {
	var a Ask
	at := p.entry(n, "a question", askKeys, map[string]func(*yaml.Node){
		"name":    func(n *yaml.Node) { a.Name = p.text(n, "name") },
		"title":   func(n *yaml.Node) { a.Title = p.text(n, "title") },
		"default": func(n *yaml.Node) { a.Default = p.text(n, "default") },
		"choices": func(n *yaml.Node) {
			a.Choices = p.texts(n, "choices", func(n *yaml.Node) string { return p.text(n, "a choice") })
		},
	})
	p.needed(n, at, "the question", "name")
	if a.Name != "" && !legalAsk().MatchString(a.Name) {
		p.Fail(at["name"], "the name %q of a question is not made of letters, digits and underscores, a letter first", a.Name)
	}
	if a.Default != "" && len(a.Choices) > 0 && !slices.Contains(a.Choices, a.Default) {
		p.Fail(at["default"], "the default %q is none of the choices", a.Default)
	}
	for _, other := range c.Ask {
		if other.Name == a.Name {
			p.Fail(n, "the question %q is asked twice", a.Name)
		}
	}
	if a.Title == "" {
		a.Title = a.Name
	}
	c.Ask = append(c.Ask, a)
}

// entry reads a mapping and returns where its keys are.
func (p *parser) entry(n *yaml.Node, where string, keys []string, do map[string]func(*yaml.Node)) map[string]*yaml.Node {
	at := map[string]*yaml.Node{}
	if strictyaml.IsNull(n) {
		p.Fail(n, "%s must be a list of `key: value` lines", where)
	}
	p.Mapping(n, where, keys, func(key string, v *yaml.Node) {
		at[key] = v
		do[key](v)
	})
	return at
}

func (p *parser) needed(n *yaml.Node, at map[string]*yaml.Node, where string, keys ...string) {
	for _, k := range keys {
		if n.Kind == yaml.MappingNode && at[k] == nil {
			p.Fail(n, "%s has no %s", where, k)
		}
	}
}

func (p *parser) list(n *yaml.Node, key string, do func(*yaml.Node)) {
	switch {
	case strictyaml.IsNull(n):
	case n.Kind != yaml.SequenceNode:
		p.Fail(n, "%s must be a list, each entry behind a hyphen", key)
	default:
		for _, it := range n.Content {
			do(it)
		}
	}
}

// texts takes one text or a list of them.
func (p *parser) texts(n *yaml.Node, key string, read func(*yaml.Node) string) (out []string) {
	items := []*yaml.Node{n}
	if n.Kind == yaml.SequenceNode {
		items = n.Content
	}
	if len(items) == 0 {
		p.Fail(n, "%s must not be empty", key)
	}
	for _, it := range items {
		if text := read(it); slices.Contains(out, text) {
			p.Fail(it, "%s has %q twice", key, text)
		} else {
			out = append(out, text)
		}
	}
	return out
}

// text is a scalar as it is written.
func (p *parser) text(n *yaml.Node, key string) string {
	switch {
	case n.Kind != yaml.ScalarNode || strictyaml.IsNull(n) || strings.TrimSpace(n.Value) == "":
		p.Fail(n, "%s must be a single value", key)
	case !printable(n.Value):
		p.Fail(n, "%s has characters that cannot be seen", key)
	default:
		return n.Value
	}
	return ""
}

func (p *parser) name(n *yaml.Node) string {
	name := strings.TrimSpace(p.text(n, "name"))
	if len([]rune(name)) > longestName {
		p.Fail(n, "the name is longer than %d characters", longestName)
	}
	p.once(n, "the name", name, p.names)
	return name
}

func (p *parser) key(n *yaml.Node) string {
	key := p.text(n, "key")
	p.once(n, "the key", key, p.keys)
	return key
}

func (p *parser) once(n *yaml.Node, what, text string, seen map[string]int) {
	if text == "" {
		return
	}
	if line, ok := seen[text]; ok {
		p.Fail(n, "%s %q is taken: it stands in line %d, too", what, text, line)
		return
	}
	seen[text] = n.Line
}

func (p *parser) oneOf(n *yaml.Node, key string, legal []string) string {
	text := p.text(n, key)
	if text != "" && !slices.Contains(legal, text) {
		p.Fail(n, "%s %q is none of %s%s", key, text, strings.Join(legal, ", "), near(text, legal))
	}
	return text
}

func (p *parser) level(n *yaml.Node) Level {
	text := p.oneOf(n, "confirm", levelNames)
	for i, name := range levelNames {
		if name == text {
			return Change + Level(i)
		}
	}
	return Unsaid
}

func (p *parser) yes(n *yaml.Node, key string) bool {
	if n.Kind != yaml.ScalarNode || n.ShortTag() != "!!bool" {
		p.Fail(n, "%s must be true or false", key)
		return false
	}
	return n.Value[0] == 't' || n.Value[0] == 'T'
}

// words takes a line, which is split as a shell does it, or a list of words, each as
// it is.
func (p *parser) words(n *yaml.Node, key string) (words []Word) {
	var err error
	if n.Kind != yaml.SequenceNode {
		text := strings.Join(strings.FieldsFunc(n.Value, func(r rune) bool { return r == '\n' }), " ") // of a folded text
		if n.Kind != yaml.ScalarNode || strictyaml.IsNull(n) || strings.TrimSpace(text) == "" || !printable(text) {
			p.text(n, key)
		} else if words, err = split(text); err != nil {
			p.Fail(n, "%v", err)
		}
		return words
	}
	for _, it := range n.Content {
		if it.Kind != yaml.ScalarNode || strictyaml.IsNull(it) {
			p.Fail(it, "a word of %s must be a single value", key)
			continue
		}
		if w, err := parts(it.Value); err != nil {
			p.Fail(it, "%v", err)
		} else {
			words = append(words, w)
		}
	}
	return words
}

func near(word string, legal []string) string {
	if n := fault.Nearest(word, legal); n != "" {
		return fmt.Sprintf(" (did you mean %q?)", n)
	}
	return ""
}

// printable reports whether all of a text can be seen as it is.
func printable(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) || r == unicode.ReplacementChar })
}
