package portforward

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"testing"
)

// probedSession answers probes as told.
type probedSession struct {
	Session
	largest int   // that gets through
	err     error // of every probe
	probes  []int
	sizes   []int // set
}

func (s *probedSession) Probe(_ context.Context, payload, substitute []byte) (bool, error) {
	s.probes = append(s.probes, len(payload))
	if !bytes.Equal(bytes.ReplaceAll(payload, nop, nil), nil) || !bytes.Equal(substitute, nop) {
		return false, errors.New("a probe must mean nothing")
	}
	return s.err == nil && len(payload) <= s.largest, s.err
}

func (s *probedSession) SetPayloadSize(n int) { s.sizes = append(s.sizes, n) }

func TestPayloadGrowsToWhatGetsThrough(t *testing.T) {
	for _, tt := range []struct {
		name    string
		largest int
		probes  []int
		sizes   []int
	}{
		{"everything", 1 << 20, []int{8 << 10, 32 << 10}, []int{32 << 10}},
		{"something", 16 << 10, []int{8 << 10, 32 << 10}, []int{8 << 10}},
		{"nothing", 1024, []int{8 << 10}, nil},
	} {
		p := &payload{}
		first, second := &probedSession{largest: tt.largest}, &probedSession{}
		size := p.grow(t.Context(), first, 0)
		if again := p.grow(t.Context(), first, size); again != size {
			t.Errorf("%s: %d, then %d", tt.name, size, again)
		}
		if !slices.Equal(first.probes, tt.probes) || !slices.Equal(first.sizes, tt.sizes) {
			t.Errorf("%s: probes %v, sizes %v", tt.name, first.probes, first.sizes)
		}
		if p.grow(t.Context(), second, 0); len(second.probes) > 0 || !slices.Equal(second.sizes, tt.sizes) {
			t.Errorf("%s: another session: probes %v, sizes %v", tt.name, second.probes, second.sizes)
		}
	}
}

func TestPayloadIsNotSettledByASessionThatEnds(t *testing.T) {
	p := &payload{}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	p.grow(ctx, &probedSession{err: context.Canceled}, 0)
	p.grow(t.Context(), &probedSession{err: errFakeOver}, 0)
	s := &probedSession{largest: 1 << 20}
	if size := p.grow(t.Context(), s, 0); size != 32<<10 {
		t.Errorf("size %d", size)
	}
}

func TestPayloadOfTheUser(t *testing.T) {
	s := &probedSession{largest: 1 << 20}
	if size := (&payload{fixed: 4096}).grow(t.Context(), s, 0); size != 0 || len(s.probes) > 0 {
		t.Errorf("size %d, probes %v", size, s.probes)
	}
}
