package model

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	_ "embed" // ssm.txt
)

//go:embed ssm.txt
var source string

// Kind is the sort of a shape.
type Kind string

// The kinds of shapes. A union is a structure with exactly one member given.
const (
	Structure Kind = "structure"
	Union     Kind = "union"
	List      Kind = "list"
	Map       Kind = "map"
	String    Kind = "string"
	Integer   Kind = "integer"
	Long      Kind = "long"
	Boolean   Kind = "boolean"
	Timestamp Kind = "timestamp"
	Blob      Kind = "blob"
)

// Shape is a type of the API with its constraints.
type Shape struct {
	Kind    Kind
	Name    string
	Members []Member // of a structure or union
	Element *Shape   // of a list; the values of a map
	Key     *Shape   // of a map

	// Min and Max bound the length of strings in characters, of lists and maps
	// in elements, and the value of numbers; nil is no bound.
	Min, Max *int64
	Enum     []string
	Pattern  string // as the service writes it, in Java's dialect

	pattern func() *regexp.Regexp // nil without a pattern
}

// Member is a member of a structure.
type Member struct {
	Name     string
	Shape    *Shape
	Required bool
}

// Operation is an operation of the API.
type Operation struct {
	Name    string
	Request *Shape
	Answer  *Shape
	Errors  []string // the codes that are its own
}

// SSM returns the operations of Systems Manager by name. The map must not be
// changed.
var SSM = sync.OnceValue(func() map[string]*Operation {
	ops, err := parse(source)
	if err != nil {
		panic(err) // held by a test
	}
	return ops
})

// Names returns the names of all operations, sorted.
func Names() []string { return slices.Sorted(maps.Keys(SSM())) }

// replaced are patterns that Go's regular expressions cannot say (they look
// ahead, refer back or count beyond 1000), and what stands for them here. The
// lengths are bounded elsewhere.
var replaced = map[string]string{
	`^.{1,100000}$`:    `^.+$`,
	targetLocationsURL: `^https:\/\/[-a-zA-Z0-9@:%._\+~#=]{1,253}\.s3(\.[a-z\d-]{9,16})?\.amazonaws\.com\/.+`,
	`^(?!\s*$).+`:      `\S`,
	stringDateTime:     `^-?\d{4}-?(\d{2}-?\d{2}|W\d{2}-?[1-7]?|\d{3}|\d{2})([T\s]\d{2}(:?\d{2}){0,2}([.,]\d+)?([zZ]|[+-]\d{2}:?\d{0,2})?)?$`,
}

// targetLocationsURL is the service's pattern of a URL of S3.
const targetLocationsURL = `^https:\/\/[-a-zA-Z0-9@:%._\+~#=]{1,253}\.s3(\.[a-z\d-]{9,16})?\.amazonaws\.com\/.{1,2000}`

// stringDateTime is the service's pattern of ISO 8601 dates.
const stringDateTime = `^([\-]?\d{4}(?!\d{2}\b))((-?)((0[1-9]|1[0-2])(\3([12]\d|0[1-9]|3[01]))?|W([0-4]\d|5[0-2])(-?[1-7])?|(00[1-9]|0[1-9]\d|[12]\d{2}|3([0-5]\d|6[1-6])))([T\s]((([01]\d|2[0-3])((:?)[0-5]\d)?|24\:?00)([\.,]\d(?!:))?)?(\17[0-5]\d([\.,]\d)?)?([zZ]|([\-])([01]\d|2[0-3]):?([0-5]\d)?)?)?)?$`

// compile reads a pattern when it is first needed.
func compile(pattern string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp {
		if instead, ok := replaced[pattern]; ok {
			pattern = instead
		}
		return regexp.MustCompile(pattern) // held by a test
	})
}

// Matches reports whether s fulfils the shape's pattern.
func (s *Shape) Matches(text string) bool {
	return s.pattern == nil || s.pattern().MatchString(text)
}

// parser reads the data; shapes are found by name once all lines are read.
type parser struct {
	shapes map[string]*Shape
	ops    map[string]*Operation
	links  []func() error
	last   *Shape // the structure whose members are being read
}

