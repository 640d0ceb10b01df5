package commands

import (
	"bytes"
	"strings"
	"testing"

	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/run"
	"github.com/ssmdeck/ssmdeck/internal/theme"
)

func TestOutputForPeople(t *testing.T) {
	styles := theme.New(theme.Plain, false, false)
	tests := []struct {
		name  string
		group run.Group
		want  string
	}{
		{
			"equal outputs are folded",
			run.Group{State: run.Success, Stdout: "up 3 days\n", Nodes: []run.GroupNode{{ID: "i-1", Name: "web-1"}, {ID: "i-2", Name: "web-2"}}},
			"● ok  2 nodes: web-[1,2]\n  up 3 days\n",
		},
		{
			"a failure says how",
			run.Group{State: run.Failed, ExitCode: 3, Stdout: "a\n", Stderr: "b", Nodes: []run.GroupNode{{ID: "i-1", Name: "web-1"}}},
			"✗ failed, exit 3  web-1 (i-1)\n  a\n  b\n",
		},
		{
			"two nodes of one name are told apart",
			run.Group{State: run.Success, Nodes: []run.GroupNode{{ID: "i-0a1b2c3d4e5f60718", Name: "w"}, {ID: "i-0b1b2c3d4e5f60718", Name: "w"}, {ID: "i-3", Name: "x"}}},
			"● ok  3 nodes: i-0a1b2c3d4e5f60718,i-0b1b2c3d4e5f60718,x\n",
		},
		{
			"output cannot touch the terminal",
			run.Group{State: run.Success, Stdout: "a\tb\x1b[2J\rc\n", Nodes: []run.GroupNode{{ID: "i-1", Name: "evil\x1b[1m"}}},
			"● ok  evil\\x1b[1m (i-1)\n  a\tb\\x1b[2J\\rc\n",
		},
		{
			"what was cut is said",
			run.Group{State: run.Success, Stdout: "x", Truncated: true, Nodes: []run.GroupNode{{ID: "i-1"}}},
			"● ok  i-1\n  x\n  (the service kept no more; --s3 and --logs keep all)\n",
		},
		{
			"and where the rest is",
			run.Group{State: run.Success, Stdout: "x", Truncated: true, More: "s3://b/k", Nodes: []run.GroupNode{{ID: "i-1"}}},
			"● ok  i-1\n  x\n  (there is more: s3://b/k)\n",
		},
		{
			"a short form is not called all",
			run.Group{State: run.Success, Stdout: "x", Preview: true, Nodes: []run.GroupNode{{ID: "i-1"}}},
			"● ok  i-1\n  x\n  (there may be more: `ssmdeck command output ID NODE` has it)\n",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var b bytes.Buffer
			p := &outputPrinter{w: &b, o: render.Options{Styles: styles}}
			p.block(tt.group)
			if got := b.String(); got != tt.want {
				t.Errorf("got\n%q, want\n%q", got, tt.want)
			}
		})
	}
}

func TestPendingNodesAreNamed(t *testing.T) {
	var b bytes.Buffer
	p := &outputPrinter{w: &b, o: render.Options{Styles: theme.New(theme.Plain, false, true)}}
	p.pending(func(yield func(run.Row) bool) {
		for _, r := range []run.Row{
			{Invocation: run.Invocation{NodeID: "i-1", NodeName: "a-1", State: run.Running}},
			{Invocation: run.Invocation{NodeID: "i-2", NodeName: "a-2", State: run.Running}},
			{Invocation: run.Invocation{NodeID: "i-3", NodeName: "a-3", State: run.Success}},
		} {
			if !yield(r) {
				return
			}
		}
	})
	if got := b.String(); !strings.Contains(got, "running  2 nodes: a-[1,2]") || strings.Contains(got, "a-3") {
		t.Errorf("got %q", got)
	}
}
