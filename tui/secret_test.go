package tui_test

import (
	"io"
	"testing"
	"time"
	"unsafe"

	tea "charm.land/bubbletea/v2"

	"github.com/ssmdeck/ssmdeck/tui"
	"github.com/ssmdeck/ssmdeck/tui/deck"
	"github.com/ssmdeck/ssmdeck/tui/tuitest"
)

// A pane with a secret closes by itself, also while nobody looks, and before anything
// else comes on the screen.
func TestASecretDoesNotStayOnTheScreen(t *testing.T) {
	shell := deck.Line{Words: []string{"shell", "i-1"}, At: tuitest.Place, How: deck.OnScreen}
	for name, after := range map[string]func(w *world){
		"half a minute":               func(w *world) { w.Wait(deck.Revealed) },
		"half a minute out of focus":  func(w *world) { w.Send(tea.BlurMsg{}); w.Wait(deck.Revealed) },
		"half a minute under a form":  func(w *world) { w.Press("w"); w.Wait(deck.Revealed); w.Press("esc") },
		"another page":                func(w *world) { w.Send(deck.Open{Page: "patch"}) },
		"a shell":                     func(w *world) { w.Send(shell) },
		"somebody suspends":           func(w *world) { w.Press("ctrl+z") },
		"esc, and then the log of it": func(w *world) { w.Press("esc", "@") },
	} {
		w := newWorld(t)
		w.Send(deck.Show{Title: "Parameters", Text: "password: hunter2\n", Secret: true})
		w.Has("hunter2", "hidden again in 30 s")
		w.Wait(10 * time.Second)
		w.Has("hunter2", "hidden again in 20 s")
		after(w)
		if w.Lacks("hunter2"); t.Failed() {
			t.Fatal("after " + name)
		}
	}
	w := newWorld(t)
	w.Deck.Now = time.Now()
	w.Send(deck.Show{Title: "Parameters", Text: "password: hunter2\n", Secret: true})
	w.Send(tui.Second{At: afterSleep(w.Deck.Now, time.Hour)})
	w.Lacks("hunter2")
	w = newWorld(t)
	w.Send(deck.Show{Title: "Parameters", Text: "no secret\n"})
	w.Wait(time.Hour)
	w.Has("no secret")
}

// What a line has revealed is shown no longer than other secrets, and then it is gone: the
// log has nothing of it.
func TestWhatALineRevealsIsNotKept(t *testing.T) {
	for name, after := range map[string]func(w *world){
		"half a minute":            func(w *world) { w.Wait(deck.Revealed) },
		"half a minute elsewhere":  func(w *world) { w.Press("esc"); w.Wait(time.Second) },
		"another page":             func(w *world) { w.Send(deck.Open{Page: "patch"}) },
		"somebody suspends":        func(w *world) { w.Press("ctrl+z") },
		"it was seen once already": func(w *world) { w.Press("esc", "@", "enter") },
	} {
		w := newWorld(t)
		w.Answer = func(_ []string, _ io.Reader, out, _ io.Writer) int {
			_, _ = io.WriteString(out, "password: hunter2\n")
			return 0
		}
		w.Send(deck.Line{Words: []string{"param", "get", "/x", "--decrypt"}, What: "get /x", How: deck.InPane, Secret: true})
		w.Has("hunter2", "hidden again in 30 s")
		after(w)
		w.Lacks("hunter2")
		w.Press("@", "enter")
		w.Lacks("hunter2")
		if w.Has("nothing of it was kept"); t.Failed() {
			t.Fatal("after " + name)
		}
	}
}

// The last picture stays where there is no alternate screen, as in GNU screen.
func TestTheLastPictureHasNoSecret(t *testing.T) {
	w := newWorld(t)
	w.fleet.secret = "hunter2"
	w.Send(deck.Tick{})
	w.Has("hunter2")
	w.Press("q")
	if w.Lacks("hunter2"); !w.Quit() {
		t.Error("it was not left")
	}
}

// afterSleep is a time some while later on a machine that has slept through it: the
// clock on the wall has moved, the one that Go compares times by has not.
func afterSleep(t time.Time, slept time.Duration) time.Time {
	t = t.Add(slept)
	inside := (*struct { // as package time has it
		wall uint64
		ext  int64 // of the clock that stands still
		loc  *time.Location
	})(unsafe.Pointer(&t))
	inside.ext -= int64(slept)
	return t
}

// A line of a form that has a secret in it is not seen while it is typed or pasted, and
// arrives as it was typed.
func TestASecretIsNotSeenWhileItIsTyped(t *testing.T) {
	w := newWorld(t)
	var got string
	w.Send(deck.Form{Title: "Run", Fields: []deck.Field{deck.ParamsField("params", "")}, Done: func(v map[string]string) tea.Cmd {
		got = v["params"]
		return nil
	}})
	w.Type("Domain=corp")
	w.Press("enter")
	w.Type("Password=canary")
	w.Lacks("canary")
	w.Has("Domain=corp", "Password=••••••")
	w.Press("enter")
	w.Paste("Tok=x\r\nApiToken=日本canary")
	w.Lacks("canary", "日本")
	w.Has("Tok=x", "ApiToken=••••••••")
	w.Press("up", "left")
	w.Lacks("canary")
	w.Press("ctrl+s")
	if want := "Domain=corp\nPassword=canary\nTok=x\nApiToken=日本canary"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
