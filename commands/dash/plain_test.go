package dash_test

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/ssmdeck/ssmdeck/commands"
	"github.com/ssmdeck/ssmdeck/internal/simulator"
)

// TestPlainText goes through the whole dashboard as text, over the simulator: every
// view, what is known of a node, a command on it.
func TestPlainText(t *testing.T) {
	srv, err := simulator.Start(context.Background(), simulator.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := srv.Close(); err != nil {
			t.Error(err)
		}
	})
	env := (&flow{t: t, srv: srv}).env(flowOptions{})
	var out bytes.Buffer
	env.Out, env.Err = &out, &out
	env.In = strings.NewReader(strings.Join([]string{
		"v", "v fleet", "/ ping=online name=web-1", "1", "", "/ nosuch=1", "v patch", "v commands", "v sessions", "v params", "v automation", "v windows",
		"b", "/", "v fleet", "1", "6", "", "q",
	}, "\n") + "\n")
	if code := commands.Run(t.Context(), env.Again([]string{"dash", "overview", "--plain"}, nil)); code != 0 {
		t.Fatalf("exit %d:\n%s", code, &out)
	}
	for _, want := range []string{
		"Overview. ", "1. Overview, where you are", "Fleet. ", "Filter: ping=online name=web-1", "1. web-1 (i-0123456789abcdef0): online",
		"Launched: ", "open a shell on the node", `Error: there is no filter key "nosuch"`, "Patch. ", "Commands. ", "Sessions", "Automation. ", "Windows. ",
		"weekly-patching: enabled", "Has it all that it needs?", "PASS  the agent calls",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not said:\n%s", want, &out)
		}
	}
	for i, r := range out.String() {
		if r < ' ' && r != '\n' {
			t.Fatalf("a control character: %q", out.String()[max(i-40, 0):i+1])
		}
	}
}
