package paramplan

import "testing"

func TestNamesAreMapped(t *testing.T) {
	for _, c := range []struct{ rule, name, want string }{
		{"db-dev=db-prod", "db-dev", "db-prod"},
		{"db-dev=db-prod", "a/db-dev", "a/db-dev"},
		{"old/=new/", "old/a/b", "new/a/b"},
		{"old/=new/", "older/a", "older/a"},
		{"s/dev/prod/", "db-dev/dev", "db-prod/prod"},
		{"s|^a/(.*)|b/$1|", "a/x", "b/x"},
		{"s/x=t/x", "s/x", "t/x"},
		{"size=length", "size", "length"},
	} {
		r, err := ParseRename(c.rule)
		if err != nil || r.Apply(c.name) != c.want {
			t.Errorf("%s of %s is %q, %v; want %s", c.rule, c.name, r.Apply(c.name), err, c.want)
		}
	}
	for _, bad := range []string{"", "a", "a=", "=b", "a/=b", "s/a/b", "s/(/b/", "s//b/", "s/a/b/x"} {
		if _, err := ParseRename(bad); err == nil {
			t.Errorf("%q is taken for a rule", bad)
		}
	}
}

func TestAValueMentionsAWord(t *testing.T) {
	for value, want := range map[string]string{
		"db.dev.internal": "dev", "dev": "dev", "device": "", "mydev": "", "mydev-dev": "dev", "postgres://dev:x@h": "dev", "/app/dev/x": "/app/dev", "": "", "日dev本": "",
	} {
		if got := Mentions(value, []string{"/app/dev", "dev"}); got != want {
			t.Errorf("%q mentions %q, want %q", value, got, want)
		}
	}
}

func TestPatternsChooseNames(t *testing.T) {
	for _, c := range []struct {
		word, name string
		want       bool
	}{
		{"db-*", "/app/prod/db-url", true},
		{"db-*", "/app/db-x/url", false},
		{"/app/prod", "/app/prod/db", true},
		{"/app/prod", "/app/production", false},
		{"/app/*/db", "/app/prod/db", true},
		{"local/*", "/app/prod/local/x", true},
		{"local/*", "/app/prod/nonlocal/x", false},
		{"root", "root", true},
	} {
		fits, err := Glob([]string{"none", c.word})
		if err != nil || fits(c.name) != c.want {
			t.Errorf("%s for %s: %v, %v", c.word, c.name, fits(c.name), err)
		}
	}
	if _, err := Glob([]string{"["}); err == nil {
		t.Error("a pattern without an end is taken")
	}
}
