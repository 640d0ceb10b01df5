package rawapi_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/ssm/schemas"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/aws/smithy-go/transport/http/protocol/awsjson"

	"github.com/ssmdeck/ssmdeck/commands"
	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/internal/awsapi"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/rawapi"
)

// service stands in the place of AWS: it keeps the last request and gives the
// answer that was prepared.
type service struct {
	*httptest.Server
	mu     sync.Mutex
	hits   int
	target string
	body   []byte
	answer func(body []byte) (status int, answer []byte)
}

func newService(t *testing.T) *service {
	s := &service{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		s.hits++
		s.target, s.body = r.Header.Get("X-Amz-Target"), body
		status, answer := 200, []byte("{}")
		if s.answer != nil {
			status, answer = s.answer(body)
		}
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		w.Header().Set("X-Amzn-Requestid", "00000000-0000-4000-8000-000000000000")
		w.WriteHeader(status)
		_, _ = w.Write(answer)
	}))
	t.Cleanup(s.Close)
	return s
}

// answers makes the service answer always the same.
func (s *service) answers(status int, answer []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answer = func([]byte) (int, []byte) { return status, answer }
	s.hits, s.target, s.body = 0, "", nil
}

func (s *service) last() (hits int, target string, body []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.hits, s.target, s.body
}

// ssmdeck runs the program against the service.
func (s *service) ssmdeck(stdin string, args ...string) (code int, stdout, stderr string) {
	var out, errs bytes.Buffer
	code = commands.Run(context.Background(), &cli.Env{
		In: strings.NewReader(stdin), Out: &out, Err: &errs, Args: args,
		Lookup: func(string) (string, bool) { return "", false },
		Local:  &awsapi.Static{Endpoint: s.URL, Region: "eu-central-1", AccessKeyID: "AKIAEXAMPLE", SecretAccessKey: "example"},
	})
	return code, out.String(), errs.String()
}

