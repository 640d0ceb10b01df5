package program

import (
	"bytes"
	"io"
	"slices"
	"testing"
)

func TestFlags(t *testing.T) {
	const spec = "abn:v verbose=v lines=n: color=:"
	tests := []struct {
		name   string
		args   []string
		rest   []string
		n      string
		a, v   bool
		status int
		errors string
	}{
		{"none", []string{"x", "y"}, []string{"x", "y"}, "", false, false, -1, ""},
		{"letters together", []string{"-av", "x"}, []string{"x"}, "", true, true, -1, ""},
		{"between operands", []string{"x", "-a", "y"}, []string{"x", "y"}, "", true, false, -1, ""},
		{"an argument apart", []string{"-n", "5"}, nil, "5", false, false, -1, ""},
		{"an argument attached", []string{"-an5"}, nil, "5", true, false, -1, ""},
		{"long with =", []string{"--lines=5", "--verbose"}, nil, "5", false, true, -1, ""},
		{"long apart", []string{"--lines", "5"}, nil, "5", false, false, -1, ""},
		{"optional argument", []string{"--color=auto", "--color"}, nil, "", false, false, -1, ""},
		{"-- ends them", []string{"--", "-a"}, []string{"-a"}, "", false, false, -1, ""},
		{"a dash is an operand", []string{"-"}, []string{"-"}, "", false, false, -1, ""},
		{"unknown letter", []string{"-x"}, nil, "", false, false, 1, "prog: invalid option -- 'x'\nTry 'prog --help' for more information.\n"},
		{"unknown word", []string{"--nope"}, nil, "", false, false, 1, "prog: unrecognized option '--nope'\nTry 'prog --help' for more information.\n"},
		{"argument missing", []string{"-n"}, nil, "", false, false, 1, "prog: option requires an argument -- 'n'\n"},
		{"argument not taken", []string{"--verbose=x"}, nil, "", false, false, 1, "prog: option '--verbose' doesn't allow an argument\n"},
		{"help", []string{"--help"}, nil, "", false, false, 0, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var errs bytes.Buffer
			p := &Proc{Args: append([]string{"/bin/prog"}, tt.args...), Stdout: io.Discard, Stderr: &errs}
			f, rest, status := p.Flags(spec)
			if status != tt.status || errs.String() != tt.errors {
				t.Errorf("status %d, errors %q", status, errs.String())
			}
			if status < 0 && (!slices.Equal(rest, tt.rest) || f.Value("n", "") != tt.n || f.Has("a") != tt.a || f.Has("v") != tt.v) {
				t.Errorf("rest %q, n %q, a %v, v %v", rest, f.Value("n", ""), f.Has("a"), f.Has("v"))
			}
		})
	}
}

func TestLeadingFlagsStopAtTheCommand(t *testing.T) {
	p := &Proc{Args: []string{"env", "-a", "cmd", "-x", "--y"}, Stderr: io.Discard}
	f, rest, status := p.LeadingFlags("a")
	if status != -1 || !f.Has("a") || !slices.Equal(rest, []string{"cmd", "-x", "--y"}) {
		t.Errorf("status %d, rest %q", status, rest)
	}
}
