package baseline

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

func TestParseRule(t *testing.T) {
	r, problems := ParseRule(`product="Office 2013,Office 2016" msrc-severity=Critical,Important after=14 level=high non-security`)
	if len(problems) > 0 || r.Text() != `product="Office 2013,Office 2016" msrc_severity=Critical,Important after=14d level=HIGH non_security` {
		t.Errorf("%s %v", r.Text(), problems)
	}
	for text, want := range map[string]string{
		"":                            "says nothing",
		"severty=Critical":            "severty: is no filter (did you mean severity?)",
		"after=soon":                  `after: "soon" is no number of days`,
		"severity":                    `"severity" is not of the form KEY=VALUE`,
		`product="a`:                  "is not closed",
		"after=1 after=2":             "after: is given twice",
		"non-security=perhaps":        "is true or false",
		"after=99999999999999999999d": "is no number of days",
	} {
		_, problems := ParseRule(text)
		if len(problems) == 0 || !strings.Contains(problems[0].String(), want) {
			t.Errorf("%q: %v, want %s", text, problems, want)
		}
	}
}

func TestSentences(t *testing.T) {
	for text, want := range map[string]string{
		"classification=Security severity=Critical,Important after=7 level=high": "approves Security patches of severity Critical or Important 7 days after release, level HIGH",
		"product=* after=0": "approves all patches at once",
		"product=Ubuntu22.04 priority=Required,Important,Standard": "approves all patches of priority Required, Important or Standard for Ubuntu22.04 at once",
		"classification=Bugfix until=2026-01-31 non-security":      "approves Bugfix patches released until 2026-01-31, and updates that no security notice names",
		"patch-set=APPLICATION product-family=Office after=1":      "approves all patches of applications with product family Office 1 day after release",
	} {
		r, problems := ParseRule(text)
		if got := r.Sentence(); len(problems) > 0 || got != want {
			t.Errorf("%s:\n got %s\nwant %s", text, got, want)
		}
	}
}

// Every rule reads back as it is written, and whatever is typed ends without a panic.
func FuzzParseRule(f *testing.F) {
	for _, s := range []string{"classification=Security after=7d", `product="a b",'c d' until=2026-01-01`, "non-security level=x", "=", `"`, "after=-1", "severity=,"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		r, problems := ParseRule(text)
		r.Sentence()
		if len(problems) > 0 || strings.ContainsAny(text, "'\"\n\t") {
			return
		}
		if slices.ContainsFunc(r.Filters, func(f Filter) bool { return len(f.Values) == 0 }) {
			return
		}
		again, problems := ParseRule(r.Text())
		if len(problems) > 0 && r.Text() != "" || again.Text() != r.Text() {
			t.Errorf("%q became %q, then %q %v", text, r.Text(), again.Text(), problems)
		}
	})
}

func TestCheckTellsEverything(t *testing.T) {
	b := with("AMAZON_LINUX_2023", "classification=Securty after=7 until=2026-13-01", "msrc-severity=Critical after=400", "product=Ubuntu22.04", "severity=Critical,Wow after=0 level=hihg")
	b.Name, b.Approve, b.Reject, b.RejectAction, b.SecurityUpdates = "a b", []string{"x", "x", "KB1"}, []string{"x"}, "BLOK", "COMPLIANT"
	b.Sources = []Source{{Name: "x"}}
	var got []string
	for _, p := range b.Check(false) {
		got = append(got, p.String())
	}
	want := []string{
		`name: "a b" must be 3 to 128 letters, digits, _ - and .`,
		`rule 1: classification: "Securty" is unknown for Amazon Linux 2023 (did you mean Security?)`,
		`rule 1: has both a delay and a date (give either after or until)`,
		`rule 1: until: "2026-13-01" is no date (write it as 2026-01-31)`,
		`rule 2: msrc_severity: is no filter for Amazon Linux 2023 (there it is severity)`,
		`rule 2: after: 400 is not within 0 and 360 days`,
		"rule 3: product: \"Ubuntu22.04\" is unknown for Amazon Linux 2023 (products look like AmazonLinux2023; `ssmdeck patch properties --os AMAZON_LINUX_2023 --property product` lists them)",
		`rule 3: says neither after how many days nor until which date (after=0 approves at once)`,
		`rule 4: severity: "Wow" is unknown for Amazon Linux 2023 (did you mean Low?)`,
		`rule 4: level: is never "HIHG" (did you mean HIGH?)`,
		`approve: x is there twice`,
		`approve: "KB1" is a patch of Windows, and this is for Amazon Linux 2023`,
		`reject: x is in both lists; what is rejected is never approved`,
		`reject_action: is never "BLOK" (did you mean BLOCK?)`,
		`security_updates: is for Windows Server only`,
		`source 1: name: "x" must be 3 to 50 letters, digits, _ - and .`,
		`source 1: products: are missing`,
		`source 1: configuration: is missing`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("got:\n%s", strings.Join(got, "\n"))
	}
}

