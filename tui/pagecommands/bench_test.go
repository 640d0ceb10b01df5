package pagecommands

import (
	"fmt"
	"testing"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/run"
	"github.com/ssmdeck/ssmdeck/tui/deck"
	"github.com/ssmdeck/ssmdeck/tui/feed"
	"github.com/ssmdeck/ssmdeck/tui/tuitest"
)

// thousands is a run on 10,000 nodes, half of which are done; one in ten printed
// something of its own.
func thousands() (events []run.Event) {
	events = append(events, run.Event{Kind: run.WasSent, CommandID: idA, Time: tuitest.Now, Sent: &run.Sent{}})
	for i := range 10_000 {
		id := fmt.Sprintf("i-%017x", i)
		switch {
		case i%10 == 0:
			events = append(events, node(id, "", run.Success, 0, time.Second), wrote(id, fmt.Sprintf("line of node %d\n", i), ""))
		case i < 5000:
			events = append(events, node(id, "", run.Success, 0, time.Second), wrote(id, "ok\n", ""))
		default:
			events = append(events, node(id, "", run.Running, run.NoExit, time.Second))
		}
	}
	return events
}

func tenThousand(b *testing.B) *screen {
	s := newScreen(b)
	s.known(commands()...)
	s.svc.events = thousands()
	s.Press("enter")
	s.Size(140, 40)
	return s
}

// BenchmarkBoardBatch is a batch of ten nodes that end, and the frame after it.
func BenchmarkBoardBatch(b *testing.B) {
	s := tenThousand(b)
	s.page.board.events = feed.NewEvents(happening.key)
	i := 0
	for b.Loop() {
		var batch []happening
		for range 10 {
			id := fmt.Sprintf("i-%017x", 5001+i%4999)
			batch = append(batch, happening{event: node(id, "", run.Success, 0, time.Second)}, happening{event: wrote(id, "ok\n", "")})
			i++
		}
		s.page.Update(feed.Batch[happening]{From: s.page.board.events, Events: batch})
		s.page.View()
	}
}

// BenchmarkBoardKey is a key and the frame after it, with all nodes unfolded.
func BenchmarkBoardKey(b *testing.B) {
	s := tenThousand(b)
	s.Press("u")
	key := tuitest.Key("j")
	for b.Loop() {
		s.page.Update(key)
		s.page.View()
	}
}

// BenchmarkBoardFilter is a letter of a filter and the frame after it.
func BenchmarkBoardFilter(b *testing.B) {
	s := tenThousand(b)
	s.Press("u")
	texts := []string{"i", "i-", "i-0", "i-00", "i-000"}
	i := 0
	for b.Loop() {
		if err := s.page.SetFilter(texts[i%len(texts)]); err != nil {
			b.Fatal(err)
		}
		s.page.View()
		i++
	}
}

// BenchmarkBoardTick is the frame of a second in which nothing has happened.
func BenchmarkBoardTick(b *testing.B) {
	s := tenThousand(b)
	s.page.board.busy = true // else it would be taken up
	for b.Loop() {
		s.page.Update(deck.Tick{})
		s.page.View()
	}
}
