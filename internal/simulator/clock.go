package simulator

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/simulator/world"
)

// ClockPath is where the clock of the simulated accounts can be read with GET and
// moved with POST: {"advance": "168h"} or {"to": "2026-03-29T00:00:00Z"}, which
// answers when everything that was due until then has happened, and {"speed": 60},
// 0 to stop it. Both can be asked for together.
const ClockPath = "/simulator/clock"

// clockState is what ClockPath answers.
type clockState struct {
	Now   time.Time `json:"now"`
	Speed float64   `json:"speed"` // seconds for each real one; 0: it is stopped
}

// clockMove is what ClockPath takes.
type clockMove struct {
	Advance string     `json:"advance"`
	To      *time.Time `json:"to"`
	Speed   *float64   `json:"speed"`
}

// check refuses what cannot be done; d is by how much to advance.
func (m clockMove) check() (d time.Duration, err error) {
	switch {
	case m.Advance != "" && m.To != nil:
		return 0, errors.New("advance and to exclude each other")
	case m.Speed != nil && !(*m.Speed >= 0 && *m.Speed <= world.MaxSpeed):
		return 0, fmt.Errorf("speed is not from 0 to %d", world.MaxSpeed)
	case m.Advance == "" && m.To == nil && m.Speed == nil:
		return 0, errors.New("give advance, to or speed")
	case m.Advance == "":
		return 0, nil
	}
	return time.ParseDuration(m.Advance)
}

func (s *Server) serveClock(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(clockState{s.clock.Now().UTC(), s.clock.Speed()})
}

// serveSetClock wants JSON by name, which a web page may not send to us.
func (s *Server) serveSetClock(w http.ResponseWriter, r *http.Request) {
	var move clockMove
	if r.Header.Get("Content-Type") != "application/json" {
		http.Error(w, "Content-Type must be application/json", http.StatusUnsupportedMediaType)
		return
	}
	dec := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<16))
	dec.DisallowUnknownFields()
	err := dec.Decode(&move)
	if err == nil {
		err = s.move(r.Context(), move)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	s.serveClock(w, r)
}

func (s *Server) move(ctx context.Context, m clockMove) error {
	d, err := m.check()
	switch {
	case err != nil:
	case m.To != nil:
		err = s.Forward(ctx, *m.To)
	case m.Advance != "":
		err = s.forward(ctx, func(ctx context.Context) error { return s.clock.Advance(ctx, d) })
	}
	if err == nil && m.Speed != nil {
		s.clock.SetSpeed(*m.Speed)
	}
	return err
}

// Forward puts the clock of the simulated accounts forward and returns when
// everything that was due until then has happened.
func (s *Server) Forward(ctx context.Context, to time.Time) error {
	return s.forward(ctx, func(ctx context.Context) error { return s.clock.Forward(ctx, to) })
}

func (s *Server) forward(ctx context.Context, move func(context.Context) error) error {
	if err := s.life.Err(); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(s.life, cancel)()
	return move(ctx)
}
