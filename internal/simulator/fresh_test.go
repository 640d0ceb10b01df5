package simulator

import (
	"errors"
	"io"
	"net"
	"net/http"
	"testing"
)

// What was never asked anything does not hold up the end; what is being answered is
// let finish.
func TestUnusedConnectionsAreClosedAtTheEnd(t *testing.T) {
	var f freshConns
	pipe := func() (ours, theirs net.Conn) {
		ours, theirs = net.Pipe()
		t.Cleanup(func() { _, _ = ours.Close(), theirs.Close() })
		return ours, theirs
	}
	unused, peer := pipe()
	busy, client := pipe()
	f.note(unused, http.StateNew)
	f.note(busy, http.StateNew)
	f.note(busy, http.StateActive)
	f.close()
	if _, err := peer.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("the unused connection: %v", err)
	}
	late, lateClient := pipe()
	f.note(late, http.StateNew)
	if _, err := lateClient.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("one that came later: %v", err)
	}
	go func() { _, _ = busy.Write([]byte("x")) }()
	if _, err := client.Read(make([]byte, 1)); err != nil {
		t.Errorf("one that is being answered was cut: %v", err)
	}
}
