package forwards

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/pattern"
	"github.com/ssmdeck/ssmdeck/internal/strictyaml"
	"github.com/ssmdeck/ssmdeck/portforward"
)

// The keys of a file and of an entry in it.
var (
	topKeys   = []string{"forwards"}
	entryKeys = []string{"bind", "description", "groups", "idle", "lanes", "node", "profile", "reason", "region", "spec", "specs"}
)

// legalName is what can be typed without quotes, and be a group too.
var legalName = pattern.Lazy(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

const (
	leastIdle = time.Second
	maxReason = 256 // characters that the service takes
)

// Parse reads the YAML of a file of forwards: under the key forwards, a name for
// each, and its entry. project says that the file came with a repository: it may
// then listen on loopback addresses only. Unknown and repeated keys, bad values,
// aliases and a second document are faults; all are returned at once, each with
// path and line, in a Usage error. check checks a target expression.
func Parse(path string, data []byte, project bool, check func(expr string) error) ([]Entry, error) {
	p := &parser{File: strictyaml.File{Path: path}, project: project, check: check}
	root, err := p.Load(data)
	if err == nil && root != nil {
		p.Mapping(root, "the file", topKeys, func(_ string, v *yaml.Node) {
			p.Mapping(v, "forwards", nil, p.entry)
		})
		err = p.Err()
	}
	if err != nil {
		return nil, &fault.Error{Kind: fault.Usage, Err: err, Hint: "see `ssmdeck forward up --help` for what a file looks like"}
	}
	return p.entries, nil
}

type parser struct {
	strictyaml.File
	project bool
	check   func(string) error
	entries []Entry
}

func (p *parser) entry(name string, n *yaml.Node) {
	e := Entry{Name: name, Idle: DefaultIdle, File: p.Path, Line: n.Line}
	if !legalName().MatchString(name) {
		p.Fail(n, "the name %q is not made of letters, digits, dots, hyphens and underscores", name)
	}
	where := fmt.Sprintf("forward %q", name)
	text := map[string]*string{
		"node": &e.Node, "profile": &e.Profile, "region": &e.Region, "bind": &e.Bind, "reason": &e.Reason, "description": &e.Description,
	}
	specsAt := n
	p.Mapping(n, where, entryKeys, func(key string, v *yaml.Node) {
		switch key {
		case "spec", "specs":
			specsAt = v
			p.list(v, key, func(s string, at *yaml.Node) { p.spec(&e, s, at) })
		case "groups":
			p.list(v, key, func(g string, at *yaml.Node) {
				if !legalName().MatchString(g) {
					p.Fail(at, "the group %q is not made of letters, digits, dots, hyphens and underscores", g)
				}
				e.Groups = append(e.Groups, g)
			})
		case "lanes":
			e.Lanes = p.number(v, key, 1, portforward.MostLanes)
		case "idle":
			e.Idle = p.duration(v, key)
		default:
			p.scalar(v, key, text[key])
		}
	})
	p.complete(&e, n, specsAt, where)
	p.entries = append(p.entries, e)
}

// complete checks what only the whole entry tells.
func (p *parser) complete(e *Entry, n, specsAt *yaml.Node, where string) {
	switch {
	case e.Node == "":
		p.Fail(n, "%s has no node", where)
	default:
		if err := p.check(e.Node); err != nil {
			p.Fail(n, "%s: %v", where, err)
		}
	}
	if len(e.Specs) == 0 && specsAt == n {
		p.Fail(n, "%s has no spec", where)
	}
	if len([]rune(e.Reason)) > maxReason {
		p.Fail(n, "%s: the reason has more than %d characters", where, maxReason)
	}
	for _, s := range e.Specs {
		bind := s.Bind
		if bind == "" {
			bind = e.Bind
		}
		if !legalBind(bind) {
			p.Fail(n, "%s: the local address %q is no IP address, localhost or *", where, bind)
		} else if p.project && !loopback(bind) {
			p.Fail(specsAt, "%s: a project's file may listen on loopback addresses only, not on %q", where, bind)
		}
	}
}

func (p *parser) spec(e *Entry, text string, at *yaml.Node) {
	s, err := portforward.ParseSpec(text)
	if err != nil {
		p.Fail(at, "%v", err)
		return
	}
	e.Specs = append(e.Specs, s)
}

func legalBind(b string) bool {
	_, err := netip.ParseAddr(b)
	return b == "" || b == "localhost" || b == "*" || err == nil
}

func loopback(b string) bool {
	addr, err := netip.ParseAddr(b)
	return b == "" || b == "localhost" || err == nil && addr.Unmap().IsLoopback()
}

// list takes one text or a sequence of them.
func (p *parser) list(n *yaml.Node, key string, f func(text string, at *yaml.Node)) {
	items := []*yaml.Node{n}
	if n.Kind == yaml.SequenceNode {
		items = n.Content
	}
	for _, it := range items {
		var text string
		if p.scalar(it, key, &text) {
			f(text, it)
		}
	}
}

// scalar stores the text of v as it is written; nothing is an error.
func (p *parser) scalar(v *yaml.Node, key string, text *string) bool {
	if v.Kind != yaml.ScalarNode || strictyaml.IsNull(v) || strings.TrimSpace(v.Value) == "" {
		p.Fail(v, "%s must be a single value", key)
		return false
	}
	*text = v.Value
	return true
}

func (p *parser) number(v *yaml.Node, key string, least, most int) int {
	var text string
	if !p.scalar(v, key, &text) {
		return 0
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < least || n > most {
		p.Fail(v, "%s %q is not a number from %d to %d", key, text, least, most)
	}
	return n
}

func (p *parser) duration(v *yaml.Node, key string) time.Duration {
	var text string
	if !p.scalar(v, key, &text) {
		return 0
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < leastIdle {
		p.Fail(v, "%s %q is not a time of a second or more, such as 30s or 10m", key, text)
	}
	return d
}
