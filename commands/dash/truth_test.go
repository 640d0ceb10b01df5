package dash_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/simulator/world"
)

// refusing is a simulated account in which nothing may be read.
func refusing(t *testing.T) *world.Scenario {
	t.Helper()
	sc := world.LivingDemo()
	sc.Alive = nil
	sc.Denied = []string{"ssm:*", "ec2:*"}
	return sc
}

// Where nothing may be read, no view says that there is nothing: no zero, no "nobody",
// and each says which action is missing.
func TestWhatMayNotBeReadIsNotZero(t *testing.T) {
	s, opts, _ := onSimulator(t, refusing(t))
	s.Size(140, 40)
	for i, p := range opts.Pages {
		s.Press(fmt.Sprint(i + 1))
		s.Wait(time.Second)
		plain := p.Plain()
		text := s.Frame() + "\n" + strings.Join(plain.Summary, "\n")
		for _, item := range plain.Items {
			text += "\n" + item.Text
		}
		for _, lie := range []string{
			"0 node", "0 sessions", "0 %", "nobody", "no managed node", "there are no", "there is no", "no command and", "no automation was", "nothing was run",
			"no window", "Automations: 0", "windows: 0", "are kept",
		} {
			if strings.Contains(text, lie) {
				t.Errorf("%s says %q:\n%s", p.ID(), lie, text)
			}
		}
		if !strings.Contains(text, "not allowed: ssm:") {
			t.Errorf("%s does not name the action:\n%s", p.ID(), text)
		}
		if !strings.Contains(s.Frame(), "ask for an IAM policy that allows ssm:") {
			t.Errorf("%s does not say what to do:\n%s", p.ID(), s.Frame())
		}
	}
}
