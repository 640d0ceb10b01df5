package reliable

import (
	"encoding/json"
	"os"
	"testing"
	"time"
)

func TestEstimatorAgreesWithTheReferencePrograms(t *testing.T) {
	raw, err := os.ReadFile("testdata/rto.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Cases []struct {
			Steps []struct {
				RetransmissionTimeoutNs  int64
				RoundTripTimeNs          float64
				RoundTripTimeVariationNs float64
				SampleNs                 int64 `json:"sampleNs"`
				Initial                  bool  `json:"initial"`
			} `json:"steps"`
		} `json:"cases"`
	}
	if err := json.Unmarshal(raw, &file); err != nil {
		t.Fatal(err)
	}
	if len(file.Cases) != 5 {
		t.Fatalf("%d cases, want 5", len(file.Cases))
	}
	for i, c := range file.Cases {
		e := newEstimator()
		e.lo, e.hi = 0, time.Second // their bounds
		for j, step := range c.Steps {
			if !step.Initial {
				e.sample(time.Duration(step.SampleNs))
			}
			if e.srtt != step.RoundTripTimeNs || e.rttvar != step.RoundTripTimeVariationNs || int64(e.timeout()) != step.RetransmissionTimeoutNs {
				t.Errorf("case %d step %d: rtt %v var %v rto %d, want %v %v %d", i, j, e.srtt, e.rttvar, e.timeout(),
					step.RoundTripTimeNs, step.RoundTripTimeVariationNs, step.RetransmissionTimeoutNs)
			}
		}
	}
}

func TestTimeoutKeepsItsBounds(t *testing.T) {
	tests := []struct {
		name    string
		samples []time.Duration
		expired int
		want    time.Duration
	}{
		{"before the first sample", nil, 0, 200 * ms},
		{"on a fast path", []time.Duration{ms, ms, ms, ms, ms, ms, ms, ms, ms, ms, ms, ms, ms, ms, ms, ms, ms, ms, ms, ms, ms, ms, ms, ms}, 0, 200 * ms},
		{"on a very slow path", []time.Duration{time.Minute, time.Minute}, 0, 5 * time.Second},
		{"after one timeout", nil, 1, 400 * ms},
		{"after four timeouts", nil, 4, 3200 * ms},
		{"after five timeouts", nil, 5, 5 * time.Second},
		{"after very many timeouts", nil, 1 << 40, 5 * time.Second},
		{"a clock set back counts as no time", []time.Duration{-time.Hour}, 0, 200 * ms},
		{"a clock that jumped ahead is bounded", []time.Duration{1<<63 - 1, 1<<63 - 1}, 3, 5 * time.Second},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e := newEstimator()
			for _, s := range tt.samples {
				e.sample(s)
			}
			e.expired = tt.expired
			if got := e.backedOff(); got != tt.want {
				t.Errorf("timeout %v, want %v", got, tt.want)
			}
		})
	}
	e := newEstimator()
	for range 10 {
		e.sample(1<<63 - 1)
	}
	for range 100 {
		e.sample(10 * ms)
	}
	if got := e.timeout(); got > time.Second {
		t.Errorf("a hundred good samples after a jumping clock leave a timeout of %v", got)
	}
}
