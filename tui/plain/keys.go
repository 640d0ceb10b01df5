package plain

import (
	"fmt"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/tui/deck"
)

// press presses a key of the page: what it does beside what can be chosen by numbers.
func (s *screen) press(key string) error {
	if key == "" {
		s.fail(fault.Usagef("no key is named").WithHint("write it as the keys in parentheses are: k p, or k ctrl+d"))
		return nil
	}
	if n, ok := s.nowhere(); ok {
		s.sayNowhere(n)
		return nil
	}
	for _, a := range s.actions() {
		if a.Key == key {
			return s.do(a, 0)
		}
	}
	s.start(s.current().Update(deck.KeyNamed(key)), true)
	if err := s.settle(detailPatience); err != nil || len(s.asked) > 0 {
		return err
	}
	s.list()
	return nil
}

// ran is a command line that has been run from here.
type ran struct {
	at    time.Time
	shown string
	code  int
}

// log says what has been run, the newest last, and what was asked of the service.
func (s *screen) log() {
	if len(s.ran) == 0 {
		s.say("Nothing has been run from here.")
	}
	for _, r := range s.ran {
		how := "done"
		if r.code != 0 {
			how = fmt.Sprintf("failed with exit code %d", r.code)
		}
		s.say("%s %s: %s", r.at.In(s.o.Deck.Location).Format("15:04:05"), how, r.shown)
	}
	if s.o.Operations == nil {
		return
	}
	calls, budget := s.o.Desk.Spending()
	s.say("API calls in the last minute: %d of %d that may be sent unasked.", calls.PerMinute, budget)
	for _, o := range s.o.Operations() {
		s.say("%s: %d calls, %d throttled, %d failed", o.Name, o.Calls, o.Throttled, o.Failed)
	}
}