func parse(text string) (map[string]*Operation, error) {
	p := parser{shapes: map[string]*Shape{}, ops: map[string]*Operation{}}
	for _, k := range []Kind{String, Integer, Long, Boolean, Timestamp, Blob} {
		p.shapes[string(k)] = &Shape{Kind: k, Name: string(k)}
	}
	n := 0
	for line := range strings.Lines(text) {
		n++
		if err := p.line(strings.TrimRight(line, "\n")); err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
	}
	for _, link := range p.links {
		if err := link(); err != nil {
			return nil, err
		}
	}
	return p.ops, nil
}

// link sets *to to the shape of that name when all are known.
func (p *parser) link(to **Shape, name string) {
	p.links = append(p.links, func() error {
		s, ok := p.shapes[name]
		if !ok {
			return fmt.Errorf("no shape %s", name)
		}
		*to = s
		return nil
	})
}

func (p *parser) line(line string) error {
	line, pattern, patterned := strings.Cut(line, " pattern ")
	f := strings.Fields(line)
	if len(f) < 2 {
		return fmt.Errorf("%q is no fact", line)
	}
	if strings.HasPrefix(line, "  ") {
		return p.member(f)
	}
	if f[0] == "operation" {
		return p.operation(f[1:])
	}
	s := &Shape{Kind: Kind(f[0]), Name: f[1]}
	p.shapes[s.Name], p.last = s, s
	f = f[2:]
	take := map[Kind]int{List: 1, Map: 2}[s.Kind]
	if len(f) < take {
		return fmt.Errorf("%s %s lacks what it is of", s.Kind, s.Name)
	}
	if s.Kind == Map {
		p.link(&s.Key, f[0])
	}
	if take > 0 {
		p.link(&s.Element, f[take-1])
	}
	if patterned {
		s.Pattern, s.pattern = pattern, compile(pattern)
	}
	return s.constrain(f[take:])
}

// member reads "NAME SHAPE [required]".
func (p *parser) member(f []string) error {
	if p.last == nil || p.last.Kind != Structure && p.last.Kind != Union {
		return fmt.Errorf("member %s of no structure", f[0])
	}
	s, i := p.last, len(p.last.Members)
	s.Members = append(s.Members, Member{Name: f[0], Required: len(f) > 2})
	p.links = append(p.links, func() error {
		shape, ok := p.shapes[f[1]]
		if !ok {
			return fmt.Errorf("no shape %s", f[1])
		}
		s.Members[i].Shape = shape
		return nil
	})
	return nil
}

// operation reads "NAME REQUEST ANSWER ERROR...".
func (p *parser) operation(f []string) error {
	if len(f) < 3 {
		return fmt.Errorf("operation %s lacks a shape", f[0])
	}
	o := &Operation{Name: f[0], Errors: f[3:], Request: &Shape{Kind: Structure}, Answer: &Shape{Kind: Structure}}
	p.ops[o.Name] = o
	if f[1] != "-" {
		p.link(&o.Request, f[1])
	}
	if f[2] != "-" {
		p.link(&o.Answer, f[2])
	}
	return nil
}

// constrain reads "[MIN..MAX] [enum A|B|C]".
func (s *Shape) constrain(f []string) error {
	for len(f) > 0 {
		if f[0] == "enum" && len(f) > 1 {
			s.Enum, f = strings.Split(f[1], "|"), f[2:]
			continue
		}
		low, high, ok := strings.Cut(f[0], "..")
		if !ok {
			return fmt.Errorf("%s: %q is no constraint", s.Name, f[0])
		}
		var err error
		if s.Min, err = bound(low); err != nil {
			return fmt.Errorf("%s: %w", s.Name, err)
		}
		if s.Max, err = bound(high); err != nil {
			return fmt.Errorf("%s: %w", s.Name, err)
		}
		f = f[1:]
	}
	return nil
}

// bound is one end of a range; empty is none.
func bound(s string) (*int64, error) {
	if s == "" {
		return nil, nil
	}
	n, err := strconv.ParseInt(s, 10, 64)
	return &n, err
}
