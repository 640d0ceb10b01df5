package param

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/parameter"
	"github.com/ssmdeck/ssmdeck/internal/paramplan"
)

func TestEditorsThatAreKnownKeepNoCopies(t *testing.T) {
	for _, c := range []struct {
		typed, target string
		args          []string
		want          string
	}{
		{"vi", "/usr/bin/vim.basic", nil, "-n -i NONE"},
		{"nvim", "/usr/bin/nvim", nil, "-n -i NONE"},
		{"vi", "/bin/busybox", nil, ""},
		{"nano", "/usr/bin/nano", nil, "--ignorercfiles --nonewlines"},
		{"emacs", "/usr/bin/emacs", []string{"-nw"}, "--eval"},
		{"code", "/usr/bin/code", nil, "--wait"},
		{"code", "/usr/bin/code", []string{"--wait"}, ""},
		{"ed", "/usr/bin/ed", nil, ""},
	} {
		got := strings.Join(editorFlags(c.typed, c.target, c.args), " ")
		if !strings.HasPrefix(got, c.want) || c.want == "" && got != "" {
			t.Errorf("%s (%s): %q, not %q", c.typed, c.target, got, c.want)
		}
	}
}

func TestPoliciesOfFlagsTakeThePlaceOfTheirKind(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	have := []parameter.Policy{
		{Type: parameter.Expiration, Text: `{"Type":"Expiration","Version":"1.0","Attributes":{"Timestamp":"2027-01-01T00:00:00Z"}}`},
		{Type: parameter.NoChangeNotification, Text: `{"Type":"NoChangeNotification","Version":"1.0","Attributes":{"After":"5","Unit":"Days"}}`},
	}
	for _, c := range []struct {
		flags policyFlags
		want  []string
	}{
		{policyFlags{}, nil},
		{policyFlags{expires: "90d"}, []string{"2026-05-30T12:00:00.000Z", `"After":"5"`}},
		{policyFlags{expires: "2026-04-01"}, []string{"2026-04-01T00:00:00.000Z"}},
		{policyFlags{unchanged: "36h"}, []string{"2027-01-01T00:00:00Z", `"After":"36","Unit":"Hours"`}},
		{policyFlags{before: "15d", none: true}, []string{`"Before":"15","Unit":"Days"`}},
		{policyFlags{none: true}, []string{parameter.NoPolicies}},
	} {
		list, faults := c.flags.parse(now)
		got := c.flags.text(list, have)
		if len(faults) > 0 || (got == "") != (c.want == nil) || slices.ContainsFunc(c.want, func(w string) bool { return !strings.Contains(got, w) }) {
			t.Errorf("%+v: %s, %v; not %q", c.flags, got, faults, c.want)
		}
		if c.flags.none && strings.Contains(got, "After") {
			t.Errorf("%+v keeps what it was to drop: %s", c.flags, got)
		}
	}
	bad := policyFlags{expires: "soon", before: "90m", unchanged: "0d", raw: []string{"{", "{}"}}
	if _, faults := bad.parse(now); len(faults) != 5 {
		t.Errorf("five faults are %d: %v", len(faults), faults)
	}
}

func TestNamesAtTheTargetOfACopy(t *testing.T) {
	for _, c := range []struct {
		source, target, name, want string
		recursive                  bool
	}{
		{"/app/prod", "/app/test", "/app/prod/db/url", "/app/test/db/url", true},
		{"/app/prod/", "/app/test/", "/app/prod/db/url", "/app/test/db/url", true},
		{"/", "/all", "/a/b", "/all/a/b", true},
		{"/", "/all", "root", "/all/root", true},
		{"/app", "/", "/app/x", "/x", true},
		{"/a/b", "/c/", "/a/b", "/c/b", false},
		{"root", "/c/", "root", "/c/root", false},
		{"/a/b:3", "/c", "/a/b", "/c", false},
	} {
		f := copyFlags{recursive: c.recursive}
		n, faults := f.names(c.source, c.target)
		if got := n.name(c.name, c.recursive); len(faults) > 0 || got != c.want {
			t.Errorf("%s to %s: %s is %s, %v; not %s", c.source, c.target, c.name, got, faults, c.want)
		}
	}
}

func TestDifferencesOfVersionsShowValuesOnlyWhenAsked(t *testing.T) {
	from := parameter.Parameter{Value: "one\ncanary", Description: "d"}
	to := parameter.Parameter{Value: "one\nother", KeyID: "alias/k"}
	hidden := strings.Join(difference(from, to, false), "\n")
	if strings.Contains(hidden, "canary") || strings.Contains(hidden, "other\n") || !strings.Contains(hidden, "description: d -> (none)") || !strings.Contains(hidden, "key: (none) -> alias/k") {
		t.Errorf("%s", hidden)
	}
	if got := difference(from, to, true); !slices.Contains(got, "- canary") || !slices.Contains(got, "+ other") || !slices.Contains(got, "  one") {
		t.Errorf("%q", got)
	}
	to = from
	to.Value += "\n"
	if got := difference(from, to, true); !slices.Contains(got, "- canary  (no line end)") {
		t.Errorf("%q", got)
	}
	if got := difference(from, from, true); len(got) != 0 {
		t.Errorf("%q", got)
	}
}

// Who wrote at the same moment as somebody else is told, and not with a 0.
func TestWritesThatCameOverOthersAreAnError(t *testing.T) {
	p := &paramplan.Plan{Actions: []*paramplan.Action{
		{Do: paramplan.DoCreate, Name: "/a", Written: 1},
		{Do: paramplan.DoUpdate, Name: "/b", Version: 3, Written: 4},
		{Do: paramplan.DoUpdate, Name: "/tags", Version: 3},
		{Do: paramplan.DoReplace, Name: "/c", Version: 3, Written: 1},
	}}
	if err := collided(p); err != nil {
		t.Error(err)
	}
	p.Actions[1].Written = 5
	if err := collided(p); fault.KindOf(err) != fault.RemoteFailed || !strings.Contains(err.Error(), "wrote /b at the same moment") {
		t.Errorf("got %v", err)
	}
}
