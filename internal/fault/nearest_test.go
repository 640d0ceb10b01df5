package fault

import (
	"slices"
	"testing"
)

func TestNearest(t *testing.T) {
	formats := []string{"table", "wide", "json", "jsonl", "yaml"}
	tests := []struct{ word, want string }{
		{"tabel", "table"}, {"TABLE", "table"}, {"jsn", "json"}, {"yml", "yaml"}, {"xml", ""}, {"", ""}, {"somethingelse", ""},
	}
	for _, tt := range tests {
		if got := Nearest(tt.word, formats); got != tt.want {
			t.Errorf("Nearest(%q) = %q, want %q", tt.word, got, tt.want)
		}
	}
}

func TestClosest(t *testing.T) {
	nodes := []string{"web-1", "web-2", "db-admin", "web-staging", "web-1", "", "worker"}
	tests := []struct {
		word string
		want []string
	}{
		{"web-11", []string{"web-1", "web-2"}},
		{"web", []string{"web-1", "web-2", "web-staging"}},
		{"wbe-1", []string{"web-1", "web-2"}},
		{"admin", []string{"db-admin"}},
		{"zzz", nil},
	}
	for _, tt := range tests {
		if got := Closest(tt.word, nodes, 3); !slices.Equal(got, tt.want) {
			t.Errorf("Closest(%q) = %q, want %q", tt.word, got, tt.want)
		}
	}
}
