package patch

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/baseline"
	"github.com/ssmdeck/ssmdeck/internal/fleet"
)

// Status is whether a node is as its patch baseline wants it.
type Status string

// The statuses. A node that was never scanned is none of the two others: nothing
// is known of it, which is not the same as nothing missing.
const (
	NonCompliant Status = "noncompliant"
	Compliant    Status = "compliant"
	NeverScanned Status = "never-scanned"
	Unknown      Status = "unknown" // its state could not be read
)

// StaleAfter is how old a scan may be before it counts as stale, where nothing
// else is said: a week, the rhythm of most schedules.
const StaleAfter = 7 * 24 * time.Hour

// Row is the state of one node: numbers of patches, and when they were counted.
// The JSON names are part of the output contract.
type Row struct {
	ID       string    `json:"id"`
	Name     string    `json:"name"`
	Status   Status    `json:"status"`
	Platform string    `json:"platform"`           // linux, windows, macos
	System   string    `json:"system"`             // "Ubuntu 24.04"
	Ping     string    `json:"ping"`               // online, lost, inactive
	Group    string    `json:"group,omitempty"`    // at the last scan; of a node never scanned by its tag, where tags were read
	Baseline string    `json:"baseline,omitempty"` // that the last scan used
	Scanned  time.Time `json:"scanned,omitzero"`   // when the last scan or installation ended
	// Operation is what that was: Scan, Install.
	Operation string `json:"operation,omitempty"`
	Stale     bool   `json:"stale"`

	Numbers
}

// Numbers are those of patches.
type Numbers struct {
	// Of the patches that are not as they should be, by what the baseline says.
	Critical int `json:"critical"` // compliance level CRITICAL
	Security int `json:"security"` // classified as security
	Other    int `json:"other"`

	// The same patches by their state.
	Missing       int `json:"missing"`
	Failed        int `json:"failed"`
	PendingReboot int `json:"pending_reboot"`
	Rejected      int `json:"installed_rejected"`

	Installed      int `json:"installed"`
	InstalledOther int `json:"installed_other"`
	NotApplicable  int `json:"not_applicable"`
	Available      int `json:"available_security_updates"` // on Windows: not yet approved
}

// NonCompliant is how many patches are not as they should be.
func (n Numbers) NonCompliant() int { return n.Missing + n.Failed + n.PendingReboot + n.Rejected }

// In is how many patches are in a state.
func (n Numbers) In(s State) int {
	switch s {
	case Missing:
		return n.Missing
	case Failed:
		return n.Failed
	case InstalledPendingReboot:
		return n.PendingReboot
	case InstalledRejected:
		return n.Rejected
	case Installed:
		return n.Installed
	case InstalledOther:
		return n.InstalledOther
	case NotApplicable:
		return n.NotApplicable
	case AvailableSecurityUpdate:
		return n.Available
	}
	return 0
}

func (n *Numbers) add(o *Numbers) {
	n.Critical += o.Critical
	n.Security += o.Security
	n.Other += o.Other
	n.Missing += o.Missing
	n.Failed += o.Failed
	n.PendingReboot += o.PendingReboot
	n.Rejected += o.Rejected
	n.Installed += o.Installed
	n.InstalledOther += o.InstalledOther
	n.NotApplicable += o.NotApplicable
	n.Available += o.Available
}

// Strict are the baselines, as states of nodes name them, by which a node is not
// compliant while security updates are available that they do not approve. The
// service counts such updates, and in none of the numbers of what is wrong.
type Strict map[string]bool

// Undecided reports whether it takes Strict to say what the status of a node is.
func Undecided(n *fleet.Node) bool {
	p := n.Patch
	return p != nil && p.Available > 0 && p.NonCompliant()+p.Critical+p.Security+p.Other == 0
}

// RowOf is the state of n at now. stale is how old a scan may be.
func RowOf(n *fleet.Node, now time.Time, stale time.Duration, strict Strict) Row {
	r := Row{
		ID: n.ID, Name: n.Name, Platform: n.Platform, Ping: n.Ping, Status: NeverScanned,
		System: strings.TrimSpace(n.PlatformName + " " + n.PlatformVersion),
	}
	switch p := n.Patch; {
	case n.Lacks(fleet.PartPatch):
		r.Status = Unknown
	case p == nil:
		r.Group, _, _ = baseline.GroupOf(n.Tags)
	default:
		r.Group, r.Baseline, r.Operation, r.Scanned = p.Group, p.Baseline, p.Operation, p.Ended
		r.Numbers = Numbers{
			Critical: p.Critical, Security: p.Security, Other: p.Other, Missing: p.Missing, Failed: p.Failed, PendingReboot: p.PendingReboot,
			Rejected: p.Rejected, Installed: p.Installed, InstalledOther: p.InstalledOther, NotApplicable: p.NotApplicable, Available: p.Available,
		}
		r.Stale = stale > 0 && now.Sub(p.Ended) > stale
		r.Status = Compliant
		if r.NonCompliant() > 0 || r.Critical+r.Security+r.Other > 0 || r.Available > 0 && strict[r.Baseline] {
			r.Status = NonCompliant
		}
	}
	return r
}

