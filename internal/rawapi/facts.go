package rawapi

import (
	_ "embed"
	"fmt"
	"strconv"
	"strings"
)

//go:embed facts.txt
var factsText string

// facts are the lines of facts.txt about one operation.
type facts struct {
	head   []string // family, read or write, destructive
	items  []string
	does   []string
	note   string
	fields map[string]fieldFacts
}

// fieldFacts are the limits of one input field.
type fieldFacts struct {
	required, secret, holds bool
	min, max                *int64
	pattern                 string
}

// describe fills what facts say about an operation. Without any it is taken to
// write and to destroy.
func (f *facts) describe(o *Operation) {
	if f == nil {
		o.Writes, o.Destructive = true, true
		return
	}
	o.Family, o.Writes, o.Destructive = f.head[0], f.head[1] == "write", len(f.head) > 2
	o.Items, o.Commands, o.Note = f.items, f.does, f.note
}

// readFacts reads facts.txt, by operation. The file is ours: a line that is not in
// its form is our bug.
func readFacts(text string) map[string]*facts {
	all := make(map[string]*facts, len(table))
	var now *facts
	n := 0
	for line := range strings.Lines(text) {
		n++
		line = strings.TrimRight(line, "\n")
		detail, indented := strings.CutPrefix(line, "  ")
		switch {
		case line == "" || line[0] == '#':
		case !indented:
			words := strings.Fields(line)
			if len(words) < 3 {
				panic(fmt.Sprintf("rawapi: facts.txt:%d: %s", n, line))
			}
			now = &facts{head: words[1:], fields: map[string]fieldFacts{}}
			all[words[0]] = now
		default:
			if err := now.read(detail); err != nil {
				panic(fmt.Sprintf("rawapi: facts.txt:%d: %v", n, err))
			}
		}
	}
	return all
}

// read takes one indented line.
func (f *facts) read(line string) error {
	word, rest, _ := strings.Cut(line, " ")
	switch word {
	case "items:":
		f.items = strings.Split(rest, "+")
		return nil
	case "commands:":
		f.does = strings.Split(rest, ", ")
		return nil
	case "note:":
		f.note = rest
		return nil
	}
	var ff fieldFacts
	for rest != "" {
		if rest[0] == '/' {
			ff.pattern = rest[1:]
			break
		}
		var mark string
		mark, rest, _ = strings.Cut(rest, " ")
		low, high, isRange := strings.Cut(mark, "..")
		switch {
		case mark == "required":
			ff.required = true
		case mark == "secret":
			ff.secret = true
		case mark == "holds-secrets":
			ff.holds = true
		case isRange:
			var err error
			if ff.min, err = bound(low); err != nil {
				return err
			}
			if ff.max, err = bound(high); err != nil {
				return err
			}
		default:
			return fmt.Errorf("%q of field %s", mark, word)
		}
	}
	f.fields[word] = ff
	return nil
}

func bound(s string) (*int64, error) {
	if s == "" {
		return nil, nil
	}
	n, err := strconv.ParseInt(s, 10, 64)
	return &n, err
}
