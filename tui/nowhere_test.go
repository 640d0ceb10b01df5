package tui_test

import (
	"testing"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/grid"
	"github.com/ssmdeck/ssmdeck/tui"
)

// Where no place could be opened every view says why and what to do, and nothing else
// can be done.
func TestNowhere(t *testing.T) {
	w := newWorld(t, func(o *tui.Options) { o.Contexts = []string{"prod", "stage"} })
	w.fleet.actions = actions()
	lost := fault.New(fault.Auth, "log in", "the SSO session has expired or was never begun").WithHint("run `aws sso login --profile prod`")
	w.Desk.Open(nil, []grid.Failure{{Err: lost}})
	w.Send(tui.Redraw{})
	w.Golden("nowhere")
	for _, view := range []string{"1", "2", "8"} {
		w.Press(view)
		w.Has("the SSO session has expired", "run `aws sso login --profile prod`", "ssmdeck doctor", "ssmdeck demo", "ctrl+r try again")
		w.Lacks("web-1")
	}
	w.Press("2", "s", "/")
	if len(w.Lines) > 0 {
		t.Errorf("an action of the page was done: %q", w.Lines)
	}
	w.Press(":")
	w.Lacks("open a shell on the node")
	w.Type("context stage")
	w.Has("go on with this context")
	w.Press("esc", "ctrl+r")
	if !w.Quit() {
		t.Error("it does not try again")
	}
}
