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

func TestWhatEndsAChildEndsWhatItWasStartedFrom(t *testing.T) {
	for _, tt := range []struct {
		signal os.Signal
		ends   bool
	}{{syscall.SIGTERM, true}, {syscall.SIGHUP, true}, {os.Interrupt, false}, {syscall.SIGQUIT, false}} {
		i := &Interrupts{}
		dashboard, done := i.Context(context.Background())
		defer done()
		line, done := i.Context(context.WithoutCancel(dashboard))
		defer done()
		var got os.Signal
		back := i.Hand(func(s os.Signal) { got = s })
		i.got(tt.signal)
		if got != tt.signal || dashboard.Err() != nil {
			t.Errorf("%v: the child got %v, the dashboard %v", tt.signal, got, dashboard.Err())
		}
		back()
		if ended := dashboard.Err() != nil; ended != tt.ends || line.Err() != nil {
			t.Errorf("%v: the dashboard ended: %t, the line: %v", tt.signal, ended, line.Err())
		}
	}
}
