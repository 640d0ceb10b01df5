package baseline

import (
	"strings"
	"testing"
	"time"
)

var now = time.Date(2026, 3, 20, 12, 0, 0, 0, time.UTC)

func at(day string) time.Time {
	t, err := time.Parse(time.RFC3339, day)
	if err != nil {
		t, err = time.Parse(time.DateOnly, day)
	}
	if err != nil {
		panic(err)
	}
	return t
}

// make reads rules as flags have them.
func with(os string, rules ...string) *Baseline {
	b := &Baseline{Name: "test", OS: os}
	for _, text := range rules {
		r, problems := ParseRule(text)
		if len(problems) > 0 {
			panic(problems)
		}
		b.Rules = append(b.Rules, r)
	}
	return b
}

func (b *Baseline) and(change func(*Baseline)) *Baseline { change(b); return b }

func TestDecide(t *testing.T) {
	openssl := Patch{
		ID: "openssl.x86_64", Name: "openssl", Arch: "x86_64", Epoch: 1, Version: "3.0.8", Release: "1.amzn2023.0.4", Product: "AmazonLinux2023", Classification: "Security",
		Severity: "Important", Released: at("2026-03-10"), CVEs: []string{"CVE-2026-1"}, Advisories: []string{"ALAS2023-2026-7"}, Bugzilla: []string{"1234567"},
	}
	set := func(p Patch, change func(*Patch)) Patch { change(&p); return p }
	loose := Patch{ID: "tool.noarch", Name: "tool", Arch: "noarch", Version: "1", Release: "1", Product: "AmazonLinux2023", Released: at("2026-03-01")}
	kb := Patch{ID: "KB5034127", Product: "WindowsServer2022", Family: "Windows", Classification: "SecurityUpdates", Severity: "Critical", Released: at("2026-03-10T18:00:00Z"), Bulletin: "MS26-001"}
	office := set(kb, func(p *Patch) { p.ID, p.Product, p.Family = "KB2", "Office 2016", "Office" })
	deb := Patch{ID: "curl.amd64", Name: "curl", Arch: "amd64", Version: "8.5.0-2", Severity: "Optional", Product: "Ubuntu22.04", Repository: "jammy-security", Released: at("2026-03-19")}
	const al = "AMAZON_LINUX_2023"
	weekly := func() *Baseline {
		return with(al, "classification=Security severity=Critical,Important after=7d level=high")
	}
	for name, c := range map[string]struct {
		b     *Baseline
		p     Patch
		want  Outcome
		rule  int
		why   string
		at    string
		level string
		now   string
	}{
		"released ten days ago, delay of seven":          {b: weekly(), p: openssl, want: Approved, rule: 1, at: "2026-03-17", level: "HIGH"},
		"released ten days ago, delay of eleven":         {b: with(al, "classification=Security after=11"), p: openssl, want: Pending, rule: 1, at: "2026-03-21", level: Unspecified},
		"at the moment that a delay has run out":         {b: weekly(), p: openssl, want: Approved, rule: 1, now: "2026-03-17T00:00:00Z", level: "HIGH"},
		"a second before that":                           {b: weekly(), p: openssl, want: Pending, rule: 1, now: "2026-03-16T23:59:59Z", level: "HIGH"},
		"delays count in UTC":                            {b: weekly(), p: set(openssl, func(p *Patch) { p.Released = time.Date(2026, 3, 29, 1, 30, 0, 0, time.FixedZone("CET", 3600)) }), want: Pending, rule: 1, at: "2026-04-05T00:30:00Z", level: "HIGH"},
		"a delay of nothing":                             {b: with(al, "classification=Security after=0"), p: set(openssl, func(p *Patch) { p.Released = now }), want: Approved, rule: 1, level: Unspecified},
		"released tomorrow, a delay of nothing":          {b: with(al, "classification=Security after=0"), p: set(openssl, func(p *Patch) { p.Released = now.AddDate(0, 0, 1) }), want: Pending, rule: 1, level: Unspecified},
		"a severity that the rule does not have":         {b: weekly(), p: set(openssl, func(p *Patch) { p.Severity = "Low" }), want: NotCovered, why: "its severity is Low, not Critical or Important"},
		"no severity where the rule has one":             {b: weekly(), p: set(openssl, func(p *Patch) { p.Severity = "" }), want: NotCovered, why: "its severity is none"},
		"a scan left the severity out":                   {b: weekly(), p: set(openssl, func(p *Patch) { p.Severity, p.Partial = "", true }), want: Unknown, why: "asks for its severity"},
		"a scan knows no release date":                   {b: weekly(), p: set(openssl, func(p *Patch) { p.Released, p.Partial = time.Time{}, true }), want: Unknown, rule: 1, why: "release date is not known", level: "HIGH"},
		"without a date, a delay of nothing":             {b: with(al, "classification=Security after=0"), p: set(openssl, func(p *Patch) { p.Released = time.Time{} }), want: Approved, rule: 1, level: Unspecified},
		"values are alternatives, and case is no matter": {b: with(al, "classification=bugfix,SECURITY after=0"), p: openssl, want: Approved, rule: 1, level: Unspecified},
		"filters must all match":                         {b: with(al, "classification=Security product=AmazonLinux2022 after=0"), p: openssl, want: NotCovered, why: "its product is AmazonLinux2023"},
		"a star is any value":                            {b: with(al, "product=* classification=* severity=* after=0"), p: set(openssl, func(p *Patch) { p.Severity = "" }), want: Approved, rule: 1, level: Unspecified},
		"the two names of Amazon Linux 2":                {b: with("AMAZON_LINUX_2", "product=AmazonLinux2.0 after=0"), p: set(openssl, func(p *Patch) { p.Product = "AmazonLinux2" }), want: Approved, rule: 1, level: Unspecified},

		"the last moment of the date":    {b: with(al, "classification=Security until=2026-03-10"), p: set(openssl, func(p *Patch) { p.Released = at("2026-03-10T23:59:59Z") }), want: Approved, rule: 1, level: Unspecified},
		"the first moment after it":      {b: with(al, "classification=Security until=2026-03-10"), p: set(openssl, func(p *Patch) { p.Released = at("2026-03-11") }), want: NotCovered, why: "released on 2026-03-11, after 2026-03-10"},
		"the date in another zone":       {b: with(al, "classification=Security until=2026-03-10"), p: set(openssl, func(p *Patch) { p.Released = at("2026-03-11T00:30:00+01:00") }), want: Approved, rule: 1, level: Unspecified},
		"the first rule that approves":   {b: with(al, "classification=Security after=30 level=low", "severity=Important after=5 level=high", "product=* after=0 level=medium"), p: openssl, want: Approved, rule: 2, level: "HIGH"},
		"the rule that approves soonest": {b: with(al, "classification=Security after=30 level=low", "severity=Important after=20 level=high"), p: openssl, want: Pending, rule: 2, at: "2026-03-30", level: "HIGH"},
		"no rules":                       {b: with(al), p: openssl, want: NotCovered, why: "no rules"},

		"rejected and approved":        {b: weekly().and(func(b *Baseline) { b.Approve, b.Reject = []string{"openssl"}, []string{"openssl*"} }), p: openssl, want: Rejected, why: "openssl*"},
		"rejected may be a dependency": {b: weekly().and(func(b *Baseline) { b.Reject = []string{"openssl"} }), p: openssl, want: Rejected, why: "another package depends on it"},
		"rejected by CVE is not":       {b: weekly().and(func(b *Baseline) { b.Reject = []string{"CVE-2026-1"} }), p: openssl, want: Approved, rule: 1, level: "HIGH"},
		"approved by CVE":              {b: with(al).and(func(b *Baseline) { b.Approve, b.ApproveLevel = []string{"CVE-2026-1"}, "CRITICAL" }), p: openssl, want: Approved, level: "CRITICAL"},
		"approved by advisory":         {b: with(al).and(func(b *Baseline) { b.Approve = []string{"ALAS2023-2026-7"} }), p: openssl, want: Approved, level: Unspecified},
		"approved by Bugzilla id":      {b: with(al).and(func(b *Baseline) { b.Approve = []string{"1234567"} }), p: openssl, want: Approved, level: Unspecified},
		"approved before its delay":    {b: with(al, "classification=Security after=360").and(func(b *Baseline) { b.Approve = []string{"openssl.x86_64"} }), p: openssl, want: Approved, level: Unspecified},
		"global filter leaves it out":  {b: weekly().and(func(b *Baseline) { b.GlobalFilters = []Filter{{"PRODUCT", []string{"AmazonLinux2022"}}} }), p: openssl, want: NotCovered, why: "the global filter product=AmazonLinux2022"},
		"global filter, and the list": {b: with(al).and(func(b *Baseline) {
			b.GlobalFilters, b.Approve = []Filter{{"PRODUCT", []string{"AmazonLinux2022"}}}, []string{"openssl"}
		}), p: openssl, want: NotCovered, why: "the global filter"},
		"global filter takes it":        {b: weekly().and(func(b *Baseline) { b.GlobalFilters = []Filter{{"PRODUCT", []string{"AmazonLinux2023"}}} }), p: openssl, want: Approved, rule: 1, level: "HIGH"},
		"what no notice speaks of":      {b: with(al, "product=* after=7"), p: loose, want: NotCovered, why: "no security notice speaks of it"},
		"with non-security":             {b: with(al, "classification=Security after=7 non-security"), p: loose, want: Approved, rule: 1, level: Unspecified},
		"with non-security, other OS":   {b: with(al, "product=AmazonLinux2022 after=7 non-security"), p: loose, want: NotCovered, why: "its product"},
		"list without non-security":     {b: with(al).and(func(b *Baseline) { b.Approve = []string{"tool"} }), p: loose, want: NotCovered, why: "approve_non_security"},
		"list with non-security":        {b: with(al).and(func(b *Baseline) { b.Approve, b.ApproveNonSecurity = []string{"tool"}, true }), p: loose, want: Approved, level: Unspecified},
		"Windows":                       {b: with("WINDOWS", "classification=SecurityUpdates msrc-severity=Critical after=7"), p: kb, want: Approved, rule: 1, at: "2026-03-17T18:00:00Z", level: Unspecified},
		"Windows by KB in any case":     {b: with("WINDOWS").and(func(b *Baseline) { b.Approve = []string{"kb5034127"} }), p: kb, want: Approved, level: Unspecified},
		"Windows by bulletin":           {b: with("WINDOWS").and(func(b *Baseline) { b.Reject = []string{"MS26-001"} }), p: kb, want: Rejected},
		"an application, a rule for it": {b: with("WINDOWS", "patch-set=APPLICATION product-family=Office after=0"), p: office, want: Approved, rule: 1, level: Unspecified},
		"an application, a rule of OS":  {b: with("WINDOWS", "product=* after=0"), p: office, want: NotCovered, why: "for an application"},
		"Windows, a rule for Office":    {b: with("WINDOWS", "patch-set=APPLICATION after=0"), p: kb, want: NotCovered, why: "its patch set is OS"},
		"Ubuntu has no delays":          {b: with("UBUNTU", "priority=Optional after=100"), p: deb, want: Approved, rule: 1, level: Unspecified},
		"Ubuntu, another priority":      {b: with("UBUNTU", "priority=Required"), p: deb, want: NotCovered, why: "its priority is Optional"},
		"Ubuntu, updates repository":    {b: with("UBUNTU", "priority=*"), p: set(deb, func(p *Patch) { p.Repository = "jammy-updates" }), want: NotCovered, why: "non_security"},
		"Ubuntu, updates, non-security": {b: with("UBUNTU", "priority=Optional non-security"), p: set(deb, func(p *Patch) { p.Repository = "jammy-updates" }), want: Approved, rule: 1, level: Unspecified},
		"Debian, the whole release":     {b: with("RASPBIAN", "priority=*"), p: set(deb, func(p *Patch) { p.Repository = "bullseye" }), want: Unknown, why: "its repository does not tell"},
		"Ubuntu lists names only":       {b: with("UBUNTU").and(func(b *Baseline) { b.Approve = []string{"curl"} }), p: deb, want: Approved, level: Unspecified},
		"Ubuntu, section is not known":  {b: with("UBUNTU", "section=libs"), p: deb, want: Unknown, why: "its section"},
	} {
		t.Run(name, func(t *testing.T) {
			when := now
			if c.now != "" {
				when = at(c.now)
			}
			d := Decide(c.b, c.p, when)
			if d.Outcome != c.want || d.Rule != c.rule && c.want != Unknown || !strings.Contains(d.Why, c.why) || d.Why == "" {
				t.Errorf("%+v", d)
			}
			if c.at != "" && !d.At.Equal(at(c.at)) {
				t.Errorf("at %v, want %s", d.At, c.at)
			}
			if d.Level != c.level && (c.want == Approved || c.want == Pending) {
				t.Errorf("level %q, want %q", d.Level, c.level)
			}
			if (d.Left(when) > 0) != (c.want == Pending) {
				t.Errorf("%v left", d.Left(when))
			}
			if d.Outcome != NotCovered {
				return
			}
			if _, _, ok := Remedy(c.b, c.p, when); ok == strings.Contains(d.Why, "global filter") {
				t.Errorf("a remedy: %v", ok)
			}
		})
	}
}

