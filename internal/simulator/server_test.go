package simulator

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/simulator/control"
	"github.com/ssmdeck/ssmdeck/internal/simulator/world"
)

const (
	webNode   = "i-0123456789abcdef0"
	publicKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f me@laptop"
)

// TestPushedKeysCanBeRead as an AuthorizedKeysCommand reads them.
func TestPushedKeysCanBeRead(t *testing.T) {
	s := start(t, Options{})
	if err := s.World().PushSSHKey(webNode, "me", publicKey); err != nil {
		t.Fatal(err)
	}
	for query, want := range map[string]string{
		"?node=" + webNode + "&user=me":   publicKey + "\n",
		"?node=" + webNode + "&user=root": "",
		"":                                "",
	} {
		resp, err := client(t, s).Get(s.URL() + KeysPath + query)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if err != nil || resp.StatusCode != http.StatusOK || string(body) != want {
			t.Errorf("%q: %s, %q, %v", query, resp.Status, body, err)
		}
	}
}

func start(t *testing.T, o Options) *Server {
	t.Helper()
	s, err := Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// client trusts the server's CA and keeps no connection.
func client(t *testing.T, s *Server) *http.Client {
	t.Helper()
	tr := &http.Transport{DisableKeepAlives: true}
	if s.CAFile() != "" {
		pem, err := os.ReadFile(s.CAFile())
		if err != nil {
			t.Fatal(err)
		}
		pool := x509.NewCertPool()
		pool.AppendCertsFromPEM(pem)
		tr.TLSClientConfig = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	}
	return &http.Client{Transport: tr}
}

// signature is SigV4 for requests without a query.
func signature(r *http.Request, body, service string, c control.Credentials) {
	signatureIn(r, body, "us-east-1", service, c)
}

func signatureIn(r *http.Request, body, region, service string, c control.Credentials) {
	date := time.Now().UTC().Format("20060102T150405Z")
	r.Header.Set("X-Amz-Date", date)
	canonical := fmt.Sprintf("%s\n%s\n%s\nhost:%s\nx-amz-date:%s\n\nhost;x-amz-date\n%x", r.Method, r.URL.Path, r.URL.RawQuery, r.URL.Host, date, sha256.Sum256([]byte(body)))
	scope := date[:8] + "/" + region + "/" + service + "/aws4_request"
	key := []byte("AWS4" + c.SecretAccessKey)
	for _, s := range append(strings.Split(scope, "/"), fmt.Sprintf("AWS4-HMAC-SHA256\n%s\n%s\n%x", date, scope, sha256.Sum256([]byte(canonical)))) {
		h := hmac.New(sha256.New, key)
		h.Write([]byte(s))
		key = h.Sum(nil)
	}
	r.Header.Set("Authorization", fmt.Sprintf("AWS4-HMAC-SHA256 Credential=%s/%s, SignedHeaders=host;x-amz-date, Signature=%x", c.AccessKeyID, scope, key))
}

// call calls an operation of SSM over the network.
func call(t *testing.T, s *Server, op, body string) map[string]any {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL()+"/", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Amz-Target", "AmazonSSM."+op)
	signature(r, body, "ssm", s.Credentials())
	resp, err := client(t, s).Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var out map[string]any
	if err := json.NewDecoder(resp.Body).Decode(&out); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestOnlyLoopbackAddresses(t *testing.T) {
	for _, listen := range []string{"0.0.0.0:0", ":0", "[::]:0", "192.0.2.1:0", "example.com:80", "127.0.0.1", "nonsense"} {
		s, err := Start(t.Context(), Options{Listen: listen})
		if fault.KindOf(err) != fault.Usage {
			t.Errorf("%s: got %v", listen, err)
		}
		if s != nil {
			_ = s.Close()
		}
	}
	for _, listen := range []string{"127.0.0.1:0", "localhost:0"} {
		if s := start(t, Options{Listen: listen}); !strings.HasPrefix(s.URL(), "http://127.0.0.1:") && !strings.HasPrefix(s.URL(), "http://[::1]:") {
			t.Errorf("%s serves at %s", listen, s.URL())
		}
	}
}

func TestAnUnknownShellIsRefused(t *testing.T) {
	if _, err := Start(t.Context(), Options{Shell: "fish"}); fault.KindOf(err) != fault.Usage {
		t.Errorf("got %v", err)
	}
}

func TestAPortInUseIsAnError(t *testing.T) {
	s := start(t, Options{})
	if _, err := Start(t.Context(), Options{Listen: strings.TrimPrefix(s.URL(), "http://")}); err == nil {
		t.Error("two servers on one port")
	}
}

func TestSessionThroughAllLayers(t *testing.T) {
	s := start(t, Options{})
	got := call(t, s, "StartSession", `{"Target":"`+webNode+`"}`)
	id, stream := fmt.Sprint(got["SessionId"]), fmt.Sprint(got["StreamUrl"])
	if !strings.HasPrefix(stream, "ws"+strings.TrimPrefix(s.URL(), "http")+"/v1/data-channel/"+id) {
		t.Fatalf("stream URL %q", stream)
	}
	if n := s.Stats().OpenSessions; n != 1 {
		t.Errorf("%d sessions are open", n)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	_, resp, err := websocket.Dial(ctx, stream, nil)
	if err == nil || resp == nil || resp.StatusCode != http.StatusForbidden {
		t.Errorf("an unsigned upgrade: %v", err)
	}
	r, err := http.NewRequest(http.MethodGet, strings.Replace(stream, "ws", "http", 1), nil)
	if err != nil {
		t.Fatal(err)
	}
	signature(r, "", "ssmmessages", s.Credentials())
	ws, _, err := websocket.Dial(ctx, stream, &websocket.DialOptions{HTTPHeader: r.Header})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ws.CloseNow() }()
	open := fmt.Sprintf(`{"MessageSchemaVersion":"1.0","RequestId":"11111111-2222-4333-8444-555555555555","TokenValue":%q,"ClientId":"11111111-2222-4333-8444-555555555556","ClientVersion":"1.2.764.0"}`, got["TokenValue"])
	if err := ws.Write(ctx, websocket.MessageText, []byte(open)); err != nil {
		t.Fatal(err)
	}
	if _, data, err := ws.Read(ctx); err != nil || len(data) < 116 {
		t.Errorf("the first message: %d bytes, %v", len(data), err)
	}
	call(t, s, "TerminateSession", `{"SessionId":"`+id+`"}`)
	if n := s.Stats().OpenSessions; n != 0 {
		t.Errorf("%d sessions are open after the end", n)
	}
	history := fmt.Sprint(call(t, s, "DescribeSessions", `{"State":"History"}`))
	if !strings.Contains(history, id) || !strings.Contains(history, "Terminated") {
		t.Errorf("history %s", history)
	}
}

func TestTLS(t *testing.T) {
	s := start(t, Options{TLS: true})
	if !strings.HasPrefix(s.URL(), "https://127.0.0.1:") {
		t.Errorf("URL %s", s.URL())
	}
	got := call(t, s, "StartSession", `{"Target":"`+webNode+`"}`)
	if !strings.HasPrefix(fmt.Sprint(got["StreamUrl"]), "wss://127.0.0.1:") {
		t.Errorf("answer %v", got)
	}
	if _, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{RootCAs: x509.NewCertPool(), MinVersion: tls.VersionTLS12}}}).Get(s.URL()); err == nil {
		t.Error("a client that does not know the CA trusts it")
	}
	ca := s.CAFile()
	if !strings.Contains(strings.Join(s.Env(), "\n"), "AWS_CA_BUNDLE="+ca) {
		t.Error("the environment does not name the CA")
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(ca); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the CA file is still there: %v", err)
	}
}

