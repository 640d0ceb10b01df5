package fleet

import (
	"cmp"
	"context"
	"iter"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/terms"
)

// Filter narrows a list of nodes here, after the service has answered. Its zero
// value matches every node.
type Filter struct {
	all     []terms.Expr // all must hold
	account string       // where the nodes are; see In
	region  string
}

// In returns the filter for nodes of an account and Region, for terms about those:
// nodes do not know where they are. An account that is "" is not known.
func (f Filter) In(account, region string) Filter {
	f.account, f.region = account, region
	return f
}

// Search is a Filter that may have bare words, as people type it.
type Search = Filter

// Empty reports whether f matches every node.
func (f Filter) Empty() bool {
	return !slices.ContainsFunc(f.all, func(e terms.Expr) bool { return !e.Empty() })
}

// Match reports whether n satisfies f now.
func (f Filter) Match(n Node) bool { return f.MatchAt(n, time.Now()) }

// MatchAt reports whether n satisfies f at a time, from which ages are counted.
func (f Filter) MatchAt(n Node, now time.Time) bool { return f.Fits(&n, now) }

// Fits is MatchAt for many nodes at once: it copies none, and allocates nothing.
func (f Filter) Fits(n *Node, now time.Time) bool {
	return f.MatchKnown(n, now, func(Part) bool { return true })
}

// Narrows reports whether what f matches is for certain among what before matched.
func (f Filter) Narrows(before Filter) bool {
	if before.Empty() {
		return true
	}
	return len(f.all) == 1 && len(before.all) == 1 && f.all[0].Narrows(before.all[0])
}

// MatchKnown is MatchAt of a node of which parts may not be known. A term about one
// of them is neither true nor false, so that the node does not match by it, nor by
// its opposite.
func (f Filter) MatchKnown(n *Node, now time.Time, known func(Part) bool) bool {
	for i := range f.all {
		if !f.all[i].Match(func(t *terms.Term) bool {
			if t.At >= 0 && fields[t.At].place != nil {
				where := fields[t.At].place(f)
				return where == "" && t.Not || where != "" && t.Holds(where)
			}
			if part := partOf(t); part != 0 && !known(part) {
				return t.Not
			}
			return n.holds(t, now)
		}) {
			return false
		}
	}
	return true
}

// holds answers a term, without its !.
func (n *Node) holds(t *terms.Term, now time.Time) bool {
	switch {
	case t.IsWord():
		return n.has(t)
	case t.At < 0:
		return t.Holds(n.Tags[t.Key[len(tagPrefix):]])
	}
	f := &fields[t.At]
	switch {
	case f.kind == terms.Moment:
		return t.HoldsTime(f.at(*n), now)
	case f.count != nil && !t.Like():
		if n.Patch == nil {
			return t.HoldsNumber(0, false)
		}
		return t.HoldsNumber(float64(f.count(n.Patch)), true)
	}
	return t.Holds(f.text(*n))
}

// has reports whether a bare word is in what people look for a node by: its names,
// ids and addresses, state, platform and place, the keys and values of its tags; or
// its letters in its name.
func (n *Node) has(t *terms.Term) bool {
	if n.words != "" {
		if t.InFolded(n.words) {
			return true
		}
	} else {
		for s := range n.sought() {
			if t.In(s) {
				return true
			}
		}
	}
	return t.Letters(n.Name) || n.ComputerName != n.Name && t.Letters(n.ComputerName)
}

// sought are the texts in which bare words are looked for.
func (n *Node) sought() iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, s := range [...]string{
			n.Name, n.ID, n.ComputerName, n.IP, n.Ping, n.Platform, n.PlatformName, n.PlatformVersion, n.InstanceType, n.AZ, n.VPC, n.Subnet,
		} {
			if !yield(s) {
				return
			}
		}
		for k, v := range n.Tags {
			if !yield(v) || !yield(k) {
				return
			}
		}
	}
}

// Searchable keeps what bare words are looked for in as one text a node. The twenty texts
// that it is made of lie all over the memory, and to read those of 10,000 nodes takes
// as long as a key may take. The nodes must not change any more.
func Searchable(nodes []Node) {
	var b strings.Builder
	for i := range nodes {
		b.Reset()
		for s := range nodes[i].sought() {
			b.WriteString(terms.Fold(s))
			b.WriteByte(0) // in no word
		}
		nodes[i].words = b.String()
	}
}

// field is something a filter can ask about. text returns "" where the node has no
// such thing: a hybrid node has no VPC.
type field struct {
	key   string
	get   func(Node) string
	kind  terms.Kind
	part  Part
	at    func(Node) time.Time  // of a moment
	count func(*PatchState) int // of patches
	place func(Filter) string   // of where the nodes are
}