func TestNamesInLists(t *testing.T) {
	p := Patch{ID: "dbus.x86_64", Name: "dbus", Arch: "x86_64", Epoch: 1, Version: "1.12.28", Release: "1.amzn2023.0.1"}
	for _, entry := range []string{
		"dbus", "dbus.x86_64", "dbus-1.12.28", "dbus-1.12.28-1.amzn2023.0.1", "dbus-1.12.28-1.amzn2023.0.1.x86_64", "1.12.28", "1.12.28-1.amzn2023.0.1",
		"1:1.12.28-1.amzn2023.0.1", "dbus-1:1.12.28-1.amzn2023.0.1", "dbus-1:1.12.28-1.amzn2023.0.1.x86_64", "1:dbus-1.12.28-1.amzn2023.0.1.x86_64",
		"dbus.x86_64:1:1.12.28-1.amzn2023.0.1", "dbus*", "dbus-1.12.2*", "dbus-*:1.12.28-1.amzn2023.0.1.x86_64", "*",
	} {
		if listed([]string{"other", entry}, p, rpm, false) != entry {
			t.Errorf("%s does not name %s", entry, p.Key())
		}
	}
	for _, entry := range []string{"dbu", "DBUS", "dbus-1.12", "dbus.aarch64", "dbus-libs", "?bus", "[d]bus", "dbus-2*", ""} {
		if listed([]string{entry}, p, rpm, true) != "" {
			t.Errorf("%q names %s", entry, p.Key())
		}
	}
	if listed([]string{"dbus-1.12.28"}, p, deb, true) != "" {
		t.Error("Ubuntu and Debian take names without versions")
	}
	if e := "dbus-1.12.28-1.amzn2023.0.1.*.rpm"; listed([]string{e}, p, zypper, false) != e {
		t.Error("SUSE takes the names of files")
	}
}