func TestEnvironmentAndStats(t *testing.T) {
	s := start(t, Options{SessionToken: true})
	env := strings.Join(s.Env(), "\n")
	for _, want := range []string{"AWS_ENDPOINT_URL=" + s.URL(), "AWS_ACCESS_KEY_ID=ASIA", "AWS_SECRET_ACCESS_KEY=", "AWS_SESSION_TOKEN=", "AWS_REGION=us-east-1", "AWS_DEFAULT_REGION=us-east-1", "AWS_EC2_METADATA_DISABLED=true"} {
		if !strings.Contains(env, want) {
			t.Errorf("%s is not in the environment", want)
		}
	}
	plain := start(t, Options{})
	call(t, plain, "ListDocuments", "{}")
	resp, err := client(t, plain).Get(plain.URL() + StatsPath)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || string(body) != `{"calls":{"ListDocuments":1},"open_sessions":0}`+"\n" {
		t.Errorf("stats %s, %v", body, err)
	}
}

func TestCloseEndsOpenSessionsAndCommands(t *testing.T) {
	s := start(t, Options{})
	call(t, s, "StartSession", `{"Target":"`+webNode+`"}`)
	call(t, s, "SendCommand", `{"DocumentName":"AWS-RunShellScript","InstanceIds":["`+webNode+`"],"Parameters":{"commands":["sleep 600"]}}`)
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if n := s.Stats().OpenSessions; n != 0 {
		t.Errorf("%d sessions outlived the server", n)
	}
	if err := s.Close(); err != nil {
		t.Errorf("a second close: %v", err)
	}
}

