package awsapi

import (
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/wait"
)

// limited is a token bucket that holds a second's worth of calls, as services have.
type limited struct {
	mu          sync.Mutex
	rate, level float64
	last        time.Time
	refused     int
}

func (s *limited) call() (ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	s.level = min(s.rate, s.level+now.Sub(s.last).Seconds()*s.rate)
	s.last = now
	if s.level < 1 {
		s.refused++
		return false
	}
	s.level--
	return true
}

// work makes n calls by a number of workers, each call again until it goes.
func work(t *testing.T, p *pacer, s *limited, operation string, n int) time.Duration {
	t.Helper()
	start := time.Now()
	jobs := make(chan int)
	var wg sync.WaitGroup
	for range 32 {
		wg.Go(func() {
			for range jobs {
				for attempt := 1; ; attempt++ {
					if err := p.wait(t.Context(), operation, false); err != nil {
						t.Error(err)
						return
					}
					time.Sleep(20 * time.Millisecond)
					ok := s.call()
					if p.answered(operation, !ok); ok {
						break
					}
					time.Sleep(wait.Jitter(min(time.Duration(attempt)*100*time.Millisecond, learningBackoff)))
				}
			}
		})
	}
	for i := range n {
		jobs <- i
	}
	close(jobs)
	wg.Wait()
	return time.Since(start)
}

// TestTheLimitIsLearned makes a thousand calls under limits that nobody has told us.
func TestTheLimitIsLearned(t *testing.T) {
	for _, limit := range []float64{3, 10, 40, 100, 400} {
		t.Run(fmt.Sprint(limit), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				const calls = 1000
				s := &limited{rate: limit, level: limit, last: time.Now()}
				took := work(t, newPacer(), s, "SSM.GetParameters", calls).Seconds()
				bound := (calls - limit) / limit
				t.Logf("limit %v: %.1f s, bound %.1f s, %d refused", limit, took, bound, s.refused)
				if limit <= 100 && took > bound*1.15 {
					t.Errorf("limit %v: %.1f s, more than 15 %% above %.1f s", limit, took, bound)
				}
				if s.refused > calls/8 {
					t.Errorf("limit %v: %d of %d calls were refused", limit, s.refused, calls)
				}
			})
		})
	}
}

// TestALimitThatIsRaisedIsFound learns a low limit and then has a high one.
func TestALimitThatIsRaisedIsFound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, p := &limited{rate: 10, level: 10, last: time.Now()}, newPacer()
		work(t, p, s, "SSM.GetParameters", 200)
		s.mu.Lock()
		s.rate = 200
		s.mu.Unlock()
		if took := work(t, p, s, "SSM.GetParameters", 2000); took > 60*time.Second {
			t.Errorf("2000 calls at 200 a second took %s", took)
		}
	})
}

// TestReadsOfEachParameterLearn makes the calls that a backup makes for each parameter,
// under a limit that is higher than the pace of other reads.
func TestReadsOfEachParameterLearn(t *testing.T) {
	for _, op := range []string{"SSM.GetParameterHistory", "SSM.ListTagsForResource"} {
		synctest.Test(t, func(t *testing.T) {
			s := &limited{rate: 100, level: 100, last: time.Now()}
			if took := work(t, newPacer(), s, op, 1000); took > 20*time.Second {
				t.Errorf("1000 calls of %s at 100 a second took %s", op, took)
			}
		})
	}
}

func TestReadsOfValuesShareALimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, start := newPacer(), time.Now()
		for range 20 {
			for _, op := range []string{"SSM.GetParameter", "SSM.GetParameters", "SSM.GetParametersByPath"} {
				if err := p.wait(t.Context(), op, false); err != nil {
					t.Fatal(err)
				}
			}
		}
		if took := time.Since(start).Round(time.Millisecond); took != 500*time.Millisecond {
			t.Errorf("60 reads took %s, want 500ms: 40 at once, the rest at 40/s", took)
		}
	})
}

func TestScopesOfOnePlaceShareAPace(t *testing.T) {
	var paces Paces
	open := func(profile string) *Scope {
		s := &Scope{options: Options{Profile: profile, Paces: &paces}}
		s.cfg.Region = "us-east-1"
		return s
	}
	a, b, other := open("a"), open("a"), open("b")
	if paces.at(a.place()) != paces.at(b.place()) {
		t.Error("a scope that is opened twice has two paces")
	}
	if paces.at(a.place()) == paces.at(other.place()) {
		t.Error("two accounts have one pace")
	}
	b.cfg.Region = "eu-west-1"
	if paces.at(a.place()) == paces.at(b.place()) {
		t.Error("two Regions have one pace")
	}
}

// TestThrottlesByOthersDoNotStarveALaterBurst makes a call now and then, of which others
// make some fail, and then a thousand: how seldom calls were made says nothing of what
// the service gives.
func TestThrottlesByOthersDoNotStarveALaterBurst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const operation = "SSM.GetParameters"
		p := newPacer()
		for i := range 40 {
			if err := p.wait(t.Context(), operation, false); err != nil {
				t.Fatal(err)
			}
			p.answered(operation, i%10 == 9)
			time.Sleep(1500 * time.Millisecond)
		}
		s := &limited{rate: 40, level: 40, last: time.Now()}
		if took := work(t, p, s, operation, 1000); took > time.Minute {
			t.Errorf("1000 calls at 40 a second took %s after calls that were throttled now and then", took)
		}
	})
}

// TestARateOfHoursAgoIsForgotten learns a low rate, does nothing, and then has much to do.
func TestARateOfHoursAgoIsForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, p := &limited{rate: 1, level: 1, last: time.Now()}, newPacer()
		work(t, p, s, "SSM.GetParameters", 60)
		time.Sleep(3 * time.Hour)
		s.rate, s.level, s.last, s.refused = 40, 40, time.Now(), 0
		if took := work(t, p, s, "SSM.GetParameters", 400); took > 15*time.Second || s.refused > 50 {
			t.Errorf("400 calls at 40 a second took %s, %d were refused, hours after a limit of 1 a second", took, s.refused)
		}
	})
}

// TestASlowListIsNoneThatFails makes calls one after another under one call a second.
func TestASlowListIsNoneThatFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const operation = "SSM.DescribeParameters"
		s, p, start, most := &limited{rate: 1, level: 1, last: time.Now()}, newPacer(), time.Now(), 0
		for range 100 {
			for attempt := 1; ; attempt++ {
				most = max(most, attempt)
				if err := p.wait(t.Context(), operation, false); err != nil {
					t.Fatal(err)
				}
				time.Sleep(20 * time.Millisecond)
				ok := s.call()
				if p.answered(operation, !ok); ok {
					break
				}
				time.Sleep(wait.Jitter(min(time.Duration(attempt)*100*time.Millisecond, learningBackoff)))
			}
		}
		took := time.Since(start)
		t.Logf("%s, %d refused, at most %d attempts", took, s.refused, most)
		if took > 125*time.Second || s.refused > 30 || most > learningAttempts/4 {
			t.Errorf("100 calls at 1 a second took %s, %d were refused, one call took %d attempts", took, s.refused, most)
		}
	})
}