func TestFromScan(t *testing.T) {
	for title, want := range map[string]string{
		"curl.x86_64:0:8.5.0-1.el9": "curl.x86_64:0:8.5.0-1.el9",
		"curl.x86_64:2:8.5.0-1":     "curl.x86_64:2:8.5.0-1",
		"curl":                      "curl.x86_64:0:-",
		"curl.x86_64:nonsense":      "curl.x86_64:0:nonsense-",
	} {
		if got := FromScan("curl.x86_64", title, "", "", nil).Key(); got != want {
			t.Errorf("%s: %s", title, got)
		}
	}
	if p := FromScan("KB123", "KB123: update", "", "", nil); p.Name != "" || p.Key() != "KB123" {
		t.Errorf("%+v", p)
	}
	if p := FromScan("python3.11", "", "", "", nil); p.Name != "python3.11" {
		t.Errorf("a version is no architecture: %+v", p)
	}
}

func TestCompare(t *testing.T) {
	list := []Patch{
		{ID: "KB1", Family: "Windows", Classification: "SecurityUpdates", Severity: "Critical", Released: now.AddDate(0, 0, -10)},
		{ID: "KB2", Family: "Windows", Classification: "SecurityUpdates", Severity: "Low", Released: now.AddDate(0, 0, -20)},
		{ID: "KB3", Family: "Windows", Classification: "Updates", Severity: "Critical", Released: now.AddDate(0, 0, -90)},
	}
	before, after := with("WINDOWS", "classification=SecurityUpdates after=7"), with("WINDOWS", "msrc-severity=Critical after=14")
	changes, unknown := Compare(before, after, list, now)
	if len(changes) != 3 || unknown != 0 || !changes[0].Stops() || changes[0].ID != "KB1" || !changes[1].Stops() || !changes[2].Starts() {
		t.Errorf("%+v", changes)
	}
	if same, _ := Compare(before, before, list, now); len(same) != 0 {
		t.Errorf("a baseline differs from itself: %v", same)
	}
}

