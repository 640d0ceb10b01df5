package gateway

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/ssmdeck/ssmdeck/internal/simulator/world"
	"github.com/ssmdeck/ssmdeck/sessionclient/wire"
)

// newShellRig has a fake machine behind its node.
func newShellRig(t *testing.T, change func(*Config, *world.NodeRuntime)) (*rig, *fakeMachine) {
	m := &fakeMachine{}
	return newRig(t, func(c *Config, n *world.NodeRuntime) {
		n.Machine = m
		if change != nil {
			change(c, n)
		}
	}), m
}

func TestShellSession(t *testing.T) {
	r, m := newShellRig(t, nil)
	spec := r.spec("Standard_Stream", "")
	spec.RunAsUser, spec.ShellProfile = "alice", "cd /"
	c := r.open(spec)
	c.output(wire.PayloadOutput, "prompt$ cd /\n")
	r.status(spec.ID, world.SessionConnected)
	c.put(wire.PayloadSize, []byte(`{"cols":132,"rows":43}`))
	c.put(wire.PayloadOutput, []byte("ls\r"))
	c.output(wire.PayloadOutput, "ls\r")
	m.mu.Lock()
	user, size := m.options.User, m.tty.size
	m.mu.Unlock()
	if user != "alice" || size != [2]int{132, 43} {
		t.Errorf("runs as %q at %v, want alice at [132 43]", user, size)
	}
	c.put(wire.PayloadOutput, []byte("exit\r"))
	if reason := c.end(); reason != "" {
		t.Errorf("ended with %q, want no reason", reason)
	}
	r.status(spec.ID, world.SessionTerminated)
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.events) != 0 {
		t.Errorf("a shell without a key has a handshake: %+v", c.events)
	}
}

func TestInteractiveCommandRunsOnATerminal(t *testing.T) {
	r, m := newShellRig(t, func(_ *Config, n *world.NodeRuntime) { n.Platform = "windows" })
	c := r.open(r.spec("InteractiveCommands", `{"linux":{"commands":"top"},"windows":{"commands":"more"}}`))
	c.output(wire.PayloadOutput, "prompt$ more")
	c.put(wire.PayloadOutput, []byte("a\nb"))
	c.output(wire.PayloadOutput, "a\rb") // Windows agents make a carriage return of it
	c.put(wire.PayloadOutput, []byte("c\r\n"))
	c.output(wire.PayloadOutput, "c\r\n")
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.options.Command != "more" {
		t.Errorf("runs %q, want the command of the node's platform", m.options.Command)
	}
}

// halves are the client's two directions of an encrypted session.
func halves(t *testing.T, key []byte) (open, seal func([]byte) []byte) {
	t.Helper()
	gcm := func(key []byte) cipher.AEAD {
		block, err := aes.NewCipher(key)
		if err != nil {
			t.Fatal(err)
		}
		aead, err := cipher.NewGCM(block)
		if err != nil {
			t.Fatal(err)
		}
		return aead
	}
	agent, client := gcm(key[:32]), gcm(key[32:])
	open = func(b []byte) []byte {
		plain, err := agent.Open(nil, b[:12], b[12:], nil)
		if err != nil {
			t.Error("payload does not decrypt:", err)
		}
		return plain
	}
	seal = func(b []byte) []byte {
		nonce := make([]byte, 12)
		_, _ = rand.Read(nonce)
		return client.Seal(nonce, nonce, b, nil)
	}
	return open, seal
}