func TestLimits(t *testing.T) {
	many := func(n int) []string {
		var out []string
		for i := range n {
			out = append(out, "p"+string(rune('a'+i%26))+string(rune('a'+i/26)))
		}
		return out
	}
	for want, b := range map[string]*Baseline{
		"rules: there are 11, and 10 at most are possible":                   with("UBUNTU", slices.Repeat([]string{"priority=Required"}, 11)...),
		"approve: has 51 entries, and 50 at most are possible":               with("UBUNTU").and(func(b *Baseline) { b.Approve = many(51) }),
		"rule 1: section: has 21 values, and 20 at most are possible":        with("UBUNTU", "section="+strings.Join(many(21), ",")),
		"sources: there are 21, and 20 at most are possible":                 with("UBUNTU").and(func(b *Baseline) { b.Sources = slices.Repeat([]Source{{"abc", []string{"*"}, "x"}}, 21) }),
		"global_filters: has 5 filters, and 4 at most are possible":          with("WINDOWS").and(func(b *Baseline) { b.GlobalFilters = slices.Repeat([]Filter{{"PRODUCT", []string{"*"}}}, 5) }),
		"source 1: configuration: has 1025 characters, and 1024 at most are": with("UBUNTU").and(func(b *Baseline) { b.Sources = []Source{{"abc", []string{"*"}, strings.Repeat("x", 1025)}} }),
	} {
		problems := b.Check(false)
		if len(problems) == 0 || !strings.Contains(problems[0].String(), want) {
			t.Errorf("%v, want %s", problems, want)
		}
	}
	for _, ok := range []*Baseline{
		with("WINDOWS", `product="Active Directory Rights Management Services Client 2.0" after=0`), with("WINDOWS", "product=WindowsServer2028 after=0"),
		with("UBUNTU", "product=Ubuntu30.04 section=anything"), with("REDHAT_ENTERPRISE_LINUX", "product=RedhatEnterpriseLinux11.2 after=360"),
		with("RASPBIAN", "product=Whatever priority=Extra"), with("SUSE", "classification=Recommended after=0"),
	} {
		if problems := ok.Check(false); len(problems) > 0 {
			t.Errorf("%s: %v", ok.Rules[0].Text(), problems)
		}
	}
	if problems := with("AMAZON_LINUX_2", "severity=Brandnew product=New3 after=0").Check(true); len(problems) > 0 {
		t.Errorf("any value was to be taken: %v", problems)
	}
}

func TestWarnings(t *testing.T) {
	for want, b := range map[string]*Baseline{
		"it approves nothing": with("WINDOWS"),
		"rule 1: packages of Ubuntu Server have no release dates":  with("UBUNTU", "priority=Required after=7"),
		"rule 1 waits 60 days in vain: rule 2 takes the same":      with("AMAZON_LINUX_2", "classification=Security severity=Critical after=60", "product=* classification=Security,Bugfix after=7"),
		"rule 2 waits 14 days in vain: rule 1 takes the same":      with("WINDOWS", "product=* after=0", "classification=Updates after=14"),
		"reject: CVE-2026-1234 rejects nothing: on Amazon Linux 2": with("AMAZON_LINUX_2", "product=* after=1").and(func(b *Baseline) { b.Reject = []string{"CVE-2026-1234"} }),
	} {
		if got := b.Warnings(); len(got) != 1 || !strings.Contains(got[0], want) {
			t.Errorf("%q, want %s", got, want)
		}
	}
	for _, b := range []*Baseline{
		with("AMAZON_LINUX_2", "classification=Security severity=Critical after=2", "classification=Security after=7"),
		with("AMAZON_LINUX_2", "classification=Security after=7", "classification=Security severity=Critical after=2"),
		with("AMAZON_LINUX_2", "classification=Security after=7", "classification=Bugfix after=2"),
		with("WINDOWS", "patch-set=APPLICATION product=* after=7", "product=* after=2"),
		with("AMAZON_LINUX_2", "product=* after=7 non-security", "product=* after=2"),
	} {
		if got := b.Warnings(); len(got) > 0 {
			t.Errorf("%s: %q", b.Rules[0].Text(), got)
		}
	}
}

const file = `name: prod
os: al2023
description: for production
global_filters: {product: [AmazonLinux2023]}
rules:
  - classification: [Security]
    severity: [Critical, Important]
    after_days: 7
    level: high
  - classification: Bugfix
    until: 2026-01-31
    non_security: true
approve: [openssl*]
approve_level: critical
approve_non_security: true
reject: [kernel*]
reject_action: block
sources:
  - name: main
    products: [AmazonLinux2023]
    configuration: |
      [main]
      enabled=1
`

func TestAFileComesBackAsItWas(t *testing.T) {
	b, err := Read("x.yaml", []byte(file), false)
	if err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(b.File())
	if err != nil {
		t.Fatal(err)
	}
	again, err := Read("x.json", data, false)
	if err != nil || !Equal(b, again) {
		t.Errorf("%v\n%s\n%s", err, data, strings.Join(Diff("a", "b", b, again), "\n"))
	}
	if b.OS != "AMAZON_LINUX_2023" || b.Rules[0].Level != "HIGH" || *b.Rules[0].After != 7 || !b.Rules[1].NonSecurity || b.Sources[0].Configuration != "[main]\nenabled=1\n" {
		t.Errorf("%+v", b)
	}
}

