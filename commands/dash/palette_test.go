package dash_test

import (
	"testing"

	"github.com/ssmdeck/ssmdeck/commands"
	"github.com/ssmdeck/ssmdeck/commands/dash"
	"github.com/ssmdeck/ssmdeck/internal/simulator"
	"github.com/ssmdeck/ssmdeck/tui"
	"github.com/ssmdeck/ssmdeck/tui/sources"
)

// wired are the options of a dashboard that is not shown, and its feeds.
func wired(t testing.TB, o flowOptions) (tui.Options, *sources.Set) {
	t.Helper()
	srv, err := simulator.Start(t.Context(), simulator.Options{Scenario: o.scenario})
	if err != nil {
		t.Fatal(err)
	}
	opts, end, err := dash.Wire(t.Context(), (&flow{t: t, srv: srv}).env(o), commands.Run, o.dash)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		end()
		if err := srv.Close(); err != nil {
			t.Error(err)
		}
	})
	return opts, dash.Feeds()
}
