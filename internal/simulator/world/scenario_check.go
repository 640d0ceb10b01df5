package world

import (
	"fmt"
	"maps"
	"net"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"time"
)

// checker fills in the defaults of a scenario and finds its first mistake.
type checker struct {
	sc   *Scenario
	path []any // of the mistake
	form map[string]*regexp.Regexp
	err  error
}

func (c *checker) failf(path []any, format string, args ...any) {
	if c.err == nil {
		c.path, c.err = path, fmt.Errorf(format, args...)
	}
}

// at is a path for failf.
func at(path ...any) []any { return path }

func (c *checker) all() {
	sc := c.sc
	fill(&sc.Account, "123456789012")
	fill(&sc.Region, "us-east-1")
	fill(&sc.User, "demo")
	fill(&sc.ActivationTier, "standard")
	if sc.SeparateOutput == nil {
		sc.SeparateOutput = ptr(true)
	}
	if sc.RunCommand.VisibleAfter == nil {
		sc.RunCommand.VisibleAfter = ptr(100 * time.Millisecond)
	}
	c.match(at("account"), sc.Account, `[0-9]{12}`)
	c.match(at("region"), sc.Region, `[a-z]{2}(-[a-z]+)+-[0-9]`)
	c.match(at("user"), sc.User, `[\w+=,.@-]{1,64}`)
	c.oneOf(at("activation_tier"), sc.ActivationTier, "standard", "advanced")
	c.fleet()
	seen := map[string]bool{}
	for i := range sc.Nodes {
		c.node(i, &sc.Nodes[i], seen)
	}
	c.databases()
	c.network()
	c.iam()
	for i := range sc.Hosts {
		c.host(i, &sc.Hosts[i])
	}
	c.lists()
	c.records()
	c.patching()
	c.agents()
	c.preferences()
	c.logs()
	c.checkSecrets()
	c.access()
	c.faults()
	c.places()
	c.clock()
}

func ptr[T any](v T) *T { return &v }

func fill(s *string, def string) {
	if *s == "" {
		*s = def
	}
}

func (c *checker) match(path []any, s, pattern string) {
	re := c.form[pattern]
	if re == nil {
		re = regexp.MustCompile("^(?:" + pattern + ")$")
		c.form[pattern] = re
	}
	if !re.MatchString(s) {
		c.failf(path, "%v: %q is not of the form %s", path[len(path)-1], s, pattern)
	}
}

func (c *checker) oneOf(path []any, s string, allowed ...string) {
	if !slices.Contains(allowed, s) {
		c.failf(path, "%v: %q is not one of %s", path[len(path)-1], s, strings.Join(allowed, ", "))
	}
}

func (c *checker) node(i int, n *NodeSpec, seen map[string]bool) {
	p := func(key string) []any { return at("nodes", i, key) }
	if n.ID == "" {
		c.failf(at("nodes", i), "a node needs an id")
		return
	}
	c.match(p("id"), n.ID, `i-(\w{8}|\w{17})|mi-\w{17}`)
	if seen[n.ID] {
		c.failf(p("id"), "id: %s is there twice", n.ID)
	}
	seen[n.ID] = true
	defaultsOf(i, n)
	c.oneOf(p("platform"), n.Platform, "linux", "windows", "macos")
	c.oneOf(p("ping"), n.Ping, "online", "lost", "inactive")
	c.oneOf(p("resource_type"), n.ResourceType, "EC2Instance", "ManagedInstance")
	c.oneOf(p("shell"), n.Shell, "", ShellVirtual, ShellHost)
	c.match(p("agent_version"), n.AgentVersion, `[0-9]{1,6}(\.[0-9]{1,6}){2,3}`)
	if _, err := netip.ParseAddr(n.IP); err != nil {
		c.failf(p("ip"), "ip: %q is not an address", n.IP)
	}
	if n.LastPing < 0 {
		c.failf(p("last_ping"), "last_ping: must not be negative")
	}
	c.instance(i, n)
	c.found(i, n)
	c.patch(i, n)
	for _, port := range slices.Sorted(maps.Keys(n.Ports)) {
		c.port(at("nodes", i, "ports"), port)
		c.serve(at("nodes", i, "ports"), n.Ports[port])
	}
	for _, name := range slices.Sorted(maps.Keys(n.Services)) {
		c.oneOf(at("nodes", i, "services", name), n.Services[name], "active", "inactive", "failed")
	}
	for path := range n.Files {
		if n.Platform != "windows" && !strings.HasPrefix(path, "/") {
			c.failf(p("files"), "files: %q is not an absolute path", path)
		}
	}
}

