// Package control is the public face of the simulated services: Systems Manager,
// KMS, EC2 Instance Connect, CloudWatch Logs, AWS Config, EventBridge and Secrets
// Manager in JSON 1.1, CloudWatch in CBOR, JSON and the query protocol, STS, RDS, ElastiCache,
// Redshift and EC2 in the query protocol, OpenSearch Service and S3 in REST, with
// signature verification.
//
// It holds no state of its own beyond credentials, counters and throttles: the
// account is package world's, sessions are the gateway's. It knows the wire
// formats from the public API models and deliberately shares no code with the
// SDK.
package control

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"strings"
	"sync"

	"github.com/ssmdeck/ssmdeck/internal/simulator/model"
	"github.com/ssmdeck/ssmdeck/internal/simulator/world"
)

// maxBody is the size limit of a request in bytes. The largest legal one carries
// a document of 64 KB.
const maxBody = 1 << 20

// Config is what a Handler needs. All fields but Logger are required.
type Config struct {
	World    *world.World
	Sessions world.Sessions
	Verifier *Verifier
	// Account is the scenario that names the Regions and members around the world;
	// nil: that of the world.
	Account *world.Scenario
	// Base is the URL of the server, http://127.0.0.1:PORT, for answers that lead
	// there.
	Base   string
	Logger *slog.Logger // nil: silent
}

// Handler serves the APIs on POST /. It is safe for concurrent use.
type Handler struct {
	world    *world.World
	sessions world.Sessions
	verifier *Verifier
	account  *world.Scenario
	base     string
	log      *slog.Logger
	ops      map[string]operation // by X-Amz-Target
	throttle *throttle
	tokens   tokenKey

	mu    sync.Mutex
	calls map[string]int            // by operation
	by    map[string]map[string]int // calls by caller and operation
}

// New returns a Handler.
func New(cfg Config) *Handler {
	h := &Handler{
		world: cfg.World, sessions: cfg.Sessions, verifier: cfg.Verifier, account: cfg.Account, base: cfg.Base, log: cfg.Logger,
		throttle: newThrottle(cfg.World, cfg.Verifier.now),
		tokens:   newTokenKey(),
		calls:    map[string]int{},
		by:       map[string]map[string]int{},
	}
	if h.log == nil {
		h.log = slog.New(slog.DiscardHandler)
	}
	if h.account == nil {
		h.account = cfg.World.Scenario()
	}
	h.ops = operations()
	return h
}

// Calls returns how often each operation was called since the start, refused
// calls included.
func (h *Handler) Calls() map[string]int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return maps.Clone(h.calls)
}

// CallsBy returns the same by the ARN of who called.
func (h *Handler) CallsBy() map[string]map[string]int {
	h.mu.Lock()
	defer h.mu.Unlock()
	all := map[string]map[string]int{}
	for caller, calls := range h.by {
		all[caller] = maps.Clone(calls)
	}
	return all
}

// call is one request on its way through an operation.
type call struct {
	*Handler
	ctx    context.Context
	caller Caller
}

// operation answers one request. raw is its JSON, decoded to maps and lists; for
// Systems Manager it has been held against the model.
type operation struct {
	service string
	run     func(c *call, raw any) (any, error)
}

// op makes an operation of a function with a typed input, which is filled and
// validated by bind.
func op[In any](service string, run func(*call, *In) (any, error)) operation {
	return operation{service, func(c *call, raw any) (any, error) {
		var in In
		if err := bind(raw, &in); err != nil {
			return nil, err
		}
		return run(c, &in)
	}}
}

// ServeHTTP answers one API request.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	id := newRequestID()
	w.Header().Set("x-amzn-RequestId", id)
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		var tooLarge *http.MaxBytesError
		if errors.As(err, &tooLarge) {
			h.fail(w, &apiError{Status: http.StatusRequestEntityTooLarge, Code: "RequestEntityTooLargeException", Message: "Request body is too large."})
		}
		return // or the client has gone
	}
	target := r.Header.Get("X-Amz-Target")
	if h.serveCloudWatch(w, r, body) {
		return
	}
	if target == "" && strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded") {
		h.serveQuery(w, r, body, id)
		return
	}
	if target == "" && (h.serveSearch(w, r, body) || h.serveGroups(w, r, body)) {
		return
	}
	if isS3(r) {
		h.serveS3(w, r, body, id)
		return
	}
	out, err := h.serveJSON(r, target, body)
	if err != nil {
		h.log.Debug("api", "target", target, "id", id, "err", errorCode(err))
		h.fail(w, err)
		return
	}
	h.log.Debug("api", "target", target, "id", id)
	writeJSON(w, http.StatusOK, out)
}

func (h *Handler) serveJSON(r *http.Request, target string, body []byte) (any, error) {
	if r.Method != http.MethodPost || r.URL.Path != "/" {
		return nil, &apiError{Status: http.StatusNotFound, Code: "UnknownOperationException"}
	}
	service, name := splitTarget(target)
	o, known := h.ops[target]
	caller, err := h.signer(r, target, body, service)
	if err != nil {
		return nil, err
	}
	if !known {
		return nil, &apiError{Code: "UnknownOperationException"}
	}
	if err := h.admit(caller, iamService(service), name); err != nil {
		return nil, err
	}
	raw, err := decodeJSON(body)
	if err != nil {
		return nil, err
	}
	if err := ownNode(caller, raw); err != nil {
		return nil, err
	}
	spec := model.SSM()[name]
	if service != "ssm" || spec == nil {
		return o.run(&call{Handler: h, ctx: r.Context(), caller: caller}, raw)
	}
	if err := spec.Check(raw); err != nil {
		return nil, err
	}
	out, err := o.run(&call{Handler: h, ctx: r.Context(), caller: caller}, raw)
	if err != nil {
		return nil, err
	}
	return spec.Answer.Fill(out), nil
}

// signer checks who has sent a request.
func (h *Handler) signer(r *http.Request, target string, body []byte, service string) (Caller, error) {
	if verify, own := signers[target]; own {
		return verify(h, r, body)
	}
	return h.verifier.Verify(r, body, service)
}

func (h *Handler) count(caller Caller, name string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.calls[name]++
	if h.by[caller.ARN] == nil {
		h.by[caller.ARN] = map[string]int{}
	}
	h.by[caller.ARN][name]++
}

// splitTarget takes X-Amz-Target apart: the signing name of the service and the
// name of the operation.
func splitTarget(target string) (service, name string) {
	prefix, name, _ := strings.Cut(target, ".")
	switch prefix {
	case "AmazonSSM":
		return "ssm", name
	case "TrentService":
		return "kms", name
	case "AWSEC2InstanceConnectService":
		return "ec2-instance-connect", name
	case "EC2WindowsMessageDeliveryService":
		return "ec2messages", name
	case "Logs_20140328":
		return "logs", name
	case taggingTarget:
		return taggingService, name
	case organizationsTarget:
		return organizationsService, name
	case configTarget:
		return configService, name
	case eventsTarget:
		return eventsService, name
	case secretsTarget:
		return secretsService, name
	}
	return "", name
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		status = http.StatusInternalServerError
		buf.Reset()
		buf.WriteString(`{"__type":"InternalServerError","message":"the answer could not be encoded"}`)
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	w.WriteHeader(status)
	_, _ = w.Write(bytes.TrimRight(buf.Bytes(), "\n"))
}