func TestRunCommandOnTheDemoFleetShowsTheBrokenNode(t *testing.T) {
	s := start(t, Options{})
	const command = `{"DocumentName":"AWS-RunShellScript","Targets":[{"Key":"tag:env","Values":["prod"]},{"Key":"tag:role","Values":["web"]}],"Parameters":{"commands":["systemctl is-active nginx"]},"MaxErrors":"100%"}`
	sent, _ := call(t, s, "SendCommand", command)["Command"].(map[string]any)
	id := fmt.Sprint(sent["CommandId"])
	waitFor(t, s, id)
	outcomes := map[string]int{}
	for _, i := range s.World().Invocations(id) {
		outcomes[i.Status+" "+strings.TrimSpace(i.Plugins[0].Stdout)]++
	}
	if outcomes["Success active"] != 2 || outcomes["Failed failed"] != 1 || len(outcomes) != 2 {
		t.Errorf("outcomes %v", outcomes)
	}
}

// waitFor polls until a command has ended.
func waitFor(t *testing.T, s *Server, id string) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for range tick.C {
		for _, c := range s.World().Commands() {
			if c.ID == id && c.Completed == c.Total {
				return
			}
		}
		if t.Context().Err() != nil {
			t.Fatal("the command does not end")
		}
	}
}

func TestScenarioShellsAndPorts(t *testing.T) {
	sc, err := world.ParseScenario("test", []byte("nodes:\n  - {id: "+webNode+", ports: {8080: http}}\n  - {id: i-00000000000000002, shell: virtual}\n"))
	if err != nil {
		t.Fatal(err)
	}
	s := start(t, Options{Scenario: sc})
	rt, ok := s.World().Node(webNode)
	if !ok || rt.Machine == nil {
		t.Fatal("no machine")
	}
	c, err := rt.Dial(t.Context(), "", 8080)
	if err != nil {
		t.Fatal(err)
	}
	_ = c.Close()
	if sc.Nodes[0].Shell != "" {
		t.Error("the scenario of the caller was changed")
	}
}

func TestHostShellsRunOnThisMachine(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the demo's Windows nodes are not asked here")
	}
	s := start(t, Options{Shell: world.ShellHost, AllowRoot: true})
	sent, _ := call(t, s, "SendCommand", `{"DocumentName":"AWS-RunShellScript","InstanceIds":["`+webNode+`"],"Parameters":{"commands":["test -d $HOME && pwd && echo $AWS_SSM_INSTANCE_ID"]}}`)["Command"].(map[string]any)
	id := fmt.Sprint(sent["CommandId"])
	waitFor(t, s, id)
	dir, rest, _ := strings.Cut(s.World().Invocations(id)[0].Plugins[0].Stdout, "\n")
	if rest != webNode+"\n" || !strings.Contains(dir, "ssmdeck-host-") {
		t.Errorf("ran in %q and printed %q", dir, rest)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the scratch directory is still there: %v", err)
	}
	if os.Geteuid() == 0 {
		if _, err := Start(t.Context(), Options{Shell: world.ShellHost}); fault.KindOf(err) != fault.Refused {
			t.Errorf("as root, not allowed: %v", err)
		}
	}
}

// The scenarios of docs/simulator.md are complete and valid.
func TestTheScenariosOfTheDocumentation(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "simulator.md"))
	if err != nil {
		t.Fatal(err)
	}
	blocks := strings.Split(string(text), "```yaml\n")[1:]
	if len(blocks) < 10 {
		t.Fatalf("only %d scenarios were found", len(blocks))
	}
	for _, b := range blocks {
		scenario, _, _ := strings.Cut(b, "```")
		sc, err := world.ParseScenario("docs/simulator.md", []byte(scenario))
		if err != nil {
			t.Errorf("%v in\n%s", err, scenario)
			continue
		}
		start(t, Options{Scenario: sc})
	}
}
