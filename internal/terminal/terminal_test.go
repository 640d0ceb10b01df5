package terminal

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/charmbracelet/x/ansi"
)

func TestWatchSendsOnlyTheLatestChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		ticks, out, ended := make(chan int), make(chan Size, 1), make(chan struct{})
		now := Size{80, 24}
		go func() {
			defer close(ended)
			watch(ctx, ticks, true, now, func(Size) Size { return now }, out)
		}()
		ticks <- 0
		synctest.Wait()
		if len(out) != 0 {
			t.Errorf("unchanged: got %v, want nothing", <-out)
		}
		for _, s := range []Size{{90, 24}, {91, 24}, {92, 25}} {
			now = s
			ticks <- 0
			synctest.Wait()
		}
		if got, want := <-out, (Size{92, 25}); got != want {
			t.Errorf("got %v, want %v", got, want)
		}
		if len(out) != 0 {
			t.Errorf("then %v, want nothing", <-out)
		}
		cancel()
		<-ended
	})
}

func TestResetSequenceShowsNothing(t *testing.T) {
	// CAN and SI, which the stripper takes for text, print nothing.
	if got := strings.Trim(ansi.Strip(ResetSequence), "\x18\x0f"); got != "" {
		t.Errorf("it prints %q", got)
	}
	if strings.ContainsAny(ResetSequence, "\r\n\f\v\b\a") {
		t.Error("it moves the cursor or rings")
	}
	if strings.Contains(ResetSequence, "\x1b[?6l") {
		t.Error("resetting origin mode moves the cursor home")
	}
	if strings.Contains(ResetSequence, "\x1bc") || strings.Contains(ResetSequence, "[2J") || strings.Contains(ResetSequence, "[3J") {
		t.Error("it clears the screen")
	}
}

func TestResetSequenceUndoesModes(t *testing.T) {
	off := []string{"1", "1000", "1002", "1003", "1004", "1005", "1006", "1015", "1049", "2004", "2026", "2048"}
	for _, m := range off {
		if !strings.Contains(ResetSequence, "\x1b[?"+m+"l") {
			t.Errorf("mode %s stays on", m)
		}
	}
	for _, m := range []string{"7", "25"} {
		if !strings.Contains(ResetSequence, "\x1b[?"+m+"h") {
			t.Errorf("mode %s stays off", m)
		}
	}
	// Both move the cursor unless it was saved just before.
	for _, s := range []string{"\x1b7\x1b[r\x1b8", "\x1b7\x1b[?1049l"} {
		if !strings.Contains(ResetSequence, s) {
			t.Errorf("%q is missing", s)
		}
	}
}

func TestKeysBecomeBytes(t *testing.T) {
	down := func(chars ...uint16) []keyEvent {
		var all []keyEvent
		for _, c := range chars {
			all = append(all, keyEvent{down: true, repeat: 1, char: c}, keyEvent{char: c})
		}
		return all
	}
	tests := []struct {
		name   string
		events []keyEvent
		want   string
	}{
		{"letters, once per press", down('l', 's'), "ls"},
		{"Ctrl-Z is a byte", down(0x1a), "\x1a"},
		{"Ctrl-C is a byte", down(0x03), "\x03"},
		{"an arrow arrives as a sequence", down(0x1b, '[', 'A'), "\x1b[A"},
		{"a held key", []keyEvent{{down: true, repeat: 3, char: 'x'}}, "xxx"},
		{"a repeat count of zero", []keyEvent{{down: true, char: 'x'}}, "x"},
		{"Shift alone", []keyEvent{{down: true, repeat: 1, key: 0x10}}, ""},
		{"Ctrl-Space", []keyEvent{{down: true, repeat: 1, key: keySpace, control: true}}, "\x00"},
		{"Ctrl-2", []keyEvent{{down: true, repeat: 1, key: keyTwo, control: true}}, "\x00"},
		{"Ctrl alone", []keyEvent{{down: true, repeat: 1, key: 0x11, control: true}}, ""},
		{"not ASCII", down('é', '世'), "é世"},
		{"a surrogate pair", down(0xd83d, 0xde00), "😀"},
		{"half a pair", down(0xde00), "\uFFFD"},
		{"the wrong half", down(0xd83d, 'a', 0xde00), "a\uFFFD"},
		{"Alt and number pad", []keyEvent{{down: true, repeat: 1, key: keyMenu}, {key: keyMenu, char: 'é'}}, "é"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var d keyDecoder
			var got []byte
			for _, e := range tt.events {
				got = d.decode(got, e)
			}
			if string(got) != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}
