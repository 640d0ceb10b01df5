package deck_test

import (
	"testing"

	"github.com/ssmdeck/ssmdeck/internal/grid"
	"github.com/ssmdeck/ssmdeck/tui/deck"
)

func TestConsole(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{deck.Console(grid.Place{Region: "eu-west-1"}, "home"), "https://eu-west-1.console.aws.amazon.com/systems-manager/home?region=eu-west-1"},
		{deck.Console(grid.Place{Region: "cn-north-1"}, "run-command#x"), "https://cn-north-1.console.amazonaws.cn/systems-manager/run-command?region=cn-north-1#x"},
		{
			deck.NodeConsole(grid.Place{Region: "us-gov-west-1"}, "mi-0a"),
			"https://us-gov-west-1.console.amazonaws-us-gov.com/systems-manager/fleet-manager/managed-nodes/mi-0a/general?region=us-gov-west-1",
		},
		{
			deck.InstanceConsole(grid.Place{Region: "eu-west-1"}, "i-0a/b"),
			"https://eu-west-1.console.aws.amazon.com/ec2/home?region=eu-west-1#InstanceDetails:instanceId=i-0a%2Fb",
		},
	} {
		if c.got != c.want {
			t.Errorf("%s, not %s", c.got, c.want)
		}
	}
}