// onTheWire is the SDK's own JSON of an input or output.
func onTheWire(t *testing.T, v any) []byte {
	t.Helper()
	req, ok := smithyhttp.NewStackRequest().(*smithyhttp.Request)
	if !ok {
		t.Fatal("no HTTP request")
	}
	schema := smithy.NewOperationSchema(schemas.ListCommands, schemas.ListCommandsRequest, schemas.ListCommandsResult)
	err := awsjson.New11(schemas.AmazonSSM).SerializeRequest(context.Background(), schema, v.(smithy.Serializable), req)
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(req.GetStream())
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func sameJSON(t *testing.T, a, b []byte) bool {
	t.Helper()
	var x, y any
	if err := json.Unmarshal(a, &x); err != nil {
		t.Errorf("%s: %v", a, err)
		return false
	}
	if err := json.Unmarshal(b, &y); err != nil {
		t.Errorf("%s: %v", b, err)
		return false
	}
	return reflect.DeepEqual(x, y)
}

func TestEveryOperationReachesTheWire(t *testing.T) {
	s := newService(t)
	for _, op := range rawapi.Operations() {
		input, typed := op.FilledInput()
		output, want := op.FilledOutput()
		s.answers(200, onTheWire(t, output))
		code, stdout, stderr := s.ssmdeck("", "api", op.Kebab, "--cli-input-json", string(typed), "--no-validate", "--yes")
		_, target, body := s.last()
		if code != 0 || target != "AmazonSSM."+op.Name {
			t.Errorf("%s: exit %d, target %q: %s", op.Name, code, target, stderr)
			continue
		}
		if sent := onTheWire(t, input); !sameJSON(t, body, sent) {
			t.Errorf("%s: sent\n%s\nwant\n%s", op.Name, body, sent)
		}
		if !sameJSON(t, []byte(stdout), want) {
			t.Errorf("%s: printed\n%s\nwant\n%s", op.Name, stdout, want)
		}
	}
}

func TestEveryFlagReachesItsField(t *testing.T) {
	s := newService(t)
	n := 0
	for _, op := range rawapi.Operations() {
		for i := range op.Fields {
			f := &op.Fields[i]
			n++
			input, rest, text := op.InputWith(f)
			s.answers(200, []byte("{}"))
			args := []string{"api", op.Name, "--no-validate", "--yes", "--cli-input-json", string(rest)}
			if op.Paged() {
				args = append(args, "--no-paginate")
			}
			code, _, stderr := s.ssmdeck("", append(args, "--"+f.Flag+"="+text)...)
			_, _, body := s.last()
			if code != 0 {
				t.Errorf("%s --%s: exit %d: %s", op.Kebab, f.Flag, code, stderr)
				continue
			}
			if want := onTheWire(t, input); !sameJSON(t, withoutTokens(t, op, f, body), want) {
				t.Errorf("%s --%s: sent\n%s\nwant\n%s", op.Kebab, f.Flag, body, want)
			}
		}
	}
	t.Logf("%d flags", n)
	if n < 655 {
		t.Errorf("only %d flags", n)
	}
}

// withoutTokens takes the client token out that the SDK makes up, unless it is what
// was given.
func withoutTokens(t *testing.T, op *rawapi.Operation, f *rawapi.Field, body []byte) []byte {
	t.Helper()
	if f.Name == "ClientToken" || op.Field("ClientToken") == nil {
		return body
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(body, &fields); err != nil {
		t.Fatal(err)
	}
	delete(fields, "ClientToken")
	data, err := json.Marshal(fields)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestReadOnlyRefuses(t *testing.T) {
	s := newService(t)
	refused := 0
	for _, op := range rawapi.Operations() {
		_, typed := op.FilledInput()
		s.answers(200, []byte("{}"))
		args := []string{"api", op.Kebab, "--cli-input-json", string(typed), "--no-validate", "--yes", "--read-only"}
		code, _, stderr := s.ssmdeck("", args...)
		hits, _, _ := s.last()
		switch {
		case op.Writes && (code != 7 || hits != 0):
			t.Errorf("%s: exit %d after %d requests: %s", op.Name, code, hits, stderr)
		case op.Writes:
			refused++
		case code != 0 || hits != 1:
			t.Errorf("%s reads, and was refused: exit %d: %s", op.Name, code, stderr)
		}
		if code, _, stderr := s.ssmdeck("", append(args, dryRunOf(op))...); code != 0 {
			t.Errorf("%s: a dry run is refused: exit %d: %s", op.Name, code, stderr)
		}
	}
	t.Logf("%d refused", refused)
}

func dryRunOf(op *rawapi.Operation) string {
	if op.Field("dry-run") != nil {
		return "--show-request"
	}
	return "--dry-run"
}

func TestDestructiveAsks(t *testing.T) {
	s := newService(t)
	asked := 0
	for _, op := range rawapi.Operations() {
		_, typed := op.FilledInput()
		s.answers(200, []byte("{}"))
		args := []string{"api", op.Kebab, "--cli-input-json", string(typed), "--no-validate"}
		code, _, stderr := s.ssmdeck("", args...)
		hits, _, _ := s.last()
		switch {
		case op.Destructive && (code != 7 || hits != 0 || !strings.Contains(stderr, "--yes")):
			t.Errorf("%s: exit %d after %d requests: %s", op.Name, code, hits, stderr)
		case op.Destructive:
			asked++
		case code != 0 || hits != 1:
			t.Errorf("%s: exit %d: %s", op.Name, code, stderr)
		}
	}
	t.Logf("%d ask", asked)
}

func TestDryRunSendsNothing(t *testing.T) {
	s := newService(t)
	for _, op := range rawapi.Operations() {
		input, typed := op.FilledInput()
		s.answers(200, []byte("{}"))
		code, stdout, stderr := s.ssmdeck("", "api", op.Kebab, "--cli-input-json", string(typed), "--no-validate", dryRunOf(op))
		if hits, _, _ := s.last(); code != 0 || hits != 0 {
			t.Errorf("%s: exit %d after %d requests: %s", op.Name, code, hits, stderr)
		}
		for _, secret := range rawapi.SecretTexts(input) {
			if strings.Contains(stdout+stderr, secret) {
				t.Errorf("%s: a dry run shows %q", op.Name, secret)
			}
		}
		if len(rawapi.SecretTexts(input)) == 0 && len(op.Fields) > 0 {
			continue
		}
		if len(op.Fields) > 0 && !strings.Contains(stdout, rawapi.Hidden) {
			t.Errorf("%s: nothing is hidden in %s", op.Name, stdout)
		}
	}
}

func TestSecretsStaySecret(t *testing.T) {
	s := newService(t)
	n := 0
	for _, op := range rawapi.Operations() {
		input, typed := op.FilledInput()
		secrets := rawapi.SecretTexts(input)
		if len(secrets) == 0 {
			continue
		}
		n++
		// The service quotes all it got.
		s.answers(400, fmt.Appendf(nil, `{"__type":"ValidationException","message":%q}`,
			"Value '"+strings.Join(secrets, "', '")+"' at 'x' failed to satisfy constraint: "+string(typed)))
		for _, format := range []string{"table", "json"} {
			code, stdout, stderr := s.ssmdeck(string(typed), "api", op.Kebab, "--cli-input-json", "-", "--no-validate", "--yes", "--debug", "-o", format)
			if code != 2 || !strings.Contains(stderr, "failed to satisfy constraint") || !strings.Contains(stderr, "operation=SSM."+op.Name) {
				t.Errorf("%s: exit %d: %s", op.Name, code, stderr)
			}
			for _, secret := range secrets {
				if strings.Contains(stdout+stderr, secret) {
					t.Errorf("%s: %q is in\n%s", op.Name, secret, stderr)
				}
			}
		}
	}
	t.Logf("%d operations with secrets", n)
	if n < 10 {
		t.Errorf("only %d operations with secrets", n)
	}

	// What cannot be decoded is not quoted either.
	for _, value := range []string{"hunter2=[", `{"a": {"hunter2": 1}}`, "commands=[hunter2"} {
		code, stdout, stderr := s.ssmdeck("", "api", "send-command", "--document-name", "AWS-RunShellScript", "--parameters", value, "--debug")
		if code != 2 || strings.Contains(stdout+stderr, "hunter2") {
			t.Errorf("%s: exit %d: %s", value, code, stderr)
		}
	}
	code, _, stderr := s.ssmdeck(`{"Name":"/app/x","Value":["hunter2"]}`, "api", "put-parameter", "--cli-input-json", "-")
	if code != 2 || strings.Contains(stderr, "hunter2") {
		t.Errorf("exit %d: %s", code, stderr)
	}
}

// TestErrorsMapToExitCodes answers a call with every exception of the SDK. The
// kinds wanted are in a file of its own, the codes are those of docs/output.md.
func TestErrorsMapToExitCodes(t *testing.T) {
	raw, err := os.ReadFile("../awsapi/testdata/exceptions.txt")
	if err != nil {
		t.Fatal(err)
	}
	codes := map[string]int{"failed": 1, "conflict": 1, "limit": 1, "service": 1, "throttled": 1, "usage": 2, "not_found": 3, "auth": 4, "offline": 5}
	s := newService(t)
	n, kinds := 0, map[string]int{}
	for line := range strings.Lines(string(raw)) {
		name, kind, ok := strings.Cut(strings.TrimSpace(line), " ")
		if !ok || name == "#" {
			continue
		}
		n++
		kinds[kind]++
		if kind == "throttled" || kind == "service" { // tried again for seconds
			err := awsapi.Explain("x", &smithy.GenericAPIError{Code: name})
			if fault.ExitCode(err) != codes[kind] || fault.KindOf(err).String() != kind {
				t.Errorf("%s: %v, exit %d", name, fault.KindOf(err), fault.ExitCode(err))
			}
			continue
		}
		s.answers(400, fmt.Appendf(nil, `{"__type":%q,"message":"what it says."}`, name))
		code, _, stderr := s.ssmdeck("", "api", "list-documents", "-o", "json")
		var out struct {
			Error struct{ Kind, Code, Message string }
		}
		if err := json.Unmarshal([]byte(stderr), &out); err != nil {
			t.Errorf("%s: %s", name, stderr)
			continue
		}
		if code != codes[kind] || out.Error.Kind != kind || out.Error.Code != name {
			t.Errorf("%s: exit %d, kind %s, code %s; want exit %d, kind %s", name, code, out.Error.Kind, out.Error.Code, codes[kind], kind)
		}
	}
	t.Logf("%d exceptions: %v", n, kinds)
	if n != 140 {
		t.Errorf("%d exceptions", n)
	}
}
