// Package agenttest is a stand-in for amazon-ssm-agent, for tests: a machine that
// registers with an activation, joins over the network and works for its
// service, with the calls, headers, documents and order of the real agent
// (recorded from its unmodified binaries). What a node runs is a shell.Machine.
//
// It shares the data channel's agent with the simulator and nothing else: it
// signs, registers, connects and answers with code of its own, so that it can
// disagree.
package agenttest

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/simulator/agent"
	"github.com/ssmdeck/ssmdeck/internal/simulator/shell"
	"github.com/ssmdeck/ssmdeck/internal/simulator/world"
)

// Config says where and as what an agent joins.
type Config struct {
	Endpoint string // of all services: http://127.0.0.1:4599
	Region   string
	HTTP     *http.Client // nil: http.DefaultClient; must trust the endpoint
	Version  string       // of the agent; 3.3.1142.0 when empty
	Platform string       // Linux (default), Windows, MacOS
	Hostname string
	Machine  shell.Machine
	// Dial connects as seen from the machine; see world.NodeRuntime.
	Dial world.DialFunc
	// FinalFirst makes the last reply of a command come before that of its last
	// step, as happens with real agents.
	FinalFirst bool
	// PingEvery is how often Run pings after the start; real agents do every five
	// minutes. 0: never.
	PingEvery time.Duration
	// Orders, if set, is told the content of each job, whichever way it came.
	Orders func(content string)
	// NoControlChannel leaves the agent with message delivery, the older path.
	NoControlChannel bool
}

// Agent is a registered machine.
type Agent struct {
	cfg         Config
	ID          string // mi-…
	Fingerprint string
	key         *rsa.PrivateKey

	links sync.WaitGroup // readers and writers of data channels

	mu    sync.Mutex
	creds credentials
	jobs  map[string]*work
}

// credentials are those of the node's role.
type credentials struct {
	AccessKeyID     string `json:"AccessKeyId"`
	SecretAccessKey string
	SessionToken    string
	Expires         float64 `json:"TokenExpirationDate"`
	UpdateKeyPair   *bool
}

// Error is a refusal of a service.
type Error struct {
	Status        int
	Code, Message string
}

// Error returns "status code: message".
func (e *Error) Error() string { return fmt.Sprintf("%d %s: %s", e.Status, e.Code, e.Message) }

// New returns an agent that is not registered.
func New(cfg Config) *Agent {
	if cfg.HTTP == nil {
		cfg.HTTP = http.DefaultClient
	}
	if cfg.Version == "" {
		cfg.Version = "3.3.1142.0"
	}
	if cfg.Platform == "" {
		cfg.Platform = "Linux"
	}
	return &Agent{cfg: cfg, Fingerprint: newUUID(), jobs: map[string]*work{}}
}

// Register makes a key pair and a node of the machine, as `amazon-ssm-agent
// -register -code … -id …` does.
func (a *Agent) Register(ctx context.Context, code, id string) error {
	public, err := a.newKey()
	if err != nil {
		return err
	}
	var out struct {
		InstanceID string `json:"InstanceId"`
	}
	err = a.call(ctx, "AmazonSSM.RegisterManagedInstance", map[string]string{
		"ActivationCode": code, "ActivationId": id, "Fingerprint": a.Fingerprint, "PublicKey": public, "PublicKeyType": "Rsa",
	}, &out, unsigned)
	a.ID = out.InstanceID
	return err
}

// UseInstance makes the agent that of an instance of EC2, with the credentials of
// its profile instead of an activation.
func (a *Agent) UseInstance(id, accessKey, secret, token string) {
	a.ID = id
	a.mu.Lock()
	defer a.mu.Unlock()
	a.creds = credentials{AccessKeyID: accessKey, SecretAccessKey: secret, SessionToken: token}
}

// newKey makes another key the agent's own and returns its public half.
func (a *Agent) newKey() (public string, err error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return "", err
	}
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		return "", err
	}
	a.key = key
	return base64.StdEncoding.EncodeToString(der), nil
}

// Login gets credentials for the node's role, and changes the key when the
// service asks for it.
func (a *Agent) Login(ctx context.Context) error {
	var c credentials
	if err := a.call(ctx, "AmazonSSM.RequestManagedInstanceRoleToken", map[string]string{"Fingerprint": a.Fingerprint}, &c, a.signRSA); err != nil {
		return err
	}
	if c.UpdateKeyPair == nil {
		return fmt.Errorf("the answer does not say whether to update the key pair, which ends a real agent")
	}
	a.mu.Lock()
	a.creds = c
	a.mu.Unlock()
	if *c.UpdateKeyPair {
		return a.RotateKey(ctx)
	}
	return nil
}

// RotateKey gives the node a new key pair, signed for with the old one.
func (a *Agent) RotateKey(ctx context.Context) error {
	old := a.key
	public, err := a.newKey()
	if err != nil {
		return err
	}
	fresh := a.key
	a.key = old
	if err := a.call(ctx, "AmazonSSM.UpdateManagedInstancePublicKey", map[string]string{"NewPublicKey": public, "NewPublicKeyType": "Rsa"}, nil, a.signRSA); err != nil {
		return err
	}
	a.key = fresh
	return nil
}

