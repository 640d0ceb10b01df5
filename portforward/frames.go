package portforward

import (
	"encoding/binary"
	"errors"
	"slices"
	"sync"
	"time"
)

// The frames of the multiplexer, version 1: version, command, length (uint16,
// little-endian), stream id (uint32, little-endian), data. The library builds
// and takes them apart; we look at the headers that pass, since the agent's
// ConnectToPortError names no stream and only the order of things tells.
const (
	frameHeader  = 8
	frameVersion = 1

	frameSyn = 0 // opens a stream
	frameFin = 1 // the sender is done with it
	framePsh = 2 // data
	frameNop = 3 // keep-alive
)

var errFrames = errors.New("the agent broke the multiplexer's protocol")

// frameScanner follows a byte stream of frames.
type frameScanner struct {
	header [frameHeader]byte
	have   int // of header
	skip   int // bytes of data to come
}

// scan passes b on and calls seen for every header that is completed in it. It
// fails where the library would.
func (s *frameScanner) scan(b []byte, seen func(command byte, id uint32)) error {
	for len(b) > 0 {
		if s.skip > 0 {
			n := min(s.skip, len(b))
			s.skip -= n
			b = b[n:]
			continue
		}
		n := copy(s.header[s.have:], b)
		s.have += n
		b = b[n:]
		if s.have < frameHeader {
			return nil
		}
		s.have = 0
		command, length := s.header[1], int(binary.LittleEndian.Uint16(s.header[2:]))
		if s.header[0] != frameVersion || command > frameNop || command != framePsh && length != 0 {
			return errFrames
		}
		s.skip = length
		seen(command, binary.LittleEndian.Uint32(s.header[4:]))
	}
	return nil
}

// dialPatience is how long a new stream may stay without any answer before a
// dial that hangs in the agent, which blocks all later ones, becomes likely.
const dialPatience = 10 * time.Second

// maxOpen bounds the streams kept in mind after both ends of ours are gone.
const maxOpen = 4096

// streams is what we know of the streams of one session. It is safe for
// concurrent use.
type streams struct {
	mu    sync.Mutex
	order []*streamState // in the order of their SYN
	byID  map[uint32]*streamState

	answers  int // streams that ever got something
	refusals int // told, of streams whose end is to come
}

// streamState is one stream.
type streamState struct {
	id       uint32
	since    time.Time // of the SYN
	answered bool      // something arrived: data or its end
	finished bool      // its end arrived
	refused  bool
	left     bool   // we are done with it, the agent may still be dialing
	onRefuse func() // called once, without the lock
}

// unsettled: the agent has not said what became of its dial.
func (st *streamState) unsettled() bool { return !st.answered && !st.refused }

func newStreams() *streams { return &streams{byID: map[uint32]*streamState{}} }

// syn notes that a stream is being opened.
func (s *streams) syn(id uint32, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.add(&streamState{id: id, since: now})
}

func (s *streams) add(st *streamState) *streamState {
	if len(s.order) >= maxOpen {
		s.remove(s.order[0])
	}
	s.order = append(s.order, st)
	s.byID[st.id] = st
	return st
}

func (s *streams) remove(st *streamState) {
	delete(s.byID, st.id)
	s.order = slices.DeleteFunc(s.order, func(o *streamState) bool { return o == st })
}

// heard notes a frame from the agent.
func (s *streams) heard(command byte, id uint32) {
	if command != framePsh && command != frameFin {
		return
	}
	s.mu.Lock()
	st := s.byID[id]
	if st == nil {
		s.mu.Unlock()
		return
	}
	var call func()
	switch {
	case !st.unsettled():
	case command == frameFin && s.refusals > 0:
		s.refusals--
		call = st.refuse()
	default:
		st.answered = true
		s.answers++
	}
	st.finished = st.finished || command == frameFin
	if st.left {
		s.remove(st)
	}
	s.mu.Unlock()
	if call != nil {
		call()
	}
}

// refuse attributes a ConnectToPortError. It belongs to a stream from which nothing
// was received yet. Of several it is the one that ends next: the agent ends it
// right after the error, and others may just be waiting for a long answer.
func (s *streams) refuse() {
	s.mu.Lock()
	var only *streamState
	n := 0
	for _, st := range s.order {
		if st.unsettled() {
			only = st
			n++
		}
	}
	var call func()
	switch n {
	case 0:
	case 1:
		call = only.refuse()
		if only.left {
			s.remove(only)
		}
	default:
		s.refusals++
	}
	s.mu.Unlock()
	if call != nil {
		call()
	}
}

// refuse returns whom to tell, without the lock.
func (st *streamState) refuse() func() {
	st.refused = true
	return st.onRefuse
}

// attach has onRefuse called when the stream is refused, or at once when it was.
func (s *streams) attach(id uint32, onRefuse func()) *streamState {
	s.mu.Lock()
	st := s.byID[id]
	if st == nil { // its SYN did not pass: not with our own link
		st = s.add(&streamState{id: id})
	}
	st.onRefuse = onRefuse
	late := st.refused
	s.mu.Unlock()
	if late {
		onRefuse()
	}
	return st
}

// leave drops a stream that we are done with. While the agent may still be
// dialing for it, a refusal to come is its own, not that of a later one.
func (s *streams) leave(st *streamState) {
	s.mu.Lock()
	defer s.mu.Unlock()
	st.left, st.onRefuse = true, nil
	if !st.unsettled() {
		s.remove(st)
	}
}

// ended reports whether the agent ended the stream itself.
func (s *streams) ended(st *streamState) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return st.finished
}

// worked reports whether the destination ever answered.
func (s *streams) worked() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.answers > 0
}

// hanging reports whether the agent seems to be stuck in a dial: some stream has
// been waiting for long, and no later one was answered.
func (s *streams) hanging(now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	stuck := false
	for _, st := range s.order {
		switch {
		case !st.unsettled(): // dials happen in order: an earlier one is over
			stuck = false
		case now.Sub(st.since) > dialPatience:
			stuck = true
		}
	}
	return stuck
}