// encrypt does the client's half of a handshake with a key.
func encrypt(t *testing.T, c *client, acknowledge bool) (open, seal func([]byte) []byte) {
	t.Helper()
	request := c.event(wire.PayloadHandshakeRequest)
	var req wire.HandshakeRequest
	var kms wire.KMSEncryptionRequest
	if err := json.Unmarshal(request.Payload, &req); err != nil {
		t.Fatal(err)
	}
	if len(req.RequestedClientActions) != 2 {
		t.Fatalf("agent asks for %s, want session type and encryption", request.Payload)
	}
	if err := json.Unmarshal(req.RequestedClientActions[1].ActionParameters, &kms); err != nil {
		t.Fatal(err)
	}
	key := make([]byte, 64)
	_, _ = rand.Read(key)
	sealed := sealedKey{Plain: key, Context: map[string]string{
		"aws:ssm:SessionId": c.spec.ID, "aws:ssm:TargetId": nodeID,
	}}
	if acknowledge {
		sealed.Context["aws:ssm:RandomChallenge"] = kms.Challenge
	}
	result := wire.Marshal(wire.KMSEncryptionResponse{
		KMSCipherTextKey: wire.Marshal(sealed), ChallengeAcknowledgement: acknowledge,
	})
	c.put(wire.PayloadHandshakeResponse, wire.Marshal(wire.HandshakeResponse{
		ClientVersion: clientVersion,
		ProcessedClientActions: []wire.ProcessedAction{
			{ActionType: wire.ActionSessionType, ActionStatus: 1},
			{ActionType: wire.ActionKMSEncryption, ActionStatus: 1, ActionResult: result},
		},
	}))
	return halves(t, key)
}

func TestEncryptedShell(t *testing.T) {
	for _, acknowledge := range []bool{true, false} {
		t.Run(fmt.Sprintf("challenge acknowledged is %v", acknowledge), func(t *testing.T) {
			r, _ := newShellRig(t, nil)
			spec := r.spec("Standard_Stream", "")
			spec.KMSKeyID = "arn:aws:kms:us-east-1:111122223333:key/k"
			c := r.open(spec)
			open, seal := encrypt(t, c, acknowledge)
			var plain strings.Builder
			c.mu.Lock()
			c.handle = func(m *wire.Message) bool {
				if m.PayloadType == wire.PayloadOutput {
					plain.Write(open(m.Payload))
				}
				return m.PayloadType == wire.PayloadOutput
			}
			c.mu.Unlock()
			var challenge wire.EncryptionChallenge
			m := c.event(wire.PayloadEncChallengeRequest)
			if err := json.Unmarshal(m.Payload, &challenge); err != nil {
				t.Fatal(err)
			}
			answer := wire.EncryptionChallenge{Challenge: seal(open(challenge.Challenge))}
			c.put(wire.PayloadEncChallengeResponse, wire.Marshal(answer))
			done := c.event(wire.PayloadHandshakeComplete)
			if !strings.Contains(string(done.Payload), "This session is encrypted using AWS KMS.") {
				t.Errorf("handshake completes with %s, want the customer message", done.Payload)
			}
			c.put(wire.PayloadOutput, seal([]byte("secret\r")))
			c.until("the echo", func() bool { return strings.Contains(plain.String(), "prompt$ secret\r") })
		})
	}
}

func TestKeyOfAnotherSessionIsRefused(t *testing.T) {
	r, _ := newShellRig(t, nil)
	spec := r.spec("Standard_Stream", "")
	spec.KMSKeyID = "key"
	c := r.open(spec)
	c.spec.ID = "another"
	encrypt(t, c, true)
	if reason := c.end(); !strings.Contains(reason, "Encountered error while initiating handshake. fetching data key failed") {
		t.Errorf("ended with %q", reason)
	}
	r.status(spec.ID, world.SessionFailed)
}

func commands(script, more string) string {
	return fmt.Sprintf(`{"linux":{"commands":%q,"runAsElevated":false%s}}`, script, more)
}

