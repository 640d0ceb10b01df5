package simulator

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/simulator/agent"
	"github.com/ssmdeck/ssmdeck/internal/simulator/control"
	"github.com/ssmdeck/ssmdeck/internal/simulator/gateway"
	"github.com/ssmdeck/ssmdeck/internal/simulator/world"
)

// closeTimeout bounds Close; what has not ended by then is cut off.
const closeTimeout = 10 * time.Second

// StatsPath is where the counters can be read with GET, as JSON.
const StatsPath = "/simulator/stats"

// KeysPath is where an SSH server that plays a node's reads, with GET, the keys
// that EC2 Instance Connect has pushed: ?node=ID&user=NAME, one a line.
const KeysPath = "/simulator/ssh-keys"

// Options are the choices of Start. The zero value is the demo fleet on a free
// port, with virtual machines and signatures required.
type Options struct {
	Scenario *world.Scenario // nil: the demo
	Listen   string          // loopback host:port; empty: 127.0.0.1:0
	// TLS serves https and wss with a certificate made for this start. Its CA
	// is written to a temporary file, see Server.CAFile.
	TLS bool
	// Shell is what nodes run that do not say it themselves: "virtual" (the
	// default, in memory) or "host" (real shells of this machine; nodes of a
	// system that it is not stay virtual).
	Shell string
	// AllowRoot lets host shells run when this process is root.
	AllowRoot bool
	// Sign is how strict signatures are verified.
	Sign control.Mode
	// SessionToken issues temporary credentials, with a session token.
	SessionToken bool
	// Agent are the knobs of all agents.
	Agent agent.Options
	// Machine replaces the machines of all nodes; nil: by Shell.
	Machine world.MachineMaker
	// Now is the time of the machine; nil: time.Now. Dates are those of the
	// scenario's clock, which runs with it.
	Now    func() time.Time
	Logger *slog.Logger // nil: silent
}

// Server is a running simulator.
type Server struct {
	*cell   // of the scenario itself
	cells   map[place]*cell
	clock   *world.Clock // of all cells
	http    *http.Server
	fresh   freshConns // of http
	creds   control.Credentials
	url     string
	caFile  string
	serving sync.WaitGroup
	life    context.Context // ends when Close begins
	end     context.CancelFunc

	closing sync.Once
	closed  error
}

