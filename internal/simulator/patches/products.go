package patches

import (
	"strings"
	"sync"
)

// The operating systems of patch baselines (API reference, CreatePatchBaseline).
const (
	Windows         = "WINDOWS"
	AmazonLinux     = "AMAZON_LINUX"
	AmazonLinux2    = "AMAZON_LINUX_2"
	AmazonLinux2022 = "AMAZON_LINUX_2022"
	AmazonLinux2023 = "AMAZON_LINUX_2023"
	Ubuntu          = "UBUNTU"
	RedHat          = "REDHAT_ENTERPRISE_LINUX"
	Suse            = "SUSE"
	CentOS          = "CENTOS"
	OracleLinux     = "ORACLE_LINUX"
	Debian          = "DEBIAN"
	MacOS           = "MACOS"
	Raspbian        = "RASPBIAN"
	RockyLinux      = "ROCKY_LINUX"
	AlmaLinux       = "ALMA_LINUX"
)

// Systems returns the operating systems of patch baselines.
func Systems() []string {
	return []string{
		Windows, AmazonLinux, AmazonLinux2, AmazonLinux2022, AmazonLinux2023, Ubuntu, RedHat, Suse, CentOS, OracleLinux, Debian, MacOS,
		Raspbian, RockyLinux, AlmaLinux,
	}
}

// Product is a version of an operating system for which patches are published.
type Product struct {
	System  string // Windows and so on
	Name    string // in the filters of rules: AmazonLinux2023
	Family  string
	Title   string // as people know it: Windows Server 2022
	version string // of the system, for what has one name in several versions
	release string // what versions of packages end with
	repo    string
	notices string // how advisories begin: ALAS2023
	lag     int    // days behind upstream, at most
	index   int

	mu       sync.Mutex
	packages []*Package
	extra    []*Package // beyond those, for nodes that need more
}

// products are all products. The first of a system is that of a node whose version
// none has.
var products = sync.OnceValue(func() []*Product {
	list := []*Product{
		{System: Windows, Name: "WindowsServer2022", Family: "Windows", Title: "Windows Server 2022", version: "2022"},
		{System: Windows, Name: "WindowsServer2025", Family: "Windows", Title: "Windows Server 2025", version: "2025"},
		{System: Windows, Name: "WindowsServer2019", Family: "Windows", Title: "Windows Server 2019", version: "2019"},
		{System: Windows, Name: "WindowsServer2016", Family: "Windows", Title: "Windows Server 2016", version: "2016"},
		{System: AmazonLinux2023, Name: "AmazonLinux2023", release: ".amzn2023.0.", repo: "amazonlinux", notices: "ALAS2023", lag: 4},
		{System: AmazonLinux2022, Name: "AmazonLinux2022", release: ".amzn2022.0.", repo: "amazonlinux", notices: "ALAS2022", lag: 6},
		{System: AmazonLinux2, Name: "AmazonLinux2", release: ".amzn2.0.", repo: "amzn2-core", notices: "ALAS2", lag: 6},
		{System: AmazonLinux, Name: "AmazonLinux2018.03", release: ".amzn1.", repo: "amzn-updates", notices: "ALAS", lag: 8},
		{System: Ubuntu, Name: "Ubuntu22.04", version: "22.04", release: "-0ubuntu1.", repo: "jammy-security", notices: "USN", lag: 1},
		{System: Ubuntu, Name: "Ubuntu24.04", version: "24.04", release: "-0ubuntu0.24.04.", repo: "noble-security", notices: "USN", lag: 1},
		{System: Ubuntu, Name: "Ubuntu20.04", version: "20.04", release: "-1ubuntu2.", repo: "focal-security", notices: "USN", lag: 2},
		{System: RedHat, Name: "RedhatEnterpriseLinux9", version: "9", release: ".el9_", repo: "rhel-9-baseos-rhui-rpms", notices: "RHSA", lag: 3},
		{System: RedHat, Name: "RedhatEnterpriseLinux8", version: "8", release: ".el8_", repo: "rhel-8-baseos-rhui-rpms", notices: "RHSA", lag: 4},
		{System: Suse, Name: "Suse15.5", version: "15", release: ".150500.4.", repo: "SLE-Module-Basesystem15-SP5-Updates", notices: "SUSE-SU", lag: 3},
		{System: Suse, Name: "Suse12.5", version: "12", release: ".122500.6.", repo: "SLES12-SP5-Updates", notices: "SUSE-SU", lag: 5},
		{System: CentOS, Name: "CentOS7.9", version: "7", release: ".el7_9.", repo: "updates", notices: "CESA", lag: 7},
		{System: CentOS, Name: "CentOS8", version: "8", release: ".el8_", repo: "baseos", notices: "CESA", lag: 7},
		{System: OracleLinux, Name: "OracleLinux9", version: "9", release: ".0.1.el9_", repo: "ol9_baseos_latest", notices: "ELSA", lag: 4},
		{System: OracleLinux, Name: "OracleLinux8", version: "8", release: ".0.1.el8_", repo: "ol8_baseos_latest", notices: "ELSA", lag: 5},
		{System: Debian, Name: "Debian12", version: "12", release: "-1~deb12u", repo: "bookworm-security", notices: "DSA", lag: 1},
		{System: Debian, Name: "Debian11", version: "11", release: "-1+deb11u", repo: "bullseye-security", notices: "DLA", lag: 3},
		{System: MacOS, Name: "macOS14", version: "14", Title: "macOS Sonoma", repo: "softwareupdate", lag: 5},
		{System: MacOS, Name: "macOS15", version: "15", Title: "macOS Sequoia", repo: "softwareupdate", lag: 5},
		{System: Raspbian, Name: "Raspbian11", version: "11", release: "-1+rpt", repo: "bullseye", notices: "DLA", lag: 5},
		{System: RockyLinux, Name: "RockyLinux9", version: "9", release: ".el9_", repo: "baseos", notices: "RLSA", lag: 5},
		{System: RockyLinux, Name: "RockyLinux8", version: "8", release: ".el8_", repo: "baseos", notices: "RLSA", lag: 5},
		{System: AlmaLinux, Name: "AlmaLinux9", version: "9", release: ".el9_", repo: "baseos", notices: "ALSA", lag: 4},
		{System: AlmaLinux, Name: "AlmaLinux8", version: "8", release: ".el8_", repo: "baseos", notices: "ALSA", lag: 4},
	}
	for i, p := range list {
		p.index = i
		if p.Family == "" {
			p.Family = p.Name
		}
		if p.Title == "" {
			p.Title = p.Name
		}
	}
	return list
})

