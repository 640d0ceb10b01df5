package parameter

import (
	"testing"

	"github.com/ssmdeck/ssmdeck/internal/fault"
)

func TestPatterns(t *testing.T) {
	tests := []struct {
		pattern   string
		yes, no   []string
		folder    string
		literally string
	}{
		{"/app/*/db-*", []string{"/app/prod/db-url", "/app/x/db-"}, []string{"/app/db-url", "/app/a/b/db-url", "/web/a/db-x"}, "/app", ""},
		{"/app/**/url", []string{"/app/url", "/app/a/url", "/app/a/b/url"}, []string{"/app/a/b/urls", "/url"}, "/app", ""},
		{"/app/**", []string{"/app/a", "/app/a/b", "/app"}, []string{"/apple/a"}, "/app", ""},
		{"*word*", []string{"/a/b/password", "word", "keyword"}, []string{"/word/a"}, "", "word"},
		{"db-?", []string{"/x/db-1", "db-a"}, []string{"/x/db-12"}, "", "db-"},
		{"db-[12]*", []string{"/x/db-1", "db-22"}, []string{"/x/db-3"}, "", ""},
		{"**/url", []string{"/url", "/a/b/url"}, []string{"/a/urls"}, "", "url"},
		{"/*", []string{"/a"}, []string{"/a/b", "a"}, "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.pattern, func(t *testing.T) {
			p, err := ParsePattern(tt.pattern)
			if err != nil || !IsPattern(tt.pattern) {
				t.Fatalf("%v; a pattern: %v", err, IsPattern(tt.pattern))
			}
			for _, name := range tt.yes {
				if !p.Match(name) {
					t.Errorf("%s does not match", name)
				}
			}
			for _, name := range tt.no {
				if p.Match(name) {
					t.Errorf("%s matches", name)
				}
			}
			if p.folder() != tt.folder {
				t.Errorf("the folder is %q, want %q", p.folder(), tt.folder)
			}
			if tt.folder == "" && tt.literally != "" && p.literal() != tt.literally {
				t.Errorf("the literal is %q, want %q", p.literal(), tt.literally)
			}
		})
	}
	for _, text := range []string{"/app/[a", "app/*", "*/x"} {
		if _, err := ParsePattern(text); fault.KindOf(err) != fault.Usage {
			t.Errorf("%s: got %v, want a usage error", text, err)
		}
	}
}

func TestSelect(t *testing.T) {
	for where, want := range map[string]Query{
		"":             {},
		"/":            {},
		"/app/prod/":   {Path: "/app/prod"},
		"/app/*":       {Path: "/app", OneLevel: true},
		"/app/**":      {Path: "/app"},
		"/app/*/x":     {Path: "/app"},
		"/*/x":         {Contains: []string{"x"}},
		"*password":    {Contains: []string{"password"}},
		"plain":        {Names: []string{"plain"}},
		"/aws/service": {Path: "/aws/service"},
	} {
		s, err := Select(where)
		if err != nil {
			t.Errorf("%s: %v", where, err)
			continue
		}
		if got := s.Query; got.Path != want.Path || got.OneLevel != want.OneLevel || len(got.Names) != len(want.Names) || len(got.Contains) != len(want.Contains) {
			t.Errorf("%s: got %+v, want %+v", where, got, want)
		}
	}
	for _, where := range []string{"app/prod", "//", "/a//b", "/a b", "/[x"} {
		if _, err := Select(where); fault.KindOf(err) != fault.Usage {
			t.Errorf("%s: got %v, want a usage error", where, err)
		}
	}
}