// Ping says that the agent is alive: little at the start, all of it later.
func (a *Agent) Ping(ctx context.Context, full bool) error {
	in := map[string]string{"AgentName": "amazon-ssm-agent", "AgentVersion": a.cfg.Version, "InstanceId": a.ID, "PlatformType": a.cfg.Platform}
	if full {
		for k, v := range map[string]string{
			"AgentStatus": "Active", "AvailabilityZone": "", "AvailabilityZoneId": "", "ComputerName": a.cfg.Hostname,
			"IPAddress": "127.0.0.1", "PlatformName": "Debian GNU/Linux", "PlatformVersion": "12", "SSMConnectionChannel": "",
		} {
			in[k] = v
		}
	}
	return a.Call(ctx, "AmazonSSM.UpdateInstanceInformation", in, nil)
}

// Run joins and works until ctx is done, then returns nil. It does what the real
// agent does at its start, in that order.
func (a *Agent) Run(ctx context.Context, joined func()) error {
	if strings.HasPrefix(a.ID, "mi-") {
		if err := a.Login(ctx); err != nil {
			return err
		}
	}
	if err := a.Ping(ctx, false); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	var group sync.WaitGroup
	defer a.links.Wait()
	defer group.Wait()
	defer cancel()
	if !a.cfg.NoControlChannel {
		c, err := a.openControl(ctx)
		if err != nil {
			return err
		}
		group.Go(func() { c.serve(ctx); cancel() })
	}
	if err := a.Ping(ctx, true); err != nil {
		return err
	}
	group.Go(func() { a.poll(ctx) })
	var none struct{ Associations []any }
	if err := a.Call(ctx, "AmazonSSM.ListInstanceAssociations", map[string]any{"InstanceId": a.ID, "MaxResults": 20}, &none); err != nil {
		return err
	}
	if a.cfg.PingEvery > 0 {
		group.Go(func() { a.keepPinging(ctx) })
	}
	if joined != nil {
		joined()
	}
	<-ctx.Done()
	return nil
}

// keepPinging pings until ctx is done. A ping that fails is not the last one.
func (a *Agent) keepPinging(ctx context.Context) {
	tick := time.NewTicker(a.cfg.PingEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			_ = a.Ping(ctx, true)
		case <-ctx.Done():
			return
		}
	}
}

// Call makes a JSON 1.1 call with the role's credentials.
func (a *Agent) Call(ctx context.Context, target string, in, out any) error {
	return a.call(ctx, target, in, out, a.signV4)
}

// signFunc signs a request with a body for a service.
type signFunc func(r *http.Request, body []byte, service string, headers ...string)

func unsigned(*http.Request, []byte, string, ...string) {}

func (a *Agent) call(ctx context.Context, target string, in, out any, sign signFunc) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, a.cfg.Endpoint+"/", bytes.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/x-amz-json-1.1")
	r.Header.Set("X-Amz-Target", target)
	r.Header.Set("User-Agent", "aws-sdk-go/1.51.20 (go1.26.8; linux; amd64) amazon-ssm-agent/"+a.cfg.Version)
	service := "ssm"
	switch {
	case strings.HasPrefix(target, "EC2Windows"):
		service = "ec2messages"
	case strings.HasPrefix(target, "TrentService"):
		service = "kms"
	}
	sign(r, body, service, "content-length", "content-type", "host", "x-amz-date", "x-amz-security-token", "x-amz-target")
	resp, err := a.cfg.HTTP.Do(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		var e struct {
			Type    string `json:"__type"`
			Message string `json:"message"`
		}
		_ = json.Unmarshal(answer, &e)
		return &Error{resp.StatusCode, e.Type, e.Message}
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(answer, out)
}

// Decrypt asks KMS for a data key, as the agent does for an encrypted session.
// It makes an Agent a world.DataKeys.
func (a *Agent) Decrypt(ctx context.Context, sealed []byte, encContext map[string]string) ([]byte, error) {
	var out struct{ Plaintext []byte }
	err := a.Call(ctx, "TrentService.Decrypt", map[string]any{"CiphertextBlob": sealed, "EncryptionContext": encContext}, &out)
	return out.Plaintext, err
}

// runtime is the node as the data channel's agent sees it.
func (a *Agent) runtime() world.NodeRuntime {
	return world.NodeRuntime{
		ID: a.ID, Platform: strings.ToLower(a.cfg.Platform), AgentVersion: a.cfg.Version, Machine: a.cfg.Machine,
		Resolve: func(string) error { return nil }, Dial: a.cfg.Dial,
	}
}

var _ world.DataKeys = (*Agent)(nil)

// session works on one session and returns its result.
func (a *Agent) session(ctx context.Context, spec world.SessionSpec) agent.Result {
	return agent.Run(ctx, agent.Config{
		Spec: spec, Node: a.runtime(), Keys: a,
		Dial: func(ctx context.Context) (*agent.Conn, error) { return a.openData(ctx, spec.ID) },
	})
}

func newUUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// now is the form of dates in what agents say.
func now() string { return time.Now().UTC().Format("2006-01-02T15:04:05.000Z") }