// defaultsOf fills in what a node does not say.
func defaultsOf(i int, n *NodeSpec) {
	n.online = n.Ping == "online"
	fill(&n.Platform, "linux")
	if n.State != "" && n.State != StateRunning {
		fill(&n.Ping, "lost") // a machine that is off calls nobody
	}
	fill(&n.Ping, "online")
	fill(&n.AgentVersion, "3.3.4851.0")
	fill(&n.Architecture, "x86_64")
	fill(&n.InstanceType, "t3.medium")
	fill(&n.IP, fmt.Sprintf("10.0.%d.%d", i/200, 10+i%200))
	names := map[string][2]string{"linux": {"Amazon Linux", "2023"}, "windows": {"Microsoft Windows Server 2022 Datacenter", "10.0.20348"}, "macos": {"macOS", "14.5"}}
	fill(&n.PlatformName, names[n.Platform][0])
	fill(&n.PlatformVersion, names[n.Platform][1])
	if strings.HasPrefix(n.ID, "mi-") {
		fill(&n.ResourceType, "ManagedInstance")
	}
	fill(&n.ResourceType, "EC2Instance")
	if n.Ping != "online" && n.LastPing == 0 {
		n.LastPing = time.Hour
	}
	host := "ip-" + strings.ReplaceAll(n.IP, ".", "-") + ".ec2.internal"
	if n.Platform == "windows" {
		host = "EC2AMAZ-" + strings.ToUpper(n.ID[len(n.ID)-7:])
	}
	fill(&n.ComputerName, host)
}

func (c *checker) port(path []any, port int) {
	if port < 1 || port > 65535 {
		c.failf(path, "port %d is not from 1 to 65535", port)
	}
}

// serve checks a behaviour or address.
func (c *checker) serve(path []any, s string) {
	if !strings.Contains(s, ":") {
		c.oneOf(path, s, serveEcho, serveDiscard, serveHTTP, servePostgres, serveBanner, serveHang)
		return
	}
	host, _, err := net.SplitHostPort(s)
	if err != nil || !isLocal(host) || host == "" {
		c.failf(path, "%q is not an address of this machine, such as 127.0.0.1:5432", s)
	}
}

func (c *checker) host(i int, h *HostSpec) {
	if h.Name == "" {
		c.failf(at("hosts", i), "a host needs a name")
	}
	c.port(at("hosts", i, "port"), h.Port)
	if h.Connect != "" && h.Serve != "" {
		c.failf(at("hosts", i, "connect"), "host %s: serve and connect exclude each other", h.Name)
	}
	key := "serve"
	if h.Connect != "" {
		key = "connect"
	}
	c.serve(at("hosts", i, key), h.serve())
}

func (c *checker) lists() {
	c.parameters()
	for i := range c.sc.Documents {
		d := &c.sc.Documents[i]
		fill(&d.Type, "Command")
		fill(&d.Format, "YAML")
		c.match(at("documents", i, "name"), d.Name, `[a-zA-Z0-9_.-]{3,128}`)
		c.oneOf(at("documents", i, "type"), d.Type, "Command", "Session", "Automation", "Policy", "Package", "ChangeCalendar")
		c.oneOf(at("documents", i, "format"), d.Format, "YAML", "JSON", "TEXT")
		if _, err := ParseBody(d.Content, d.Format, d.Type); err != nil {
			c.failf(at("documents", i, "content"), "document %s: %w", d.Name, err)
		}
	}
	for i, g := range c.sc.Groups {
		if g.Name == "" || len(g.Nodes)+len(g.Tags) == 0 {
			c.failf(at("groups", i), "a group needs a name, and nodes or tags")
		}
	}
	for i, k := range c.sc.Keys {
		c.match(at("keys", i, "id"), k.ID, `[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`)
		c.match(at("keys", i, "alias"), k.Alias, `(alias/[a-zA-Z0-9/_-]{1,250})?`)
		c.oneOf(at("keys", i, "state"), k.State, "", "enabled", "disabled", "pending_deletion")
		if k.Policy != "" && (len(statementsOf(k.Policy)) == 0 || len(k.Users) > 0) {
			c.failf(at("keys", i, "policy"), "policy: is not the JSON of a policy, or beside users")
		}
	}
}

