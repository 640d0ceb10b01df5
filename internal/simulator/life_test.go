package simulator

import (
	"strings"
	"testing"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/simulator/world"
)

// TestTheLivingDemo is served: what colleagues do is seen through the API, and their
// sessions can be terminated although no channel belongs to them.
func TestTheLivingDemo(t *testing.T) {
	sc := world.LivingDemo()
	sc.Clock.Stopped = true
	s := start(t, Options{Scenario: sc})
	for range 4 {
		if err := s.Forward(t.Context(), s.World().Now().Add(10*time.Second)); err != nil {
			t.Fatal(err)
		}
	}
	list := func(state string) string {
		_, body := ask(t, s, s.Credentials(), "us-east-1", "ssm", "AmazonSSM.DescribeSessions", `{"State":"`+state+`"}`)
		return body
	}
	open := s.World().Sessions(false)
	if len(open) == 0 {
		t.Fatal("no session is open")
	}
	if body := list("Active"); !strings.Contains(body, open[0].ID) {
		t.Errorf("session %s is not listed: %s", open[0].ID, body)
	}
	ask(t, s, s.Credentials(), "us-east-1", "ssm", "AmazonSSM.TerminateSession", `{"SessionId":"`+open[0].ID+`"}`)
	if body := list("Active"); strings.Contains(body, open[0].ID) {
		t.Errorf("session %s is still there: %s", open[0].ID, body)
	}
	if body := list("History"); !strings.Contains(body, open[0].ID) {
		t.Errorf("session %s is not in the history: %s", open[0].ID, body)
	}
	if n := len(s.World().Nodes()); n < 120 || n > 200 {
		t.Errorf("the living demo has %d nodes", n)
	}
	if _, ok := s.World().NodeInfo("i-0123456789abcdef0"); !ok {
		t.Error("web-1 is not in it")
	}
}

func TestOtherRegionsLiveWithTheirScenario(t *testing.T) {
	sc, err := world.ParseScenario("two", []byte(`
clock: {stopped: true}
alive: {}
nodes: [{id: i-00000000000000001}]
regions:
  eu-west-1:
    nodes: [{id: i-00000000000000002}]
`))
	if err != nil {
		t.Fatal(err)
	}
	s := start(t, Options{Scenario: sc})
	if err := s.Forward(t.Context(), s.World().Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	for _, region := range []string{"us-east-1", "eu-west-1"} {
		if len(s.In("123456789012", region).Commands()) == 0 {
			t.Errorf("nothing happens in %s", region)
		}
	}
}
