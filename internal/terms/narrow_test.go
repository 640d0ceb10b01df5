package terms

import "testing"

func TestNarrow(t *testing.T) {
	tests := []struct {
		name, text string
		by         []string
		want       string
	}{
		{"no filter", "", []string{"region=eu-west-1"}, "region=eu-west-1"},
		{"terms are kept", "ping=lost !name~^db", []string{"region=eu-west-1"}, "ping=lost !name~^db region=eu-west-1"},
		{"each alternative", "ping=lost | agent<3.3 web", []string{"account=1", "region=a"}, "ping=lost account=1 region=a | agent<3.3 web account=1 region=a"},
		{"what was said of the key goes", "region=us-east-1 web", []string{"region=a"}, "web region=a"},
		{"its opposite too", "!region=us-east-1 web", []string{"region=a"}, "web region=a"},
		{"quotes stay", `name="a | b" 'region=x'`, []string{"region=a"}, `name="a | b" region=a`},
		{"a value with a |", "name~a|b", []string{"region=a"}, "name~a|b region=a"},
		{"an account with a comma", "account=b web", []string{Is("account", "a,b")}, "web account~'^a,b$'"},
		{"letters of any length", "東京 ping=lost", []string{"region=a"}, "東京 ping=lost region=a"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Narrow(tt.text, tt.by...)
			if err != nil || got != tt.want {
				t.Errorf("got %q, %v, want %q", got, err, tt.want)
			}
		})
	}
	if _, err := Narrow(`name="a`, "region=a"); err == nil {
		t.Error("a quote that is not closed is no fault")
	}
}
