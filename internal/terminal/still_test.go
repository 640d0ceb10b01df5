package terminal

import (
	"runtime"
	"testing"
)

func TestRunningTellsWhetherAGoroutineIsInAFunction(t *testing.T) {
	const name = "github.com/ssmdeck/ssmdeck/internal/terminal.standing"
	if running(name) {
		t.Error("it has not begun")
	}
	begun, end, ended := make(chan struct{}), make(chan struct{}), make(chan struct{})
	go standing(begun, end, ended)
	<-begun
	if !running(name) {
		t.Error("it is not seen")
	}
	close(end)
	<-ended
	for running(name) { // the channel is closed a moment before
		runtime.Gosched()
	}
}

func standing(begun, end, ended chan struct{}) {
	defer close(ended)
	close(begun)
	<-end
}