// Start starts a simulator. It lives until Close; ctx is for starting only.
// Errors are *fault.Error where an exit code matters.
func Start(ctx context.Context, o Options) (*Server, error) {
	if o.Scenario == nil {
		o.Scenario = world.Demo()
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if ahead, machine := o.Scenario.ClockAhead, o.Now; ahead != 0 {
		o.Now = func() time.Time { return machine().Add(ahead) }
	}
	if o.Listen == "" {
		o.Listen = "127.0.0.1:0"
	}
	if err := checkLoopback(o.Listen); err != nil {
		return nil, err
	}
	s := &Server{}
	s.life, s.end = context.WithCancel(context.Background())
	if err := s.assemble(ctx, o); err != nil {
		_ = s.Close()
		return nil, err
	}
	return s, nil
}

// checkLoopback refuses addresses that others could reach.
func checkLoopback(listen string) error {
	host, _, err := net.SplitHostPort(listen)
	if err != nil {
		return fault.Usagef("listen address %q: %v", listen, err).WithHint("give host and port, such as 127.0.0.1:4599")
	}
	if a, err := netip.ParseAddr(host); host == "localhost" || err == nil && a.IsLoopback() {
		return nil
	}
	return fault.Usagef("listen address %q is not a loopback address", listen).WithHint("the simulator serves this machine only: give 127.0.0.1:PORT or [::1]:PORT")
}

// assemble makes the parts in the order of their needs.
func (s *Server) assemble(ctx context.Context, o Options) error {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", o.Listen)
	if err != nil {
		return err
	}
	scheme, ws := "http", "ws"
	if o.TLS {
		scheme, ws = "https", "wss"
		if l, s.caFile, err = withTLS(l, o.Now()); err != nil {
			return err
		}
	}
	s.url = scheme + "://" + l.Addr().String()
	s.creds = control.NewCredentials(o.Scenario.Account, o.Scenario.User)
	if o.SessionToken {
		s.creds.SessionToken = control.NewSessionToken()
		s.creds.AccessKeyID = "ASIA" + s.creds.AccessKeyID[4:]
	}
	base := ws + "://" + l.Addr().String()
	verifier := control.NewVerifier(o.Sign, o.Scenario.Region, o.Now, s.creds)
	s.clock = o.Scenario.MakeClock(o.Now)
	if s.cell, err = makeCell(ctx, o.Scenario, o.Scenario, o, s.clock, base, verifier); err == nil {
		err = s.addCells(ctx, o, base)
	}
	if err != nil {
		return errors.Join(err, l.Close())
	}
	if err := s.live(o.Scenario.Alive); err != nil {
		return errors.Join(err, l.Close())
	}
	s.serve(l, o.Logger)
	return nil
}

// live makes the cells live that want to, or all when the scenario itself does.
func (s *Server) live(all *world.AliveSpec) error {
	for _, c := range s.all() {
		spec := c.world.Scenario().Alive
		if spec == nil {
			spec = all
		}
		if spec == nil {
			continue
		}
		if err := c.world.Live(*spec); err != nil {
			return fmt.Errorf("make %s live: %w", c.world.Region(), err)
		}
	}
	return nil
}

// HostsPath is where a host can be led elsewhere with POST, as after a failover:
// {"name": "db.internal", "port": 5432, "connect": "127.0.0.1:6543"}.
const HostsPath = "/simulator/hosts"

// servePoint wants JSON by name, which a web page may not send to us.
func (s *Server) servePoint(w http.ResponseWriter, r *http.Request) {
	var host world.HostSpec
	if r.Header.Get("Content-Type") != "application/json" {
		http.Error(w, "Content-Type must be application/json", http.StatusUnsupportedMediaType)
		return
	}
	err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<16)).Decode(&host)
	if err == nil {
		err = s.world.PointHost(host.Name, host.Port, host.Connect)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// serve answers on l until Close.
func (s *Server) serve(l net.Listener, log *slog.Logger) {
	mux := http.NewServeMux()
	gateways := s.routed(func(c *cell) http.Handler { return c.gateway })
	mux.Handle("/v1/data-channel/", gateways)
	mux.Handle("/v1/control-channel/", gateways)
	mux.HandleFunc("GET "+StatsPath, s.serveStats)
	mux.HandleFunc("POST "+HostsPath, s.servePoint)
	mux.HandleFunc("GET "+KeysPath, s.serveKeys)
	mux.HandleFunc("GET "+ClockPath, s.serveClock)
	mux.HandleFunc("POST "+ClockPath, s.serveSetClock)
	mux.HandleFunc("GET "+PatchesPath, s.servePatches)
	mux.HandleFunc("GET "+ParametersPath, s.serveParameters)
	mux.HandleFunc(snapshotsPattern, s.serveSnapshot)
	mux.Handle("/", s.routed(func(c *cell) http.Handler { return c.api }))
	s.http = &http.Server{
		Handler: dated(mux, s.cell.world.Scenario().ClockAhead), ReadHeaderTimeout: 10 * time.Second, Protocols: new(http.Protocols),
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug), ConnState: s.fresh.note,
	}
	s.http.Protocols.SetHTTP1(true)
	s.serving.Go(func() {
		if err := s.http.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			log.Error("serving ended", "err", err)
		}
	})
}

// URL is the endpoint for all services: http://127.0.0.1:PORT.
func (s *Server) URL() string { return s.url }

// World is the simulated account, for tests that look at it or change it.
func (s *Server) World() *world.World { return s.world }

// Gateway is the message gateway, for tests that make trouble.
func (s *Server) Gateway() *gateway.Gateway { return s.gateway }

// Credentials are the keys that this start issued.
func (s *Server) Credentials() control.Credentials { return s.creds }

// Rotate issues other keys to the same caller, and takes those that Credentials
// returned before no more.
func (s *Server) Rotate() control.Credentials {
	s.verifier.Revoke(s.creds)
	caller := s.creds.Caller
	s.creds = control.NewCredentials(s.world.Account(), caller.Name)
	s.creds.Caller = caller
	s.verifier.Issue(s.creds)
	return s.creds
}

// CAFile is the path of the PEM file with the CA of the server's certificate;
// empty without TLS. Close removes it.
func (s *Server) CAFile() string { return s.caFile }

