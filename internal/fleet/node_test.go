package fleet

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
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
	if got := (Node{}).PingAge(now); got != "never heard of" {
		t.Errorf("got %q", got)
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

func TestCache(t *testing.T) {
	c := Cache{Dir: filepath.Join(t.TempDir(), "ssmdeck")}
	key, now := CacheKey{Profile: "../prod", Region: "eu-west-1"}, time.Unix(1_000_000, 0)
	if _, ok := c.Load(key, now); ok {
		t.Error("an empty cache has nodes")
	}
	secret := Node{ID: idA, Name: "web-1", Ping: Online, Platform: "linux", IP: "10.9.8.7", Tags: map[string]string{"k": "v"}}
	if err := c.Store(key, now, []Node{secret}); err != nil {
		t.Fatal(err)
	}
	want := []CachedNode{{ID: idA, Name: "web-1", Ping: Online, Platform: "linux"}}
	if got, ok := c.Load(key, now.Add(cacheAge)); !ok || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v", got, ok)
	}
	for name, miss := range map[string]struct {
		key CacheKey
		now time.Time
	}{
		"too old":         {key, now.Add(cacheAge + time.Second)},
		"from the future": {key, now.Add(-time.Second)},
		"another Region":  {CacheKey{Profile: "../prod", Region: "eu-west-2"}, now},
		"another place":   {CacheKey{Profile: "../prod", Region: "eu-west-1", Endpoint: "http://127.0.0.1:1"}, now},
	} {
		if _, ok := c.Load(miss.key, miss.now); ok {
			t.Errorf("%s: it was loaded", name)
		}
	}
	entries, err := os.ReadDir(c.Dir)
	if err != nil || len(entries) != 1 {
		t.Fatalf("%d files, %v; want the one", len(entries), err)
	}
	path := filepath.Join(c.Dir, entries[0].Name())
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(raw), "10.9.8.7") {
		t.Error("the file holds more than completion shows")
	}
	if info, err := os.Stat(path); err != nil || (runtime.GOOS != "windows" && info.Mode().Perm() != 0o600) {
		t.Errorf("mode %v, %v; want 0600", info.Mode(), err)
	}
	if err := os.WriteFile(path, raw[:len(raw)/2], 0o600); err != nil {
		t.Fatal(err)
	}
	if _, ok := c.Load(key, now); ok {
		t.Error("half a file was loaded")
	}
	if err := c.Store(key, now, nil); err != nil {
		t.Fatal(err)
	}
	if got, ok := c.Load(key, now); !ok || len(got) != 0 {
		t.Errorf("after an empty list: %v, %v", got, ok)
	}
	if err := (Cache{Dir: path}).Store(key, now, nil); err == nil {
		t.Error("a folder that is a file was written to")
	}
}