// bySystem are the products of each system, and of all under the empty name.
var bySystem = sync.OnceValue(func() map[string][]*Product {
	all := map[string][]*Product{"": products()}
	for _, p := range products() {
		all[p.System] = append(all[p.System], p)
	}
	return all
})

// Products returns the products of a system, of all when it is empty. They must not
// be changed.
func Products(system string) []*Product { return bySystem()[system] }

// ProductOf finds the product that a node of a system runs, by the name and
// version that it reports of itself.
func ProductOf(system, platformName, platformVersion string) *Product {
	list := Products(system)
	if len(list) == 0 {
		list = Products(AmazonLinux2023)
	}
	for _, p := range list {
		text := platformVersion
		if system == Windows {
			text = platformName // 10.0.20348 is no version that products have
		}
		if p.version != "" && (strings.HasPrefix(text, p.version) || system == Windows && strings.Contains(text, p.version)) {
			return p
		}
	}
	return list[0]
}

// style is how a system writes its packages and what it says about them.
type style int

const (
	rpm style = iota
	deb
	kb  // Windows
	mac // macOS
)

func (p *Product) style() style {
	switch p.System {
	case Windows:
		return kb
	case MacOS:
		return mac
	case Ubuntu, Debian, Raspbian:
		return deb
	}
	return rpm
}

// words are the severities from the worst on, in the words of a system.
func (p *Product) words() []string { return Values(p.System)[SeverityKey(p.System)] }

// SeverityKey is the property that says how bad what a patch mends is.
func SeverityKey(system string) string {
	switch system {
	case Windows:
		return "MSRC_SEVERITY"
	case Ubuntu, Debian, Raspbian:
		return "PRIORITY"
	}
	return "SEVERITY"
}

// Values are the properties that the rules of a system can name, with their
// values, apart from products (API reference, PatchFilter).
func Values(system string) map[string][]string {
	values := map[string][]string{}
	switch system {
	case Windows:
		values["PRODUCT_FAMILY"] = []string{"Windows", "Office", "SQL Server", "Developer Tools, Runtimes, and Redistributables"}
		values["CLASSIFICATION"] = []string{
			"CriticalUpdates", "DefinitionUpdates", "Drivers", "FeaturePacks", "SecurityUpdates", "ServicePacks", "Tools", "UpdateRollups", "Updates", "Upgrades",
		}
		values["MSRC_SEVERITY"] = []string{"Critical", "Important", "Moderate", "Low", "Unspecified"}
		values["PATCH_SET"] = []string{"OS", "APPLICATION"}
	case Ubuntu, Debian, Raspbian:
		values["PRIORITY"] = []string{"Required", "Important", "Standard", "Optional", "Extra"}
		values["SECTION"] = nil // any
	case Suse:
		values["CLASSIFICATION"] = []string{"Security", "Recommended", "Optional", "Feature", "Document", "Yast"}
		values["SEVERITY"] = []string{"Critical", "Important", "Moderate", "Low"}
	case AmazonLinux, AmazonLinux2, AmazonLinux2022, AmazonLinux2023:
		values["CLASSIFICATION"] = []string{"Security", "Bugfix", "Enhancement", "Recommended", "Newpackage"}
		values["SEVERITY"] = []string{"Critical", "Important", "Medium", "Low"}
	case MacOS:
		values["CLASSIFICATION"] = []string{"Security", "Recommended"}
		values["SEVERITY"] = []string{"Critical", "Important", "Moderate", "Low"}
	default:
		values["CLASSIFICATION"] = []string{"Security", "Bugfix", "Enhancement", "Recommended", "Newpackage"}
		values["SEVERITY"] = []string{"Critical", "Important", "Moderate", "Low", "None"}
	}
	return values
}
