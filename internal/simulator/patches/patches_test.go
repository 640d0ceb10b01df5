package patches

import (
	"slices"
	"strings"
	"testing"
	"time"
)

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func product(t *testing.T, name string) *Product {
	t.Helper()
	i := slices.IndexFunc(Products(""), func(p *Product) bool { return p.Name == name })
	if i < 0 {
		t.Fatalf("no product %s", name)
	}
	return Products("")[i]
}

func TestEverySystemHasPatchesAllTheTime(t *testing.T) {
	for _, system := range Systems() {
		if len(Products(system)) == 0 {
			t.Errorf("%s: no product", system)
		}
		for _, p := range Products(system) {
			keys := map[string]bool{}
			for year := 2022; year < 2035; year++ {
				n := 0
				for _, q := range p.Packages() {
					for _, patch := range q.Releases() {
						if patch.Released.Year() == year {
							n++
						}
					}
				}
				if n < 20 {
					t.Errorf("%s: %d patches in %d", p.Name, n, year)
				}
			}
			for _, q := range p.Packages() {
				var last time.Time
				for i, patch := range q.Releases() {
					if patch.Seq != i+1 || patch.Released.Before(last) {
						t.Fatalf("%s %s: release %d of %v after %v", p.Name, q.Name, patch.Seq, patch.Released, last)
					}
					last = patch.Released
					if keys[patch.Key()] {
						t.Fatalf("two patches are %s", patch.Key())
					}
					keys[patch.Key()] = true
					if key := SeverityKey(system); patch.Severity() != "" && !slices.Contains(Values(system)[key], patch.Severity()) {
						t.Fatalf("%s: %s %q is not one of %v", patch.Key(), key, patch.Severity(), Values(system)[key])
					}
					if classes := Values(system)["CLASSIFICATION"]; classes != nil && patch.Class != "" && !slices.Contains(classes, patch.Class) {
						t.Fatalf("%s: classification %q is not one of %v", patch.Key(), patch.Class, classes)
					}
				}
			}
		}
	}
}

func TestPatchesOfWindowsComeOnPatchTuesday(t *testing.T) {
	numbers := map[string]string{}
	for _, p := range Products(Windows) {
		for _, q := range p.Packages() {
			for _, patch := range q.Releases() {
				if q.Name == "cumulative" {
					if d := patch.Released; d.Weekday() != time.Tuesday || d.Day() < 8 || d.Day() > 14 {
						t.Fatalf("%s is of %v", patch.Title(""), d)
					}
				}
				number := patch.KB()
				if q.Name == "definitions" || q.Name == "removal-tool" {
					continue
				}
				if other := numbers[number]; other != "" {
					t.Fatalf("%s and %s are %s", other, patch.Key(), number)
				}
				numbers[number] = patch.Key()
			}
		}
	}
}

func TestAVulnerabilityIsMendedOnSeveralSystems(t *testing.T) {
	for cve, names := range map[string][]string{
		"CVE-2025-3602":  {"AmazonLinux2023", "Ubuntu22.04", "RedhatEnterpriseLinux9", "Suse15.5", "Debian12", "macOS14", "RockyLinux9"},
		"CVE-2025-38545": {"AmazonLinux2", "Ubuntu24.04", "WindowsServer2022", "WindowsServer2019", "macOS15"},
	} {
		for _, name := range names {
			found := false
			for _, q := range product(t, name).Packages() {
				for _, p := range q.Until(now) {
					found = found || slices.Contains(p.CVEs, cve) && p.Security
				}
			}
			if !found {
				t.Errorf("%s has no patch for %s", name, cve)
			}
		}
	}
}

// newest finds the newest release of a package that was out and is of a kind.
func newest(t *testing.T, p *Product, name string, want func(*Patch) bool) *Patch {
	t.Helper()
	q, ok := p.Package(name)
	if !ok {
		t.Fatalf("%s has no %s", p.Name, name)
	}
	for _, patch := range slices.Backward(q.Until(now)) {
		if want(patch) {
			return patch
		}
	}
	t.Fatalf("%s %s: no such release", p.Name, name)
	return nil
}

func isSecurity(p *Patch) bool { return p.Security && p.Rank == 0 }

