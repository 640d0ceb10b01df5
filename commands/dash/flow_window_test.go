package dash_test

import (
	"context"
	"testing"
	"time"

	"github.com/ssmdeck/ssmdeck/commands/dash"
)

func TestAWindowIsSwitchedOffAndOn(t *testing.T) {
	f := startFlow(t, flowOptions{dash: dash.Options{View: "windows"}})
	f.waitFor("weekly-patching", "log-cleanup", "times in ")
	f.press("/")
	f.write("weekly")
	f.press("enter", "E")
	f.waitFor("disable the maintenance window weekly-patching?", "does not open any more")
	f.press("enter")
	f.waitLine("window disable mw-")
	f.waitFor("disabled")
	f.press("E")
	f.waitFor("enable the maintenance window weekly-patching?")
	f.press("enter")
	f.waitLine("window enable mw-")
	f.waitGone("disabled")
}

func TestAScheduleIsEdited(t *testing.T) {
	f := startFlow(t, flowOptions{dash: dash.Options{View: "windows"}})
	f.waitFor("weekly-patching")
	f.press("/")
	f.write("weekly")
	f.press("enter", "e")
	f.waitFor("edit the maintenance window weekly-patching")
	f.press("tab", "tab", "ctrl+u")
	f.write("5")
	f.press("ctrl+s")
	f.waitFor("--duration=5", "duration: 3 -> 5") // what the dry run says
	f.press("enter")
	f.waitLine("window update mw-")
	f.waitFor("5 h, cutoff")
}

func TestWhatAWindowDoesFillsIn(t *testing.T) {
	f := startFlow(t, flowOptions{dash: dash.Options{View: "windows"}})
	f.waitFor("weekly-patching")
	f.press("/")
	f.write("weekly")
	f.press("enter", "enter")
	f.waitFor("it has not been open yet")
	ctx, cancel := context.WithTimeout(t.Context(), flowWait)
	defer cancel()
	if err := f.srv.Forward(ctx, time.Now().Add(8*24*time.Hour)); err != nil {
		t.Fatal(err)
	}
	f.press("ctrl+r")
	f.waitFor("failed", "AWS-RunPatchBaseline", "8 of 8 nodes done, 1 failed")
	f.press("G", "enter")
	f.waitFor("4▸Commands", "AWS-RunPatchBaseline")
}
