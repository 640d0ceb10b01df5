package picker

import (
	"fmt"
	"strings"
	"testing"
)

// best returns the names in the order in which the filter shows them.
func best(filter string, names ...string) string {
	items := make([]Item, len(names))
	for i, n := range names {
		items[i] = Item{ID: fmt.Sprintf("i-%017x", i), Name: n, Also: []string{"env=" + n}}
	}
	m := newModel(Options{Items: items, Filter: filter})
	var out []string
	for _, h := range m.hits {
		out = append(out, m.rows[h].Name)
	}
	return strings.Join(out, " ")
}

func TestTheNearestComesFirst(t *testing.T) {
	for _, tt := range []struct{ filter, names, want string }{
		{"", "b a c", "b a c"}, // the order of the items
		{"web-1", "web-10 web-1 old-web-1", "web-1 web-10 old-web-1"}, // exact, prefix, within
		{"WEB", "db web", "web"}, // in any case
		{"wprd", "web-prod warped-road db", "web-prod warped-road"},
		{"1", "web-1 web-11 a1b", "web-1 web-11 a1b"},
		{"prod web", "web-prod web-dev prod-db", "web-prod"}, // every term must fit
		{"b", "ab-b bb", "bb ab-b"},
		{"größe", "Größe-1 groesse", "Größe-1"},
		{"zz", "a b", ""},
		{"日本", "東京 日本-1", "日本-1"},
	} {
		if got := best(tt.filter, strings.Fields(tt.names)...); got != tt.want {
			t.Errorf("%q in %s: %s, want %s", tt.filter, tt.names, got, tt.want)
		}
	}
}

func TestTheFilterLooksAtEverything(t *testing.T) {
	items := []Item{
		{ID: "i-0123456789abcdef0", Name: "web-1", Address: "10.0.1.10", State: "online", Detail: "Amazon Linux 2023", Also: []string{"env=prod", "ip-10-0-1-10"}},
		{ID: "i-0fedcba9876543210", Name: "db-1", Address: "10.0.2.20", State: "lost", Detail: "Windows", Also: []string{"env=dev"}},
	}
	for filter, want := range map[string]string{
		"10.0.2": "db-1", "env=prod": "web-1", "lost": "db-1", "windows": "db-1", "0fed": "db-1", "web dev": "",
		"1.10 web": "web-1", "10020": "", // letters in order are for names only
	} {
		m := newModel(Options{Items: items, Filter: filter})
		got := ""
		for _, h := range m.hits {
			got += m.rows[h].Name
		}
		if got != want {
			t.Errorf("%q finds %q, want %q", filter, got, want)
		}
	}
}

func FuzzScore(f *testing.F) {
	f.Add("wp", "web-prod")
	f.Add("日", "東京 日本")
	f.Add("\xff", "a\xffb")
	f.Fuzz(func(t *testing.T, term, text string) {
		if term == "" {
			return
		}
		fields := []field{{text, true}}
		s, ok := score([]string{term}, fields)
		if ok && (s < 0 || s > worthExact) {
			t.Errorf("%q in %q is worth %d", term, text, s)
		}
		if !ok && strings.Contains(text, term) {
			t.Errorf("%q is not found in %q", term, text)
		}
		if s == worthExact && term != text {
			t.Errorf("%q counts as the whole of %q", term, text)
		}
	})
}

// fleet is n nodes as a large account has them.
func fleet(n int) []Item {
	items := make([]Item, n)
	roles := []string{"web", "worker", "db", "cache", "build"}
	for i := range items {
		role := roles[i%len(roles)]
		items[i] = Item{
			ID: fmt.Sprintf("i-%017x", i*7919), Name: fmt.Sprintf("%s-%d", role, i), State: "online",
			Address: fmt.Sprintf("10.%d.%d.%d", i>>16, i>>8&255, i&255), Detail: "Amazon Linux 2023",
			Also: []string{fmt.Sprintf("ip-10-0-%d-%d", i>>8, i&255), "env=prod", "team=shop", "role=" + role},
		}
	}
	return items
}

func BenchmarkFilter10000(b *testing.B) {
	items := fleet(10_000)
	for _, filter := range []string{"w", "web-123", "wrkr9", "prod 10.0.1"} {
		b.Run(strings.ReplaceAll(filter, " ", "_"), func(b *testing.B) {
			m := newModel(Options{Items: items})
			b.ReportAllocs()
			for b.Loop() {
				m.filter = ""
				m.typed(filter)
			}
		})
	}
}
