package paramdiff

import (
	"fmt"
	"testing"

	"github.com/ssmdeck/ssmdeck/internal/parameter"
)

func TestTwoSidesCompared(t *testing.T) {
	side := func(file bool, list ...parameter.Parameter) Side {
		s := Side{Parameters: map[string]parameter.Parameter{}, File: file}
		for _, p := range list {
			s.Parameters[p.Name] = p
		}
		return s
	}
	expires := []parameter.Policy{{Type: "Expiration", Text: `{"Type":"Expiration","Version":"1.0","Attributes":{"Timestamp":"2030-01-01T00:00:00Z"}}`}}
	base := parameter.Parameter{Name: "x", Type: parameter.String, Value: "1", Tier: parameter.Standard, DataType: "text"}
	with := func(change func(*parameter.Parameter)) parameter.Parameter { p := base; change(&p); return p }
	secret := with(func(p *parameter.Parameter) { p.Type = parameter.SecureString })
	unread := with(func(p *parameter.Parameter) { p.Type, p.Value = parameter.SecureString, "" })
	for name, c := range map[string]struct {
		a, b     Side
		metadata bool
		want     string
	}{
		"equal":                             {side(false, base), side(false, base), true, "[x same []]"},
		"only on the first side":            {side(false, base), side(false), true, "[x removed []]"},
		"only on the second side":           {side(false), side(false, base), true, "[x added []]"},
		"another value":                     {side(false, base), side(false, with(func(p *parameter.Parameter) { p.Value = "1\n" })), false, "[x changed [value]]"},
		"another type and value":            {side(false, base), side(false, with(func(p *parameter.Parameter) { p.Type, p.Value = parameter.StringList, "2" })), false, "[x changed [type value]]"},
		"a secret that was not read":        {side(false, unread), side(false, unread), true, "[x unknown []]"},
		"a secret not read, a tier differs": {side(false, unread), side(false, with(func(p *parameter.Parameter) { p.Type, p.Value, p.Tier = parameter.SecureString, "", parameter.Advanced })), true, "[x changed [tier]]"},
		"a secret that was read":            {side(false, secret), side(false, secret), false, "[x same []]"},
		"metadata, not asked for":           {side(false, base), side(false, with(func(p *parameter.Parameter) { p.Description = "d" })), false, "[x same []]"},
		"metadata": {side(false, base), side(false, with(func(p *parameter.Parameter) {
			p.Description, p.Tags, p.Policies = "d", map[string]string{"k": "v"}, expires
		})), true, "[x changed [description policies tags]]"},
		"a file says nothing of metadata": {side(true, parameter.Parameter{Name: "x", Value: "1"}), side(false, with(func(p *parameter.Parameter) { p.Description, p.Policies = "d", expires })), true, "[x same []]"},
		"a file says another tier":        {side(false, base), side(true, parameter.Parameter{Name: "x", Value: "1", Tier: parameter.Advanced}), true, "[x changed [tier]]"},
	} {
		var got []string
		for _, d := range Compare(c.a, c.b, c.metadata) {
			got = append(got, fmt.Sprint(d.Name, " ", d.Change, " ", d.Fields))
		}
		if fmt.Sprint(got) != c.want {
			t.Errorf("%s: %v, want %s", name, got, c.want)
		}
	}
}
