package portforward

import (
	"bytes"
	"io"
	"testing"
)

func TestRewinder(t *testing.T) {
	near, far := newMemPair()
	r := newRewinder(far)
	go func() {
		_, _ = io.WriteString(near, "hello, ")
		_, _ = io.WriteString(near, "world")
		_ = near.CloseWrite()
	}()
	first := make([]byte, 7)
	if _, err := io.ReadFull(r, first); err != nil {
		t.Fatal(err)
	}
	if !r.rewindable() || !r.rewind() {
		t.Fatal("everything is kept")
	}
	one := make([]byte, 3)
	if n, err := r.Read(one); n != 3 || err != nil || string(one) != "hel" {
		t.Fatalf("read %q, %v", one[:n], err)
	}
	r.answered()
	if r.rewindable() || r.plain.Load() {
		t.Error("nothing more is kept, but something is to be read")
	}
	rest, err := io.ReadAll(r)
	if err != nil || string(rest) != "lo, world" {
		t.Errorf("the rest is %q, %v", rest, err)
	}
	if !r.plain.Load() || r.kept != nil {
		t.Error("something is still kept")
	}
}

func TestRewinderIsBounded(t *testing.T) {
	near, far := newMemPair()
	r := newRewinder(far)
	data := bytes.Repeat([]byte("x"), rewindMost+1)
	go func() {
		_, _ = near.Write(data)
		_ = near.CloseWrite()
	}()
	got, err := io.ReadAll(r)
	if err != nil || !bytes.Equal(got, data) {
		t.Errorf("read %d bytes, %v", len(got), err)
	}
	if r.rewind() || r.kept != nil {
		t.Error("too much is kept")
	}
}
