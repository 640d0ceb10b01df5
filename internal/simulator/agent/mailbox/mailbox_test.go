package mailbox

import (
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
)

func TestEverythingArrivesInOrder(t *testing.T) {
	b := New(100)
	var writer sync.WaitGroup
	writer.Go(func() {
		for i := range 10_000 {
			if !b.Put([]byte(fmt.Sprint(i))) {
				t.Error("an open box refuses")
			}
		}
		b.Close()
	})
	next := 0
	var msgs [][]byte
	for open := true; open; {
		<-b.Ready()
		msgs, open = b.Take(msgs)
		if len(msgs) > 101 {
			t.Errorf("%d messages in a box of 100 bytes", len(msgs))
		}
		for _, m := range msgs {
			if string(m) != fmt.Sprint(next) {
				t.Fatalf("got %s, want %d", m, next)
			}
			next++
		}
	}
	writer.Wait()
	if next != 10_000 {
		t.Errorf("%d messages, want 10000", next)
	}
}

func TestFullBox(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := New(3)
		if b.Full() {
			t.Error("an empty box is full")
		}
		b.Push([]byte("abc"))
		if !b.Full() || !b.Push([]byte("d")) {
			t.Error("want a full box that can be pushed into")
		}
		put := make(chan bool)
		go func() { put <- b.Put([]byte("e")) }()
		synctest.Wait()
		select {
		case <-put:
			t.Error("a full box takes more")
		default:
		}
		if msgs, open := b.Take(nil); len(msgs) != 2 || !open {
			t.Errorf("took %d messages, open is %v", len(msgs), open)
		}
		if !<-put {
			t.Error("message was refused after room was made")
		}
		select {
		case <-b.Room():
		default:
			t.Error("room is not signalled")
		}
	})
}

func TestClosedBox(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := New(1)
		b.Push([]byte("last"))
		put := make(chan bool)
		go func() { put <- b.Put([]byte("late")) }()
		synctest.Wait()
		b.Close()
		b.Close() // idempotent
		if <-put || b.Push(nil) || b.Put(nil) || b.Full() {
			t.Error("a closed box takes messages, or makes one wait")
		}
		<-b.Ready()
		if msgs, open := b.Take(nil); len(msgs) != 1 || open {
			t.Errorf("took %d messages, open is %v; want what was left", len(msgs), open)
		}
		<-b.Ready() // stays ready
	})
}
