package plain

import (
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/tui/deck"
)

// nowhere is what is said in place of every view while there is no place to look at.
func (s *screen) nowhere() (deck.Nowhere, bool) {
	return deck.NowhereOf(s.o.Deck, s.o.Desk, s.o.Contexts, "r")
}

func (s *screen) sayNowhere(n deck.Nowhere) {
	s.plain = deck.Plain{}
	s.say("")
	s.say("%s", n.Head)
	for _, f := range n.Lost {
		s.say("Error: %s%s", n.Where(f), f.Err)
		if h := fault.HintOf(f.Err); h != "" {
			s.say("Hint: %s", h)
		}
	}
	s.say("What can be typed:")
	for _, w := range n.Ways {
		s.say("%s: %s", w.Name, w.Value)
	}
}