func TestOfSeveralVersionsOnANodeTheMissingOneCounts(t *testing.T) {
	for _, states := range [][2]string{{"MISSING", "INSTALLED"}, {"INSTALLED", "MISSING"}} {
		on := OnNode{}
		for _, state := range states {
			on.Add(NodePatch{Patch{ID: "kernel.x86_64", Version: state}, state})
		}
		if got := on["kernel.x86_64"]; !got.Asked() || got.Version != "MISSING" {
			t.Errorf("%v: %+v", states, got)
		}
	}
}

// A scan of Windows does not tell whether a patch is for the system or an application.
func TestARuleDoesNotGuessWhatAWindowsPatchIsFor(t *testing.T) {
	kb := FromScan("KB5043978", "Security Update for SQL Server 2022", "SecurityUpdates", "Important", nil)
	kb.Released = at("2026-01-01")
	for name, filters := range map[string][]Filter{
		"of the system":   {{"CLASSIFICATION", []string{"SecurityUpdates"}}},
		"of applications": {{"PATCH_SET", []string{"APPLICATION"}}, {"CLASSIFICATION", []string{"SecurityUpdates"}}},
	} {
		b := &Baseline{OS: "WINDOWS", Rules: []Rule{{Filters: filters, After: Days(0)}}}
		if d := Decide(b, kb, at("2026-03-01")); d.Outcome != Unknown {
			t.Errorf("a rule %s: %s, %s", name, d.Outcome, d.Why)
		}
	}
}