func (c *checker) preferences() {
	p := &c.sc.Preferences
	if p.IdleTimeout == 0 {
		p.IdleTimeout = 20 * time.Minute
	}
	if p.IdleTimeout < time.Minute || p.IdleTimeout > time.Hour {
		c.failf(at("session_preferences", "idle_timeout"), "idle_timeout: %v is not from 1m to 60m", p.IdleTimeout)
	}
	if p.MaxDuration != 0 && (p.MaxDuration < time.Minute || p.MaxDuration > 24*time.Hour) {
		c.failf(at("session_preferences", "max_duration"), "max_duration: %v is not from 1m to 1440m", p.MaxDuration)
	}
}

func (c *checker) logs() {
	for i := range c.sc.Buckets {
		b := &c.sc.Buckets[i]
		fill(&b.Region, c.sc.Region)
		c.match(at("buckets", i, "name"), b.Name, `[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]`)
		c.match(at("buckets", i, "region"), b.Region, `[a-z]{2}(-[a-z]+)+-[0-9]`)
	}
	for i, g := range c.sc.LogGroups {
		c.match(at("log_groups", i, "name"), g.Name, `[.\-_/#A-Za-z0-9]{1,512}`)
	}
}

func (c *checker) access() {
	a := &c.sc.Access
	fill(&a.Outcome, "approved")
	c.oneOf(at("access_requests", "outcome"), a.Outcome, "approved", "rejected", "pending")
	if a.TokenTTL == 0 {
		a.TokenTTL = time.Hour
	}
	if a.ApprovalTTL == 0 {
		a.ApprovalTTL = 12 * time.Hour
	}
	for key, d := range map[string]time.Duration{"decide_after": a.DecideAfter, "token_ttl": a.TokenTTL, "approval_ttl": a.ApprovalTTL} {
		if d < 0 {
			c.failf(at("access_requests", key), "%s: must not be negative", key)
		}
	}
}

func (c *checker) faults() {
	f := &c.sc.Faults
	for key, p := range map[string]float64{"loss": f.Loss, "duplicate": f.Duplicate, "reorder": f.Reorder, "corrupt": f.Corrupt} {
		if !(p >= 0 && p <= 1) {
			c.failf(at("faults", key), "%s: %v is not from 0 to 1", key, p)
		}
	}
	for key, d := range map[string]time.Duration{"latency": f.Latency, "jitter": f.Jitter, "cut_every": f.CutEvery, "bye_every": f.ByeEvery, "token_ttl": f.TokenTTL} {
		if d < 0 {
			c.failf(at("faults", key), "%s: must not be negative", key)
		}
	}
	if f.MaxMessage < 0 {
		c.failf(at("faults", "max_message"), "max_message: must not be negative")
	}
	c.oneOf(at("faults", "refuse_resume"), f.RefuseResume, "", "not-found", "denied", "empty-token")
	r := &c.sc.RunCommand
	if *r.VisibleAfter < 0 || r.DeliveryDelay < 0 || r.DeliveryTimeout < 0 {
		c.failf(at("run_command"), "run_command: durations must not be negative")
	}
	for _, op := range slices.Sorted(maps.Keys(c.sc.Throttle)) {
		if !(c.sc.Throttle[op] > 0) {
			c.failf(at("throttle", op), "throttle: %s needs a rate above 0", op)
		}
	}
}