func (f *field) text(n Node) string {
	switch {
	case f.get != nil:
		return f.get(n)
	case f.count != nil && n.Patch != nil:
		return strconv.Itoa(f.count(n.Patch))
	}
	return ""
}

// fields are the keys of a filter, beside tag:KEY.
var fields = [...]field{
	{key: "id", get: func(n Node) string { return n.ID }},
	{key: "name", get: func(n Node) string { return n.Name }},
	{key: "computer", get: func(n Node) string { return n.ComputerName }},
	{key: "ping", get: func(n Node) string { return n.Ping }},
	{key: "last_ping", kind: terms.Moment, at: func(n Node) time.Time { return n.LastPing }},
	{key: "platform", get: func(n Node) string { return n.Platform }},
	{key: "os", get: func(n Node) string { return n.PlatformName }},
	{key: "os_version", get: func(n Node) string { return n.PlatformVersion }, kind: terms.Version},
	{key: "agent", get: func(n Node) string { return n.AgentVersion }, kind: terms.Version},
	{key: "ip", get: func(n Node) string { return n.IP }},
	{key: "type", get: func(n Node) string { return n.ResourceType }},
	{key: "instance_type", get: func(n Node) string { return n.InstanceType }},
	{key: "role", get: func(n Node) string { return n.IAMRole }},
	{key: "activation", get: func(n Node) string { return n.ActivationID }},
	{key: "registered", kind: terms.Moment, at: func(n Node) time.Time { return n.Registered }},
	{key: "association", get: func(n Node) string { return n.AssociationStatus }},

	{key: accountKey, place: func(f Filter) string { return f.account }},
	{key: "region", place: func(f Filter) string { return f.region }},

	{key: "state", get: func(n Node) string { return n.State }, part: PartEC2},
	{key: "az", get: func(n Node) string { return n.AZ }, part: PartEC2},
	{key: "vpc", get: func(n Node) string { return n.VPC }, part: PartEC2},
	{key: "subnet", get: func(n Node) string { return n.Subnet }, part: PartEC2},
	{key: "image", get: func(n Node) string { return n.Image }, part: PartEC2},
	{key: "launched", kind: terms.Moment, at: func(n Node) time.Time { return n.Launched }, part: PartEC2},

	{key: "missing", count: func(p *PatchState) int { return p.Missing }, kind: terms.Number, part: PartPatch},
	{key: "failed", count: func(p *PatchState) int { return p.Failed }, kind: terms.Number, part: PartPatch},
	{key: "pending_reboot", count: func(p *PatchState) int { return p.PendingReboot }, kind: terms.Number, part: PartPatch},
	{key: "critical", count: func(p *PatchState) int { return p.Critical }, kind: terms.Number, part: PartPatch},
	{key: "security", count: func(p *PatchState) int { return p.Security }, kind: terms.Number, part: PartPatch},
	{key: "baseline", get: func(n Node) string {
		if n.Patch == nil {
			return ""
		}
		return n.Patch.Baseline
	}, part: PartPatch},
	{key: "patch_group", get: func(n Node) string {
		if n.Patch == nil {
			return ""
		}
		return n.Patch.Group
	}, part: PartPatch},
	{key: "patched", kind: terms.Moment, at: func(n Node) time.Time {
		if n.Patch == nil {
			return time.Time{}
		}
		return n.Patch.Ended
	}, part: PartPatch},
}

const (
	tagPrefix  = "tag:"
	accountKey = "account"
)

// tagField is the field of tag:KEY.
func tagField(key string) field {
	return field{key: tagPrefix + key, get: func(n Node) string { return n.Tags[key] }, part: PartEC2 | PartTags}
}

// terms are those of f.
func (f Filter) terms() iter.Seq[*terms.Term] {
	return func(yield func(*terms.Term) bool) {
		for _, e := range f.all {
			for t := range e.All() {
				if !yield(t) {
					return
				}
			}
		}
	}
}

// partOf is what a term asks about. A bare word looks at what is known.
func partOf(t *terms.Term) Part {
	switch {
	case t.IsWord():
		return 0
	case t.At < 0:
		return PartEC2 | PartTags
	}
	return fields[t.At].part
}

// Parts are the parts that f asks about.
func (f Filter) Parts() Part {
	var p Part
	for t := range f.terms() {
		p |= partOf(t)
	}
	return p
}

