package paramfile

import (
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/ssmdeck/ssmdeck/internal/pattern"
	"github.com/ssmdeck/ssmdeck/internal/strictyaml"
)

// plainYAML are texts that all readers of YAML take for texts without quotes. What
// YAML 1.1 reads as something else is in notPlain.
var plainYAML = pattern.Lazy(`^[A-Za-z/][A-Za-z0-9_./-]*$`)

var notPlain = []string{"null", "true", "false", "yes", "no", "on", "off", "y", "n"}

// writeYAMLString writes a text so that every reader of YAML gets it back: of several
// lines as a block where that is certain, else in quotes.
func writeYAMLString(b printer, s, indent string) {
	switch {
	case plainYAML().MatchString(s) && !slices.Contains(notPlain, strings.ToLower(s)):
		b.str(s)
	case isBlock(s):
		b.str("|")
		if !strings.HasSuffix(s, "\n") {
			b.str("-")
		}
		for line := range strings.SplitSeq(strings.TrimSuffix(s, "\n"), "\n") {
			b.str("\n")
			if line != "" {
				b.str(indent)
				b.str(line)
			}
		}
	default:
		b.char('"')
		for _, r := range s {
			switch {
			case writeEscape(b, r):
			case invisible(r) && r < 0x100:
				b.printf(`\x%02x`, r)
			case invisible(r):
				b.printf(`\u%04x`, r)
			case r&0xfffe == 0xfffe:
				b.printf(`\U%08x`, r)
			default:
				b.char(r)
			}
		}
		b.char('"')
	}
}

// isBlock reports whether a text can be a literal block: lines that do not begin or
// end with blanks, and at most one end of line at its end.
func isBlock(s string) bool {
	if !strings.Contains(s, "\n") || strings.HasSuffix(s, "\n\n") || s[0] == '\n' {
		return false
	}
	lines := strings.Split(strings.TrimSuffix(s, "\n"), "\n")
	if len(lines) < 2 || strings.TrimLeft(lines[0], " \t") != lines[0] {
		return false
	}
	for _, line := range lines {
		if strings.TrimRight(line, " \t") != line {
			return false
		}
	}
	return !strings.ContainsFunc(s, func(r rune) bool { return r != '\n' && r != '\t' && (invisible(r) || r&0xfffe == 0xfffe) })
}

func encodeYAML(b printer, list []item, o Options) error {
	if len(list) == 0 {
		b.str("{}\n")
		return nil
	}
	for _, it := range list {
		writeYAMLString(b, it.name, "")
		if o.Plain {
			b.str(": ")
			writeYAMLString(b, it.Value, "  ")
			b.str("\n")
			continue
		}
		b.str(":\n")
		for _, f := range detailsOf(it.Parameter) {
			b.str("  " + f.key + ":")
			switch {
			case f.list != nil:
				for _, text := range f.list {
					b.str("\n    - ")
					writeYAMLString(b, text, "      ")
				}
			case f.tags != nil:
				for _, k := range slices.Sorted(maps.Keys(f.tags)) {
					b.str("\n    ")
					writeYAMLKey(b, k)
					b.str(": ")
					writeYAMLString(b, f.tags[k], "      ")
				}
			default:
				b.str(" ")
				writeYAMLString(b, f.text, "    ")
			}
			b.str("\n")
		}
	}
	return nil
}

// longestKey is how many characters a key may have that is not marked with "?"
// (YAML 1.2, 7.4: 1024), with room for escapes.
const longestKey = 100

// writeYAMLKey writes a key, which is on one line.
func writeYAMLKey(b printer, k string) {
	long := len(k) > longestKey
	if long {
		b.str("? ")
	}
	if strings.Contains(k, "\n") {
		quoted := printed(func(b printer) { writeYAMLString(b, k+"\r", "") }) // a return makes it one in quotes
		b.str(strings.TrimSuffix(quoted, `\r"`) + `"`)
	} else {
		writeYAMLString(b, k, "")
	}
	if long {
		b.str("\n    ")
	}
}

func decodeYAML(d *decoder, data []byte) {
	if n := d.readYAML(data); n != nil {
		d.tree(n)
	}
}

// readYAML reads one document; nil after a fault, and when there is nothing.
func (d *decoder) readYAML(data []byte) *node {
	f := strictyaml.File{Path: d.file()}
	root, err := f.Load(data)
	switch {
	case err != nil:
		d.faults = append(d.faults, err)
		return nil
	case root == nil:
		return nil
	}
	return d.fromYAML(root, 0)
}

func (d *decoder) fromYAML(y *yaml.Node, depth int) *node {
	n := &node{line: y.Line}
	switch {
	case depth > deepest:
		d.fail(y.Line, "nested too deeply")
	case y.Kind == yaml.MappingNode:
		n.kind = object
		for i := 0; i+1 < len(y.Content); i += 2 {
			k := y.Content[i]
			if k.Kind != yaml.ScalarNode || k.ShortTag() == "!!merge" {
				d.fail(k.Line, "a key must be a plain word")
				continue
			}
			n.members = append(n.members, member{key: k.Value, line: k.Line, value: d.fromYAML(y.Content[i+1], depth+1)})
		}
	case y.Kind == yaml.SequenceNode:
		n.kind = list
		for _, v := range y.Content {
			n.items = append(n.items, d.fromYAML(v, depth+1))
		}
	case y.Kind == yaml.ScalarNode && strictyaml.IsNull(y):
	case y.Kind == yaml.ScalarNode:
		n.kind, n.text = scalar, y.Value
		switch y.ShortTag() {
		case "!!str", "!!int", "!!float", "!!bool", "!!timestamp":
		default:
			d.fail(y.Line, "a text that begins with ! must be in quotes")
		}
	default:
		d.fail(y.Line, "aliases are not taken here")
	}
	return n
}
