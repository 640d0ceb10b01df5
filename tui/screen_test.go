package tui

import (
	"os"
	"path/filepath"
	"testing"
)

// Bubble Tea may still ask for the size of the terminal when the dashboard has ended
// and the terminal is somebody else's.
func TestTheTerminalIsNotLookedAtWhenItWasLeft(t *testing.T) {
	f, err := os.Create(filepath.Join(t.TempDir(), "terminal"))
	if err != nil {
		t.Fatal(err)
	}
	s := &screen{File: f}
	if got := s.Fd(); got != f.Fd() {
		t.Errorf("it is file %d, want %d", got, f.Fd())
	}
	late, asked := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(asked)
		<-late
		if got := s.Fd(); got != ^uintptr(0) {
			t.Errorf("it is file %d, want none", got)
		}
	}()
	s.leave()
	close(late)
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	<-asked
}