// Word is the status for people: of a node that is not as it should be the worst
// that is wrong with it.
func (r Row) Word() string {
	switch {
	case r.Status == Compliant:
		return "ok"
	case r.Status == NeverScanned:
		return "never scanned"
	case r.Status != NonCompliant:
		return string(r.Status)
	case r.Critical > 0:
		return "critical"
	case r.Security > 0:
		return "security"
	case r.Failed > 0:
		return "failed"
	case r.Missing > 0:
		return "missing"
	case r.Rejected > 0:
		return "rejected"
	case r.PendingReboot > 0:
		return "reboot"
	case r.Available > 0:
		return "not approved"
	}
	return string(r.Status)
}

// statusOrder is from the worst on: what is wrong, what nobody knows, what is well.
var statusOrder = map[Status]int{NonCompliant: 0, NeverScanned: 1, Unknown: 2, Compliant: 3}

// CompareRows orders nodes from the worst on: non-compliant ones by their critical
// patches, then security, failed, missing, waiting for a reboot, rejected; then
// those never scanned, unknown ones, and the compliant, the oldest scan first.
// Nodes that are equal in this are in the order of their names and ids.
func CompareRows(a, b Row) int { return a.Compare(&b) }

// Compare is CompareRows without a copy: 10,000 nodes are compared 150,000 times.
func (r *Row) Compare(b *Row) int {
	if r.Status != b.Status {
		return cmp.Compare(statusOrder[r.Status], statusOrder[b.Status])
	}
	for _, n := range [...][2]int{
		{r.Critical, b.Critical},
		{r.Security, b.Security},
		{r.Failed, b.Failed},
		{r.Missing, b.Missing},
		{r.PendingReboot, b.PendingReboot},
		{r.Rejected, b.Rejected},
	} {
		if n[0] != n[1] {
			return cmp.Compare(n[1], n[0])
		}
	}
	if c := r.Scanned.Compare(b.Scanned); c != 0 {
		return c
	}
	if c := strings.Compare(r.Name, b.Name); c != 0 {
		return c
	}
	return strings.Compare(r.ID, b.ID)
}

// Counts add up nodes. The JSON names are part of the output contract; in JSON
// there is also compliant_percent, see Percent.
type Counts struct {
	Nodes        int `json:"nodes"`
	Compliant    int `json:"compliant"`
	NonCompliant int `json:"noncompliant"`
	NeverScanned int `json:"never_scanned"`
	Unknown      int `json:"unknown"`
	Stale        int `json:"stale"` // of those scanned

	// Nodes with at least one such patch.
	WithCritical      int `json:"nodes_critical"`
	WithSecurity      int `json:"nodes_security"`
	WithMissing       int `json:"nodes_missing"`
	WithFailed        int `json:"nodes_failed"`
	WithPendingReboot int `json:"nodes_pending_reboot"`
	WithRejected      int `json:"nodes_rejected"`

	Patches Numbers `json:"patches"`

	// When the nodes were scanned; zero where none was.
	Oldest time.Time `json:"oldest_scan,omitzero"`
	Newest time.Time `json:"newest_scan,omitzero"`
}

// Percent is how many of a hundred nodes are compliant, of those whose state could
// be read: a node never scanned is not compliant. It is rounded down to a tenth, so
// that 100 means all. known is false where no state could be read.
func (c Counts) Percent() (percent float64, known bool) {
	n := c.Nodes - c.Unknown
	if n == 0 {
		return 0, false
	}
	return math.Floor(1000*float64(c.Compliant)/float64(n)) / 10, true
}

// Add counts a node.
func (c *Counts) Add(r *Row) {
	count := func(n *int, holds bool) {
		if holds {
			*n++
		}
	}
	c.Nodes++
	count(&c.Compliant, r.Status == Compliant)
	count(&c.NonCompliant, r.Status == NonCompliant)
	count(&c.NeverScanned, r.Status == NeverScanned)
	count(&c.Unknown, r.Status == Unknown)
	count(&c.Stale, r.Stale)
	count(&c.WithCritical, r.Critical > 0)
	count(&c.WithSecurity, r.Security > 0)
	count(&c.WithMissing, r.Missing > 0)
	count(&c.WithFailed, r.Failed > 0)
	count(&c.WithPendingReboot, r.PendingReboot > 0)
	count(&c.WithRejected, r.Rejected > 0)
	c.Patches.add(&r.Numbers)
	c.Oldest, c.Newest = span(c.Oldest, c.Newest, r.Scanned, r.Scanned)
}