func TestFaultsOfAFileHaveTheirLines(t *testing.T) {
	_, err := Read("x.yaml", []byte("name: prod\nos: windows\nrules:\n  - classification: [SecurityUpdate]\n    severity: [Critical]\n    after_days: 7\n    until: 2026-01-01\n  - msrc_severty: [Low]\n    after_days: x\napprovd: [a]\nreject: {a: b}\n"), false)
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{
		`x.yaml:4: rule 1: classification: "SecurityUpdate" is unknown for Windows Server (did you mean SecurityUpdates?)`,
		"x.yaml:5: rule 1: severity: is no filter for Windows Server (there it is msrc_severity)",
		"x.yaml:4: rule 1: has both a delay and a date",
		`x.yaml:8: unknown key "msrc_severty" in rule 2 (did you mean "msrc_severity"?)`,
		`x.yaml:9: rule 2: after_days: "x" is no number of days`,
		`x.yaml:10: unknown key "approvd" in the file (did you mean "approve"?)`,
		"x.yaml:11: reject must be a list",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%s\nis not in\n%v", want, err)
		}
	}
	if _, err := Read("x.yaml", nil, false); err == nil || !strings.Contains(err.Error(), "no content") {
		t.Error(err)
	}
}

func TestNodes(t *testing.T) {
	for _, c := range [][5]string{ // platform, name, version, os, product
		{"linux", "Amazon Linux", "2023", "AMAZON_LINUX_2023", "AmazonLinux2023"},
		{"linux", "Amazon Linux", "2023.5.20240819", "AMAZON_LINUX_2023", "AmazonLinux2023"},
		{"linux", "Amazon Linux", "2", "AMAZON_LINUX_2", "AmazonLinux2"},
		{"linux", "Amazon Linux AMI", "2018.03", "AMAZON_LINUX", "AmazonLinux2018.03"},
		{"linux", "Ubuntu", "22.04", "UBUNTU", "Ubuntu22.04"},
		{"linux", "Red Hat Enterprise Linux", "9.4", "REDHAT_ENTERPRISE_LINUX", "RedhatEnterpriseLinux9.4"},
		{"linux", "Red Hat Enterprise Linux Server", "7.9", "REDHAT_ENTERPRISE_LINUX", "RedhatEnterpriseLinux7.9"},
		{"linux", "CentOS Linux", "7.9.2009", "CENTOS", "CentOS7.9"},
		{"linux", "SLES", "15.5", "SUSE", "Suse15.5"},
		{"linux", "Debian GNU/Linux", "12.4", "DEBIAN", "Debian12"},
		{"linux", "Raspbian GNU/Linux", "11", "RASPBIAN", ""},
		{"linux", "Bottlerocket", "1.19", "", ""},
		{"linux", "Amazon Linux", "", "", ""},
		{"macos", "macOS", "14.5", "MACOS", "macOS14.5"},
		{"windows", "Microsoft Windows Server 2012 R2 Standard", "6.3.9600", "WINDOWS", "WindowsServer2012R2"},
		{"windows", "Microsoft Windows Server 2022 Datacenter", "10.0.20348", "WINDOWS", "WindowsServer2022"},
		{"windows", "Windows", "10.0", "WINDOWS", ""},
	} {
		os := NodeOS(c[0], c[1], c[2])
		if product := NodeProduct(os, c[1], c[2]); os != c[3] || product != c[4] {
			t.Errorf("%v: %s %s", c, os, product)
		}
	}
}

func TestGroupOf(t *testing.T) {
	for _, c := range []struct {
		long, short, group, tag, other string
	}{
		{"", "", "", "", ""},
		{"web", "", "web", GroupTag, ""},
		{"", "web", "web", GroupTagShort, ""},
		{"web", "web", "web", GroupTag, ""},
		{"web", "db", "web", GroupTag, "db"},
	} {
		tags := map[string]string{}
		if c.long != "" {
			tags[GroupTag] = c.long
		}
		if c.short != "" {
			tags[GroupTagShort] = c.short
		}
		if g, tag, other := GroupOf(tags); g != c.group || tag != c.tag || other != c.other {
			t.Errorf("%v: %s %s %s", tags, g, tag, other)
		}
	}
	if g, _, _ := GroupOf(map[string]string{"patch group": "x"}); g != "" {
		t.Error("case counts")
	}
}

func TestParseOS(t *testing.T) {
	for word, want := range map[string]string{"al2023": "AMAZON_LINUX_2023", "windows": "WINDOWS", "amazon-linux-2": "AMAZON_LINUX_2", "RHEL": "REDHAT_ENTERPRISE_LINUX", "Ubuntu": "UBUNTU"} {
		if got, err := ParseOS(word); got != want || err != nil {
			t.Errorf("%s: %s %v", word, got, err)
		}
	}
	if _, err := ParseOS("ubunut"); err == nil {
		t.Error("taken")
	}
}
