package runview

import (
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/ssmdeck/ssmdeck/internal/fleet"
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
			p := &OutputPrinter{W: &b, O: render.Options{Styles: styles}}
			p.block(tt.group)
			if got := b.String(); got != tt.want {
				t.Errorf("got\n%q, want\n%q", got, tt.want)
			}
		})
	}
}

func TestPendingNodesAreNamed(t *testing.T) {
	var b bytes.Buffer
	p := &OutputPrinter{W: &b, O: render.Options{Styles: theme.New(theme.Plain, false, true)}}
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

// TestFoldedNodesAreATarget: what is shown of a group names exactly its nodes when
// it is given as a target.
func TestFoldedNodesAreATarget(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 10))
	stems := []string{"web-", "web", "db-a-", "n0de", "x.y-", "db-", "7z-", ""}
	for range 300 {
		names := map[string]bool{}
		for range 1 + rng.IntN(40) {
			n := rng.IntN([]int{12, 120, 2000}[rng.IntN(3)])
			name := stems[rng.IntN(len(stems))] + fmt.Sprintf("%0*d", rng.IntN(4), n) + []string{"", "", "-b", ".local"}[rng.IntN(4)]
			names[name] = true
		}
		p := &OutputPrinter{O: render.Options{Styles: theme.New(theme.Plain, false, true)}}
		var nodes []run.GroupNode
		for _, name := range slices.Sorted(maps.Keys(names)) {
			nodes = append(nodes, run.GroupNode{ID: "i-" + name, Name: name})
		}
		if len(nodes) < 2 {
			continue
		}
		shown := p.Nodes(nodes)
		_, expr, _ := strings.Cut(shown, "nodes: ")
		target, err := fleet.ParseTarget(expr)
		if err != nil {
			t.Fatalf("%s: %v", expr, err)
		}
		got := map[string]bool{}
		leaves := []fleet.Target{target}
		for _, o := range target.Set {
			leaves = append(leaves, o.Target)
		}
		for _, leaf := range leaves {
			switch leaf.Kind {
			case fleet.KindName:
				got[leaf.Value] = true
			case fleet.KindRange:
				for _, n := range leaf.Names {
					got[n] = true
				}
			case fleet.KindSet:
			default:
				t.Fatalf("%s: %s is of kind %d", expr, leaf.Expr, leaf.Kind)
			}
		}
		if !maps.Equal(got, names) {
			t.Fatalf("%s stands for %d names, want %d", expr, len(got), len(names))
		}
	}
}