// Merge adds the nodes of o, such as those of another account.
func (c *Counts) Merge(o Counts) {
	c.Nodes += o.Nodes
	c.Compliant += o.Compliant
	c.NonCompliant += o.NonCompliant
	c.NeverScanned += o.NeverScanned
	c.Unknown += o.Unknown
	c.Stale += o.Stale
	c.WithCritical += o.WithCritical
	c.WithSecurity += o.WithSecurity
	c.WithMissing += o.WithMissing
	c.WithFailed += o.WithFailed
	c.WithPendingReboot += o.WithPendingReboot
	c.WithRejected += o.WithRejected
	c.Patches.add(&o.Patches)
	c.Oldest, c.Newest = span(c.Oldest, c.Newest, o.Oldest, o.Newest)
}

// span is the span that holds two, of which either may be nothing.
func span(from, to, from2, to2 time.Time) (time.Time, time.Time) {
	if !from2.IsZero() && (from.IsZero() || from2.Before(from)) {
		from = from2
	}
	if to2.After(to) {
		to = to2
	}
	return from, to
}

// Slice is some of the nodes: a patch group, a baseline, a platform, an age.
type Slice struct {
	Key string `json:"key"`
	Counts
}

// Level is what the baseline says of patches that are not as they should be.
type Level struct {
	Level   string    `json:"level"` // critical, security, other
	Nodes   int       `json:"nodes"` // with at least one
	Patches int       `json:"patches"`
	Oldest  time.Time `json:"oldest_scan,omitzero"` // of these nodes
	Newest  time.Time `json:"newest_scan,omitzero"`
}

// Report is the state of patching of some nodes at one time. Everything in it is
// counted from what the last scan or installation of each node found, and each of
// them overwrites what the one before found: Scanned, Oldest and Newest say when.
// The JSON names are part of the output contract.
type Report struct {
	Made       time.Time     `json:"made"`
	StaleAfter time.Duration `json:"-"` // older scans are stale; 0: none is

	Total     Counts  `json:"total"`
	Groups    []Slice `json:"groups"`    // by patch group; "" has none
	Baselines []Slice `json:"baselines"` // by the baseline of the last scan
	Platforms []Slice `json:"platforms"` // by operating system
	Ages      []Slice `json:"ages"`      // by the age of the last scan, the youngest first
	Levels    []Level `json:"levels"`    // critical, security, other
	Nodes     []Row   `json:"nodes"`     // from the worst on; see CompareRows
}

// NewReport counts nodes, which must have been read with fleet.PartPatch, and for
// the groups of those never scanned with their tags.
func NewReport(nodes []fleet.Node, now time.Time, stale time.Duration, strict Strict) Report {
	r := Report{Made: now, StaleAfter: stale, Nodes: make([]Row, 0, len(nodes))}
	for i := range nodes {
		row := RowOf(&nodes[i], now, stale, strict)
		r.Nodes = append(r.Nodes, row)
		r.Total.Add(&row)
	}
	slices.SortFunc(r.Nodes, CompareRows)
	r.Groups = Slices(r.Nodes, ByGroup, now)
	r.Baselines = Slices(r.Nodes, ByBaseline, now)
	r.Platforms = Slices(r.Nodes, ByPlatform, now)
	r.Ages = Slices(r.Nodes, ByAge, now)
	r.Levels = Levels(r.Nodes)
	return r
}

// Dimension is something by which nodes are put together.
type Dimension string

// The dimensions of nodes. ByPlatform is the operating system with its version.
const (
	ByGroup    Dimension = "group"
	ByBaseline Dimension = "baseline"
	ByPlatform Dimension = "platform"
	ByAge      Dimension = "age"
	ByLevel    Dimension = "level" // of the baselines; see Levels
)

// Key is where a node belongs.
func (d Dimension) Key(r *Row, now time.Time) string {
	switch d {
	case ByGroup:
		return r.Group
	case ByBaseline:
		return r.Baseline
	case ByPlatform:
		return cmp.Or(r.System, r.Platform)
	case ByAge:
		return ageOf(r, now)
	}
	return ""
}

// ages are the names of ages and where they end, from the youngest on.
var ages = []struct {
	name string
	end  time.Duration // 0: no end
}{
	{"under 1 day", 24 * time.Hour},
	{"1 to 7 days", 7 * 24 * time.Hour},
	{"7 to 30 days", 30 * 24 * time.Hour},
	{"30 to 90 days", 90 * 24 * time.Hour},
	{"over 90 days", 0},
}