// located is f with the place of s, for terms about it. Whose account it is has to be
// asked, which is done for a filter that needs it.
func (s *Service) located(ctx context.Context, f Filter) (Filter, error) {
	account := ""
	for t := range f.terms() {
		if t.Key != accountKey || account != "" || s.account == nil {
			continue
		}
		var err error
		if account, err = s.account(ctx); err != nil {
			return f, fault.New(fault.KindOf(err), "filter by "+t.Key, "%w", err).WithHint("%s", cmp.Or(fault.HintOf(err), "leave the term out"))
		}
	}
	return f.In(account, s.region), nil
}

// Narrow drops the nodes that do not match f.
func (s *Service) Narrow(ctx context.Context, nodes []Node, f Filter) ([]Node, error) {
	f, err := s.located(ctx, f)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(nodes, func(n Node) bool { return !f.Match(n) }), nil
}

// possible is the error for a filter that asks about what could not be read.
func (f Filter) possible(gaps []Gap) error {
	for _, g := range gaps {
		for t := range f.terms() {
			if partOf(t)&g.Part == 0 {
				continue
			}
			e := fault.New(fault.KindOf(g.Err), "filter by "+t.Key, "it is unknown of %s: %w", count(g.Nodes, "node"), g.Err)
			return e.WithHint("%s", cmp.Or(fault.HintOf(g.Err), "leave the term out"))
		}
	}
	return nil
}

// answerable is the error for a filter that asks about what the calls that were
// possible do not tell. nodes were listed.
func (s *Service) answerable(f Filter, nodes []Node) error {
	if !slices.ContainsFunc(nodes, Node.Instance) {
		return nil
	}
	for t := range f.terms() {
		lost := s.noProperties.Load()
		switch t.Key {
		case "name", "instance_type":
			lost = s.noNames.Load()
		case "role":
		default:
			continue
		}
		if lost {
			return fault.New(fault.Auth, "filter by "+t.Key, "it is unknown of instances, because ssm:DescribeInstanceProperties cannot be used here").
				WithHint("leave the term out, or ask for an IAM policy that allows ssm:DescribeInstanceProperties")
		}
	}
	return nil
}

// FilterKeys returns the keys a filter understands, for help and completion.
func FilterKeys() []string {
	keys := make([]string, len(fields))
	for i, f := range fields {
		keys[i] = f.key
	}
	return keys
}

const filterForm = "write terms like platform=linux ping=online agent<3.3 name~^web"

// grammar is that of --filter.
func grammar(words bool) *terms.Grammar {
	g := &terms.Grammar{Words: words, Form: filterForm, Open: func(name string) (terms.Key, bool, error) {
		f, ok, err := openField(name)
		return terms.Key{Name: f.key}, ok, err
	}}
	for _, f := range fields {
		g.Keys = append(g.Keys, terms.Key{Name: f.key, Kind: f.kind})
	}
	return g
}

// ParseFilter reads terms as package terms has them, without bare words: what a
// script narrows by says of which key it speaks. Its errors are Usage faults.
func ParseFilter(s string) (Filter, error) { return parseWith(grammar(false), s) }

// ParseSearch reads a filter that may have bare words, too, which are looked for in
// names, ids, addresses, states, platforms and tags.
func ParseSearch(s string) (Search, error) { return parseWith(grammar(true), s) }

func parseWith(g *terms.Grammar, s string) (Filter, error) {
	e, err := g.Parse(s)
	if err != nil || e.Empty() {
		return Filter{}, err
	}
	return Filter{all: []terms.Expr{e}}, nil
}

// And returns the filter that holds when both do.
func (f Filter) And(g Filter) Filter {
	f.all = append(slices.Clone(f.all), g.all...)
	return f
}

// openField is the field of a key that is not in the table.
func openField(key string) (f field, ok bool, err error) {
	tag, ok := strings.CutPrefix(key, tagPrefix)
	switch {
	case ok && tag != "":
		return tagField(tag), true, nil
	case ok, key == "tag":
		return field{}, false, fault.Usagef("the filter term has no tag key").WithHint("write tag:env=prod")
	}
	return field{}, false, nil
}

func fieldOf(key string) (field, error) {
	for _, f := range fields {
		if f.key == key {
			return f, nil
		}
	}
	if f, ok, err := openField(key); ok || err != nil {
		return f, err
	}
	e := fault.Usagef("there is no filter key %q", key)
	if near := fault.Closest(key, FilterKeys(), 1); len(near) > 0 {
		return field{}, e.WithHint("did you mean %s", near[0])
	}
	return field{}, e.WithHint("use one of: %s", strings.Join(FilterKeys(), ", "))
}