// Env is the environment, as KEY=VALUE, that makes AWS clients use this server.
// It holds secrets.
func (s *Server) Env() []string {
	env := []string{
		"AWS_ENDPOINT_URL=" + s.url,
		// SDKs ask for the credentials of roles without looking at the general variable.
		"AWS_ENDPOINT_URL_STS=" + s.url,
		"AWS_ACCESS_KEY_ID=" + s.creds.AccessKeyID,
		"AWS_SECRET_ACCESS_KEY=" + s.creds.SecretAccessKey,
		"AWS_REGION=" + s.world.Region(),
		"AWS_DEFAULT_REGION=" + s.world.Region(),
		"AWS_EC2_METADATA_DISABLED=true",
	}
	if s.creds.SessionToken != "" {
		env = append(env, "AWS_SESSION_TOKEN="+s.creds.SessionToken)
	}
	if s.caFile != "" {
		env = append(env, "AWS_CA_BUNDLE="+s.caFile)
	}
	return env
}

// AgentConfig is the amazon-ssm-agent.json that makes a real agent use this
// server. Agents take https only, so that it needs TLS.
func (s *Server) AgentConfig() []byte {
	type endpoint struct {
		Region   string `json:",omitempty"`
		Endpoint string `json:",omitempty"`
	}
	region := s.world.Region()
	text, err := json.MarshalIndent(struct{ Agent, Ssm, Mds, Mgs, Kms, S3 endpoint }{
		Agent: endpoint{Region: region}, Ssm: endpoint{Endpoint: s.url}, Mds: endpoint{Endpoint: s.url},
		Mgs: endpoint{region, s.url}, Kms: endpoint{Endpoint: s.url}, S3: endpoint{region, s.url},
	}, "", "    ")
	if err != nil {
		panic(err) // texts always encode
	}
	return append(text, '\n')
}

// Stats are the counters of a server.
type Stats struct {
	Calls        map[string]int `json:"calls"` // by operation
	OpenSessions int            `json:"open_sessions"`
}

// Settle waits until no session is open, for at most d, and returns how many are:
// what an agent has ended is closed a moment after its client knows.
func (s *Server) Settle(d time.Duration) (open int) {
	for deadline := time.Now().Add(d); ; time.Sleep(5 * time.Millisecond) {
		if open = s.Stats().OpenSessions; open == 0 || time.Now().After(deadline) {
			return open
		}
	}
}

func (s *Server) serveStats(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(s.Stats())
}

// serveKeys answers in the form of an AuthorizedKeysCommand.
func (s *Server) serveKeys(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	for _, key := range s.world.SSHKeys(r.FormValue("node"), r.FormValue("user")) {
		_, _ = fmt.Fprintln(w, key)
	}
}

// Close ends all sessions and commands and waits for every goroutine. It may be
// called more than once.
func (s *Server) Close() error {
	s.closing.Do(func() { s.closed = s.close() })
	return s.closed
}

func (s *Server) close() error {
	s.end()
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	var errs []error
	for _, c := range s.all() {
		errs = append(errs, c.close(ctx))
	}
	if s.http != nil {
		s.fresh.close()
		if err := s.http.Shutdown(ctx); err != nil {
			errs = append(errs, err, s.http.Close())
		}
		s.serving.Wait()
	}
	for _, c := range s.all() {
		errs = append(errs, c.release())
	}
	if s.caFile != "" {
		errs = append(errs, removeCA(s.caFile))
	}
	return errors.Join(errs...)
}

// withShell is the scenario with the shell of the nodes that name none. A node
// of another family of systems than this machine stays virtual: a shell of
// this machine could not play it.
func withShell(sc *world.Scenario, name string) (*world.Scenario, error) {
	switch name {
	case "":
		name = world.ShellVirtual
	case world.ShellVirtual, world.ShellHost:
	default:
		return nil, fault.Usagef("shell %q is not one of %s, %s", name, world.ShellVirtual, world.ShellHost)
	}
	c := *sc
	c.Nodes = slices.Clone(sc.Nodes)
	for i := range c.Nodes {
		n := &c.Nodes[i]
		fits := (n.Platform == "windows") == (runtime.GOOS == "windows")
		switch {
		case n.Shell != "":
		case fits:
			n.Shell = name
		default:
			n.Shell = world.ShellVirtual
		}
	}
	return &c, nil
}

// dated makes answers tell the time of a service whose clock is ahead of this
// machine's.
func dated(h http.Handler, ahead time.Duration) http.Handler {
	if ahead == 0 {
		return h
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Date", time.Now().Add(ahead).UTC().Format(http.TimeFormat))
		h.ServeHTTP(w, r)
	})
}