func TestRulesDecideByFiltersAndTime(t *testing.T) {
	p := newest(t, product(t, "AmazonLinux2023"), "openssl", isSecurity)
	critical := []Filter{{"CLASSIFICATION", []string{"Security"}}, {"SEVERITY", []string{"Critical"}}}
	other := []Filter{{"CLASSIFICATION", []string{"Bugfix"}}}
	days := func(n int) time.Time { return p.Released.AddDate(0, 0, n) }
	for name, c := range map[string]struct {
		rules  []Rule
		at     time.Time
		status Status
		rule   int
		level  string
	}{
		"before the delay is over":           {[]Rule{{Filters: critical, Days: 7}}, days(7).Add(-time.Second), Pending, 0, "UNSPECIFIED"},
		"when the delay is over":             {[]Rule{{Filters: critical, Days: 7}}, days(7), Approved, 0, "UNSPECIFIED"},
		"a rule about something else":        {[]Rule{{Filters: other}}, days(90), "", -1, ""},
		"the first rule that approves":       {[]Rule{{Filters: critical, Days: 30, Level: "HIGH"}, {Filters: critical, Days: 3, Level: "CRITICAL"}, {Filters: critical}}, days(4), Approved, 1, "CRITICAL"},
		"the rule that will approve first":   {[]Rule{{Filters: critical, Days: 30}, {Filters: critical, Days: 9, Level: "LOW"}}, days(4), Pending, 1, "LOW"},
		"a date before the release":          {[]Rule{{Filters: critical, Until: p.Released.Add(-time.Hour)}}, days(90), "", -1, ""},
		"a date after the release, no delay": {[]Rule{{Filters: critical, Until: p.Released.Add(time.Hour)}}, days(0), Approved, 0, "UNSPECIFIED"},
		"a star for all products":            {[]Rule{{Filters: []Filter{{"PRODUCT", []string{"*"}}}}}, days(0), Approved, 0, "UNSPECIFIED"},
	} {
		b := &Baseline{System: AmazonLinux2023, Rules: c.rules}
		if d := b.Decide(p, c.at); d.Status != c.status || d.Rule != c.rule || d.Level != c.level {
			t.Errorf("%s: %+v", name, d)
		}
	}
	if d := (&Baseline{System: Ubuntu, Rules: []Rule{{Filters: critical}}}).Decide(p, days(90)); d.Status != "" {
		t.Errorf("a baseline for another system says %+v", d)
	}
	global := &Baseline{System: AmazonLinux2023, Rules: []Rule{{Filters: critical}}, Global: other, Approved: []string{"openssl"}}
	if d := global.Decide(p, days(90)); d.Status != "" {
		t.Errorf("a patch that the global filters leave out is %+v", d)
	}
}

func TestThereAreNoDelaysOnDebianAndUpdatesThatAreNotAboutSecurityNeedAWord(t *testing.T) {
	ubuntu := product(t, "Ubuntu22.04")
	p := newest(t, ubuntu, "openssl", isSecurity)
	all := []Filter{{"PRODUCT", []string{"*"}}}
	if d := (&Baseline{System: Ubuntu, Rules: []Rule{{Filters: all, Days: 100}}}).Decide(p, p.Released); d.Status != Approved {
		t.Errorf("with a delay: %+v", d)
	}
	plain := newest(t, ubuntu, "openssl", func(p *Patch) bool { return !p.Security })
	for non, want := range map[bool]Status{false: "", true: Approved} {
		if d := (&Baseline{System: Ubuntu, Rules: []Rule{{Filters: all, NonSecurity: non}}}).Decide(plain, now); d.Status != want {
			t.Errorf("EnableNonSecurity %v: %+v", non, d)
		}
	}
	epel := newest(t, product(t, "RedhatEnterpriseLinux9"), "kernel", func(p *Patch) bool { return !p.Announced })
	for non, want := range map[bool]Status{false: "", true: Approved} {
		if d := (&Baseline{System: RedHat, Rules: []Rule{{Filters: []Filter{{"CLASSIFICATION", []string{"Security"}}}, NonSecurity: non}}}).Decide(epel, now); d.Status != want {
			t.Errorf("without an advisory, EnableNonSecurity %v: %+v", non, d)
		}
	}
}

