package paramfile

import (
	"strings"

	"github.com/ssmdeck/ssmdeck/internal/parameter"
	"github.com/ssmdeck/ssmdeck/internal/pattern"
)

// A note is the comment above a variable that says what its name cannot: the name of
// the parameter, and its type.
var noteShape = pattern.Lazy(`^# name: ([^\s,]+)(?:, type: (String|StringList|SecureString))?$`)

func (o Options) writeNote(b stringWriter, it item) {
	if o.Bare {
		return
	}
	b.WriteString("# name: " + it.name)
	if it.Type != "" {
		b.WriteString(", type: " + it.Type)
	}
	b.WriteByte('\n')
}

// note is what a comment said of the line below it.
type note struct {
	line       int
	name, kind string
}

// readNote reads a comment; nil for any other one.
func readNote(text string, line int) *note {
	m := noteShape().FindStringSubmatch(strings.TrimSuffix(text, "\r"))
	if m == nil {
		return nil
	}
	return &note{line: line, name: m[1], kind: m[2]}
}

// variable notes a parameter of a flat format. n is the note on the line above; nil
// for none.
func (d *decoder) variable(line int, key, value string, n *note) {
	p := parameter.Parameter{Value: value}
	if n == nil || n.line != line-1 {
		d.add(line, d.Names.rename(key), p)
		return
	}
	// A copied line with another variable must not become the parameter of the first.
	if key != d.format.key(n.name, KeysUpper) && key != d.format.key(n.name, KeysKeep) {
		d.fail(line, "the comment above says that this is %s, which is not called %s", n.name, key)
		return
	}
	p.Type = n.kind
	d.add(line, n.name, p)
}
