package paramplan

import (
	"encoding/json"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/ssmdeck/ssmdeck/internal/strictyaml"
)

// policyDocument is a policy as the service takes it (user guide, "Assigning parameter
// policies").
type policyDocument struct {
	Type       string
	Version    string
	Attributes map[string]string
}

// policies reads the policies of a parameter: the array of the service as text or as
// YAML, or the words expires, notify_before and notify_unchanged.
func (p *fileParser) policies(n *yaml.Node) *string {
	list := []policyDocument{}
	switch {
	case strictyaml.IsNull(n):
	case n.Kind == yaml.ScalarNode:
		text := n.Value
		return &text // whoever checks the change says what is wrong with it
	case n.Kind == yaml.SequenceNode:
		for _, e := range n.Content {
			list = append(list, p.policy(e))
		}
	default:
		list = p.policyWords(n)
	}
	raw, err := json.Marshal(list)
	if err != nil {
		p.Fail(n, "policies: %v", err)
	}
	text := string(raw)
	return &text
}

// policy reads one policy in the form of the service.
func (p *fileParser) policy(n *yaml.Node) (d policyDocument) {
	d = policyDocument{Version: "1.0", Attributes: map[string]string{}}
	p.Mapping(n, "a policy", []string{"Type", "Version", "Attributes"}, func(key string, v *yaml.Node) {
		switch key {
		case "Type":
			d.Type = p.text(v, key)
		case "Version":
			d.Version = p.text(v, key)
		case "Attributes":
			p.Mapping(v, key, []string{"Timestamp", "Before", "After", "Unit"}, func(k string, v *yaml.Node) { d.Attributes[k] = p.text(v, k) })
		}
	})
	return d
}

func (p *fileParser) policyWords(n *yaml.Node) (list []policyDocument) {
	add := func(kind string, attributes map[string]string) {
		list = append(list, policyDocument{kind, "1.0", attributes})
	}
	spans := func(v *yaml.Node, key, attribute, kind string) {
		each := []*yaml.Node{v}
		if v.Kind == yaml.SequenceNode {
			each = v.Content
		}
		for _, e := range each {
			number, unit := p.span(e, key)
			add(kind, map[string]string{attribute: number, "Unit": unit})
		}
	}
	p.Mapping(n, "policies", []string{"expires", "notify_before", "notify_unchanged"}, func(key string, v *yaml.Node) {
		switch key {
		case "expires":
			add("Expiration", map[string]string{"Timestamp": p.text(v, key)})
		case "notify_before":
			spans(v, key, "Before", "ExpirationNotification")
		case "notify_unchanged":
			spans(v, key, "After", "NoChangeNotification")
		}
	})
	return list
}

// span reads "15 days", "15d" or "36 hours".
func (p *fileParser) span(n *yaml.Node, key string) (number, unit string) {
	text := strings.ReplaceAll(p.text(n, key), " ", "")
	number = strings.TrimRight(text, "abcdefghijklmnopqrstuvwxyzDH")
	switch strings.ToLower(text[len(number):]) {
	case "d", "day", "days":
		unit = "Days"
	case "h", "hour", "hours":
		unit = "Hours"
	}
	if unit == "" || strings.Trim(number, "0123456789") != "" || number == "" {
		p.Fail(n, "%s must be a number of days or hours: 15 days", key)
	}
	return number, unit
}
