package fleet

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
)

func TestNodeFromEitherDescription(t *testing.T) {
	ping := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	got := fromProperty(types.InstanceProperty{
		InstanceId: aws.String(idA), Name: aws.String("web-1"), ComputerName: aws.String("host"), PingStatus: "ConnectionLost",
		LastPingDateTime: &ping, PlatformType: "MacOS", PlatformName: aws.String("macOS"), PlatformVersion: aws.String("14"),
		AgentVersion: aws.String("3.3"), IPAddress: aws.String("10.0.0.1"), ResourceType: aws.String("EC2Instance"),
		InstanceType: aws.String("mac2"), RegistrationDate: &ping, InstanceRole: aws.String("r"), AssociationStatus: aws.String("Success"),
	})
	want := Node{
		ID: idA, Name: "web-1", ComputerName: "host", Ping: Lost, LastPing: ping, Platform: "macos", PlatformName: "macOS",
		PlatformVersion: "14", AgentVersion: "3.3", IP: "10.0.0.1", ResourceType: "EC2Instance", InstanceType: "mac2",
		Registered: ping, IAMRole: "r", AssociationStatus: "Success",
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	n := fromInformation(types.InstanceInformation{InstanceId: aws.String(idC), ComputerName: aws.String("host"), PingStatus: "Inactive", ActivationId: aws.String("a")})
	if n.Name != "host" || n.Ping != Inactive || n.ActivationID != "a" || !n.Hybrid() || n.Online() {
		t.Errorf("got %+v", n)
	}
}

func TestNodeJSON(t *testing.T) {
	raw, err := json.Marshal(Node{ID: idA, Name: "web-1", Ping: Online, Platform: "linux"})
	if err != nil {
		t.Fatal(err)
	}
	want := `{"id":"` + idA + `","name":"web-1","computer_name":"","ping":"online","platform":"linux","platform_name":"",` +
		`"platform_version":"","agent_version":"","ip":"","resource_type":""}`
	if string(raw) != want {
		t.Errorf("got  %s\nwant %s", raw, want)
	}
}

func TestPingAge(t *testing.T) {
	now := time.Date(2026, 1, 10, 0, 0, 0, 0, time.UTC)
	for ago, want := range map[time.Duration]string{
		-time.Minute:     "last ping less than a minute ago",
		59 * time.Second: "last ping less than a minute ago",
		5 * time.Minute:  "last ping 5 min ago",
		3 * time.Hour:    "last ping 3 h ago",
		47 * time.Hour:   "last ping 47 h ago",
		50 * time.Hour:   "last ping 2 days ago",
	} {
		if got := (Node{LastPing: now.Add(-ago)}).PingAge(now); got != want {
			t.Errorf("%v: got %q, want %q", ago, got, want)
		}
	}
	if got := (Node{}).PingAge(now); got != "last ping not known" {
		t.Errorf("got %q", got)
	}
}

func TestAbsence(t *testing.T) {
	now := time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
	for ping, want := range map[string]string{
		Lost:       "its agent is not connected (last ping 3 h ago)",
		"impaired": `AWS says that its agent is "impaired", which means nothing to ssmdeck (last ping 3 h ago)`,
	} {
		n := Node{Ping: ping, LastPing: now.Add(-3 * time.Hour)}
		if got := n.Absence(now); got != want || !n.Offline() {
			t.Errorf("%s: %s", ping, got)
		}
	}
	for _, ping := range []string{"", Online, Lost, Inactive} {
		if (Node{Ping: ping}).StrangePing() {
			t.Errorf("%q is strange", ping)
		}
	}
}

func TestSort(t *testing.T) {
	nodes := []Node{
		{ID: "3", Name: "a", Ping: Lost}, {ID: "2", Name: "b", Ping: Online}, {ID: "1", Name: "b", Ping: Online}, {ID: "4", Name: "a", Ping: Online},
	}
	Sort(nodes)
	if got := strings.Join(ids(nodes), ""); got != "4123" {
		t.Errorf("got %s, want 4123", got)
	}
	if got := nodes[0].String(); got != "a (4)" {
		t.Errorf("got %q", got)
	}
}