func TestAChangeConcernsANode(t *testing.T) {
	old := Patch{ID: "a.noarch", Name: "a", Arch: "noarch", Version: "1", Release: "1", Released: at("2026-01-01")}
	latest := Patch{ID: "a.noarch", Name: "a", Arch: "noarch", Version: "2", Release: "1", Released: at("2026-02-01")}
	scanned := at("2026-03-01")
	kb := Patch{ID: "KB1", Classification: "Updates", Released: at("2026-01-01")}
	security := Patch{ID: "KB1", Classification: "SecurityUpdates", Released: at("2026-01-01")}
	fresh := Patch{ID: "KB1", Classification: "SecurityUpdates", Released: at("2026-03-10")}
	start := func(p Patch) Change { return Change{p, Decision{Outcome: NotCovered}, Decision{Outcome: Approved}} }
	stop := func(p Patch) Change { return Change{p, Decision{Outcome: Approved}, Decision{Outcome: Rejected}} }
	on := func(p Patch, state string) OnNode { return OnNode{p.ID: {p, state}} }
	for name, c := range map[string]struct {
		change Change
		node   OnNode
		os     string
		want   bool
	}{
		"a newer one starts":                                           {start(latest), on(old, "INSTALLED_OTHER"), "AMAZON_LINUX_2", true},
		"the one it has starts":                                        {start(latest), on(latest, "INSTALLED_OTHER"), "AMAZON_LINUX_2", false},
		"an older one starts":                                          {start(old), on(latest, "INSTALLED"), "AMAZON_LINUX_2", false},
		"a newer one than is missing starts":                           {start(latest), on(old, "MISSING"), "AMAZON_LINUX_2", true},
		"an older one than is missing starts":                          {start(old), on(latest, "MISSING"), "AMAZON_LINUX_2", false},
		"what the scan misses all the same":                            {start(latest), on(latest, "MISSING"), "AMAZON_LINUX_2", true},
		"a package that does not apply":                                {start(latest), on(old, "NOT_APPLICABLE"), "AMAZON_LINUX_2", false},
		"a package that is not there":                                  {start(latest), OnNode{}, "AMAZON_LINUX_2", false},
		"what is missing stops":                                        {stop(latest), on(latest, "MISSING"), "AMAZON_LINUX_2", true},
		"what is installed stops":                                      {stop(latest), on(latest, "INSTALLED"), "AMAZON_LINUX_2", false},
		"Windows: what was not listed starts":                          {start(kb), OnNode{}, "WINDOWS", true},
		"Windows: a security update that was not listed did not apply": {start(security), OnNode{}, "WINDOWS", false},
		"Windows: one that the scan cannot know":                       {start(fresh), OnNode{}, "WINDOWS", true},
		"Windows: what is installed starts":                            {start(kb), on(Patch{ID: "KB1"}, "INSTALLED_OTHER"), "WINDOWS", false},
		"Windows: an available one starts":                             {start(kb), on(Patch{ID: "KB1"}, "AVAILABLE_SECURITY_UPDATE"), "WINDOWS", true},
		"Windows: what does not apply, starts":                         {start(kb), on(Patch{ID: "KB1"}, "NOT_APPLICABLE"), "WINDOWS", false},
		"Windows: what failed to install, stops":                       {stop(Patch{ID: "KB1"}), on(Patch{ID: "KB1"}, "FAILED"), "WINDOWS", true},
	} {
		if got := c.change.Concerns(c.os, c.node, scanned); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