// ageOf is the name of the age of a node's last scan, or its status where there is none.
func ageOf(r *Row, now time.Time) string {
	if r.Scanned.IsZero() {
		return string(r.Status)
	}
	age := now.Sub(r.Scanned)
	for _, a := range ages {
		if age < a.end || a.end == 0 {
			return a.name
		}
	}
	return ""
}

// ageOrder is where an age stands in a list.
func ageOrder(name string) int {
	for i, a := range ages {
		if a.name == name {
			return i
		}
	}
	return len(ages) + statusOrder[Status(name)]
}

// Slices puts nodes together: ages from the youngest on, all else from the worst
// on: most nodes with critical patches, then with security patches, non-compliant,
// never scanned.
func Slices(rows []Row, by Dimension, now time.Time) []Slice {
	var s Slicer
	for i := range rows {
		s.Add(by.Key(&rows[i], now), &rows[i])
	}
	return s.Slices(by)
}

// Slicer makes Slices of nodes one by one. Its zero value has none.
type Slicer struct {
	at  map[string]int
	all []Slice
}

// Add counts a node under a key.
func (s *Slicer) Add(key string, r *Row) {
	i, seen := s.at[key]
	if !seen {
		if s.at == nil {
			s.at = map[string]int{}
		}
		i = len(s.all)
		s.at[key], s.all = i, append(s.all, Slice{Key: key})
	}
	s.all[i].Add(r)
}

// Slices are those so far, in the order of a dimension.
func (s *Slicer) Slices(by Dimension) []Slice {
	out := append([]Slice{}, s.all...)
	slices.SortFunc(out, by.CompareSlices)
	return out
}

// CompareSlices is the order of Slices.
func (d Dimension) CompareSlices(a, b Slice) int {
	if d == ByAge {
		return cmp.Compare(ageOrder(a.Key), ageOrder(b.Key))
	}
	return cmp.Or(cmp.Compare(b.WithCritical, a.WithCritical), cmp.Compare(b.WithSecurity, a.WithSecurity),
		cmp.Compare(b.NonCompliant, a.NonCompliant), cmp.Compare(b.NeverScanned, a.NeverScanned), cmp.Compare(b.Nodes, a.Nodes),
		strings.Compare(a.Key, b.Key))
}

// MarshalJSON writes the numbers, and the percentage where it is known.
func (s Slice) MarshalJSON() ([]byte, error) {
	type plain Counts
	return json.Marshal(struct {
		Key string `json:"key"`
		plain
		Percent *float64 `json:"compliant_percent,omitempty"`
	}{s.Key, plain(s.Counts), s.percent()})
}

// MarshalJSON writes the numbers, and the percentage where it is known.
func (c Counts) MarshalJSON() ([]byte, error) {
	type plain Counts
	return json.Marshal(struct {
		plain
		Percent *float64 `json:"compliant_percent,omitempty"`
	}{plain(c), c.percent()})
}

func (c Counts) percent() *float64 {
	if p, known := c.Percent(); known {
		return &p
	}
	return nil
}

// Levels counts by what the baselines say. All three are always there.
func Levels(rows []Row) []Level {
	out := []Level{{Level: "critical"}, {Level: "security"}, {Level: "other"}}
	for _, r := range rows {
		for i, n := range []int{r.Critical, r.Security, r.Other} {
			if n > 0 {
				l := &out[i]
				l.Nodes++
				l.Patches += n
				l.Oldest, l.Newest = span(l.Oldest, l.Newest, r.Scanned, r.Scanned)
			}
		}
	}
	return out
}

// String is the report in one sentence.
func (c Counts) String() string {
	percent, known := c.Percent()
	noun := "nodes"
	if c.Nodes == 1 {
		noun = "node"
	}
	if !known {
		return fmt.Sprintf("%d %s, the state of none could be read", c.Nodes, noun)
	}
	text := fmt.Sprintf("%d of %d %s compliant (%s%%)", c.Compliant, c.Nodes, noun, number(percent))
	for _, part := range []struct {
		n    int
		what string
	}{
		{c.NonCompliant, "non-compliant"},
		{c.WithCritical, "of them critical"},
		{c.WithFailed, "with failed patches"},
		{c.WithPendingReboot, "waiting for a reboot"},
		{c.NeverScanned, "never scanned"},
		{c.Unknown, "unknown"},
	} {
		if part.n > 0 {
			text += fmt.Sprintf(", %d %s", part.n, part.what)
		}
	}
	return text
}

// number writes a percentage without a needless fraction.
func number(f float64) string { return strings.TrimSuffix(fmt.Sprintf("%.1f", f), ".0") }
