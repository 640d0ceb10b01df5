package simulator

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"
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

// maxSpeed is the most that a scenario can ask for as well.
const maxSpeed = 86400

// end is where a move leads from now.
func (m clockMove) end(now time.Time) (time.Time, error) {
	switch {
	case m.Advance != "" && m.To != nil:
		return now, errors.New("advance and to exclude each other")
	case m.Speed != nil && !(*m.Speed >= 0 && *m.Speed <= maxSpeed):
		return now, errors.New("speed is not from 0 to 86400")
	case m.Advance == "" && m.To == nil && m.Speed == nil:
		return now, errors.New("give advance, to or speed")
	case m.To != nil:
		return *m.To, nil
	case m.Advance == "":
		return now, nil
	}
	d, err := time.ParseDuration(m.Advance)
	return now.Add(d), err
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
	var to time.Time
	if err == nil {
		to, err = move.end(s.clock.Now())
	}
	if err == nil && (move.Advance != "" || move.To != nil) {
		err = s.Forward(r.Context(), to)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if move.Speed != nil {
		s.clock.SetSpeed(*move.Speed)
	}
	s.serveClock(w, r)
}

// Forward puts the clock of the simulated accounts forward and returns when
// everything that was due until then has happened.
func (s *Server) Forward(ctx context.Context, to time.Time) error {
	if err := s.life.Err(); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(s.life, cancel)()
	return s.clock.Forward(ctx, to)
}
