package portforward

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"testing"
	"time"
)

// vector is a case of smux.json, which was recorded from the library that agents
// carry.
type vector struct {
	Name   string
	Hex    string
	Events []struct{ Dir, Hex string }
	Frames []struct {
		FrameHeaderHex string
		FrameLength    int
	}
	ClientStreamIds []uint32
	AcceptError     string
}

func smuxVectors(t testing.TB) []vector {
	t.Helper()
	b, err := os.ReadFile("../sessionclient/wire/testdata/vectors/smux.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Cases []vector }
	if err := json.Unmarshal(b, &file); err != nil {
		t.Fatal(err)
	}
	return file.Cases
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func findVector(t testing.TB, name string) vector {
	t.Helper()
	for _, v := range smuxVectors(t) {
		if v.Name == name {
			return v
		}
	}
	t.Fatalf("no vector %q", name)
	return vector{}
}

func TestScannerFollowsRecordedFrames(t *testing.T) {
	v := findVector(t, "two streams, request and response, close from each side")
	var agent []byte
	for _, e := range v.Events {
		if e.Dir == "agent>client" {
			agent = append(agent, unhex(t, e.Hex)...)
		}
	}
	want := []string{"2/3", "2/3", "1/3", "1/5"}
	for step := 1; step <= len(agent); step++ { // cut everywhere
		var s frameScanner
		var got []string
		for b := range slices.Chunk(agent, step) {
			err := s.scan(b, func(command byte, id uint32) { got = append(got, fmt.Sprintf("%d/%d", command, id)) })
			if err != nil {
				t.Fatal(err)
			}
		}
		if !slices.Equal(got, want) {
			t.Fatalf("in pieces of %d: got %v, want %v", step, got, want)
		}
	}
}

func TestScannerRefusesForeignFrames(t *testing.T) {
	for _, name := range []string{"wrong version 2", "unknown command 9"} {
		var s frameScanner
		if err := s.scan(unhex(t, findVector(t, name).Hex), func(byte, uint32) {}); !errors.Is(err, errFrames) {
			t.Errorf("%s: got %v, want %v", name, err, errFrames)
		}
	}
}

func FuzzScanner(f *testing.F) {
	for _, v := range smuxVectors(f) {
		f.Add(unhex(f, v.Hex), 3)
		for _, e := range v.Events {
			f.Add(unhex(f, e.Hex), 1)
		}
	}
	f.Fuzz(func(t *testing.T, in []byte, step int) {
		run := func(step int) (got []uint64, err error) {
			var s frameScanner
			for b := range slices.Chunk(in, step) {
				if err = s.scan(b, func(c byte, id uint32) { got = append(got, uint64(c)<<32|uint64(id)) }); err != nil {
					break
				}
			}
			return got, err
		}
		whole, err1 := run(max(len(in), 1))
		cut, err2 := run(1 + int(uint(step)%16))
		if !slices.Equal(whole, cut) || !errors.Is(err1, err2) {
			t.Fatalf("whole: %v %v, cut: %v %v", whole, err1, cut, err2)
		}
	})
}

func TestRefusalBelongsToAnUnansweredStream(t *testing.T) {
	at := time.Unix(1000, 0)
	tests := []struct {
		name string
		play func(s *streams)
		want []uint32
	}{
		{"of two, none before one ends", func(s *streams) { s.refuse() }, nil},
		{"of two the one that ends", func(s *streams) { s.refuse(); s.heard(frameFin, 5); s.heard(frameFin, 3) }, []uint32{5}},
		{"not one that answers meanwhile", func(s *streams) { s.refuse(); s.heard(framePsh, 3); s.heard(frameFin, 3); s.heard(frameFin, 5) }, []uint32{5}},
		{"not one that got data", func(s *streams) { s.heard(framePsh, 3); s.refuse() }, []uint32{5}},
		{"not one that has ended", func(s *streams) { s.heard(frameFin, 3); s.refuse() }, []uint32{5}},
		{"two in order", func(s *streams) { s.refuse(); s.heard(frameFin, 3); s.refuse(); s.heard(frameFin, 5) }, []uint32{3, 5}},
		{"not a later one when we gave up the first", func(s *streams) {
			s.leave(s.byID[3])
			s.refuse()
			s.heard(frameFin, 3)
			s.heard(framePsh, 5)
		}, nil},
		{"none is left", func(s *streams) { s.heard(framePsh, 3); s.heard(framePsh, 5); s.refuse() }, nil},
		{"frames of unknown streams do not matter", func(s *streams) { s.heard(framePsh, 99); s.refuse(); s.heard(frameFin, 99); s.heard(frameFin, 3) }, []uint32{3}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newStreams()
			var got []uint32
			for _, id := range []uint32{3, 5} {
				s.syn(id, at)
				s.attach(id, func() { got = append(got, id) })
			}
			tt.play(s)
			if !slices.Equal(got, tt.want) {
				t.Errorf("refused %v, want %v", got, tt.want)
			}
		})
	}
}

func TestRefusalBeforeAttachIsNotLost(t *testing.T) {
	s := newStreams()
	s.syn(3, time.Unix(0, 0))
	s.refuse()
	called := 0
	s.attach(3, func() { called++ })
	if called != 1 {
		t.Errorf("called %d times, want once", called)
	}
}

func TestHangingDial(t *testing.T) {
	start := time.Unix(1000, 0)
	late := start.Add(dialPatience + time.Second)
	tests := []struct {
		name string
		play func(s *streams)
		now  time.Time
		want bool
	}{
		{"young", func(*streams) {}, start.Add(dialPatience), false},
		{"old and silent", func(*streams) {}, late, true},
		{"answered", func(s *streams) { s.heard(framePsh, 3) }, late, false},
		{"refused", func(s *streams) { s.refuse() }, late, false},
		{"given up by us, the agent still dials", func(s *streams) { s.leave(s.byID[3]) }, late, true},
		{"a later one was answered: slow, not hanging", func(s *streams) {
			s.syn(5, start)
			s.heard(framePsh, 5)
		}, late, false},
		{"an earlier one was answered", func(s *streams) {
			s.heard(framePsh, 3)
			s.syn(5, start)
		}, late, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newStreams()
			s.syn(3, start)
			tt.play(s)
			if got := s.hanging(tt.now); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

func TestStreamsAreBounded(t *testing.T) {
	s := newStreams()
	for i := range uint32(maxOpen + 10) {
		s.syn(2*i+3, time.Unix(0, 0))
		s.leave(s.byID[2*i+3])
	}
	if len(s.order) != maxOpen || len(s.byID) != maxOpen {
		t.Errorf("keeps %d and %d streams, want %d", len(s.order), len(s.byID), maxOpen)
	}
}

// TestClientFrames checks what our client writes against the recorded frames.
func TestClientFrames(t *testing.T) {
	v := findVector(t, "two streams, request and response, close from each side")
	f := newFake("s", newAgent, "LocalPortForwarding")
	f.keep = true
	m := newMux(f, newAgent, &payload{})
	for _, id := range v.ClientStreamIds {
		s, err := m.mux.OpenStream()
		if err != nil {
			t.Fatal(err)
		}
		if s.ID() != id {
			t.Errorf("stream id %d, want %d", s.ID(), id)
		}
		text := map[uint32]string{3: "hello", 5: "second"}[id]
		if _, err := s.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
		if id == 3 {
			defer s.Close()
		}
	}
	big, err := m.mux.OpenStream()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := big.Write(make([]byte, 70000)); err != nil {
		t.Fatal(err)
	}
	first := m.mux
	_ = first.Close()
	m.stop()
	_ = f.Close()
	m.join()

	stream := bytes.Join(f.writes, nil)
	var want []byte
	for _, e := range v.Events {
		if e.Dir == "client>agent" && !bytes.HasPrefix(unhex(t, e.Hex), []byte{1, frameFin}) {
			want = append(want, unhex(t, e.Hex)...)
		}
	}
	if !bytes.HasPrefix(stream, want) {
		t.Errorf("wrote %x, want it to start with %x", stream[:min(len(stream), 64)], want)
	}
	var frames []string
	for rest := stream[len(want):]; len(rest) >= frameHeader; {
		n := frameHeader + int(binary.LittleEndian.Uint16(rest[2:]))
		frames = append(frames, fmt.Sprintf("%x %d", rest[:4], n))
		rest = rest[n:]
	}
	var cut []string
	for _, fr := range findVector(t, "write of 70000 bytes is cut into frames of at most 32768").Frames {
		cut = append(cut, fmt.Sprintf("%s %d", fr.FrameHeaderHex[:8], fr.FrameLength))
	}
	if !slices.Equal(frames, cut) {
		t.Errorf("70000 bytes are cut into %v, want %v", frames, cut)
	}
}

func TestMuxConfigFollowsTheAgent(t *testing.T) {
	for version, off := range map[string]bool{"3.1.1511.0": false, "3.1.1512.0": true, "3.3.0.0": true, "3.0.300.0": false} {
		c := muxConfig(version)
		if c.KeepAliveDisabled != off || c.Version != 1 || c.MaxFrameSize != 32768 {
			t.Errorf("agent %s: keep-alive disabled %v, version %d, frame %d; want %v, 1, 32768",
				version, c.KeepAliveDisabled, c.Version, c.MaxFrameSize, off)
		}
	}
}