func TestListsNamePatchesInManyForms(t *testing.T) {
	ssl := newest(t, product(t, "AmazonLinux2023"), "openssl-libs", isSecurity)
	full := ssl.Version() + "-" + ssl.Release()
	deb := newest(t, product(t, "Ubuntu22.04"), "libssl3", isSecurity)
	windows := newest(t, product(t, "WindowsServer2022"), "cumulative", func(*Patch) bool { return true })
	for _, c := range []struct {
		patch   *Patch
		pattern string
		want    bool
	}{
		{ssl, "openssl-libs", true},
		{ssl, "openssl", false},
		{ssl, "openssl*", true},
		{ssl, "openssl-libs.*", true},
		{ssl, "openssl-libs.x86_64", true},
		{ssl, "openssl-libs-" + full, true},
		{ssl, "openssl-libs-" + full + ".aarch64", true},
		{ssl, "openssl-libs-1:" + full + ".x86_64", true},
		{ssl, "openssl-libs-3.0.7*", false},
		{ssl, ssl.CVEs[0], true},
		{ssl, ssl.Advisories()[0], true},
		{ssl, "CVE-1999-0001", false},
		{deb, "libssl3", true},
		{deb, "libssl?", true},
		{deb, "libssl3=" + deb.Version(), true},
		{deb, "libssl3=1", false},
		{windows, windows.KB(), true},
		{windows, strings.TrimPrefix(windows.KB(), "KB"), true},
		{windows, "KB1", false},
	} {
		if got := Listed([]string{c.pattern}, c.patch); got != c.want {
			t.Errorf("%s names %s: %v", c.pattern, c.patch.Title(""), got)
		}
	}
	b := &Baseline{System: AmazonLinux2023, Approved: []string{"openssl*"}, ApprovedLevel: "HIGH", Rejected: []string{"openssl-libs"}}
	if d := b.Decide(ssl, now); d.Status != ExplicitRejected {
		t.Errorf("on both lists: %+v", d)
	}
	plain := newest(t, product(t, "AmazonLinux2023"), "openssl", func(p *Patch) bool { return !p.Security })
	for non, want := range map[bool]Status{false: "", true: ExplicitApproved} {
		b := &Baseline{System: AmazonLinux2023, Approved: []string{"openssl"}, ApprovedNonSecurity: non}
		if d := b.Decide(plain, now); d.Status != want {
			t.Errorf("ApprovedPatchesEnableNonSecurity %v: %+v", non, d)
		}
	}
}

func TestEachSystemHasADefaultBaselineThatApprovesSomething(t *testing.T) {
	for _, system := range Systems() {
		i := slices.IndexFunc(PredefinedBaselines(), func(p Predefined) bool { return p.System == system })
		if i < 0 {
			t.Errorf("%s has no baseline", system)
			continue
		}
		b := &Baseline{System: system, Rules: PredefinedBaselines()[i].Rules}
		for _, p := range Products(system) {
			approved := 0
			for _, q := range p.Packages() {
				for _, patch := range q.Until(now) {
					if b.Decide(patch, now).OK() {
						approved++
					}
				}
			}
			if approved < 20 {
				t.Errorf("%s: %d patches are approved", p.Name, approved)
			}
		}
	}
}

func TestNodesFindTheirProduct(t *testing.T) {
	for _, c := range [][4]string{
		{Windows, "Microsoft Windows Server 2019 Datacenter", "10.0.17763", "WindowsServer2019"},
		{Windows, "Microsoft Windows Server 2012 R2", "6.3", "WindowsServer2022"},
		{Ubuntu, "Ubuntu", "24.04", "Ubuntu24.04"},
		{RedHat, "Red Hat Enterprise Linux", "8.10", "RedhatEnterpriseLinux8"},
		{AmazonLinux2, "Amazon Linux", "2", "AmazonLinux2"},
		{Debian, "Debian GNU/Linux", "12", "Debian12"},
	} {
		if p := ProductOf(c[0], c[1], c[2]); p.Name != c[3] {
			t.Errorf("%s %s runs %s", c[1], c[2], p.Name)
		}
	}
}

func TestGlob(t *testing.T) {
	for _, c := range []struct {
		pattern, s string
		want       bool
	}{{"", "", true}, {"*", "", true}, {"a*c", "abbc", true}, {"a*c", "abbd", false}, {"?b", "ab", true}, {"?", "", false}, {"ab", "abc", false}, {"*b*", "abc", true}} {
		if Glob(c.pattern, c.s) != c.want {
			t.Errorf("%q, %q", c.pattern, c.s)
		}
	}
}