func TestNonInteractiveCommands(t *testing.T) {
	tests := []struct {
		name, script, more   string
		stdout, stderr, exit string
		reason               string
	}{
		{"separate streams", "say out err 7", `,"separateOutputStream":"true"`, "out", "err", "EXIT_CODE: 7", ""},
		{"separate streams as a boolean", "say out err 0", `,"separateOutputStream":true`, "out", "err", "EXIT_CODE: 0", ""},
		{"mixed streams have no exit code", "say out err 7", "", "errout", "", "", ""},
		{"prefixes", "say a\nb e 0", `,"separateOutputStream":true,"stdOutSeparatorPrefix":"o:"`, "", "", "EXIT_CODE: 0", ""},
		{
			"start failure", "missing", `,"separateOutputStream":true`,
			"", "Unable to start command: exec: no shell", "", "Unable to start command: exec: no shell",
		},
	}
	tests[3].stdout = "o:a"
	tests[3].script, tests[3].stderr = "say a e 0", "e"
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r, _ := newShellRig(t, nil)
			c := r.open(r.spec("NonInteractiveCommands", commands(tt.script, tt.more)))
			c.shake(clientVersion)
			if reason := c.end(); reason != tt.reason {
				t.Errorf("ended with %q, want %q", reason, tt.reason)
			}
			c.mu.Lock()
			defer c.mu.Unlock()
			stdout, stderr, exit := c.out[wire.PayloadOutput], c.out[wire.PayloadStdErr], c.out[wire.PayloadExitCode]
			if string(stdout) != tt.stdout || string(stderr) != tt.stderr || string(exit) != tt.exit {
				t.Errorf("got %q, %q, %q; want %q, %q, %q", stdout, stderr, exit, tt.stdout, tt.stderr, tt.exit)
			}
		})
	}
}

func TestCommandIsInterrupted(t *testing.T) {
	r, _ := newShellRig(t, nil)
	c := r.open(r.spec("NonInteractiveCommands", commands("wait", `,"separateOutputStream":true`)))
	c.shake(clientVersion)
	c.output(wire.PayloadOutput, "waiting")
	c.put(wire.PayloadOutput, []byte{3})
	c.end()
	if got := string(c.out[wire.PayloadExitCode]); got != "EXIT_CODE: 130" {
		t.Errorf("got %q, want EXIT_CODE: 130", got)
	}
}

func TestOldClientIsToldToUpdate(t *testing.T) {
	r, _ := newShellRig(t, nil)
	c := r.open(r.spec("NonInteractiveCommands", commands("say out err 0", `,"separateOutputStream":true`)))
	c.shake("1.2.279.0")
	c.end()
	if got := string(c.out[wire.PayloadOutput]); !strings.HasPrefix(got, "Please update session manager plugin") || !strings.HasSuffix(got, "out") {
		t.Errorf("output is %q, want a hint before it", got)
	}
}

func TestLongOutputIsComplete(t *testing.T) {
	r, _ := newShellRig(t, nil)
	c := r.open(r.spec("NonInteractiveCommands", commands("flood 500000", `,"separateOutputStream":true`)))
	c.shake(clientVersion)
	c.end()
	c.mu.Lock()
	defer c.mu.Unlock()
	checkFlood(t, string(c.out[wire.PayloadOutput]), 500000)
}

// checkFlood checks the output of "flood <n>".
func checkFlood(t *testing.T, out string, n int) {
	t.Helper()
	if len(out) != 10*n {
		t.Fatalf("got %d bytes, want %d", len(out), 10*n)
	}
	for i := range n {
		if got, want := out[10*i:10*i+10], fmt.Sprintf("%09d\n", i); got != want {
			t.Fatalf("line %d is %q, want %q", i, got, want)
		}
	}
}

func TestEightSessionsAtOnce(t *testing.T) {
	r, _ := newShellRig(t, nil)
	port := server(t, echo)
	var all sync.WaitGroup
	clients := make([]*client, 8)
	for i := range clients {
		if i%2 == 0 {
			clients[i] = r.open(r.spec("NonInteractiveCommands", commands("flood 20000", `,"separateOutputStream":true`)))
		} else {
			clients[i] = r.open(r.spec("Port", forwarding(port)))
		}
	}
	if r.Live() != 8 {
		t.Errorf("%d live sessions, want 8", r.Live())
	}
	for i, c := range clients {
		if i%2 == 0 {
			all.Go(func() { c.shake(clientVersion); c.end(); checkFlood(t, string(c.out[wire.PayloadOutput]), 20000) })
			continue
		}
		all.Go(func() { echoThrough(t, c, 300_000) })
	}
	all.Wait()
	for _, c := range clients {
		_ = r.Terminate(c.spec.ID)
	}
	if r.Live() != 0 {
		t.Errorf("%d live sessions after the end, want 0", r.Live())
	}
}
