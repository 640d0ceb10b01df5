package control

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestSendSSHPublicKey(t *testing.T) {
	const key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f me@laptop"
	now := noon
	f := newFixture(t, "nodes: [{id: i-0aaaaaaaaaaaaaaaa}, {id: mi-0bbbbbbbbbbbbbbbb}]", func() time.Time { return now })
	send := func(node, user, key string) (string, string) {
		answer, code := f.json("AWSEC2InstanceConnectService.SendSSHPublicKey",
			fmt.Sprintf(`{"InstanceId":%q,"InstanceOSUser":%q,"SSHPublicKey":%q,"AvailabilityZone":"us-east-1a"}`, node, user, key))
		return fmt.Sprint(answer["Success"], answer["message"]), code
	}
	if got, code := send("i-0aaaaaaaaaaaaaaaa", "ec2-user", key); code != "" || !strings.HasPrefix(got, "true") {
		t.Fatalf("got %s %s", code, got)
	}
	have := func(user string) string { return strings.Join(f.world.SSHKeys("i-0aaaaaaaaaaaaaaaa", user), "\n") }
	if have("ec2-user") != key || have("root") != "" {
		t.Errorf("keys %q, of root %q", have("ec2-user"), have("root"))
	}
	now = now.Add(59 * time.Second)
	if have("ec2-user") != key {
		t.Error("the key was gone before its time")
	}
	now = now.Add(time.Second)
	if have("ec2-user") != "" {
		t.Error("the key outlived its minute")
	}

	tests := []struct{ name, node, user, key, code string }{
		{"an unknown instance", "i-0cccccccccccccccc", "root", key, "EC2InstanceNotFoundException"},
		{"a hybrid node", "mi-0bbbbbbbbbbbbbbbb", "root", key, "InvalidArgsException"},
		{"no user", "i-0aaaaaaaaaaaaaaaa", "", key, "InvalidArgsException"},
		{"a user in the wrong form", "i-0aaaaaaaaaaaaaaaa", "a b", key, "InvalidArgsException"},
		{"a short key", "i-0aaaaaaaaaaaaaaaa", "root", "ssh-ed25519 AAAA", "InvalidArgsException"},
		{"no key", "i-0aaaaaaaaaaaaaaaa", "root", strings.Repeat("x", 100), "InvalidArgsException"},
		{"two keys", "i-0aaaaaaaaaaaaaaaa", "root", key + "\n" + key, "InvalidArgsException"},
		{"a user who is denied", "i-0aaaaaaaaaaaaaaaa", "denied", key, "AuthException"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got, code := send(tt.node, tt.user, tt.key); code != tt.code {
				t.Errorf("got %s %s, want %s", code, got, tt.code)
			}
		})
	}
}
