package pagepatch

import (
	"strconv"
	"strings"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/patch"
	"github.com/ssmdeck/ssmdeck/internal/terms"
)

// field is what a filter of nodes can ask about.
type field struct {
	key   string
	text  func(p *Page, n *node) string
	count func(n *node) int // of a number of patches, in place of text
	at    func(n *node) time.Time
}

// fields are the keys, beside tag:KEY: the columns of the list, and the words that
// --filter has for them.
var fields = [...]field{
	{key: "name", text: func(_ *Page, n *node) string { return n.Name }},
	{key: "id", text: func(_ *Page, n *node) string { return n.ID }},
	{key: "state", text: func(_ *Page, n *node) string { _, w := n.state(); return w }},
	{key: "status", text: func(_ *Page, n *node) string { return string(n.Status) }},
	{key: "critical", count: func(n *node) int { return n.Critical }},
	{key: "security", count: func(n *node) int { return n.Security }},
	{key: "missing", count: func(n *node) int { return n.Missing }},
	{key: "failed", count: func(n *node) int { return n.Failed }},
	{key: "reboot", count: func(n *node) int { return n.PendingReboot }},
	{key: "pending_reboot", count: func(n *node) int { return n.PendingReboot }},
	{key: "other", count: func(n *node) int { return n.Other }},
	{key: "rejected", count: func(n *node) int { return n.Rejected }},
	{key: "installed", count: func(n *node) int { return n.Installed }},
	{key: "available", count: func(n *node) int { return n.Available }},
	{key: "scanned", at: func(n *node) time.Time { return n.Scanned }},
	{key: "patched", at: func(n *node) time.Time { return n.Scanned }},
	{key: "stale", text: func(_ *Page, n *node) string {
		if n.Stale {
			return "yes"
		}
		return "no"
	}},
	{key: "group", text: func(_ *Page, n *node) string { return n.Group }},
	{key: "patch_group", text: func(_ *Page, n *node) string { return n.Group }},
	{key: "baseline", text: func(p *Page, n *node) string { return p.baselineName(n) }},
	{key: "system", text: func(_ *Page, n *node) string { return n.System }},
	{key: "platform", text: func(_ *Page, n *node) string { return n.Platform }},
	{key: "ping", text: func(_ *Page, n *node) string { return n.Ping }},
	{key: "account", text: func(_ *Page, n *node) string { return n.at.Who() }},
	{key: "region", text: func(_ *Page, n *node) string { return n.at.Region }},
}

// patching reports whether a field is of what patching found, and not of the node. The
// nodes without a known group are together.
func (f *field) patching() bool {
	return f.count != nil || f.at != nil || f.key == "stale" || f.key == "baseline"
}

// sealed reports whether what patching found of the node could not be read.
func (n *node) sealed() bool { return n.Status == patch.Unknown && n.Scanned.IsZero() }

// grammar is that of all filters over these keys.
func grammar() terms.Grammar {
	g := terms.Grammar{Words: true, Form: "write words, or terms like critical>0 group=web tag:env=prod"}
	for _, f := range fields {
		k := terms.Key{Name: f.key}
		switch {
		case f.count != nil:
			k.Kind = terms.Number
		case f.at != nil:
			k.Kind = terms.Moment
		}
		g.Keys = append(g.Keys, k)
	}
	g.Open = func(name string) (terms.Key, bool, error) {
		return terms.Key{Name: name}, strings.HasPrefix(name, byTag) && len(name) > len(byTag), nil
	}
	return g
}

// parse makes the filter of the nodes.
func (p *Page) parse(text string) (func(row int) bool, error) {
	g := grammar()
	expr, err := g.Parse(text)
	if err != nil {
		return nil, err
	}
	p.narrows, p.expr = expr.Narrows(p.expr), expr
	var n *node
	holds := func(t *terms.Term) bool { return p.holds(n, t) }
	return func(row int) bool {
		n = p.rows[row]
		return expr.Match(holds)
	}, nil
}

func (p *Page) holds(n *node, t *terms.Term) bool {
	switch {
	case t.IsWord():
		return p.word(n, t)
	case t.At < 0:
		return t.Holds(n.tags[strings.TrimPrefix(t.Key, byTag)])
	}
	switch f := &fields[t.At]; {
	case n.sealed() && f.patching():
		return t.Not // neither true nor false: it fits no term, nor its opposite
	case f.at != nil:
		return t.HoldsTime(f.at(n), p.deck.Now)
	case f.count == nil:
		return t.Holds(f.text(p, n))
	case n.Status == patch.NeverScanned || n.Scanned.IsZero():
		return t.Holds("") // not known, which is not 0
	default:
		return t.Holds(strconv.Itoa(f.count(n)))
	}
}

// word looks for a bare word in what a person sees of a node.
func (p *Page) word(n *node, t *terms.Term) bool {
	if _, state := n.state(); t.In(n.Name) || t.In(n.ID) || t.In(n.Group) || t.In(n.System) || t.In(state) || t.In(p.baselineName(n)) {
		return true
	}
	for k, v := range n.tags {
		if t.In(k) || t.In(v) { // no bare word has a =
			return true
		}
	}
	return t.Letters(n.Name)
}
