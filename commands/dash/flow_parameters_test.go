package dash_test

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/ssmdeck/ssmdeck/commands/dash"
)

// secretOfDemo is the value of /myapp/prod/db-password in the demo fleet.
const secretOfDemo = "correct-horse-battery-staple"

func TestFlowASecretIsRevealedAndHidden(t *testing.T) {
	f := startFlow(t, flowOptions{dash: dash.Options{View: "parameters", Calls: 600}})
	f.waitFor("myapp/")
	f.press("/")
	f.write("db-password type=SecureString")
	f.press("enter")
	f.waitFor("/myapp/prod/db-password", "(hidden) v shows it")
	f.press("v")
	f.waitFor(secretOfDemo)
	f.press("v")
	f.waitGone(secretOfDemo)
	f.press("v")
	f.waitFor(secretOfDemo)
	f.press("2")
	f.waitGone(secretOfDemo)
	f.press("-")
	f.waitFor("(hidden) v shows it")
	if strings.Contains(f.screen(), secretOfDemo) {
		t.Error("the secret is shown by itself")
	}
}

func TestFlowAParameterIsMadeEditedAndRolledBack(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the editor is a shell script")
	}
	editor := filepath.Join(t.TempDir(), "editor")
	if err := os.WriteFile(editor, []byte("#!/bin/sh\nprintf debug > \"$1\"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	f := startFlow(t, flowOptions{dash: dash.Options{View: "parameters", Calls: 600}, env: map[string]string{"EDITOR": editor, "VISUAL": ""}})
	f.waitFor("myapp/")
	f.press("T", "/")
	f.write("prod/log-level")
	f.press("enter")
	f.waitFor("/myapp/prod/log-level", "info")
	f.press("e")
	f.waitFor("ssmdeck param edit /myapp/prod/log-level")
	f.press("enter")
	f.waitLine("param edit /myapp/prod/log-level")
	f.waitFor("debug")
	f.press("enter", "tab")
	f.waitFor("Versions 2", "- info", "+ debug")
	f.press("j", "b")
	f.waitFor("ssmdeck param rollback /myapp/prod/log-level 1")
	f.press("enter")
	f.waitLine("param rollback /myapp/prod/log-level 1 --yes")
	f.waitFor("Versions 3")
	f.press("g")
	f.waitFor("- debug", "+ info")
	f.press("+")
	f.waitFor("Label /myapp/prod/log-level:")
	f.write("live")
	f.press("enter")
	f.waitFor("ssmdeck param label")
	f.press("enter")
	f.waitLine("param label /myapp/prod/log-level:")
	f.waitUntil("the label is seen", func() bool { return strings.Contains(f.screen(), "  live  ") })
}

func TestFlowASecretIsMadeAndNeverSeen(t *testing.T) {
	const canary = "kept-from-all-eyes"
	f := startFlow(t, flowOptions{dash: dash.Options{View: "parameters", Calls: 600}})
	f.mu.Lock()
	f.never = canary
	f.mu.Unlock()
	f.waitFor("myapp/")
	f.press("n")
	f.waitFor("New parameter")
	f.press("ctrl+u")
	f.write("/flow/token")
	f.press("tab", "ctrl+u")
	f.write("SecureString")
	f.press("enter", "enter", "enter", "enter", "enter")
	f.waitFor("Value of /flow/token")
	f.write(canary)
	f.press("enter")
	f.waitFor("ssmdeck param set /flow/token - --type SecureString")
	f.press("enter")
	f.waitLine("param set /flow/token")
	f.waitFor("flow/ (1)")
	f.press("@")
	f.waitFor("param set /flow/token")
	f.press("enter")
	f.waitFor("created")
	f.press("esc", "esc", "/")
	f.write("name=/flow/token")
	f.press("enter")
	f.waitFor("(hidden) v shows it")
	f.mu.Lock()
	f.never = ""
	lines := strings.Join(f.lines, "\n")
	f.mu.Unlock()
	if strings.Contains(lines, canary) {
		t.Errorf("the secret is among the words:\n%s", lines)
	}
	f.press("v")
	f.waitFor(canary) // byte for byte what was typed
}
