package cli

import (
	"context"
	"os"
	"syscall"
	"testing"
)

func TestCtrlCIsSparedWhileAProgramHasTheTerminal(t *testing.T) {
	i := &Interrupts{}
	ctx, done := i.Context(context.Background())
	defer done()
	back := i.Spare()
	i.got(os.Interrupt)
	i.got(os.Interrupt) // a second one does not end the process
	if ctx.Err() != nil {
		t.Error("Ctrl-C for the program ended us")
	}
	back()
	i.got(os.Interrupt)
	if ctx.Err() == nil {
		t.Error("Ctrl-C afterwards does nothing")
	}
	other, done := i.Context(context.Background())
	defer done()
	defer i.Spare()()
	if i.got(syscall.SIGTERM); other.Err() == nil {
		t.Error("what ends us does not while a program runs")
	}
}
