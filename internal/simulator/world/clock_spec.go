package world

import "time"

// ClockSpec is the clock of a scenario. It holds for all its Regions and accounts.
type ClockSpec struct {
	Start   time.Time     `yaml:"start"` // what it shows at the start
	Ago     time.Duration `yaml:"ago"`   // or how far it is behind then
	Stopped bool          `yaml:"stopped"`
	Speed   float64       `yaml:"speed"` // seconds for each real one; 1
}

// clock makes the clock, on top of that of the machine.
func (s ClockSpec) clock(real func() time.Time) *Clock {
	c := NewClock(real)
	switch {
	case s.Stopped:
		c.SetSpeed(0)
	case s.Speed > 0:
		c.SetSpeed(s.Speed)
	}
	switch {
	case !s.Start.IsZero():
		c.start(s.Start.UTC())
	case s.Ago > 0:
		c.start(c.Real().Add(-s.Ago))
	}
	return c
}

// MakeClock makes the clock of the scenario's worlds; real is the time of the
// machine, nil is time.Now.
func (sc *Scenario) MakeClock(real func() time.Time) *Clock { return sc.Clock.clock(real) }

func (c *checker) clock() {
	s := c.sc.Clock
	switch {
	case !s.Start.IsZero() && s.Ago != 0:
		c.failf(at("clock", "ago"), "clock: start and ago exclude each other")
	case s.Ago < 0:
		c.failf(at("clock", "ago"), "ago: must not be negative")
	case s.Stopped && s.Speed != 0:
		c.failf(at("clock", "speed"), "clock: stopped and speed exclude each other")
	case !(s.Speed >= 0 && s.Speed <= MaxSpeed):
		c.failf(at("clock", "speed"), "speed: %v is not from 0 to %d", s.Speed, MaxSpeed)
	}
}

// MaxSpeed is the most seconds that a clock shows for each real one: a day in little more than a second.
const MaxSpeed = 86400
