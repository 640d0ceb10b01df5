package commands

import (
	"io"
	"sync"
)

// typist passes what a person types to a session. Reading goes on while the
// session is stuck, so that the way out (~.) is always seen; what was typed
// meanwhile waits, however much it is, for nothing typed may be lost.
type typist struct {
	mu     sync.Mutex
	cond   *sync.Cond
	queue  []byte
	closed bool // no more will be queued
	left   bool // the person left
	wg     sync.WaitGroup
}

// startTyping copies keys to session until keys ends or the person leaves, which
// calls leave. onPanic is deferred in the goroutines it starts.
func startTyping(session io.Writer, keys io.Reader, leave, onPanic func()) *typist {
	t := &typist{}
	t.cond = sync.NewCond(&t.mu)
	t.wg.Add(2)
	go func() {
		defer t.wg.Done()
		defer onPanic()
		t.read(keys, leave)
	}()
	go func() {
		defer t.wg.Done()
		defer onPanic()
		t.write(session)
	}()
	return t
}

// wait waits for both goroutines and reports whether the person left. The reader
// must have been cancelled and the session ended, or they never will.
func (t *typist) wait() (left bool) {
	t.wg.Wait()
	return t.left
}

func (t *typist) read(keys io.Reader, leave func()) {
	var esc escapes
	buf := make([]byte, 4096)
	for {
		n, err := keys.Read(buf)
		pass, left := esc.filter(buf[:n])
		t.mu.Lock()
		t.queue = append(t.queue, pass...)
		t.left = left
		t.closed = left || err != nil
		t.cond.Signal()
		t.mu.Unlock()
		if left {
			leave()
		}
		if left || err != nil {
			return
		}
	}
}

func (t *typist) write(session io.Writer) {
	for {
		t.mu.Lock()
		for len(t.queue) == 0 && !t.closed {
			t.cond.Wait()
		}
		typed := t.queue
		t.queue = nil
		ended := len(typed) == 0 || t.left
		t.mu.Unlock()
		if ended {
			return
		}
		if _, err := session.Write(typed); err != nil {
			return
		}
	}
}
